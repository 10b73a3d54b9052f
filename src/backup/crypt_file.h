/**
 * An encrypted stream in a file: libsodium's secretstream (XChaCha20-Poly1305), cut into pieces of
 * 64 KiB. A piece that was changed, left out, moved or cut off is found when it is read
 * (https://doc.libsodium.org/secret-key_cryptography/secretstream).
 */
#ifndef BACKUP_CRYPT_FILE_H
#define BACKUP_CRYPT_FILE_H

#include "backup/backup_key.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CRYPT_METHOD "xchacha20poly1305-secretstream"

/** What a stream is encrypted with, and for. `purpose` is bound to every piece: a file cannot stand
 * in for another one. Borrowed. */
struct crypt_with {
    const struct backup_key *key; /* NULL = not encrypted */
    const char *purpose;
};

/** Where the encrypted bytes go. */
struct crypt_sink {
    void *ctx;
    bool (*take)(void *ctx, const void *bytes, size_t size, struct err *err);
};

struct crypt_writer; /* opaque */

/** The head goes to the sink at once. ERR_INTERNAL, or as the sink. */
MUST_CHECK bool crypt_writer_new(const struct crypt_with *with, struct crypt_sink sink,
                                 struct crypt_writer **ret, struct err *err);
MUST_CHECK bool crypt_writer_add(struct crypt_writer *writer, const void *bytes, size_t size,
                                 struct err *err);
/** The last piece, which says that it is the last. */
MUST_CHECK bool crypt_writer_end(struct crypt_writer *writer, struct err *err);
void crypt_writer_free(struct crypt_writer *writer); /* wipes; NULL is allowed */

struct crypt_reader; /* opaque */

/** Reads `fd` (borrowed) from where it stands. `path` is borrowed, for messages. */
MUST_CHECK bool crypt_reader_new(const struct crypt_with *with, int fd, const char *path,
                                 struct crypt_reader **ret, struct err *err);

/** At most `size` bytes; 0 only behind the last piece. ERR_STORAGE: damaged, cut off, or another
 * key. */
MUST_CHECK bool crypt_reader_read(struct crypt_reader *reader, void *bytes, size_t size,
                                  size_t *ret_got, struct err *err);
void crypt_reader_free(struct crypt_reader *reader); /* wipes; NULL is allowed */

#endif
