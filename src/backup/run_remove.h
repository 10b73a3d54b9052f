/** Old runs are taken away. Private to backup/. */
#ifndef BACKUP_RUN_REMOVE_H
#define BACKUP_RUN_REMOVE_H

#include "port/run_history.h"

/** run_history.remove. */
MUST_CHECK bool run_remove(const char *runs_dir, const char *id,
                           const struct run_remove_guard *guard, const char *record,
                           struct err *err);

/** run_history.remove_leftover. */
MUST_CHECK bool run_remove_leftover(const char *runs_dir, const char *name, struct err *err);

/** Fill ret->leftovers. ERR_STORAGE. */
MUST_CHECK bool run_remove_leftovers(const char *runs_dir, struct arena *arena,
                                     struct run_list *ret, struct err *err);

#endif
