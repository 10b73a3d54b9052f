/* A pseudo-terminal stands in for the operator's. */
#include "base/cancel.h"
#include "cli/console.h"
#include "cli/terminal.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int person; /* the operator's end */
static struct terminal terminal;

static int
open_pair(void **state)
{
    char name[128];
    (void)state;
    person = posix_openpt(O_RDWR | O_NOCTTY);
    if (person < 0 || grantpt(person) != 0 || unlockpt(person) != 0 ||
        ptsname_r(person, name, sizeof(name)) != 0)
        return -1;
    terminal_use(&terminal, open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    return terminal.op.present ? 0 : -1;
}

static int
close_pair(void **state)
{
    (void)state;
    terminal_close(&terminal);
    return close(person);
}

static void
type(const char *keys)
{
    assert_int_equal(write(person, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/** What the operator sees, until `marker` comes; echo and question are written in two pieces. */
static void
see(const char *marker, char ret[512])
{
    size_t used = 0;
    ret[0] = '\0';
    while (!strstr(ret, marker) && used < 511) {
        struct pollfd ready = {.fd = person, .events = POLLIN};
        if (poll(&ready, 1, 5000) != 1)
            fail_msg("waited for \"%s\", saw \"%s\"", marker, ret);
        const ssize_t got = read(person, ret + used, 511 - used);
        assert_true(got > 0);
        used += (size_t)got;
        ret[used] = '\0';
    }
}

static void
an_answer_is_read_whole_and_the_question_is_harmless(void **state)
{
    char answer[32], seen[512];
    struct err err;
    (void)state;
    type("AxDB@sql01\n");
    assert_true(terminal.op.ask(&terminal.op, "Type \x1b[2J: ", answer, sizeof(answer), &err));
    assert_string_equal(answer, "AxDB@sql01");
    see("\\x1b[2J: ", seen);
    assert_null(strchr(seen, '\x1b'));
}

static void
what_is_shown_and_asked_is_as_wide_as_the_terminal(void **state)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 30};
    char answer[32], seen[512];
    struct err err;
    (void)state;
    assert_int_equal(ioctl(terminal.fd, TIOCSWINSZ, &size), 0);
    terminal.op.show(&terminal.op, "  12 rows of DUALWRITEPROJECTFIELDCONFIGURATION go\n\nshort\n");
    see("short\r\n", seen);
    assert_string_equal(seen, "  12 rows of\r\n    DUALWRITEPROJECTFIELDCONFIGURATION\r\n    go\r\n"
                              "\r\nshort\r\n");
    type("y\n");
    assert_true(terminal.op.ask(&terminal.op, "Type the name of the environment to go on: ", answer,
                                sizeof(answer), &err));
    see("go on: ", seen);
    assert_non_null(strstr(seen, "Type the name of the\r\n  environment to go on: "));
}

static void
a_hint_on_stderr_is_broken_between_words(void **state)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 30};
    const struct err err = {
        .code = ERR_REFUSED, .primary = "no", .hint = "Stop the maps first, then run it again."};
    struct console console;
    char seen[512];
    (void)state;
    assert_int_equal(ioctl(terminal.fd, TIOCSWINSZ, &size), 0);
    console_init(&console, terminal.fd, LOG_LEVEL_INFO);
    console_error(&console, &err);
    see("again.\r\n", seen);
    assert_string_equal(seen, "dwclean: error: no\r\n"
                              "  hint: Stop the maps first,\r\n"
                              "    then run it again.\r\n");
}

static void
an_answer_that_is_too_long_or_missing_is_a_refusal(void **state)
{
    char answer[8] = "unset";
    struct err err;
    (void)state;
    type("12345678\n");
    assert_false(terminal.op.ask(&terminal.op, "?", answer, sizeof(answer), &err));
    assert_int_equal(err.code, ERR_REFUSED);
    type("\x04"); /* end of input */
    assert_false(terminal.op.ask(&terminal.op, "?", answer, sizeof(answer), &err));
    assert_int_equal(err.code, ERR_REFUSED);
}

static void
a_secret_is_not_echoed_and_the_echo_comes_back(void **state)
{
    char secret[TERMINAL_SECRET_BYTES], seen[512];
    struct termios mode;
    struct err err;
    (void)state;
    /* Switching the echo off drops what was typed before it, so another process types afterwards.
     */
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        do
            (void)usleep(1000);
        while (tcgetattr(terminal.fd, &mode) == 0 && (mode.c_lflag & ECHO) != 0);
        _exit(write(person, "hunter2\n", 8) == 8 ? 0 : 1);
    }
    assert_true(terminal_ask_secret(&terminal, "Password: ", secret, &err));
    assert_string_equal(secret, "hunter2");
    see("Password: \r\n", seen);
    assert_null(strstr(seen, "hunter2"));
    assert_int_equal(tcgetattr(terminal.fd, &mode), 0);
    assert_true((mode.c_lflag & ECHO) != 0);
}

