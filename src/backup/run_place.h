/** Where runs are kept: does it last, is there room, and is a directory there one to be trusted? */
#ifndef BACKUP_RUN_PLACE_H
#define BACKUP_RUN_PLACE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Make the runs directory with whatever is missing above it (0700, durable), and check that it
 * lasts, has room, belongs to this user or root, and that not everybody may write in it (but in one
 * like /tmp, where nobody can rename what is another's). ERR_STORAGE.
 *
 * @param runs_dir        absolute
 * @param allow_volatile  a file system in memory is accepted
 * @param expected_bytes  what a run may need
 * @param err             filled on failure
 */
MUST_CHECK bool run_place_make(const char *runs_dir, bool allow_volatile, uint64_t expected_bytes,
                               struct err *err);

/**
 * As run_place_make would find out, and a small file is written and removed again. Nothing stays:
 * where the runs directory is missing, what is tried is the nearest directory above it.
 *
 * @param runs_dir        absolute
 * @param allow_volatile  a file system in memory is accepted
 * @param expected_bytes  what a run may need
 * @param ret_free_bytes  set as soon as it is known, also on failure
 * @param err             filled on failure
 */
MUST_CHECK bool run_place_probe(const char *runs_dir, bool allow_volatile, uint64_t expected_bytes,
                                uint64_t *ret_free_bytes, struct err *err);

/**
 * Is this a directory whose contents may be believed: no symbolic link, owned by this user or by
 * root, writable for nobody else? What lies in a run goes back into a database, so whoever can
 * write there could write into that database. ERR_STORAGE.
 */
MUST_CHECK bool run_place_trusted(const char *directory, struct err *err);

#endif
