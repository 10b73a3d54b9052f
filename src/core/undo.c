/* undo: the rows that a run removed come back, those of AxDB first. */
#include "base/cancel.h"
#include "base/text.h"
#include "core/confirm.h"
#include "core/guard.h"
#include "core/reinstate.h"
#include "core/restore.h"
#include "run_steps.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { LOCK_MS = 30000 };

/** An undo under way. */
struct undo {
    struct run run; /* first */
    struct archived_run *past;
    struct restore_plan plan;        /* of AxDB, when that is asked for */
    struct reinstate_plan reinstate; /* of Dataverse */
    bool runtime;                    /* Dataverse is asked for, and the run removed rows there */
};

/* ---- may it be undone? ---- */

static bool
refuse(const struct past_run *past, const char *why, const char *hint, struct err *err)
{
    (void)err_set(err, ERR_REFUSED, "run %s %s", past->id, why);
    return err_hint(err, "%s", hint);
}

static bool
has_axdb_rows(const struct undo *undo)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        if (undo->past->ops->schema(undo->past, (enum table)i))
            return true;
    return false;
}

/** Rows of Dataverse that the run removed, or may have. */
static int64_t
rows_of_dataverse(const struct undo *undo)
{
    return undo->past->ops->past(undo->past)->progress.purge_begun
               ? undo->past->ops->rows(undo->past, TABLE_RUNTIME)
               : 0;
}

/** Did the run remove rows of AxDB, as far as its own record tells? */
static bool
axdb_can_be_undone(const struct undo *undo, struct err *err)
{
    const struct past_run *past = undo->past->ops->past(undo->past);

    if (!has_axdb_rows(undo) && rows_of_dataverse(undo))
        return refuse(past, "removed rows of Dataverse alone", "Add --dataverse-only.", err);
    if (!has_axdb_rows(undo))
        return refuse(past, "has no sealed backup of AxDB rows: it removed none",
                      "dwclean removes no row before its backup is sealed.", err);
    if (past->progress.committed)
        return true;
    /* adding what is missing is right whatever became of the COMMIT, once nothing is under way */
    if (past->progress.mixed && undo->run.request.merge)
        return true;
    if (past->progress.mixed)
        return refuse(past, "left some of its rows and removed others",
                      "dwclean undo --merge adds those that are missing.", err);
    if (past->progress.commit_sent)
        return refuse(past, "ended without an answer to COMMIT",
                      "dwclean resume finds out whether its rows are gone; then undo.", err);
    return refuse(past, "removed no row of AxDB: it stopped before", "There is nothing to undo.",
                  err);
}

static bool
run_can_be_undone(struct undo *undo, struct err *err)
{
    const struct past_run *past = undo->past->ops->past(undo->past);

    if (strcmp(past->command, "undo") == 0)
        return refuse(past, "is itself an undo: it removed nothing",
                      "What it put back is removed by dwclean clean.", err);
    if (undo->run.request.axdb && !axdb_can_be_undone(undo, err))
        return false;
    undo->runtime = undo->run.request.dataverse && rows_of_dataverse(undo);
    if (undo->run.request.axdb || undo->runtime)
        return true;
    return refuse(past, "removed no row of Dataverse", "There is nothing to undo there.", err);
}

static bool
differs(const char *what, const char *then, const char *now, struct err *err)
{
    (void)err_set(err, ERR_STALE, "the run worked on another %s: %s then, %s now", what, then, now);
    return err_hint(err, "Rows go back to where they came from only. dwclean export RUN --sql "
                         "writes them as a script that can be run elsewhere by hand.");
}

