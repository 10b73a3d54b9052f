/** What a sign-in server says when it gives no token: told without any secret, with what to do. */
#ifndef DATAVERSE_REFUSAL_H
#define DATAVERSE_REFUSAL_H

#include "token.h"

/** Fill `err` (ERR_SIGNIN) for a refusal; returns false. */
bool refusal_judge(const struct http_answer *answer, const struct token_source *source,
                   struct err *err);

/**
 * One line of the server's own text, cut at a character; "" when it repeats one of our secrets or
 * may repeat a token or an assertion.
 */
void refusal_screen(const char *text, const struct token_source *source, char *ret,
                    size_t ret_size);

/**
 * One answer of a token endpoint: the token, or the error. With a false, `err->transient` says
 * whether to ask again.
 */
MUST_CHECK bool refusal_or_token(struct token *token, const struct token_source *source,
                                 const struct http_answer *answer, struct err *err);

#endif
