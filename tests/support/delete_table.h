/** One table's rows through the port, for tests that have no more to delete. */
#ifndef SUPPORT_DELETE_TABLE_H
#define SUPPORT_DELETE_TABLE_H

#include "port/axdb_store.h"

/** As ops->delete_all; nothing is set after a failure. */
static inline bool
delete_table(struct axdb_store *store, enum table table, int64_t *ret_deleted, int64_t *ret_left,
             struct err *err)
{
    struct axdb_deleted counts[AXDB_TABLES];
    bool tables[AXDB_TABLES] = {false};

    tables[table] = true;
    if (!store->ops->delete_all(store, tables, counts, err))
        return false;
    *ret_deleted = counts[table].rows;
    *ret_left = counts[table].left;
    return true;
}

#endif
