#include "browser.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ASK_INSTANCE = 0x04, /* CLNT_UCAST_INST */
    ANSWER = 0x05,       /* SVR_RESP */
    HEADER_BYTES = 3,
    MAX_ANSWER = 1024,
    MAX_NAME = 32,
    MAX_ADDRESSES = 8,
    MAX_FIELD = 256,
    TRIES = 5,
    TRY_MS = 1000,
    SLICE_MS = 200,
};

/* ---- the answer ---- */

/** The next "text;" of `*at`, which moves behind it. */
static bool
next_field(const char **at, const char *end, char ret[MAX_FIELD])
{
    const char *semicolon = *at == end ? NULL : memchr(*at, ';', (size_t)(end - *at));
    size_t length = semicolon == NULL ? 0 : (size_t)(semicolon - *at);

    if (semicolon == NULL || length >= MAX_FIELD || memchr(*at, '\0', length) != NULL)
        return false;
    memcpy(ret, *at, length);
    ret[length] = '\0';
    *at = semicolon + 1;
    return true;
}

struct facts {
    bool named; /* InstanceName is the one asked for */
    bool tcp;
    uint16_t port;
};

static bool
take_fact(const char *name, const char *value, const char *instance, struct facts *facts)
{
    int64_t port = 0;

    if (text_equal_nocase(name, "InstanceName")) {
        facts->named = text_equal_nocase(value, instance);
        return facts->named;
    }
    if (!text_equal_nocase(name, "tcp"))
        return true;
    if (facts->tcp || !parse_int(value, 1, UINT16_MAX, &port))
        return false;
    facts->tcp = true;
    facts->port = (uint16_t)port;
    return true;
}

enum browser_answer
browser_parse(const unsigned char *bytes, size_t size, const char *instance, uint16_t *ret_port)
{
    struct facts facts = {0};
    char name[MAX_FIELD], value[MAX_FIELD];
    const char *at = (const char *)bytes + HEADER_BYTES, *end = (const char *)bytes + size;

    if (size < HEADER_BYTES + 2 || bytes[0] != ANSWER ||
        ((size_t)bytes[2] << 8 | bytes[1]) != size - HEADER_BYTES)
        return BROWSER_MALFORMED;
    /* Pairs, and an empty name at the end of the one instance that was asked for. */
    while (next_field(&at, end, name) && name[0] != '\0') {
        if (!next_field(&at, end, value) || !take_fact(name, value, instance, &facts))
            return BROWSER_MALFORMED;
    }
    if (at != end || end[-1] != ';' || end[-2] != ';' || !facts.named)
        return BROWSER_MALFORMED;
    if (!facts.tcp)
        return BROWSER_NO_TCP;
    *ret_port = facts.port;
    return BROWSER_PORT;
}

/* ---- asking ---- */

struct asked {
    struct pollfd fds[MAX_ADDRESSES]; /* connected: answers from elsewhere never arrive */
    size_t count;
    size_t deaf; /* addresses where nobody listens */
    char question[MAX_NAME + 2];
    size_t question_bytes;
    const char *instance;
};

static bool
look_up(const char *host, struct addrinfo **ret, struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    int rc;

    cancel_immediate_begin(); /* name resolution cannot be interrupted */
    rc = getaddrinfo(host, "1434", &hints, ret);
    cancel_immediate_end();
    if (rc == 0)
        return true;
    (void)err_set(err, ERR_CONNECT, "host %s does not resolve", host);
    return err_detail(err, "%s", gai_strerror(rc));
}

static void
open_sockets(const struct addrinfo *list, struct asked *asked)
{
    for (const struct addrinfo *at = list; at != NULL && asked->count < MAX_ADDRESSES;
         at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0)
            asked->fds[asked->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        else if (fd >= 0)
            (void)close(fd);
    }
}

static void
close_sockets(struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->fds[i].fd >= 0)
            (void)close(asked->fds[i].fd);
    }
}

/** Nobody listens there: poll skips a negative descriptor. */
static void
give_up(struct asked *asked, size_t i)
{
    (void)close(asked->fds[i].fd);
    asked->fds[i].fd = -1;
    asked->deaf++;
}

static void
ask_all(struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->fds[i].fd >= 0 &&
            send(asked->fds[i].fd, asked->question, asked->question_bytes, MSG_NOSIGNAL) < 0 &&
            errno == ECONNREFUSED)
            give_up(asked, i);
    }
}

