#include "base/arena.h"
#include "config/sign_in.h"
#include "test.h"

#include <string.h>

static struct settings settings;

static int
set_up(void **state)
{
    (void)state;
    settings = (struct settings){.arena = arena_new((size_t)1024 * 1024)};
    return settings.arena ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(settings.arena);
    return 0;
}

static void
put(enum config_rank rank, enum option_id id, const char *text)
{
    const struct settings_origin origin = {rank, ERR_CONFIG, "source"};
    struct err err = {0};

    if (!settings_put(&settings, option_spec(id), text, &origin, &err))
        fail_msg("%s", err.primary);
}

static void
expect(enum sign_in_kind kind, enum option_id option)
{
    struct sign_in found = {.option = OPTIONS};
    struct err err = {0};

    if (!sign_in_choose(&settings, "", &found, &err))
        fail_msg("%s | %s", err.primary, err.hint);
    assert_int_equal(found.kind, kind);
    assert_int_equal(found.option, option);
}

static struct err
expect_fault(enum err_code code, const char *why)
{
    struct sign_in found;
    struct err err = {0};

    if (sign_in_choose(&settings, "do without", &found, &err))
        fail_msg("%s was chosen", sign_in_name(found.kind));
    assert_int_equal(err.code, code);
    if (!strstr(err.primary, why))
        fail_msg("\"%s\" does not say: %s", err.primary, why);
    return err;
}

static void
nothing_but_a_client_id_is_a_secret_that_is_asked_for(void **state)
{
    struct sign_in found = {.source = "x"};
    struct err err;

    (void)state;
    err = expect_fault(ERR_USAGE, "--client-id is missing");
    assert_non_null(strstr(err.hint, "or do without"));
    put(RANK_DEFAULTS, OPT_CLIENT_ID, "c");
    assert_true(sign_in_choose(&settings, "", &found, &err));
    assert_int_equal(found.kind, SIGN_IN_SECRET);
    assert_null(found.source);
}

static void
the_stronger_source_decides(void **state)
{
    (void)state;
    put(RANK_DEFAULTS, OPT_TOKEN_FILE, "f");
    expect(SIGN_IN_TOKEN_FILE, OPT_TOKEN_FILE);
    put(RANK_SECTION, OPT_MANAGED_IDENTITY, "yes");
    expect(SIGN_IN_IDENTITY, OPT_MANAGED_IDENTITY);
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_ID, "c");
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_CERTIFICATE, "f");
    expect(SIGN_IN_CERTIFICATE, OPT_CLIENT_CERTIFICATE);
    put(RANK_VARIABLE, OPT_TOKEN, "DWCLEAN_TOKEN");
    expect(SIGN_IN_TOKEN, OPT_TOKEN);
    put(RANK_ARGV, OPT_DEVICE_CODE, "yes");
    expect(SIGN_IN_DEVICE_CODE, OPT_DEVICE_CODE);
}

static void
a_flag_that_a_stronger_source_turns_off_is_off(void **state)
{
    (void)state;
    put(RANK_DEFAULTS, OPT_CLIENT_ID, "c");
    put(RANK_DEFAULTS, OPT_MANAGED_IDENTITY, "yes");
    put(RANK_SECTION, OPT_MANAGED_IDENTITY, "no");
    expect(SIGN_IN_SECRET, OPTIONS);
}

static void
two_of_one_source_contradict_each_other(void **state)
{
    static const enum config_rank ranks[] = {RANK_DEFAULTS, RANK_SECTION, RANK_VARIABLE};

    (void)state;
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        put(ranks[i], OPT_TOKEN_COMMAND, "true");
        put(ranks[i], OPT_CLIENT_SECRET_FILE, "f");
        (void)expect_fault(ERR_CONFIG, "exclude each other");
    }
    put(RANK_ARGV, OPT_TOKEN_COMMAND, "true");
    expect(SIGN_IN_COMMAND, OPT_TOKEN_COMMAND);
    put(RANK_ARGV, OPT_CLIENT_SECRET_COMMAND, "true");
    (void)expect_fault(ERR_USAGE, "--client-secret-command and --token-command exclude each other");
}

