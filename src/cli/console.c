#include "cli/console.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/wrap.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { REDRAW_MS = 100, DEFAULT_WIDTH = 80, MAX_PROGRESS = 240 };

bool
console_write(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static void
write_text(const struct console *console, const struct text *text)
{
    (void)console_write(console->fd, text_string(text), strlen(text_string(text)));
}

static const char erase[] = "\r\x1b[K";

/** Bytes of the line that fit into the terminal, never a part of a character. */
static size_t
cut(int fd, const char *line)
{
    struct winsize size = {0};
    const size_t width =
        ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 2 ? DEFAULT_WIDTH : size.ws_col;
    size_t used = strlen(line);
    if (used < width)
        return used;
    used = width - 1;
    while (used > 0 && ((unsigned char)line[used] & 0xc0) == 0x80)
        used--;
    return used;
}

void
console_end(struct console *console)
{
    if (console->line_open)
        (void)console_write(console->fd, erase, sizeof(erase) - 1);
    console->line_open = false;
}

/** `whole` is escaped. */
static void
write_whole(struct console *console, const struct text *whole)
{
    TEXT_SCOPED text = {0};
    /* a file keeps whole lines: they are looked for there */
    if (console->is_terminal)
        wrap_append(&text, text_string(whole), whole->used, wrap_width(console->fd));
    else
        text_append_bytes(&text, text_string(whole), whole->used);
    text_append(&text, "\n");
    console_end(console);
    write_text(console, &text);
}

static void
write_line(struct console *console, const char *lead, const char *line)
{
    TEXT_SCOPED whole = {0};
    text_append(&whole, lead);
    text_append_shown(&whole, line, strlen(line));
    write_whole(console, &whole);
}

void
console_relay(struct console *console, const char *name, const char *line, size_t size)
{
    const char *end = line + size;
    TEXT_SCOPED whole = {0};
    text_append_shown(&whole, name, strlen(name));
    text_append(&whole, ": ");
    /* A backslash is of an escape that was made there; whatever a crash adds is escaped here. */
    while (line < end) {
        const char *backslash = memchr(line, '\\', (size_t)(end - line));
        const size_t part = (size_t)((backslash ? backslash : end) - line);
        text_append_shown(&whole, line, part);
        text_append(&whole, backslash ? "\\" : "");
        line += part + (backslash ? 1 : 0);
    }
    write_whole(console, &whole);
}

static void
say(struct observer *observer, enum log_level level, const char *line)
{
    struct console *console = (struct console *)observer;
    if (level < console->least)
        return;
    const char *lead = level == LOG_LEVEL_ERROR     ? "dwclean: error: "
                       : level == LOG_LEVEL_WARNING ? "dwclean: warning: "
                                                    : "dwclean: ";
    write_line(console, lead, line);
}

static void
progress(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    struct console *console = (struct console *)observer;
    const int64_t now_ms = clock_monotonic_ms();
    if (!console->is_terminal || (console->line_open && now_ms - console->drawn_ms < REDRAW_MS))
        return;
    TEXT_SCOPED text = {0};
    text_printf(&text, "%" PRId64, done);
    if (total > 0)
        text_printf(&text, " of %" PRId64, total);
    text_append(&text, " ");
    text_append_shown(&text, what, strnlen(what, MAX_PROGRESS));
    /* a line that wraps could not be taken away again */
    (void)console_write(console->fd, erase, sizeof(erase) - 1);
    (void)console_write(console->fd, text_string(&text), cut(console->fd, text_string(&text)));
    console->line_open = true;
    console->drawn_ms = now_ms;
}

void
console_init(struct console *console, int fd, enum log_level least)
{
    *console = (struct console){
        .observer = {.say = say, .progress = progress},
        .fd = fd,
        .is_terminal = isatty(fd) == 1,
        .least = least,
    };
}

void
console_error(struct console *console, const struct err *err)
{
    write_line(console, "dwclean: error: ", err->primary);
    if (err->detail[0])
        write_line(console, "  detail: ", err->detail);
    if (err->hint[0])
        write_line(console, "  hint: ", err->hint);
}
