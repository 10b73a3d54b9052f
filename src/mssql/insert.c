#include "insert.h"

#include "batch.h"
#include "sql_text.h"
#include "store.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    GROUP_ROWS = 200,                  /* INSERT statements in one batch */
    GROUP_BYTES = 512 * 1024,          /* a batch is sent when it has grown to this */
    MAX_ROW_BYTES = 1024 * 1024 * 1024 /* of text; the server's limit of a batch is near this */
};

struct insertion {
    const struct schema *schema;
    struct text head; /* the same for every row */
    struct text rows; /* statements that were not sent yet */
    size_t waiting;   /* of them */
    int64_t inserted; /* as the server counted */
};

bool
insert_has_identity(const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->columns[i].identity && column_insertable(&schema->columns[i]))
            return true;
    }
    return false;
}

bool
insert_append_head(const struct schema *schema, struct text *out, struct err *err)
{
    const char *between = "";

    text_append(out, "INSERT INTO dbo.");
    if (!batch_identifier(out, table_name(schema->table), err))
        return false;
    text_append(out, " (");
    for (size_t i = 0; i < schema->count; i++) {
        if (!column_insertable(&schema->columns[i]))
            continue;
        text_append(out, between);
        if (!batch_identifier(out, schema->columns[i].name, err))
            return false;
        between = ", ";
    }
    if (between[0] == '\0')
        return err_set(err, ERR_SCHEMA, "%s has no column that can be written",
                       table_name(schema->table));
    text_append(out, ") VALUES (");
    return text_ok(out, err);
}

bool
insert_append_values(const struct schema *schema, const struct row *row,
                     const struct literal_style *style, struct text *out, struct err *err)
{
    const char *between = "";

    if (row->count != schema->count)
        return err_set(err, ERR_INTERNAL, "a row of %s does not have the columns of its table",
                       table_name(schema->table));
    for (size_t i = 0; i < schema->count; i++) {
        if (!column_insertable(&schema->columns[i]))
            continue;
        text_append(out, between);
        if (!literal_append(&schema->columns[i], &row->fields[i], style, out, err))
            return err_wrap(err, "row %s of %s", row->id.key, table_name(schema->table));
        between = ", ";
    }
    text_append(out, ");");
    return text_ok(out, err);
}

bool
insert_append_identity(enum table table, bool on, struct text *out, struct err *err)
{
    text_append(out, "SET IDENTITY_INSERT dbo.");
    if (!batch_identifier(out, table_name(table), err))
        return false;
    text_append(out, on ? " ON;" : " OFF;");
    return text_ok(out, err);
}

static void
insertion_free(struct insertion *insertion)
{
    if (insertion == NULL)
        return;
    text_done(&insertion->head);
    text_done(&insertion->rows);
    free(insertion);
}

void
mssql_insertion_drop(struct mssql_store *store)
{
    insertion_free(store->insertion);
    store->insertion = NULL;
}

