#include "core/run.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "core/clear.h"
#include "core/confirm.h"
#include "core/evidence.h"
#include "core/guard.h"
#include "core/plan.h"
#include "core/purge.h"
#include "core/seal.h"
#include "next.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/** A run under way. */
struct run {
    const struct run_request *request;
    const struct run_ports *ports;
    struct arena *arena;
    struct outcome *outcome;
    struct connections conn;
    struct run_dir *dir; /* NULL in a dry run, and before the guards have passed */
    struct journal *journal;
    struct plan plan;
    struct sealed sealed;
};

static void
say(struct run *run, enum log_level level, const char *text)
{
    run->ports->observer->say(run->ports->observer, level, text);
}

static void
start_outcome(const struct run_request *request, const char *command, struct outcome *ret)
{
    *ret = (struct outcome){.command = command,
                            .started_utc_ms = clock_utc_ms(),
                            .environment = request->environment,
                            .environment_class = env_class_name(request->env_class),
                            .reason = request->reason,
                            .dry_run = request->dry_run,
                            .locked_ms = -1};
    for (int i = 0; i < TABLES; i++) {
        struct table_outcome *table = &ret->tables[i];

        *table =
            (struct table_outcome){.table = (enum table)i,
                                   .asked = i == TABLE_RUNTIME ? request->dataverse : request->axdb,
                                   .before_rows = -1,
                                   .planned_rows = -1,
                                   .backed_up_rows = -1,
                                   .deleted_rows = -1,
                                   .after_rows = -1};
    }
}

static void
note_rows_before(struct outcome *outcome)
{
    for (int i = 0; i < TABLES; i++)
        if (outcome->tables[i].asked)
            outcome->tables[i].before_rows = evidence_rows(&outcome->before, (enum table)i);
}

/** The word that belongs to a failure before anything durable changed. */
static enum outcome_word
word_of(enum err_code code)
{
    static const struct {
        enum err_code code;
        enum outcome_word word;
    } words[] = {
        {ERR_INCOMPLETE, OUTCOME_PARTIAL},
        {ERR_REFUSED, OUTCOME_REFUSED},
        {ERR_STALE, OUTCOME_STALE},
        {ERR_OUTCOME, OUTCOME_UNKNOWN},
        {ERR_CONNECT, OUTCOME_NO_ACCESS},
        {ERR_TLS, OUTCOME_NO_ACCESS},
        {ERR_SIGNIN, OUTCOME_NO_ACCESS},
        {ERR_PERMISSION, OUTCOME_NO_ACCESS},
        {ERR_INTERRUPTED, OUTCOME_INTERRUPTED},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].code == code)
            return words[i].word;
    return OUTCOME_FAILED;
}

static void
fail(struct outcome *outcome, const struct err *err)
{
    outcome->err = *err;
    outcome->word = word_of(err->code);
    outcome->exit_status = err_exit_status(err->code);
    outcome->verdict = outcome->err.primary;
}

/** Something durable changed: whatever stopped the run, it is not finished. */
static void
fail_after_change(struct outcome *outcome, const struct err *err)
{
    fail(outcome, err);
    outcome->changed = true;
    if (err->code != ERR_OUTCOME) {
        outcome->word = OUTCOME_PARTIAL;
        outcome->exit_status = err_exit_status(ERR_INCOMPLETE);
    }
}

/* ---- verify ---- */

/** The half that could not be read, or NULL; with both, the one whose status counts. */
static const struct err *
unread_half(const struct evidence *evidence, int exit_status)
{
    const struct err *axdb = evidence->axdb_err.code != ERR_NONE ? &evidence->axdb_err : NULL;
    const struct err *runtime =
        evidence->runtime_err.code != ERR_NONE ? &evidence->runtime_err : NULL;

    if (axdb && runtime && err_exit_status(axdb->code) != exit_status)
        return runtime;
    return axdb ? axdb : runtime;
}

