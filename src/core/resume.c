/* resume: the second part of a run that did not come to its end. */
#include "base/cancel.h"
#include "base/text.h"
#include "core/confirm.h"
#include "core/guard.h"
#include "core/rowset.h"
#include "run_steps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/** A resumed run. */
struct resume {
    struct run run; /* first */
    struct archived_run *past;
    struct backup_rows backup; /* of it */
    bool settle;               /* the COMMIT has no answer yet */
    bool map;                  /* a repair-map: other maps stay, so that counts prove nothing */
};

/* ---- what is left to do? ---- */

static bool
nothing_to_resume(const struct past_run *past, const char *what, const char *hint, struct err *err)
{
    (void)err_set(err, ERR_REFUSED, "there is nothing to resume: run %s %s", past->id, what);
    return err_hint(err, "%s", hint);
}

/** Did something change, and is something left? */
static bool
run_can_be_resumed(struct resume *resume, struct err *err)
{
    const struct past_run *past = resume->past->ops->past(resume->past);
    const struct run_progress *progress = &past->progress;

    if (progress->ended)
        return nothing_to_resume(past, "came to its end",
                                 "Its journal says what it did, and its report, unless it was cut "
                                 "off while that was written.",
                                 err);
    if (strcmp(past->command, "undo") == 0)
        return nothing_to_resume(past, "is an undo",
                                 "Run dwclean undo with --merge again: it puts back only what is "
                                 "missing.",
                                 err);
    if (!progress->commit_sent && !progress->committed && !progress->purge_begun)
        return nothing_to_resume(past,
                                 progress->rolled_back ? "was rolled back: nothing was changed"
                                                       : "stopped before anything was changed",
                                 "Run the command again: it plans anew.", err);
    resume->run.outcome->resumed = true; /* its first part has changed something, or may have */
    if (!past->has_plan || !progress->backup_sealed) {
        (void)err_set(err, ERR_STORAGE, "run %s has no whole plan and sealed backup", past->id);
        return err_hint(err, "Without them nothing may be deleted. Keep the directory, and run "
                             "verify to see what is there.");
    }
    resume->settle = progress->commit_sent && !progress->committed;
    resume->map = strncmp(past->plan.scope, "map=", 4) == 0;
    return true;
}

static bool
halves_are_given(const struct resume *resume, struct err *err)
{
    const struct run_request *request = &resume->run.request;
    const struct plan_header *plan = &resume->past->ops->past(resume->past)->plan;
    const bool axdb = plan->database[0] != '\0';
    const bool dataverse = resume->past->ops->schema(resume->past, TABLE_RUNTIME) != NULL;

    if (request->axdb == axdb && request->dataverse == dataverse)
        return true;
    (void)err_set(err, ERR_REFUSED, "the run is about %s",
                  axdb && dataverse ? "AxDB and Dataverse"
                  : axdb            ? "AxDB alone"
                                    : "Dataverse alone");
    return err_hint(err, axdb && dataverse ? "Give -S, -d and --dataverse-url, or --env NAME."
                         : axdb            ? "Add --axdb-only."
                                           : "Add --dataverse-only.");
}

static bool
same(const char *what, const char *then, const char *now, struct err *err)
{
    if (text_equal_nocase(then, now))
        return true;
    (void)err_set(err, ERR_STALE, "the run is for another target: its %s is %s, here it is %s",
                  what, then[0] ? then : "not known", now[0] ? now : "not known");
    return err_hint(err,
                    "Give the target of the run. A database that was restored since is another "
                    "one: plan anew.");
}

static bool
target_is_the_same(const struct resume *resume, struct err *err)
{
    const struct plan_header *then = &resume->past->ops->past(resume->past)->plan;
    const struct evidence *now = &resume->run.outcome->before;

    if (now->axdb &&
        (!same("database", then->database, now->axdb->identity.database, err) ||
         !same("creation time of the database", then->database_created, now->axdb->identity.created,
               err) ||
         !same("recovery fork", then->recovery_fork, now->axdb->identity.recovery_fork, err)))
        return false;
    return !now->runtime ||
           same("organization", then->organization_id, now->runtime->identity.organization_id, err);
}

/* ---- the plan, from the backup ---- */

