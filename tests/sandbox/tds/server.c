#include "tds/server.h"

#include "tds/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS = 3, CONNECTIONS_MAX = 512, BACKLOG = 64, PORT_TRIES = 16 };

struct client {
    struct client *next;
    struct tds_server *server;
    struct tds_connection *connection;
};

struct tds_server {
    struct tds_shared shared;
    int listeners[LISTENERS]; /* IPv4, IPv6, the further one; -1 = none */
    uint16_t port;
    pthread_t accepting;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a client has left */
    struct client *clients;
    size_t count;
    unsigned connections; /* so far */
};

/* ---- clients ---- */

static void
leave(struct client *client)
{
    struct tds_server *server = client->server;
    (void)pthread_mutex_lock(&server->lock);
    for (struct client **at = &server->clients; *at != NULL; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            break;
        }
    }
    /* Freed under the lock: who interrupts clients must not meet one that is being freed. */
    tds_connection_free(client->connection);
    free(client);
    server->count--;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

static void *
serve_client(void *argument)
{
    struct client *client = argument;
    tds_connection_run(client->connection);
    leave(client);
    return NULL;
}

static bool
start_thread(struct client *client)
{
    pthread_attr_t detached;
    pthread_t thread;
    if (pthread_attr_init(&detached) != 0)
        return false;
    bool ok = pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &detached, serve_client, client) == 0;
    (void)pthread_attr_destroy(&detached);
    return ok;
}

static void
welcome(struct tds_server *server, int fd)
{
    (void)pthread_mutex_lock(&server->lock);
    bool room = server->count < CONNECTIONS_MAX;
    unsigned number = ++server->connections;
    struct client *client = room ? calloc(1, sizeof *client) : NULL;
    if (client == NULL) {
        (void)close(fd);
        (void)pthread_mutex_unlock(&server->lock);
        return;
    }
    client->server = server;
    client->connection = tds_connection_new(&server->shared, fd, number);
    client->next = server->clients;
    server->clients = client;
    server->count++;
    bool started = client->connection != NULL && start_thread(client);
    (void)pthread_mutex_unlock(&server->lock);
    if (!started)
        leave(client);
}

static void *
accept_clients(void *argument)
{
    struct tds_server *server = argument;
    for (;;) {
        struct pollfd fds[LISTENERS + 1] = {
            {.fd = server->listeners[0], .events = POLLIN},
            {.fd = server->listeners[1], .events = POLLIN},
            {.fd = server->listeners[2], .events = POLLIN},
            {.fd = server->shared.stop_fd, .events = POLLIN},
        };
        if (poll(fds, LISTENERS + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[LISTENERS].revents != 0)
            return NULL;
        for (size_t i = 0; i < LISTENERS; i++) {
            if ((fds[i].revents & POLLIN) == 0)
                continue;
            int fd = accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0)
                welcome(server, fd);
        }
    }
}

/* ---- listening ---- */

static int
listen_on(const struct sockaddr *address, socklen_t length)
{
    const int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address, length) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static bool
listen_further(struct tds_server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    if (server->shared.options.address == NULL)
        return true;
    if (inet_pton(AF_INET, server->shared.options.address, &at.sin_addr) == 1)
        server->listeners[2] = listen_on((const struct sockaddr *)&at, sizeof at);
    return server->listeners[2] >= 0;
}

/* Both families on one port. False with errno when that port is not to be had. */
static bool
listen_once(struct tds_server *server, uint16_t wanted)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(wanted)};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listeners[0] = listen_on((const struct sockaddr *)&four, sizeof four);
    if (server->listeners[0] < 0)
        return false;
    socklen_t length = sizeof four;
    if (getsockname(server->listeners[0], (struct sockaddr *)&four, &length) != 0)
        return false;
    server->port = ntohs(four.sin_port);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = four.sin_port};
    six.sin6_addr = in6addr_loopback;
    server->listeners[1] = listen_on((const struct sockaddr *)&six, sizeof six);
    /* No IPv6 on this machine is no failure; a port that another program has there is one. */
    return (server->listeners[1] >= 0 || errno != EADDRINUSE) && listen_further(server);
}

