#include "../../../src/dataverse/authority.h"
#include "../../../src/dataverse/grant.h"
#include "../../../src/dataverse/refusal.h"
#include "../../../src/dataverse/token.h"
#include "base/clock.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static void
a_challenge_is_read_in_all_its_forms(void **state)
{
    static const char *const good[] = {
        "Bearer authorization_uri=https://login.example/T/oauth2/authorize, "
        "resource_id=https://org.example/",
        "Bearer resource_id=https://org.example/, "
        "authorization_uri=https://login.example/T/oauth2/authorize",
        "Bearer authorization_uri=\"https://login.example/T/oauth2/authorize\"",
        "bearer realm=\"x\",Authorization_URI=\"https://login.example/T/oauth2/authorize\"",
    };
    char uri[HTTP_CHALLENGE_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(authority_challenge_parse(good[i], uri, sizeof uri));
        assert_string_equal(uri, "https://login.example/T/oauth2/authorize");
    }
}

static void
a_challenge_without_an_authority_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "Bearer",
        "Bearer realm=x",
        "Bearer authorization_uri=",
        "Bearer authorization_uri=\"\"",
        "Negotiate authorization_uri=https://login.example/",
        "Bearer xauthorization_uri=https://login.example/",
    };
    char uri[HTTP_CHALLENGE_BYTES] = "kept";
    char small[8];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(authority_challenge_parse(bad[i], uri, sizeof uri));
    assert_string_equal(uri, "kept");
    assert_false(
        authority_challenge_parse("Bearer authorization_uri=https://x/", small, sizeof small));
}

static void
a_token_is_used_for_most_of_its_life(void **state)
{
    (void)state;
    assert_int_equal(token_use_ms(3600), 2880000);
    assert_int_equal(token_use_ms(1200), 900000); /* five minutes before its end come first */
    assert_int_equal(token_use_ms(601), 301000);
    assert_int_equal(token_use_ms(600), 480000);
    assert_int_equal(token_use_ms(10), 8000);
}

static bool
parse_reply(const char *text, struct token *token, struct err *err)
{
    return token_reply_parse(slice_of_string(text), token, err);
}

static void
a_token_reply_is_read(void **state)
{
    struct token token = {0};
    struct err err = {0};

    (void)state;
    assert_true(token_is_due(&token));
    assert_true(parse_reply("{\"token_type\":\"Bearer\",\"expires_in\":3600,"
                            "\"access_token\":\"abc.def-_\"}",
                            &token, &err));
    assert_string_equal(secret_reveal(&token.bearer), "abc.def-_");
    assert_false(token_is_due(&token));
    assert_in_range(token.refresh_at_ms - clock_monotonic_ms(), 2870000, 2880000);
    assert_true(parse_reply("{\"expires_in\":\"100\",\"access_token\":\"t\"}", &token, &err));
    assert_in_range(token.refresh_at_ms - clock_monotonic_ms(), 70000, 80000);
    token_done(&token);
    assert_true(token_is_due(&token));
}

static void
a_reply_without_a_usable_token_is_an_error(void **state)
{
    static const char *const bad[] = {
        "",
        "<html>",
        "{}",
        "{\"access_token\":\"\"}",
        "{\"access_token\":5}",
        "{\"access_token\":\"a b\"}",
        "{\"access_token\":\"a\\r\\nX: y\"}",
        "{\"access_token\":\"a\",\"token_type\":\"mac\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct token token = {0};
        struct err err = {0};

        if (parse_reply(bad[i], &token, &err))
            fail_msg("%s was taken for a token", bad[i]);
        assert_int_equal(err.code, ERR_SERVER);
    }
}

static const char *
hint_for(const char *body, struct err *err)
{
    static char hint[512];
    struct secret secret = {.bytes = (char[]){"S3cr3t~value"}, .size = 12};
    const struct dataverse_options options = {.client_id = "c", .client_secret = &secret};
    const struct token_source source = {.options = &options};
    struct http_answer answer = {.status = 401, .body = slice_of_string(body)};

    assert_false(refusal_judge(&answer, &source, err));
    (void)snprintf(hint, sizeof hint, "%s", err->hint);
    return hint;
}

