#include "core/clear.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "core/rowset.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { ATTEMPTS = 3, BACK_OFF_MS = 500, JOURNAL_ROOM_BYTES = 64 * 1024 };

/** What an attempt works with. */
struct clearing {
    struct axdb_store *store;
    const struct schema *const *schemas;
    const struct sealed *sealed;
    struct journal *journal;
    struct clear_result *result;
};

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    return rowset_add(ctx, &row->id, err);
}

/** Under the lock: does the table still hold exactly what the sealed backup holds? */
static bool
table_is_sealed(struct clearing *job, enum table table, struct err *err)
{
    const struct table_state *sealed = &job->sealed->states[table];
    ROWSET_SCOPED set = {0};
    const struct row_sink sink = {.ctx = &set, .take = take_row};
    struct table_state found;

    if (!rowset_begin(&set, table, err) ||
        !job->store->ops->read_rows(job->store, job->schemas[table], &sink, err))
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
delete_table(struct clearing *job, enum table table, struct err *err)
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
    job->result->deleted[table] = deleted;
    return true;
}

/** Everything between the locks and the COMMIT. */
static bool
change(struct clearing *job, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        if (!table_is_sealed(job, (enum table)i, err))
            return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (!delete_table(job, (enum table)i, err))
            return false;
    if (!cancel_check(err))
        return false;
    return job->journal->ops->record(job->journal, "commit-sent", NULL, 0, true, err);
}

static bool
journal_counts(struct clearing *job, const char *step, struct err *err)
{
    char numbers[AXDB_TABLES + 1][24];
    struct fact facts[AXDB_TABLES + 1];

    for (int i = 0; i < AXDB_TABLES; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "%" PRId64, job->result->deleted[i]);
        facts[i] = (struct fact){table_key((enum table)i), numbers[i]};
    }
    (void)snprintf(numbers[AXDB_TABLES], sizeof numbers[AXDB_TABLES], "%" PRId64,
                   job->result->locked_ms);
    facts[AXDB_TABLES] = (struct fact){"locked_ms", numbers[AXDB_TABLES]};
    return job->journal->ops->record(job->journal, step, facts, AXDB_TABLES + 1, true, err);
}

/** The rows are out of the database, or may be: from here on nothing may be called unchanged. */
static bool
commit(struct clearing *job, struct err *err)
{
    struct err journal_err;
    const bool done = job->store->ops->commit(job->store, &job->result->commit, err);

    job->result->locked_ms = job->store->ops->locked_ms(job->store);
    if (done) {
        job->result->journal_ok = journal_counts(job, "committed", err);
        if (!job->result->journal_ok)
            return err_wrap(err, "the AxDB rows are deleted, but the journal could not say so");
        return true;
    }
    /* the journal's own failure cannot add to what `err` says already */
    job->result->journal_ok = journal_counts(
        job, job->result->commit == COMMIT_NOT ? "rolled-back" : "commit-unknown", &journal_err);
    if (job->result->commit == COMMIT_NOT)
        return err_wrap(err, "the server refused to commit; nothing was changed");
    err->code = ERR_OUTCOME;
    (void)err_wrap(err, "COMMIT was sent and no answer came");
    return err_hint(err, "The rows are either all deleted or all there. Run verify when the server "
                         "answers again: no rows = committed; the same rows = rolled back.");
}

static bool
attempt(struct clearing *job, int64_t max_lock_ms, struct err *err)
{
    *job->result = (struct clear_result){.commit = COMMIT_NOT, .journal_ok = true, .locked_ms = -1};
    if (!job->store->ops->begin_locked(job->store, max_lock_ms, err))
        return err_wrap(err, "could not lock the tables");
    if (!change(job, err)) {
        job->store->ops->rollback(job->store);
        job->result->locked_ms = job->store->ops->locked_ms(job->store);
        for (int i = 0; i < AXDB_TABLES; i++)
            job->result->deleted[i] = 0;
        return false;
    }
    job->result->commit_sent = true;
    return commit(job, err);
}

bool
clear_tables(struct axdb_store *store, const struct schema *const *schemas,
             const struct sealed *sealed, int64_t max_lock_ms, struct journal *journal,
             struct observer *observer, struct clear_result *ret, struct err *err)
{
    struct clearing job = {
        .store = store, .schemas = schemas, .sealed = sealed, .journal = journal, .result = ret};

    assert(sealed->sealed);

    *ret = (struct clear_result){.commit = COMMIT_NOT, .journal_ok = true, .locked_ms = -1};
    if (!journal->ops->reserve(journal, JOURNAL_ROOM_BYTES, err) ||
        !journal->ops->record(journal, "begin", NULL, 0, true, err))
        return false;
    for (int i = 1;; i++) {
        if (attempt(&job, max_lock_ms, err))
            return true;
        if (ret->commit_sent || err->code != ERR_LOCK || !err->transient || i == ATTEMPTS)
            return false;
        observer->say(observer, LOG_LEVEL_NOTICE,
                      "a lock was not obtained; nothing was changed; trying again");
        clock_sleep_ms((int64_t)BACK_OFF_MS * i * i);
        if (!cancel_check(err))
            return false;
    }
}
