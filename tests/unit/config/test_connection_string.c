#include "config/connection_string.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20 };

struct read {
    struct settings settings;
    struct secret secret;
    struct err err;
    bool ok;
};

static void
read_string(struct read *read, enum connection_kind kind, const char *text)
{
    const struct connection_string string = {
        .text = text,
        .kind = kind,
        .origin = {RANK_VARIABLE, ERR_CONFIG, "variable X"},
        .command = COMMAND_VERIFY,
    };
    if (!read->settings.arena)
        read->settings.arena = arena_new(ARENA_BYTES);
    assert_non_null(read->settings.arena);
    read->ok = connection_string_read(&string, &read->settings, &read->secret, &read->err);
}

static void
done(struct read *read)
{
    secret_wipe(&read->secret);
    arena_free(read->settings.arena);
}

static void
expect_option(const struct read *read, enum option_id id, const char *text)
{
    const struct setting *setting = settings_get(&read->settings, id, NULL);
    assert_non_null(setting);
    assert_string_equal(setting->text, text);
    assert_string_equal(setting->source, "variable X");
}

static void
expect_password(const char *text, const char *password)
{
    struct read read = {0};
    read_string(&read, CONNECTION_AXDB, text);
    if (!read.ok)
        fail_msg("%s: %s", text, read.err.primary);
    assert_string_equal(secret_reveal(&read.secret), password);
    done(&read);
}

/** Refused; the message names `says`, and never "hunter2". */
static void
expect_fault(enum connection_kind kind, const char *text, const char *says)
{
    struct read read = {0};
    read_string(&read, kind, text);
    if (read.ok || (!strstr(read.err.primary, says) && !strstr(read.err.hint, says)))
        fail_msg("%s: ok %d, %s; %s", text, read.ok, read.err.primary, read.err.hint);
    assert_int_equal(read.err.code, ERR_CONFIG);
    assert_null(strstr(read.err.primary, "hunter2"));
    assert_null(strstr(read.err.detail, "hunter2"));
    assert_null(strstr(read.err.hint, "hunter2"));
    done(&read);
}

static void
the_string_of_the_azure_portal_is_read(void **state)
{
    struct read read = {0};
    (void)state;
    read_string(&read, CONNECTION_AXDB,
                "Server=tcp:sql01.database.windows.net,1433;Initial Catalog=AxDB;Persist Security "
                "Info=False;User ID=dwclean;Password=hunter2;MultipleActiveResultSets=False;"
                "Encrypt=True;TrustServerCertificate=False;Connection Timeout=30;");
    assert_true(read.ok);
    expect_option(&read, OPT_SERVER, "tcp:sql01.database.windows.net,1433");
    expect_option(&read, OPT_DATABASE, "AxDB");
    expect_option(&read, OPT_USER, "dwclean");
    expect_option(&read, OPT_ENCRYPT, "mandatory");
    expect_option(&read, OPT_LOGIN_TIMEOUT, "30");
    assert_int_equal(settings_get(&read.settings, OPT_TRUST, NULL)->number, 0);
    assert_true(settings_get(&read.settings, OPT_PASSWORD, NULL)->in_hand);
    assert_null(strstr(settings_get(&read.settings, OPT_PASSWORD, NULL)->text, "hunter2"));
    assert_string_equal(secret_reveal(&read.secret), "hunter2");
    done(&read);
}

static void
other_names_of_keys_and_words_are_known(void **state)
{
    struct read read = {0};
    (void)state;
    read_string(&read, CONNECTION_AXDB,
                " data source = sql01 ;DATABASE='Ax DB' ; Trusted_Connection=SSPI; encrypt=Strict;"
                "Trust Server Certificate=yes;Application Intent=readonly;;");
    assert_true(read.ok);
    expect_option(&read, OPT_SERVER, "sql01");
    expect_option(&read, OPT_DATABASE, "Ax DB");
    expect_option(&read, OPT_ENCRYPT, "strict");
    expect_option(&read, OPT_APPLICATION_INTENT, "ReadOnly");
    assert_int_equal(settings_get(&read.settings, OPT_INTEGRATED, NULL)->number, 1);
    assert_int_equal(settings_get(&read.settings, OPT_TRUST, NULL)->number, 1);
    assert_false(secret_is_set(&read.secret));
    done(&read);
}

