#include "core/purge.h"

#include "base/cancel.h"
#include "pace_line.h"
#include "rebackup.h"
#include "row_journal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct purging {
    const struct purge_job *job;
    struct purge_result *result;
    struct row_journal journal;
    struct runtime_refs changed; /* 412 in this pass */
    struct removal *left;        /* made with the first of them */
    size_t outcomes;             /* of this pass */
    bool comparing;              /* rows without versions, in this pass */
    int64_t told;                /* rows with a final outcome */
};

static const char *
state_name(enum removal_state state)
{
    static const char *const names[] = {"done", "gone", "changed", "failed", "unknown"};

    return names[state];
}

/* ---- what becomes of a row ---- */

static int64_t *
counter_of(struct purge_result *result, enum removal_state state)
{
    switch (state) {
    case REMOVAL_DONE:
        return &result->done;
    case REMOVAL_GONE:
        return &result->gone;
    case REMOVAL_CHANGED:
        return &result->changed;
    case REMOVAL_FAILED:
        return &result->failed;
    case REMOVAL_UNKNOWN:
    default:
        return &result->unknown;
    }
}

/** It stays, or may have: named in the report as long as there is room. */
static void
list_left(struct purging *purge, const struct removal *removal)
{
    struct arena *arena = purge->job->arena;
    struct purge_result *result = purge->result;
    const size_t planned = purge->job->plan->runtime.count;
    const size_t room = planned < PURGE_LISTED ? planned : PURGE_LISTED;
    struct runtime_ref *row;

    if (result->left_count == room)
        return;
    if (!purge->left)
        purge->left = arena_alloc(arena, room * sizeof *purge->left);
    row = arena_alloc(arena, sizeof *row);
    if (!row || !purge->left)
        return; /* counted they are */
    *row = *removal->row;
    row->etag = ""; /* its pool does not live that long */
    purge->left[result->left_count] = *removal;
    purge->left[result->left_count++].row = row;
}

/** The row will not be tried again. */
static void
settle_row(struct purging *purge, const struct removal *removal)
{
    ++*counter_of(purge->result, removal->state);
    purge->told++;
    if (removal->state != REMOVAL_DONE && removal->state != REMOVAL_GONE)
        list_left(purge, removal);
}

/** On record before it is sent: a crash then leaves no row of which nobody knows. */
static bool
intent(void *ctx, const struct runtime_ref *const *rows, size_t count, struct err *err)
{
    struct purging *purge = ctx;
    struct fact facts[ROW_JOURNAL_GROUP];

    for (size_t at = 0; at < count; at += ROW_JOURNAL_GROUP) {
        const size_t some = count - at < ROW_JOURNAL_GROUP ? count - at : ROW_JOURNAL_GROUP;

        for (size_t i = 0; i < some; i++)
            facts[i] = (struct fact){rows[at + i]->key, rows[at + i]->etag};
        if (!row_journal_intents(&purge->journal, facts, some, at + some == count, err))
            return false;
    }
    /* a signal that ends the process at once cannot ask what became of them */
    cancel_note_changed();
    return true;
}

static bool
outcome(void *ctx, const struct removal *removal, struct err *err)
{
    struct purging *purge = ctx;
    const struct purge_job *job = purge->job;
    const bool left = removal->state == REMOVAL_DONE || removal->state == REMOVAL_GONE;
    const struct row_outcome row = {.key = removal->row->key,
                                    .state = state_name(removal->state),
                                    .http_status = removal->http_status,
                                    .request_id = removal->request_id,
                                    .why = left                      ? NULL
                                           : removal->why.primary[0] ? removal->why.primary
                                                                     : "no reason was given"};

    purge->outcomes++;
    if (removal->state != REMOVAL_CHANGED)
        settle_row(purge, removal);
    else if (!runtime_refs_add(&purge->changed, removal->row->key, removal->row->etag, err))
        return false;
    if (!purge->result->paced) /* then that line says more */
        job->observer->progress(job->observer, "runtime configurations removed", purge->told,
                                (int64_t)job->plan->runtime.count);
    return row_journal_outcome(&purge->journal, &row, err);
}

