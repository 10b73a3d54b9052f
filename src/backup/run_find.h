/** Which run is meant: by name, by the front part of a name, by path, or the last one. */
#ifndef BACKUP_RUN_FIND_H
#define BACKUP_RUN_FIND_H

#include "base/err.h"

#include <stdbool.h>

/**
 * The directory of the run that `name` means; whether it is one is for the caller to see.
 * ERR_USAGE: none or several are meant, and the hint lists what is there; ERR_STORAGE.
 *
 * @param runs_dir  absolute
 * @param name      a name, the front of one, "last", or (with a slash, or "." and "..") a path
 * @param ret_path  absolute, malloc'd (caller frees)
 * @param err       filled on failure
 */
MUST_CHECK bool run_find(const char *runs_dir, const char *name, char **ret_path, struct err *err);

/** True when run_find takes it as a path. */
bool run_find_is_path(const char *name);

#endif
