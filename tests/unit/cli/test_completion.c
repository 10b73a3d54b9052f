/*
 * The completion scripts against the tables: a command or an option that a shell does not offer
 * fails here. tests/cli/completion.bats drives the scripts.
 */
#include "base/text.h"
#include "cli/completion.h"
#include "config/option.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORD_BYTES = 80 };

static const struct {
    const char *name;
    char letter;
} options[] = {
#define OPTION(id, letter, name, argument, kind, values, variables, ini, builtin, group, traits,   \
               commands, help)                                                                     \
    {name, letter},
#include "config/options.def"
#undef OPTION
};

static const char *const commands[] = {
#define COMMAND(id, name, writes, operand, needed, usage, summary) name,
#include "config/commands.def"
#undef COMMAND
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
script_of(enum shell shell, struct text *ret)
{
    struct err err;
    assert_true(completion_script(shell, ret, &err));
}

/** Is `word` in the line as a whole: between blanks and what shells put around it? */
static bool
has_word(const char *line, const char *word)
{
    const size_t whole = strcspn(line, "\n"), length = strlen(word);
    for (size_t i = 1; i + length <= whole; i++) {
        if (memcmp(line + i, word, length) == 0 && strchr(" ('{,", line[i - 1]) &&
            strchr(" )'},=+\n", line[i + length]))
            return true;
    }
    return false;
}

static bool
is_offered(size_t i)
{
    return options[i].name && option_spec((enum option_id)i)->kind != OPTION_REFUSED;
}

/** Exactly the options of the command, each with its letter. */
static void
expect_options(const char *line, enum command command)
{
    for (size_t i = 0; i < COUNT(options); i++) {
        char word[WORD_BYTES];
        const bool wanted =
            is_offered(i) && option_applies(option_spec((enum option_id)i), command);
        (void)snprintf(word, sizeof(word), "--%s", options[i].name ? options[i].name : "");
        if (options[i].name && has_word(line, word) != wanted)
            fail_msg("bash: %s of %s", word, commands[command]);
        (void)snprintf(word, sizeof(word), "-%c", options[i].letter);
        if (options[i].letter && has_word(line, word) != wanted)
            fail_msg("bash: %s of %s", word, commands[command]);
    }
}

static void
bash_offers_every_command_with_its_options(void **state)
{
    TEXT_SCOPED script = {0};
    (void)state;
    script_of(SHELL_BASH, &script);
    const char *list = strstr(text_string(&script), "        words=(check ");
    assert_non_null(list);
    for (size_t i = 0; i < COUNT(commands); i++) {
        char start[WORD_BYTES];
        assert_true(has_word(list, commands[i]));
        (void)snprintf(start, sizeof(start), "\n    %s) words=(-", commands[i]);
        const char *line = strstr(text_string(&script), start);
        if (!line)
            fail_msg("bash has no options of %s", commands[i]);
        expect_options(line + 1, (enum command)i);
    }
    assert_false(has_word(list, "clea"));
}

/** The line that begins with `start` and offers the option; NULL when there is none. */
static const char *
line_of(const char *script, const char *start, const char *word)
{
    for (const char *line = script; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, start, strlen(start)) == 0 && has_word(line, word))
            return line;
    }
    return NULL;
}

/** Its commands, which stand before `end`, are exactly those of the option. */
static void
expect_commands(const char *line, const char *end, size_t option)
{
    const char *stop = strstr(line, end);
    TEXT_SCOPED words = {0};
    assert_non_null(stop);
    text_append_bytes(&words, line, (size_t)(stop - line));
    text_append(&words, " ");
    for (size_t i = 0; i < COUNT(commands); i++) {
        const bool applies = option_applies(option_spec((enum option_id)option), (enum command)i);
        if (has_word(text_string(&words), commands[i]) != applies)
            fail_msg("--%s and %s", options[option].name, commands[i]);
    }
}

