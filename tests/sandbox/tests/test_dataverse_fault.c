#include "../../support/test.h"
#include "tests/organization.h"

#include <time.h>

static long
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
a_cut_request_was_not_executed(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    organization_row(o, 0, path, etag);
    organization_fault(o, "{\"at\":\"dv.request\",\"match\":\"DELETE\",\"do\":\"cut\"}");
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 0);
    assert_int_equal(organization_row_count(o), 3);
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 204);
}

static void
a_cut_answer_was_executed(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    organization_row(o, 0, path, etag);
    organization_fault(o, "{\"at\":\"dv.after\",\"match\":\"DELETE\",\"do\":\"cut\"}");
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 0);
    assert_int_equal(organization_row_count(o), 2);
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 404);
}

static void
errors_are_answered_as_asked(void **state)
{
    struct organization *o = *state;
    char code[32];
    char value[32] = "";
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"error\",\"arg\":500,\"text\":"
                          "\"0x80044150 Sql Number: 1205\"}");
    struct web_answer answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_int_equal(answer.status, 500);
    assert_non_null(strstr(answer.body, "\"Sql Number: 1205\""));
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"error\",\"arg\":503,\"text\":\"html\"}");
    answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "<html>"));
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"error\",\"arg\":429,\"text\":"
                          "\"0x80072322 retry-after=3\"}");
    answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_true(web_header(&answer, "Retry-After", value, sizeof(value)));
    assert_string_equal(value, "3");
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"error\",\"arg\":400,\"text\":\"- no "
                          "code\"}");
    assert_int_equal(organization_error(o, "GET", "WhoAmI", "", "", code), 400);
    assert_string_equal(code, "");
}

static void
a_429_says_its_wait_as_asked(void **state)
{
    struct organization *o = *state;
    char value[64] = "";
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"error\",\"arg\":429,\"text\":"
                          "\"0x80072322 retry-after=none\"}");
    struct web_answer answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_int_equal(answer.status, 429);
    assert_false(web_header(&answer, "Retry-After", value, sizeof(value)));
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"error\",\"arg\":429,\"text\":"
                          "\"0x80072322 retry-after=date+100\"}");
    answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_true(web_header(&answer, "Retry-After", value, sizeof(value)));
    web_done(&answer);
    struct tm parts = {.tm_isdst = 0};
    assert_non_null(strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    const long ahead = (long)(timegm(&parts) - time(NULL));
    assert_true(ahead > 90 && ahead <= 100);
}

static void
a_restart_refuses_for_a_while_and_comes_back(void **state)
{
    enum { DOWN_MS = 300, TRIES = 100 };
    struct organization *o = *state;
    const long start = now_ms();
    int status = 0;
    organization_fault(o,
                       "{\"at\":\"dv.request\",\"do\":\"other\",\"text\":\"restart\",\"arg\":300}");
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 0);
    for (int i = 0; i < TRIES && status == 0; i++) {
        const struct timespec nap = {.tv_nsec = 20000000};
        (void)nanosleep(&nap, NULL);
        struct web_answer answer = organization_send(o, "GET", "WhoAmI", "", "");
        status = answer.status;
        web_done(&answer);
    }
    assert_int_equal(status, 200);
    assert_true(now_ms() - start >= DOWN_MS);
    assert_int_equal(organization_row_count(o), 3);
}

static void
a_bomb_is_small_on_the_wire(void **state)
{
    struct organization *o = *state;
    char value[64] = "";
    organization_fault(o, "{\"at\":\"dv.answer\",\"do\":\"other\",\"text\":\"bomb\",\"arg\":3}");
    struct web_answer answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_true(web_header(&answer, "Content-Encoding", value, sizeof(value)));
    assert_string_equal(value, "gzip");
    assert_true(web_header(&answer, "Content-Length", value, sizeof(value)));
    assert_in_range(strtol(value, NULL, 10), 10000, 30000);
    web_done(&answer);
}

