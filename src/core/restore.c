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
    for (int i = 0; i < AXDB_TABLES; i++)
        free(plan->tables[i].wanted);
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
        const size_t capacity = table->wanted_capacity ? table->wanted_capacity * 2 : 1024;
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
take_backup(void *ctx, const struct row *row, struct err *err)
{
    struct planner *planner = ctx;
    const enum row_match match = row_index_take(&planner->reader.index, &row->id);

    if (!cancel_check(err) || !note_wanted(planner->table, match == ROW_ABSENT, err))
        return false;
    switch (match) {
    case ROW_EQUAL:
        planner->table->present++;
        return true;
    case ROW_DIFFERS:
        planner->table->differing++;
        return true;
    case ROW_ABSENT:
        break;
    }
    return rowset_add(&planner->missing, &row->id, err) &&
           (!planner->file || planner->file->ops->add(planner->file, &row->id, err));
}

static bool
plan_with(struct planner *planner, struct axdb_store *store, const struct schema *now,
          struct archived_run *run, struct err *err)
{
    const struct row_sink sink = {.ctx = planner, .take = take_backup};
    struct restore_table *table = planner->table;

    if (!columns_are_the_same(table->schema, now, err) ||
        (planner->file && !planner->file->ops->add_schema(planner->file, table->schema, err)) ||
        !read_present(store, now, &planner->reader, &table->there, err) ||
        !rowset_begin(&planner->missing, now->table, err) ||
        !run->ops->read_rows(run, now->table, &sink, err))
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

/** Rows of the backup on their way into the table, or against what is in it afterwards. */
struct writer {
    const struct restore_table *table;
    struct axdb_store *store;
    struct row_index *now; /* NULL while inserting */
    size_t at;
    int64_t missing; /* of the rows that were put back: not there, or not exactly */
};

static bool
insert_row(void *ctx, const struct row *row, struct err *err)
{
    struct writer *writer = ctx;

    if (writer->at >= writer->table->wanted_count)
        return err_set(err, ERR_STORAGE, "the backup has more rows than when the plan was made");
    if (!writer->table->wanted[writer->at++])
        return true;
    return cancel_check(err) && writer->store->ops->insert(writer->store, row, err);
}

static bool
compare_row(void *ctx, const struct row *row, struct err *err)
{
    struct writer *writer = ctx;

    if (writer->at >= writer->table->wanted_count)
        return err_set(err, ERR_STORAGE, "the backup has more rows than when the plan was made");
    if (writer->table->wanted[writer->at++] && row_index_take(writer->now, &row->id) != ROW_EQUAL)
        writer->missing++;
    return true;
}

static bool
insert_rows(const struct restore_job *job, const struct restore_table *table, int64_t *ret_rows,
            struct err *err)
{
    struct writer writer = {.table = table, .store = job->store};
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

/** Rows that were there before must all be there still, exactly. */
static int64_t
missing_before(const struct row_index *before, struct row_index *now, enum table table)
{
    int64_t missing = 0;

    for (size_t i = 0; i < before->count; i++) {
        struct row_id row = {.table = table, .digest = before->entries[i].digest};

        (void)snprintf(row.key, sizeof row.key, "%" PRId64 ":%" PRId64,
                       before->entries[i].key.partition, before->entries[i].key.recid);
        missing += row_index_take(now, &row) != ROW_EQUAL;
    }
    return missing;
}

/** The comparison that ends an undo: every byte of every row, by digest. */
static bool
compare_rows(const struct restore_job *job, const struct restore_table *table,
             const struct schema *schema, const struct row_index *before, struct err *err)
{
    struct table_reader reader = {0};
    struct writer writer = {.table = table, .now = &reader.index};
    const struct row_sink sink = {.ctx = &writer, .take = compare_row};
    struct table_state now = {0};
    int64_t lost = 0;
    bool ok = read_present(job->store, schema, &reader, &now, err);

    if (ok) {
        lost = missing_before(before, &reader.index, schema->table);
        ok = job->run->ops->read_rows(job->run, schema->table, &sink, err);
    }
    if (ok && (lost || writer.missing || row_index_unmatched(&reader.index))) {
        ok = err_set(err, ERR_SERVER,
                     "%s: %" PRId64 " rows did not come back exactly as they are in the backup",
                     table_name(schema->table), writer.missing);
        (void)err_detail(err, "rows of before that changed: %" PRId64 "; unexpected rows: %zu",
                         lost, row_index_unmatched(&reader.index));
        (void)err_hint(err, "Everything was rolled back. A trigger, a default or the collation of "
                            "a column may have changed values.");
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

/** Every table is checked before the first row goes in, and compared after the last one: a trigger
 * may write to another table than its own. */
static bool
change_tables(const struct restore_job *job, struct table_reader before[AXDB_TABLES],
              int64_t ret_rows[AXDB_TABLES], struct err *err)
{
    const struct restore_table *tables = job->plan->tables;

    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i].schema && !check_planned(job, &tables[i], &before[i], err))
            return false;
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i].schema && tables[i].missing.rows &&
            !insert_rows(job, &tables[i], &ret_rows[i], err))
            return false;
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
    bool ok;

    for (int i = 0; i < AXDB_TABLES; i++)
        ret_rows[i] = 0;
    ok = locked_catalog_unchanged(job->store, job->tables, job->arena, err) &&
         change_tables(job, before, ret_rows, err);
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

struct checker {
    struct table_reader reader;
    struct restore_check *check;
};

static bool
check_row(void *ctx, const struct row *row, struct err *err)
{
    struct checker *checker = ctx;

    (void)err;
    switch (row_index_take(&checker->reader.index, &row->id)) {
    case ROW_ABSENT:
        checker->check->absent++;
        break;
    case ROW_EQUAL:
        checker->check->present++;
        break;
    case ROW_DIFFERS:
        checker->check->differing++;
        break;
    }
    return true;
}

bool
restore_compare(struct axdb_store *store, const struct schema *schema, struct archived_run *run,
                struct restore_check *ret, struct err *err)
{
    struct restore_check check = {0};
    struct checker checker = {.check = &check};
    const struct row_sink sink = {.ctx = &checker, .take = check_row};
    struct table_state now;
    const bool ok = read_present(store, schema, &checker.reader, &now, err) &&
                    run->ops->read_rows(run, schema->table, &sink, err);

    check.others = (int64_t)row_index_unmatched(&checker.reader.index);
    table_reader_done(&checker.reader);
    if (ok)
        *ret = check;
    return ok;
}
