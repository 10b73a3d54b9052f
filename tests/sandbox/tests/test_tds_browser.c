#include "../../support/test.h"
#include "tds/browser.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct faults *faults;
static struct sandbox_log *log_of_test;
static struct tds_browser *browser;
static char address[64];

static int
start(void **state)
{
    char why[256] = "";
    (void)state;
    /* Most likely this process's own. */
    (void)snprintf(address, sizeof address, "127.79.%d.%d", (int)getpid() / 250 % 250 + 1,
                   (int)getpid() % 250 + 1);
    faults = faults_new();
    log_of_test = sandbox_log_new(NULL);
    const struct tds_browser_options options = {
        .address = address, .tcp_port = 49837, .faults = faults, .log = log_of_test};
    browser = tds_browser_start(&options, why, sizeof why);
    return browser != NULL ? 0 : -1;
}

static int
stop(void **state)
{
    (void)state;
    tds_browser_stop(browser);
    sandbox_log_free(log_of_test);
    faults_free(faults);
    return 0;
}

/* The answer's text, "" when none comes. */
static const char *
ask(const char *question, size_t count)
{
    static char answer[1100];
    const struct timeval soon = {.tv_usec = 200000};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1434)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, question, count, 0), count);
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
    assert_int_equal(close(fd), 0);
    if (got < 3)
        return "";
    answer[got] = '\0';
    assert_int_equal(answer[0], 5);
    assert_int_equal((unsigned char)answer[1] | (unsigned char)answer[2] << 8, got - 3);
    return answer + 3;
}

static void
the_instance_it_knows_is_answered(void **state)
{
    (void)state;
    assert_string_equal(
        ask("\x04"
            "axdb",
            6),
        "ServerName;SANDBOX-SQL;InstanceName;AXDB;IsClustered;No;Version;15.0.2000.5;"
        "tcp;49837;np;\\\\SANDBOX-SQL\\pipe\\MSSQL$AXDB\\sql\\query;;");
}

static void
anything_else_is_met_with_silence(void **state)
{
    static const char *const questions[] = {"\x04OTHER", "\x02", "\x03"};
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        assert_string_equal(ask(questions[i], strlen(questions[i]) + 1), "");
    assert_string_equal(ask("\x04"
                            "AXDB",
                            5),
                        ""); /* no NUL */
    assert_string_equal(ask("\x04"
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                            60),
                        "");
}

static void
an_address_that_is_taken_is_a_failure(void **state)
{
    const struct tds_browser_options again = {.address = address};
    const struct tds_browser_options none = {.address = "localhost"};
    char why[256] = "";
    (void)state;
    assert_null(tds_browser_start(&again, why, sizeof why));
    assert_non_null(strstr(why, "1434"));
    assert_null(tds_browser_start(&none, why, sizeof why));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_instance_it_knows_is_answered, start, stop),
        cmocka_unit_test_setup_teardown(anything_else_is_met_with_silence, start, stop),
        cmocka_unit_test_setup_teardown(an_address_that_is_taken_is_a_failure, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
