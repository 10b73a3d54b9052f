/**
 * The ways to sign in to a Dataverse environment that need no client secret: that each works, is
 * used again when the token's time is over and when the service says 401, and says why when not.
 */
#include "port/observer.h"
#include "runtime_sandbox.h"
#include "scratch.h"

#include <cjson/cJSON.h>

static char folder[PATH_MAX];

static int
make_folder(void **state)
{
    (void)state;
    scratch_make(folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/** No way at all; the test adds one. */
static struct dataverse_options
plain_options(void)
{
    struct dataverse_options options = right_options();

    options.client_secret = NULL;
    return options;
}

/** The "token" of an answer of the control interface, into `ret`. */
static void
issue(const char *path, const char *body, char ret[4096])
{
    TEXT_SCOPED answer = {0};
    cJSON *json;
    const cJSON *token;

    control("POST", path, body, &answer);
    json = cJSON_Parse(text_string(&answer));
    token = cJSON_GetObjectItemCaseSensitive(json, "token");
    assert_true(cJSON_IsString(token));
    (void)snprintf(ret, 4096, "%s", token ? token->valuestring : "");
    cJSON_Delete(json);
}

static void
write_private(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text));
    assert_int_equal(chmod(path, 0600), 0);
}

/** Write a fresh token or assertion into `name`. */
static const char *
put_fresh(const char *source, const char *name, char path[PATH_MAX])
{
    char token[4096];

    issue(source, "{}", token);
    (void)scratch_path(folder, name, path);
    write_private(path, token);
    return path;
}

static void
expect_rows(void)
{
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

/** Signs in, and again when the service no longer takes the token, and when its time is over. */
static void
expect_renewal(const struct dataverse_options *options, const char *counted)
{
    int before;

    set("{\"token_life_seconds\":3}");
    open_store_with(options);
    expect_rows();
    before = count_in_log(counted);
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    expect_rows();
    assert_true(count_in_log(counted) > before);
    before = count_in_log(counted);
    clock_sleep_ms(2600); /* more than 80 % */
    expect_rows();
    assert_true(count_in_log(counted) > before);
}

static void
a_federated_token_is_read_anew(void **state)
{
    char path[PATH_MAX];
    struct dataverse_options options = plain_options();

    (void)state;
    options.federated_token_file = put_fresh("/dataverse/federated", "federated", path);
    assert_int_equal(chmod(path, 0644), 0);
    expect_renewal(&options, "\"result\":\"issued\"");
    scratch_write(path, "e30.e30.c2ln", 12);
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    assert_non_null(strstr(expect_no_observation(ERR_SIGNIN).detail, "AADSTS"));
    (void)put_fresh("/dataverse/federated", "federated", path);
    expect_rows();
}

static void
each_fault_of_a_federated_token_has_its_hint(void **state)
{
    static const struct {
        const char *claims, *code, *hint;
    } cases[] = {
        {"{\"iss\":\"https://oidc.other.test/\"}", "AADSTS700211", "issuer"},
        {"{\"sub\":\"x\"}", "AADSTS700213", "subject"},
        {"{\"aud\":\"x\"}", "AADSTS700212", "audience"},
        {"{\"forged\":true}", "AADSTS700027", ""},
    };
    struct dataverse_options options = plain_options();
    char path[PATH_MAX], token[4096];

    (void)state;
    options.federated_token_file = scratch_path(folder, "bad", path);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err;

        issue("/dataverse/federated", cases[i].claims, token);
        write_private(path, token);
        err = expect_no_connection(&options, ERR_SIGNIN);
        assert_non_null(strstr(err.detail, cases[i].code));
        assert_non_null(strstr(err.hint, cases[i].hint));
        assert_null(strstr(err.detail, token));
        dataverse_server_free(server);
        server = NULL;
    }
}

static void
the_identity_of_the_machine_signs_in(void **state)
{
    struct dataverse_options options = plain_options();

    (void)state;
    options.client_id = NULL;
    options.managed_identity = true;
    options.imds_origin = variable("SANDBOX_IDENTITY");
    set("{\"token_life_seconds\":3}");
    open_store_with(&options);
    expect_rows();
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    expect_rows();
    clock_sleep_ms(2600);
    expect_rows();
    assert_int_equal(count_in_log("\"endpoint\":\"imds\",\"result\":\"issued\""), 3);
    assert_int_equal(count_in_log("\"kind\":\"token\""), 0); /* nobody else was asked */
}

static void
the_identity_of_the_app_signs_in(void **state)
{
    struct dataverse_options options = plain_options();
    struct secret header = {0};
    const char *text = variable("SANDBOX_IDENTITY_HEADER");
    char endpoint[128];
    struct err err = {0};

    (void)state;
    (void)snprintf(endpoint, sizeof endpoint, "%s/msi/token", variable("SANDBOX_IDENTITY"));
    expect(secret_set(&header, text, strlen(text), &err), &err);
    options.managed_identity = true;
    options.identity_endpoint = endpoint;
    options.identity_header = &header;
    open_store_with(&options);
    expect_rows();
    assert_int_equal(count_in_log("\"endpoint\":\"app-service\",\"result\":\"issued\""), 1);
    secret_wipe(&header);
}

