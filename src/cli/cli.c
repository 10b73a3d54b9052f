#include "cli/cli.h"

#include "base/arena.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/aside.h"
#include "cli/completion.h"
#include "cli/console.h"
#include "cli/environments.h"
#include "cli/explain.h"
#include "cli/export.h"
#include "cli/finish.h"
#include "cli/fleet.h"
#include "cli/forms.h"
#include "cli/help.h"
#include "cli/history.h"
#include "cli/nagios.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/show_plan.h"
#include "cli/terminal.h"
#include "core/granted_axdb.h"
#include "core/run.h"
#include "program.h"
#include "report/json_writer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BYTES = 1024 * 1024 * 1024 };

const char *
cli_version(void)
{
    return DWCLEAN_VERSION;
}

static const char *
process_variable(void *ctx, const char *name)
{
    (void)ctx;
    return program_variable(name);
}

/* ---- the run */

typedef void run_function(const struct run_request *request, const struct run_ports *ports,
                          struct arena *arena, struct outcome *ret);

/** What runs a command that has a report; NULL for the others. */
static run_function *const run_functions[COMMANDS] = {
    [COMMAND_VERIFY] = run_verify,   [COMMAND_CLEAN] = run_clean,
    [COMMAND_CHECK] = run_check,     [COMMAND_REPAIR_MAP] = run_repair_map,
    [COMMAND_RESUME] = run_resume,   [COMMAND_UNDO] = run_undo,
    [COMMAND_PLAN] = run_make_plan,  [COMMAND_APPLY] = run_apply,
    [COMMAND_EXPLAIN] = run_explain, [COMMAND_ENV] = run_test_target,
};

/** Both halves of a look at the same time, unless one needs the other or a person. */
static void
make_aside(struct program *program)
{
    const struct config *config = program->config;
    if (config_axdb(config) && config_dataverse(config) && config_jit(config) == JIT_NONE &&
        config_sign_in(config)->kind != SIGN_IN_DEVICE_CODE)
        program->aside = aside_new();
}

static bool
run(struct program *program, struct outcome *ret, struct err *err)
{
    struct run_request request = {0};
    if (!program_get_secrets(program, err) || !program_check_runs_dir(program, err) ||
        !program_make_adapters(program, err) ||
        !request_make(program->config, program->argc, program->argv, program->arena, &request, err))
        return false;
    make_aside(program);
    request.text = text_string(&program->pasted);
    request.text_size = program->pasted.used;
    const struct run_ports ports = {
        .axdb = program->axdb,
        .runtime = config_dataverse(program->config) ? program->runtime : NULL,
        .runs = program->runs,
        .archive = program->archive,
        .history = program->history,
        .observer = &program->console.observer,
        .op = &program->terminal.op,
        .aside = program->aside,
        .plan_out = program->plan_out,
        .plan_out_path = config_text(program->config, OPT_OUT),
        .saved = program->saved,
        .write_reports = output_write_reports,
    };
    run_functions[config_command(program->config)](&request, &ports, program->arena, ret);
    return true;
}

/** The outcome of a command that never began. */
static void
outcome_of_error(const struct program *program, const struct err *err, struct outcome *ret)
{
    const int64_t now_ms = clock_utc_ms();
    *ret = (struct outcome){
        .command = command_spec(config_command(program->config))->name,
        .word = err->code == ERR_REFUSED       ? OUTCOME_REFUSED
                : err->code == ERR_STALE       ? OUTCOME_STALE
                : err->code == ERR_INTERRUPTED ? OUTCOME_INTERRUPTED
                                               : OUTCOME_FAILED,
        .exit_status = err_exit_status(err->code),
        .err = *err,
        .started_utc_ms = now_ms,
        .ended_utc_ms = now_ms,
        .locked_ms = -1,
    };
    for (unsigned i = 0; i < TABLES; i++)
        ret->tables[i] = (struct table_outcome){.table = (enum table)i,
                                                .before_rows = -1,
                                                .planned_rows = -1,
                                                .backed_up_rows = -1,
                                                .deleted_rows = -1,
                                                .after_rows = -1,
                                                .kept_rows = -1,
                                                .restored_rows = -1};
    ret->verdict = err->primary;
}

static struct finish
finish_of(struct program *program)
{
    return (struct finish){.config = program->config,
                           .output = &program->output,
                           .console = &program->console,
                           .version = cli_version()};
}

/** Usage and configuration: a message; in a form for programs a report too, so that a pipeline
 * always gets one. */
