#include "core/purge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct purging {
    const struct plan *plan;
    struct journal *journal;
    struct observer *observer;
    struct arena *arena;
    struct purge_result *result;
    struct removal *left; /* room for every row of the plan */
    int64_t intended, settled;
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
    struct purging *job = ctx;

    for (size_t i = 0; i < count; i++) {
        const struct fact facts[] = {{"key", rows[i]->key}, {"version", rows[i]->version}};

        if (!job->journal->ops->record(job->journal, "purge-intent", facts, 2, i + 1 == count, err))
            return false;
    }
    job->intended += (int64_t)count;
    job->result->any_sent = true;
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
    struct purging *job = ctx;
    char status[16];
    const struct fact facts[] = {{"key", removal->row->key},
                                 {"state", state_name(removal->state)},
                                 {"http_status", status},
                                 {"request_id", removal->request_id},
                                 {"why", removal->why.primary}};

    (void)snprintf(status, sizeof status, "%d", removal->http_status);
    count_outcome(job->result, removal->state);
    job->settled++;
    if (removal->state != REMOVAL_DONE && removal->state != REMOVAL_GONE &&
        job->result->left_count < job->plan->runtime_count) {
        struct row_id *row = arena_alloc(job->arena, sizeof *row);

        if (row) {
            *row = *removal->row;
            job->left[job->result->left_count] = *removal;
            job->left[job->result->left_count++].row = row;
        }
    }
    job->observer->progress(job->observer, "runtime configurations removed", job->settled,
                            (int64_t)job->plan->runtime_count);
    return job->journal->ops->record(job->journal, "purge-outcome", facts,
                                     removal->why.primary[0] ? 5 : 4,
                                     job->settled == (int64_t)job->plan->runtime_count, err);
}

bool
purge_rows(struct runtime_store *store, const struct plan *plan, const struct sealed *sealed,
           struct journal *journal, struct observer *observer, struct arena *arena,
           struct purge_result *ret, struct err *err)
{
    struct purging job = {.plan = plan,
                          .journal = journal,
                          .observer = observer,
                          .arena = arena,
                          .result = ret,
                          .left = arena_alloc(arena, (plan->runtime_count + 1) * sizeof *job.left)};
    const struct removal_sink sink = {.ctx = &job, .intent = intent, .outcome = outcome};
    bool ok;

    assert(sealed->sealed && sealed->states[TABLE_RUNTIME].rows == (int64_t)plan->runtime_count);

    *ret = (struct purge_result){0};
    if (!job.left)
        return arena_exhausted(err);
    /* Exactly these rows, in these versions, are sealed on stable storage: this line destroys. */
    ok = store->ops->remove(store, plan->runtime_rows, plan->runtime_count, &sink, err);
    ret->left = job.left;
    if (ok && job.settled != (int64_t)plan->runtime_count)
        return err_set(err, ERR_INTERNAL, "%" PRId64 " of %zu rows have no outcome",
                       (int64_t)plan->runtime_count - job.settled, plan->runtime_count);
    if (!ok)
        ret->unknown += job.intended - job.settled;
    return ok;
}