/** The database that the rows came from, not restored since? */
static bool
database_is_the_same(const struct undo *undo, struct err *err)
{
    const struct plan_header *then = &undo->past->ops->past(undo->past)->plan;
    const struct axdb_identity *now = &undo->run.outcome->before.axdb->identity;

    if (!text_equal_nocase(then->database, now->database))
        return differs("database", then->database, now->database, err);
    if (strcmp(then->database_created, now->created) != 0)
        return differs("database (its creation time)", then->database_created, now->created, err);
    if (strcmp(then->recovery_fork, now->recovery_fork) != 0)
        return differs("state of the database (it was restored since)", then->recovery_fork,
                       now->recovery_fork, err);
    /* another name of the same server is fine where the recovery fork, equal by now, proves it */
    if (then->recovery_fork[0] || text_equal_nocase(then->server, now->dialled))
        return true;
    return differs("server", then->server, now->dialled, err);
}

static bool
target_is_the_same(const struct undo *undo, struct err *err)
{
    const struct plan_header *then = &undo->past->ops->past(undo->past)->plan;
    const struct runtime_evidence *runtime = undo->run.outcome->before.runtime;

    if (undo->run.request.axdb && !database_is_the_same(undo, err))
        return false;
    if (!undo->runtime ||
        text_equal_nocase(then->organization_id, runtime->identity.organization_id))
        return true;
    return differs("organization", then->organization_id, runtime->identity.organization_id, err);
}

/** Rows that are not this run's would stand beside its rows: two links at once. */
static bool
dataverse_has_no_others(const struct undo *undo, struct err *err)
{
    const struct reinstate_plan *plan = &undo->reinstate;

    if (!undo->runtime || plan->found.others == 0 || plan->missing.rows == 0 ||
        undo->run.request.merge)
        return true;
    (void)err_set(err, ERR_REFUSED,
                  "Dataverse has %" PRId64 " runtime configurations that are not the run's",
                  plan->found.others);
    (void)err_detail(err,
                     "of the backup's rows %" PRId64 " are there, %" PRId64
                     " with other contents, %" PRId64 " are missing",
                     plan->found.same, plan->found.differing, plan->found.absent);
    return err_hint(err, "A link that was made since may have written them. --merge creates the "
                         "missing rows beside them and changes none that is there.");
}

static bool
tables_are_empty(const struct undo *undo, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct restore_table *table = &undo->plan.tables[i];

        if (!table->schema || table->there.rows == 0 || table->missing.rows == 0 ||
            undo->run.request.merge)
            continue;
        (void)err_set(err, ERR_REFUSED, "%s is not empty: %" PRId64 " rows are there",
                      table_name((enum table)i), table->there.rows);
        (void)err_detail(err,
                         "of the backup's rows %" PRId64 " are there unchanged, %" PRId64
                         " with other contents, %" PRId64 " are missing",
                         table->present, table->differing, table->missing.rows);
        return err_hint(err,
                        "If the run kept rows by choice (--channel, repair-map), or an undo "
                        "stopped half-way: --merge adds the missing rows only and changes none "
                        "that is there. Else rows of two environments would be mixed.");
    }
    return true;
}

/* ---- the plan ---- */

static void
add_state(struct digest_stream *stream, const struct table_state *state)
{
    digest_add_u64(stream, (uint64_t)state->rows);
    digest_add(stream, state->digest.bytes, DIGEST_BYTES);
}

static bool
make_id(struct undo *undo, const struct plan_header *header, struct err *err)
{
    struct plan *plan = &undo->run.plan;
    struct digest_stream *stream = plan_id_begin(header);
    struct digest digest;

    if (!stream)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct restore_table *table = &undo->plan.tables[i];

        if (!table->schema)
            continue;
        plan_id_add_schema(stream, &undo->run.outcome->before.axdb->tables[i].schema);
        add_state(stream, &table->there);
        add_state(stream, &table->missing);
    }
    if (undo->runtime) {
        plan_id_add_schema(stream, runtime_schema());
        add_state(stream, &undo->reinstate.there);
        add_state(stream, &undo->reinstate.missing);
    }
    digest = digest_finish(stream);
    digest_free(stream);
    digest_hex(&digest, plan->id);
    plan->expires_utc_ms = header->expires_utc_ms;
    return true;
}

