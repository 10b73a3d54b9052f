#include "http.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "curl_library.h"
#include "http_failure.h"
#include "http_log.h"
#include "http_wait.h"
#include "url.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum {
    SECRET_BODY_MAX_BYTES = 256 * 1024,
    FIRST_BODY_BYTES = 16 * 1024,
    KEPT_BODY_BYTES = 4 * 1024 * 1024, /* of a body whose memory serves the next answer */
    SLICE_MS = 200,                    /* how long a stop signal may stay unseen */
    CONNECTION_AGE_MAX_S = 180, /* Azure's load balancers forget an idle connection after 230 s */
    CONNECTIONS_MAX = 52,       /* the service's own limit */
    LONG_URL_BYTES = 4096,
    CONNECT_TIMEOUT_S = 30,
    TIMEOUT_S = 300,
    SILENCE_MAX_S = 150,
};

struct http {
    CURLM *multi;
    struct http_wait wait;
    struct http_options options;
    size_t in_flight;
};

struct http_inner {
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;
    const char *url; /* the request's */
    bool running, secret;
    bool too_large;
    bool no_memory;  /* for the body */
    bool once;       /* must not go out twice */
    bool head_whole; /* the blank line after the headers has come */
    unsigned sends;
    char *body;
    size_t body_size, body_capacity;
    char reason[CURL_ERROR_SIZE];
    struct http_log log;
    int64_t began_ms;
};

void
http_guid(char ret[37])
{
    unsigned char bytes[16] = {0};

    /* 16 bytes never come short, and an id that repeats would only make a log harder to read. */
    (void)!getrandom(bytes, sizeof bytes, 0);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        (void)snprintf(ret + at, 3, "%02x", bytes[i]);
        at += 2;
    }
}

bool
http_new(const struct http_options *options, struct http **ret, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);

    if (http)
        http->multi = curl_multi_init();
    if (!http || !http->multi) {
        free(http);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    if (!http_wait_init(&http->wait, http->multi, err)) {
        (void)curl_multi_cleanup(http->multi);
        free(http);
        return false;
    }
    http->options = *options;
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_MAX);
    *ret = http;
    return true;
}

void
http_free(struct http *http)
{
    if (!http)
        return;
    assert(http->in_flight == 0);
    (void)curl_multi_cleanup(http->multi);
    http_wait_done(&http->wait);
    free(http);
}

/** Forget the body, with its bytes when they were secret. */
static void
drop_body(struct http_inner *inner)
{
    if (inner->body && inner->secret)
        secret_clear_memory(inner->body, inner->body_capacity);
    free(inner->body);
    inner->body = NULL;
    inner->body_size = 0;
    inner->body_capacity = 0;
}

/** The next answer is written over this one, if that may be. */
static void
forget_body(struct http_inner *inner, bool secret)
{
    if (inner->secret || secret || inner->body_capacity > KEPT_BODY_BYTES)
        drop_body(inner);
    inner->body_size = 0;
}

/** Room for `more` bytes and a NUL; old memory is wiped when it held a secret. */
static bool
make_room(struct http_inner *inner, size_t more)
{
    size_t capacity = inner->body_capacity ? inner->body_capacity : FIRST_BODY_BYTES;
    char *body;

    if (inner->body_size + more < inner->body_capacity)
        return true;
    while (capacity <= inner->body_size + more)
        capacity *= 2;
    body = malloc(capacity);
    if (!body)
        return false;
    if (inner->body_size)
        memcpy(body, inner->body, inner->body_size);
    if (inner->body && inner->secret)
        secret_clear_memory(inner->body, inner->body_capacity);
    free(inner->body);
    inner->body = body;
    inner->body_capacity = capacity;
    return true;
}

static size_t
take_body(char *bytes, size_t one, size_t size, void *ctx)
{
    struct http_inner *inner = ctx;
    const size_t max = inner->secret ? SECRET_BODY_MAX_BYTES : HTTP_BODY_MAX_BYTES;

    (void)one;
    if (size > max || inner->body_size > max - size) {
        inner->too_large = true;
        return 0;
    }
    if (!make_room(inner, size)) {
        inner->no_memory = true;
        return 0;
    }
    memcpy(inner->body + inner->body_size, bytes, size);
    inner->body_size += size;
    inner->body[inner->body_size] = '\0';
    return size;
}

