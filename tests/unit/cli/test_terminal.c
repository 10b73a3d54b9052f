/* A pseudo-terminal stands in for the operator's. */
#include "cli/terminal.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        cmocka_unit_test_setup_teardown(an_answer_that_is_too_long_or_missing_is_a_refusal,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_secret_is_not_echoed_and_the_echo_comes_back, open_pair,
                                        close_pair),
        cmocka_unit_test(without_a_terminal_nobody_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
