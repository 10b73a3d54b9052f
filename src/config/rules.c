#include "config/rules.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, HOST_BYTES = 256 };

static const char *
text_of(const struct settings *settings, enum option_id id)
{
    const struct setting *setting = settings_get(settings, id, NULL);
    return setting ? setting->text : NULL;
}

static bool
is_on(const struct settings *settings, enum option_id id)
{
    const struct setting *setting = settings_get(settings, id, NULL);
    return setting && setting->number != 0;
}

/* ---- where a value may come from */

/** Host of a URL for comparison: no scheme, path or port. */
static void
host_of(const char *url, char ret[HOST_BYTES])
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    (void)snprintf(ret, HOST_BYTES, "%.*s", (int)strcspn(start, "/:?#"), start);
}

static bool
is_same_server(const char *a, const char *b)
{
    struct server_name x = {0}, y = {0};
    struct err ignored;
    if (!server_name_parse(a, &x, &ignored) || !server_name_parse(b, &y, &ignored))
        return text_equal_nocase(a, b);
    return server_name_equal(&x, &y);
}

bool
rules_same_value(enum option_id id, const char *a, const char *b)
{
    if (id == OPT_SERVER)
        return is_same_server(a, b);
    if (id == OPT_DATAVERSE_URL || id == OPT_EXPECT_DATAVERSE_HOST || id == OPT_EXPECT_FNO_URL) {
        char x[HOST_BYTES], y[HOST_BYTES];
        host_of(a, x);
        host_of(b, y);
        return text_equal_nocase(x, y);
    }
    return text_equal_nocase(a, b);
}

static bool
refuse_another(const struct settings *settings, const struct option_spec *spec, struct err *err)
{
    static const enum config_rank ranks[] = {RANK_ARGV, RANK_VARIABLE, RANK_TOOL_VARIABLE};
    char name[NAME_BYTES];
    const struct setting *own = &settings->at[RANK_SECTION][spec->id];
    if (!own->set)
        return true;
    for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
        const struct setting *other = &settings->at[ranks[i]][spec->id];
        if (!other->set || rules_same_value(spec->id, own->text, other->text))
            continue;
        (void)err_set(err, ERR_REFUSED, "another %s than --env names",
                      spec->name ? spec->name : spec->ini);
        (void)err_detail(err, "%s says %s; %s says %s", other->source, other->text, own->source,
                         own->text);
        return err_hint(err, "Leave out --env or %s.",
                        ranks[i] == RANK_ARGV ? option_shown(spec, name, sizeof(name))
                                              : other->source);
    }
    return true;
}

/** Drop a target value that a writing command may not take, and say so unless it changes nothing.
 */
static bool
drop_foreign(struct settings *settings, const struct option_spec *spec, enum config_rank rank,
             enum command command, struct err *err)
{
    struct setting *setting = &settings->at[rank][spec->id];
    if (!setting->set)
        return true;
    const struct setting ignored = *setting;
    char name[NAME_BYTES];
    *setting = (struct setting){0};

    const struct setting *argv = &settings->at[RANK_ARGV][spec->id];
    const struct setting *section = &settings->at[RANK_SECTION][spec->id];
    const struct setting *used = argv->set ? argv : section;
    if (spec->kind == OPTION_FLAG)
        return ignored.number == (used->set ? used->number : 0) ||
               settings_notice(settings, err, LOG_LEVEL_NOTICE,
                               "%s: %s is ignored; %s takes it from %s or --env alone",
                               ignored.source, spec->name, command_spec(command)->name,
                               option_shown(spec, name, sizeof(name)));
    if (used->set && rules_same_value(spec->id, used->text, ignored.text))
        return true;
    return settings_notice(settings, err, LOG_LEVEL_NOTICE,
                           "%s (%s) is ignored: %s takes the %s from %s or --env alone",
                           ignored.source, ignored.text, command_spec(command)->name, spec->name,
                           option_shown(spec, name, sizeof(name)));
}

static bool
may_be_clear(const struct setting *encrypt)
{
    return encrypt->set &&
           (strcmp(encrypt->text, "optional") == 0 || strcmp(encrypt->text, "disable") == 0);
}

/** Is this value of a variable or of [defaults] none that a writing command may take? Encryption
 * may be asked for from anywhere; to go without it is for the command line. */
