/** `dwclean completion`: what a shell completes, made of the tables of commands and options. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "base/err.h"
#include "base/text.h"
#include "config/config.h"

#include <stdbool.h>

enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH, SHELLS };

/** "bash", "zsh" or "fish"; false for any other word. */
bool completion_shell(const char *name, enum shell *ret);

/** Append the script of a shell. ERR_INTERNAL. */
MUST_CHECK bool completion_script(enum shell shell, struct text *ret, struct err *err);

/** Append the names of the environments in the configuration file, one a line. */
void completion_environments(const struct config *config, struct text *ret);

/**
 * Append the names of the runs in a runs directory, the last one first, one a line, at most
 * COMPLETION_RUNS; only letters, digits and ".-_" are ever in them. Reads names, no file. A
 * directory that is not there has none. ERR_STORAGE.
 */
MUST_CHECK bool completion_runs(const char *runs_dir, struct text *ret, struct err *err);

enum { COMPLETION_RUNS = 1000 };

/** Append what `dwclean completion WORD` prints: a shell's script, or the names that the scripts
 * ask for. ERR_USAGE: no such word; ERR_CONFIG, ERR_STORAGE, ERR_INTERNAL. */
MUST_CHECK bool completion_answer(const struct config *config, struct text *ret, struct err *err);

#endif
