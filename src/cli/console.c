#include "cli/console.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/inert.h"
#include "cli/wrap.h"
#include "port/runtime_store.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REDRAW_MS = 100, DEFAULT_WIDTH = 80, POOR_BYTES = 512 };

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

/** No memory for a line: what of it needs none, harmless for terminals, JSON, pipelines. */
static void
write_poor(const struct console *console, const char *front, const char *line, const char *back)
{
    char poor[POOR_BYTES];
    size_t used = 0;
    for (; *line && used < sizeof(poor); line++) {
        const bool harmless = *line >= ' ' && *line <= '~' && !strchr("\"\\#[", *line);
        poor[used] = '?';
        if (harmless)
            poor[used] = *line;
        used++;
    }
    (void)console_write(console->fd, front, strlen(front));
    (void)console_write(console->fd, poor, used);
    (void)console_write(console->fd, back, strlen(back));
}

static const char erase[] = "\r\x1b[K";

static void
take_line_away(struct console *console)
{
    if (console->line_open)
        (void)console_write(console->fd, erase, sizeof(erase) - 1);
    console->line_open = false;
}

/* ---- lines of text */

/** What stands in front of a line: its words, and how many bytes of them get a colour. */
struct lead {
    const char *words;
    size_t plain, coloured; /* bytes: first these as they are, then these */
    const char *colour;
};

static const struct lead *
lead_of(enum log_level level)
{
    static const struct lead error = {"dwclean: error: ", 9, 6, "\x1b[1;31m"};
    static const struct lead warning = {"dwclean: warning: ", 9, 8, "\x1b[33m"};
    static const struct lead other = {"dwclean: ", 9, 0, ""};
    return level == LOG_LEVEL_ERROR ? &error : level == LOG_LEVEL_WARNING ? &warning : &other;
}

static int
priority(enum log_level level)
{
    static const int priorities[] = {
        [LOG_LEVEL_TRACE] = 7,  [LOG_LEVEL_DEBUG] = 7,   [LOG_LEVEL_INFO] = 6,
        [LOG_LEVEL_NOTICE] = 5, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_ERROR] = 3};
    return priorities[level];
}

/** The lead with its colour; what follows it is wrapped already and keeps its breaks. */
static void
append_coloured(struct text *ret, const struct lead *lead, const struct text *line)
{
    const char *words = text_string(line);
    text_append_bytes(ret, words, lead->plain);
    text_append(ret, lead->colour);
    text_append_bytes(ret, words + lead->plain, lead->coloured);
    text_append(ret, "\x1b[0m");
    text_append(ret, words + lead->plain + lead->coloured);
}

/** A line that is harmless already. False: there was no memory, nothing was written. */
static bool
write_shown(struct console *console, enum log_level level, const struct lead *lead,
            const struct text *shown)
{
    TEXT_SCOPED whole = {0};
    TEXT_SCOPED wrapped = {0};
    TEXT_SCOPED text = {0};
    if (console->style.inert)
        inert_append(&whole, REPORT_TEXT, text_string(shown), shown->used);
    else
        text_append_bytes(&whole, text_string(shown), shown->used);
    /* a file keeps whole lines: they are looked for there */
    if (console->is_terminal)
        wrap_append(&wrapped, text_string(&whole), whole.used, wrap_width(console->fd));
    const struct text *line = console->is_terminal ? &wrapped : &whole;
    if (console->style.journal)
        text_printf(&text, "<%d>", priority(level));
    if (console->style.colour && lead->coloured)
        append_coloured(&text, lead, line);
    else
        text_append_bytes(&text, text_string(line), line->used);
    text_append(&text, "\n");
    take_line_away(console);
    if (shown->broken || whole.broken || wrapped.broken || text.broken)
        return false;
    write_text(console, &text);
    return true;
}

static void
write_line(struct console *console, enum log_level level, const struct lead *lead, const char *line)
{
    TEXT_SCOPED shown = {0};
    text_append(&shown, lead->words);
    text_append_shown(&shown, line, strlen(line));
    if (!write_shown(console, level, lead, &shown))
        write_poor(console, lead->words, line, "\n");
}

/* ---- lines of JSON */

