/** One process, and what is got ready for it. Private to cli/. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "base/arena.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "config/config.h"

#include <stdbool.h>

/** One process: everything that must be released at its end. */
struct program {
    int argc;
    char **argv;
    const struct cli_adapters *adapters;
    struct config *config;
    struct arena *arena;
    struct console console;
    struct terminal terminal;
    struct output output;
    struct axdb_server *axdb;
    struct runtime_server *runtime;
    struct run_store *runs;
    struct run_archive *archive;
    struct run_history *history;
    struct plan_file *plan_out;
    struct saved_plan *saved;
    struct aside *aside;
    struct text pasted; /* explain */
};

/** Secrets must not stay in the environment, where /proc shows them for the whole run: what holds
 * one is taken into memory, and its variable is gone. Before anything else. */
void program_take_secret_variables(void);

/** The value of a variable, taken or not; NULL = it is not set. Borrowed. */
const char *program_variable(const char *name);

/** Wipe what was taken: nobody needs it any more. */
void program_forget_secret_variables(void);

/** Passwords, secrets and tokens: from files, commands, variables, or asked for at the terminal.
 * Variables that were taken are forgotten afterwards. */
MUST_CHECK bool program_get_secrets(struct program *program, struct err *err);

/** Is the place of runs named, does it last, and does no key lie in it? */
MUST_CHECK bool program_check_runs_dir(struct program *program, struct err *err);

/** Everything that the command needs of the world. */
MUST_CHECK bool program_make_adapters(struct program *program, struct err *err);

#endif
