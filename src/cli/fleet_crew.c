#include "fleet_crew.h"

#include "base/cancel.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SLICE_MS = 100,  /* how long a stop signal may stay unseen */
    SETTLE_MS = 5,   /* between two looks whether a process has ended whose pipes are closed */
    GRACE_MS = 3000, /* between the stop signal and SIGKILL: a command of the operator's that it
                        runs has its own second to end */
    LINE_BYTES = 4096,
    READ_BYTES = 64 * 1024,
    RESULT_FD = STDERR_FILENO + 1,
};

/** One process. */
struct worker {
    struct fleet_member *member; /* NULL = free */
    pid_t pid;
    int result, said; /* our ends of its pipes; -1 = closed */
    int64_t started_ms, until_ms, kill_ms;
    bool asked_to_end, late;
    struct text message;
    char line[LINE_BYTES];
    size_t line_used;
};

struct crew {
    const struct fleet_job *job;
    struct fleet *fleet;
    struct worker *workers;
    struct pollfd *ends; /* two for each worker */
    size_t size, running, next;
};

static void
close_end(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* ---- in the new process */

/** Whoever started us may die, be stopped or hang: then nobody else would end this process. SIGKILL
 * of a timer of one's own cannot be missed. */
static void
limit_life(pid_t parent, int64_t deadline_ms)
{
    const int64_t most_ms = deadline_ms + 2 * (int64_t)GRACE_MS;
    const struct itimerspec when = {.it_value = {.tv_sec = (time_t)(most_ms / 1000)}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    timer_t timer;

    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(1);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &when, NULL) != 0)
        _exit(1);
}

/** 0 and 1 lead nowhere, 2 and 3 to the parent, and no other descriptor is there: neither its
 * report nor a pipe of another environment. */
static void
set_descriptors(int said, int result)
{
    /* Both stand above 2. In this order nothing that is still needed is overwritten, and none more
     * is needed than there are: the table may be full. */
    if (dup2(said, STDERR_FILENO) < 0 || dup2(result, RESULT_FD) < 0 ||
        fcntl(RESULT_FD, F_SETFD, FD_CLOEXEC) != 0 || close_range(RESULT_FD + 1, ~0U, 0) != 0)
        _exit(1);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0)
        _exit(1);
    (void)close(nothing);
}

