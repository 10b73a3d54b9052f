/** One run in full. Private to backup/. */
#ifndef BACKUP_RUN_DETAILS_H
#define BACKUP_RUN_DETAILS_H

#include "port/run_history.h"

/** run_history.details, of a path that was found already. */
MUST_CHECK bool run_details_load(const char *path, bool by_name, struct arena *arena,
                                 struct run_details *ret, struct err *err);

#endif
