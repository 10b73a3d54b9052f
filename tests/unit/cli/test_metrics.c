/* The metrics file: what is written, what is kept of the file before, and what never is. */
#include "base/file.h"
#include "cli/metrics.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static struct metrics_summary
run_of(const char *environment, bool success, int64_t ended_utc_ms)
{
    struct metrics_summary run = {.environment = environment,
                                  .command = "verify",
                                  .exit_status = success ? 0 : 10,
                                  .success = success,
                                  .verified = success,
                                  .ended_utc_ms = ended_utc_ms,
                                  .duration_ms = 1234};
    for (unsigned i = 0; i < TABLES; i++)
        run.rows[i] = success ? (int64_t)i : -1;
    if (success)
        run.checks[run.check_count++] =
            (struct metrics_check){.name = "A-ROWS", .required = true, .verdict = VERDICT_OK};
    return run;
}

/** Renders into `ret`; is the old file understood? */
static bool
render(const struct metrics_summary *runs, size_t count, const char *old, struct text *ret)
{
    struct err err;
    text_reset(ret);
    return metrics_render(runs, count, "1.2.3", old, ret, &err);
}

static bool
has(const struct text *text, const char *line)
{
    return strstr(text_string(text), line) != NULL;
}

static void
a_run_is_written_whole(void **state)
{
    const struct metrics_summary run = run_of("uat", true, 1795297469123);
    TEXT_SCOPED text = {0};
    (void)state;
    assert_true(render(&run, 1, "", &text));
    assert_string_equal(
        text_string(&text),
        "# HELP dwclean_build_info The version that wrote this file.\n"
        "# TYPE dwclean_build_info gauge\n"
        "dwclean_build_info{version=\"1.2.3\"} 1\n"
        "# HELP dwclean_last_run_timestamp_seconds When the last run ended, in Unix time.\n"
        "# TYPE dwclean_last_run_timestamp_seconds gauge\n"
        "dwclean_last_run_timestamp_seconds{environment=\"uat\",command=\"verify\"} "
        "1795297469.123\n"
        "# HELP dwclean_last_exit_status Exit status of the last run; see the manual.\n"
        "# TYPE dwclean_last_exit_status gauge\n"
        "dwclean_last_exit_status{environment=\"uat\",command=\"verify\"} 0\n"
        "# HELP dwclean_duration_seconds How long the last run took.\n"
        "# TYPE dwclean_duration_seconds gauge\n"
        "dwclean_duration_seconds{environment=\"uat\",command=\"verify\"} 1.234\n"
        "# HELP dwclean_verified 1 when the last run proved its result by a fresh look.\n"
        "# TYPE dwclean_verified gauge\n"
        "dwclean_verified{environment=\"uat\",command=\"verify\"} 1\n"
        "# HELP dwclean_last_success_timestamp_seconds When a run last ended with status 0, in "
        "Unix time.\n"
        "# TYPE dwclean_last_success_timestamp_seconds gauge\n"
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"verify\"} "
        "1795297469.123\n"
        "# HELP dwclean_rows_read_timestamp_seconds When dwclean_rows was last read, in Unix "
        "time.\n"
        "# TYPE dwclean_rows_read_timestamp_seconds gauge\n"
        "dwclean_rows_read_timestamp_seconds{environment=\"uat\",command=\"verify\"} "
        "1795297469.123\n"
        "# HELP dwclean_rows Rows of the scope, freshly read; absent when not known.\n"
        "# TYPE dwclean_rows gauge\n"
        "dwclean_rows{environment=\"uat\",command=\"verify\",table="
        "\"DUALWRITEPROJECTFIELDCONFIGURATION\"} 0\n"
        "dwclean_rows{environment=\"uat\",command=\"verify\",table="
        "\"DUALWRITEPROJECTCONFIGURATION\"} 1\n"
        "dwclean_rows{environment=\"uat\",command=\"verify\",table=\"BUSINESSEVENTSDEFINITION\"} "
        "2\n"
        "dwclean_rows{environment=\"uat\",command=\"verify\",table="
        "\"msdyn_dualwriteruntimeconfig\"} 3\n"
        "# HELP dwclean_check 1 for the verdict that a check has, 0 for the others.\n"
        "# TYPE dwclean_check gauge\n"
        "dwclean_check{environment=\"uat\",command=\"verify\",check=\"A-ROWS\",required=\"true\","
        "verdict=\"ok\"} 1\n"
        "dwclean_check{environment=\"uat\",command=\"verify\",check=\"A-ROWS\",required=\"true\","
        "verdict=\"differs\"} 0\n"
        "dwclean_check{environment=\"uat\",command=\"verify\",check=\"A-ROWS\",required=\"true\","
        "verdict=\"unknown\"} 0\n");
}

