/* Several environments at once: who they are, and what may not be said of all of them. */
#include "base/text.h"
#include "config/config.h"
#include "config_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64 };

/** True of one target alone, beside what --env pins: they would be wrong of every other one. */
static const enum option_id of_one_target[] = {OPT_CONNECTION_STRING_FILE, OPT_RESTORED_AT,
                                               OPT_CERTIFICATE_HOST};

/** Each of these gives a secret, or is the place of one. */
static const enum option_id gives_secret[] = {
    OPT_PASSWORD,           OPT_PASSWORD_FILE,        OPT_PASSWORD_COMMAND,
    OPT_CLIENT_SECRET,      OPT_CLIENT_SECRET_FILE,   OPT_CLIENT_SECRET_COMMAND,
    OPT_CLIENT_CERTIFICATE, OPT_CERTIFICATE_PASSWORD, OPT_TOKEN,
    OPT_TOKEN_FILE,         OPT_FEDERATED_TOKEN_FILE, OPT_TOKEN_COMMAND,
};

static const enum config_rank variables[] = {RANK_VARIABLE, RANK_TOOL_VARIABLE};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
may_be_several(const struct config *config)
{
    return option_applies(option_spec(OPT_ALL), config->command);
}

static bool
check_names(const struct config *config, const struct setting *named, struct err *err)
{
    for (size_t i = 0; i < named->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(named->items[i], named->items[j]) == 0)
                return err_set(err, ERR_USAGE, "--env %.60s is given twice", named->items[i]);
        }
    }
    if (named->count < 2 || may_be_several(config))
        return true;
    (void)err_set(err, ERR_USAGE, "--env is given twice: %s is about one environment",
                  command_spec(config->command)->name);
    return err_hint(err, "Several at once can be looked at: dwclean verify --env A --env B.");
}

static bool
of_one_alone(const struct option_spec *spec)
{
    for (size_t i = 0; i < COUNT(of_one_target); i++) {
        if (of_one_target[i] == spec->id)
            return true;
    }
    return (spec->traits & (OPTION_IS_TARGET | OPTION_IS_PINNED)) != 0;
}

static bool
refuse(const struct option_spec *spec, const struct setting *setting, bool argv, struct err *err)
{
    char name[NAME_BYTES];
    (void)err_set(err, argv ? ERR_USAGE : ERR_CONFIG,
                  "%s is true of one target, and several environments are asked for",
                  argv ? option_shown(spec, name, sizeof(name)) : setting->source);
    return argv ? err_hint(err, "Put it into the [env \"NAME\"] that it belongs to.")
                : err_hint(err, "Unset it: each environment has its own in the file.");
}

/** Of argv, what is true of one target; of variables, what names one. */
static bool
check_settings(const struct config *config, struct err *err)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        const struct setting *argv = &config->settings.at[RANK_ARGV][i];
        const bool names_target = (spec->traits & OPTION_IS_TARGET) || i == OPT_CONNECTION_STRING ||
                                  i == OPT_DATAVERSE_CONNECTION_STRING;
        if (argv->set && of_one_alone(spec))
            return refuse(spec, argv, true, err);
        for (size_t j = 0; names_target && j < COUNT(variables); j++) {
            const struct setting *variable = &config->settings.at[variables[j]][i];
            if (variable->set)
                return refuse(spec, variable, false, err);
        }
    }
    return true;
}

/** Variables and argv are stronger than the file, here too; who set one for a single environment
 * is told. */
static bool
tell_shared_secrets(struct config *config, struct err *err)
{
    for (size_t i = 0; i < COUNT(gives_secret); i++) {
        const struct option_spec *spec = option_spec(gives_secret[i]);
        enum config_rank rank = RANK_BUILTIN;
        char name[NAME_BYTES];
        const struct setting *setting = settings_get(&config->settings, spec->id, &rank);
        if (!setting || rank < RANK_TOOL_VARIABLE)
            continue;
        if (!settings_notice(&config->settings, err, LOG_LEVEL_NOTICE,
                             "%s holds for every environment, whatever its section says",
                             rank == RANK_ARGV ? option_shown(spec, name, sizeof(name))
                                               : setting->source))
            return false;
    }
    return true;
}

