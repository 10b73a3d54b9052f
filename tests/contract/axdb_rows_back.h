/**
 * What the tests of rows that go back share: tables of known shape, rows in memory that are
 * compared with what is read, and the undo script made and run.
 */
#ifndef CONTRACT_AXDB_ROWS_BACK_H
#define CONTRACT_AXDB_ROWS_BACK_H

#include "axdb_sandbox.h"
#include "backup/backup_set.h"
#include "base/text.h"
#include "delete_table.h"
#include "random_row.h"
#include "scratch.h"

/* Of every type. */
static const char wide_table[] =
    "DROP TABLE dbo.BUSINESSEVENTSDEFINITION;"
    "CREATE TABLE dbo.BUSINESSEVENTSDEFINITION ("
    " C_BIT bit NULL, C_TINYINT tinyint NULL, C_SMALLINT smallint NULL, C_INT int NULL,"
    " C_BIGINT bigint NULL, C_DECIMAL decimal(38,10) NULL, C_DECIMAL38 decimal(38,38) NULL,"
    " C_NUMERIC numeric(38,0) NULL, C_NUMERIC9 numeric(9,2) NULL, C_SMALLMONEY smallmoney NULL,"
    " C_MONEY money NULL, C_REAL real NULL, C_FLOAT float NULL, C_DATE date NULL,"
    " C_TIME time(7) NULL, C_TIME0 time(0) NULL, C_DATETIME2 datetime2(7) NULL,"
    " C_DATETIME2_3 datetime2(3) NULL, C_DATETIME2_0 datetime2(0) NULL,"
    " C_DATETIMEOFFSET datetimeoffset(7) NULL, C_DATETIMEOFFSET_2 datetimeoffset(2) NULL,"
    " C_SMALLDATETIME smalldatetime NULL, C_DATETIME datetime NULL,"
    " C_GUID uniqueidentifier NULL, C_CHAR char(10) NULL, C_VARCHAR varchar(200) NULL,"
    " C_VARCHARMAX varchar(max) NULL,"
    " C_NCHAR nchar(10) NULL, C_NVARCHAR nvarchar(200) NULL, C_NVARCHARMAX nvarchar(max) NULL,"
    " C_BINARY binary(8) NULL, C_VARBINARY varbinary(200) NULL, C_VARBINARYMAX varbinary(max) NULL,"
    " [odd ]] \"name'--] nvarchar(20) NULL, C_COMPUTED AS (C_SMALLINT * 2),"
    " PARTITION bigint NOT NULL, RECID bigint NOT NULL, SYSROWVERSION rowversion NOT NULL,"
    " CONSTRAINT PK_WIDE PRIMARY KEY (PARTITION, RECID));";

/* Beside them code pages that are not the database's. */
static const char code_pages[] =
    "ALTER TABLE dbo.BUSINESSEVENTSDEFINITION ADD"
    " C_CYRILLIC varchar(60) COLLATE Cyrillic_General_CI_AS NULL,"
    " C_CYRILLICFIXED char(7) COLLATE Cyrillic_General_CI_AS NULL,"
    " C_UTF8 varchar(90) COLLATE Latin1_General_100_CI_AS_SC_UTF8 NULL;";

static struct random
any_random(uint64_t seed)
{
    struct random random = random_from(seed);

    random.utf8 = utf8_engine();
    return random;
}

/* With identity columns, and one that is computed. */
static const char identity_tables[] =
    "DROP TABLE dbo.DUALWRITEPROJECTCONFIGURATION;"
    "DROP TABLE dbo.BUSINESSEVENTSDEFINITION;"
    "CREATE TABLE dbo.DUALWRITEPROJECTCONFIGURATION ("
    " ID int IDENTITY(10,5) NOT NULL, PARTITION bigint NOT NULL, RECID bigint NOT NULL,"
    " CONSTRAINT PK_P PRIMARY KEY (PARTITION, RECID));"
    "CREATE TABLE dbo.BUSINESSEVENTSDEFINITION ("
    " NAME nvarchar(20) NOT NULL, RECID bigint IDENTITY(1,1) NOT NULL, PARTITION bigint NOT NULL,"
    " REST AS (RECID % 1000), VERSION rowversion NOT NULL,"
    " CONSTRAINT PK_E PRIMARY KEY (PARTITION, RECID));";

