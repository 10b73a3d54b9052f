/* What the store sends, as text: the same batches, made by the same functions. */
#include "batch.h"
#include "mssql/mssql.h"
#include "question.h"
#include "session.h"
#include "sql_text.h"
#include "store.h"

/** Hand a batch over, when it could be made. */
static bool
show(const struct statement_sink *sink, struct shown_statement statement, const struct text *batch,
     struct err *err)
{
    statement.text = text_string(batch);
    return batch_check(batch, err) && sink->take(sink->ctx, &statement, err);
}

static bool
show_sql(const struct statement_sink *sink, struct shown_statement statement, const char *sql,
         struct err *err)
{
    TEXT_SCOPED batch = {0};

    return batch_expand(sql, NULL, 0, &batch, err) && show(sink, statement, &batch, err);
}

static bool
show_connect(const struct statement_sink *sink, struct err *err)
{
    TEXT_SCOPED batch = {0};

    return session_batch("$(lock_timeout_ms)", &batch, err) &&
           show(sink, (struct shown_statement){.purpose = "the options of a new connection"},
                &batch, err);
}

static bool
show_observe(const struct statement_sink *sink, struct err *err)
{
    TEXT_SCOPED batch = {0};

    return statement_proof(false, &batch, err) && mssql_observe_batch(&batch, err) &&
           show(
               sink,
               (struct shown_statement){
                   .purpose = "the proof of these options, and what there is",
                   .note =
                       "again when a count says 0 rows and the server's own statistics say others"},
               &batch, err);
}

static bool
show_read_rows(const struct schema *const *schemas, size_t count, const struct statement_sink *sink,
               struct err *err)
{
    TEXT_SCOPED batch = {0};

    for (size_t i = 0; i < count; i++)
        if (!mssql_rows_batch(schemas[i], &batch, err))
            return false;
    return show(sink,
                (struct shown_statement){.purpose = count == 1 ? "read every row of a table"
                                                               : "read every row of the tables"},
                &batch, err);
}

static bool
show_acquire(const struct statement_sink *sink, struct err *err)
{
    return show_sql(
        sink,
        (struct shown_statement){.purpose = "one run at a time on this database",
                                 .note = "where the login may not use it, the run goes on without"},
        sql_acquire_exclusion, err);
}

static bool
show_begin(bool then_catalog, const struct statement_sink *sink, struct err *err)
{
    TEXT_SCOPED batch = {0};
    const char *note =
        then_catalog
            ? "after a lock timeout (1222) or a deadlock (1205) again, with what follows, twice at most; without the questions that the server could not answer before; after it, where a trigger or key may reach a table that is none of the plan's, that table is read too, before and after"
            : "after a lock timeout (1222) or a deadlock (1205) again, with what follows, twice at most";

    return mssql_begin_batch(then_catalog, 0, &batch, err) &&
           show(
               sink,
               (struct shown_statement){
                   .purpose =
                       then_catalog
                           ? "open the transaction, lock the three tables, and read columns, triggers, keys and policies once more"
                           : "open the transaction and lock the three tables",
                   .note = note},
               &batch, err);
}

static bool
show_delete_all(const bool tables[AXDB_TABLES], const struct statement_sink *sink, struct err *err)
{
    TEXT_SCOPED batch = {0};

    return mssql_delete_all_batch(tables, &batch, err) &&
           show(sink,
                (struct shown_statement){
                    .purpose = "DELETE every row of the tables, then count what is left"},
                &batch, err);
}

/** Keys until a statement is full. */
struct group {
    struct axdb_key keys[MSSQL_GROUP_KEYS + 1];
    size_t count;
};

static bool
show_group(enum table table, struct group *group, size_t size, const struct statement_sink *sink,
           struct err *err)
{
    TEXT_SCOPED batch = {0};

    if (!mssql_delete_keys_batch(table, group->keys, size, &batch, err) ||
        !show(
            sink,
            (struct shown_statement){.purpose = "DELETE the planned rows of a table by their keys"},
            &batch, err))
        return false;
    for (size_t i = size; i < group->count; i++)
        group->keys[i - size] = group->keys[i];
    group->count -= size;
    return true;
}

static bool
show_delete_keys(enum table table, const struct row_stream *rows, const struct statement_sink *sink,
                 struct err *err)
{
    struct group group = {.count = 0};
    struct row_id row;
    bool end = false;

    while (rows->next(rows->ctx, &row, &end, err) && !end) {
        if (!axdb_key_parse(row.key, &group.keys[group.count]))
            return err_set(err, ERR_STORAGE, "%s is not a key of an AxDB row", row.key);
        group.count++;
        const size_t size = mssql_key_group(group.keys, group.count);

        if (size < group.count && !show_group(table, &group, size, sink, err))
            return false;
    }
    return end && (group.count == 0 || show_group(table, &group, group.count, sink, err));
}

static bool
show_commit(const struct statement_sink *sink, struct err *err)
{
    return show_sql(sink, (struct shown_statement){.purpose = "make the deletes final"}, sql_commit,
                    err) &&
           show_sql(sink,
                    (struct shown_statement){.purpose = "bring the log to the disk",
                                             .only_when =
                                                 "the database has DELAYED_DURABILITY = FORCED"},
                    sql_flush_log, err);
}

static bool
show_rollback(const struct statement_sink *sink, struct err *err)
{
    return show_sql(sink, (struct shown_statement){.purpose = "end the transaction"}, sql_rollback,
                    err);
}

const struct axdb_statements mssql_statements = {
    .connect = show_connect,
    .observe = show_observe,
    .read_rows = show_read_rows,
    .acquire_exclusion = show_acquire,
    .begin_locked = show_begin,
    .delete_all = show_delete_all,
    .delete_keys = show_delete_keys,
    .commit = show_commit,
    .rollback = show_rollback,
};
