#include "base/command.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "command_words.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SLICE_MS = 100,      /* how long a stop signal may stay unseen */
    GRACE_MS = 1000,     /* between SIGTERM and SIGKILL */
    SAID_LINES_MAX = 20, /* of stderr */
    SAID_LINE_BYTES = 200,
    READ_BYTES = 4096,
    REST_READS_MAX = 256, /* more than a pipe holds */
};

/** One running program. */
struct child {
    const struct command_line *command;
    char name[64]; /* of the program, for messages */
    pid_t pid;
    int out, said; /* -1 = closed */
    bool ended;
    int status;
    int64_t until_ms;
    char *output; /* COMMAND_OUTPUT_MAX_BYTES + 1 */
    size_t used;
    bool too_long;
    char line[SAID_LINE_BYTES];
    size_t line_size;
    int lines;
};

static void
close_end(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* ---- start */

static bool
set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t defaults, mask;

    /* What we ignore or block must not be inherited: a program expects to die of SIGPIPE.
     */
    (void)sigemptyset(&defaults);
    for (int number = 1; number < SIGSYS; number++)
        if (number != SIGKILL && number != SIGSTOP)
            (void)sigaddset(&defaults, number);
    (void)sigemptyset(&mask);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSIGMASK) == 0 &&
           posix_spawnattr_setpgroup(attributes, 0) == 0 &&
           posix_spawnattr_setsigdefault(attributes, &defaults) == 0 &&
           posix_spawnattr_setsigmask(attributes, &mask) == 0;
}

static bool
set_files(posix_spawn_file_actions_t *actions, int out, int said)
{
    return posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO) == 0 &&
           posix_spawn_file_actions_adddup2(actions, said, STDERR_FILENO) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1) == 0;
}

/** errno's value, 0 = it runs. */
static int
spawn(struct child *child, char **words, int out, int said)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int why = ENOMEM;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return why;
    if (posix_spawnattr_init(&attributes) == 0) {
        if (set_attributes(&attributes) && set_files(&actions, out, said))
            why = posix_spawnp(&child->pid, words[0], &actions, &attributes, words, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return why;
}

static bool
start(struct child *child, char **words, struct err *err)
{
    const struct command_line *command = child->command;
    int out[2] = {-1, -1}, said[2] = {-1, -1};
    int why = 0;

    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(said, O_CLOEXEC) != 0)
        why = errno;
    if (why == 0)
        why = spawn(child, words, out[1], said[1]);
    close_end(&out[1]);
    close_end(&said[1]);
    child->out = out[0];
    child->said = said[0];
    if (why == 0)
        return true;
    close_end(&child->out);
    close_end(&child->said);
    (void)err_errno(err, command->code, why, "run the %s %s", command->what, child->name);
    if (why == ENOENT)
        (void)err_hint(err, "No such program: check the name and PATH; there is no shell in "
                            "between.");
    return false;
}

/* ---- what it says */

/** One line of stderr, unless it may hold a token. */
static void
tell_line(struct child *child)
{
    child->line[child->line_size] = '\0';
    if (child->line_size > 0 && child->lines < SAID_LINES_MAX && child->command->said) {
        child->lines++;
        child->command->said(child->command->ctx, strstr(child->line, "eyJ")
                                                      ? "(a line that may hold a token)"
                                                      : child->line);
    }
    child->line_size = 0;
}

static void
take_said(struct child *child, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n')
            tell_line(child);
        else if (child->line_size + 1 < sizeof child->line && bytes[i] != '\0')
            child->line[child->line_size++] = bytes[i];
    }
}

static void
take_output(struct child *child, const char *bytes, size_t size)
{
    if (size > COMMAND_OUTPUT_MAX_BYTES - child->used) {
        child->too_long = true;
        return;
    }
    memcpy(child->output + child->used, bytes, size);
    child->used += size;
}

/** Read once from an end that has something; closes it at its end. */
static void
read_end(struct child *child, int *fd)
{
    char bytes[READ_BYTES];
    const ssize_t got = read(*fd, bytes, sizeof bytes);

    if (got > 0 && fd == &child->out)
        take_output(child, bytes, (size_t)got);
    else if (got > 0)
        take_said(child, bytes, (size_t)got);
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        close_end(fd);
    secret_clear_memory(bytes, sizeof bytes);
}

/** Wait up to `wait_ms` for output; true when there was some. */
static bool
read_some(struct child *child, int wait_ms)
{
    struct pollfd ends[] = {{.fd = child->out, .events = POLLIN},
                            {.fd = child->said, .events = POLLIN}};

    if (poll(ends, 2, wait_ms) <= 0)
        return false;
    if (ends[0].revents)
        read_end(child, &child->out);
    if (ends[1].revents)
        read_end(child, &child->said);
    return true;
}

/* ---- end */

static void
look_for_end(struct child *child)
{
    pid_t got;

    if (child->ended)
        return;
    do
        got = waitpid(child->pid, &child->status, WNOHANG);
    while (got < 0 && errno == EINTR);
    child->ended = got != 0;
    if (got < 0)
        child->status = -1;
}

/** End the whole group, the hard way when it does not listen. */
static void
kill_group(struct child *child)
{
    const int64_t until_ms = clock_monotonic_ms() + GRACE_MS;

    (void)kill(-child->pid, SIGTERM);
    while (!child->ended && clock_monotonic_ms() < until_ms) {
        (void)poll(NULL, 0, SLICE_MS / 5);
        look_for_end(child);
    }
    /* Also when the first of them has ended: its children may not have listened. */
    (void)kill(-child->pid, SIGKILL);
    while (!child->ended) {
        (void)poll(NULL, 0, SLICE_MS / 5);
        look_for_end(child);
    }
}

