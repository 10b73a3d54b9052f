/** Answers of SQL Server Browser: one form is believed, every other is not. */
#include "../../../src/mssql/browser.h"
#include "base/clock.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint16_t port;

/** Read "text" behind a header that announces `extra` bytes too many. */
static enum browser_answer
parse(const char *text, int extra)
{
    size_t size = strlen(text);
    unsigned announced = (unsigned)((int)size + extra);
    unsigned char *bytes = malloc(size + 3); /* of this size exactly: reading on is seen */
    enum browser_answer answer;

    assert_non_null(bytes);
    bytes[0] = 5;
    bytes[1] = (unsigned char)(announced & 0xFF);
    bytes[2] = (unsigned char)(announced >> 8 & 0xFF);
    memcpy(bytes + 3, text, size); /* NOLINT(bugprone-not-null-terminated-result): no string */
    port = 7;
    answer = browser_parse(bytes, size + 3, "AXDB", &port);
    free(bytes);
    return answer;
}

#define START "ServerName;SQL01;InstanceName;AXDB;IsClustered;No;Version;15.0.2000.5;"

static void
the_port_of_the_instance_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse(START "tcp;49837;np;\\\\SQL01\\pipe\\MSSQL$AXDB\\sql\\query;;", 0),
                     BROWSER_PORT);
    assert_int_equal(port, 49837);
    assert_int_equal(parse("ServerName;SQL01;InstanceName;axdb;tcp;1;;", 0), BROWSER_PORT);
    assert_int_equal(port, 1);
    assert_int_equal(parse(START "np;x;tcp;65535;;", 0), BROWSER_PORT);
    assert_int_equal(port, 65535);
}

static void
an_instance_without_tcp_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(parse(START "np;\\\\SQL01\\pipe\\sql\\query;;", 0), BROWSER_NO_TCP);
    assert_int_equal(parse(START ";", 0), BROWSER_NO_TCP);
    assert_int_equal(port, 7);
}

static void
everything_else_is_not_believed(void **state)
{
    static const char *const texts[] = {
        "",
        ";",
        ";;",
        "tcp;1433;;",
        "ServerName;SQL01;InstanceName;OTHER;tcp;1433;;",
        START "tcp;;;",
        START "tcp;0;;",
        START "tcp;65536;;",
        START "tcp;14 33;;",
        START "tcp;1433x;;",
        START "tcp;-1;;",
        START "tcp;1433",
        START "tcp;1433;",
        START "tcp;1433;tcp;1434;;",
        START "tcp;1433;;x",
        START "tcp;1433;;" START "tcp;1434;;",
        START "tcp",
        "InstanceName;AXDB;InstanceName;OTHER;tcp;1433;;",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (parse(texts[i], 0) != BROWSER_MALFORMED || port != 7)
            fail_msg("believed: %s", texts[i]);
    }
    assert_int_equal(parse(START "tcp;1433;;", 1), BROWSER_MALFORMED);
    assert_int_equal(parse(START "tcp;1433;;", -1), BROWSER_MALFORMED);
}

static void
no_part_of_an_answer_is_believed(void **state)
{
    static const char whole[] = START "tcp;1433;np;x;;";

    (void)state;
    for (size_t size = 0; size + 1 < sizeof whole; size++) {
        char text[sizeof whole];

        memcpy(text, whole, size);
        text[size] = '\0';
        assert_int_equal(parse(text, 0), BROWSER_MALFORMED);
    }
    for (size_t size = 0; size < 3; size++)
        assert_int_equal(browser_parse((const unsigned char *)"\x05\0\0", size, "AXDB", &port),
                         BROWSER_MALFORMED);
}

static void
fields_of_any_length_are_read_safely(void **state)
{
    char text[1500];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(parse(text, 0), BROWSER_MALFORMED);
    text[700] = ';';
    assert_int_equal(parse(text, 0), BROWSER_MALFORMED);
}

static void
a_name_that_cannot_be_is_not_asked_for(void **state)
{
    struct err err;

    (void)state;
    assert_false(browser_ask("localhost", "", clock_monotonic_ms() + 1000, &port, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(browser_ask("localhost", "a123456789012345678901234567890123",
                             clock_monotonic_ms() + 1000, &port, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(
        browser_ask("no-such-host.invalid", "AXDB", clock_monotonic_ms() + 1000, &port, &err));
    assert_int_equal(err.code, ERR_CONNECT);
    assert_non_null(strstr(err.primary, "does not resolve"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_port_of_the_instance_is_read),
        cmocka_unit_test(an_instance_without_tcp_is_told_apart),
        cmocka_unit_test(everything_else_is_not_believed),
        cmocka_unit_test(no_part_of_an_answer_is_believed),
        cmocka_unit_test(fields_of_any_length_are_read_safely),
        cmocka_unit_test(a_name_that_cannot_be_is_not_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
