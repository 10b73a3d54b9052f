/** The end of a process: its report, what monitoring and pipelines get of it, its status. */
#ifndef CLI_FINISH_H
#define CLI_FINISH_H

#include "base/err.h"
#include "cli/console.h"
#include "cli/output.h"
#include "config/config.h"
#include "core/outcome.h"
#include "report/fleet.h"

#include <stdbool.h>

struct finish {
    const struct config *config;
    const struct output *output;
    struct console *console;
    const char *version;
};

/** What is to be known before a run begins: options that contradict each other (ERR_USAGE). Tells
 * of a name that no collector reads. */
MUST_CHECK bool finish_check(const struct finish *finish, struct err *err);

/**
 * Report, annotations, metrics; returns the status of the process. `early`: the command never
 * began, so its report is wanted by programs only. What cannot be written is said and changes
 * nothing.
 */
int finish_run(const struct finish *finish, const struct outcome *outcome, bool early);

/** The same for several environments, but for their report: `write_report` writes it, where one is
 * wanted. */
int finish_fleet(const struct finish *finish, const struct fleet *fleet,
                 void (*write_report)(const struct finish *finish, const struct fleet *fleet));

#endif
