/** What is told on stderr while a run goes on. */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include "base/err.h"
#include "cli/log_line.h"
#include "cli/progress.h"
#include "port/observer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONSOLE_RUN_BYTES = 128, CONSOLE_TELL_MS = 30 * 1000 };

/** How lines look. */
struct console_style {
    bool json;    /* one object a line */
    bool journal; /* text: each line begins with its priority, "<4>" (sd-daemon(3)) */
    bool colour;  /* of a terminal's lines; --color, NO_COLOR, TERM */
    bool redraw;  /* progress is a line that is drawn again; else a line every CONSOLE_TELL_MS */
    bool utf8;    /* the locale's characters */
    bool inert;   /* no line of text may be a command of a pipeline (cli/inert.h) */
};

struct console {
    struct observer observer; /* first: the port is the console */
    int fd;
    bool is_terminal;
    enum log_level least;
    struct console_style style;
    struct log_facts facts; /* run_id: see below */
    char run_id[CONSOLE_RUN_BYTES];
    bool line_open; /* a progress line stands there */
    int64_t drawn_ms, told_ms;
    bool told; /* told_ms is set */
    struct progress progress;
    int64_t (*now_ms)(void); /* the monotonic clock; tests have another one */
};

/** `fd` is stderr; lines below `least` are not shown. The style is the terminal's: text, and a
 * progress line where TERM knows how to take it away. */
void console_init(struct console *console, int fd, enum log_level least);

/** "dwclean: error: ..." with detail and hint below; in JSON one object. */
void console_error(struct console *console, const struct err *err);

/** Lines of a text that is harmless already (text_append_shown), each with its newline. */
void console_lines(struct console *console, const char *lines);

/** Take the progress line away; a step that took long has its last line. */
void console_end(struct console *console);

/** A line that another process of this program wrote for its stderr, which has escaped it: with a
 * name before it, unless it is an object of the JSON log, which says by itself whose it is. */
void console_relay(struct console *console, const char *name, const char *line, size_t size);

/** Is `fd` the journal (JOURNAL_STREAM holds its device and inode)? systemd.exec(5). */
bool console_is_journal(int fd);

/** Write all of it, whatever happens: a closed or full descriptor stops nothing. */
bool console_write(int fd, const char *bytes, size_t size);

#endif
