/** SHA256SUMS: the files of a run in the format of sha256sum(1). */
#ifndef BACKUP_SUMS_H
#define BACKUP_SUMS_H

#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Write directory/SHA256SUMS over every regular file of the directory and of its folder "backup",
 * sorted by name; durable. `sha256sum -c SHA256SUMS` checks it there. ERR_STORAGE.
 */
MUST_CHECK bool sums_write(const char *directory, struct err *err);

/** What sums_write would write now. ERR_STORAGE. */
MUST_CHECK bool sums_render(const char *directory, struct text *ret, struct err *err);

/** "<64 hex>  name\n" at `line`: the name's first character and its length; NULL when it is none.
 */
const char *sums_line(const char *line, struct digest *ret_digest, size_t *ret_size);

/** SHA256SUMS as it lies there; zero-initialised = none. */
struct sums {
    char *text; /* NULL: there is no such file, the run was never finished */
};

/** `struct sums` that frees itself at the end of its scope. */
#define SUMS_SCOPED __attribute__((cleanup(sums_done))) struct sums
void sums_done(struct sums *sums);

/** Read directory/SHA256SUMS, if it is there. ERR_STORAGE: unreadable, or not a list of sums. */
MUST_CHECK bool sums_load(const char *directory, struct sums *ret, struct err *err);

/** The sum of a file; false when it is not listed. */
bool sums_find(const struct sums *sums, const char *name, struct digest *ret);

/** True when the file is not listed, or is as listed. ERR_STORAGE: missing or changed. */
MUST_CHECK bool sums_check(const struct sums *sums, const char *directory, const char *name,
                           struct err *err);

#endif