static void
a_failure_keeps_the_times_and_no_numbers(void **state)
{
    const struct metrics_summary good = run_of("uat", true, 1795297469123);
    const struct metrics_summary bad = run_of("uat", false, 1795297999000);
    TEXT_SCOPED first = {0};
    TEXT_SCOPED second = {0};
    TEXT_SCOPED third = {0};
    (void)state;
    assert_true(render(&good, 1, "", &first));
    assert_true(render(&bad, 1, text_string(&first), &second));
    assert_true(has(&second, "dwclean_last_success_timestamp_seconds{environment=\"uat\",command="
                             "\"verify\"} 1795297469.123\n"));
    assert_true(has(&second, "dwclean_rows_read_timestamp_seconds{environment=\"uat\",command="
                             "\"verify\"} 1795297469.123\n"));
    assert_false(has(&second, "\ndwclean_rows{"));
    assert_true(
        has(&second, "dwclean_last_exit_status{environment=\"uat\",command=\"verify\"} 10"));
    /* for ever */
    assert_true(render(&bad, 1, text_string(&second), &third));
    assert_string_equal(text_string(&second), text_string(&third));
}

static void
several_environments_share_a_file(void **state)
{
    const struct metrics_summary runs[] = {run_of("a", true, 1000), run_of("b", false, 2000),
                                           run_of("c", true, 3000)};
    const struct metrics_summary again[] = {run_of("b", true, 4000)};
    TEXT_SCOPED first = {0};
    TEXT_SCOPED second = {0};
    (void)state;
    assert_true(render(runs, 3, "", &first));
    assert_true(has(&first, "dwclean_verified{environment=\"a\",command=\"verify\"} 1\n"
                            "dwclean_verified{environment=\"b\",command=\"verify\"} 0\n"
                            "dwclean_verified{environment=\"c\",command=\"verify\"} 1\n"));
    assert_true(render(again, 1, text_string(&first), &second));
    assert_true(
        has(&second,
            "dwclean_last_success_timestamp_seconds{environment=\"b\",command=\"verify\"} 4.000\n"
            "dwclean_last_success_timestamp_seconds{environment=\"a\",command=\"verify\"} 1.000\n"
            "dwclean_last_success_timestamp_seconds{environment=\"c\",command=\"verify\"} "
            "3.000\n"));
    assert_false(has(&second, "dwclean_verified{environment=\"a\""));
}

static void
labels_are_escaped_and_read_back(void **state)
{
    const struct metrics_summary good = run_of("a\\b\"c\nd} 1", true, 1000);
    const struct metrics_summary bad = run_of("a\\b\"c\nd} 1", false, 2000);
    TEXT_SCOPED first = {0};
    TEXT_SCOPED second = {0};
    (void)state;
    assert_true(render(&good, 1, "", &first));
    assert_true(has(&first, "dwclean_verified{environment=\"a\\\\b\\\"c\\nd} 1\",command="));
    assert_true(render(&bad, 1, text_string(&first), &second));
    assert_true(has(&second, "dwclean_last_success_timestamp_seconds{environment=\"a\\\\b\\\"c\\nd}"
                             " 1\",command=\"verify\"} 1.000\n"));
    const struct metrics_summary bytes = run_of("\xff", true, 1000);
    assert_true(render(&bytes, 1, "", &first));
    assert_true(text_is_utf8(text_string(&first), first.used));
}

static void
a_file_that_is_not_understood_gives_nothing(void **state)
{
    static const char *const wrong[] = {
        "garbage\n",
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"verify\"} 17",
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"verify\"} soon\n",
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"verify\"} NaN\n",
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"verify\"} -1\n",
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"verify\"}\n",
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"ver\n",
        "dwclean_last_success_timestamp_seconds{environment=\"u\\qt\",command=\"verify\"} 17\n",
        "dwclean_last_success_timestamp_seconds{environment=uat} 17\n",
        "dwclean_last_success_timestamp_seconds{\n",
        "dwclean_last_success_timestamp_seconds\n",
        "x{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\",i=\"\",j=\"\",k=\"\",l=\"\",m=\"\",n=\"\",o=\"\",p=\"\",q=\"\"} 1\n",
        "dwclean_last_success_timestamp_seconds{environment=\"uat\",command=\"verify\"} 17\n\x01\n",
    };
    const struct metrics_summary bad = run_of("uat", false, 2000);
    TEXT_SCOPED text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (render(&bad, 1, wrong[i], &text))
            fail_msg("understood: %s", wrong[i]);
        assert_false(has(&text, "\ndwclean_last_success_timestamp_seconds{"));
        assert_true(has(&text, "dwclean_last_exit_status{environment=\"uat\""));
    }
    /* what other writers may have put there, and is sound */
    assert_true(render(&bad, 1, "# a comment\n\nother_total 1e+06\nother{} +Inf\n", &text));
}

