#include "port/runtime_store.h"
#include "port/table.h"
#include "test.h"

#include <string.h>

static const struct column columns[] = {
    {.name = "RECID", .type_name = "bigint"},
    {.name = "Alpha", .type_name = "nvarchar", .nullable = true},
    {.name = "SYSROWVERSION", .type_name = "timestamp", .generated = true},
};
static const struct schema schema = {.table = TABLE_FIELD, .columns = columns, .count = 3};

static struct row_id
digest_of_fields(const struct field *fields)
{
    struct digest_stream *stream = digest_new();
    struct row row = {.id.table = TABLE_FIELD, .fields = fields, .count = 3};

    row_digest(&schema, stream, &row);
    digest_free(stream);
    return row.id;
}

static void
a_digest_tells_null_from_empty_and_ignores_the_rowversion(void **state)
{
    struct field fields[] = {{.bytes = {(const unsigned char *)"1", 1}},
                             {.bytes = {(const unsigned char *)"", 0}},
                             {.bytes = {(const unsigned char *)"0001", 4}}};
    const struct row_id empty = digest_of_fields(fields);
    struct row_id other;

    (void)state;
    fields[1].is_null = true;
    other = digest_of_fields(fields);
    assert_false(digest_equal(&empty.digest, &other.digest));
    fields[1].is_null = false;
    fields[2].bytes = slice_of("0002", 4);
    other = digest_of_fields(fields);
    assert_true(digest_equal(&empty.digest, &other.digest));
    assert_string_not_equal(empty.version, other.version);
}

static void
a_digest_does_not_depend_on_the_columns_order(void **state)
{
    static const struct column turned[] = {
        {.name = "SYSROWVERSION", .type_name = "timestamp", .generated = true},
        {.name = "Alpha", .type_name = "nvarchar", .nullable = true},
        {.name = "RECID", .type_name = "bigint"},
    };
    static const struct schema other_schema = {.table = TABLE_FIELD, .columns = turned, .count = 3};
    const struct field fields[] = {
        {.bytes = slice_of("1", 1)}, {.bytes = slice_of("x\0", 2)}, {.bytes = slice_of("0001", 4)}};
    const struct field other_fields[] = {fields[2], fields[1], fields[0]};
    struct digest_stream *stream = digest_new();
    const struct row_id id = digest_of_fields(fields);
    struct row row = {.id.table = TABLE_FIELD, .fields = other_fields, .count = 3};

    (void)state;
    row_digest(&other_schema, stream, &row);
    digest_free(stream);
    assert_true(digest_equal(&id.digest, &row.id.digest));
    assert_string_equal(id.version, row.id.version);
}

static void
bytes_cannot_move_from_one_column_to_the_next(void **state)
{
    const struct field one[] = {
        {.bytes = slice_of("1", 1)}, {.bytes = slice_of("23", 2)}, {.bytes = slice_of("v", 1)}};
    const struct field two[] = {
        {.bytes = slice_of("12", 2)}, {.bytes = slice_of("3", 1)}, {.bytes = slice_of("v", 1)}};
    const struct row_id a = digest_of_fields(one);
    const struct row_id b = digest_of_fields(two);

    (void)state;
    assert_false(digest_equal(&a.digest, &b.digest));
}

static void
keys_compare_as_numbers(void **state)
{
    (void)state;
    assert_true(row_key_compare(TABLE_FIELD, "1:9", "1:10") < 0);
    assert_true(row_key_compare(TABLE_FIELD, "2:1", "1:10") > 0);
    assert_true(row_key_compare(TABLE_FIELD, "-1:1", "1:1") < 0);
    assert_true(row_key_compare(TABLE_FIELD, "5637144576:-9", "5637144576:3") < 0);
    assert_int_equal(row_key_compare(TABLE_FIELD, "1:1", "1:1"), 0);
    assert_true(row_key_compare(TABLE_RUNTIME, "a", "b") < 0);
}

static void
a_schema_of_another_encoding_is_another_schema(void **state)
{
    struct schema utf8 = schema;

    (void)state;
    assert_true(schema_equal(&schema, &utf8));
    utf8.utf8_text = true;
    assert_false(schema_equal(&schema, &utf8));
}

static void
tables_have_names_and_keys(void **state)
{
    (void)state;
    for (int i = 0; i < TABLES; i++) {
        enum table back = TABLE_FIELD;

        assert_true(table_name((enum table)i)[0]);
        assert_true(table_from_key(table_key((enum table)i), &back));
        assert_int_equal(back, i);
    }
    assert_false(table_from_key("other", &(enum table){TABLE_FIELD}));
    assert_int_equal(runtime_schema()->count, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_tells_null_from_empty_and_ignores_the_rowversion),
        cmocka_unit_test(a_digest_does_not_depend_on_the_columns_order),
        cmocka_unit_test(bytes_cannot_move_from_one_column_to_the_next),
        cmocka_unit_test(keys_compare_as_numbers),
        cmocka_unit_test(tables_have_names_and_keys),
        cmocka_unit_test(a_schema_of_another_encoding_is_another_schema),
    };

    return cmocka_run_group_tests_name("port/table", tests, NULL, NULL);
}
