#include "core/scope.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576 };

static const struct column columns[] = {
    {.name = "PARTITION", .type_name = "bigint"}, {.name = "RECID", .type_name = "bigint"},
    {.name = "channel", .type_name = "nvarchar"}, {.name = "PROJECTNAME", .type_name = "nchar"},
    {.name = "CODE", .type_name = "varchar"},     {.name = "BLOB", .type_name = "varbinary"}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static struct schema
schema_of(enum table table)
{
    return (struct schema){.table = table, .columns = columns, .count = COLUMNS};
}

/** A row whose text columns all hold these bytes. */
struct sample {
    struct field fields[COLUMNS];
    struct row row;
};

static const struct row *
sample(struct sample *sample, enum table table, const char *key, const void *bytes, size_t size)
{
    *sample = (struct sample){.row = {.id = {.table = table}, .count = COLUMNS}};
    sample->row.fields = sample->fields;
    (void)snprintf(sample->row.id.key, sizeof sample->row.id.key, "%s", key);
    for (size_t i = 2; i < COLUMNS; i++)
        sample->fields[i].bytes = slice_of(bytes, size);
    return &sample->row;
}

/** Size of a literal without its NUL. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void
without_options_every_row_of_the_halves_is_in_it(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = {.axdb = true};
    const struct schema events = schema_of(TABLE_EVENTS);
    struct sample row;
    struct scope scope;
    struct err err;

    (void)state;
    assert_true(scope_make(&request, arena, &scope, &err));
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_int_equal(scope.parts[i], SCOPE_WHOLE);
    assert_int_equal(scope.parts[TABLE_RUNTIME], SCOPE_NOTHING);
    assert_string_equal(scope.text, "");
    assert_null(scope.words);
    assert_true(scope_takes(&scope, &events, sample(&row, TABLE_EVENTS, "1:1", BYTES("x"))));
    assert_false(scope_takes(&scope, runtime_schema(), &row.row));
    request = (struct run_request){.dataverse = true, .channels_all = true};
    assert_true(scope_make(&request, arena, &scope, &err));
    assert_int_equal(scope.parts[TABLE_EVENTS], SCOPE_NOTHING);
    assert_int_equal(scope.parts[TABLE_RUNTIME], SCOPE_WHOLE);
    assert_string_equal(scope.text, "channels=all");
}

static void
channels_in_any_order_are_the_same_scope(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static const char *const one_way[] = {"DualWrite", "A\"quoted\""};
    static const char *const other_way[] = {"A\"quoted\"", "DualWrite"};
    struct run_request request = {.axdb = true, .channels = one_way, .channel_count = 2};
    struct scope one;
    struct scope other;
    struct err err;

    (void)state;
    assert_true(scope_make(&request, arena, &one, &err));
    request.channels = other_way;
    assert_true(scope_make(&request, arena, &other, &err));
    assert_string_equal(one.text, "channels=[\"A\\\"quoted\\\"\",\"DualWrite\"]");
    assert_string_equal(one.text, other.text);
    assert_non_null(strstr(one.words, "\"DualWrite\""));
    assert_int_equal(one.parts[TABLE_EVENTS], SCOPE_SOME);
    assert_int_equal(one.parts[TABLE_PROJECT], SCOPE_WHOLE);
    request.axdb = false; /* no event rows in this half */
    request.dataverse = true;
    assert_true(scope_make(&request, arena, &one, &err));
    assert_int_equal(one.parts[TABLE_EVENTS], SCOPE_NOTHING);
}

static void
a_channel_is_compared_exactly_as_it_is_stored(void **state)
{
    static const char *const channels[] = {"DualWrite", "\xC3\xA9"};
    static const struct {
        const char *bytes;
        size_t size;
        bool taken;
    } cases[] = {
        {BYTES("D\0u\0a\0l\0W\0r\0i\0t\0e\0"), true},
        {BYTES("d\0u\0a\0l\0w\0r\0i\0t\0e\0"), false},       /* the server would ignore the case */
        {BYTES("D\0u\0a\0l\0W\0r\0i\0t\0e\0 \0"), false},    /* and the trailing blank */
        {BYTES("D\0u\0a\0l\0W\0r\0i\0t\0e\0\0\0"), false},   /* U+0000 behind it */
        {BYTES("D\0u\0a\0l\0W\0r\0i\0t\0e"), false},         /* half a character */
        {BYTES("D\0u\0a\0l\0W\0r\0i\0t\0e\0\0\xD8"), false}, /* half a pair */
        {BYTES("\xE9\0"), true},
        {BYTES(""), false},
    };
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = {.axdb = true, .channels = channels, .channel_count = 2};
    const struct schema events = schema_of(TABLE_EVENTS);
    struct sample row;
    struct scope scope;
    struct err err;

    (void)state;
    assert_true(scope_make(&request, arena, &scope, &err));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)sample(&row, TABLE_EVENTS, "1:1", cases[i].bytes, cases[i].size);
        assert_int_equal(scope_takes(&scope, &events, &row.row), cases[i].taken);
    }
    row.fields[2].is_null = true;
    assert_false(scope_takes(&scope, &events, &row.row));
    assert_true(scope_names_channel(&request, "DualWrite"));
    assert_false(scope_names_channel(&request, "DualWrite "));
}

