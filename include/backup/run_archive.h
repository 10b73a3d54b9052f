/** The runs in a runs directory, read only. */
#ifndef BACKUP_RUN_ARCHIVE_H
#define BACKUP_RUN_ARCHIVE_H

#include "backup/backup_key.h"
#include "base/err.h"
#include "port/run_archive.h"

#include <stdbool.h>

/**
 * Nothing is looked at before a run is opened: the directory need not be there.
 *
 * @param runs_dir  absolute; copied
 * @param key       for backups that are encrypted, borrowed; NULL = none
 * @param ret       free with run_archive_free, after every run that it opened is closed
 * @param err       ERR_CONFIG: not absolute
 */
MUST_CHECK bool run_archive_new(const char *runs_dir, const struct backup_key *key,
                                struct run_archive **ret, struct err *err);
void run_archive_free(struct run_archive *archive); /* NULL is allowed */

#endif