static bool
too_late(const struct child *child, struct err *err)
{
    const struct command_line *command = child->command;
    const int64_t timeout_ms = command->timeout_ms ? command->timeout_ms : COMMAND_TIMEOUT_MS;

    (void)err_set(err, command->code, "the %s %s did not end within %lld s", command->what,
                  child->name, (long long)((timeout_ms + 999) / 1000));
    return err_hint(err, "It was ended. It must not ask anything: it has no terminal.");
}

/** False when it has had its time or its room, or a stop signal came. */
static bool
may_go_on(const struct child *child, struct err *err)
{
    if (!cancel_check(err))
        return false;
    if (child->too_long)
        return err_set(err, child->command->code, "the %s %s wrote more than %d bytes",
                       child->command->what, child->name, COMMAND_OUTPUT_MAX_BYTES);
    return clock_monotonic_ms() < child->until_ms || too_late(child, err);
}

/** Until something can be read; shortly when there is nothing left to be read. */
static int
wait_ms(const struct child *child)
{
    if (child->ended)
        return 0;
    return child->out >= 0 || child->said >= 0 ? SLICE_MS : SLICE_MS / 10;
}

/** Read until it has ended and everything is read. */
static bool
attend(struct child *child, struct err *err)
{
    while (!child->ended || child->out >= 0) {
        if (!may_go_on(child, err))
            return false;
        /* Its own children may keep the pipe open: what it wrote itself is there by now. */
        if (!read_some(child, wait_ms(child)) && child->ended)
            break;
        look_for_end(child);
    }
    /* One of its own children may go on writing there. */
    for (int reads = 0; child->said >= 0 && reads < REST_READS_MAX && read_some(child, 0); reads++)
        ;
    tell_line(child);
    return true;
}

static bool
judge(const struct child *child, struct err *err)
{
    const struct command_line *command = child->command;
    static const char hint[] = "Run it yourself to see why; -v shows what it writes to stderr.";

    if (child->status == -1)
        return err_set(err, command->code, "how the %s %s ended is not known", command->what,
                       child->name);
    if (WIFSIGNALED(child->status)) {
        (void)err_set(err, command->code, "the %s %s was ended by signal %d", command->what,
                      child->name, WTERMSIG(child->status));
        return err_hint(err, hint);
    }
    if (WEXITSTATUS(child->status) != 0) {
        (void)err_set(err, command->code, "the %s %s failed with status %d", command->what,
                      child->name, WEXITSTATUS(child->status));
        return err_hint(err, hint);
    }
    if (child->too_long || memchr(child->output, '\0', child->used))
        return err_set(err, command->code, "the output of the %s %s is %s", command->what,
                       child->name, child->too_long ? "too long" : "not text");
    if (child->used == 0) {
        (void)err_set(err, command->code, "the %s %s wrote nothing", command->what, child->name);
        return err_hint(err, hint);
    }
    return true;
}

static bool
run(struct child *child, char **words, struct err *err)
{
    const struct sigaction default_action = {.sa_handler = SIG_DFL};
    struct sigaction before;
    bool done;

    /* Whoever started us may have said that ended children are not kept for waitpid. */
    (void)sigaction(SIGCHLD, &default_action, &before);
    done = start(child, words, err);
    if (done) {
        cancel_take_along(child->pid);
        done = attend(child, err);
        if (!done)
            kill_group(child);
        cancel_take_along(0);
        close_end(&child->out);
        close_end(&child->said);
    }
    (void)sigaction(SIGCHLD, &before, NULL);
    return done && judge(child, err);
}

static bool
output_of(const struct command_line *command, char **words, struct secret *ret, struct err *err)
{
    const char *slash = strrchr(words[0], '/');
    const int64_t timeout_ms = command->timeout_ms ? command->timeout_ms : COMMAND_TIMEOUT_MS;
    struct child child = {.command = command,
                          .out = -1,
                          .said = -1,
                          .until_ms = clock_monotonic_ms() + timeout_ms,
                          .output = malloc(COMMAND_OUTPUT_MAX_BYTES + 1)};
    bool done;

    if (!child.output)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)snprintf(child.name, sizeof child.name, "%s", slash && slash[1] ? slash + 1 : words[0]);
    done = run(&child, words, err) && secret_set(ret, child.output, child.used, err);
    secret_clear_memory(child.output, child.used);
    secret_clear_memory(child.line, sizeof child.line);
    free(child.output);
    return done;
}

bool
command_output(const struct command_line *command, struct secret *ret, struct err *err)
{
    struct command_words words;
    bool done;

    assert(command && command->text && command->what && ret && err);
    if (!cancel_check(err))
        return false;
    if (!command_words_split(command->text, command->mark, command->value, &words, err))
        return err_wrap(err, "the %s", command->what);
    done = output_of(command, words.items, ret, err);
    command_words_done(&words);
    return done;
}

bool
command_first_line(const struct command_line *command, struct secret *ret, struct err *err)
{
    SECRET_SCOPED output = {0};
    const char *text;
    size_t size;

    if (!command_output(command, &output, err))
        return false;
    text = secret_reveal(&output);
    size = strcspn(text, "\r\n");
    if (size == 0)
        return err_set(err, command->code, "the first line of the %s's output is empty",
                       command->what);
    return secret_set(ret, text, size, err);
}
