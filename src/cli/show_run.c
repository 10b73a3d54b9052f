#include "base/cancel.h"
#include "base/text.h"
#include "cli/history.h"
#include "report/history.h"

#include <assert.h>
#include <string.h>

enum { CHECKS_MAX = 20000 };

/** What a verification found, as it comes in. */
struct collecting {
    struct arena *arena;
    struct run_check *checks;
    struct history_shown *shown;
};

static bool
take_check(void *ctx, const struct run_check *check, struct err *err)
{
    struct collecting *collecting = ctx;
    struct history_shown *shown = collecting->shown;
    if (!cancel_check(err))
        return false;
    shown->failed_count += check->verdict == RUN_CHECK_FAILED;
    shown->note_count += check->verdict == RUN_CHECK_NOTE;
    if (shown->check_count == CHECKS_MAX)
        return err_set(err, ERR_STORAGE, "the run has more files than a run has");
    collecting->checks[shown->check_count] =
        (struct run_check){.item = arena_string(collecting->arena, check->item),
                           .verdict = check->verdict,
                           .text = arena_string(collecting->arena, check->text)};
    const struct run_check *kept = &collecting->checks[shown->check_count++];
    return (kept->item && kept->text) || arena_exhausted(err);
}

static bool
verify(const struct history_job *job, struct history_shown *shown, struct err *err)
{
    struct collecting collecting = {
        .arena = job->arena,
        .checks = arena_alloc(job->arena, CHECKS_MAX * sizeof(*collecting.checks)),
        .shown = shown};
    const struct run_check_sink sink = {.ctx = &collecting, .take = take_check};
    if (!job->verify)
        return true;
    if (!collecting.checks)
        return arena_exhausted(err);
    shown->verified = true;
    shown->checks = collecting.checks;
    return job->history->verify(job->history, job->run, &sink, err);
}

/** What was found is the status, after it was shown. */
static bool
judge(const struct history_shown *shown, struct err *err)
{
    const struct run_entry *entry = &shown->details->entry;
    if (shown->failed_count) {
        (void)err_set(err, ERR_STORAGE, "run %s is not as it was written: %zu of %zu checks failed",
                      entry->id, shown->failed_count, shown->check_count);
        return err_hint(err, "Restore the run directory from a copy. Nothing of it should be put "
                             "back before.");
    }
    if (!entry->damage)
        return true;
    (void)err_set(err, ERR_STORAGE, "run %s is damaged", entry->id);
    return err_detail(err, "%s", entry->damage);
}

bool
show_run(const struct history_job *job, struct err *err)
{
    assert(job && err);
    const struct history_style style = {.width = job->output->place.width,
                                        .colour = job->output->place.colour};
    struct run_details details;
    struct history_shown shown = {.details = &details};
    TEXT_SCOPED text = {0};
    if (!job->history->details(job->history, job->run, job->arena, &details, err) ||
        !verify(job, &shown, err))
        return false;
    return (job->output->form == REPORT_JSON ? history_run_json(&shown, &text, err)
                                             : history_run_text(&shown, &style, &text, err)) &&
           history_tell(job, &text, err) && judge(&shown, err);
}
