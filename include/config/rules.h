/** What a command may take its target from, and what it needs before it can start. */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "base/err.h"
#include "config/jit.h"
#include "config/server_name.h"
#include "config/settings.h"
#include "config/sign_in.h"

#include <stdbool.h>

/** What the rules make of the settings. */
struct target {
    bool axdb, dataverse;
    struct server_name server; /* with axdb; with jit only if it was given, else host is "" */
    enum jit_role jit;         /* with axdb: who gives the login */
    struct sign_in sign_in;    /* with dataverse or jit */
};

/** Do two values of an option name the same? Servers in any of their forms, URLs by their host,
 * the rest without case. */
bool rules_same_value(enum option_id id, const char *a, const char *b);

/**
 * With --lcs: make server and database of what LCS shows as "server\database". Comes first, so that
 * the others see them as if they had been given so. ERR_USAGE.
 */
MUST_CHECK bool rules_lcs(struct settings *settings, struct err *err);

/**
 * With --env: refuse (ERR_REFUSED) another server, database, URL, tenant, client id, class or pin
 * from argv or a variable. For a writing command: drop target values of variables and [defaults],
 * and say so.
 */
MUST_CHECK bool rules_target_sources(struct settings *settings, enum command command,
                                     struct err *err);

/**
 * Which halves are asked for, and whether everything that they and the command need is there.
 * Options that replace each other are brought down to the one that counts. ERR_USAGE, ERR_CONFIG.
 */
MUST_CHECK bool rules_target(struct settings *settings, enum command command, struct target *ret,
                             struct err *err);

#endif
