#include "base/cancel.h"
#include "base/clock.h"
#include "batch.h"
#include "question.h"
#include "sql_text.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

enum { COMMIT_TIMEOUT_MS = 60000, ROLLBACK_TIMEOUT_MS = 15000, FLUSH_TIMEOUT_MS = 60000 };

/** Numbers of a batch, by the name of their result set; not known while they have not come. */
struct numbers {
    struct counted open, transaction;
    struct counted deleted[AXDB_TABLES], left[AXDB_TABLES]; /* in the order of their coming */
    size_t deleted_count, left_count;
};

/** One more of the counts that come a table each; more than there are tables are not known. */
static bool
take_next(const struct cursor *cursor, struct counted counts[AXDB_TABLES], size_t *count,
          struct err *err)
{
    if (*count >= AXDB_TABLES)
        return err_set(err, ERR_SERVER, "the server counted more tables than it was asked about");
    return cursor_count(cursor, 1, &counts[(*count)++], err);
}

static bool
take_number(void *ctx, const struct cursor *cursor, struct err *err)
{
    struct numbers *numbers = ctx;

    if (cursor_is(cursor, "rs_open"))
        return cursor_count(cursor, 1, &numbers->open, err);
    if (cursor_is(cursor, "rs_transaction"))
        return cursor_count(cursor, 1, &numbers->transaction, err);
    if (cursor_is(cursor, "rs_deleted"))
        return take_next(cursor, numbers->deleted, &numbers->deleted_count, err);
    if (cursor_is(cursor, "rs_left"))
        return take_next(cursor, numbers->left, &numbers->left_count, err);
    return true;
}

/** The locks are gone, or will be as soon as the server sees the closed connection. */
static void
end_transaction(struct mssql_store *store)
{
    if (!store->in_transaction)
        return;
    mssql_insertion_drop(store);
    store->locked_ms = clock_monotonic_ms() - store->begun_ms;
    store->in_transaction = false;
    store->connection->hold_log = false;
    cancel_hold_end();
}

bool
mssql_begin_batch(bool then_catalog, uint32_t lacking, struct text *batch, struct err *err)
{
    struct questions *questions;
    bool good;

    if (!batch_expand(sql_begin_locked, NULL, 0, batch, err))
        return false;
    if (!then_catalog)
        return true;
    questions = questions_new(sql_catalog, err);
    good = questions != NULL && questions_strict_batch(questions, lacking, batch, err);
    questions_free(questions);
    return good;
}

/** The questions that follow may travel along: their answers wait for read_catalog. */
static bool
run_begin(struct mssql_store *store, const struct taker *taker, struct err *err)
{
    enum { SETS = AXDB_TABLES + 1 }; /* of begin_locked.sql */
    TEXT_SCOPED batch = {0};
    const bool then_catalog = store->foreseen.catalog;

    store->foreseen.catalog = false;
    if (!mssql_begin_batch(then_catalog, store->catalog_lacks, &batch, err) ||
        !mssql_store_run_part(store, "begin_locked", &batch, then_catalog ? SETS : 0, taker, err))
        return false;
    store->catalog_open = then_catalog;
    return true;
}

bool
mssql_begin_locked(struct axdb_store *store, int64_t max_lock_ms, struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    struct numbers numbers = {0};
    struct taker taker = {.ctx = &numbers, .row = take_number};
    bool good;

    if (self->in_transaction)
        return err_set(err, ERR_INTERNAL, "a transaction is open already");
    if (!mssql_know_catalog(self, err) || !cancel_check(err))
        return false;
    cancel_hold_begin();
    self->in_transaction = true;
    self->connection->hold_log = true; /* a terminal that stands still must not hold the locks */
    self->begun_ms = clock_monotonic_ms();
    self->lock_deadline_ms = self->begun_ms + max_lock_ms;
    good = run_begin(self, &taker, err);
    if (good && (!numbers.transaction.known || numbers.transaction.rows != 1))
        good = err_set(err, ERR_SERVER, "the transaction did not begin");
    if (!good) {
        mssql_rollback(store);
        if (err->code == ERR_LOCK && err->transient && connection_is_alive(self->connection))
            mssql_name_blockers(self, err);
        return err_wrap(err, "could not lock the three tables");
    }
    return true;
}

