/** Every file of a run is read again. Private to backup/. */
#ifndef BACKUP_RUN_VERIFY_H
#define BACKUP_RUN_VERIFY_H

#include "backup/backup_key.h"
#include "port/run_history.h"

/** run_history.verify, of a path that was found already. */
MUST_CHECK bool run_verify_files(const char *path, bool by_name, const struct backup_key *key,
                                 const struct run_check_sink *sink, struct err *err);

#endif