/**
 * A connection that ends among the headers is no error to libcurl when TLS was not closed first: it
 * hands out what has come so far as an answer without a body.
 */
static size_t
take_header(char *bytes, size_t one, size_t size, void *ctx)
{
    struct http_inner *inner = ctx;

    (void)one;
    if (size >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        inner->head_whole = false; /* after 100 or a proxy's answer another head follows */
    else if (size > 0 && (bytes[0] == '\r' || bytes[0] == '\n'))
        inner->head_whole = true;
    return size;
}

/**
 * libcurl is about to send. When a connection that was used before closes without an answer, it
 * sends again by itself: what the first sending did is not known then, so whatever changes
 * something ends here.
 */
static int
/* libcurl gives the type. NOLINTNEXTLINE(readability-non-const-parameter) */
on_send(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct http_inner *inner = ctx;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    if (inner->once && inner->sends > 0) {
        inner->sends++;
        return CURL_PREREQFUNC_ABORT;
    }
    inner->sends++;
    return CURL_PREREQFUNC_OK;
}

struct http_exchange *
http_exchange_new(struct http *http)
{
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    struct http_inner *inner = calloc(1, sizeof *inner);
    CURL *easy = curl_easy_init();

    if (!exchange || !inner || !easy) {
        curl_easy_cleanup(easy);
        free(inner);
        free(exchange);
        return NULL;
    }
    inner->easy = easy;
    inner->http = http;
    exchange->inner = inner;
    return exchange;
}

/** One of them may have been a secret. */
static void
drop_headers(struct http_inner *inner)
{
    for (struct curl_slist *header = inner->headers; header; header = header->next)
        secret_clear_memory(header->data, strlen(header->data));
    curl_slist_free_all(inner->headers);
    inner->headers = NULL;
}

/** Take the transfer out of the multi handle and drop what it borrowed. */
static void
settle(struct http_exchange *exchange)
{
    struct http_inner *inner = exchange->inner;

    if (!inner->running)
        return;
    (void)curl_multi_remove_handle(inner->http->multi, inner->easy);
    inner->running = false;
    inner->http->in_flight--;
    curl_easy_reset(inner->easy);
    drop_headers(inner);
}

void
http_exchange_stop(struct http_exchange *exchange)
{
    settle(exchange);
}

void
http_exchange_free(struct http_exchange *exchange)
{
    if (!exchange)
        return;
    settle(exchange);
    drop_body(exchange->inner);
    curl_easy_cleanup(exchange->inner->easy);
    free(exchange->inner);
    free(exchange);
}

static bool
add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[1024];
    struct curl_slist *longer = NULL;
    const int size = snprintf(line, sizeof line, "%s: %s", name, value);

    if (size > 0 && (size_t)size < sizeof line && !strpbrk(line, "\r\n"))
        longer = curl_slist_append(*list, line);
    secret_clear_memory(line, sizeof line);
    if (!longer)
        return false;
    *list = longer;
    return true;
}

/** Where headers go: to libcurl, or into a text. */
typedef bool put_header(void *ctx, const char *name, const char *value);

/** The headers that are ours to give; `id` is the request's. */
static bool
put_headers(const struct http_request *request, const char *id, put_header *put, void *ctx)
{
    if (!put(ctx, "Accept", request->accept ? request->accept : "application/json"))
        return false;
    if (request->local && !put(ctx, request->local->header, request->local->value))
        return false;
    if (request->plain)
        return put(ctx, "client-request-id", id);
    return put(ctx, "OData-Version", "4.0") && put(ctx, "OData-MaxVersion", "4.0") &&
           put(ctx, "If-None-Match", request->only_new ? "*" : "null") &&
           (!request->type || put(ctx, "Content-Type", request->type)) &&
           put(ctx, "x-ms-client-request-id", id) &&
           (!request->if_match || put(ctx, "If-Match", request->if_match)) &&
           (!request->prefer || put(ctx, "Prefer", request->prefer));
}