static bool
is_foreign(const struct option_spec *spec, const struct setting *setting)
{
    return (spec->traits & OPTION_IS_TARGET) || (spec->id == OPT_ENCRYPT && may_be_clear(setting));
}

bool
rules_target_sources(struct settings *settings, enum command command, struct err *err)
{
    static const enum config_rank foreign[] = {RANK_VARIABLE, RANK_TOOL_VARIABLE, RANK_DEFAULTS};
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if ((spec->traits & OPTION_IS_PINNED) && !refuse_another(settings, spec, err))
            return false;
        for (size_t j = 0;
             command_spec(command)->writes && j < sizeof(foreign) / sizeof(foreign[0]); j++) {
            if (is_foreign(spec, &settings->at[foreign[j]][spec->id]) &&
                !drop_foreign(settings, spec, foreign[j], command, err))
                return false;
        }
    }
    return true;
}

/* ---- server\\database */

static bool
put_lcs_database(struct settings *settings, enum config_rank rank, const char *database,
                 struct err *err)
{
    const struct setting *server = &settings->at[rank][OPT_SERVER];
    const struct setting *own = &settings->at[rank][OPT_DATABASE];
    if (!own->set) {
        const struct settings_origin origin = {rank, ERR_USAGE, server->source};
        return settings_put(settings, option_spec(OPT_DATABASE), database, &origin, err);
    }
    if (text_equal_nocase(own->text, database))
        return true;
    (void)err_set(err, ERR_USAGE, "-S (--lcs) and -d name two databases");
    return err_detail(err, "%s says %s; %s says %s", server->source, database, own->source,
                      own->text);
}

bool
rules_lcs(struct settings *settings, struct err *err)
{
    if (!is_on(settings, OPT_LCS))
        return true;
    for (unsigned i = 0; i < RANKS; i++) {
        const enum config_rank rank = (enum config_rank)i;
        struct setting *server = &settings->at[rank][OPT_SERVER];
        struct server_name name = {0};
        char database[NAME_BYTES * 4] = "", text[SERVER_NAME_TEXT_BYTES];
        if (!server->set)
            continue;
        if (!server_name_parse_lcs(server->text, &name, database, sizeof(database), err))
            return false;
        server_name_text(&name, text);
        server->text = arena_string(settings->arena, text);
        if (!server->text)
            return arena_exhausted(err);
        if (*database && !put_lcs_database(settings, rank, database, err))
            return false;
    }
    return true;
}

/* ---- what the halves need */

static bool
missing(enum option_id id, const char *what, const char *hint, struct err *err)
{
    char name[NAME_BYTES];
    (void)err_set(err, ERR_USAGE, "no %s: %s is missing", what,
                  option_shown(option_spec(id), name, sizeof(name)));
    return err_hint(err, "%s", hint);
}

/** What a command can be about. */
static bool
may_leave_axdb_out(enum command command)
{
    return option_applies(option_spec(OPT_DATAVERSE_ONLY), command);
}

/** A command whose Dataverse half is looked at when it is named, and not missed when it is not. */
static bool
takes_dataverse_if_named(const struct settings *settings, enum command command)
{
    return command == COMMAND_REPAIR_MAP || command == COMMAND_RESUME || command == COMMAND_UNDO ||
           command == COMMAND_APPLY || (command == COMMAND_PLAN && text_of(settings, OPT_MAP));
}

/** Of these, the target is looked at where argv or --env names it: nobody who pastes a text expects
 * that a variable connects. */
static bool
looks_if_named(enum command command)
{
    return command == COMMAND_EXPLAIN;
}

static bool
no_target(const struct settings *settings, enum command command, struct err *err)
{
    (void)err_set(err, ERR_USAGE, "no target is named");
    if (command == COMMAND_APPLY)
        return err_hint(err, "Give the target of the plan: -S and -d for AxDB, --dataverse-url for "
                             "Dataverse, or --env NAME.");
    if (takes_dataverse_if_named(settings, command))
        return err_hint(err, "Give -S and -d for AxDB, or --env NAME; with --dataverse-url%s",
                        command == COMMAND_RESUME ? " the rows of Dataverse are finished too."
                        : command == COMMAND_UNDO
                            ? " the rows of Dataverse are put back too."
                            : " the target's own organization is asked which rows are right.");
    return err_hint(err, "Give -S and -d for AxDB and --dataverse-url for Dataverse, or --env "
                         "NAME. One side alone: --axdb-only or --dataverse-only.");
}

