#include "cli/progress.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t longest_ms = (int64_t)1000 * 3600 * 1000;

enum {
    SAMPLE_MS = 500,
    WINDOW_MS = 10 * 1000,
    LEAST_SPAN_MS = 1000,
    STAMP_TIME_AT = 11, /* 2026-11-21T21:44:29.123Z: the time of day is what one waits for */
    STAMP_TIME_SIZE = 8,
    LEAST_BAR = 8,
    MOST_BAR = 30,
    LEAST_LABEL = 8,
    PART_BYTES = 64,
};

/* ---- what is known */

bool
progress_is_other(const struct progress *progress, const char *what, int64_t done)
{
    return strncmp(progress->what, what, PROGRESS_WHAT_BYTES - 1) != 0 || done < progress->done;
}

/** Samples older than the window leave, but the newest of them: the span must not fall short. */
static void
add_sample(struct progress *progress, int64_t now_ms)
{
    unsigned old = 0;
    const unsigned count = progress->sample_count;
    if (count > 0 && now_ms - progress->samples[count - 1].at_ms < SAMPLE_MS)
        return;
    while (old + 1 < count && now_ms - progress->samples[old + 1].at_ms >= WINDOW_MS)
        old++;
    if (old == 0 && count == PROGRESS_SAMPLES)
        old = 1;
    memmove(progress->samples, progress->samples + old,
            (count - old) * sizeof(progress->samples[0]));
    progress->sample_count = count - old + 1;
    progress->samples[count - old].at_ms = now_ms;
    progress->samples[count - old].done = progress->done;
}

void
progress_note(struct progress *progress, const char *what, int64_t done, int64_t total,
              int64_t now_ms)
{
    if (progress_is_other(progress, what, done)) {
        *progress = (struct progress){.begun_ms = now_ms};
        (void)snprintf(progress->what, sizeof(progress->what), "%s", what);
    }
    progress->done = done;
    progress->total = total > 0 && total >= done ? total : 0;
    progress->noted_ms = now_ms;
    progress->told_rate_x10 = -1;
    progress->paused_until_utc_ms = 0;
    progress->why[0] = '\0';
    add_sample(progress, now_ms);
}

int64_t
progress_rate_x10(const struct progress *progress)
{
    if (progress->told_rate_x10 >= 0)
        return progress->told_rate_x10;
    const int64_t span_ms =
        progress->sample_count ? progress->noted_ms - progress->samples[0].at_ms : 0;
    if (span_ms < LEAST_SPAN_MS)
        return -1;
    return (progress->done - progress->samples[0].done) * 10 * 1000 / span_ms;
}

int64_t
progress_left_ms(const struct progress *progress)
{
    const int64_t rate_x10 = progress_rate_x10(progress);
    if (rate_x10 <= 0 || progress->total <= progress->done || progress->paused_until_utc_ms)
        return -1;
    const double left_ms =
        (double)(progress->total - progress->done) * 10 * 1000 / (double)rate_x10;
    return left_ms < (double)longest_ms ? (int64_t)left_ms : longest_ms;
}

/* ---- words */

static void
put_time_left(int64_t left_ms, char ret[PART_BYTES])
{
    static const int64_t longest_s = 100L * 3600;
    const int64_t seconds = (left_ms + 999) / 1000;
    if (seconds >= longest_s)
        (void)snprintf(ret, PART_BYTES, ">99 h left");
    else if (seconds >= 3600)
        (void)snprintf(ret, PART_BYTES, "%d:%02d:%02d left", (int)(seconds / 3600),
                       (int)(seconds / 60 % 60), (int)(seconds % 60));
    else
        (void)snprintf(ret, PART_BYTES, "%d:%02d left", (int)(seconds / 60), (int)(seconds % 60));
}

static void
put_rate(int64_t rate_x10, char ret[PART_BYTES])
{
    if (rate_x10 >= 1000)
        (void)snprintf(ret, PART_BYTES, "%" PRId64 " rows/s", rate_x10 / 10);
    else
        (void)snprintf(ret, PART_BYTES, "%" PRId64 ".%d rows/s", rate_x10 / 10,
                       (int)(rate_x10 % 10));
}

static int
percent(const struct progress *progress)
{
    return (int)((double)progress->done * 100 / (double)progress->total);
}

void
progress_say(const struct progress *progress, struct text *ret)
{
    char part[PART_BYTES];
    char until[CLOCK_STAMP_BYTES];
    const int64_t rate_x10 = progress_rate_x10(progress), left_ms = progress_left_ms(progress);

    text_printf(ret, "%s: %" PRId64, progress->what, progress->done);
    if (progress->total)
        text_printf(ret, " of %" PRId64 " (%d%%)", progress->total, percent(progress));
    if (progress->paused_until_utc_ms) {
        clock_stamp(progress->paused_until_utc_ms, until);
        text_printf(ret, ", paused until %.*s UTC (%s)", STAMP_TIME_SIZE, until + STAMP_TIME_AT,
                    *progress->why ? progress->why : "server asked to wait");
        return;
    }
    if (rate_x10 >= 0) {
        put_rate(rate_x10, part);
        text_printf(ret, ", %s", part);
    }
    if (left_ms >= 0) {
        put_time_left(left_ms, part);
        text_printf(ret, ", %s", part);
    }
}

/* ---- a line on a terminal */

enum part { PART_LABEL, PART_BAR, PART_COUNT, PART_PERCENT, PART_RATE, PART_END, PARTS };

/** What stands in the line; "" = left out. Label and bar are as wide as there is room. */
struct line {
    char parts[PARTS][PROGRESS_WHAT_BYTES];
    size_t least[PARTS]; /* columns; 0 = left out */
};