/** "undo=" and the digest of the manifest: exactly this backup. */
static const char *
scope_text(const struct undo *undo)
{
    struct digest manifest = {0};
    char hex[DIGEST_HEX_BYTES];
    const bool sealed = undo->past->ops->manifest(undo->past, &manifest);

    assert(sealed); /* what is undone has a sealed backup */
    (void)sealed;
    digest_hex(&manifest, hex);
    return arena_printf(undo->run.arena, "undo=%s%s", hex, undo->run.request.merge ? ";merge" : "");
}

static void
note_tables(struct undo *undo)
{
    const int64_t runtime = undo->past->ops->rows(undo->past, TABLE_RUNTIME);

    if (runtime > 0)
        undo->run.outcome->tables[TABLE_RUNTIME].backed_up_rows = runtime;
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct restore_table *table = &undo->plan.tables[i];
        struct table_outcome *outcome = &undo->run.outcome->tables[i];

        if (!table->schema)
            continue;
        undo->run.plan.asked[i] = true;
        undo->run.plan.states[i] = table->missing;
        undo->run.plan.kept_rows[i] = table->there.rows;
        outcome->backed_up_rows = undo->past->ops->rows(undo->past, (enum table)i);
        outcome->present_rows = table->present;
        outcome->differing_rows = table->differing;
    }
    if (!undo->runtime)
        return;
    undo->run.plan.asked[TABLE_RUNTIME] = true;
    undo->run.plan.states[TABLE_RUNTIME] = undo->reinstate.missing;
    undo->run.plan.kept_rows[TABLE_RUNTIME] = undo->reinstate.there.rows;
    undo->run.outcome->tables[TABLE_RUNTIME].backed_up_rows = rows_of_dataverse(undo);
    undo->run.outcome->tables[TABLE_RUNTIME].present_rows = undo->reinstate.found.same;
    undo->run.outcome->tables[TABLE_RUNTIME].differing_rows = undo->reinstate.found.differing;
}

/** The missing rows of both sides, into the plan file where there is one. */
static bool
plan_both(struct undo *undo, struct plan_file *file, struct err *err)
{
    struct run *run = &undo->run;

    restore_plan_done(&undo->plan);
    reinstate_plan_done(&undo->reinstate);
    return (!run->request.axdb ||
            restore_plan_make(run->conn.axdb, run->outcome->before.axdb->tables, undo->past, file,
                              &undo->plan, err)) &&
           (!undo->runtime ||
            reinstate_plan_make(run->conn.runtime, undo->past, file, &undo->reinstate, err));
}

static bool
make_plan(struct undo *undo, struct err *err)
{
    struct run *run = &undo->run;
    struct plan_file *file = run->dir ? run->dir->ops->plan(run->dir) : NULL;
    const struct plan_header header = plan_header_of(&run->outcome->before, run->scope.text);

    if (file && !file->ops->begin(file, &header, err))
        return false;
    if (!plan_both(undo, file, err) || !make_id(undo, &header, err) ||
        (file && !file->ops->end(file, run->plan.id, err)))
        return false;
    note_tables(undo);
    return run_note_plan(run, err) && tables_are_empty(undo, err) &&
           dataverse_has_no_others(undo, err);
}

static int64_t
rows_missing(const struct undo *undo)
{
    int64_t rows = 0;

    for (int i = 0; i < AXDB_TABLES; i++)
        rows += undo->plan.tables[i].missing.rows;
    return rows + undo->reinstate.missing.rows;
}

static int64_t
rows_differing(const struct undo *undo)
{
    int64_t rows = 0;

    for (int i = 0; i < AXDB_TABLES; i++)
        rows += undo->plan.tables[i].differing;
    return rows + undo->reinstate.found.differing;
}