static bool
check_halves(const struct settings *settings, enum command command, const struct target *target,
             struct err *err)
{
    const bool server = text_of(settings, OPT_SERVER), database = text_of(settings, OPT_DATABASE);
    const bool url = text_of(settings, OPT_DATAVERSE_URL);
    if (!server && !database && !url)
        return no_target(settings, command, err);
    const char *without_axdb = target->dataverse && may_leave_axdb_out(command)
                                   ? "To leave AxDB out, pass --dataverse-only."
                                   : "Give -S and -d, or --env NAME.";
    if (target->axdb && target->jit == JIT_NONE && !server)
        return missing(OPT_SERVER, "server", without_axdb, err);
    if (target->axdb && target->jit == JIT_NONE && !database)
        return missing(OPT_DATABASE, "database (there is no default)", without_axdb, err);
    if (target->jit != JIT_NONE && !url)
        return missing(OPT_DATAVERSE_URL, "Dataverse environment",
                       "It gives the SQL login (--jit), also with --axdb-only: give "
                       "--dataverse-url, or --env NAME.",
                       err);
    if (target->dataverse && !url)
        return missing(OPT_DATAVERSE_URL, "Dataverse environment",
                       target->axdb ? "To leave Dataverse out, pass --axdb-only."
                                    : "Give --dataverse-url, or --env NAME.",
                       err);
    return true;
}

/** -E and -U: the stronger source wins; from the same one they contradict each other. */
static bool
choose_login(struct settings *settings, struct err *err)
{
    enum config_rank user_rank = RANK_BUILTIN, integrated_rank = RANK_BUILTIN;
    const struct setting *user = settings_get(settings, OPT_USER, &user_rank);
    const struct setting *integrated = settings_get(settings, OPT_INTEGRATED, &integrated_rank);

    const bool has_integrated = integrated && integrated->number != 0;
    if (!user && !has_integrated)
        return missing(OPT_USER, "login", "Give -U LOGIN for a SQL login, or -E for Kerberos.",
                       err);
    if (user && has_integrated && user_rank == integrated_rank)
        return err_set(err, user_rank == RANK_ARGV ? ERR_USAGE : ERR_CONFIG,
                       "-U and -E exclude each other (both from %s)", user->source);
    if (has_integrated && (!user || integrated_rank > user_rank))
        settings_drop(settings, OPT_USER);
    else
        settings_drop(settings, OPT_INTEGRATED);
    return true;
}

static bool
check_encryption(struct settings *settings, struct err *err)
{
    const struct setting *mode = settings_get(settings, OPT_ENCRYPT, NULL);
    const struct setting *trust = settings_get(settings, OPT_TRUST, NULL);
    const struct setting *pinned = settings_get(settings, OPT_SERVER_CERTIFICATE, NULL);
    const bool trusted = trust && trust->number != 0;
    if (trusted && pinned) {
        (void)err_set(err, ERR_USAGE, "-C (%s) and -J (%s) exclude each other", trust->source,
                      pinned->source);
        return err_hint(err, "-C checks no certificate; -J accepts one certificate and no other.");
    }
    if (mode && may_be_clear(mode) &&
        !settings_notice(settings, err, LOG_LEVEL_WARNING,
                         "encryption is %s (%s): rows may cross the network in clear text",
                         mode->text, mode->source))
        return false;
    return !trusted ||
           settings_notice(settings, err, LOG_LEVEL_WARNING,
                           "the server's certificate is NOT checked (-C from %s): whoever answers "
                           "gets the password",
                           trust->source);
}

static bool
check_decisions(const struct settings *settings, struct err *err)
{
    if (is_on(settings, OPT_ROWS_NAME) && !text_of(settings, OPT_REASON))
        return missing(OPT_REASON, "reason",
                       "--rows-name-this-environment goes on record together with --reason TEXT.",
                       err);
    return true;
}

/* ---- which rows */

static bool
holds_all(const struct setting *channels)
{
    for (size_t i = 0; i < channels->count; i++) {
        if (text_equal_nocase(channels->items[i], "all"))
            return true;
    }
    return false;
}