/** A file of sql/ for one table. */
static bool
append_for_table(const char *sql, enum table table, struct text *batch, struct err *err)
{
    TEXT_SCOPED name = {0};
    struct batch_variable variables[] = {{"table", NULL}};

    if (!batch_identifier(&name, table_name(table), err) || !text_ok(&name, err))
        return false;
    variables[0].value = text_string(&name);
    return batch_expand(sql, variables, 1, batch, err);
}

bool
mssql_delete_all_batch(const bool tables[AXDB_TABLES], struct text *batch, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i] && !append_for_table(sql_delete_all, (enum table)i, batch, err))
            return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i] && !append_for_table(sql_count_left, (enum table)i, batch, err))
            return false;
    return true;
}

/** The counts have come in the order of the batch. */
static bool
counts_of(const struct numbers *numbers, const bool tables[AXDB_TABLES],
          struct axdb_deleted ret[AXDB_TABLES], struct err *err)
{
    struct axdb_deleted counts[AXDB_TABLES] = {0};
    size_t at = 0;

    for (int i = 0; i < AXDB_TABLES; i++) {
        if (!tables[i])
            continue;
        if (!numbers->deleted[at].known || !numbers->left[at].known)
            return err_set(err, ERR_SERVER, "the server did not say how many rows of %s it deleted",
                           table_name((enum table)i));
        counts[i] = (struct axdb_deleted){.rows = numbers->deleted[at].rows,
                                          .left = numbers->left[at].rows};
        at++;
    }
    if (numbers->deleted_count != at || numbers->left_count != at)
        return err_set(err, ERR_SERVER, "the server counted other tables than it was asked about");
    memcpy(ret, counts, sizeof counts);
    return true;
}

bool
mssql_delete_all(struct axdb_store *store, const bool tables[AXDB_TABLES],
                 struct axdb_deleted ret[AXDB_TABLES], struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    TEXT_SCOPED batch = {0};
    struct numbers numbers = {0};
    struct taker taker = {.ctx = &numbers, .row = take_number};

    if (!self->in_transaction)
        return err_set(err, ERR_INTERNAL, "a delete was asked for outside the transaction");
    if (!mssql_delete_all_batch(tables, &batch, err))
        return false;
    /* The caller has every row on stable storage: this line is the only one that destroys. It is
     * undone by anything but a COMMIT. */
    if (!mssql_store_run(self, "delete_all", &batch, &taker, err))
        return err_wrap(err, "could not delete the rows");
    return counts_of(&numbers, tables, ret, err);
}

/**
 * End the transaction on the server: true when the server has said that there is none any more.
 * `ret_open`, unless NULL, says whether one was still open before: not known otherwise.
 */
static bool
prove_rollback(struct mssql_store *store, bool *ret_open)
{
    TEXT_SCOPED batch = {0};
    struct numbers numbers = {0};
    struct taker taker = {.ctx = &numbers, .row = take_number};
    struct statement statement = {.batch = &batch,
                                  .name = "rollback",
                                  .timeout_ms = ROLLBACK_TIMEOUT_MS,
                                  .timeout_code = ERR_CONNECT,
                                  .deaf = true};
    struct err ignored;

    if (!connection_is_alive(store->connection) ||
        !batch_expand(sql_rollback, NULL, 0, &batch, &ignored) ||
        !statement_run(store->connection, &statement, &taker, &ignored) ||
        !numbers.transaction.known || numbers.transaction.rows != 0)
        return false;
    if (ret_open != NULL)
        *ret_open = numbers.open.known && numbers.open.rows > 0;
    return true;
}

/** Errors with which a server says that it has not committed but undone: nothing else was said. */
static bool
only_refusals(const struct verdict *verdict)
{
    enum { DEADLOCK = 1205, UNCOMMITTABLE = 3930, UNCOMMITTABLE_AT_END = 3998 };

    if (verdict->message_count == 0 || verdict->more > 0)
        return false;
    for (size_t i = 0; i < verdict->message_count; i++) {
        const int number = verdict->messages[i].number;

        if (number != DEADLOCK && number != UNCOMMITTABLE && number != UNCOMMITTABLE_AT_END)
            return false;
    }
    return true;
}

/** The COMMIT went out and did not go through well: what is known of it? */
static enum commit_state
state_after_failure(struct mssql_store *store)
{
    const struct verdict *verdict = &store->connection->verdict;
    const bool refused = only_refusals(verdict);
    bool open = false;

    /* An error alone proves nothing: some arrive while the connection dies, after the commit. */
    if (verdict->error_count > 0 || verdict->timed_out || !prove_rollback(store, &open))
        return COMMIT_UNKNOWN;
    return open || refused ? COMMIT_NOT : COMMIT_UNKNOWN;
}

