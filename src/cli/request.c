#include "cli/request.h"

#include "base/text.h"
#include "port/journal.h"

#include <assert.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { USER_BYTES = 16 * 1024, HOST_BYTES = 256 };

static enum env_class
class_of(const struct config *config)
{
    const char *text = config_text(config, OPT_CLASS);
    if (text && strcmp(text, "sandbox") == 0)
        return CLASS_SANDBOX;
    if (text && strcmp(text, "dev") == 0)
        return CLASS_DEV;
    return CLASS_PRODUCTION;
}

/** Who asks. What is not known is no fault: it is for the report alone. */
static bool
put_operator(struct arena *arena, struct run_request *ret, struct err *err)
{
    char buffer[USER_BYTES], host[HOST_BYTES] = "";
    struct passwd entry, *found = NULL;
    const char *sudo = getenv("SUDO_USER"); /* NOLINT(concurrency-mt-unsafe): one thread */
    if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) != 0)
        found = NULL;
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    if (found)
        ret->user = arena_string(arena, found->pw_name);
    if (sudo)
        ret->sudo_user = arena_string(arena, sudo);
    if (host[0])
        ret->host = arena_string(arena, host);
    return (!found || ret->user) && (!sudo || ret->sudo_user) && (!host[0] || ret->host)
               ? true
               : arena_exhausted(err);
}

/** A word as a shell would take it. */
static void
append_quoted(struct text *ret, const char *word)
{
    const size_t plain =
        strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                     "_-+=:,./@%^");
    if (*word && !word[plain]) {
        text_append(ret, word);
        return;
    }
    text_append(ret, "'");
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            text_append(ret, "'\\''");
        else
            text_append_bytes(ret, p, 1);
    }
    text_append(ret, "'");
}

static bool
put_argv(int argc, char **argv, struct arena *arena, struct fact *ret, struct err *err)
{
    TEXT_SCOPED line = {0};
    for (int i = 0; i < argc; i++) {
        text_append(&line, i ? " " : "");
        append_quoted(&line, argv[i]);
    }
    if (!text_ok(&line, err))
        return false;
    *ret = (struct fact){"argv", arena_string(arena, text_string(&line))};
    return ret->value || arena_exhausted(err);
}

/** Every item of a LIST, else the value. */
static void
append_value(const struct config *config, const struct option_spec *spec, struct text *ret)
{
    size_t count = 0;
    const char *value = config_text(config, spec->id);
    const char *const *items = config_list(config, spec->id, &count);
    for (size_t i = 0; i < count; i++) {
        text_append(ret, i ? ", " : "");
        text_append(ret, items[i]);
    }
    if (count == 0)
        text_append(ret, value ? value : "set");
    text_printf(ret, " (%s)", config_source(config, spec->id));
}

static bool
put_option(const struct config *config, const struct option_spec *spec, struct arena *arena,
           struct fact *ret, struct err *err)
{
    TEXT_SCOPED value = {0};
    const char *name = spec->name                      ? spec->name
                       : spec->ini                     ? spec->ini
                       : spec->id == OPT_PASSWORD      ? "password"
                       : spec->id == OPT_CLIENT_SECRET ? "client-secret"
                                                       : spec->variables;
    append_value(config, spec, &value);
    if (!text_ok(&value, err))
        return false;
    *ret = (struct fact){name, arena_string(arena, text_string(&value))};
    return ret->value || arena_exhausted(err);
}

static bool
put_facts(const struct config *config, int argc, char **argv, struct arena *arena,
          struct run_request *ret, struct err *err)
{
    struct fact *facts = arena_alloc(arena, (OPTIONS + 1) * sizeof(*facts));
    size_t count = 0;
    if (!facts)
        return arena_exhausted(err);
    if (!put_argv(argc, argv, arena, &facts[count++], err))
        return false;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (config_is_set(config, spec->id) &&
            !put_option(config, spec, arena, &facts[count++], err))
            return false;
    }
    ret->options = facts;
    ret->option_count = count;
    return true;
}

/** The shortest form: what the operator types. */
static const char *
server_text(const struct server_name *server, struct arena *arena)
{
    char text[SERVER_NAME_TEXT_BYTES];
    server_name_text(server, text);
    return arena_string(arena, text);
}

