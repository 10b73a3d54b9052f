#include "core/clear.h"

#include "core/rowset.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/** One table under the lock: the rows that go, and the ones that stay. */
struct locked_table {
    const struct scope *scope;
    const struct schema *schema;
    struct rowset going, staying;
    struct table_state found, stay; /* of both, before the delete */
    struct axdb_key *keys;          /* of the rows that go, where only a part goes; malloc'd */
    size_t key_count, key_capacity;
};

enum { MAX_KEYS = 4 * 1000 * 1000 };

static void
locked_table_done(struct locked_table *locked)
{
    rowset_done(&locked->going);
    rowset_done(&locked->staying);
    free(locked->keys);
    locked->keys = NULL;
}

static bool
keep_key(struct locked_table *locked, const struct row_id *row, struct err *err)
{
    if (locked->key_count == MAX_KEYS)
        return err_set(err, ERR_INTERNAL, "more than %d rows to delete a part of %s", MAX_KEYS,
                       table_name(row->table));
    if (locked->key_count == locked->key_capacity) {
        const size_t capacity = locked->key_capacity ? locked->key_capacity * 2 : 16;
        struct axdb_key *keys = realloc(locked->keys, capacity * sizeof *locked->keys);

        if (!keys)
            return err_set(err, ERR_INTERNAL, "out of memory");
        locked->keys = keys;
        locked->key_capacity = capacity;
    }
    if (!axdb_key_parse(row->key, &locked->keys[locked->key_count]))
        return err_set(err, ERR_SERVER, "%s is not a key of an AxDB row", row->key);
    locked->key_count++;
    return true;
}

static bool
take_row(void *ctx, const struct row *row, struct err *err)
{
    struct locked_table *locked = ctx;

    if (!scope_takes(locked->scope, locked->schema, row))
        return rowset_add(&locked->staying, &row->id, err);
    if (locked->scope->parts[row->id.table] == SCOPE_SOME && !keep_key(locked, &row->id, err))
        return false;
    return rowset_add(&locked->going, &row->id, err);
}

static bool
read_locked(const struct clear_job *job, struct locked_table *locked, struct err *err)
{
    const struct row_sink sink = {.ctx = locked, .take = take_row};
    const enum table table = locked->schema->table;

    locked->key_count = 0;
    rowset_done(&locked->going);
    rowset_done(&locked->staying);
    if (!rowset_begin(&locked->going, table, err) || !rowset_begin(&locked->staying, table, err) ||
        !job->store->ops->read_rows(job->store, locked->schema, &sink, err))
        return err_wrap(err, "could not read %s under the lock", table_name(table));
    return true;
}

/** Does the table still hold exactly what the sealed backup holds? */
static bool
table_is_sealed(enum table table, const struct table_state *sealed, const struct table_state *found,
                struct err *err)
{
    if (table_state_equal(sealed, found))
        return true;
    if (found->rows != sealed->rows)
        (void)err_set(err, ERR_STALE, "%s has %" PRId64 " rows where the backup has %" PRId64,
                      table_name(table), found->rows, sealed->rows);
    else
        (void)err_set(err, ERR_STALE, "rows of %s changed since the backup", table_name(table));
    return err_hint(err, "Something still writes to this table. Stop the maps and other writers, "
                         "then run the command again.");
}

/** Every table that goes whole, at once: what is left in them is counted behind the last delete. */
static bool
delete_whole_tables(const struct clear_job *job, int64_t ret_rows[AXDB_TABLES], struct err *err)
{
    struct axdb_deleted deleted[AXDB_TABLES] = {0};
    bool whole[AXDB_TABLES];
    bool any = false;

    for (int i = 0; i < AXDB_TABLES; i++) {
        whole[i] = job->scope->parts[i] == SCOPE_WHOLE;
        any = any || whole[i];
    }
    /* Exactly these rows are sealed on stable storage: this line destroys. */
    if (any && !job->store->ops->delete_all(job->store, whole, deleted, err))
        return err_wrap(err, "could not clear the tables");
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (!whole[i])
            continue;
        if (deleted[i].left != 0)
            return err_set(err, ERR_SERVER, "%s still has %" PRId64 " rows after the delete",
                           table_name((enum table)i), deleted[i].left);
        ret_rows[i] = deleted[i].rows;
    }
    return true;
}

static bool
delete_part(const struct clear_job *job, const struct locked_table *locked, int64_t *ret_deleted,
            struct err *err)
{
    *ret_deleted = 0;
    /* Exactly these rows are sealed on stable storage: this line destroys. */
    return locked->key_count == 0 ||
           job->store->ops->delete_keys(job->store, locked->schema->table, locked->keys,
                                        locked->key_count, ret_deleted, err);
}

