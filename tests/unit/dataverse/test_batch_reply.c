#include "../../../src/dataverse/answer.h"
#include "../../../src/dataverse/batch_reply.h"
#include "base/text.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define MIXED "multipart/mixed; boundary=b"
#define JSON "application/json; odata.metadata=minimal"
#define PART "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
#define DONE "--b\r\n" PART "HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n\r\n\r\n"
#define GONE                                                                                       \
    "--b\r\n" PART "HTTP/1.1 404 Not Found\r\nREQ_ID: r1,r2\r\n"                                   \
    "Content-Type: application/json; odata.metadata=minimal\r\n\r\n"                               \
    "{\"error\":{\"code\":\"0x80040217\",\"message\":\"Does Not Exist\"}}\r\n"
#define BUSY                                                                                       \
    "--b\r\n" PART "HTTP/1.1 429 Too Many Requests\r\nretry-after: 17\r\n"                         \
    "x-ms-service-request-id: s1\r\nREQ_ID: r3\r\n\r\n{}\r\n"
#define FOUND "--b\r\n" PART "HTTP/1.1 200 OK\r\nETag: W/\"77\"\r\n\r\n{\"a\":\r\n1}\r\n"
#define END "--b--\r\n"

static const struct batch_expected four = {.count = 4};

static struct batch_reply
read_reply(const char *type, const char *body, struct batch_expected expected)
{
    struct batch_reply reply;
    struct err err = {0};

    if (!batch_reply_read(type, slice_of_string(body), &expected, &reply, &err))
        fail_msg("%s", err.primary);
    return reply;
}

static void
refuse(const char *type, const char *body, struct batch_expected expected)
{
    struct batch_reply reply;
    struct err err = {0};

    if (batch_reply_read(type, slice_of_string(body), &expected, &reply, &err))
        fail_msg("taken: %s", body);
    assert_int_equal(err.code, ERR_SERVER);
}

static void
assert_body(const struct batch_part *part, const char *expected)
{
    assert_true(slice_equal(part->body, slice_of_string(expected)));
}

static void
assert_four(const struct batch_reply *reply)
{
    const struct batch_part *parts = reply->parts;

    assert_true(reply->whole);
    assert_int_equal(reply->answered, 4);
    assert_int_equal(parts[0].status, 204);
    assert_int_equal(parts[0].retry_after_s, -1);
    assert_string_equal(parts[0].request_id, "");
    assert_body(&parts[0], "");
    assert_int_equal(parts[1].status, 404);
    assert_string_equal(parts[1].request_id, "r1");
    assert_string_equal(parts[1].content_type, "application/json");
    assert_int_equal(parts[2].status, 429);
    assert_int_equal(parts[2].retry_after_s, 17);
    assert_string_equal(parts[2].request_id, "s1");
    assert_int_equal(parts[3].status, 200);
    assert_string_equal(parts[3].etag, "W/\"77\"");
    assert_body(&parts[3], "{\"a\":\r\n1}");
}

static void
parts_are_read_in_their_order(void **state)
{
    struct batch_reply reply = read_reply(MIXED, DONE GONE BUSY FOUND END, four);

    (void)state;
    assert_four(&reply);
    batch_reply_done(&reply);
    reply = read_reply(
        MIXED, "--b\r\n" PART "HTTP/1.1 200 OK\r\n\r\n--b-\r\n--b--c\r\n--bc\r\n --b\r\n" END,
        (struct batch_expected){.count = 1});
    assert_body(&reply.parts[0], "--b-\r\n--b--c\r\n--bc\r\n --b");
    batch_reply_done(&reply);
    reply = read_reply("Multipart/Mixed;charset=utf-8 ; BOUNDARY = \"b\"; x=y",
                       "preamble\r\n" DONE GONE BUSY FOUND "--b-- \r\nepilogue\r\n" DONE, four);
    assert_four(&reply);
    batch_reply_done(&reply);
}

