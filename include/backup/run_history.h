/** The history of a runs directory. */
#ifndef BACKUP_RUN_HISTORY_H
#define BACKUP_RUN_HISTORY_H

#include "backup/backup_key.h"
#include "base/err.h"
#include "port/run_history.h"

#include <stdbool.h>

/**
 * Nothing is looked at before it is asked for: the directory need not be there.
 *
 * @param runs_dir  absolute; copied
 * @param key       for backups that are encrypted, borrowed; NULL = none
 * @param ret       free with run_history_free
 * @param err       ERR_CONFIG: not absolute
 */
MUST_CHECK bool run_history_new(const char *runs_dir, const struct backup_key *key,
                                struct run_history **ret, struct err *err);
void run_history_free(struct run_history *history); /* NULL is allowed */

#endif
