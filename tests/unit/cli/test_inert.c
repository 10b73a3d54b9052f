/* What Azure DevOps and GitHub Actions would take for a command, and what is left of it. */
#include "cli/inert.h"
#include "test.h"

#include <string.h>

static void
expect(enum report_form form, const char *words, const char *expected)
{
    TEXT_SCOPED text = {0};
    inert_append(&text, form, words, strlen(words));
    assert_string_equal(text_string(&text), expected);
}

static void
a_command_of_azure_is_none_wherever_it_stands(void **state)
{
    (void)state;
    expect(REPORT_TEXT, "a ##vso[task.x]b\n##[error]c", "a \\x23#vso[task.x]b\n\\x23#[error]c");
    expect(REPORT_TEXT, "###", "\\x23\\x23#");
    expect(REPORT_TEXT, "a # b #", "a # b #");
}

static void
a_command_of_github_is_none_at_the_start_of_a_line(void **state)
{
    (void)state;
    expect(REPORT_TEXT, "::set-output name=a::b", "\\x3a:set-output name=a::b");
    expect(REPORT_TEXT, "x\n \t ::error::y\r::z", "x\n \t \\x3a:error::y\r\\x3a:z");
    /* .NET's TrimStart takes blanks that are no ASCII, too */
    expect(REPORT_TEXT, "\u00a0\u3000::error::y", "\u00a0\u3000\\x3a:error::y");
    expect(REPORT_TEXT, "host a::b", "host a::b");
    expect(REPORT_TEXT, ":::", "\\x3a::");
}

static void
json_means_the_same_afterwards(void **state)
{
    (void)state;
    expect(REPORT_JSON, "{\"a\":\"##vso[x]::\"}", "{\"a\":\"\\u0023#vso[x]::\"}");
}

static void
every_other_text_stays_as_it_is(void **state)
{
    char bytes[256];
    (void)state;
    for (size_t i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    bytes[255] = '\0';
    expect(REPORT_TEXT, bytes, bytes);
    expect(REPORT_TEXT, "", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_of_azure_is_none_wherever_it_stands),
        cmocka_unit_test(a_command_of_github_is_none_at_the_start_of_a_line),
        cmocka_unit_test(json_means_the_same_afterwards),
        cmocka_unit_test(every_other_text_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