/** Never returns. */
static void
be_worker(const struct crew *crew, const struct fleet_member *member, pid_t parent, int said,
          int result)
{
    /* A terminal's Ctrl-C comes to the parent alone, which passes it on once. */
    (void)setpgid(0, 0);
    limit_life(parent, member->deadline_ms);
    set_descriptors(said, result);
    const int status = crew->job->look(crew->job->ctx, member->name,
                                       (size_t)(member - crew->fleet->members), RESULT_FD);
    exit(status); /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* ---- start */

static void
settle_without(struct worker *worker, enum outcome_word word, const struct err *err, int status)
{
    worker->member->duration_ms = clock_monotonic_ms() - worker->started_ms;
    fleet_settle_without(worker->member, word, err, status);
}

/** errno's value, 0 = it runs. */
static int
start(const struct crew *crew, struct worker *worker)
{
    const pid_t parent = getpid();
    int result[2] = {-1, -1}, said[2] = {-1, -1};
    int why = 0;

    if (pipe2(result, O_CLOEXEC) != 0 || pipe2(said, O_CLOEXEC) != 0 ||
        fcntl(result[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(said[0], F_SETFL, O_NONBLOCK) != 0)
        why = errno;
    if (why == 0) {
        worker->pid = fork();
        why = worker->pid < 0 ? errno : 0;
    }
    if (why == 0 && worker->pid == 0)
        be_worker(crew, worker->member, parent, said[1], result[1]);
    close_end(&result[1]);
    close_end(&said[1]);
    worker->result = result[0];
    worker->said = said[0];
    if (why == 0) {
        (void)setpgid(worker->pid, worker->pid); /* whoever of the two is first */
        return 0;
    }
    close_end(&worker->result);
    close_end(&worker->said);
    return why;
}

static void
settle_not_started(struct worker *worker, int why)
{
    struct err err;
    (void)err_errno(&err, ERR_INTERNAL, why, "start a process for this environment");
    settle_without(worker, OUTCOME_FAILED, &err, err_exit_status(err.code));
}

static struct worker *
free_worker(const struct crew *crew)
{
    for (size_t i = 0; i < crew->size; i++) {
        if (!crew->workers[i].member)
            return &crew->workers[i];
    }
    return NULL;
}

static void
start_more(struct crew *crew)
{
    struct worker *worker = NULL;
    while (cancel_signal() == 0 && crew->next < crew->fleet->count &&
           (worker = free_worker(crew)) != NULL) {
        struct fleet_member *member = &crew->fleet->members[crew->next++];
        const int64_t now_ms = clock_monotonic_ms();
        *worker = (struct worker){
            .member = member,
            .result = -1,
            .said = -1,
            .started_ms = now_ms,
            .until_ms = now_ms + member->deadline_ms,
            .message = {.max = FLEET_MESSAGE_MAX_BYTES},
        };
        const int why = start(crew, worker);
        if (why == 0) {
            crew->running++;
        } else if (crew->running > 0) {
            /* too many processes or descriptors: again when one of ours has ended */
            worker->member = NULL;
            crew->next--;
            return;
        } else {
            settle_not_started(worker, why);
            worker->member = NULL;
        }
        if (crew->next == crew->fleet->count)
            crew->job->last_is_started();
    }
}

/* ---- what they say */

static void
tell_line(const struct crew *crew, struct worker *worker)
{
    if (worker->line_used > 0)
        console_relay(crew->job->finish->console, worker->member->name, worker->line,
                      worker->line_used);
    worker->line_used = 0;
}

static void
take_said(const struct crew *crew, struct worker *worker, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || worker->line_used == sizeof(worker->line))
            tell_line(crew, worker);
        if (bytes[i] != '\n')
            worker->line[worker->line_used++] = bytes[i];
    }
}

/** Read once; false when there is nothing now, or never will be. */
static bool
read_end(const struct crew *crew, struct worker *worker, int *fd)
{
    static char bytes[READ_BYTES];
    const ssize_t got = *fd < 0 ? 0 : read(*fd, bytes, sizeof(bytes));

    if (got > 0 && fd == &worker->result)
        text_append_bytes(&worker->message, bytes, (size_t)got);
    else if (got > 0)
        take_said(crew, worker, bytes, (size_t)got);
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        close_end(fd);
    return got > 0;
}

/** Wait until one of them says something or ends, at most for `wait_ms`. */
static void
read_some(struct crew *crew, int wait_ms)
{
    for (size_t i = 0; i < crew->size; i++) {
        const struct worker *worker = &crew->workers[i];
        crew->ends[2 * i] =
            (struct pollfd){.fd = worker->member ? worker->result : -1, .events = POLLIN};
        crew->ends[2 * i + 1] =
            (struct pollfd){.fd = worker->member ? worker->said : -1, .events = POLLIN};
    }
    if (poll(crew->ends, (nfds_t)(2 * crew->size), wait_ms) <= 0)
        return;
    for (size_t i = 0; i < crew->size; i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->member && crew->ends[2 * i].revents)
            (void)read_end(crew, worker, &worker->result);
        if (worker->member && crew->ends[2 * i + 1].revents)
            (void)read_end(crew, worker, &worker->said);
    }
}

/** One whose pipes are closed will have ended in a moment. */
static int
wait_ms(const struct crew *crew)
{
    for (size_t i = 0; i < crew->size; i++) {
        const struct worker *worker = &crew->workers[i];
        if (worker->member && worker->result < 0 && worker->said < 0)
            return SETTLE_MS;
    }
    return SLICE_MS;
}

/* ---- their end */

/** "2m", "90s", "1500ms". */
static void
put_time(int64_t ms, char ret[32])
{
    if (ms % 60000 == 0)
        (void)snprintf(ret, 32, "%" PRId64 "m", ms / 60000);
    else if (ms % 1000 == 0)
        (void)snprintf(ret, 32, "%" PRId64 "s", ms / 1000);
    else
        (void)snprintf(ret, 32, "%" PRId64 "ms", ms);
}

static void
settle_late(struct worker *worker)
{
    struct err err;
    char deadline[32];
    put_time(worker->member->deadline_ms, deadline);
    (void)err_set(&err, ERR_CONNECT, "not known: no result within the deadline of %s", deadline);
    (void)err_hint(&err, "A server may be slow or hang. Look at it alone, or give it more time "
                         "with --deadline.");
    settle_without(worker, OUTCOME_NO_ACCESS, &err, err_exit_status(err.code));
}

static void
settle_stopped(struct fleet_member *member)
{
    struct err err;
    (void)err_set(&err, ERR_INTERRUPTED, "not known: stopped by signal %d", cancel_signal());
    fleet_settle_without(member, OUTCOME_INTERRUPTED, &err, 128 + cancel_signal());
}

