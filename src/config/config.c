#include "config/config.h"

#include "base/arena.h"
#include "base/command.h"
#include "base/text.h"
#include "config/arguments.h"
#include "config/ini_file.h"
#include "config/rules.h"
#include "config/secret_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BYTES = 1024 * 1024, PATH_BYTES = 4096, NAME_BYTES = 64, SOURCE_BYTES = 512 };

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
    const char *commands[CONFIG_SECRETS]; /* of the settings: they give the secret; not run yet */
    const char *client_certificate;       /* of the settings */
    struct config_environment environments[CONFIG_ENVIRONMENTS];
    size_t environment_count;
};

struct config *
config_new(void)
{
    struct config *config = calloc(1, sizeof(*config));
    if (!config)
        return NULL;
    config->command = COMMAND_HELP;
    config->settings.arena = arena_new(ARENA_BYTES);
    if (!config->settings.arena) {
        free(config);
        return NULL;
    }
    return config;
}

void
config_free(struct config *config)
{
    if (!config)
        return;
    for (unsigned i = 0; i < CONFIG_SECRETS; i++)
        secret_wipe(&config->secrets[i]);
    arena_free(config->settings.arena);
    free(config);
}

/* ---- command */

static bool
find_command(const char *word, enum command *ret, struct err *err)
{
    if (command_find(word, ret))
        return true;
    (void)err_set(err, ERR_USAGE, "unknown command \"%.40s\"", word);
    const char *nearest = option_nearest_command(word);
    return nearest ? err_hint(err, "Did you mean dwclean %s?", nearest)
                   : err_hint(err, "See dwclean help.");
}

static bool
is_on(const struct config *config, enum option_id id)
{
    const struct setting *setting = settings_get(&config->settings, id, NULL);
    return setting && setting->number != 0;
}

/** Words behind the command: at most one, and only where the command has a use for it. */
static bool
check_words(const struct config *config, struct err *err)
{
    const struct arguments *arguments = &config->arguments;
    const struct command_spec *spec = command_spec(config->command);
    if (arguments->word_count <= (spec->operand ? 2 : 1))
        return true;
    (void)err_set(err, ERR_USAGE, "unexpected argument \"%.40s\"",
                  arguments->words[arguments->word_count - 1]);
    return err_hint(err, "usage: dwclean %s", spec->usage);
}

static bool
choose_command(struct config *config, struct err *err)
{
    const struct arguments *arguments = &config->arguments;
    const size_t words = arguments->word_count;
    if (words > 0 && !find_command(arguments->words[0], &config->command, err))
        return false;
    if (!check_words(config, err))
        return false;
    if (words > 1 && config->command == COMMAND_HELP) {
        config->topic_group = option_group_of_topic(arguments->words[1]);
        config->has_topic = config->topic_group == GROUP_NONE;
        if (config->has_topic && !find_command(arguments->words[1], &config->topic, err))
            return false;
    }
    if (words > 0 && config->command != COMMAND_HELP && is_on(config, OPT_HELP)) {
        config->topic = config->command;
        config->has_topic = true;
    }
    if (is_on(config, OPT_VERSION) && !is_on(config, OPT_HELP))
        config->command = COMMAND_VERSION;
    config->help_asked = config->command == COMMAND_HELP || is_on(config, OPT_HELP);
    return true;
}

/** A word that is needed is there, and is one that can be shown. */
static bool
check_operand(const struct config *config, struct err *err)
{
    const struct command_spec *spec = command_spec(config->command);
    const char *operand = config_operand(config);
    if (!operand && spec->operand_needed) {
        (void)err_set(err, ERR_USAGE, "no %s is named", spec->operand);
        if (strcmp(spec->operand, "PLAN") == 0)
            return err_hint(err, "usage: dwclean %s (PLAN is a file that dwclean plan has made)",
                            spec->usage);
        return err_hint(err,
                        "usage: dwclean %s (RUN is the name of a run, the front of one, its "
                        "directory, or \"last\")",
                        spec->usage);
    }
    if (!operand)
        return true;
    /* Mostly an unset variable of a script. */
    if (!operand[strspn(operand, " ")])
        return err_set(err, ERR_USAGE, "%s is empty", spec->operand);
    if (strlen(operand) >= PATH_BYTES || !option_is_plain(operand))
        return err_set(err, ERR_USAGE, "%s is too long, holds control characters or is not UTF-8",
                       spec->operand);
    return true;
}

