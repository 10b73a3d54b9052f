/** The grants that ask no server, and where a managed identity may be asked for. */
#include "../../../src/dataverse/form.h"
#include "../../../src/dataverse/grant.h"
#include "../../../src/dataverse/outside_token.h"
#include "base/clock.h"
#include "test.h"

#include <string.h>

static const struct url_target target = {.host = "org.crm4.dynamics.com",
                                         .origin = "https://org.crm4.dynamics.com"};

static bool
refresh(const struct dataverse_options *options, struct token *token, struct err *err)
{
    const struct token_source source = {.options = options, .target = &target};

    return token_refresh(token, &source, NULL, err);
}

/** What this command gives must be a token, used for about `use_ms`. */
static void
expect_token(const char *command, const char *text, int64_t use_ms)
{
    const struct dataverse_options options = {.token_command = command};
    struct token token = {0};
    struct err err = {0};

    if (!refresh(&options, &token, &err))
        fail_msg("%s: %s", command, err.primary);
    assert_string_equal(secret_reveal(&token.bearer), text);
    assert_in_range(token.refresh_at_ms - clock_monotonic_ms() + 10000, use_ms, use_ms + 10000);
    token_done(&token);
}

static void
a_command_writes_a_line_a_text_or_an_object(void **state)
{
    char command[256];

    (void)state;
    expect_token("echo opaque", "opaque", 480000);
    expect_token("printf '\\n  opaque \\r\\nmore\\n'", "opaque", 480000);
    expect_token("echo '\"opaque\"'", "opaque", 480000);
    expect_token("echo '{\"accessToken\":\"opaque\"}'", "opaque", 480000);
    expect_token("echo '{\"access_token\":\"opaque\",\"expires_on\":\"x\"}'", "opaque", 480000);
    (void)snprintf(command, sizeof command,
                   "echo '{\"accessToken\":\"opaque\",\"expires_on\":%lld}'",
                   (long long)clock_utc_ms() / 1000 + 3600);
    expect_token(command, "opaque", 2880000);
    expect_token("printf %s {resource}", "https://org.crm4.dynamics.com", 480000);
}

static void
what_a_command_writes_may_be_no_token(void **state)
{
    static const char *const commands[] = {"echo '{\"token\":\"a\"}'",   "echo '{'",
                                           "echo '{\"accessToken\":5}'", "echo '\"\"'",
                                           "printf ' \\n\\n '",          "echo '\"two words\"'"};

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct dataverse_options options = {.token_command = commands[i]};
        struct token token = {0};
        struct err err = {0};

        if (refresh(&options, &token, &err))
            fail_msg("%s gave a token", commands[i]);
        assert_int_equal(err.code, ERR_SIGNIN);
        assert_false(secret_is_set(&token.bearer));
    }
}

static void
a_token_that_cannot_be_renewed_is_used_to_its_end(void **state)
{
    /* {"exp":4000000000} */
    static const char text[] = "e30.eyJleHAiOjQwMDAwMDAwMDB9.c2ln";
    struct secret given = {.bytes = (char[]){"e30.eyJleHAiOjQwMDAwMDAwMDB9.c2ln"},
                           .size = sizeof text - 1};
    const struct dataverse_options options = {.token = &given};
    struct token token = {0};
    struct err err = {0};

    (void)state;
    assert_true(refresh(&options, &token, &err));
    assert_string_equal(secret_reveal(&token.bearer), text);
    assert_true(token.refresh_at_ms - clock_monotonic_ms() > INT64_C(29) * 24 * 3600 * 1000);
    token_done(&token);
}

