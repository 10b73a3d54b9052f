#include "../../../src/dataverse/answer.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define ODATA(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"
#define HTML "<!DOCTYPE html><html><body>proxy</body></html>"

static struct judgement
judge(int status, const char *body)
{
    struct http_answer answer = {
        .status = status, .body = slice_of_string(body), .retry_after_s = -1};

    (void)snprintf(answer.request_id, sizeof answer.request_id, "req-1");
    return answer_judge(&answer);
}

static void
each_answer_of_the_table_has_its_verdict(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum verdict verdict;
        enum err_code code;
    } cases[] = {
        {200, "{}", VERDICT_OK, ERR_NONE},
        {204, "", VERDICT_OK, ERR_NONE},
        {429, ODATA("0x80072322", "Number of requests exceeded"), VERDICT_PAUSE, ERR_SERVER},
        {429, ODATA("0x80072321", "Combined execution time"), VERDICT_PAUSE, ERR_SERVER},
        {429, ODATA("0x80072326", "Number of concurrent requests"), VERDICT_PAUSE, ERR_SERVER},
        {429, HTML, VERDICT_PAUSE, ERR_SERVER},
        {401, "", VERDICT_TOKEN, ERR_SIGNIN},
        {401, ODATA("0x80048306", "expired"), VERDICT_TOKEN, ERR_SIGNIN},
        {403, ODATA("0x80072560", "The user is not a member"), VERDICT_STOP, ERR_PERMISSION},
        {403, ODATA("0x80040220", "missing prvReadX"), VERDICT_STOP, ERR_PERMISSION},
        {403, ODATA("0x80048405", "denied"), VERDICT_STOP, ERR_PERMISSION},
        {403, HTML, VERDICT_STOP, ERR_PERMISSION},
        {404, ODATA("0x80040217", "Does Not Exist"), VERDICT_GONE, ERR_SERVER},
        {404, ODATA("0x80048D02", "Does Not Exist"), VERDICT_GONE, ERR_SERVER},
        {404, ODATA("0x8006088a", "Resource not found"), VERDICT_STOP, ERR_SERVER},
        {404, ODATA("", "Resource not found"), VERDICT_STOP, ERR_SERVER},
        {404, HTML, VERDICT_STOP, ERR_SERVER},
        {404, "", VERDICT_STOP, ERR_SERVER},
        {404, "{\"message\":\"0x80040217\"}", VERDICT_STOP, ERR_SERVER},
        {412, ODATA("0x80060882", "version mismatch"), VERDICT_CHANGED, ERR_STALE},
        {412, "", VERDICT_CHANGED, ERR_STALE},
        {400, ODATA("0x80060893", "not enabled"), VERDICT_STOP, ERR_SCHEMA},
        {400, ODATA("0x80048105", "CascadeDelete"), VERDICT_RETRY, ERR_SERVER},
        {500, ODATA("0x80048105", "CascadeDelete"), VERDICT_RETRY, ERR_SERVER},
        {405, ODATA("0x80040227", "association"), VERDICT_ROW, ERR_SERVER},
        {400, ODATA("0x80040265", "SecureConfig"), VERDICT_ROW, ERR_SERVER},
        {400, ODATA("0x80060888", "syntax"), VERDICT_STOP, ERR_SERVER},
        {500, ODATA("0x80044151", "timeout"), VERDICT_RETRY, ERR_SERVER},
        {500, ODATA("0x80044150", "Sql Number: 1205"), VERDICT_RETRY, ERR_SERVER},
        {500, ODATA("0x80044150", "Sql Number: 515"), VERDICT_ROW, ERR_SERVER},
        {500, HTML, VERDICT_STOP, ERR_SERVER},
        {408, "", VERDICT_RETRY, ERR_SERVER},
        {502, HTML, VERDICT_RETRY, ERR_SERVER},
        {503, ODATA("0x8005F103", "busy"), VERDICT_RETRY, ERR_SERVER},
        {504, "", VERDICT_RETRY, ERR_SERVER},
        {302, "", VERDICT_STOP, ERR_SERVER},
        {0, "", VERDICT_STOP, ERR_SERVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct judgement judgement = judge(cases[i].status, cases[i].body);

        if (judgement.verdict != cases[i].verdict || judgement.err.code != cases[i].code)
            fail_msg("%d %s: verdict %d, error %s", cases[i].status, cases[i].body,
                     (int)judgement.verdict, err_name(judgement.err.code));
    }
}