static void
stop_listening(struct tds_server *server)
{
    for (size_t i = 0; i < LISTENERS; i++) {
        if (server->listeners[i] >= 0)
            (void)close(server->listeners[i]);
        server->listeners[i] = -1;
    }
}

static bool
start_listening(struct tds_server *server, char *why, size_t why_size)
{
    uint16_t wanted = server->shared.options.port;
    for (int i = 0; i < (wanted == 0 ? PORT_TRIES : 1); i++) {
        if (listen_once(server, wanted))
            return true;
        int reason = errno;
        stop_listening(server);
        char buffer[128];
        (void)snprintf(why, why_size, "cannot listen on loopback, port %u: %s", (unsigned)wanted,
                       strerror_r(reason, buffer, sizeof buffer));
    }
    return false;
}

/* ---- the server ---- */

static void
free_server(struct tds_server *server)
{
    stop_listening(server);
    if (server->shared.stop_fd >= 0)
        (void)close(server->shared.stop_fd);
    tds_tls_config_free(server->shared.tls);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

static bool
set_up(struct tds_server *server, char *why, size_t why_size)
{
    const struct tds_options *options = &server->shared.options;
    server->shared.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->shared.stop_fd < 0) {
        (void)snprintf(why, why_size, "cannot create an event descriptor");
        return false;
    }
    if (options->certificate_pem != NULL && options->key_pem != NULL) {
        server->shared.tls =
            tds_tls_config_new(options->certificate_pem, options->key_pem, why, why_size);
        if (server->shared.tls == NULL)
            return false;
    } else if (options->encryption != TDS_ENCRYPTION_NONE) {
        (void)snprintf(why, why_size, "encryption needs a certificate and its key");
        return false;
    }
    if (!start_listening(server, why, why_size))
        return false;
    if (pthread_create(&server->accepting, NULL, accept_clients, server) != 0) {
        (void)snprintf(why, why_size, "cannot start a thread");
        return false;
    }
    return true;
}

struct tds_server *
tds_server_start(const struct tds_options *options, char *why, size_t why_size)
{
    struct tds_server *server = calloc(1, sizeof *server);
    if (server == NULL || pthread_mutex_init(&server->lock, NULL) != 0) {
        (void)snprintf(why, why_size, "out of memory");
        free(server);
        return NULL;
    }
    (void)pthread_cond_init(&server->changed, NULL);
    server->shared = (struct tds_shared){.options = *options, .stop_fd = -1};
    for (size_t i = 0; i < LISTENERS; i++)
        server->listeners[i] = -1;
    if (!set_up(server, why, why_size)) {
        free_server(server);
        return NULL;
    }
    /* Read by now, and not ours to keep. */
    server->shared.options.certificate_pem = NULL;
    server->shared.options.key_pem = NULL;
    return server;
}

uint16_t
tds_server_port(const struct tds_server *server)
{
    return server->port;
}

static void
wait_a_little(struct tds_server *server)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000L;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&server->changed, &server->lock, &until);
}

void
tds_server_stop(struct tds_server *server)
{
    if (server == NULL)
        return;
    const uint64_t one = 1;
    ssize_t written = write(server->shared.stop_fd, &one, sizeof one);
    (void)written; /* an eventfd that was never written to takes it */
    (void)pthread_join(server->accepting, NULL);
    (void)pthread_mutex_lock(&server->lock);
    /* Again and again: a request that was just about to start does not see the first interruption.
     */
    while (server->clients != NULL) {
        for (struct client *at = server->clients; at != NULL; at = at->next)
            if (at->connection != NULL)
                tds_connection_interrupt(at->connection);
        wait_a_little(server);
    }
    (void)pthread_mutex_unlock(&server->lock);
    free_server(server);
}
