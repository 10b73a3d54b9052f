#include "http_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    VALUE_SHOWN_MAX = 200,
    NAME_SHOWN_MAX = 40,
    PATH_SHOWN_MAX = 400,
    TEXT_SHOWN_MAX = 300,
    LOG_BYTES = 2048
};

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

/* Values that are ours: names of columns and functions, never those of rows. */
static const char *const shown_parameters[] = {"$select", "$expand",  "$apply",     "$count",
                                               "$top",    "$orderby", "api-version"};

/* Headers whose value says nothing about who signs in, and nothing of a row. */
static const char *const shown_headers[] = {
    "accept",
    "accept-encoding",
    "allow",
    "cache-control",
    "client-request-id",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expires",
    "host",
    "if-match",
    "if-none-match",
    "metadata",
    "odata-maxversion",
    "odata-version",
    "pragma",
    "prefer",
    "preference-applied",
    "proxy-connection",
    "req_id",
    "retry-after",
    "server",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "x-ms-client-request-id",
    "x-ms-correlation-id",
    "x-ms-correlation-request-id",
    "x-ms-dop-hint",
    "x-ms-ests-server",
    "x-ms-ratelimit-burst-remaining-xrm-requests",
    "x-ms-ratelimit-time-remaining-xrm-requests",
    "x-ms-request-id",
    "x-ms-service-request-id",
};

/* Headers of which it helps to know that they were there. */
static const char *const named_headers[] = {
    "authorization",       "cookie",           "location",
    "proxy-authenticate",  "set-cookie",       "www-authenticate",
    "proxy-authorization", "x-identity-header"};

/* How libcurl's own lines begin that are about the connection and nothing that travels in it. */
static const char *const shown_texts[] = {
    "ALPN: ",
    "ALPN, ",
    "CAfile: ",
    "CApath: ",
    "CONNECT phase completed",
    "CONNECT tunnel established, response ",
    "Closing connection ",
    "Connected to ",
    "Connection #",
    "Connection state changed (",
    "Connection timed out after ",
    "Could not resolve host: ",
    "Empty reply from server",
    "OpenSSL ",
    "Operation timed out after ",
    "Re-using existing connection ",
    "Recv failure: ",
    "SSL certificate ",
    "SSL connection using ",
    "SSL connection timeout",
    "SSL: ",
    "SSL_connect: ",
    "Send failure: ",
    "Server certificate:",
    "TLSv1",
    "Trying ",
    "Using HTTP2, ",
    "Using Stream ID: ",
    "connect to ",
    "expire date: ",
    "issuer: ",
    "old SSL session ID is stale, ",
    "start date: ",
    "subject: ",
    "subjectAltName: ",
    "using HTTP/1.x",
    "using HTTP/2",
    "We are completely uploaded and fine",
};

static bool
is_listed(const char *const *names, size_t count, const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == size && strncasecmp(names[i], name, size) == 0)
            return true;
    return false;
}

#define LISTED(names, name, size) is_listed(names, sizeof(names) / sizeof((names)[0]), name, size)

static size_t
span(const char *at, size_t size, const char *accepted)
{
    size_t used = 0;

    while (used < size && at[used] && strchr(accepted, at[used]))
        used++;
    return used;
}

/** Is all of it made of these characters? */
static bool
consists_of(const char *at, size_t size, const char *more)
{
    for (size_t i = 0; i < size; i++)
        if (span(at + i, 1, plain) == 0 && span(at + i, 1, more) == 0)
            return false;
    return true;
}

/* ---- URLs ---- */

static void
append_parameter(struct text *out, const char *at, size_t size)
{
    const char *equals = memchr(at, '=', size);
    const size_t name = equals ? (size_t)(equals - at) : size;
    const size_t value = equals ? size - name - 1 : 0;

    if (name > NAME_SHOWN_MAX || !consists_of(at, name, "$@")) {
        text_append(out, "...");
        return;
    }
    text_append_bytes(out, at, name);
    if (!equals)
        return;
    text_append(out, "=");
    if (LISTED(shown_parameters, at, name) && value <= VALUE_SHOWN_MAX &&
        consists_of(equals + 1, value, "(),;=/$'%*"))
        text_append_bytes(out, equals + 1, value);
    else
        text_append(out, "...");
}

