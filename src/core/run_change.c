/*
 * The change, and the look afterwards: what clean, repair-map and the second part of a run have in
 * common.
 */
#include "base/cancel.h"
#include "base/clock.h"
#include "core/purge.h"
#include "run_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/** How a settled COMMIT stops the run: what is known, and what to do. */
static void
explain_settled(const struct settle_result *found, bool restoring, struct err *err)
{
    const char *what = restoring ? "put back" : "deleted";

    switch (found->settled) {
    case SETTLED_COMMITTED:
        (void)err_set(err, ERR_INCOMPLETE,
                      "the answer to COMMIT was lost; the rows are %s, as a locked look has proven",
                      what);
        (void)err_hint(err, restoring ? "The comparison afterwards is not done: run the undo again "
                                        "with --merge; it changes nothing that is there."
                                      : "The rest of the run is not done: dwclean resume goes on "
                                        "with it.");
        break;
    case SETTLED_NOT:
        (void)err_set(err, ERR_INCOMPLETE,
                      "the answer to COMMIT was lost; the server rolled back: no row is %s", what);
        (void)err_hint(err, "Nothing was changed. Run the command again.");
        break;
    case SETTLED_MIXED:
        (void)err_set(err, ERR_OUTCOME,
                      "the answer to COMMIT was lost, and the rows are neither all there nor all "
                      "gone: something else writes");
        (void)err_hint(err, "Do not change anything before it is known what wrote. The run's "
                            "backup holds every row: dwclean undo --merge adds what is missing.");
        break;
    case SETTLED_UNKNOWN:
    default:
        (void)err_hint(err,
                       "The rows are either all %s or none is. When the server answers again, "
                       "%s finds out.",
                       what, restoring ? "the same undo with --merge" : "dwclean resume");
        return;
    }
    (void)err_detail(err,
                     "of %" PRId64 " rows of the backup %" PRId64 " are there, %" PRId64
                     " with other contents; %" PRId64 " other rows",
                     found->rows, found->present, found->differing, found->others);
}

enum settled
run_settle(struct run *run, const struct backup_rows *backup, bool restoring, struct err *err)
{
    enum { WAIT_MS = 60000 };
    const struct settle_job job = {.request = &run->request,
                                   .ports = run->ports,
                                   .identity = &run->outcome->before.axdb->identity,
                                   .backup = backup,
                                   .restoring = restoring,
                                   .wait_ms = WAIT_MS,
                                   .arena = run->arena};
    struct settle_result found;
    struct err journal_err;

    if (!settle_commit(&job, &found, err)) {
        found.settled = SETTLED_UNKNOWN;
        err->code = ERR_OUTCOME; /* whatever stood in the way: this run's COMMIT is not known */
    }
    run->outcome->settled = settled_name(found.settled);
    explain_settled(&found, restoring, err);
    const struct fact facts[] = {{"state", settled_name(found.settled)}, {"why", err->primary}};

    if (!run->journal->ops->record(run->journal, "settled", facts, 2, true, &journal_err))
        run_say(run, LOG_LEVEL_WARNING, journal_err.primary);
    if (found.settled == SETTLED_NOT)
        cancel_note_unchanged();
    return found.settled;
}

void
run_end_axdb(struct run *run)
{
    struct axdb_store *axdb = run->conn.axdb;

    /* settled: the purge is protected by its row versions, and an idle connection would be cut; the
     * application lock ends with the session */
    axdb->ops->close(axdb);
    run->conn.axdb = NULL;
}

/* ---- clearing AxDB ---- */

static const struct schema *
own_schema(void *ctx, enum table table)
{
    const struct run *run = ctx;

    return run->plan.asked[table] ? &run->outcome->before.axdb->tables[table].schema : NULL;
}

static bool
own_rows(void *ctx, enum table table, const struct row_sink *sink, struct err *err)
{
    const struct run *run = ctx;
    struct backup *backup = run->dir->ops->backup(run->dir);

    return backup->ops->read_back(backup, table, sink, err);
}

bool
run_clear_axdb(struct run *run, struct err *err)
{
    const struct backup_rows backup = {.ctx = run, .schema = own_schema, .read = own_rows};
    struct locked_result result;
    bool ok;

    if (!run->conn.axdb)
        return true;
    const struct clear_job job = {.store = run->conn.axdb,
                                  .tables = run->outcome->before.axdb->tables,
                                  .scope = &run->scope,
                                  .sealed = &run->sealed,
                                  .max_lock_ms = run->request.max_lock_ms,
                                  .journal = run->journal,
                                  .observer = run->ports->observer,
                                  .arena = run->arena};

    ok = clear_tables(&job, &result, err);
    run->outcome->locked_ms = result.locked_ms;
    run_end_axdb(run);
    if (result.commit == COMMIT_UNKNOWN) {
        const enum settled settled = run_settle(run, &backup, false, err);

        result.commit = settled == SETTLED_COMMITTED ? COMMIT_DONE
                        : settled == SETTLED_NOT     ? COMMIT_NOT
                                                     : COMMIT_UNKNOWN;
    }
    run->outcome->changed = result.commit != COMMIT_NOT;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (result.commit == COMMIT_DONE && run->scope.parts[i] != SCOPE_NOTHING)
            run->outcome->tables[i].deleted_rows = result.rows[i];
    return ok;
}

