/** The command line, read with getopt_long. */
#ifndef CONFIG_ARGUMENTS_H
#define CONFIG_ARGUMENTS_H

#include "base/err.h"
#include "config/option.h"
#include "config/settings.h"

#include <stdbool.h>
#include <stddef.h>

enum { ARGUMENTS_MAX_WORDS = 4 };

struct arguments {
    const char *words[ARGUMENTS_MAX_WORDS]; /* what is not an option: the command first */
    size_t word_count;
    const struct option_spec *two_targets; /* given twice, with different values; NULL = none */
};

/**
 * Read argv into `settings` at RANK_ARGV. Goes on after a fault, so that what was asked for the
 * output is known; the first fault is in `err` (ERR_USAGE). Long names may not be cut short. Of
 * two values the last one counts. Fills `ret` in every case.
 */
MUST_CHECK bool arguments_read(int argc, char **argv, struct settings *settings,
                               struct arguments *ret, struct err *err);

#endif
