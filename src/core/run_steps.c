#include "run_steps.h"

#include "apply.h"
#include "base/clock.h"
#include "core/confirm.h"
#include "core/guard.h"
#include "next.h"
#include "open_runs.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
run_say(struct run *run, enum log_level level, const char *text)
{
    run->ports->observer->say(run->ports->observer, level, text);
}

/* ---- begin, fail ---- */

void
run_begin(struct run *run, const char *command, const struct run_request *request,
          const struct run_ports *ports, struct arena *arena, struct outcome *outcome)
{
    assert(request->axdb || request->dataverse || request->text);

    *run = (struct run){.request = *request, .ports = ports, .arena = arena, .outcome = outcome};
    run->request.resumes = strcmp(command, "resume") == 0;
    run->request.applies = strcmp(command, "apply") == 0;
    run->request.removes =
        run->request.applies || strcmp(command, "clean") == 0 || strcmp(command, "repair-map") == 0;
    *outcome = (struct outcome){.command = command,
                                .started_utc_ms = clock_utc_ms(),
                                .environment = request->environment,
                                .environment_class = env_class_name(request->env_class),
                                .reason = request->reason,
                                .user = request->user,
                                .sudo_user = request->sudo_user,
                                .host = request->host,
                                .dry_run = request->dry_run,
                                .locked_ms = -1};
    for (int i = 0; i < TABLES; i++) {
        struct table_outcome *table = &outcome->tables[i];

        *table =
            (struct table_outcome){.table = (enum table)i,
                                   .asked = i == TABLE_RUNTIME ? request->dataverse : request->axdb,
                                   .before_rows = -1,
                                   .planned_rows = -1,
                                   .backed_up_rows = -1,
                                   .deleted_rows = -1,
                                   .after_rows = -1,
                                   .kept_rows = -1,
                                   .restored_rows = -1};
    }
}

void
run_set_scope(struct run *run, const struct scope *scope)
{
    run->scope = *scope;
    run->outcome->scope = scope->words;
    run->outcome->channels = scope->channels;
    run->outcome->channel_count = scope->channel_count;
    for (int i = 0; i < TABLES; i++)
        run->outcome->tables[i].asked = scope->parts[i] != SCOPE_NOTHING;
}

/** The word that belongs to a failure before anything durable changed. */
enum outcome_word
run_word_of(enum err_code code)
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

void
run_fail(struct outcome *outcome, const struct err *err)
{
    outcome->err = *err;
    outcome->word = run_word_of(err->code);
    outcome->exit_status = err_exit_status(err->code);
    outcome->verdict = outcome->err.primary;
}

void
run_fail_after_change(struct outcome *outcome, const struct err *err)
{
    run_fail(outcome, err);
    outcome->changed = true;
    if (err->code != ERR_OUTCOME) {
        outcome->word = OUTCOME_PARTIAL;
        outcome->exit_status = err_exit_status(ERR_INCOMPLETE);
    }
}

/** The half that could not be read, or NULL; with both, the one whose status counts. */
const struct err *
run_unread_half(const struct evidence *evidence, int exit_status)
{
    const struct err *axdb = evidence->axdb_err.code != ERR_NONE ? &evidence->axdb_err : NULL;
    const struct err *runtime =
        evidence->runtime_err.code != ERR_NONE ? &evidence->runtime_err : NULL;

    if (axdb && runtime && err_exit_status(axdb->code) != exit_status)
        return runtime;
    return axdb ? axdb : runtime;
}

/* ---- before the change ---- */

bool
run_record(struct run *run, const char *step, const struct fact *facts, size_t count,
           struct err *err)
{
    if (!run->journal->ops->record(run->journal, step, facts, count, true, err))
        return false;
    run_say(run, LOG_LEVEL_DEBUG, step); /* with -v: how far the run is */
    return true;
}

/** What the run is named after; NULL when out of memory. */
static const char *
environment_of(const struct run *run)
{
    const struct run_request *request = &run->request;
    char name[256];

    if (request->environment)
        return request->environment;
    if (!request->axdb)
        return run->outcome->before.runtime->identity.unique_name;
    if (request->database)
        return request->database;
    /* before the first look: which database a grant leads to is not known yet */
    guard_target_name(request, name, sizeof name);
    name[strcspn(name, ".")] = '\0';
    return arena_string(run->arena, name);
}

bool
run_begin_journal(struct run *run, struct err *err)
{
    run->journal = run->dir->ops->journal(run->dir);
    if (!noted_journal_begin(&run->noted, run->journal, run->outcome, run->arena, err))
        return false;
    run->journal = &run->noted.port;
    return true;
}