static void
zsh_offers_every_option_of_a_command(void **state)
{
    TEXT_SCOPED script = {0};
    (void)state;
    script_of(SHELL_ZSH, &script);
    for (size_t i = 0; i < COUNT(options); i++) {
        char word[WORD_BYTES];
        if (!options[i].name)
            continue;
        (void)snprintf(word, sizeof(word), "--%s", options[i].name);
        const char *line = line_of(text_string(&script), "    _dwclean_is", word);
        if ((line != NULL) != is_offered(i))
            fail_msg("zsh: %s", word);
        if (!line)
            continue;
        expect_commands(line, "&&", i);
        (void)snprintf(word, sizeof(word), "-%c", options[i].letter);
        if (options[i].letter && !has_word(line, word))
            fail_msg("zsh: %s", word);
    }
    for (size_t i = 0; i < COUNT(commands); i++) {
        char entry[WORD_BYTES];
        (void)snprintf(entry, sizeof(entry), "\n        '%s:", commands[i]);
        assert_non_null(strstr(text_string(&script), entry));
    }
}

static void
fish_offers_every_option_of_a_command(void **state)
{
    TEXT_SCOPED script = {0};
    (void)state;
    script_of(SHELL_FISH, &script);
    for (size_t i = 0; i < COUNT(options); i++) {
        static const char start[] = "complete -c dwclean -n '__dwclean_is";
        char word[WORD_BYTES];
        if (!options[i].name)
            continue;
        (void)snprintf(word, sizeof(word), "-l %s", options[i].name);
        const char *line = line_of(text_string(&script), start, word);
        if ((line != NULL) != is_offered(i))
            fail_msg("fish: %s", word);
        if (!line)
            continue;
        expect_commands(line + sizeof(start) - 1, "' -", i);
        (void)snprintf(word, sizeof(word), "-s %c", options[i].letter);
        if (options[i].letter && !has_word(line, word))
            fail_msg("fish: %s", word);
    }
    for (size_t i = 0; i < COUNT(commands); i++) {
        char entry[WORD_BYTES];
        (void)snprintf(entry, sizeof(entry), "-n '__dwclean_wants 0' -a %s -d", commands[i]);
        assert_non_null(strstr(text_string(&script), entry));
    }
}

/* ---- names of runs */

static void
runs_are_named_the_last_first_and_nothing_else_is(void **state)
{
    static const char *const made[] = {"20261120T010203Z-uat-1f2e",
                                       "20261121T010203Z-prod-0001",
                                       "20261122T010203Z-$(id)-0002",
                                       "20261122T010203Z-a b-0003",
                                       "lost+found",
                                       "-x",
                                       "20261122"};
    char folder[] = "/tmp/dwclean-completion-XXXXXX", path[256];
    TEXT_SCOPED names = {0};
    struct err err;
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < COUNT(made); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, made[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_true(completion_runs(folder, &names, &err));
    assert_string_equal(text_string(&names), "20261121T010203Z-prod-0001\n"
                                             "20261120T010203Z-uat-1f2e\n");
    for (size_t i = 0; i < COUNT(made); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, made[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void
without_a_directory_there_are_no_runs(void **state)
{
    TEXT_SCOPED names = {0};
    struct err err;
    (void)state;
    assert_true(completion_runs("/nonexistent/dwclean/runs", &names, &err));
    assert_string_equal(text_string(&names), "");
    assert_false(completion_runs("/dev/null", &names, &err));
    assert_int_equal(err.code, ERR_STORAGE);
}

static void
only_three_shells_are_known(void **state)
{
    enum shell shell = SHELLS;
    (void)state;
    assert_true(completion_shell("zsh", &shell));
    assert_int_equal(shell, SHELL_ZSH);
    assert_false(completion_shell("powershell", &shell));
    assert_int_equal(shell, SHELL_ZSH);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bash_offers_every_command_with_its_options),
        cmocka_unit_test(zsh_offers_every_option_of_a_command),
        cmocka_unit_test(fish_offers_every_option_of_a_command),
        cmocka_unit_test(runs_are_named_the_last_first_and_nothing_else_is),
        cmocka_unit_test(without_a_directory_there_are_no_runs),
        cmocka_unit_test(only_three_shells_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