static void
lines_may_end_with_a_bare_line_feed(void **state)
{
    static const char crlf[] = DONE GONE BUSY END;
    char body[sizeof crlf];
    size_t used = 0;
    struct batch_reply reply;

    (void)state;
    for (size_t i = 0; i < sizeof crlf; i++)
        if (crlf[i] != '\r')
            body[used++] = crlf[i];
    reply = read_reply(MIXED, body, (struct batch_expected){.count = 3});
    assert_int_equal(reply.answered, 3);
    assert_int_equal(reply.parts[1].status, 404);
    assert_int_equal(reply.parts[2].retry_after_s, 17);
    batch_reply_done(&reply);
}

static void
change_sets_are_read_too(void **state)
{
    static const char body[] =
        DONE "--b\r\nContent-Type: multipart/mixed; boundary=b_c\r\n\r\n"
             "--b_c\r\nContent-ID: 7\r\n" PART "HTTP/1.1 204 No Content\r\nETag: \"x\"\r\n\r\n\r\n"
             "--b_c\r\n" PART "HTTP/1.1 412 Precondition Failed\r\n\r\n\r\n"
             "--b_c--\r\n" BUSY END;
    struct batch_reply reply = read_reply(MIXED, body, four);

    (void)state;
    assert_int_equal(reply.answered, 4);
    assert_string_equal(reply.parts[1].etag, "\"x\"");
    assert_int_equal(reply.parts[2].status, 412);
    assert_int_equal(reply.parts[3].status, 429);
    batch_reply_done(&reply);
    refuse(MIXED,
           "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" PART
           "HTTP/1.1 204 No Content\r\n\r\n\r\n" END,
           four);
    refuse(MIXED,
           "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
           "--c\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n--d--\r\n--c--\r\n" END,
           four);
}

static void
json_replies_are_read_by_id_or_by_order(void **state)
{
    static const char body[] =
        "{\"@odata.context\":\"x\",\"responses\":[{\"id\":\"2\",\"status\":404,\"headers\":"
        "{\"content-type\":\"application/json\",\"req_id\":\"r1\"},\"body\":{\"error\":{}}},\n"
        "{\"status\":429,\"id\":\"1\",\"headers\":{\"Retry-After\":\"9\"}}]}";
    struct batch_reply reply =
        read_reply(JSON, body, (struct batch_expected){.count = 2, .content_ids = true});

    (void)state;
    assert_int_equal(reply.parts[1].status, 404);
    assert_string_equal(reply.parts[1].request_id, "r1");
    assert_body(&reply.parts[1], "{\"error\":{}}");
    assert_int_equal(reply.parts[0].retry_after_s, 9);
    batch_reply_done(&reply);
    reply = read_reply(JSON, body, (struct batch_expected){.count = 2});
    assert_int_equal(reply.parts[0].status, 404);
    assert_int_equal(reply.parts[1].status, 429);
    batch_reply_done(&reply);
}

static void
json_bodies_keep_their_bytes(void **state)
{
    struct batch_reply reply =
        read_reply(JSON,
                   "{\"responses\":[{\"id\":\"1\",\"status\":200,\"body\":{\"n\":"
                   "12345678901234567890,\"t\":\"\\u00e9\"}}]}",
                   (struct batch_expected){.count = 1});

    (void)state;
    assert_body(&reply.parts[0], "{\"n\":12345678901234567890,\"t\":\"\\u00e9\"}");
    assert_string_equal(reply.parts[0].content_type, "application/json");
    batch_reply_done(&reply);
}

static void
a_reply_that_ends_early_leaves_the_rest_unknown(void **state)
{
    struct batch_reply reply = read_reply(MIXED, DONE GONE "--b\r\n" PART "HTTP/1.1 204 No", four);

    (void)state;
    assert_false(reply.whole);
    assert_int_equal(reply.answered, 2);
    assert_false(reply.parts[2].answered);
    batch_reply_done(&reply);
    reply = read_reply(MIXED, "", four);
    assert_int_equal(reply.answered, 0);
    batch_reply_done(&reply);
}

static size_t
count_answered(const char *type, const char *body, struct batch_expected expected)
{
    struct batch_reply reply = read_reply(type, body, expected);
    const size_t answered = reply.answered;

    batch_reply_done(&reply);
    return answered;
}

