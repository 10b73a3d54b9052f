/** A signed-in conversation with one environment: reads that heal what can be healed. */
#ifndef DATAVERSE_SESSION_H
#define DATAVERSE_SESSION_H

#include "answer.h"
#include "dataverse/dataverse.h"
#include "http.h"
#include "token.h"
#include "url.h"

#include <stdbool.h>
#include <stddef.h>

/** Where the Web API begins, behind the origin. */
#define SESSION_API_PATH "/api/data/v9.2/"

enum { SESSION_EXCHANGES = 4, SESSION_PATH_BYTES = 512 };

struct session {
    const struct dataverse_options *options;
    struct url_target target;
    struct url_allow allow;
    char root[URL_ORIGIN_BYTES + SESSION_PATH_BYTES]; /* "https://host/api/data/v9.2/" */
    bool anonymous;       /* nobody signs in: a server on this machine, for tests */
    size_t path_at;       /* where "/api/..." begins in it */
    int dop_hint;         /* parallelism that the service advised last, 0 = none */
    char paused_why[160]; /* of the last pause; here, so that who is told may keep it */
    struct http *http;
    struct token token;
    struct token *kept; /* outlives the session; NULL = none */
    struct http_exchange *exchanges[SESSION_EXCHANGES];
};

/** One read. `answer` is borrowed from the session until its next use. */
struct fetch {
    const char *url;
    const char *prefer; /* NULL = none */
    bool may_fail;      /* an answer that says no is an answer: see `judgement` */
    bool once; /* with may_fail: no waiting and no other try, and no answer is an answer too */
    const struct http_answer *answer;
    struct judgement judgement;
};

/** Connect and sign in. `options` is borrowed. A token in `kept` (NULL = none) that is good yet is
 * used, and a new one is left there. On failure nothing is left. */
MUST_CHECK bool session_open(struct session *session, const struct dataverse_options *options,
                             struct token *kept, struct err *err);
void session_close(struct session *session);

/** What a request is signed with; NULL = with nothing. */
const struct secret *session_bearer(const struct session *session);

/** Is it time for another token? */
bool session_token_is_due(const struct session *session);

/** Get another token. Nothing may be in flight. */
MUST_CHECK bool session_sign_in(struct session *session, struct err *err);

/**
 * GET up to SESSION_EXCHANGES URLs side by side. Throttling and transient failures are waited out
 * and asked again, a token that is over is renewed once. False when one of them failed for good
 * (unless it may), or on a stop signal.
 */
MUST_CHECK bool session_fetch(struct session *session, struct fetch *fetches, size_t count,
                              struct err *err);

/**
 * Before the same is sent again: wait as long as the answer to the `tries`-th sending asks for, and
 * tell it. False when that is too long or too often: *err is left as it is.
 */
MUST_CHECK bool session_wait(const struct session *session, const struct http_answer *answer,
                             enum verdict verdict, unsigned tries);

#endif
