#include "zstd_file.h"

#include "base/file.h"
#include "storage.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { LEVEL = 1, OUT_BYTES = 256 * 1024, IN_BYTES = 256 * 1024 };

struct zstd_writer {
    ZSTD_CCtx *context;
    struct digest_stream *digest;
    struct crypt_writer *crypt; /* NULL = not encrypted */
    char *path;
    int fd;
    uint64_t bytes;
    unsigned char out[OUT_BYTES];
};

static bool
zstd_failed(const char *path, size_t code, struct err *err)
{
    return err_set(err, ERR_STORAGE, "%s: %s", path, ZSTD_getErrorName(code));
}

/* Bytes as they lie in the file. */
static bool
emit(void *ctx, const void *bytes, size_t size, struct err *err)
{
    struct zstd_writer *writer = ctx;

    digest_add(writer->digest, bytes, size);
    writer->bytes += size;
    return size == 0 || file_write_all(writer->fd, bytes, size, writer->path, err);
}

static bool
set_up_writer(struct zstd_writer *writer, const char *path, const struct crypt_with *with,
              struct err *err)
{
    const struct crypt_sink sink = {.ctx = writer, .take = emit};

    writer->context = ZSTD_createCCtx();
    writer->digest = digest_new();
    writer->path = strdup(path);
    if (!writer->context || !writer->digest || !writer->path)
        return storage_no_memory(err);
    size_t code = ZSTD_CCtx_setParameter(writer->context, ZSTD_c_compressionLevel, LEVEL);
    if (!ZSTD_isError(code))
        code = ZSTD_CCtx_setParameter(writer->context, ZSTD_c_checksumFlag, 1);
    if (ZSTD_isError(code))
        return zstd_failed(path, code, err);
    return storage_create(path, &writer->fd, err) &&
           (!with->key || crypt_writer_new(with, sink, &writer->crypt, err));
}

bool
zstd_writer_open(const char *path, const struct crypt_with *with, struct zstd_writer **ret,
                 struct err *err)
{
    struct zstd_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return storage_no_memory(err);
    writer->fd = -1;
    if (!set_up_writer(writer, path, with, err)) {
        zstd_writer_free(writer);
        return false;
    }
    *ret = writer;
    return true;
}

/* One step of the stream; what came out goes to the file and into the digest. */
static bool
step(struct zstd_writer *writer, ZSTD_inBuffer *in, ZSTD_EndDirective mode, size_t *ret_left,
     struct err *err)
{
    ZSTD_outBuffer out = {.dst = writer->out, .size = sizeof(writer->out)};
    const size_t left = ZSTD_compressStream2(writer->context, &out, in, mode);

    if (ZSTD_isError(left))
        return zstd_failed(writer->path, left, err);
    *ret_left = left;
    return writer->crypt ? crypt_writer_add(writer->crypt, writer->out, out.pos, err)
                         : emit(writer, writer->out, out.pos, err);
}

bool
zstd_writer_add(struct zstd_writer *writer, const void *bytes, size_t size, struct err *err)
{
    ZSTD_inBuffer in = {.src = bytes, .size = size};
    size_t left = 0;

    while (in.pos < in.size)
        if (!step(writer, &in, ZSTD_e_continue, &left, err))
            return false;
    return true;
}

bool
zstd_writer_end(struct zstd_writer *writer, uint64_t *ret_bytes, struct digest *ret_digest,
                struct err *err)
{
    ZSTD_inBuffer in = {0};
    size_t left = 1;

    while (left > 0)
        if (!step(writer, &in, ZSTD_e_end, &left, err))
            return false;
    if (writer->crypt && !crypt_writer_end(writer->crypt, err))
        return false;
    if (!file_sync(writer->fd, writer->path, err))
        return false;
    *ret_bytes = writer->bytes;
    *ret_digest = digest_finish(writer->digest);
    return true;
}

void
zstd_writer_free(struct zstd_writer *writer)
{
    if (!writer)
        return;
    (void)ZSTD_freeCCtx(writer->context);
    crypt_writer_free(writer->crypt);
    digest_free(writer->digest);
    file_close(&writer->fd);
    free(writer->path);
    free(writer);
}

struct zstd_reader {
    ZSTD_DCtx *context;
    struct crypt_reader *crypt; /* NULL = not encrypted */
    const char *path;
    int fd;
    bool frame_ended;
    bool file_ended;
    ZSTD_inBuffer in;
    unsigned char buffer[IN_BYTES];
};

bool
zstd_reader_open(int fd, const char *path, const struct crypt_with *with, struct zstd_reader **ret,
                 struct err *err)
{
    struct zstd_reader *reader = calloc(1, sizeof(*reader));
    if (reader)
        reader->context = ZSTD_createDCtx();
    if (!reader || !reader->context) {
        free(reader);
        return storage_no_memory(err);
    }
    if (with->key && !crypt_reader_new(with, fd, path, &reader->crypt, err)) {
        zstd_reader_free(reader);
        return false;
    }
    reader->path = path;
    reader->fd = fd;
    reader->in.src = reader->buffer;
    *ret = reader;
    return true;
}

static bool
refill(struct zstd_reader *reader, struct err *err)
{
    size_t got = 0;
    if (reader->in.pos < reader->in.size || reader->file_ended)
        return true;
    if (reader->crypt
            ? !crypt_reader_read(reader->crypt, reader->buffer, sizeof(reader->buffer), &got, err)
            : !storage_read(reader->fd, reader->path, reader->buffer, sizeof(reader->buffer), &got,
                            err))
        return false;
    reader->in.size = got;
    reader->in.pos = 0;
    reader->file_ended = got == 0;
    return true;
}

/* The frame is over: nothing may follow it. */
static bool
check_end(struct zstd_reader *reader, size_t *ret_got, struct err *err)
{
    if (!refill(reader, err))
        return false;
    if (!reader->file_ended)
        return err_set(err, ERR_STORAGE, "%s has bytes behind its zstd frame", reader->path);
    *ret_got = 0;
    return true;
}

bool
zstd_reader_read(void *ctx, void *bytes, size_t size, size_t *ret_got, struct err *err)
{
    struct zstd_reader *reader = ctx;
    ZSTD_outBuffer out = {.dst = bytes, .size = size};

    while (out.pos == 0 && !reader->frame_ended) {
        if (!refill(reader, err))
            return false;
        const size_t before = reader->in.pos;
        const size_t hint = ZSTD_decompressStream(reader->context, &out, &reader->in);
        if (ZSTD_isError(hint))
            return zstd_failed(reader->path, hint, err);
        reader->frame_ended = hint == 0;
        if (reader->file_ended && reader->in.pos == before && out.pos == 0 && hint != 0)
            return err_set(err, ERR_STORAGE, "%s is truncated", reader->path);
    }
    if (out.pos == 0)
        return check_end(reader, ret_got, err);
    *ret_got = out.pos;
    return true;
}

void
zstd_reader_free(struct zstd_reader *reader)
{
    if (!reader)
        return;
    (void)ZSTD_freeDCtx(reader->context);
    crypt_reader_free(reader->crypt);
    free(reader);
}