/** "all" of the configuration file is --channels all; on the command line it is a slip. */
static bool
read_word_all(struct settings *settings, struct err *err)
{
    static const enum config_rank files[] = {RANK_DEFAULTS, RANK_SECTION};
    const struct setting *argv = &settings->at[RANK_ARGV][OPT_CHANNEL];
    if (argv->set && holds_all(argv)) {
        (void)err_set(err, ERR_USAGE, "--channel all is not a channel");
        return err_hint(err, "Event rows of every channel: --channels all.");
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct setting *channels = &settings->at[files[i]][OPT_CHANNEL];
        if (!channels->set || !holds_all(channels))
            continue;
        if (channels->count > 1)
            return err_set(err, ERR_CONFIG, "%s: \"all\" stands beside names of channels",
                           channels->source);
        settings->at[files[i]][OPT_CHANNELS] =
            (struct setting){.set = true, .text = "all", .source = channels->source};
        *channels = (struct setting){0};
    }
    return true;
}

/** --channels all and --channel: the stronger source wins; from the command line they exclude each
 * other. */
static bool
choose_channels(struct settings *settings, struct err *err)
{
    enum config_rank all_rank = RANK_BUILTIN, some_rank = RANK_BUILTIN;
    if (!read_word_all(settings, err))
        return false;
    const struct setting *all = settings_get(settings, OPT_CHANNELS, &all_rank);
    const struct setting *some = settings_get(settings, OPT_CHANNEL, &some_rank);
    if (!all || !some)
        return true;
    if (all_rank == some_rank)
        return err_set(err, ERR_USAGE, "--channels all and --channel exclude each other");
    settings_drop(settings, all_rank > some_rank ? OPT_CHANNEL : OPT_CHANNELS);
    return true;
}

/** What chooses projects of a map needs one. */
static bool
check_no_map(const struct settings *settings, struct err *err)
{
    if (!settings_get(settings, OPT_PROJECT, NULL) && !is_on(settings, OPT_WRONG_URL_ONLY))
        return true;
    (void)err_set(err, ERR_USAGE, "--project and --wrong-url-only need --map");
    return err_hint(err, "They choose among the projects of one map.");
}

/** A map has no event rows: channels of the command line contradict it, others mean nothing. */
static bool
check_map_alone(struct settings *settings, struct err *err)
{
    if (settings->at[RANK_ARGV][OPT_CHANNEL].set || settings->at[RANK_ARGV][OPT_CHANNELS].set)
        return err_set(err, ERR_USAGE, "--map and --channel exclude each other");
    if (is_on(settings, OPT_DATAVERSE_ONLY))
        return err_set(err, ERR_USAGE, "--map and --dataverse-only exclude each other");
    settings_drop(settings, OPT_CHANNEL);
    settings_drop(settings, OPT_CHANNELS);
    return true;
}

/** INTERNAL:EXTERNAL, with something on both sides. */
static bool
check_map(struct settings *settings, enum command command, struct err *err)
{
    static const char hint[] =
        "Give --map INTERNAL:EXTERNAL as the rows spell it: --map 'Customers V3:accounts'.";
    if (!option_applies(option_spec(OPT_MAP), command))
        return true;
    const char *map = text_of(settings, OPT_MAP);
    if (command == COMMAND_PLAN && !map)
        return check_no_map(settings, err);
    if (command == COMMAND_PLAN && !check_map_alone(settings, err))
        return false;
    if (!map)
        return missing(OPT_MAP, "map", hint, err);
    const char *colon = strchr(map, ':');
    if (colon && colon != map && colon[1])
        return true;
    (void)err_set(err, ERR_USAGE, "--map is not INTERNAL:EXTERNAL");
    return err_hint(err, "%s", hint);
}

/* ---- all together */

/** By argv or --env. */
static bool
is_named(const struct settings *settings, enum option_id id)
{
    return settings->at[RANK_ARGV][id].set || settings->at[RANK_SECTION][id].set;
}

static bool
axdb_is_named(const struct settings *settings)
{
    const struct setting *way = &settings->at[RANK_SECTION][OPT_AXDB];

    return is_named(settings, OPT_SERVER) || is_named(settings, OPT_DATABASE) ||
           settings->at[RANK_ARGV][OPT_JIT].set || (way->set && strcmp(way->text, "jit") == 0);
}

/** A half that only a variable or [defaults] names: it is not looked at, and that is said. */
static bool
tell_unnamed(struct settings *settings, enum option_id id, enum command command, struct err *err)
{
    const struct setting *setting = settings_get(settings, id, NULL);
    char name[NAME_BYTES];

    return !setting || settings_notice(settings, err, LOG_LEVEL_NOTICE,
                                       "%s (%s) is ignored: %s looks at what %s or --env names",
                                       setting->source, setting->text, command_spec(command)->name,
                                       option_shown(option_spec(id), name, sizeof(name)));
}