static void
describe_axdb(const struct undo *undo, struct text *ret)
{
    confirm_describe_axdb(&undo->run.outcome->before.axdb->identity, ret);
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct restore_table *table = &undo->plan.tables[i];

        if (!table->schema)
            continue;
        text_printf(ret, "  %8" PRId64 " rows go back into %s", table->missing.rows,
                    table_name((enum table)i));
        if (table->there.rows)
            text_printf(ret,
                        " (%" PRId64 " are there; %" PRId64 " of the backup equal, %" PRId64
                        " different)",
                        table->there.rows, table->present, table->differing);
        text_append(ret, "\n");
    }
}

static void
describe_runtime(const struct undo *undo, struct text *ret)
{
    const struct reinstate_plan *plan = &undo->reinstate;
    const struct runtime_columns *lost = undo->run.outcome->lost;
    const struct runtime_identity *id = &undo->run.outcome->before.runtime->identity;

    text_append(ret, "Dataverse organization  ");
    text_append_shown(ret, id->unique_name, strlen(id->unique_name));
    text_append(ret, " at ");
    text_append_shown(ret, id->host, strlen(id->host));
    text_printf(ret, "\n  %8" PRId64 " Dual Write Runtime Configurations are created again",
                plan->missing.rows);
    if (plan->there.rows)
        text_printf(
            ret, " (%" PRId64 " are there; %" PRId64 " of the backup equal, %" PRId64 " different)",
            plan->there.rows, plan->found.same, plan->found.differing);
    text_append(ret, "\n");
    assert(lost); /* they were asked for */
    if (!lost->count)
        return;
    text_append(ret, "  Their old values of these columns do not come back:");
    for (size_t i = 0; i < lost->count; i++) {
        text_append(ret, i % 6 ? " " : "\n    ");
        text_append_shown(ret, lost->names[i], strlen(lost->names[i]));
    }
    text_append(ret, "\n");
}

static void
describe(const struct undo *undo, struct text *ret)
{
    const struct run *run = &undo->run;
    const struct past_run *past = undo->past->ops->past(undo->past);

    text_append(ret, "\nTHIS BRINGS THE OLD LINK BACK. The rows that run ");
    text_append_shown(ret, past->id, strlen(past->id));
    text_append(ret, " removed\nname the environment that they came from; with them, finance and "
                     "operations may write to it again.\n\n");
    if (run->request.axdb)
        describe_axdb(undo, ret);
    if (undo->runtime)
        describe_runtime(undo, ret);
    if (!run->request.axdb && has_axdb_rows(undo))
        text_append(ret, "\nWhat the run removed of AxDB is not put back: it was not asked for.\n");
    if (!run->request.dataverse && rows_of_dataverse(undo))
        text_printf(ret,
                    "\n%" PRId64 " Dual Write Runtime Configurations of Dataverse stay removed: "
                    "without\n--dataverse-url only AxDB is put back.\n",
                    rows_of_dataverse(undo));
    text_printf(ret, "\nclass: %s\nplan-id: %s\n\n", env_class_name(run->request.env_class),
                run->plan.id);
}

/* ---- up to the change ---- */

static bool
open_past(struct undo *undo, struct err *err)
{
    struct run *run = &undo->run;
    struct run_archive *archive = run->ports->archive;
    struct scope scope = {0};

    if (!archive->open(archive, run->request.run, run->arena, &undo->past, err) ||
        !run_can_be_undone(undo, err))
        return false;
    run->outcome->undoes = undo->past->ops->past(undo->past)->id;
    scope.text = scope_text(undo);
    if (!scope.text)
        return arena_exhausted(err);
    for (int i = 0; i < AXDB_TABLES; i++)
        scope.parts[i] = run->request.axdb && undo->past->ops->schema(undo->past, (enum table)i)
                             ? SCOPE_WHOLE
                             : SCOPE_NOTHING;
    scope.parts[TABLE_RUNTIME] = undo->runtime ? SCOPE_WHOLE : SCOPE_NOTHING;
    run_set_scope(run, &scope);
    return true;
}