struct backup_reader {
    struct rowset set;
    struct plan *plan;
};

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    struct backup_reader *reader = ctx;
    struct plan *plan = reader->plan;

    if (!cancel_check(err) || !rowset_add(&reader->set, &row->id, err))
        return false;
    return row->id.table != TABLE_RUNTIME ||
           runtime_refs_add(&plan->runtime, row->id.key, row->id.version, err);
}

static bool
read_table(struct resume *resume, enum table table, struct err *err)
{
    struct plan *plan = &resume->run.plan;
    struct backup_reader reader = {.plan = plan};
    const struct row_sink sink = {.ctx = &reader, .take = take_row};
    const bool ok = rowset_begin(&reader.set, table, err) &&
                    resume->past->ops->read_rows(resume->past, table, &sink, err);

    if (ok) {
        plan->asked[table] = true;
        plan->states[table] = rowset_end(&reader.set);
        resume->run.outcome->tables[table].backed_up_rows = plan->states[table].rows;
    }
    rowset_done(&reader.set);
    return ok;
}

/** Rows and their versions come from the sealed backup: what is not in it is not touched. */
static bool
read_backup(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;
    const struct past_run *past = resume->past->ops->past(resume->past);

    for (int i = 0; i < TABLES; i++) {
        if (!resume->past->ops->schema(resume->past, (enum table)i))
            continue;
        if (!read_table(resume, (enum table)i, err))
            return err_wrap(err, "could not read the backup of %s", table_name((enum table)i));
        run->sealed.states[i] = run->plan.states[i];
    }
    run->sealed.sealed = true; /* read_rows has proven it */
    (void)snprintf(run->plan.id, sizeof run->plan.id, "%s", past->plan_id);
    run->plan.expires_utc_ms = INT64_MAX; /* it was begun in time */
    for (int i = 0; i < TABLES; i++)
        if (run->plan.asked[i])
            run->outcome->tables[i].planned_rows = run->plan.states[i].rows;
    run->outcome->plan_id = arena_string(run->arena, past->plan_id);
    return run->outcome->plan_id || arena_exhausted(err);
}

static bool
set_scope(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;
    struct scope scope;

    const struct past_run *past = resume->past->ops->past(resume->past);

    if (!scope_make(&run->request, run->arena, &scope, err))
        return false;
    if (!resume->map && strcmp(scope.text, past->plan.scope) != 0) {
        (void)err_set(err, ERR_REFUSED, "the run has another scope: %s",
                      past->plan.scope[0] ? past->plan.scope : "every row");
        return err_hint(err, "Give the same --channel or --channels as the run had.");
    }
    if (resume->map)
        scope.words = past->plan.scope; /* it names the map and its projects */
    for (int i = 0; i < TABLES; i++)
        if (!resume->past->ops->schema(resume->past, (enum table)i))
            scope.parts[i] = SCOPE_NOTHING;
    run_set_scope(run, &scope);
    return true;
}

/* ---- rows of Dataverse that have left ---- */

static bool
note_purged(void *ctx, const char *key, bool gone, struct err *err)
{
    struct run *run = ctx;
    const size_t at = runtime_refs_find(&run->plan.runtime, key);

    if (at == run->plan.runtime.count)
        return err_set(err, ERR_STORAGE, "the journal names a row that is not in the backup: %s",
                       key);
    if (run->purged[at])
        return true;
    run->purged[at] = 1;
    *(gone ? &run->purged_gone : &run->purged_done) += 1;
    return true;
}

/** What the journal says is gone is not sent again: if it is there, somebody wrote it. */
static bool
read_purged(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;
    const struct purged_sink sink = {.ctx = run, .take = note_purged};

    if (run->plan.runtime.count == 0)
        return true;
    run->purged = calloc(run->plan.runtime.count, 1);
    if (!run->purged)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return resume->past->ops->purged(resume->past, &sink, err);
}

/* ---- going on ---- */

