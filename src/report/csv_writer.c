#include "csv_writer.h"

#include "base/clock.h"
#include "visible.h"

#include <inttypes.h>
#include <string.h>

/** Behind what comes before every cell, and behind any blanks and quotes: does a formula begin? */
static bool
begins_formula(const char *at)
{
    /* wide forms, which some locales take for the narrow ones */
    static const char *const starts[] = {
        "=", "+", "-", "@", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
    at += strspn(at, " \"'");
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (strncmp(at, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

/** The value as it may stand between quotes. */
static void
append_safe(struct text *ret, const char *value)
{
    /* Where the list separator is a semicolon, a spreadsheet sees a cell begin behind one. */
    bool begins = true;
    while (*value) {
        char escape[VISIBLE_BYTES];
        if (begins && begins_formula(value))
            text_append(ret, "'");
        const size_t size = visible_next(value, escape);
        begins = *value == ';';
        if (*value == '"')
            text_append(ret, "\"\"");
        else if (*escape)
            text_append(ret, escape);
        else
            text_append_bytes(ret, value, size);
        value += size;
    }
}

static void
separate(struct csv_writer *csv)
{
    if (csv->cells++)
        text_append(csv->out, ",");
}

void
csv_cell(struct csv_writer *csv, const char *value)
{
    separate(csv);
    if (!value)
        return;
    const size_t size = strlen(value);
    const bool quoted =
        strpbrk(value, ",;\"") || (size && (value[0] == ' ' || value[size - 1] == ' '));
    text_append(csv->out, quoted ? "\"" : "");
    append_safe(csv->out, value);
    text_append(csv->out, quoted ? "\"" : "");
}

void
csv_count(struct csv_writer *csv, int64_t value)
{
    separate(csv);
    if (value >= 0)
        text_printf(csv->out, "%" PRId64, value);
}

void
csv_seconds(struct csv_writer *csv, int64_t ms)
{
    separate(csv);
    text_printf(csv->out, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
}

void
csv_time(struct csv_writer *csv, int64_t utc_ms)
{
    char stamp[CLOCK_STAMP_BYTES] = "";
    if (utc_ms)
        clock_stamp(utc_ms, stamp);
    csv_cell(csv, stamp);
}

void
csv_end(struct csv_writer *csv)
{
    text_append(csv->out, "\r\n");
    csv->cells = 0;
}
