#include "row_line.h"
#include "storage.h"

#include <stdlib.h>
#include <string.h>

/* What is left of a line. */
struct rest {
    const char *at, *end;
};

bool
row_line_reader_init(struct row_line_reader *reader, const struct stored_schema *schema,
                     struct err *err)
{
    struct row_line_reader new = {
        .schema = schema,
        .fields = calloc(schema->schema.count + 1, sizeof(*new.fields)),
        .name_ends = calloc(schema->schema.count + 1, sizeof(*new.name_ends)),
    };

    if (!new.fields || !new.name_ends ||
        !row_line_names(&schema->schema, &new.names, new.name_ends)) {
        row_line_reader_done(&new);
        return storage_no_memory(err);
    }
    *reader = new;
    return true;
}

void
row_line_reader_done(struct row_line_reader *reader)
{
    free(reader->fields);
    free(reader->name_ends);
    text_done(&reader->names);
    free(reader->bytes);
    *reader = (struct row_line_reader){0};
}

/* UTF-16 of a UTF-8 text is at most twice as long, decoded base64 shorter: twice the line holds
 * every field, and nothing moves while the fields point into it. */
static bool
make_room(struct row_line_reader *reader, size_t line_size)
{
    const size_t needed = 2 * line_size + 16;

    reader->used = 0;
    if (reader->capacity >= needed)
        return true;
    free(reader->bytes);
    reader->bytes = malloc(needed);
    reader->capacity = reader->bytes ? needed : 0;
    return reader->bytes;
}

/* ---- the line ---- */

/* Go over `text`, if it comes next. */
static bool
take(struct rest *rest, const char *text, size_t size)
{
    if ((size_t)(rest->end - rest->at) < size || memcmp(rest->at, text, size) != 0)
        return false;
    rest->at += size;
    return true;
}

static bool
take_text(struct rest *rest, const char *text)
{
    return take(rest, text, strlen(text));
}

/* The one byte that the escape behind a backslash stands for. */
static bool
take_escape(struct rest *rest, unsigned char *ret)
{
    static const char unicode[] = "u00";

    if (take_text(rest, "\"") || take_text(rest, "\\")) {
        *ret = (unsigned char)rest->at[-1];
        return true;
    }
    if (take_text(rest, "n")) {
        *ret = '\n';
        return true;
    }
    if (!take_text(rest, unicode) || rest->end - rest->at < 2 ||
        !text_decode_hex(rest->at, 2, ret) || *ret == 0 || *ret > 0x7F)
        return false;
    rest->at += 2;
    return true;
}

/* ---- strings ---- */

static void
put_unit(struct row_line_reader *reader, uint32_t unit)
{
    reader->bytes[reader->used++] = (unsigned char)(unit & 0xFF);
    reader->bytes[reader->used++] = (unsigned char)(unit >> 8 & 0xFF);
}

/* Put so many bytes of ASCII as UTF-16LE, four at a time. */
static void
put_wide(struct row_line_reader *reader, const char *ascii, size_t size)
{
    size_t i = 0;

    for (; size - i >= 4; i += 4) {
        unsigned char *out = reader->bytes + reader->used;

        for (size_t j = 0; j < 4; j++) {
            out[2 * j] = (unsigned char)ascii[i + j];
            out[2 * j + 1] = 0;
        }
        reader->used += 8;
    }
    for (; i < size; i++)
        put_unit(reader, (unsigned char)ascii[i]);
}

/* Take what needs no look at single characters; how many bytes that was. */
static size_t
take_plain(struct row_line_reader *reader, const struct rest *rest, enum stored_as stored)
{
    const size_t left = (size_t)(rest->end - rest->at);
    size_t written;
    size_t run;

    if (stored == STORED_UTF16LE) {
        run = text_json_run(rest->at, left);
        put_wide(reader, rest->at, run);
        return run;
    }
    /* the line is known to be UTF-8 */
    run = text_json_plain(rest->at, left, stored == STORED_UTF8, reader->bytes + reader->used,
                          &written);
    reader->used += written;
    return run;
}

static void
put_narrow(struct row_line_reader *reader, const char *ascii, size_t size)
{
    memcpy(reader->bytes + reader->used, ascii, size);
    reader->used += size;
}

