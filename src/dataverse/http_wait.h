/**
 * Waits for what runs side by side in a curl_multi. libcurl names the sockets, the kernel says
 * which of them have something to do: with fifty requests in flight, forty-nine have not.
 */
#ifndef DATAVERSE_HTTP_WAIT_H
#define DATAVERSE_HTTP_WAIT_H

#include "base/err.h"
#include "curl_library.h"

#include <stdbool.h>
#include <stdint.h>

/** Must not move while it is in use. */
struct http_wait {
    CURLM *multi;
    int epoll;
    int64_t due_ms; /* when libcurl wants to be called anyway; -1 = never */
};

/** Borrows `multi`, and is its watcher from now on. ERR_INTERNAL. */
MUST_CHECK bool http_wait_init(struct http_wait *wait, CURLM *multi, struct err *err);

/** After `multi` was cleaned up. */
void http_wait_done(struct http_wait *wait);

/** Wait at most so long until there is something to do, and let libcurl do it. */
void http_wait_work(struct http_wait *wait, int64_t timeout_ms);

#endif
