#include "cli/environments.h"

#include "report/json_writer.h"
#include "report/layout.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NAME_COLUMN = 30, NAME_BYTES = 64 };

/* ---- list */

static void
list_one(const struct layout *layout, const struct config_environment *environment)
{
    TEXT_SCOPED head = {0};
    TEXT_SCOPED axdb = {0};
    text_printf(&head, "%s  %s  ", environment->name,
                environment->class_name ? environment->class_name : "");
    text_append(layout->out, text_string(&head));
    layout_flow(layout, (unsigned)head.used, environment->source);
    if (environment->database || environment->server)
        text_printf(&axdb, "%s on %s", environment->database ? environment->database : "?",
                    environment->server ? environment->server : "?");
    layout_pair(layout, "AxDB", text_string(&axdb));
    layout_pair(layout, "Dataverse", environment->dataverse_url);
}

static void
list_text(const struct config *config, const struct layout *layout)
{
    size_t count = 0;
    const struct config_environment *all = config_environments(config, &count);
    if (!config_file(config))
        layout_flow(layout, 0,
                    "There is no configuration file: looked for ~/.config/dwclean/config.ini and "
                    "/etc/dwclean/config.ini. Another one is named by --config or DWCLEAN_CONFIG.");
    else if (count == 0)
        layout_pair(layout, "no [env \"NAME\"] in", config_file(config));
    for (size_t i = 0; i < count; i++)
        list_one(layout, &all[i]);
}

static void
list_json(const struct config *config, struct text *ret)
{
    struct json_writer json = {.out = ret};
    size_t count = 0;
    const struct config_environment *all = config_environments(config, &count);
    json_open(&json, NULL, '{');
    json_string(&json, "schema_version", "1");
    json_string(&json, "config", config_file(config));
    json_open(&json, "environments", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&json, NULL, '{');
        json_string(&json, "name", all[i].name);
        json_string(&json, "class", all[i].class_name);
        json_string(&json, "server", all[i].server);
        json_string(&json, "database", all[i].database);
        json_string(&json, "dataverse_url", all[i].dataverse_url);
        json_string(&json, "source", all[i].source);
        json_close(&json, '{');
    }
    json_close(&json, '[');
    json_close(&json, '{');
    text_append(ret, "\n");
}

static struct layout
layout_of(const struct output *output, struct text *ret)
{
    return (struct layout){
        .out = ret, .width = output->place.width, .colour = output->place.colour};
}

bool
environments_list(const struct config *config, const struct output *output, struct err *err)
{
    assert(config && output && err);
    TEXT_SCOPED text = {0};
    const struct layout layout = layout_of(output, &text);
    if (output->form == REPORT_JSON)
        list_json(config, &text);
    else
        list_text(config, &layout);
    return text_ok(&text, err) && output_text(output, &text, err);
}

/* ---- show */

/** A secret that only a variable can hold; other names are in the table of options. */
static const struct {
    enum option_id id;
    const char *name;
} secret_names[] = {
    {OPT_PASSWORD, "password"},
    {OPT_CLIENT_SECRET, "client-secret"},
    {OPT_CERTIFICATE_PASSWORD, "client-certificate-password"},
    {OPT_TOKEN, "token"},
    {OPT_BACKUP_KEY, "backup-key"},
    {OPT_CONNECTION_STRING, "connection-string"},
    {OPT_DATAVERSE_CONNECTION_STRING, "dataverse-connection-string"},
};

/** How the option is called where it is set: the long name, the ini key, or a secret's own name. */
static const char *
name_of(const struct option_spec *spec, char ret[NAME_BYTES])
{
    const char *name = spec->name ? spec->name : spec->ini ? spec->ini : spec->variables;
    for (size_t i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++) {
        if (secret_names[i].id == spec->id)
            name = secret_names[i].name;
    }
    (void)snprintf(ret, NAME_BYTES, "%.*s", (int)strcspn(name, ","), name);
    return ret;
}

/** Never a secret: of one, only that it is set. */
static void
put_value(const struct option_spec *spec, const struct setting *setting, struct text *ret)
{
    if (spec->kind == OPTION_SECRET) {
        text_append(ret, "set");
        return;
    }
    for (size_t i = 0; i < setting->count; i++) {
        text_append(ret, i ? ", " : "");
        text_append(ret, setting->items[i]);
    }
    if (setting->count == 0)
        text_append(ret, setting->text);
}