/* Go over the sequence that comes next, of more than one byte; the line is known to be UTF-8. */
static uint32_t
take_sequence(struct rest *rest)
{
    const unsigned char *at = (const unsigned char *)rest->at;

    if (at[0] < 0xE0) {
        rest->at += 2;
        return (at[0] & 0x1FU) << 6 | (at[1] & 0x3FU);
    }
    if (at[0] < 0xF0) {
        rest->at += 3;
        return (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
    }
    rest->at += 4;
    return (at[0] & 0x07U) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 | (at[3] & 0x3FU);
}

static void
put_code(struct row_line_reader *reader, uint32_t code)
{
    if (code < 0x10000) {
        put_unit(reader, code);
        return;
    }
    put_unit(reader, 0xD800 + ((code - 0x10000) >> 10));
    put_unit(reader, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

/* What stops a run of plain bytes, inside a string; false at its end and at what none may hold. */
static bool
take_other(struct row_line_reader *reader, struct rest *rest, enum stored_as stored)
{
    unsigned char byte = (unsigned char)*rest->at;

    if (byte > 0x7F && stored == STORED_UTF16LE) {
        put_code(reader, take_sequence(rest));
        return true;
    }
    if (byte > 0x7F) {
        const char *start = rest->at;
        (void)take_sequence(rest);
        put_narrow(reader, start, (size_t)(rest->at - start));
        return stored == STORED_UTF8;
    }
    if (byte == 0x7F)
        rest->at++;
    else if (!take_text(rest, "\\") || !take_escape(rest, &byte))
        return false;
    if (stored == STORED_UTF16LE)
        put_unit(reader, byte);
    else
        reader->bytes[reader->used++] = byte;
    return true;
}

/* The string that comes next, as the bytes that it stands for. */
static bool
take_string(struct row_line_reader *reader, struct rest *rest, enum stored_as stored,
            struct slice *ret)
{
    const size_t start = reader->used;

    if (stored == STORED_BYTES || !take_text(rest, "\""))
        return false;
    while (rest->at < rest->end && *rest->at != '"') {
        const size_t run = take_plain(reader, rest, stored);

        if (run == 0 && !take_other(reader, rest, stored))
            return false;
        rest->at += run;
    }
    *ret = slice_of(reader->bytes + start, reader->used - start);
    return take_text(rest, "\"");
}

/* ---- values ---- */

static bool
take_base64(struct row_line_reader *reader, struct rest *rest, struct slice *ret)
{
    const char *end = memchr(rest->at, '"', (size_t)(rest->end - rest->at));
    unsigned char *decoded = NULL;
    size_t size = 0;

    if (!end || !text_decode_base64(rest->at, (size_t)(end - rest->at), &decoded, &size))
        return false;
    memcpy(reader->bytes + reader->used, decoded, size);
    *ret = slice_of(reader->bytes + reader->used, size);
    reader->used += size;
    free(decoded);
    rest->at = end;
    return take_text(rest, "\"}");
}

static bool
take_value(struct row_line_reader *reader, struct rest *rest, size_t column)
{
    struct field *field = &reader->fields[column];

    *field = (struct field){0};
    if (take_text(rest, "null")) {
        field->is_null = true;
        return true;
    }
    if (take_text(rest, "{\"b64\":\""))
        return take_base64(reader, rest, &field->bytes);
    return take_string(reader, rest, reader->schema->stored[column], &field->bytes);
}

static bool
take_fields(struct row_line_reader *reader, struct rest *rest, const char **ret_why)
{
    const struct schema *schema = &reader->schema->schema;
    size_t from = 0;

    *ret_why = "has no fields";
    if (rest->at == rest->end || *rest->at != '{')
        return false;
    for (size_t i = 0; i < schema->count; i++) {
        const size_t size = reader->name_ends[i] - from;

        if (!take(rest, reader->names.data + from, size)) {
            *ret_why = take_text(rest, i == 0 ? "{}" : "}") ? "has fewer columns than the schema"
                                                            : "has other columns than the schema";
            return false;
        }
        *ret_why = "has a value that does not fit its column";
        if (!take_value(reader, rest, i))
            return false;
        from = reader->name_ends[i];
    }
    *ret_why = "has other columns than the schema";
    return take_text(rest, "}");
}

/* A member of the row's identity, behind its name. */
static bool
take_name(struct row_line_reader *reader, struct rest *rest, char *ret, size_t size)
{
    struct slice bytes;

    if (!take_string(reader, rest, STORED_UTF8, &bytes) || bytes.size >= size)
        return false;
    memcpy(ret, bytes.data, bytes.size);
    ret[bytes.size] = '\0';
    return true;
}

static bool
take_id(struct row_line_reader *reader, struct rest *rest, struct row_id *ret)
{
    enum { HEX_DIGITS = DIGEST_HEX_BYTES - 1 };

    if (!take_text(rest, "\"key\":") || !take_name(reader, rest, ret->key, sizeof(ret->key)) ||
        !take_text(rest, ",\"digest\":\"") || rest->end - rest->at < HEX_DIGITS ||
        !text_decode_hex(rest->at, HEX_DIGITS, ret->digest.bytes))
        return false;
    rest->at += HEX_DIGITS;
    return take_text(rest, "\",\"version\":") &&
           take_name(reader, rest, ret->version, sizeof(ret->version));
}

bool
row_line_read(struct row_line_reader *reader, struct slice line, struct row *ret,
              const char **ret_why)
{
    struct rest rest = {.at = (const char *)line.data, .end = (const char *)line.data + line.size};
    struct row row = {.id.table = reader->schema->schema.table,
                      .fields = reader->fields,
                      .count = reader->schema->schema.count};

    *ret_why = "needs more memory than there is";
    if (!make_room(reader, line.size))
        return false;
    *ret_why = "is not UTF-8";
    if (!text_is_utf8(line.data, line.size))
        return false;
    *ret_why = "is not a JSON object";
    if (!take_text(&rest, "{"))
        return false;
    *ret_why = "has no key, digest or version";
    if (!take_id(reader, &rest, &row.id))
        return false;
    *ret_why = "has no fields";
    if (!take_text(&rest, ",\"fields\":") || !take_fields(reader, &rest, ret_why))
        return false;
    *ret_why = "has more than the fields of a row";
    if (!take_text(&rest, "}") || rest.at < rest.end)
        return false;
    *ret = row;
    return true;
}