bool
run_name(struct run *run, struct err *err)
{
    struct run_store *runs = run->ports->runs;

    const char *environment;

    if (run->id[0])
        return true;
    environment = environment_of(run);
    if (!environment)
        return arena_exhausted(err);
    if (!runs->new_id(runs, environment, run->id, err))
        return false;
    run->request.run_id = run->id;
    return true;
}

bool
run_look(struct run *run, struct err *err)
{
    struct outcome *outcome = run->outcome;
    const struct look look = {.request = &run->request,
                              .ports = run->ports,
                              .arena = run->arena,
                              .diagnose = run->diagnose,
                              .apart = run->apart};

    if (!evidence_collect(&look, &run->conn, &outcome->before, err))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (outcome->tables[i].asked)
            outcome->tables[i].before_rows = evidence_rows(&outcome->before, (enum table)i);
    if (run->request.channel_count)
        outcome->tables[TABLE_EVENTS].kept_rows =
            evidence_kept_events(&run->request, &outcome->before);
    return open_runs_mind(run, err);
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

    return run_record(run, "identity", facts, sizeof facts / sizeof facts[0], err);
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

bool
run_lock_targets(struct run *run, struct err *err)
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

/** What run.json records: the options, and which file the plan came from. */
static bool
facts_of_run(const struct run *run, struct run_info *info, struct err *err)
{
    const struct run_request *request = &run->request;
    const struct outcome *outcome = run->outcome;
    struct fact *facts;

    info->facts = request->options;
    info->fact_count = request->option_count;
    if (!outcome->plan_sha256)
        return true;
    facts = arena_alloc(run->arena, (request->option_count + 2) * sizeof *facts);
    if (!facts)
        return arena_exhausted(err);
    if (request->option_count)
        memcpy(facts, request->options, request->option_count * sizeof *facts);
    facts[info->fact_count++] = (struct fact){"plan_file", outcome->plan_path};
    facts[info->fact_count++] = (struct fact){"plan_file_sha256", outcome->plan_sha256};
    info->facts = facts;
    return true;
}

void
run_tell_id(const struct run *run)
{
    struct observer *observer = run->ports->observer;

    if (observer->run)
        observer->run(observer, run->outcome->run_id);
}

bool
run_open(struct run *run, struct err *err)
{
    const struct run_request *request = &run->request;
    const char *command = run->outcome->command;
    struct run_info info = {.id = run->id, .command = command, .environment = environment_of(run)};
    const struct fact facts[] = {{"command", command},
                                 {"class", env_class_name(request->env_class)},
                                 {"reason", request->reason ? request->reason : ""},
                                 {"scope", run->scope.words ? run->scope.words : ""},
                                 {"undoes", run->outcome->undoes ? run->outcome->undoes : ""}};

    if (!run_name(run, err) || !facts_of_run(run, &info, err) ||
        !run->ports->runs->create(run->ports->runs, &info,
                                  evidence_backup_bytes(&run->outcome->before), &run->dir, err))
        return false;
    if (!run_begin_journal(run, err))
        return false;
    run->reports = true;
    run->outcome->run_id = arena_string(run->arena, run->dir->ops->id(run->dir));
    run->outcome->run_path = arena_string(run->arena, run->dir->ops->path(run->dir));
    if (!run->outcome->run_id || !run->outcome->run_path)
        return arena_exhausted(err);
    run_tell_id(run);
    return run_record(run, "open", facts, sizeof facts / sizeof facts[0], err) &&
           run_lock_targets(run, err) && record_target(run, err) && record_checks(run, err);
}

struct row_source
run_source(const struct run *run)
{
    return (struct row_source){.evidence = &run->outcome->before,
                               .connections = &run->conn,
                               .scope = &run->scope,
                               .observer = run->ports->observer};
}

bool
run_note_plan(struct run *run, struct err *err)
{
    struct outcome *outcome = run->outcome;

    for (int i = 0; i < TABLES; i++) {
        if (!run->plan.asked[i])
            continue;
        outcome->tables[i].planned_rows = run->plan.states[i].rows;
        outcome->tables[i].state = run->plan.states[i];
        outcome->tables[i].kept_rows = run->plan.kept_rows[i];
    }
    outcome->plan_id = arena_string(run->arena, run->plan.id);
    outcome->plan_expires_utc_ms = run->plan.expires_utc_ms;
    if (!outcome->plan_id)
        return arena_exhausted(err);
    return !run->dir || run_record(run, "plan", &(struct fact){"plan_id", run->plan.id}, 1, err);
}

bool
run_plan(struct run *run, struct err *err)
{
    const struct row_source source = run_source(run);
    struct plan_file *file = run->dir ? run->dir->ops->plan(run->dir) : run->ports->plan_out;

    return (run->request.applies ? apply_write_plan(run, err)
                                 : plan_make(&source, file, &run->plan, err)) &&
           run_note_plan(run, err);
}

void
run_finish_plan(struct run *run, const char *nothing)
{
    struct outcome *outcome = run->outcome;

    outcome->word = nothing ? OUTCOME_CLEAN : OUTCOME_PLANNED;
    outcome->verdict = nothing ? nothing : "a dry run: nothing was changed";
    if (run->ports->plan_out) {
        outcome->plan_path = run->ports->plan_out_path;
        outcome->verdict = nothing ? nothing : "the plan is saved; nothing was changed";
    }
    /* as terraform has it: 2 says that there is something to do */
    if (run->request.detailed_exitcode && plan_rows(&run->plan) > 0)
        outcome->exit_status = 2;
}

bool
run_confirm(struct run *run, const char *what, struct err *err)
{
    const struct run_request *request = &run->request;
    TEXT_SCOPED text = {0};

    if (!what) {
        confirm_describe(request, &run->outcome->before, &run->plan, &run->scope, &text);
        if (!text_ok(&text, err))
            return false;
        what = text_string(&text);
    }
    if (!confirm_plan(request, &run->outcome->before, &run->plan, what, run->ports->op, err))
        return false;
    if (!plan_is_fresh(&run->plan, err))
        return false;
    const struct fact facts[] = {
        {"plan_id", run->plan.id},
        {"how", request->yes ? "plan-id" : "typed"},
        {"maps_are_stopped", request->maps_are_stopped ? "option" : "typed"}};

    run->reports = true;
    return run_record(run, "confirmed", facts, 3, err);
}

bool
run_exclude_others(struct run *run, struct err *err)
{
    struct axdb_store *axdb = run->conn.axdb;
    bool granted;

    if (!axdb)
        return true;
    /* not decided by the question before: what a server says of the right to a system procedure
     * need not be what happens */
    if (!axdb->ops->acquire_exclusion(axdb, &granted, err)) {
        if (err->code != ERR_PERMISSION)
            return false;
        run_say(run, LOG_LEVEL_NOTICE,
                "the login may not use sp_getapplock: runs on other machines are "
                "not excluded");
        return true;
    }
    if (!granted) {
        (void)err_set(err, ERR_LOCK, "another dwclean run works on this database");
        return err_hint(err,
                        "Its session holds the application lock 'dwclean'. Wait for it to end.");
    }
    run->excluded = true;
    return run_record(run, "locked", NULL, 0, err);
}

bool
run_back_up(struct run *run, struct err *err)
{
    const struct row_source source = run_source(run);

    if (!seal_backup(&run->plan, &source, run->dir->ops->backup(run->dir), &run->sealed, err))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (run->plan.asked[i])
            run->outcome->tables[i].backed_up_rows = run->sealed.states[i].rows;
    return run_record(run, "backup-sealed", &(struct fact){"plan_id", run->plan.id}, 1, err);
}

bool
run_nothing_is_there(const struct run *run)
{
    const struct observation *why;

    return evidence_status(&run->outcome->before, &why) == 0;
}

const char *
run_clean_verdict(const struct run *run, const char *front)
{
    const int64_t kept = run->outcome->tables[TABLE_EVENTS].kept_rows;
    const char *verdict =
        !run->scope.words
            ? arena_printf(run->arena, "%s: no dual-write run-time rows", front)
            : arena_printf(run->arena, "%s: clean for %s; %" PRId64 " %s of other channels kept",
                           front, run->scope.words, kept > 0 ? kept : 0,
                           kept == 1 ? "row" : "rows");

    return verdict ? verdict : front;
}

/* ---- end ---- */

static bool
write_reports(struct run *run, struct err *err)
{
    /* a resume that was refused leaves the report of the first part as it is */
    return !run->ports->write_reports || !run->reports ||
           run->ports->write_reports(run->ports->write_reports_ctx, run->outcome, run->dir, err);
}

/** The last record, reports, sums. */
static bool
finish_run(struct run *run, struct err *err)
{
    const struct outcome *outcome = run->outcome;
    const struct fact facts[] = {{"outcome", outcome_word_name(outcome->word)},
                                 {"error", outcome->err.primary}};

    return run_record(run, outcome->exit_status == 0 ? "close" : "stopped", facts,
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
            run_fail_after_change(run->outcome, &err);
        else
            run_say(run, LOG_LEVEL_ERROR, err.primary);
        next_steps(&run->request, run->arena, run->outcome);
        if (!write_reports(run, &again))
            run_say(run, LOG_LEVEL_WARNING, again.primary);
    }
    run->dir->ops->close(run->dir);
}

void
run_end(struct run *run)
{
    connections_close(&run->conn);
    next_steps(&run->request, run->arena, run->outcome);
    run->outcome->ended_utc_ms = clock_utc_ms();
    close_run(run);
    plan_done(&run->plan);
    free(run->purged);
    run->purged = NULL;
}
