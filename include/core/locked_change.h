/**
 * A change of AxDB: locks on all three tables, what is to be done under them, COMMIT. Clearing and
 * putting back differ only in what is done. While locks are held the disk work is the journal's
 * "commit-sent" record, whose space was reserved before; and, of rows that are put back, reading
 * each once, within the budget for locks.
 */
#ifndef CORE_LOCKED_CHANGE_H
#define CORE_LOCKED_CHANGE_H

#include "port/axdb_store.h"
#include "port/backup.h"
#include "port/journal.h"
#include "port/observer.h"

#include <stdbool.h>
#include <stdint.h>

/** What a change works with; all borrowed. */
struct locked_change {
    struct axdb_store *store;
    int64_t max_lock_ms; /* budget for locks */
    struct journal *journal;
    struct observer *observer;
    /** Under the locks; may be called again after a rollback. False = roll back. `ret_rows` = rows
     * changed in each table. */
    bool (*change)(void *ctx, int64_t ret_rows[AXDB_TABLES], struct err *err);
    void *ctx;
    const char *done_but_unsaid; /* err_wrap text when the journal fails behind a COMMIT */
};

struct locked_result {
    enum commit_state commit; /* COMMIT_NOT when it was not even sent */
    bool commit_sent;         /* the journal says so */
    bool journal_ok; /* false: the journal could not be written after the commit was sent */
    int64_t rows[AXDB_TABLES]; /* changed; 0 when rolled back */
    int64_t locked_ms;         /* -1 = locks were never held */
};

/**
 * Lock, change, journal "commit-sent", commit. Lock timeouts and deadlocks are tried again up to 3
 * times from the start.
 *
 * @param change  what to do
 * @param ret     written in every case
 * @param err     on false: as change->change; ERR_LOCK; ERR_STORAGE; ERR_OUTCOME when the COMMIT
 *                got no answer
 * @return        true when the commit is done and on record
 */
MUST_CHECK bool locked_change_run(const struct locked_change *change, struct locked_result *ret,
                                  struct err *err);

/**
 * Under the locks: columns, triggers, foreign keys and policies as they were at the first look?
 * ERR_STALE.
 *
 * @param store  in its transaction
 * @param then   of the three tables, as seen when the plan was made
 * @param arena  for the second look
 * @param err    filled on failure
 */
MUST_CHECK bool locked_catalog_unchanged(struct axdb_store *store,
                                         const struct axdb_table_evidence *then,
                                         struct arena *arena, struct err *err);

/** Under the locks, where something else than the server may take its time: ERR_LOCK when they have
 * been held for as long as they may. */
MUST_CHECK bool locked_in_time(const struct axdb_store *store, int64_t max_lock_ms,
                               struct err *err);

/** Tables that a change has no business with. Zero = none is watched. */
struct locked_watch {
    bool watched[AXDB_TABLES];
    struct table_state states[AXDB_TABLES];
};

/**
 * Under the locks, before the change: tables that it leaves alone. They are read only where a
 * trigger of a changed table may reach them: when it has one, or when that is not known.
 *
 * @param store    in its transaction
 * @param tables   evidence of the three tables
 * @param changed  tables that are changed
 * @param ret      for locked_watch_end
 * @param err      filled on failure
 */
MUST_CHECK bool locked_watch_begin(struct axdb_store *store,
                                   const struct axdb_table_evidence *tables,
                                   const bool changed[AXDB_TABLES], struct locked_watch *ret,
                                   struct err *err);

/** After the change, before COMMIT: ERR_SERVER when a watched table is not as it was. */
MUST_CHECK bool locked_watch_end(struct axdb_store *store, const struct axdb_table_evidence *tables,
                                 const struct locked_watch *watch, struct err *err);

#endif
