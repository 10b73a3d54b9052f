#include "base/file.h"
#include "base/text.h"
#include "report/report.h"
#include "sample.h"
#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A test has one thread. NOLINTBEGIN(concurrency-mt-unsafe) */

/** fixtures/golden of the tree that the test runs in. */
static void
golden_path(const char *name, char ret[PATH_MAX])
{
    char up[PATH_MAX] = ".";
    for (int i = 0; i < 8; i++) {
        assert_true(snprintf(ret, PATH_MAX, "%s/fixtures/golden", up) < PATH_MAX);
        if (access(ret, F_OK) == 0) {
            const size_t used = strlen(ret);
            (void)snprintf(ret + used, PATH_MAX - used, "/%s", name);
            return;
        }
        const size_t used = strlen(up);
        assert_true(used + 4 < sizeof(up));
        memcpy(up + used, "/..", 4);
    }
    fail_msg("fixtures/golden was not found above the working directory");
}

static unsigned
columns_of(const char *line, size_t size)
{
    unsigned columns = 0;
    for (size_t i = 0; i < size; i++)
        columns += ((unsigned char)line[i] & 0xc0) != 0x80;
    return columns;
}

static void
expect_width(const char *report, unsigned most)
{
    for (const char *p = report; *p;) {
        const size_t size = strcspn(p, "\n");
        /* One word behind a label (a path, an id) is never broken. */
        const size_t indent = strspn(p, " "), from = indent > 16 ? indent : 16;
        const bool one_word = size > from && !memchr(p + from, ' ', size - from);
        if (columns_of(p, size) > most && !one_word)
            fail_msg("wider than %u: %.*s", most, (int)size, p);
        p += size + (p[size] ? 1 : 0);
    }
}

/** DWCLEAN_WRITE_GOLDENS=1 writes the file instead: look at the difference before you keep it. */
static void
expect_golden(const struct outcome *outcome, unsigned width, const char *name)
{
    TEXT_SCOPED text = {0};
    struct err err;
    char path[PATH_MAX];
    char *golden = NULL;
    size_t size = 0;
    golden_path(name, path);
    assert_true(report_text(outcome, width, false, &text, &err));
    if (getenv("DWCLEAN_WRITE_GOLDENS"))
        assert_true(file_replace(path, text_string(&text), text.used, 0644, &err));
    assert_true(file_read(path, 1 << 20, &golden, &size, &err));
    assert_string_equal(text_string(&text), golden);
    free(golden);
}

static void
verify_with_residue_looks_as_agreed(void **state)
{
    const struct outcome outcome = sample_residue();
    (void)state;
    expect_golden(&outcome, 80, "verify-residue.txt");
    expect_golden(&outcome, 60, "verify-residue-60.txt");
}

static void
a_dry_run_says_would(void **state)
{
    const struct outcome outcome = sample_dry_run();
    (void)state;
    expect_golden(&outcome, 80, "clean-dry-run.txt");
}

static void
a_finished_clean_looks_as_agreed(void **state)
{
    const struct outcome outcome = sample_done();
    (void)state;
    expect_golden(&outcome, 80, "clean-done.txt");
    expect_golden(&outcome, 60, "clean-done-60.txt");
}

static void
an_unfinished_clean_names_what_is_left(void **state)
{
    const struct outcome outcome = sample_partial();
    (void)state;
    expect_golden(&outcome, 80, "clean-partial.txt");
}

static void
rows_that_stay_by_choice_stand_in_the_table(void **state)
{
    const struct outcome outcome = sample_part();
    (void)state;
    expect_golden(&outcome, 80, "clean-part.txt");
}

/** `word` stands in a line of its report, whole. */
static void
expect_whole(const struct outcome *outcome, unsigned width, const char *word)
{
    TEXT_SCOPED text = {0};
    struct err err;
    assert_true(report_text(outcome, width, false, &text, &err));
    if (!strstr(text_string(&text), word))
        fail_msg("\"%s\" is not whole at %u columns:\n%s", word, width, text_string(&text));
}

static void
no_name_of_a_table_or_channel_is_broken(void **state)
{
    static const struct observation needs[] = {{"A-ROWS", true, VERDICT_DIFFERS,
                                                "DUALWRITEPROJECTFIELDCONFIGURATION: 34 rows", NULL,
                                                NULL, ERR_NONE}};
    struct outcome outcome = sample_done();
    (void)state;
    outcome.after.observations = needs;
    outcome.after.observation_count = 1;
    for (unsigned width = 40; width <= 120; width += 4) {
        expect_whole(&outcome, width, " DUALWRITEPROJECTFIELDCONFIGURATION:");
        expect_whole(&outcome, width, " DUALWRITEPROJECTFIELDCONFIGURATION");
        expect_whole(&outcome, width,
                     width < 80 ? "\n  project" : "\n  DUALWRITEPROJECTCONFIGURATION ");
        expect_whole(&outcome, width, " AthenaFinanceOperationsTableDa7");
        expect_whole(&outcome, width, "of another feature\n");
    }
    expect_whole(&outcome, 60, "  field   = DUALWRITEPROJECTFIELDCONFIGURATION\n");
}

