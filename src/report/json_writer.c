#include "report/json_writer.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

static void
new_line(struct json_writer *json)
{
    static const char lead[] = "\n                "; /* as deep as most lines are */
    const size_t wanted = 1 + 2 * (size_t)json->depth, whole = sizeof lead - 1;

    if (json->line)
        return;
    text_append_bytes(json->out, lead, wanted < whole ? wanted : whole);
    for (size_t i = whole; i < wanted; i++)
        text_append_bytes(json->out, " ", 1);
}

/** The code point of well-formed UTF-8 that begins with a byte above 0x7F. */
static uint32_t
code_at(const unsigned char *at, size_t *ret_size)
{
    const size_t size = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : 2;
    uint32_t code = *at & (0x7FU >> size);
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (at[i] & 0x3FU);
    *ret_size = size;
    return code;
}

/** A JSON string of ASCII alone. Readers of lines differ in what ends one: U+0085, U+2028. */
static void
append_ascii(struct text *ret, const char *value)
{
    TEXT_SCOPED json = {.max = ret->max};
    text_append_json_shown(&json, value, strlen(value));
    ret->broken = ret->broken || json.broken;
    for (const char *at = text_string(&json); *at;) {
        size_t size = 0;
        while (at[size] && !((unsigned char)at[size] & 0x80))
            size++;
        text_append_bytes(ret, at, size);
        at += size;
        if (!*at)
            break;
        const uint32_t code = code_at((const unsigned char *)at, &size);
        if (code < 0x10000)
            text_printf(ret, "\\u%04x", (unsigned)code);
        else
            text_printf(ret, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (code >> 10)),
                        (unsigned)(0xDC00 + (code & 0x3FF)));
        at += size;
    }
}

/** Comma, line and name of the next member or item. */
static void
lead_in(struct json_writer *json, const char *name)
{
    if (json->follows)
        text_append(json->out, ",");
    if (json->depth > 0)
        new_line(json);
    json->follows = true;
    if (!name)
        return;
    text_append_json_shown(json->out, name, strlen(name));
    text_append(json->out, ": ");
}

void
json_open(struct json_writer *json, const char *name, char bracket)
{
    lead_in(json, name);
    text_append_bytes(json->out, &bracket, 1);
    json->depth++;
    json->follows = false;
}

void
json_close(struct json_writer *json, char bracket)
{
    json->depth--;
    if (json->follows)
        new_line(json);
    text_append(json->out, bracket == '{' ? "}" : "]");
    json->follows = true;
}

void
json_string(struct json_writer *json, const char *name, const char *value)
{
    lead_in(json, name);
    if (value && json->line)
        append_ascii(json->out, value);
    else if (value)
        text_append_json_shown(json->out, value, strlen(value));
    else
        text_append(json->out, "null");
}

void
json_bool(struct json_writer *json, const char *name, bool value)
{
    lead_in(json, name);
    text_append(json->out, value ? "true" : "false");
}

void
json_null(struct json_writer *json, const char *name)
{
    json_string(json, name, NULL);
}

void
json_i64(struct json_writer *json, const char *name, int64_t value)
{
    lead_in(json, name);
    text_printf(json->out, "\"%" PRId64 "\"", value);
}

void
json_count(struct json_writer *json, const char *name, int64_t value)
{
    if (value < 0)
        json_null(json, name);
    else
        json_i64(json, name, value);
}

void
json_int(struct json_writer *json, const char *name, int value)
{
    lead_in(json, name);
    text_printf(json->out, "%d", value);
}

void
json_seconds(struct json_writer *json, const char *name, int64_t ms)
{
    lead_in(json, name);
    text_printf(json->out, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
}

void
json_time(struct json_writer *json, const char *name, int64_t utc_ms)
{
    char stamp[CLOCK_STAMP_BYTES];
    if (utc_ms == 0) {
        json_null(json, name);
        return;
    }
    clock_stamp(utc_ms, stamp);
    json_string(json, name, stamp);
}

void
json_end(struct json_writer *json)
{
    text_append(json->out, "\n");
    json->follows = false;
}

void
json_verbatim(struct json_writer *json, const char *name, const char *value, size_t size)
{
    lead_in(json, name);
    text_append_bytes(json->out, value, size);
}
