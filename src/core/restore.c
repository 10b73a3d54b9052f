#include "core/restore.h"

#include "base/cancel.h"
#include "base/text.h"
#include "core/rowset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void
restore_plan_done(struct restore_plan *plan)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        free(plan->tables[i].wanted);
        row_index_done(&plan->tables[i].wanted_rows);
    }
    *plan = (struct restore_plan){0};
}

/* ---- are the columns still the same? ---- */

static const struct column *
find_insertable(const struct schema *schema, const char *name)
{
    const size_t at = schema_find(schema, name);

    return at < schema->count && column_insertable(&schema->columns[at]) ? &schema->columns[at]
                                                                         : NULL;
}

static bool
same_type(const struct column *a, const struct column *b)
{
    return text_equal_nocase(a->type_name, b->type_name) && a->max_length == b->max_length &&
           a->precision == b->precision && a->scale == b->scale && a->identity == b->identity &&
           text_equal_nocase(a->collation ? a->collation : "", b->collation ? b->collation : "");
}

/** The first insertable column of `a` that `b` has not, or has with another type. */
static const char *
first_difference(const struct schema *a, const struct schema *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct column *other;

        if (!column_insertable(&a->columns[i]))
            continue;
        other = find_insertable(b, a->columns[i].name);
        if (!other || !same_type(&a->columns[i], other))
            return a->columns[i].name;
    }
    return NULL;
}

static bool
columns_are_the_same(const struct schema *backup, const struct schema *now, struct err *err)
{
    const char *column = first_difference(backup, now);

    if (!column)
        column = first_difference(now, backup);
    if (!column)
        return true;
    (void)err_set(err, ERR_STALE, "column %s of %s is not what it was when the backup was made",
                  column, table_name(backup->table));
    return err_hint(err, "An exact undo is not possible. dwclean export RUN --sql writes the rows "
                         "as a script that can be adapted by hand.");
}

/* ---- planning: which rows are missing ---- */

/** Rows of a table into an index, and their state. */
struct table_reader {
    struct row_index index;
    struct rowset set;
};

static bool
take_present(void *ctx, const struct row *row, struct err *err)
{
    struct table_reader *reader = ctx;

    return cancel_check(err) && row_index_add(&reader->index, &row->id, err) &&
           rowset_add(&reader->set, &row->id, err);
}

static void
table_reader_done(struct table_reader *reader)
{
    row_index_done(&reader->index);
    rowset_done(&reader->set);
}

static bool
read_present(struct axdb_store *store, const struct schema *schema, struct table_reader *reader,
             struct table_state *ret, struct err *err)
{
    const struct row_sink sink = {.ctx = reader, .take = take_present};

    if (!rowset_begin(&reader->set, schema->table, err) ||
        !store->ops->read_rows(store, schema, &sink, err))
        return err_wrap(err, "could not read %s", table_name(schema->table));
    *ret = rowset_end(&reader->set);
    return true;
}

/** Rows of the backup against the index. */
struct planner {
    struct table_reader reader;
    struct rowset missing;
    struct restore_table *table;
    struct plan_file *file;
};

static bool
note_wanted(struct restore_table *table, bool wanted, struct err *err)
{
    if (table->wanted_count == table->wanted_capacity) {
        const size_t capacity = table->wanted_capacity ? table->wanted_capacity * 2 : 16;
        unsigned char *list = realloc(table->wanted, capacity);

        if (!list)
            return err_set(err, ERR_INTERNAL, "out of memory");
        table->wanted = list;
        table->wanted_capacity = capacity;
    }
    table->wanted[table->wanted_count++] = wanted;
    return true;
}

static bool
note_match(void *ctx, const struct row_id *row, enum row_match match, struct err *err)
{
    struct planner *planner = ctx;

    if (!cancel_check(err) || !note_wanted(planner->table, match == ROW_ABSENT, err))
        return false;
    switch (match) {
    case ROW_EQUAL:
        planner->table->present++;
        return true;
    case ROW_DIFFERS:
    default:
        planner->table->differing++;
        return true;
    case ROW_ABSENT:
        break;
    }
    return rowset_add(&planner->missing, row, err) &&
           row_index_add(&planner->table->wanted_rows, row, err) &&
           (!planner->file || planner->file->ops->add(planner->file, row, err));
}

/** Every row of the backup against the ones that are there. */
static bool
match_rows(struct planner *planner, enum table table, struct archived_run *run, struct err *err)
{
    struct row_matcher matcher = {
        .index = &planner->reader.index, .found = note_match, .ctx = planner};
    const struct row_sink sink = {.ctx = &matcher, .take = row_matcher_take};
    const bool ok = run->ops->read_rows(run, table, &sink, err) && row_matcher_end(&matcher, err);

    row_matcher_done(&matcher);
    return ok;
}

static bool
plan_with(struct planner *planner, struct axdb_store *store, const struct schema *now,
          struct archived_run *run, struct err *err)
{
    struct restore_table *table = planner->table;

