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
                                             .login_timeout_s = 30,
                                             .encryption = MSSQL_ENCRYPTION_DISABLE};

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
    static const struct dial dial = {
        .host = "srv.database.windows.net", .port = 1433, .text = "srv.database.windows.net,1433"};

    assert_false(connection_explain(&options, &dial, &verdict, &err));
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
    struct dial to = {.port = 0};
    bool followed;

    verdict_reset(&verdict);
    with_error(SYBEFCON, 0, text);
    followed = connection_redirect(&verdict, &to) && connection_may_follow(host, &to);
    if (followed) {
        assert_string_equal(to.host, expected);
        assert_int_equal(to.port, port);
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
    assert_false(follows("srv.net", "failed (evil.net,1433)", "", 0)); /* everybody's suffix */
    assert_false(follows("10.1.2.3", "failed (99.1.2.3,1433)", "", 0));
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
    struct dial to;

    (void)state;
    with_error(SYBEFCON, 0, "failed (w.database.windows.net,11003)");
    with_message(18456, 14, "Login failed");
    assert_false(connection_redirect(&verdict, &to));
    verdict_reset(&verdict);
}

static void
a_redirect_that_is_not_followed_is_named(void **state)
{
    (void)state;
    with_error(SYBEFCON, 0, "failed (evil.contoso.com,1433)");
    expect(ERR_CONNECT, "sends us to evil.contoso.com,1433: not followed");
    assert_non_null(strstr(err.hint, "DNS suffix"));
    with_error(SYBEFCON, 0, "failed (w2.database.windows.net,11000)");
    expect(ERR_CONNECT, "sends us to w2.database.windows.net,11000: not followed");
    assert_non_null(strstr(err.hint, "once"));
}

static void
each_kind_of_refusal_has_its_code(void **state)
{
    static const struct {
        int number;
        enum err_code code;
    } kinds[] = {
        {18456, ERR_SIGNIN},  {18452, ERR_SIGNIN}, {18470, ERR_SIGNIN},  {18486, ERR_SIGNIN},
        {18487, ERR_SIGNIN},  {18488, ERR_SIGNIN}, {40532, ERR_SIGNIN},  {40531, ERR_SIGNIN},
        {4060, ERR_SIGNIN},   {916, ERR_SIGNIN},   {40914, ERR_CONNECT}, {47073, ERR_CONNECT},
        {924, ERR_CONNECT},   {927, ERR_CONNECT},  {976, ERR_CONNECT},   {978, ERR_CONNECT},
        {17892, ERR_CONNECT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char number[16];

        with_message(kinds[i].number, 14, "text");
        expect(kinds[i].code, "");
        (void)snprintf(number, sizeof number, "error %d,", kinds[i].number);
        assert_non_null(strstr(err.detail, number));
        assert_true(err.hint[0] != '\0');
        assert_false(err.transient);
    }
}

static void
the_users_own_name_is_in_the_statement(void **state)
{
    (void)state;
    with_message(4060, 11, "Cannot open database");
    with_message(18456, 14, "Login failed");
    expect(ERR_SIGNIN, "AxDB");
    assert_non_null(strstr(err.hint, "ALTER USER [axdbadmin] WITH LOGIN = [axdbadmin]"));
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
        cmocka_unit_test(a_redirect_that_is_not_followed_is_named),
        cmocka_unit_test(each_kind_of_refusal_has_its_code),
        cmocka_unit_test(the_users_own_name_is_in_the_statement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
