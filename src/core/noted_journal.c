#include "noted_journal.h"

#include "base/clock.h"

#include <string.h>

enum { STEPS_MAX = 64 };

/** Steps of a row or of a group of rows: there may be as many as rows, so they share one line. */
static bool
is_of_rows(const char *step)
{
    static const char *const steps[] = {"purge-outcome", "return-outcome", "backup-again"};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (strcmp(step, steps[i]) == 0)
            return true;
    return false;
}

/** What stands in the report elsewhere, or says only what the next record says again. */
static bool
is_left_out(const char *step)
{
    static const char *const steps[] = {"preconditions", "purge-intent", "return-intent"};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (strcmp(step, steps[i]) == 0)
            return true;
    return false;
}

static struct run_step *
step_before(const struct noted_journal *noted, const char *step)
{
    for (size_t i = 0; is_of_rows(step) && i < noted->outcome->step_count; i++)
        if (strcmp(noted->steps[i].step, step) == 0)
            return &noted->steps[i];
    return NULL;
}

static void
note(struct noted_journal *noted, const char *step, int64_t utc_ms)
{
    struct outcome *outcome = noted->outcome;
    struct run_step *before;

    if (is_left_out(step))
        return;
    before = step_before(noted, step);
    if (before) {
        before->last_utc_ms = utc_ms;
        before->times++;
        return;
    }
    if (outcome->step_count == STEPS_MAX) {
        outcome->steps_unlisted++;
        return;
    }
    noted->steps[outcome->step_count++] =
        (struct run_step){.step = step, .first_utc_ms = utc_ms, .last_utc_ms = utc_ms, .times = 1};
}

static bool
noted_record(struct journal *journal, const char *step, const struct fact *facts, size_t count,
             bool durable, struct err *err)
{
    struct noted_journal *noted = (struct noted_journal *)journal;
    const int64_t utc_ms = clock_utc_ms();

    if (!noted->inner->ops->record(noted->inner, step, facts, count, durable, err))
        return false;
    note(noted, step, utc_ms);
    return true;
}

static bool
noted_reserve(struct journal *journal, size_t bytes, struct err *err)
{
    struct noted_journal *noted = (struct noted_journal *)journal;

    return noted->inner->ops->reserve(noted->inner, bytes, err);
}

bool
noted_journal_begin(struct noted_journal *noted, struct journal *inner, struct outcome *outcome,
                    struct arena *arena, struct err *err)
{
    static const struct journal_ops ops = {.record = noted_record, .reserve = noted_reserve};
    struct run_step *steps = arena_alloc(arena, STEPS_MAX * sizeof *steps);

    if (!steps)
        return arena_exhausted(err);
    *noted = (struct noted_journal){
        .port = {.ops = &ops}, .inner = inner, .outcome = outcome, .steps = steps};
    outcome->steps = steps;
    outcome->step_count = 0;
    return true;
}