static void
a_string_of_dataverse_is_told_from_one_of_axdb(void **state)
{
    static const char text[] = "AuthType=ClientSecret;Url=https://uat.crm4.dynamics.com;"
                               "ClientId=app-1;ClientSecret=hunter2;RequireNewInstance=true";
    struct read read = {0};
    (void)state;
    assert_int_equal(connection_string_kind(text), CONNECTION_DATAVERSE);
    assert_int_equal(connection_string_kind("Password='Url=x';Server=s"), CONNECTION_AXDB);
    assert_int_equal(connection_string_kind("ClientId=a;Service Uri=u"), CONNECTION_DATAVERSE);
    read_string(&read, CONNECTION_DATAVERSE, text);
    assert_true(read.ok);
    expect_option(&read, OPT_DATAVERSE_URL, "https://uat.crm4.dynamics.com");
    expect_option(&read, OPT_CLIENT_ID, "app-1");
    assert_string_equal(secret_reveal(&read.secret), "hunter2");
    done(&read);
}

static void
values_are_quoted_as_ado_net_does(void **state)
{
    (void)state;
    expect_password("Password=a=b==c", "a=b==c");
    expect_password("Password= a b ;Server=s", "a b");
    expect_password("Password=\" a;b=\"\"c\"\" \" ; Server=s", " a;b=\"c\" ");
    expect_password("Password='it''s \"x\"'", "it's \"x\"");
    expect_password("Password=a'b\"c", "a'b\"c");
    expect_password("PWD=\"'\"", "'");
}

static void
a_wrong_form_is_an_error_without_a_value(void **state)
{
    static const char *const texts[] = {"hunter2",  "Password=\"hunter2", "Password='hunter2'x",
                                        "=hunter2", "Server=s;hunter2",   "Password==hunter2"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_fault(CONNECTION_AXDB, texts[i], "the connection string");
}

static void
an_unknown_key_and_a_bad_value_are_named_without_the_value(void **state)
{
    (void)state;
    expect_fault(CONNECTION_AXDB, "AttachDbFilename=hunter2", "attachdbfilename");
    expect_fault(CONNECTION_AXDB, "Url=hunter2", "url");
    expect_fault(CONNECTION_DATAVERSE, "Server=hunter2", "server");
    expect_fault(CONNECTION_AXDB, "Encrypt=hunter2", "the value of encrypt");
    expect_fault(CONNECTION_AXDB, "Connect Timeout=hunter2", "the value of connecttimeout");
    expect_fault(CONNECTION_AXDB, "Server=s;Data Source=hunter2", "another name of it");
    expect_fault(CONNECTION_AXDB, "Password=hunter2;Pwd=hunter2", "comes twice");
}

static void
ways_to_sign_in_that_are_not_there_are_refused(void **state)
{
    (void)state;
    expect_fault(CONNECTION_AXDB, "Authentication=Active Directory Password", "SqlPassword");
    expect_fault(CONNECTION_DATAVERSE, "AuthType=OAuth;Password=hunter2", "AuthType");
    expect_fault(CONNECTION_DATAVERSE, "AuthType=ClientSecret;Password=hunter2", "password");
    expect_fault(CONNECTION_DATAVERSE, "AuthType=ClientSecret;Thumbprint=hunter2",
                 "--client-certificate");
}

static void
any_cut_of_a_string_ends_well(void **state)
{
    static const char text[] =
        "Server=\"a\"\"b\";User ID='c''d' ;Password=\"x;=\" ; Encrypt = no;;";
    (void)state;
    for (size_t from = 0; from < sizeof(text); from++) {
        for (size_t to = from; to < sizeof(text); to++) {
            struct read read = {0};
            char *cut = strndup(text + from, to - from);
            assert_non_null(cut);
            (void)connection_string_kind(cut);
            read_string(&read, CONNECTION_AXDB, cut);
            free(cut);
            done(&read);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_string_of_the_azure_portal_is_read),
        cmocka_unit_test(other_names_of_keys_and_words_are_known),
        cmocka_unit_test(a_string_of_dataverse_is_told_from_one_of_axdb),
        cmocka_unit_test(values_are_quoted_as_ado_net_does),
        cmocka_unit_test(a_wrong_form_is_an_error_without_a_value),
        cmocka_unit_test(an_unknown_key_and_a_bad_value_are_named_without_the_value),
        cmocka_unit_test(ways_to_sign_in_that_are_not_there_are_refused),
        cmocka_unit_test(any_cut_of_a_string_ends_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
