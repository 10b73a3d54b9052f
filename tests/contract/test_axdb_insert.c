/**
 * Rows go back exactly: random rows of every type written by insert, read again, sent through a
 * backup on disk, deleted, inserted from it, and put back by the undo script.
 */
#include "axdb_rows_back.h"
#include "digest_row.h"

#include <inttypes.h>
#include <time.h>

enum { ROUND_ROWS = 500, DEFAULT_ROWS = 5000, OTHER_ENGINE_ROWS = 1000 };

static long
number_from(const char *name, long otherwise)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */

    return value == NULL || value[0] == '\0' ? otherwise : strtol(value, NULL, 10);
}

static void
one_round(struct axdb_store *store, const struct schema *schema, const struct random_rows *rows)
{
    char directory[PATH_MAX], path[PATH_MAX];
    struct backup *backup;
    struct row_sink into_table = {.ctx = store, .take = insert_row};
    TEXT_SCOPED script = {0};

    scratch_make(directory);
    insert_rows(store, schema, rows);
    expect_rows(store, schema, rows);
    backup = write_backup(store, schema, scratch_path(directory, "backup", path));
    delete_rows(store, rows->count);
    begin_insert(store, schema);
    MUST(backup->ops->read_back(backup, schema->table, &into_table, &err));
    end_insert_and_commit(store, rows->count);
    expect_rows(store, schema, rows);
    delete_rows(store, rows->count);
    if (!utf8_engine()) { /* a script is UTF-16 */
        make_script(schema, &(struct script_source){.backup = backup}, (int64_t)rows->count,
                    &script);
        expect_script_runs(&script);
        expect_rows(store, schema, rows);
        delete_rows(store, rows->count);
    }
    backup_set_free(backup);
    scratch_remove(directory);
}

