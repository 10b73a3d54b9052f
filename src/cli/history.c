#include "cli/history.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "report/history.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct history_style
style_of(const struct output *output)
{
    return (struct history_style){.width = output->place.width, .colour = output->place.colour};
}

bool
history_tell(const struct history_job *job, const struct text *text, struct err *err)
{
    *job->told = true;
    return output_text(job->output, text, err);
}

/* ---- runs */

/** In the form asked for: one that this list has (forms.h). */
static bool
render_runs(const struct history_job *job, const struct run_list *list, struct text *ret,
            struct err *err)
{
    const struct history_style style = style_of(job->output);
    const enum report_form form = job->output->form;
    return form == REPORT_JSON     ? history_runs_json(list, job->environment, ret, err)
           : form == REPORT_NDJSON ? history_runs_ndjson(list, job->environment, ret, err)
           : form == REPORT_CSV    ? history_runs_csv(list, job->environment, ret, err)
                                   : history_runs_text(list, job->environment, &style, ret, err);
}

static void
warn_of_damage(const struct history_job *job, const struct run_list *list)
{
    size_t damaged = 0;
    char line[160];
    for (size_t i = 0; i < list->count; i++)
        damaged += list->runs[i].damage && history_is_of(&list->runs[i], job->environment);
    if (damaged == 0)
        return;
    (void)snprintf(line, sizeof(line), "%zu %s damaged: the list says why", damaged,
                   damaged == 1 ? "run is" : "runs are");
    job->console->observer.say(&job->console->observer, LOG_LEVEL_WARNING, line);
}

bool
history_show_runs(const struct history_job *job, struct err *err)
{
    assert(job && err);
    TEXT_SCOPED text = {0};
    struct run_list list;
    if (!job->history->list(job->history, job->arena, &list, err))
        return false;
    warn_of_damage(job, &list);
    return render_runs(job, &list, &text, err) && history_tell(job, &text, err);
}

/* ---- prune */

/** A prune under way. */
struct prune {
    const struct history_job *job;
    struct run_list list;
    struct history_prune_line *lines;
    struct history_prune told; /* what the report has; borrows the lines */
};

static bool
choose(struct prune *prune, struct err *err)
{
    const struct history_job *job = prune->job;
    const struct history_policy policy = {.environment = job->environment,
                                          .now_utc_ms = clock_utc_ms(),
                                          .older_than_ms = job->older_than_ms};
    prune->lines = arena_alloc(job->arena, (prune->list.count + 1) * sizeof(*prune->lines));
    if (!prune->lines)
        return arena_exhausted(err);
    prune->told = (struct history_prune){.list = &prune->list,
                                         .lines = prune->lines,
                                         .dry_run = job->dry_run,
                                         .confirmed = job->yes && !job->dry_run};
    for (size_t i = 0; i < prune->list.count; i++) {
        const struct run_entry *entry = &prune->list.runs[i];
        struct history_prune_line *line = &prune->lines[prune->told.count];
        if (!history_is_of(entry, job->environment))
            continue;
        prune->told.count++;
        *line = (struct history_prune_line){
            .entry = entry, .keep = history_keep_reason(&prune->list, entry, &policy)};
        if (line->keep)
            continue;
        line->only_copies = history_only_copies(&prune->list, entry);
        prune->told.going++;
        prune->told.only_copies += line->only_copies;
        prune->told.bytes += entry->bytes;
    }
    return true;
}

static bool
not_confirmed(const struct prune *prune, struct err *err)
{
    (void)err_set(err, ERR_REFUSED, "not confirmed: nothing was removed");
    if (prune->told.only_copies)
        return err_hint(err,
                        "%zu %s would go, and with them the only copies of %" PRId64
                        " rows. If that is meant, pass --yes.",
                        prune->told.going, prune->told.going == 1 ? "run" : "runs",
                        prune->told.only_copies);
    return err_hint(err, "If that is meant, pass --yes.");
}

/** Show the list at the terminal, and let the word be typed. */
static bool
ask(struct prune *prune, struct err *err)
{
    struct operator_port *op = prune->job->op;
    const struct history_style style = style_of(prune->job->output);
    char answer[32];
    TEXT_SCOPED text = {0};
    if (!op || !op->present)
        return not_confirmed(prune, err);
    if (!history_prune_text(&prune->told, &style, &text, err))
        return false;
    op->show(op, text_string(&text));
    if (!op->ask(op, "Type PRUNE to remove them for good: ", answer, sizeof(answer), err))
        return false;
    prune->told.confirmed = strcmp(answer, "PRUNE") == 0;
    return prune->told.confirmed || not_confirmed(prune, err);
}

