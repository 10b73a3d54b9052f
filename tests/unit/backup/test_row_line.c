#include "../../../src/backup/row_line.h"
#include "scratch.h"

enum {
    VALUES = 6000,
    LARGE_BYTES = 2 * 1024 * 1024,
    MANY_UNITS = 0x10000,
    ARENA_BYTES = 1024 * 1024
};

static const struct column columns[] = {
    {.name = "n", .type_name = "nvarchar", .max_length = -1, .collation = "C", .nullable = true},
    {.name = "c", .type_name = "varchar", .max_length = -1, .collation = "C", .nullable = true},
    {.name = "b", .type_name = "varbinary", .max_length = -1, .nullable = true},
    {.name = "j\"son\n\xC3\xA4", .type_name = "json", .max_length = -1, .nullable = true},
    {.name = "i", .type_name = "bigint", .max_length = 8, .nullable = true},
    {.name = "v", .type_name = "timestamp", .max_length = 8, .generated = true},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static const struct schema schema = {
    .table = TABLE_PROJECT, .columns = columns, .count = COLUMNS, .unique_key = true};

/* Schema as it comes back from a file. */
struct stored {
    struct arena *arena;
    struct stored_schema schema;
    struct row_line_writer writer;
    struct row_line_reader reader;
};

static int
set_up(void **state)
{
    struct stored *stored = calloc(1, sizeof(*stored));
    struct text text = {0};
    struct err err;

    assert_non_null(stored);
    stored->arena = arena_new(ARENA_BYTES);
    stored_schema_append(&text, &schema);
    assert_true(text_ok(&text, &err));
    cJSON *json = cJSON_ParseWithLength(text.data, text.used);
    assert_non_null(json);
    assert_true(stored_schema_parse(json, stored->arena, &stored->schema));
    cJSON_Delete(json);
    text_done(&text);
    assert_true(row_line_writer_init(&stored->writer, &schema, &err));
    assert_true(row_line_reader_init(&stored->reader, &stored->schema, &err));
    *state = stored;
    return 0;
}

static int
tear_down(void **state)
{
    struct stored *stored = *state;
    row_line_writer_done(&stored->writer);
    row_line_reader_done(&stored->reader);
    arena_free(stored->arena);
    free(stored);
    return 0;
}

/* The same bytes in every column, written and read back. */
static void
round_trip(struct stored *stored, struct slice bytes)
{
    struct field fields[COLUMNS];
    struct row row = {.id = {.table = TABLE_PROJECT, .key = "5637144576:1", .version = "v"},
                      .fields = fields,
                      .count = COLUMNS};
    struct row back;
    const char *why = NULL;
    struct err err;

    for (size_t i = 0; i < COLUMNS; i++)
        fields[i] = (struct field){.bytes = bytes};
    memset(row.id.digest.bytes, 0xA5, sizeof(row.id.digest.bytes));
    assert_true(row_line_write(&stored->writer, &row, &err));
    const struct slice line = slice_of(stored->writer.line.data, stored->writer.line.used - 1);
    assert_null(memchr(line.data, '\n', line.size));
    assert_true(text_is_utf8(line.data, line.size));
    if (!row_line_read(&stored->reader, line, &back, &why))
        fail_msg("line %s: %.200s", why, (const char *)line.data);
    assert_int_equal(back.count, COLUMNS);
    assert_int_equal(back.id.table, TABLE_PROJECT);
    assert_string_equal(back.id.key, row.id.key);
    assert_string_equal(back.id.version, "v");
    assert_true(digest_equal(&back.id.digest, &row.id.digest));
    for (size_t i = 0; i < COLUMNS; i++) {
        assert_false(back.fields[i].is_null);
        assert_true(slice_equal(back.fields[i].bytes, bytes));
    }
}

static void
text_of_an_engine_that_stores_utf8_is_stored_as_it_is(void **state)
{
    static const struct column words[] = {
        {.name = "n", .type_name = "nvarchar", .max_length = 20, .collation = "C"},
        {.name = "m", .type_name = "nchar", .max_length = 20, .collation = "C"},
    };
    const struct schema utf8 = {
        .table = TABLE_EVENTS, .columns = words, .count = 2, .utf8_text = true};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    TEXT_SCOPED text = {0};
    const struct field fields[] = {{.bytes = slice_of_string("\xC3\xA9 \xF0\x9F\x98\x80")},
                                   {.bytes = slice_of("\xC3", 1)}};
    struct row row = {.id = {.table = TABLE_EVENTS, .key = "1:2"}, .fields = fields, .count = 2};
    struct row_line_writer writer;
    struct row_line_reader reader;
    struct stored_schema back;
    struct row again;
    const char *why = NULL;
    struct err err;
    cJSON *json;

    (void)state;
    stored_schema_append(&text, &utf8);
    json = cJSON_ParseWithLength(text_string(&text), text.used);
    assert_true(stored_schema_parse(json, arena, &back));
    cJSON_Delete(json);
    assert_true(schema_equal(&back.schema, &utf8));
    assert_true(row_line_writer_init(&writer, &utf8, &err));
    assert_true(row_line_write(&writer, &row, &err));
    assert_non_null(strstr(text_string(&writer.line), "\"n\":\"\xC3\xA9 "));
    assert_non_null(strstr(text_string(&writer.line), "\"m\":{\"b64\":\"ww==\"}"));
    assert_true(row_line_reader_init(&reader, &back, &err));
    assert_true(
        row_line_read(&reader, slice_of(writer.line.data, writer.line.used - 1), &again, &why));
    for (size_t i = 0; i < 2; i++)
        assert_true(slice_equal(again.fields[i].bytes, fields[i].bytes));
    row_line_writer_done(&writer);
    row_line_reader_done(&reader);
}

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t
put_utf16(unsigned char *out, uint32_t code)
{
    uint32_t units[2] = {code, 0};
    size_t count = 1;
    if (code >= 0x10000) {
        units[0] = 0xD800 + ((code - 0x10000) >> 10);
        units[1] = 0xDC00 + ((code - 0x10000) & 0x3FF);
        count = 2;
    }
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = (unsigned char)(units[i] & 0xFF);
        out[2 * i + 1] = (unsigned char)(units[i] >> 8 & 0xFF);
    }
    return 2 * count;
}