/** What a created row cannot have of the old one: told before, and in the report. */
static bool
find_lost_columns(struct undo *undo, struct err *err)
{
    struct runtime_store *store = undo->run.conn.runtime;
    struct runtime_columns *lost = arena_alloc(undo->run.arena, sizeof *lost);

    if (!lost)
        return arena_exhausted(err);
    if (!undo->runtime)
        return true;
    if (!store->ops->lost_columns(store, undo->run.arena, lost, err))
        return err_wrap(err, "could not find out which columns can be put back");
    undo->run.outcome->lost = lost;
    return true;
}

/** As far as a dry run goes: everything but the run directory and the operator. */
static bool
look_and_plan(struct undo *undo, struct err *err)
{
    struct run *run = &undo->run;
    const struct run_request *request = &run->request;

    if (!request->dry_run &&
        !guard_statement(request, run->ports->op && run->ports->op->present, err))
        return false;
    if (!open_past(undo, err) || (request->axdb && !request->dry_run && !run_name(run, err)))
        return false;
    return run_look(run, err) &&
           guard_target(request, &run->scope, GUARD_UNDO, &run->outcome->before, err) &&
           target_is_the_same(undo, err) && make_plan(undo, err) && find_lost_columns(undo, err);
}

/** A dry run, or nothing to put back. */
static void
end_with_plan(struct undo *undo)
{
    struct outcome *outcome = undo->run.outcome;

    if (rows_missing(undo)) {
        outcome->word = OUTCOME_PLANNED;
        outcome->verdict = "a dry run: nothing was changed";
    } else if (rows_differing(undo)) {
        outcome->word = OUTCOME_PARTIAL;
        outcome->exit_status = err_exit_status(ERR_INCOMPLETE);
        outcome->verdict = "nothing to put back: every row is there, some with other contents";
    } else {
        outcome->word = OUTCOME_DONE;
        outcome->verdict = "nothing to put back: every row of the backup is there";
    }
}

/**
 * The locks of the target are held: is the run still as it was read? What another process has
 * purged since would stay away, and the rows of AxDB would come back alone.
 */
static bool
past_is_unchanged(struct undo *undo, struct err *err)
{
    struct run_archive *archive = undo->run.ports->archive;
    const struct past_run *past = undo->past->ops->past(undo->past);
    const int64_t records = past->progress.records;
    struct archived_run *again;
    bool same;

    if (!archive->open(archive, past->path, undo->run.arena, &again, err))
        return false;
    same = again->ops->past(again)->progress.records == records;
    again->ops->close(again);
    if (same)
        return true;
    (void)err_set(err, ERR_STALE, "the run went on while its record was read");
    return err_hint(err, "Another process has worked on it. Run the command again.");
}

/** Up to the locks; false also when there is no more to do (then `err` is empty). */
static bool
prepare(struct undo *undo, struct err *err)
{
    struct run *run = &undo->run;
    TEXT_SCOPED text = {0};

    if (!look_and_plan(undo, err))
        return false;
    if (run->request.dry_run || rows_missing(undo) == 0) {
        if (confirm_plan_id(&run->request, &run->plan, err))
            end_with_plan(undo);
        return false;
    }
    /* a second time, into the plan file: the run directory comes after the guards */
    if (!run_open(run, err) || !past_is_unchanged(undo, err) || !make_plan(undo, err))
        return false;
    describe(undo, &text);
    return text_ok(&text, err) && run_confirm(run, text_string(&text), err) &&
           run_exclude_others(run, err);
}

/* ---- the change ---- */

static const struct schema *
backup_schema(void *ctx, enum table table)
{
    const struct undo *undo = ctx;

    return undo->plan.tables[table].schema ? &undo->run.outcome->before.axdb->tables[table].schema
                                           : NULL;
}

