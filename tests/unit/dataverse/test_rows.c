#include "../../../src/dataverse/rows.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
read_page(const char *text, struct rows_page *ret)
{
    const char *why;

    return rows_page_read(slice_of_string(text), ret, &why);
}

static void
assert_slice(struct slice slice, const char *expected)
{
    assert_int_equal(slice.size, strlen(expected));
    assert_memory_equal(slice.data, expected, slice.size);
}

static void
rows_keep_the_bytes_of_the_service(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF" /* a byte order mark is no JSON: cut off below */
        "{ \"@odata.context\" : \"x\", \"value\" : [ {\"a\":9007199254740993,\"b\":\"\\u00e9\\/]}\"} ,\n"
        "{\"c\":{\"value\":[1,{\"@odata.nextLink\":\"no\"}]}} ], \"@odata.nextLink\":\"https:\\/\\/h/\" }";
    struct rows_page page;
    struct rows_cursor cursor;
    struct slice row;

    (void)state;
    assert_false(read_page(text, &page));
    assert_true(read_page(text + 3, &page));
    cursor = rows_begin(page.value);
    assert_int_equal(rows_next(&cursor, &row), ROWS_ROW);
    assert_slice(row, "{\"a\":9007199254740993,\"b\":\"\\u00e9\\/]}\"}");
    assert_int_equal(rows_next(&cursor, &row), ROWS_ROW);
    assert_slice(row, "{\"c\":{\"value\":[1,{\"@odata.nextLink\":\"no\"}]}}");
    assert_int_equal(rows_next(&cursor, &row), ROWS_END);
    assert_int_equal(rows_next(&cursor, &row), ROWS_END);
    assert_slice(page.next_link, "\"https:\\/\\/h/\"");
}

static void
an_empty_array_is_a_page(void **state)
{
    struct rows_page page;
    struct rows_cursor cursor;
    struct slice row;

    (void)state;
    assert_true(read_page("{\"value\":[ ]}", &page));
    cursor = rows_begin(page.value);
    assert_int_equal(rows_next(&cursor, &row), ROWS_END);
    assert_int_equal(page.next_link.size, 0);
}

static void
a_page_that_is_cut_anywhere_is_no_page(void **state)
{
    static const char text[] = "{\"value\":[{\"a\":-1.5e+3,\"b\":\"\\\"x\\\\\"},{\"c\":[true,null,"
                               "false,{}]}],\"@odata.nextLink\":\"l\"}";
    struct rows_page page;

    (void)state;
    assert_true(read_page(text, &page));
    for (size_t size = 0; size < strlen(text); size++) {
        char *cut = malloc(size + 1); /* of its own, so that a read behind the end is caught */
        const char *why;

        assert_non_null(cut);
        memcpy(cut, text, size);
        if (rows_page_read(slice_of(cut, size), &page, &why))
            fail_msg("%zu bytes were taken for a page", size);
        free(cut);
    }
}

static void
what_is_not_json_is_no_page(void **state)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"value\":null}",
        "{\"value\":{}}",
        "{\"value\":\"[]\"}",
        "{\"Value\":[]}",
        "{\"value\":[],\"value\":[]}",
        "{\"value\":[],\"@odata.nextLink\":null}",
        "{\"value\":[],\"@odata.nextLink\":\"a\",\"@odata.nextLink\":\"b\"}",
        "{\"value\":[]} x",
        "{\"value\":[],}",
        "{\"value\":[1,]}",
        "{\"value\":[01]}",
        "{\"value\":[1.]}",
        "{\"value\":[.5]}",
        "{\"value\":[+1]}",
        "{\"value\":[1e]}",
        "{\"value\":[\"\\x\"]}",
        "{\"value\":[\"\\u12g4\"]}",
        "{\"value\":[\"a\nb\"]}",
        "{\"value\":[tru]}",
        "{\"value\":[NaN]}",
        "{'value':[]}",
        "{\"value\" []}",
        "<html><body>Sign in</body></html>",
    };
    struct rows_page page;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (read_page(bad[i], &page))
            fail_msg("%s was taken for a page", bad[i]);
}

