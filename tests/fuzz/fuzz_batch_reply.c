/* The reply to a $batch: Content-Type, then "COUNT ids|- go|-", then the body. A part that is
 * answered was said by the service, and the front of a reply says nothing else than the whole of
 * it. */
#include "dataverse/answer.h"
#include "dataverse/batch_body.h"
#include "dataverse/batch_reply.h"
#include "dataverse/identifier.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 12, CUTS = 8 };

static bool
lies_in(struct slice part, struct slice whole)
{
    return part.size == 0 || (part.data >= whole.data && part.size <= whole.size &&
                              (size_t)(part.data - whole.data) <= whole.size - part.size);
}

static void
check(const struct batch_reply *reply, const struct batch_expected *expected, struct slice body)
{
    const struct http_answer whole = {.status = 200, .client_request_id = "c", .body = body};
    size_t answered = 0;

    FUZZ_MUST(reply->count == expected->count && reply->answered <= reply->count);
    for (size_t i = 0; i < reply->count; i++) {
        const struct batch_part *part = &reply->parts[i];
        if (!part->answered)
            continue;
        answered++;
        FUZZ_MUST(part->status >= 200 && part->status <= 599);
        FUZZ_MUST(part->retry_after_s >= -1 && lies_in(part->body, body));
        FUZZ_MUST(!part->etag[0] || etag_is_valid(part->etag));
        const struct http_answer answer = batch_part_answer(part, &whole);
        const struct judgement judgement = answer_judge(&answer);
        FUZZ_MUST((judgement.verdict == VERDICT_OK) == (part->status / 100 == 2));
    }
    FUZZ_MUST(answered == reply->answered);
}

/** Of a reply that ends early: what it has is what the whole one has. */
static void
front_agrees(const char *type, struct slice body, const struct batch_expected *expected,
             const struct batch_reply *whole)
{
    for (size_t cut = 1; cut < CUTS; cut++) {
        struct batch_reply front;
        struct err err = {0};
        const struct slice part = slice_of(body.data, body.size * cut / CUTS);
        if (!batch_reply_read(type, part, expected, &front, &err))
            continue;
        check(&front, expected, part);
        for (size_t i = 0; i < front.count; i++)
            FUZZ_MUST(!front.parts[i].answered || !whole->parts[i].answered ||
                      front.parts[i].status == whole->parts[i].status);
        batch_reply_done(&front);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *type = fuzz_line(&input), *wish = fuzz_line(&input);
    size_t exact = 0;
    uint8_t *bytes = fuzz_bytes(&input, &exact);
    const struct slice body = slice_of(bytes, exact);
    const struct batch_expected expected = {
        .count = 1 + (size_t)strtoul(wish, NULL, 10) % COUNT_MAX,
        .content_ids = strstr(wish, "ids") != NULL,
        .go_on = strstr(wish, "go") != NULL,
    };
    struct batch_reply reply;
    struct err err = {0};

    if (batch_reply_read(type, body, &expected, &reply, &err)) {
        FUZZ_MUST(batch_reply_is_batch(type));
        check(&reply, &expected, body);
        front_agrees(type, body, &expected, &reply);
        batch_reply_done(&reply);
    } else {
        fuzz_must_say(&err);
    }
    free(bytes);
    free(wish);
    free(type);
    return 0;
}