void
run_note_pace(struct run *run, const struct runtime_pace *pace)
{
    struct runtime_pace *kept = arena_alloc(run->arena, sizeof *kept);

    if (kept)
        *kept = *pace;
    run->outcome->pace = kept;
}

bool
run_change_runtime(struct run *run, struct err *err)
{
    const struct backup_rows own = {.ctx = run, .schema = own_schema, .read = own_rows};
    struct table_outcome *table = &run->outcome->tables[TABLE_RUNTIME];
    struct purge_result result;
    bool ok;

    if (!run->conn.runtime || run->plan.runtime.count == 0)
        return true;
    const struct purge_job job = {
        .store = run->conn.runtime,
        .plan = &run->plan,
        .settled = run->purged,
        .without_versions = !run->outcome->before.runtime->identity.optimistic_concurrency,
        .may_compare = run->request.allow_no_etag,
        .sealed = &run->sealed,
        .backup = run->sealed_before ? run->sealed_before : &own,
        .dir = run->dir,
        .journal = run->journal,
        .observer = run->ports->observer,
        .arena = run->arena};

    ok = purge_rows(&job, &result, err);
    run->outcome->changed = run->outcome->changed || result.target_changed;
    table->deleted_rows = result.done + run->purged_done;
    table->gone_rows = result.gone + run->purged_gone;
    table->again_rows = result.backed_up_again;
    if (result.paced)
        run_note_pace(run, &result.pace);
    table->changed_rows = result.changed;
    table->failed_rows = result.failed;
    table->unknown_rows = result.unknown;
    run->outcome->removals = result.left;
    run->outcome->removal_count = result.left_count;
    return ok;
}

/* ---- after the change ---- */

/** Rows of Dataverse that are there now: planned ones that are back or still there, and new ones.
 */
struct rows_now {
    struct run *run;
    struct runtime_row *fresh; /* the first LISTED new ones, in the arena */
    size_t listed;
    int64_t back, new;
    char last[sizeof((struct runtime_ref *)0)->key];
};

static bool
list_fresh(struct rows_now *now, const struct runtime_row *row, struct err *err)
{
    enum { LISTED = 1000 };
    struct arena *arena = now->run->arena;

    if (now->listed == LISTED)
        return true;
    struct runtime_row kept = *row;
    const char **const strings[] = {
        &kept.key,        &kept.name,       &kept.internal_entity, &kept.external_entity,
        &kept.created_on, &kept.modified_on};

    kept.etag = "";
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        *strings[i] = arena_string(arena, *strings[i]);
        if (!*strings[i])
            return arena_exhausted(err);
    }
    if (!now->fresh)
        now->fresh = arena_alloc(arena, LISTED * sizeof *now->fresh);
    if (!now->fresh)
        return arena_exhausted(err);
    now->fresh[now->listed++] = kept;
    return true;
}

static bool
take_row_now(void *ctx, const struct runtime_row *row, struct err *err)
{
    struct rows_now *now = ctx;
    const struct runtime_refs *planned = &now->run->plan.runtime;

    if (strcmp(now->last, row->key) >= 0) { /* not the next key: the list begins anew */
        now->listed = 0;
        now->back = now->new = 0;
    }
    (void)snprintf(now->last, sizeof now->last, "%s", row->key);
    if (runtime_refs_find(planned, row->key) < planned->count) {
        now->back++;
        return true;
    }
    now->new ++;
    return list_fresh(now, row, err);
}

static void
note_rows_now(struct run *run, const struct rows_now *now)
{
    struct table_outcome *table = &run->outcome->tables[TABLE_RUNTIME];

    table->back_rows = now->back;
    table->new_rows = now->new;
    run->outcome->written_after = now->fresh;
    run->outcome->written_after_count = now->listed;
}

bool
run_look_again(struct run *run, struct err *err)
{
    struct outcome *outcome = run->outcome;
    struct connections conn;
    struct rows_now now = {.run = run};
    const struct runtime_row_sink rows = {.ctx = &now, .take = take_row_now};
    const struct look look = {
        .request = &run->request, .ports = run->ports, .arena = run->arena, .rows = &rows};
    const bool ok = evidence_collect(&look, &conn, &outcome->after, err);

    connections_close(&conn);
    if (!ok)
        return false;
    outcome->after_taken = true;
    if (!evidence_same_target(&outcome->before, &outcome->after, err))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (outcome->tables[i].asked)
            outcome->tables[i].after_rows = evidence_rows(&outcome->after, (enum table)i);
    if (outcome->after.runtime)
        note_rows_now(run, &now);
    return true;
}

