/** How far a run came, as its journal says. */
#ifndef BACKUP_RUN_PROGRESS_H
#define BACKUP_RUN_PROGRESS_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "port/run_archive.h"

#include <stdbool.h>

enum { RUN_PROGRESS_ARENA_BYTES = 256 * 1024 };

/**
 * Read the journal of the run in `path`: its chain, and what SHA256SUMS says of it, are proven.
 * When a run goes on, records are added behind those that SHA256SUMS covers: so it must cover all
 * of them, or all up to the end of an earlier try. ERR_STORAGE.
 *
 * @param path          the run's directory
 * @param arena         holds the strings
 * @param ret           how far the run came
 * @param ret_finished  SHA256SUMS covers all of it: the run was finished, and has not gone on
 * @param err           filled on failure
 */
MUST_CHECK bool run_progress_load(const char *path, struct arena *arena, struct run_progress *ret,
                                  bool *ret_finished, struct err *err);

#endif
