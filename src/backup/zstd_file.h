/** One zstd frame in a file, encrypted or not: written and read as a stream, with zstd's own
 * checksum on. */
#ifndef BACKUP_ZSTD_FILE_H
#define BACKUP_ZSTD_FILE_H

#include "base/digest.h"
#include "base/err.h"
#include "crypt_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zstd_writer; /* opaque */

/** A new file, 0600. ERR_STORAGE. */
MUST_CHECK bool zstd_writer_open(const char *path, const struct crypt_with *with,
                                 struct zstd_writer **ret, struct err *err);
MUST_CHECK bool zstd_writer_add(struct zstd_writer *writer, const void *bytes, size_t size,
                                struct err *err);

/** End the frame and sync the file; size and SHA-256 of the bytes in it. ERR_STORAGE. */
MUST_CHECK bool zstd_writer_end(struct zstd_writer *writer, uint64_t *ret_bytes,
                                struct digest *ret_digest, struct err *err);
void zstd_writer_free(struct zstd_writer *writer); /* NULL is allowed */

struct zstd_reader; /* opaque */

/** Reads `fd` (borrowed) from where it stands. `path` is borrowed, for messages. */
MUST_CHECK bool zstd_reader_open(int fd, const char *path, const struct crypt_with *with,
                                 struct zstd_reader **ret, struct err *err);

/** At most `size` bytes; 0 only after a whole frame with nothing behind it. ERR_STORAGE: truncated,
 * damaged, or something follows. A `line_source` (lines.h): ctx is the reader. */
bool zstd_reader_read(void *reader, void *bytes, size_t size, size_t *ret_got, struct err *err);
void zstd_reader_free(struct zstd_reader *reader); /* NULL is allowed */

#endif