static void
a_token_for_another_environment_is_not_taken(void **state)
{
    static const struct outside_origin origin = {.what = "the token", .hint = "Ask anew."};
    static const struct {
        const char *text;
        bool taken;
    } cases[] = {
        /* https://org.crm4.dynamics.com, with slash, with .api., an id, another organization */
        {"e30.eyJhdWQiOiJodHRwczovL29yZy5jcm00LmR5bmFtaWNzLmNvbSJ9.s", true},
        {"e30.eyJhdWQiOiJodHRwczovL29yZy5jcm00LmR5bmFtaWNzLmNvbS8ifQ.s", true},
        {"e30.eyJhdWQiOiJodHRwczovL29yZy5hcGkuY3JtNC5keW5hbWljcy5jb20ifQ.s", true},
        {"e30.eyJhdWQiOiIwMDAwMDAwNy0wMDAwLTAwMDAtYzAwMC0wMDAwMDAwMDAwMDAifQ.s", true},
        {"e30.eyJhdWQiOiJodHRwczovL290aGVyLmNybTQuZHluYW1pY3MuY29tIn0.s", false},
    };
    const struct dataverse_options options = {.token_command = "unused"};
    const struct token_source source = {.options = &options, .target = &target};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = {0};
        struct err err = {0};

        if (outside_token_take(cases[i].text, &origin, &source, &token, &err) != cases[i].taken)
            fail_msg("%zu: %s", i, err.primary);
        token_done(&token);
    }
}

static void
a_managed_identity_is_asked_for_on_this_machine_only(void **state)
{
    static const char *const local[] = {
        "http://127.0.0.1:41741/MSI/token/",
        "http://localhost:42356/msi/token",
        "http://169.254.129.2:8081/msi/token",
        "http://172.16.1.3:8081/msi/token",
        "http://172.31.255.255/",
        "http://[::1]:1/",
    };
    static const char *const other[] = {
        "",
        "x",
        "https://127.0.0.1/msi/token",
        "http://172.15.255.255/",
        "http://172.32.0.1/",
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://169.253.1.1/",
        "http://100.64.100.2/msi/token",
        "http://8.8.8.8/",
        "http://identity.example/",
        "http://127.0.0.1.example/",
        "http://localhost.example/",
        "http://localhost@example.com/",
        "http://user@127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    };

    (void)state;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if (!grant_identity_is_local(local[i]))
            fail_msg("%s was refused", local[i]);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        if (grant_identity_is_local(other[i]))
            fail_msg("%s was accepted", other[i]);
}

static void
a_form_is_encoded_and_leaves_out_what_is_not_there(void **state)
{
    static const struct form_field fields[] = {
        {"none", NULL}, {"a", "x y&z=%"}, {"no", NULL}, {"b", "-._~\xc3\xa4"}, {"c", ""}};
    SECRET_SCOPED form = {0};
    struct err err = {0};

    (void)state;
    assert_true(form_write(fields, sizeof fields / sizeof fields[0], &form, &err));
    assert_string_equal(secret_reveal(&form), "a=x%20y%26z%3D%25&b=-._~%C3%A4&c=");
    assert_int_equal(form.size, strlen(secret_reveal(&form)));
    assert_true(form_write(NULL, 0, &form, &err));
    assert_string_equal(secret_reveal(&form), "");
}

static void
an_answer_says_until_when_in_either_form(void **state)
{
    char body[256];
    struct token token = {0};
    struct err err = {0};

    (void)state;
    (void)snprintf(body, sizeof body, "{\"access_token\":\"t\",\"expires_on\":\"%lld\"}",
                   (long long)clock_utc_ms() / 1000 + 3600);
    assert_true(token_reply_parse(slice_of_string(body), &token, &err));
    assert_in_range(token.refresh_at_ms - clock_monotonic_ms(), 2870000, 2881000);
    assert_true(token_reply_parse(slice_of_string("{\"access_token\":\"t\",\"expires_on\":5}"),
                                  &token, &err));
    assert_in_range(token.refresh_at_ms - clock_monotonic_ms(), 470000, 480000);
    token_done(&token);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_writes_a_line_a_text_or_an_object),
        cmocka_unit_test(what_a_command_writes_may_be_no_token),
        cmocka_unit_test(a_token_that_cannot_be_renewed_is_used_to_its_end),
        cmocka_unit_test(a_token_for_another_environment_is_not_taken),
        cmocka_unit_test(a_managed_identity_is_asked_for_on_this_machine_only),
        cmocka_unit_test(a_form_is_encoded_and_leaves_out_what_is_not_there),
        cmocka_unit_test(an_answer_says_until_when_in_either_form),
    };

    return cmocka_run_group_tests_name("dataverse/grants", tests, NULL, NULL);
}
