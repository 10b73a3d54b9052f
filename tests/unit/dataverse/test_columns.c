#include "../../../src/dataverse/columns.h"
#include "../../../src/dataverse/recreate.h"
#include "test.h"

#include <string.h>

#define COLUMN(name, type, create)                                                                 \
    "{\"LogicalName\":\"" name "\",\"AttributeType\":\"" type                                      \
    "\",\"IsValidForRead\":true,\"IsValidForCreate\":" create ",\"AttributeOf\":null}"
#define TO(column, table)                                                                          \
    "{\"ReferencingAttribute\":\"" column                                                          \
    "\",\"ReferencingEntityNavigationPropertyName\":\"Nav_" column                                 \
    "\",\"ReferencedEntity\":\"" table "\"}"

static const char definition[] =
    "{\"Attributes\":[" COLUMN("id", "Uniqueidentifier", "true") "," COLUMN("name", "String", "true") "," COLUMN("createdon", "DateTime", "false") "," COLUMN("overriddencreatedon", "DateTime", "true") "," COLUMN(
        "one", "Lookup",
        "true") "," COLUMN("many", "Lookup",
                           "true") "," COLUMN("ownerid", "Owner",
                                              "true") "," COLUMN("stamp", "Lookup",
                                                                 "false") "," COLUMN("fixed",
                                                                                     "BigInt",
                                                                                     "false") "," COLUMN("hidden",
                                                                                                         "Virtual",
                                                                                                         "true") ","
                                                                                                                 "{\"LogicalName\":\"onename\",\"AttributeType\":\"String\",\"IsValidForRead\":true,"
                                                                                                                 "\"IsValidForCreate\":false,\"AttributeOf\":\"one\"}],"
                                                                                                                 "\"ManyToOneRelationships\":[" TO("one", "target") "," TO(
                                                                                                                     "many",
                                                                                                                     "a") "," TO("many",
                                                                                                                                 "b") "," TO("stamp",
                                                                                                                                             "systemuser") "," TO("ownerid",
                                                                                                                                                                  "owner") "]}";

static struct columns columns;

static int
set_up(void **state)
{
    struct err err;

    (void)state;
    return columns_read(slice_of_string(definition), "id", &columns, &err) ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    columns_done(&columns);
    return 0;
}

static const struct table_column *
column(const char *member)
{
    const struct table_column *found = columns_of_member(&columns, slice_of_string(member));

    if (!found)
        fail_msg("no column for %s", member);
    return found;
}

static void
a_lookup_with_one_target_can_be_given(void **state)
{
    (void)state;
    assert_true(column("_one_value")->create);
    assert_string_equal(column("_one_value")->navigation, "Nav_one");
    assert_string_equal(column("_one_value")->target_set, "target");
    assert_false(column("_many_value")->create);
    assert_false(column("_ownerid_value")->create);
    assert_false(column("_stamp_value")->create);
}

static void
members_belong_to_columns(void **state)
{
    (void)state;
    assert_null(columns_of_member(&columns, slice_of_string("one")));
    assert_null(columns_of_member(&columns, slice_of_string("_name_value")));
    assert_null(columns_of_member(&columns, slice_of_string("__value")));
    assert_null(columns_of_member(&columns, slice_of_string("")));
    assert_true(column("id")->key);
}

static void
what_survives_is_told(void **state)
{
    (void)state;
    assert_true(columns_survives(&columns, column("name")));
    assert_true(columns_survives(&columns, column("id")));
    assert_true(columns_survives(&columns, column("createdon")));
    assert_true(columns_survives(&columns, column("_one_value")));
    assert_false(columns_survives(&columns, column("fixed")));
    assert_false(columns_survives(&columns, column("_ownerid_value")));
    assert_false(columns_survives(&columns, column("overriddencreatedon")));
    assert_false(column("hidden")->shown);
    assert_false(column("onename")->shown);
}

static void
what_is_no_definition_is_an_error(void **state)
{
    static const char *const texts[] = {
        "", "{}", "[]", "{\"Attributes\":[]}", "{\"Attributes\":{}}", "{\"Attributes\":[{}]"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct columns unread = {0};
        struct err err;

        assert_false(columns_read(slice_of_string(texts[i]), "id", &unread, &err));
        assert_int_equal(err.code, ERR_SERVER);
    }
}

static void
assert_body(const char *document, const char *wanted, bool dated)
{
    TEXT_SCOPED body = {0};
    size_t date = 7777;

    assert_true(recreate_body(&columns, slice_of_string(document), &body, &date));
    assert_string_equal(text_string(&body), wanted);
    assert_int_equal(date > 0, dated);
    if (dated)
        assert_int_equal(strncmp(text_string(&body) + date, ",\"overriddencreatedon\":", 23), 0);
}

static void
a_body_holds_what_a_new_row_can_be_given(void **state)
{
    (void)state;
    assert_body(
        "{\"id\":\"x\",\"name\":\"a\\\"b\",\"fixed\":12,\"createdon\":\"2025-01-01\",\"_one_value\":"
        "\"C1000000-0000-4000-8000-000000000001\",\"_ownerid_value\":\"u\",\"unknown\":1}",
        "{\"name\":\"a\\\"b\",\"Nav_one@odata.bind\":\"/target("
        "c1000000-0000-4000-8000-000000000001)\",\"overriddencreatedon\":\"2025-01-01\"}",
        true);
    assert_body("{\"name\":null,\"_one_value\":null,\"createdon\":null}", "{}", false);
    assert_body("{\"name\":\"x\",\"overriddencreatedon\":\"2024-01-01\"}", "{\"name\":\"x\"}",
                false);
    assert_body("{\"createdon\":\"2025-01-01\"}", "{\"overriddencreatedon\":\"2025-01-01\"}",
                false);
    assert_body("{}", "{}", false);
}

static void
what_cannot_be_sent_has_no_body(void **state)
{
    static const char *const documents[] = {"", "[]", "{\"name\":}", "{\"_one_value\":\"me\"}",
                                            "{\"_one_value\":7}"};

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        TEXT_SCOPED body = {0};
        size_t date;

        assert_false(recreate_body(&columns, slice_of_string(documents[i]), &body, &date));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lookup_with_one_target_can_be_given),
        TEST(members_belong_to_columns),
        TEST(what_survives_is_told),
        TEST(what_is_no_definition_is_an_error),
        TEST(a_body_holds_what_a_new_row_can_be_given),
        TEST(what_cannot_be_sent_has_no_body),
    };

    return cmocka_run_group_tests_name("dataverse/columns", tests, NULL, NULL);
}