static bool
not_an_option(const struct config *config, const struct option_spec *spec, struct err *err)
{
    char name[NAME_BYTES], commands[SOURCE_BYTES];
    const char *command = command_spec(config->command)->name;
    if (config->arguments.word_count == 0) {
        (void)err_set(err, ERR_USAGE, "no command is given");
        return err_hint(err, "See dwclean help.");
    }
    (void)err_set(err, ERR_USAGE, "%s is not an option of %s",
                  option_shown(spec, name, sizeof(name)), command);
    return err_hint(err, "--%s is an option of %s. See dwclean %s --help.", spec->name,
                    option_commands(spec, commands, sizeof(commands)), command);
}

static bool
check_options_apply(const struct config *config, struct err *err)
{
    char name[NAME_BYTES];
    const struct option_spec *twice = config->arguments.two_targets;
    /* A command that reads takes the last one, like other tools; one that deletes never guesses. */
    if (twice && command_spec(config->command)->writes)
        return err_set(err, ERR_USAGE, "%s is given twice, with different values",
                       option_shown(twice, name, sizeof(name)));
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (config->settings.at[RANK_ARGV][i].set && !option_applies(spec, config->command))
            return not_an_option(config, spec, err);
    }
    return true;
}

/* ---- variables */

static const char *
variable(const struct config *config, const char *name)
{
    const char *value = config->input.variable(config->input.ctx, name);
    return value && *value ? value : NULL;
}

static bool
read_variable(struct config *config, const struct option_spec *spec, const char *name,
              struct err *err)
{
    char source[SOURCE_BYTES];
    const char *value = variable(config, name);
    const enum config_rank rank =
        strncmp(name, "DWCLEAN_", 8) == 0 ? RANK_VARIABLE : RANK_TOOL_VARIABLE;
    if (!value || config->settings.at[rank][spec->id].set)
        return true;
    (void)snprintf(source, sizeof(source), "variable %s", name);
    /* A secret stays where it is until the moment it is needed. */
    if (!settings_put(&config->settings, spec, spec->kind == OPTION_SECRET ? name : value,
                      &(struct settings_origin){rank, ERR_CONFIG, source}, err))
        return err_wrap(err, "%s", source);
    return true;
}

static bool
read_variables_of(struct config *config, const struct option_spec *spec, struct err *err)
{
    for (const char *p = spec->variables; p && *p;) {
        char name[NAME_BYTES];
        const size_t size = strcspn(p, ",");
        (void)snprintf(name, sizeof(name), "%.*s", (int)size, p);
        if (!read_variable(config, spec, name, err))
            return false;
        p += size + (p[size] ? 1 : 0);
    }
    return true;
}

static bool
read_variables(struct config *config, struct err *err)
{
    bool ok = true;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        struct err found;
        if (!option_applies(spec, config->command) || read_variables_of(config, spec, &found))
            continue;
        if (ok)
            *err = found;
        ok = false;
    }
    return ok;
}

/* ---- configuration file */

struct ini_reading {
    struct config *config;
    struct config_environment defaults; /* what environments have that do not say otherwise */
    const char *path, *environment;     /* asked for, or NULL */
    bool found;
    char nearest[INI_FILE_NAME_BYTES]; /* some other environment, for the hint */
};

/** Every environment is noted, whichever is asked for: a target of production is one under any
 * name. */
static bool
note_environment(struct ini_reading *reading, const char *name, int line, struct err *err)
{
    struct config *config = reading->config;
    struct arena *arena = config->settings.arena;
    struct config_environment *noted;
    if (config->environment_count == CONFIG_ENVIRONMENTS)
        return err_set(err, ERR_CONFIG, "more than %d environments", CONFIG_ENVIRONMENTS);
    noted = &config->environments[config->environment_count++];
    *noted = (struct config_environment){
        .name = arena_string(arena, name),
        .source = arena_printf(arena, "%s:%d", reading->path, line),
    };
    return (noted->name && noted->source) || arena_exhausted(err);
}

