/** A Dataverse environment through its Web API (libcurl, cJSON). */
#ifndef DATAVERSE_DATAVERSE_H
#define DATAVERSE_DATAVERSE_H

#include "base/err.h"
#include "base/secret.h"
#include "port/runtime_store.h"
#include "port/statements.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** All strings borrowed for the lifetime of the server; NULL = default. */
struct dataverse_options {
    const char *url; /* https://ORG.crmN.dynamics.com, with or without scheme and slash; required */
    const char *tenant; /* id or domain; NULL = as the service's 401 challenge says */
    const char *client_id;
    const struct secret *client_secret;
    /* Instead of the secret, at most one of: */
    const char *certificate_file;     /* key and certificate, PEM or PFX; its owner's alone */
    const char *federated_token_file; /* an assertion of somebody else, read anew each time */
    bool managed_identity;      /* of this machine or app; client_id = the user-assigned one */
    const char *token_command;  /* writes a token; {resource} in it becomes the URL */
    const char *token_file;     /* holds a token; its owner's alone */
    const struct secret *token; /* one that cannot be renewed */
    bool device_code;           /* a person signs in with a browser; wants an observer */
    /* Of the certificate: */
    const struct secret *certificate_password; /* NULL = none */
    bool send_certificate_chain;               /* x5c */
    bool assertion_rs256;                      /* RS256 with x5t, for older set-ups */
    /* Of the managed identity: */
    const char *identity_endpoint; /* IDENTITY_ENDPOINT of App Service; NULL = IMDS */
    const struct secret *identity_header;
    const char *imds_origin; /* test only: "http://127.0.0.1:PORT" in place of 169.254.169.254 */
    const char *authority; /* NULL = as the challenge says, if it is a listed Microsoft authority */
    const char *const
        *allow_hosts; /* further hosts that tokens and secrets may go to (exact host names) */
    size_t allow_host_count;
    const char *ca_file;    /* PEM; NULL = the system's */
    const char *user_agent; /* "dwclean/0.1.0 run=..." */
    bool http11;
    bool fast;                 /* --fast: faster than the service advises, paid for with 429s */
    int64_t max_wait_ms;       /* --max-wait: a longer pause ends the purge; 0 = no limit */
    struct observer *observer; /* told of what is not checked, and of waiting; NULL = nobody */
    bool trace;                /* told of headers and connections too, by allow-list */
    bool odata;                /* test only: a generic OData v4 server on loopback */
    int time_scale; /* test only: the server's clock, Retry-After too, is that many times as fast;
                       0 = 1; divides 1000 */
    int connect_timeout_s; /* 0 = 30 */
    int timeout_s;         /* 0 = 300 */
};

/** The environment that the options name. Nothing is connected yet. ERR_USAGE for a URL that is not
 * https or whose host is neither a Dataverse host nor allowed, and for two ways to sign in.
 */
MUST_CHECK bool dataverse_server_new(const struct dataverse_options *options,
                                     struct runtime_server **ret, struct err *err);
void dataverse_server_free(struct runtime_server *server); /* NULL is allowed */

/** What is sent, as text. */
extern const struct runtime_statements dataverse_statements;

/** Does the certificate file want a password? ERR_CONFIG when it cannot be read, or others may read
 * it. */
MUST_CHECK bool dataverse_certificate_wants_password(const char *path, bool *ret, struct err *err);

/** Version of libcurl and of its TLS library; NULL = it cannot be loaded. */
const char *dataverse_library_version(void);

#endif
