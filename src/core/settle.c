#include "core/settle.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "core/row_index.h"

#include <inttypes.h>

enum { LOCK_MS = 30000, FIRST_PAUSE_MS = 250, LONGEST_PAUSE_MS = 4000 };

const char *
settled_name(enum settled settled)
{
    static const char *const names[] = {"unknown", "committed", "rolled-back", "mixed"};

    return names[settled];
}

/* ---- under the locks: what is there ---- */

static bool
take_present(void *ctx, const struct row *row, struct err *err)
{
    return row_index_add(ctx, &row->id, err);
}

static bool
read_tables(const struct settle_job *job, struct axdb_store *store,
            struct row_index ret[AXDB_TABLES], struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct schema *schema = job->backup->schema(job->backup->ctx, (enum table)i);
        const struct row_sink sink = {.ctx = &ret[i], .take = take_present};

        if (schema && !store->ops->read_rows(store, schema, &sink, err))
            return err_wrap(err, "could not read %s under the lock", table_name((enum table)i));
    }
    return true;
}

/* ---- without locks: the backup, from a disk that may be slow ---- */

/** Each row of the backup against one table's rows. */
struct comparison {
    const struct settle_job *job;
    struct settle_result *result;
    size_t at;
};

static bool
note_match(void *ctx, const struct row_id *row, enum row_match match, struct err *err)
{
    struct comparison *comparison = ctx;
    const struct backup_rows *backup = comparison->job->backup;
    const size_t at = comparison->at++;

    (void)err;
    if (backup->decides && !backup->decides(backup->ctx, row->table, at))
        return true;
    comparison->result->rows++;
    comparison->result->present += match == ROW_EQUAL;
    comparison->result->differing += match == ROW_DIFFERS;
    return true;
}

static bool
compare_table(const struct settle_job *job, enum table table, struct row_index *now,
              struct settle_result *result, struct err *err)
{
    struct comparison comparison = {.job = job, .result = result};
    struct row_matcher matcher = {.index = now, .found = note_match, .ctx = &comparison};
    const struct row_sink sink = {.ctx = &matcher, .take = row_matcher_take};
    const bool ok =
        job->backup->read(job->backup->ctx, table, &sink, err) && row_matcher_end(&matcher, err);

    row_matcher_done(&matcher);
    result->others += (int64_t)row_index_unmatched(now);
    return ok || err_wrap(err, "could not compare %s with the backup", table_name(table));
}

static bool
compare_tables(const struct settle_job *job, struct row_index now[AXDB_TABLES],
               struct settle_result *result, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        if (job->backup->schema(job->backup->ctx, (enum table)i) &&
            !compare_table(job, (enum table)i, &now[i], result, err))
            return false;
    return true;
}

static enum settled
judge(const struct settle_job *job, const struct settle_result *result)
{
    if (result->rows == 0)
        return SETTLED_COMMITTED; /* there was nothing to commit */
    if (result->differing)
        return SETTLED_MIXED;
    if (result->present == result->rows)
        return job->restoring ? SETTLED_COMMITTED : SETTLED_NOT;
    if (result->present == 0)
        return job->restoring ? SETTLED_NOT : SETTLED_COMMITTED;
    return SETTLED_MIXED;
}

/** Still the database that the COMMIT was sent to? Its name on another server is another one. */
static bool
same_database(const struct settle_job *job, const struct axdb_evidence *now, struct err *err)
{
    struct axdb_evidence then = {.identity = *job->identity};
    struct axdb_evidence found = *now;
    const struct evidence before = {.axdb = &then};
    const struct evidence after = {.axdb = &found};

    return evidence_same_target(&before, &after, err);
}

/** `ret_taken` false with true: the login may not use it, and the table locks alone decide. Not
 * decided by the evidence: what a server says of the right to a system procedure need not be what
 * happens. */
static bool
take_exclusion(struct axdb_store *store, bool *ret_taken, struct err *err)
{
    *ret_taken = false;
    if (!store->ops->acquire_exclusion(store, ret_taken, err))
        return err->code == ERR_PERMISSION;
    return *ret_taken || err_set(err, ERR_LOCK,
                                 "the application lock 'dwclean' is held: the old connection, or "
                                 "another run, is still there");
}

/** The rows that are there: locks, reading, locks given back. */
static bool
read_locked(const struct settle_job *job, struct axdb_store *store,
            struct row_index ret[AXDB_TABLES], struct err *err)
{
    struct err ignored;
    bool taken;
    bool ok;

    if (!take_exclusion(store, &taken, err) || !store->ops->begin_locked(store, LOCK_MS, err))
        return false; /* the lock ends with the connection */
    ok = read_tables(job, store, ret, err);
    store->ops->rollback(store);
    if (taken && !store->ops->release_exclusion(store, &ignored))
        job->ports->observer->say(job->ports->observer, LOG_LEVEL_DEBUG, ignored.primary);
    return ok;
}

/** On a connection. */
static bool
look(const struct settle_job *job, struct axdb_store *store, struct row_index ret[AXDB_TABLES],
     struct err *err)
{
    struct axdb_evidence *seen = arena_alloc(job->arena, sizeof *seen);

    if (!seen)
        return arena_exhausted(err);
    return store->ops->observe(store, job->arena, seen, err) && same_database(job, seen, err) &&
           read_locked(job, store, ret, err);
}

static bool
connect_and_look(const struct settle_job *job, struct row_index ret[AXDB_TABLES], struct err *err)
{
    struct axdb_server *server = job->ports->axdb;
    struct axdb_store *store;
    bool ok;

    if (!server->connect(server, job->request->run_id, &store, err))
        return false;
    ok = look(job, store, ret, err);
    store->ops->close(store);
    return ok;
}

static bool
try_once(const struct settle_job *job, struct settle_result *ret, struct err *err)
{
    struct row_index now[AXDB_TABLES] = {0};
    struct settle_result found = {0};
    const bool ok = connect_and_look(job, now, err) && compare_tables(job, now, &found, err);

    for (int i = 0; i < AXDB_TABLES; i++)
        row_index_done(&now[i]);
    if (!ok)
        return false;
    found.settled = judge(job, &found);
    *ret = found;
    return true;
}

/** Worth another try: the server may come back, the locks may be freed. */
static bool
may_pass(const struct err *err)
{
    return err->code == ERR_CONNECT || err->code == ERR_LOCK;
}

bool
settle_commit(const struct settle_job *job, struct settle_result *ret, struct err *err)
{
    const int64_t deadline_ms = clock_monotonic_ms() + job->wait_ms;
    int64_t pause_ms = FIRST_PAUSE_MS;

    *ret = (struct settle_result){.settled = SETTLED_UNKNOWN};
    while (!try_once(job, ret, err)) {
        if (!may_pass(err) || clock_monotonic_ms() + pause_ms >= deadline_ms) {
            if (err->code != ERR_STALE)
                err->code = ERR_OUTCOME;
            return err_wrap(err, "it was not found out what became of the COMMIT");
        }
        job->ports->observer->say(job->ports->observer, LOG_LEVEL_NOTICE,
                                  "waiting to find out what became of the COMMIT");
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause_ms * 2;
        if (!cancel_check(err)) {
            err->code = ERR_OUTCOME;
            return err_wrap(err, "it was not found out what became of the COMMIT");
        }
    }
    return true;
}