static void
an_element_that_is_no_object_is_told(void **state)
{
    struct rows_page page;
    struct rows_cursor cursor;
    struct slice row;

    (void)state;
    assert_true(read_page("{\"value\":[{},1]}", &page));
    cursor = rows_begin(page.value);
    assert_int_equal(rows_next(&cursor, &row), ROWS_ROW);
    assert_int_equal(rows_next(&cursor, &row), ROWS_BROKEN);
}

static void
a_page_in_other_bytes_than_utf8_json_is_no_page(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"\xEF\xBB\xBF{\"value\":[]}", 15},         /* a byte order mark */
        {"\xFF\xFE{\0\"\0v\0a\0l\0u\0e\0\"\0", 18}, /* UTF-16 */
        {"\0{\0\"\0v\0a\0l\0u\0e\0\"", 16},
        {"\x1f\x8b\x08\0\0\0\0\0\0\x03", 10}, /* gzip that nobody unpacked */
        {"{\"value\":[]}\0", 13},
        {"{\"value\":[\0]}", 13},
    };
    struct rows_page page;
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (rows_page_read(slice_of(bad[i].bytes, bad[i].size), &page, &why))
            fail_msg("number %zu was taken for a page", i);
}

static void
numbers_of_any_size_and_members_that_come_twice_keep_their_bytes(void **state)
{
    static const char row[] =
        "{\"a\":1e999,\"b\":-123456789012345678901234567890,\"c\":0.1000,\"c\":-0}";
    char text[200];
    struct rows_page page;
    struct rows_cursor cursor;
    struct slice object;
    bool twice;

    (void)state;
    (void)snprintf(text, sizeof text, "{\"value\":[%s]}", row);
    assert_true(read_page(text, &page));
    cursor = rows_begin(page.value);
    assert_int_equal(rows_next(&cursor, &object), ROWS_ROW);
    assert_slice(object, row);
    assert_slice(rows_member(object, "b", &twice), "-123456789012345678901234567890");
    assert_false(twice);
    (void)rows_member(object, "c", &twice);
    assert_true(twice);
}

static void
nesting_has_a_maximum(void **state)
{
    char text[4 * ROWS_DEPTH_MAX + 64];
    struct rows_page page;

    (void)state;
    for (int depth = 1; depth < 2 * ROWS_DEPTH_MAX; depth++) {
        size_t used = (size_t)snprintf(text, sizeof text, "{\"value\":");

        memset(text + used, '[', (size_t)depth);
        memset(text + used + depth, ']', (size_t)depth);
        memcpy(text + used + 2 * (size_t)depth, "}", 2);
        assert_int_equal(read_page(text, &page), depth < ROWS_DEPTH_MAX);
    }
}

static void
assert_without(const char *object, const char *expected)
{
    static const char *const names[] = {"@odata.etag", "@odata.context"};
    TEXT_SCOPED text = {0};

    rows_append_without(slice_of_string(object), names, 2, &text);
    assert_string_equal(text_string(&text), expected);
}

