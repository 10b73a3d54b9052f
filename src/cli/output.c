#include "cli/output.h"

#include "base/cancel.h"
#include "base/text.h"
#include "cli/inert.h"
#include "report/fleet.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A report lists every row of Dataverse before and after: evidence, so none is left out. */
enum {
    DEFAULT_WIDTH = 80,
    MAX_WIDTH = 120,
    HOST_BYTES = 256,
    REPORT_MAX_BYTES = 512 * 1024 * 1024
};

enum report_form
output_form(const struct config *config)
{
    const char *name = config_text(config, OPT_FORMAT);
    enum report_form form = REPORT_TEXT;
    /* the option table has no other names */
    return name && report_form_find(name, &form) ? form : REPORT_TEXT;
}

int
output_exit_status(const struct outcome *outcome)
{
    const bool stopped = outcome->word == OUTCOME_INTERRUPTED && cancel_signal() != 0;
    return stopped ? 128 + cancel_signal() : outcome->exit_status;
}

bool
output_wants_colour(const struct config *config, int fd)
{
    const char *when = config_text(config, OPT_COLOR);
    if (when && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    /* Read before any thread could exist. */
    const char *no_color = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe) */
    const char *term = getenv("TERM");         /* NOLINT(concurrency-mt-unsafe) */
    return isatty(fd) == 1 && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static unsigned
width_of(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return DEFAULT_WIDTH;
    return size.ws_col > MAX_WIDTH ? MAX_WIDTH : size.ws_col;
}

void
output_style(const struct config *config, struct console *console)
{
    const char *log = config_text(config, OPT_LOG_FORMAT);
    struct console_style *style = &console->style;
    style->json = log && strcmp(log, "json") == 0;
    style->journal = !style->json && console_is_journal(console->fd);
    style->inert = inert_is_wanted();
    style->redraw = style->redraw && !style->json;
    style->colour = !style->json && !style->journal && output_wants_colour(config, console->fd);
    console->facts.command = command_spec(config_command(config))->name;
    console->facts.environment = config_text(config, OPT_ENV);
}

bool
output_open(const struct config *config, struct output *ret, struct err *err)
{
    const char *path = config_text(config, OPT_OUTPUT);
    bool ok = true;
    /* written before any thread could exist; a name that is cut is still one */
    static char host[HOST_BYTES];
    *ret = (struct output){.fd = STDOUT_FILENO, .form = output_form(config)};
    if (path) {
        /* Opened before the run: a path that cannot be written must not be found out afterwards. */
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
        if (fd >= 0)
            *ret = (struct output){.fd = fd, .owned = true, .path = path, .form = ret->form};
        else
            ok = err_errno(err, ERR_CONFIG, errno, "open %s for the report", path);
    }
    ret->is_terminal = isatty(ret->fd) == 1;
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    ret->place = (struct report_place){
        .width = width_of(ret->fd), .colour = output_wants_colour(config, ret->fd), .host = host};
    return ok;
}

void
output_close(struct output *output)
{
    if (output->owned)
        (void)close(output->fd);
    *output = (struct output){.fd = STDOUT_FILENO};
}

bool
output_print(int fd, enum report_form form, const struct text *text)
{
    TEXT_SCOPED inert = {.max = REPORT_MAX_BYTES};
    struct err ignored;
    if (!inert_is_wanted())
        return console_write(fd, text_string(text), text->used);
    inert_append(&inert, form, text_string(text), text->used);
    errno = ENOMEM;
    return text_ok(&inert, &ignored) && console_write(fd, text_string(&inert), inert.used);
}

/** A pipeline does not read a file of -o, nor what one process tells another. */
static bool
write_out(const struct output *output, const struct text *text)
{
    return output->owned || output->member
               ? console_write(output->fd, text_string(text), text->used)
               : output_print(output->fd, output->form, text);
}

/** Who sent the report into a file still sees how it came out. */
static void
tell_verdict(const struct output *output, const struct outcome *outcome, struct console *console)
{
    TEXT_SCOPED line = {0};
    const char *verdict = outcome->verdict ? outcome->verdict : "";
    if (!output->path)
        return;
    for (const char *p = outcome_word_name(outcome->word); *p; p++)
        text_printf(&line, "%c", toupper((unsigned char)*p));
    /* an error has been said above */
    if (*verdict && strcmp(verdict, outcome->err.primary) != 0) {
        text_append(&line, "  ");
        text_append(&line, verdict);
    }
    text_append(&line, "; report in ");
    text_append(&line, output->path);
    console->observer.say(&console->observer, LOG_LEVEL_INFO, text_string(&line));
}

static bool
render(const struct output *output, const struct outcome *outcome, struct text *ret,
       struct err *err)
{
    return output->member ? fleet_write_message(outcome, output->member, output->form,
                                                &output->place, ret, err)
                          : report_render(outcome, output->form, &output->place, ret, err);
}

void
output_report(const struct output *output, const struct outcome *outcome, struct console *console)
{
    TEXT_SCOPED text = {.max = REPORT_MAX_BYTES};
    struct err err;
    struct outcome settled = *outcome;
    settled.exit_status = output_exit_status(outcome);
    if (output->form == REPORT_HTML && output->is_terminal && !output->member)
        console->observer.say(&console->observer, LOG_LEVEL_NOTICE,
                              "an HTML report is for a browser: -o FILE puts it into a file");
    if (!render(output, &settled, &text, &err))
        (void)err_wrap(&err, "the report is not complete");
    else if (!write_out(output, &text))
        (void)err_errno(&err, ERR_STORAGE, errno, "write the report");
    else {
        tell_verdict(output, outcome, console);
        return;
    }
    if (outcome->run_path)
        (void)err_hint(&err, "The whole report is in %s.", outcome->run_path);
    console->observer.say(&console->observer, LOG_LEVEL_WARNING, err.primary);
    if (err.hint[0])
        console->observer.say(&console->observer, LOG_LEVEL_WARNING, err.hint);
}

bool
output_text(const struct output *output, const struct text *text, struct err *err)
{
    return write_out(output, text) ||
           err_errno(err, ERR_STORAGE, errno, "write %s", output->path ? output->path : "stdout");
}

bool
output_write_reports(void *ctx, const struct outcome *outcome, struct run_dir *dir, struct err *err)
{
    TEXT_SCOPED text = {.max = REPORT_MAX_BYTES};
    TEXT_SCOPED json = {.max = REPORT_MAX_BYTES};
    TEXT_SCOPED html = {.max = REPORT_MAX_BYTES};
    struct outcome settled = *outcome;
    (void)ctx;
    settled.exit_status = output_exit_status(outcome);
    return report_text(&settled, DEFAULT_WIDTH, false, &text, err) &&
           report_json(&settled, &json, err) && report_html(&settled, &html, err) &&
           dir->ops->write_file(dir, "report.txt", text_string(&text), text.used, err) &&
           dir->ops->write_file(dir, "report.html", text_string(&html), html.used, err) &&
           dir->ops->write_file(dir, "report.json", text_string(&json), json.used, err);
}
