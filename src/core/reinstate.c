#include "core/reinstate.h"

#include "base/cancel.h"
#include "core/rowset.h"
#include "pace_line.h"
#include "row_journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void
reinstate_plan_done(struct reinstate_plan *plan)
{
    free(plan->wanted);
    *plan = (struct reinstate_plan){0};
}

/* ---- both sides beside each other ---- */

/** The backup is read row by row while the service sends its list. */
struct beside {
    struct runtime_store *store;
    struct archived_run *run;
    struct reinstate_plan *plan; /* NULL: only compare */
    struct plan_file *file;
    struct rowset there, missing; /* of a plan */
    struct reinstate_check found;
    struct row then; /* of the backup; valid while !end */
    bool end;
};

static bool
note_wanted(struct reinstate_plan *plan, bool wanted, struct err *err)
{
    if (plan->wanted_count == plan->wanted_capacity) {
        const size_t capacity = plan->wanted_capacity ? plan->wanted_capacity * 2 : 16;
        unsigned char *list = realloc(plan->wanted, capacity);

        if (!list)
            return err_set(err, ERR_INTERNAL, "out of memory");
        plan->wanted = list;
        plan->wanted_capacity = capacity;
    }
    plan->wanted[plan->wanted_count++] = wanted;
    return true;
}

static bool
next_then(struct beside *beside, struct err *err)
{
    return beside->run->ops->next_row(beside->run, &beside->then, &beside->end, err);
}

/** The backup's row in hand is not there. */
static bool
pass_absent(struct beside *beside, struct err *err)
{
    const struct row_id *id = &beside->then.id;

    beside->found.absent++;
    if (beside->plan &&
        (!note_wanted(beside->plan, true, err) || !rowset_add(&beside->missing, id, err) ||
         (beside->file && !beside->file->ops->add(beside->file, id, err))))
        return false;
    return next_then(beside, err);
}

/** It is there. */
static bool
pass_present(struct beside *beside, const struct row *now, struct err *err)
{
    const struct row *then = &beside->then;
    struct runtime_store *store = beside->store;

    if (now->count == 1 && then->count == 1 &&
        store->ops->same_row(store, now->fields[0].bytes, then->fields[0].bytes, true))
        beside->found.same++;
    else
        beside->found.differing++;
    return (!beside->plan || note_wanted(beside->plan, false, err)) && next_then(beside, err);
}

static bool
take_now(void *ctx, const struct row *now, struct err *err)
{
    struct beside *beside = ctx;

    if (!cancel_check(err) || (beside->plan && !rowset_add(&beside->there, &now->id, err)))
        return false;
    while (!beside->end && strcmp(beside->then.id.key, now->id.key) < 0)
        if (!pass_absent(beside, err))
            return false;
    if (!beside->end && strcmp(beside->then.id.key, now->id.key) == 0)
        return pass_present(beside, now, err);
    beside->found.others++;
    return true;
}

static bool
walk(struct beside *beside, struct err *err)
{
    const struct row_sink sink = {.ctx = beside, .take = take_now};
    struct archived_run *run = beside->run;
    bool ok = run->ops->begin_rows(run, TABLE_RUNTIME, err) && next_then(beside, err) &&
              beside->store->ops->read_rows(beside->store, &sink, err);

    while (ok && !beside->end)
        ok = pass_absent(beside, err);
    run->ops->end_rows(run);
    return ok || err_wrap(err, "could not compare %s", table_name(TABLE_RUNTIME));
}

bool
reinstate_compare(struct runtime_store *store, struct archived_run *run,
                  struct reinstate_check *ret, struct err *err)
{
    struct beside beside = {.store = store, .run = run};

    if (!walk(&beside, err))
        return false;
    *ret = beside.found;
    return true;
}

bool
reinstate_plan_make(struct runtime_store *store, struct archived_run *run, struct plan_file *file,
                    struct reinstate_plan *ret, struct err *err)
{
    struct beside beside = {.store = store, .run = run, .plan = ret, .file = file};
    bool ok;

    *ret = (struct reinstate_plan){0};
    ok = rowset_begin(&beside.there, TABLE_RUNTIME, err) &&
         rowset_begin(&beside.missing, TABLE_RUNTIME, err) &&
         (!file || file->ops->add_schema(file, runtime_schema(), err)) && walk(&beside, err);
    if (ok) {
        ret->found = beside.found;
        ret->there = rowset_end(&beside.there);
        ret->missing = rowset_end(&beside.missing);
    }
    rowset_done(&beside.there);
    rowset_done(&beside.missing);
    return ok;
}

/* ---- creating ---- */

struct creating {
    const struct reinstate_job *job;
    struct reinstate_result *result;
    struct row_journal journal;
    struct returned *left;
    size_t at; /* in the backup */
    int64_t outcomes;
    bool store_failed;
};

static const char *
state_name(enum return_state state)
{
    static const char *const names[] = {"done", "there", "failed", "unknown"};

    return names[state];
}

