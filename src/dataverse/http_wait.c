#include "http_wait.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

/** A socket that was closed meanwhile is not known any more, and its number may be another's. */
static bool
watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0)
        return true;
    return errno == ENOENT && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    const struct http_wait *wait = ctx;

    (void)easy;
    (void)known;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(wait->epoll, EPOLL_CTL_DEL, fd, NULL); /* it may be closed already */
        return 0;
    }
    return watch(wait->epoll, fd,
                 (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                     (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0))
               ? 0
               : -1;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http_wait *wait = ctx;

    (void)multi;
    wait->due_ms = timeout_ms < 0 ? -1 : clock_monotonic_ms() + timeout_ms;
    return 0;
}

bool
http_wait_init(struct http_wait *wait, CURLM *multi, struct err *err)
{
    *wait = (struct http_wait){.multi = multi, .epoll = epoll_create1(EPOLL_CLOEXEC), .due_ms = -1};
    if (wait->epoll < 0)
        return err_errno(err, ERR_INTERNAL, errno, "watch connections");
    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, wait) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, wait) == CURLM_OK)
        return true;
    http_wait_done(wait);
    return err_set(err, ERR_INTERNAL, "connections cannot be watched");
}

void
http_wait_done(struct http_wait *wait)
{
    (void)close(wait->epoll);
    wait->epoll = -1;
}

/** How long epoll may wait. */
static int
wait_ms(const struct http_wait *wait, int64_t timeout_ms)
{
    int64_t left_ms = timeout_ms;

    if (wait->due_ms >= 0 && wait->due_ms - clock_monotonic_ms() < left_ms)
        left_ms = wait->due_ms - clock_monotonic_ms();
    return left_ms > 0 ? (int)left_ms : 0;
}

void
http_wait_work(struct http_wait *wait, int64_t timeout_ms)
{
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(wait->epoll, events, EVENTS, wait_ms(wait, timeout_ms));
    int running;

    /* 0: libcurl looks itself what there is, and judges errors as it does without a watcher */
    for (int i = 0; i < count; i++)
        (void)curl_multi_socket_action(wait->multi, events[i].data.fd, 0, &running);
    if (count <= 0 || (wait->due_ms >= 0 && wait->due_ms <= clock_monotonic_ms())) {
        wait->due_ms = -1;
        (void)curl_multi_socket_action(wait->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}