/** Something that --env or a file could hold; what is decided anew each time is not. */
static bool
is_shown(const struct option_spec *spec)
{
    return option_applies(spec, COMMAND_ENV) && spec->group != GROUP_DECISION &&
           (spec->group != GROUP_SCOPE || spec->ini) && spec->kind != OPTION_IGNORED &&
           spec->kind != OPTION_REFUSED && spec->kind != OPTION_ALIAS && spec->id != OPT_ENV &&
           spec->id != OPT_CONFIG && spec->id != OPT_HELP && spec->id != OPT_VERSION;
}

static const struct setting *
strongest(const struct config *config, enum option_id id, enum config_rank *ret_rank)
{
    for (unsigned rank = RANKS; rank-- > 0;) {
        const struct setting *setting = config_setting(config, (enum config_rank)rank, id);
        *ret_rank = (enum config_rank)rank;
        if (setting)
            return setting;
    }
    return NULL;
}

/** Places of one secret: the strongest gives it. */
static const enum option_id secret_places[][3] = {
    {OPT_PASSWORD, OPT_PASSWORD_FILE, OPT_PASSWORD_COMMAND},
    {OPT_CLIENT_SECRET, OPT_CLIENT_SECRET_FILE, OPT_CLIENT_SECRET_COMMAND},
    {OPT_BACKUP_KEY, OPT_BACKUP_KEY_FILE, OPT_BACKUP_KEY_COMMAND},
};

enum { SECRET_PLACES = sizeof(secret_places) / sizeof(secret_places[0]) };

/** Another place of the same secret that is stronger, or as strong: then nobody can tell which. */
static const char *
rival_of(const struct config *config, const enum option_id ids[3], enum option_id id,
         enum config_rank rank)
{
    const char *remark = NULL;
    for (size_t i = 0; i < 3; i++) {
        enum config_rank other = RANK_BUILTIN;
        if (ids[i] == id || !strongest(config, ids[i], &other) || other < rank)
            continue;
        if (other > rank)
            return "not used: a stronger source gives this secret";
        remark = "excludes the other place of this secret, which is as strong";
    }
    return remark;
}

static const char *
secret_remark(const struct config *config, enum option_id id, enum config_rank rank)
{
    for (size_t i = 0; i < SECRET_PLACES; i++) {
        for (size_t j = 0; j < 3; j++) {
            if (secret_places[i][j] == id)
                return rival_of(config, secret_places[i], id, rank);
        }
    }
    return NULL;
}

/** What is to be known about where the value comes from; NULL = nothing. */
static const char *
remark_of(const struct config *config, const struct option_spec *spec, enum config_rank rank)
{
    if (!config_survives(config, spec->id))
        return "ignored: another option stands in its place";
    if ((spec->traits & OPTION_IS_TARGET) && rank != RANK_ARGV && rank != RANK_SECTION)
        return "ignored by every command that writes: it takes its target from the command line "
               "or --env alone";
    return secret_remark(config, spec->id, rank);
}

static void
show_weaker(const struct layout *layout, const struct config *config,
            const struct option_spec *spec, enum config_rank below)
{
    for (unsigned rank = below; rank-- > RANK_BUILTIN + 1;) {
        const struct setting *setting = config_setting(config, (enum config_rank)rank, spec->id);
        TEXT_SCOPED line = {0};
        if (!setting)
            continue;
        text_append(&line, "instead of ");
        put_value(spec, setting, &line);
        text_printf(&line, " (%s)", setting->source);
        text_printf(layout->out, "%*s", NAME_COLUMN, "");
        layout_flow(layout, NAME_COLUMN, text_string(&line));
    }
}

static void
show_one(const struct layout *layout, const struct config *config, const struct option_spec *spec)
{
    char name[NAME_BYTES];
    enum config_rank rank = RANK_BUILTIN;
    const struct setting *setting = strongest(config, spec->id, &rank);
    const char *remark = setting ? remark_of(config, spec, rank) : NULL;
    TEXT_SCOPED line = {0};
    if (!setting)
        return;
    put_value(spec, setting, &line);
    text_printf(&line, " (%s)", setting->source);
    text_printf(layout->out, "  %-*s", NAME_COLUMN - 2, name_of(spec, name));
    layout_flow(layout, NAME_COLUMN, text_string(&line));
    if (remark) {
        text_printf(layout->out, "%*s", NAME_COLUMN, "");
        layout_flow(layout, NAME_COLUMN, remark);
    }
    show_weaker(layout, config, spec, rank);
}