static void
progress(void *ctx, const struct runtime_pace *pace)
{
    struct purging *purge = ctx;

    purge->result->pace = *pace;
    purge->result->pace.paused_why = NULL;
    purge->result->paced = true;
    pace_line_tell(purge->job->observer, "runtime configurations removed", pace);
}

/* ---- rows that changed ---- */

/** Its fate is known: a stop later in the round does not count it again. */
static void
strike_out(struct purging *purge, const char *key)
{
    purge->changed.list[runtime_refs_find(&purge->changed, key)].etag = NULL;
}

static bool
changed_is_gone(void *ctx, const char *key, struct err *err)
{
    struct purging *purge = ctx;
    const struct runtime_ref row = {.etag = ""};
    const struct row_outcome gone = {
        .key = key, .state = "gone", .http_status = 404, .request_id = ""};
    const struct removal removal = {.row = &row, .state = REMOVAL_GONE};

    strike_out(purge, key);
    settle_row(purge, &removal);
    return row_journal_outcome(&purge->journal, &gone, err);
}

/** It keeps the version that it has, and is told. */
static void
leave_changed(struct purging *purge, const char *key, const char *why)
{
    struct runtime_ref row = {.etag = ""};
    struct removal removal = {.row = &row, .state = REMOVAL_CHANGED, .http_status = 412};

    memcpy(row.key, key, strnlen(key, sizeof row.key - 1));
    (void)err_set(&removal.why, ERR_STALE, "%s", why);
    (void)err_hint(&removal.why, "Something still writes to it. Stop the maps, then plan again.");
    settle_row(purge, &removal);
}

static const char changed_contents[] =
    "changed since it was backed up: its contents are others now";

static bool
changed_differs(void *ctx, const char *key, struct err *err)
{
    (void)err;
    strike_out(ctx, key);
    leave_changed(ctx, key, changed_contents);
    return true;
}

static void
leave_all(struct purging *purge, const struct runtime_refs *rows, const char *why)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->list[i].etag)
            leave_changed(purge, rows->list[i].key, why);
}

/* ---- rows without versions ---- */

/** On record: nothing was sent for this row that could have removed it. */
static bool
record_left(struct purging *purge, const char *key, const char *state, const char *why,
            struct err *err)
{
    const struct row_outcome row = {.key = key, .state = state, .request_id = "", .why = why};

    return row_journal_outcome(&purge->journal, &row, err);
}

/** A row that has no version, and nobody accepted that such rows go. */
static bool
leave_unversioned(struct purging *purge, const struct runtime_ref *ref, struct err *err)
{
    static const char why[] = "the row was planned without a version, and --allow-no-etag was not "
                              "given";
    struct removal removal = {.row = ref, .state = REMOVAL_FAILED};

    (void)err_set(&removal.why, ERR_REFUSED, "%s", why);
    (void)err_hint(&removal.why, "Resume with --allow-no-etag and --reason, or plan again.");
    purge->outcomes++;
    settle_row(purge, &removal);
    return record_left(purge, ref->key, "failed", why, err);
}

/** A row that is to go, beside its copy in the first backup, or the digest of a later copy. */
struct looking {
    struct purging *purge;
    const struct runtime_refs *rows;
    const struct row *then; /* NULL: `digest` */
    const char *digest;
    bool equal, same; /* to the copy; but for the service's stamps */
    bool sent;        /* it was, and what that did is not known */
};

static bool
take_now(void *ctx, const struct row *now, struct err *err)
{
    struct looking *looking = ctx;
    const struct row *then = looking->then;
    struct runtime_store *store = looking->purge->job->store;
    char digest[DIGEST_HEX_BYTES];

    (void)err;
    digest_hex(&now->id.digest, digest);
    if (!then) {
        looking->equal = strcmp(digest, looking->digest) == 0;
        looking->same = true; /* the next further backup compares */
        return true;
    }
    looking->equal = digest_equal(&now->id.digest, &then->id.digest);
    looking->same = now->count == 1 && then->count == 1 &&
                    store->ops->same_row(store, now->fields[0].bytes, then->fields[0].bytes, false);
    return true;
}

/** Read it, compare, and delete it as it is: as close together as can be. */
static bool
remove_compared(struct looking *looking, const struct runtime_ref *ref, struct removal *ret,
                struct err *err)
{
    struct runtime_store *store = looking->purge->job->store;
    const struct row_sink sink = {.ctx = looking, .take = take_now};
    bool again = true;

