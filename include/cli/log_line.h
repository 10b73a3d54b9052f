/** A line of the log as one JSON object (--log-format json). */
#ifndef CLI_LOG_LINE_H
#define CLI_LOG_LINE_H

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/progress.h"

#include <stdint.h>

/** What every line of a process says. NULL or "" = left out. */
struct log_facts {
    const char *command, *environment, *run_id;
};

struct log_line {
    int64_t utc_ms;
    enum log_level level;
    const char *message;
    const struct err *err;           /* with its detail, hint, code; NULL = no error */
    int exit_status;                 /* of `err` */
    const struct progress *progress; /* an event of it; NULL = none */
};

/** Append the object and a newline. 64-bit numbers are strings, as in reports. */
void log_line_json(const struct log_facts *facts, const struct log_line *line, struct text *ret);

#endif