static bool
backup_read(void *ctx, enum table table, const struct row_sink *sink, struct err *err)
{
    const struct undo *undo = ctx;

    return undo->past->ops->read_rows(undo->past, table, sink, err);
}

/** Only rows that were to be put back tell what became of the COMMIT. */
static bool
is_wanted(void *ctx, enum table table, size_t at)
{
    const struct undo *undo = ctx;
    const struct restore_table *rows = &undo->plan.tables[table];

    return at < rows->wanted_count && rows->wanted[at];
}

static bool
put_back(struct undo *undo, struct err *err)
{
    struct run *run = &undo->run;
    int64_t missing = 0;

    if (!run->conn.axdb)
        return true;
    for (int i = 0; i < AXDB_TABLES; i++)
        missing += undo->plan.tables[i].missing.rows;
    if (missing == 0) { /* an undo before this one has done it */
        run_end_axdb(run);
        return true;
    }
    const struct backup_rows backup = {
        .ctx = undo, .schema = backup_schema, .read = backup_read, .decides = is_wanted};
    const struct restore_job job = {.store = run->conn.axdb,
                                    .tables = run->outcome->before.axdb->tables,
                                    .run = undo->past,
                                    .plan = &undo->plan,
                                    .max_lock_ms = run->request.max_lock_ms,
                                    .journal = run->journal,
                                    .observer = run->ports->observer,
                                    .arena = run->arena};
    struct locked_result result;
    const bool ok = restore_tables(&job, &result, err);

    run->outcome->locked_ms = result.locked_ms;
    run_end_axdb(run);
    if (result.commit == COMMIT_UNKNOWN) {
        const enum settled settled = run_settle(run, &backup, true, err);

        result.commit = settled == SETTLED_COMMITTED ? COMMIT_DONE
                        : settled == SETTLED_NOT     ? COMMIT_NOT
                                                     : COMMIT_UNKNOWN;
    }
    run->outcome->changed = result.commit != COMMIT_NOT;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (result.commit == COMMIT_DONE && undo->plan.tables[i].schema)
            run->outcome->tables[i].restored_rows = result.rows[i];
    return ok;
}

static bool
create_again(struct undo *undo, struct err *err)
{
    struct run *run = &undo->run;
    struct table_outcome *table = &run->outcome->tables[TABLE_RUNTIME];
    const struct reinstate_job job = {.store = run->conn.runtime,
                                      .run = undo->past,
                                      .plan = &undo->reinstate,
                                      .journal = run->journal,
                                      .observer = run->ports->observer,
                                      .arena = run->arena};
    struct reinstate_result result;
    bool ok;

    if (!undo->runtime || undo->reinstate.missing.rows == 0)
        return true;
    ok = reinstate_rows(&job, &result, err);
    run->outcome->changed = run->outcome->changed || result.target_changed;
    table->restored_rows = result.done;
    table->failed_rows = result.failed;
    table->unknown_rows = result.unknown;
    run->outcome->returns = result.left;
    run->outcome->return_count = result.left_count;
    if (result.paced)
        run_note_pace(run, &result.pace);
    return ok;
}

/* ---- the fresh look ---- */

static bool
compare_all(const struct undo *undo, struct axdb_store *store, struct outcome *outcome,
            struct row_counts *ret, struct err *err)
{
    const struct restore_look look = {.store = store,
                                      .tables = outcome->after.axdb->tables,
                                      .run = undo->past,
                                      .plan = &undo->plan,
                                      .max_lock_ms = LOCK_MS};
    struct row_counts counts[AXDB_TABLES];
    struct row_counts sum = {0};

    if (!restore_look(&look, counts, err))
        return false;
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (undo->plan.tables[i].schema)
            outcome->tables[i].after_rows = counts[i].present + counts[i].others;
        sum.present += counts[i].present;
        sum.absent += counts[i].absent;
        sum.differing += counts[i].differing;
    }
    *ret = sum;
    return true;
}

