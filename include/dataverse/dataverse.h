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
    const char *certificate_file; /* PEM with key and certificate, instead of the secret; its mode
                                     is the caller's to check */
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
    bool odata;                /* test only: a generic OData v4 server on loopback */
    int time_scale;        /* test only: the server's clock runs that many times as fast; 0 = 1 */
    int connect_timeout_s; /* 0 = 30 */
    int timeout_s;         /* 0 = 300 */
};

/** The environment that the options name. Nothing is connected yet. ERR_USAGE for a URL that is not
 * https or whose host is neither a Dataverse host nor allowed, and for a secret beside a
 * certificate.
 */
MUST_CHECK bool dataverse_server_new(const struct dataverse_options *options,
                                     struct runtime_server **ret, struct err *err);
void dataverse_server_free(struct runtime_server *server); /* NULL is allowed */

/** What is sent, as text. */
extern const struct runtime_statements dataverse_statements;

/** Version text of libcurl and its TLS library. */
const char *dataverse_library_version(void);

#endif
