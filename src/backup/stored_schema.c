#include "stored_schema.h"

#include "base/parse.h"
#include "storage.h"

#include <inttypes.h>
#include <string.h>

static const char *const stored_names[] = {
    [STORED_ASCII] = "ascii",
    [STORED_UTF16LE] = "utf-16le",
    [STORED_UTF8] = "utf-8",
    [STORED_BYTES] = "bytes",
};

enum stored_as
stored_as_of(const struct schema *schema, const struct column *column)
{
    static const struct {
        const char *type_name;
        enum stored_as stored;
    } known[] = {
        {"nvarchar", STORED_UTF16LE}, {"nchar", STORED_UTF16LE},   {"sysname", STORED_UTF16LE},
        {"json", STORED_UTF8},        {"varbinary", STORED_BYTES}, {"binary", STORED_BYTES},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (text_equal_nocase(column->type_name, known[i].type_name))
            return known[i].stored == STORED_UTF16LE && schema->utf8_text ? STORED_UTF8
                                                                          : known[i].stored;
    return STORED_ASCII;
}

static void
append_string(struct text *text, const char *name, const char *value)
{
    text_printf(text, "\"%s\":", name);
    if (value)
        text_append_json(text, value, strlen(value));
    else
        text_append(text, "null");
}

static void
append_column(struct text *text, const struct schema *schema, const struct column *column)
{
    text_append(text, "{");
    append_string(text, "name", column->name);
    text_append(text, ",");
    append_string(text, "type", column->type_name);
    text_printf(text, ",\"stored\":\"%s\"", stored_names[stored_as_of(schema, column)]);
    text_printf(text, ",\"max_length\":\"%" PRId32 "\",\"precision\":\"%u\",\"scale\":\"%u\",",
                column->max_length, column->precision, column->scale);
    append_string(text, "collation", column->collation);
    text_printf(text, ",\"nullable\":%s,\"identity\":%s,\"computed\":%s,\"generated\":%s}",
                column->nullable ? "true" : "false", column->identity ? "true" : "false",
                column->computed ? "true" : "false", column->generated ? "true" : "false");
}

void
stored_schema_append(struct text *text, const struct schema *schema)
{
    text_printf(text, "{\"table\":\"%s\",\"name\":\"%s\",\"unique_key\":%s,\"columns\":[",
                table_key(schema->table), table_name(schema->table),
                schema->unique_key ? "true" : "false");
    for (size_t i = 0; i < schema->count; i++) {
        text_append(text, i ? "," : "");
        append_column(text, schema, &schema->columns[i]);
    }
    text_append(text, "]}");
}

static bool
parse_bool(const cJSON *object, const char *name, bool *ret)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsBool(value))
        return false;
    *ret = cJSON_IsTrue(value);
    return true;
}

static bool
parse_string(const cJSON *object, const char *name, struct arena *arena, const char **ret)
{
    const char *string = storage_json_string(object, name);
    *ret = string ? arena_string(arena, string) : NULL;
    return *ret;
}

static bool
parse_number(const cJSON *object, const char *name, int64_t min, int64_t max, int64_t *ret)
{
    const char *string = storage_json_string(object, name);
    return string && parse_int(string, min, max, ret);
}

static bool
parse_sizes(const cJSON *json, struct column *column)
{
    int64_t length = 0;
    int64_t precision = 0;
    int64_t scale = 0;
    if (!parse_number(json, "max_length", -1, INT32_MAX, &length) ||
        !parse_number(json, "precision", 0, UINT8_MAX, &precision) ||
        !parse_number(json, "scale", 0, UINT8_MAX, &scale))
        return false;
    column->max_length = (int32_t)length;
    column->precision = (uint8_t)precision;
    column->scale = (uint8_t)scale;
    return true;
}

static bool
parse_stored(const cJSON *json, enum stored_as *ret)
{
    const char *name = storage_json_string(json, "stored");
    for (size_t i = 0; name && i < sizeof(stored_names) / sizeof(stored_names[0]); i++) {
        if (strcmp(name, stored_names[i]) == 0) {
            *ret = (enum stored_as)i;
            return true;
        }
    }
    return false;
}

static bool
parse_column(const cJSON *json, struct arena *arena, struct column *column,
             enum stored_as *ret_stored)
{
    const cJSON *collation = cJSON_GetObjectItemCaseSensitive(json, "collation");

    if (!cJSON_IsNull(collation) && !parse_string(json, "collation", arena, &column->collation))
        return false;
    return parse_string(json, "name", arena, &column->name) &&
           parse_string(json, "type", arena, &column->type_name) && parse_sizes(json, column) &&
           parse_stored(json, ret_stored) && parse_bool(json, "nullable", &column->nullable) &&
           parse_bool(json, "identity", &column->identity) &&
           parse_bool(json, "computed", &column->computed) &&
           parse_bool(json, "generated", &column->generated);
}

static size_t
count_of(const cJSON *array)
{
    size_t count = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
    {
        count++;
    }
    return count;
}

bool
stored_schema_parse(const cJSON *json, struct arena *arena, struct stored_schema *ret)
{
    const char *key = storage_json_string(json, "table");
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(json, "columns");
    const size_t count = cJSON_IsArray(columns) ? count_of(columns) : 0;
    struct stored_schema found = {.schema.count = count};
    const cJSON *item = NULL;
    size_t i = 0;

    if (!key || !table_from_key(key, &found.schema.table) || count == 0 ||
        count > STORED_COLUMNS_MAX || !parse_bool(json, "unique_key", &found.schema.unique_key))
        return false;
    struct column *list = arena_alloc(arena, count * sizeof(*list));
    enum stored_as *stored = arena_alloc(arena, count * sizeof(*stored));
    if (!list || !stored)
        return false;
    cJSON_ArrayForEach(item, columns)
    {
        if (!parse_column(item, arena, &list[i], &stored[i]))
            return false;
        if (stored[i] == STORED_UTF8 && stored_as_of(&found.schema, &list[i]) == STORED_UTF16LE)
            found.schema.utf8_text = true;
        i++;
    }
    found.schema.columns = list;
    found.stored = stored;
    *ret = found;
    return true;
}
