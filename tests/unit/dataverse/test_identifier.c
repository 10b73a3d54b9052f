#include "../../../src/dataverse/identifier.h"
#include "test.h"

static void
an_entity_tag_fits_one_version_only(void **state)
{
    static const char *const bad[] = {
        "",           "*",
        "W/",         "W/\"",
        "\"",         "W/*",
        "12345",      "W/\"1\" ",
        "W/\"1\"\"2", "W/\"1\",W/\"2\"",
        "w/\"1\"",    "W/\"1\r\nX: y\"",
    };

    (void)state;
    assert_true(etag_is_valid("W/\"1234567890\""));
    assert_true(etag_is_valid("\"1234567890\""));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (etag_is_valid(bad[i]))
            fail_msg("%s was taken for a version", bad[i]);
}

static void
a_guid_of_zeroes_names_nothing(void **state)
{
    (void)state;
    assert_true(guid_names_something("6459f7a8-1111-4C6D-9a3e-0d2b5c7e9f01"));
    assert_false(guid_names_something("00000000-0000-0000-0000-000000000000"));
    assert_false(guid_names_something(""));
    assert_false(guid_names_something("------------------------------------"));
    assert_false(guid_names_something("6459f7a8-1111-4c6d-9a3e-0d2b5c7e9f0"));
    assert_false(guid_names_something("6459f7a8-1111-4c6d-9a3e-0d2b5c7e9f01)"));
}

static void
a_guid_is_made_lower_case(void **state)
{
    char text[] = "0A1B2C3D-0000-4000-8000-00000000ABCD";
    char none[] = "0A1B";

    (void)state;
    assert_true(guid_normalize(text));
    assert_string_equal(text, "0a1b2c3d-0000-4000-8000-00000000abcd");
    assert_false(guid_normalize(none));
    assert_string_equal(none, "0A1B");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entity_tag_fits_one_version_only),
        cmocka_unit_test(a_guid_of_zeroes_names_nothing),
        cmocka_unit_test(a_guid_is_made_lower_case),
    };

    return cmocka_run_group_tests_name("dataverse/identifier", tests, NULL, NULL);
}
