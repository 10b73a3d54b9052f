#include "cli/finish.h"

#include "cli/annotations.h"
#include "cli/metrics.h"
#include "cli/nagios.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUMMARY_MODE = 0644 };

static void
warn(const struct finish *finish, const struct err *err)
{
    struct observer *observer = &finish->console->observer;
    observer->say(observer, LOG_LEVEL_WARNING, err->primary);
    if (err->hint[0])
        observer->say(observer, LOG_LEVEL_WARNING, err->hint);
}

bool
finish_check(const struct finish *finish, struct err *err)
{
    const struct config *config = finish->config;
    const char *metrics = config_text(config, OPT_METRICS_FILE);
    const size_t size = metrics ? strlen(metrics) : 0;
    struct err why;

    /* a form that comes from elsewhere is meant for other calls */
    if (config_flag(config, OPT_NAGIOS) && output_form(config) != REPORT_TEXT &&
        config_rank(config, OPT_FORMAT) == RANK_ARGV) {
        (void)err_set(err, ERR_USAGE, "--nagios has a form of its own: no --format %s beside it",
                      config_text(config, OPT_FORMAT));
        return err_hint(err, "Leave out one of the two; -o FILE keeps the report as text.");
    }
    if (metrics && (size < 5 || strcmp(metrics + size - 5, ".prom") != 0)) {
        (void)err_set(&why, ERR_CONFIG,
                      "--metrics-file %.200s does not end in .prom: the textfile "
                      "collector of node_exporter reads no other files",
                      metrics);
        warn(finish, &why);
    }
    return true;
}

/* ---- parts */

static void
write_metrics(const struct finish *finish, const struct metrics_summary *runs, size_t count)
{
    const char *path = config_text(finish->config, OPT_METRICS_FILE);
    struct err old, err;

    if (!metrics_write(path, runs, count, finish->version, &old, &err)) {
        (void)err_wrap(&err, "the metrics file is not written");
        warn(finish, &err);
    } else if (old.code != ERR_NONE) {
        (void)err_wrap(&old, "%.120s was replaced, and when a run last succeeded is not known",
                       path);
        warn(finish, &old);
    }
}

static bool
metrics_are_wanted(const struct finish *finish, bool dry_run)
{
    if (!config_text(finish->config, OPT_METRICS_FILE) ||
        !option_applies(option_spec(OPT_METRICS_FILE), config_command(finish->config)))
        return false;
    if (dry_run || config_flag(finish->config, OPT_DRY_RUN)) {
        finish->console->observer.say(&finish->console->observer, LOG_LEVEL_INFO,
                                      "a dry run writes no metrics file");
        return false;
    }
    return true;
}

static void
write_metrics_of(const struct finish *finish, const struct outcome *outcome)
{
    struct metrics_summary summary;
    if (!metrics_are_wanted(finish, outcome->dry_run))
        return;
    metrics_summarize(outcome, config_text(finish->config, OPT_ENV), &summary);
    write_metrics(finish, &summary, 1);
}

/** Commands are lines of their own: in a log of JSON objects there is no place for them. */
static void
annotate(const struct finish *finish, const struct annotations *wanted,
         const struct outcome *outcome)
{
    TEXT_SCOPED text = {0};
    if (finish->console->style.json)
        return;
    annotations_append(wanted, outcome, &text);
    (void)console_write(finish->console->fd, text_string(&text), text.used);
}

static void
summarize_job(const struct finish *finish, const char *path, const struct outcome *outcome)
{
    TEXT_SCOPED text = {0};
    struct err err;
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, SUMMARY_MODE);
    annotations_append_summary(outcome, &text);
    if (fd < 0 || !console_write(fd, text_string(&text), text.used)) {
        (void)err_errno(&err, ERR_STORAGE, errno, "write the job summary %.200s", path);
        warn(finish, &err);
    }
    if (fd >= 0)
        (void)close(fd);
}

static bool
rows_are_wanted(const struct finish *finish)
{
    const char *expect = config_text(finish->config, OPT_EXPECT);
    return expect && strcmp(expect, "post-relink") == 0;
}

static void
write_nagios(const struct finish *finish, const struct outcome *outcome)
{
    TEXT_SCOPED text = {0};
    nagios_render(outcome, rows_are_wanted(finish), &text);
    (void)output_print(STDOUT_FILENO, REPORT_TEXT, &text);
}

/** One of several environments: its report goes to the process above, which does the rest. */
static int
finish_member(const struct finish *finish, const struct outcome *outcome)
{
    output_report(finish->output, outcome, finish->console);
    return output_exit_status(outcome);
}

int
finish_run(const struct finish *finish, const struct outcome *outcome, bool early)
{
    if (finish->output->member)
        return finish_member(finish, outcome);
    const bool nagios = config_flag(finish->config, OPT_NAGIOS);
    const struct annotations wanted = annotations_wanted();
    struct outcome settled = *outcome;

    settled.exit_status = output_exit_status(outcome);
    if (nagios)
        write_nagios(finish, &settled);
    if (nagios ? finish->output->path && !early : !early || finish->output->form != REPORT_TEXT)
        output_report(finish->output, outcome, finish->console);
    annotate(finish, &wanted, &settled);
    if (wanted.summary)
        summarize_job(finish, wanted.summary, &settled);
    write_metrics_of(finish, &settled);
    return nagios ? (int)nagios_status(settled.exit_status) : settled.exit_status;
}

/* ---- several environments */

static void
write_metrics_of_fleet(const struct finish *finish, const struct fleet *fleet)
{
    struct metrics_summary *runs;
    if (fleet->count == 0 || !metrics_are_wanted(finish, false))
        return;
    runs = calloc(fleet->count, sizeof(*runs));
    for (size_t i = 0; runs && i < fleet->count; i++) {
        const struct fleet_member *member = &fleet->members[i];
        struct outcome outcome;
        fleet_outcome(fleet, member, &outcome);
        metrics_summarize(&outcome, member->name, &runs[i]);
        memcpy(runs[i].rows, member->rows, sizeof(runs[i].rows));
    }
    if (runs)
        write_metrics(finish, runs, fleet->count);
    free(runs);
}

static void
write_nagios_of_fleet(const struct finish *finish, const struct fleet *fleet)
{
    TEXT_SCOPED text = {0};
    nagios_render_fleet(fleet, rows_are_wanted(finish), &text);
    (void)output_print(STDOUT_FILENO, REPORT_TEXT, &text);
}

int
finish_fleet(const struct finish *finish, const struct fleet *fleet,
             void (*write_report)(const struct finish *finish, const struct fleet *fleet))
{
    const bool nagios = config_flag(finish->config, OPT_NAGIOS);
    const struct annotations wanted = annotations_wanted();
    const int status = fleet_exit_status(fleet);

    if (nagios)
        write_nagios_of_fleet(finish, fleet);
    if (!nagios || finish->output->path)
        write_report(finish, fleet);
    for (size_t i = 0; i < fleet->count; i++) {
        struct outcome outcome;
        fleet_outcome(fleet, &fleet->members[i], &outcome);
        annotate(finish, &wanted, &outcome);
        if (wanted.summary)
            summarize_job(finish, wanted.summary, &outcome);
    }
    write_metrics_of_fleet(finish, fleet);
    return nagios ? (int)nagios_status(status) : status;
}
