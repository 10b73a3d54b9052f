/**
 * What is told of HTTP, at any level: by allow-list. A header's value is shown when its name is on
 * a list, a line of libcurl's own when its beginning is, a query's value when it is one of ours; of
 * bodies only the size. With HTTP/2 libcurl prints the token among its own lines too, which is why
 * nothing of libcurl's passes unseen.
 */
#ifndef DATAVERSE_HTTP_LOG_H
#define DATAVERSE_HTTP_LOG_H

#include "base/slice.h"
#include "base/text.h"
#include "curl_library.h"
#include "port/observer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_LOG_LINE_BYTES = 1024 };

/** A line of a header on its way: libcurl may hand it over in pieces. */
struct http_log_line {
    char bytes[HTTP_LOG_LINE_BYTES];
    size_t used; /* more than HTTP_LOG_LINE_BYTES: too long to be shown */
};

/** What is told of one transfer. */
struct http_log {
    struct observer *observer; /* NULL = nobody */
    char id[9];                /* tells transfers that run side by side apart */
    struct http_log_line out, in;
};

/** One request and what became of it. Borrowed. */
struct http_log_entry {
    const char *method, *url;
    int status; /* 0 = no answer, for the reason of `why` */
    const char *why;
    const char *request_id; /* the service's, "" when not said */
    int64_t elapsed_ms;
    size_t sent_bytes, received_bytes; /* of the bodies */
};

/** Begin a transfer. `id`: its first eight characters are used. */
void http_log_begin(struct http_log *log, const char *id);

/** One line of level debug. */
void http_log_exchange(const struct http_log *log, const struct http_log_entry *entry);

/** libcurl's CURLOPT_DEBUGFUNCTION: lines of level trace. `ctx` is a struct http_log. */
int http_log_debug(CURL *easy, curl_infotype kind, char *bytes, size_t size, void *ctx);

/** Append host and path of a URL, or a path alone; of its query what may be shown. */
void http_log_append_url(struct text *out, const char *url, size_t size);

/**
 * Append a line of a header, request and status lines too, as far as it may be shown. False for the
 * empty line, of which nothing is told.
 */
bool http_log_append_header(struct text *out, struct slice line);

/** May this line of libcurl's own be shown? */
bool http_log_may_show(struct slice line);

#endif
