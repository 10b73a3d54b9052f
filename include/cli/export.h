/**
 * `dwclean export RUN --sql`: the AxDB rows of a backup as a script; `--redact`: the run as a tar
 * file for somebody else, without them. No connection is made and no secret is asked for; what is
 * made is a file for its owner only, and never replaces one.
 */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/console.h"
#include "port/run_archive.h"
#include "port/run_history.h"
#include "port/undo_script.h"

#include <stdbool.h>

/** All borrowed. */
struct export_job {
    const char *run;  /* RUN, as run_archive.open takes it */
    bool sql;         /* --sql */
    bool redact;      /* --redact; one of the two */
    const char *path; /* --out; NULL = undo-<run id>.sql or run-<run id>.tar here, "-" = stdout */
    struct run_archive *archive;
    struct run_history *history; /* of --redact */
    bool (*script)(const struct undo_script_out *out, struct undo_script **ret, struct err *err);
    void (*script_free)(struct undo_script *script);
    struct console *console;
    struct arena *arena;
};

/** Is it clear what is to be made, and where to? ERR_USAGE. `archive` is not needed yet. */
MUST_CHECK bool export_check(const struct export_job *job, struct err *err);

/**
 * Write the bundle: also of a run whose backup is damaged. Errors as export_write.
 */
MUST_CHECK bool export_bundle(const struct export_job *job, struct err *err);

/**
 * Prove the backup, write the script, tell what it is: on stdout, or on stderr when the script goes
 * to stdout. ERR_STORAGE: no sealed backup, a damaged one, no AxDB rows in it, or a file that is
 * there already or cannot be written; half a file is never left. ERR_USAGE: no such run.
 */
MUST_CHECK bool export_write(const struct export_job *job, struct err *err);

#endif