static void
write_json(struct console *console, struct log_line *line)
{
    TEXT_SCOPED text = {0};
    TEXT_SCOPED inert = {0};
    const struct log_facts facts = {.command = console->facts.command,
                                    .environment = console->facts.environment,
                                    .run_id = console->run_id};
    line->utc_ms = clock_utc_ms();
    log_line_json(&facts, line, &text);
    if (console->style.inert)
        inert_append(&inert, REPORT_JSON, text_string(&text), text.used);
    take_line_away(console);
    if (text.broken || inert.broken) {
        char front[64];
        (void)snprintf(front, sizeof(front), "{\"level\":\"%s\",\"message\":\"",
                       log_level_name(line->level));
        write_poor(console, front, line->message, "\"}\n");
        return;
    }
    write_text(console, console->style.inert ? &inert : &text);
}

static void
say(struct observer *observer, enum log_level level, const char *line)
{
    struct console *console = (struct console *)observer;
    if (level < console->least)
        return;
    if (console->style.json)
        write_json(console, &(struct log_line){.level = level, .message = line});
    else
        write_line(console, level, lead_of(level), line);
}

/* ---- progress */

/** In the background the line would be drawn over what the shell and its user write. */
static bool
is_in_background(int fd)
{
    const pid_t foreground = tcgetpgrp(fd);
    return foreground > 0 && foreground != getpgrp();
}