/** What residue there is, in one sentence. */
static const char *
residue_verdict(const struct evidence *evidence, struct arena *arena)
{
    const size_t differs = evidence_count(evidence, true, VERDICT_DIFFERS);
    const size_t unknown = evidence_count(evidence, true, VERDICT_UNKNOWN);
    const char *verdict;

    for (size_t i = 0; i < evidence->host_count; i++)
        if (evidence->hosts[i].own)
            return "rows name the target's own organization: this may be a working link";
    verdict =
        arena_printf(arena, "%zu required check%s, %zu %s unknown", differs,
                     differs == 1 ? " differs" : "s differ", unknown, unknown == 1 ? "is" : "are");
    return verdict ? verdict : "required checks differ";
}

/** A required check is unknown and none differs. */
static void
judge_unknown(const struct observation *why, const struct err *unread, struct arena *arena,
              struct outcome *outcome)
{
    const char *verdict = arena_printf(arena, "not known: %s", why->text);

    outcome->word = word_of(why->cause);
    outcome->verdict = verdict ? verdict : why->text;
    if (unread)
        return;
    /* both sides answered, and what they said proves nothing: that is the error to show */
    (void)err_set(&outcome->err, why->cause, "%s", why->text);
    (void)err_hint(&outcome->err, "%s", why->hint ? why->hint : "");
}

static void
judge(const struct evidence *evidence, struct arena *arena, struct outcome *outcome)
{
    const struct observation *why;
    const struct err *unread;

    outcome->exit_status = evidence_status(evidence, &why);
    unread = unread_half(evidence, outcome->exit_status);
    if (unread)
        outcome->err = *unread;
    if (!why) {
        outcome->word = OUTCOME_CLEAN;
        outcome->verdict = "every required check is ok: no dual-write run-time rows";
    } else if (why->verdict == VERDICT_DIFFERS) {
        outcome->word = OUTCOME_RESIDUE;
        outcome->verdict = residue_verdict(evidence, arena);
        if (unread)
            outcome->verdict = evidence->axdb ? "AxDB has rows; Dataverse was not read"
                                              : "Dataverse has rows; AxDB was not read";
    } else {
        judge_unknown(why, unread, arena, outcome);
    }
}

void
run_verify(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
           struct outcome *ret)
{
    struct connections conn;
    struct err err = {0};

    assert(request->axdb || request->dataverse);

    start_outcome(request, "verify", ret);
    if (evidence_collect(request, ports, arena, &conn, &ret->before, &err)) {
        note_rows_before(ret);
        judge(&ret->before, arena, ret);
    } else {
        fail(ret, &err);
    }
    connections_close(&conn);
    next_steps(request, arena, ret);
    ret->ended_utc_ms = clock_utc_ms();
}

/* ---- clean: before the change ---- */

static bool
record(struct run *run, const char *step, const struct fact *facts, size_t count, struct err *err)
{
    if (!run->journal->ops->record(run->journal, step, facts, count, true, err))
        return false;
    say(run, LOG_LEVEL_DEBUG, step); /* with -v: how far the run is */
    return true;
}

static bool
record_target(struct run *run, struct err *err)
{
    static const struct axdb_identity no_axdb = {.dialled = "",
                                                 .database = "",
                                                 .server_name = "",
                                                 .login = "",
                                                 .created = "",
                                                 .recovery_fork = "",
                                                 .encryption = ""};
    static const struct runtime_identity no_org = {
        .organization_id = "", .unique_name = "", .host = "", .user_id = ""};
    const struct evidence *seen = &run->outcome->before;
    const struct axdb_identity *id = seen->axdb ? &seen->axdb->identity : &no_axdb;
    const struct runtime_identity *org = seen->runtime ? &seen->runtime->identity : &no_org;
    const struct fact facts[] = {{"server", id->dialled},
                                 {"server_name", id->server_name},
                                 {"database", id->database},
                                 {"database_created", id->created},
                                 {"recovery_fork", id->recovery_fork},
                                 {"login", id->login},
                                 {"encryption", id->encryption},
                                 {"organization_id", org->organization_id},
                                 {"organization_name", org->unique_name},
                                 {"organization_host", org->host},
                                 {"application_user", org->user_id}};

    return record(run, "identity", facts, sizeof facts / sizeof facts[0], err);
}

static bool
record_checks(struct run *run, struct err *err)
{
    static const char *const verdicts[] = {"ok", "differs", "unknown"};
    const struct evidence *seen = &run->outcome->before;

    for (size_t i = 0; i < seen->observation_count; i++) {
        const struct observation *check = &seen->observations[i];
        const struct fact facts[] = {{"check", check->check},
                                     {"verdict", verdicts[check->verdict]},
                                     {"evidence", check->text}};

        if (!run->journal->ops->record(run->journal, "preconditions", facts, 3, false, err))
            return false;
    }
    return true;
}

