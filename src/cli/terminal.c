#include "cli/terminal.h"

#include "base/cancel.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/wrap.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* ---- what is shown */

static void
show(struct operator_port *op, const char *text)
{
    const struct terminal *terminal = (struct terminal *)op;
    const size_t width = wrap_width(terminal->fd);
    TEXT_SCOPED shown = {0};
    for (const char *p = text; *p;) {
        const size_t size = strcspn(p, "\n");
        wrap_append(&shown, p, size, width);
        text_append(&shown, "\n");
        p += size + (p[size] ? 1 : 0);
    }
    (void)console_write(terminal->fd, text_string(&shown), shown.used);
}

/* ---- without echo */

/**
 * While the echo is off no signal may end or stop the process: these wait, blocked, until the
 * terminal is as it was.
 */
static const int stops[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGABRT,
                            SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT};

struct silence {
    int fd;
    struct termios was;
    sigset_t mask;  /* as it was */
    int signals_fd; /* readable when one of the stops waits */
};

/** Never waits for output to drain (a terminal may be held by Ctrl-S). What was typed and not read
 * is dropped: it may be a secret, or half of one. */
static bool
set_mode(int fd, const struct termios *mode)
{
    int status = 0;
    do
        status = tcsetattr(fd, TCSANOW, mode);
    while (status != 0 && errno == EINTR);
    return status == 0 && tcflush(fd, TCIFLUSH) == 0;
}

static bool
echo_off(const struct silence *silence)
{
    struct termios silent = silence->was;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    return set_mode(silence->fd, &silent);
}

/** As the terminal itself would do: whoever is in the background stops here. With the stops blocked
 * it could not be ended there. */
static void
await_foreground(int fd)
{
    const pid_t foreground = tcgetpgrp(fd);
    if (foreground > 0 && foreground != getpgrp())
        (void)kill(0, SIGTTOU);
}

/** The mode as it was, also from the background. */
static void
echo_back(const struct silence *silence)
{
    sigset_t output, before;
    (void)sigemptyset(&output);
    (void)sigaddset(&output, SIGTTOU);
    (void)pthread_sigmask(SIG_BLOCK, &output, &before);
    (void)set_mode(silence->fd, &silence->was);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool
silence_begin(struct silence *ret, struct err *err)
{
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &ret->mask);
    /* What the caller blocked would wait for ever. */
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
        if (sigismember(&ret->mask, stops[i]) == 0)
            (void)sigaddset(&blocked, stops[i]);
    await_foreground(ret->fd);
    ret->signals_fd = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
    if (ret->signals_fd < 0)
        return err_errno(err, ERR_CONFIG, errno, "watch for signals at the terminal");
    (void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    if (echo_off(ret))
        return true;
    echo_back(ret);
    (void)pthread_sigmask(SIG_SETMASK, &ret->mask, NULL);
    (void)close(ret->signals_fd);
    return err_set(err, ERR_CONFIG, "the terminal's echo cannot be switched off");
}

static void
silence_end(const struct silence *silence)
{
    echo_back(silence);
    (void)pthread_sigmask(SIG_SETMASK, &silence->mask, NULL);
    (void)close(silence->signals_fd);
}

/** Let the signal that waits do its work, on a terminal with echo; then silence again. */
static bool
let_signal_in(const struct silence *silence, struct err *err)
{
    sigset_t blocked;
    echo_back(silence);
    (void)pthread_sigmask(SIG_SETMASK, &silence->mask, &blocked);
    /* It has struck by now: an end, a stop and its continuation, or a flag. */
    await_foreground(silence->fd);
    (void)pthread_sigmask(SIG_SETMASK, &blocked, NULL);
    if (!cancel_check(err))
        return false;
    return echo_off(silence) ||
           err_set(err, ERR_CONFIG, "the terminal's echo cannot be switched off");
}

/** Until there is something to read; a signal comes first. */
static bool
await_input(const struct silence *silence, struct err *err)
{
    for (;;) {
        struct pollfd ready[] = {{.fd = silence->signals_fd, .events = POLLIN},
                                 {.fd = silence->fd, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return err_errno(err, ERR_CONFIG, errno, "wait for the terminal");
        if (ready[0].revents && !let_signal_in(silence, err))
            return false;
        if (!ready[0].revents && ready[1].revents)
            return true;
    }
}

/* ---- lines */

/** One byte; false with `err` at end of input, on a stop signal or a fault. */
static bool
read_byte(int fd, char *ret, enum err_code at_end, struct err *err)
{
    for (;;) {
        const ssize_t got = read(fd, ret, 1);
        if (got == 1)
            return true;
        if (got == 0)
            return err_set(err, at_end, "the terminal gave no answer");
        if (errno != EINTR)
            return err_errno(err, at_end, errno, "read from the terminal");
        if (!cancel_check(err))
            return false;
    }
}

/** `silence` is NULL where the echo stays on. */
static bool
read_line(int fd, const struct silence *silence, char *ret, size_t ret_size, enum err_code at_end,
          struct err *err)
{
    size_t used = 0;
    for (;;) {
        char byte = 0;
        if ((silence && !await_input(silence, err)) || !read_byte(fd, &byte, at_end, err))
            return false;
        if (byte == '\n' || byte == '\r')
            break;
        if (used < ret_size)
            ret[used++] = byte;
    }
    if (used == ret_size)
        return err_set(err, at_end, "the answer is too long");
    ret[used] = '\0';
    return true;
}

static void
put_question(const struct terminal *terminal, const char *question)
{
    TEXT_SCOPED plain = {0};
    TEXT_SCOPED shown = {0};
    text_append_shown(&plain, question, strlen(question));
    wrap_append(&shown, text_string(&plain), plain.used, wrap_width(terminal->fd));
    (void)console_write(terminal->fd, text_string(&shown), shown.used);
}

static bool
ask(struct operator_port *op, const char *question, char *ret, size_t ret_size, struct err *err)
{
    const struct terminal *terminal = (struct terminal *)op;
    if (!op->present)
        return err_set(err, ERR_REFUSED, "there is no terminal to ask at");
    put_question(terminal, question);
    return read_line(terminal->fd, NULL, ret, ret_size, ERR_REFUSED, err);
}

void
terminal_use(struct terminal *terminal, int fd)
{
    *terminal = (struct terminal){
        .op = {.present = fd >= 0, .show = show, .ask = ask},
        .fd = fd,
    };
}

void
terminal_open(struct terminal *terminal)
{
    const bool person = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
    terminal_use(terminal, person ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1);
}

void
terminal_close(struct terminal *terminal)
{
    if (terminal->fd >= 0)
        (void)close(terminal->fd);
    terminal_use(terminal, -1);
}

bool
terminal_ask_secret(struct terminal *terminal, const char *question,
                    char ret[TERMINAL_SECRET_BYTES], struct err *err)
{
    assert(terminal && question && ret && err);
    struct silence silence = {.fd = terminal->fd};
    if (!terminal->op.present || tcgetattr(silence.fd, &silence.was) != 0)
        return err_set(err, ERR_CONFIG, "there is no terminal to ask at");

    put_question(terminal, question);
    if (!silence_begin(&silence, err))
        return false;
    bool ok = read_line(silence.fd, &silence, ret, TERMINAL_SECRET_BYTES, ERR_CONFIG, err);
    silence_end(&silence);
    (void)console_write(terminal->fd, "\n", 1);
    if (ok && !ret[0])
        ok = err_set(err, ERR_CONFIG, "the answer is empty");
    if (!ok)
        secret_clear_memory(ret, TERMINAL_SECRET_BYTES);
    return ok;
}
