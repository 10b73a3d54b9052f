/* The line of a step, on every width, and what it says of time. */
#include "cli/progress.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { T0 = 1000 * 1000 };

/** A step of 5000 rows, 100 rows every half second: 200 rows/s; 1200 are done. */
static struct progress
six_seconds(void)
{
    struct progress progress = {0};
    for (int64_t i = 0; i <= 12; i++)
        progress_note(&progress, "BUSINESSEVENTSDEFINITION backed up", i * 100, 5000, T0 + i * 500);
    return progress;
}

static void
expect_line(const struct progress *progress, struct progress_look look, const char *expected)
{
    TEXT_SCOPED text = {0};
    progress_draw(progress, &look, &text);
    assert_string_equal(text_string(&text), expected);
}

/** Columns of a line: characters, without colours. */
static size_t
columns_of(const char *line)
{
    size_t columns = 0;
    for (const char *p = line; *p; p++) {
        if (*p == '\x1b')
            p += strcspn(p, "m");
        else if (((unsigned char)*p & 0xc0) != 0x80)
            columns++;
    }
    return columns;
}

static void
what_matters_least_leaves_a_narrow_line_first(void **state)
{
    const struct progress progress = six_seconds();
    (void)state;
    expect_line(&progress, (struct progress_look){.columns = 120},
                "BUSINESSEVENTSDEFINITION backed up [#######-----------------------] 1200/5000  "
                "24% 200 rows/s 0:19 left");
    expect_line(&progress, (struct progress_look){.columns = 80},
                "BUSINESSEVENTSDEFINITION backe.. [#-------] 1200/5000  24% 200 rows/s 0:19 left");
    expect_line(&progress, (struct progress_look){.columns = 60},
                "BUSINESSEV.. [#-------] 1200/5000  24% 200 rows/s 0:19 left");
    expect_line(&progress, (struct progress_look){.columns = 40},
                "BUSINESSEVEN.. 1200/5000  24% 0:19 left");
    expect_line(&progress, (struct progress_look){.columns = 20}, "1200/5000  24%");
}

static void
a_pause_is_said_on_every_width(void **state)
{
    struct progress progress = six_seconds();
    (void)state;
    progress.paused_until_utc_ms = INT64_C(1795297469123); /* 2026-11-21T21:44:29.123Z */
    expect_line(&progress, (struct progress_look){.columns = 100},
                "BUSINESSEVENTSDEFINITI.. [#-------] 1200/5000  24% paused until 21:44:29 UTC "
                "(server asked to wait)");
    expect_line(&progress, (struct progress_look){.columns = 20}, "paused 21:44:29");
}

static void
no_line_is_as_wide_as_its_terminal(void **state)
{
    struct progress progress = six_seconds();
    (void)state;
    for (unsigned columns = 1; columns <= 200; columns++) {
        for (unsigned i = 0; i < 8; i++) {
            TEXT_SCOPED text = {0};
            const struct progress_look look = {
                .columns = columns, .utf8 = i & 1, .colour = (i & 2) != 0};
            progress.paused_until_utc_ms = i & 4 ? INT64_C(1795297469123) : 0;
            progress_draw(&progress, &look, &text);
            if (columns_of(text_string(&text)) >= columns)
                fail_msg("%u columns: \"%s\"", columns, text_string(&text));
            if (columns >= 20)
                assert_true(text.used > 0);
            if (!look.utf8)
                for (size_t j = 0; j < text.used; j++)
                    assert_true((unsigned char)text_string(&text)[j] < 0x80);
        }
    }
}

static void
the_bar_is_drawn_in_the_locale_s_characters(void **state)
{
    struct progress progress = {0};
    (void)state;
    progress_note(&progress, "rows", 1, 2, T0);
    expect_line(&progress, (struct progress_look){.columns = 30, .utf8 = true},
                "rows [\u2588\u2588\u2588\u2588\u2588\u2588\u2591\u2591\u2591\u2591\u2591\u2591"
                "\u2591] 1/2  50%");
    expect_line(&progress, (struct progress_look){.columns = 30, .colour = true},
                "rows [\x1b[36m######-------\x1b[0m] 1/2  50%");
}

