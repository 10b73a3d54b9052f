/* Rows of a backup as lines: what is written is read back byte for byte, whatever the bytes; what
 * is read from any line is written as a line with the same meaning. The first byte chooses. */
#include "backup/row_line.h"
#include "base/arena.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 5, ARENA_BYTES = 1 << 20 };

static const struct column columns[COLUMNS] = {
    {.name = "WIDE \"\\\n\xC3\xA4",
     .type_name = "nvarchar",
     .max_length = -1,
     .collation = "x",
     .nullable = true},
    {.name = "NARROW",
     .type_name = "varchar",
     .max_length = -1,
     .collation = "x",
     .nullable = true},
    {.name = "BYTES", .type_name = "varbinary", .max_length = -1, .nullable = true},
    {.name = "NUMBER", .type_name = "bigint", .max_length = 8, .nullable = true},
    {.name = "VERSION", .type_name = "timestamp", .max_length = 8, .generated = true},
};
static const struct schema project = {
    .table = TABLE_PROJECT, .columns = columns, .count = COLUMNS, .unique_key = true};
static const struct column document = {.name = "document", .type_name = "json"};
static const struct schema runtime = {
    .table = TABLE_RUNTIME, .columns = &document, .count = 1, .unique_key = true};

static struct row_line_writer writer;
static struct row_line_reader reader, second;

/** A schema as it comes out of a file. */
static void
prepare(const struct schema *schema)
{
    static struct arena *arena;
    static struct stored_schema stored;
    static const struct schema *prepared;
    TEXT_SCOPED text = {0};
    struct err err = {0};
    if (prepared == schema)
        return;
    if (prepared) {
        row_line_writer_done(&writer);
        row_line_reader_done(&reader);
        row_line_reader_done(&second);
        arena_free(arena);
    }
    prepared = schema;
    arena = arena_new(ARENA_BYTES);
    FUZZ_MUST(arena);
    stored_schema_append(&text, schema);
    cJSON *json = cJSON_Parse(text_string(&text));
    FUZZ_MUST(stored_schema_parse(json, arena, &stored));
    cJSON_Delete(json);
    FUZZ_MUST(schema_equal(schema, &stored.schema));
    FUZZ_MUST(row_line_writer_init(&writer, schema, &err) &&
              row_line_reader_init(&reader, &stored, &err) &&
              row_line_reader_init(&second, &stored, &err));
}

static void
must_be_equal(const struct row *a, const struct row *b)
{
    FUZZ_MUST(a->id.table == b->id.table && strcmp(a->id.key, b->id.key) == 0);
    FUZZ_MUST(strcmp(a->id.version, b->id.version) == 0);
    FUZZ_MUST(digest_equal(&a->id.digest, &b->id.digest) && a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        FUZZ_MUST(a->fields[i].is_null == b->fields[i].is_null);
        FUZZ_MUST(a->fields[i].is_null || slice_equal(a->fields[i].bytes, b->fields[i].bytes));
    }
}

static void
write_and_read(const struct row *row)
{
    struct row again;
    struct err err = {0};
    const char *why = NULL;
    FUZZ_MUST(row_line_write(&writer, row, &err));
    FUZZ_MUST(writer.line.used > 0 && writer.line.data[writer.line.used - 1] == '\n');
    FUZZ_MUST(!memchr(writer.line.data, '\n', writer.line.used - 1));
    FUZZ_MUST(
        row_line_read(&second, slice_of(writer.line.data, writer.line.used - 1), &again, &why));
    must_be_equal(row, &again);
}

/** Fields of any bytes: a byte for the length or for NULL, then they. */
static void
from_bytes(const struct schema *schema, struct fuzz_input *input)
{
    struct field fields[COLUMNS] = {{0}};
    struct row row = {.id.table = schema->table, .fields = fields, .count = schema->count};
    for (size_t i = 0; i < schema->count; i++) {
        const uint8_t head = fuzz_byte(input);
        size_t size = i + 1 == schema->count ? input->left : head;
        size = size < input->left ? size : input->left;
        fields[i] = (struct field){.is_null = head == 255, .bytes = slice_of(input->at, size)};
        if (fields[i].is_null)
            fields[i].bytes = slice_of("", 0);
        input->at += size;
        input->left -= size;
    }
    memcpy(row.id.key, "5637144576:1", sizeof("5637144576:1"));
    row.id.digest = digest_of("x", 1);
    write_and_read(&row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t which = fuzz_byte(&input);
    const struct schema *schema = which & 1 ? &project : &runtime;

    prepare(schema);
    if (which & 2) {
        from_bytes(schema, &input);
    } else {
        struct row row;
        const char *why = NULL;
        uint8_t *line = fuzz_bytes(&input, &size);
        if (row_line_read(&reader, slice_of(line, size), &row, &why))
            write_and_read(&row);
        else
            FUZZ_MUST(why && *why);
        free(line);
    }
    return 0;
}
