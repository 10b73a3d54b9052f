/**
 * Creating the Dataverse rows of a backup again: the one place where rows enter Dataverse. A row
 * whose key is there already is never changed.
 */
#ifndef CORE_REINSTATE_H
#define CORE_REINSTATE_H

#include "base/arena.h"
#include "port/backup.h"
#include "port/observer.h"
#include "port/plan_file.h"
#include "port/run_archive.h"
#include "port/run_dir.h"
#include "port/runtime_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REINSTATE_LISTED = 1000 }; /* rows that did not come back: so many are named */

/** How Dataverse and the backup compare, row by row. */
struct reinstate_check {
    int64_t same;      /* of the backup: there, and the same but for what a new row gets */
    int64_t differing; /* of the backup: there with other contents */
    int64_t absent;    /* of the backup: not there */
    int64_t others;    /* there, and not in the backup */
};

struct reinstate_plan {
    struct reinstate_check found;
    struct table_state there;   /* rows in Dataverse now */
    struct table_state missing; /* rows of the backup that would be created */
    unsigned char *wanted;      /* one for each row of the backup in its order: create it */
    size_t wanted_count, wanted_capacity;
};

void reinstate_plan_done(struct reinstate_plan *plan);

/**
 * Compare Dataverse with the backup. Both are streamed beside each other in key order.
 *
 * @param store  connected
 * @param run    the archived run, with a sealed backup of TABLE_RUNTIME
 * @param file   receives schema and key of each row that would be created, or NULL
 * @param ret    reinstate_plan_done frees it, also after failure
 * @param err    filled on failure
 */
MUST_CHECK bool reinstate_plan_make(struct runtime_store *store, struct archived_run *run,
                                    struct plan_file *file, struct reinstate_plan *ret,
                                    struct err *err);

/** The same look without a plan: the proof that ends an undo. */
MUST_CHECK bool reinstate_compare(struct runtime_store *store, struct archived_run *run,
                                  struct reinstate_check *ret, struct err *err);

/** What a creating works with; all borrowed. */
struct reinstate_job {
    struct runtime_store *store;
    struct archived_run *run;
    const struct reinstate_plan *plan;
    struct journal *journal;
    struct observer *observer;
    struct arena *arena; /* for the result */
};

struct reinstate_result {
    int64_t done, there, failed, unknown;
    const struct returned *left; /* the first REINSTATE_LISTED that failed or are unknown */
    size_t left_count;
    bool target_changed; /* a row was created, or may have been */
    bool paced;
    struct runtime_pace pace; /* as it was last told; `paused_why` is NULL */
};

/**
 * Create the missing rows. Intent and outcome of every row are journalled.
 *
 * @param job  what to create, and with what
 * @param ret  written in every case
 * @param err  on false: why it stopped before its end; running the undo again goes on
 * @return     true when every row has an outcome (which may be a failure)
 */
MUST_CHECK bool reinstate_rows(const struct reinstate_job *job, struct reinstate_result *ret,
                               struct err *err);

#endif