static void
append_query(struct text *out, const char *at, size_t size)
{
    const char *mark = "?";

    while (size > 0) {
        const char *end = memchr(at, '&', size);
        const size_t one = end ? (size_t)(end - at) : size;

        text_append(out, mark);
        append_parameter(out, at, one);
        mark = "&";
        size -= end ? one + 1 : one;
        at += end ? one + 1 : one;
    }
}

/** Where the host begins, behind scheme, name and password; 0 where there is no scheme. */
static size_t
find_host(const char *url, size_t size)
{
    const size_t scheme = span(url, size, plain);
    size_t host = scheme + 3;

    if (size < host || memcmp(url + scheme, "://", 3) != 0)
        return 0;
    for (size_t i = host; i < size && !strchr("/?#", url[i]); i++)
        if (url[i] == '@')
            host = i + 1;
    return host;
}

void
http_log_append_url(struct text *out, const char *url, size_t size)
{
    const size_t host = find_host(url, size);
    const char *at = url + host;
    const char *query = memchr(at, '?', size - host);
    const size_t path = query ? (size_t)(query - at) : size - host;

    text_append_bytes(out, at, path < PATH_SHOWN_MAX ? path : PATH_SHOWN_MAX);
    if (path > PATH_SHOWN_MAX)
        text_append(out, "...");
    if (query)
        append_query(out, query + 1, size - host - path - 1);
}

/* ---- headers ---- */

/** "GET /path?query HTTP/2", or what CONNECT says. */
static bool
append_request_line(struct text *out, const char *line, size_t size)
{
    const size_t method = span(line, size, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const char *target = line + method + 1;
    const char *end = line + size;

    while (end > line && end[-1] != ' ')
        end--;
    if (method == 0 || method == size || line[method] != ' ' || end <= target ||
        (size_t)(line + size - end) < 6 || strncmp(end, "HTTP/", 5) != 0 ||
        !consists_of(end, (size_t)(line + size - end), "/"))
        return false;
    text_append_bytes(out, line, method);
    text_append(out, " ");
    http_log_append_url(out, target, (size_t)(end - 1 - target));
    text_append(out, " ");
    text_append_bytes(out, end, (size_t)(line + size - end));
    return true;
}

/** "HTTP/2 200"; the words behind the number are the server's. */
static bool
append_status_line(struct text *out, const char *line, size_t size)
{
    const size_t version = span(line, size, "HTTP/0123456789.");
    size_t digits;

    if (version < 6 || strncmp(line, "HTTP/", 5) != 0 || version == size || line[version] != ' ')
        return false;
    digits = span(line + version + 1, size - version - 1, "0123456789");
    if (digits == 0)
        return false;
    text_append_bytes(out, line, version + 1 + digits);
    return true;
}

static void
append_value(struct text *out, const char *at, size_t size)
{
    text_append_bytes(out, at, size < VALUE_SHOWN_MAX ? size : VALUE_SHOWN_MAX);
    if (size > VALUE_SHOWN_MAX)
        text_append(out, "...");
}

bool
http_log_append_header(struct text *out, struct slice line)
{
    const char *at = (const char *)line.data;
    const char *colon;
    size_t size = line.size;
    size_t name, blanks;

    while (size > 0 && (at[size - 1] == '\r' || at[size - 1] == '\n'))
        size--;
    if (size == 0)
        return false;
    if (append_status_line(out, at, size) || append_request_line(out, at, size))
        return true;
    colon = memchr(at, ':', size);
    name = colon ? (size_t)(colon - at) : 0;
    if (LISTED(shown_headers, at, name)) {
        blanks = span(colon + 1, size - name - 1, " \t");
        text_append_bytes(out, at, name);
        text_append(out, ": ");
        append_value(out, colon + 1 + blanks, size - name - 1 - blanks);
    } else if (LISTED(named_headers, at, name)) {
        text_append_bytes(out, at, name);
        text_append(out, ": (not shown)");
    } else {
        text_append(out, "(another header)");
    }
    return true;
}

/* ---- libcurl's lines ---- */

bool
http_log_may_show(struct slice line)
{
    const char *at = (const char *)line.data;
    size_t size = line.size;
    const size_t blanks = span(at, size, " \t");

    at += blanks;
    size -= blanks;
    if (size > TEXT_SHOWN_MAX || memchr(at, '@', size))
        return false;
    for (size_t i = 0; i < sizeof shown_texts / sizeof shown_texts[0]; i++) {
        const size_t known = strlen(shown_texts[i]);

        if (size >= known && memcmp(at, shown_texts[i], known) == 0)
            return true;
    }
    return false;
}

/* ---- telling ---- */

static void
say(const struct http_log *log, enum log_level level, const struct text *line)
{
    if (!line->broken)
        log->observer->say(log->observer, level, text_string(line));
}

static void
tell_line(const struct http_log *log, const char *mark, const struct http_log_line *line)
{
    TEXT_SCOPED text = {.max = LOG_BYTES};

    text_printf(&text, "http %s %s ", log->id, mark);
    if (line->used > HTTP_LOG_LINE_BYTES)
        text_append(&text, "(another header)");
    else if (!http_log_append_header(&text, slice_of(line->bytes, line->used)))
        return;
    say(log, LOG_LEVEL_TRACE, &text);
}

/** Only whole lines are judged: the rest of one could begin like something harmless. */
static void
take_header(const struct http_log *log, const char *mark, struct http_log_line *line,
            const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (line->used < HTTP_LOG_LINE_BYTES)
            line->bytes[line->used] = bytes[i];
        if (line->used <= HTTP_LOG_LINE_BYTES)
            line->used++;
        if (bytes[i] != '\n')
            continue;
        tell_line(log, mark, line);
        line->used = 0;
    }
}