/** One lock for each half, so that a run of one half and a run of both exclude each other. */
static bool
lock_targets(struct run *run, struct err *err)
{
    const struct evidence *seen = &run->outcome->before;
    const char *axdb = !seen->axdb
                           ? ""
                           : arena_printf(run->arena, "axdb %s %s", seen->axdb->identity.dialled,
                                          seen->axdb->identity.database);
    const char *runtime = !seen->runtime ? ""
                                         : arena_printf(run->arena, "dataverse %s",
                                                        seen->runtime->identity.organization_id);

    if (!axdb || !runtime)
        return arena_exhausted(err);
    return (!axdb[0] || run->dir->ops->lock_target(run->dir, axdb, err)) &&
           (!runtime[0] || run->dir->ops->lock_target(run->dir, runtime, err));
}

/** Bytes that a backup of these rows may need: generous, only to refuse a full disk early. */
static uint64_t
expected_bytes(const struct outcome *outcome)
{
    enum { PER_ROW = 4096, MARGIN = 16 * 1024 * 1024 };
    uint64_t rows = 0;

    for (int i = 0; i < TABLES; i++)
        if (outcome->tables[i].before_rows > 0)
            rows += (uint64_t)outcome->tables[i].before_rows;
    return rows * PER_ROW + MARGIN;
}

static bool
open_run(struct run *run, struct err *err)
{
    const struct run_request *request = run->request;
    const struct evidence *seen = &run->outcome->before;
    const struct run_info info = {.command = "clean",
                                  .environment = request->environment ? request->environment
                                                 : request->axdb
                                                     ? request->database
                                                     : seen->runtime->identity.unique_name,
                                  .facts = request->options,
                                  .fact_count = request->option_count};
    const struct fact facts[] = {{"command", "clean"},
                                 {"class", env_class_name(request->env_class)},
                                 {"reason", request->reason ? request->reason : ""}};

    if (!run->ports->runs->create(run->ports->runs, &info, expected_bytes(run->outcome), &run->dir,
                                  err))
        return false;
    run->journal = run->dir->ops->journal(run->dir);
    run->outcome->run_id = arena_string(run->arena, run->dir->ops->id(run->dir));
    run->outcome->run_path = arena_string(run->arena, run->dir->ops->path(run->dir));
    if (!run->outcome->run_id || !run->outcome->run_path)
        return arena_exhausted(err);
    return record(run, "open", facts, 3, err) && lock_targets(run, err) &&
           record_target(run, err) && record_checks(run, err);
}

static struct row_source
source_of(const struct run *run)
{
    return (struct row_source){.evidence = &run->outcome->before,
                               .connections = &run->conn,
                               .observer = run->ports->observer};
}

static bool
make_plan(struct run *run, struct err *err)
{
    struct plan_file *file = run->dir ? run->dir->ops->plan(run->dir) : NULL;
    struct outcome *outcome = run->outcome;

    const struct row_source source = source_of(run);

    if (!plan_make(run->request, &source, file, &run->plan, err))
        return false;
    for (int i = 0; i < TABLES; i++) {
        if (!run->plan.asked[i])
            continue;
        outcome->tables[i].planned_rows = run->plan.states[i].rows;
        outcome->tables[i].state = run->plan.states[i];
    }
    outcome->plan_id = arena_string(run->arena, run->plan.id);
    if (!outcome->plan_id)
        return arena_exhausted(err);
    if (!run->dir)
        return true;
    return record(run, "plan", &(struct fact){"plan_id", run->plan.id}, 1, err);
}

static bool
confirm(struct run *run, struct err *err)
{
    const char *how;

    if (!confirm_plan(run->request, &run->outcome->before, &run->plan, run->ports->op, &how, err))
        return false;
    if (!plan_is_fresh(&run->plan, err))
        return false;
    const struct fact facts[] = {
        {"plan_id", run->plan.id},
        {"how", how},
        {"maps_are_stopped", run->request->maps_are_stopped ? "option" : "typed"}};

    return record(run, "confirmed", facts, 3, err);
}