static void
an_identity_endpoint_that_nobody_answers_is_given_up_soon(void **state)
{
    struct dataverse_options options = plain_options();
    const int64_t began_ms = clock_monotonic_ms();
    struct err err;

    (void)state;
    options.managed_identity = true;
    options.imds_origin = "http://127.0.0.1:1";
    err = expect_no_connection(&options, ERR_CONNECT);
    assert_non_null(strstr(err.hint, "no identity endpoint here"));
    assert_true(clock_monotonic_ms() - began_ms < 10000);
}

static void
a_token_command_is_asked_again(void **state)
{
    char path[PATH_MAX], script[PATH_MAX], text[PATH_MAX], command[3 * PATH_MAX];
    struct dataverse_options options = plain_options();
    size_t calls_bytes = 0;

    (void)state;
    set("{\"token_life_seconds\":3}");
    (void)put_fresh("/dataverse/tokens", "token", path);
    (void)scratch_path(folder, "calls", text);
    (void)snprintf(command, sizeof command, "echo x >>%s; cat %s\n", text, path);
    (void)scratch_path(folder, "script", script);
    write_private(script, command);
    (void)snprintf(command, sizeof command, "sh '%s' {resource}", script);
    options.client_id = NULL;
    options.token_command = command;
    open_store_with(&options);
    expect_rows();
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    (void)put_fresh("/dataverse/tokens", "token", path);
    expect_rows();
    clock_sleep_ms(2600);
    (void)put_fresh("/dataverse/tokens", "token", path);
    expect_rows();
    free(scratch_read(text, &calls_bytes));
    assert_int_equal(calls_bytes, 6); /* "x\n" three times */
    assert_int_equal(count_in_log("oauth2"), 0);
}

static void
a_token_file_is_read_again(void **state)
{
    char path[PATH_MAX];
    struct dataverse_options options = plain_options();
    struct err err;

    (void)state;
    options.client_id = NULL;
    set("{\"token_life_seconds\":2}");
    options.token_file = put_fresh("/dataverse/tokens", "token", path);
    open_store_with(&options);
    expect_rows();
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    (void)expect_no_observation(ERR_SIGNIN); /* the same token is refused twice */
    set("{\"token_life_seconds\":2}");
    (void)put_fresh("/dataverse/tokens", "token", path);
    expect_rows();
    clock_sleep_ms(2100);
    err = expect_no_observation(ERR_SIGNIN);
    assert_non_null(strstr(err.primary, "has expired at 20"));
    assert_non_null(strstr(err.primary, path));
    assert_int_equal(chmod(path, 0644), 0);
    err = expect_no_observation(ERR_CONFIG);
    assert_non_null(strstr(err.primary, "others may use"));
}

/* ---- device code ---- */

static struct {
    char text[600];
    const char *decision; /* what the person does at once; NULL = nothing */
} shown;

static void
show(struct observer *observer, enum log_level level, const char *text)
{
    (void)observer;
    if (level != LOG_LEVEL_NOTICE)
        return;
    (void)snprintf(shown.text, sizeof shown.text, "%s", text);
    if (shown.decision)
        control("POST", shown.decision, "", NULL);
}

static void
show_no_progress(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    (void)observer;
    (void)what;
    (void)done;
    (void)total;
}

static struct dataverse_options
device_options(const char *decision)
{
    static struct observer observer = {.say = show, .progress = show_no_progress};
    struct dataverse_options options = plain_options();

    shown.text[0] = '\0';
    shown.decision = decision;
    options.device_code = true;
    options.observer = &observer;
    return options;
}

static void
a_person_enters_a_code_once_for_all_connections(void **state)
{
    const struct dataverse_options options = device_options("/dataverse/device?approve");
    struct err err = {0};

    (void)state;
    open_store_with(&options);
    assert_non_null(strstr(shown.text, "SANDBOX01"));
    expect_rows();
    store->ops->close(store);
    store = NULL;
    shown.text[0] = '\0';
    expect(server->connect(server, &store, &err), &err);
    expect_rows();
    assert_string_equal(shown.text, "");
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    expect_rows();
    assert_non_null(strstr(shown.text, "SANDBOX01")); /* the token is over: a new code */
}

static void
a_declined_code_and_one_that_nobody_enters_are_sign_in_errors(void **state)
{
    struct dataverse_options options = device_options("/dataverse/device?decline");
    struct err err;

    (void)state;
    err = expect_no_connection(&options, ERR_SIGNIN);
    assert_non_null(strstr(err.primary, "declined"));
    dataverse_server_free(server);
    server = NULL;
    set("{\"device_seconds\":3}");
    options = device_options(NULL);
    err = expect_no_connection(&options, ERR_SIGNIN);
    assert_non_null(strstr(err.primary, "expired"));
}

static void
two_ways_exclude_each_other(void **state)
{
    struct dataverse_options options = right_options();
    struct err err = {0};

    (void)state;
    options.token_command = "true";
    assert_false(dataverse_server_new(&options, &server, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.primary, "client secret and token command"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_federated_token_is_read_anew),
        TEST(each_fault_of_a_federated_token_has_its_hint),
        TEST(the_identity_of_the_machine_signs_in),
        TEST(the_identity_of_the_app_signs_in),
        TEST(an_identity_endpoint_that_nobody_answers_is_given_up_soon),
        TEST(a_token_command_is_asked_again),
        TEST(a_token_file_is_read_again),
        TEST(a_person_enters_a_code_once_for_all_connections),
        TEST(a_declined_code_and_one_that_nobody_enters_are_sign_in_errors),
        TEST(two_ways_exclude_each_other),
    };

    return cmocka_run_group_tests_name("runtime_sign_in", tests, make_folder, remove_folder);
}
