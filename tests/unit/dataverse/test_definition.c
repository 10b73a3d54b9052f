#include "../../../src/dataverse/definition.h"
#include "test.h"

#include <string.h>

#define TABLE "msdyn_dualwriteruntimeconfig"
#define NAMES "\"EntitySetName\":\"" TABLE "s\",\"PrimaryIdAttribute\":\"" TABLE "id\""
#define COLUMNS                                                                                    \
    "\"Attributes\":[{\"LogicalName\":\"" TABLE "id\"},{\"LogicalName\":\"msdyn_name\"}]"
#define WHOLE "\"LogicalName\":\"" TABLE "\",\"SchemaName\":\"" TABLE "\"," NAMES "," COLUMNS

static bool
read_definition(const char *body, int status, struct definition *ret, struct err *err)
{
    const struct http_answer answer = {.status = status, .body = slice_of_string(body)};
    const struct fetch fetch = {.answer = &answer, .judgement = answer_judge(&answer)};

    return definition_read(&fetch, ret, err);
}

static void
the_service_s_own_names_of_privileges_come_first(void **state)
{
    struct definition definition;
    struct err err = {0};

    (void)state;
    assert_true(read_definition("{" WHOLE ",\"Privileges\":["
                                "{\"Name\":\"prvDeleteOther\",\"PrivilegeType\":\"Delete\"},"
                                "{\"Name\":\"prvReadOther\",\"PrivilegeType\":\"Read\"}]}",
                                200, &definition, &err));
    assert_string_equal(definition.read_privilege, "prvReadOther");
    assert_string_equal(definition.delete_privilege, "prvDeleteOther");
    assert_false(definition.optimistic_concurrency);
}

static void
without_them_they_are_made_from_the_schema_name(void **state)
{
    struct definition definition;
    struct err err = {0};

    (void)state;
    assert_true(read_definition("{" WHOLE ",\"Privileges\":[{\"Name\":\"a')\",\"PrivilegeType\":"
                                "\"Read\"}],\"IsOptimisticConcurrencyEnabled\":true}",
                                200, &definition, &err));
    assert_string_equal(definition.read_privilege, "prvRead" TABLE);
    assert_string_equal(definition.delete_privilege, "prvDelete" TABLE);
    assert_true(definition.optimistic_concurrency);
    assert_true(read_definition("{\"LogicalName\":\"" TABLE "\"," NAMES "," COLUMNS "}", 200,
                                &definition, &err));
    assert_string_equal(definition.read_privilege, "");
    assert_string_equal(definition.delete_privilege, "");
}

static void
a_definition_of_another_table_or_without_its_key_is_an_error(void **state)
{
    static const char *const bad[] = {
        "{\"LogicalName\":\"account\"," NAMES "," COLUMNS "}",
        "{" NAMES "," COLUMNS "}",
        "{\"LogicalName\":\"" TABLE "\"," NAMES "}",
        "{\"LogicalName\":\"" TABLE "\"," NAMES ",\"Attributes\":[]}",
        "{\"LogicalName\":\"" TABLE "\",\"PrimaryIdAttribute\":\"" TABLE "id\"," COLUMNS "}",
        "{" WHOLE ",\"x\":\"\\u0000\"}",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct definition definition = {.entity_set = "kept"};
        struct err err = {0};

        if (read_definition(bad[i], 200, &definition, &err))
            fail_msg("%s was taken for the definition", bad[i]);
        assert_int_equal(err.code, ERR_SERVER);
        assert_string_equal(definition.entity_set, "kept");
    }
}

static void
a_success_that_is_not_200_is_no_definition(void **state)
{
    struct definition definition;
    struct err err = {0};

    (void)state;
    assert_true(read_definition("{" WHOLE "}", 200, &definition, &err));
    assert_false(read_definition("{" WHOLE "}", 203, &definition, &err));
    assert_int_equal(err.code, ERR_SERVER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_s_own_names_of_privileges_come_first),
        cmocka_unit_test(without_them_they_are_made_from_the_schema_name),
        cmocka_unit_test(a_definition_of_another_table_or_without_its_key_is_an_error),
        cmocka_unit_test(a_success_that_is_not_200_is_no_definition),
    };

    return cmocka_run_group_tests_name("dataverse/definition", tests, NULL, NULL);
}
