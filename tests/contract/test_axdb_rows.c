/** Rows as the AxDB port streams them: order, digests, every type in its canonical form. */
#include "axdb_sandbox.h"
#include "base/text.h"

static void
rows_come_in_key_order_and_digests_are_stable(void **state)
{
    static const size_t rows[] = {FIELDS, PROJECTS, EVENTS};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_store *other = connect_again();
    struct axdb_evidence evidence;
    struct digest first, second;

    (void)state;
    observe(store, arena, &evidence);
    for (int i = 0; i < AXDB_TABLES; i++) {
        first = read_table(store, &evidence.tables[i].schema, rows[i]);
        second = read_table(other, &evidence.tables[i].schema, rows[i]);
        assert_true(digest_equal(&first, &second));
    }
    first = read_table(other, &evidence.tables[TABLE_PROJECT].schema, PROJECTS);
    sql("UPDATE dbo.DUALWRITEPROJECTCONFIGURATION SET STATUS = 77 WHERE RECID = (SELECT MIN(RECID) "
        "FROM dbo.DUALWRITEPROJECTCONFIGURATION);");
    second = read_table(other, &evidence.tables[TABLE_PROJECT].schema, PROJECTS);
    assert_false(digest_equal(&first, &second));
    other->ops->close(other);
    store->ops->close(store);
}

static bool
refuse_third_row(void *ctx, const struct row *row, struct err *ret_err)
{
    int *count = ctx;

    (void)row;
    return ++*count < 3 || err_set(ret_err, ERR_STORAGE, "the disk is full");
}