/** In the process that looks at one of them, argv names it alone. */
static bool
narrow(struct config *config, struct err *err)
{
    static const enum option_id of_several[] = {OPT_ENV, OPT_ALL, OPT_JOBS, OPT_DEADLINE};
    static const struct settings_origin origin = {RANK_ARGV, ERR_USAGE, "argv"};
    for (size_t i = 0; i < COUNT(of_several); i++)
        config->settings.at[RANK_ARGV][of_several[i]] = (struct setting){0};
    return settings_put(&config->settings, option_spec(OPT_ENV), config->input.environment, &origin,
                        err);
}

static bool
check_single(const struct config *config, struct err *err)
{
    static const enum option_id of_several[] = {OPT_JOBS, OPT_DEADLINE};
    for (size_t i = 0; i < COUNT(of_several); i++) {
        char name[NAME_BYTES];
        if (!config->settings.at[RANK_ARGV][of_several[i]].set)
            continue;
        (void)err_set(err, ERR_USAGE, "%s is for several environments",
                      option_shown(option_spec(of_several[i]), name, sizeof(name)));
        return err_hint(err, "Name them with --all, or with --env more than once.");
    }
    return true;
}

bool
config_choose_fleet(struct config *config, struct err *err)
{
    const struct setting *named = &config->settings.at[RANK_ARGV][OPT_ENV];
    const struct setting *all = &config->settings.at[RANK_ARGV][OPT_ALL];

    if (config->input.environment)
        return narrow(config, err);
    if (!check_names(config, named, err))
        return false;
    if (all->set && named->set)
        return err_set(err, ERR_USAGE, "--all and --env exclude each other");
    config->is_fleet = all->set || named->count > 1;
    if (!config->is_fleet)
        return check_single(config, err);
    return check_settings(config, err) && tell_shared_secrets(config, err);
}

static const struct config_environment *
find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->environment_count; i++) {
        if (strcmp(config->environments[i].name, name) == 0)
            return &config->environments[i];
    }
    return NULL;
}

static bool
no_environments(const struct config *config, struct err *err)
{
    if (config->file)
        (void)err_set(err, ERR_CONFIG, "%s has no environment", config->file);
    else
        (void)err_set(err, ERR_CONFIG, "several environments: there is no configuration file");
    return err_hint(err, config->file
                             ? "Each is a section: [env \"NAME\"]. See dwclean help env."
                             : "Looked for ~/.config/dwclean/config.ini and "
                               "/etc/dwclean/config.ini; another one is named by --config or "
                               "DWCLEAN_CONFIG.");
}

bool
config_find_fleet(struct config *config, struct err *err)
{
    const struct setting *named = &config->settings.at[RANK_ARGV][OPT_ENV];

    if (config->environment_count == 0)
        return no_environments(config, err);
    if (!named->set) {
        for (size_t i = 0; i < config->environment_count; i++)
            config->fleet[config->fleet_count++] = &config->environments[i];
        return true;
    }
    for (size_t i = 0; i < named->count; i++) {
        const struct config_environment *found = find(config, named->items[i]);
        if (!found) {
            (void)err_set(err, ERR_CONFIG, "%s has no [env \"%.40s\"]", config->file,
                          named->items[i]);
            return err_hint(err, "Nothing was looked at. dwclean env list shows which there are.");
        }
        config->fleet[config->fleet_count++] = found;
    }
    return true;
}

const struct config_environment *const *
config_fleet(const struct config *config, size_t *ret_count)
{
    *ret_count = config->fleet_count;
    return config->fleet;
}

/** Its own section's, unless argv or a variable says otherwise. */
static int64_t
timeout_ms(const struct config *config, enum option_id id, int64_t own_ms)
{
    return own_ms > 0 && config_rank(config, id) < RANK_SECTION ? own_ms
                                                                : config_number(config, id);
}

int64_t
config_deadline_ms(const struct config *config, const struct config_environment *environment)
{
    assert(config && environment);
    if (config_is_set(config, OPT_DEADLINE))
        return config_number(config, OPT_DEADLINE);
    return 2 * timeout_ms(config, OPT_LOGIN_TIMEOUT, environment->login_timeout_ms) +
           4 * timeout_ms(config, OPT_QUERY_TIMEOUT, environment->query_timeout_ms);
}
