/*
 * Preloaded into an unmodified dwclean: its clock runs SCENARIO_SCALE times as fast as the wall's,
 * and what it sends and receives is written down (SCENARIO_RECORD) at the moment that libcurl takes
 * a request or hands over an answer. Only the monotonic clock and waits are scaled: dates stay.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t
scale(void)
{
    static int64_t kept;

    if (kept == 0) {
        const char *text = getenv("SCENARIO_SCALE"); /* NOLINT(concurrency-mt-unsafe) */
        const long asked = text ? strtol(text, NULL, 10) : 1;

        kept = asked >= 1 && asked <= 1000 ? asked : 1;
    }
    return kept;
}

static int64_t
wall_ns(void)
{
    struct timespec now = {0};

    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- the clock ---- */

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
    int64_t ns;

    if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_RAW && clock != CLOCK_MONOTONIC_COARSE)
        return (int)syscall(SYS_clock_gettime, clock, ret);
    ns = wall_ns() * scale();
    ret->tv_sec = (time_t)(ns / NS_PER_S);
    ret->tv_nsec = (long)(ns % NS_PER_S);
    return 0;
}

/** What is left of an interrupted nap is not told: who naps here looks at the clock. */
int
nanosleep(const struct timespec *asked, struct timespec *left)
{
    const int64_t ns = ((int64_t)asked->tv_sec * NS_PER_S + asked->tv_nsec) / scale();
    const struct timespec nap = {.tv_sec = (time_t)(ns / NS_PER_S),
                                 .tv_nsec = (long)(ns % NS_PER_S)};

    if (left)
        *left = (struct timespec){0};
    return (int)syscall(SYS_nanosleep, &nap, NULL);
}

int
poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    const int64_t ns = (int64_t)timeout_ms * 1000000 / scale();
    const struct timespec wait = {.tv_sec = (time_t)(ns / NS_PER_S),
                                  .tv_nsec = (long)(ns % NS_PER_S)};

    return (int)syscall(SYS_ppoll, fds, count, timeout_ms < 0 ? NULL : &wait, NULL, 0);
}

/* ---- the record ---- */

static void
record(const char *what, CURL *request, long status, const char *id)
{
    static int fd = -2;
    char line[256];
    char *url = NULL;
    int size;

    if (fd == -2) {
        const char *path = getenv("SCENARIO_RECORD"); /* NOLINT(concurrency-mt-unsafe) */

        fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    }
    /* who issues tokens is another service, with limits of its own */
    (void)curl_easy_getinfo(request, CURLINFO_EFFECTIVE_URL, &url);
    size = snprintf(line, sizeof line, "%s %lld %d %p %s %ld %s\n", what,
                    (long long)(wall_ns() / 1000), (int)getpid(), (const void *)request,
                    url && strstr(url, "/api/") ? "dataverse" : "other", status, id);
    if (fd >= 0 && size > 0 && (size_t)size < sizeof line &&
        write(fd, line, (size_t)size) != (ssize_t)size)
        abort(); /* a record with a gap would prove nothing */
}

CURLMcode
curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    static CURLMcode (*real)(CURLM *, CURL *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_add_handle");
    record("begin", easy, 0, "-");
    return real(multi, easy);
}

CURLMsg *
curl_multi_info_read(CURLM *multi, int *ret_left)
{
    static CURLMsg *(*real)(CURLM *, int *);
    struct curl_header *header;
    CURLMsg *message;
    long status = 0;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_info_read");
    message = real(multi, ret_left);
    if (!message || message->msg != CURLMSG_DONE)
        return message;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    if (curl_easy_header(message->easy_handle, "x-ms-service-request-id", 0, CURLH_HEADER, -1,
                         &header) == CURLHE_OK)
        record("end", message->easy_handle, status, header->value);
    else
        record("end", message->easy_handle, status, "-");
    return message;
}
