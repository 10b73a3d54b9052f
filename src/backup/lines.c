#include "lines.h"

#include "storage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 256 * 1024 };

void
lines_init(struct lines *lines, struct line_source source, const char *path, size_t max_bytes)
{
    *lines = (struct lines){.source = source, .path = path, .max_bytes = max_bytes};
}

void
lines_done(struct lines *lines)
{
    free(lines->data);
    lines->data = NULL;
}

static bool
too_long(const struct lines *lines, struct err *err)
{
    return err_set(err, ERR_STORAGE, "%s: line %" PRId64 " is longer than %zu bytes", lines->path,
                   lines->number + 1, lines->max_bytes);
}

/* Room behind what is buffered: move it to the front, then double. */
static bool
make_room(struct lines *lines, struct err *err)
{
    const size_t held = lines->used - lines->start;
    if (held > lines->max_bytes)
        return too_long(lines, err);
    if (lines->data && lines->start > 0) {
        memmove(lines->data, lines->data + lines->start, held);
        lines->start = 0;
        lines->used = held;
    }
    if (lines->used < lines->capacity)
        return true;
    const size_t capacity = lines->capacity ? lines->capacity * 2 : FIRST_BYTES;
    char *data = realloc(lines->data, capacity);
    if (!data)
        return storage_no_memory(err);
    lines->data = data;
    lines->capacity = capacity;
    return true;
}

static bool
read_more(struct lines *lines, struct err *err)
{
    size_t got = 0;
    if (!make_room(lines, err))
        return false;
    if (!lines->source.read(lines->source.ctx, lines->data + lines->used,
                            lines->capacity - lines->used, &got, err))
        return false;
    lines->used += got;
    lines->ended = got == 0;
    return true;
}

static struct slice
take(struct lines *lines, size_t size, size_t with_end)
{
    const struct slice line = slice_of(lines->data + lines->start, size);
    lines->start += with_end;
    lines->offset += with_end;
    lines->number++;
    return line;
}

/* Where the line ends that starts the buffer; what was `searched` before is not searched again. */
static bool
find_end(const struct lines *lines, size_t searched, size_t *ret_size)
{
    const size_t held = lines->used - lines->start;
    if (!lines->data || held <= searched)
        return false;
    const char *from = lines->data + lines->start;
    const char *end = memchr(from + searched, '\n', held - searched);
    if (!end)
        return false;
    *ret_size = (size_t)(end - from);
    return true;
}

/* The source is at its end: what is left has no newline. */
static enum line_state
take_rest(struct lines *lines, struct slice *ret)
{
    const size_t held = lines->used - lines->start;
    if (held == 0) {
        *ret = slice_of(NULL, 0);
        return LINE_END;
    }
    *ret = take(lines, held, held);
    return LINE_TORN;
}

bool
lines_next(struct lines *lines, enum line_state *ret_state, struct slice *ret, struct err *err)
{
    size_t searched = 0;
    size_t size = 0;

    while (!find_end(lines, searched, &size)) {
        searched = lines->used - lines->start;
        if (lines->ended) {
            *ret_state = take_rest(lines, ret);
            return true;
        }
        if (!read_more(lines, err))
            return false;
    }
    if (size > lines->max_bytes)
        return too_long(lines, err);
    *ret = take(lines, size, size + 1);
    *ret_state = LINE_WHOLE;
    return true;
}

static bool
read_file(void *ctx, void *bytes, size_t size, size_t *ret_got, struct err *err)
{
    const struct line_file *file = ctx;
    return storage_read(file->fd, file->path, bytes, size, ret_got, err);
}

struct line_source
line_source_of_file(struct line_file *file)
{
    return (struct line_source){.ctx = file, .read = read_file};
}
