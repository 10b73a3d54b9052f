/**
 * Purging the Dataverse table: the one place where rows leave Dataverse. Each row goes only in a
 * version that is in a sealed backup (If-Match).
 */
#ifndef CORE_PURGE_H
#define CORE_PURGE_H

#include "base/arena.h"
#include "core/plan.h"
#include "core/seal.h"
#include "core/settle.h"
#include "port/observer.h"
#include "port/run_dir.h"
#include "port/runtime_store.h"

#include <stdbool.h>

enum {
    PURGE_ROUNDS = 3,    /* a row that changed is backed up again so often, then it stays */
    PURGE_LISTED = 1000, /* rows that did not leave: so many are named, all are counted */
};

/** What a purge works with; all borrowed. */
struct purge_job {
    struct runtime_store *store;
    const struct plan *plan;      /* the rows */
    const unsigned char *settled; /* one for each of them: not 0 = it has left; NULL = none has */
    bool without_versions;        /* the service compares none: see below */
    bool may_compare;             /* the operator accepted that rows without a version go */
    const struct sealed *sealed;  /* the sealed backup; asserted to be sealed */
    const struct backup_rows *backup; /* its rows */
    struct run_dir *dir;              /* for further backups */
    struct journal *journal;          /* of the run */
    struct observer *observer;
    struct arena *arena; /* for the result */
};

struct purge_result {
    int64_t done, gone, changed, failed, unknown;
    int64_t backed_up_again;    /* rows, each time counted */
    const struct removal *left; /* the first PURGE_LISTED rows that did not leave, in the arena */
    size_t left_count;
    bool target_changed; /* a row went, or may have gone */
    bool paced;
    struct runtime_pace pace; /* as it was last told; `paused_why` is NULL */
};

/**
 * Delete the plan's runtime configurations. Intent and outcome of every row are journalled. Rows
 * that changed since the backup are read: where only the service's stamps differ they are backed up
 * again and deleted in that version, up to PURGE_ROUNDS times.
 *
 * Rows without a version, and all of them when the service compares none, are read one by one just
 * before their delete and compared with their copy; they are then deleted as they are. Stamped ones
 * are backed up again as above. What changes between the look and the delete is lost: the caller
 * has let the operator accept that.
 *
 * @param job      what to purge, and with what
 * @param ret      written in every case
 * @param err      on false: why the purge stopped before its end; rows without outcome are
 * untouched
 * @return         true when every row has an outcome (which may be a failure)
 */
MUST_CHECK bool purge_rows(const struct purge_job *job, struct purge_result *ret, struct err *err);

#endif