/** What has arrived on one socket; BROWSER_MALFORMED also for nothing. */
static enum browser_answer
hear(struct asked *asked, size_t i, uint16_t *ret_port)
{
    unsigned char bytes[MAX_ANSWER + 1];
    ssize_t got = recv(asked->fds[i].fd, bytes, sizeof bytes, 0);

    if (got < 0 && errno == ECONNREFUSED)
        give_up(asked, i);
    if (got <= 0 || got > MAX_ANSWER)
        return BROWSER_MALFORMED;
    return browser_parse(bytes, (size_t)got, asked->instance, ret_port);
}

static enum browser_answer
hear_all(struct asked *asked, uint16_t *ret_port)
{
    for (size_t i = 0; i < asked->count; i++) {
        enum browser_answer answer = BROWSER_MALFORMED;

        if (asked->fds[i].fd >= 0 && asked->fds[i].revents != 0)
            answer = hear(asked, i, ret_port);
        if (answer != BROWSER_MALFORMED)
            return answer;
    }
    return BROWSER_MALFORMED;
}

/** Listen until something telling comes or the time is over. */
static enum browser_answer
listen_until(struct asked *asked, int64_t until_ms, uint16_t *ret_port)
{
    int64_t left;

    while (asked->deaf < asked->count && cancel_signal() == 0 &&
           (left = until_ms - clock_monotonic_ms()) > 0) {
        const int wait_ms = left < SLICE_MS ? (int)left : SLICE_MS;
        enum browser_answer answer = BROWSER_MALFORMED;

        if (poll(asked->fds, (nfds_t)asked->count, wait_ms) > 0)
            answer = hear_all(asked, ret_port);
        if (answer != BROWSER_MALFORMED)
            return answer;
    }
    return BROWSER_MALFORMED;
}

static enum browser_answer
ask(struct asked *asked, int64_t deadline_ms, uint16_t *ret_port)
{
    for (int try = 0; try < TRIES; try++) {
        int64_t now = clock_monotonic_ms();
        int64_t until = now + TRY_MS < deadline_ms ? now + TRY_MS : deadline_ms;
        enum browser_answer answer;

        if (now >= deadline_ms || asked->deaf == asked->count || cancel_signal() != 0)
            break;
        ask_all(asked);
        answer = listen_until(asked, until, ret_port);
        if (answer != BROWSER_MALFORMED)
            return answer;
    }
    return BROWSER_MALFORMED;
}

static bool
explain(const char *host, const char *instance, const struct asked *asked, struct err *err)
{
    if (!cancel_check(err))
        return false;
    (void)err_set(err, ERR_CONNECT,
                  "nobody told the port of instance %s: SQL Server Browser on %s "
                  "does not answer",
                  instance, host);
    (void)err_detail(err, "%zu address(es) asked on UDP port 1434, %zu of them with nobody there",
                     asked->count, asked->deaf);
    return err_hint(err,
                    "Give the port: -S %.60s,PORT (SQL Server Configuration Manager shows it). Or "
                    "start the service SQL Server Browser and let UDP 1434 through; it is silent "
                    "for instances that it does not know. If this is what LCS shows as "
                    "server\\database, it is no instance: add --lcs.",
                    host);
}

bool
browser_ask(const char *host, const char *instance, int64_t deadline_ms, uint16_t *ret_port,
            struct err *err)
{
    struct asked asked = {.instance = instance};
    struct addrinfo *list = NULL;
    enum browser_answer answer;
    uint16_t port = 0;

    if (strlen(instance) == 0 || strlen(instance) >= MAX_NAME)
        return err_set(err, ERR_USAGE, "the instance name must have 1 to %d characters",
                       MAX_NAME - 1);
    if (!look_up(host, &list, err))
        return false;
    asked.question[0] = ASK_INSTANCE;
    (void)snprintf(asked.question + 1, sizeof asked.question - 1, "%s", instance);
    asked.question_bytes = strlen(instance) + 2; /* with the NUL */
    open_sockets(list, &asked);
    freeaddrinfo(list);
    answer = ask(&asked, deadline_ms, &port);
    close_sockets(&asked);
    if (answer == BROWSER_PORT) {
        *ret_port = port;
        return true;
    }
    if (answer == BROWSER_MALFORMED)
        return explain(host, instance, &asked, err);
    (void)err_set(err, ERR_CONNECT, "instance %s on %s does not listen on TCP", instance, host);
    return err_hint(err, "Switch TCP/IP on for it in SQL Server Configuration Manager, and restart "
                         "it.");
}