/* Text that is hard on JSON: quotes, backslashes, escapes written out, controls, both planes. */
static uint32_t
hostile_code(uint64_t *seed)
{
    static const uint32_t chosen[] = {'"',    '\\',   '/',    'u',    '0',     'n',     0x7F,
                                      0x80,   0x2028, 0x2029, 0xFEFF, 0xFFFF,  0xFFFE,  0xD7FF,
                                      0xE000, 0x85,   0xA0,   0x202E, 0x1F600, 0x10000, 0x10FFFF};
    const uint64_t random = next_random(seed);
    switch (random % 4) {
    case 0:
        return (uint32_t)(1 + random / 4 % 0x1F);
    case 1:
        return chosen[random / 4 % (sizeof(chosen) / sizeof(chosen[0]))];
    case 2:
        return (uint32_t)(0x20 + random / 4 % 0x5F);
    default:
        return (uint32_t)(random / 4 % 0xD7FF + 1);
    }
}

static void
thousands_of_random_values_come_back_byte_for_byte(void **state)
{
    struct stored *stored = *state;
    uint64_t seed = 0x9E3779B97F4A7C15U;
    unsigned char bytes[512];

    for (int i = 0; i < VALUES; i++) {
        const size_t length = next_random(&seed) % 60;
        size_t size = 0;
        switch (i % 4) {
        case 0: /* any bytes: odd lengths, broken UTF-8, lone surrogates, NUL */
            for (; size < length; size++)
                bytes[size] = (unsigned char)next_random(&seed);
            break;
        case 1: /* well-formed UTF-16 */
            for (size_t n = 0; n < length; n++)
                size += put_utf16(bytes + size, hostile_code(&seed));
            break;
        case 2: /* ASCII with controls and now and then a NUL */
            for (; size < length; size++)
                bytes[size] = (unsigned char)(next_random(&seed) % 0x80);
            break;
        default: /* UTF-16 units, surrogates in any order */
            for (size_t n = 0; n < length; n++)
                size += put_utf16(bytes + size, 0xD700 + (uint32_t)(next_random(&seed) % 0xA00));
            break;
        }
        round_trip(stored, slice_of(bytes, size));
    }
}

