#include "row_line.h"
#include "storage.h"

#include <stdlib.h>
#include <string.h>

bool
row_line_names(const struct schema *schema, struct text *names, size_t *ends)
{
    for (size_t i = 0; i < schema->count; i++) {
        const char *name = schema->columns[i].name;
        text_append(names, i ? "," : "{");
        text_append_json(names, name, strlen(name));
        text_append(names, ":");
        ends[i] = names->used;
    }
    return !names->broken;
}

bool
row_line_writer_init(struct row_line_writer *writer, const struct schema *schema, struct err *err)
{
    struct row_line_writer new = {
        .line.max = ROW_LINE_MAX_BYTES,
        .scratch.max = ROW_LINE_MAX_BYTES,
        .name_ends = calloc(schema->count + 1, sizeof(size_t)),
        .stored = calloc(schema->count + 1, sizeof(enum stored_as)),
        .count = schema->count,
    };
    if (!new.name_ends || !new.stored || !row_line_names(schema, &new.names, new.name_ends)) {
        row_line_writer_done(&new);
        return storage_no_memory(err);
    }
    for (size_t i = 0; i < schema->count; i++)
        new.stored[i] = stored_as_of(schema, &schema->columns[i]);
    *writer = new;
    return true;
}

void
row_line_writer_done(struct row_line_writer *writer)
{
    text_done(&writer->line);
    text_done(&writer->scratch);
    text_done(&writer->names);
    free(writer->name_ends);
    free(writer->stored);
    writer->name_ends = NULL;
    writer->stored = NULL;
}

static bool
is_ascii(struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] == 0 || bytes.data[i] > 0x7F)
            return false;
    return true;
}

/* Most text is ASCII: narrowing it is several times faster than decoding. */
static bool
narrow_ascii(struct text *scratch, struct slice bytes)
{
    char block[4096];
    for (size_t at = 0; at < bytes.size;) {
        size_t n = 0;
        for (; n < sizeof(block) && at < bytes.size; n++, at += 2) {
            const unsigned char low = bytes.data[at];
            if (bytes.data[at + 1] != 0 || low == 0 || low > 0x7F)
                return false;
            block[n] = (char)low;
        }
        text_append_bytes(scratch, block, n);
    }
    return true;
}

/* The text as UTF-8 in `scratch`; false when only the bytes say exactly what it is. */
static bool
utf16_to_scratch(struct text *scratch, struct slice bytes)
{
    text_reset(scratch);
    if (bytes.size % 2 != 0)
        return false;
    if (narrow_ascii(scratch, bytes))
        return !scratch->broken;
    text_reset(scratch);
    return text_append_utf16le(scratch, bytes) && !scratch->broken &&
           !memchr(text_string(scratch), 0, scratch->used);
}

static bool
append_as_string(struct row_line_writer *writer, enum stored_as stored, struct slice bytes)
{
    struct slice text = bytes;

    switch (stored) {
    case STORED_ASCII:
        if (text_json_run(bytes.data, bytes.size) < bytes.size && !is_ascii(bytes))
            return false;
        break;
    case STORED_UTF8:
        if (!text_is_utf8(bytes.data, bytes.size))
            return false;
        break;
    case STORED_UTF16LE:
        if (!utf16_to_scratch(&writer->scratch, bytes))
            return false;
        text = slice_of(text_string(&writer->scratch), writer->scratch.used);
        break;
    case STORED_BYTES:
        return false;
    }
    text_append_json(&writer->line, text.size ? (const char *)text.data : "", text.size);
    return true;
}

static void
append_value(struct row_line_writer *writer, enum stored_as stored, const struct field *field)
{
    if (field->is_null) {
        text_append_bytes(&writer->line, "null", 4);
    } else if (!append_as_string(writer, stored, field->bytes)) {
        text_append(&writer->line, "{\"b64\":\"");
        text_append_base64(&writer->line, field->bytes.data, field->bytes.size);
        text_append(&writer->line, "\"}");
    }
}

static bool
too_long(const struct row *row, struct err *err)
{
    (void)err_set(err, ERR_STORAGE, "row %s of %s is larger than %d bytes", row->id.key,
                  table_name(row->id.table), (int)ROW_LINE_MAX_BYTES);
    return err_hint(err, "A backup holds no larger row, so this row cannot be removed by dwclean.");
}

bool
row_line_write(struct row_line_writer *writer, const struct row *row, struct err *err)
{
    struct text *line = &writer->line;
    char digest[DIGEST_HEX_BYTES];
    size_t from = 0;

    if (row->count != writer->count)
        return err_set(err, ERR_INTERNAL, "row %s has %zu fields where the schema has %zu",
                       row->id.key, row->count, writer->count);
    text_reset(line);
    text_append(line, "{\"key\":");
    text_append_json(line, row->id.key, strlen(row->id.key));
    digest_hex(&row->id.digest, digest);
    text_append(line, ",\"digest\":\"");
    text_append_bytes(line, digest, DIGEST_HEX_BYTES - 1);
    text_append(line, "\",\"version\":");
    text_append_json(line, row->id.version, strlen(row->id.version));
    text_append(line, ",\"fields\":");
    for (size_t i = 0; i < row->count; i++) {
        text_append_bytes(line, writer->names.data + from, writer->name_ends[i] - from);
        from = writer->name_ends[i];
        append_value(writer, writer->stored[i], &row->fields[i]);
    }
    text_append_bytes(line, "}}\n", 3);
    return line->broken ? too_long(row, err) : true;
}
