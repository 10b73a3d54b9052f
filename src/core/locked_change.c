#include "core/locked_change.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "core/evidence.h"
#include "core/rowset.h"

#include <inttypes.h>
#include <stdio.h>

enum { ATTEMPTS = 3, BACK_OFF_MS = 500, JOURNAL_ROOM_BYTES = 64 * 1024 };

bool
locked_catalog_unchanged(struct axdb_store *store, const struct axdb_table_evidence *then,
                         struct arena *arena, struct err *err)
{
    struct axdb_table_evidence now[AXDB_TABLES];

    if (!store->ops->read_catalog(store, arena, now, err))
        return err_wrap(err, "could not read the catalog under the lock");
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (now[i].exists && !now[i].fault && schema_equal(&then[i].schema, &now[i].schema) &&
            named_list_equal(&then[i].triggers, &now[i].triggers) &&
            named_list_equal(&then[i].foreign_keys, &now[i].foreign_keys) &&
            named_list_equal(&then[i].policies, &now[i].policies))
            continue;
        (void)err_set(err, ERR_STALE, "the columns, triggers or keys of %s changed since the plan",
                      table_name((enum table)i));
        return err_hint(err, "Somebody alters the database. Find out who, then plan again.");
    }
    return true;
}

bool
locked_in_time(const struct axdb_store *store, int64_t max_lock_ms, struct err *err)
{
    const int64_t locked_ms = store->ops->locked_ms(store);

    if (locked_ms < max_lock_ms)
        return true;
    (void)err_set(err, ERR_LOCK, "the time for holding locks is used up");
    return err_detail(err, "locks were held for %" PRId64 " ms; --max-lock-time allows %" PRId64,
                      locked_ms, max_lock_ms);
}

/* ---- tables that the change has no business with ---- */

static bool
add_to_set(void *ctx, const struct row *row, struct err *err)
{
    return rowset_add(ctx, &row->id, err);
}

static bool
read_state(struct axdb_store *store, const struct schema *schema, struct table_state *ret,
           struct err *err)
{
    ROWSET_SCOPED set = {0};
    const struct row_sink sink = {.ctx = &set, .take = add_to_set};

    if (!rowset_begin(&set, schema->table, err) ||
        !store->ops->read_rows(store, schema, &sink, err))
        return err_wrap(err, "could not read %s under the lock", table_name(schema->table));
    *ret = rowset_end(&set);
    return true;
}

bool
locked_watch_begin(struct axdb_store *store, const struct axdb_table_evidence *tables,
                   const bool changed[AXDB_TABLES], struct locked_watch *ret, struct err *err)
{
    bool reaches = false;

    *ret = (struct locked_watch){0};
    for (int i = 0; i < AXDB_TABLES; i++)
        reaches = reaches ||
                  (changed[i] && (!tables[i].triggers.known || tables[i].triggers.count ||
                                  !tables[i].foreign_keys.known || tables[i].foreign_keys.count));
    for (int i = 0; i < AXDB_TABLES; i++) {
        ret->watched[i] = reaches && !changed[i];
        if (ret->watched[i] && !read_state(store, &tables[i].schema, &ret->states[i], err))
            return false;
    }
    return true;
}

bool
locked_watch_end(struct axdb_store *store, const struct axdb_table_evidence *tables,
                 const struct locked_watch *watch, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        struct table_state now = {0};

        if (!watch->watched[i])
            continue;
        if (!read_state(store, &tables[i].schema, &now, err))
            return false;
        if (table_state_equal(&now, &watch->states[i]))
            continue;
        (void)err_set(err, ERR_SERVER,
                      "%s was to stay as it is, but has changed with the other tables: %" PRId64
                      " rows before, %" PRId64 " after",
                      table_name((enum table)i), watch->states[i].rows, now.rows);
        return err_hint(err, "Everything was rolled back. A trigger of another table did it.");
    }
    return true;
}

static bool
journal_counts(const struct locked_change *change, const char *step,
               const struct locked_result *result, struct err *err)
{
    char numbers[AXDB_TABLES + 1][24];
    struct fact facts[AXDB_TABLES + 1];

    for (int i = 0; i < AXDB_TABLES; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "%" PRId64, result->rows[i]);
        facts[i] = (struct fact){table_key((enum table)i), numbers[i]};
    }
    (void)snprintf(numbers[AXDB_TABLES], sizeof numbers[AXDB_TABLES], "%" PRId64,
                   result->locked_ms);
    facts[AXDB_TABLES] = (struct fact){"locked_ms", numbers[AXDB_TABLES]};
    return change->journal->ops->record(change->journal, step, facts, AXDB_TABLES + 1, true, err);
}

/** The change is final, or may be: from here on nothing may be called unchanged. */
static bool
commit(const struct locked_change *change, struct locked_result *result, struct err *err)
{
    struct err journal_err;

    /* before the COMMIT is sent: a second signal may end the process at any moment from here on */
    cancel_note_changed();
    const bool done = change->store->ops->commit(change->store, &result->commit, err);

    result->locked_ms = change->store->ops->locked_ms(change->store);
    if (done) {
        result->journal_ok = journal_counts(change, "committed", result, err);
        return result->journal_ok || err_wrap(err, "%s", change->done_but_unsaid);
    }
    if (result->commit == COMMIT_NOT) {
        cancel_note_unchanged();
        change->store->ops->rollback(change->store);
    }
    /* the journal's own failure cannot add to what `err` says already */
    result->journal_ok =
        journal_counts(change, result->commit == COMMIT_NOT ? "rolled-back" : "commit-unknown",
                       result, &journal_err);
    if (result->commit != COMMIT_NOT)
        err->code = ERR_OUTCOME;
    return false;
}

static bool
attempt(const struct locked_change *change, struct locked_result *result, struct err *err)
{
    *result = (struct locked_result){.commit = COMMIT_NOT, .journal_ok = true, .locked_ms = -1};
    change->store->ops->foresee(change->store, &(struct axdb_foresight){.catalog = true});
    if (!change->store->ops->begin_locked(change->store, change->max_lock_ms, err))
        return err_wrap(err, "could not lock the tables");
    if (change->change(change->ctx, result->rows, err) && cancel_check(err) &&
        change->journal->ops->record(change->journal, "commit-sent", NULL, 0, true, err)) {
        result->commit_sent = true;
        if (commit(change, result, err))
            return true;
    } else {
        change->store->ops->rollback(change->store);
        result->locked_ms = change->store->ops->locked_ms(change->store);
    }
    for (int i = 0; i < AXDB_TABLES && result->commit == COMMIT_NOT; i++)
        result->rows[i] = 0;
    return false;
}

bool
locked_change_run(const struct locked_change *change, struct locked_result *ret, struct err *err)
{
    struct journal *journal = change->journal;

    *ret = (struct locked_result){.commit = COMMIT_NOT, .journal_ok = true, .locked_ms = -1};
    if (!journal->ops->reserve(journal, JOURNAL_ROOM_BYTES, err) ||
        !journal->ops->record(journal, "begin", NULL, 0, true, err))
        return false;
    for (int i = 1;; i++) {
        if (attempt(change, ret, err))
            return true;
        if (ret->commit_sent || err->code != ERR_LOCK || !err->transient || i == ATTEMPTS)
            return false;
        change->observer->say(change->observer, LOG_LEVEL_NOTICE,
                              "a lock was not obtained; nothing was changed; trying again");
        clock_sleep_ms((int64_t)BACK_OFF_MS * i * i);
        if (!cancel_check(err))
            return false;
    }
}
