/**
 * Reads what the service answered to a $batch, by the Content-Type of the answer and not by what
 * was asked for. Nothing is copied but what a part's headers say: bodies point into the reply.
 *
 * An operation whose answer is not there has an unknown outcome: it may have been executed. So
 *  - a reply that ends early gives the parts that are whole, and the others are not answered;
 *  - a whole reply that has fewer parts than there were operations gives its parts only when it is
 *    plain which operations they belong to: by Content-ID, or because it ends with its first
 *    failure and nobody promised to go on. Else no operation is answered;
 *  - a reply with more parts than operations, two answers to one operation, or a part that cannot
 *    be read is not an answer at all.
 */
#ifndef DATAVERSE_BATCH_REPLY_H
#define DATAVERSE_BATCH_REPLY_H

#include "base/err.h"
#include "base/slice.h"
#include "http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BATCH_ETAG_BYTES = 128,
    BATCH_HEADERS_MAX_BYTES = 64 * 1024, /* of one part */
};

struct batch_part {
    bool answered;                    /* else the outcome is unknown and nothing below is set */
    int status;                       /* 200 to 599 */
    int64_t retry_after_s;            /* -1 = not said in seconds */
    char content_type[HTTP_ID_BYTES]; /* without parameters, "" when not said */
    char request_id[HTTP_ID_BYTES];   /* the service's, "" when not said */
    char etag[BATCH_ETAG_BYTES];      /* "" when there is no valid one */
    struct slice body;                /* points into the reply */
};

struct batch_reply {
    bool whole;      /* it came to its end */
    size_t answered; /* how many of `parts` are */
    size_t count;    /* as many as there were operations, in their order */
    struct batch_part *parts;
};

/** May an answer of this Content-Type be a batch? If not, it is to be judged as it is. */
bool batch_reply_is_batch(const char *content_type);

/** What the reply has to fit. */
struct batch_expected {
    size_t count;     /* operations, 1 to BATCH_OPERATIONS_MAX */
    bool content_ids; /* they were numbered, see batch_form */
    bool go_on;       /* Preference-Applied said odata.continue-on-error: a failure ends nothing */
};

/**
 * `content_type` is the whole header, with parameters. ERR_SERVER when it is no reply to this
 * batch: then every operation has an unknown outcome, unless the status of the whole says that
 * nothing was done (401, 413, 429 and the like come with an error object in place of a batch).
 * ERR_INTERNAL when out of memory. The caller frees `ret` with batch_reply_done; `body` must live
 * as long.
 */
MUST_CHECK bool batch_reply_read(const char *content_type, struct slice body,
                                 const struct batch_expected *expected, struct batch_reply *ret,
                                 struct err *err);
void batch_reply_done(struct batch_reply *reply);

/**
 * An answered part as an answer of its own, for answer_judge. `whole` is the answer that it came
 * in; its request ids stand in when the part has none.
 */
struct http_answer batch_part_answer(const struct batch_part *part,
                                     const struct http_answer *whole);

#endif
