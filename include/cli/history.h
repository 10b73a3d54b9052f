/** `dwclean runs`, `show RUN` and `prune`: the runs of a directory. No connection is made, and no
 * secret is asked for. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/console.h"
#include "cli/output.h"
#include "port/operator.h"
#include "port/run_history.h"

#include <stdbool.h>
#include <stdint.h>

/** All borrowed. */
struct history_job {
    const char *environment; /* --env; NULL = all */
    const char *run;         /* RUN of show */
    bool verify;             /* show: --verify */
    bool has_age;            /* prune: --older-than is given */
    int64_t older_than_ms;
    bool dry_run, yes;
    struct run_history *history;
    struct operator_port *op;
    const struct output *output;
    bool *told; /* set once the report is written: what fails then is the status alone */
    struct console *console;
    struct arena *arena;
};

/** Write the report of a job, and note that it is. ERR_STORAGE. */
MUST_CHECK bool history_tell(const struct history_job *job, const struct text *text,
                             struct err *err);

/** The list. A damaged run is in it, and is no failure. ERR_STORAGE: the directory cannot be read.
 */
MUST_CHECK bool history_show_runs(const struct history_job *job, struct err *err);

/** One run. After it was shown: ERR_STORAGE when it is damaged or --verify found something. */
MUST_CHECK bool show_run(const struct history_job *job, struct err *err);

/**
 * Remove old runs. ERR_USAGE: no age; ERR_REFUSED: there are some and nobody confirmed; then, or in
 * a dry run, they are only listed. ERR_STORAGE, ERR_LOCK: one could not be removed (the list says
 * which).
 */
MUST_CHECK bool history_prune_runs(const struct history_job *job, struct err *err);

#endif