static bool
put_into_list(void *ctx, const char *name, const char *value)
{
    return add_header(ctx, name, value);
}

static bool
put_into_text(void *ctx, const char *name, const char *value)
{
    text_printf(ctx, "%s: %s\n", name, value);
    return true;
}

static bool
add_headers(struct http_exchange *exchange, const struct http_request *request)
{
    struct curl_slist *no_expect = curl_slist_append(NULL, "Expect:");

    if (!no_expect)
        return false;
    exchange->inner->headers = no_expect;
    return put_headers(request, exchange->answer.client_request_id, put_into_list,
                       &exchange->inner->headers);
}

void
http_request_text(const struct http_request *request, struct text *ret)
{
    static const char *const methods[] = {
        [HTTP_GET] = "GET", [HTTP_DELETE] = "DELETE", [HTTP_POST] = "POST", [HTTP_PATCH] = "PATCH"};

    text_printf(ret, "%s %s\n", methods[request->method], request->url);
    if (request->bearer)
        text_append(ret, "Authorization: Bearer TOKEN\n");
    (void)put_headers(request, "REQUEST_ID", put_into_text, ret);
    if (request->body.size > 0) {
        text_append(ret, "\n");
        text_append_bytes(ret, request->body.data, request->body.size);
    }
}

/** Options that hold for every request. */
static bool
set_common(CURL *easy, const struct http_options *options)
{
    const long version = options->http11 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
    const long connect_s =
        options->connect_timeout_s ? options->connect_timeout_s : CONNECT_TIMEOUT_S;
    const long total_s = options->timeout_s ? options->timeout_s : TIMEOUT_S;

    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, options->plain ? "https,http" : "https") ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           (!options->ca_file ||
            curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file) == CURLE_OK) &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PIPEWAIT, options->http11 ? 0L : 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect_s) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT, total_s) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_MAX_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_MAX_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT,
                            options->user_agent ? options->user_agent : "dwclean") == CURLE_OK;
}

/** After the common options, which are for https. */
static bool
set_local(CURL *easy, const struct http_local *local)
{
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)local->connect_timeout_ms) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)local->timeout_s) == CURLE_OK;
}

static bool
set_method(CURL *easy, const struct http_request *request)
{
    const void *body = request->form ? (const void *)secret_reveal(request->form)
                                     : (const void *)request->body.data;
    const size_t size = request->form ? request->form->size : request->body.size;

    switch (request->method) {
    case HTTP_GET:
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    case HTTP_DELETE:
        return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE") == CURLE_OK;
    case HTTP_PATCH:
        if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH") != CURLE_OK)
            return false;
        break;
    case HTTP_POST:
        break;
    }
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? body : "") == CURLE_OK;
}

/** Where a long URL's path begins, if it is all of characters that stand for themselves; NULL for
 * any other URL. */
static const char *
long_target(const char *url)
{
    static const char scheme[] = "https://";
    const size_t size = strlen(url);
    const char *target;

    if (size < LONG_URL_BYTES || strncmp(url, scheme, sizeof scheme - 1) != 0)
        return NULL;
    target = strchr(url + sizeof scheme - 1, '/');
    if (!target || target - url >= URL_ORIGIN_BYTES || strpbrk(target, " #") ||
        text_json_run(target, strlen(target)) < strlen(target))
        return NULL;
    return target;
}

/** libcurl takes a URL apart, puts it together and prints it, byte by byte. Of a long one, which a
 * list of keys is, it gets the origin alone for that, and what follows as it is to be sent. */
static bool
set_url(CURL *easy, const char *url)
{
    const char *target = long_target(url);
    char origin[URL_ORIGIN_BYTES];

    if (!target)
        return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK;
    (void)snprintf(origin, sizeof origin, "%.*s", (int)(target - url), url);
    return curl_easy_setopt(easy, CURLOPT_URL, origin) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target) == CURLE_OK;
}