/** Is it, now that it is locked, what it was when the list was made? */
static bool
may_go(void *ctx, const struct run_entry *now, struct err *err)
{
    const struct history_prune_line *line = ctx;
    const struct run_entry *then = line->entry;
    if (history_state_of(now) == history_state_of(then) &&
        now->past.progress.records == then->past.progress.records && now->bytes == then->bytes)
        return true;
    return err_set(err, ERR_STALE, "run %s changed while the list was made", then->id);
}

/** What prune.ndjson keeps of it. */
static void
describe(const struct prune *prune, const struct history_prune_line *line, struct text *ret)
{
    const char *sudo = getenv("SUDO_USER"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char stamp[CLOCK_STAMP_BYTES];
    clock_stamp(clock_utc_ms(), stamp);
    text_printf(ret, "{\"utc\":\"%s\",\"run\":", stamp);
    text_append_json(ret, line->entry->id, strlen(line->entry->id));
    text_printf(ret,
                ",\"state\":\"%s\",\"only_copies\":\"%" PRId64 "\",\"bytes\":\"%" PRIu64
                "\",\"older_than_ms\":\"%" PRId64 "\",\"uid\":\"%ju\",\"sudo_user\":",
                history_state_key(history_state_of(line->entry)), line->only_copies,
                line->entry->bytes, prune->job->older_than_ms, (uintmax_t)getuid());
    if (sudo)
        text_append_json(ret, sudo, strlen(sudo));
    else
        text_append(ret, "null");
    text_append(ret, "}");
}

static bool
remove_one(const struct prune *prune, struct history_prune_line *line, struct err *err)
{
    const struct run_remove_guard guard = {.ctx = line, .may_go = may_go};
    struct run_history *history = prune->job->history;
    TEXT_SCOPED record = {0};
    describe(prune, line, &record);
    /* Destroys the run, and the only copy of the rows that the list has named. */
    return text_ok(&record, err) &&
           history->remove(history, line->entry->id, &guard, text_string(&record), err);
}

static bool
remove_leftovers(const struct prune *prune, struct err *err)
{
    struct run_history *history = prune->job->history;
    for (size_t i = 0; i < prune->list.leftover_count; i++) {
        if (!history->remove_leftover(history, prune->list.leftovers[i], err))
            return false;
    }
    return true;
}

/** Each that can be; the first fault is the error. */
static bool
remove_all(struct prune *prune, struct err *err)
{
    bool ok = remove_leftovers(prune, err);
    for (size_t i = 0; i < prune->told.count; i++) {
        struct history_prune_line *line = &prune->lines[i];
        struct err why;
        if (line->keep)
            continue;
        line->removed = cancel_check(&why) && remove_one(prune, line, &why);
        if (line->removed)
            continue;
        line->fault = arena_string(prune->job->arena, why.primary);
        if (!line->fault)
            return arena_exhausted(err);
        if (ok)
            *err = why;
        ok = false;
    }
    return ok;
}

static bool
report(const struct prune *prune, struct err *err)
{
    const enum report_form form = prune->job->output->form;
    const struct history_style style = style_of(prune->job->output);
    const struct history_prune *told = &prune->told;
    TEXT_SCOPED text = {0};
    return (form == REPORT_JSON     ? history_prune_json(told, &text, err)
            : form == REPORT_NDJSON ? history_prune_ndjson(told, &text, err)
            : form == REPORT_CSV    ? history_prune_csv(told, &text, err)
                                    : history_prune_text(told, &style, &text, err)) &&
           history_tell(prune->job, &text, err);
}

bool
history_prune_runs(const struct history_job *job, struct err *err)
{
    assert(job && err);
    struct prune prune = {.job = job};
    struct err unsaid;
    bool ok = true;
    if (!job->has_age) {
        (void)err_set(err, ERR_USAGE, "no age: --older-than is missing");
        return err_hint(err, "Give --older-than AGE with its unit, as 30d, 12w or 48h.");
    }
    if (!job->history->list(job->history, job->arena, &prune.list, err) || !choose(&prune, err))
        return false;
    const bool something = prune.told.going || prune.list.leftover_count;
    if (something && !job->dry_run)
        ok = (job->yes || ask(&prune, err)) && remove_all(&prune, err);
    else
        prune.told.confirmed = !job->dry_run;
    return ok ? report(&prune, err) : report(&prune, &unsaid) && false;
}