static void
what_is_of_the_time_before_the_change_says_so(void **state)
{
    struct outcome outcome = sample_residue();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_true(report_text(&outcome, 80, false, &text, &err));
    assert_non_null(strstr(text_string(&text), "\nHosts that the project rows name\n"));
    outcome = sample_partial(); /* no second look, but a change */
    expect_whole(&outcome, 80, "\nHosts that the project rows name, before the change\n");
    expect_whole(&outcome, 80, "\nEvent rows by channel, before the change\n");
    outcome = sample_settled();
    expect_whole(&outcome, 80, "\nEvent rows by channel family, when this part began\n");
}

/** BEFORE of a second part is what the first one left: "0 before, 34 deleted" would be nonsense. */
static void
the_second_part_of_a_run_has_no_rows_before(void **state)
{
    const struct outcome outcome = sample_settled();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_true(report_text(&outcome, 80, false, &text, &err));
    assert_null(strstr(text_string(&text), "BEFORE"));
    assert_non_null(strstr(text_string(&text), "PLANNED  BACKED UP  DELETED  AFTER\n"));
}

static void
an_undo_is_loud_about_the_old_link_and_what_is_not_put_back(void **state)
{
    struct outcome outcome = sample_undo();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    outcome.tables[TABLE_RUNTIME].asked = false;
    outcome.tables[TABLE_RUNTIME].backed_up_rows = 1;
    expect_whole(&outcome, 80, "  warning       THE OLD LINK IS BACK: ");
    expect_whole(&outcome, 80, "  not put back  1 row of Dataverse that the run backed up\n");
    outcome.word = OUTCOME_UNKNOWN;
    expect_whole(&outcome, 80, "THE OLD LINK MAY BE BACK");
    outcome.word = OUTCOME_PLANNED;
    outcome.dry_run = true;
    outcome.changed = false;
    expect_whole(&outcome, 80, "  warning       THIS WOULD BRING THE OLD LINK BACK");
    outcome.dry_run = false; /* refused: nothing is back */
    assert_true(report_text(&outcome, 80, false, &text, &err));
    assert_null(strstr(text_string(&text), "LINK"));
}

static void
a_map_is_shown_row_by_row(void **state)
{
    const struct outcome outcome = sample_repair_map();
    (void)state;
    expect_golden(&outcome, 80, "repair-map-dry-run.txt");
}

static void
an_undo_says_what_is_back_and_what_was_there(void **state)
{
    struct outcome outcome = sample_undo();
    (void)state;
    expect_golden(&outcome, 80, "undo-done.txt");
    outcome = sample_undo_partial();
    expect_golden(&outcome, 80, "undo-partial.txt");
}

static void
a_commit_without_an_answer_says_how_it_came_out(void **state)
{
    static const char *const states[] = {"rolled-back", "mixed", "unknown"};
    static const char *const words[] = {"was NOT done", "some are as before",
                                        "not known whether it was done"};
    struct outcome outcome = sample_settled();
    struct err err;
    (void)state;
    expect_golden(&outcome, 80, "resume-settled.txt");
    for (size_t i = 0; i < 3; i++) {
        TEXT_SCOPED text = {0};
        outcome.settled = states[i];
        assert_true(report_text(&outcome, 200, false, &text, &err));
        assert_non_null(strstr(text_string(&text), words[i]));
    }
}

static void
check_is_a_list_of_what_is_there_with_the_statement_to_run(void **state)
{
    const struct outcome outcome = sample_check();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    expect_golden(&outcome, 80, "check-missing.txt");
    /* a statement is copied: its backslash is one */
    assert_true(report_text(&outcome, 200, false, &text, &err));
    assert_non_null(strstr(text_string(&text), "TO [CONTOSO\\svc-dwclean];"));
}

static void
a_statement_cannot_move_the_cursor_either(void **state)
{
    static const struct observation needs[] = {
        {"C-RIGHT", true, VERDICT_DIFFERS, "missing", "GRANT \\ " SAMPLE_HOSTILE, NULL, ERR_NONE}};
    struct outcome outcome = sample_check();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    outcome.before.observations = needs;
    outcome.before.observation_count = 1;
    assert_true(report_text(&outcome, 80, false, &text, &err));
    assert_null(strchr(text_string(&text), '\x1b'));
    assert_null(strstr(text_string(&text), "\nclean"));
    assert_true(text_is_utf8(text_string(&text), text.used));
}