/** What is left of a table: exactly the rows that were to stay? Of a whole table, none. */
static bool
only_kept_rows_are_left(const struct clear_job *job, struct locked_table *locked, struct err *err)
{
    const enum table table = locked->schema->table;
    struct table_state going;
    struct table_state left;

    if (!read_locked(job, locked, err))
        return false;
    going = rowset_end(&locked->going);
    left = rowset_end(&locked->staying);
    if (going.rows == 0 && table_state_equal(&locked->stay, &left))
        return true;
    (void)err_set(err, ERR_SERVER,
                  "%s: after the delete %" PRId64 " rows are left that should be gone, and %" PRId64
                  " of %" PRId64 " that should stay",
                  table_name(table), going.rows, left.rows, locked->stay.rows);
    return err_hint(err, "Everything was rolled back. A trigger may write to this table.");
}

static bool
compare_table(const struct clear_job *job, struct locked_table *locked, struct err *err)
{
    const enum table table = locked->schema->table;

    if (!read_locked(job, locked, err))
        return false;
    locked->found = rowset_end(&locked->going);
    locked->stay = rowset_end(&locked->staying);
    return table_is_sealed(table, &job->sealed->states[table], &locked->found, err);
}

static bool
check_deleted(const struct clear_job *job, enum table table, int64_t deleted, struct err *err)
{
    const int64_t expected = job->sealed->states[table].rows;

    return deleted == expected ||
           err_set(err, ERR_SERVER, "%s: deleted %" PRId64 " rows where the backup has %" PRId64,
                   table_name(table), deleted, expected);
}

/** `*ret_by_keys`: a table lost a part of its rows, after the others were counted. */
static bool
delete_tables(const struct clear_job *job, const struct locked_table locked[AXDB_TABLES],
              int64_t ret_rows[AXDB_TABLES], bool *ret_by_keys, struct err *err)
{
    *ret_by_keys = false;
    if (!delete_whole_tables(job, ret_rows, err))
        return false;
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (job->scope->parts[i] == SCOPE_SOME) {
            *ret_by_keys = true;
            if (!delete_part(job, &locked[i], &ret_rows[i], err))
                return err_wrap(err, "could not clear %s", table_name((enum table)i));
        }
        if (job->scope->parts[i] != SCOPE_NOTHING &&
            !check_deleted(job, (enum table)i, ret_rows[i], err))
            return false;
    }
    return true;
}

/** The tables of the scope will be read one after the other: they are asked for at once. */
static void
foresee_reading(const struct clear_job *job)
{
    struct axdb_foresight foresight = {0};

    for (int i = 0; i < AXDB_TABLES; i++)
        if (job->scope->parts[i] != SCOPE_NOTHING)
            foresight.tables[foresight.table_count++] = &job->tables[i].schema;
    job->store->ops->foresee(job->store, &foresight);
}

/** First every table is compared, then the first row goes; what is left is looked at when the last
 * one has gone: a trigger may write to another table than its own, also to one that was empty
 * already. Where all tables go whole, the counts behind the last delete are that look. */
static bool
change_tables(const struct clear_job *job, struct locked_table locked[AXDB_TABLES],
              int64_t ret_rows[AXDB_TABLES], struct err *err)
{
    bool by_keys = false;

    foresee_reading(job);
    for (int i = 0; i < AXDB_TABLES; i++)
        if (job->scope->parts[i] != SCOPE_NOTHING && !compare_table(job, &locked[i], err))
            return false;
    if (!delete_tables(job, locked, ret_rows, &by_keys, err))
        return false;
    if (!by_keys)
        return true;
    foresee_reading(job);
    for (int i = 0; i < AXDB_TABLES; i++)
        if (job->scope->parts[i] != SCOPE_NOTHING && !only_kept_rows_are_left(job, &locked[i], err))
            return false;
    return true;
}

static bool
change(void *ctx, int64_t ret_rows[AXDB_TABLES], struct err *err)
{
    const struct clear_job *job = ctx;
    struct locked_table locked[AXDB_TABLES] = {0};
    bool in_scope[AXDB_TABLES];
    struct locked_watch watch;
    bool ok;

    for (int i = 0; i < AXDB_TABLES; i++) {
        locked[i].scope = job->scope;
        locked[i].schema = &job->tables[i].schema;
        in_scope[i] = job->scope->parts[i] != SCOPE_NOTHING;
    }
    ok = locked_catalog_unchanged(job->store, job->tables, job->arena, err) &&
         locked_watch_begin(job->store, job->tables, in_scope, &watch, err) &&
         change_tables(job, locked, ret_rows, err) &&
         locked_watch_end(job->store, job->tables, &watch, err);
    for (int i = 0; i < AXDB_TABLES; i++)
        locked_table_done(&locked[i]);
    return ok;
}

bool
clear_tables(const struct clear_job *job, struct locked_result *ret, struct err *err)
{
    struct clear_job copy = *job;
    const struct locked_change locked = {
        .store = job->store,
        .max_lock_ms = job->max_lock_ms,
        .journal = job->journal,
        .observer = job->observer,
        .change = change,
        .ctx = &copy,
        .done_but_unsaid = "the AxDB rows are deleted, but the journal could not say so"};

    assert(job->sealed->sealed);

    if (locked_change_run(&locked, ret, err))
        return true;
    if (err->code == ERR_OUTCOME)
        (void)err_hint(err, "The rows are either all deleted or all there; Dataverse was not "
                            "touched. When the server answers again, dwclean resume finds out.");
    return false;
}
