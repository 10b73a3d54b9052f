/**
 * Purging the Dataverse table: the one place where rows leave Dataverse. Each row goes only in the
 * version that is in the sealed backup (If-Match).
 */
#ifndef CORE_PURGE_H
#define CORE_PURGE_H

#include "base/arena.h"
#include "core/plan.h"
#include "core/seal.h"
#include "port/journal.h"
#include "port/observer.h"
#include "port/runtime_store.h"

#include <stdbool.h>

/** What a purge works with; all borrowed. */
struct purge_job {
    struct runtime_store *store;
    const struct plan *plan;     /* the rows */
    const struct sealed *sealed; /* the sealed backup; asserted to be sealed */
    struct journal *journal;
    struct observer *observer;
    struct arena *arena; /* for the result */
};

struct purge_result {
    int64_t done, gone, changed, failed, unknown;
    const struct removal *left; /* every row that did not leave, in the arena */
    size_t left_count;
    bool target_changed; /* a row went, or may have gone */
};

/**
 * Delete the plan's runtime configurations. Intent and outcome of every row are journalled.
 *
 * @param job      what to purge, and with what
 * @param ret      written in every case
 * @param err      on false: why the purge stopped before its end; rows without outcome are
 * untouched
 * @return         true when every row has an outcome (which may be a failure)
 */
MUST_CHECK bool purge_rows(const struct purge_job *job, struct purge_result *ret, struct err *err);

#endif