static bool
choose_named_halves(struct settings *settings, enum command command, struct target *ret,
                    struct err *err)
{
    const bool axdb_only = is_on(settings, OPT_AXDB_ONLY);
    const bool dataverse_only = is_on(settings, OPT_DATAVERSE_ONLY);

    *ret = (struct target){
        .axdb = !dataverse_only && (axdb_only || axdb_is_named(settings)),
        .dataverse = !axdb_only && (dataverse_only || is_named(settings, OPT_DATAVERSE_URL)),
    };
    return (ret->axdb || dataverse_only || tell_unnamed(settings, OPT_SERVER, command, err)) &&
           (ret->dataverse || axdb_only || tell_unnamed(settings, OPT_DATAVERSE_URL, command, err));
}

/** env: what the environment has, whoever says so; nothing else is missed. */
static bool
choose_set_halves(const struct settings *settings, struct target *ret)
{
    const bool axdb_only = is_on(settings, OPT_AXDB_ONLY);
    const bool dataverse_only = is_on(settings, OPT_DATAVERSE_ONLY);
    const bool axdb =
        text_of(settings, OPT_SERVER) || text_of(settings, OPT_DATABASE) || axdb_is_named(settings);

    *ret = (struct target){
        .axdb = !dataverse_only && (axdb_only || axdb),
        .dataverse = !axdb_only && (dataverse_only || text_of(settings, OPT_DATAVERSE_URL)),
    };
    return true;
}

static bool
choose_halves(struct settings *settings, enum command command, struct target *ret, struct err *err)
{
    const bool axdb_only = is_on(settings, OPT_AXDB_ONLY);
    const bool dataverse_only = is_on(settings, OPT_DATAVERSE_ONLY);
    const bool named = text_of(settings, OPT_DATAVERSE_URL) || dataverse_only;
    if (axdb_only && dataverse_only)
        return err_set(err, ERR_USAGE, "--axdb-only and --dataverse-only exclude each other");
    if (command == COMMAND_ENV)
        return choose_set_halves(settings, ret);
    if (looks_if_named(command))
        return choose_named_halves(settings, command, ret, err);
    /* what a saved plan is about need not be said again: the halves that are named are it */
    const bool axdb_named = text_of(settings, OPT_SERVER) || text_of(settings, OPT_DATABASE) ||
                            axdb_only || !text_of(settings, OPT_DATAVERSE_URL);
    *ret = (struct target){
        .axdb = !dataverse_only && (axdb_named || command != COMMAND_APPLY),
        .dataverse = !axdb_only && (named || !takes_dataverse_if_named(settings, command)),
    };
    return true;
}

/** Neither half: there is a command that does without. */
static bool
asks_nothing(enum command command, const struct target *target)
{
    return looks_if_named(command) && !target->axdb && !target->dataverse;
}

/** Where AxDB is and who signs in there. */
static bool
choose_axdb(struct settings *settings, struct target *target, struct err *err)
{
    const char *server = text_of(settings, OPT_SERVER);

    return (!server || server_name_parse(server, &target->server, err)) &&
           (target->jit != JIT_NONE || choose_login(settings, err)) &&
           check_encryption(settings, err);
}

bool
rules_target(struct settings *settings, enum command command, struct target *ret, struct err *err)
{
    assert(settings && ret && err);
    struct target target = {0};

    if (!option_applies(option_spec(OPT_SERVER), command)) {
        *ret = target;
        return true;
    }
    if (!choose_halves(settings, command, &target, err) ||
        !jit_rules(settings, command, target.axdb, &target.jit, err) ||
        (!asks_nothing(command, &target) && !check_halves(settings, command, &target, err)))
        return false;
    if (target.axdb && !choose_axdb(settings, &target, err))
        return false;
    if ((target.dataverse || target.jit != JIT_NONE) &&
        !sign_in_choose(
            settings,
            target.axdb && target.jit == JIT_NONE ? "leave Dataverse out with --axdb-only" : "",
            &target.sign_in, err))
        return false;
    if (!choose_channels(settings, err) || !check_map(settings, command, err) ||
        !check_decisions(settings, err))
        return false;
    *ret = target;
    return true;
}
