#include "../../../src/backup/scrub.h"
#include "test.h"

#include <string.h>

static void
expect(const char *value, const char *text, const char *result)
{
    struct scrub *scrub = scrub_new();
    TEXT_SCOPED out = {0};
    struct err err;

    assert_non_null(scrub);
    scrub_watch(scrub, "another text");
    scrub_watch(scrub, text);
    assert_true(scrub_value(scrub, value, strlen(value), &err));
    scrub_append(scrub, text, &out);
    assert_string_equal(text_string(&out), result);
    scrub_free(scrub);
}

static void
a_quote_of_a_row_is_left_out(void **state)
{
    (void)state;
    expect("CANARY-1", "duplicate key (CANARY-1) in row", "duplicate key ([left out]) in row");
    expect("CANARY-1", "CANARY-1CANARY-1", "[left out][left out]");
    expect("CANARY-1", "CANARY-2", "CANARY-2");
    expect("CANARY-1", "", "");
}

static void
a_piece_of_a_long_value_is_left_out_too(void **state)
{
    (void)state;
    expect("begin of a very long value and its end", "truncated value: 'of a very long v'",
           "truncated value: '[left out]'");
    /* a few characters in common are no quote */
    expect("begin of a very long value and its end", "the value and", "the value and");
}

static void
short_values_are_too_common_to_be_left_out(void **state)
{
    (void)state;
    expect("1", "line 1", "line 1");
    expect("USMF", "company USMF", "company USMF");
    expect("", "text", "text");
}

static void
without_rows_to_compare_with_nothing_is_shown(void **state)
{
    struct scrub *scrub = scrub_new();
    TEXT_SCOPED out = {0};

    (void)state;
    assert_non_null(scrub);
    scrub_watch(scrub, "text");
    scrub_all(scrub);
    scrub_append(scrub, "text", &out);
    scrub_append(scrub, "", &out);
    assert_string_equal(text_string(&out), "[left out]");
    scrub_free(scrub);
}

/* The gram that the value begins with stands in many other places, behind the quote. */
static void
a_quote_among_many_that_begin_alike_is_left_out(void **state)
{
    TEXT_SCOPED text = {0};

    (void)state;
    text_append(&text, "aaaaaaSECRET");
    for (int i = 0; i < 1000; i++)
        text_append(&text, " aaaaaa");
    struct scrub *scrub = scrub_new();
    struct err err;
    TEXT_SCOPED out = {0};
    assert_non_null(scrub);
    scrub_watch(scrub, text_string(&text));
    scrub_watch(scrub, text_string(&text));
    assert_true(scrub_value(scrub, "aaaaaaSECRET", strlen("aaaaaaSECRET"), &err));
    scrub_append(scrub, text_string(&text), &out);
    assert_memory_equal(text_string(&out), "[left out] aaaaaa aaaaaa", 24);
    scrub_free(scrub);
}

static void
what_would_take_too_long_to_compare_is_left_out(void **state)
{
    struct scrub *scrub = scrub_new();
    char value[4001];
    struct err err;
    TEXT_SCOPED text = {0};
    TEXT_SCOPED out = {0};

    (void)state;
    assert_non_null(scrub);
    memset(value, 'a', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < 100000; i++)
        text_append(&text, "aaaaaaaaaaa ");
    scrub_watch(scrub, text_string(&text));
    assert_true(scrub_value(scrub, value, strlen(value), &err));
    scrub_append(scrub, "nothing of it", &out);
    assert_string_equal(text_string(&out), "[left out]");
    scrub_free(scrub);
}

static void
many_values_and_texts_end_in_time(void **state)
{
    struct scrub *scrub = scrub_new();
    char value[200];
    struct err err;
    TEXT_SCOPED blanks = {0};
    TEXT_SCOPED out = {0};

    (void)state;
    assert_non_null(scrub);
    for (int i = 0; i < 100000; i++)
        text_append(&blanks, "          ");
    scrub_watch(scrub, text_string(&blanks));
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(value, sizeof(value), "value %d with some text of its own", i);
        assert_true(scrub_value(scrub, value, strlen(value), &err));
    }
    scrub_append(scrub, "nothing of it", &out);
    assert_string_equal(text_string(&out), "nothing of it");
    scrub_free(scrub);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_of_a_row_is_left_out),
        cmocka_unit_test(a_piece_of_a_long_value_is_left_out_too),
        cmocka_unit_test(short_values_are_too_common_to_be_left_out),
        cmocka_unit_test(without_rows_to_compare_with_nothing_is_shown),
        cmocka_unit_test(a_quote_among_many_that_begin_alike_is_left_out),
        cmocka_unit_test(what_would_take_too_long_to_compare_is_left_out),
        cmocka_unit_test(many_values_and_texts_end_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
