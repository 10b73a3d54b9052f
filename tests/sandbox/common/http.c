#include "common/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum { LINK_MEMORY_BYTES = 256 * 1024, WAIT_SLICE_MS = 20 };

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_options options;
    uint16_t port;
    atomic_bool stopping;
};

struct http_link {
    struct http_server *server;
    int socket;
};

/** What one request gathers until its body is complete. */
struct gathering {
    char *target;
    char *body;
    size_t used, size;
    bool started, too_large;
    int64_t arrived_us;
};

/* ---- headers and answers ---- */

void
http_headers_add(struct http_headers *headers, const char *name, const char *value)
{
    if (headers->count == HTTP_HEADERS_MAX)
        return;
    char *name_copy = strdup(name);
    char *value_copy = strdup(value ? value : "");
    if (!name_copy || !value_copy) {
        free(name_copy);
        free(value_copy);
        return;
    }
    headers->items[headers->count].name = name_copy;
    headers->items[headers->count].value = value_copy;
    headers->count++;
}

const char *
http_headers_get(const struct http_headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (strcasecmp(headers->items[i].name, name) == 0)
            return headers->items[i].value;
    }
    return NULL;
}

void
http_headers_free(struct http_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        free(headers->items[i].name);
        free(headers->items[i].value);
    }
    headers->count = 0;
}

void
http_answer_text(struct http_answer *answer, int status, const char *type, const char *text)
{
    char *copy = strdup(text);
    free(answer->body);
    answer->body = copy;
    answer->body_bytes = copy ? strlen(copy) : 0;
    answer->status = status;
    if (type)
        http_headers_add(&answer->headers, "Content-Type", type);
}

void
http_answer_free(struct http_answer *answer)
{
    http_headers_free(&answer->headers);
    free(answer->body);
    answer->body = NULL;
    answer->body_bytes = 0;
}

/* ---- waiting ---- */

int64_t
http_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
now_ms(void)
{
    return http_now_us() / 1000;
}

bool
http_link_wait(struct http_link *link, int64_t ms)
{
    const int64_t end = now_ms() + ms;
    for (;;) {
        int64_t left = ms == 0 ? WAIT_SLICE_MS : end - now_ms();
        if (left <= 0)
            return true;
        if (left > WAIT_SLICE_MS)
            left = WAIT_SLICE_MS;
        struct pollfd fd = {.fd = link ? link->socket : -1, .events = POLLRDHUP};
        if (poll(&fd, 1, (int)left) > 0)
            return false;
        if (link && atomic_load(&link->server->stopping))
            return false;
    }
}

/* ---- libmicrohttpd ---- */

static enum MHD_Result
copy_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    http_headers_add(cls, name, value);
    return MHD_YES;
}

struct dripping {
    char *body;
    size_t bytes;
    int64_t cut_after, drip_ms;
    struct http_link link;
};

static ssize_t
drip_read(void *cls, uint64_t at, char *buffer, size_t max)
{
    struct dripping *drip = cls;
    size_t end = drip->bytes;
    if (drip->cut_after >= 0 && (uint64_t)drip->cut_after < end)
        end = (size_t)drip->cut_after;
    if (at >= end)
        return end == drip->bytes ? MHD_CONTENT_READER_END_OF_STREAM
                                  : MHD_CONTENT_READER_END_WITH_ERROR;
    size_t count = end - (size_t)at;
    if (count > max)
        count = max;
    if (drip->drip_ms > 0) {
        count = 1;
        if (!http_link_wait(&drip->link, drip->drip_ms))
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    memcpy(buffer, drip->body + at, count);
    return (ssize_t)count;
}

static void
drip_free(void *cls)
{
    struct dripping *drip = cls;
    free(drip->body);
    free(drip);
}

static struct MHD_Response *
make_slow_response(struct http_answer *answer, const struct http_link *link)
{
    struct dripping *drip = calloc(1, sizeof(*drip));
    if (!drip)
        return NULL;
    *drip = (struct dripping){.body = answer->body,
                              .bytes = answer->body_bytes,
                              .cut_after = answer->cut_after,
                              .drip_ms = answer->drip_ms,
                              .link = *link};
    answer->body = NULL;
    struct MHD_Response *response =
        MHD_create_response_from_callback(drip->bytes, 1024, drip_read, drip, drip_free);
    if (!response)
        drip_free(drip);
    return response;
}

static struct MHD_Response *
make_response(struct http_answer *answer, const struct http_link *link)
{
    static char nothing[1];
    if (answer->body && (answer->cut_after >= 0 || answer->drip_ms > 0))
        return make_slow_response(answer, link);
    if (!answer->body)
        return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body_bytes, answer->body, MHD_RESPMEM_MUST_FREE);
    if (response)
        answer->body = NULL;
    return response;
}

