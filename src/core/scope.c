#include "core/scope.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 4096 };

/** Append a character column's bytes as UTF-8; false for another type, or not well-formed. */
static bool
append_field(const struct schema *schema, const char *type, struct slice bytes, struct text *ret)
{
    const bool wide = text_equal_nocase(type, "nvarchar") || text_equal_nocase(type, "nchar");

    if (wide && !schema->utf8_text)
        return text_append_utf16le(ret, bytes);
    if (wide && !text_is_utf8(bytes.data, bytes.size))
        return false;
    if (!wide && !text_equal_nocase(type, "varchar") && !text_equal_nocase(type, "char"))
        return false;
    text_append_bytes(ret, bytes.data, bytes.size);
    return true;
}

bool
field_text(const struct schema *schema, const struct row *row, const char *column, char *ret,
           size_t size)
{
    const size_t at = schema_find(schema, column);
    TEXT_SCOPED text = {0};
    size_t used;

    if (at == schema->count || row->fields[at].is_null ||
        !append_field(schema, schema->columns[at].type_name, row->fields[at].bytes, &text))
        return false;
    used = text.used;
    if (text.broken || (used && memchr(text_string(&text), '\0', used)))
        return false;
    if (used >= size) {
        used = size - 1;
        while (used > 0 && ((unsigned char)text.data[used] & 0xC0) == 0x80)
            used--;
    }
    memcpy(ret, text_string(&text), used);
    ret[used] = '\0';
    return true;
}

/** Of ASCII; other bytes count as they are. */
static int
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t
trimmed_size(const char *text)
{
    size_t size = strlen(text);

    while (size > 0 && text[size - 1] == ' ')
        size--;
    return size;
}

bool
names_are_alike(const char *a, const char *b)
{
    const size_t size = trimmed_size(a);

    if (size != trimmed_size(b))
        return false;
    for (size_t i = 0; i < size; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool
scope_names_channel(const struct run_request *request, const char *channel)
{
    for (size_t i = 0; i < request->channel_count; i++)
        if (strcmp(request->channels[i], channel) == 0)
            return true;
    return false;
}

static bool
takes_event(const struct scope *scope, const struct schema *schema, const struct row *row)
{
    char channel[VALUE_BYTES];

    if (!field_text(schema, row, "CHANNEL", channel, sizeof channel))
        return false;
    for (size_t i = 0; i < scope->channel_count; i++)
        if (strcmp(scope->channels[i], channel) == 0)
            return true;
    return false;
}

static bool
takes_project(const struct scope *scope, const struct schema *schema, const struct row *row)
{
    char name[VALUE_BYTES];
    struct axdb_key key;

    if (!axdb_key_parse(row->id.key, &key) ||
        !field_text(schema, row, "PROJECTNAME", name, sizeof name))
        return false;
    for (size_t i = 0; i < scope->project_count; i++)
        if (scope->projects[i].partition == key.partition &&
            strcmp(scope->projects[i].name, name) == 0)
            return true;
    return false;
}

bool
scope_takes(const struct scope *scope, const struct schema *schema, const struct row *row)
{
    switch (scope->parts[schema->table]) {
    case SCOPE_NOTHING:
    default:
        return false;
    case SCOPE_WHOLE:
        return true;
    case SCOPE_SOME:
        break;
    }
    return schema->table == TABLE_EVENTS ? takes_event(scope, schema, row)
                                         : takes_project(scope, schema, row);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** The channels in one order, so that the order of options does not make another plan. */
static bool
name_channels(const struct run_request *request, struct arena *arena, struct scope *scope)
{
    const size_t count = request->channel_count;
    const char **names = arena_alloc(arena, count * sizeof *names);
    TEXT_SCOPED text = {0};
    TEXT_SCOPED words = {0};

    if (!names)
        return false;
    memcpy(names, request->channels, count * sizeof *names);
    qsort(names, count, sizeof *names, by_text);
    text_append(&text, "channels=[");
    text_append(&words, count == 1 ? "event rows of channel " : "event rows of channels ");
    for (size_t i = 0; i < count; i++) {
        text_append(&text, i ? "," : "");
        text_append_json(&text, names[i], strlen(names[i]));
        text_append(&words, i ? ", " : "");
        text_append_json(&words, names[i], strlen(names[i]));
    }
    text_append(&text, "]");
    scope->channels = names;
    scope->channel_count = count;
    scope->text = arena_string(arena, text_string(&text));
    scope->words = arena_string(arena, text_string(&words));
    return scope->text && scope->words && !text.broken && !words.broken;
}

bool
scope_make(const struct run_request *request, struct arena *arena, struct scope *ret,
           struct err *err)
{
    struct scope scope = {.text = request->channels_all ? "channels=all" : ""};

    for (int i = 0; i < TABLES; i++)
        scope.parts[i] =
            (i == TABLE_RUNTIME ? request->dataverse : request->axdb) ? SCOPE_WHOLE : SCOPE_NOTHING;
    if (request->axdb && request->channel_count) {
        scope.parts[TABLE_EVENTS] = SCOPE_SOME;
        if (!name_channels(request, arena, &scope))
            return arena_exhausted(err);
    }
    *ret = scope;
    return true;
}