static bool
note_value(struct ini_reading *reading, const char *environment, enum option_id id,
           const char *text, struct err *err)
{
    struct config *config = reading->config;
    struct config_environment *noted =
        environment ? &config->environments[config->environment_count - 1] : &reading->defaults;
    const char **place = id == OPT_SERVER          ? &noted->server
                         : id == OPT_DATABASE      ? &noted->database
                         : id == OPT_DATAVERSE_URL ? &noted->dataverse_url
                                                   : NULL;
    if (id == OPT_CLASS)
        noted->production = text_equal_nocase(text, "production");
    if (!place)
        return true;
    *place = arena_string(config->settings.arena, text);
    return *place || arena_exhausted(err);
}

static void
fill_from_defaults(struct config *config, const struct config_environment *defaults)
{
    for (size_t i = 0; i < config->environment_count; i++) {
        struct config_environment *noted = &config->environments[i];
        noted->server = noted->server ? noted->server : defaults->server;
        noted->database = noted->database ? noted->database : defaults->database;
        noted->dataverse_url =
            noted->dataverse_url ? noted->dataverse_url : defaults->dataverse_url;
    }
}

static bool
on_section(void *ctx, const char *environment, int line, struct err *err)
{
    struct ini_reading *reading = ctx;
    if (environment && !note_environment(reading, environment, line, err))
        return false;
    if (environment && reading->environment && strcmp(environment, reading->environment) == 0)
        reading->found = true;
    else if (environment)
        (void)snprintf(reading->nearest, sizeof(reading->nearest), "%s", environment);
    return true;
}

static bool
on_value(void *ctx, const char *environment, const struct option_spec *spec, const char *text,
         int line, struct err *err)
{
    struct ini_reading *reading = ctx;
    char source[SOURCE_BYTES];
    if (!note_value(reading, environment, spec->id, text, err))
        return false;
    const bool asked =
        !environment || (reading->environment && strcmp(environment, reading->environment) == 0);
    if (!asked || !option_applies(spec, reading->config->command))
        return true;
    if (environment)
        (void)snprintf(source, sizeof(source), "[env \"%s\"] in %s:%d", environment, reading->path,
                       line);
    else
        (void)snprintf(source, sizeof(source), "[defaults] in %s:%d", reading->path, line);
    const struct settings_origin origin = {environment ? RANK_SECTION : RANK_DEFAULTS, ERR_CONFIG,
                                           source};
    return settings_put(&reading->config->settings, spec, text, &origin, err);
}

/** $XDG/dwclean/config.ini, the system's; never the current directory. "" when there is none. */
static void
find_file(const struct config *config, char ret[PATH_BYTES])
{
    const char *xdg = variable(config, "XDG_CONFIG_HOME"), *home = variable(config, "HOME");
    ret[0] = '\0';
    if (xdg && xdg[0] == '/')
        (void)snprintf(ret, PATH_BYTES, "%s/dwclean/config.ini", xdg);
    else if (home && home[0] == '/')
        (void)snprintf(ret, PATH_BYTES, "%s/.config/dwclean/config.ini", home);
    if (ret[0] && access(ret, F_OK) == 0)
        return;
    (void)snprintf(ret, PATH_BYTES, "%s",
                   config->input.system_file ? config->input.system_file
                                             : "/etc/dwclean/config.ini");
    if (access(ret, F_OK) != 0)
        ret[0] = '\0';
}

/** Of these, --env picks runs of the past: their environment may have left the file. */
static bool
picks_runs(enum command command)
{
    return command == COMMAND_RUNS || command == COMMAND_PRUNE;
}

static bool
read_file(struct config *config, struct err *err)
{
    char found[PATH_BYTES];
    const struct setting *named = settings_get(&config->settings, OPT_CONFIG, NULL);
    const struct setting *environment = settings_get(&config->settings, OPT_ENV, NULL);
    struct ini_reading reading = {
        .config = config,
        .path = named ? named->text : found,
        .environment = environment ? environment->text : NULL,
    };
    const struct ini_file_sink sink = {.ctx = &reading, .section = on_section, .value = on_value};

    if (!named)
        find_file(config, found);
    if (!*reading.path) {
        if (!environment || picks_runs(config->command))
            return true;
        (void)err_set(err, ERR_CONFIG, "--env %.40s: there is no configuration file",
                      environment->text);
        return err_hint(err, "Looked for ~/.config/dwclean/config.ini and /etc/dwclean/config.ini; "
                             "another one is named by --config or DWCLEAN_CONFIG.");
    }
    if (!ini_file_read(reading.path, &sink, err))
        return false;
    fill_from_defaults(config, &reading.defaults);
    if (!environment || reading.found || picks_runs(config->command))
        return true;
    (void)err_set(err, ERR_CONFIG, "%s has no [env \"%.40s\"]", reading.path, environment->text);
    return reading.nearest[0] ? err_hint(err, "It has [env \"%s\"].", reading.nearest) : false;
}

