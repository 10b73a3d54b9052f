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
    struct err err;

    return rows_page_read(slice_of_string(text), NULL, ret, &why, &err);
}

/** Takes rows, and writes down their members. */
static bool
take_members(void *ctx, struct rows_members *members, struct err *err)
{
    struct text *seen = ctx;
    struct rows_member member;

    text_append(seen, "<");
    while (rows_members_next(members, &member)) {
        if (rows_is_named(&member, "stop"))
            return err_set(err, ERR_STALE, "stopped");
        text_append_bytes(seen, member.whole.data, member.whole.size);
        text_append(seen, ";");
    }
    text_append(seen, ">");
    return true;
}

/** Is the text a page, with and without somebody who takes its rows? They must agree. */
static bool
is_page(struct slice text)
{
    TEXT_SCOPED seen = {0};
    const struct rows_taker taker = {.ctx = &seen, .take = take_members};
    struct rows_page plain, taken;
    struct err err;
    const char *why = NULL, *other = NULL;
    const bool good = rows_page_read(text, NULL, &plain, &why, &err);

    assert_int_equal(rows_page_read(text, &taker, &taken, &other, &err), good);
    if (!good) {
        assert_non_null(why);
        assert_non_null(other);
        return false;
    }
    assert_ptr_equal(plain.value.data, taken.value.data);
    assert_int_equal(plain.value.size, taken.value.size);
    assert_ptr_equal(plain.next_link.data, taken.next_link.data);
    assert_int_equal(plain.next_link.size, taken.next_link.size);
    return true;
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

        assert_non_null(cut);
        memmove(cut + 1, text, size);
        if (is_page(slice_of(cut + 1, size)))
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
        "{,\"value\":[]}",
        "{\"value\":[],,\"a\":1}",
        "{\"value\":[] \"a\":1}",
        "{\"value\":[] {\"a\":1}}",
        "{\"value\":[{},]}",
        "{\"value\":[{}{}]}",
        "{\"value\":[{,\"a\":1}]}",
        "{\"value\":[{\"a\":1,}]}",
        "{\"value\":[{\"a\":1,,\"b\":1}]}",
        "{\"value\":[{\"a\":1{\"b\":1}]}",
        "{\"value\":[{\"a\":1]}",
        "{\"value\":[{\"a\"}]}",
        "{\"value\":[{\"a\":}]}",
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

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (is_page(slice_of_string(bad[i])))
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

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (is_page(slice_of(bad[i].bytes, bad[i].size)))
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

        used = (size_t)snprintf(text, sizeof text, "{\"value\":[{\"a\":");
        memset(text + used, '[', (size_t)depth);
        memset(text + used + depth, ']', (size_t)depth);
        memcpy(text + used + 2 * (size_t)depth, "}]}", 4);
        assert_int_equal(is_page(slice_of_string(text)), depth < ROWS_DEPTH_MAX - 2);
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

static void
assert_taken(const char *text, const char *members, const char *expected_why)
{
    TEXT_SCOPED seen = {0};
    const struct rows_taker taker = {.ctx = &seen, .take = take_members};
    struct rows_page page;
    struct err err = {0};
    const char *why = "";

    assert_int_equal(rows_page_read(slice_of_string(text), &taker, &page, &why, &err),
                     !*expected_why);
    assert_string_equal(text_string(&seen), members);
    assert_string_equal(why, expected_why);
}

static void
rows_are_taken_while_the_page_is_read(void **state)
{
    (void)state;
    assert_taken(
        "{\"value\":[ {\"a\":[1,{\"b\":\"]}\"}],\"c\":{}} , { } ,{},\n{\"d\":\"\\\"\\\\\" } ]}",
        "<\"a\":[1,{\"b\":\"]}\"}];\"c\":{};><><><\"d\":\"\\\"\\\\\";>", "");
    assert_taken("{\"a\":{\"value\":[{\"x\":1}]},\"value\":[{\"y\":2}]}", "<\"y\":2;>", "");
    assert_taken("{\"value\":[{\"a\":1},3]}", "<\"a\":1;>",
                 "a page of rows holds something that is not a row");
    assert_taken("{\"value\":[{\"a\":1},tru]}", "<\"a\":1;>",
                 "a page of rows is not whole, well-formed JSON");
    assert_taken("{\"value\":[{\"a\":1},{\"b\":2", "<\"a\":1;><\"b\":2;>",
                 "a page of rows is not whole, well-formed JSON");
    assert_taken("{\"value\":[{\"a\":1,\"stop\":2,\"b\":3}]}", "<\"a\":1;",
                 "a page of rows is not whole, well-formed JSON");
}

/** Takes rows whole, and likes none. */
static bool
refuse(void *ctx, struct rows_members *members, struct err *err)
{
    (void)ctx;
    for (struct rows_member member; rows_members_next(members, &member);)
        continue;
    return err_set(err, ERR_STALE, "not this one");
}

static void
who_takes_rows_may_refuse_one(void **state)
{
    const struct rows_taker taker = {.take = refuse};
    struct rows_page page;
    struct err err = {0};
    const char *why = "";

    (void)state;
    assert_false(
        rows_page_read(slice_of_string("{\"value\":[{\"a\":1}]}"), &taker, &page, &why, &err));
    assert_null(why);
    assert_int_equal(err.code, ERR_STALE);
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

/** How many bytes the escape at `at` has, its backslash among them; 0 when it is none. */
static size_t
escape_slowly(const char *at, size_t size)
{
    if (size < 2 || at[1] == '\0' || !strchr("\"\\/bfnrtu", at[1]))
        return 0;
    if (at[1] != 'u')
        return 2;
    for (size_t i = 2; i < 6; i++)
        if (i >= size || at[i] == '\0' || !strchr("0123456789abcdef", at[i]))
            return 0;
    return 6;
}

/** Byte by byte: where a string of JSON ends, its first quote read; 0 when it is none. */
static size_t
string_end_slowly(const char *at, size_t size)
{
    size_t step;

    for (size_t i = 0; i < size; i += step) {
        if (at[i] == '"')
            return i + 1;
        step = at[i] == '\\' ? escape_slowly(at + i, size - i) : 1;
        if (step == 0 || (unsigned char)at[i] < 0x20)
            return 0;
    }
    return 0;
}

/** Texts of every length and place beside a block of 64 bytes; there is more behind most. */
static void
long_strings_end_where_short_ones_do(void **state)
{
    static const char front[6] = "{\"m\":\"";
    static const char back[2] = "\"}";
    static const char alphabet[] = "\"\\\\\\\"\\ab/nu0041\x7f\x80\xc3\n\t";
    unsigned seed = 1;
    size_t good = 0;

    (void)state;
    for (size_t round = 0; round < 30000; round++) {
        const size_t size = round % 211;
        const unsigned rare = round % 3 ? 31 : 7;
        char *text = malloc(size + 8); /* of its own, so that a read behind the end is caught */

        assert_non_null(text);
        memcpy(text, front, sizeof front);
        for (size_t i = 6; i < size + 8; i++) {
            seed = seed * 1103515245U + 12345U;
            text[i] = alphabet[seed >> 16 & rare ? 12 : (seed >> 21) % (sizeof alphabet - 1)];
        }
        if (round % 4)
            memcpy(text + size + sizeof front, back, sizeof back);
        struct rows_members members = rows_members_begin(slice_of(text, size + 8));
        struct rows_member member;
        const size_t end = string_end_slowly(text + 6, size + 2);

        assert_int_equal(rows_members_next(&members, &member), end > 0);
        if (end > 0) {
            assert_int_equal(member.value.size, end + 1);
            for (size_t i = 6; i < end + 6; i++)
                assert_true((unsigned char)text[i] < 0x80 || members.wide);
            good += end > 64;
        }
        free(text);
    }
    assert_true(good > 1000); /* the test reaches what it is about */
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
        cmocka_unit_test(rows_are_taken_while_the_page_is_read),
        cmocka_unit_test(who_takes_rows_may_refuse_one),
        cmocka_unit_test(what_cjson_may_refuse_is_unusual),
        cmocka_unit_test(a_member_is_found_at_the_top_level_only),
        cmocka_unit_test(members_are_walked_in_their_order),
        cmocka_unit_test(a_string_is_decoded_or_refused),
        cmocka_unit_test(long_strings_end_where_short_ones_do),
    };

    return cmocka_run_group_tests_name("dataverse/rows", tests, NULL, NULL);
}