static int
fail_early(struct program *program, const struct err *err)
{
    const struct finish finish = finish_of(program);
    struct outcome outcome;
    outcome_of_error(program, err, &outcome);
    console_error(&program->console, err);
    return finish_run(&finish, &outcome, true);
}

static int
run_and_report(struct program *program)
{
    const struct finish finish = finish_of(program);
    struct outcome outcome = {0};
    struct err err;
    terminal_open(&program->terminal);
    if (!finish_check(&finish, &err) || !run(program, &outcome, &err))
        return fail_early(program, &err);
    console_end(&program->console);
    if (outcome.err.code != ERR_NONE && !program->output.is_terminal)
        console_error(&program->console, &outcome.err);
    return finish_run(&finish, &outcome, false);
}

/** No target, no report: a run of the past becomes a file. Its backup may want a key. */
static int
export_run(struct program *program)
{
    struct err err;
    struct export_job job = {
        .run = config_operand(program->config),
        .sql = config_flag(program->config, OPT_SQL),
        .redact = config_flag(program->config, OPT_REDACT),
        .path = config_text(program->config, OPT_OUT),
        .script = program->adapters->undo_script,
        .script_free = program->adapters->undo_script_free,
        .console = &program->console,
        .arena = program->arena,
    };
    if (program_get_secrets(program, &err) && export_check(&job, &err) &&
        program_make_adapters(program, &err) &&
        (!job.redact || program->adapters->history(program->config, &program->history, &err))) {
        job.archive = program->archive;
        job.history = program->history;
        if (job.redact ? export_bundle(&job, &err) : export_write(&job, &err))
            return 0;
    }
    console_end(&program->console);
    return fail_early(program, &err);
}

/** runs, prune, and show of a run: files of the runs directory alone. */
static int
work_on_history(struct program *program,
                bool (*work)(const struct history_job *job, struct err *err))
{
    const struct config *config = program->config;
    struct err err;
    bool told = false;
    terminal_open(&program->terminal);
    if (program_get_secrets(program, &err) &&
        program->adapters->history(config, &program->history, &err)) {
        const struct history_job job = {
            .environment = config_text(config, OPT_ENV),
            .run = config_operand(config),
            .verify = config_flag(config, OPT_VERIFY),
            .has_age = config_is_set(config, OPT_OLDER_THAN),
            .older_than_ms = config_number(config, OPT_OLDER_THAN),
            .dry_run = config_flag(config, OPT_DRY_RUN),
            .yes = config_flag(config, OPT_YES),
            .history = program->history,
            .op = &program->terminal.op,
            .output = &program->output,
            .told = &told,
            .console = &program->console,
            .arena = program->arena,
        };
        if (work(&job, &err))
            return 0;
    }
    console_end(&program->console);
    if (!told)
        return fail_early(program, &err);
    console_error(&program->console, &err);
    return err.code == ERR_INTERRUPTED && cancel_signal() ? 128 + cancel_signal()
                                                          : err_exit_status(err.code);
}

/** A plan: its file, and what the adapters would send; nothing is connected. */
static bool
show_saved(struct program *program, struct err *err)
{
    const struct cli_adapters *make = program->adapters;
    const struct config *config = program->config;
    program_forget_secret_variables();
    if (!make->saved_plan(config_operand(config), &program->saved, err))
        return false;
    const struct show_plan_job job = {
        .saved = program->saved,
        .rows = config_flag(config, OPT_VERBOSE),
        .statements = config_flag(config, OPT_STATEMENTS),
        .axdb = make->axdb_statements,
        .runtime = make->runtime_statements,
        .output = &program->output,
    };
    return show_plan(&job, err);
}

/** PLAN|RUN: what names a file is a plan, anything else a run. */
static int
show(struct program *program)
{
    struct err err;
    const bool plan = show_plan_is_file(config_operand(program->config));
    if (!plan && !config_flag(program->config, OPT_STATEMENTS))
        return work_on_history(program, show_run);
    if (plan && show_saved(program, &err))
        return 0;
    if (!plan) {
        (void)err_set(&err, ERR_USAGE, "%s is not a file, and only a plan has --statements",
                      config_operand(program->config));
        (void)err_hint(&err, "Name the file that dwclean plan --out has made.");
    }
    console_end(&program->console);
    return fail_early(program, &err);
}

