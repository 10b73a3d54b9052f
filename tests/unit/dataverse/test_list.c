#include "../../../src/dataverse/list.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define KEY "msdyn_dualwriteruntimeconfigid"
#define GUID "0A1B2C3D-0000-4000-8000-00000000ABCD"

static bool
read_row(const char *object, struct list_row *ret, struct err *err)
{
    return list_row_read(slice_of_string(object), KEY, ret, err);
}

static void
a_row_has_its_key_in_lower_case_and_its_etag_as_sent(void **state)
{
    struct list_row row;
    struct err err = {0};

    (void)state;
    assert_true(read_row("{\"@odata.etag\":\"W/\\\"1234567890123456789\\\"\",\"" KEY "\":\"" GUID
                         "\",\"x\":1}",
                         &row, &err));
    assert_string_equal(row.key, "0a1b2c3d-0000-4000-8000-00000000abcd");
    assert_string_equal(row.version, "W/\"1234567890123456789\"");
}

static void
a_row_without_an_etag_has_no_version(void **state)
{
    struct list_row row;
    struct err err = {0};

    (void)state;
    assert_true(read_row("{\"" KEY "\":\"" GUID "\"}", &row, &err));
    assert_string_equal(row.version, "");
}

static void
a_row_whose_key_or_version_is_unusable_is_an_error(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"" KEY "\":null}",
        "{\"" KEY "\":7}",
        "{\"" KEY "\":\"\"}",
        "{\"" KEY "\":\"0a1b2c3d-0000-4000-8000-00000000abc\"}",
        "{\"" KEY "\":\"0a1b2c3d-0000-4000-8000-00000000abcg\"}",
        "{\"" KEY "\":\"0a1b2c3d00000-4000-8000-00000000abcd\"}",
        "{\"" KEY "\":\"" GUID "\",\"" KEY "\":\"" GUID "\"}",
        "{\"x\":{\"" KEY "\":\"" GUID "\"}}",
        "{\"" KEY "\":\"" GUID "\",\"@odata.etag\":5}",
        "{\"" KEY "\":\"" GUID "\",\"@odata.etag\":\"*\"}",
        "{\"" KEY "\":\"" GUID "\",\"@odata.etag\":\"\"}",
        "{\"" KEY "\":\"" GUID "\",\"x\":\"\xff\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct list_row row = {.key = "kept"};
        struct err err = {0};

        if (read_row(bad[i], &row, &err))
            fail_msg("%s was taken for a row", bad[i]);
        assert_int_equal(err.code, ERR_SERVER);
        assert_string_equal(row.key, "kept");
    }
}

/** The row's key goes in front of `object`. */
static void
assert_copied(const char *object, const char *expected)
{
    char text[400];
    char wanted[400];
    struct rows_members members;
    struct list_row row;
    struct err err = {0};
    TEXT_SCOPED document = {0};

    (void)snprintf(text, sizeof text, "{\"" KEY "\":\"" GUID "\"%s}", object);
    (void)snprintf(wanted, sizeof wanted, "first{\"" KEY "\":\"" GUID "\"%s}", expected);
    members = rows_members_begin(slice_of_string(text));
    text_append(&document, "first");
    assert_true(list_row_copy(&members, KEY, &document, &row, &err));
    assert_string_equal(text_string(&document), wanted);
    assert_int_equal(row.object.size, document.used - 5);
    assert_memory_equal(row.object.data, wanted + 5, row.object.size);
    assert_true(list_row_read(slice_of_string(text), KEY, &row, &err));
}

static void
the_etag_is_cut_out_wherever_it_stands(void **state)
{
    struct rows_members members = rows_members_begin(slice_of_string(
        "{ \"@odata.etag\" : \"W/\\\"1\\\"\" , \"" KEY "\" : \"" GUID "\" , \"a\":1 }"));
    struct list_row row;
    struct err err = {0};
    TEXT_SCOPED document = {0};

    (void)state;
    assert_copied(",\"@odata.etag\":\"W/\\\"1\\\"\",\"a\":1,\"b\":2", ",\"a\":1,\"b\":2");
    assert_copied(",\"a\":1,\"b\":2,\"@odata.etag\":\"W/\\\"1\\\"\"", ",\"a\":1,\"b\":2");
    assert_copied(" , \"@odata.context\" : \"x\" , \"a\" : 1 ", ",\"a\" : 1");
    assert_copied("", "");
    assert_copied(",\"a\":{\"@odata.etag\":\"stays\"},\"b\":18446744073709551615",
                  ",\"a\":{\"@odata.etag\":\"stays\"},\"b\":18446744073709551615");
    assert_copied(",\"x@odata.etag\":1,\"b\":\"\\ud83d\\ude00\"",
                  ",\"x@odata.etag\":1,\"b\":\"\\ud83d\\ude00\"");
    assert_true(list_row_copy(&members, KEY, &document, &row, &err));
    assert_string_equal(text_string(&document), "{\"" KEY "\" : \"" GUID "\",\"a\":1}");
    assert_string_equal(row.version, "W/\"1\"");
}

/** Wherever a byte stands that is no UTF-8, and in whichever member, the row is refused. */
static void
a_byte_that_is_no_utf8_is_found_wherever_it_stands(void **state)
{
    enum { LONGEST = 200 };

    (void)state;
    for (size_t place = 0; place < LONGEST; place++)
        for (int bad = 0; bad < 2; bad++) {
            char filler[LONGEST + 1];
            char text[3 * LONGEST];
            TEXT_SCOPED document = {0};
            struct list_row row;
            struct err err = {0};

            memset(filler, 'x', LONGEST);
            filler[LONGEST] = '\0';
            memcpy(filler + place - place % 2, bad ? "\xc3x" : "\xc3\xa9", 2);
            (void)snprintf(text, sizeof text, "{\"" KEY "\":\"" GUID "\",\"%s\":\"%s\",\"n\":1}",
                           place % 3 ? "x" : filler, place % 3 ? filler : "x");
            struct rows_members members = rows_members_begin(slice_of_string(text));
            assert_int_equal(list_row_copy(&members, KEY, &document, &row, &err), !bad);
            assert_int_equal(read_row(text, &row, &err), !bad);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_its_key_in_lower_case_and_its_etag_as_sent),
        cmocka_unit_test(a_row_without_an_etag_has_no_version),
        cmocka_unit_test(a_row_whose_key_or_version_is_unusable_is_an_error),
        cmocka_unit_test(the_etag_is_cut_out_wherever_it_stands),
        cmocka_unit_test(a_byte_that_is_no_utf8_is_found_wherever_it_stands),
    };

    return cmocka_run_group_tests_name("dataverse/list", tests, NULL, NULL);
}
