/** Which tables can be used, from what the catalog says. */
#include "../../../src/mssql/catalog.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct column columns[] = {
    {.name = "PROJECTNAME", .type_name = "nvarchar"},
    {.name = "Partition", .type_name = "bigint"},
    {.name = "RECID", .type_name = "bigint"},
};

static struct catalog_table
good_table(void)
{
    return (struct catalog_table){
        .seen = true, .object_type = "U", .columns = columns, .column_count = 3};
}

static void
finish(const struct catalog_table *table, struct axdb_table_evidence *ret)
{
    static char fault[128];
    ARENA_SCOPED arena = arena_new(65536);
    struct err err = {0};

    memset(ret, 0, sizeof *ret);
    assert_true(catalog_finish(table, TABLE_PROJECT, arena, ret, &err));
    if (ret->fault != NULL) {
        (void)snprintf(fault, sizeof fault, "%s", ret->fault);
        ret->fault = fault;
    }
}

static void
a_base_table_with_its_key_is_good(void **state)
{
    struct catalog_table table = good_table();
    struct axdb_table_evidence evidence;

    (void)state;
    finish(&table, &evidence);
    assert_true(evidence.exists);
    assert_null(evidence.fault);
    assert_int_equal(evidence.schema.count, 3);
    assert_false(evidence.schema.unique_key);
}

static void
nothing_under_the_name_is_not_a_table(void **state)
{
    struct catalog_table table = {0};
    struct axdb_table_evidence evidence;

    (void)state;
    finish(&table, &evidence);
    assert_false(evidence.exists);
    assert_null(evidence.fault);
}

static void
other_objects_are_named_for_what_they_are(void **state)
{
    struct catalog_table table = {.seen = true, .object_type = "V"};
    struct axdb_table_evidence evidence;

    (void)state;
    finish(&table, &evidence);
    assert_false(evidence.exists);
    assert_string_equal(evidence.fault, "is a view");
    (void)snprintf(table.object_type, sizeof table.object_type, "SN");
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "is a synonym");
    table = good_table();
    table.temporal_type = 2;
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "is temporal");
    table = good_table();
    table.memory_optimized = true;
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "is memory-optimised");
    assert_true(evidence.fault_is_final);
}

static void
a_column_that_cannot_come_back_is_a_final_fault(void **state)
{
    struct column bad[] = {{.name = "DOC", .type_name = "xml"}};
    struct catalog_table table = good_table();
    struct axdb_table_evidence evidence;

    (void)state;
    table.columns = bad;
    table.column_count = 1;
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "column DOC has type xml");
    assert_true(evidence.fault_is_final);
    table = good_table();
    table.masked = "PROJECTNAME";
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "column PROJECTNAME is masked or encrypted for this login");
}

static void
without_whole_key_columns_no_row_can_be_named(void **state)
{
    struct column odd[] = {{.name = "PARTITION", .type_name = "bigint"},
                           {.name = "RECID", .type_name = "uniqueidentifier"}};
    struct catalog_table table = good_table();
    struct axdb_table_evidence evidence;

    (void)state;
    table.column_count = 2;
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "column RECID is missing or not a whole number");
    table.columns = odd;
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "column RECID is missing or not a whole number");
    table.column_count = 0;
    finish(&table, &evidence);
    assert_string_equal(evidence.fault, "column PARTITION is missing or not a whole number");
}

static void
only_an_index_over_the_key_alone_makes_it_unique(void **state)
{
    struct catalog_table table = good_table();
    struct axdb_table_evidence evidence;

    (void)state;
    catalog_add_index_column(&table, 1, "PARTITION");
    catalog_add_index_column(&table, 1, "PROJECTNAME");
    finish(&table, &evidence);
    assert_false(evidence.schema.unique_key);
    catalog_add_index_column(&table, 2, "recid");
    catalog_add_index_column(&table, 2, "Partition");
    finish(&table, &evidence);
    assert_true(evidence.schema.unique_key);
    catalog_add_index_column(&table, 3, "PROJECTNAME");
    finish(&table, &evidence);
    assert_true(evidence.schema.unique_key);
}

static void
arrays_in_the_arena_grow_and_keep_their_items(void **state)
{
    ARENA_SCOPED arena = arena_new(1048576);
    int *items = NULL;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        items = catalog_room(arena, items, i, sizeof *items);
        assert_non_null(items);
        items[i] = (int)i;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_table_with_its_key_is_good),
        cmocka_unit_test(nothing_under_the_name_is_not_a_table),
        cmocka_unit_test(other_objects_are_named_for_what_they_are),
        cmocka_unit_test(a_column_that_cannot_come_back_is_a_final_fault),
        cmocka_unit_test(without_whole_key_columns_no_row_can_be_named),
        cmocka_unit_test(only_an_index_over_the_key_alone_makes_it_unique),
        cmocka_unit_test(arrays_in_the_arena_grow_and_keep_their_items),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
