#include "base/file.h"
#include "core/granted_axdb.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

static bool
needs_runs(const struct program *program)
{
    return command_spec(config_command(program->config))->writes &&
           !config_flag(program->config, OPT_DRY_RUN);
}

/** A command about a run of the past. */
static bool
needs_archive(const struct program *program)
{
    const char *operand = command_spec(config_command(program->config))->operand;
    return operand && strcmp(operand, "RUN") == 0;
}

/** An overlay root is gone with its container: warn before, not after. */
static void
warn_of_overlay(struct program *program, const char *runs_dir)
{
    char path[PATH_BYTES];
    enum file_system kind = FILE_SYSTEM_DISK;
    uint64_t free_bytes = 0;
    struct stat status;
    struct err ignored;
    (void)snprintf(path, sizeof(path), "%s", runs_dir);
    /* What is not made yet will lie where its nearest parent lies, at last "/". */
    while (stat(path, &status) != 0 && strcmp(path, "/") != 0 && strrchr(path, '/')) {
        char *slash = strrchr(path, '/');
        slash[slash == path ? 1 : 0] = '\0';
    }
    if (!file_system_of(path, &kind, &free_bytes, &ignored) || kind != FILE_SYSTEM_OVERLAY)
        return;
    program->console.observer.say(
        &program->console.observer, LOG_LEVEL_WARNING,
        "the runs directory lies on an overlay file system: the only copy "
        "of the rows is lost with this container");
}

/** A key beside what it locks is no lock: whoever copies the backups copies it too. */
static bool
check_key_place(const struct config *config, const char *runs_dir, struct err *err)
{
    const char *file = config_text(config, OPT_BACKUP_KEY_FILE);
    char *key = file ? realpath(file, NULL) : NULL;
    char *runs = key ? realpath(runs_dir, NULL) : NULL;
    const size_t size = runs ? strlen(runs) : 0;
    const bool inside = runs && strncmp(key, runs, size) == 0 && (key[size] == '/' || size == 1);
    free(key);
    free(runs);
    if (!inside)
        return true;
    (void)err_set(err, ERR_CONFIG, "the backup key %s lies in the runs directory", file);
    return err_hint(err, "Keep it where the backups are not: who gets them must not get it too.");
}

bool
program_check_runs_dir(struct program *program, struct err *err)
{
    const char *runs_dir = NULL;
    if (!needs_runs(program))
        return true;
    if (!program->terminal.op.present && !config_is_set(program->config, OPT_RUNS_DIR)) {
        (void)err_set(err, ERR_USAGE, "without a terminal the runs directory must be named");
        return err_hint(err, "Pass --runs-dir DIR on a disk that lasts: it will hold the only copy "
                             "of what is removed.");
    }
    if (!config_runs_dir(program->config, &runs_dir, err) ||
        !check_key_place(program->config, runs_dir, err))
        return false;
    warn_of_overlay(program, runs_dir);
    return true;
}

/** A new run looks for runs that were not finished. Where no runs directory can be told, a dry run
 * goes without. */
static bool
make_history(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    const enum command command = config_command(config);
    if (!command_spec(command)->writes || command == COMMAND_RESUME || !program->adapters->history)
        return true;
    return program->adapters->history(config, &program->history, err) || !needs_runs(program);
}

/** `check` looks at the place of runs; that there is none is a finding, not a fault. */
static bool
make_runs(struct program *program, struct err *err)
{
    struct err why;
    if (needs_runs(program))
        return program->adapters->runs(program->config, &program->runs, err);
    if (config_command(program->config) != COMMAND_CHECK ||
        program->adapters->runs(program->config, &program->runs, &why))
        return true;
    program->console.observer.say(&program->console.observer, LOG_LEVEL_WARNING, why.primary);
    return true;
}

/** The files of a plan: both are looked at before anything is connected. */
static bool
make_plans(struct program *program, struct err *err)
{
    const struct cli_adapters *make = program->adapters;
    const struct config *config = program->config;
    const char *out = config_text(config, OPT_OUT);
    if (config_command(config) == COMMAND_APPLY)
        return make->saved_plan(config_operand(config), &program->saved, err);
    if (config_command(config) != COMMAND_PLAN || !out)
        return true;
    if (strcmp(out, "-") == 0)
        return err_set(err, ERR_USAGE, "--out of plan is a file: stdout has the report");
    return make->plan_out(out, &program->plan_out, err);
}

/* ---- AxDB */

static bool
make_granted(void *ctx, const struct axdb_grant *grant, struct axdb_server **ret, struct err *err)
{
    struct program *program = ctx;
    return program->adapters->axdb(program->config, grant, &program->console.observer, ret, err);
}

static void
free_granted(void *ctx, struct axdb_server *server)
{
    const struct program *program = ctx;
    program->adapters->axdb_free(server);
}

/** An AxDB that asks `program->runtime` for its credentials when it is connected to. */
static bool
make_jit(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    const struct server_name *server = config_server(config);
    const char *reason = config_text(config, OPT_REASON);
    char text[SERVER_NAME_TEXT_BYTES] = "";
    if (*server->host)
        server_name_text(server, text);
    if (!reason)
        reason =
            arena_printf(program->arena, "dwclean %s", command_spec(config_command(config))->name);
    const struct granted_axdb_options options = {
        .grantor = program->runtime,
        .request = {.address = config_text(config, OPT_JIT_IP),
                    .writer = config_jit(config) == JIT_WRITER,
                    .reason = reason},
        .server = *text ? arena_string(program->arena, text) : NULL,
        .database = config_text(config, OPT_DATABASE),
        .pinned_server = config_text(config, OPT_EXPECT_SERVER_NAME),
        .pinned_database = config_text(config, OPT_EXPECT_DATABASE),
        .maker = {.ctx = program, .make = make_granted, .release = free_granted},
    };
    if (!reason || (*text && !options.server))
        return arena_exhausted(err);
    if (config_flag(config, OPT_DRY_RUN))
        program->console.observer.say(&program->console.observer, LOG_LEVEL_NOTICE,
                                      "a dry run reads AxDB: it asks for a SQL login too");
    return granted_axdb_new(&options, &program->axdb, err);
}

static bool
make_axdb(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    if (!config_axdb(config))
        return true;
    if (config_jit(config) != JIT_NONE)
        return make_jit(program, err);
    return program->adapters->axdb(config, NULL, &program->console.observer, &program->axdb, err);
}

bool
program_make_adapters(struct program *program, struct err *err)
{
    const struct cli_adapters *make = program->adapters;
    const struct config *config = program->config;
    if (!make_plans(program, err))
        return false;
    if (needs_archive(program) && !make->archive(config, &program->archive, err))
        return false;
    if ((config_dataverse(config) || config_jit(config) != JIT_NONE) &&
        !make->runtime(config, &program->console.observer, &program->runtime, err))
        return false;
    return make_axdb(program, err) && make_history(program, err) && make_runs(program, err);
}