/** One dwclean at a time on this database, wherever it runs. */
static bool
exclude_others(struct run *run, struct err *err)
{
    struct axdb_store *axdb = run->conn.axdb;
    bool granted;

    if (!axdb)
        return true;
    if (run->outcome->before.axdb->may_applock == RIGHT_MISSING) {
        say(run, LOG_LEVEL_NOTICE,
            "the login may not use sp_getapplock: runs on other machines are "
            "not excluded");
        return true;
    }
    if (!axdb->ops->acquire_exclusion(axdb, &granted, err))
        return false;
    if (!granted) {
        (void)err_set(err, ERR_LOCK, "another dwclean run works on this database");
        return err_hint(err,
                        "Its session holds the application lock 'dwclean'. Wait for it to end.");
    }
    return record(run, "locked", NULL, 0, err);
}

static bool
back_up(struct run *run, struct err *err)
{
    const struct row_source source = source_of(run);

    if (!seal_backup(&run->plan, &source, run->dir->ops->backup(run->dir), &run->sealed, err))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (run->plan.asked[i])
            run->outcome->tables[i].backed_up_rows = run->sealed.states[i].rows;
    return record(run, "backup-sealed", &(struct fact){"plan_id", run->plan.id}, 1, err);
}

/* ---- clean: the change ---- */

static bool
change_axdb(struct run *run, struct err *err)
{
    struct axdb_evidence *seen = run->outcome->before.axdb;
    struct clear_result result;
    struct err ignored;
    bool ok;

    if (!run->conn.axdb)
        return true;
    const struct clear_job job = {.store = run->conn.axdb,
                                  .tables = seen->tables,
                                  .sealed = &run->sealed,
                                  .max_lock_ms = run->request->max_lock_ms,
                                  .journal = run->journal,
                                  .observer = run->ports->observer,
                                  .arena = run->arena};

    ok = clear_tables(&job, &result, err);
    run->outcome->locked_ms = result.locked_ms;
    run->outcome->changed = result.commit != COMMIT_NOT;
    if (result.commit == COMMIT_DONE)
        for (int i = 0; i < AXDB_TABLES; i++)
            run->outcome->tables[i].deleted_rows = result.deleted[i];
    /* settled: the purge is protected by its row versions, and an idle connection would be cut */
    if (ok && !run->conn.axdb->ops->release_exclusion(run->conn.axdb, &ignored))
        say(run, LOG_LEVEL_DEBUG, ignored.primary);
    run->conn.axdb->ops->close(run->conn.axdb);
    run->conn.axdb = NULL;
    return ok;
}

static bool
change_runtime(struct run *run, struct err *err)
{
    struct table_outcome *table = &run->outcome->tables[TABLE_RUNTIME];
    struct purge_result result;
    bool ok;

    if (!run->conn.runtime || run->plan.runtime_count == 0)
        return true;
    const struct purge_job job = {.store = run->conn.runtime,
                                  .plan = &run->plan,
                                  .sealed = &run->sealed,
                                  .journal = run->journal,
                                  .observer = run->ports->observer,
                                  .arena = run->arena};

    ok = purge_rows(&job, &result, err);
    run->outcome->changed = run->outcome->changed || result.target_changed;
    table->deleted_rows = result.done;
    table->gone_rows = result.gone;
    table->changed_rows = result.changed;
    table->failed_rows = result.failed;
    table->unknown_rows = result.unknown;
    run->outcome->removals = result.left;
    run->outcome->removal_count = result.left_count;
    return ok;
}

/* ---- clean: after the change ---- */

/** Rows of Dataverse that are there now: planned ones that are back or still there, and new ones.
 */
static bool
compare_runtime(struct run *run, struct err *err)
{
    const struct runtime_evidence *now = run->outcome->after.runtime;
    struct table_outcome *table = &run->outcome->tables[TABLE_RUNTIME];
    struct runtime_row *fresh = arena_alloc(run->arena, (now->row_count + 1) * sizeof *fresh);
    size_t count = 0;

    if (!fresh)
        return arena_exhausted(err);
    for (size_t i = 0; i < now->row_count; i++) {
        if (plan_find_runtime(&run->plan, now->rows[i].key))
            table->back_rows++;
        else
            fresh[count++] = now->rows[i];
    }
    table->new_rows = (int64_t)count;
    run->outcome->written_after = fresh;
    run->outcome->written_after_count = count;
    return true;
}

