/** A small HTTP client for the sandbox's own tests: one request a connection, answers read to the
 * end. */
#ifndef SANDBOX_TESTS_WEB_CLIENT_H
#define SANDBOX_TESTS_WEB_CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct web_target {
    uint16_t port;
    const char *ca; /* path; NULL = no TLS */
};

struct web_answer {
    int status; /* 0 = no answer came */
    char *text; /* everything as it came, NUL-terminated */
    char *body; /* inside text; "" without */
    size_t body_bytes;
    bool complete; /* the body has its announced length */
};

struct web_link {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
};

static inline void
web_link_close(struct web_link *link)
{
    SSL_free(link->ssl);
    SSL_CTX_free(link->ctx);
    if (link->fd >= 0)
        (void)close(link->fd);
}

static inline bool
web_link_secure(struct web_link *link, const char *ca)
{
    link->ctx = SSL_CTX_new(TLS_client_method());
    if (!link->ctx || SSL_CTX_load_verify_locations(link->ctx, ca, NULL) != 1)
        return false;
    SSL_CTX_set_verify(link->ctx, SSL_VERIFY_PEER, NULL);
    link->ssl = SSL_new(link->ctx);
    return link->ssl && SSL_set1_host(link->ssl, "localhost") == 1 &&
           SSL_set_fd(link->ssl, link->fd) == 1 && SSL_connect(link->ssl) == 1;
}

static inline bool
web_link_open(const struct web_target *target, struct web_link *ret)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(target->port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    *ret = (struct web_link){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (ret->fd >= 0 && connect(ret->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        (!target->ca || web_link_secure(ret, target->ca)))
        return true;
    web_link_close(ret);
    return false;
}

static inline bool
web_link_write(struct web_link *link, const char *bytes, size_t count)
{
    while (count > 0) {
        int chunk = count > 65536 ? 65536 : (int)count;
        int done = link->ssl ? SSL_write(link->ssl, bytes, chunk)
                             : (int)send(link->fd, bytes, (size_t)chunk, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        bytes += done;
        count -= (size_t)done;
    }
    return true;
}

static inline char *
web_link_read_all(struct web_link *link, size_t *ret_bytes)
{
    size_t size = 1 << 16;
    size_t used = 0;
    char *text = malloc(size + 1);
    while (text) {
        if (used == size) {
            size *= 2;
            char *grown = realloc(text, size + 1);
            if (!grown)
                break;
            text = grown;
        }
        int room = size - used > 65536 ? 65536 : (int)(size - used);
        int got = link->ssl ? SSL_read(link->ssl, text + used, room)
                            : (int)recv(link->fd, text + used, (size_t)room, 0);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    if (text)
        text[used] = '\0';
    *ret_bytes = used;
    return text;
}

/** Value of a header into `ret`; false when it is not there. */
static inline bool
web_header(const struct web_answer *answer, const char *name, char *ret, size_t size)
{
    const size_t bytes = strlen(name);
    const char *line = answer->text ? strstr(answer->text, "\r\n") : NULL;
    for (; line && line + 2 < answer->body; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, bytes) != 0 || line[2 + bytes] != ':')
            continue;
        const char *value = line + 2 + bytes + 1;
        value += strspn(value, " ");
        (void)snprintf(ret, size, "%.*s", (int)strcspn(value, "\r\n"), value);
        return true;
    }
    return false;
}

static inline void
web_parse(struct web_answer *answer, size_t bytes)
{
    char length[32];
    static char nothing[1];
    char *end = answer->text ? strstr(answer->text, "\r\n\r\n") : NULL;
    answer->body = nothing;
    if (!end || strncmp(answer->text, "HTTP/1.1 ", 9) != 0)
        return;
    answer->status = (int)strtol(answer->text + 9, NULL, 10);
    answer->body = end + 4;
    answer->body_bytes = bytes - (size_t)(answer->body - answer->text);
    answer->complete = !web_header(answer, "Content-Length", length, sizeof(length)) ||
                       strtoul(length, NULL, 10) == answer->body_bytes;
}

struct web_body {
    const char *bytes;
    size_t count;
};

/** `headers` are whole lines, each with CRLF. The caller frees with web_done. */
static inline struct web_answer
web_send_bytes(const struct web_target *target, const char *method, const char *path,
               const char *headers, struct web_body body)
{
    struct web_answer answer = {.status = 0};
    struct web_link link;
    char *head = NULL;
    size_t bytes = 0;
    int length = asprintf(&head,
                          "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                          "Content-Length: %zu\r\n%s\r\n",
                          method, path, body.count, headers);
    if (length > 0 && web_link_open(target, &link)) {
        if (web_link_write(&link, head, (size_t)length) &&
            web_link_write(&link, body.bytes, body.count))
            answer.text = web_link_read_all(&link, &bytes);
        web_link_close(&link);
    }
    web_parse(&answer, bytes);
    if (length > 0)
        free(head);
    return answer;
}

static inline struct web_answer
web_send(const struct web_target *target, const char *method, const char *path, const char *headers,
         const char *body)
{
    return web_send_bytes(target, method, path, headers,
                          (struct web_body){.bytes = body, .count = strlen(body)});
}

static inline void
web_done(struct web_answer *answer)
{
    free(answer->text);
    answer->text = NULL;
}

#endif
