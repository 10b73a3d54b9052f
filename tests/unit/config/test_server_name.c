#include "config/server_name.h"
#include "test.h"

#include <string.h>

struct form {
    const char *text, *host;
    uint16_t port;
    const char *instance;
};

static void
every_form_of_sqlcmd_is_understood(void **state)
{
    static const struct form forms[] = {
        {"sql01", "sql01", 1433, ""},
        {"SQL01.Contoso.com", "sql01.contoso.com", 1433, ""},
        {"sql01,14330", "sql01", 14330, ""},
        {"tcp:sql01.database.windows.net,1433", "sql01.database.windows.net", 1433, ""},
        {"TCP:sql01", "sql01", 1433, ""},
        {"127.0.0.1,1", "127.0.0.1", 1, ""},
        {"::1", "::1", 1433, ""},
        {"[fe80::1],65535", "fe80::1", 65535, ""},
        {".", "localhost", 1433, ""},
        {"(local),1444", "localhost", 1444, ""},
        {"tcp", "tcp", 1433, ""},
        {"under_score-1", "under_score-1", 1433, ""},
        {"sql01\\AXDB", "sql01", 0, "AXDB"},
        {"tcp:SQL01.contoso.com\\axDb", "sql01.contoso.com", 0, "AXDB"},
        {"sql01\\AXDB,1444", "sql01", 1444, "AXDB"},
        {".\\SQL$2019_#1", "localhost", 0, "SQL$2019_#1"},
        {"[::1]\\X", "::1", 0, "X"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct server_name name;
        struct err err;
        assert_true(server_name_parse(forms[i].text, &name, &err));
        assert_string_equal(name.host, forms[i].host);
        assert_int_equal(name.port, forms[i].port);
        assert_string_equal(name.instance, forms[i].instance);
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
        "sql01\\",
        "sql01\\1",
        "sql01\\a b",
        "sql01\\a\\b",
        "sql01\\AXDB,",
        "sql01,1433\\AXDB",
        "\\AXDB",
        "sql01\\a;b",
        "(localdb)\\MSSQLLocalDB",
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
what_lcs_shows_is_no_instance_and_the_hint_says_so(void **state)
{
    struct server_name name;
    struct err err;
    (void)state;
    assert_false(server_name_parse("axsrv1\\db_d365opsprod_ax_2020", &name, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.primary, "db_d365opsprod_ax_2020"));
    assert_non_null(strstr(err.hint, "--lcs"));
    assert_non_null(strstr(err.hint, "-S axsrv1.database.windows.net -d db_d365opsprod_ax_2020"));
}

static void
with_lcs_the_second_part_is_the_database(void **state)
{
    static const struct {
        const char *text, *host, *database;
        uint16_t port;
    } forms[] = {
        {"axsrv1\\db_ax_2020-1", "axsrv1.database.windows.net", "db_ax_2020-1", 1433},
        {"AXSRV1", "axsrv1.database.windows.net", "", 1433},
        {"axsrv1.database.windows.net\\AxDB", "axsrv1.database.windows.net", "AxDB", 1433},
        {"tcp:axsrv1\\AxDB,1444", "axsrv1.database.windows.net", "AxDB", 1444},
        {"10.1.2.3\\AxDB", "10.1.2.3", "AxDB", 1433},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct server_name name;
        char database[129];
        struct err err;
        assert_true(server_name_parse_lcs(forms[i].text, &name, database, sizeof(database), &err));
        assert_string_equal(name.host, forms[i].host);
        assert_string_equal(name.instance, "");
        assert_string_equal(database, forms[i].database);
        assert_int_equal(name.port, forms[i].port);
    }
}

static void
what_lcs_never_shows_is_refused(void **state)
{
    static const char *const texts[] = {
        "",           "axsrv1\\",    "\\db",    "axsrv1\\a\\b", "axsrv1\\db,x",
        "ax srv\\db", "axsrv1\\d;b", "np:a\\b",
    };
    struct server_name name = {.port = 7};
    char database[8] = "kept";
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(server_name_parse_lcs(texts[i], &name, database, sizeof(database), &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
    assert_false(server_name_parse_lcs("a\\12345678", &name, database, sizeof(database), &err));
    assert_int_equal(name.port, 7);
    assert_string_equal(database, "kept");
}

static void
names_of_one_server_are_equal_and_shown_alike(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
        const char *shown;
    } pairs[] = {
        {"tcp:SQL01,1433", "sql01", true, "sql01"},
        {"sql01,1444", "sql01\\X,1444", true, "sql01,1444"},
        {"sql01\\x", "SQL01\\X", true, "sql01\\X"},
        {"sql01\\x", "sql01\\y", false, "sql01\\X"},
        {"sql01\\x", "sql01", false, "sql01\\X"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[SERVER_NAME_TEXT_BYTES];
        struct server_name a, b;
        struct err err;
        assert_true(server_name_parse(pairs[i].a, &a, &err));
        assert_true(server_name_parse(pairs[i].b, &b, &err));
        assert_int_equal(server_name_equal(&a, &b), pairs[i].equal);
        server_name_text(&a, text);
        assert_string_equal(text, pairs[i].shown);
    }
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

static void
a_port_takes_nothing_from_the_length_of_a_host(void **state)
{
    char text[SERVER_NAME_TEXT_BYTES] = "tcp:";
    char shown[SERVER_NAME_TEXT_BYTES];
    struct server_name name;
    struct server_name again;
    struct err err = {0};

    (void)state;
    memset(text + 4, 'a', SERVER_NAME_HOST_BYTES - 1);
    memcpy(text + 4 + SERVER_NAME_HOST_BYTES - 1, "\\INSTANCE,4", sizeof "\\INSTANCE,4");
    assert_true(server_name_parse(text, &name, &err));
    server_name_text(&name, shown);
    assert_true(server_name_parse(shown, &again, &err));
    assert_true(server_name_equal(&name, &again));
    memset(text + 4, 'a', SERVER_NAME_HOST_BYTES);
    assert_false(server_name_parse(text, &name, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_sqlcmd_is_understood),
        cmocka_unit_test(what_is_not_a_server_is_refused),
        cmocka_unit_test(what_lcs_shows_is_no_instance_and_the_hint_says_so),
        cmocka_unit_test(with_lcs_the_second_part_is_the_database),
        cmocka_unit_test(what_lcs_never_shows_is_refused),
        cmocka_unit_test(names_of_one_server_are_equal_and_shown_alike),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(a_port_takes_nothing_from_the_length_of_a_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