/* ---- all together */

static bool
put_builtins(struct config *config, struct err *err)
{
    static const struct settings_origin origin = {RANK_BUILTIN, ERR_INTERNAL, "built-in"};
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->builtin && !settings_put(&config->settings, spec, spec->builtin, &origin, err))
            return false;
    }
    return true;
}

bool
config_load(struct config *config, const struct config_input *input, struct err *err)
{
    assert(config && input && err);
    struct err later;
    config->input = *input;

    if (!put_builtins(config, err))
        return false;
    /* Variables are read even after a fault in argv: they may say in which form to report it. */
    bool ok = arguments_read(input->argc, input->argv, &config->settings, &config->arguments, err);
    const bool chosen = choose_command(config, &later);
    if (ok && !chosen)
        *err = later;
    ok = ok && chosen;
    if (ok && (config->help_asked || config->command == COMMAND_VERSION))
        return check_options_apply(config, err);
    const bool read = read_variables(config, &later);
    if (ok && !read)
        *err = later;
    return ok && read && check_options_apply(config, err) && check_operand(config, err) &&
           read_file(config, err) && rules_lcs(&config->settings, err) &&
           rules_target_sources(&config->settings, config->command, err) &&
           rules_target(&config->settings, config->command, &config->target, err);
}

enum command
config_command(const struct config *config)
{
    return config->command;
}

bool
config_help_asked(const struct config *config)
{
    return config->help_asked;
}

enum option_group
config_topic_group(const struct config *config)
{
    return config->topic_group;
}

bool
config_topic(const struct config *config, enum command *ret)
{
    if (config->has_topic)
        *ret = config->topic;
    return config->has_topic;
}

/* ---- values */

const char *
config_operand(const struct config *config)
{
    const bool has = command_spec(config->command)->operand && config->arguments.word_count > 1;
    return has ? config->arguments.words[1] : NULL;
}

const char *
config_text(const struct config *config, enum option_id id)
{
    const struct setting *setting = settings_get(&config->settings, id, NULL);
    return setting && option_spec(id)->kind != OPTION_SECRET ? setting->text : NULL;
}

bool
config_flag(const struct config *config, enum option_id id)
{
    return is_on(config, id);
}

int64_t
config_number(const struct config *config, enum option_id id)
{
    const struct setting *setting = settings_get(&config->settings, id, NULL);
    return setting ? setting->number : 0;
}

const char *const *
config_list(const struct config *config, enum option_id id, size_t *ret_count)
{
    const struct setting *setting = settings_get(&config->settings, id, NULL);
    *ret_count = setting ? setting->count : 0;
    return setting ? (const char *const *)setting->items : NULL;
}

enum config_rank
config_rank(const struct config *config, enum option_id id)
{
    enum config_rank rank = RANK_BUILTIN;
    (void)settings_get(&config->settings, id, &rank);
    return rank;
}

bool
config_is_set(const struct config *config, enum option_id id)
{
    return config_rank(config, id) != RANK_BUILTIN;
}

const char *
config_source(const struct config *config, enum option_id id)
{
    const struct setting *setting = settings_get(&config->settings, id, NULL);
    return setting ? setting->source : "built-in";
}

bool
config_axdb(const struct config *config)
{
    return config->target.axdb;
}

bool
config_dataverse(const struct config *config)
{
    return config->target.dataverse;
}

const struct server_name *
config_server(const struct config *config)
{
    return &config->target.server;
}

const struct config_environment *
config_environments(const struct config *config, size_t *ret_count)
{
    *ret_count = config->environment_count;
    return config->environments;
}

enum jit_role
config_jit(const struct config *config)
{
    return config->target.jit;
}

const struct sign_in *
config_sign_in(const struct config *config)
{
    return &config->target.sign_in;
}

const struct config_notice *
config_notices(const struct config *config, size_t *ret_count)
{
    *ret_count = config->settings.notice_count;
    return config->settings.notices;
}

/* ---- secrets */

