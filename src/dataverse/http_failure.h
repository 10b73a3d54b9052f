/** Why there is no answer: libcurl's result codes in the words of this program. */
#ifndef DATAVERSE_HTTP_FAILURE_H
#define DATAVERSE_HTTP_FAILURE_H

#include "curl_library.h"
#include "http.h"

/**
 * Judge a finished transfer that failed with `code`. `reason` is libcurl's error buffer; `sent`
 * says whether the request, or a part of it, may have gone out.
 */
void http_failure_judge(CURL *easy, CURLcode code, const char *reason, bool sent,
                        struct http_answer *answer);

/** The server that a URL names, "host:port", for messages. `ret` holds `ret_size` bytes. */
void http_failure_host(const char *url, char *ret, size_t ret_size);

#endif
