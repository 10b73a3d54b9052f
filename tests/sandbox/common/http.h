/**
 * A small HTTP server on 127.0.0.1 over libmicrohttpd, with or without TLS: one thread a
 * connection, the request read whole before the handler runs. Targets reach the handler as they
 * were sent.
 */
#ifndef SANDBOX_COMMON_HTTP_H
#define SANDBOX_COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HEADERS_MAX = 64 };

struct http_headers {
    struct {
        char *name, *value;
    } items[HTTP_HEADERS_MAX];
    size_t count;
};

/** Copies. What comes after the maximum is dropped. */
void http_headers_add(struct http_headers *, const char *name, const char *value);
/** Value of the first one of that name, in any case of letters, or NULL. */
const char *http_headers_get(const struct http_headers *, const char *name);
void http_headers_free(struct http_headers *);

struct http_server;
struct http_link; /* the connection of a request */

struct http_request {
    const char *method;
    const char *target; /* path and query, not decoded */
    const struct http_headers *headers;
    const char *body; /* never NULL; NUL-terminated beside its length */
    size_t body_bytes;
    struct http_link *link; /* NULL when the request did not come over a connection of its own */
    int connection;         /* the client's port: says which requests shared a connection */
    int64_t arrived_us;     /* CLOCK_MONOTONIC, when its first line was there */
};

struct http_answer {
    int status; /* 0 = close the connection without an answer */
    struct http_headers headers;
    char *body; /* malloc'd; freed by the server */
    size_t body_bytes;
    int64_t cut_after; /* close after this many bytes of the body; -1 = never */
    int64_t drip_ms;   /* one byte, then this long a pause; 0 = at once */
};

/** Body, its type and the status in one go; takes a copy. */
void http_answer_text(struct http_answer *, int status, const char *type, const char *text);
void http_answer_free(struct http_answer *);

struct http_options {
    uint16_t port;                 /* 0 = any free one */
    const char *certificate, *key; /* PEM texts; both NULL = plain HTTP */
    size_t max_body_bytes;         /* 413 above */
    void *ctx;
    void (*handle)(void *ctx, const struct http_request *, struct http_answer *);
};

/** NULL on failure with the reason in `why`. `options` is copied; the handler may run before this
 * returns. */
struct http_server *http_server_start(const struct http_options *options, char *why,
                                      size_t why_size);
uint16_t http_server_port(const struct http_server *);
/** Ends waits, closes every connection and joins their threads. */
void http_server_stop(struct http_server *);

/**
 * Wait `ms` (0 = for ever) in a handler. False: the client went away or the server stops, so that
 * no answer is needed.
 */
bool http_link_wait(struct http_link *, int64_t ms);

/** CLOCK_MONOTONIC: other processes of this machine have the same one. */
int64_t http_now_us(void);

#endif
