#include "core/clear.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "core/rowset.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { ATTEMPTS = 3, BACK_OFF_MS = 500, JOURNAL_ROOM_BYTES = 64 * 1024 };

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    return rowset_add(ctx, &row->id, err);
}

/** Under the lock: does the table still hold exactly what the sealed backup holds? */
static bool
table_is_sealed(const struct clear_job *job, enum table table, struct err *err)
{
    const struct table_state *sealed = &job->sealed->states[table];
    ROWSET_SCOPED set = {0};
    const struct row_sink sink = {.ctx = &set, .take = take_row};
    struct table_state found;

    if (!rowset_begin(&set, table, err) ||
        !job->store->ops->read_rows(job->store, &job->tables[table].schema, &sink, err))
        return err_wrap(err, "could not read %s under the lock", table_name(table));
    found = rowset_end(&set);
    if (table_state_equal(sealed, &found))
        return true;
    if (found.rows != sealed->rows)
        (void)err_set(err, ERR_STALE, "%s has %" PRId64 " rows where the backup has %" PRId64,
                      table_name(table), found.rows, sealed->rows);
    else
        (void)err_set(err, ERR_STALE, "rows of %s changed since the backup", table_name(table));
    return err_hint(err, "Something still writes to this table. Stop the maps and other writers, "
                         "then run the command again.");
}

static bool
delete_table(const struct clear_job *job, enum table table, struct clear_result *result,
             struct err *err)
{
    const int64_t expected = job->sealed->states[table].rows;
    int64_t deleted = 0;
    int64_t left = 0;

    /* Exactly these rows are sealed on stable storage: this line is the only one that destroys. */
    if (!job->store->ops->delete_all(job->store, table, &deleted, &left, err))
        return err_wrap(err, "could not clear %s", table_name(table));
    if (deleted != expected || left != 0)
        return err_set(err, ERR_SERVER,
                       "%s: deleted %" PRId64 " rows and left %" PRId64
                       " where the backup has %" PRId64,
                       table_name(table), deleted, left, expected);
    result->deleted[table] = deleted;
    return true;
}

/** Columns, triggers, foreign keys and policies as they were when the plan was made? */
static bool
catalog_is_planned(const struct clear_job *job, struct err *err)
{
    struct axdb_table_evidence now[AXDB_TABLES];

    if (!job->store->ops->read_catalog(job->store, job->arena, now, err))
        return err_wrap(err, "could not read the catalog under the lock");
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *then = &job->tables[i];

        if (now[i].exists && !now[i].fault && schema_equal(&then->schema, &now[i].schema) &&
            named_list_equal(&then->triggers, &now[i].triggers) &&
            named_list_equal(&then->foreign_keys, &now[i].foreign_keys) &&
            named_list_equal(&then->policies, &now[i].policies))
            continue;
        (void)err_set(err, ERR_STALE, "the columns, triggers or keys of %s changed since the plan",
                      table_name((enum table)i));
        return err_hint(err, "Somebody alters the database. Find out who, then plan again.");
    }
    return true;
}

/** Everything between the locks and the COMMIT. */
static bool
change(const struct clear_job *job, struct clear_result *result, struct err *err)
{
    if (!catalog_is_planned(job, err))
        return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (!table_is_sealed(job, (enum table)i, err))
            return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (!delete_table(job, (enum table)i, result, err))
            return false;
    if (!cancel_check(err))
        return false;
    return job->journal->ops->record(job->journal, "commit-sent", NULL, 0, true, err);
}

static bool
journal_counts(const struct clear_job *job, const char *step, const struct clear_result *result,
               struct err *err)
{
    char numbers[AXDB_TABLES + 1][24];
    struct fact facts[AXDB_TABLES + 1];

    for (int i = 0; i < AXDB_TABLES; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "%" PRId64, result->deleted[i]);
        facts[i] = (struct fact){table_key((enum table)i), numbers[i]};
    }
    (void)snprintf(numbers[AXDB_TABLES], sizeof numbers[AXDB_TABLES], "%" PRId64,
                   result->locked_ms);
    facts[AXDB_TABLES] = (struct fact){"locked_ms", numbers[AXDB_TABLES]};
    return job->journal->ops->record(job->journal, step, facts, AXDB_TABLES + 1, true, err);
}

/** The rows are out of the database, or may be: from here on nothing may be called unchanged. */
static bool
commit(const struct clear_job *job, struct clear_result *result, struct err *err)
{
    struct err journal_err;

    /* before the COMMIT is sent: a second signal may end the process at any moment from here on */
    cancel_note_changed();
    const bool done = job->store->ops->commit(job->store, &result->commit, err);

    result->locked_ms = job->store->ops->locked_ms(job->store);
    if (done) {
        result->journal_ok = journal_counts(job, "committed", result, err);
        if (!result->journal_ok)
            return err_wrap(err, "the AxDB rows are deleted, but the journal could not say so");
        return true;
    }
    if (result->commit == COMMIT_NOT) {
        cancel_note_unchanged();
        job->store->ops->rollback(job->store);
    }
    /* the journal's own failure cannot add to what `err` says already */
    result->journal_ok = journal_counts(
        job, result->commit == COMMIT_NOT ? "rolled-back" : "commit-unknown", result, &journal_err);
    if (result->commit == COMMIT_NOT)
        return false;
    err->code = ERR_OUTCOME;
    return err_hint(err, "The rows are either all deleted or all there; Dataverse was not touched. "
                         "Run verify when the server answers again: no rows = committed; the same "
                         "rows = rolled back.");
}

static bool
attempt(const struct clear_job *job, struct clear_result *result, struct err *err)
{
    *result = (struct clear_result){.commit = COMMIT_NOT, .journal_ok = true, .locked_ms = -1};
    if (!job->store->ops->begin_locked(job->store, job->max_lock_ms, err))
        return err_wrap(err, "could not lock the tables");
    if (!change(job, result, err)) {
        job->store->ops->rollback(job->store);
        result->locked_ms = job->store->ops->locked_ms(job->store);
        for (int i = 0; i < AXDB_TABLES; i++)
            result->deleted[i] = 0;
        return false;
    }
    result->commit_sent = true;
    return commit(job, result, err);
}

bool
clear_tables(const struct clear_job *job, struct clear_result *ret, struct err *err)
{
    struct journal *journal = job->journal;

    assert(job->sealed->sealed);

    *ret = (struct clear_result){.commit = COMMIT_NOT, .journal_ok = true, .locked_ms = -1};
    if (!journal->ops->reserve(journal, JOURNAL_ROOM_BYTES, err) ||
        !journal->ops->record(journal, "begin", NULL, 0, true, err))
        return false;
    for (int i = 1;; i++) {
        if (attempt(job, ret, err))
            return true;
        if (ret->commit_sent || err->code != ERR_LOCK || !err->transient || i == ATTEMPTS)
            return false;
        job->observer->say(job->observer, LOG_LEVEL_NOTICE,
                           "a lock was not obtained; nothing was changed; trying again");
        clock_sleep_ms((int64_t)BACK_OFF_MS * i * i);
        if (!cancel_check(err))
            return false;
    }
}
