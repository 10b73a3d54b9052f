/** Tokens that somebody else asked for: how long they are good, and whether they are for us. */
#ifndef DATAVERSE_OUTSIDE_TOKEN_H
#define DATAVERSE_OUTSIDE_TOKEN_H

#include "token.h"

/** Where it comes from. */
struct outside_origin {
    const char *what;  /* for messages: "the token in FILE" */
    const char *hint;  /* how to get a fresh one */
    int64_t expires_s; /* since 1970, as somebody said; 0 = as the token itself says */
    bool final;        /* there is no other to be had: it is used to its end */
};

/**
 * Take `text` as the token. ERR_SIGNIN when it cannot be one, has expired (and when), or is for
 * another service than `source` names.
 */
MUST_CHECK bool outside_token_take(const char *text, const struct outside_origin *origin,
                                   const struct token_source *source, struct token *token,
                                   struct err *err);

#endif
