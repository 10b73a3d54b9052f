/** What is told on stderr while a run goes on. */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include "base/err.h"
#include "port/observer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console {
    struct observer observer; /* first: the port is the console */
    int fd;
    bool is_terminal; /* then a progress line is redrawn */
    enum log_level least;
    bool line_open; /* a progress line stands there */
    int64_t drawn_ms;
};

/** `fd` is stderr; lines below `least` are not shown. */
void console_init(struct console *console, int fd, enum log_level least);

/** "dwclean: error: ..." with detail and hint below. */
void console_error(struct console *console, const struct err *err);

/** Take the progress line away. */
void console_end(struct console *console);

/** A line that another process of this program wrote for its stderr, which has escaped it: with a
 * name before it. */
void console_relay(struct console *console, const char *name, const char *line, size_t size);

/** Write all of it, whatever happens: a closed or full descriptor stops nothing. */
bool console_write(int fd, const char *bytes, size_t size);

#endif