static bool
look_again(struct run *run, struct err *err)
{
    struct outcome *outcome = run->outcome;
    struct connections conn;
    bool ok = evidence_collect(run->request, run->ports, run->arena, &conn, &outcome->after, err);

    connections_close(&conn);
    if (!ok)
        return false;
    outcome->after_taken = true;
    if (!evidence_same_target(&outcome->before, &outcome->after, err))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (outcome->tables[i].asked)
            outcome->tables[i].after_rows = evidence_rows(&outcome->after, (enum table)i);
    return !outcome->after.runtime || compare_runtime(run, err);
}

static int64_t
rows_left_by_purge(const struct table_outcome *runtime)
{
    return runtime->changed_rows + runtime->failed_rows + runtime->unknown_rows;
}

/** What the fresh look says of a change that went through. */
static void
judge_change(struct run *run)
{
    struct outcome *outcome = run->outcome;
    const struct table_outcome *runtime = &outcome->tables[TABLE_RUNTIME];
    const struct observation *why;
    const int status = evidence_status(&outcome->after, &why);
    int64_t axdb_rows = 0;

    for (int i = 0; i < AXDB_TABLES; i++)
        if (outcome->tables[i].after_rows > 0)
            axdb_rows += outcome->tables[i].after_rows;
    if (status == 0) {
        outcome->word = OUTCOME_DONE;
        outcome->exit_status = 0;
        outcome->verdict = "the rows are backed up, deleted, and a fresh look finds none";
        return;
    }
    outcome->word = OUTCOME_PARTIAL;
    outcome->exit_status = err_exit_status(ERR_INCOMPLETE);
    if (why->verdict == VERDICT_UNKNOWN) {
        outcome->verdict = "the rows are deleted, but that could not be verified";
        if (unread_half(&outcome->after, outcome->exit_status))
            outcome->err = *unread_half(&outcome->after, outcome->exit_status);
    } else if (rows_left_by_purge(runtime) > 0 && runtime->back_rows > 0) {
        outcome->verdict = "some runtime configurations could not be removed";
    } else if (runtime->new_rows > 0 || axdb_rows > 0) {
        outcome->verdict = "rows were written after the plan: something still writes";
    } else {
        outcome->word = OUTCOME_RESIDUE;
        outcome->exit_status = 2;
        outcome->verdict = "planned rows are there again: something wrote them back";
    }
}

static bool
prove(struct run *run, struct err *err)
{
    if (!cancel_check(err) || !look_again(run, err)) {
        (void)err_wrap(err, "the rows are deleted, but that could not be verified");
        return false;
    }
    judge_change(run);
    return record(run, "verified", &(struct fact){"outcome", outcome_word_name(run->outcome->word)},
                  1, err);
}

/* ---- clean ---- */

enum preparation {
    GO_ON,    /* everything is sealed: change the targets */
    FINISHED, /* there is nothing to change, or it was a dry run: the outcome is filled */
    FAILED,   /* `err` is filled; nothing was changed */
};

static bool
nothing_is_there(const struct evidence *evidence)
{
    const struct observation *why;

    return evidence_status(evidence, &why) == 0;
}

/** A plan, and no more: in a dry run, and where nothing is there. */
static enum preparation
plan_only(struct run *run, struct err *err)
{
    struct outcome *outcome = run->outcome;
    const bool nothing = nothing_is_there(&outcome->before);

    /* an empty plan has an id too: a pipeline confirms it without asking what there is to do */
    if (!make_plan(run, err) || !confirm_plan_id(run->request, &run->plan, err))
        return FAILED;
    outcome->word = nothing ? OUTCOME_CLEAN : OUTCOME_PLANNED;
    outcome->verdict =
        nothing ? "nothing to do: no dual-write run-time rows" : "a dry run: nothing was changed";
    return FINISHED;
}