    for (unsigned tries = 1; again; tries++) {
        bool found = false;

        looking->equal = looking->same = false;
        looking->sent = tries > 1;
        if (!cancel_check(err) || !store->ops->read_row(store, ref->key, &sink, &found, err))
            return false;
        *ret = (struct removal){.row = ref,
                                .state = found ? REMOVAL_CHANGED : REMOVAL_GONE,
                                .http_status = found ? 200 : 404};
        if (!looking->equal)
            return true;
        /* It was equal to its sealed copy a moment ago, and nothing can hold it so: this line
         * destroys. */
        if (!store->ops->remove_as_it_is(store, ref, tries, ret, &again, err))
            return false;
    }
    return true;
}

/** Nothing settles any more what a sending did: that row may have left. */
static void
leave_sent(struct purging *purge, const struct runtime_ref *ref, const struct err *why)
{
    const struct removal unknown = {.row = ref, .state = REMOVAL_UNKNOWN, .why = *why};
    struct err ignored;

    (void)!outcome(purge, &unknown, &ignored);
}

static bool
settle_compared(struct looking *looking, const char *key, struct err *err)
{
    struct purging *purge = looking->purge;
    struct runtime_ref ref = {.etag = ""};
    const struct runtime_ref *const list = &ref;
    struct removal removal = {0};

    memcpy(ref.key, key, strnlen(key, sizeof ref.key - 1));
    if (!intent(purge, &list, 1, err))
        return false;
    if (!remove_compared(looking, &ref, &removal, err)) {
        if (looking->sent)
            leave_sent(purge, &ref, err);
        return false;
    }
    if (removal.state != REMOVAL_CHANGED || looking->same)
        return outcome(purge, &removal, err);
    purge->outcomes++;
    leave_changed(purge, key, changed_contents);
    return record_left(purge, key, "changed", changed_contents, err);
}

static bool
take_then(void *ctx, const struct row *then, struct err *err)
{
    struct looking *looking = ctx;

    if (runtime_refs_find(looking->rows, then->id.key) == looking->rows->count)
        return true;
    looking->then = then;
    return settle_compared(looking, then->id.key, err);
}

static bool
look_at_each(struct looking *looking, bool first, struct err *err)
{
    const struct backup_rows *backup = looking->purge->job->backup;
    const struct row_sink sink = {.ctx = looking, .take = take_then};
    const struct runtime_refs *rows = looking->rows;

    if (first)
        return backup->read(backup->ctx, TABLE_RUNTIME, &sink, err);
    for (size_t i = 0; i < rows->count; i++) {
        looking->digest = rows->list[i].etag;
        if (!settle_compared(looking, rows->list[i].key, err))
            return false;
    }
    return true;
}

/** One pass; rows that were only stamped are in purge->changed then. */
static bool
compare_pass(struct purging *purge, const struct runtime_refs *rows, bool first, struct err *err)
{
    struct looking looking = {.purge = purge, .rows = rows};
    struct err journal_err;
    bool ok;

    purge->outcomes = 0;
    ok = look_at_each(&looking, first, err);
    if (!row_journal_flush(&purge->journal, true, ok ? err : &journal_err))
        return false;
    if (ok && purge->outcomes != rows->count)
        return err_set(err, ERR_STORAGE, "%zu rows of the plan are not in the backup",
                       rows->count - purge->outcomes);
    return ok;
}

/* ---- the passes ---- */

/** Send these rows. True: every one has an outcome. */
static bool
pass(struct purging *purge, const struct runtime_refs *rows, struct err *err)
{
    struct runtime_store *store = purge->job->store;
    const struct removal_sink sink = {
        .ctx = purge, .intent = intent, .outcome = outcome, .progress = progress};
    struct err journal_err;
    bool ok;

    purge->outcomes = 0;
    /* Exactly these rows, in these versions, are sealed on stable storage: this line destroys. */
    ok = store->ops->remove(store, rows->list, rows->count, &sink, err);
    if (!row_journal_flush(&purge->journal, true, ok ? err : &journal_err))
        return false;
    if (ok && purge->outcomes != rows->count)
        return err_set(err, ERR_INTERNAL, "%zu of %zu rows have no outcome",
                       rows->count - purge->outcomes, rows->count);
    return ok;
}