static bool
set_request(struct http_exchange *exchange, const struct http_request *request)
{
    struct http_inner *inner = exchange->inner;
    CURL *easy = inner->easy;

    if (request->bearer &&
        (curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) != CURLE_OK ||
         curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, secret_reveal(request->bearer)) !=
             CURLE_OK))
        return false;
    if (request->local && !set_local(easy, request->local))
        return false;
    return set_method(easy, request) && add_headers(exchange, request) &&
           set_url(easy, request->url) &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, inner->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, inner->reason) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, inner) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, inner) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, inner) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) == CURLE_OK;
}

/** Who looks gets libcurl's own lines too, and no other way than through the allow-list. */
static bool
set_log(struct http_exchange *exchange)
{
    struct http_inner *inner = exchange->inner;

    inner->log.observer = inner->http->options.observer;
    http_log_begin(&inner->log, exchange->answer.client_request_id);
    inner->began_ms = clock_monotonic_ms();
    return !inner->http->options.trace || !inner->log.observer ||
           (curl_easy_setopt(inner->easy, CURLOPT_DEBUGFUNCTION, http_log_debug) == CURLE_OK &&
            curl_easy_setopt(inner->easy, CURLOPT_DEBUGDATA, &inner->log) == CURLE_OK &&
            curl_easy_setopt(inner->easy, CURLOPT_VERBOSE, 1L) == CURLE_OK);
}

bool
http_send(struct http_exchange *exchange, const struct http_request *request, struct err *err)
{
    struct http_inner *inner = exchange->inner;

    assert(!inner->running);
    forget_body(inner, request->secret);
    exchange->answer = (struct http_answer){.retry_after_s = -1};
    http_guid(exchange->answer.client_request_id);
    inner->url = request->url;
    inner->secret = request->secret;
    inner->too_large = false;
    inner->no_memory = false;
    inner->head_whole = false;
    inner->once = request->method != HTTP_GET && !request->plain;
    inner->sends = 0;
    inner->reason[0] = '\0';
    if (!set_common(inner->easy, &inner->http->options) || !set_request(exchange, request) ||
        !set_log(exchange) || curl_multi_add_handle(inner->http->multi, inner->easy) != CURLM_OK) {
        curl_easy_reset(inner->easy);
        drop_headers(inner);
        return err_set(err, ERR_INTERNAL, "a request could not be prepared");
    }
    inner->running = true;
    inner->http->in_flight++;
    return true;
}

size_t
http_in_flight(const struct http *http)
{
    return http->in_flight;
}

/** First value of a header, up to `stop`, printable ASCII only. */
static void
copy_header(CURL *easy, const char *name, const char *stop, char *ret, size_t ret_size)
{
    struct curl_header *header;
    size_t used = 0;

    ret[0] = '\0';
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return;
    for (const char *at = header->value; *at && !strchr(stop, *at) && used + 1 < ret_size; at++)
        if (*at >= ' ' && *at <= '~')
            ret[used++] = *at;
    ret[used] = '\0';
}

/** A type that is cut short would name another boundary. */
static void
copy_whole_type(CURL *easy, char ret[HTTP_TYPE_BYTES])
{
    copy_header(easy, "Content-Type", "", ret, HTTP_TYPE_BYTES);
    if (strlen(ret) + 1 == HTTP_TYPE_BYTES)
        ret[0] = '\0';
}