static void
a_refusal_gets_the_hint_of_its_code(void **state)
{
    struct err err = {0};

    (void)state;
    assert_non_null(strstr(hint_for("{\"error\":\"invalid_client\",\"error_description\":"
                                    "\"AADSTS7000215: Invalid client secret provided.\\r\\nTrace\","
                                    "\"error_codes\":[7000215]}",
                                    &err),
                           "secret is wrong"));
    assert_int_equal(err.code, ERR_SIGNIN);
    assert_string_equal(err.primary, "the sign-in server refused the client: invalid_client");
    assert_non_null(strstr(err.detail, "AADSTS7000215: Invalid client secret provided.  Trace"));
    assert_non_null(
        strstr(hint_for("{\"error\":\"x\",\"error_codes\":[1,7000222]}", &err), "expired"));
    assert_non_null(
        strstr(hint_for("{\"error\":\"x\",\"error_codes\":\"7000222\"}", &err), "Check tenant"));
    assert_non_null(strstr(hint_for("<html>", &err), "no known form"));
}

static void
a_refusal_never_repeats_the_secret(void **state)
{
    struct err err = {0};

    (void)state;
    (void)hint_for("{\"error\":\"invalid_client\",\"error_description\":"
                   "\"the secret S3cr3t~value is wrong\",\"error_codes\":[7000215]}",
                   &err);
    assert_null(strstr(err.primary, "S3cr3t"));
    assert_null(strstr(err.detail, "S3cr3t"));
    assert_null(strstr(err.hint, "S3cr3t"));
}

static void
no_text_of_the_server_repeats_the_secret_in_any_form(void **state)
{
    static const char *const forms[] = {
        "S3cr3t~value",     "client_secret=S3cr3t%7Evalue&x=1",
        "S3cr3t%7evalue",   "%53%33%63%72%33%74%7E%76%61%6C%75%65",
        "S3cr3t%257Evalue", "100% of S3cr3t%7Evalue",
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char body[256];
        struct err err = {0};

        (void)snprintf(body, sizeof body,
                       "{\"error\":\"%s\",\"error_description\":\"bad: %s\",\"error_codes\":"
                       "[7000215]}",
                       forms[i], forms[i]);
        assert_non_null(strstr(hint_for(body, &err), "secret is wrong"));
        assert_string_equal(err.primary, "the sign-in server refused the client");
        assert_string_equal(err.detail, "HTTP 401; client request id ");
    }
}

static void
the_name_of_an_error_is_one_short_line(void **state)
{
    struct err err = {0};

    (void)state;
    (void)hint_for("{\"error\":\"a\\u001b[31mb\\n\"}", &err);
    assert_string_equal(err.primary, "the sign-in server refused the client: a [31mb ");
    (void)hint_for("{\"error\":\"12345678901234567890123456789012345678901234567890123456789"
                   "\xc3\xa4\"}",
                   &err);
    assert_string_equal(err.primary, "the sign-in server refused the client: "
                                     "12345678901234567890123456789012345678901234567890123456789");
}

static void
an_assertion_that_is_repeated_is_left_out(void **state)
{
    static const char body[] = "{\"error\":\"invalid_client\",\"error_description\":"
                               "\"AADSTS700027: assertion eyJhbGciOiJQUzI1NiJ9.e30.c2ln\","
                               "\"error_codes\":[700027]}";
    const struct dataverse_options options = {.client_id = "c", .certificate_file = "client.pem"};
    const struct token_source source = {.options = &options};
    const struct http_answer answer = {.status = 401, .body = slice_of_string(body)};
    struct err err = {0};

    (void)state;
    assert_false(refusal_judge(&answer, &source, &err));
    assert_int_equal(err.code, ERR_SIGNIN);
    assert_null(strstr(err.detail, "eyJ"));
    assert_non_null(strstr(err.hint, "certificate is not registered"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_challenge_is_read_in_all_its_forms),
        cmocka_unit_test(a_challenge_without_an_authority_is_none),
        cmocka_unit_test(a_token_is_used_for_most_of_its_life),
        cmocka_unit_test(a_token_reply_is_read),
        cmocka_unit_test(a_reply_without_a_usable_token_is_an_error),
        cmocka_unit_test(a_refusal_gets_the_hint_of_its_code),
        cmocka_unit_test(a_refusal_never_repeats_the_secret),
        cmocka_unit_test(no_text_of_the_server_repeats_the_secret_in_any_form),
        cmocka_unit_test(the_name_of_an_error_is_one_short_line),
        cmocka_unit_test(an_assertion_that_is_repeated_is_left_out),
    };

    return cmocka_run_group_tests_name("dataverse/token", tests, NULL, NULL);
}
