#include "eof_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SOCKETS_MAX = 256, EVERY_MS = 1000 };

/* Read and written by the handler while the timer runs, by the functions while it does not. */
static volatile sig_atomic_t watched;
static volatile sig_atomic_t known[SOCKETS_MAX]; /* open before: not ours to look at */
static volatile sig_atomic_t ended[SOCKETS_MAX]; /* at its end when last looked at */
static int broken = -1; /* a pipe that nobody reads: poll(2) reports an error on it at once */

/** FIN has come and nothing is left to read: whatever TLS still holds, no byte will follow. */
static bool
is_at_end(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    char byte;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
look_at(int fd)
{
    if (!is_at_end(fd))
        ended[fd] = 0;
    else if (!ended[fd])
        ended[fd] = 1;
    else
        (void)dup3(broken, fd, O_CLOEXEC);
}

static void
on_tick(int number)
{
    const int before = errno;

    (void)number;
    if (watched >= 0)
        look_at((int)watched);
    else
        for (int fd = 0; fd < SOCKETS_MAX; fd++)
            if (!known[fd])
                look_at(fd);
    errno = before;
}

static bool
prepare(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    int ends[2];

    if (broken >= 0)
        return true;
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(SIGALRM, &action, NULL) != 0 || pipe2(ends, O_CLOEXEC) != 0)
        return false;
    (void)close(ends[0]);
    broken = ends[1];
    return true;
}

static struct timeval
time_of(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

/** What is open now is not ours to look at. One call tells of all, where the process may have so
 * many. */
static void
note_open(void)
{
    struct pollfd all[SOCKETS_MAX];

    for (int i = 0; i < SOCKETS_MAX; i++)
        all[i] = (struct pollfd){.fd = i};
    const bool told = poll(all, SOCKETS_MAX, 0) >= 0;
    for (int i = 0; i < SOCKETS_MAX; i++)
        known[i] = told ? !(all[i].revents & POLLNVAL) : fcntl(i, F_GETFD) >= 0;
}

void
eof_watch_begin(int fd, int first_ms)
{
    const struct itimerval timer = {.it_value = time_of(first_ms),
                                    .it_interval = time_of(EVERY_MS)};

    if (fd >= SOCKETS_MAX || !prepare())
        return;
    watched = fd;
    for (int i = 0; i < SOCKETS_MAX; i++) {
        known[i] = 0;
        ended[i] = 0;
    }
    if (fd < 0)
        note_open();
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void
eof_watch_end(void)
{
    const struct itimerval none = {.it_value = {.tv_sec = 0}};

    (void)setitimer(ITIMER_REAL, &none, NULL);
}
