#include "tds/browser.h"

#include "tds/token.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BROWSER_PORT = 1434,
    ASK_INSTANCE = 0x04,
    ANSWER = 0x05,
    NAME_BYTES = 33, /* 32 and the NUL */
    ANSWER_BYTES = 1024,
};

struct tds_browser {
    struct tds_browser_options options;
    pthread_t thread;
    int fd, stop_fd;
};

/** The instance asked for, "" when the datagram is not such a question. */
static void
parse_question(const unsigned char *bytes, size_t count, char ret[NAME_BYTES])
{
    ret[0] = '\0';
    if (count < 3 || count > NAME_BYTES + 1 || bytes[0] != ASK_INSTANCE || bytes[count - 1] != 0)
        return;
    memcpy(ret, bytes + 1, count - 1);
}

/** The answer's bytes; `act` bends it. */
static size_t
make_answer(const struct tds_browser *browser, const struct fault_action *act,
            unsigned char ret[ANSWER_BYTES])
{
    const char *instance = TDS_BROWSER_INSTANCE;
    char tcp[64];
    bool malformed = false;
    (void)snprintf(tcp, sizeof tcp, "tcp;%u;", (unsigned)browser->options.tcp_port);
    if (act->what == FAULT_OTHER) {
        if (strcmp(act->text, "other-instance") == 0)
            instance = "OTHER";
        else if (strcmp(act->text, "no-tcp") == 0)
            tcp[0] = '\0';
        else if (strncmp(act->text, "tcp=", 4) == 0)
            (void)snprintf(tcp, sizeof tcp, "tcp;%.48s;", act->text + 4);
        else
            malformed = strcmp(act->text, "malformed") == 0;
    }
    int length = snprintf((char *)ret + 3, ANSWER_BYTES - 3,
                          "ServerName;%s;InstanceName;%s;IsClustered;No;Version;15.0.2000.5;%s"
                          "np;\\\\%s\\pipe\\MSSQL$%s\\sql\\query;;",
                          TDS_SERVER_NAME, instance, tcp, TDS_SERVER_NAME, instance);
    size_t announced = (size_t)length + (malformed ? 7 : 0);
    ret[0] = ANSWER;
    ret[1] = (unsigned char)(announced & 0xFF);
    ret[2] = (unsigned char)(announced >> 8);
    return (size_t)length + 3;
}

/** From a socket of its own, so that it comes from where nobody was asked. */
static void
send_from_elsewhere(const unsigned char *bytes, size_t count, const struct sockaddr_in *to)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return;
    if (bind(fd, (const struct sockaddr *)&from, sizeof from) == 0)
        (void)sendto(fd, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)to, sizeof *to);
    (void)close(fd);
}

static void
answer(struct tds_browser *browser, const unsigned char *bytes, size_t count,
       const struct sockaddr_in *client)
{
    char instance[NAME_BYTES];
    unsigned char out[ANSWER_BYTES];
    parse_question(bytes, count, instance);
    if (browser->options.log != NULL)
        sandbox_log_add(browser->options.log, "browser", 0, "instance", instance, NULL);
    struct fault_action act = fault_at(browser->options.faults, "tds.browser", instance);
    if (act.what == FAULT_CUT || act.what == FAULT_FREEZE ||
        strcasecmp(instance, TDS_BROWSER_INSTANCE) != 0)
        return;
    if (act.what == FAULT_DELAY && act.arg > 0 && act.arg < 60000)
        (void)poll(NULL, 0, (int)act.arg);
    size_t size = make_answer(browser, &act, out);
    if (act.what == FAULT_OTHER && strcmp(act.text, "elsewhere") == 0)
        send_from_elsewhere(out, size, client);
    else
        (void)sendto(browser->fd, out, size, MSG_NOSIGNAL, (const struct sockaddr *)client,
                     sizeof *client);
}

static void *
answer_questions(void *argument)
{
    struct tds_browser *browser = argument;
    for (;;) {
        struct pollfd fds[] = {{.fd = browser->fd, .events = POLLIN},
                               {.fd = browser->stop_fd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents != 0)
            return NULL;
        if ((fds[0].revents & POLLIN) == 0)
            continue;
        unsigned char bytes[256];
        struct sockaddr_in client = {0};
        socklen_t size = sizeof client;
        ssize_t got = recvfrom(browser->fd, bytes, sizeof bytes, MSG_DONTWAIT,
                               (struct sockaddr *)&client, &size);
        if (got > 0)
            answer(browser, bytes, (size_t)got, &client);
    }
}

static void
free_browser(struct tds_browser *browser)
{
    if (browser->fd >= 0)
        (void)close(browser->fd);
    if (browser->stop_fd >= 0)
        (void)close(browser->stop_fd);
    free(browser);
}

struct tds_browser *
tds_browser_start(const struct tds_browser_options *options, char *why, size_t why_size)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(BROWSER_PORT)};
    struct tds_browser *browser = calloc(1, sizeof *browser);
    if (browser == NULL || inet_pton(AF_INET, options->address, &at.sin_addr) != 1) {
        (void)snprintf(why, why_size, "%s is no address", options->address);
        free(browser);
        return NULL;
    }
    browser->options = *options;
    browser->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    browser->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (browser->fd < 0 || browser->stop_fd < 0 ||
        bind(browser->fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        pthread_create(&browser->thread, NULL, answer_questions, browser) != 0) {
        (void)snprintf(why, why_size, "cannot answer on %s, UDP port %d", options->address,
                       BROWSER_PORT);
        free_browser(browser);
        return NULL;
    }
    return browser;
}

void
tds_browser_stop(struct tds_browser *browser)
{
    if (browser == NULL)
        return;
    const uint64_t one = 1;
    ssize_t written = write(browser->stop_fd, &one, sizeof one);
    (void)written; /* an eventfd that was never written to takes it */
    (void)pthread_join(browser->thread, NULL);
    free_browser(browser);
}
