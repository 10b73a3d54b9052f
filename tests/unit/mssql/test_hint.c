/** The errors of the first five minutes: each has a way on. */
#include "../../../src/mssql/hint.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static const char *
hint_of(int number, int state, const char *text)
{
    static struct err err;

    (void)err_set(&err, ERR_SERVER, "x");
    hint_for(number, state, text, &err);
    return err.hint;
}

static void
each_error_has_its_own_way_on(void **state)
{
    static const struct {
        int number;
        const char *part;
    } pairs[] = {
        {40615, "Enable access"},
        {40914, "subnet"},
        {47073, "private endpoint"},
        {40532, "user@server"},
        {40531, "user@server"},
        {40607, "SQL login"},
        {4060, "ALTER USER [name] WITH LOGIN = [name]"},
        {916, "ALTER USER [name] WITH LOGIN = [name]"},
        {18456, "--new-login"},
        {18487, "expired"},
        {18488, "must be changed"},
        {18486, "UNLOCK"},
        {18470, "ENABLE"},
        {18452, "Kerberos"},
        {17892, "logon trigger"},
        {4064, "-d"},
        {911, "-d"},
        {921, "ONLINE"},
        {924, "MULTI_USER"},
        {926, "SUSPECT"},
        {927, "WITH RECOVERY"},
        {942, "SET ONLINE"},
        {945, "files"},
        {952, "a minute"},
        {983, "a minute"},
        {976, "listener"},
        {978, "primary"},
        {15350, "LocalDB"},
        {15517, "ALTER AUTHORIZATION"},
        {3906, "read-only"},
        {229, "SELECT and DELETE"},
        {1222, "locks"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strstr(hint_of(pairs[i].number, 1, ""), pairs[i].part) == NULL)
            fail_msg("%d: %s", pairs[i].number, hint_of(pairs[i].number, 1, ""));
        assert_false(hint_is_transient(pairs[i].number));
    }
    assert_string_equal(hint_of(123456, 1, ""), "");
    assert_string_equal(hint_of(-1, 1, ""), "");
}

static void
no_hint_is_cut(void **state)
{
    (void)state;
    for (int number = 0; number < 50000; number++) {
        const char *hint = hint_of(number, 1, "Client with IP address '2001:db8::1' is");
        size_t size = strlen(hint);

        if (size > 0 && hint[size - 1] != '.')
            fail_msg("%d: %s", number, hint);
    }
}

static void
a_refused_sign_in_is_told_apart_by_its_state(void **state)
{
    static const struct {
        int state;
        const char *part;
    } pairs[] = {
        {5, "no such login"}, {7, "disabled"},    {8, "password is wrong"}, {18, "changed"},
        {38, "database"},     {58, "mixed mode"}, {23, "shutting down"},    {11, "CONNECT SQL"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strstr(hint_of(18456, pairs[i].state, ""), pairs[i].part) == NULL)
            fail_msg("state %d: %s", pairs[i].state, hint_of(18456, pairs[i].state, ""));
        /* A state means nothing for another number. */
        assert_string_equal(hint_of(18487, pairs[i].state, ""), hint_of(18487, 1, ""));
    }
    assert_non_null(strstr(hint_of(18456, 99, ""), "Name or password"));
}

static void
the_passing_states_are_azures_and_no_others(void **state)
{
    static const int passing[] = {40613, 40197, 40501, 49918, 49919, 49920, 10928, 10929};
    int count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        assert_true(hint_is_transient(passing[i]));
    for (int number = 0; number < 60000; number++)
        count += hint_is_transient(number) ? 1 : 0;
    assert_int_equal(count, 8);
}

static void
the_servers_view_of_our_address_is_shown(void **state)
{
    static const char start[] = "The server sees this machine as ";
    char large[200];

    (void)state;
    assert_non_null(strstr(hint_of(40615, 1, "Client with IP address '203.0.113.7' is not allowed"),
                           "as 203.0.113.7."));
    assert_null(strstr(hint_of(40615, 1, "another wording"), start));
    assert_null(strstr(hint_of(40615, 1, "IP address '"), start));
    assert_null(strstr(hint_of(40615, 1, "IP address ''"), start));
    memset(large, '1', sizeof large);
    (void)memcpy(large, "IP address '", 12);
    large[sizeof large - 2] = '\'';
    large[sizeof large - 1] = '\0';
    assert_null(strstr(hint_of(40615, 1, large), start));
}

static void
the_statement_for_an_orphaned_user_can_be_pasted(void **state)
{
    struct err err;

    (void)state;
    (void)err_set(&err, ERR_SIGNIN, "x");
    hint_for_missing_user("axdb admin]", &err);
    assert_non_null(strstr(err.hint, "ALTER USER [axdb admin]]] WITH LOGIN = [axdb admin]]], run"));
    hint_for_missing_user("axdbadmin@axsrv1", &err);
    assert_non_null(strstr(err.hint, "ALTER USER [name]"));
    hint_for_missing_user("CONTOSO\\dba", &err);
    assert_non_null(strstr(err.hint, "ALTER USER [name]"));
    hint_for_missing_user(NULL, &err);
    assert_non_null(strstr(err.hint, "ALTER USER [name]"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_own_way_on),
        cmocka_unit_test(no_hint_is_cut),
        cmocka_unit_test(a_refused_sign_in_is_told_apart_by_its_state),
        cmocka_unit_test(the_passing_states_are_azures_and_no_others),
        cmocka_unit_test(the_servers_view_of_our_address_is_shown),
        cmocka_unit_test(the_statement_for_an_orphaned_user_can_be_pasted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
