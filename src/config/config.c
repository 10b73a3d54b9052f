#include "config/config.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/ini_file.h"
#include "config/rules.h"
#include "config_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BYTES = 1024 * 1024, PATH_BYTES = 4096, NAME_BYTES = 64, SOURCE_BYTES = 512 };

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
    for (unsigned i = 0; i < CONNECTION_KINDS; i++) {
        for (unsigned rank = 0; rank < RANKS; rank++)
            secret_wipe(&config->of_strings[i][rank]);
    }
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
    const bool names_one = config->command == COMMAND_ENV && arguments->word_count > 1 &&
                           strcmp(arguments->words[1], "list") != 0;
    if (arguments->word_count <= (names_one ? 3 : spec->operand ? 2 : 1))
        return true;
    (void)err_set(err, ERR_USAGE, "unexpected argument \"%.40s\"",
                  arguments->words[arguments->word_count - 1]);
    if (config->command == COMMAND_EXPLAIN)
        return err_hint(err, "Put a text of several words into quotes, or give it on standard "
                             "input: dwclean explain < FILE.");
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
        if (config->command == COMMAND_ENV || config->command == COMMAND_COMPLETION)
            return err_hint(err, "usage: dwclean %s", spec->usage);
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
    /* a pasted text may hold anything */
    if (config->command == COMMAND_EXPLAIN)
        return true;
    if (strlen(operand) >= PATH_BYTES || !option_is_plain(operand))
        return err_set(err, ERR_USAGE, "%s is too long, holds control characters or is not UTF-8",
                       spec->operand);
    return true;
}

/** env: what to do, and with which environment. */
static bool
check_env_words(struct config *config, struct err *err)
{
    static const struct settings_origin origin = {RANK_ARGV, ERR_USAGE, "argv"};
    const struct arguments *arguments = &config->arguments;
    const struct setting *named = &config->settings.at[RANK_ARGV][OPT_ENV];
    const char *what = config_operand(config);
    const char *name = arguments->word_count > 2 ? arguments->words[2] : NULL;

    if (config->command != COMMAND_ENV)
        return true;
    if (strcmp(what, "list") != 0 && strcmp(what, "show") != 0 && strcmp(what, "test") != 0) {
        (void)err_set(err, ERR_USAGE, "env knows no \"%.40s\"", what);
        return err_hint(err, "usage: dwclean %s", command_spec(COMMAND_ENV)->usage);
    }
    if (!name)
        return true;
    if (named->set && strcmp(named->text, name) != 0)
        return err_set(err, ERR_USAGE, "two environments are named: %.40s and %.40s (--env)", name,
                       named->text);
    if (named->set)
        return true;
    return settings_put(&config->settings, option_spec(OPT_ENV), name, &origin, err);
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

/** A shell's start file asks for its script: no configuration, however broken, may matter there. */
static bool
needs_no_values(const struct config *config)
{
    const char *operand = config_operand(config);
    return config->help_asked || config->command == COMMAND_VERSION ||
           (config->command == COMMAND_COMPLETION && operand &&
            strcmp(operand, "environments") != 0 && strcmp(operand, "runs") != 0);
}

/* ---- variables */

const char *
config_variable(const struct config *config, const char *name)
{
    const char *value = config->input.variable(config->input.ctx, name);
    return value && *value ? value : NULL;
}

static bool
read_variable(struct config *config, const struct option_spec *spec, const char *name,
              struct err *err)
{
    char source[SOURCE_BYTES];
    const char *value = config_variable(config, name);
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

/** Of an environment's own section; what cannot be read is its own command's fault. */
static void
note_timeout(struct config_environment *noted, enum option_id id, const char *text)
{
    struct option_value value = {0};
    struct err ignored;
    if ((id != OPT_LOGIN_TIMEOUT && id != OPT_QUERY_TIMEOUT) ||
        !option_parse(option_spec(id), text, ERR_CONFIG, &value, &ignored))
        return;
    if (id == OPT_LOGIN_TIMEOUT)
        noted->login_timeout_ms = value.number;
    else
        noted->query_timeout_ms = value.number;
}

static bool
note_value(struct ini_reading *reading, const char *environment, enum option_id id,
           const char *text, struct err *err)
{
    struct config *config = reading->config;
    struct config_environment *noted =
        environment ? &config->environments[config->environment_count - 1] : &reading->defaults;
    note_timeout(noted, id, text);
    const char **place = id == OPT_SERVER          ? &noted->server
                         : id == OPT_DATABASE      ? &noted->database
                         : id == OPT_DATAVERSE_URL ? &noted->dataverse_url
                                                   : NULL;
    if (id == OPT_CLASS) {
        noted->production = text_equal_nocase(text, "production");
        place = &noted->class_name;
    }
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
    const char *xdg = config_variable(config, "XDG_CONFIG_HOME"),
               *home = config_variable(config, "HOME");
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
    const struct setting *environment =
        config->is_fleet ? NULL : settings_get(&config->settings, OPT_ENV, NULL);
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
    config->file = arena_string(config->settings.arena, reading.path);
    if (!config->file)
        return arena_exhausted(err);
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

static bool
rules(struct config *config, struct settings *settings, struct err *err)
{
    return rules_lcs(settings, err) && rules_target_sources(settings, config->command, err) &&
           rules_target(settings, config->command, &config->target, err);
}

/** `env list` and `env show` change nothing and stop for nothing: the rules work on a copy. */
static bool
try_rules(struct config *config, struct err *err)
{
    config->applied = arena_alloc(config->settings.arena, sizeof(*config->applied));
    if (!config->applied)
        return arena_exhausted(err);
    *config->applied = config->settings;
    if (!rules(config, config->applied, &config->problem))
        config->target = (struct target){0};
    else
        config->problem.code = ERR_NONE;
    return true;
}

static bool
apply_rules(struct config *config, struct err *err)
{
    if (config->is_fleet)
        return config_find_fleet(config, err);
    const char *operand = config_operand(config);
    const bool shows = config->command == COMMAND_ENV && strcmp(operand, "test") != 0;
    return shows ? try_rules(config, err) : rules(config, &config->settings, err);
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
    if (ok && needs_no_values(config))
        return check_options_apply(config, err);
    const bool read = read_variables(config, &later);
    if (ok && !read)
        *err = later;
    return ok && read && check_options_apply(config, err) && check_operand(config, err) &&
           check_env_words(config, err) && config_choose_fleet(config, err) &&
           config_read_connection_strings(config, err) && read_file(config, err) &&
           apply_rules(config, err);
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

const char *
config_file(const struct config *config)
{
    return config->file;
}

const struct setting *
config_setting(const struct config *config, enum config_rank rank, enum option_id id)
{
    const struct setting *setting = &config->settings.at[rank][id];
    return setting->set ? setting : NULL;
}

const struct err *
config_problem(const struct config *config)
{
    return config->problem.code == ERR_NONE ? NULL : &config->problem;
}

bool
config_survives(const struct config *config, enum option_id id)
{
    const struct settings *settings = config->applied ? config->applied : &config->settings;
    return settings_get(settings, id, NULL) != NULL;
}

const struct config_notice *
config_notices(const struct config *config, size_t *ret_count)
{
    *ret_count = config->settings.notice_count;
    return config->settings.notices;
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
    const char *state = config_variable(config, "XDG_STATE_HOME"),
               *home = config_variable(config, "HOME");
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
