/** The lock of a target on this machine: runs/locks/<16 hex>.lock, held by flock(2); and that of a
 * run. */
#ifndef BACKUP_RUN_LOCK_H
#define BACKUP_RUN_LOCK_H

#include "base/err.h"

#include <stdbool.h>

/**
 * Take the lock without waiting. ERR_LOCK when another run holds it: says which.
 *
 * @param runs_dir  where runs are kept; "locks" is made in it
 * @param target    any text that names the target; only its SHA-256 is in the file's name
 * @param run_id    written into the file, for whoever comes second
 * @param ret_fd    the lock lasts until run_lock_release
 * @param err       filled on failure
 */
MUST_CHECK bool run_lock_take(const char *runs_dir, const char *target, const char *run_id,
                              int *ret_fd, struct err *err);

/** Empties the file and gives the lock back, also when a child process still has it open; *fd
 * becomes -1. Nothing happens when it is -1. */
void run_lock_release(int *fd);

/**
 * One process works on a run: flock(2) on its run.json, which is there from the first moment and
 * never changes. ERR_LOCK when another process holds it; ERR_STORAGE.
 *
 * @param path    the run's directory
 * @param run_id  for messages
 * @param ret_fd  the lock lasts until run_lock_release_run
 * @param err     filled on failure
 */
MUST_CHECK bool run_lock_take_run(const char *path, const char *run_id, int *ret_fd,
                                  struct err *err);

/** Does a process work on the run? False also where that cannot be told. */
bool run_lock_run_is_held(const char *path);

/** One prune at a time in a runs directory: runs/locks/prune.lock. ERR_LOCK, ERR_STORAGE. */
MUST_CHECK bool run_lock_take_prune(const char *runs_dir, int *ret_fd, struct err *err);

/** Gives the lock back, also when a child process still has it open; *fd becomes -1. Nothing
 * happens when it is -1. */
void run_lock_release_run(int *fd);

#endif
