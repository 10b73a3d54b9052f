#include "../../../src/dataverse/rights.h"
#include "test.h"

#include <stdio.h>

#define NAME "prvReadmsdyn_dualwriteruntimeconfig"
#define ENTRY(depth) "{\"Depth\":\"" depth "\",\"PrivilegeName\":\"" NAME "\"}"

static enum right
judge(const char *body)
{
    return rights_judge(slice_of_string(body), NAME, RIGHTS_ALL_ROWS);
}

static void
only_a_privilege_for_the_whole_organization_is_a_right(void **state)
{
    (void)state;
    assert_int_equal(judge("{\"RolePrivileges\":[" ENTRY("Global") "]}"), RIGHT_HELD);
    assert_int_equal(judge("{\"RolePrivileges\":[]}"), RIGHT_MISSING);
    assert_int_equal(judge("{\"RolePrivileges\":[" ENTRY("Basic") "]}"), RIGHT_MISSING);
    assert_int_equal(judge("{\"RolePrivileges\":[" ENTRY("Local") "]}"), RIGHT_MISSING);
    assert_int_equal(judge("{\"RolePrivileges\":[" ENTRY("Deep") "]}"), RIGHT_MISSING);
}

static void
one_role_of_several_is_enough(void **state)
{
    (void)state;
    assert_int_equal(
        judge("{\"RolePrivileges\":[" ENTRY("Basic") "," ENTRY("Global") "," ENTRY("Local") "]}"),
        RIGHT_HELD);
    assert_int_equal(judge("{\"RolePrivileges\":[" ENTRY("?") "," ENTRY("Global") "]}"),
                     RIGHT_HELD);
    assert_int_equal(judge("{\"RolePrivileges\":[{\"Depth\":\"Global\"}]}"), RIGHT_HELD);
}

static void
what_is_not_understood_is_neither_held_nor_missing(void **state)
{
    static const char *const odd[] = {
        "",
        "<html>",
        "{}",
        "{\"RolePrivileges\":null}",
        "{\"RolePrivileges\":[7]}",
        "{\"RolePrivileges\":[{\"Depth\":3}]}",
        "{\"RolePrivileges\":[" ENTRY("global") "]}",
        "{\"RolePrivileges\":[" ENTRY("Basic") "," ENTRY("?") "," ENTRY("Basic") "]}",
        "{\"RolePrivileges\":[{\"Depth\":\"Global\",\"PrivilegeName\":\"prvReadAccount\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        if (judge(odd[i]) != RIGHT_UNKNOWN)
            fail_msg("%s was understood", odd[i]);
}

static void
for_own_rows_any_level_is_enough(void **state)
{
    static const char *const enough[] = {"Basic", "Local", "Deep", "Global"};
    char body[200];

    (void)state;
    for (size_t i = 0; i < sizeof enough / sizeof enough[0]; i++) {
        (void)snprintf(body, sizeof body, "{\"RolePrivileges\":[{\"Depth\":\"%s\"}]}", enough[i]);
        assert_int_equal(rights_judge(slice_of_string(body), "prvCreateThing", RIGHTS_OWN_ROWS),
                         RIGHT_HELD);
    }
    assert_int_equal(
        rights_judge(slice_of_string("{\"RolePrivileges\":[{\"Depth\":\"RecordFilter\"}]}"),
                     "prvCreateThing", RIGHTS_OWN_ROWS),
        RIGHT_MISSING);
    assert_int_equal(
        rights_judge(slice_of_string("{\"RolePrivileges\":[]}"), "prvCreateThing", RIGHTS_OWN_ROWS),
        RIGHT_MISSING);
    assert_int_equal(rights_judge(slice_of_string("{\"RolePrivileges\":[{\"Depth\":\"?\"}]}"),
                                  "prvCreateThing", RIGHTS_OWN_ROWS),
                     RIGHT_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_privilege_for_the_whole_organization_is_a_right),
        cmocka_unit_test(for_own_rows_any_level_is_enough),
        cmocka_unit_test(one_role_of_several_is_enough),
        cmocka_unit_test(what_is_not_understood_is_neither_held_nor_missing),
    };

    return cmocka_run_group_tests_name("dataverse/rights", tests, NULL, NULL);
}
