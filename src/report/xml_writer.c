#include "xml_writer.h"

#include "visible.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/** The entity of a character that is markup, or NULL. */
static const char *
entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void
append(struct text *ret, const char *value, bool lines)
{
    while (*value) {
        char escape[VISIBLE_BYTES];
        const size_t size = visible_next(value, escape);
        const char *entity = entity_of(*value);
        if (entity)
            text_append(ret, entity);
        else if (*escape && !(lines && *value == '\n'))
            text_append(ret, escape);
        else
            text_append_bytes(ret, value, size);
        value += size;
    }
}

void
xml_append(struct text *ret, const char *value)
{
    append(ret, value, false);
}

void
xml_append_lines(struct text *ret, const char *value)
{
    append(ret, value, true);
}

void
xml_attribute(struct text *ret, const char *name, const char *value)
{
    if (!value)
        return;
    text_printf(ret, " %s=\"", name);
    xml_append(ret, value);
    text_append(ret, "\"");
}

void
xml_attribute_count(struct text *ret, const char *name, uint64_t value)
{
    text_printf(ret, " %s=\"%" PRIu64 "\"", name, value);
}

void
xml_attribute_seconds(struct text *ret, const char *name, int64_t ms)
{
    text_printf(ret, " %s=\"%" PRId64 ".%03d\"", name, ms / 1000, (int)(ms % 1000));
}