static void
every_utf16_unit_comes_back(void **state)
{
    unsigned char bytes[6] = {'a', 0, 0, 0, 'b', 0};

    for (uint32_t unit = 0; unit < MANY_UNITS; unit++) {
        bytes[2] = (unsigned char)(unit & 0xFF);
        bytes[3] = (unsigned char)(unit >> 8);
        round_trip(*state, slice_of(bytes, sizeof(bytes)));
    }
}

static void
every_byte_comes_back(void **state)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        const unsigned char bytes[3] = {'a', (unsigned char)byte, 'z'};
        round_trip(*state, slice_of(bytes, sizeof(bytes)));
        round_trip(*state, slice_of(bytes + 1, 1));
    }
}

static void
texts_that_look_like_escapes_come_back(void **state)
{
    static const char *const texts[] = {"\\u0000",      "\\\\u0000",   "{\"b64\":\"QQ==\"}",
                                        "null",         "\"",          "\\",
                                        "\\\"",         "\\n",         "\\ud800",
                                        "</script>",    " trailing  ", "",
                                        "\xEF\xBB\xBF", "'); DROP",    "\xF0\x9F\x98\x80"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        unsigned char wide[128];
        size_t size = 0;
        for (const char *at = texts[i]; *at; at++)
            size += put_utf16(wide + size, (unsigned char)*at);
        round_trip(*state, slice_of_string(texts[i]));
        round_trip(*state, slice_of(wide, size));
    }
}

static void
values_of_two_megabytes_come_back(void **state)
{
    uint64_t seed = 42;
    unsigned char *bytes = malloc(LARGE_BYTES + 8);

    assert_non_null(bytes);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        bytes[i] = (unsigned char)next_random(&seed);
    round_trip(*state, slice_of(bytes, LARGE_BYTES));
    round_trip(*state, slice_of(bytes, LARGE_BYTES - 1));
    memset(bytes, 1, LARGE_BYTES); /* every one of them six characters in JSON */
    round_trip(*state, slice_of(bytes, LARGE_BYTES));
    size_t size = 0;
    while (size < LARGE_BYTES)
        size += put_utf16(bytes + size, hostile_code(&seed));
    round_trip(*state, slice_of(bytes, size));
    free(bytes);
}

static void
null_and_empty_stay_apart(void **state)
{
    struct stored *stored = *state;
    struct field fields[COLUMNS] = {{.is_null = true}, {.bytes = {NULL, 0}},
                                    {.is_null = true}, {.bytes = {NULL, 0}},
                                    {.is_null = true}, {.bytes = {NULL, 0}}};
    const struct row row = {
        .id = {.table = TABLE_PROJECT, .key = "1:1"}, .fields = fields, .count = COLUMNS};
    struct row back;
    const char *why = NULL;
    struct err err;

    assert_true(row_line_write(&stored->writer, &row, &err));
    const struct slice line = slice_of(stored->writer.line.data, stored->writer.line.used - 1);
    assert_true(row_line_read(&stored->reader, line, &back, &why));
    for (size_t i = 0; i < COLUMNS; i++) {
        assert_int_equal(back.fields[i].is_null, i % 2 == 0);
        assert_int_equal(back.fields[i].bytes.size, 0);
    }
}

