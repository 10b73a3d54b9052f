/** The person at the terminal: questions, and secrets without echo. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "base/err.h"
#include "port/operator.h"

#include <stdbool.h>
#include <stddef.h>

enum { TERMINAL_SECRET_BYTES = 1024 };

struct terminal {
    struct operator_port op; /* first: the port is the terminal */
    int fd;                  /* -1 = nobody to ask */
};

/** Open /dev/tty when stdin and stderr are terminals; else op.present stays false. */
void terminal_open(struct terminal *terminal);
void terminal_close(struct terminal *terminal);

/** A terminal on an open descriptor (tests: a pseudo-terminal); takes it over. */
void terminal_use(struct terminal *terminal, int fd);

/**
 * Ask for a secret with echo off. `ret` holds TERMINAL_SECRET_BYTES; the caller wipes it.
 * ERR_CONFIG at end of input or when it is empty, ERR_INTERRUPTED on a stop signal. The echo is
 * back before any signal ends or stops the process, but one that cannot be caught.
 */
MUST_CHECK bool terminal_ask_secret(struct terminal *terminal, const char *question,
                                    char ret[TERMINAL_SECRET_BYTES], struct err *err);

#endif