static enum MHD_Result
send_answer(struct MHD_Connection *connection, struct http_answer *answer,
            const struct http_link *link)
{
    if (answer->status == 0)
        return MHD_NO;
    struct MHD_Response *response = make_response(answer, link);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < answer->headers.count; i++)
        (void)MHD_add_response_header(response, answer->headers.items[i].name,
                                      answer->headers.items[i].value);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/** The port at the other end. */
static int
client_port(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sockaddr_in address = {.sin_port = 0};
    if (info && info->client_addr && info->client_addr->sa_family == AF_INET)
        memcpy(&address, info->client_addr, sizeof(address));
    return ntohs(address.sin_port);
}

static enum MHD_Result
run_handler(struct http_server *server, struct MHD_Connection *connection, const char *method,
            const struct gathering *gathering)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_link link = {.server = server, .socket = info ? info->connect_fd : -1};
    struct http_headers headers = {.count = 0};
    struct http_answer answer = {.status = 500, .cut_after = -1};
    struct http_request request = {
        .method = method,
        .target = gathering->target,
        .headers = &headers,
        .body = gathering->body ? gathering->body : "",
        .body_bytes = gathering->used,
        .link = &link,
        .connection = client_port(connection),
        .arrived_us = gathering->arrived_us,
    };
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, copy_header, &headers);
    if (gathering->too_large)
        http_answer_text(&answer, 413, "text/plain", "the body is too large");
    else
        server->options.handle(server->options.ctx, &request, &answer);
    enum MHD_Result result = send_answer(connection, &answer, &link);
    http_answer_free(&answer);
    http_headers_free(&headers);
    return result;
}

static bool
gather(struct gathering *gathering, const char *data, size_t bytes, size_t max)
{
    if (gathering->too_large || gathering->used + bytes > max) {
        gathering->too_large = true;
        return true;
    }
    if (gathering->used + bytes + 1 > gathering->size) {
        size_t size = gathering->size ? gathering->size : 16384;
        while (size < gathering->used + bytes + 1)
            size *= 2;
        char *body = realloc(gathering->body, size);
        if (!body)
            return false;
        gathering->body = body;
        gathering->size = size;
    }
    memcpy(gathering->body + gathering->used, data, bytes);
    gathering->used += bytes;
    gathering->body[gathering->used] = '\0';
    return true;
}

/* The parameters are libmicrohttpd's. NOLINTBEGIN(readability-function-size) */
static enum MHD_Result
on_access(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
          const char *version, const char *data, size_t *bytes, void **state)
{
    struct http_server *server = cls;
    struct gathering *gathering = *state;
    (void)url;
    (void)version;
    if (!gathering)
        return MHD_NO;
    if (!gathering->started) {
        gathering->started = true;
        return MHD_YES;
    }
    if (*bytes > 0) {
        if (!gather(gathering, data, *bytes, server->options.max_body_bytes))
            return MHD_NO;
        *bytes = 0;
        return MHD_YES;
    }
    return run_handler(server, connection, method, gathering);
}
/* NOLINTEND(readability-function-size) */

/** The only place that sees the target undecoded. */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)cls;
    (void)connection;
    struct gathering *gathering = calloc(1, sizeof(*gathering));
    if (gathering) {
        gathering->target = strdup(target);
        gathering->arrived_us = http_now_us();
    }
    if (gathering && !gathering->target) {
        free(gathering);
        gathering = NULL;
    }
    return gathering;
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **state,
             enum MHD_RequestTerminationCode code)
{
    struct gathering *gathering = *state;
    (void)cls;
    (void)connection;
    (void)code;
    if (!gathering)
        return;
    free(gathering->target);
    free(gathering->body);
    free(gathering);
    *state = NULL;
}

static struct MHD_Daemon *
start_daemon(struct http_server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(server->options.port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    char *certificate = server->options.certificate ? strdup(server->options.certificate) : NULL;
    char *key = server->options.key ? strdup(server->options.key) : NULL;
    if (certificate && key) {
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, certificate};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, key};
    }
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, server->options.port, NULL, NULL, on_access, server, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&address, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)LINK_MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT, (unsigned)512, MHD_OPTION_ARRAY,
        tls, MHD_OPTION_END);
    free(certificate);
    free(key);
    return daemon;
}

struct http_server *
http_server_start(const struct http_options *options, char *why, size_t why_size)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (!server) {
        (void)snprintf(why, why_size, "out of memory");
        return NULL;
    }
    server->options = *options;
    server->daemon = start_daemon(server);
    if (!server->daemon) {
        (void)snprintf(why, why_size, "cannot listen on 127.0.0.1:%u (error %d)", options->port,
                       errno);
        free(server);
        return NULL;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    server->port = info ? info->port : 0;
    return server;
}

uint16_t
http_server_port(const struct http_server *server)
{
    return server->port;
}

void
http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    atomic_store(&server->stopping, true);
    MHD_stop_daemon(server->daemon);
    free(server);
}
