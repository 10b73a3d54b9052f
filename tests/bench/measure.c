/*
 * bench_measure COMMAND [ARGUMENT...]: runs it, and writes to descriptor 3 one line of JSON: what
 * it took. Small, so that neither its own start nor its own memory is measured. Status 1: it could
 * not be run.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT_FD = 3, NOT_RUN = 127 };

static int64_t
now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
microseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

int
main(int argc, char **argv)
{
    struct rusage used;
    int status = 0;
    const int64_t begun = now_us();
    const pid_t pid = argc > 1 ? vfork() : -1;

    if (pid == 0) {
        (void)close(REPORT_FD);
        (void)execvp(argv[1], argv + 1);
        _exit(NOT_RUN);
    }
    if (pid < 0)
        return 1;
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            return 1;
    const int64_t wall = now_us() - begun;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    (void)dprintf(REPORT_FD,
                  "{\"status\":%d,\"wall_us\":%" PRId64 ",\"user_us\":%" PRId64
                  ",\"system_us\":%" PRId64 ",\"rss_kb\":%ld}\n",
                  code, wall, microseconds(&used.ru_utime), microseconds(&used.ru_stime),
                  used.ru_maxrss);
    return code == NOT_RUN;
}
