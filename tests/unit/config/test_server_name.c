#include "config/server_name.h"
#include "test.h"

#include <string.h>

struct form {
    const char *text, *host;
    uint16_t port;
};

static void
every_form_of_sqlcmd_is_understood(void **state)
{
    static const struct form forms[] = {
        {"sql01", "sql01", 1433},
        {"SQL01.Contoso.com", "sql01.contoso.com", 1433},
        {"sql01,14330", "sql01", 14330},
        {"tcp:sql01.database.windows.net,1433", "sql01.database.windows.net", 1433},
        {"TCP:sql01", "sql01", 1433},
        {"127.0.0.1,1", "127.0.0.1", 1},
        {"::1", "::1", 1433},
        {"[fe80::1],65535", "fe80::1", 65535},
        {".", "localhost", 1433},
        {"(local),1444", "localhost", 1444},
        {"tcp", "tcp", 1433},
        {"under_score-1", "under_score-1", 1433},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct server_name name;
        struct err err;
        assert_true(server_name_parse(forms[i].text, &name, &err));
        assert_string_equal(name.host, forms[i].host);
        assert_int_equal(name.port, forms[i].port);
    }
}

static void
what_is_not_a_server_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "tcp:",
        ",1433",
        "sql01,",
        "sql01,0",
        "sql01,65536",
        "sql01,1x",
        "sql01:1433",
        "sql 01",
        "sql01;x=y",
        "sql01]",
        "-sql01",
        "np:sql01",
        "lpc:sql01",
        "admin:sql01",
        "\\\\sql01\\pipe",
        "tcp:tcp:sql01",
        "sql01#",
        "sql01,1433,1433",
        "[::1",
        ":",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct server_name name = {.port = 7};
        struct err err;
        assert_false(server_name_parse(texts[i], &name, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_int_equal(name.port, 7);
    }
}

static void
an_instance_name_is_refused_with_the_way_on(void **state)
{
    struct server_name name;
    struct err err;
    (void)state;
    assert_false(server_name_parse("sql01\\AXDB", &name, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.primary, "AXDB"));
    assert_non_null(strstr(err.hint, "-S sql01,PORT"));
    assert_non_null(strstr(err.hint, "-d AXDB"));
}

static void
a_name_that_is_too_long_is_refused(void **state)
{
    char text[400];
    struct server_name name;
    struct err err;
    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_false(server_name_parse(text, &name, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_sqlcmd_is_understood),
        cmocka_unit_test(what_is_not_a_server_is_refused),
        cmocka_unit_test(an_instance_name_is_refused_with_the_way_on),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