static void
the_log_tells_what_became_of_a_row(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    sandbox_log_clear(o->log);
    organization_row(o, 0, path, etag);
    organization_fault(o, "{\"at\":\"dv.delete\",\"do\":\"other\",\"text\":\"changed\"}");
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 412);
    organization_row(o, 0, path, etag);
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 204);
    char *log = sandbox_log_text(o->log, NULL);
    assert_non_null(log);
    const char *changed = strstr(log, "\"what\":\"changed\"");
    const char *deleted = strstr(log, "\"what\":\"deleted\"");
    assert_non_null(changed);
    assert_non_null(deleted);
    /* it went as it was after the change: the same version and the same bytes */
    assert_memory_equal(strstr(changed, "\"etag\""), strstr(deleted, "\"etag\""),
                        strcspn(strstr(deleted, "\"etag\""), "}"));
    free(log);
}

static void
delays_delay_and_freezes_end_with_the_client(void **state)
{
    struct organization *o = *state;
    long start = now_ms();
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"delay\",\"arg\":200}");
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 200);
    assert_true(now_ms() - start >= 200);
    organization_fault(o, "{\"at\":\"dv.request\",\"do\":\"freeze\"}");
    struct web_link link;
    char buffer[16];
    assert_true(web_link_open(&o->web, &link));
    static const char request[] = "GET " API "WhoAmI HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_true(web_link_write(&link, request, sizeof(request) - 1));
    struct timeval limit = {.tv_usec = 300000};
    assert_int_equal(setsockopt(link.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_true(SSL_read(link.ssl, buffer, sizeof(buffer)) <= 0);
    web_link_close(&link);
}

static void
listings_break_in_each_known_way(void **state)
{
    struct organization *o = *state;
    organization_fault(o, "{\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"no-value\"}");
    cJSON *json = organization_get(o, SET);
    assert_null(cJSON_GetObjectItem(json, "value"));
    cJSON_Delete(json);
    organization_fault(o, "{\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"repeat-nextlink\"}");
    json = organization_get(o, SET "?$top=2");
    assert_non_null(
        strstr(cJSON_GetObjectItem(json, "@odata.nextLink")->valuestring, API SET "?$top=2"));
    cJSON_Delete(json);
    organization_fault(o, "{\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"foreign-nextlink\"}");
    json = organization_get(o, SET);
    assert_memory_equal(cJSON_GetObjectItem(json, "@odata.nextLink")->valuestring,
                        "https://elsewhere.invalid/", 26);
    cJSON_Delete(json);
    organization_fault(o, "{\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"truncated-json\"}");
    struct web_answer answer = organization_send(o, "GET", SET, "", "");
    assert_int_equal(answer.status, 200);
    assert_true(answer.complete);
    json = cJSON_Parse(answer.body);
    assert_null(json);
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"html\"}");
    answer = organization_send(o, "GET", SET, "", "");
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "<html>"));
    web_done(&answer);
}

static void
a_row_changes_or_goes_just_before_its_delete(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    organization_row(o, 0, path, etag);
    organization_fault(o, "{\"at\":\"dv.delete\",\"do\":\"other\",\"text\":\"changed\"}");
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 412);
    organization_fault(o, "{\"at\":\"dv.delete\",\"do\":\"other\",\"text\":\"changed-name\"}");
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 412);
    cJSON *row = organization_get(o, path);
    assert_string_equal(cJSON_GetObjectItem(row, "msdyn_name")->valuestring, "changed meanwhile");
    cJSON_Delete(row);
    organization_fault(o, "{\"at\":\"dv.delete\",\"do\":\"other\",\"text\":\"gone\"}");
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 404);
    organization_row(o, 0, path, etag);
    organization_fault(o,
                       "{\"at\":\"dv.delete\",\"do\":\"error\",\"arg\":400,\"text\":\"0x80040265 "
                       "SecureConfig Organization (a) does not match actual CRM Organization "
                       "(b)\"}");
    struct web_answer answer = organization_send(o, "DELETE", path, etag, "");
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.body, "SecureConfig Organization (a)"));
    web_done(&answer);
    assert_int_equal(organization_row_count(o), 2);
}

