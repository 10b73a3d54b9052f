/**
 * A token for the environment, and when it is to be had again. How it comes is one of the grants
 * (grant.h); exactly one of them is given.
 */
#ifndef DATAVERSE_TOKEN_H
#define DATAVERSE_TOKEN_H

#include "base/err.h"
#include "base/secret.h"
#include "base/slice.h"
#include "dataverse/dataverse.h"
#include "http.h"
#include "url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_MAX_BYTES = 64 * 1024, TOKEN_LIFE_MAX_S = 30 * 24 * 3600, TOKEN_LIFE_UNKNOWN_S = 600 };

/** What a token is asked for with. Borrowed. */
struct token_source {
    const struct dataverse_options *options; /* the grant is the one that they hold */
    const struct url_target *target;
    const struct url_allow *allow;
    const struct secret *sent; /* a further secret that no answer may repeat; NULL = none */
};

/** Zeroed at first. */
struct token {
    struct secret bearer;
    int64_t refresh_at_ms;                                 /* on the monotonic clock */
    char endpoint[URL_ORIGIN_BYTES + URL_HOST_BYTES + 32]; /* "" until it was discovered */
};

/** How long a token that lives `life_s` is used: 80 % of its life or until 5 minutes before its
 * end, whichever is first; of a life so short that the 5 minutes would eat most of it, 80 %. */
int64_t token_use_ms(int64_t life_s);

/** True when there is no token, or its time is over. */
bool token_is_due(const struct token *token);

/** False with ERR_USAGE, which names them, when more than one grant is given. */
MUST_CHECK bool token_options_check(const struct dataverse_options *options, struct err *err);

/** Does anybody sign in at all? */
bool token_is_wanted(const struct dataverse_options *options);

/** Get a token, in place of the one there is. Nothing else may be in flight. ERR_SIGNIN,
 * ERR_CONFIG (a file), ERR_CONNECT, ERR_TLS, ERR_SERVER. */
MUST_CHECK bool token_refresh(struct token *token, const struct token_source *source,
                              struct http_exchange *exchange, struct err *err);

/** Can it be sent in a header: printable, no blanks, not too long? */
bool token_is_sendable(const char *text);

/** Read a token reply; ERR_SERVER when it is none. Fills bearer and refresh_at_ms. */
MUST_CHECK bool token_reply_parse(struct slice body, struct token *token, struct err *err);

MUST_CHECK bool token_copy(struct token *ret, const struct token *from, struct err *err);
void token_done(struct token *token);

#endif