static void
a_sink_that_fails_ends_the_stream_and_not_the_connection(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    int count = 0;
    struct row_sink sink = {.ctx = &count, .take = refuse_third_row};

    (void)state;
    observe(store, arena, &evidence);
    assert_false(store->ops->read_rows(store, &evidence.tables[TABLE_EVENTS].schema, &sink, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(count, 3);
    (void)read_table(store, &evidence.tables[TABLE_EVENTS].schema, EVENTS);
    store->ops->close(store);
}

struct found {
    bool is_null;
    size_t bytes;
    unsigned char data[64];
    size_t column;
};

static bool
find_value(void *ctx, const struct row *row, struct err *ret_err)
{
    struct found *found = ctx;
    const struct field *field = &row->fields[found->column];

    (void)ret_err;
    found->is_null = field->is_null;
    found->bytes = field->bytes.size;
    if (field->bytes.size <= sizeof found->data && field->bytes.size > 0)
        memcpy(found->data, field->bytes.data, field->bytes.size);
    return true;
}

/** What is expected, as an engine that stores UTF-8 has it: half a surrogate pair is U+FFFD there.
 */
static struct slice
as_stored(const struct column *column, const void *bytes, size_t size, struct text *scratch)
{
    if (!utf8_engine() || column->type_name[0] != 'n' || strstr(column->type_name, "char") == NULL)
        return slice_of(bytes, size);
    (void)text_append_utf16le(scratch, slice_of(bytes, size));
    return slice_of(text_string(scratch), scratch->used);
}

static void
expect_stored(struct axdb_store *store, const struct schema *schema, const char *literal,
              const void *bytes, size_t size)
{
    TEXT_SCOPED scratch = {0};
    struct slice expected;
    struct found found = {0};
    struct row_sink sink = {.ctx = &found, .take = find_value};
    char text[512];

    (void)snprintf(text, sizeof text, "UPDATE dbo.BUSINESSEVENTSDEFINITION SET VAL = %s;", literal);
    sql(text);
    for (found.column = 0; found.column < schema->count; found.column++) {
        if (text_equal_nocase(schema->columns[found.column].name, "VAL"))
            break;
    }
    assert_true(found.column < schema->count);
    if (!store->ops->read_rows(store, schema, &sink, &err))
        fail_msg("%s: %s (%s)", literal, err.primary, err.detail);
    assert_int_equal(found.is_null, bytes == NULL);
    expected = as_stored(&schema->columns[found.column], bytes, size, &scratch);
    if (found.bytes != expected.size || !slice_equal(slice_of(found.data, found.bytes), expected))
        fail_msg("%s came as %zu bytes \"%.*s\"", literal, found.bytes, (int)found.bytes,
                 (const char *)found.data);
}

/** Declare the events table with one column VAL of that type and one row. */
static void
declare_events(const char *type)
{
    char text[512];

    sql("DROP TABLE dbo.BUSINESSEVENTSDEFINITION;");
    (void)snprintf(text, sizeof text,
                   "CREATE TABLE dbo.BUSINESSEVENTSDEFINITION (PARTITION bigint NOT NULL, RECID "
                   "bigint NOT NULL, VAL %s NULL, CONSTRAINT PK_E PRIMARY KEY (PARTITION, RECID));",
                   type);
    sql(text);
    sql("INSERT INTO dbo.BUSINESSEVENTSDEFINITION (PARTITION, RECID) VALUES (1, 2);");
}

static void
with_type(const char *type, struct axdb_store **ret_store, struct arena *arena,
          struct axdb_evidence *ret)
{
    declare_events(type);
    *ret_store = connect_as("admin");
    observe(*ret_store, arena, ret);
    if (ret->tables[TABLE_EVENTS].fault != NULL)
        fail_msg("%s: %s", type, ret->tables[TABLE_EVENTS].fault);
}

static void
every_type_comes_back_in_its_canonical_form(void **state)
{
    static const struct {
        const char *type, *literal, *bytes;
        size_t size; /* 0 = length of `bytes` */
    } cases[] = {
        {"nvarchar(20)", "N''", "", 0},
        {"nvarchar(20)", "N'a '", "a\0 \0", 4},
        {"nvarchar(max)", "N'it''s'", "i\0t\0'\0s\0", 8},
        {"nvarchar(20)", "N'\xC3\xA9\xE2\x82\xAC'", "\xE9\0\xAC\x20", 4},
        {"nvarchar(4)", "CONVERT(nvarchar(4),0x00D80000)", "\x00\xD8\x00\x00", 4},
        {"nchar(3)", "N'a'", "a\0 \0 \0", 6},
        {"varchar(9)", "'abc '", "abc ", 4},
        /* to the last byte of the column's length */
        {"nvarchar(3)", "N'abc'", "a\0b\0c\0", 6},
        {"nvarchar(2)", "N'\xF0\x9F\x98\x80'", "\x3D\xD8\x00\xDE", 4},
        {"varchar(3)", "'abc'", "abc", 3},
        {"char(4)", "'ab'", "ab  ", 4},
        {"varbinary(9)", "0x", "", 0},
        {"varbinary(max)", "0x0001FF", "\x00\x01\xFF", 3},
        {"binary(2)", "0x01", "\x01\x00", 2},
        {"bit", "1", "1", 0},
        {"tinyint", "255", "255", 0},
        {"smallint", "-32768", "-32768", 0},
        {"int", "-2147483648", "-2147483648", 0},
        {"bigint", "9223372036854775807", "9223372036854775807", 0},
        {"decimal(38,10)", "-1234567890123456789012345678.0123456789",
         "-1234567890123456789012345678.0123456789", 0},
        {"decimal(9,4)", "0.5", "0.5000", 0},
        {"numeric(5,0)", "99999", "99999", 0},
        {"money", "-922337203685477.5808", "-922337203685477.5808", 0},
        {"smallmoney", "1.25", "1.2500", 0},
        {"float", "0.1e0", "0.10000000000000001", 0},
        {"real", "0.1e0", "0.100000001", 0},
        {"date", "'2024-02-29'", "2024-02-29", 0},
        {"time(7)", "'23:59:59.9999999'", "23:59:59.9999999", 0},
        {"time(0)", "'12:00:00'", "12:00:00", 0},
        {"datetime2(7)", "'0001-01-01T00:00:00.0000001'", "0001-01-01T00:00:00.0000001", 0},
        {"datetime2(3)", "'9999-12-31T23:59:59.999'", "9999-12-31T23:59:59.999", 0},
        {"datetimeoffset(2)", "'2024-03-01T01:00:00.25+02:00'", "2024-03-01T01:00:00.25+02:00", 0},
        {"datetime", "'1753-01-01T23:59:59.997'", "1753-01-01T23:59:59.997", 0},
        {"smalldatetime", "'2024-02-29T12:34:00'", "2024-02-29T12:34:00", 0},
        {"uniqueidentifier", "'00112233-4455-6677-8899-aabbccddeeff'",
         "00112233-4455-6677-8899-AABBCCDDEEFF", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(ARENA_BYTES);
        struct axdb_evidence evidence;
        struct axdb_store *store;
        const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;

        with_type(cases[i].type, &store, arena, &evidence);
        expect_stored(store, schema, cases[i].literal, cases[i].bytes,
                      cases[i].size > 0 ? cases[i].size : strlen(cases[i].bytes));
        expect_stored(store, schema, "NULL", NULL, 0);
        store->ops->close(store);
    }
}

/** The column grew after its schema was read: a value that has outgrown it is refused, not cut. */
static void
a_value_longer_than_its_column_was_is_refused(void **state)
{
    (void)state;
    if (utf8_engine())
        skip(); /* columns are not read by their length there */

    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence before;
    struct axdb_store *store;
    struct found found = {0};
    struct row_sink sink = {.ctx = &found, .take = find_value};

    with_type("nvarchar(3)", &store, arena, &before);
    declare_events("nvarchar(8)");
    sql("UPDATE dbo.BUSINESSEVENTSDEFINITION SET VAL = N'abcd';");
    assert_false(store->ops->read_rows(store, &before.tables[TABLE_EVENTS].schema, &sink, &err));
    assert_string_equal(err.primary, "column VAL has 8 bytes and 6 came");
    store->ops->close(store);
}

static bool
count_one(void *ctx, const struct row *row, struct err *row_err)
{
    (void)row;
    (void)row_err;
    ++*(int64_t *)ctx;
    return true;
}

static bool
refuse_the_tenth(void *ctx, const struct row *row, struct err *row_err)
{
    (void)row;
    return ++*(int64_t *)ctx < 10 || err_set(row_err, ERR_STORAGE, "the disk is full");
}

static void
foresee_all(struct axdb_store *store, const struct axdb_evidence *evidence, bool catalog)
{
    struct axdb_foresight foresight = {.catalog = catalog};

    for (int i = 0; i < AXDB_TABLES; i++)
        foresight.tables[foresight.table_count++] = &evidence->tables[i].schema;
    store->ops->foresee(store, &foresight);
}

static void
expect_rows_of(struct axdb_store *store, const struct axdb_evidence *evidence, enum table table)
{
    static const int64_t rows[] = {FIELDS, PROJECTS, EVENTS};
    int64_t count = 0;
    const struct row_sink sink = {.ctx = &count, .take = count_one};

    if (!store->ops->read_rows(store, &evidence->tables[table].schema, &sink, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(count, rows[table]);
}

/** Orders in which the tables are read after all three were foreseen in enum order. */
static const enum table orders[][4] = {
    {TABLE_FIELD, TABLE_PROJECT, TABLE_EVENTS, TABLE_FIELD},
    {TABLE_EVENTS, TABLE_PROJECT, TABLE_FIELD, TABLE_EVENTS},
    {TABLE_FIELD, TABLE_EVENTS, TABLE_PROJECT, TABLE_FIELD},
    {TABLE_FIELD, TABLE_FIELD, TABLE_PROJECT, TABLE_EVENTS},
};

static void
what_was_foreseen_changes_no_answer(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    observe(store, arena, &evidence);
    for (size_t i = 0; i < 2 * sizeof orders / sizeof orders[0]; i++) {
        const bool locked = i % 2 == 1;

        foresee_all(store, &evidence, locked);
        if (locked && !store->ops->begin_locked(store, 20000, &err))
            fail_msg("%s (%s)", err.primary, err.detail);
        /* every second time the catalog is not asked for: its answers wait in vain */
        if (locked && i % 4 == 1)
            assert_true(store->ops->read_catalog(store, arena, tables, &err));
        for (size_t j = 0; j < 4; j++)
            expect_rows_of(store, &evidence, orders[i / 2][j]);
        if (locked) /* and the transaction is the same one: its locks count the rows */
            delete_every_row(store);
        store->ops->rollback(store);
    }
    store->ops->close(store);
    assert_int_equal(count_rows(TABLE_EVENTS), EVENTS);
}

static void
a_sink_that_fails_ends_what_was_foreseen(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    int64_t count = 0;
    const struct row_sink sink = {.ctx = &count, .take = refuse_the_tenth};

    (void)state;
    observe(store, arena, &evidence);
    foresee_all(store, &evidence, false);
    assert_false(store->ops->read_rows(store, &evidence.tables[TABLE_FIELD].schema, &sink, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    expect_rows_of(store, &evidence, TABLE_PROJECT);
    expect_rows_of(store, &evidence, TABLE_EVENTS);
    store->ops->close(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(rows_come_in_key_order_and_digests_are_stable),
        CONTRACT_TEST(a_sink_that_fails_ends_the_stream_and_not_the_connection),
        CONTRACT_TEST(what_was_foreseen_changes_no_answer),
        CONTRACT_TEST(a_sink_that_fails_ends_what_was_foreseen),
        CONTRACT_TEST(every_type_comes_back_in_its_canonical_form),
        CONTRACT_TEST(a_value_longer_than_its_column_was_is_refused),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
