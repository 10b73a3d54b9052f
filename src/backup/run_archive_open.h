/** A run of the past, opened by the path of its directory. Private to backup/. */
#ifndef BACKUP_RUN_ARCHIVE_OPEN_H
#define BACKUP_RUN_ARCHIVE_OPEN_H

#include "backup/backup_key.h"
#include "port/run_archive.h"

/** As run_archive.open with a path that was found already. `by_name`: the directory must have the
 * name of its run. */
MUST_CHECK bool run_archive_open_path(const char *path, bool by_name, const struct backup_key *key,
                                      struct arena *arena, struct archived_run **ret,
                                      struct err *err);

#endif
