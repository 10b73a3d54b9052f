#include "../../../src/dataverse/compare.h"
#include "test.h"

static const struct columns none;

static bool
same(const char *a, const char *b, bool created)
{
    const bool result = compare_rows(slice_of_string(a), slice_of_string(b), created, &none);

    assert_int_equal(compare_rows(slice_of_string(b), slice_of_string(a), created, &none), result);
    return result;
}

static void
what_every_write_stamps_does_not_count(void **state)
{
    (void)state;
    assert_true(
        same("{\"a\":1,\"modifiedon\":\"x\",\"_modifiedby_value\":\"y\",\"versionnumber\":3}",
             "{\"versionnumber\":4,\"a\":1,\"modifiedon\":null}", false));
    assert_true(same("{\"a\":1,\"@odata.etag\":\"x\",\"a@b.c\":\"y\"}", "{\"a\":1}", false));
    assert_false(same("{\"a\":1,\"createdon\":\"x\"}", "{\"a\":1,\"createdon\":\"y\"}", false));
    assert_false(same("{\"statecode\":0}", "{\"statecode\":1}", false));
}

static void
what_a_new_row_gets_does_not_count_when_it_was_created(void **state)
{
    (void)state;
    assert_true(same("{\"a\":1,\"createdon\":\"x\",\"_ownerid_value\":\"u\",\"statecode\":0}",
                     "{\"a\":1,\"createdon\":\"y\",\"_ownerid_value\":\"v\",\"statecode\":1}",
                     true));
    assert_false(same("{\"a\":1}", "{\"a\":2}", true));
}

static void
every_other_difference_counts(void **state)
{
    (void)state;
    assert_false(same("{\"a\":1}", "{\"a\":1,\"b\":2}", false));
    assert_false(same("{\"a\":1}", "{\"a\":\"1\"}", false));
    assert_false(same("{\"a\":9007199254740993}", "{\"a\":9007199254740992}", false));
    assert_false(same("{\"a\":\"x\"}", "{\"a\":\"X\"}", false));
    assert_false(same("{\"a\":\"x\\u0000y\"}", "{\"a\":\"x\\u0000z\"}", false));
    assert_false(same("{\"a\":1e400}", "{\"a\":1e401}", false));
    assert_false(same("{\"a\":1,\"a\":2}", "{\"a\":1}", false));
    assert_false(same("{\"a\":1,\"a\":1}", "{\"a\":1,\"a\":1}", false));
    assert_false(same("{\"a\":[1,2]}", "{\"a\":[2,1]}", false));
}

static void
null_is_absent_and_escapes_are_decoded(void **state)
{
    (void)state;
    assert_true(same("{\"a\":null}", "{}", false));
    assert_true(same("{\"a\":\"\\u00e9\\/\"}", "{\"a\":\"\xc3\xa9/\"}", false));
    assert_true(same("{ \"a\" : 1 }", "{\"a\":1}", false));
}

static void
what_is_no_object_is_no_row(void **state)
{
    (void)state;
    assert_false(same("[]", "[]", false));
    assert_false(same("{", "{}", false));
    assert_false(same("", "", false));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_every_write_stamps_does_not_count),
        cmocka_unit_test(what_a_new_row_gets_does_not_count_when_it_was_created),
        cmocka_unit_test(every_other_difference_counts),
        cmocka_unit_test(null_is_absent_and_escapes_are_decoded),
        cmocka_unit_test(what_is_no_object_is_no_row),
    };

    return cmocka_run_group_tests_name("dataverse/compare", tests, NULL, NULL);
}
