/** A run for a ticket. Private to backup/. */
#ifndef BACKUP_RUN_BUNDLE_H
#define BACKUP_RUN_BUNDLE_H

#include "backup/backup_key.h"
#include "port/run_history.h"

/** Where a bundle comes from. Borrowed. */
struct run_bundle_of {
    const char *runs_dir, *path;
    const struct backup_key *key; /* NULL = none */
    const char *program;
};

/** run_history.bundle, of a path that was found already. */
MUST_CHECK bool run_bundle_write(const struct run_bundle_of *of, const struct run_bundle_out *out,
                                 struct err *err);

#endif
