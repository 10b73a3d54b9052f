#include "cli/help.h"
#include "test.h"

#include <string.h>

enum { MAX_LINES = 55, MAX_COLUMNS = 80 };

static void
expect_one_screen(const char *text)
{
    int lines = 0;
    for (const char *p = text; *p; lines++) {
        const size_t size = strcspn(p, "\n");
        if (size > MAX_COLUMNS)
            fail_msg("wider than %d: %.*s", MAX_COLUMNS, (int)size, p);
        p += size + (p[size] ? 1 : 0);
    }
    assert_in_range(lines, 3, MAX_LINES);
}

static void
every_help_is_one_screen(void **state)
{
    TEXT_SCOPED text = {0};
    (void)state;
    help_program(&text);
    expect_one_screen(text_string(&text));
    for (unsigned i = 0; i < COMMANDS; i++) {
        TEXT_SCOPED help = {0};
        help_command((enum command)i, &help);
        if ((enum command)i != COMMAND_HELP && (enum command)i != COMMAND_VERSION)
            expect_one_screen(text_string(&help));
    }
    for (unsigned i = 0; i < GROUPS; i++) {
        TEXT_SCOPED help = {0};
        if (!option_group_topic((enum option_group)i))
            continue;
        help_group((enum option_group)i, &help);
        expect_one_screen(text_string(&help));
    }
}

static void
every_option_is_explained_once(void **state)
{
    TEXT_SCOPED topics = {0};
    (void)state;
    for (unsigned i = 0; i < GROUPS; i++) {
        if (option_group_topic((enum option_group)i))
            help_group((enum option_group)i, &topics);
    }
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->group != GROUP_NONE && option_group_topic(spec->group))
            assert_non_null(strstr(text_string(&topics), spec->name));
    }
}

/** `word` as a whole: "--channel" is not in "--channels". */
static bool
is_there(const char *text, const char *word)
{
    const size_t size = strlen(word);
    for (const char *p = strstr(text, word); p; p = strstr(p + 1, word)) {
        if (strchr(" ,:;.\n", p[size]))
            return true;
    }
    return false;
}

static void
the_word_behind_a_command_is_explained(void **state)
{
    TEXT_SCOPED help = {0};
    (void)state;
    help_command(COMMAND_UNDO, &help);
    assert_non_null(strstr(text_string(&help), "usage: dwclean undo RUN "));
    assert_non_null(strstr(text_string(&help), "\nRUN: a run's name"));
    assert_non_null(strstr(text_string(&help), "began last on this machine\n"));
    assert_null(strstr(text_string(&help), "the run's own"));
    text_reset(&help);
    help_command(COMMAND_RESUME, &help);
    assert_non_null(strstr(text_string(&help), "--plan-id is the run's own"));
}

static void
every_option_of_a_command_is_in_its_help_and_no_other(void **state)
{
    static const enum command commands[] = {
        COMMAND_CHECK, COMMAND_VERIFY, COMMAND_CLEAN,   COMMAND_REPAIR_MAP, COMMAND_RESUME,
        COMMAND_UNDO,  COMMAND_EXPORT, COMMAND_RUNS,    COMMAND_PRUNE,      COMMAND_PLAN,
        COMMAND_SHOW,  COMMAND_APPLY,  COMMAND_EXPLAIN, COMMAND_ENV};
    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        TEXT_SCOPED help = {0};
        help_command(commands[i], &help);
        for (unsigned j = 0; j < OPTIONS; j++) {
            const struct option_spec *spec = option_spec((enum option_id)j);
            char name[64], start[80];
            if (spec->group == GROUP_NONE)
                continue;
            (void)option_shown(spec, name, sizeof(name));
            (void)snprintf(start, sizeof(start), " %s", name);
            if (is_there(text_string(&help), start) != option_applies(spec, commands[i]))
                fail_msg("%s in the help of %s", name, command_spec(commands[i])->name);
        }
    }
}

static void
the_help_of_a_decision_says_how_far_it_goes(void **state)
{
    TEXT_SCOPED help = {0};
    (void)state;
    help_command(COMMAND_CLEAN, &help);
    assert_non_null(
        strstr(text_string(&help), "--allow-triggers             go on although triggers run\n"));
    assert_non_null(strstr(text_string(&help), "change rows that name the target's own"));
}

static void
every_command_is_in_the_help_of_the_program(void **state)
{
    TEXT_SCOPED text = {0};
    (void)state;
    help_program(&text);
    for (unsigned i = 0; i < COMMANDS; i++)
        assert_non_null(strstr(text_string(&text), command_spec((enum command)i)->summary));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_help_is_one_screen),
        cmocka_unit_test(every_option_is_explained_once),
        cmocka_unit_test(every_option_of_a_command_is_in_its_help_and_no_other),
        cmocka_unit_test(the_word_behind_a_command_is_explained),
        cmocka_unit_test(the_help_of_a_decision_says_how_far_it_goes),
        cmocka_unit_test(every_command_is_in_the_help_of_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