/** What the look at Dataverse says of each row, also of those that had no answer. */
static bool
compare_runtime(const struct undo *undo, struct runtime_store *store, struct outcome *outcome,
                struct row_counts *ret, struct err *err)
{
    struct table_outcome *table = &outcome->tables[TABLE_RUNTIME];
    struct reinstate_check found;

    if (!reinstate_compare(store, undo->past, &found, err))
        return false;
    table->after_rows = found.same + found.differing + found.others;
    table->differing_rows = found.differing;
    if (found.absent == 0 && table->unknown_rows) { /* what had no answer is there */
        table->restored_rows += table->unknown_rows;
        table->unknown_rows = 0;
        outcome->return_count = 0;
    }
    const int64_t created = table->restored_rows > 0 ? table->restored_rows : 0;

    table->present_rows = found.same > created ? found.same - created : 0;
    ret->present += found.same;
    ret->absent += found.absent;
    ret->differing += found.differing;
    ret->others += found.others;
    return true;
}

static const struct err *
half_not_reached(const struct undo *undo, const struct connections *conn)
{
    const struct outcome *outcome = undo->run.outcome;

    if (undo->run.request.axdb && !conn->axdb)
        return &outcome->after.axdb_err;
    return undo->runtime && !conn->runtime ? &outcome->after.runtime_err : NULL;
}

static bool
look_again(struct undo *undo, struct row_counts *ret, struct err *err)
{
    struct run *run = &undo->run;
    struct outcome *outcome = run->outcome;
    struct connections conn;
    const struct look look = {.request = &run->request, .ports = run->ports, .arena = run->arena};
    const struct err *unread;
    bool ok = evidence_collect(&look, &conn, &outcome->after, err);

    unread = ok ? half_not_reached(undo, &conn) : NULL;
    if (unread) {
        *err = *unread;
        ok = false;
    }
    ok = ok && evidence_same_target(&outcome->before, &outcome->after, err);
    outcome->after_taken = ok;
    ok = ok &&
         (!outcome->after.axdb || !conn.axdb || compare_all(undo, conn.axdb, outcome, ret, err)) &&
         (!undo->runtime || compare_runtime(undo, conn.runtime, outcome, ret, err));
    connections_close(&conn);
    return ok || err_wrap(err, "the rows are back, but that could not be verified");
}

static bool
prove(struct undo *undo, struct err *err)
{
    struct outcome *outcome = undo->run.outcome;
    struct row_counts found = {0};

    if (!cancel_check(err) || !look_again(undo, &found, err))
        return false;
    outcome->word = OUTCOME_DONE;
    outcome->verdict = "the rows are back, each compared with the backup: the old link is back too";
    if (found.absent || found.differing) {
        outcome->word = OUTCOME_PARTIAL;
        outcome->exit_status = err_exit_status(ERR_INCOMPLETE);
        outcome->verdict =
            arena_printf(undo->run.arena,
                         "%" PRId64 " rows of the backup are there exactly, %" PRId64
                         " with other contents (left as they are), %" PRId64 " are missing",
                         found.present, found.differing, found.absent);
        if (!outcome->verdict)
            return arena_exhausted(err);
    }
    return run_record(&undo->run, "verified",
                      &(struct fact){"outcome", outcome_word_name(outcome->word)}, 1, err);
}

void
run_undo(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
         struct outcome *ret)
{
    struct undo undo = {0};
    struct err err = {0};

    run_begin(&undo.run, "undo", request, ports, arena, ret);
    if (!prepare(&undo, &err)) {
        if (err.code != ERR_NONE)
            run_fail(ret, &err);
    } else if (!put_back(&undo, &err) || !create_again(&undo, &err) || !prove(&undo, &err)) {
        run_stop(&undo.run, &err);
    }
    run_end(&undo.run);
    restore_plan_done(&undo.plan);
    reinstate_plan_done(&undo.reinstate);
    if (undo.past)
        undo.past->ops->close(undo.past);
}
