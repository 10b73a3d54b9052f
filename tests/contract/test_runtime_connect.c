/**
 * Signing in to a Dataverse environment.
 */
#include "runtime_sandbox.h"
#include "scratch.h"

static void
a_wrong_secret_is_a_sign_in_error(void **state)
{
    struct dataverse_options options = right_options();
    struct secret wrong = {0};
    struct err err = {0};

    (void)state;
    expect(secret_set(&wrong, "Wrong~Secret", 12, &err), &err);
    options.client_secret = &wrong;
    err = expect_no_connection(&options, ERR_SIGNIN);
    secret_wipe(&wrong);
    assert_non_null(strstr(err.detail, "AADSTS7000215"));
    assert_non_null(strstr(err.hint, "secret is wrong"));
    assert_null(strstr(err.detail, "Wrong~Secret"));
}

static void
no_secret_at_all_is_a_sign_in_error(void **state)
{
    struct dataverse_options options = right_options();

    (void)state;
    options.client_secret = NULL;
    (void)expect_no_connection(&options, ERR_SIGNIN);
}

static void
a_client_without_an_id_is_a_sign_in_error(void **state)
{
    struct dataverse_options options = right_options();

    (void)state;
    options.client_id = "";
    (void)expect_no_connection(&options, ERR_SIGNIN);
    assert_int_equal(count_in_log("oauth2"), 0);
}

static void
a_secret_is_not_sent_to_an_authority_that_is_not_allowed(void **state)
{
    static const char *const only_the_number[] = {"127.0.0.1"};
    struct dataverse_options options = right_options();
    const char *port = strrchr(options.url, ':');
    char url[64];

    (void)state;
    assert_non_null(port);
    (void)snprintf(url, sizeof url, "https://127.0.0.1%s", port ? port : "");
    options.url = url;
    options.allow_hosts = only_the_number;
    (void)expect_no_connection(&options, ERR_SIGNIN); /* the challenge names localhost */
    assert_int_equal(count_in_log("\"kind\":\"token\""), 0);
    assert_int_equal(count_in_log("oauth2"), 0);
}