static void
missing_parts_are_not_guessed(void **state)
{
    const struct batch_expected numbered = {.count = 4, .content_ids = true};
    const struct batch_expected went_on = {.count = 4, .go_on = true};
    struct batch_reply reply;

    (void)state;
    assert_int_equal(count_answered(MIXED, DONE DONE GONE END, four), 3);
    assert_int_equal(count_answered(MIXED, DONE DONE GONE END, went_on), 0);
    assert_int_equal(count_answered(MIXED, DONE DONE DONE END, four), 0);
    assert_int_equal(count_answered(MIXED, GONE DONE GONE END, four), 0);
    assert_int_equal(count_answered(JSON, "{\"responses\":[{\"status\":204}]}", four), 0);
    assert_int_equal(count_answered(JSON, "{\"responses\":[]}", four), 0);
    reply = read_reply(
        MIXED, "--b\r\nContent-ID: 3\r\n" PART "HTTP/1.1 204 No Content\r\n\r\n\r\n" END, numbered);
    assert_int_equal(reply.answered, 1);
    assert_true(reply.parts[2].answered);
    batch_reply_done(&reply);
}

static void
what_is_no_reply_to_this_batch_is_refused(void **state)
{
    static const char *const types[] = {"",
                                        "text/html",
                                        "multipart/mixed",
                                        "multipart/mixed; boundary=",
                                        "multipart/mixed; boundary=\"\"",
                                        "multipart/mixed; xboundary=b",
                                        "multipart/mixedx; boundary=b",
                                        "multipart/form-data; boundary=b"};
    static const char *const bodies[] = {
        DONE DONE DONE DONE DONE END,
        DONE DONE DONE DONE DONE,
        "--b\r\n" PART "hello\r\n" END,
        "--b\r\n" PART "HTTP/1.1 20 x\r\n\r\n" END,
        "--b\r\n" PART "HTTP/1.1 999 x\r\n\r\n" END,
        "--b\r\n" PART "HTTP/1.1 100 Continue\r\n\r\n" END,
        "--b\r\n" PART "HTTP/1.1 2040 x\r\n\r\n" END,
        "--b\r\n" PART "HTTP/1.1 204 x\r\nno colon\r\n\r\n" END,
        "--b\r\nContent-Type: text/plain\r\n\r\nHTTP/1.1 204 x\r\n\r\n" END,
        "--b\r\nContent-Type: application/http\r\n" END,
        "--b\r\n" END,
    };
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"error\":{\"code\":\"0x80072322\",\"message\":\"x\"}}",
        "{\"responses\":{}}",
        "{\"responses\":[1]}",
        "{\"responses\":[{\"id\":\"1\"}]}",
        "{\"responses\":[{\"status\":\"204x\"}]}",
        "{\"responses\":[{\"status\":204.5}]}",
        "{\"responses\":[{\"status\":-204}]}",
        "{\"responses\":[{\"status\":204,\"status\":404}]}",
        "{\"responses\":[{\"status\":204,\"headers\":[]}]}",
        "{\"responses\":[{\"status\":204}",
        "{\"responses\":[],\"responses\":[]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_false(batch_reply_is_batch(types[i]));
        refuse(types[i], DONE END, four);
    }
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        refuse(MIXED, bodies[i], four);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse(JSON, texts[i], four);
    refuse(JSON, "{\"responses\":[{\"id\":\"1\",\"status\":204},{\"id\":\"1\",\"status\":204}]}",
           (struct batch_expected){.count = 2, .content_ids = true});
    assert_true(batch_reply_is_batch(MIXED));
    assert_true(batch_reply_is_batch(JSON));
}

static void
values_that_are_not_clean_are_left_out(void **state)
{
    struct batch_reply reply =
        read_reply(MIXED,
                   "--b\r\n" PART "HTTP/1.1 204 x\r\nREQ_ID: \x1b[2J\r\nETag: *\r\n"
                   "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\tfolded\r\n\r\n" END,
                   (struct batch_expected){.count = 1});

    (void)state;
    assert_string_equal(reply.parts[0].request_id, "");
    assert_string_equal(reply.parts[0].etag, "");
    assert_int_equal(reply.parts[0].retry_after_s, -1);
    batch_reply_done(&reply);
}

