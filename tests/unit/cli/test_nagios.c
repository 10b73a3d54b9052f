/* One line for a monitoring system, from outcomes of every kind. */
#include "cli/nagios.h"
#include "report/verified.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct observation checks[4];

/** Both halves asked for; every table has `rows`, all of it known. */
static struct outcome
verify_of(int64_t rows)
{
    static const struct observation seen[] = {
        {.check = "A-ROWS", .required = true, .text = "DUALWRITEPROJECTFIELDCONFIGURATION: 0 rows"},
        {.check = "A-ROWS", .required = true, .text = "DUALWRITEPROJECTCONFIGURATION: 0 rows"},
        {.check = "A-ROWS", .required = true, .text = "BUSINESSEVENTSDEFINITION: 0 rows"},
        {.check = "D-ROWS", .required = true, .text = "Dual Write Runtime Configurations: 0 rows"},
    };
    struct outcome outcome = {.command = "verify",
                              .word = rows ? OUTCOME_RESIDUE : OUTCOME_CLEAN,
                              .exit_status = rows ? 2 : 0,
                              .verdict = "as it is",
                              .started_utc_ms = 1000,
                              .ended_utc_ms = 2234};
    memcpy(checks, seen, sizeof checks);
    for (unsigned i = 0; i < TABLES; i++) {
        checks[i].verdict = rows ? VERDICT_DIFFERS : VERDICT_OK;
        outcome.tables[i] = (struct table_outcome){.table = (enum table)i,
                                                   .asked = true,
                                                   .before_rows = rows,
                                                   .after_rows = -1,
                                                   .kept_rows = -1};
    }
    outcome.before.observations = checks;
    outcome.before.observation_count = 4;
    return outcome;
}

static void
expect(const struct outcome *outcome, bool rows_wanted, const char *expected)
{
    TEXT_SCOPED text = {0};
    nagios_render(outcome, rows_wanted, &text);
    assert_string_equal(text_string(&text), expected);
}

static void
clean_is_one_line(void **state)
{
    const struct outcome outcome = verify_of(0);
    (void)state;
    expect(&outcome, false,
           "DWCLEAN OK - as it is | axdb_project_rows=0;;0;0 axdb_field_rows=0;;0;0 "
           "axdb_event_rows=0;;0;0 dataverse_rows=0;;0;0 seconds=1.234s;;;0\n");
}

static void
residue_is_critical_and_says_which_checks(void **state)
{
    const struct outcome outcome = verify_of(7);
    (void)state;
    expect(&outcome, false,
           "DWCLEAN CRITICAL - as it is | axdb_project_rows=7;;0;0 axdb_field_rows=7;;0;0 "
           "axdb_event_rows=7;;0;0 dataverse_rows=7;;0;0 seconds=1.234s;;;0\n"
           "A-ROWS differs: DUALWRITEPROJECTFIELDCONFIGURATION: 0 rows\n"
           "A-ROWS differs: DUALWRITEPROJECTCONFIGURATION: 0 rows\n"
           "A-ROWS differs: BUSINESSEVENTSDEFINITION: 0 rows\n"
           "D-ROWS differs: Dual Write Runtime Configurations: 0 rows\n");
}

static void
a_count_that_a_check_doubts_is_unknown(void **state)
{
    struct outcome outcome = verify_of(0);
    (void)state;
    checks[2].verdict = checks[3].verdict = VERDICT_UNKNOWN;
    outcome.word = OUTCOME_FAILED;
    outcome.exit_status = 14;
    outcome.tables[TABLE_PROJECT].before_rows = -1;
    assert_int_equal(verified_rows(&outcome, TABLE_FIELD), 0);
    expect(&outcome, false,
           "DWCLEAN UNKNOWN - as it is | axdb_project_rows=U axdb_field_rows=0;;0;0 "
           "axdb_event_rows=U dataverse_rows=U seconds=1.234s;;;0\n"
           "A-ROWS unknown: BUSINESSEVENTSDEFINITION: 0 rows\n"
           "D-ROWS unknown: Dual Write Runtime Configurations: 0 rows\n");
}

