/**
 * The AxDB port's promises as a list of cases over anything that implements it: the adapter and the
 * fake keep the same ones. The including file provides the three functions below.
 */
#ifndef CONTRACT_AXDB_CASES_H
#define CONTRACT_AXDB_CASES_H

#include "base/arena.h"
#include "delete_table.h"
#include "port/axdb_store.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/** A new connection; one is open at a time. */
static struct axdb_store *case_connect(void);

enum { CASE_ARENA = 16 * 1024 * 1024, CASE_ROWS = 1024, CASE_LOCK_MS = 20000 };

static struct err case_err;

static void
must(bool good)
{
    if (!good)
        fail_msg("%s (%s)", case_err.primary, case_err.detail);
}

static struct axdb_evidence *
case_observe(struct axdb_store *store, struct arena *arena)
{
    struct axdb_evidence *evidence = arena_alloc(arena, sizeof *evidence);

    assert_non_null(evidence);
    must(store->ops->observe(store, arena, evidence, &case_err));
    return evidence;
}

static void
case_begin(struct axdb_store *store)
{
    must(store->ops->begin_locked(store, CASE_LOCK_MS, &case_err));
}

static void
case_commit(struct axdb_store *store)
{
    enum commit_state state = COMMIT_UNKNOWN;

    must(store->ops->commit(store, &state, &case_err));
    assert_int_equal(state, COMMIT_DONE);
}

/* ---- rows, kept ---- */

struct kept_rows {
    struct arena *arena;
    struct row rows[CASE_ROWS];
    size_t count;
};

static bool
keep_row(void *ctx, const struct row *row, struct err *err)
{
    struct kept_rows *kept = ctx;
    struct row *copy = &kept->rows[kept->count];
    struct field *fields = arena_alloc(kept->arena, row->count * sizeof *fields);

    (void)err;
    assert_true(kept->count < CASE_ROWS);
    assert_non_null(fields);
    *copy = *row;
    for (size_t i = 0; i < row->count; i++) {
        fields[i] = row->fields[i];
        if (row->fields[i].bytes.size > 0)
            fields[i].bytes = slice_of(
                arena_copy(kept->arena, row->fields[i].bytes.data, row->fields[i].bytes.size),
                row->fields[i].bytes.size);
    }
    copy->fields = fields;
    if (kept->count++ > 0)
        assert_true(row_key_compare(row->id.table, copy[-1].id.key, copy->id.key) < 0);
    return true;
}

static struct kept_rows *
case_read(struct axdb_store *store, const struct schema *schema, struct arena *arena)
{
    struct kept_rows *kept = arena_alloc(arena, sizeof *kept);
    struct row_sink sink = {.ctx = kept, .take = keep_row};

    assert_non_null(kept);
    kept->arena = arena;
    must(store->ops->read_rows(store, schema, &sink, &case_err));
    return kept;
}

/** The same rows with the same contents; versions are the server's. */
static void
assert_same_rows(const struct kept_rows *a, const struct kept_rows *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->rows[i].id.key, b->rows[i].id.key);
        assert_true(digest_equal(&a->rows[i].id.digest, &b->rows[i].id.digest));
    }
}

/** One table as it was at the start of a case, and a connection. */
struct case_state {
    struct arena *arena;
    struct axdb_store *store;
    struct axdb_evidence *evidence;
    const struct schema *schema; /* of the project table */
    struct kept_rows *before;    /* its rows */
};

static struct case_state
case_start(void)
{
    struct case_state state = {.arena = arena_new(CASE_ARENA)};

    assert_non_null(state.arena);
    state.store = case_connect();
    state.evidence = case_observe(state.store, state.arena);
    state.schema = &state.evidence->tables[TABLE_PROJECT].schema;
    state.before = case_read(state.store, state.schema, state.arena);
    assert_true(state.before->count >= 2);
    return state;
}

static void
case_end(struct case_state *state)
{
    state->store->ops->close(state->store);
    arena_free(state->arena);
}

/** The rows of the project table as another connection sees them. */
static struct kept_rows *
case_look_again(struct case_state *state)
{
    state->store->ops->close(state->store);
    state->store = case_connect();
    (void)case_observe(state->store, state->arena);
    return case_read(state->store, state->schema, state->arena);
}

static void
case_delete_all(struct case_state *state)
{
    int64_t deleted = -1, left = -1;

    must(delete_table(state->store, TABLE_PROJECT, &deleted, &left, &case_err));
    assert_int_equal(deleted, state->before->count);
    assert_int_equal(left, 0);
}

/* ---- the cases ---- */

static void
what_is_counted_is_what_is_read(void **state)
{
    struct case_state at = case_start();

    (void)state;
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &at.evidence->tables[i];

        assert_true(table->exists);
        assert_null(table->fault);
        assert_true(table->schema.unique_key);
        assert_true(schema_find(&table->schema, "PARTITION") < table->schema.count);
        assert_true(schema_find(&table->schema, "RECID") < table->schema.count);
        assert_true(table->fresh.known);
        assert_int_equal(table->fresh.rows, case_read(at.store, &table->schema, at.arena)->count);
    }
    case_end(&at);
}

static void
rows_are_the_same_for_every_connection(void **state)
{
    struct case_state at = case_start();

    (void)state;
    assert_same_rows(at.before, case_look_again(&at));
    case_end(&at);
}

