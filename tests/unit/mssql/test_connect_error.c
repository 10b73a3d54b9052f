/** Why a connection failed, and where a redirect may lead. */
#include "../../../src/mssql/connection.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct verdict verdict;
static struct err err;
static const struct mssql_options options = {.host = "srv.database.windows.net",
                                             .database = "AxDB",
                                             .user = "axdbadmin",
                                             .login_timeout_s = 30};

static void
with_message(int number, int severity, const char *text)
{
    struct server_message message = {.number = number, .severity = severity, .state = 1, .line = 1};

    (void)snprintf(message.text, sizeof message.text, "%s", text);
    verdict_add_message(&verdict, &message);
}

static void
with_error(int number, int os_error, const char *text)
{
    struct library_error error = {.number = number, .os_error = os_error};

    (void)snprintf(error.text, sizeof error.text, "%s", text);
    verdict_add_error(&verdict, &error);
}

static void
expect(enum err_code code, const char *part)
{
    assert_false(connection_explain(&options, "srv.database.windows.net,1433", &verdict, &err));
    if (err.code != code || strstr(err.primary, part) == NULL)
        fail_msg("%s: %s", err_name(err.code), err.primary);
    verdict_reset(&verdict);
}

static void
a_missing_user_is_told_from_a_wrong_password(void **state)
{
    (void)state;
    with_message(4060, 11, "Cannot open database");
    with_message(18456, 14, "Login failed");
    expect(ERR_SIGNIN, "database \"AxDB\" does not exist or the login has no user in it");
    assert_non_null(strstr(err.hint, "ALTER USER"));
    with_message(18456, 14, "Login failed for user 'axdbadmin'.");
    with_error(SYBEFCON, 0, "failed");
    expect(ERR_SIGNIN, "as \"axdbadmin\" was refused");
    assert_non_null(strstr(err.detail, "server error 18456, severity 14, state 1"));
}

static void
a_firewall_is_no_matter_of_the_password(void **state)
{
    (void)state;
    with_message(40615, 14, "Client with IP address '203.0.113.7' is not allowed");
    expect(ERR_CONNECT, "does not let us in");
    assert_non_null(strstr(err.hint, "203.0.113.7"));
    assert_false(err.transient);
    with_message(40613, 17, "Database is not currently available");
    expect(ERR_CONNECT, "does not let us in");
    assert_true(err.transient);
}

static void
names_ports_and_time_are_told_apart(void **state)
{
    (void)state;
    with_error(SYBEUHST, 0, "Unknown host");
    expect(ERR_CONNECT, "host srv.database.windows.net does not resolve");
    with_error(SYBECONN, ECONNREFUSED, "Unable to connect");
    expect(ERR_CONNECT, "refused the connection");
    with_error(SYBECONN, ETIMEDOUT, "Unable to connect");
    expect(ERR_CONNECT, "did not answer in time");
    with_error(SYBECONN, EHOSTUNREACH, "Unable to connect");
    expect(ERR_CONNECT, "could not connect to");
    with_error(SYBETIME, 0, "timed out");
    expect(ERR_CONNECT, "did not answer within 30 s");
    with_error(20214, 0, "bad configuration");
    expect(ERR_CONNECT, "could not connect");
    assert_non_null(strstr(err.detail, "20214"));
}

static bool
follows(const char *host, const char *text, const char *expected, unsigned port)
{
    char other[DIALLED_BYTES] = "";
    uint16_t other_port = 0;
    bool followed;

    verdict_reset(&verdict);
    with_error(SYBEFCON, 0, text);
    followed = connection_redirect(host, &verdict, other, sizeof other, &other_port);
    if (followed) {
        assert_string_equal(other, expected);
        assert_int_equal(other_port, port);
    }
    verdict_reset(&verdict);
    return followed;
}

static void
a_redirect_leads_below_the_same_suffix_only(void **state)
{
    const char *const host = "srv.database.windows.net";

    (void)state;
    assert_true(follows(host, "failed (w1.tr9.database.windows.net,11003)",
                        "w1.tr9.database.windows.net", 11003));
    assert_false(follows(host, "failed (evil.contoso.com,1433)", "", 0));
    assert_false(follows(host, "failed (evildatabase.windows.net,1433)", "", 0));
    assert_false(follows(host, "failed (.database.windows.net,1433)", "", 0));
    assert_false(follows(host, "failed (SRV.database.windows.net,1433)", "", 0));
    assert_false(follows(host, "failed (a;b.database.windows.net,1433)", "", 0));
    assert_false(follows("localhost", "failed (other,1433)", "", 0));
}

static void
a_redirect_has_a_whole_port(void **state)
{
    const char *const host = "srv.database.windows.net";

    (void)state;
    assert_false(follows(host, "failed (w.database.windows.net)", "", 0));
    assert_false(follows(host, "failed (w.database.windows.net,0)", "", 0));
    assert_false(follows(host, "failed (w.database.windows.net,65536)", "", 0));
    assert_false(follows(host, "failed (w.database.windows.net,14x)", "", 0));
    assert_false(follows(host, "failed (w.database.windows.net,14) and more", "", 0));
    assert_false(follows(host, "failed", "", 0));
    assert_false(follows(host, "", "", 0));
}

static void
a_server_that_said_something_is_not_left_for_another(void **state)
{
    char other[DIALLED_BYTES];
    uint16_t port;

    (void)state;
    with_error(SYBEFCON, 0, "failed (w.database.windows.net,11003)");
    with_message(18456, 14, "Login failed");
    assert_false(
        connection_redirect("srv.database.windows.net", &verdict, other, sizeof other, &port));
    verdict_reset(&verdict);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_user_is_told_from_a_wrong_password),
        cmocka_unit_test(a_firewall_is_no_matter_of_the_password),
        cmocka_unit_test(names_ports_and_time_are_told_apart),
        cmocka_unit_test(a_redirect_leads_below_the_same_suffix_only),
        cmocka_unit_test(a_redirect_has_a_whole_port),
        cmocka_unit_test(a_server_that_said_something_is_not_left_for_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