enum { SECRET_PLACES = 3 };

/** Where a secret may be; OPTIONS = nowhere. */
struct secret_place {
    enum option_id variable, file, command;
    bool optional;
};

static const struct secret_place secret_places[CONFIG_SECRETS] = {
    [CONFIG_PASSWORD] = {OPT_PASSWORD, OPT_PASSWORD_FILE, OPT_PASSWORD_COMMAND, false},
    [CONFIG_CLIENT_SECRET] = {OPT_CLIENT_SECRET, OPT_CLIENT_SECRET_FILE, OPT_CLIENT_SECRET_COMMAND,
                              false},
    [CONFIG_CERTIFICATE_PASSWORD] = {OPT_CERTIFICATE_PASSWORD, OPTIONS, OPTIONS, true},
    [CONFIG_TOKEN] = {OPT_TOKEN, OPTIONS, OPTIONS, false},
    [CONFIG_IDENTITY_HEADER] = {OPT_IDENTITY_HEADER, OPTIONS, OPTIONS, true},
    [CONFIG_BACKUP_KEY] = {OPT_BACKUP_KEY, OPT_BACKUP_KEY_FILE, OPT_BACKUP_KEY_COMMAND, true},
};

static bool
is_needed(const struct config *config, enum config_secret which)
{
    static const enum sign_in_kind kinds[CONFIG_SECRETS] = {
        [CONFIG_CLIENT_SECRET] = SIGN_IN_SECRET,
        [CONFIG_CERTIFICATE_PASSWORD] = SIGN_IN_CERTIFICATE,
        [CONFIG_TOKEN] = SIGN_IN_TOKEN,
        [CONFIG_IDENTITY_HEADER] = SIGN_IN_IDENTITY,
    };
    const bool jit = config->target.jit != JIT_NONE;

    if (which == CONFIG_BACKUP_KEY)
        return option_applies(option_spec(OPT_BACKUP_KEY_FILE), config->command);
    if (which == CONFIG_PASSWORD)
        return config->target.axdb && !jit && !is_on(config, OPT_INTEGRATED);
    return (config->target.dataverse || jit) && config->target.sign_in.kind == kinds[which];
}

/** What was found of the places of a secret. */
struct secret_find {
    enum option_id id;
    enum config_rank rank;
    const struct setting *setting; /* NULL = nothing yet */
};

static bool
exclude_each_other(const struct secret_find *a, const struct secret_find *b, struct err *err)
{
    char names[2][NAME_BYTES];
    const bool argv = a->rank == RANK_ARGV;
    const char *first = option_shown(option_spec(a->id), names[0], NAME_BYTES);
    const char *second = option_shown(option_spec(b->id), names[1], NAME_BYTES);
    (void)err_set(err, argv ? ERR_USAGE : ERR_CONFIG, "%s and %s exclude each other",
                  argv ? first : a->setting->source, argv ? second : b->setting->source);
    return err_hint(err, argv ? "Leave one of them out." : "Unset one of them.");
}

/** The strongest place; two of the same strength are an error. */
static bool
find_secret(const struct config *config, const struct secret_place *place, struct secret_find *ret,
            struct err *err)
{
    const enum option_id ids[SECRET_PLACES] = {place->variable, place->file, place->command};
    struct secret_find best = {.id = OPTIONS, .rank = RANK_BUILTIN};
    struct secret_find rival = {.id = OPTIONS, .rank = RANK_BUILTIN};

    for (size_t i = 0; i < SECRET_PLACES; i++) {
        struct secret_find found = {.id = ids[i], .rank = RANK_BUILTIN};
        if (ids[i] != OPTIONS)
            found.setting = settings_get(&config->settings, ids[i], &found.rank);
        if (!found.setting)
            continue;
        if (!best.setting || found.rank > best.rank)
            best = found;
        else if (found.rank == best.rank)
            rival = found;
    }
    if (rival.setting && rival.rank == best.rank)
        return exclude_each_other(&best, &rival, err);
    *ret = best;
    return true;
}