static void
the_catalog_under_the_locks_is_the_one_that_was_observed(void **state)
{
    struct case_state at = case_start();
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    case_begin(at.store);
    must(at.store->ops->read_catalog(at.store, at.arena, tables, &case_err));
    for (int i = 0; i < AXDB_TABLES; i++) {
        assert_true(tables[i].exists);
        assert_true(schema_equal(&tables[i].schema, &at.evidence->tables[i].schema));
        assert_false(tables[i].fresh.known);
        assert_int_equal(tables[i].may_delete, RIGHT_UNKNOWN);
    }
    at.store->ops->rollback(at.store);
    case_end(&at);
}

static void
a_rollback_brings_every_row_back(void **state)
{
    struct case_state at = case_start();

    (void)state;
    case_begin(at.store);
    case_delete_all(&at);
    assert_int_equal(case_read(at.store, at.schema, at.arena)->count, 0);
    at.store->ops->rollback(at.store);
    at.store->ops->rollback(at.store);
    assert_same_rows(at.before, case_read(at.store, at.schema, at.arena));
    case_begin(at.store);
    at.store->ops->rollback(at.store);
    case_end(&at);
}

static void
closing_brings_every_row_back(void **state)
{
    struct case_state at = case_start();

    (void)state;
    case_begin(at.store);
    case_delete_all(&at);
    assert_same_rows(at.before, case_look_again(&at));
    case_end(&at);
}

static void
a_commit_is_final(void **state)
{
    struct case_state at = case_start();

    (void)state;
    case_begin(at.store);
    case_delete_all(&at);
    case_commit(at.store);
    at.store->ops->rollback(at.store);
    assert_true(at.store->ops->locked_ms(at.store) >= 0);
    assert_int_equal(case_look_again(&at)->count, 0);
    case_end(&at);
}

static void
keys_name_the_rows_that_go(void **state)
{
    struct case_state at = case_start();
    struct axdb_key keys[2];
    struct kept_rows *after;
    int64_t deleted = -1;
    const size_t last = at.before->count - 1;

    (void)state;
    assert_true(axdb_key_parse(at.before->rows[last].id.key, &keys[0]));
    keys[1] = (struct axdb_key){.partition = keys[0].partition, .recid = INT64_MAX}; /* no row */
    case_begin(at.store);
    must(at.store->ops->delete_keys(at.store, TABLE_PROJECT, keys, 2, &deleted, &case_err));
    assert_int_equal(deleted, 1);
    case_commit(at.store);
    after = case_look_again(&at);
    at.before->count--;
    assert_same_rows(at.before, after);
    case_end(&at);
}

static void
rows_that_are_put_back_are_the_same(void **state)
{
    struct case_state at = case_start();
    int64_t inserted = -1;

    (void)state;
    case_begin(at.store);
    case_delete_all(&at);
    must(at.store->ops->begin_insert(at.store, at.schema, &case_err));
    for (size_t i = 0; i < at.before->count; i++)
        must(at.store->ops->insert(at.store, &at.before->rows[i], &case_err));
    must(at.store->ops->end_insert(at.store, &inserted, &case_err));
    assert_int_equal(inserted, at.before->count);
    assert_same_rows(at.before, case_read(at.store, at.schema, at.arena));
    case_commit(at.store);
    assert_same_rows(at.before, case_look_again(&at));
    case_end(&at);
}

static void
a_row_that_is_there_cannot_be_put_back(void **state)
{
    struct case_state at = case_start();
    int64_t inserted = -1;

    (void)state;
    case_begin(at.store);
    must(at.store->ops->begin_insert(at.store, at.schema, &case_err));
    assert_false(at.store->ops->insert(at.store, &at.before->rows[0], &case_err) &&
                 at.store->ops->end_insert(at.store, &inserted, &case_err));
    at.store->ops->rollback(at.store);
    assert_same_rows(at.before, case_look_again(&at));
    case_end(&at);
}

static bool
refuse_row(void *ctx, const struct row *row, struct err *err)
{
    (void)ctx;
    (void)row;
    return err_set(err, ERR_STORAGE, "the disk is full");
}

static void
a_reader_that_fails_ends_the_stream_with_its_own_error(void **state)
{
    struct case_state at = case_start();
    struct row_sink sink = {.take = refuse_row};

    (void)state;
    assert_false(at.store->ops->read_rows(at.store, at.schema, &sink, &case_err));
    assert_int_equal(case_err.code, ERR_STORAGE);
    assert_same_rows(at.before, case_read(at.store, at.schema, at.arena));
    case_end(&at);
}

static void
the_exclusion_is_taken_and_given_back(void **state)
{
    struct case_state at = case_start();

    (void)state;
    for (int i = 0; i < 2; i++) {
        bool granted = false;

        must(at.store->ops->acquire_exclusion(at.store, &granted, &case_err));
        assert_true(granted);
        must(at.store->ops->release_exclusion(at.store, &case_err));
    }
    case_end(&at);
}

/** The list, for a macro that makes one test of each. */
#define AXDB_CASES(TEST)                                                                           \
    TEST(what_is_counted_is_what_is_read), TEST(rows_are_the_same_for_every_connection),           \
        TEST(the_catalog_under_the_locks_is_the_one_that_was_observed),                            \
        TEST(a_rollback_brings_every_row_back), TEST(closing_brings_every_row_back),               \
        TEST(a_commit_is_final), TEST(keys_name_the_rows_that_go),                                 \
        TEST(rows_that_are_put_back_are_the_same), TEST(a_row_that_is_there_cannot_be_put_back),   \
        TEST(a_reader_that_fails_ends_the_stream_with_its_own_error),                              \
        TEST(the_exclusion_is_taken_and_given_back)

#endif