static void
groups_of_event_rows_are_bounded_and_the_rest_is_counted(void **state)
{
    static struct axdb_channel_count groups[33];
    static struct axdb_evidence axdb;
    struct outcome outcome = sample_residue();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    for (size_t i = 0; i < 33; i++)
        groups[i] = (struct axdb_channel_count){"DualWrite", 1, (int64_t)i, 1, i < 30 ? 7 : 9};
    axdb = sample_axdb;
    axdb.channels = groups;
    axdb.channel_count = 33;
    outcome.before.axdb = &axdb;
    assert_true(report_text(&outcome, 80, false, &text, &err));
    assert_non_null(strstr(text_string(&text), "  and 13 more: see the JSON report\n"));
    /* the largest first, then in the server's order */
    assert_non_null(strstr(text_string(&text),
                           "ENABLED\n"
                           "     9  DualWrite          1            30        1\n"
                           "     9  DualWrite          1            31        1\n"
                           "     9  DualWrite          1            32        1\n"
                           "     7  DualWrite          1             0        1\n"));
    assert_null(strstr(text_string(&text), "            17        1\n"));
}

static void
no_line_is_wider_than_asked_for(void **state)
{
    static struct outcome (*const samples[])(void) = {
        sample_residue, sample_dry_run, sample_done,       sample_partial,
        sample_part,    sample_undo,    sample_repair_map, sample_check};
    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        const struct outcome outcome = samples[i]();
        static const unsigned widths[] = {80, 60};
        for (size_t j = 0; j < 2; j++) {
            TEXT_SCOPED text = {0};
            struct err err;
            assert_true(report_text(&outcome, widths[j], false, &text, &err));
            expect_width(text_string(&text), widths[j]);
        }
    }
}

static void
nothing_that_a_server_says_can_move_the_cursor_or_forge_a_line(void **state)
{
    const struct outcome outcome = sample_hostile();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_true(report_text(&outcome, 80, false, &text, &err));
    for (const char *p = text_string(&text); *p; p++)
        assert_true(*p == '\n' || ((unsigned char)*p >= 0x20 && *p != 0x7f));
    assert_true(text_is_utf8(text_string(&text), text.used));
    assert_null(strstr(text_string(&text), "\nclean"));
    assert_null(strstr(text_string(&text), "\xe2\x80\xae")); /* right-to-left override */
    assert_non_null(strstr(text_string(&text), "\\x1b[31m"));
}

static void
colour_is_only_there_when_asked_for(void **state)
{
    const struct outcome outcome = sample_residue();
    TEXT_SCOPED plain = {0};
    TEXT_SCOPED coloured = {0};
    struct err err;
    (void)state;
    assert_true(report_text(&outcome, 80, false, &plain, &err));
    assert_null(strchr(text_string(&plain), '\x1b'));
    assert_true(report_text(&outcome, 80, true, &coloured, &err));
    assert_non_null(strstr(text_string(&coloured), "\x1b[33mRESIDUE\x1b[0m"));
}

static void
no_part_of_a_secret_url_is_shown(void **state)
{
    const struct outcome outcome = sample_residue();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_true(report_text(&outcome, 80, false, &text, &err));
    assert_null(strstr(text_string(&text), "token"));
    assert_null(strstr(text_string(&text), "user:pw"));
}

static void
a_command_that_never_began_has_a_report_too(void **state)
{
    const struct outcome outcome = {.command = "verify",
                                    .word = OUTCOME_FAILED,
                                    .exit_status = 64,
                                    .err = {.code = ERR_USAGE, .primary = "no target is named"},
                                    .verdict = "no target is named",
                                    .locked_ms = -1};
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_true(report_text(&outcome, 0, false, &text, &err));
    assert_string_equal(text_string(&text),
                        "FAILED  no target is named\n\nRun\n  exit status   64\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_with_residue_looks_as_agreed),
        cmocka_unit_test(a_dry_run_says_would),
        cmocka_unit_test(a_finished_clean_looks_as_agreed),
        cmocka_unit_test(an_unfinished_clean_names_what_is_left),
        cmocka_unit_test(rows_that_stay_by_choice_stand_in_the_table),
        cmocka_unit_test(no_name_of_a_table_or_channel_is_broken),
        cmocka_unit_test(what_is_of_the_time_before_the_change_says_so),
        cmocka_unit_test(the_second_part_of_a_run_has_no_rows_before),
        cmocka_unit_test(an_undo_is_loud_about_the_old_link_and_what_is_not_put_back),
        cmocka_unit_test(a_map_is_shown_row_by_row),
        cmocka_unit_test(an_undo_says_what_is_back_and_what_was_there),
        cmocka_unit_test(a_commit_without_an_answer_says_how_it_came_out),
        cmocka_unit_test(check_is_a_list_of_what_is_there_with_the_statement_to_run),
        cmocka_unit_test(a_statement_cannot_move_the_cursor_either),
        cmocka_unit_test(groups_of_event_rows_are_bounded_and_the_rest_is_counted),
        cmocka_unit_test(no_line_is_wider_than_asked_for),
        cmocka_unit_test(nothing_that_a_server_says_can_move_the_cursor_or_forge_a_line),
        cmocka_unit_test(colour_is_only_there_when_asked_for),
        cmocka_unit_test(no_part_of_a_secret_url_is_shown),
        cmocka_unit_test(a_command_that_never_began_has_a_report_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* NOLINTEND(concurrency-mt-unsafe) */
