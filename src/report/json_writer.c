#include "report/json_writer.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

static void
new_line(struct json_writer *json)
{
    text_append(json->out, "\n");
    for (unsigned i = 0; i < json->depth; i++)
        text_append(json->out, "  ");
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
    text_append_json(json->out, name, strlen(name));
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
    if (value)
        text_append_json(json->out, value, strlen(value));
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
json_verbatim(struct json_writer *json, const char *name, const char *value, size_t size)
{
    lead_in(json, name);
    text_append_bytes(json->out, value, size);
}