static void
of_azure_identitys_variables_the_first_counts(void **state)
{
    (void)state;
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_ID, "c");
    put(RANK_TOOL_VARIABLE, OPT_IDENTITY_ENDPOINT, "http://127.0.0.1/");
    expect(SIGN_IN_SECRET, OPTIONS); /* without the header it is another platform's */
    put(RANK_TOOL_VARIABLE, OPT_IDENTITY_HEADER, "IDENTITY_HEADER");
    expect(SIGN_IN_IDENTITY, OPTIONS);
    put(RANK_TOOL_VARIABLE, OPT_FEDERATED_TOKEN_FILE, "f");
    expect(SIGN_IN_FEDERATED, OPT_FEDERATED_TOKEN_FILE);
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_CERTIFICATE, "f");
    expect(SIGN_IN_CERTIFICATE, OPT_CLIENT_CERTIFICATE);
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_SECRET, "AZURE_CLIENT_SECRET");
    expect(SIGN_IN_SECRET, OPT_CLIENT_SECRET);
}

static void
azure_token_credentials_chooses_a_part_of_the_chain(void **state)
{
    static const struct {
        const char *value;
        enum sign_in_kind kind;
    } cases[] = {
        {"prod", SIGN_IN_SECRET},
        {"EnvironmentCredential", SIGN_IN_SECRET},
        {"workloadidentitycredential", SIGN_IN_FEDERATED},
        {"ManagedIdentityCredential", SIGN_IN_IDENTITY},
        {"DEV", SIGN_IN_COMMAND},
        {"AzureCliCredential", SIGN_IN_COMMAND},
    };
    struct sign_in found;
    struct err err = {0};

    (void)state;
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_ID, "c");
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_SECRET, "AZURE_CLIENT_SECRET");
    put(RANK_TOOL_VARIABLE, OPT_FEDERATED_TOKEN_FILE, "f");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(RANK_TOOL_VARIABLE, OPT_TOKEN_CREDENTIALS, cases[i].value);
        if (!sign_in_choose(&settings, "", &found, &err) || found.kind != cases[i].kind)
            fail_msg("%s: %d %s", cases[i].value, (int)found.kind, err.primary);
    }
    assert_non_null(strstr(found.command, "az account get-access-token"));
    put(RANK_TOOL_VARIABLE, OPT_TOKEN_CREDENTIALS, "VisualStudioCredential");
    (void)expect_fault(ERR_CONFIG, "not known: VisualStudioCredential");
    put(RANK_ARGV, OPT_TOKEN_FILE, "f");
    (void)expect_fault(ERR_CONFIG, "not known"); /* a slip is told all the same */
}

static void
a_credential_without_its_variables_is_told(void **state)
{
    (void)state;
    put(RANK_TOOL_VARIABLE, OPT_CLIENT_ID, "c");
    put(RANK_TOOL_VARIABLE, OPT_TOKEN_CREDENTIALS, "WorkloadIdentityCredential");
    (void)expect_fault(ERR_CONFIG, "its variables are not set");
    put(RANK_VARIABLE, OPT_CLIENT_SECRET_FILE, "f"); /* what is explicit needs no chain */
    expect(SIGN_IN_SECRET, OPT_CLIENT_SECRET_FILE);
}

static void
a_command_that_cannot_be_split_is_told_before_anything_else(void **state)
{
    (void)state;
    put(RANK_ARGV, OPT_TOKEN_COMMAND, "az 'account");
    (void)expect_fault(ERR_USAGE, "a quote");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_but_a_client_id_is_a_secret_that_is_asked_for),
        TEST(the_stronger_source_decides),
        TEST(a_flag_that_a_stronger_source_turns_off_is_off),
        TEST(two_of_one_source_contradict_each_other),
        TEST(of_azure_identitys_variables_the_first_counts),
        TEST(azure_token_credentials_chooses_a_part_of_the_chain),
        TEST(a_credential_without_its_variables_is_told),
        TEST(a_command_that_cannot_be_split_is_told_before_anything_else),
    };

    return cmocka_run_group_tests_name("config/sign_in", tests, NULL, NULL);
}
