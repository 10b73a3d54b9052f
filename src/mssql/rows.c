#include "base/parse.h"
#include "batch.h"
#include "port/row_digest.h"
#include "sql_text.h"
#include "store.h"
#include "value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 1024, MAX_ROW_TEXT = 1024 * 1024, MAX_VARBINARY = 8000 };

struct reader {
    const struct schema *schema;
    const struct row_sink *sink;
    struct row_digester *digester;
    struct field *fields;     /* schema->count of them */
    enum value_kind *kinds;   /* likewise: of the columns' types */
    bool *is_bytes;           /* likewise: value_is_bytes of them */
    struct text canonical;    /* text of this row's values that are not bytes */
    size_t *offsets;          /* where each starts in it */
    size_t partition, record; /* indices of the key's columns */
    int wire_columns;
    int64_t total, received;
    bool has_total;
};

static bool
find_column(const struct schema *schema, const char *name, size_t *ret)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (text_equal_nocase(schema->columns[i].name, name)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/** Bytes and character columns travel with their length beside them. */
static bool
has_length(const struct column *column)
{
    return value_is_bytes(value_kind_of(column->type_name));
}

/** Character columns as bytes: nothing translates those. Not as varbinary(max) where the column has
 * a length: that is several times the work for both sides. UTF-8 may be longer than the catalog's
 * bytes, which are then those of another encoding. */
static void
append_as_bytes(const struct schema *schema, const struct column *column, struct text *out)
{
    if (schema->utf8_text || column->max_length < 1 || column->max_length > MAX_VARBINARY)
        text_append(out, "CONVERT(varbinary(max), ");
    else
        text_printf(out, "CONVERT(varbinary(%" PRId32 "), ", column->max_length);
}

static bool
append_column(const struct schema *schema, const struct column *column, struct text *out,
              struct err *err)
{
    enum value_kind kind = value_kind_of(column->type_name);

    if (kind == VALUE_UNSUPPORTED)
        return err_set(err, ERR_SCHEMA, "column %s has type %s, which has no exact way back",
                       column->name, column->type_name);
    if (kind == VALUE_CHARACTER)
        append_as_bytes(schema, column, out);
    if (!batch_identifier(out, column->name, err))
        return false;
    if (kind == VALUE_CHARACTER)
        text_append(out, ")");
    if (!has_length(column))
        return true;
    text_append(out, ", DATALENGTH(");
    if (!batch_identifier(out, column->name, err))
        return false;
    text_append(out, ")");
    return true;
}

bool
mssql_rows_batch(const struct schema *schema, struct text *batch, struct err *err)
{
    TEXT_SCOPED columns = {0};
    TEXT_SCOPED table = {0};
    struct batch_variable variables[] = {{"columns", NULL}, {"table", NULL}};

    for (size_t i = 0; i < schema->count; i++) {
        if (i > 0)
            text_append(&columns, ", ");
        if (!append_column(schema, &schema->columns[i], &columns, err))
            return false;
    }
    if (!batch_identifier(&table, table_name(schema->table), err) || !text_ok(&columns, err))
        return false;
    variables[0].value = text_string(&columns);
    variables[1].value = text_string(&table);
    return batch_expand(sql_read_rows, variables, 2, batch, err);
}

static bool
take_total(struct reader *reader, const struct cursor *cursor, struct err *err)
{
    struct counted total;

    if (!cursor_count(cursor, 1, &total, err))
        return false;
    reader->has_total = total.known;
    reader->total = total.rows;
    return true;
}

/** The bytes are what the server has, to the last one: a cut cannot pass. */
static bool
check_length(const struct cursor *cursor, int at, const struct column *column, size_t size,
             struct err *err)
{
    int64_t length = -1;

    if (!cursor_integer(cursor, at, -1, &length, err))
        return false;
    if (length == (int64_t)size)
        return true;
    return err_set(err, ERR_SERVER, "column %s has %" PRId64 " bytes and %zu came", column->name,
                   length, size);
}

/** Value `i` of the row, which stands at wire column `at`. */
static bool
take_value(struct reader *reader, const struct cursor *cursor, size_t i, int at, struct err *err)
{
    const struct column *column = &reader->schema->columns[i];
    struct field *field = &reader->fields[i];
    struct wire wire = {0};

    if (!cursor_wire(cursor, at, &wire, &field->is_null, err))
        return false;
    field->bytes = slice_of(NULL, 0);
    reader->offsets[i] = reader->canonical.used;
    if (field->is_null)
        return true;
    if (!reader->is_bytes[i])
        return value_append(reader->kinds[i], column, &wire, &reader->canonical, err);
    if (wire.type != SYBBINARY && wire.type != SYBVARBINARY)
        return err_set(err, ERR_SERVER, "column %s did not come as bytes", column->name);
    field->bytes = wire.bytes;
    return check_length(cursor, at + 1, column, wire.bytes.size, err);
}

/** The canonical texts lie in one buffer: point at them once it does not move any more. */
static bool
point_at_texts(struct reader *reader, struct err *err)
{
    if (!text_ok(&reader->canonical, err))
        return false;
    for (size_t i = 0; i < reader->schema->count; i++) {
        size_t end =
            i + 1 < reader->schema->count ? reader->offsets[i + 1] : reader->canonical.used;

        if (!reader->fields[i].is_null && !reader->is_bytes[i])
            reader->fields[i].bytes = slice_of(text_string(&reader->canonical) + reader->offsets[i],
                                               end - reader->offsets[i]);
    }
    return true;
}

static bool
make_key(const struct reader *reader, struct row *row, struct err *err)
{
    const struct field *partition = &reader->fields[reader->partition];
    const struct field *record = &reader->fields[reader->record];

    if (partition->is_null || record->is_null)
        return err_set(err, ERR_SCHEMA, "a row of %s has no PARTITION or RECID",
                       table_name(reader->schema->table));
    if (partition->bytes.size + record->bytes.size + 2 > sizeof row->id.key)
        return err_set(err, ERR_INTERNAL, "the key of a row is too long");
    memcpy(row->id.key, partition->bytes.data, partition->bytes.size);
    row->id.key[partition->bytes.size] = ':';
    memcpy(row->id.key + partition->bytes.size + 1, record->bytes.data, record->bytes.size);
    row->id.key[partition->bytes.size + 1 + record->bytes.size] = '\0';
    return true;
}

static bool
take_row(void *ctx, const struct cursor *cursor, struct err *err)
{
    struct reader *reader = ctx;
    struct row row = {.id.table = reader->schema->table,
                      .fields = reader->fields,
                      .count = reader->schema->count};
    int at = 1;

    if (cursor_is(cursor, "rs_total"))
        return take_total(reader, cursor, err);
    if (cursor->columns != reader->wire_columns)
        return err_set(err, ERR_SERVER, "rows of %s came with %d columns instead of %d",
                       table_name(reader->schema->table), cursor->columns, reader->wire_columns);
    text_reset(&reader->canonical);
    for (size_t i = 0; i < reader->schema->count; i++) {
        if (!take_value(reader, cursor, i, at, err))
            return false;
        at += reader->is_bytes[i] ? 2 : 1;
    }
    if (!point_at_texts(reader, err) || !make_key(reader, &row, err))
        return false;
    row_digest(reader->digester, &row);
    reader->received++;
    return reader->sink->take(reader->sink->ctx, &row, err);
}

static bool
prepare(struct reader *reader, struct err *err)
{
    const struct schema *schema = reader->schema;

    if (schema->table >= TABLE_RUNTIME || schema->count == 0 || schema->count > MAX_COLUMNS)
        return err_set(err, ERR_INTERNAL, "this is not a schema of an AxDB table");
    if (!find_column(schema, "PARTITION", &reader->partition) ||
        !find_column(schema, "RECID", &reader->record) ||
        value_kind_of(schema->columns[reader->partition].type_name) != VALUE_INTEGER ||
        value_kind_of(schema->columns[reader->record].type_name) != VALUE_INTEGER)
        return err_set(err, ERR_SCHEMA, "%s has no PARTITION and RECID to name its rows",
                       table_name(schema->table));
    reader->canonical.max = MAX_ROW_TEXT;
    reader->digester = row_digester_new(schema);
    reader->fields = calloc(schema->count, sizeof *reader->fields);
    reader->offsets = calloc(schema->count, sizeof *reader->offsets);
    reader->kinds = calloc(schema->count, sizeof *reader->kinds);
    reader->is_bytes = calloc(schema->count, sizeof *reader->is_bytes);
    if (reader->digester == NULL || reader->fields == NULL || reader->offsets == NULL ||
        reader->kinds == NULL || reader->is_bytes == NULL)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (size_t i = 0; i < schema->count; i++) {
        reader->kinds[i] = value_kind_of(schema->columns[i].type_name);
        reader->is_bytes[i] = value_is_bytes(reader->kinds[i]);
        reader->wire_columns += reader->is_bytes[i] ? 2 : 1;
    }
    return true;
}

/** As many rows as the server counted, or something is missing without an error. */
static bool
check_total(const struct mssql_store *store, const struct reader *reader, struct err *err)
{
    if (!reader->has_total)
        return err_set(err, ERR_SERVER, "the server did not count the rows of %s",
                       table_name(reader->schema->table));
    if (reader->total == reader->received)
        return true;
    (void)err_set(err, store->in_transaction ? ERR_SERVER : ERR_STALE,
                  "%s: the server counted %" PRId64 " rows and %" PRId64 " came",
                  table_name(reader->schema->table), reader->total, reader->received);
    if (!store->in_transaction)
        (void)err_hint(err, "Rows changed while they were read. Stop the writers and try again.");
    return false;
}

enum { SETS_A_TABLE = 2 }; /* of read_rows.sql */

/** Is this the table that the foreseen reading has come to? */
static bool
is_foreseen(const struct mssql_store *store, const struct schema *schema)
{
    return store->foreseen_read < store->foreseen.table_count &&
           store->foreseen.tables[store->foreseen_read] == schema;
}

/** The batch: of this table and the foreseen ones behind it, or of this one alone. */
static bool
append_batches(const struct mssql_store *store, const struct schema *schema, bool foreseen,
               struct text *batch, struct err *err)
{
    if (!foreseen)
        return mssql_rows_batch(schema, batch, err);
    for (size_t i = store->foreseen_read; i < store->foreseen.table_count; i++)
        if (!mssql_rows_batch(store->foreseen.tables[i], batch, err))
            return false;
    return true;
}

static bool
run_read(struct mssql_store *store, struct reader *reader, struct err *err)
{
    TEXT_SCOPED batch = {0};
    const struct taker taker = {.ctx = reader, .row = take_row};
    const bool foreseen = is_foreseen(store, reader->schema);
    const bool goes_on = foreseen && store->foreseen_read > 0 && store->connection->open;
    size_t sets = 0;

    if (!foreseen)
        store->foreseen.table_count = 0;
    if (!goes_on && !append_batches(store, reader->schema, foreseen, &batch, err))
        return false;
    if (foreseen && ++store->foreseen_read < store->foreseen.table_count)
        sets = SETS_A_TABLE;
    return mssql_store_run_part(store, "read_rows", goes_on ? NULL : &batch, sets, &taker, err);
}

static bool
read_with(struct mssql_store *store, struct reader *reader, struct err *err)
{
    return prepare(reader, err) && run_read(store, reader, err) && check_total(store, reader, err);
}

bool
mssql_read_rows(struct axdb_store *store, const struct schema *schema, const struct row_sink *sink,
                struct err *err)
{
    struct reader reader = {.schema = schema, .sink = sink};
    bool good = read_with(mssql_store_of(store), &reader, err);

    row_digester_free(reader.digester);
    free(reader.fields);
    free(reader.offsets);
    free(reader.kinds);
    free(reader.is_bytes);
    text_done(&reader.canonical);
    return good;
}