static void
kept_rows_are_no_residue(void **state)
{
    struct outcome outcome = verify_of(0);
    (void)state;
    outcome.tables[TABLE_EVENTS].before_rows = 40;
    outcome.tables[TABLE_EVENTS].kept_rows = 40;
    assert_int_equal(verified_rows(&outcome, TABLE_EVENTS), 0);
    outcome.tables[TABLE_EVENTS].before_rows = 41;
    assert_int_equal(verified_rows(&outcome, TABLE_EVENTS), 1);
}

static void
after_a_change_only_a_fresh_look_counts(void **state)
{
    struct outcome outcome = verify_of(7);
    (void)state;
    outcome.changed = true;
    assert_null(verified_evidence(&outcome));
    assert_int_equal(verified_rows(&outcome, TABLE_FIELD), -1);
    outcome.after_taken = true;
    outcome.tables[TABLE_FIELD].after_rows = 0;
    assert_int_equal(verified_rows(&outcome, TABLE_FIELD), 0);
    assert_int_equal(verified_rows(&outcome, TABLE_PROJECT), -1);
}

static void
rows_that_are_wanted_have_no_threshold(void **state)
{
    struct outcome outcome = verify_of(0);
    (void)state;
    outcome.tables[TABLE_FIELD].asked = outcome.tables[TABLE_RUNTIME].asked = false;
    outcome.tables[TABLE_PROJECT].before_rows = 34;
    expect(&outcome, true,
           "DWCLEAN OK - as it is | axdb_project_rows=34;;;0 axdb_event_rows=0;;;0 "
           "seconds=1.234s;;;0\n");
}

static void
nothing_that_is_said_begins_the_performance_data_or_a_line(void **state)
{
    struct outcome outcome = verify_of(0);
    char many[4000];
    TEXT_SCOPED text = {0};
    (void)state;
    outcome.verdict = "a|b\nDWCLEAN OK \x1b[2J";
    nagios_render(&outcome, false, &text);
    assert_ptr_equal(
        strstr(text_string(&text), "DWCLEAN OK - a\\x7cb\\x0aDWCLEAN OK \\x1b[2J | axdb"),
        text_string(&text));
    assert_ptr_equal(strchr(text_string(&text), '|'), strrchr(text_string(&text), '|'));
    /* a character is not cut, and an endless text has an end */
    memset(many, 'x', sizeof many);
    memcpy(many + 1023, "\u00e9", 2);
    many[sizeof many - 1] = '\0';
    outcome.verdict = many;
    text_reset(&text);
    nagios_render(&outcome, false, &text);
    assert_true(text_is_utf8(text_string(&text), text.used));
    assert_non_null(strstr(text_string(&text), "xxx... | axdb"));
    assert_in_range(text.used, 1000, 1500);
}

static void
a_failure_before_the_run_is_unknown(void **state)
{
    struct outcome outcome = {.command = "verify", .word = OUTCOME_FAILED, .exit_status = 64};
    (void)state;
    (void)err_set(&outcome.err, ERR_USAGE, "no target is named");
    (void)err_hint(&outcome.err, "Name one.");
    expect(&outcome, false,
           "DWCLEAN UNKNOWN - no target is named | seconds=0.000s;;;0\nhint: Name one.\n");
    outcome.err.primary[0] = outcome.err.hint[0] = '\0';
    outcome.ended_utc_ms = -1;
    expect(&outcome, false, "DWCLEAN UNKNOWN - failed | seconds=U\n");
}

static void
only_clean_and_residue_have_a_status_of_their_own(void **state)
{
    (void)state;
    for (int status = 0; status < 256; status++)
        assert_int_equal(nagios_status(status), status == 0 ? 0 : status == 2 ? 2 : 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_is_one_line),
        cmocka_unit_test(residue_is_critical_and_says_which_checks),
        cmocka_unit_test(a_count_that_a_check_doubts_is_unknown),
        cmocka_unit_test(kept_rows_are_no_residue),
        cmocka_unit_test(after_a_change_only_a_fresh_look_counts),
        cmocka_unit_test(rows_that_are_wanted_have_no_threshold),
        cmocka_unit_test(nothing_that_is_said_begins_the_performance_data_or_a_line),
        cmocka_unit_test(a_failure_before_the_run_is_unknown),
        cmocka_unit_test(only_clean_and_residue_have_a_status_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
