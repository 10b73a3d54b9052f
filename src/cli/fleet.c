#include "cli/fleet.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "fleet_crew.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLEET_REPORT_BYTES = 512 * 1024 * 1024 };

static bool
check_form(const struct fleet_job *job, struct err *err)
{
    if (fleet_has_form(job->finish->output->form))
        return true;
    (void)err_set(err, ERR_USAGE, "several environments have no report in the form %s",
                  report_form_name(job->finish->output->form));
    return err_hint(err, "Take --format text.");
}

/** As a shell takes it. */
static void
append_word(struct text *ret, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_-./:,=@%+";
    const char *quote = word[strspn(word, plain)] ? "'" : "";
    text_append(ret, quote);
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            text_append(ret, "'\\''");
        else
            text_append_bytes(ret, p, 1);
    }
    text_append(ret, quote);
}

/** Not of the command that looks at one of them alone: who is asked for, and where to. */
static bool
is_of_several(enum option_id id)
{
    return id == OPT_ENV || id == OPT_ALL || id == OPT_JOBS || id == OPT_DEADLINE ||
           id == OPT_OUTPUT || id == OPT_FORMAT || id == OPT_COLOR || id == OPT_NAGIOS ||
           id == OPT_METRICS_FILE;
}

static void
append_option(const struct option_spec *spec, const struct setting *setting, struct text *ret)
{
    for (size_t i = 0; i < (setting->items ? setting->count : 1); i++) {
        text_printf(ret, "--%s", spec->name);
        if (spec->argument) {
            /* an optional value has to be attached */
            text_append(ret, spec->argument[0] == '[' ? "=" : " ");
            append_word(ret, setting->items ? setting->items[i] : setting->text);
        }
        text_append(ret, " ");
    }
}

/** What else this command line says, to look at one of them alone. Secrets are never in it. */
static void
put_options(const struct config *config, struct text *ret)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        const struct setting *setting = config_setting(config, RANK_ARGV, spec->id);
        if (setting && spec->name && !is_of_several(spec->id))
            append_option(spec, setting, ret);
    }
}

/** Who sent the report into a file still sees how it came out. */
static void
tell_verdict(const struct finish *finish, const struct fleet *fleet)
{
    TEXT_SCOPED line = {0};
    if (!finish->output->path)
        return;
    for (const char *p = outcome_word_name(fleet_word(fleet)); *p; p++)
        text_printf(&line, "%c", toupper((unsigned char)*p));
    text_append(&line, "  ");
    fleet_verdict(fleet, &line);
    text_printf(&line, "; report in %s", finish->output->path);
    finish->console->observer.say(&finish->console->observer, LOG_LEVEL_INFO, text_string(&line));
}

static void
report(const struct finish *finish, const struct fleet *fleet)
{
    TEXT_SCOPED text = {.max = FLEET_REPORT_BYTES};
    struct err err;
    if (!fleet_report(fleet, finish->output->form, &finish->output->place, &text, &err))
        (void)err_wrap(&err, "the report is not complete");
    else if (output_text(finish->output, &text, &err)) {
        tell_verdict(finish, fleet);
        return;
    }
    finish->console->observer.say(&finish->console->observer, LOG_LEVEL_WARNING, err.primary);
}

static void
fill(const struct config *config, const struct config_environment *const *environments,
     struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        fleet->members[i] = (struct fleet_member){
            .name = environments[i]->name,
            .class_name = environments[i]->class_name,
            .deadline_ms = config_deadline_ms(config, environments[i]),
            .axdb_rows = -1,
            .runtime_rows = -1,
        };
}

bool
fleet_look(const struct fleet_job *job, int *ret_status, struct err *err)
{
    assert(job && job->finish->config && job->finish->output && job->finish->console && job->look &&
           ret_status && err);
    TEXT_SCOPED options = {0};
    struct fleet fleet = {
        .command = command_spec(config_command(job->finish->config))->name,
        .config_file = config_file(job->finish->config),
        .jobs = (unsigned)config_number(job->finish->config, OPT_JOBS),
        .started_utc_ms = clock_utc_ms(),
    };
    const struct config_environment *const *environments =
        config_fleet(job->finish->config, &fleet.count);
    const int64_t began_ms = clock_monotonic_ms();

    assert(fleet.count > 0);
    if (!check_form(job, err))
        return false;
    put_options(job->finish->config, &options);
    fleet.options = text_string(&options);
    fleet.members = calloc(fleet.count, sizeof(*fleet.members));
    if (!fleet.members)
        return err_set(err, ERR_INTERNAL, "out of memory");
    fill(job->finish->config, environments, &fleet);
    const bool ok = fleet_crew_run(job, &fleet, err);
    if (ok) {
        fleet.signal = cancel_signal();
        fleet.ended_utc_ms = clock_utc_ms();
        fleet.duration_ms = clock_monotonic_ms() - began_ms;
        *ret_status = finish_fleet(job->finish, &fleet, report);
    }
    fleet_done(&fleet);
    free(fleet.members);
    return ok;
}