/** The section that is asked for; NULL = none. */
static const struct config_environment *
chosen(const struct config *config)
{
    const char *name = config_text(config, OPT_ENV);
    size_t count = 0;
    const struct config_environment *all = config_environments(config, &count);
    for (size_t i = 0; name && i < count; i++) {
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    }
    return NULL;
}

static void
show_problem(const struct layout *layout, const struct err *problem)
{
    if (!problem)
        return;
    layout_heading(layout, "This would stop a command");
    text_append(layout->out, "  ");
    layout_flow(layout, 2, problem->primary);
    layout_pair(layout, "detail", problem->detail);
    layout_pair(layout, "hint", problem->hint);
}

/** How it would sign in, where the environment is complete. */
static void
show_sign_in(const struct layout *layout, const struct config *config)
{
    const struct sign_in *sign_in = config_sign_in(config);
    TEXT_SCOPED line = {0};
    if (!config_dataverse(config) && config_jit(config) == JIT_NONE)
        return;
    text_printf(&line, "signs in to Dataverse by %s (%s)", sign_in_name(sign_in->kind),
                sign_in->source ? sign_in->source : "asked for at the terminal");
    layout_flow(layout, 0, text_string(&line));
}

static void
show_text(const struct config *config, const struct layout *layout)
{
    const struct config_environment *environment = chosen(config);
    if (environment) {
        layout_word(layout, environment->name, 0, COLOUR_STRONG);
        text_append(layout->out, "  ");
        layout_flow(layout, (unsigned)strlen(environment->name) + 2, environment->source);
    } else {
        text_append(layout->out, "no environment is named\n");
    }
    show_sign_in(layout, config);
    show_problem(layout, config_problem(config));
    layout_heading(layout, "Values that would apply");
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (is_shown(spec))
            show_one(layout, config, spec);
    }
}

static void
put_setting(struct json_writer *json, const struct option_spec *spec, const struct setting *setting)
{
    TEXT_SCOPED value = {0};
    put_value(spec, setting, &value);
    json_string(json, "value", spec->kind == OPTION_SECRET ? NULL : text_string(&value));
    json_string(json, "source", setting->source);
}

static void
put_one(struct json_writer *json, const struct config *config, const struct option_spec *spec)
{
    char name[NAME_BYTES];
    enum config_rank top = RANK_BUILTIN;
    const struct setting *setting = strongest(config, spec->id, &top);
    if (!setting)
        return;
    json_open(json, NULL, '{');
    json_string(json, "option", name_of(spec, name));
    json_bool(json, "secret", spec->kind == OPTION_SECRET);
    put_setting(json, spec, setting);
    json_string(json, "remark", remark_of(config, spec, top));
    json_open(json, "instead_of", '[');
    for (unsigned rank = top; rank-- > RANK_BUILTIN + 1;) {
        const struct setting *weaker = config_setting(config, (enum config_rank)rank, spec->id);
        if (!weaker)
            continue;
        json_open(json, NULL, '{');
        put_setting(json, spec, weaker);
        json_close(json, '{');
    }
    json_close(json, '[');
    json_close(json, '{');
}

static void
show_json(const struct config *config, struct text *ret)
{
    struct json_writer json = {.out = ret};
    const struct config_environment *environment = chosen(config);
    const struct err *problem = config_problem(config);
    json_open(&json, NULL, '{');
    json_string(&json, "schema_version", "1");
    json_string(&json, "config", config_file(config));
    json_string(&json, "environment", environment ? environment->name : NULL);
    json_string(&json, "source", environment ? environment->source : NULL);
    json_string(&json, "problem", problem ? problem->primary : NULL);
    json_string(&json, "problem_detail", problem && problem->detail[0] ? problem->detail : NULL);
    json_string(&json, "problem_hint", problem && problem->hint[0] ? problem->hint : NULL);
    json_open(&json, "values", '[');
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (is_shown(spec))
            put_one(&json, config, spec);
    }
    json_close(&json, '[');
    json_close(&json, '{');
    text_append(ret, "\n");
}

bool
environments_show(const struct config *config, const struct output *output, struct err *err)
{
    assert(config && output && err);
    TEXT_SCOPED text = {0};
    const struct layout layout = layout_of(output, &text);
    if (output->form == REPORT_JSON)
        show_json(config, &text);
    else
        show_text(config, &layout);
    return text_ok(&text, err) && output_text(output, &text, err);
}