static void
an_outcome_becomes_a_summary(void **state)
{
    static const struct observation seen[] = {
        {.check = "A-ROWS", .required = true, .verdict = VERDICT_OK, .text = "DUALWRITE"},
        {.check = "A-ROWS", .required = true, .verdict = VERDICT_UNKNOWN, .text = "x"},
        {.check = "A-PAIR", .verdict = VERDICT_OK, .text = "x"},
        {.check = "A-ROWS", .required = true, .verdict = VERDICT_OK, .text = "x"},
    };
    struct outcome outcome = {.command = "clean",
                              .word = OUTCOME_DONE,
                              .started_utc_ms = 1000,
                              .ended_utc_ms = 4000,
                              .after_taken = true,
                              .changed = true,
                              .after = {.observations = seen, .observation_count = 4}};
    struct metrics_summary run;
    (void)state;
    for (unsigned i = 0; i < TABLES; i++)
        outcome.tables[i] = (struct table_outcome){
            .table = (enum table)i, .asked = true, .before_rows = 5, .after_rows = 0};
    metrics_summarize(&outcome, NULL, &run);
    assert_string_equal(run.environment, "");
    assert_true(run.success && run.verified);
    assert_int_equal(run.duration_ms, 3000);
    assert_int_equal(run.rows[TABLE_RUNTIME], 0);
    assert_int_equal(run.check_count, 2);
    assert_string_equal(run.checks[0].name, "A-ROWS");
    assert_int_equal(run.checks[0].verdict, VERDICT_UNKNOWN);
    /* changed, and nobody looked again */
    outcome.after_taken = false;
    outcome.exit_status = 3;
    outcome.word = OUTCOME_PARTIAL;
    metrics_summarize(&outcome, "uat", &run);
    assert_false(run.success || run.verified);
    assert_int_equal(run.rows[TABLE_RUNTIME], -1);
    assert_int_equal(run.check_count, 0);
    /* a dry run is no success */
    outcome = (struct outcome){.command = "clean", .word = OUTCOME_PLANNED, .dry_run = true};
    metrics_summarize(&outcome, "uat", &run);
    assert_false(run.success || run.verified);
}

/* ---- the file */

static int
make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/dwclean-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/dwclean.prom", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder); /* fails when a temporary file is left */
}

static void
the_file_is_replaced_whole_and_readable_by_all(void **state)
{
    const struct metrics_summary run = run_of("uat", true, 1000);
    const mode_t before = umask(0077);
    struct stat status, other;
    struct err old, err;
    (void)state;
    assert_true(metrics_write(path, &run, 1, "1", &old, &err));
    assert_int_equal(old.code, ERR_NONE);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_true(metrics_write(path, &run, 1, "1", &old, &err));
    assert_int_equal(old.code, ERR_NONE);
    assert_int_equal(stat(path, &other), 0);
    assert_true(status.st_ino != other.st_ino);
    (void)umask(before);
}

static void
what_is_no_file_is_not_replaced(void **state)
{
    const struct metrics_summary run = run_of("uat", true, 1000);
    struct stat status;
    struct err old, err;
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(metrics_write(path, &run, 1, "1", &old, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_false(metrics_write("/nonexistent/x.prom", &run, 1, "1", &old, &err));
    assert_int_equal(err.code, ERR_STORAGE);
}

static void
bytes_that_are_no_text_are_said(void **state)
{
    const struct metrics_summary run = run_of("uat", true, 1000);
    struct err old, err;
    (void)state;
    assert_true(file_replace(path, "a 1\n\0b 2\n", 10, 0600, &err));
    assert_true(metrics_write(path, &run, 1, "1", &old, &err));
    assert_int_equal(old.code, ERR_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_written_whole),
        cmocka_unit_test(a_failure_keeps_the_times_and_no_numbers),
        cmocka_unit_test(several_environments_share_a_file),
        cmocka_unit_test(labels_are_escaped_and_read_back),
        cmocka_unit_test(a_file_that_is_not_understood_gives_nothing),
        cmocka_unit_test(an_outcome_becomes_a_summary),
        cmocka_unit_test_setup_teardown(the_file_is_replaced_whole_and_readable_by_all, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_not_replaced, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_said, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
