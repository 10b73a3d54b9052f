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

/** One table's rows now, then each row of the backup against them. */
struct comparison {
    struct row_index now;
    struct settle_result *result;
};

static bool
take_present(void *ctx, const struct row *row, struct err *err)
{
    struct comparison *comparison = ctx;

    return row_index_add(&comparison->now, &row->id, err);
}

static bool
take_backup(void *ctx, const struct row *row, struct err *err)
{
    struct comparison *comparison = ctx;

    (void)err;
    comparison->result->rows++;
    switch (row_index_take(&comparison->now, &row->id)) {
    case ROW_ABSENT:
        break;
    case ROW_EQUAL:
        comparison->result->present++;
        break;
    case ROW_DIFFERS:
        comparison->result->differing++;
        break;
    }
    return true;
}

static bool
compare_table(const struct settle_job *job, struct axdb_store *store, const struct schema *schema,
              struct settle_result *result, struct err *err)
{
    struct comparison comparison = {.result = result};
    const struct row_sink present = {.ctx = &comparison, .take = take_present};
    const struct row_sink backup = {.ctx = &comparison, .take = take_backup};
    const bool ok = store->ops->read_rows(store, schema, &present, err) &&
                    job->backup->read(job->backup->ctx, schema->table, &backup, err);

    result->others += (int64_t)row_index_unmatched(&comparison.now);
    row_index_done(&comparison.now);
    return ok || err_wrap(err, "could not compare %s with the backup", table_name(schema->table));
}

static bool
compare_tables(const struct settle_job *job, struct axdb_store *store, struct settle_result *result,
               struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct schema *schema = job->backup->schema(job->backup->ctx, (enum table)i);

        if (schema && !compare_table(job, store, schema, result, err))
            return false;
    }
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

static bool
take_exclusion(struct axdb_store *store, const struct axdb_evidence *seen, struct err *err)
{
    bool granted;

    if (seen->may_applock == RIGHT_MISSING)
        return true; /* the table locks alone decide then */
    if (!store->ops->acquire_exclusion(store, &granted, err))
        return false;
    return granted || err_set(err, ERR_LOCK,
                              "the application lock 'dwclean' is held: the old connection, or "
                              "another run, is still there");
}

/** On a connection: locks, comparison, locks given back. */
static bool
look(const struct settle_job *job, struct axdb_store *store, struct settle_result *ret,
     struct err *err)
{
    struct axdb_evidence *seen = arena_alloc(job->arena, sizeof *seen);
    struct settle_result found = {0};
    struct err ignored;
    bool ok;

    if (!seen)
        return arena_exhausted(err);
    if (!store->ops->observe(store, job->arena, seen, err) || !same_database(job, seen, err) ||
        !take_exclusion(store, seen, err) || !store->ops->begin_locked(store, LOCK_MS, err))
        return false;
    ok = compare_tables(job, store, &found, err);
    store->ops->rollback(store);
    if (seen->may_applock != RIGHT_MISSING && !store->ops->release_exclusion(store, &ignored))
        job->ports->observer->say(job->ports->observer, LOG_LEVEL_DEBUG, ignored.primary);
    if (!ok)
        return false;
    found.settled = judge(job, &found);
    *ret = found;
    return true;
}

static bool
try_once(const struct settle_job *job, struct settle_result *ret, struct err *err)
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