static void
a_project_is_named_within_its_partition(void **state)
{
    static const struct project_name projects[] = {{1, "P"}, {2, "Q"}};
    const struct scope scope = {.parts = {[TABLE_PROJECT] = SCOPE_SOME, [TABLE_FIELD] = SCOPE_SOME},
                                .projects = projects,
                                .project_count = 2};
    const struct schema tables[] = {schema_of(TABLE_PROJECT), schema_of(TABLE_FIELD)};
    struct sample row;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const enum table table = tables[i].table;

        assert_true(scope_takes(&scope, &tables[i], sample(&row, table, "1:5", BYTES("P\0"))));
        assert_true(scope_takes(&scope, &tables[i], sample(&row, table, "2:5", BYTES("Q\0"))));
        assert_false(scope_takes(&scope, &tables[i], sample(&row, table, "1:5", BYTES("Q\0"))));
        assert_false(scope_takes(&scope, &tables[i], sample(&row, table, "2:5", BYTES("P\0"))));
        assert_false(scope_takes(&scope, &tables[i], sample(&row, table, "none", BYTES("P\0"))));
    }
}

static void
text_is_read_from_character_columns_only(void **state)
{
    struct schema schema = schema_of(TABLE_EVENTS);
    struct sample row;
    char text[8];

    (void)state;
    (void)sample(&row, TABLE_EVENTS, "1:1", BYTES("a\0b\0"));
    assert_true(field_text(&schema, &row.row, "CHANNEL", text, sizeof text)); /* without case */
    assert_string_equal(text, "ab");
    assert_true(field_text(&schema, &row.row, "PROJECTNAME", text, sizeof text));
    assert_false(field_text(&schema, &row.row, "BLOB", text, sizeof text));
    assert_false(field_text(&schema, &row.row, "RECID", text, sizeof text));
    assert_false(field_text(&schema, &row.row, "NOTTHERE", text, sizeof text));
    (void)sample(&row, TABLE_EVENTS, "1:1", BYTES("xy"));
    assert_true(field_text(&schema, &row.row, "CODE", text, sizeof text));
    assert_string_equal(text, "xy");
    schema.utf8_text = true;
    assert_true(field_text(&schema, &row.row, "CHANNEL", text, sizeof text));
    assert_string_equal(text, "xy");
    (void)sample(&row, TABLE_EVENTS, "1:1", BYTES("x\xFF"));
    assert_false(field_text(&schema, &row.row, "CHANNEL", text, sizeof text));
}

static void
a_long_text_is_cut_between_characters(void **state)
{
    const struct schema schema = schema_of(TABLE_EVENTS);
    struct sample row;
    char text[5];

    (void)state;
    (void)sample(&row, TABLE_EVENTS, "1:1", BYTES("a\0b\0c\0\xE9\0z\0"));
    assert_true(field_text(&schema, &row.row, "CHANNEL", text, sizeof text));
    assert_string_equal(text, "abc"); /* the two bytes of U+00E9 do not fit */
    (void)sample(&row, TABLE_EVENTS, "1:1", BYTES("a\0b\0c\0d\0e\0"));
    assert_true(field_text(&schema, &row.row, "CHANNEL", text, sizeof text));
    assert_string_equal(text, "abcd");
}

static void
a_scope_that_finds_no_memory_fails(void **state)
{
    ARENA_SCOPED arena = arena_new(8);
    static const char *const channels[] = {"DualWrite", "MyEventGrid", "Another"};
    const struct run_request request = {.axdb = true, .channels = channels, .channel_count = 3};
    struct scope scope;
    struct err err;

    (void)state;
    assert_false(scope_make(&request, arena, &scope, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
}

static void
text_is_cut_between_characters_and_read_of_text_columns_alone(void **state)
{
    static const struct column chars[] = {{.name = "A", .type_name = "char"},
                                          {.name = "B", .type_name = "int"}};
    const struct schema schema = {.columns = chars, .count = 2};
    struct field fields[2] = {{.bytes = slice_of_string("x\xC3\xA4y")},
                              {.bytes = slice_of_string("1")}};
    const struct row row = {.fields = fields, .count = 2};
    char text[8];

    (void)state;
    assert_true(field_text(&schema, &row, "A", text, sizeof text));
    assert_string_equal(text, "x\xC3\xA4y");
    assert_true(field_text(&schema, &row, "A", text, 3));
    assert_string_equal(text, "x");
    assert_true(field_text(&schema, &row, "A", text, 1));
    assert_string_equal(text, "");
    assert_false(field_text(&schema, &row, "B", text, sizeof text));
    assert_true(names_are_alike("  ", ""));
    assert_true(names_are_alike("", ""));
    assert_false(names_are_alike(" ", "a"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_every_row_of_the_halves_is_in_it),
        cmocka_unit_test(channels_in_any_order_are_the_same_scope),
        cmocka_unit_test(a_channel_is_compared_exactly_as_it_is_stored),
        cmocka_unit_test(a_project_is_named_within_its_partition),
        cmocka_unit_test(text_is_read_from_character_columns_only),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_scope_that_finds_no_memory_fails),
        cmocka_unit_test(text_is_cut_between_characters_and_read_of_text_columns_alone),
    };

    return cmocka_run_group_tests_name("core/scope", tests, NULL, NULL);
}
