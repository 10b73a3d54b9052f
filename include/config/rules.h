/** What a command may take its target from, and what it needs before it can start. */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "base/err.h"
#include "config/server_name.h"
#include "config/settings.h"

#include <stdbool.h>

/** What the rules make of the settings. */
struct target {
    bool axdb, dataverse;
    struct server_name server; /* with axdb */
};

/**
 * With --env: refuse (ERR_REFUSED) another server, database, URL, tenant, client id, class or pin
 * from argv or a variable. For a writing command: drop target values of variables and [defaults],
 * and say so.
 */
MUST_CHECK bool rules_target_sources(struct settings *settings, enum command command,
                                     struct err *err);

/** Which halves are asked for, and whether everything they need is there. ERR_USAGE. */
MUST_CHECK bool rules_target(struct settings *settings, struct target *ret, struct err *err);

#endif
