#include "../../support/test.h"
#include "tests/organization.h"

#define QUOTED "Content-Type: multipart/mixed; boundary=\"batch_1\"\r\n"
#define GO_ON "Prefer: odata.continue-on-error\r\n"
#define PART                                                                                       \
    "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
#define END "--batch_1--\r\n"
#define GONE "/api/data/v9.2/" SET "(00000000-0000-4000-8000-000000000001)"

static void
add_delete(FILE *out, const char *path, const char *etag_line)
{
    (void)fprintf(out, PART "DELETE %s HTTP/1.1\r\nAccept: application/json\r\n%s\r\n\r\n", path,
                  etag_line);
}

/** A batch that deletes, in this order: row 0, a row that is gone, row 1 with a stale etag, row 2.
 */
static char *
four_deletes(struct organization *o)
{
    char *text = NULL;
    size_t bytes = 0;
    char path[128];
    char full[160];
    char etag[64];
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    for (int i = 0; i < 3; i++) {
        organization_row(o, i, path, etag);
        (void)snprintf(full, sizeof(full), "/api/data/v9.2/%s", path);
        add_delete(out, full, i == 1 ? "If-Match: W/\"1\"\r\n" : etag);
        if (i == 0)
            add_delete(out, GONE, "");
    }
    (void)fputs(END, out);
    (void)fclose(out);
    return text;
}

/** Status lines of the answer's parts, in order; the number of them. */
static int
part_statuses(const struct web_answer *answer, int ret[8])
{
    int count = 0;
    for (const char *at = answer->body; (at = strstr(at, "\r\n\r\nHTTP/1.1 ")) && count < 8;
         at += 4)
        ret[count++] = (int)strtol(at + strlen("\r\n\r\nHTTP/1.1 "), NULL, 10);
    return count;
}

static void
all_run_in_order_when_told_to_continue(void **state)
{
    struct organization *o = *state;
    static const int wanted[] = {204, 404, 412, 204};
    int got[8] = {0};
    char type[128] = "";
    char *body = four_deletes(o);
    struct web_answer answer = organization_send(o, "POST", "$batch", QUOTED GO_ON, body);
    assert_int_equal(answer.status, 200);
    assert_true(web_header(&answer, "Content-Type", type, sizeof(type)));
    assert_memory_equal(type, "multipart/mixed; boundary=batchresponse_", 40);
    assert_int_equal(part_statuses(&answer, got), 4);
    assert_memory_equal(got, wanted, sizeof(wanted));
    assert_int_equal(organization_row_count(o), 1);
    web_done(&answer);
    free(body);
}

static void
the_first_failure_ends_it_and_is_the_outer_status(void **state)
{
    struct organization *o = *state;
    static const int wanted[] = {204, 404};
    int got[8] = {0};
    char *body = four_deletes(o);
    struct web_answer answer = organization_send(o, "POST", "$batch", QUOTED, body);
    assert_int_equal(answer.status, 404);
    assert_int_equal(part_statuses(&answer, got), 2);
    assert_memory_equal(got, wanted, sizeof(wanted));
    assert_int_equal(organization_row_count(o), 2);
    web_done(&answer);
    free(body);
}

static void
boundaries_may_be_bare_and_urls_full(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    char *body = NULL;
    int got[8] = {0};
    organization_row(o, 0, path, etag);
    assert_true(asprintf(&body,
                         PART
                         "DELETE https://localhost:%u/api/data/v9.2/%s HTTP/1.1\r\n%s\r\n\r\n" PART
                         "GET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n\r\n" END,
                         (unsigned)o->web.port, path, etag) > 0);
    struct web_answer answer = organization_send(
        o, "POST", "$batch", "Content-Type: multipart/mixed; boundary=batch_1\r\n", body);
    assert_int_equal(answer.status, 200);
    assert_int_equal(part_statuses(&answer, got), 2);
    assert_int_equal(got[0], 204);
    assert_int_equal(got[1], 200);
    assert_non_null(strstr(answer.body, "WhoAmIResponse"));
    web_done(&answer);
    free(body);
}

static void
malformed_batches_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "no parts",
        PART "DELETE " GONE " HTTP/1.1\r\n\r\n",
        PART "DELETE " GONE "\r\n\r\n\r\n" END,
        PART "DELETE " SET "(00000000-0000-4000-8000-000000000001) HTTP/1.1\r\n\r\n\r\n" END,
        PART "DELETE " GONE " HTTP/1.1\r\nAccept: application/json" END,
        "--batch_1\r\nContent-Type: text/plain\r\n\r\nx\r\n" END,
        "--batch_1\nContent-Type: application/http\n\nDELETE " GONE " HTTP/1.1\n\n\n--batch_1--\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(organization_json(*state, "POST", "$batch", QUOTED GO_ON, bad[i], NULL),
                         400);
    assert_int_equal(organization_json(*state, "POST", "$batch",
                                       "Content-Type: application/json\r\n", "{}", NULL),
                     400);
    assert_int_equal(organization_json(*state, "GET", "$batch", QUOTED, "", NULL), 405);
}

static void
relative_urls_need_the_setting(void **state)
{
    static const char body[] =
        PART "DELETE " SET "(00000000-0000-4000-8000-000000000001) HTTP/1.1\r\n\r\n\r\n" END;
    organization_set(*state, "{\"relative_batch_urls\":true}");
    assert_int_equal(organization_json(*state, "POST", "$batch", QUOTED GO_ON, body, NULL), 200);
}

