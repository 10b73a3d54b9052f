#include "base/cancel.h"
#include "base/clock.h"
#include "base/command.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
run(const char *text, struct secret *ret, struct err *err)
{
    const struct command_line command = {
        .text = text, .what = "test command", .code = ERR_SIGNIN, .timeout_ms = 5000};

    return command_output(&command, ret, err);
}

static void
expect_output(const char *text, const char *output)
{
    SECRET_SCOPED secret = {0};
    struct err err = {0};

    if (!run(text, &secret, &err))
        fail_msg("%s: %s", text, err.primary);
    assert_string_equal(secret_reveal(&secret), output);
}

static struct err
expect_failure(const char *text, enum err_code code, const char *why)
{
    struct secret secret = {0};
    struct err err = {0};

    if (run(text, &secret, &err))
        fail_msg("%s gave %zu bytes", text, secret.size);
    assert_false(secret_is_set(&secret));
    assert_int_equal(err.code, code);
    if (!strstr(err.primary, why))
        fail_msg("\"%s\" does not say: %s", err.primary, why);
    return err;
}

static void
words_are_split_at_blanks_and_kept_together_by_quotes(void **state)
{
    (void)state;
    expect_output("printf %s| a  b\tc", "a|b|c|");
    expect_output("printf %s| 'a b' \"c d\" e\\ f", "a b|c d|e f|");
    expect_output("printf %s| '' a\"\"b 'a\"b' \"a'b\"", "|ab|a\"b|a'b|");
    expect_output("printf %s| \"a\\\"b\\\\c\\d\" 'a\\b'", "a\"b\\c\\d|a\\b|");
    expect_output("printf %s| $HOME `id` $(id) ; | > *", "$HOME|`id`|$(id)|;|||>|*|");
}

static void
a_line_that_cannot_be_split_is_a_usage_error(void **state)
{
    char many[COMMAND_WORDS_MAX * 2 + 8] = "";
    static char longest[COMMAND_TEXT_MAX_BYTES + 2];
    struct err err;

    (void)state;
    (void)expect_failure("", ERR_USAGE, "names no program");
    (void)expect_failure(" \t ", ERR_USAGE, "names no program");
    (void)expect_failure("''", ERR_USAGE, "names no program");
    (void)expect_failure("echo 'a", ERR_USAGE, "open");
    (void)expect_failure("echo \"a\\\"", ERR_USAGE, "open");
    (void)expect_failure("echo a\\", ERR_USAGE, "open");
    for (size_t i = 0; i <= COMMAND_WORDS_MAX; i++)
        memcpy(many + 2 * i, "a ", 3);
    (void)expect_failure(many, ERR_USAGE, "too many words");
    memset(longest, 'a', sizeof longest - 1);
    err = expect_failure(longest, ERR_USAGE, "too long");
    assert_null(strstr(err.primary, "aaa"));
    assert_true(command_check("a b", &err));
    assert_false(command_check("a '", &err));
}

static void
a_mark_is_filled_in_after_the_split(void **state)
{
    const struct command_line command = {.text = "printf %s| {x} a{x}b{x} '{x}' x}",
                                         .what = "test command",
                                         .mark = "{x}",
                                         .value = "1 '2\"",
                                         .code = ERR_SIGNIN};
    SECRET_SCOPED secret = {0};
    struct err err = {0};

    (void)state;
    assert_true(command_output(&command, &secret, &err));
    assert_string_equal(secret_reveal(&secret), "1 '2\"|a1 '2\"b1 '2\"|1 '2\"|x}|");
}

static void
the_first_line_is_taken_without_its_end(void **state)
{
    static const char *const texts[] = {"printf 'one\\ntwo\\n'", "printf 'one\\r\\ntwo'",
                                        "printf one"};
    const struct command_line empty = {
        .text = "printf '\\none'", .what = "test command", .code = ERR_CONFIG};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct command_line command = {.text = texts[i], .what = "t", .code = ERR_CONFIG};
        SECRET_SCOPED line = {0};

        assert_true(command_first_line(&command, &line, &err));
        assert_string_equal(secret_reveal(&line), "one");
    }
    SECRET_SCOPED none = {0};
    assert_false(command_first_line(&empty, &none, &err));
    assert_int_equal(err.code, ERR_CONFIG);
}