static void
the_etag_is_cut_out_wherever_it_stands(void **state)
{
    (void)state;
    assert_without("{\"@odata.etag\":\"W/\\\"1\\\"\",\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
    assert_without("{\"a\":1,\"@odata.etag\":\"W/\\\"1\\\"\",\"b\":2}", "{\"a\":1,\"b\":2}");
    assert_without("{\"a\":1,\"b\":2,\"@odata.etag\":\"W/\\\"1\\\"\"}", "{\"a\":1,\"b\":2}");
    assert_without("{ \"@odata.etag\" : \"x\" }", "{}");
    assert_without("{\"@odata.context\":\"x\",\"@odata.etag\":\"x\",\"a\":1}", "{\"a\":1}");
    assert_without("{}", "{}");
    assert_without("{\"a\":{\"@odata.etag\":\"stays\"},\"b\":18446744073709551615}",
                   "{\"a\":{\"@odata.etag\":\"stays\"},\"b\":18446744073709551615}");
    assert_without("{\"x@odata.etag\":1,\"b\":\"\\ud83d\\ude00\"}",
                   "{\"x@odata.etag\":1,\"b\":\"\\ud83d\\ude00\"}");
}

static void
a_member_is_found_at_the_top_level_only(void **state)
{
    const struct slice object =
        slice_of_string("{\"a\":{\"key\":1},\"key\":\"v\",\"b\":[{\"key\":2}]}");
    bool twice = true;

    (void)state;
    assert_slice(rows_member(object, "key", &twice), "\"v\"");
    assert_false(twice);
    assert_int_equal(rows_member(object, "kex", &twice).size, 0);
    (void)rows_member(slice_of_string("{\"key\":1,\"key\":1}"), "key", &twice);
    assert_true(twice);
}

static void
members_are_walked_in_their_order(void **state)
{
    struct rows_members members =
        rows_members_begin(slice_of_string(" { \"a\" : [1,{\"b\":2}] , \"c\":\"d\"} "));
    struct rows_member member;

    (void)state;
    assert_true(rows_members_next(&members, &member));
    assert_true(rows_is_named(&member, "a"));
    assert_slice(member.value, "[1,{\"b\":2}]");
    assert_true(rows_members_next(&members, &member));
    assert_true(rows_is_named(&member, "c"));
    assert_slice(member.value, "\"d\"");
    assert_false(rows_members_next(&members, &member));
    assert_true(rows_is_object(slice_of_string(" {} ")));
    assert_false(rows_is_object(slice_of_string("{} {}")));
    assert_false(rows_is_object(slice_of_string("[]")));
    assert_false(rows_is_object(slice_of_string("")));
}

static void
a_string_is_decoded_or_refused(void **state)
{
    char text[8];

    (void)state;
    assert_true(rows_string(slice_of_string("\"W/\\\"12\\\"\""), text, sizeof text));
    assert_string_equal(text, "W/\"12\"");
    assert_true(rows_string(slice_of_string("\"\\u00e9\""), text, sizeof text));
    assert_string_equal(text, "\xc3\xa9");
    assert_true(rows_string(slice_of_string("\"1234567\""), text, sizeof text));
    assert_false(rows_string(slice_of_string("\"12345678\""), text, sizeof text));
    assert_false(rows_string(slice_of_string("12"), text, sizeof text));
    assert_false(rows_string(slice_of_string("null"), text, sizeof text));
    assert_false(rows_string(slice_of_string("\"a\\u0000b\""), text, sizeof text));
    assert_true(rows_string(slice_of_string("\"\\\\u0000\""), text, sizeof text));
    assert_string_equal(text, "\\u0000");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_keep_the_bytes_of_the_service),
        cmocka_unit_test(an_empty_array_is_a_page),
        cmocka_unit_test(a_page_that_is_cut_anywhere_is_no_page),
        cmocka_unit_test(what_is_not_json_is_no_page),
        cmocka_unit_test(an_element_that_is_no_object_is_told),
        cmocka_unit_test(a_page_in_other_bytes_than_utf8_json_is_no_page),
        cmocka_unit_test(numbers_of_any_size_and_members_that_come_twice_keep_their_bytes),
        cmocka_unit_test(nesting_has_a_maximum),
        cmocka_unit_test(the_etag_is_cut_out_wherever_it_stands),
        cmocka_unit_test(a_member_is_found_at_the_top_level_only),
        cmocka_unit_test(members_are_walked_in_their_order),
        cmocka_unit_test(a_string_is_decoded_or_refused),
    };

    return cmocka_run_group_tests_name("dataverse/rows", tests, NULL, NULL);
}
