/** `dwclean env list` and `env show`: what the configuration says. Nothing is connected, and no
 * secret is read. */
#ifndef CLI_ENVIRONMENTS_H
#define CLI_ENVIRONMENTS_H

#include "base/err.h"
#include "cli/output.h"
#include "config/config.h"

#include <stdbool.h>

/** Every environment: class, target, file and line. ERR_STORAGE: could not be written. */
MUST_CHECK bool environments_list(const struct config *config, const struct output *output,
                                  struct err *err);

/**
 * Every value that would apply with these options, variables and this environment, each with its
 * source, what it replaces, and what is ignored. A secret is shown as the place where it is.
 */
MUST_CHECK bool environments_show(const struct config *config, const struct output *output,
                                  struct err *err);

#endif