static void
a_part_is_judged_like_an_answer(void **state)
{
    struct batch_reply reply = read_reply(MIXED, DONE GONE BUSY FOUND END, four);
    const struct http_answer whole = {.status = 200, .request_id = "whole"};
    struct http_answer answer;

    (void)state;
    answer = batch_part_answer(&reply.parts[0], &whole);
    assert_int_equal(answer_judge(&answer).verdict, VERDICT_OK);
    assert_string_equal(answer.request_id, "whole");
    answer = batch_part_answer(&reply.parts[1], &whole);
    assert_int_equal(answer_judge(&answer).verdict, VERDICT_GONE);
    assert_string_equal(answer.request_id, "r1");
    answer = batch_part_answer(&reply.parts[2], &whole);
    assert_int_equal(answer_judge(&answer).verdict, VERDICT_PAUSE);
    assert_int_equal(answer.retry_after_s, 17);
    batch_reply_done(&reply);
}

/* ---- properties ---- */

/** A copy that ends where its memory ends, so that reading beyond it is seen. */
static bool
read_exactly(const char *type, const unsigned char *bytes, size_t size, struct batch_reply *ret,
             unsigned char **ret_copy)
{
    const struct batch_expected expected = {.count = 6};
    struct err err;

    *ret_copy = malloc(size ? size : 1);
    assert_non_null(*ret_copy);
    if (size > 0)
        memcpy(*ret_copy, bytes, size);
    return batch_reply_read(type, slice_of(*ret_copy, size), &expected, ret, &err);
}

static void
every_cut_of_a_reply_gives_parts_of_the_whole_or_nothing(void **state)
{
    static const char body[] = DONE GONE BUSY DONE FOUND DONE END;
    struct batch_reply whole = read_reply(MIXED, body, (struct batch_expected){.count = 6});

    (void)state;
    for (size_t size = 0; size < sizeof body; size++) {
        struct batch_reply reply;
        unsigned char *copy;

        assert_true(read_exactly(MIXED, (const unsigned char *)body, size, &reply, &copy));
        for (size_t i = 0; i < 6; i++) {
            assert_true(reply.parts[i].answered == (i < reply.answered));
            if (!reply.parts[i].answered)
                continue;
            assert_int_equal(reply.parts[i].status, whole.parts[i].status);
            assert_string_equal(reply.parts[i].request_id, whole.parts[i].request_id);
            assert_true(slice_equal(reply.parts[i].body, whole.parts[i].body));
        }
        assert_true(reply.answered == 6 || !reply.whole);
        batch_reply_done(&reply);
        free(copy);
    }
    batch_reply_done(&whole);
}

static void
no_cut_of_a_json_reply_is_taken_for_whole(void **state)
{
    static const char body[] = "{\"responses\":[{\"status\":204},{\"status\":204},{\"status\":404,"
                               "\"headers\":{\"a\":\"b\"},\"body\":{\"x\":[1,2,\"\\u0041\"]}},"
                               "{\"status\":204},{\"status\":204},{\"status\":204}]";

    (void)state;
    for (size_t size = 0; size < strlen(body); size++) {
        struct batch_reply reply;
        unsigned char *copy;

        assert_false(read_exactly(JSON, (const unsigned char *)body, size, &reply, &copy));
        free(copy);
    }
}