    if (!columns_are_the_same(table->schema, now, err) ||
        (planner->file && !planner->file->ops->add_schema(planner->file, table->schema, err)) ||
        !read_present(store, now, &planner->reader, &table->there, err) ||
        !rowset_begin(&planner->missing, now->table, err) ||
        !match_rows(planner, now->table, run, err))
        return false;
    table->missing = rowset_end(&planner->missing);
    return true;
}

bool
restore_plan_make(struct axdb_store *store, const struct axdb_table_evidence *tables,
                  struct archived_run *run, struct plan_file *file, struct restore_plan *ret,
                  struct err *err)
{
    *ret = (struct restore_plan){0};
    for (int i = 0; i < AXDB_TABLES; i++) {
        struct planner planner = {.table = &ret->tables[i], .file = file};
        bool ok;

        ret->tables[i].schema = run->ops->schema(run, (enum table)i);
        if (!ret->tables[i].schema)
            continue;
        ok = plan_with(&planner, store, &tables[i].schema, run, err);
        table_reader_done(&planner.reader);
        rowset_done(&planner.missing);
        if (!ok)
            return err_wrap(err, "could not plan %s", table_name((enum table)i));
    }
    return true;
}

/* ---- under the locks ---- */

/** Rows of the backup on their way into a table. */
struct writer {
    const struct restore_job *job;
    const struct restore_table *table;
    size_t at, put_back; /* rows of the backup that have passed, and that were put back */
};

/** The row that was planned here: the same key, and the same bytes as far as a digest can tell. */
static bool
row_is_planned(const struct writer *writer, const struct row *row, struct err *err)
{
    const struct row_index *planned = &writer->table->wanted_rows;
    struct axdb_key key;

    if (writer->put_back < planned->count && axdb_key_parse(row->id.key, &key)) {
        const struct row_index_entry *entry = &planned->entries[writer->put_back];

        if (axdb_key_compare(&key, &entry->key) == 0 &&
            digest_equal(&row->id.digest, &entry->digest))
            return true;
    }
    return err_set(err, ERR_STORAGE, "row %s of the backup is not the one that was planned",
                   row->id.key);
}

/** The disk may be slow, and everybody waits for the locks: each row is asked for the time. */
static bool
insert_row(void *ctx, const struct row *row, struct err *err)
{
    struct writer *writer = ctx;
    const struct restore_job *job = writer->job;

    if (!cancel_check(err) || !locked_in_time(job->store, job->max_lock_ms, err))
        return false;
    if (writer->at >= writer->table->wanted_count)
        return err_set(err, ERR_STORAGE, "the backup has more rows than when the plan was made");
    if (!writer->table->wanted[writer->at++])
        return true;
    if (!row_is_planned(writer, row, err) || !job->store->ops->insert(job->store, row, err))
        return false;
    writer->put_back++;
    return true;
}

static bool
insert_rows(const struct restore_job *job, const struct restore_table *table, int64_t *ret_rows,
            struct err *err)
{
    struct writer writer = {.job = job, .table = table};
    const struct row_sink sink = {.ctx = &writer, .take = insert_row};
    const struct axdb_store_ops *ops = job->store->ops;

    if (!ops->begin_insert(job->store, table->schema, err) ||
        !job->run->ops->read_rows(job->run, table->schema->table, &sink, err) ||
        !ops->end_insert(job->store, ret_rows, err))
        return err_wrap(err, "could not put rows back into %s", table_name(table->schema->table));
    if (*ret_rows == table->missing.rows)
        return true;
    return err_set(err, ERR_SERVER, "%s: put back %" PRId64 " rows where %" PRId64 " were planned",
                   table_name(table->schema->table), *ret_rows, table->missing.rows);
}

/** The comparison that ends an undo: every byte of every row, by digest. What is in the table must
 * be what was there before and what was planned from the backup, and nothing else. */
static bool
compare_rows(const struct restore_job *job, const struct restore_table *table,
             const struct schema *schema, const struct row_index *before, struct err *err)
{
    struct table_reader reader = {0};
    struct table_state now = {0};
    bool ok = read_present(job->store, schema, &reader, &now, err);

    if (ok) {
        const size_t changed = row_index_lost(before, &reader.index);
        const size_t missing = row_index_lost(&table->wanted_rows, &reader.index);
        const size_t unexpected = row_index_unmatched(&reader.index);

        ok = !changed && !missing && !unexpected;
        if (!ok) {
            (void)err_set(err, ERR_SERVER,
                          "%s: %zu rows did not come back exactly as they are in the backup",
                          table_name(schema->table), missing);
            (void)err_detail(err, "rows of before that changed: %zu; unexpected rows: %zu", changed,
                             unexpected);
            (void)err_hint(err, "Everything was rolled back. A trigger, a default or the collation "
                                "of a column may have changed values.");
        }
    }
    table_reader_done(&reader);
    return ok;
}