static void
draw(struct console *console, int64_t now_ms)
{
    TEXT_SCOPED text = {0};
    struct winsize size = {0};
    struct progress_look look = {
        .columns = DEFAULT_WIDTH, .utf8 = console->style.utf8, .colour = console->style.colour};
    if (console->line_open && now_ms - console->drawn_ms < REDRAW_MS)
        return;
    if (is_in_background(console->fd))
        return;
    /* asked each time: the terminal may have another size by now */
    if (ioctl(console->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        look.columns = size.ws_col;
    text_append(&text, erase);
    progress_draw(&console->progress, &look, &text);
    write_text(console, &text);
    console->line_open = true;
    console->drawn_ms = now_ms;
}

static void
tell(struct console *console, int64_t now_ms)
{
    TEXT_SCOPED text = {0};
    console->told_ms = now_ms;
    if (console->least > LOG_LEVEL_INFO)
        return;
    progress_say(&console->progress, &text);
    if (console->style.json)
        write_json(console, &(struct log_line){.level = LOG_LEVEL_INFO,
                                               .message = text_string(&text),
                                               .progress = &console->progress});
    else
        write_line(console, LOG_LEVEL_INFO, lead_of(LOG_LEVEL_INFO), text_string(&text));
}

/** A step that took long ends with a line; one that has just been told has it already. */
static void
end_step(struct console *console)
{
    const struct progress *progress = &console->progress;
    if (!console->style.redraw && progress->what[0] &&
        progress->noted_ms - progress->begun_ms >= CONSOLE_TELL_MS &&
        console->told_ms != progress->noted_ms)
        tell(console, progress->noted_ms);
    console->progress = (struct progress){0};
}

static void
note(struct console *console, const char *what, int64_t done, int64_t total)
{
    const int64_t now_ms = console->now_ms();
    if (progress_is_other(&console->progress, what, done))
        end_step(console);
    progress_note(&console->progress, what, done, total, now_ms);
    if (!console->told)
        console->told_ms = now_ms;
    console->told = true;
}

static void
show(struct console *console)
{
    const int64_t now_ms = console->now_ms();
    if (console->style.redraw)
        draw(console, now_ms);
    else if (now_ms - console->told_ms >= CONSOLE_TELL_MS)
        tell(console, now_ms);
}

static void
progress(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    struct console *console = (struct console *)observer;
    note(console, what, done, total);
    show(console);
}

static void
pace(struct observer *observer, const char *what, const struct runtime_pace *pace)
{
    struct console *console = (struct console *)observer;
    note(console, what, pace->done, pace->total);
    console->progress.told_rate_x10 = pace->rows_per_second_x10;
    console->progress.paused_until_utc_ms = pace->paused_until_utc_ms;
    (void)snprintf(console->progress.why, sizeof(console->progress.why), "%s",
                   pace->paused_why ? pace->paused_why : "");
    show(console);
}

static void
run_is_called(struct observer *observer, const char *run_id)
{
    struct console *console = (struct console *)observer;
    (void)snprintf(console->run_id, sizeof(console->run_id), "%s", run_id);
}

void
console_end(struct console *console)
{
    end_step(console);
    take_line_away(console);
}

/* ---- all of it */

/** Of the locale that the environment names: the program's own is always UTF-8. */
static bool
locale_is_utf8(void)
{
    const locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (locale == (locale_t)0)
        return false;
    const bool utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

bool
console_is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char own[64];
    struct stat status;
    if (!stream || fstat(fd, &status) != 0)
        return false;
    (void)snprintf(own, sizeof(own), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)status.st_dev,
                   (uintmax_t)status.st_ino);
    return strcmp(stream, own) == 0;
}

void
console_init(struct console *console, int fd, enum log_level least)
{
    const char *term = getenv("TERM"); /* NOLINT(concurrency-mt-unsafe): one thread */
    const bool is_terminal = isatty(fd) == 1;
    *console = (struct console){
        .observer = {.say = say, .progress = progress, .pace = pace, .run = run_is_called},
        .fd = fd,
        .is_terminal = is_terminal,
        .least = least,
        .style = {.redraw = is_terminal && term && *term && strcmp(term, "dumb") != 0,
                  .utf8 = locale_is_utf8()},
        .now_ms = clock_monotonic_ms,
    };
}

void
console_error(struct console *console, const struct err *err)
{
    static const struct lead detail = {"  detail: ", 0, 0, ""}, hint = {"  hint: ", 0, 0, ""};
    const int signal = err->code == ERR_INTERRUPTED ? cancel_signal() : 0;
    if (console->style.json) {
        write_json(console, &(struct log_line){.level = LOG_LEVEL_ERROR,
                                               .message = err->primary,
                                               .err = err,
                                               .exit_status = signal ? 128 + signal
                                                                     : err_exit_status(err->code)});
        return;
    }
    write_line(console, LOG_LEVEL_ERROR, lead_of(LOG_LEVEL_ERROR), err->primary);
    if (err->detail[0])
        write_line(console, LOG_LEVEL_ERROR, &detail, err->detail);
    if (err->hint[0])
        write_line(console, LOG_LEVEL_ERROR, &hint, err->hint);
}

void
console_lines(struct console *console, const char *lines)
{
    static const struct lead none = {"", 0, 0, ""};
    TEXT_SCOPED line = {0};
    while (*lines) {
        const size_t size = strcspn(lines, "\n");
        text_reset(&line);
        text_append_bytes(&line, lines, size);
        if (console->style.json)
            write_json(console,
                       &(struct log_line){.level = LOG_LEVEL_INFO, .message = text_string(&line)});
        else
            (void)write_shown(console, LOG_LEVEL_INFO, &none, &line);
        lines += size + (lines[size] ? 1 : 0);
    }
}

/** Escaped by the process that wrote it: a backslash is of an escape that was made there, and
 * whatever a crash adds is escaped here. */
static void
append_escaped_once(struct text *ret, const char *line, size_t size)
{
    const char *end = line + size;
    while (line < end) {
        const char *backslash = memchr(line, '\\', (size_t)(end - line));
        const size_t part = (size_t)((backslash ? backslash : end) - line);
        text_append_shown(ret, line, part);
        text_append(ret, backslash ? "\\" : "");
        line += part + (backslash ? 1 : 0);
    }
}

void
console_relay(struct console *console, const char *name, const char *line, size_t size)
{
    static const struct lead none = {"", 0, 0, ""};
    TEXT_SCOPED whole = {0};
    if (console->style.json && size > 1 && line[0] == '{' && line[size - 1] == '}') {
        append_escaped_once(&whole, line, size);
        text_append(&whole, "\n");
        write_text(console, &whole);
        return;
    }
    text_append_shown(&whole, name, strlen(name));
    text_append(&whole, ": ");
    append_escaped_once(&whole, line, size);
    if (console->style.json)
        write_json(console,
                   &(struct log_line){.level = LOG_LEVEL_INFO, .message = text_string(&whole)});
    else
        write_shown(console, LOG_LEVEL_INFO, &none, &whole);
}
