/**
 * A program that the operator named and that gives a secret: run without a shell, its standard
 * output taken, its time bounded. The command line is split at blanks; '...' keeps everything,
 * "..." keeps all but \" and \\, a backslash keeps the character behind it. Nothing else is
 * special: no variables, no patterns, no pipes.
 */
#ifndef BASE_COMMAND_H
#define BASE_COMMAND_H

#include "base/err.h"
#include "base/secret.h"

#include <stddef.h>
#include <stdint.h>

enum {
    COMMAND_WORDS_MAX = 64,
    COMMAND_TEXT_MAX_BYTES = 4096,
    COMMAND_OUTPUT_MAX_BYTES = 64 * 1024,
    COMMAND_TIMEOUT_MS = 60 * 1000,
};

/** Everything is borrowed for the call. */
struct command_line {
    const char *text;         /* as the operator wrote it */
    const char *what;         /* "token command", for messages */
    const char *mark, *value; /* each `mark` in a word becomes `value`; NULL = none */
    enum err_code code;       /* of the error when it fails */
    int64_t timeout_ms;       /* 0 = COMMAND_TIMEOUT_MS */
    void (*said)(void *ctx,
                 const char *line); /* the first lines of stderr; NULL = they are dropped */
    void *ctx;
};

/**
 * Run it and take all that it wrote to standard output (at most COMMAND_OUTPUT_MAX_BYTES, without
 * byte 0 and not empty). Its standard input is empty. It runs in a process group of its own, which
 * is killed when the time is over or a stop signal comes. A line of stderr that holds what looks
 * like a token is not told. `code` with the reason (not found, exit status, signal, time,
 * output); ERR_INTERRUPTED.
 */
MUST_CHECK bool command_output(const struct command_line *command, struct secret *ret,
                               struct err *err);

/** The same; only the first line, without its line end. An empty first line is an error. */
MUST_CHECK bool command_first_line(const struct command_line *command, struct secret *ret,
                                   struct err *err);

/** Can it be split? ERR_USAGE, without showing the text: a quote is open, no word, too long. */
MUST_CHECK bool command_check(const char *text, struct err *err);

#endif