/** The text that was pasted; without one, at a terminal, all that is known. */
static int
explain(struct program *program)
{
    const struct config *config = program->config;
    struct err err;
    bool list = false;
    if (!explain_take_text(config_operand(config), STDIN_FILENO, &program->pasted, &list, &err))
        return fail_early(program, &err);
    if (!list)
        return run_and_report(program);
    if (config_axdb(config) || config_dataverse(config)) {
        (void)err_set(&err, ERR_USAGE, "there is no text to explain");
        (void)err_hint(&err, "To look at a target without one: dwclean verify.");
        return fail_early(program, &err);
    }
    return forms_have(FORMS_DOCUMENT, program->output.form, "the list of symptoms", &err) &&
                   explain_list(&program->output, &err)
               ? 0
               : fail_early(program, &err);
}

/** list, show: what the configuration has. test: the connections, and the report of a run. */
static int
environments(struct program *program)
{
    const char *what = config_operand(program->config);
    struct err err;
    if (strcmp(what, "test") == 0)
        return run_and_report(program);
    program_forget_secret_variables();
    const bool ok = strcmp(what, "list") == 0
                        ? environments_list(program->config, &program->output, &err)
                        : environments_show(program->config, &program->output, &err);
    return ok ? 0 : fail_early(program, &err);
}

/* ---- help and version */

static int
print(const struct text *text)
{
    (void)console_write(STDOUT_FILENO, text_string(text), text->used);
    return 0;
}

static int
print_help(const struct config *config)
{
    TEXT_SCOPED text = {0};
    enum command topic = COMMAND_HELP;
    if (config_topic_group(config) != GROUP_NONE)
        help_group(config_topic_group(config), &text);
    else if (config_topic(config, &topic))
        help_command(topic, &text);
    else
        help_program(&text);
    return print(&text);
}

static void
version_json(const struct fact *libraries, size_t count, struct text *ret)
{
    struct json_writer json = {.out = ret};
    json_open(&json, NULL, '{');
    json_string(&json, "schema_version", "1");
    json_string(&json, "program", "dwclean " DWCLEAN_VERSION);
    json_open(&json, "libraries", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&json, NULL, '{');
        json_string(&json, "name", libraries[i].name);
        json_string(&json, "version", libraries[i].value);
        json_close(&json, '{');
    }
    json_close(&json, '[');
    json_close(&json, '{');
    text_append(ret, "\n");
}

static int
print_version(struct program *program)
{
    TEXT_SCOPED text = {0};
    size_t count = 0;
    const struct fact *libraries = program->adapters->libraries(&count);
    struct err err;
    if (config_rank(program->config, OPT_FORMAT) == RANK_ARGV &&
        !forms_have(FORMS_DOCUMENT, program->output.form, "version", &err))
        return fail_early(program, &err);
    if (program->output.form == REPORT_JSON) {
        version_json(libraries, count, &text);
        return print(&text);
    }
    text_printf(&text, "dwclean %s\n", cli_version());
    for (size_t i = 0; i < count; i++)
        text_printf(&text, "%s %s\n", libraries[i].name, libraries[i].value);
    return print(&text);
}

static int
complete(struct program *program)
{
    TEXT_SCOPED text = {0};
    struct err err;
    program_forget_secret_variables();
    return completion_answer(program->config, &text, &err) ? print(&text)
                                                           : fail_early(program, &err);
}

/* ---- all of it */