/** What the configuration marks as production, in the form that the request has. */
static bool
put_production(const struct config *config, struct arena *arena, struct run_request *ret,
               struct err *err)
{
    size_t count = 0;
    const struct config_environment *noted = config_environments(config, &count);
    struct production_target *targets = arena_alloc(arena, (count + 1) * sizeof(*targets));
    if (!targets)
        return arena_exhausted(err);
    for (size_t i = 0; i < count; i++) {
        struct production_target *target = &targets[ret->production_count];
        struct server_name server = {0};
        struct err ignored;
        if (!noted[i].production)
            continue;
        *target = (struct production_target){.environment = noted[i].name,
                                             .source = noted[i].source,
                                             .server = noted[i].server,
                                             .database = noted[i].database,
                                             .dataverse_url = noted[i].dataverse_url};
        ret->production_count++;
        if (!noted[i].server || !server_name_parse(noted[i].server, &server, &ignored))
            continue;
        target->server = server_text(&server, arena);
        target->dialled =
            server.port ? arena_printf(arena, "%s,%u", server.host, (unsigned)server.port) : NULL;
        if (!target->server || (server.port && !target->dialled))
            return arena_exhausted(err);
    }
    ret->production = targets;
    return true;
}

static bool
put_targets(const struct config *config, struct arena *arena, struct run_request *ret,
            struct err *err)
{
    const enum jit_role jit = config_jit(config);
    if (ret->axdb) {
        /* with --jit it may be the service that knows it */
        const bool named = *config_server(config)->host;
        ret->server = named ? server_text(config_server(config), arena) : NULL;
        if (named && !ret->server)
            return arena_exhausted(err);
        ret->database = config_text(config, OPT_DATABASE);
    }
    if (jit != JIT_NONE) {
        ret->jit = jit == JIT_WRITER ? "writer" : "reader";
        ret->jit_ip = config_text(config, OPT_JIT_IP);
    }
    if (ret->dataverse || ret->jit)
        ret->dataverse_url = config_text(config, OPT_DATAVERSE_URL);
    return true;
}

bool
request_make(const struct config *config, int argc, char **argv, struct arena *arena,
             struct run_request *ret, struct err *err)
{
    assert(config && argv && arena && ret && err);
    const char *expect = config_text(config, OPT_EXPECT);
    struct run_request request = {
        .expect =
            expect && strcmp(expect, "post-relink") == 0 ? EXPECT_POST_RELINK : EXPECT_PRE_RELINK,
        .axdb = config_axdb(config),
        .dataverse = config_dataverse(config),
        .environment = config_text(config, OPT_ENV),
        .env_class = class_of(config),
        .expect_dataverse_host = config_text(config, OPT_EXPECT_DATAVERSE_HOST),
        .expect_org_id = config_text(config, OPT_EXPECT_ORG_ID),
        .expect_org_name = config_text(config, OPT_EXPECT_ORG_NAME),
        .expect_fno_url = config_text(config, OPT_EXPECT_FNO_URL),
        .expect_server_name = config_text(config, OPT_EXPECT_SERVER_NAME),
        .expect_database = config_text(config, OPT_EXPECT_DATABASE),
        .expect_restored_after = config_text(config, OPT_EXPECT_RESTORED_AFTER),
        .restored_at = config_text(config, OPT_RESTORED_AT),
        .reason = config_text(config, OPT_REASON),
        .plan_id = config_text(config, OPT_PLAN_ID),
        .allow_production = config_text(config, OPT_ALLOW_PRODUCTION),
        .yes = config_flag(config, OPT_YES),
        .dry_run = config_flag(config, OPT_DRY_RUN),
        .maps_are_stopped = config_flag(config, OPT_MAPS_ARE_STOPPED),
        .rows_name_this_environment = config_flag(config, OPT_ROWS_NAME),
        .channels_all = config_text(config, OPT_CHANNELS) != NULL,
        .map = config_text(config, OPT_MAP),
        .wrong_url_only = config_flag(config, OPT_WRONG_URL_ONLY),
        .allow_no_etag = config_flag(config, OPT_ALLOW_NO_ETAG),
        .allow_triggers = config_flag(config, OPT_ALLOW_TRIGGERS),
        .merge = config_flag(config, OPT_MERGE),
        .detailed_exitcode = config_flag(config, OPT_DETAILED_EXITCODE),
        .run = config_operand(config),
        .max_lock_ms = config_number(config, OPT_MAX_LOCK_TIME),
    };
    request.channels = config_list(config, OPT_CHANNEL, &request.channel_count);
    request.projects = config_list(config, OPT_PROJECT, &request.project_count);
    if (!put_targets(config, arena, &request, err) ||
        !put_production(config, arena, &request, err) || !put_operator(arena, &request, err) ||
        !put_facts(config, argc, argv, arena, &request, err))
        return false;
    *ret = request;
    return true;
}