static uint32_t
next_number(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/** Change some bytes, or copy some of the text over another place. */
static void
spoil(unsigned char *bytes, size_t size, uint32_t *seed)
{
    for (uint32_t i = next_number(seed) % 4 + 1; i > 0; i--) {
        const size_t at = next_number(seed) % size;
        const size_t from = next_number(seed) % size;
        size_t length = next_number(seed) % 40;

        if (next_number(seed) % 2) {
            bytes[at] = (unsigned char)next_number(seed);
            continue;
        }
        if (length > size - at)
            length = size - at;
        if (length > size - from)
            length = size - from;
        memmove(bytes + at, bytes + from, length);
    }
}

static void
try_spoiled(const char *type, struct slice body, uint32_t *seed)
{
    const size_t size = body.size;
    unsigned char *bytes = malloc(size);
    unsigned char *copy;
    struct batch_reply reply;

    assert_non_null(bytes);
    memcpy(bytes, body.data, size);
    spoil(bytes, size, seed);
    if (read_exactly(type, bytes, next_number(seed) % 8 ? size : next_number(seed) % size, &reply,
                     &copy)) {
        size_t answered = 0;

        for (size_t i = 0; i < reply.count; i++) {
            const struct batch_part *part = &reply.parts[i];

            answered += part->answered;
            assert_true(!part->answered || (part->status >= 200 && part->status <= 599));
            assert_true(part->body.size == 0 || (part->body.data >= copy &&
                                                 part->body.data + part->body.size <= copy + size));
        }
        assert_int_equal(answered, reply.answered);
        batch_reply_done(&reply);
    }
    free(copy);
    free(bytes);
}

static void
spoiled_replies_never_crash_and_never_lie_about_their_size(void **state)
{
    static const char mixed[] =
        DONE GONE "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
                  "--c\r\n" PART "HTTP/1.1 204 x\r\n\r\n\r\n--c--\r\n" BUSY FOUND DONE END;
    static const char json[] =
        "{\"responses\":[{\"id\":\"1\",\"status\":204},{\"id\":\"2\",\"status\":404,\"headers\":"
        "{\"content-type\":\"application/json\",\"Retry-After\":\"3\"},\"body\":{\"error\":"
        "{\"code\":\"\\u0041\"}}},{\"status\":204},{\"status\":204},{\"status\":204},"
        "{\"status\":204}]}";
    uint32_t seed = 7;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        try_spoiled(MIXED, slice_of_string(mixed), &seed);
        try_spoiled(JSON, slice_of_string(json), &seed);
    }
}

/** Many megabytes of what would make a careless reader slow, deep or large. */
static void
huge_replies_are_read_in_one_pass(void **state)
{
    static const struct slice json = {(const unsigned char *)"{\"responses\":", 13};
    static const char *const pieces[] = {"--b\r\n", "--", "\r\n", "--b-", "a: b\r\n", "["};
    const size_t size = (size_t)8 * 1024 * 1024;
    char *body = malloc(size + 1);

    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        const struct slice piece = slice_of_string(pieces[i]);
        const size_t length = piece.size;
        struct batch_reply reply;
        struct err err;

        for (size_t at = 0; at + length <= size; at += length)
            memcpy(body + at, piece.data, length);
        if (batch_reply_read(MIXED, slice_of(body, size / length * length), &four, &reply, &err)) {
            assert_int_equal(reply.answered, 0);
            batch_reply_done(&reply);
        }
        memcpy(body, json.data, json.size);
        assert_false(batch_reply_read(JSON, slice_of(body, size), &four, &reply, &err));
    }
    free(body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_read_in_their_order),
        cmocka_unit_test(lines_may_end_with_a_bare_line_feed),
        cmocka_unit_test(change_sets_are_read_too),
        cmocka_unit_test(json_replies_are_read_by_id_or_by_order),
        cmocka_unit_test(json_bodies_keep_their_bytes),
        cmocka_unit_test(a_reply_that_ends_early_leaves_the_rest_unknown),
        cmocka_unit_test(missing_parts_are_not_guessed),
        cmocka_unit_test(what_is_no_reply_to_this_batch_is_refused),
        cmocka_unit_test(values_that_are_not_clean_are_left_out),
        cmocka_unit_test(a_part_is_judged_like_an_answer),
        cmocka_unit_test(every_cut_of_a_reply_gives_parts_of_the_whole_or_nothing),
        cmocka_unit_test(no_cut_of_a_json_reply_is_taken_for_whole),
        cmocka_unit_test(spoiled_replies_never_crash_and_never_lie_about_their_size),
        cmocka_unit_test(huge_replies_are_read_in_one_pass),
    };

    return cmocka_run_group_tests_name("dataverse/batch_reply", tests, NULL, NULL);
}