/** The run is ours now: is it still as it was read, and is it this directory that was read? */
static bool
run_is_unchanged(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;
    struct run_archive *archive = run->ports->archive;
    const struct run_progress *then = &resume->past->ops->past(resume->past)->progress;
    const struct run_progress *now;
    struct archived_run *again;

    if (!archive->open(archive, run->dir->ops->path(run->dir), run->arena, &again, err))
        return false;
    now = &again->ops->past(again)->progress;
    if (then->records != now->records || strcmp(then->last_step, now->last_step) != 0) {
        again->ops->close(again);
        (void)err_set(err, ERR_STALE, "the run went on while its record was read");
        return err_hint(err, "Another process works on it, or has. Run the command again.");
    }
    resume->past->ops->close(resume->past);
    resume->past = again;
    return true;
}

static bool
reopen(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;
    const struct past_run *past = resume->past->ops->past(resume->past);

    if (!run->ports->runs->reopen(run->ports->runs, past->id, &run->dir, err))
        return false;
    if (!run_begin_journal(run, err) || !run_is_unchanged(resume, err))
        return false;
    past = resume->past->ops->past(resume->past);
    const struct fact facts[] = {{"last_step", past->progress.last_step},
                                 {"settle", resume->settle ? "yes" : "no"}};

    run->outcome->run_id = past->id;
    run->outcome->run_path = past->path;
    run_tell_id(run);
    return run_lock_targets(run, err) && run_record(run, "resumed", facts, 2, err);
}

static const struct schema *
past_schema(void *ctx, enum table table)
{
    const struct resume *resume = ctx;

    return resume->past->ops->schema(resume->past, table);
}

static bool
past_rows(void *ctx, enum table table, const struct row_sink *sink, struct err *err)
{
    struct resume *resume = ctx;

    return resume->past->ops->read_rows(resume->past, table, sink, err);
}

static void
describe(const struct resume *resume, struct text *ret)
{
    const struct run *run = &resume->run;
    const struct past_run *past = resume->past->ops->past(resume->past);

    text_append(ret, "\nRun ");
    text_append_shown(ret, past->id, strlen(past->id));
    text_append(ret, " goes on.\n\n");
    if (resume->settle)
        text_append(ret, "  First it is found out whether its rows of AxDB are gone.\n");
    if (run->plan.asked[TABLE_RUNTIME])
        text_printf(ret,
                    "  Of %" PRId64 " backed up Dual Write Runtime Configurations %" PRId64
                    " have left; the\n  others will be deleted in the version of the backup.\n",
                    run->plan.states[TABLE_RUNTIME].rows, run->purged_done + run->purged_gone);
    text_append(ret, "  Then both sides are looked at afresh.\n");
    text_printf(ret, "\nclass: %s\nplan-id: %s\n\n", env_class_name(run->request.env_class),
                run->plan.id);
}

static bool
prepare(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;
    const struct run_request *request = &run->request;
    struct run_archive *archive = run->ports->archive;
    TEXT_SCOPED text = {0};

    if (!guard_statement(request, run->ports->op && run->ports->op->present, err) ||
        !archive->open(archive, request->run, run->arena, &resume->past, err) ||
        !run_can_be_resumed(resume, err) || !halves_are_given(resume, err) ||
        !set_scope(resume, err))
        return false;
    (void)snprintf(run->id, sizeof run->id, "%s", resume->past->ops->past(resume->past)->id);
    run->request.run_id = run->id;
    if (!run_look(run, err) || !guard_identity(request, &run->outcome->before, err) ||
        (request->dataverse && !guard_versions(request, run->outcome->before.runtime, err)) ||
        !target_is_the_same(resume, err) || !read_backup(resume, err) || !reopen(resume, err) ||
        !read_purged(resume, err))
        return false;
    describe(resume, &text);
    return text_ok(&text, err) && run_confirm(run, text_string(&text), err);
}

/** It would stand in the way of the application lock. */
static void
close_axdb(struct run *run)
{
    if (run->conn.axdb)
        run->conn.axdb->ops->close(run->conn.axdb);
    run->conn.axdb = NULL;
}

/** True: the rows of AxDB are gone, go on. */
static bool
settle(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;
    enum settled settled;

    close_axdb(run);
    settled = run_settle(run, &resume->backup, false, err);
    run->outcome->changed = settled != SETTLED_NOT;
    return settled == SETTLED_COMMITTED;
}

