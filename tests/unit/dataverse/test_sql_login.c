/** SQL credentials out of an answer, and what is said when there are none. */
#include "../../../src/dataverse/sql_login.h"
#include "test.h"

#include <string.h>

static struct http_answer
answer_of(int status, const char *body)
{
    struct http_answer answer = {.status = status,
                                 .body = slice_of_string(body),
                                 .content_type = "application/json",
                                 .request_id = "request-1",
                                 .retry_after_s = -1};

    return answer;
}

#define NAMES                                                                                      \
    "\"servername\":\"s.database.windows.net\",\"databasename\":\"AxDB\",\"sqljitusername\":"      \
    "\"JIT-1\""

static void
an_answer_is_read(void **state)
{
    const struct http_answer answer =
        answer_of(200, "{" NAMES ",\"sqljitpassword\":\"pa\\\"ss\",\"sqljitexpiration\":"
                       "\"1970-01-02T00:00:01Z\",\"sqljitrole\":\"Reader\",\"ipaddress\":"
                       "\"203.0.113.7\",\"operationhistoryid\":\"op\",\"databasetype\":null}");
    struct axdb_grant grant = {.expires_utc_ms = -1};
    struct err err = {0};

    (void)state;
    assert_true(sql_login_parse(&answer, &grant, &err));
    assert_string_equal(grant.server, "s.database.windows.net");
    assert_string_equal(grant.database, "AxDB");
    assert_string_equal(grant.user, "JIT-1");
    assert_string_equal(secret_reveal(&grant.password), "pa\"ss");
    assert_string_equal(grant.role, "Reader");
    assert_string_equal(grant.operation, "op");
    assert_int_equal(grant.expires_utc_ms, 86401000);
    secret_wipe(&grant.password);
}

static void
an_answer_without_what_is_needed_is_none(void **state)
{
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"", "JSON"},
        {"<html>", "JSON"},
        {"{" NAMES "}", "sqljitpassword"},
        {"{" NAMES ",\"sqljitpassword\":\"\"}", "sqljitpassword"},
        {"{" NAMES ",\"sqljitpassword\":7}", "sqljitpassword"},
        {"{\"servername\":\"s\",\"sqljitusername\":\"u\",\"sqljitpassword\":\"canary-1\"}",
         "databasename"},
        {"{\"servername\":\"s\",\"databasename\":\"d\\u000a\",\"sqljitusername\":\"u\","
         "\"sqljitpassword\":\"canary-1\"}",
         "databasename"},
        {"{\"databasename\":\"d\",\"sqljitpassword\":\"canary-1\"}", "servername"},
        {"[]", "servername"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_answer answer = answer_of(200, cases[i].body);
        struct axdb_grant grant = {.expires_utc_ms = -1};
        struct err err = {0};

        assert_false(sql_login_parse(&answer, &grant, &err));
        assert_int_equal(err.code, ERR_SERVER);
        assert_non_null(strstr(err.primary, cases[i].says));
        assert_null(strstr(err.detail, "canary-1"));
        assert_int_equal(grant.expires_utc_ms, -1);
    }
}

static void
an_end_that_cannot_be_read_is_not_known(void **state)
{
    const struct http_answer answer =
        answer_of(200, "{" NAMES ",\"sqljitpassword\":\"p\",\"sqljitexpiration\":\"tomorrow\"}");
    struct axdb_grant grant = {.expires_utc_ms = -1};
    struct err err = {0};

    (void)state;
    assert_true(sql_login_parse(&answer, &grant, &err));
    assert_int_equal(grant.expires_utc_ms, 0);
    assert_string_equal(grant.role, "");
    secret_wipe(&grant.password);
}