/** There may be several challenges; ours is the one of scheme Bearer. */
static void
copy_challenge(CURL *easy, char *ret, size_t ret_size)
{
    struct curl_header *header;

    ret[0] = '\0';
    for (size_t i = 0;
         curl_easy_header(easy, "WWW-Authenticate", i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++)
        if (strncasecmp(header->value, "Bearer", 6) == 0 && strlen(header->value) < ret_size) {
            memcpy(ret, header->value, strlen(header->value) + 1);
            return;
        }
}

/** Copy what the handle knows before it is reset. */
static void
read_answer(struct http_exchange *exchange)
{
    struct http_inner *inner = exchange->inner;
    struct http_answer *answer = &exchange->answer;
    CURL *easy = inner->easy;
    struct curl_header *header;
    curl_off_t wait_s = 0;
    long status = 0;
    char hint[HTTP_ID_BYTES];

    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    answer->body = slice_of(inner->body ? inner->body : "", inner->body_size);
    copy_header(easy, "Content-Type", ";", answer->content_type, sizeof answer->content_type);
    copy_whole_type(easy, answer->whole_type);
    copy_header(easy, "Preference-Applied", "", answer->preferences, sizeof answer->preferences);
    copy_header(easy, "x-ms-service-request-id", ",", answer->request_id,
                sizeof answer->request_id);
    if (!answer->request_id[0])
        copy_header(easy, "REQ_ID", ",", answer->request_id, sizeof answer->request_id);
    copy_challenge(easy, answer->challenge, sizeof answer->challenge);
    copy_header(easy, "x-ms-dop-hint", ",", hint, sizeof hint);
    answer->dop_hint = (int)strtol(hint, NULL, 10);
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
        curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK)
        answer->retry_after_s = wait_s;
}

/** What was sent and came back; before the handle is reset. */
static void
tell(const struct http_exchange *exchange)
{
    const struct http_inner *inner = exchange->inner;
    const struct http_answer *answer = &exchange->answer;
    char *method = NULL;
    curl_off_t sent = 0;

    (void)curl_easy_getinfo(inner->easy, CURLINFO_EFFECTIVE_METHOD, &method);
    (void)curl_easy_getinfo(inner->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    http_log_exchange(&inner->log,
                      &(struct http_log_entry){.method = method ? method : "",
                                               .url = inner->url,
                                               .status = answer->status,
                                               .why = answer->why.primary,
                                               .request_id = answer->request_id,
                                               .elapsed_ms = clock_monotonic_ms() - inner->began_ms,
                                               .sent_bytes = (size_t)sent,
                                               .received_bytes = inner->body_size});
}

static void
finish(struct http_exchange *exchange, CURLcode code)
{
    struct http_inner *inner = exchange->inner;
    struct http_answer *answer = &exchange->answer;

    if (code == CURLE_OK && inner->head_whole) {
        read_answer(exchange);
    } else if (code == CURLE_OK) {
        http_failure_judge(inner->easy, CURLE_PARTIAL_FILE, "the answer ends among its headers",
                           inner->sends > 0, answer);
    } else if (inner->too_large) {
        answer->failure = HTTP_TOO_LARGE;
        (void)err_set(&answer->why, ERR_SERVER, "an answer is larger than %d MB",
                      HTTP_BODY_MAX_BYTES / 1024 / 1024);
    } else {
        const bool stopped = inner->once && inner->sends > 1;

        http_failure_judge(inner->easy, inner->no_memory ? CURLE_OUT_OF_MEMORY : code,
                           stopped ? "the connection closed without an answer" : inner->reason,
                           inner->sends > 0, answer);
    }
    tell(exchange);
    settle(exchange);
}

/** An exchange that has ended, if there is one. */
static struct http_exchange *
pick_finished(struct http *http)
{
    int left;
    CURLMsg *message;

    while ((message = curl_multi_info_read(http->multi, &left))) {
        struct http_exchange *exchange = NULL;
        const CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        finish(exchange, code);
        return exchange;
    }
    return NULL;
}

struct http_exchange *
http_next(struct http *http, int64_t timeout_ms)
{
    const int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    bool worked = false;

    while (http->in_flight > 0) {
        struct http_exchange *exchange = pick_finished(http);
        int64_t left_ms;

        if (exchange)
            return exchange;
        left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0 && worked)
            return NULL;
        http_wait_work(&http->wait, left_ms < SLICE_MS ? left_ms : SLICE_MS);
        worked = true;
    }
    return NULL;
}

bool
http_run(struct http_exchange *exchange, const struct http_request *request, struct err *err)
{
    assert(exchange->inner->http->in_flight == 0);

    if (!cancel_check(err) || !http_send(exchange, request, err))
        return false;
    while (!http_next(exchange->inner->http, SLICE_MS))
        if (!cancel_check(err)) {
            settle(exchange);
            return false;
        }
    return true;
}