/** The COMMIT has its answer on record and keeps it: only whether the rows are there is asked. */
static bool
look_for_rows(struct resume *resume, struct settle_result *ret, struct err *err)
{
    enum { WAIT_MS = 60000 };
    struct run *run = &resume->run;
    const struct settle_job job = {.request = &run->request,
                                   .ports = run->ports,
                                   .identity = &run->outcome->before.axdb->identity,
                                   .backup = &resume->backup,
                                   .wait_ms = WAIT_MS,
                                   .arena = run->arena};

    close_axdb(run);
    if (settle_commit(&job, ret, err))
        return true;
    err->code = ERR_INCOMPLETE; /* the COMMIT itself is known */
    return err_wrap(err, "the rows were deleted, but whether they are gone still is not known");
}

/** The rows of a map: the locked look that settles is the proof as well. It looks for the rows of
 * the backup only: a map that was started again has others, with other keys. */
static bool
finish_map(struct resume *resume, struct err *err)
{
    struct outcome *outcome = resume->run.outcome;
    struct settle_result found = {.settled = SETTLED_COMMITTED};

    if (resume->settle ? !settle(resume, err) : !look_for_rows(resume, &found, err))
        return false;
    const bool gone = found.settled == SETTLED_COMMITTED;

    outcome->word = gone ? OUTCOME_DONE : OUTCOME_RESIDUE;
    outcome->exit_status = gone ? 0 : 2;
    outcome->verdict = gone ? "the removed rows are gone, as a locked look has proven; whether the "
                              "map has other rows now is not known: repair-map --dry-run shows it"
                            : "rows of the map are there again: something wrote them back";
    return run_record(&resume->run, "verified",
                      &(struct fact){"outcome", outcome_word_name(outcome->word)}, 1, err);
}

static int64_t
axdb_backup_rows(const struct resume *resume)
{
    int64_t rows = 0;

    for (int i = 0; i < AXDB_TABLES; i++)
        rows += resume->past->ops->rows(resume->past, (enum table)i);
    return rows;
}

/**
 * The purge cannot be taken back. It may only follow a removal of the rows of AxDB that still
 * stands: after an undo both sides belong to each other again.
 */
static bool
removal_stands(struct resume *resume, struct err *err)
{
    struct settle_result found;

    close_axdb(&resume->run);
    if (axdb_backup_rows(resume) == 0)
        return true;
    if (!look_for_rows(resume, &found, err))
        return false;
    if (found.present == 0 && found.differing == 0)
        return true;
    resume->run.outcome->changed = false; /* this command did nothing */
    cancel_note_unchanged();
    (void)err_set(
        err, ERR_REFUSED,
        "rows of the run are there again (an undo, or something wrote them back): nothing "
        "is purged");
    (void)err_detail(err,
                     "of %" PRId64 " rows of the backup %" PRId64 " are there, %" PRId64
                     " with other contents; %" PRId64 " other rows",
                     found.rows, found.present, found.differing, found.others);
    return err_hint(err, "If both sides are to be cleaned all the same, run dwclean clean with the "
                         "same target: it plans anew.");
}

static bool
finish(struct resume *resume, struct err *err)
{
    struct run *run = &resume->run;

    if (resume->map)
        return finish_map(resume, err);
    if (resume->settle ? !settle(resume, err) : !removal_stands(resume, err))
        return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (run->plan.asked[i])
            run->outcome->tables[i].deleted_rows = run->plan.states[i].rows;
    return run_purge_and_prove(run, err);
}

static void
go_on(struct resume *resume)
{
    struct run *run = &resume->run;
    struct err err = {0};

    run->outcome->changed = true; /* the first part has, or the purge was begun */
    cancel_note_changed();
    if (!finish(resume, &err))
        run_stop(run, &err);
}

void
run_resume(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
           struct outcome *ret)
{
    struct resume resume = {.backup = {.ctx = &resume, .schema = past_schema, .read = past_rows}};
    struct err err = {0};

    run_begin(&resume.run, "resume", request, ports, arena, ret);
    resume.run.sealed_before = &resume.backup;
    if (prepare(&resume, &err))
        go_on(&resume);
    else
        run_fail(ret, &err);
    run_end(&resume.run);
    if (resume.past)
        resume.past->ops->close(resume.past);
}