static bool
read_secret(struct config *config, enum config_secret which, bool *ret_missing, struct err *err)
{
    const struct secret_place *place = &secret_places[which];
    struct secret_find found = {.id = OPTIONS};

    if (!find_secret(config, place, &found, err))
        return false;
    *ret_missing = !found.setting && !place->optional;
    if (!found.setting)
        return true;
    if (found.id == place->file)
        return secret_file_read(found.setting->text, &config->secrets[which], err);
    if (found.id == place->command) {
        config->commands[which] = found.setting->text;
        return command_check(found.setting->text, err) ||
               err_wrap(err, "%s", found.setting->source);
    }

    const char *value = variable(config, found.setting->text);
    if (!value)
        return err_set(err, ERR_CONFIG, "%s is gone", found.setting->source);
    return secret_set(&config->secrets[which], value, strlen(value), err);
}

/** Looked at now, so that a fault is told before anything is asked; it is checked at each use. */
static bool
read_client_certificate(struct config *config, struct err *err)
{
    const char *path = config_text(config, OPT_CLIENT_CERTIFICATE);
    if (!is_needed(config, CONFIG_CERTIFICATE_PASSWORD))
        return true;
    config->client_certificate = path;
    return secret_file_check(path, err);
}

bool
config_read_secrets(struct config *config, bool ret_missing[CONFIG_SECRETS], struct err *err)
{
    bool missing[CONFIG_SECRETS] = {false};
    for (unsigned i = 0; i < CONFIG_SECRETS; i++) {
        const enum config_secret which = (enum config_secret)i;
        if (is_needed(config, which) && !read_secret(config, which, &missing[i], err))
            return false;
    }
    if (!read_client_certificate(config, err))
        return false;
    memcpy(ret_missing, missing, sizeof(missing));
    return true;
}

bool
config_run_commands(struct config *config, void (*said)(void *ctx, const char *line), void *ctx,
                    struct err *err)
{
    static const char *const names[CONFIG_SECRETS] = {
        [CONFIG_PASSWORD] = "password command",
        [CONFIG_CLIENT_SECRET] = "client secret command",
        [CONFIG_BACKUP_KEY] = "backup key command",
    };
    for (unsigned i = 0; i < CONFIG_SECRETS; i++) {
        const struct command_line command = {
            .text = config->commands[i],
            .what = names[i],
            .code = ERR_CONFIG,
            .said = said,
            .ctx = ctx,
        };
        if (command.text && !command_first_line(&command, &config->secrets[i], err))
            return false;
    }
    return true;
}

bool
config_give_secret(struct config *config, enum config_secret which, const char *bytes, size_t size,
                   struct err *err)
{
    return secret_set(&config->secrets[which], bytes, size, err);
}

const struct secret *
config_secret(const struct config *config, enum config_secret which)
{
    return secret_is_set(&config->secrets[which]) ? &config->secrets[which] : NULL;
}

const char *
config_client_certificate(const struct config *config)
{
    return config->client_certificate;
}

/* ---- where runs are kept */

static bool
named_runs_dir(const struct config *config, const struct setting *named, const char **ret,
               struct err *err)
{
    char here[PATH_BYTES];
    *ret = named->text;
    if (named->text[0] == '/')
        return true;
    if (!config->settings.at[RANK_ARGV][OPT_RUNS_DIR].set)
        return err_set(err, ERR_CONFIG, "%s: the runs directory is not an absolute path",
                       named->source);
    if (!getcwd(here, sizeof(here)))
        return err_set(err, ERR_CONFIG, "the current directory has no path");
    *ret = arena_printf(config->settings.arena, "%s/%s", here, named->text);
    return *ret || arena_exhausted(err);
}

bool
config_runs_dir(const struct config *config, const char **ret, struct err *err)
{
    const struct setting *named = settings_get(&config->settings, OPT_RUNS_DIR, NULL);
    const char *state = variable(config, "XDG_STATE_HOME"), *home = variable(config, "HOME");
    const char *path = NULL;

    if (named) {
        if (!named_runs_dir(config, named, &path, err))
            return false;
    } else if (geteuid() == 0) {
        path = "/var/lib/dwclean/runs";
    } else if (state && state[0] == '/') {
        path = arena_printf(config->settings.arena, "%s/dwclean/runs", state);
    } else if (home && home[0] == '/') {
        path = arena_printf(config->settings.arena, "%s/.local/state/dwclean/runs", home);
    } else {
        (void)err_set(err, ERR_CONFIG, "there is no home directory for the runs");
        return err_hint(err, "Name a directory with --runs-dir.");
    }
    if (!path)
        return arena_exhausted(err);
    *ret = path;
    return true;
}
