/** The catalog asked again under the locks: what was added after the first look does not pass. */
#include "axdb_sandbox.h"
#include "base/text.h"

static void
read_catalog(struct axdb_store *store, struct arena *arena,
             struct axdb_table_evidence ret[AXDB_TABLES])
{
    if (!store->ops->read_catalog(store, arena, ret, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
}

/** The transaction is as good as before: it deletes and commits. */
static void
delete_and_commit(struct axdb_store *store)
{
    enum commit_state commit = COMMIT_UNKNOWN;

    delete_every_row(store);
    if (!store->ops->commit(store, &commit, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(commit, COMMIT_DONE);
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_int_equal(count_rows((enum table)i), 0);
}

static void
assert_no_names(const struct named_list *list)
{
    assert_true(list->known);
    assert_int_equal(list->count, 0);
}

static void
an_unchanged_catalog_is_the_same_and_the_transaction_goes_on(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_table_evidence tables[AXDB_TABLES];
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    begin(store, 20000);
    memset(tables, 0xFF, sizeof tables);
    read_catalog(store, arena, tables);
    for (int i = 0; i < AXDB_TABLES; i++) {
        assert_true(tables[i].exists);
        assert_null(tables[i].fault);
        assert_true(tables[i].schema.count > 0);
        assert_true(schema_equal(&tables[i].schema, &evidence.tables[i].schema));
        assert_no_names(&tables[i].foreign_keys);
        assert_int_equal(tables[i].triggers.known, !utf8_engine());
        assert_int_equal(tables[i].triggers.count, 0);
        assert_no_names(&tables[i].policies);
        assert_false(tables[i].fresh.known);
        assert_int_equal(tables[i].may_delete, RIGHT_UNKNOWN);
    }
    delete_and_commit(store);
    store->ops->close(store);
}

static void
a_column_that_was_added_after_the_first_look_is_seen(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_table_evidence tables[AXDB_TABLES];
    struct axdb_evidence evidence;
    const struct schema *before, *now;

    (void)state;
    observe(store, arena, &evidence);
    sql("ALTER TABLE dbo.DUALWRITEPROJECTCONFIGURATION ADD ADDEDLATER int NULL;");
    begin(store, 20000);
    read_catalog(store, arena, tables);
    before = &evidence.tables[TABLE_PROJECT].schema;
    now = &tables[TABLE_PROJECT].schema;
    assert_false(schema_equal(before, now));
    assert_int_equal(now->count, before->count + 1);
    assert_true(text_equal_nocase(now->columns[now->count - 1].name, "ADDEDLATER"));
    assert_true(schema_equal(&evidence.tables[TABLE_EVENTS].schema, &tables[TABLE_EVENTS].schema));
    delete_and_commit(store);
    store->ops->close(store);
}

static void
a_column_without_an_exact_way_back_is_named_under_the_locks(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    sql("ALTER TABLE dbo.BUSINESSEVENTSDEFINITION ADD FREE sql_variant NULL;");
    begin(store, 20000);
    read_catalog(store, arena, tables);
    assert_true(text_equal_nocase(tables[TABLE_EVENTS].fault, "column FREE has type sql_variant"));
    assert_true(tables[TABLE_EVENTS].fault_is_final);
    store->ops->rollback(store);
    store->ops->close(store);
}

static void
a_trigger_and_a_foreign_key_that_were_added_are_seen(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_table_evidence tables[AXDB_TABLES];
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    assert_no_names(&evidence.tables[TABLE_EVENTS].triggers);
    sql("CREATE TRIGGER dbo.TR_LATER ON dbo.BUSINESSEVENTSDEFINITION AFTER DELETE AS PRINT 1");
    sql("CREATE TABLE dbo.CHILD (P bigint NOT NULL, R bigint NOT NULL, CONSTRAINT FK_LATER FOREIGN KEY "
        "(P, R) REFERENCES dbo.DUALWRITEPROJECTCONFIGURATION ([PARTITION], RECID));");
    begin(store, 20000);
    read_catalog(store, arena, tables);
    assert_true(tables[TABLE_EVENTS].triggers.known);
    assert_int_equal(tables[TABLE_EVENTS].triggers.count, 1);
    assert_string_equal(tables[TABLE_EVENTS].triggers.names[0], "TR_LATER");
    assert_no_names(&tables[TABLE_PROJECT].triggers);
    assert_int_equal(tables[TABLE_PROJECT].foreign_keys.count, 1);
    assert_string_equal(tables[TABLE_PROJECT].foreign_keys.names[0], "FK_LATER");
    assert_no_names(&tables[TABLE_EVENTS].foreign_keys);
    delete_and_commit(store);
    store->ops->close(store);
    sql("DROP TABLE dbo.CHILD;");
}

static void
a_trigger_that_is_switched_off_does_not_count_but_is_watched(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;

    (void)state;
    sql("CREATE TRIGGER dbo.TR_OFF ON dbo.BUSINESSEVENTSDEFINITION AFTER DELETE AS PRINT 1");
    sql("ALTER TABLE dbo.BUSINESSEVENTSDEFINITION DISABLE TRIGGER TR_OFF");
    observe(store, arena, &evidence);
    assert_no_names(&evidence.tables[TABLE_EVENTS].triggers);
    assert_int_equal(evidence.tables[TABLE_EVENTS].triggers.disabled_count, 1);
    assert_string_equal(evidence.tables[TABLE_EVENTS].triggers.disabled[0], "TR_OFF");
    store->ops->close(store);
    sql("DROP TRIGGER dbo.TR_OFF");
}

/** What can refuse rows that go back: seen in the evidence, and not asked again under the locks. */
static void
own_foreign_keys_and_check_constraints_are_seen(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    const struct named_list *events = &evidence.tables[TABLE_EVENTS].outgoing;

    (void)state;
    observe(store, arena, &evidence);
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_no_names(&evidence.tables[i].outgoing);
    sql("CREATE TABLE dbo.PARENT (R bigint NOT NULL, CONSTRAINT PK_PARENT PRIMARY KEY (R));"
        "INSERT INTO dbo.PARENT (R) SELECT DISTINCT RECID FROM dbo.BUSINESSEVENTSDEFINITION;");
    sql("ALTER TABLE dbo.BUSINESSEVENTSDEFINITION ADD CONSTRAINT FK_OUT FOREIGN KEY (RECID) "
        "REFERENCES dbo.PARENT (R);");
    sql("ALTER TABLE dbo.BUSINESSEVENTSDEFINITION WITH NOCHECK ADD CONSTRAINT CK_OUT CHECK "
        "(RECID <> 0);");
    observe(store, arena, &evidence);
    assert_true(events->known);
    assert_int_equal(events->count, 2);
    assert_string_equal(events->names[0], "FK_OUT");
    assert_string_equal(events->names[1], "CK_OUT");
    assert_no_names(&evidence.tables[TABLE_EVENTS].foreign_keys); /* nobody points here */
    assert_no_names(&evidence.tables[TABLE_PROJECT].outgoing);
    store->ops->close(store);
    store = connect_as("tables-only"); /* they belong to the table, so its own right is enough */
    observe(store, arena, &evidence);
    assert_true(events->known);
    assert_int_equal(events->count, 2);
    store->ops->close(store);
    store = connect_as("blind");
    observe(store, arena, &evidence);
    assert_false(events->known);
    assert_int_equal(events->count, 0);
    store->ops->close(store);
    sql("ALTER TABLE dbo.BUSINESSEVENTSDEFINITION DROP CONSTRAINT FK_OUT;");
    sql("DROP TABLE dbo.PARENT;");
}

static void
a_table_cannot_be_changed_while_it_is_locked(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_store *other = connect_again();
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    begin(store, 20000);
    read_catalog(store, arena, tables);
    assert_false(other->ops->begin_locked(other, 20000, &err)); /* reading gave no lock away */
    assert_int_equal(err.code, ERR_LOCK);
    store->ops->rollback(store);
    store->ops->close(store);
    other->ops->close(other);
}

static void
without_the_right_to_see_them_triggers_are_not_known(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("blind");
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    begin(store, 20000);
    read_catalog(store, arena, tables);
    assert_true(tables[TABLE_PROJECT].exists);
    assert_false(tables[TABLE_PROJECT].triggers.known);
    assert_false(tables[TABLE_PROJECT].foreign_keys.known);
    assert_false(tables[TABLE_PROJECT].policies.known);
    store->ops->rollback(store);
    store->ops->close(store);
}

static void
the_right_on_the_tables_shows_triggers_only(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("tables-only");
    struct axdb_evidence evidence;

    (void)state;
    assert_true(store->ops->observe(store, arena, &evidence, &err));
    assert_true(evidence.tables[TABLE_PROJECT].triggers.known);
    assert_false(evidence.tables[TABLE_PROJECT].foreign_keys.known);
    assert_false(evidence.tables[TABLE_PROJECT].policies.known);
    store->ops->close(store);
}

static void
it_counts_against_the_time_for_locks(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    begin(store, 300);
    clock_sleep_ms(400);
    assert_false(store->ops->read_catalog(store, arena, tables, &err));
    assert_int_equal(err.code, ERR_LOCK);
    store->ops->rollback(store);
    store->ops->close(store);
    assert_int_equal(count_rows(TABLE_EVENTS), EVENTS);
}

static void
it_is_not_asked_outside_the_transaction(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_table_evidence tables[AXDB_TABLES];

    (void)state;
    assert_false(store->ops->read_catalog(store, arena, tables, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    store->ops->close(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(an_unchanged_catalog_is_the_same_and_the_transaction_goes_on),
        CONTRACT_TEST(a_column_that_was_added_after_the_first_look_is_seen),
        CONTRACT_TEST(a_column_without_an_exact_way_back_is_named_under_the_locks),
        CONTRACT_TEST_IF(a_trigger_and_a_foreign_key_that_were_added_are_seen, NEEDS_CATALOG),
        CONTRACT_TEST_IF(a_trigger_that_is_switched_off_does_not_count_but_is_watched,
                         NEEDS_CATALOG),
        CONTRACT_TEST_IF(own_foreign_keys_and_check_constraints_are_seen,
                         NEEDS_LOGINS | NEEDS_CATALOG),
        CONTRACT_TEST_IF(a_table_cannot_be_changed_while_it_is_locked, NEEDS_LOCKS),
        CONTRACT_TEST_IF(without_the_right_to_see_them_triggers_are_not_known,
                         NEEDS_LOGINS | NEEDS_CATALOG),
        CONTRACT_TEST_IF(the_right_on_the_tables_shows_triggers_only, NEEDS_LOGINS | NEEDS_CATALOG),
        CONTRACT_TEST(it_counts_against_the_time_for_locks),
        CONTRACT_TEST(it_is_not_asked_outside_the_transaction),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
