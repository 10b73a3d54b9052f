/** A run for a ticket. Private to backup/. */
#ifndef BACKUP_RUN_BUNDLE_H
#define BACKUP_RUN_BUNDLE_H

#include "port/run_history.h"

/** run_history.bundle, of a path that was found already. */
MUST_CHECK bool run_bundle_write(const char *runs_dir, const char *path, const char *program,
                                 const struct run_bundle_out *out, struct err *err);

#endif
