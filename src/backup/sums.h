/** SHA256SUMS: the files of a run in the format of sha256sum(1). */
#ifndef BACKUP_SUMS_H
#define BACKUP_SUMS_H

#include "base/err.h"

#include <stdbool.h>

/**
 * Write directory/SHA256SUMS over every regular file of the directory and of its folder "backup",
 * sorted by name; durable. `sha256sum -c SHA256SUMS` checks it there. ERR_STORAGE.
 */
MUST_CHECK bool sums_write(const char *directory, struct err *err);

#endif
