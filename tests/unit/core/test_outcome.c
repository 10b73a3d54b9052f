/* Names, and the lines that a run tells on its way. */
#include "../../../src/core/noted_journal.h"
#include "../../../src/core/pace_line.h"
#include "core/outcome.h"
#include "core/run.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576, RECORDS = 70 };

static void
every_confirmation_and_class_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(confirmation_name(CONFIRMATION_NONE), "none");
    assert_string_equal(env_class_name(CLASS_PRODUCTION), "production");
    assert_string_equal(env_class_name(CLASS_DEV), "dev");
}

static char told[256];
static int paces;

static void
progress(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    (void)observer;
    (void)done;
    (void)total;
    (void)snprintf(told, sizeof told, "%s", what);
}

static void
take_pace(struct observer *observer, const char *what, const struct runtime_pace *pace)
{
    (void)observer;
    (void)what;
    (void)pace;
    paces++;
}

static void
a_pace_is_told_in_words_unless_the_observer_understands_it(void **state)
{
    struct observer observer = {.progress = progress};
    struct runtime_pace pace = {.rows_per_second_x10 = 125, .concurrency = 4, .batch_rows = 10};

    (void)state;
    pace_line_tell(&observer, "rows", &pace);
    assert_non_null(strstr(told, "rows; 12.5 rows/s"));
    pace.paused_until_utc_ms = 1795305600000;
    pace_line_tell(&observer, "rows", &pace);
    assert_string_equal(told, "rows; paused until 00:00:00 UTC: the service asks for it");
    pace.paused_why = "429";
    pace_line_tell(&observer, "rows", &pace);
    assert_string_equal(told, "rows; paused until 00:00:00 UTC: 429");
    told[0] = '\0';
    observer.pace = take_pace;
    pace_line_tell(&observer, "rows", &pace);
    assert_string_equal(told, "");
    assert_int_equal(paces, 1);
}

/* ---- the journal that is noted ---- */

static bool
record(struct journal *journal, const char *step, const struct fact *facts, size_t count,
       bool durable, struct err *err)
{
    (void)journal;
    (void)step;
    (void)facts;
    (void)count;
    (void)durable;
    (void)err;
    return true;
}

static void
a_report_lists_so_many_steps_and_counts_the_others(void **state)
{
    static const struct journal_ops ops = {.record = record};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct journal inner = {.ops = &ops};
    struct noted_journal noted;
    struct outcome outcome = {0};
    struct err err = {0};

    (void)state;
    assert_true(noted_journal_begin(&noted, &inner, &outcome, arena, &err));
    for (int i = 0; i < RECORDS; i++)
        assert_true(noted.port.ops->record(&noted.port, "begin", NULL, 0, true, &err));
    assert_int_equal(outcome.step_count, 64);
    assert_int_equal(outcome.steps_unlisted, RECORDS - 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_confirmation_and_class_has_its_name),
        cmocka_unit_test(a_pace_is_told_in_words_unless_the_observer_understands_it),
        cmocka_unit_test(a_report_lists_so_many_steps_and_counts_the_others),
    };

    return cmocka_run_group_tests_name("core/outcome", tests, NULL, NULL);
}