static void
a_map_writes_a_row_meanwhile(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    organization_row(o, 0, path, etag);
    organization_fault(
        o, "{\"at\":\"dv.write\",\"match\":\"DELETE\",\"do\":\"other\",\"text\":\"insert\"}");
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 200);
    assert_int_equal(organization_row_count(o), 3);
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 204);
    assert_int_equal(organization_row_count(o), 3);
}

static void
answers_are_cut_dripped_and_truncated(void **state)
{
    struct organization *o = *state;
    char value[32] = "";
    organization_fault(o, "{\"at\":\"dv.answer\",\"do\":\"cut\",\"arg\":10}");
    struct web_answer answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_bytes, 10);
    assert_false(answer.complete);
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.answer\",\"do\":\"other\",\"text\":\"drip\",\"arg\":1}");
    long start = now_ms();
    answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_true(answer.complete);
    assert_true(now_ms() - start >= (long)answer.body_bytes);
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.answer\",\"do\":\"other\",\"text\":\"truncated-gzip\"}");
    answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_true(web_header(&answer, "Content-Encoding", value, sizeof(value)));
    assert_string_equal(value, "gzip");
    assert_true(answer.complete);
    web_done(&answer);
}

static void
gzip_is_sent_to_who_asks(void **state)
{
    struct organization *o = *state;
    char value[32] = "";
    organization_set(o, "{\"gzip\":true}");
    struct web_answer answer = organization_send(o, "GET", SET, "Accept-Encoding: gzip\r\n", "");
    assert_true(web_header(&answer, "Content-Encoding", value, sizeof(value)));
    assert_int_equal((unsigned char)answer.body[0], 0x1F);
    assert_int_equal((unsigned char)answer.body[1], 0x8B);
    web_done(&answer);
    answer = organization_send(o, "GET", SET, "", "");
    assert_false(web_header(&answer, "Content-Encoding", value, sizeof(value)));
    web_done(&answer);
}

static void
the_token_endpoint_fails_on_demand(void **state)
{
    struct organization *o = *state;
    char *form = organization_form(o, "");
    organization_fault(o, "{\"at\":\"dv.token\",\"do\":\"cut\"}");
    organization_fault(o, "{\"at\":\"dv.token\",\"do\":\"error\",\"arg\":503}");
    organization_fault(o, "{\"at\":\"dv.token\",\"do\":\"other\",\"text\":\"html\"}");
    static const int wanted[] = {0, 503, 200, 200};
    for (size_t i = 0; i < 4; i++) {
        struct web_answer answer = organization_token(o, form);
        assert_int_equal(answer.status, wanted[i]);
        if (i == 1)
            assert_non_null(strstr(answer.body, "temporarily_unavailable"));
        if (i == 2)
            assert_non_null(strstr(answer.body, "<html>"));
        web_done(&answer);
    }
    free(form);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, organization_again)
    const struct CMUnitTest tests[] = {
        TEST(a_cut_request_was_not_executed),   TEST(a_cut_answer_was_executed),
        TEST(errors_are_answered_as_asked),     TEST(delays_delay_and_freezes_end_with_the_client),
        TEST(listings_break_in_each_known_way), TEST(a_row_changes_or_goes_just_before_its_delete),
        TEST(a_map_writes_a_row_meanwhile),     TEST(answers_are_cut_dripped_and_truncated),
        TEST(gzip_is_sent_to_who_asks),         TEST(the_token_endpoint_fails_on_demand),
        TEST(a_429_says_its_wait_as_asked),     TEST(a_restart_refuses_for_a_while_and_comes_back),
        TEST(a_bomb_is_small_on_the_wire),      TEST(the_log_tells_what_became_of_a_row),
    };
    return cmocka_run_group_tests(tests, organization_group_open, organization_group_close);
}