static void
moments_are_read_with_their_zone(void **state)
{
    static const struct {
        const char *text;
        int64_t utc_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2000-03-01T00:00:00Z", INT64_C(951868800000)},
        {"2024-02-29T12:34:56.7891234Z", INT64_C(1709210096789)},
        {"2026-11-21T21:44:29+01:00", INT64_C(1795293869000)},
        {"2026-11-21T15:14:29.5-05:30", INT64_C(1795293869500)},
        {"2026-11-21 20:44:29", INT64_C(1795293869000)},
    };
    static const char *const others[] = {"",
                                         "2026",
                                         "2026-11-21",
                                         "2026-11-21T20:44",
                                         "2026-13-21T20:44:29Z",
                                         "2026-11-21T24:44:29Z",
                                         "2026-11-21T20:44:29.Z",
                                         "2026-11-21T20:44:29Zx",
                                         "2026-11-21T20:44:29+1:00",
                                         "2026-11-21T20:44:29+15:00",
                                         "1969-12-31T23:59:59Z"};
    int64_t utc_ms = -7;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(sql_login_moment(others[i], &utc_ms));
    assert_int_equal(utc_ms, -7);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(sql_login_moment(cases[i].text, &utc_ms));
        assert_int_equal(utc_ms, cases[i].utc_ms);
    }
}

#define ERROR(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"

static void
each_refusal_says_what_to_do(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_code code;
        const char *hint;
    } cases[] = {
        {403, ERROR("0x80040220", "no"), ERR_PERMISSION, "System Administrator"},
        {404, ERROR("0x80060888", "Resource not found"), ERR_SERVER, "unified environments"},
        {404, "<html>", ERR_SERVER, "proxy"},
        {500, ERROR("0x80040216", "An unexpected error occurred."), ERR_SERVER, "may have been"},
        {503, "<html>", ERR_SERVER, "may have been"},
        {429, ERROR("0x80072322", "too many"), ERR_SERVER, "wait"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_answer answer = answer_of(cases[i].status, cases[i].body);
        struct err err = {0};

        assert_false(sql_login_refusal(&answer, NULL, &err));
        assert_int_equal(err.code, cases[i].code);
        assert_false(err.transient);
        assert_non_null(strstr(err.primary, "no SQL login was given"));
        if (!strstr(err.hint, cases[i].hint))
            fail_msg("%d: %s", cases[i].status, err.hint);
    }
}

static void
a_lost_answer_may_have_been_a_grant(void **state)
{
    struct http_answer answer = {.failure = HTTP_LOST};
    struct err err = {0};

    (void)state;
    (void)err_set(&answer.why, ERR_CONNECT, "the connection to h was lost");
    answer.why.transient = true;
    assert_false(sql_login_refusal(&answer, NULL, &err));
    assert_int_equal(err.code, ERR_CONNECT);
    assert_false(err.transient);
    assert_non_null(strstr(err.hint, "not sent again"));
    answer.failure = HTTP_NOT_SENT;
    assert_false(sql_login_refusal(&answer, NULL, &err));
    assert_null(strstr(err.hint, "not sent again"));
}

static void
words_of_the_service_that_may_hold_a_secret_are_not_shown(void **state)
{
    static const char *const bodies[] = {
        ERROR("0x80040216", "failed with Password=canary-1"),
        ERROR("0x80040216", "failed with p\\u0061ssword canary-1"),
        ERROR("0x80040216", "failed with token t0ken-canary-1"),
        "{\"error\":{\"code\":\"0x80040216\",\"message\":\"canary-1\"},\"sqljitpassword\":\"x\"}",
    };
    struct secret bearer = {0};
    struct err err = {0};

    (void)state;
    assert_true(secret_set(&bearer, "t0ken-canary-1", 14, &err));
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const struct http_answer answer = answer_of(400, bodies[i]);

        assert_false(sql_login_refusal(&answer, &bearer, &err));
        assert_null(strstr(err.primary, "canary-1"));
        assert_null(strstr(err.detail, "canary-1"));
        assert_non_null(strstr(err.detail, "request-1"));
    }
    secret_wipe(&bearer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_read),
        cmocka_unit_test(an_answer_without_what_is_needed_is_none),
        cmocka_unit_test(an_end_that_cannot_be_read_is_not_known),
        cmocka_unit_test(moments_are_read_with_their_zone),
        cmocka_unit_test(each_refusal_says_what_to_do),
        cmocka_unit_test(a_lost_answer_may_have_been_a_grant),
        cmocka_unit_test(words_of_the_service_that_may_hold_a_secret_are_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