static void
what_is_wrong_with_its_end_is_told(void **state)
{
    struct err err;

    (void)state;
    err = expect_failure("/nonexistent/program x", ERR_SIGNIN, "run the test command program");
    assert_non_null(strstr(err.hint, "No such program"));
    (void)expect_failure("/etc/passwd", ERR_SIGNIN, "run the test command");
    (void)expect_failure("false", ERR_SIGNIN, "failed with status 1");
    (void)expect_failure("sh -c 'echo token; exit 77'", ERR_SIGNIN, "failed with status 77");
    (void)expect_failure("sh -c 'kill -TERM $$'", ERR_SIGNIN, "ended by signal 15");
    (void)expect_failure("true", ERR_SIGNIN, "wrote nothing");
    (void)expect_failure("printf 'a\\000b'", ERR_SIGNIN, "not text");
}

static void
output_has_an_end(void **state)
{
    SECRET_SCOPED secret = {0};
    struct err err = {0};

    (void)state;
    (void)expect_failure("yes", ERR_SIGNIN, "wrote more than 65536 bytes");
    (void)expect_failure("head -c 65537 /dev/zero", ERR_SIGNIN, "");
    assert_true(run("sh -c 'yes | head -c 65536'", &secret, &err));
    assert_int_equal(secret.size, 65536);
}

static void
it_has_no_input_and_no_descriptors_of_ours(void **state)
{
    int pipe_ends[2];

    (void)state;
    assert_int_equal(pipe(pipe_ends), 0); /* not closed on exec */
    expect_output("sh -c 'cat; echo end'", "end\n");
    assert_in_range(pipe_ends[0], 3, 8);
    expect_output("sh -c 'for f in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$f ] || echo $f; done; "
                  "echo end'",
                  "end\n");
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
}

