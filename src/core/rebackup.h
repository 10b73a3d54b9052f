/**
 * Rows that changed between the backup and their delete: backed up once more, in the version that
 * they have now, where nothing but the service's own stamps is different. Private to core/.
 */
#ifndef CORE_REBACKUP_H
#define CORE_REBACKUP_H

#include "core/runtime_refs.h"
#include "core/settle.h"
#include "port/run_dir.h"

#include <stdbool.h>

/** What it works with; all borrowed. */
struct rebackup_job {
    struct runtime_store *store;
    struct run_dir *dir;
    const struct backup_rows *backup; /* the rows as they were sealed first */
    struct journal *journal;
    bool without_versions; /* `ret` then has each row's digest in the place of its version */
    void *ctx;             /* of the two calls */
    /** There is no such row any more. */
    bool (*gone)(void *ctx, const char *key, struct err *err);
    /** It has other contents than the backup: it stays. */
    bool (*differs)(void *ctx, const char *key, struct err *err);
};

/**
 * Read each of these rows, write those that are the same row into a further backup, read that again
 * from the disk, compare, seal it, put it on record.
 *
 * @param job      what to work with
 * @param changed  in key order
 * @param ret      gets the rows that are sealed now, with their new versions; untouched on failure
 * @param err      as the store; ERR_STORAGE
 */
MUST_CHECK bool rebackup_rows(const struct rebackup_job *job, const struct runtime_refs *changed,
                              struct runtime_refs *ret, struct err *err);

#endif
