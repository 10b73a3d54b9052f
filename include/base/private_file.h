/** Files whose contents are believed: they belong to this user or root, and nobody else may change
 * them; nor read them, where they hold a secret. */
#ifndef BASE_PRIVATE_FILE_H
#define BASE_PRIVATE_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Read a whole private file of at most `max` bytes into malloc'd memory, a NUL behind it; the
 * caller wipes (secret_clear_memory) and frees. What was checked is what is read. ERR_CONFIG unless
 * `path` is a regular file of this user or root that nobody else may read, write or execute.
 */
MUST_CHECK bool private_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
                                  struct err *err);

/** Is `path` a file as above, whatever it holds? ERR_CONFIG. */
MUST_CHECK bool private_file_check(const char *path, struct err *err);

/**
 * The same as private_file_read for a file that others may read, and that names commands and
 * targets: ERR_CONFIG unless `path` is a regular file of this user or root that nobody else may
 * write.
 */
MUST_CHECK bool trusted_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
                                  struct err *err);

/**
 * The same for a file that anybody may own: a regular file, of at most `max` bytes. ERR_CONFIG.
 */
MUST_CHECK bool shared_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
                                 struct err *err);

#endif