static void
put_part(struct line *line, enum part part, const char *words)
{
    (void)snprintf(line->parts[part], sizeof(line->parts[part]), "%s", words);
    line->least[part] = strlen(line->parts[part]);
}

static size_t
width_of(const struct line *line)
{
    size_t width = 0;
    for (unsigned i = 0; i < PARTS; i++)
        width += line->least[i] ? line->least[i] + (width ? 1 : 0) : 0;
    return width;
}

static void
put_end(const struct progress *progress, size_t columns, struct line *line)
{
    char until[CLOCK_STAMP_BYTES], words[PART_BYTES];
    const int64_t left_ms = progress_left_ms(progress);
    if (progress->paused_until_utc_ms) {
        /* the longest that fits */
        clock_stamp(progress->paused_until_utc_ms, until);
        const char *const time = until + STAMP_TIME_AT;
        (void)snprintf(words, sizeof(words), "paused until %.8s UTC (server asked to wait)", time);
        if (strlen(words) + 1 + width_of(line) > columns + line->least[PART_BAR])
            (void)snprintf(words, sizeof(words), "paused until %.8s UTC", time);
        if (strlen(words) > columns)
            (void)snprintf(words, sizeof(words), "paused %.8s", time);
        put_part(line, PART_END, words);
    } else if (left_ms >= 0) {
        put_time_left(left_ms, words);
        put_part(line, PART_END, words);
    }
}

static void
put_parts(const struct progress *progress, size_t columns, struct line *line)
{
    char words[PART_BYTES];
    const int64_t rate_x10 = progress_rate_x10(progress);

    put_part(line, PART_LABEL, progress->what);
    if (line->least[PART_LABEL] > LEAST_LABEL)
        line->least[PART_LABEL] = LEAST_LABEL;
    (void)snprintf(words, sizeof(words), "%" PRId64, progress->done);
    if (progress->total) {
        line->least[PART_BAR] = LEAST_BAR + 2;
        (void)snprintf(words, sizeof(words), "%" PRId64 "/%" PRId64, progress->done,
                       progress->total);
    }
    put_part(line, PART_COUNT, words);
    if (progress->total) {
        (void)snprintf(words, sizeof(words), "%3d%%", percent(progress));
        put_part(line, PART_PERCENT, words);
    }
    if (rate_x10 >= 0 && !progress->paused_until_utc_ms) {
        put_rate(rate_x10, words);
        put_part(line, PART_RATE, words);
    }
    put_end(progress, columns, line);
}

/** Leave out what matters least, until the line fits. Until when a pause lasts is said last. */
static void
make_fit(struct line *line, size_t columns, bool paused)
{
    const enum part order[] = {PART_RATE, PART_BAR, PART_LABEL, paused ? PART_PERCENT : PART_END,
                               paused ? PART_COUNT : PART_PERCENT};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && width_of(line) > columns; i++)
        line->least[order[i]] = 0;
}

/** Give what is left of the line to the label, then to the bar. */
static void
spread(struct line *line, size_t columns)
{
    size_t width = width_of(line);
    size_t room = columns > width ? columns - width : 0;
    const size_t label = strlen(line->parts[PART_LABEL]);
    if (line->least[PART_LABEL]) {
        const size_t more = label - line->least[PART_LABEL];
        line->least[PART_LABEL] += more < room ? more : room;
        room -= more < room ? more : room;
    }
    if (line->least[PART_BAR])
        line->least[PART_BAR] += room < MOST_BAR - LEAST_BAR ? room : MOST_BAR - LEAST_BAR;
}

static void
draw_bar(const struct progress *progress, size_t columns, const struct progress_look *look,
         struct text *ret)
{
    const size_t cells = columns - 2;
    const size_t full = (size_t)((double)progress->done * (double)cells / (double)progress->total);
    text_append(ret, look->colour ? "[\x1b[36m" : "[");
    for (size_t i = 0; i < cells; i++)
        text_append(ret, i < full ? (look->utf8 ? "\u2588" : "#") : look->utf8 ? "\u2591" : "-");
    text_append(ret, look->colour ? "\x1b[0m]" : "]");
}

/** A name that is cut keeps its front. What is no ASCII has no width that is known here. */
static void
draw_label(const char *label, size_t columns, struct text *ret)
{
    const size_t size = strlen(label);
    const size_t keep = size > columns ? columns - 2 : size;
    for (size_t i = 0; i < keep; i++)
        text_printf(ret, "%c", label[i] >= ' ' && label[i] <= '~' ? label[i] : '?');
    if (keep < size)
        text_append(ret, "..");
}

void
progress_draw(const struct progress *progress, const struct progress_look *look, struct text *ret)
{
    /* the last column stays free: a line that wraps could not be taken away again */
    const size_t columns = look->columns > 1 ? look->columns - 1 : 1;
    struct line line = {.least = {0}};
    bool any = false;

    put_parts(progress, columns, &line);
    make_fit(&line, columns, progress->paused_until_utc_ms != 0);
    spread(&line, columns);
    if (width_of(&line) > columns)
        return;
    for (unsigned i = 0; i < PARTS; i++) {
        if (line.least[i] == 0)
            continue;
        text_append(ret, any ? " " : "");
        any = true;
        if (i == PART_BAR)
            draw_bar(progress, line.least[i], look, ret);
        else if (i == PART_LABEL)
            draw_label(line.parts[i], line.least[i], ret);
        else
            text_append(ret, line.parts[i]);
    }
}