/* ---- a table whose rows are known ---- */

static struct axdb_store *
with_table(const char *definition, struct arena *arena, struct axdb_evidence *ret)
{
    struct axdb_store *store;

    sql(definition);
    if (definition == wide_table && !utf8_engine())
        sql(code_pages);
    store = connect_as("admin");
    observe(store, arena, ret);
    if (ret->tables[TABLE_EVENTS].fault != NULL)
        fail_msg("%s", ret->tables[TABLE_EVENTS].fault);
    return store;
}

/** Rows in memory, and the next one that is expected. */
struct expected {
    const struct schema *schema;
    const struct random_rows *rows;
    size_t next;
};

static bool
expect_row(void *ctx, const struct row *row, struct err *ret_err)
{
    struct expected *expected = ctx;
    const struct row *want;

    (void)ret_err;
    if (expected->next >= expected->rows->count)
        fail_msg("%s is one row too many", row->id.key);
    want = &expected->rows->items[expected->next++];
    assert_string_equal(row->id.key, want->id.key);
    for (size_t i = 0; i < row->count; i++) {
        const struct column *column = &expected->schema->columns[i];
        const struct field *is = &row->fields[i], *was = &want->fields[i];

        if (!column_insertable(column))
            continue;
        if (is->is_null != was->is_null || !slice_equal(is->bytes, was->bytes)) {
            TEXT_SCOPED text = {0};

            text_append_hex(&text, was->bytes.data, was->bytes.size);
            text_append(&text, " came back as ");
            text_append_hex(&text, is->bytes.data, is->bytes.size);
            fail_msg("row %s, column %s (%s): %s%s (\"%.*s\")", row->id.key, column->name,
                     column->type_name, was->is_null ? "NULL: " : "", text_string(&text),
                     (int)was->bytes.size, (const char *)was->bytes.data);
        }
    }
    assert_true(digest_equal(&row->id.digest, &want->id.digest));
    return true;
}

