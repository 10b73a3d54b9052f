/**
 * HTTP for this adapter: one curl_multi, exchanges that run side by side, one set of options
 * and headers for all. No redirect is followed, no cookie kept, and
 * nothing but verified TLS spoken. What an answer means is not decided here: see answer.h.
 */
#ifndef DATAVERSE_HTTP_H
#define DATAVERSE_HTTP_H

#include "base/err.h"
#include "base/secret.h"
#include "base/slice.h"
#include "base/text.h"
#include "port/observer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_BODY_MAX_BYTES = 256 * 1024 * 1024, /* of an answer, after decompression */
    HTTP_CHALLENGE_BYTES = 2048,
    HTTP_ID_BYTES = 80,
    HTTP_TYPE_BYTES = 256,
};

/** Borrowed strings; 0 and NULL = default. */
struct http_options {
    const char *ca_file, *user_agent;
    bool http11;
    bool plain; /* http too: for tests with servers on this machine */
    int connect_timeout_s, timeout_s;
    struct observer *observer; /* told of each exchange; NULL = nobody */
    bool trace;                /* told of headers and connections too: see http_log.h */
};

enum http_method { HTTP_GET, HTTP_DELETE, HTTP_POST, HTTP_PATCH };

/** A plain http server of this machine or of its platform: never by way of a proxy. */
struct http_local {
    const char *header, *value; /* the one header that it wants; the value may be a secret */
    int connect_timeout_ms, timeout_s;
};

/** Everything is borrowed until the exchange is finished. */
struct http_request {
    enum http_method method;
    const struct http_local *local; /* NULL = over TLS, and by way of a proxy where one is set */
    const char *url;
    const struct secret *bearer; /* NULL = without a token */
    const char *if_match, *prefer;
    bool only_new;             /* If-None-Match: *, of a PATCH: create, or fail with 412 */
    const struct secret *form; /* of a POST to the token endpoint */
    struct slice body;         /* of any other POST or PATCH... */
    const char *type;          /* ...and its Content-Type */
    const char *accept;        /* NULL = application/json */
    bool plain;                /* without the OData headers: for the token endpoint */
    bool secret;               /* the answer holds a secret: it is wiped, and bounded to 256 KB */
};

/** How far a request came when there is no whole answer. */
enum http_failure {
    HTTP_ANSWERED,   /* not at all: there is a whole answer */
    HTTP_NOT_SENT,   /* the server cannot have seen it: name, connection, TLS */
    HTTP_LOST,       /* it may have been executed */
    HTTP_TOO_LARGE,  /* the answer is larger than we take */
    HTTP_IMPOSSIBLE, /* a fault on our side: memory, a CA file that cannot be read */
};

struct http_answer {
    enum http_failure failure;
    struct err why; /* unless HTTP_ANSWERED; does not name the purpose of the request */
    int status;
    struct slice body;                /* owned by the exchange, a NUL behind it */
    char content_type[HTTP_ID_BYTES]; /* without parameters, "" when not said */
    char whole_type[HTTP_TYPE_BYTES]; /* with them, "" when not said or too long */
    char preferences[HTTP_ID_BYTES];  /* Preference-Applied */
    char request_id[HTTP_ID_BYTES];   /* of the service */
    char client_request_id[HTTP_ID_BYTES];
    char challenge[HTTP_CHALLENGE_BYTES]; /* WWW-Authenticate: Bearer ..., "" when there was none */
    int64_t retry_after_s;                /* -1 when not said */
    int dop_hint;                         /* x-ms-dop-hint, 0 when not said */
};

struct http;

/** One request and its answer, reusable. `answer` is valid once http_next has returned it. */
struct http_exchange {
    struct http_answer answer;
    void *owner; /* the caller's */
    struct http_inner *inner;
};

MUST_CHECK bool http_new(const struct http_options *options, struct http **ret, struct err *err);
/** Exchanges must have been freed. NULL is allowed. */
void http_free(struct http *http);

/** NULL when out of memory. */
struct http_exchange *http_exchange_new(struct http *http);
/** Ends the transfer too, if it still runs. NULL is allowed. */
void http_exchange_free(struct http_exchange *exchange);

/** End the transfer if it still runs; there is no answer then. */
void http_exchange_stop(struct http_exchange *exchange);

/** Start a request; the answer of an earlier one is forgotten. ERR_INTERNAL when out of memory. */
MUST_CHECK bool http_send(struct http_exchange *exchange, const struct http_request *request,
                          struct err *err);

/** How many exchanges run. */
size_t http_in_flight(const struct http *http);

/**
 * Work until an exchange is finished and return it; NULL when `timeout_ms` is over or nothing runs.
 * Looks at the stop flag often enough that a caller may ask again and again.
 */
struct http_exchange *http_next(struct http *http, int64_t timeout_ms);

/** Start one and wait for it. A stop signal ends it: ERR_INTERRUPTED. */
MUST_CHECK bool http_run(struct http_exchange *exchange, const struct http_request *request,
                         struct err *err);

/** Append a request as text: method and URL, the headers that are ours to give, the body. No secret
 * is in it: TOKEN and REQUEST_ID stand for what a request would have. */
void http_request_text(const struct http_request *request, struct text *ret);

/** A random GUID, lower case. `ret` holds 37 bytes. */
void http_guid(char ret[37]);

#endif