/** It ended in its own time, in what way ever. */
static void
settle_ended(const struct crew *crew, struct worker *worker, int status)
{
    struct err err;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    worker->member->duration_ms = clock_monotonic_ms() - worker->started_ms;
    if (worker->message.broken) {
        (void)err_set(&err, ERR_INTERNAL, "its process sent more than %d bytes",
                      FLEET_MESSAGE_MAX_BYTES);
    } else if (code < 0) {
        (void)err_set(&err, ERR_INTERNAL, "its process was ended by signal %d",
                      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        (void)err_hint(&err, "Nothing that it sent is believed. Look at it alone; the messages "
                             "above may say more.");
    } else if (fleet_read_message(&worker->message, code, crew->job->finish->output->form,
                                  worker->member, &err)) {
        return;
    } else {
        (void)err_detail(&err, "It ended with status %d.", code);
    }
    if (cancel_signal() != 0 && !worker->message.broken)
        settle_stopped(worker->member);
    else
        fleet_settle_without(worker->member, OUTCOME_FAILED, &err, err_exit_status(err.code));
}

/** Has it ended? Then what it has left behind in its group ends too, while its number still keeps
 * that group's from being given to others. */
static bool
has_ended(const struct worker *worker, int *ret_status)
{
    siginfo_t info = {0};
    int got;
    do
        got = waitid(P_PID, (id_t)worker->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    while (got < 0 && errno == EINTR);
    if (got == 0 && info.si_pid == 0)
        return false;
    *ret_status = -1; /* of a process that somebody else has waited for, nothing is known */
    if (got < 0)
        return true;
    (void)kill(-worker->pid, SIGKILL);
    while (waitpid(worker->pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    return true;
}

/** True when it has ended; then it is settled, and the place is free. */
static bool
look_for_end(struct crew *crew, struct worker *worker)
{
    int status = 0;
    if (!has_ended(worker, &status))
        return false;
    /* What it wrote is in the pipes by now; who else holds them is not waited for. */
    while (read_end(crew, worker, &worker->result))
        ;
    while (read_end(crew, worker, &worker->said))
        ;
    tell_line(crew, worker);
    if (worker->late)
        settle_late(worker);
    else
        settle_ended(crew, worker, status);
    close_end(&worker->result);
    close_end(&worker->said);
    text_done(&worker->message);
    worker->member = NULL;
    crew->running--;
    return true;
}

/** The kind way first; SIGKILL for the whole group once that has not helped. */
static void
make_end(struct worker *worker, int number, int64_t now_ms)
{
    if (!worker->asked_to_end) {
        (void)kill(worker->pid, number);
        worker->asked_to_end = true;
        worker->kill_ms = now_ms + GRACE_MS;
    } else if (now_ms >= worker->kill_ms) {
        (void)kill(-worker->pid, SIGKILL);
        worker->kill_ms = now_ms + GRACE_MS;
    }
}

static void
attend(struct crew *crew)
{
    const int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < crew->size; i++) {
        struct worker *worker = &crew->workers[i];
        if (!worker->member || look_for_end(crew, worker))
            continue;
        if (!worker->asked_to_end && now_ms >= worker->until_ms)
            worker->late = true;
        if (worker->late || worker->message.broken)
            make_end(worker, SIGTERM, now_ms);
        else if (cancel_signal() != 0)
            make_end(worker, cancel_signal(), now_ms);
    }
}

static void
run(struct crew *crew)
{
    start_more(crew);
    while (crew->running > 0) {
        struct observer *observer = &crew->job->finish->console->observer;
        read_some(crew, wait_ms(crew));
        attend(crew);
        start_more(crew);
        observer->progress(observer, "environments", (int64_t)(crew->next - crew->running),
                           (int64_t)crew->fleet->count);
    }
    console_end(crew->job->finish->console);
    for (; crew->next < crew->fleet->count; crew->next++)
        settle_stopped(&crew->fleet->members[crew->next]);
}

bool
fleet_crew_run(const struct fleet_job *job, struct fleet *fleet, struct err *err)
{
    const struct sigaction default_action = {.sa_handler = SIG_DFL};
    struct sigaction before;
    struct crew crew = {
        .job = job,
        .fleet = fleet,
        .size = fleet->jobs < fleet->count ? fleet->jobs : fleet->count,
    };

    crew.workers = calloc(crew.size, sizeof(*crew.workers));
    crew.ends = calloc(2 * crew.size, sizeof(*crew.ends));
    const bool ok = crew.workers && crew.ends;
    if (ok) {
        /* Whoever started us may have said that ended children are not kept for waitpid. */
        (void)sigaction(SIGCHLD, &default_action, &before);
        run(&crew);
        (void)sigaction(SIGCHLD, &before, NULL);
    }
    free(crew.workers);
    free(crew.ends);
    return ok || err_set(err, ERR_INTERNAL, "out of memory");
}