static enum log_level
least_level(const struct config *config)
{
    if (config_flag(config, OPT_TRACE))
        return LOG_LEVEL_TRACE;
    return config_flag(config, OPT_VERBOSE) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

static int run_process(struct program *program);

/** In a process of its own: everything from the start, for one environment, the `index`-th. */
static int
look_at_member(void *ctx, const char *environment, size_t index, int fd)
{
    const struct program *parent = ctx;
    struct report_place place = parent->output.place;
    place.index = index;
    struct program program = {
        .argc = parent->argc,
        .argv = parent->argv,
        .adapters = parent->adapters,
        .output = {.fd = fd,
                   .is_terminal = parent->output.is_terminal,
                   .form = parent->output.form,
                   .place = place,
                   .member = environment},
    };
    return run_process(&program);
}

/** Several environments. No library is initialised, and no secret read, in this process. */
static int
look_at_fleet(struct program *program)
{
    const struct finish finish = finish_of(program);
    const struct fleet_job job = {
        .finish = &finish,
        .look = look_at_member,
        .ctx = program,
        .last_is_started = program_forget_secret_variables,
    };
    struct err err;
    size_t count = 0;
    int status = 0;
    /* What is loaded when it is needed is loaded once, here, and not once in each process. */
    (void)program->adapters->libraries(&count);
    return fleet_look(&job, &status, &err) ? status : fail_early(program, &err);
}

static int
list_runs(struct program *program)
{
    return work_on_history(program, history_show_runs);
}

static int
prune_runs(struct program *program)
{
    return work_on_history(program, history_prune_runs);
}

/** What carries a command out; NULL = a run with its report. */
static int (*const command_functions[COMMANDS])(struct program *program) = {
    [COMMAND_EXPORT] = export_run,   [COMMAND_SHOW] = show,       [COMMAND_RUNS] = list_runs,
    [COMMAND_ENV] = environments,    [COMMAND_EXPLAIN] = explain, [COMMAND_PRUNE] = prune_runs,
    [COMMAND_COMPLETION] = complete,
};

/** The configuration is there, and so is the place of the report. */
static int
carry_out(struct program *program)
{
    int (*const carry)(struct program *) = command_functions[config_command(program->config)];
    struct err err;
    size_t members = 0;
    if (config_help_asked(program->config))
        return print_help(program->config);
    if (config_command(program->config) == COMMAND_VERSION)
        return print_version(program);
    if (!forms_check(program->config, program->output.form, &err) ||
        !report_ready(program->output.form, &err))
        return fail_early(program, &err);
    (void)config_fleet(program->config, &members);
    if (members > 0)
        return look_at_fleet(program);
    return carry ? carry(program) : run_and_report(program);
}

static int
start(struct program *program)
{
    const struct config_input input = {.argc = program->argc,
                                       .argv = program->argv,
                                       .variable = process_variable,
                                       .environment = program->output.member};
    struct err err, output_err;
    size_t notices = 0;
    const bool loaded = config_load(program->config, &input, &err);
    console_init(&program->console, STDERR_FILENO, least_level(program->config));
    output_style(program->config, &program->console);
    if (config_flag(program->config, OPT_NAGIOS) && !program->output.member)
        cancel_end_with(NAGIOS_UNKNOWN);
    /* After a fault a form for programs is written, text is not: an older one is not emptied for
     * nothing. */
    const bool opened = program->output.member ||
                        (!loaded && output_form(program->config) == REPORT_TEXT) ||
                        output_open(program->config, &program->output, &output_err);
    const struct config_notice *notice = config_notices(program->config, &notices);
    for (size_t i = 0; i < notices; i++)
        program->console.observer.say(&program->console.observer, notice[i].level, notice[i].text);
    if (!loaded)
        return fail_early(program, &err);
    return opened ? carry_out(program) : fail_early(program, &output_err);
}

static void
release(struct program *program)
{
    const struct cli_adapters *adapters = program->adapters;
    if (program->axdb && config_jit(program->config) != JIT_NONE)
        granted_axdb_free(program->axdb);
    else if (program->axdb)
        adapters->axdb_free(program->axdb);
    if (program->runtime)
        adapters->runtime_free(program->runtime);
    if (program->runs)
        adapters->runs_free(program->runs);
    if (program->archive)
        adapters->archive_free(program->archive);
    if (program->history)
        adapters->history_free(program->history);
    if (program->plan_out)
        adapters->plan_out_free(program->plan_out);
    if (program->saved)
        program->saved->ops->close(program->saved);
    aside_free(program->aside);
    text_done(&program->pasted);
    output_close(&program->output);
    terminal_close(&program->terminal);
    arena_free(program->arena);
    config_free(program->config);
}

static int
run_process(struct program *program)
{
    int status = err_exit_status(ERR_INTERNAL);

    terminal_use(&program->terminal, -1);
    console_init(&program->console, STDERR_FILENO, LOG_LEVEL_INFO);
    program->config = config_new();
    program->arena = arena_new(ARENA_BYTES);
    if (program->config && program->arena)
        status = start(program);
    else
        program->console.observer.say(&program->console.observer, LOG_LEVEL_ERROR, "out of memory");
    release(program);
    return status;
}

int
cli_main(int argc, char **argv, const struct cli_adapters *adapters)
{
    assert(argv && adapters);
    struct program program = {
        .argc = argc,
        .argv = argv,
        .adapters = adapters,
        .output = {.fd = STDOUT_FILENO},
    };

    program_take_secret_variables();
    cancel_init();
    const int status = run_process(&program);
    program_forget_secret_variables();
    return status;
}
