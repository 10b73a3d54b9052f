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
        cmocka_unit_test(keys_compare_as_numbers),
        cmocka_unit_test(tables_have_names_and_keys),
        cmocka_unit_test(a_schema_of_another_encoding_is_another_schema),
    };

    return cmocka_run_group_tests_name("port/table", tests, NULL, NULL);
}
