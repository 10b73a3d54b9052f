/** Who signs the environment's users in: as the operator says, or as the service's 401 says. */
#ifndef DATAVERSE_AUTHORITY_H
#define DATAVERSE_AUTHORITY_H

#include "token.h"

/** Read authorization_uri out of "Bearer authorization_uri=..., resource_id=...", quoted or not. */
MUST_CHECK bool authority_challenge_parse(const char *header, char *ret_uri, size_t ret_size);

/** Find the token endpoint and keep it in `token`, once. ERR_SIGNIN when it is not a listed or
 * allowed sign-in server over https. */
MUST_CHECK bool authority_discover(struct token *token, const struct token_source *source,
                                   struct http_exchange *exchange, struct err *err);

/** What is asked without a token, behind the origin; and where tokens come from, behind the tenant.
 */
extern const char authority_question_path[], authority_token_path[];

#endif