static bool
intent(void *ctx, const char *const *keys, size_t count, struct err *err)
{
    struct creating *creating = ctx;
    struct fact facts[ROW_JOURNAL_GROUP];

    for (size_t at = 0; at < count; at += ROW_JOURNAL_GROUP) {
        const size_t some = count - at < ROW_JOURNAL_GROUP ? count - at : ROW_JOURNAL_GROUP;

        for (size_t i = 0; i < some; i++)
            facts[i] = (struct fact){keys[at + i], ""};
        if (!row_journal_intents(&creating->journal, facts, some, at + some == count, err))
            return false;
    }
    cancel_note_changed();
    return true;
}

static void
list_left(struct creating *creating, const struct returned *returned)
{
    struct arena *arena = creating->job->arena;
    struct reinstate_result *result = creating->result;
    const int64_t missing = creating->job->plan->missing.rows;
    const size_t room = missing < REINSTATE_LISTED ? (size_t)missing : REINSTATE_LISTED;
    const char *key;

    if (result->left_count == room)
        return;
    if (!creating->left)
        creating->left = arena_alloc(arena, room * sizeof *creating->left);
    key = arena_string(arena, returned->key);
    if (!key || !creating->left)
        return; /* counted they are */
    creating->left[result->left_count] = *returned;
    creating->left[result->left_count++].key = key;
}

static void
count_outcome(struct reinstate_result *result, enum return_state state)
{
    switch (state) {
    case RETURN_DONE:
        result->done++;
        break;
    case RETURN_THERE:
        result->there++;
        break;
    case RETURN_FAILED:
        result->failed++;
        break;
    case RETURN_UNKNOWN:
    default:
        result->unknown++;
        break;
    }
}

static bool
outcome(void *ctx, const struct returned *returned, struct err *err)
{
    struct creating *creating = ctx;
    const bool left = returned->state == RETURN_FAILED || returned->state == RETURN_UNKNOWN;
    const struct row_outcome row = {.key = returned->key,
                                    .state = state_name(returned->state),
                                    .http_status = returned->http_status,
                                    .request_id = returned->request_id,
                                    .why = !left                      ? NULL
                                           : returned->why.primary[0] ? returned->why.primary
                                                                      : "no reason was given"};

    count_outcome(creating->result, returned->state);
    creating->outcomes++;
    if (left)
        list_left(creating, returned);
    if (!creating->result->paced) /* then that line says more */
        creating->job->observer->progress(creating->job->observer,
                                          "runtime configurations put back", creating->outcomes,
                                          creating->job->plan->missing.rows);
    return row_journal_outcome(&creating->journal, &row, err);
}

static void
progress(void *ctx, const struct runtime_pace *pace)
{
    struct creating *creating = ctx;

    creating->result->pace = *pace;
    creating->result->pace.paused_why = NULL;
    creating->result->paced = true;
    pace_line_tell(creating->job->observer, "runtime configurations put back", pace);
}

static bool
create_row(void *ctx, const struct row *row, struct err *err)
{
    struct creating *creating = ctx;
    const struct reinstate_plan *plan = creating->job->plan;
    struct runtime_store *store = creating->job->store;

    if (creating->at >= plan->wanted_count || row->count != 1)
        return err_set(err, ERR_STORAGE, "the backup is not what it was when the plan was made");
    if (!plan->wanted[creating->at++])
        return true;
    if (!cancel_check(err))
        return false;
    creating->store_failed = !store->ops->return_row(store, row->id.key, row->fields[0].bytes, err);
    return !creating->store_failed;
}

static bool
create_all(struct creating *creating, struct err *err)
{
    const struct reinstate_job *job = creating->job;
    struct runtime_store *store = job->store;
    const struct row_sink rows = {.ctx = creating, .take = create_row};
    const struct return_sink sink = {
        .ctx = creating, .intent = intent, .outcome = outcome, .progress = progress};
    struct err ignored;

    if (!store->ops->return_begin(store, (size_t)job->plan->missing.rows, &sink, err))
        return false;
    /* Only rows whose key is not there are made: nothing that is there can be lost. */
    if (job->run->ops->read_rows(job->run, TABLE_RUNTIME, &rows, err))
        return store->ops->return_end(store, err);
    /* not the store's fault: rows in flight still get their outcome */
    if (!creating->store_failed)
        (void)!store->ops->return_end(store, &ignored);
    return false;
}

bool
reinstate_rows(const struct reinstate_job *job, struct reinstate_result *ret, struct err *err)
{
    struct creating *creating = calloc(1, sizeof *creating);
    struct err journal_err;
    bool ok;

    *ret = (struct reinstate_result){0};
    if (!creating)
        return err_set(err, ERR_INTERNAL, "out of memory");
    creating->job = job;
    creating->result = ret;
    creating->journal = (struct row_journal){
        .journal = job->journal, .intent_step = "return-intent", .outcome_step = "return-outcome"};
    ok = create_all(creating, err);
    if (!row_journal_flush(&creating->journal, true, ok ? err : &journal_err))
        ok = false;
    if (ok && creating->outcomes != job->plan->missing.rows)
        ok = err_set(err, ERR_INTERNAL, "%" PRId64 " of %" PRId64 " rows have no outcome",
                     job->plan->missing.rows - creating->outcomes, job->plan->missing.rows);
    ret->left = creating->left;
    /* "there" may be an answer to a row that was sent twice */
    ret->target_changed = ret->done > 0 || ret->unknown > 0 || ret->there > 0;
    free(creating);
    return ok;
}
