#include "cli/terminal.h"

#include "base/cancel.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/console.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void
show(struct operator_port *op, const char *text)
{
    const struct terminal *terminal = (struct terminal *)op;
    (void)console_write(terminal->fd, text, strlen(text));
    if (*text && text[strlen(text) - 1] != '\n')
        (void)console_write(terminal->fd, "\n", 1);
}

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

static bool
read_line(int fd, char *ret, size_t ret_size, enum err_code at_end, struct err *err)
{
    size_t used = 0;
    for (;;) {
        char byte = 0;
        if (!read_byte(fd, &byte, at_end, err))
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
    TEXT_SCOPED shown = {0};
    text_append_shown(&shown, question, strlen(question));
    (void)console_write(terminal->fd, text_string(&shown), shown.used);
}

static bool
ask(struct operator_port *op, const char *question, char *ret, size_t ret_size, struct err *err)
{
    const struct terminal *terminal = (struct terminal *)op;
    if (!op->present)
        return err_set(err, ERR_REFUSED, "there is no terminal to ask at");
    put_question(terminal, question);
    return read_line(terminal->fd, ret, ret_size, ERR_REFUSED, err);
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
    struct termios was;
    if (!terminal->op.present || tcgetattr(terminal->fd, &was) != 0)
        return err_set(err, ERR_CONFIG, "there is no terminal to ask at");

    struct termios silent = was;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    put_question(terminal, question);
    if (tcsetattr(terminal->fd, TCSAFLUSH, &silent) != 0)
        return err_set(err, ERR_CONFIG, "the terminal's echo cannot be switched off");
    bool ok = read_line(terminal->fd, ret, TERMINAL_SECRET_BYTES, ERR_CONFIG, err);
    (void)tcsetattr(terminal->fd, TCSAFLUSH, &was);
    (void)console_write(terminal->fd, "\n", 1);
    if (ok && !ret[0])
        ok = err_set(err, ERR_CONFIG, "the answer is empty");
    if (!ok)
        secret_clear_memory(ret, TERMINAL_SECRET_BYTES);
    return ok;
}
