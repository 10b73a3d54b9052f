/** Which run is meant: by name, by the front part of a name, by path, or the last one. */
#ifndef BACKUP_RUN_FIND_H
#define BACKUP_RUN_FIND_H

#include "base/err.h"
#include "port/run_dir.h"

#include <stdbool.h>
#include <stddef.h>

/** Names of the runs in a directory, the last one first; zero-initialised = none. */
struct run_names {
    char (*list)[RUN_ID_BYTES];
    size_t count, capacity;
};

/** ERR_USAGE: there is no such directory; ERR_STORAGE. `names` is released by run_names_done, also
 * after a failure. */
MUST_CHECK bool run_names_list(const char *runs_dir, struct run_names *names, struct err *err);
void run_names_done(struct run_names *names);

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
