#include "base/cancel.h"
#include "base/clock.h"
#include "batch.h"
#include "sql_text.h"
#include "store.h"

#include <string.h>

enum { COMMIT_TIMEOUT_MS = 60000, ROLLBACK_TIMEOUT_MS = 15000 };

/** Numbers of a batch, by the name of their result set. */
struct numbers {
    int64_t transaction, deleted, left;
    bool has_transaction, has_deleted, has_left;
};

static bool
take_number(void *ctx, const struct cursor *cursor, struct err *err)
{
    struct numbers *numbers = ctx;
    int64_t number = -1;

    if (cursor_is(cursor, "rs_locked"))
        return true;
    if (!cursor_integer(cursor, 1, -1, &number, err))
        return false;
    if (cursor_is(cursor, "rs_transaction")) {
        numbers->transaction = number;
        numbers->has_transaction = true;
    } else if (cursor_is(cursor, "rs_deleted")) {
        numbers->deleted = number;
        numbers->has_deleted = true;
    } else if (cursor_is(cursor, "rs_left")) {
        numbers->left = number;
        numbers->has_left = true;
    }
    return true;
}

/** The locks are gone, or will be as soon as the server sees the closed connection. */
static void
end_transaction(struct mssql_store *store)
{
    if (!store->in_transaction)
        return;
    store->locked_ms = clock_monotonic_ms() - store->begun_ms;
    store->in_transaction = false;
    cancel_hold_end();
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
    if (!cancel_check(err))
        return false;
    cancel_hold_begin();
    self->in_transaction = true;
    self->begun_ms = clock_monotonic_ms();
    self->lock_deadline_ms = self->begun_ms + max_lock_ms;
    good = mssql_store_run_sql(self, sql_begin_locked, &taker, err);
    if (good && (!numbers.has_transaction || numbers.transaction != 1))
        good = err_set(err, ERR_SERVER, "the transaction did not begin");
    if (!good) {
        mssql_rollback(store);
        if (err->code == ERR_LOCK && err->transient && connection_is_alive(self->connection))
            mssql_name_blockers(self, err);
        return err_wrap(err, "could not lock the three tables");
    }
    return true;
}

bool
mssql_delete_all(struct axdb_store *store, enum table table, int64_t *ret_deleted,
                 int64_t *ret_left, struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    TEXT_SCOPED name = {0};
    TEXT_SCOPED batch = {0};
    struct batch_variable variables[] = {{"table", NULL}};
    struct numbers numbers = {0};
    struct taker taker = {.ctx = &numbers, .row = take_number};

    if (!self->in_transaction || table >= TABLE_RUNTIME)
        return err_set(err, ERR_INTERNAL, "a delete was asked for outside the transaction");
    if (!batch_identifier(&name, table_name(table), err))
        return false;
    variables[0].value = text_string(&name);
    if (!batch_expand(sql_delete_all, variables, 1, &batch, err))
        return false;
    /* The caller has every row on stable storage: this line is the only one that destroys. It is
     * undone by anything but a COMMIT. */
    if (!mssql_store_run(self, &batch, &taker, err))
        return err_wrap(err, "could not delete the rows of %s", table_name(table));
    if (!numbers.has_deleted || !numbers.has_left)
        return err_set(err, ERR_SERVER, "the server did not say how many rows of %s it deleted",
                       table_name(table));
    *ret_deleted = numbers.deleted;
    *ret_left = numbers.left;
    return true;
}

/** The COMMIT did not go through: what is known of it? */
static enum commit_state
state_after_failure(const struct mssql_store *store)
{
    const struct verdict *verdict = &store->connection->verdict;

    /* A refusal in so many words on a connection that lives: the transaction was not committed. */
    if (connection_is_alive(store->connection) && verdict_worst(verdict) != NULL &&
        verdict->error_count == 0 && !verdict->timed_out)
        return COMMIT_NOT;
    return COMMIT_UNKNOWN;
}

static bool
send_commit(struct mssql_store *store, const struct text *batch, enum commit_state *ret_state,
            struct err *err)
{
    const int64_t query_ms = (int64_t)store->connection->options->query_timeout_s * 1000;
    struct statement statement = {.batch = batch,
                                  .timeout_ms =
                                      query_ms > COMMIT_TIMEOUT_MS ? query_ms : COMMIT_TIMEOUT_MS,
                                  .timeout_code = ERR_OUTCOME,
                                  .deaf = true,
                                  .commit = true};

    if (statement_run(store->connection, &statement, NULL, err)) {
        *ret_state = COMMIT_DONE;
        return true;
    }
    *ret_state = state_after_failure(store);
    if (*ret_state == COMMIT_NOT)
        return err_wrap(err, "the server refused to commit");
    err->code = ERR_OUTCOME;
    return err_wrap(err, "COMMIT was sent and no answer came");
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
    if (clock_monotonic_ms() >= self->lock_deadline_ms)
        return err_set(err, ERR_LOCK, "the time for holding locks is used up");
    if (!batch_expand(sql_commit, NULL, 0, &batch, err) || !batch_check(&batch, err))
        return false;
    if (!connection_is_alive(self->connection))
        return err_set(err, ERR_CONNECT, "the connection to %s was lost before the COMMIT",
                       self->connection->dialled);
    good = send_commit(self, &batch, ret_state, err);
    if (*ret_state == COMMIT_UNKNOWN)
        connection_hang_up(self->connection); /* nothing more may be sent on it */
    if (*ret_state != COMMIT_NOT)
        end_transaction(self);
    return good;
}

void
mssql_rollback(struct axdb_store *store)
{
    struct mssql_store *self = mssql_store_of(store);
    TEXT_SCOPED batch = {0};
    struct numbers numbers = {0};
    struct taker taker = {.ctx = &numbers, .row = take_number};
    struct statement statement = {.batch = &batch,
                                  .timeout_ms = ROLLBACK_TIMEOUT_MS,
                                  .timeout_code = ERR_CONNECT,
                                  .deaf = true};
    struct err ignored;

    if (!self->in_transaction)
        return;
    if (!connection_is_alive(self->connection) ||
        !batch_expand(sql_rollback, NULL, 0, &batch, &ignored) ||
        !statement_run(self->connection, &statement, &taker, &ignored) ||
        !numbers.has_transaction || numbers.transaction != 0)
        connection_hang_up(self->connection); /* the server rolls back what nobody commits */
    end_transaction(self);
}

int64_t
mssql_locked_ms(const struct axdb_store *store)
{
    const struct mssql_store *self = (const struct mssql_store *)(const void *)store;

    return self->in_transaction ? clock_monotonic_ms() - self->begun_ms : self->locked_ms;
}
