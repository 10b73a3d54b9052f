/**
 * Putting rows of a backup back into the AxDB tables: the one place where rows enter the database.
 * Rows that are there already are never changed.
 */
#ifndef CORE_RESTORE_H
#define CORE_RESTORE_H

#include "base/arena.h"
#include "core/locked_change.h"
#include "core/row_index.h"
#include "port/backup.h"
#include "port/plan_file.h"
#include "port/run_archive.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What would happen to the rows of one table. */
struct restore_table {
    const struct schema *schema; /* of the backup; NULL = the table is not in it */
    struct table_state there;    /* rows in the table now */
    struct table_state missing;  /* rows of the backup that would be put back */
    int64_t present;             /* of the backup: there, equal */
    int64_t differing;           /* of the backup: there with other contents; left as they are */
    unsigned char *wanted;       /* one for each row of the backup in its order: put it back */
    size_t wanted_count, wanted_capacity;
    struct row_index
        wanted_rows; /* of those that are put back, as the backup proved to hold them */
};

struct restore_plan {
    struct restore_table tables[AXDB_TABLES];
};

void restore_plan_done(struct restore_plan *plan);

/**
 * Compare the tables with the backup, without locks. ERR_STALE: the columns are no longer those of
 * the backup.
 *
 * @param store   connected
 * @param tables  evidence of the three tables
 * @param run     the archived run, with a sealed backup
 * @param file    receives schema and key of each row that would be put back, or NULL
 * @param ret     restore_plan_done frees it, also after failure
 * @param err     filled on failure
 */
MUST_CHECK bool restore_plan_make(struct axdb_store *store,
                                  const struct axdb_table_evidence *tables,
                                  struct archived_run *run, struct plan_file *file,
                                  struct restore_plan *ret, struct err *err);

/** What a restoring works with; all borrowed. */
struct restore_job {
    struct axdb_store *store;
    const struct axdb_table_evidence *tables; /* when the plan was made */
    struct archived_run *run;
    const struct restore_plan *plan;
    int64_t max_lock_ms;
    struct journal *journal;
    struct observer *observer;
    struct arena *arena;
};

/**
 * Put the missing rows back in one transaction. Under the locks the tables must still be as
 * planned; after the last insert every row is read again: each row that was put back has the
 * backup's digest, each row that was there before is there unchanged, and there is no other. Rows
 * come from the backup once, within the budget for locks; the digests are those of the planning.
 *
 * @param job  what to put back
 * @param ret  written in every case; rows = put back
 * @param err  as locked_change_run; ERR_STALE: the tables are not as planned; ERR_SERVER: a row did
 *             not come back exactly
 */
MUST_CHECK bool restore_tables(const struct restore_job *job, struct locked_result *ret,
                               struct err *err);

/** What the last look works with; all borrowed. */
struct restore_look {
    struct axdb_store *store;                 /* connected */
    const struct axdb_table_evidence *tables; /* as this connection sees them */
    struct archived_run *run;
    const struct restore_plan *plan;
    int64_t max_lock_ms;
};

/**
 * Compare every table of the backup with it, row by row. The tables are read under their locks, all
 * of them at one time; the backup when they are free again.
 *
 * @param look  at what
 * @param ret   one for each table; zero for one that is not in the backup
 * @param err   filled on failure
 */
MUST_CHECK bool restore_look(const struct restore_look *look, struct row_counts ret[AXDB_TABLES],
                             struct err *err);

#endif