/** Up to and with the sealed backup. */
static enum preparation
prepare(struct run *run, struct err *err)
{
    struct outcome *outcome = run->outcome;

    if (!run->request->dry_run &&
        !guard_statement(run->request, run->ports->op && run->ports->op->present, err))
        return FAILED;
    if (!evidence_collect(run->request, run->ports, run->arena, &run->conn, &outcome->before, err))
        return FAILED;
    note_rows_before(outcome);
    if (!guard_target(run->request, &outcome->before, err))
        return FAILED;
    if (run->request->dry_run || nothing_is_there(&outcome->before))
        return plan_only(run, err);
    if (open_run(run, err) && make_plan(run, err) && confirm(run, err) &&
        exclude_others(run, err) && back_up(run, err))
        return GO_ON;
    return FAILED;
}

/** Where the change stands, for the first line of the report: what is done, what is left, why. */
static const char *
partial_verdict(const struct run *run)
{
    const struct outcome *outcome = run->outcome;
    const struct table_outcome *runtime = &outcome->tables[TABLE_RUNTIME];
    const char *verdict;
    int64_t deleted = 0;

    if (!run->conn.runtime || runtime->planned_rows <= 0)
        return outcome->err.primary;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (outcome->tables[i].deleted_rows > 0)
            deleted += outcome->tables[i].deleted_rows;
    verdict = arena_printf(run->arena,
                           "%" PRId64 " rows of AxDB and %" PRId64 " of %" PRId64
                           " rows of Dataverse are deleted: %s",
                           deleted, runtime->deleted_rows > 0 ? runtime->deleted_rows : 0,
                           runtime->planned_rows, outcome->err.primary);
    return verdict ? verdict : outcome->err.primary;
}

static void
change(struct run *run)
{
    struct err err = {0};
    struct err ignored;
    bool ok = change_axdb(run, &err);

    if (ok) {
        ok = change_runtime(run, &err);
        /* what is left is worth a look, whatever stopped the purge; the reason for the stop stays
         */
        if (!ok && run->outcome->changed && !cancel_signal() && !look_again(run, &ignored))
            say(run, LOG_LEVEL_DEBUG, ignored.primary);
        ok = ok && prove(run, &err);
    }
    if (ok)
        return;
    if (run->outcome->changed) {
        fail_after_change(run->outcome, &err);
        if (run->outcome->word == OUTCOME_PARTIAL)
            run->outcome->verdict = partial_verdict(run);
    } else {
        fail(run->outcome, &err);
    }
}

static bool
write_reports(struct run *run, struct err *err)
{
    return !run->ports->write_reports ||
           run->ports->write_reports(run->ports->write_reports_ctx, run->outcome, run->dir, err);
}

/** The last record, reports, sums. */
static bool
finish_run(struct run *run, struct err *err)
{
    const struct outcome *outcome = run->outcome;
    const struct fact facts[] = {{"outcome", outcome_word_name(outcome->word)},
                                 {"error", outcome->err.primary}};

    return record(run, outcome->exit_status == 0 ? "close" : "stopped", facts,
                  outcome->err.primary[0] ? 2 : 1, err) &&
           write_reports(run, err) && run->dir->ops->finish(run->dir, err);
}

/** End the run. What cannot be put on record is told, and no success; no report may then say
 * otherwise. */
static void
close_run(struct run *run)
{
    struct err err = {0};
    struct err again;

    if (!run->dir)
        return;
    if (!finish_run(run, &err)) {
        if (run->outcome->exit_status == 0)
            fail_after_change(run->outcome, &err);
        else
            say(run, LOG_LEVEL_ERROR, err.primary);
        next_steps(run->request, run->arena, run->outcome);
        if (!write_reports(run, &again))
            say(run, LOG_LEVEL_WARNING, again.primary);
    }
    run->dir->ops->close(run->dir);
}

void
run_clean(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
          struct outcome *ret)
{
    struct run run = {.request = request, .ports = ports, .arena = arena, .outcome = ret};
    struct err err = {0};

    assert(request->axdb || request->dataverse);

    start_outcome(request, "clean", ret);
    switch (prepare(&run, &err)) {
    case GO_ON:
        change(&run);
        break;
    case FINISHED:
        break;
    case FAILED:
        fail(ret, &err);
        break;
    }
    connections_close(&run.conn);
    next_steps(request, arena, ret);
    ret->ended_utc_ms = clock_utc_ms();
    close_run(&run);
    plan_done(&run.plan);
}