/** Rows that changed, sealed once more in their new version: those are sent next. */
static bool
seal_changed(struct purging *purge, struct runtime_refs *rows, struct err *err)
{
    const struct rebackup_job job = {.store = purge->job->store,
                                     .dir = purge->job->dir,
                                     .backup = purge->job->backup,
                                     .journal = purge->journal.journal,
                                     .without_versions = purge->comparing,
                                     .ctx = purge,
                                     .gone = changed_is_gone,
                                     .differs = changed_differs};
    struct runtime_refs sealed = {0};

    runtime_refs_sort(&purge->changed);
    if (!rebackup_rows(&job, &purge->changed, &sealed, err) ||
        !row_journal_flush(&purge->journal, true, err)) {
        runtime_refs_done(&sealed);
        return false;
    }
    runtime_refs_done(&purge->changed);
    runtime_refs_done(rows);
    *rows = sealed;
    purge->result->backed_up_again += (int64_t)sealed.count;
    return true;
}

static bool
pass_all(struct purging *purge, const struct runtime_refs *first, struct err *err)
{
    RUNTIME_REFS_SCOPED again = {0};
    const struct runtime_refs *rows = first;

    for (int round = 0; rows->count; round++) {
        if (!(purge->comparing ? compare_pass(purge, rows, round == 0, err)
                               : pass(purge, rows, err)))
            return false;
        if (purge->changed.count == 0)
            return true;
        if (round == PURGE_ROUNDS) {
            leave_all(purge, &purge->changed, "changed again each time that it was backed up");
            runtime_refs_done(&purge->changed);
            return true;
        }
        if (!seal_changed(purge, &again, err))
            return false;
        rows = &again;
    }
    return true;
}

/* ---- all of them ---- */

/** Do all rows go, each in its version? Then the plan's own list serves. */
static bool
whole_plan(const struct purge_job *job)
{
    const struct runtime_refs *all = &job->plan->runtime;

    if (job->settled || job->without_versions)
        return false;
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i].etag[0])
            return false;
    return true;
}

static bool
pass_rest(struct purging *purge, struct err *err)
{
    const struct purge_job *job = purge->job;
    const struct runtime_refs *all = &job->plan->runtime;
    RUNTIME_REFS_SCOPED rest = {0};
    RUNTIME_REFS_SCOPED compared = {0};

    if (whole_plan(job))
        return pass_all(purge, all, err);
    for (size_t i = 0; i < all->count; i++) {
        const struct runtime_ref *ref = &all->list[i];
        const bool compare = job->without_versions || !ref->etag[0];

        if (job->settled && job->settled[i])
            continue;
        if (compare && !job->may_compare
                ? !leave_unversioned(purge, ref, err)
                : !runtime_refs_add(compare ? &compared : &rest, ref->key, ref->etag, err))
            return false;
    }
    if (!pass_all(purge, &rest, err))
        return false;
    purge->comparing = true;
    return pass_all(purge, &compared, err);
}

/** What a stop has left of rows whose version was refused. */
static void
leave_unfinished(struct purging *purge)
{
    leave_all(purge, &purge->changed,
              "changed since it was backed up; the purge stopped before "
              "it could be looked at");
    runtime_refs_done(&purge->changed);
}

bool
purge_rows(const struct purge_job *job, struct purge_result *ret, struct err *err)
{
    struct purging *purge = calloc(1, sizeof *purge);
    bool ok;

    assert(job->sealed->sealed &&
           job->sealed->states[TABLE_RUNTIME].rows == (int64_t)job->plan->runtime.count);

    *ret = (struct purge_result){0};
    if (!purge)
        return err_set(err, ERR_INTERNAL, "out of memory");
    purge->job = job;
    purge->result = ret;
    purge->journal = (struct row_journal){
        .journal = job->journal, .intent_step = "purge-intent", .outcome_step = "purge-outcome"};
    ok = pass_rest(purge, err);
    if (!ok)
        leave_unfinished(purge);
    ret->left = purge->left;
    /* "gone" too: an answer may have been lost before */
    ret->target_changed = ret->done > 0 || ret->gone > 0 || ret->unknown > 0;
    free(purge);
    return ok;
}
