/** Files that must survive a crash: what a function here has written is on stable storage when it
 * returns. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Write all bytes; retries EINTR and short writes. ERR_STORAGE names `path`. */
MUST_CHECK bool file_write_all(int fd, const void *bytes, size_t size, const char *path,
                               struct err *err);

/** fsync a file or a directory. ERR_STORAGE. */
MUST_CHECK bool file_sync(int fd, const char *path, struct err *err);
MUST_CHECK bool file_sync_directory(const char *path, struct err *err);

/** Create or replace `path` with these bytes and `mode`: temporary name, write, fsync, rename,
 * fsync directory. */
MUST_CHECK bool file_replace(const char *path, const void *bytes, size_t size, unsigned mode,
                             struct err *err);

/** Give a file its last name, only where nothing has that name (a rename would replace). The
 * directory is the caller's to sync. ERR_STORAGE, also when `to` is there. */
MUST_CHECK bool file_rename_new(const char *from, const char *to, struct err *err);

/** Read a whole file of at most `max` bytes into malloc'd memory (caller frees), a NUL behind it.
 * ERR_CONFIG. */
MUST_CHECK bool file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
                          struct err *err);

/** mkdir -p with `mode` for every directory that is missing. ERR_STORAGE. */
MUST_CHECK bool file_make_directories(const char *path, unsigned mode, struct err *err);

enum file_system { FILE_SYSTEM_DISK, FILE_SYSTEM_MEMORY /* tmpfs, ramfs */, FILE_SYSTEM_OVERLAY };

/** What kind of file system holds `path`, and how many bytes are free for us. ERR_STORAGE. */
MUST_CHECK bool file_system_of(const char *path, enum file_system *ret_kind,
                               uint64_t *ret_free_bytes, struct err *err);

/** `int` file descriptor that closes itself at the end of its scope: FILE_SCOPED fd = -1; */
#define FILE_SCOPED __attribute__((cleanup(file_close))) int
void file_close(int *fd);

#endif
