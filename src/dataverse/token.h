/**
 * A token for the environment: who gives it (the service's 401 challenge says), how it is asked for
 * (client credentials with a secret or a signed assertion), and when it is asked for again. A
 * secret goes to a listed or allowed sign-in server only.
 */
#ifndef DATAVERSE_TOKEN_H
#define DATAVERSE_TOKEN_H

#include "base/err.h"
#include "base/secret.h"
#include "base/slice.h"
#include "http.h"
#include "url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a token is asked for with. Borrowed. */
struct token_source {
    const struct url_target *target;
    const struct url_allow *allow;
    const char *tenant, *authority; /* NULL = as the challenge says */
    const char *client_id;
    const struct secret *client_secret;
    const char *certificate_file; /* instead of the secret */
};

/** Zeroed at first. */
struct token {
    struct secret bearer;
    int64_t refresh_at_ms;                                 /* on the monotonic clock */
    char endpoint[URL_ORIGIN_BYTES + URL_HOST_BYTES + 32]; /* "" until it was discovered */
};

/** Read authorization_uri out of "Bearer authorization_uri=..., resource_id=...", quoted or not. */
MUST_CHECK bool token_challenge_parse(const char *header, char *ret_uri, size_t ret_size);

/** How long a token that lives `life_s` is used: 80 % of its life or until 5 minutes before its
 * end, whichever is first; of a life so short that the 5 minutes would eat most of it, 80 %. */
int64_t token_use_ms(int64_t life_s);

/** True when there is no token, or its time is over. */
bool token_is_due(const struct token *token);

/** Get a token, in place of the one there is. Nothing else may be in flight. ERR_SIGNIN,
 * ERR_CONFIG (certificate), ERR_CONNECT, ERR_TLS, ERR_SERVER. */
MUST_CHECK bool token_refresh(struct token *token, const struct token_source *source,
                              struct http_exchange *exchange, struct err *err);

/** Read a token reply; ERR_SERVER when it is none. Fills bearer and refresh_at_ms. */
MUST_CHECK bool token_reply_parse(struct slice body, struct token *token, struct err *err);

/** Fill `err` (ERR_SIGNIN) for a refusal of the token endpoint; returns false. */
bool token_refusal(const struct http_answer *answer, const struct token_source *source,
                   struct err *err);

void token_done(struct token *token);

/** Where the service is asked, without a token, who gives them; and what stands behind authority
 * and tenant in the URL of the token endpoint. */
extern const char token_question_path[], token_endpoint_path[];

#endif
