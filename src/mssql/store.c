#include "store.h"

#include "base/clock.h"
#include "batch.h"

#include <stdlib.h>

static void
close_store(struct axdb_store *store)
{
    struct mssql_store *self = mssql_store_of(store);

    if (self->in_transaction)
        mssql_rollback(store);
    mssql_insertion_drop(self);
    connection_free(self->connection);
    free(self);
}

static void
foresee(struct axdb_store *store, const struct axdb_foresight *foresight)
{
    struct mssql_store *self = mssql_store_of(store);

    /* where errors end transactions, each operation goes alone */
    self->foreseen =
        self->connection->options->utf8_engine ? (struct axdb_foresight){0} : *foresight;
    self->foreseen_read = 0;
}

static const struct axdb_store_ops ops = {
    .observe = mssql_observe,
    .foresee = foresee,
    .read_rows = mssql_read_rows,
    .acquire_exclusion = mssql_acquire_exclusion,
    .release_exclusion = mssql_release_exclusion,
    .begin_locked = mssql_begin_locked,
    .read_catalog = mssql_read_catalog,
    .delete_all = mssql_delete_all,
    .delete_keys = mssql_delete_keys,
    .begin_insert = mssql_begin_insert,
    .insert = mssql_insert,
    .end_insert = mssql_end_insert,
    .commit = mssql_commit,
    .rollback = mssql_rollback,
    .locked_ms = mssql_locked_ms,
    .close = close_store,
};

struct axdb_store *
mssql_store_new(struct connection *connection)
{
    struct mssql_store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return NULL;
    store->port.ops = &ops;
    store->connection = connection;
    return &store->port;
}

struct mssql_store *
mssql_store_of(struct axdb_store *store)
{
    return (struct mssql_store *)(void *)store;
}

bool
mssql_store_run(struct mssql_store *store, const char *name, const struct text *batch,
                const struct taker *taker, struct err *err)
{
    return mssql_store_run_part(store, name, batch, 0, taker, err);
}

/** The rest of the batch that is open. */
static bool
pass_over(struct mssql_store *store, const struct statement *next, struct err *err)
{
    struct statement rest = *next;

    rest.sets = 0;
    return statement_go_on(store->connection, &rest, NULL, err);
}

bool
mssql_store_run_part(struct mssql_store *store, const char *name, const struct text *batch,
                     size_t sets, const struct taker *taker, struct err *err)
{
    struct statement statement = {.batch = batch,
                                  .name = name,
                                  .timeout_ms =
                                      (int64_t)store->connection->options->query_timeout_s * 1000,
                                  .timeout_code = ERR_CONNECT,
                                  .sets = sets};

    store->catalog_open = false;
    if (store->in_transaction) {
        int64_t left_ms = store->lock_deadline_ms - clock_monotonic_ms();

        if (left_ms <= 0)
            return err_set(err, ERR_LOCK, "the time for holding locks is used up");
        statement.timeout_ms = left_ms;
        statement.timeout_code = ERR_LOCK;
        statement.deaf = true; /* a stop signal is looked at between the operations */
    }
    /* an attention would end the transaction: what nobody asks for any more is passed over */
    if (batch && store->in_transaction && store->connection->open &&
        !pass_over(store, &statement, err))
        return false;
    if (batch ? statement_run(store->connection, &statement, taker, err)
              : statement_go_on(store->connection, &statement, taker, err))
        return true;
    if (store->in_transaction && err->code == ERR_LOCK && !err->transient)
        return err_wrap(err, "the time for holding locks is used up");
    return false;
}

bool
mssql_catalog_is_open(const struct mssql_store *store)
{
    return store->catalog_open && store->connection->open;
}

bool
mssql_store_run_sql(struct mssql_store *store, const char *name, const char *sql,
                    const struct taker *taker, struct err *err)
{
    TEXT_SCOPED batch = {0};

    return batch_expand(sql, NULL, 0, &batch, err) &&
           mssql_store_run(store, name, &batch, taker, err);
}
