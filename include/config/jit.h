/** --jit: SQL credentials that Dataverse gives just in time. What goes with it, and what does not.
 */
#ifndef CONFIG_JIT_H
#define CONFIG_JIT_H

#include "base/err.h"
#include "config/settings.h"

#include <stdbool.h>

enum jit_role {
    JIT_NONE, /* credentials are the operator's own */
    JIT_READER,
    JIT_WRITER
};

/** "a.b.c.d", "a.b.c.d/n" (n from 8 to 32) or "a.b.c.d-a.b.c.d"; IPv4 only. ERR_USAGE. */
MUST_CHECK bool jit_check_address(const char *text, struct err *err);

/**
 * Which role is asked for. Checks the address, refuses (ERR_USAGE, ERR_CONFIG) another way to sign
 * in beside it, and drops those of weaker sources.
 *
 * @param settings  values that cannot count any more are dropped
 * @param command   what is done; Reader is enough where nothing is written
 * @param axdb      whether the AxDB half is asked for
 * @param ret       JIT_NONE without --jit and `axdb = jit`
 */
MUST_CHECK bool jit_rules(struct settings *settings, enum command command, bool axdb,
                          enum jit_role *ret, struct err *err);

#endif