static void
tenant_and_authority_can_be_named(void **state)
{
    struct dataverse_options options = right_options();
    struct err err = {0};

    (void)state;
    options.tenant = variable("SANDBOX_TENANT");
    options.authority = variable("SANDBOX_AUTHORITY");
    expect(dataverse_server_new(&options, &server, &err), &err);
    expect(server->connect(server, &store, &err), &err);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

/** One file of two. */
static void
join_files(const char *first, const char *second, const char *path)
{
    const char *const from[] = {first, second};
    TEXT_SCOPED joined = {0};

    for (size_t i = 0; i < 2; i++) {
        size_t size = 0;
        char *bytes = scratch_read(from[i], &size);

        text_append_bytes(&joined, bytes, size);
        free(bytes);
    }
    scratch_write(path, text_string(&joined), strlen(text_string(&joined)));
}

static struct dataverse_options
certificate_options(const char *path)
{
    struct dataverse_options options = right_options();

    options.client_secret = NULL;
    options.certificate_file = path;
    return options;
}

static void
a_certificate_signs_in_again_and_again(void **state)
{
    char folder[PATH_MAX], path[PATH_MAX] = "";
    const struct dataverse_options options = certificate_options(path);

    (void)state;
    scratch_make(folder);
    (void)scratch_path(folder, "client.pem", path);
    join_files(variable("SANDBOX_CLIENT_KEY"), variable("SANDBOX_CLIENT_CERTIFICATE"), path);
    fault("{\"at\":\"dv.token\",\"times\":1,\"do\":\"error\",\"arg\":429}");
    open_store_with(&options);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
    assert_int_equal(count_in_log("\"result\":\"issued\""), 2);
    scratch_remove(folder);
}

static void
a_certificate_that_is_not_registered_is_a_sign_in_error(void **state)
{
    char folder[PATH_MAX], path[PATH_MAX] = "", key[PATH_MAX], certificate[PATH_MAX];
    const struct dataverse_options options = certificate_options(path);
    const char *slash = strrchr(options.ca_file, '/');
    const int size = slash ? (int)(slash - options.ca_file) : 0;
    struct err err;

    (void)state;
    (void)snprintf(key, sizeof key, "%.*s/self-signed.key", size, options.ca_file);
    (void)snprintf(certificate, sizeof certificate, "%.*s/self-signed.pem", size, options.ca_file);
    scratch_make(folder);
    (void)scratch_path(folder, "client.pem", path);
    join_files(key, certificate, path);
    err = expect_no_connection(&options, ERR_SIGNIN);
    assert_non_null(strstr(err.detail, "AADSTS700027"));
    assert_non_null(strstr(err.hint, "certificate is not registered"));
    scratch_remove(folder);
}

static void
a_certificate_file_without_a_key_sends_nothing(void **state)
{
    char folder[PATH_MAX], path[PATH_MAX] = "";
    const struct dataverse_options options = certificate_options(path);
    const char *certificate = variable("SANDBOX_CLIENT_CERTIFICATE");
    struct err err;

    (void)state;
    scratch_make(folder);
    (void)scratch_path(folder, "client.pem", path);
    join_files(certificate, certificate, path);
    err = expect_no_connection(&options, ERR_CONFIG);
    assert_non_null(strstr(err.primary, "no private key"));
    assert_int_equal(count_in_log("\"kind\":\"token\""), 0);
    dataverse_server_free(server);
    server = NULL;
    assert_int_equal(chmod(path, 0640), 0);
    err = expect_no_connection(&options, ERR_CONFIG);
    assert_non_null(strstr(err.primary, "others may use"));
    scratch_remove(folder);
}

static void
a_secret_beside_a_certificate_is_a_usage_error(void **state)
{
    struct dataverse_options options = right_options();
    struct err err = {0};

    (void)state;
    options.certificate_file = variable("SANDBOX_CLIENT_CERTIFICATE");
    assert_false(dataverse_server_new(&options, &server, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(server);
}

static void
a_server_of_another_authority_is_not_trusted(void **state)
{
    struct dataverse_options options = right_options();
    const char *slash = strrchr(options.ca_file, '/');
    char ca[4096];
    struct err err;

    (void)state;
    (void)snprintf(ca, sizeof ca, "%.*s/other-ca-root.pem",
                   slash ? (int)(slash - options.ca_file) : 0, options.ca_file);
    options.ca_file = ca;
    err = expect_no_connection(&options, ERR_TLS);
    assert_non_null(strstr(err.primary, "authority not known"));
    assert_int_equal(count_in_log("\"kind\":\"http\""), 0);
}

static void
a_ca_file_that_is_none_is_told(void **state)
{
    struct dataverse_options options = right_options();

    (void)state;
    options.ca_file = "/nonexistent/ca.pem";
    (void)expect_no_connection(&options, ERR_TLS);
}

static void
a_closed_port_and_an_unknown_name_are_connect_errors(void **state)
{
    static const char *const hosts[] = {"localhost", "nowhere.invalid"};
    struct dataverse_options options = right_options();
    struct err err;

    (void)state;
    options.url = "https://localhost:1";
    options.allow_hosts = hosts;
    options.allow_host_count = 2;
    err = expect_no_connection(&options, ERR_CONNECT);
    assert_non_null(strstr(err.primary, "localhost:1"));
    dataverse_server_free(server);
    server = NULL;
    options.url = "https://nowhere.invalid";
    (void)expect_no_connection(&options, ERR_CONNECT);
}

static void
a_host_that_is_not_allowed_is_not_dialled(void **state)
{
    struct dataverse_options options = right_options();
    struct err err = {0};

    (void)state;
    options.allow_host_count = 0;
    assert_false(dataverse_server_new(&options, &server, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_secret_is_a_sign_in_error),
        TEST(no_secret_at_all_is_a_sign_in_error),
        TEST(a_client_without_an_id_is_a_sign_in_error),
        TEST(a_secret_is_not_sent_to_an_authority_that_is_not_allowed),
        TEST(tenant_and_authority_can_be_named),
        TEST(a_certificate_signs_in_again_and_again),
        TEST(a_certificate_that_is_not_registered_is_a_sign_in_error),
        TEST(a_certificate_file_without_a_key_sends_nothing),
        TEST(a_secret_beside_a_certificate_is_a_usage_error),
        TEST(a_server_of_another_authority_is_not_trusted),
        TEST(a_ca_file_that_is_none_is_told),
        TEST(a_closed_port_and_an_unknown_name_are_connect_errors),
        TEST(a_host_that_is_not_allowed_is_not_dialled),
    };

    return cmocka_run_group_tests_name("runtime_connect", tests, NULL, NULL);
}
