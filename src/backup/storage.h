/**
 * Files and directories of a run: owner-only whatever the umask, never through a symbolic link,
 * closed on exec.
 */
#ifndef BACKUP_STORAGE_H
#define BACKUP_STORAGE_H

#include "base/digest.h"
#include "base/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** `char *` that frees itself at the end of its scope. */
#define STORAGE_SCOPED_STRING __attribute__((cleanup(storage_free_string))) char *
void storage_free_string(char **string);

/** `cJSON *` that frees itself at the end of its scope. */
#define STORAGE_SCOPED_JSON __attribute__((cleanup(storage_free_json))) cJSON *
void storage_free_json(cJSON **json);

/** "directory/name", malloc'd (caller frees); a slash at the end of `directory` is not doubled.
 * NULL when out of memory. */
char *storage_path(const char *directory, const char *name);

/** A copy, malloc'd (caller frees). NULL when out of memory. */
char *storage_copy(const char *string);

/** A copy without slashes at the end or twice in a row: paths are shown, and pasted. Malloc'd
 * (caller frees). NULL when out of memory. */
char *storage_plain_path(const char *path);

/** Fill `err` for an allocation that failed; returns false. */
bool storage_no_memory(struct err *err);

/** Hand a descriptor over: the value, and -1 stays behind. */
int storage_take(int *fd);

/** A new file, 0600, for reading and writing. ERR_STORAGE, also when it exists. */
MUST_CHECK bool storage_create(const char *path, int *ret_fd, struct err *err);

/** An existing regular file, for reading. ERR_STORAGE. */
MUST_CHECK bool storage_open(const char *path, int *ret_fd, struct err *err);

/** As storage_open, and what the page cache holds of the file is dropped, so that reads come from
 * the disk as far as the system allows. */
MUST_CHECK bool storage_open_cold(const char *path, int *ret_fd, struct err *err);

/**
 * A whole regular file of at most `max` bytes, malloc'd (caller frees), a NUL behind it.
 * ERR_STORAGE.
 */
MUST_CHECK bool storage_read_small(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
                                   struct err *err);

/** A new directory, 0700. `ret_existed` (may be NULL) tells apart what was there; without it an
 * existing directory is an error. ERR_STORAGE. */
MUST_CHECK bool storage_make_directory(const char *path, bool *ret_existed, struct err *err);

/** SHA-256 and size of what is left to read of `fd`. ERR_STORAGE. */
MUST_CHECK bool storage_digest(int fd, const char *path, struct digest *ret_digest,
                               uint64_t *ret_bytes, struct err *err);

/** Read at most `size` bytes; 0 = end of file. Retries EINTR. ERR_STORAGE. */
MUST_CHECK bool storage_read(int fd, const char *path, void *bytes, size_t size, size_t *ret_got,
                             struct err *err);

/** Set the size of a file. Retries EINTR (a network file system may be interrupted). ERR_STORAGE.
 */
MUST_CHECK bool storage_truncate(int fd, off_t size, const char *path, struct err *err);

/** A JSON value that fills the bytes exactly, or NULL: not JSON, or something behind it. */
cJSON *storage_parse_json(const char *bytes, size_t size);

/** The string member `name` of an object, or NULL. */
const char *storage_json_string(const cJSON *object, const char *name);

/** The 64-bit number that a string member holds; it must be within [0, max]. */
MUST_CHECK bool storage_json_number(const cJSON *object, const char *name, int64_t max,
                                    int64_t *ret);

#endif
