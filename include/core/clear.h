/**
 * Clearing the AxDB tables: the one place where rows leave the database.
 */
#ifndef CORE_CLEAR_H
#define CORE_CLEAR_H

#include "core/seal.h"
#include "port/axdb_store.h"
#include "port/journal.h"
#include "port/observer.h"

#include <stdbool.h>
#include <stdint.h>

/** What a clearing works with; all borrowed. */
struct clear_job {
    struct axdb_store *store;
    const struct axdb_table_evidence *tables; /* of the three tables, when the plan was made */
    const struct sealed *sealed;              /* the sealed backup; asserted to be sealed */
    int64_t max_lock_ms;                      /* budget for locks */
    struct journal *journal;
    struct observer *observer;
    struct arena *arena; /* for the second look at the catalog */
};

struct clear_result {
    enum commit_state commit; /* COMMIT_NOT when it was not even sent */
    bool commit_sent;         /* the journal says so */
    bool journal_ok; /* false: the journal could not be written after the commit was sent */
    int64_t deleted[AXDB_TABLES];
    int64_t locked_ms; /* -1 = locks were never held */
};

/**
 * Delete the rows of the three tables in one transaction, exactly those of the sealed backup.
 *
 * Locks all tables in enum order, reads catalog and rows again under the lock and compares with the
 * sealed backup; deletes; compares the server's counts; journals "commit-sent"; commits. While
 * locks are held the only disk work is that one record. Lock timeouts and deadlocks are tried again
 * up to 3 times from the start.
 *
 * @param job         what to clear, and with what
 * @param ret         written in every case
 * @param err         on false: ERR_STALE rows differ from the backup, ERR_LOCK, ERR_SERVER counts
 * differ or a statement failed, ERR_STORAGE, ERR_OUTCOME when the COMMIT got no answer
 * @return            true when the commit is done and the counts are the backup's
 */
MUST_CHECK bool clear_tables(const struct clear_job *job, struct clear_result *ret,
                             struct err *err);

#endif