static void
take_text(const struct http_log *log, const char *bytes, size_t size)
{
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        const size_t one = end ? (size_t)(end - bytes) : size;
        TEXT_SCOPED text = {.max = LOG_BYTES};

        text_printf(&text, "http %s * ", log->id);
        text_append_bytes(&text, bytes, one);
        if (http_log_may_show(slice_of(bytes, one)))
            say(log, LOG_LEVEL_TRACE, &text);
        size -= end ? one + 1 : one;
        bytes += end ? one + 1 : one;
    }
}

static void
tell_size(const struct http_log *log, const char *mark, size_t size)
{
    TEXT_SCOPED text = {.max = LOG_BYTES};

    text_printf(&text, "http %s %s %zu bytes of a body", log->id, mark, size);
    say(log, LOG_LEVEL_TRACE, &text);
}

int
/* libcurl gives the type. NOLINTNEXTLINE(readability-non-const-parameter) */
http_log_debug(CURL *easy, curl_infotype kind, char *bytes, size_t size, void *ctx)
{
    struct http_log *log = ctx;

    (void)easy;
    if (!log->observer)
        return 0;
    switch (kind) {
    case CURLINFO_TEXT:
        take_text(log, bytes, size);
        break;
    case CURLINFO_HEADER_IN:
        take_header(log, "<", &log->in, bytes, size);
        break;
    case CURLINFO_HEADER_OUT:
        take_header(log, ">", &log->out, bytes, size);
        break;
    case CURLINFO_DATA_IN:
        tell_size(log, "<", size);
        break;
    case CURLINFO_DATA_OUT:
        tell_size(log, ">", size);
        break;
    case CURLINFO_SSL_DATA_IN:
    case CURLINFO_SSL_DATA_OUT:
    case CURLINFO_END:
        break;
    }
    return 0;
}

void
http_log_begin(struct http_log *log, const char *id)
{
    (void)snprintf(log->id, sizeof log->id, "%.8s", id);
    log->in.used = 0;
    log->out.used = 0;
}

void
http_log_exchange(const struct http_log *log, const struct http_log_entry *entry)
{
    TEXT_SCOPED text = {.max = LOG_BYTES};

    if (!log->observer)
        return;
    text_printf(&text, "http %s %s ", log->id, entry->method);
    http_log_append_url(&text, entry->url, strlen(entry->url));
    if (entry->status > 0)
        text_printf(&text, ": %d", entry->status);
    else
        text_printf(&text, ": no answer (%s)", entry->why);
    text_printf(&text, ", %" PRId64 " ms, %zu bytes sent, %zu received", entry->elapsed_ms,
                entry->sent_bytes, entry->received_bytes);
    if (entry->request_id[0])
        text_printf(&text, ", request id %s", entry->request_id);
    say(log, LOG_LEVEL_DEBUG, &text);
}