static void
expect_rows(struct axdb_store *store, const struct schema *schema, const struct random_rows *rows)
{
    struct expected expected = {.schema = schema, .rows = rows};
    struct row_sink sink = {.ctx = &expected, .take = expect_row};

    if (!store->ops->read_rows(store, schema, &sink, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(expected.next, rows->count);
}

static void
begin_insert(struct axdb_store *store, const struct schema *schema)
{
    begin(store, 30000);
    if (!store->ops->begin_insert(store, schema, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
}

static bool
insert_row(void *ctx, const struct row *row, struct err *ret_err)
{
    struct axdb_store *store = ctx;

    return store->ops->insert(store, row, ret_err);
}

static void
end_insert_and_commit(struct axdb_store *store, size_t rows)
{
    enum commit_state state;
    int64_t inserted = -1;

    if (!store->ops->end_insert(store, &inserted, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(inserted, rows);
    if (!store->ops->commit(store, &state, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
}

static void
insert_rows(struct axdb_store *store, const struct schema *schema, const struct random_rows *rows)
{
    begin_insert(store, schema);
    for (size_t i = 0; i < rows->count; i++) {
        if (!insert_row(store, &rows->items[i], &err))
            fail_msg("%s (%s)", err.primary, err.detail);
    }
    end_insert_and_commit(store, rows->count);
}

static void
delete_rows(struct axdb_store *store, size_t rows)
{
    enum commit_state state;
    int64_t deleted = -1, left = -1;

    begin(store, 30000);
    if (!delete_table(store, TABLE_EVENTS, &deleted, &left, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(deleted, rows);
    assert_true(store->ops->commit(store, &state, &err));
}

/* ---- through a backup, and as a script ---- */

static bool
add_to_backup(void *ctx, const struct row *row, struct err *ret_err)
{
    struct backup **backup = ctx;

    return (*backup)->ops->add(*backup, row, ret_err);
}

static bool
append_text(void *ctx, const char *bytes, size_t size, struct err *ret_err)
{
    (void)ret_err;
    text_append_bytes(ctx, bytes, size);
    return true;
}

static bool
add_to_script(void *ctx, const struct row *row, struct err *ret_err)
{
    struct undo_script *script = ctx;

    return script->row(script, row, ret_err);
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s (%s)", #call, err.primary, err.detail);                               \
    } while (0)

static struct backup *
write_backup(struct axdb_store *store, const struct schema *schema, const char *directory)
{
    struct backup *backup = NULL;
    struct row_sink into_backup = {.ctx = &backup, .take = add_to_backup};

    MUST(backup_set_new(directory, "test", NULL, &backup, &err));
    MUST(backup->ops->begin_table(backup, schema, &err));
    MUST(store->ops->read_rows(store, schema, &into_backup, &err));
    MUST(backup->ops->end_table(backup, &err));
    MUST(backup->ops->close(backup, &err));
    return backup;
}

/** Where rows of a script come from. */
struct script_source {
    struct backup *backup;          /* either */
    const struct random_rows *rows; /* or */
    const char *database;           /* that they are said to be from; NULL = the right one */
};

static const char *
database_name(const char *other)
{
    if (other != NULL)
        return other;
    return elsewhere.given ? elsewhere.database : "AxDB";
}

static void
make_script(const struct schema *schema, const struct script_source *source, int64_t count,
            struct text *ret)
{
    struct undo_script_head head = {.run_id = "20261122T000000Z-test-0000",
                                    .server = "localhost",
                                    .database = database_name(source->database),
                                    .manifest = "0000",
                                    .program = "dwclean/test"};
    struct undo_script_out out = {.ctx = ret, .write = append_text};
    struct undo_script *script = NULL;
    struct row_sink into_script;

    head.rows[schema->table] = count;
    MUST(mssql_undo_script_new(&out, &script, &err));
    into_script = (struct row_sink){.ctx = script, .take = add_to_script};
    MUST(script->begin(script, &head, &err));
    MUST(script->begin_table(script, schema, &err));
    if (source->backup != NULL)
        MUST(source->backup->ops->read_back(source->backup, schema->table, &into_script, &err));
    for (size_t i = 0; source->rows != NULL && i < source->rows->count; i++)
        MUST(script->row(script, &source->rows->items[i], &err));
    MUST(script->end_table(script, &err));
    MUST(script->end(script, &err));
    mssql_undo_script_free(script);
    assert_true(text_ok(ret, &err));
}

static void
send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        assert_true(sent > 0);
        bytes += sent;
        size -= (size_t)sent;
    }
}

/** Run a script of any length as one batch; what it said, or "" when it went well. */
static void
run_script(const struct text *script, char *ret_fault, size_t fault_size)
{
    char head[128], answer[4096] = "";
    const int size = snprintf(head, sizeof head,
                              "POST /sql HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n"
                              "Content-Length: %zu\r\n\r\n",
                              script->used);
    const int fd = dial_control();
    size_t used = 0;
    ssize_t got;

    send_all(fd, head, (size_t)size);
    send_all(fd, text_string(script), script->used);
    while (used + 1 < sizeof answer &&
           (got = recv(fd, answer + used, sizeof answer - 1 - used, 0)) > 0)
        used += (size_t)got;
    assert_int_equal(close(fd), 0);
    ret_fault[0] = '\0';
    if (strncmp(answer, "HTTP/1.1 2", 10) != 0)
        (void)snprintf(ret_fault, fault_size, "%s", answer);
}

static void
expect_script_runs(const struct text *script)
{
    char fault_text[1024];

    if (elsewhere.given) {
        elsewhere_sql(text_string(script));
        return;
    }
    run_script(script, fault_text, sizeof fault_text);
    assert_string_equal(fault_text, "");
}

#endif
