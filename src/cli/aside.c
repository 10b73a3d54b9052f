#include "cli/aside.h"

#include "base/cancel.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARENA_BYTES = 1024 * 1024 * 1024, SLICE_MS = 100, GRACE_MS = 10 * 1000 };

struct child {
    struct aside port; /* first: the port is the child */
    pid_t pid;         /* 0 = none */
    int done_fd;       /* one byte comes from it when the work is done */
};

/** In the child: the work, one byte, and nothing of what a process does at its end. */
static _Noreturn void
work_and_end(void (*work)(void *ctx), void *ctx, pid_t parent, int fd)
{
    /* nobody reads the results when the parent is gone */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) {
        work(ctx);
        (void)!write(fd, "", 1);
    }
    _exit(0);
}

static bool
begin(struct aside *aside, void (*work)(void *ctx), void *ctx)
{
    struct child *child = (struct child *)aside;
    const pid_t parent = getpid();
    int fds[2];

    if (child->pid || pipe2(fds, O_CLOEXEC) != 0)
        return false;
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        work_and_end(work, ctx, parent, fds[1]);
    }
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return false;
    }
    child->pid = pid;
    child->done_fd = fds[0];
    return true;
}

/** Wait until the child has something to say or is gone. A stop signal is passed on; who does not
 * obey is ended. */
static void
wait_for(const struct child *child)
{
    struct pollfd waiting = {.fd = child->done_fd, .events = POLLIN};
    int64_t told_ms = 0;

    while (poll(&waiting, 1, SLICE_MS) <= 0) {
        if (!cancel_signal())
            continue;
        if (!told_ms) {
            (void)kill(child->pid, cancel_signal());
            told_ms = clock_monotonic_ms();
        } else if (clock_monotonic_ms() - told_ms > GRACE_MS) {
            (void)kill(child->pid, SIGKILL);
        }
    }
}

static bool
end(struct aside *aside, struct err *err)
{
    struct child *child = (struct child *)aside;
    char byte;
    int status = 0;
    ssize_t got;

    wait_for(child);
    do {
        got = read(child->done_fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    (void)close(child->done_fd);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    if (got == 1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (!cancel_check(err))
        return false;
    (void)err_set(err, ERR_INTERNAL, "the process that looked at Dataverse ended before its time");
    if (WIFSIGNALED(status))
        (void)err_detail(err, "signal %d", WTERMSIG(status));
    return err_hint(err, "Look at that side alone: --dataverse-only.");
}

struct aside *
aside_new(void)
{
    struct child *child = calloc(1, sizeof *child);

    if (!child)
        return NULL;
    child->port =
        (struct aside){.arena = arena_new_shared(ARENA_BYTES), .begin = begin, .end = end};
    if (child->port.arena)
        return &child->port;
    free(child);
    return NULL;
}

void
aside_free(struct aside *aside)
{
    struct child *child = (struct child *)aside;

    if (!child)
        return;
    if (child->pid) {
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, 0);
        (void)close(child->done_fd);
    }
    arena_free(child->port.arena);
    free(child);
}
