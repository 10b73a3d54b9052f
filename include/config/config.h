/**
 * What the operator asked for: argv, environment variables and the configuration file, merged by
 * the rules of precedence, each value with its source.
 *
 * Precedence: argv, DWCLEAN_*, SQLCMD* and AZURE_*, [env "NAME"], [defaults], built-in. The target
 * of a command that writes comes from argv or --env alone.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/err.h"
#include "base/secret.h"
#include "config/jit.h"
#include "config/option.h"
#include "config/server_name.h"
#include "config/settings.h"
#include "config/sign_in.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The world as config sees it; tests give another one. */
struct config_input {
    int argc;
    char **argv;
    const char *(*variable)(void *ctx, const char *name); /* NULL when not set */
    void *ctx;
    const char *system_file; /* NULL = /etc/dwclean/config.ini */
    /** One of several environments that argv asks for: as if --env named it alone. NULL = argv
     * says it. */
    const char *environment;
};

struct config; /* opaque */

struct config *config_new(void);         /* NULL when out of memory */
void config_free(struct config *config); /* wipes the secrets; NULL is allowed */

/**
 * Fill `config` once. ERR_USAGE (command line), ERR_CONFIG (variables, file) or ERR_REFUSED
 * (another target than --env names). After a failure what argv and variables said about format and
 * output can still be asked; nothing else.
 */
MUST_CHECK bool config_load(struct config *config, const struct config_input *input,
                            struct err *err);

enum command config_command(const struct config *config); /* COMMAND_HELP for a bare call */
bool config_help_asked(const struct config *config);      /* --help, or the command help */
bool config_topic(const struct config *config, enum command *ret); /* whose help */
enum option_group config_topic_group(const struct config *config); /* GROUP_NONE: no topic */

/** The word behind the command (RUN), NULL when there is none. */
const char *config_operand(const struct config *config);

const char *config_text(const struct config *config, enum option_id id); /* NULL = not set */
bool config_flag(const struct config *config, enum option_id id);
int64_t config_number(const struct config *config, enum option_id id); /* 0 = not set */
const char *const *config_list(const struct config *config, enum option_id id, size_t *ret_count);

bool config_is_set(const struct config *config, enum option_id id); /* not built-in */
enum config_rank config_rank(const struct config *config, enum option_id id);
/** "argv", "variable SQLCMDUSER", "[env \"uat\"] in /etc/dwclean/config.ini:12", "[defaults] in
 * ...", "built-in". */
const char *config_source(const struct config *config, enum option_id id);

bool config_axdb(const struct config *config); /* the halves that are asked for */
bool config_dataverse(const struct config *config);
/** With the AxDB half; with --jit and without -S its host is "". */
const struct server_name *config_server(const struct config *config);
/** Whether Dataverse gives the SQL login, and in which role; JIT_NONE without the AxDB half. The
 * environment must then be asked also when config_dataverse is false. */
enum jit_role config_jit(const struct config *config);

enum { CONFIG_ENVIRONMENTS = 1024 };

/** An [env "NAME"] of the configuration file, whether it is asked for or not. As written there;
 * NULL = not set, in [defaults] neither. */
struct config_environment {
    const char *name, *source; /* FILE:LINE of the section */
    const char *class_name;    /* as written */
    bool production;
    const char *server, *database, *dataverse_url;
    int64_t login_timeout_ms, query_timeout_ms; /* of its own section; 0 = not set there */
};

/** All of them, in the order of the file. */
const struct config_environment *config_environments(const struct config *config,
                                                     size_t *ret_count);

/**
 * The environments that --all, or --env more than once, asks for, in that order; they are in the
 * file. Then nothing else is known of a target: each is loaded for itself
 * (config_input.environment). `*ret_count` 0 = one target is asked for, or none.
 */
const struct config_environment *const *config_fleet(const struct config *config,
                                                     size_t *ret_count);

/**
 * How long one of them may take: --deadline, else twice its login timeout (there are two sides) and
 * four times its query timeout: five minutes where nobody says otherwise. Who has less patience
 * with servers has less with the whole look.
 */
int64_t config_deadline_ms(const struct config *config,
                           const struct config_environment *environment);

/** The configuration file that was read; NULL = there is none. */
const char *config_file(const struct config *config);

/** What one source says of an option, whether it counts or not; NULL = nothing. */
const struct setting *config_setting(const struct config *config, enum config_rank rank,
                                     enum option_id id);

/**
 * For `env show`: nothing is dropped then and no rule stops the command. What would stop a command
 * that connects; NULL = nothing would.
 */
const struct err *config_problem(const struct config *config);

/** For `env show`: is the option still set when the rules have chosen (-U or -E, one channel)? */
bool config_survives(const struct config *config, enum option_id id);

const struct config_notice *config_notices(const struct config *config, size_t *ret_count);

enum config_secret {
    CONFIG_PASSWORD,
    CONFIG_CLIENT_SECRET,
    CONFIG_CERTIFICATE_PASSWORD, /* never missing: whether there is one, only the file knows */
    CONFIG_TOKEN,
    CONFIG_IDENTITY_HEADER,
    CONFIG_BACKUP_KEY, /* never missing: without one, backups are not encrypted */
    CONFIG_SECRETS
};

/** The secret, or NULL when the command needs none or it was not found yet. */
const struct secret *config_secret(const struct config *config, enum config_secret which);

/** How to sign in to Dataverse; with config_dataverse or config_jit only. */
const struct sign_in *config_sign_in(const struct config *config);

/** The file with key and certificate that stands in the client secret's place, checked for its
 * owner-only mode by config_read_secrets; NULL when there is none. */
const char *config_client_certificate(const struct config *config);

/**
 * Read the secrets that the command needs from variables and files. `ret_missing[i]` is true when
 * one is needed and nobody gave it: it may be asked for at a terminal and handed to
 * config_give_secret.
 */
MUST_CHECK bool config_read_secrets(struct config *config, bool ret_missing[CONFIG_SECRETS],
                                    struct err *err);
/**
 * Run the commands that give secrets, after config_read_secrets and once the secrets of others are
 * out of the environment, which the commands inherit. `said` gets lines of their stderr; NULL =
 * nobody does.
 */
MUST_CHECK bool config_run_commands(struct config *config,
                                    void (*said)(void *ctx, const char *line), void *ctx,
                                    struct err *err);
MUST_CHECK bool config_give_secret(struct config *config, enum config_secret which,
                                   const char *bytes, size_t size, struct err *err);

/**
 * Where runs are kept: --runs-dir, else $XDG_STATE_HOME/dwclean/runs or
 * ~/.local/state/dwclean/runs, for root /var/lib/dwclean/runs. ERR_CONFIG when it is not absolute
 * or there is no home.
 */
MUST_CHECK bool config_runs_dir(const struct config *config, const char **ret, struct err *err);

#endif
