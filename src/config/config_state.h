/** What a configuration consists of; for the sources of config alone. */
#ifndef CONFIG_STATE_H
#define CONFIG_STATE_H

#include "config/arguments.h"
#include "config/config.h"
#include "config/connection_string.h"
#include "config/rules.h"

struct config {
    struct settings settings;
    struct arguments arguments;
    struct config_input input;
    enum command command;
    bool help_asked, has_topic;
    enum command topic;
    enum option_group topic_group;
    struct target target;
    struct secret secrets[CONFIG_SECRETS];
    struct secret of_strings[CONNECTION_KINDS][RANKS]; /* that came with a connection string */
    const char *commands[CONFIG_SECRETS]; /* of the settings: they give the secret; not run yet */
    const char *client_certificate;       /* of the settings */
    const char *file;                     /* that was read; NULL = none */
    struct settings *applied;             /* env show: what the rules leave */
    struct err problem;                   /* and what they object to; ERR_NONE = nothing */
    struct config_environment environments[CONFIG_ENVIRONMENTS];
    size_t environment_count;
    bool is_fleet; /* several environments are asked for */
    const struct config_environment *fleet[CONFIG_ENVIRONMENTS];
    size_t fleet_count;
};

/** A variable of the environment; NULL = not set, or empty. */
const char *config_variable(const struct config *config, const char *name);

/** One environment, several, or one of several? What argv and variables may say then. ERR_USAGE,
 * ERR_CONFIG. */
MUST_CHECK bool config_choose_fleet(struct config *config, struct err *err);

/** Several: find them in the file that was read. ERR_CONFIG. */
MUST_CHECK bool config_find_fleet(struct config *config, struct err *err);

/** Read the strings of variables and of --connection-string-file. ERR_USAGE, ERR_CONFIG. */
MUST_CHECK bool config_read_connection_strings(struct config *config, struct err *err);

#endif