/** Rows of an AxDB table that the scope has and that are there now. */
static int64_t
rows_unkept(const struct table_outcome *table)
{
    const int64_t kept = table->kept_rows > 0 ? table->kept_rows : 0;

    return table->after_rows > kept ? table->after_rows - kept : 0;
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
        axdb_rows += rows_unkept(&outcome->tables[i]);
    if (status == 0) {
        outcome->word = OUTCOME_DONE;
        outcome->exit_status = 0;
        outcome->verdict = run->scope.words
                               ? run_clean_verdict(run, "backed up, deleted, looked at afresh")
                               : "the rows are backed up, deleted, and a fresh look finds none";
        return;
    }
    outcome->word = OUTCOME_PARTIAL;
    outcome->exit_status = err_exit_status(ERR_INCOMPLETE);
    if (why->verdict == VERDICT_UNKNOWN) {
        outcome->verdict = "the rows are deleted, but that could not be verified";
        if (run_unread_half(&outcome->after, outcome->exit_status))
            outcome->err = *run_unread_half(&outcome->after, outcome->exit_status);
    } else if (outcome_rows_unsettled(runtime) > 0 && runtime->back_rows > 0) {
        outcome->verdict = "some runtime configurations could not be removed";
    } else if (runtime->new_rows > 0 || axdb_rows > 0) {
        outcome->verdict = "rows were written after the plan: something still writes";
    } else {
        outcome->word = OUTCOME_RESIDUE;
        outcome->exit_status = 2;
        outcome->verdict = strcmp(why->check, "A-ROWS") == 0 || strcmp(why->check, "D-ROWS") == 0
                               ? "planned rows are there again: something wrote them back"
                               : why->text;
    }
}

bool
run_prove(struct run *run, struct err *err)
{
    if (!cancel_check(err) || !run_look_again(run, err)) {
        (void)err_wrap(err, "the rows are deleted, but that could not be verified");
        return false;
    }
    judge_change(run);
    return run_record(run, "verified",
                      &(struct fact){"outcome", outcome_word_name(run->outcome->word)}, 1, err);
}

/* ---- all of it ---- */

/** Where the change stands, for the first line of the report: what is done, what is left, why. */
static const char *
partial_verdict(const struct run *run)
{
    const struct outcome *outcome = run->outcome;
    const struct table_outcome *runtime = &outcome->tables[TABLE_RUNTIME];
    const char *verdict;
    const bool undo = outcome->undoes != NULL;
    int64_t of_axdb = 0;
    int64_t of_dataverse = 0;

    if (!run->conn.runtime || runtime->planned_rows <= 0)
        return outcome->err.primary;
    for (int i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        const int64_t rows = undo ? table->restored_rows : table->deleted_rows;

        *(i == TABLE_RUNTIME ? &of_dataverse : &of_axdb) += rows > 0 ? rows : 0;
    }
    verdict = arena_printf(run->arena,
                           "%" PRId64 " rows of AxDB and %" PRId64 " of %" PRId64
                           " rows of Dataverse are %s: %s",
                           of_axdb, of_dataverse, runtime->planned_rows,
                           undo ? "put back" : "deleted", outcome->err.primary);
    return verdict ? verdict : outcome->err.primary;
}

/** Has the service asked for silence that is not over? Requests would make it longer. */
static bool
is_paused(const struct runtime_pace *pace)
{
    return pace && pace->paused_until_utc_ms > clock_utc_ms();
}

/** What is left is worth a look, whatever stopped the purge; the reason for the stop stays. */
static void
look_at_rest(struct run *run)
{
    struct err ignored;

    if (is_paused(run->outcome->pace)) {
        run_say(run, LOG_LEVEL_INFO,
                "what is left is not looked at: the service asked for a pause");
        return;
    }
    if (run->outcome->changed && !cancel_signal() && !run_look_again(run, &ignored))
        run_say(run, LOG_LEVEL_DEBUG, ignored.primary);
}

void
run_stop(struct run *run, const struct err *err)
{
    if (!run->outcome->changed) {
        run_fail(run->outcome, err);
        return;
    }
    run_fail_after_change(run->outcome, err);
    if (run->outcome->word == OUTCOME_PARTIAL)
        run->outcome->verdict = partial_verdict(run);
}

bool
run_purge_and_prove(struct run *run, struct err *err)
{
    if (!run_change_runtime(run, err)) {
        look_at_rest(run);
        return false;
    }
    return run_prove(run, err);
}
