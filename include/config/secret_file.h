/** A password or client secret in a file of its own. */
#ifndef CONFIG_SECRET_FILE_H
#define CONFIG_SECRET_FILE_H

#include "base/err.h"
#include "base/secret.h"

enum { SECRET_FILE_MAX_BYTES = 4096 };

/**
 * Read a secret: one line, its line end dropped. ERR_CONFIG unless `path` is a regular file that
 * belongs to this user or root and that nobody else may read, write or execute; also when it is
 * empty, has a second line, or is longer than SECRET_FILE_MAX_BYTES.
 */
MUST_CHECK bool secret_file_read(const char *path, struct secret *ret, struct err *err);

/** Is `path` a file as above, whatever it holds? For those that are read by others. ERR_CONFIG. */
MUST_CHECK bool secret_file_check(const char *path, struct err *err);

#endif