static void
more_than_a_thousand_operations_are_refused(void **state)
{
    char *body = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&body, &bytes);
    for (int i = 0; i < 1001; i++)
        add_delete(out, GONE, "");
    (void)fputs(END, out);
    (void)fclose(out);
    assert_int_equal(organization_json(*state, "POST", "$batch", QUOTED GO_ON, body, NULL), 400);
    free(body);
}

static void
a_nul_in_a_part_is_not_the_end_of_it(void **state)
{
    static const char body[] = PART "PATCH " GONE " HTTP/1.1\r\n\r\n{\"msdyn_name\":\"a\0b\\u"
                                    "0000c\"}\r\n" END;
    struct organization *o = *state;
    char *lines = NULL;
    int got[8] = {0};
    assert_true(asprintf(&lines, "%s%s", o->bearer, QUOTED GO_ON) > 0);
    struct web_answer answer =
        web_send_bytes(&o->web, "POST", API "$batch", lines,
                       (struct web_body){.bytes = body, .count = sizeof(body) - 1});
    assert_int_equal(answer.status, 200);
    assert_int_equal(part_statuses(&answer, got), 1);
    web_done(&answer);
    free(lines);
}

#define SET_PART                                                                                   \
    "--set_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"           \
    "Content-ID: %d\r\n\r\n"

static char *
change_set(struct organization *o, bool with_failure)
{
    char *text = NULL;
    size_t bytes = 0;
    char path[128];
    char etag[64];
    FILE *out = open_memstream(&text, &bytes);
    (void)fputs("--batch_1\r\nContent-Type: multipart/mixed; boundary=set_1\r\n\r\n", out);
    for (int i = 0; i < 2; i++) {
        organization_row(o, i, path, etag);
        (void)fprintf(out, SET_PART "DELETE /api/data/v9.2/%s HTTP/1.1\r\n%s\r\n\r\n", i + 1, path,
                      i == 1 && with_failure ? "If-Match: W/\"1\"\r\n" : etag);
    }
    (void)fputs("--set_1--\r\n\r\n" END, out);
    (void)fclose(out);
    return text;
}

static void
a_change_set_is_done_whole(void **state)
{
    struct organization *o = *state;
    int got[8] = {0};
    char *body = change_set(o, false);
    struct web_answer answer = organization_send(o, "POST", "$batch", QUOTED GO_ON, body);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "boundary=changesetresponse_"));
    assert_non_null(strstr(answer.body, "Content-ID: 2"));
    assert_int_equal(part_statuses(&answer, got), 2);
    assert_int_equal(got[1], 204);
    assert_int_equal(organization_row_count(o), 1);
    web_done(&answer);
    free(body);
}

static void
a_change_set_that_fails_leaves_nothing_behind(void **state)
{
    struct organization *o = *state;
    int got[8] = {0};
    char *body = change_set(o, true);
    struct web_answer answer = organization_send(o, "POST", "$batch", QUOTED GO_ON, body);
    assert_int_equal(answer.status, 200);
    assert_int_equal(part_statuses(&answer, got), 1);
    assert_int_equal(got[0], 412);
    assert_int_equal(organization_row_count(o), 3);
    web_done(&answer);
    free(body);
}

static void
a_part_can_be_throttled_missing_or_the_end(void **state)
{
    struct organization *o = *state;
    int got[8] = {0};
    organization_fault(o, "{\"at\":\"dv.part\",\"do\":\"error\",\"arg\":429,"
                          "\"text\":\"0x80072321 retry-after=7\"}");
    organization_fault(o, "{\"at\":\"dv.part\",\"do\":\"other\",\"text\":\"missing\"}");
    char *body = four_deletes(o);
    struct web_answer answer = organization_send(o, "POST", "$batch", QUOTED GO_ON, body);
    assert_int_equal(part_statuses(&answer, got), 3);
    assert_int_equal(got[0], 429);
    assert_int_equal(got[1], 412);
    assert_non_null(strstr(answer.body, "Retry-After: 7"));
    web_done(&answer);
    organization_fault(o, "{\"at\":\"dv.part\",\"do\":\"cut\"}");
    answer = organization_send(o, "POST", "$batch", QUOTED GO_ON, body);
    assert_int_equal(answer.status, 0);
    assert_int_equal(organization_row_count(o), 1);
    web_done(&answer);
    free(body);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, organization_again)
    const struct CMUnitTest tests[] = {
        TEST(all_run_in_order_when_told_to_continue),
        TEST(the_first_failure_ends_it_and_is_the_outer_status),
        TEST(boundaries_may_be_bare_and_urls_full),
        TEST(malformed_batches_are_refused),
        TEST(relative_urls_need_the_setting),
        TEST(more_than_a_thousand_operations_are_refused),
        TEST(a_nul_in_a_part_is_not_the_end_of_it),
        TEST(a_change_set_is_done_whole),
        TEST(a_change_set_that_fails_leaves_nothing_behind),
        TEST(a_part_can_be_throttled_missing_or_the_end),
    };
    return cmocka_run_group_tests(tests, organization_group_open, organization_group_close);
}
