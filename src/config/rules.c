#include "config/rules.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, HOST_BYTES = 256 };

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
    return strcmp(x.host, y.host) == 0 && x.port == y.port;
}

static bool
is_same(enum option_id id, const char *a, const char *b)
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
        if (!other->set || is_same(spec->id, own->text, other->text))
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
    if (used->set && is_same(spec->id, used->text, ignored.text))
        return true;
    return settings_notice(settings, err, LOG_LEVEL_NOTICE,
                           "%s (%s) is ignored: %s takes the %s from %s or --env alone",
                           ignored.source, ignored.text, command_spec(command)->name, spec->name,
                           option_shown(spec, name, sizeof(name)));
}

bool
rules_target_sources(struct settings *settings, enum command command, struct err *err)
{
    static const enum config_rank foreign[] = {RANK_VARIABLE, RANK_TOOL_VARIABLE, RANK_DEFAULTS};
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if ((spec->traits & OPTION_IS_PINNED) && !refuse_another(settings, spec, err))
            return false;
        if (!(spec->traits & OPTION_IS_TARGET) || !command_spec(command)->writes)
            continue;
        for (size_t j = 0; j < sizeof(foreign) / sizeof(foreign[0]); j++) {
            if (!drop_foreign(settings, spec, foreign[j], command, err))
                return false;
        }
    }
    return true;
}

/* ---- what the halves need */

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

static bool
missing(enum option_id id, const char *what, const char *hint, struct err *err)
{
    char name[NAME_BYTES];
    (void)err_set(err, ERR_USAGE, "no %s: %s is missing", what,
                  option_shown(option_spec(id), name, sizeof(name)));
    return err_hint(err, "%s", hint);
}

static bool
check_halves(const struct settings *settings, const struct target *target, struct err *err)
{
    const bool both = target->axdb && target->dataverse;
    const bool server = text_of(settings, OPT_SERVER), database = text_of(settings, OPT_DATABASE);
    const bool url = text_of(settings, OPT_DATAVERSE_URL);
    if (!server && !database && !url) {
        (void)err_set(err, ERR_USAGE, "no target is named");
        return err_hint(err, "Give -S and -d for AxDB and --dataverse-url for Dataverse, or --env "
                             "NAME. One side alone: --axdb-only or --dataverse-only.");
    }
    const char *without_axdb =
        both ? "To leave AxDB out, pass --dataverse-only." : "Give -S and -d, or --env NAME.";
    if (target->axdb && !server)
        return missing(OPT_SERVER, "server", without_axdb, err);
    if (target->axdb && !database)
        return missing(OPT_DATABASE, "database (there is no default)", without_axdb, err);
    if (target->dataverse && !url)
        return missing(OPT_DATAVERSE_URL, "Dataverse environment",
                       both ? "To leave Dataverse out, pass --axdb-only."
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
check_encryption(struct settings *settings, const struct server_name *server, struct err *err)
{
    const struct setting *mode = settings_get(settings, OPT_ENCRYPT, NULL);
    const char *name = text_of(settings, OPT_CERTIFICATE_HOST);
    if (mode && strcmp(mode->text, "strict") == 0) {
        (void)err_set(err, ERR_USAGE, "-N strict (TDS 8) is not offered by this version");
        return err_hint(err,
                        "Use -N mandatory: everything is encrypted and the certificate checked.");
    }
    if (name && !text_equal_nocase(name, server->host)) {
        (void)err_set(err, ERR_USAGE, "-F names another host than -S");
        (void)err_detail(err, "-F %s, host %s", name, server->host);
        return err_hint(err, "The certificate is checked against the host of -S: connect by the "
                             "name that the certificate holds.");
    }
    if (mode && strcmp(mode->text, "mandatory") != 0 &&
        !settings_notice(settings, err, LOG_LEVEL_WARNING,
                         "encryption is %s (%s): rows may cross the network in clear text",
                         mode->text, mode->source))
        return false;
    const struct setting *trust = settings_get(settings, OPT_TRUST, NULL);
    return !trust || trust->number == 0 ||
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

bool
rules_target(struct settings *settings, struct target *ret, struct err *err)
{
    assert(settings && ret && err);
    const bool axdb_only = is_on(settings, OPT_AXDB_ONLY);
    const bool dataverse_only = is_on(settings, OPT_DATAVERSE_ONLY);
    struct target target = {.axdb = !dataverse_only, .dataverse = !axdb_only};

    if (axdb_only && dataverse_only)
        return err_set(err, ERR_USAGE, "--axdb-only and --dataverse-only exclude each other");
    if (!check_halves(settings, &target, err))
        return false;
    if (target.axdb &&
        (!server_name_parse(text_of(settings, OPT_SERVER), &target.server, err) ||
         !choose_login(settings, err) || !check_encryption(settings, &target.server, err)))
        return false;
    if (target.dataverse && !text_of(settings, OPT_CLIENT_ID))
        return missing(OPT_CLIENT_ID, "application",
                       "Give --client-id (or AZURE_CLIENT_ID) of an application user.", err);
    if (!check_decisions(settings, err))
        return false;
    *ret = target;
    return true;
}
