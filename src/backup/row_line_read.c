#include "row_line.h"
#include "storage.h"

#include <stdlib.h>
#include <string.h>

bool
row_line_reader_init(struct row_line_reader *reader, const struct stored_schema *schema,
                     struct err *err)
{
    struct field *fields = calloc(schema->schema.count + 1, sizeof(*fields));
    if (!fields)
        return storage_no_memory(err);
    *reader = (struct row_line_reader){.schema = schema, .fields = fields};
    return true;
}

void
row_line_reader_done(struct row_line_reader *reader)
{
    free(reader->fields);
    cJSON_Delete(reader->json);
    free(reader->bytes);
    *reader = (struct row_line_reader){0};
}

/* UTF-16 of a UTF-8 text is at most twice as long, decoded base64 shorter: twice the line holds
 * every field, and nothing moves while the fields point into it. */
static bool
make_room(struct row_line_reader *reader, size_t line_size)
{
    const size_t needed = 2 * line_size + 4;

    reader->used = 0;
    if (reader->capacity >= needed)
        return true;
    free(reader->bytes);
    reader->bytes = malloc(needed);
    reader->capacity = reader->bytes ? needed : 0;
    return reader->bytes;
}

static void
put_unit(struct row_line_reader *reader, uint32_t unit)
{
    reader->bytes[reader->used++] = (unsigned char)(unit & 0xFF);
    reader->bytes[reader->used++] = (unsigned char)(unit >> 8 & 0xFF);
}

/* Length of the sequence that the first byte announces; the text is known to be UTF-8. */
static size_t
sequence(const unsigned char *at, uint32_t *ret_code)
{
    if (at[0] < 0x80) {
        *ret_code = at[0];
        return 1;
    }
    if (at[0] < 0xE0) {
        *ret_code = (at[0] & 0x1FU) << 6 | (at[1] & 0x3FU);
        return 2;
    }
    if (at[0] < 0xF0) {
        *ret_code = (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
        return 3;
    }
    *ret_code =
        (at[0] & 0x07U) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 | (at[3] & 0x3FU);
    return 4;
}

static bool
read_utf16(struct row_line_reader *reader, const char *string, struct field *field)
{
    const size_t size = strlen(string);
    const unsigned char *at = (const unsigned char *)string;
    const size_t start = reader->used;
    uint32_t code = 0;

    if (!text_is_utf8(string, size))
        return false;
    for (const unsigned char *end = at + size; at < end;) {
        at += sequence(at, &code);
        if (code < 0x10000) {
            put_unit(reader, code);
        } else {
            put_unit(reader, 0xD800 + ((code - 0x10000) >> 10));
            put_unit(reader, 0xDC00 + ((code - 0x10000) & 0x3FF));
        }
    }
    field->bytes = slice_of(reader->bytes + start, reader->used - start);
    return true;
}

static bool
read_base64(struct row_line_reader *reader, const char *string, struct field *field)
{
    unsigned char *decoded = NULL;
    size_t size = 0;

    if (!string || !text_decode_base64(string, strlen(string), &decoded, &size))
        return false;
    memcpy(reader->bytes + reader->used, decoded, size);
    field->bytes = slice_of(reader->bytes + reader->used, size);
    reader->used += size;
    free(decoded);
    return true;
}

static bool
is_ascii(const char *string)
{
    for (; *string; string++)
        if ((unsigned char)*string > 0x7F)
            return false;
    return true;
}

static bool
read_string(struct row_line_reader *reader, enum stored_as stored, const char *string,
            struct field *field)
{
    switch (stored) {
    case STORED_UTF16LE:
        return read_utf16(reader, string, field);
    case STORED_ASCII:
        if (!is_ascii(string))
            return false;
        break;
    case STORED_UTF8:
        break;
    case STORED_BYTES:
        return false;
    }
    field->bytes = slice_of_string(string);
    return true;
}

static bool
read_value(struct row_line_reader *reader, size_t column, const cJSON *value)
{
    struct field *field = &reader->fields[column];

    *field = (struct field){0};
    if (cJSON_IsNull(value)) {
        field->is_null = true;
        return true;
    }
    if (cJSON_IsString(value))
        return read_string(reader, reader->schema->stored[column], value->valuestring, field);
    return cJSON_IsObject(value) && read_base64(reader, storage_json_string(value, "b64"), field);
}

static bool
read_fields(struct row_line_reader *reader, const cJSON *fields, const char **ret_why)
{
    const struct schema *schema = &reader->schema->schema;
    const cJSON *value = NULL;
    size_t i = 0;

    *ret_why = "has no fields"; /* the items of an array have no names */
    if (!cJSON_IsObject(fields))
        return false;
    cJSON_ArrayForEach(value, fields)
    {
        *ret_why = "has other columns than the schema";
        if (i == schema->count || strcmp(value->string, schema->columns[i].name) != 0)
            return false;
        *ret_why = "has a value that does not fit its column";
        if (!read_value(reader, i, value))
            return false;
        i++;
    }
    *ret_why = "has fewer columns than the schema";
    return i == schema->count;
}

/* Copy a string member into an array of the row's identity. */
static bool
read_name(const cJSON *json, const char *name, char *ret, size_t size)
{
    const char *string = storage_json_string(json, name);
    const size_t length = string ? strlen(string) : size;

    if (length >= size)
        return false;
    memcpy(ret, string, length + 1);
    return true;
}

static bool
read_id(const cJSON *json, struct row_id *ret)
{
    const char *digest = storage_json_string(json, "digest");
    return read_name(json, "key", ret->key, sizeof(ret->key)) &&
           read_name(json, "version", ret->version, sizeof(ret->version)) && digest &&
           digest_from_hex(digest, &ret->digest);
}

bool
row_line_read(struct row_line_reader *reader, struct slice line, struct row *ret,
              const char **ret_why)
{
    struct row row = {.id.table = reader->schema->schema.table,
                      .fields = reader->fields,
                      .count = reader->schema->schema.count};

    cJSON_Delete(reader->json);
    reader->json = NULL;
    *ret_why = "needs more memory than there is";
    if (!make_room(reader, line.size))
        return false;
    *ret_why = "is not UTF-8";
    if (!text_is_utf8(line.data, line.size))
        return false;
    reader->json = storage_parse_json((const char *)line.data, line.size);
    *ret_why = "is not a JSON object";
    if (!cJSON_IsObject(reader->json))
        return false;
    *ret_why = "has no key, digest or version";
    if (!read_id(reader->json, &row.id))
        return false;
    if (!read_fields(reader, cJSON_GetObjectItemCaseSensitive(reader->json, "fields"), ret_why))
        return false;
    *ret = row;
    return true;
}
