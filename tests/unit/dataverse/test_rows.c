#include "../../../src/dataverse/rows.h"
#include "test.h"

#include <cjson/cJSON.h>
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

/** The walk of a page's rows by their members ends each where rows_next does. */
static void
rows_are_walked_by_their_members(void **state)
{
    static const char text[] =
        "{\"value\":[ {\"a\":[1,{\"b\":\"]}\"}],\"c\":{}} , { } ,{},\n{\"d\":\"\\\"\\\\\" } ]}";
    struct rows_page page;
    struct rows_cursor cursor, other;
    struct rows_members members;
    struct rows_member member;
    struct slice row;
    int rows = 0, count = 0;

    (void)state;
    assert_true(read_page(text, &page));
    cursor = rows_begin(page.value);
    other = cursor;
    while (rows_next_members(&cursor, &members) == ROWS_ROW) {
        while (rows_members_next(&members, &member))
            count++;
        assert_false(members.unusual);
        assert_true(rows_end_members(&cursor, &members));
        assert_int_equal(rows_next(&other, &row), ROWS_ROW);
        assert_ptr_equal(cursor.rest.data, other.rest.data);
        rows++;
    }
    assert_int_equal(rows, 4);
    assert_int_equal(count, 3);
    assert_int_equal(rows_next_members(&cursor, &members), ROWS_END);

    assert_true(read_page("{\"value\":[{\"a\":1,\"b\":2},3]}", &page));
    cursor = rows_begin(page.value);
    assert_int_equal(rows_next_members(&cursor, &members), ROWS_ROW);
    assert_true(rows_members_next(&members, &member));
    assert_false(rows_end_members(&cursor, &members)); /* there is another member */
    assert_true(rows_members_next(&members, &member));
    assert_slice(member.whole, "\"b\":2");
    assert_true(rows_end_members(&cursor, &members));
    assert_int_equal(rows_next_members(&cursor, &members), ROWS_BROKEN);
}

static bool
is_unusual(const char *value, bool *ret_cjson)
{
    char text[200];
    struct rows_members members;
    struct rows_member member;
    cJSON *json;

    (void)snprintf(text, sizeof text, "{\"a\":%s}", value);
    assert_true(rows_is_object(slice_of_string(text)));
    members = rows_members_begin(slice_of_string(text));
    assert_true(rows_members_next(&members, &member));
    json = cJSON_Parse(text);
    *ret_cjson = json != NULL;
    cJSON_Delete(json);
    return members.unusual;
}

/** What is not unusual, cJSON takes: rows are not parsed to find that out. */
static void
what_cjson_may_refuse_is_unusual(void **state)
{
    static const char *const usual[] = {
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\\ud800\\udfff\"",
        "\"\\ud7ff\\ue000\\b\\f\\n\\r\\t\\/\"",
        "123456789012345678901234567890123456789012345678901234567890123", /* 63 */
        "-0.000e+999",
        "[[{\"b\":null,\"b\":[]}],true]",
    };
    static const char *const unusual[] = {
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ude00\\ud83d\"",
        "\"\\ud83dx\\ude00\"",
        "\"\\ud83d\\ud83d\\ude00\"",
        "\"\\ud83d\\n\"",
        "[{\"\\udfff\":1}]",
        "1234567890123456789012345678901234567890123456789012345678901234",
    };
    bool taken;

    (void)state;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        assert_false(is_unusual(usual[i], &taken));
        assert_true(taken);
    }
    for (size_t i = 0; i < sizeof unusual / sizeof unusual[0]; i++) {
        if (!is_unusual(unusual[i], &taken))
            fail_msg("%s is not unusual", unusual[i]);
        assert_true(!taken || unusual[i][0] != '"'); /* numbers it is only not sure of */
    }
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
    assert_true(rows_string(slice_of_string("\"\\\\\\\"12345\""), text, sizeof text));
    assert_string_equal(text, "\\\"12345");
    assert_true(rows_string(slice_of_string("\"\""), text, 1));
    assert_false(rows_string(slice_of_string("\"\\ud800\""), text, sizeof text));
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
        cmocka_unit_test(rows_are_walked_by_their_members),
        cmocka_unit_test(what_cjson_may_refuse_is_unusual),
        cmocka_unit_test(a_member_is_found_at_the_top_level_only),
        cmocka_unit_test(members_are_walked_in_their_order),
        cmocka_unit_test(a_string_is_decoded_or_refused),
    };

    return cmocka_run_group_tests_name("dataverse/rows", tests, NULL, NULL);
}
