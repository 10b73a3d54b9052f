/** Lines of a stream, one at a time, with a maximum length: memory is bounded by the longest line.
 */
#ifndef BACKUP_LINES_H
#define BACKUP_LINES_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where the bytes come from: fills at most `size` bytes, *ret_got = 0 at the end. */
struct line_source {
    void *ctx;
    bool (*read)(void *ctx, void *bytes, size_t size, size_t *ret_got, struct err *err);
};

enum line_state {
    LINE_WHOLE, /* ended by a newline, which is not part of it */
    LINE_TORN,  /* the last bytes, without a newline */
    LINE_END,   /* nothing left */
};

struct lines {
    struct line_source source;
    const char *path; /* for messages */
    size_t max_bytes; /* of a line */
    int64_t number;   /* of the line that was returned last, from 1 */
    uint64_t offset;  /* in the stream, of the first byte behind that line */
    char *data;       /* private from here on */
    size_t start, used, capacity;
    bool ended;
};

void lines_init(struct lines *lines, struct line_source source, const char *path, size_t max_bytes);
void lines_done(struct lines *lines);

/** `struct lines` that frees itself at the end of its scope. */
#define LINES_SCOPED __attribute__((cleanup(lines_done))) struct lines

/**
 * The next line, borrowed until the next call. ERR_STORAGE: the source failed, or the line is
 * longer than the maximum.
 */
MUST_CHECK bool lines_next(struct lines *lines, enum line_state *ret_state, struct slice *ret,
                           struct err *err);

/** A source that reads a file descriptor. `file` is borrowed. */
struct line_file {
    int fd;
    const char *path;
};
struct line_source line_source_of_file(struct line_file *file);

#endif