/** Is the table as it was planned for? */
static bool
check_planned(const struct restore_job *job, const struct restore_table *table,
              struct table_reader *before, struct err *err)
{
    const enum table name = table->schema->table;
    struct table_state there = {0};

    if (!read_present(job->store, &job->tables[name].schema, before, &there, err))
        return false;
    if (table_state_equal(&there, &table->there))
        return true;
    (void)err_set(err, ERR_STALE,
                  "rows of %s changed since the plan: %" PRId64 " rows where %" PRId64
                  " were planned for",
                  table_name(name), there.rows, table->there.rows);
    return err_hint(err, "Something writes to this table. Stop it, then run the undo again.");
}

static void
foresee_reading(const struct restore_job *job)
{
    struct axdb_foresight foresight = {0};

    for (int i = 0; i < AXDB_TABLES; i++)
        if (job->plan->tables[i].schema)
            foresight.tables[foresight.table_count++] = &job->tables[i].schema;
    job->store->ops->foresee(job->store, &foresight);
}

/** Every table is checked before the first row goes in, and compared after the last one: a trigger
 * may write to another table than its own. */
static bool
change_tables(const struct restore_job *job, struct table_reader before[AXDB_TABLES],
              int64_t ret_rows[AXDB_TABLES], struct err *err)
{
    const struct restore_table *tables = job->plan->tables;

    foresee_reading(job);
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i].schema && !check_planned(job, &tables[i], &before[i], err))
            return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i].schema && tables[i].missing.rows &&
            !insert_rows(job, &tables[i], &ret_rows[i], err))
            return false;
    foresee_reading(job);
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i].schema &&
            !compare_rows(job, &tables[i], &job->tables[i].schema, &before[i].index, err))
            return false;
    return true;
}

static bool
change(void *ctx, int64_t ret_rows[AXDB_TABLES], struct err *err)
{
    const struct restore_job *job = ctx;
    struct table_reader before[AXDB_TABLES] = {0};
    bool in_backup[AXDB_TABLES];
    struct locked_watch watch;
    bool ok;

    for (int i = 0; i < AXDB_TABLES; i++) {
        ret_rows[i] = 0;
        in_backup[i] = job->plan->tables[i].schema != NULL;
    }
    ok = locked_catalog_unchanged(job->store, job->tables, job->arena, err) &&
         locked_watch_begin(job->store, job->tables, in_backup, &watch, err) &&
         change_tables(job, before, ret_rows, err) &&
         locked_watch_end(job->store, job->tables, &watch, err);
    for (int i = 0; i < AXDB_TABLES; i++)
        table_reader_done(&before[i]);
    return ok;
}

bool
restore_tables(const struct restore_job *job, struct locked_result *ret, struct err *err)
{
    struct restore_job copy = *job;
    const struct locked_change locked = {.store = job->store,
                                         .max_lock_ms = job->max_lock_ms,
                                         .journal = job->journal,
                                         .observer = job->observer,
                                         .change = change,
                                         .ctx = &copy,
                                         .done_but_unsaid =
                                             "the rows are back, but the journal could not say so"};

    return locked_change_run(&locked, ret, err);
}

/* ---- the fresh look ---- */

static bool
read_all(const struct restore_look *look, struct row_index ret[AXDB_TABLES], struct err *err)
{
    bool ok = look->store->ops->begin_locked(look->store, look->max_lock_ms, err);

    for (int i = 0; i < AXDB_TABLES && ok; i++) {
        struct table_reader reader = {0};
        struct table_state ignored;

        if (!look->plan->tables[i].schema)
            continue;
        ok = read_present(look->store, &look->tables[i].schema, &reader, &ignored, err);
        ret[i] = reader.index;
        rowset_done(&reader.set);
    }
    look->store->ops->rollback(look->store);
    return ok;
}

static bool
compare_table(const struct restore_look *look, enum table table, struct row_index *now,
              struct row_counts *ret, struct err *err)
{
    struct row_matcher matcher = {.index = now, .found = row_counts_add, .ctx = ret};
    const struct row_sink sink = {.ctx = &matcher, .take = row_matcher_take};
    const bool ok =
        look->run->ops->read_rows(look->run, table, &sink, err) && row_matcher_end(&matcher, err);

    row_matcher_done(&matcher);
    ret->others = (int64_t)row_index_unmatched(now);
    return ok;
}

bool
restore_look(const struct restore_look *look, struct row_counts ret[AXDB_TABLES], struct err *err)
{
    struct row_index now[AXDB_TABLES] = {0};
    struct row_counts counts[AXDB_TABLES] = {0};
    bool ok = read_all(look, now, err);

    for (int i = 0; i < AXDB_TABLES && ok; i++)
        if (look->plan->tables[i].schema)
            ok = compare_table(look, (enum table)i, &now[i], &counts[i], err);
    for (int i = 0; i < AXDB_TABLES; i++) {
        row_index_done(&now[i]);
        if (ok)
            ret[i] = counts[i];
    }
    return ok;
}
