/**
 * What an answer of the service means: decided by HTTP status, then error code, then text.
 */
#ifndef DATAVERSE_ANSWER_H
#define DATAVERSE_ANSWER_H

#include "base/err.h"
#include "http.h"

#include <stdbool.h>
#include <stdint.h>

enum { ANSWER_WAIT_MAX_MS = 5 * 60 * 1000, ANSWER_TRIES = 10 };

enum verdict {
    VERDICT_OK,
    VERDICT_TOKEN,   /* the token is bad or over: get another one once */
    VERDICT_PAUSE,   /* throttled: nobody sends until the wait is over, then the same again */
    VERDICT_RETRY,   /* transient: the same again after a while */
    VERDICT_LOST,    /* no answer, and it may have been executed */
    VERDICT_GONE,    /* the row is not there */
    VERDICT_CHANGED, /* the row has another version */
    VERDICT_ROW,     /* refused for this row; the next may do */
    VERDICT_STOP,    /* no use to go on */
};

struct judgement {
    enum verdict verdict;
    bool odata;     /* the body is an error object of an OData service */
    char code[40];  /* error.code, lower case, "" when empty or not given */
    struct err err; /* unless VERDICT_OK: what happened, with status, code and request id */
};

struct judgement answer_judge(const struct http_answer *answer);

/** An answer of status 200 whose body is not what it should be. ERR_SERVER; returns false. */
bool answer_malformed(const struct http_answer *answer, const char *what, struct err *err);

/**
 * The JSON of an answer of status 200; NULL when it is none, or when a text in it holds U+0000,
 * which would cut that text short. The caller frees it with cJSON_Delete.
 */
struct cJSON *answer_json(const struct http_answer *answer);

/**
 * How long to wait before try number `tries` + 1 (the first try is 1): Retry-After and a second
 * when the service said so, else 2^tries s, both with up to a second of chance. False when that is
 * longer than ANSWER_WAIT_MAX_MS.
 */
MUST_CHECK bool answer_wait(const struct http_answer *answer, unsigned tries, int64_t *ret_ms);

#endif