static bool
send_commit(struct mssql_store *store, const struct text *batch, enum commit_state *ret_state,
            struct err *err)
{
    const int64_t query_ms = (int64_t)store->connection->options->query_timeout_s * 1000;
    struct statement statement = {.batch = batch,
                                  .name = "commit",
                                  .timeout_ms =
                                      query_ms > COMMIT_TIMEOUT_MS ? query_ms : COMMIT_TIMEOUT_MS,
                                  .timeout_code = ERR_OUTCOME,
                                  .deaf = true,
                                  .commit = true};
    bool answered;

    if (statement_run(store->connection, &statement, NULL, err)) {
        *ret_state = COMMIT_DONE;
        return true;
    }
    if (!store->connection->sent)
        return err_wrap(err, "COMMIT was not sent");
    answered = verdict_worst(&store->connection->verdict) != NULL;
    *ret_state = state_after_failure(store);
    if (*ret_state == COMMIT_NOT)
        return err_wrap(err, "the server refused to commit and has rolled back");
    err->code = ERR_OUTCOME;
    err->transient = false;
    return err_wrap(err, answered ? "COMMIT was sent and failed, which proves nothing"
                                  : "COMMIT was sent and no answer came");
}

/** What has to hold before COMMIT may be sent. */
static bool
may_commit(const struct mssql_store *store, struct text *batch, struct err *err)
{
    if (clock_monotonic_ms() >= store->lock_deadline_ms)
        return err_set(err, ERR_LOCK, "COMMIT was not sent: the time for holding locks is used up");
    if (!batch_expand(sql_commit, NULL, 0, batch, err) || !batch_check(batch, err))
        return false;
    return connection_is_alive(store->connection) ||
           err_set(err, ERR_CONNECT, "COMMIT was not sent: the connection to %s was lost before",
                   store->connection->dialled);
}

/** What is committed is committed: a failure here is told, and changes nothing about that. */
static void
flush_log(struct mssql_store *store)
{
    struct observer *observer = store->connection->options->observer;
    TEXT_SCOPED batch = {0};
    struct statement statement = {.batch = &batch,
                                  .name = "flush_log",
                                  .timeout_ms = FLUSH_TIMEOUT_MS,
                                  .timeout_code = ERR_CONNECT,
                                  .deaf = true};
    struct err err;
    char line[512];

    if (!store->flush_log || (batch_expand(sql_flush_log, NULL, 0, &batch, &err) &&
                              statement_run(store->connection, &statement, NULL, &err)))
        return;
    (void)snprintf(line, sizeof line,
                   "The database has DELAYED_DURABILITY = FORCED and its log could not be flushed "
                   "after COMMIT: should the server fail now, the change may be lost (%.300s)",
                   err.primary);
    if (observer != NULL)
        observer->say(observer, LOG_LEVEL_WARNING, line);
}

bool
mssql_commit(struct axdb_store *store, enum commit_state *ret_state, struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    TEXT_SCOPED batch = {0};
    bool good;

    *ret_state = COMMIT_NOT;
    if (!self->in_transaction)
        return err_set(err, ERR_INTERNAL, "there is no transaction to commit");
    if (self->insertion != NULL || self->connection->open) {
        mssql_rollback(store);
        return err_set(err, ERR_INTERNAL,
                       "COMMIT was not sent: rows still wait to be inserted or "
                       "read");
    }
    good = may_commit(self, &batch, err) && send_commit(self, &batch, ret_state, err);
    if (*ret_state == COMMIT_UNKNOWN)
        connection_hang_up(self->connection); /* nothing more may be sent on it */
    if (*ret_state == COMMIT_NOT)
        mssql_rollback(store); /* what was not sent; asking again does no harm */
    else
        end_transaction(self);
    if (*ret_state == COMMIT_DONE)
        flush_log(self);
    return good;
}

void
mssql_rollback(struct axdb_store *store)
{
    struct mssql_store *self = mssql_store_of(store);

    if (!self->in_transaction)
        return;
    if (!prove_rollback(self, NULL))
        connection_hang_up(self->connection); /* the server rolls back what nobody commits */
    end_transaction(self);
}

int64_t
mssql_locked_ms(const struct axdb_store *store)
{
    const struct mssql_store *self = (const struct mssql_store *)(const void *)store;

    return self->in_transaction ? clock_monotonic_ms() - self->begun_ms : self->locked_ms;
}
