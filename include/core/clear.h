/**
 * Clearing the AxDB tables: the one place where rows leave the database.
 */
#ifndef CORE_CLEAR_H
#define CORE_CLEAR_H

#include "base/arena.h"
#include "core/locked_change.h"
#include "core/scope.h"
#include "core/seal.h"

#include <stdbool.h>
#include <stdint.h>

/** What a clearing works with; all borrowed. */
struct clear_job {
    struct axdb_store *store;
    const struct axdb_table_evidence *tables; /* of the three tables, when the plan was made */
    const struct scope *scope;                /* which of their rows go */
    const struct sealed *sealed;              /* the sealed backup; asserted to be sealed */
    int64_t max_lock_ms;                      /* budget for locks */
    struct journal *journal;
    struct observer *observer;
    struct arena *arena; /* for the second look at the catalog */
};

/**
 * Delete the rows of the scope in one transaction, exactly those of the sealed backup.
 *
 * Under the locks it reads catalog and rows again and compares with the sealed backup; deletes, a
 * part of a table by key; compares the server's counts, and what is left in each of them with what
 * was to stay. A table outside the scope must be as it was, where a trigger may reach it.
 *
 * @param job         what to clear, and with what
 * @param ret         written in every case; rows = deleted
 * @param err         on false: ERR_STALE rows differ from the backup, ERR_LOCK, ERR_SERVER counts
 *                    differ or a statement failed, ERR_STORAGE, ERR_OUTCOME when the COMMIT got no
 *                    answer
 * @return            true when the commit is done and the counts are the backup's
 */
MUST_CHECK bool clear_tables(const struct clear_job *job, struct locked_result *ret,
                             struct err *err);

#endif