static void
text_is_stored_readable_and_other_bytes_as_base64(void **state)
{
    struct stored *stored = *state;
    const unsigned char lone[] = {0x3D, 0xD8};
    struct field fields[COLUMNS] = {{.bytes = {(const unsigned char *)"\xE4\0\"\0", 4}},
                                    {.bytes = {(const unsigned char *)"a\xE4", 2}},
                                    {.bytes = {(const unsigned char *)"abc", 3}},
                                    {.bytes = {(const unsigned char *)"{}", 2}},
                                    {.bytes = {(const unsigned char *)"-12", 3}},
                                    {.bytes = {(const unsigned char *)"00", 2}}};
    const struct row row = {
        .id = {.table = TABLE_PROJECT, .key = "1:1"}, .fields = fields, .count = COLUMNS};
    struct err err;

    assert_true(row_line_write(&stored->writer, &row, &err));
    assert_non_null(strstr(stored->writer.line.data,
                           "\"fields\":{\"n\":\"\xC3\xA4\\\"\",\"c\":{\"b64\":\"YeQ=\"},"
                           "\"b\":{\"b64\":\"YWJj\"},\"j\\\"son\\n\xC3\xA4\":\"{}\",\"i\":\"-12\","
                           "\"v\":\"00\"}}\n"));
    fields[0].bytes = slice_of(lone, sizeof(lone));
    assert_true(row_line_write(&stored->writer, &row, &err));
    assert_non_null(strstr(stored->writer.line.data, "\"n\":{\"b64\":\"Pdg=\"}"));
}

static void
a_row_over_the_limit_is_refused_by_its_key_and_the_next_one_is_written(void **state)
{
    struct stored *stored = *state;
    struct field fields[COLUMNS] = {{.is_null = true}};
    const struct row row = {
        .id = {.table = TABLE_PROJECT, .key = "1:77"}, .fields = fields, .count = COLUMNS};
    unsigned char *bytes = calloc(1, ROW_LINE_MAX_BYTES);
    struct err err = {0};

    assert_non_null(bytes);
    fields[2].bytes = slice_of(bytes, ROW_LINE_MAX_BYTES);
    assert_false(row_line_write(&stored->writer, &row, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, "row 1:77 of DUALWRITEPROJECTCONFIGURATION is larger"));
    fields[2].bytes = slice_of(bytes, 1);
    assert_true(row_line_write(&stored->writer, &row, &err));
    free(bytes);
}

static void
a_line_that_is_not_such_a_row_is_refused(void **state)
{
    static const char digest[] =
        "\"digest\":\"0000000000000000000000000000000000000000000000000000000000000000\"";
    static const struct {
        const char *fields;
        const char *why;
    } cases[] = {
        {"{\"n\":null}", "has fewer columns than the schema"},
        {"{\"c\":null}", "has other columns than the schema"},
        {"{\"n\":1}", "has a value that does not fit its column"},
        {"{\"n\":{\"b64\":\"Q\"}}", "has a value that does not fit its column"},
        {"{\"n\":{\"b65\":\"QQ==\"}}", "has a value that does not fit its column"},
        {"{\"n\":null,\"c\":\"\xC3\xA4\"}", "has a value that does not fit its column"},
        {"{\"n\":null,\"c\":null,\"b\":\"abc\"}", "has a value that does not fit its column"},
        {"{}", "has fewer columns than the schema"},
        {"null", "has no fields"},
        {"[1]", "has no fields"},
        {"\"x\"", "has no fields"},
        {"{\"n\":\"\xFF\"}", "is not UTF-8"},
    };
    struct stored *stored = *state;
    char line[512];
    struct row row;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = NULL;
        (void)snprintf(line, sizeof(line), "{\"key\":\"1:1\",%s,\"version\":\"\",\"fields\":%s}",
                       digest, cases[i].fields);
        assert_false(row_line_read(&stored->reader, slice_of_string(line), &row, &why));
        assert_string_equal(why, cases[i].why);
    }
    static const char *const broken[] = {"",     "[]",   "{", "{}", "{\"key\":\"1:1\"} x",
                                         "null", "\"x\""};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        const char *why = NULL;
        assert_false(row_line_read(&stored->reader, slice_of_string(broken[i]), &row, &why));
        assert_non_null(why);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_an_engine_that_stores_utf8_is_stored_as_it_is),
        TEST(thousands_of_random_values_come_back_byte_for_byte),
        TEST(every_utf16_unit_comes_back),
        TEST(every_byte_comes_back),
        TEST(texts_that_look_like_escapes_come_back),
        TEST(values_of_two_megabytes_come_back),
        TEST(null_and_empty_stay_apart),
        TEST(text_is_stored_readable_and_other_bytes_as_base64),
        TEST(a_row_over_the_limit_is_refused_by_its_key_and_the_next_one_is_written),
        TEST(a_line_that_is_not_such_a_row_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
