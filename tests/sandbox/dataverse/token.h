/** The Entra token endpoint and the tokens that it issued. Thread-safe. */
#ifndef SANDBOX_DATAVERSE_TOKEN_H
#define SANDBOX_DATAVERSE_TOKEN_H

#include "common/fault.h"
#include "common/http.h"
#include "common/log.h"
#include "dataverse/settings.h"

#include <stdbool.h>

enum { DV_TOKEN_BYTES = 2048 };

struct dv_tokens;

/** `certificate` is the application's (PEM text), for signed assertions; may be NULL. */
struct dv_tokens *dv_tokens_new(const char *certificate);
void dv_tokens_free(struct dv_tokens *);

struct dv_token_call {
    const struct dv_settings *settings;
    struct faults *faults;
    struct sandbox_log *log;
    const char *base; /* https://localhost:PORT: authority and resource */
    int session;
    const struct http_request *request;
    struct http_answer *answer;
};

/** POST /TENANT/oauth2/v2.0/token or .../devicecode. False: the target is no such thing. */
bool dv_token_endpoint(struct dv_tokens *, const struct dv_token_call *);

/** Issue a token as the endpoint does, without asking anybody for anything. */
void dv_token_issue(struct dv_tokens *, const struct dv_settings *, const char *base,
                    const char *audience, char ret[DV_TOKEN_BYTES]);

/**
 * An assertion of the issuer that the application trusts (workload identity). `claims` may replace
 * "iss", "sub", "aud" and "exp"; with "forged" the signature will not hold.
 */
void dv_federated_issue(struct dv_tokens *, const struct dv_settings *, const cJSON *claims,
                        char ret[DV_TOKEN_BYTES]);

/** Is this a token of ours that still lives? */
bool dv_token_valid(struct dv_tokens *, const char *token);

/** Every token issued so far is refused from now on. */
void dv_tokens_expire(struct dv_tokens *);

/** What the person at the browser does with every open device code: approve or decline. */
void dv_tokens_decide(struct dv_tokens *, bool approve);

#endif