static void
what_we_ignore_is_not_ignored_there(void **state)
{
    (void)state;
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    expect_output("sh -c 'echo $((0x$(grep SigIgn /proc/self/status | cut -f 2) & 0x7fffffff))'",
                  "0\n");
    assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    (void)expect_failure("sh -c 'exit 5'", ERR_SIGNIN, "failed with status 5");
    assert_true(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
}

struct said {
    char lines[4096];
    int count;
};

static void
take_said(void *ctx, const char *line)
{
    struct said *said = ctx;
    const size_t used = strlen(said->lines);

    (void)snprintf(said->lines + used, sizeof said->lines - used, "%s|", line);
    said->count++;
}

/** A process that has ended may wait to be asked about, by whoever took it over. */
static void
expect_ended(long pid)
{
    char path[64], line[256] = "";

    assert_true(pid > 1);
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    for (int i = 0; i < 40; i++) {
        FILE *file = fopen(path, "re");

        if (!file)
            return;
        (void)!fgets(line, sizeof line, file);
        (void)fclose(file);
        if (strstr(line, ") Z") || strstr(line, ") X"))
            return;
        clock_sleep_ms(50);
    }
    fail_msg("%ld goes on: %s", pid, line);
}

static void
one_that_hangs_is_ended_with_its_children(void **state)
{
    struct said said = {.count = 0};
    const struct command_line command = {
        .text = "sh -c 'trap : TERM; sleep 654 & echo $!; echo $! >&2; wait; wait; sleep 654'",
        .what = "test command",
        .code = ERR_SIGNIN,
        .timeout_ms = 300,
        .said = take_said,
        .ctx = &said};
    const int64_t began_ms = clock_monotonic_ms();
    SECRET_SCOPED secret = {0};
    struct err err = {0};

    (void)state;
    assert_false(command_output(&command, &secret, &err));
    assert_int_equal(err.code, ERR_SIGNIN);
    assert_non_null(strstr(err.primary, "did not end within 1 s"));
    assert_true(clock_monotonic_ms() - began_ms < 4000);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left behind */
    expect_ended(strtol(said.lines, NULL, 10));
}

static void
a_child_of_it_that_stays_does_not_hold_us_up(void **state)
{
    const int64_t began_ms = clock_monotonic_ms();

    (void)state;
    expect_output("sh -c 'sleep 3 & echo token'", "token\n");
    assert_true(clock_monotonic_ms() - began_ms < 2500);
}

static void
its_complaints_are_told_but_no_token_and_not_for_ever(void **state)
{
    struct said said = {.count = 0};
    struct said many = {.count = 0};
    struct command_line command = {
        .text = "sh -c 'echo one >&2; echo a eyJhbGci.e30.x >&2; printf last >&2; echo out'",
        .what = "test command",
        .code = ERR_SIGNIN,
        .said = take_said,
        .ctx = &said};
    SECRET_SCOPED secret = {0};
    struct err err = {0};

    (void)state;
    assert_true(command_output(&command, &secret, &err));
    assert_string_equal(said.lines, "one|(a line that may hold a token)|last|");
    command.text = "sh -c 'yes 123456789 | head -1000 >&2; echo out'";
    command.ctx = &many;
    assert_true(command_output(&command, &secret, &err));
    assert_int_equal(many.count, 20);
}

static void
tell_pipe(void *ctx, const char *line)
{
    const int *fd = ctx;

    (void)!write(*fd, line, strlen(line));
}

static void
a_second_stop_signal_ends_it_with_us(void **state)
{
    int ends[2];
    char line[32] = "";
    int status = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct command_line command = {
            .text = "sh -c 'trap : TERM INT; echo $$ >&2; sleep 0.2; kill -INT $PPID; sleep 0.3; "
                    "kill -INT $PPID; sleep 654'",
            .what = "test command",
            .code = ERR_SIGNIN,
            .said = tell_pipe,
            .ctx = &ends[1]};
        struct secret secret = {0};
        struct err err = {0};

        cancel_init();
        (void)!command_output(&command, &secret, &err);
        _exit(0);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    (void)close(ends[0]);
    expect_ended(strtol(line, NULL, 10));
}

/** Last: a stop signal stays pending. */
static void
a_stop_signal_ends_it(void **state)
{
    struct secret secret = {0};
    struct err err = {0};
    const int64_t began_ms = clock_monotonic_ms();

    (void)state;
    cancel_init();
    (void)run("sh -c 'kill -INT $PPID; sleep 60'", &secret, &err);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_true(clock_monotonic_ms() - began_ms < 4000);
    assert_false(run("echo x", &secret, &err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_at_blanks_and_kept_together_by_quotes),
        cmocka_unit_test(a_line_that_cannot_be_split_is_a_usage_error),
        cmocka_unit_test(a_mark_is_filled_in_after_the_split),
        cmocka_unit_test(the_first_line_is_taken_without_its_end),
        cmocka_unit_test(what_is_wrong_with_its_end_is_told),
        cmocka_unit_test(output_has_an_end),
        cmocka_unit_test(it_has_no_input_and_no_descriptors_of_ours),
        cmocka_unit_test(what_we_ignore_is_not_ignored_there),
        cmocka_unit_test(one_that_hangs_is_ended_with_its_children),
        cmocka_unit_test(a_child_of_it_that_stays_does_not_hold_us_up),
        cmocka_unit_test(its_complaints_are_told_but_no_token_and_not_for_ever),
        cmocka_unit_test(a_second_stop_signal_ends_it_with_us),
        cmocka_unit_test(a_stop_signal_ends_it),
    };

    return cmocka_run_group_tests_name("base/command", tests, NULL, NULL);
}