static void
without_a_total_there_is_no_bar_and_no_end(void **state)
{
    struct progress progress = {0};
    (void)state;
    progress_note(&progress, "rows read", 3000, 0, T0);
    assert_int_equal(progress_left_ms(&progress), -1);
    expect_line(&progress, (struct progress_look){.columns = 80}, "rows read 3000");
    /* a total that is less than what is done is none */
    progress_note(&progress, "rows read", 3001, 10, T0);
    expect_line(&progress, (struct progress_look){.columns = 80}, "rows read 3001");
}

static void
the_rate_is_of_the_last_ten_seconds(void **state)
{
    struct progress progress = {0};
    (void)state;
    progress_note(&progress, "rows", 0, 100000, T0);
    assert_int_equal(progress_rate_x10(&progress), -1);
    for (int64_t i = 1; i <= 60; i++) /* a minute of 1000 rows/s ... */
        progress_note(&progress, "rows", i * 1000, 100000, T0 + i * 1000);
    assert_int_equal(progress_rate_x10(&progress), 10000);
    for (int64_t i = 1; i <= 15; i++) /* ... then of 10 */
        progress_note(&progress, "rows", 60000 + i * 10, 100000, T0 + 60000 + i * 1000);
    assert_in_range(progress_rate_x10(&progress), 100, 110);
    assert_in_range(progress_left_ms(&progress), 3600000, 3985000);
    /* many notes in a short time lose no time */
    struct progress fast = {0};
    for (int64_t i = 0; i <= 20000; i++)
        progress_note(&fast, "rows", i, 100000, T0 + i);
    assert_in_range(progress_rate_x10(&fast), 9990, 10010);
}

static void
fewer_rows_or_another_name_are_another_step(void **state)
{
    struct progress progress = six_seconds();
    (void)state;
    assert_false(progress_is_other(&progress, "BUSINESSEVENTSDEFINITION backed up", 1200));
    assert_true(progress_is_other(&progress, "BUSINESSEVENTSDEFINITION backed up", 1000));
    assert_true(progress_is_other(&progress, "other", 1300));
    progress_note(&progress, "other", 5, 10, T0 + 7000);
    assert_int_equal(progress.begun_ms, T0 + 7000);
    assert_int_equal(progress_rate_x10(&progress), -1);
}

static void
a_sentence_says_all_of_it(void **state)
{
    struct progress progress = six_seconds();
    TEXT_SCOPED text = {0};
    (void)state;
    progress_say(&progress, &text);
    assert_string_equal(text_string(&text),
                        "BUSINESSEVENTSDEFINITION backed up: 1200 of 5000 (24%), 200 rows/s, "
                        "0:19 left");
    text_reset(&text);
    progress.paused_until_utc_ms = INT64_C(1795297469123);
    (void)snprintf(progress.why, sizeof progress.why, "the service limits requests");
    progress_say(&progress, &text);
    assert_string_equal(text_string(&text),
                        "BUSINESSEVENTSDEFINITION backed up: 1200 of 5000 (24%), paused until "
                        "21:44:29 UTC (the service limits requests)");
}

static void
a_long_time_is_said_in_hours(void **state)
{
    struct progress progress = six_seconds();
    TEXT_SCOPED text = {0};
    (void)state;
    progress.told_rate_x10 = 1;
    progress_say(&progress, &text);
    assert_non_null(strstr(text_string(&text), "0.1 rows/s, 10:33:20 left"));
    text_reset(&text);
    progress.total = INT64_MAX;
    progress_say(&progress, &text);
    assert_non_null(strstr(text_string(&text), ">99 h left"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matters_least_leaves_a_narrow_line_first),
        cmocka_unit_test(a_pause_is_said_on_every_width),
        cmocka_unit_test(no_line_is_as_wide_as_its_terminal),
        cmocka_unit_test(the_bar_is_drawn_in_the_locale_s_characters),
        cmocka_unit_test(without_a_total_there_is_no_bar_and_no_end),
        cmocka_unit_test(the_rate_is_of_the_last_ten_seconds),
        cmocka_unit_test(fewer_rows_or_another_name_are_another_step),
        cmocka_unit_test(a_sentence_says_all_of_it),
        cmocka_unit_test(a_long_time_is_said_in_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
