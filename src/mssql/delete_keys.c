#include "batch.h"
#include "sql_text.h"
#include "store.h"

static bool
take_deleted(void *ctx, const struct cursor *cursor, struct err *err)
{
    return !cursor_is(cursor, "rs_deleted") || cursor_count(cursor, 1, ctx, err);
}

size_t
mssql_key_group(const struct axdb_key *keys, size_t count)
{
    size_t size = 1;

    while (size < count && size < MSSQL_GROUP_KEYS && keys[size].partition == keys[0].partition)
        size++;
    return size;
}

bool
mssql_delete_keys_batch(enum table table, const struct axdb_key *keys, size_t count,
                        struct text *batch, struct err *err)
{
    TEXT_SCOPED name = {0};
    TEXT_SCOPED partition = {0};
    TEXT_SCOPED recids = {0};
    struct batch_variable variables[] = {{"table", NULL}, {"partition", NULL}, {"recids", NULL}};

    batch_number(&partition, keys[0].partition);
    for (size_t i = 0; i < count; i++) {
        text_append(&recids, i > 0 ? "," : "");
        batch_number(&recids, keys[i].recid);
    }
    if (!batch_identifier(&name, table_name(table), err) || !text_ok(&name, err) ||
        !text_ok(&partition, err) || !text_ok(&recids, err))
        return false;
    variables[0].value = text_string(&name);
    variables[1].value = text_string(&partition);
    variables[2].value = text_string(&recids);
    return batch_expand(sql_delete_keys, variables, 3, batch, err);
}

static bool
delete_group(struct mssql_store *store, enum table table, const struct axdb_key *keys, size_t count,
             int64_t *sum, struct err *err)
{
    TEXT_SCOPED batch = {0};
    struct counted deleted = {0};
    struct taker taker = {.ctx = &deleted, .row = take_deleted};

    if (!mssql_delete_keys_batch(table, keys, count, &batch, err))
        return false;
    /* The caller has these rows on stable storage: this line destroys them. It is undone by
     * anything but a COMMIT. */
    if (!mssql_store_run(store, "delete_keys", &batch, &taker, err))
        return false;
    if (!deleted.known)
        return err_set(err, ERR_SERVER, "the server did not say how many rows it deleted");
    *sum += deleted.rows;
    return true;
}

/** A key that came twice would be deleted once and counted twice. */
static bool
check_order(const struct axdb_key *keys, size_t count, struct err *err)
{
    for (size_t i = 1; i < count; i++) {
        if (axdb_key_compare(&keys[i - 1], &keys[i]) >= 0)
            return err_set(err, ERR_INTERNAL, "keys to delete are not in order");
    }
    return true;
}

bool
mssql_delete_keys(struct axdb_store *store, enum table table, const struct axdb_key *keys,
                  size_t count, int64_t *ret_deleted, struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    int64_t sum = 0;

    if (!self->in_transaction || table >= TABLE_RUNTIME)
        return err_set(err, ERR_INTERNAL, "a delete was asked for outside the transaction");
    if (!check_order(keys, count, err))
        return false;
    for (size_t done = 0, size; done < count; done += size) {
        size = mssql_key_group(keys + done, count - done);
        if (!delete_group(self, table, keys + done, size, &sum, err))
            return err_wrap(err, "could not delete chosen rows of %s", table_name(table));
    }
    *ret_deleted = sum;
    return true;
}