bool
mssql_begin_insert(struct axdb_store *store, const struct schema *schema, struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    struct insertion *insertion;

    if (!self->in_transaction || self->insertion != NULL || schema->table >= TABLE_RUNTIME)
        return err_set(err, ERR_INTERNAL, "rows cannot be inserted here");
    insertion = calloc(1, sizeof *insertion);
    if (insertion == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    insertion->schema = schema;
    insertion->rows.max = MAX_ROW_BYTES;
    if (!insert_append_head(schema, &insertion->head, err)) {
        insertion_free(insertion);
        return false;
    }
    self->insertion = insertion;
    return true;
}

/**
 * IDENTITY_INSERT is a setting of the session, which one table at a time can have, and outlives a
 * failed group and its rollback.
 */
static bool
make_identity_lines(struct mssql_store *store, struct text *on, struct text *off, struct err *err)
{
    const struct schema *schema = store->insertion->schema;

    if (store->identity_left_on && !insert_append_identity(store->identity_table, false, on, err))
        return false;
    if (!insert_has_identity(schema))
        return true;
    store->identity_left_on = true;
    store->identity_table = schema->table;
    return insert_append_identity(schema->table, true, on, err) &&
           insert_append_identity(schema->table, false, off, err);
}

static bool
take_inserted(void *ctx, const struct cursor *cursor, struct err *err)
{
    return !cursor_is(cursor, "rs_inserted") || cursor_count(cursor, 1, ctx, err);
}

/** The server may repeat in its answer what a row holds: that is for nobody to read. */
static bool
explain_refusal(const struct mssql_store *store, struct err *err)
{
    const struct server_message *worst = verdict_worst(&store->connection->verdict);
    struct server_message shown;

    if (!worst || !statement_was_refused(store->connection))
        return false;
    shown = *worst;
    verdict_hide_values(&shown);
    return verdict_to_err(&shown, err);
}

/** Send the rows that wait. The group is kept small: it is parsed and run under the locks. */
static bool
flush(struct mssql_store *store, struct err *err)
{
    struct insertion *insertion = store->insertion;
    TEXT_SCOPED on = {0};
    TEXT_SCOPED off = {0};
    TEXT_SCOPED batch = {.max = MAX_ROW_BYTES};
    struct batch_variable variables[] = {
        {"identity_on", NULL}, {"rows", NULL}, {"identity_off", NULL}};
    struct counted inserted = {0};
    struct taker taker = {.ctx = &inserted, .row = take_inserted};

    if (insertion->waiting == 0)
        return true;
    if (!text_ok(&insertion->rows, err) || !make_identity_lines(store, &on, &off, err))
        return false;
    variables[0].value = text_string(&on);
    variables[1].value = text_string(&insertion->rows);
    variables[2].value = text_string(&off);
    if (!batch_expand(sql_insert_rows, variables, 3, &batch, err))
        return false;
    if (!mssql_store_run(store, "insert_rows", &batch, &taker, err))
        return explain_refusal(store, err);
    if (!inserted.known)
        return err_set(err, ERR_SERVER, "the server did not say how many rows it inserted");
    store->identity_left_on = false;
    insertion->inserted += inserted.rows;
    insertion->waiting = 0;
    text_reset(&insertion->rows);
    return true;
}

static bool
add(struct mssql_store *store, const struct row *row, struct err *err)
{
    struct insertion *insertion = store->insertion;
    const struct literal_style style = {.utf8 = store->connection->options->utf8_engine};
    struct text *rows = &insertion->rows;

    text_append_bytes(rows, text_string(&insertion->head), insertion->head.used);
    if (!insert_append_values(insertion->schema, row, &style, rows, err))
        return false;
    text_append(rows, "\nSET @inserted = @inserted + @@ROWCOUNT;\n");
    insertion->waiting++;
    return (insertion->waiting < GROUP_ROWS && rows->used < GROUP_BYTES) || flush(store, err);
}

/** What was half written may not be sent. */
static bool
fail_insert(struct mssql_store *store, struct err *err)
{
    const enum table table = store->insertion->schema->table;

    mssql_insertion_drop(store);
    return err_wrap(err, "could not insert the rows of %s", table_name(table));
}

bool
mssql_insert(struct axdb_store *store, const struct row *row, struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);

    if (!self->in_transaction || self->insertion == NULL)
        return err_set(err, ERR_INTERNAL, "no insert was begun");
    return add(self, row, err) || fail_insert(self, err);
}

bool
mssql_end_insert(struct axdb_store *store, int64_t *ret_inserted, struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);

    if (!self->in_transaction || self->insertion == NULL)
        return err_set(err, ERR_INTERNAL, "no insert was begun");
    if (!flush(self, err))
        return fail_insert(self, err);
    *ret_inserted = self->insertion->inserted;
    mssql_insertion_drop(self);
    return true;
}
