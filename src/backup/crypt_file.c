#include "crypt_file.h"

#include "storage.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_BYTES = 64 * 1024,
    SEALED_BYTES = PIECE_BYTES + crypto_secretstream_xchacha20poly1305_ABYTES,
    HEAD_BYTES = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
};

static const unsigned char *
key_of(const struct crypt_with *with)
{
    return (const unsigned char *)secret_reveal(&with->key->bytes);
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct crypt_writer {
    crypto_secretstream_xchacha20poly1305_state state;
    const char *purpose;
    struct crypt_sink sink;
    size_t used;
    unsigned char plain[PIECE_BYTES];
    unsigned char sealed[SEALED_BYTES];
};

bool
crypt_writer_new(const struct crypt_with *with, struct crypt_sink sink, struct crypt_writer **ret,
                 struct err *err)
{
    unsigned char head[HEAD_BYTES];
    struct crypt_writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return storage_no_memory(err);
    writer->purpose = with->purpose;
    writer->sink = sink;
    (void)crypto_secretstream_xchacha20poly1305_init_push(&writer->state, head, key_of(with));
    if (!sink.take(sink.ctx, head, sizeof(head), err)) {
        crypt_writer_free(writer);
        return false;
    }
    *ret = writer;
    return true;
}

static bool
push(struct crypt_writer *writer, unsigned char tag, struct err *err)
{
    unsigned long long size = 0;

    (void)crypto_secretstream_xchacha20poly1305_push(
        &writer->state, writer->sealed, &size, writer->plain, writer->used,
        (const unsigned char *)writer->purpose, strlen(writer->purpose), tag);
    writer->used = 0;
    return writer->sink.take(writer->sink.ctx, writer->sealed, (size_t)size, err);
}

bool
crypt_writer_add(struct crypt_writer *writer, const void *bytes, size_t size, struct err *err)
{
    const unsigned char *from = bytes;

    while (size > 0) {
        /* A full piece waits until there is more: the last one must be known as the last. */
        if (writer->used == PIECE_BYTES &&
            !push(writer, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, err))
            return false;
        const size_t part = smaller(size, PIECE_BYTES - writer->used);
        memcpy(writer->plain + writer->used, from, part);
        writer->used += part;
        from += part;
        size -= part;
    }
    return true;
}

bool
crypt_writer_end(struct crypt_writer *writer, struct err *err)
{
    return push(writer, crypto_secretstream_xchacha20poly1305_TAG_FINAL, err);
}

void
crypt_writer_free(struct crypt_writer *writer)
{
    if (!writer)
        return;
    secret_clear_memory(writer, sizeof(*writer));
    free(writer);
}

struct crypt_reader {
    crypto_secretstream_xchacha20poly1305_state state;
    const char *purpose;
    const char *path;
    int fd;
    int64_t piece; /* the one in `plain`, from 1 */
    bool last;
    size_t at, used;
    unsigned char plain[PIECE_BYTES];
    unsigned char sealed[SEALED_BYTES];
};

/** As much as there is, up to `size`. */
static bool
read_up_to(struct crypt_reader *reader, size_t size, size_t *ret_got, struct err *err)
{
    size_t got = 0;
    size_t part = 1;

    while (got < size && part > 0) {
        if (!storage_read(reader->fd, reader->path, reader->sealed + got, size - got, &part, err))
            return false;
        got += part;
    }
    *ret_got = got;
    return true;
}

static bool
read_head(struct crypt_reader *reader, const struct crypt_with *with, struct err *err)
{
    size_t got = 0;

    if (!read_up_to(reader, HEAD_BYTES, &got, err))
        return false;
    if (got == HEAD_BYTES && crypto_secretstream_xchacha20poly1305_init_pull(
                                 &reader->state, reader->sealed, key_of(with)) == 0)
        return true;
    return err_set(err, ERR_STORAGE, "%s holds no encrypted stream", reader->path);
}

bool
crypt_reader_new(const struct crypt_with *with, int fd, const char *path, struct crypt_reader **ret,
                 struct err *err)
{
    struct crypt_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return storage_no_memory(err);
    reader->purpose = with->purpose;
    reader->path = path;
    reader->fd = fd;
    if (!read_head(reader, with, err)) {
        crypt_reader_free(reader);
        return false;
    }
    *ret = reader;
    return true;
}

static bool
pull(struct crypt_reader *reader, struct err *err)
{
    unsigned long long size = 0;
    unsigned char tag = 0;
    size_t got = 0;

    if (!read_up_to(reader, SEALED_BYTES, &got, err))
        return false;
    if (got == 0)
        return err_set(err, ERR_STORAGE, "%s is cut off behind piece %" PRId64, reader->path,
                       reader->piece);
    reader->piece++;
    if (crypto_secretstream_xchacha20poly1305_pull(
            &reader->state, reader->plain, &size, &tag, reader->sealed, got,
            (const unsigned char *)reader->purpose, strlen(reader->purpose)) != 0)
        return err_set(err, ERR_STORAGE, "%s: piece %" PRId64 " of 64 KiB is damaged or cut off",
                       reader->path, reader->piece);
    reader->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    reader->at = 0;
    reader->used = (size_t)size;
    return true;
}

static bool
check_end(struct crypt_reader *reader, struct err *err)
{
    size_t got = 0;

    if (!read_up_to(reader, 1, &got, err))
        return false;
    return got == 0 ||
           err_set(err, ERR_STORAGE, "%s has bytes behind its last piece", reader->path);
}

bool
crypt_reader_read(struct crypt_reader *reader, void *bytes, size_t size, size_t *ret_got,
                  struct err *err)
{
    while (reader->at == reader->used && !reader->last)
        if (!pull(reader, err) || (reader->last && !check_end(reader, err)))
            return false;
    const size_t part = smaller(size, reader->used - reader->at);
    memcpy(bytes, reader->plain + reader->at, part);
    reader->at += part;
    *ret_got = part;
    return true;
}

void
crypt_reader_free(struct crypt_reader *reader)
{
    if (!reader)
        return;
    secret_clear_memory(reader, sizeof(*reader));
    free(reader);
}