static void
an_error_names_status_code_text_and_request(void **state)
{
    const struct judgement judgement =
        judge(403, ODATA("0x80040220",
                         "Principal user is missing prvDeletemsdyn_config privilege\\u001b[2J"));

    (void)state;
    assert_string_equal(judgement.err.primary,
                        "the application user lacks the privilege prvDeletemsdyn_config");
    assert_non_null(strstr(judgement.err.detail, "HTTP 403, code 0x80040220"));
    assert_non_null(strstr(judgement.err.detail, "request id req-1"));
    assert_null(strchr(judgement.err.detail, '\x1b'));
    assert_non_null(strstr(judgement.err.hint, "role"));
    assert_false(judgement.err.transient);
}

static void
only_an_odata_error_object_counts_as_one(void **state)
{
    (void)state;
    assert_true(judge(404, ODATA("0x80060888", "x")).odata);
    assert_true(judge(404, ODATA("", "x")).odata);
    assert_false(judge(404, HTML).odata);
    assert_false(judge(404, "{\"error\":\"x\"}").odata);
    assert_false(judge(404, "{\"error\":{\"message\":\"x\"}}").odata);
    assert_false(judge(404, "{\"error\":{\"code\":\"x\"").odata);
}

static void
a_body_that_is_nested_without_end_is_no_error_object(void **state)
{
    enum { DEPTH = 20000 };
    static char body[DEPTH + 64];
    const size_t used =
        (size_t)snprintf(body, sizeof body, "{\"error\":{\"code\":\"x\",\"message\":");
    struct http_answer answer = {.status = 200};

    (void)state;
    memset(body + used, '[', DEPTH);
    assert_false(judge(404, body).odata);
    answer.body = slice_of_string(body);
    assert_null(answer_json(&answer));
    memset(body, '{', sizeof body - 1);
    assert_false(judge(500, body).odata);
    assert_int_equal(judge(500, "").verdict, VERDICT_STOP);
    assert_false(judge(500, "").odata);
}

static void
a_long_text_is_cut_at_a_character(void **state)
{
    char body[2000] = "{\"error\":{\"code\":\"1\",\"message\":\"";
    struct judgement judgement;
    size_t used = strlen(body);

    (void)state;
    for (int i = 0; i < 600; i++, used += 2)
        (void)snprintf(body + used, sizeof body - used, "\xc3\xa9");
    (void)snprintf(body + used, sizeof body - used, "\"}}");
    judgement = judge(500, body);
    assert_non_null(strstr(judgement.err.detail, "\xc3\xa9; request id"));
}

static void
a_lost_answer_is_told_from_a_request_that_was_not_sent(void **state)
{
    struct http_answer answer = {.failure = HTTP_LOST, .why = {.code = ERR_CONNECT}};

    (void)state;
    assert_int_equal(answer_judge(&answer).verdict, VERDICT_LOST);
    answer.failure = HTTP_NOT_SENT;
    assert_int_equal(answer_judge(&answer).verdict, VERDICT_STOP);
    assert_int_equal(answer_judge(&answer).err.code, ERR_CONNECT);

    answer.failure = HTTP_LOST;
    answer.why.code = ERR_INTERNAL; /* no memory: another try would need as much */
    assert_int_equal(answer_judge(&answer).verdict, VERDICT_STOP);
}

static void
assert_wait(int64_t retry_after_s, unsigned tries, int64_t least_ms)
{
    const struct http_answer answer = {.retry_after_s = retry_after_s};
    int64_t wait_ms = -1;

    assert_true(answer_wait(&answer, tries, &wait_ms));
    assert_in_range(wait_ms, least_ms, least_ms + 999);
}

static void
retry_after_is_obeyed_up_to_a_maximum(void **state)
{
    const struct http_answer long_wait = {.retry_after_s = 301};
    int64_t wait_ms = 7;

    (void)state;
    assert_wait(1, 1, 2000);
    assert_wait(300, 9, 301000);
    assert_wait(-1, 1, 2000);
    assert_wait(0, 3, 8000);
    assert_wait(-5, 8, 256000);
    assert_wait(-1, 60, 300000);
    assert_false(answer_wait(&long_wait, 1, &wait_ms));
    assert_int_equal(wait_ms, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_of_the_table_has_its_verdict),
        cmocka_unit_test(an_error_names_status_code_text_and_request),
        cmocka_unit_test(only_an_odata_error_object_counts_as_one),
        cmocka_unit_test(a_body_that_is_nested_without_end_is_no_error_object),
        cmocka_unit_test(a_long_text_is_cut_at_a_character),
        cmocka_unit_test(a_lost_answer_is_told_from_a_request_that_was_not_sent),
        cmocka_unit_test(retry_after_is_obeyed_up_to_a_maximum),
    };

    return cmocka_run_group_tests_name("dataverse/answer", tests, NULL, NULL);
}
