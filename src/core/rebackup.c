#include "rebackup.h"

#include "base/cancel.h"
#include "core/rowset.h"

#include <inttypes.h>
#include <stdio.h>

/** One round: rows of the first backup on their way past. */
struct round {
    const struct rebackup_job *job;
    const struct runtime_refs *changed;
    struct backup *backup; /* begun with its first row */
    int number;
    struct rowset written;
    struct runtime_refs sealed;
    size_t found; /* of `changed`, in the first backup */
};

/** A row as it is now, beside the backup's. */
struct now {
    struct round *round;
    const struct row *then;
    bool same;
};

static bool
begin(struct round *round, struct err *err)
{
    struct run_dir *dir = round->job->dir;

    return round->backup || (dir->ops->next_backup(dir, &round->backup, &round->number, err) &&
                             round->backup->ops->begin_table(round->backup, runtime_schema(), err));
}

static bool
take_now(void *ctx, const struct row *row, struct err *err)
{
    struct now *now = ctx;
    struct round *round = now->round;
    struct runtime_store *store = round->job->store;
    const bool by_digest = round->job->without_versions;
    char digest[DIGEST_HEX_BYTES];

    digest_hex(&row->id.digest, digest);
    if ((!by_digest && !row->id.version[0]) || row->count != 1 || now->then->count != 1 ||
        !store->ops->same_row(store, row->fields[0].bytes, now->then->fields[0].bytes, false))
        return true;
    now->same = true;
    return begin(round, err) && rowset_add(&round->written, &row->id, err) &&
           round->backup->ops->add(round->backup, row, err) &&
           runtime_refs_add(&round->sealed, row->id.key, by_digest ? digest : row->id.version, err);
}

static bool
take_then(void *ctx, const struct row *row, struct err *err)
{
    struct round *round = ctx;
    const struct rebackup_job *job = round->job;
    struct now now = {.round = round, .then = row};
    const struct row_sink sink = {.ctx = &now, .take = take_now};
    bool found = false;

    if (runtime_refs_find(round->changed, row->id.key) == round->changed->count)
        return true;
    round->found++;
    if (!cancel_check(err) ||
        !job->store->ops->read_row(job->store, row->id.key, &sink, &found, err))
        return false;
    if (!found)
        return job->gone(job->ctx, row->id.key, err);
    return now.same || job->differs(job->ctx, row->id.key, err);
}

static bool
take_again(void *ctx, const struct row *row, struct err *err)
{
    return rowset_add(ctx, &row->id, err);
}

/** Closed, read again from the disk, and what was read is what was written. */
static bool
prove(struct round *round, const struct table_state *written, struct err *err)
{
    struct backup *backup = round->backup;
    ROWSET_SCOPED again = {0};
    const struct row_sink sink = {.ctx = &again, .take = take_again};
    struct table_state read;

    if (!backup->ops->end_table(backup, err) || !backup->ops->close(backup, err) ||
        !rowset_begin(&again, TABLE_RUNTIME, err) ||
        !backup->ops->read_back(backup, TABLE_RUNTIME, &sink, err))
        return false;
    read = rowset_end(&again);
    if (!table_state_equal(written, &read)) {
        (void)err_set(err, ERR_STORAGE, "the further backup does not hold what was written to it");
        return err_hint(err, "Do not trust this disk.");
    }
    return backup->ops->seal(backup, err);
}

static bool
seal(struct round *round, struct err *err)
{
    const struct table_state written = rowset_end(&round->written);
    char number[16];
    char rows[32];
    const struct fact facts[] = {{"number", number}, {"rows", rows}};

    if (!round->backup)
        return true;
    if (!prove(round, &written, err))
        return err_wrap(err, "could not back up changed rows again");
    (void)snprintf(number, sizeof number, "%d", round->number);
    (void)snprintf(rows, sizeof rows, "%" PRId64, written.rows);
    return round->job->journal->ops->record(round->job->journal, "backup-again", facts, 2, true,
                                            err);
}

bool
rebackup_rows(const struct rebackup_job *job, const struct runtime_refs *changed,
              struct runtime_refs *ret, struct err *err)
{
    struct round round = {.job = job, .changed = changed};
    const struct row_sink sink = {.ctx = &round, .take = take_then};
    bool ok = rowset_begin(&round.written, TABLE_RUNTIME, err) &&
              job->backup->read(job->backup->ctx, TABLE_RUNTIME, &sink, err);

    if (ok && round.found != changed->count)
        ok = err_set(err, ERR_STORAGE, "%zu changed rows are not in the backup",
                     changed->count - round.found);
    ok = ok && seal(&round, err);
    rowset_done(&round.written);
    if (ok)
        *ret = round.sealed;
    else
        runtime_refs_done(&round.sealed);
    return ok;
}
