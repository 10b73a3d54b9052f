/* Commands for Azure DevOps and GitHub Actions, and what a server says in them. */
#include "cli/annotations.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* A test has one thread. NOLINTBEGIN(concurrency-mt-unsafe) */

static struct observation checks[40];

static struct outcome
residue(const char *verdict, size_t check_count)
{
    struct outcome outcome = {.command = "verify",
                              .environment = "u,a:t",
                              .word = OUTCOME_RESIDUE,
                              .exit_status = 2,
                              .verdict = verdict,
                              .before = {.observations = checks, .observation_count = check_count}};
    for (size_t i = 0; i < check_count; i++)
        checks[i] = (struct observation){
            .check = "A-ROWS", .required = true, .verdict = VERDICT_DIFFERS, .text = "7 rows"};
    return outcome;
}

static void
expect(struct annotations wanted, const struct outcome *outcome, const char *expected)
{
    TEXT_SCOPED text = {0};
    annotations_append(&wanted, outcome, &text);
    assert_string_equal(text_string(&text), expected);
}

static void
verdict_and_checks_are_one_line_each(void **state)
{
    const struct outcome outcome = residue("7 rows", 3);
    (void)state;
    checks[1].verdict = VERDICT_UNKNOWN;
    checks[2].required = false; /* advisory: never here */
    expect((struct annotations){.azure = true}, &outcome,
           "##vso[task.logissue type=error]dwclean verify u,a:t: RESIDUE: 7 rows\n"
           "##vso[task.logissue type=error]dwclean verify u,a:t: RESIDUE: A-ROWS differs: 7 rows\n"
           "##vso[task.logissue type=warning]dwclean verify u,a:t: RESIDUE: A-ROWS unknown: 7 "
           "rows\n");
    expect((struct annotations){.github = true}, &outcome,
           "::error title=dwclean verify u%2Ca%3At%3A RESIDUE::7 rows\n"
           "::error title=dwclean verify u%2Ca%3At%3A RESIDUE::A-ROWS differs: 7 rows\n"
           "::warning title=dwclean verify u%2Ca%3At%3A RESIDUE::A-ROWS unknown: 7 rows\n");
    expect((struct annotations){0}, &outcome, "");
}

static void
a_success_has_none(void **state)
{
    struct outcome outcome = residue("clean", 1);
    (void)state;
    outcome.word = OUTCOME_CLEAN;
    outcome.exit_status = 0;
    expect((struct annotations){.azure = true, .github = true}, &outcome, "");
}

static void
there_are_never_more_than_a_step_shows(void **state)
{
    const struct outcome outcome = residue("x", 40);
    TEXT_SCOPED text = {0};
    size_t lines = 0;
    (void)state;
    annotations_append(&(struct annotations){.github = true}, &outcome, &text);
    for (const char *p = text_string(&text); *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 10);
}

static void
what_a_server_says_ends_neither_line_nor_command(void **state)
{
    const struct outcome outcome =
        residue("100% ##vso[task.setvariable variable=a]b\r\n::set-output name=c::d ##[error]", 0);
    (void)state;
    expect((struct annotations){.azure = true}, &outcome,
           "##vso[task.logissue type=error]dwclean verify u,a:t: RESIDUE: 100%AZP25 "
           "\\x23#vso[task.setvariable variable=a]b\\x0d\\x0a::set-output name=c::d "
           "\\x23#[error]\n");
    expect((struct annotations){.github = true}, &outcome,
           "::error title=dwclean verify u%2Ca%3At%3A RESIDUE::100%25 "
           "\\x23#vso[task.setvariable variable=a]b\\x0d\\x0a::set-output name=c::d "
           "\\x23#[error]\n");
}

static void
a_failure_says_its_hint(void **state)
{
    struct outcome outcome = {.command = "clean", .word = OUTCOME_FAILED, .exit_status = 64};
    (void)state;
    (void)err_set(&outcome.err, ERR_USAGE, "no target");
    (void)err_hint(&outcome.err, "Name one.");
    expect((struct annotations){.github = true}, &outcome,
           "::error title=dwclean clean%3A FAILED::no target (Name one.)\n");
}

static void
the_systems_are_known_by_their_variables(void **state)
{
    (void)state;
    (void)setenv("TF_BUILD", "True", 1);
    (void)setenv("GITHUB_ACTIONS", "false", 1);
    (void)setenv("GITHUB_STEP_SUMMARY", "/x", 1);
    struct annotations wanted = annotations_wanted();
    assert_true(wanted.azure && !wanted.github && !wanted.summary);
    (void)setenv("GITHUB_ACTIONS", "true", 1);
    (void)unsetenv("TF_BUILD");
    wanted = annotations_wanted();
    assert_true(!wanted.azure && wanted.github);
    assert_string_equal(wanted.summary, "/x");
}

static void
the_summary_holds_no_markup_of_others(void **state)
{
    struct outcome outcome = residue("<b>|x|[a](http://b) `c`\n# d", 1);
    TEXT_SCOPED text = {0};
    (void)state;
    outcome.tables[TABLE_EVENTS] = (struct table_outcome){.table = TABLE_EVENTS,
                                                          .asked = true,
                                                          .before_rows = 7,
                                                          .deleted_rows = -1,
                                                          .after_rows = -1};
    checks[0].text = "<img src=x>";
    annotations_append_summary(&outcome, &text);
    assert_string_equal(
        text_string(&text),
        "### dwclean verify u&#44;a&#58;t&#58; RESIDUE\n\n"
        "&#60;b&#62;&#124;x&#124;&#91;a&#93;&#40;http&#58;&#47;&#47;b&#41; &#96;c&#96;&#92;x0a&#35; "
        "d\n\n"
        "| table | before | deleted | after |\n|---|---:|---:|---:|\n"
        "| BUSINESSEVENTSDEFINITION | 7 | | |\n\n"
        "- **A-ROWS** differs: &#60;img src&#61;x&#62;\n\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict_and_checks_are_one_line_each),
        cmocka_unit_test(a_success_has_none),
        cmocka_unit_test(there_are_never_more_than_a_step_shows),
        cmocka_unit_test(what_a_server_says_ends_neither_line_nor_command),
        cmocka_unit_test(a_failure_says_its_hint),
        cmocka_unit_test(the_systems_are_known_by_their_variables),
        cmocka_unit_test(the_summary_holds_no_markup_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(concurrency-mt-unsafe) */