/* ---- signals at the prompt for a secret */

enum { ANSWERED = 40, STOPPED_BY_SIGNAL = 41 };

static bool
echo_is_on(void)
{
    struct termios mode;
    assert_int_equal(tcgetattr(terminal.fd, &mode), 0);
    return (mode.c_lflag & ECHO) != 0;
}

static void
await_echo(bool on)
{
    for (int i = 0; i < 5000 && echo_is_on() != on; i++)
        (void)usleep(1000);
    assert_int_equal(echo_is_on(), on);
}

/** Another process asks for a secret; the echo is off when this returns. `before` (or 0) is raised
 * in it first. */
static pid_t
begin_asking(int before)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char secret[TERMINAL_SECRET_BYTES];
        struct err err;
        (void)setpgid(0, 0); /* not an orphan: it can be stopped */
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        cancel_init();
        if (before)
            (void)raise(before);
        if (terminal_ask_secret(&terminal, "Password: ", secret, &err))
            _exit(strcmp(secret, "hunter2") == 0 ? ANSWERED : 1);
        _exit(err.code == ERR_INTERRUPTED ? STOPPED_BY_SIGNAL : 1);
    }
    await_echo(false);
    return child;
}

static int
end_asking(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(echo_is_on());
    return status;
}

static void
a_signal_at_the_prompt_gives_the_echo_back_and_then_has_its_way(void **state)
{
    /* With handlers of cancel.h: the first one ends the question. */
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP};
    static const int deadly[] = {SIGQUIT, SIGABRT, SIGALRM, SIGUSR1};
    (void)state;
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
        const pid_t child = begin_asking(0);
        type("half a sec");
        assert_int_equal(kill(child, handled[i]), 0);
        const int status = end_asking(child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), STOPPED_BY_SIGNAL);
    }
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        const pid_t child = begin_asking(0);
        assert_int_equal(kill(child, deadly[i]), 0);
        const int status = end_asking(child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), deadly[i]);
    }
}

static void
a_second_interrupt_ends_at_once_but_not_without_echo(void **state)
{
    (void)state;
    const pid_t child = begin_asking(SIGINT);
    assert_int_equal(kill(child, SIGINT), 0);
    const int status = end_asking(child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 130);
}

static void
what_was_half_typed_is_not_left_for_the_shell(void **state)
{
    char left[64];
    int status = 0;
    (void)state;
    const pid_t child = begin_asking(0);
    /* Stopped, so that the line and the signal are both there when it goes on. */
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    type("hunter2\n");
    assert_int_equal(kill(child, SIGQUIT), 0);
    assert_int_equal(kill(child, SIGCONT), 0);
    status = end_asking(child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(fcntl(terminal.fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(read(terminal.fd, left, sizeof(left)), -1);
}

static void
a_stopped_prompt_has_echo_and_goes_on_without(void **state)
{
    int status = 0;
    (void)state;
    const pid_t child = begin_asking(0);
    assert_int_equal(kill(child, SIGTSTP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    assert_true(echo_is_on());
    assert_int_equal(kill(child, SIGCONT), 0);
    await_echo(false);
    type("hunter2\n");
    status = end_asking(child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ANSWERED);
}

static void
a_signal_that_the_caller_blocked_disturbs_nobody(void **state)
{
    sigset_t blocked, before;
    (void)state;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
    const pid_t child = begin_asking(SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    type("hunter2\n");
    const int status = end_asking(child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ANSWERED);
}

static void
without_a_terminal_nobody_is_there(void **state)
{
    struct terminal none;
    char answer[8], secret[TERMINAL_SECRET_BYTES];
    struct err err;
    (void)state;
    terminal_use(&none, -1);
    assert_false(none.op.present);
    assert_false(none.op.ask(&none.op, "?", answer, sizeof(answer), &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_false(terminal_ask_secret(&none, "?", secret, &err));
    assert_int_equal(err.code, ERR_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_is_read_whole_and_the_question_is_harmless,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_hint_on_stderr_is_broken_between_words, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(what_is_shown_and_asked_is_as_wide_as_the_terminal,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(an_answer_that_is_too_long_or_missing_is_a_refusal,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_secret_is_not_echoed_and_the_echo_comes_back, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(
            a_signal_at_the_prompt_gives_the_echo_back_and_then_has_its_way, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_second_interrupt_ends_at_once_but_not_without_echo,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(what_was_half_typed_is_not_left_for_the_shell, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(a_stopped_prompt_has_echo_and_goes_on_without, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(a_signal_that_the_caller_blocked_disturbs_nobody, open_pair,
                                        close_pair),
        cmocka_unit_test(without_a_terminal_nobody_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