static void
random_rows_of_every_type_come_back_byte_for_byte(void **state)
{
    const bool other = elsewhere.given || utf8_engine();
    const long total = number_from("DWCLEAN_TEST_ROWS", other ? OTHER_ENGINE_ROWS : DEFAULT_ROWS);
    const uint64_t seed = (uint64_t)number_from("DWCLEAN_TEST_SEED", (long)time(NULL));
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(wide_table, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(seed);

    (void)state;
    print_message("DWCLEAN_TEST_SEED=%" PRIu64 ", %ld rows\n", seed, total);
    for (size_t done = 0; done < (size_t)total;) {
        struct random_rows rows = random_rows_make(&random, schema, ROUND_ROWS);

        done += rows.count;
        one_round(store, schema, &rows);
        random_rows_free(&rows);
    }
    store->ops->close(store);
}

/* ---- identity columns ---- */

static void
identity_computed_and_generated_columns_are_put_back_or_left_to_the_server(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    struct random random = any_random(7);

    (void)state;
    for (int i = TABLE_EVENTS; i >= TABLE_PROJECT; i--) {
        const struct schema *schema = &evidence.tables[i].schema;
        struct random_rows rows = random_rows_make(&random, schema, 450);
        TEXT_SCOPED script = {0};
        int64_t deleted = -1, left = -1;
        enum commit_state commit;

        insert_rows(store, schema, &rows);
        expect_rows(store, schema, &rows);
        begin(store, 30000);
        assert_true(delete_table(store, (enum table)i, &deleted, &left, &err));
        assert_int_equal(deleted, rows.count);
        assert_true(store->ops->commit(store, &commit, &err));
        make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
        expect_script_runs(&script);
        expect_rows(store, schema, &rows);
        random_rows_free(&rows);
    }
    store->ops->close(store);
}

static void
a_failed_group_leaves_no_identity_insert_behind(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *events = &evidence.tables[TABLE_EVENTS].schema,
                        *project = &evidence.tables[TABLE_PROJECT].schema;
    struct random random = any_random(8);
    struct random_rows rows = random_rows_make(&random, events, 3);
    struct random_rows others = random_rows_make(&random, project, 3);
    int64_t inserted = -1;

    (void)state;
    begin_insert(store, events);
    MUST(insert_row(store, &rows.items[0], &err));
    MUST(insert_row(store, &rows.items[0], &err));
    assert_false(store->ops->end_insert(store, &inserted, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(inserted, -1);
    store->ops->rollback(store);
    insert_rows(store, project, &others); /* one table at a time may have it on */
    expect_rows(store, project, &others);
    insert_rows(store, events, &rows);
    expect_rows(store, events, &rows);
    random_rows_free(&rows);
    random_rows_free(&others);
    store->ops->close(store);
}

/* ---- what goes wrong ---- */

static void
nothing_is_inserted_outside_the_transaction_or_without_a_beginning(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(9);
    struct random_rows rows = random_rows_make(&random, schema, 2);
    enum commit_state commit = COMMIT_DONE;
    int64_t inserted = -1;

    (void)state;
    assert_false(store->ops->begin_insert(store, schema, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_false(store->ops->insert(store, &rows.items[0], &err));
    assert_false(store->ops->end_insert(store, &inserted, &err));
    begin_insert(store, schema);
    assert_false(store->ops->begin_insert(store, schema, &err));
    MUST(insert_row(store, &rows.items[0], &err));
    assert_false(store->ops->commit(store, &commit, &err)); /* a row was not sent */
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_int_equal(commit, COMMIT_NOT);
    assert_int_equal(count_rows(TABLE_EVENTS), 0);
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
a_value_that_does_not_fit_its_column_is_never_sent(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(10);
    struct random_rows rows = random_rows_make(&random, schema, 2);
    struct field fields[8];
    struct row row = rows.items[1];
    int64_t inserted = -1;

    (void)state;
    memcpy(fields, row.fields, schema->count * sizeof fields[0]);
    fields[schema_find(schema, "PARTITION")].bytes = slice_of("1); DELETE", 10);
    row.fields = fields;
    begin_insert(store, schema);
    MUST(insert_row(store, &rows.items[0], &err));
    assert_false(insert_row(store, &row, &err));
    assert_int_equal(err.code, ERR_SCHEMA);
    assert_non_null(strstr(err.primary, rows.items[1].id.key));
    assert_false(store->ops->end_insert(store, &inserted, &err));
    store->ops->rollback(store);
    assert_int_equal(count_rows(TABLE_EVENTS), 0);
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
long_values_go_in_batches_of_their_own(void **state)
{
    static const size_t long_bytes = 3000000;
    static const char table[] =
        "DROP TABLE dbo.BUSINESSEVENTSDEFINITION;"
        "CREATE TABLE dbo.BUSINESSEVENTSDEFINITION ("
        " WIDE nvarchar(max) NULL, NARROW varchar(max) NULL, BYTES varbinary(max) NULL,"
        " PARTITION bigint NOT NULL, RECID bigint NOT NULL,"
        " CONSTRAINT PK_L PRIMARY KEY (PARTITION, RECID));";
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(table, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(11);
    struct random_rows rows = random_rows_make(&random, schema, 3);
    unsigned char *bytes = malloc(long_bytes);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < long_bytes; i++)
        bytes[i] = (unsigned char)random_bits(&random);
    for (size_t i = 0; i < rows.count; i++) {
        struct field *fields = (struct field *)(uintptr_t)rows.items[i].fields;

        for (size_t j = 0; j < 3; j++) {
            free((void *)(uintptr_t)fields[j].bytes.data);
            fields[j] = (struct field){.is_null = i != j};
            if (i == j)
                fields[j].bytes = slice_of(bytes, long_bytes);
        }
        digest_row(schema, &rows.items[i]);
    }
    insert_rows(store, schema, &rows);
    expect_rows(store, schema, &rows);
    for (size_t i = 0; i < rows.count; i++)
        ((struct field *)(uintptr_t)rows.items[i].fields)[i].bytes = slice_of(NULL, 0);
    free(bytes);
    random_rows_free(&rows);
    store->ops->close(store);
}

/* ---- some rows ---- */

static int64_t
delete_keys(struct axdb_store *store, const struct axdb_key *keys, size_t count)
{
    int64_t deleted = -1;

    if (!store->ops->delete_keys(store, TABLE_EVENTS, keys, count, &deleted, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    return deleted;
}

static void
chosen_rows_are_deleted_by_their_keys(void **state)
{
    static const char table[] = "DROP TABLE dbo.BUSINESSEVENTSDEFINITION;"
                                "CREATE TABLE dbo.BUSINESSEVENTSDEFINITION ("
                                " PARTITION bigint NOT NULL, RECID bigint NOT NULL,"
                                " CONSTRAINT PK_K PRIMARY KEY (PARTITION, RECID));";
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(table, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(12);
    struct random_rows rows = random_rows_make(&random, schema, 3000);
    struct random_rows kept = {.items = calloc(rows.count, sizeof *kept.items)};
    struct axdb_key *keys = calloc(rows.count, sizeof *keys);
    size_t chosen = 0;
    enum commit_state commit;

    (void)state;
    assert_non_null(kept.items);
    assert_non_null(keys);
    insert_rows(store, schema, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        if (i < 3 || !random_one_in(&random, 10))
            assert_true(axdb_key_parse(rows.items[i].id.key, &keys[chosen++]));
        else
            kept.items[kept.count++] = rows.items[i];
    }
    begin(store, 30000);
    assert_int_equal(delete_keys(store, keys, 3), 3);
    store->ops->rollback(store);
    expect_rows(store, schema, &rows);
    begin(store, 30000);
    assert_int_equal(delete_keys(store, keys, 0), 0);
    assert_int_equal(delete_keys(store, keys, chosen), chosen);
    assert_int_equal(delete_keys(store, keys, 3), 0); /* the server counts, not the caller */
    MUST(store->ops->commit(store, &commit, &err));
    expect_rows(store, schema, &kept);
    free(kept.items);
    free(keys);
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
keys_out_of_order_or_without_a_transaction_delete_nothing(void **state)
{
    static const struct axdb_key keys[] = {{1, 2}, {1, 2}, {1, 1}};
    struct axdb_store *store = connect_as("admin");
    int64_t deleted = -1;

    (void)state;
    assert_false(store->ops->delete_keys(store, TABLE_EVENTS, keys, 1, &deleted, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    begin(store, 30000);
    assert_false(store->ops->delete_keys(store, TABLE_EVENTS, keys, 2, &deleted, &err));
    assert_false(store->ops->delete_keys(store, TABLE_EVENTS, keys + 1, 2, &deleted, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_int_equal(deleted, -1);
    store->ops->close(store);
    assert_int_equal(count_rows(TABLE_EVENTS), EVENTS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(random_rows_of_every_type_come_back_byte_for_byte),
        CONTRACT_TEST_IF(identity_computed_and_generated_columns_are_put_back_or_left_to_the_server,
                         NEEDS_UTF16),
        CONTRACT_TEST(a_failed_group_leaves_no_identity_insert_behind),
        CONTRACT_TEST(nothing_is_inserted_outside_the_transaction_or_without_a_beginning),
        CONTRACT_TEST(a_value_that_does_not_fit_its_column_is_never_sent),
        CONTRACT_TEST_IF(long_values_go_in_batches_of_their_own, NEEDS_UTF16),
        CONTRACT_TEST(chosen_rows_are_deleted_by_their_keys),
        CONTRACT_TEST(keys_out_of_order_or_without_a_transaction_delete_nothing),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
