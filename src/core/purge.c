#include "core/purge.h"

#include "base/cancel.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct purging {
    const struct purge_job *job;
    struct purge_result *result;
    struct removal *left; /* room for every row of the plan */
    int64_t settled;
};

static const char *
state_name(enum removal_state state)
{
    static const char *const names[] = {"done", "gone", "changed", "failed", "unknown"};

    return names[state];
}

/** On record before it is sent: a crash then leaves no row of which nobody knows. */
static bool
intent(void *ctx, const struct row_id *const *rows, size_t count, struct err *err)
{
    struct purging *purge = ctx;

    for (size_t i = 0; i < count; i++) {
        const struct fact facts[] = {{"key", rows[i]->key}, {"version", rows[i]->version}};

        if (!purge->job->journal->ops->record(purge->job->journal, "purge-intent", facts, 2,
                                              i + 1 == count, err))
            return false;
    }
    /* a signal that ends the process at once cannot ask what became of them */
    cancel_note_changed();
    return true;
}

static void
count_outcome(struct purge_result *result, enum removal_state state)
{
    switch (state) {
    case REMOVAL_DONE:
        result->done++;
        break;
    case REMOVAL_GONE:
        result->gone++;
        break;
    case REMOVAL_CHANGED:
        result->changed++;
        break;
    case REMOVAL_FAILED:
        result->failed++;
        break;
    case REMOVAL_UNKNOWN:
        result->unknown++;
        break;
    }
}

static bool
outcome(void *ctx, const struct removal *removal, struct err *err)
{
    struct purging *purge = ctx;
    char status[16];
    const struct fact facts[] = {{"key", removal->row->key},
                                 {"state", state_name(removal->state)},
                                 {"http_status", status},
                                 {"request_id", removal->request_id},
                                 {"why", removal->why.primary}};

    (void)snprintf(status, sizeof status, "%d", removal->http_status);
    count_outcome(purge->result, removal->state);
    purge->settled++;
    if (removal->state != REMOVAL_DONE && removal->state != REMOVAL_GONE &&
        purge->result->left_count < purge->job->plan->runtime_count) {
        struct row_id *row = arena_alloc(purge->job->arena, sizeof *row);

        if (row) {
            *row = *removal->row;
            purge->left[purge->result->left_count] = *removal;
            purge->left[purge->result->left_count++].row = row;
        }
    }
    purge->job->observer->progress(purge->job->observer, "runtime configurations removed",
                                   purge->settled, (int64_t)purge->job->plan->runtime_count);
    return purge->job->journal->ops->record(
        purge->job->journal, "purge-outcome", facts, removal->why.primary[0] ? 5 : 4,
        purge->settled == (int64_t)purge->job->plan->runtime_count, err);
}

bool
purge_rows(const struct purge_job *job, struct purge_result *ret, struct err *err)
{
    const struct plan *plan = job->plan;
    struct purging purge = {
        .job = job,
        .result = ret,
        .left = arena_alloc(job->arena, (plan->runtime_count + 1) * sizeof *purge.left)};
    const struct removal_sink sink = {.ctx = &purge, .intent = intent, .outcome = outcome};
    bool ok;

    assert(job->sealed->sealed &&
           job->sealed->states[TABLE_RUNTIME].rows == (int64_t)plan->runtime_count);

    *ret = (struct purge_result){0};
    if (!purge.left)
        return arena_exhausted(err);
    /* Exactly these rows, in these versions, are sealed on stable storage: this line destroys. */
    ok = job->store->ops->remove(job->store, plan->runtime_rows, plan->runtime_count, &sink, err);
    ret->left = purge.left;
    /* "gone" too: an answer may have been lost before */
    ret->target_changed = ret->done > 0 || ret->gone > 0 || ret->unknown > 0;
    if (ok && purge.settled != (int64_t)plan->runtime_count)
        return err_set(err, ERR_INTERNAL, "%" PRId64 " of %zu rows have no outcome",
                       (int64_t)plan->runtime_count - purge.settled, plan->runtime_count);
    return ok;
}
