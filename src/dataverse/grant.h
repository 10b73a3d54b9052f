/**
 * The ways to a token. Each fills `bearer` and `refresh_at_ms` of `token`, or fails and leaves it
 * as it was. Nothing else may be in flight. Secrets go to a listed or allowed sign-in server, or to
 * the platform's own identity endpoint, and nowhere else.
 */
#ifndef DATAVERSE_GRANT_H
#define DATAVERSE_GRANT_H

#include "base/err.h"
#include "http.h"
#include "token.h"

/** Client credentials: a secret, or an assertion that a certificate's key signs or that a file
 * holds (workload identity; it is read anew each time). */
MUST_CHECK bool grant_client(struct token *token, const struct token_source *source,
                             struct http_exchange *exchange, struct err *err);

/** The identity that Azure gives to the machine or to the app it runs (IMDS, App Service). */
MUST_CHECK bool grant_identity(struct token *token, const struct token_source *source,
                               struct http_exchange *exchange, struct err *err);

/** Where IMDS or App Service is asked: http on this machine or on the platform's own link, and
 * nowhere else. `url` is IDENTITY_ENDPOINT. */
bool grant_identity_is_local(const char *url);

/** What the operator's command writes. */
MUST_CHECK bool grant_command(struct token *token, const struct token_source *source,
                              struct http_exchange *exchange, struct err *err);

/** A file or a variable with a token that somebody else asked for. */
MUST_CHECK bool grant_outside(struct token *token, const struct token_source *source,
                              struct http_exchange *exchange, struct err *err);

/** A person signs in with a browser on any machine and enters a code there. */
MUST_CHECK bool grant_device(struct token *token, const struct token_source *source,
                             struct http_exchange *exchange, struct err *err);

#endif
