/** What include/port/axdb_store.h promises: evidence, transactions, exclusion. */
#include "axdb_sandbox.h"
#include "base/clock.h"
#include "base/text.h"

/* ---- evidence ---- */

static void
the_identity_is_complete(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    assert_true(text_equal_nocase(evidence.identity.database, options_for("dwclean").database));
    assert_true(text_equal_nocase(evidence.identity.login, options_for("dwclean").user));
    assert_string_equal(evidence.identity.state, "ONLINE");
    assert_string_equal(evidence.identity.user_access, "MULTI_USER");
    assert_false(evidence.identity.read_only);
    assert_false(evidence.identity.replica);
    assert_true(evidence.identity.spid > 0);
    assert_int_equal(strncmp(evidence.identity.encryption, "TLS", 3), 0);
    assert_string_not_equal(evidence.identity.server_name, "");
    assert_string_not_equal(evidence.identity.product, "");
    assert_string_not_equal(evidence.identity.client, "");
    assert_int_equal(strlen(evidence.identity.created), 23);
    store->ops->close(store);
}

static void
what_the_sandbox_grants_is_seen(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    assert_string_equal(evidence.identity.encryption, "TLS, certificate checked");
    assert_true(evidence.identity.read_committed_snapshot);
    assert_true(evidence.identity.restore_known);
    assert_int_equal(evidence.may_applock, RIGHT_HELD);
    assert_true(evidence.sessions_known);
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_int_equal(evidence.tables[i].may_alter, RIGHT_MISSING);
    store->ops->close(store);
}

static void
every_table_is_counted(void **state)
{
    static const int64_t rows[] = {FIELDS, PROJECTS, EVENTS};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &evidence.tables[i];

        assert_true(table->exists);
        if (table->fault != NULL)
            fail_msg("%s", table->fault);
        assert_true(table->fresh.known);
        assert_int_equal(table->fresh.rows, rows[i]);
        assert_int_equal(table->may_select, RIGHT_HELD);
        assert_int_equal(table->may_delete, RIGHT_HELD);
        assert_true(table->foreign_keys.known && table->foreign_keys.count == 0);
    }
    store->ops->close(store);
}

static void
the_catalog_is_a_second_witness(void **state)
{
    static const int64_t rows[] = {FIELDS, PROJECTS, EVENTS};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &evidence.tables[i];

        assert_true(table->partitions.known);
        assert_int_equal(table->partitions.rows, rows[i]);
        assert_true(table->schema.unique_key);
        assert_true(table->triggers.known && table->triggers.count == 0);
        assert_true(table->policies.known && table->policies.count == 0);
    }
    store->ops->close(store);
}

static void
what_an_engine_lacks_is_unknown_and_fails_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    const bool gaps = utf8_engine();
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    assert_int_equal(evidence.may_applock == RIGHT_UNKNOWN, gaps);
    assert_true(!gaps || !evidence.sessions_known);
    assert_true(!gaps || !evidence.identity.restore_known);
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct axdb_table_evidence *table = &evidence.tables[i];

        assert_null(table->fault);
        assert_int_equal(table->schema.utf8_text, gaps);
        assert_int_equal(table->partitions.known, !gaps);
        assert_int_equal(table->triggers.known, !gaps);
        assert_true(table->policies.known && table->policies.count == 0);
        if (gaps)
            assert_int_equal(table->partitions.why.code, ERR_SERVER);
    }
    store->ops->close(store);
}

static void
groups_add_up_to_the_counts(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    int64_t sum = 0;

    (void)state;
    observe(store, arena, &evidence);
    assert_true(evidence.urls_known);
    assert_true(evidence.url_count > 0);
    for (size_t i = 0; i < evidence.url_count; i++) {
        assert_non_null(strcasestr(evidence.urls[i].url, "contoso-prod"));
        sum += evidence.urls[i].rows;
    }
    assert_int_equal(sum, PROJECTS);
    assert_true(evidence.channels_known);
    sum = 0;
    for (size_t i = 0; i < evidence.channel_count; i++)
        sum += evidence.channels[i].rows;
    assert_int_equal(sum, EVENTS);
    assert_true(evidence.projects_without_fields.known);
    assert_int_equal(evidence.projects_without_fields.rows, 0);
    assert_true(evidence.fields_without_project.known);
    assert_int_equal(evidence.fields_without_project.rows, 0);
    store->ops->close(store);
}

static void
the_schema_names_what_the_server_fills(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    const struct schema *schema;
    bool url = false, version = false;

    (void)state;
    observe(store, arena, &evidence);
    schema = &evidence.tables[TABLE_PROJECT].schema;
    for (size_t i = 0; i < schema->count; i++) {
        const struct column *column = &schema->columns[i];

        if (text_equal_nocase(column->name, "EXTERNALENVIRONMENTURL")) {
            url = true;
            assert_string_equal(column->type_name, "nvarchar");
            assert_int_equal(column->max_length, 2048);
            assert_non_null(column->collation);
            assert_true(column_insertable(column));
        } else if (text_equal_nocase(column->name, "SYSROWVERSION")) {
            version = true;
            assert_true(column->generated);
        }
    }
    assert_true(url);
    assert_true(version);
    store->ops->close(store);
}

static void
a_missing_table_leaves_the_others_counted(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store;
    struct axdb_evidence evidence;

    (void)state;
    sql("DROP TABLE dbo.DUALWRITEPROJECTFIELDCONFIGURATION;");
    store = connect_as("dwclean");
    observe(store, arena, &evidence);
    assert_false(evidence.tables[TABLE_FIELD].exists);
    assert_false(evidence.tables[TABLE_FIELD].fresh.known);
    assert_int_equal(evidence.tables[TABLE_FIELD].fresh.why.code, ERR_SCHEMA);
    assert_true(evidence.tables[TABLE_PROJECT].fresh.known);
    assert_int_equal(evidence.tables[TABLE_EVENTS].fresh.rows, EVENTS);
    assert_false(evidence.projects_without_fields.known);
    assert_true(evidence.urls_known);
    store->ops->close(store);
}

static void
an_older_table_without_a_column_is_still_counted(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store;
    struct axdb_evidence evidence;

    (void)state;
    sql("DROP TABLE dbo.BUSINESSEVENTSDEFINITION;");
    sql("CREATE TABLE dbo.BUSINESSEVENTSDEFINITION (CHANNEL nvarchar(60) NOT NULL, PARTITION "
        "bigint NOT NULL, RECID bigint NOT NULL);");
    sql("INSERT INTO dbo.BUSINESSEVENTSDEFINITION (CHANNEL, PARTITION, RECID) VALUES (N'c', 1, 2);");
    store = connect_as("admin");
    observe(store, arena, &evidence);
    assert_true(evidence.tables[TABLE_EVENTS].fresh.known);
    assert_int_equal(evidence.tables[TABLE_EVENTS].fresh.rows, 1);
    assert_false(evidence.tables[TABLE_EVENTS].schema.unique_key);
    assert_false(evidence.channels_known);
    assert_true(evidence.urls_known);
    store->ops->close(store);
}

static void
a_column_without_an_exact_way_back_is_named(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store;
    struct axdb_evidence evidence;

    (void)state;
    sql("DROP TABLE dbo.BUSINESSEVENTSDEFINITION;");
    sql("CREATE TABLE dbo.BUSINESSEVENTSDEFINITION (PARTITION bigint NOT NULL, RECID bigint NOT "
        "NULL, DOC xml NULL);");
    store = connect_as("admin");
    observe(store, arena, &evidence);
    assert_non_null(evidence.tables[TABLE_EVENTS].fault);
    assert_true(text_equal_nocase(evidence.tables[TABLE_EVENTS].fault, "column DOC has type xml"));
    assert_true(evidence.tables[TABLE_EVENTS].fault_is_final);
    store->ops->close(store);
}

static void
a_reader_lacks_the_right_to_delete(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("reader");
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    assert_int_equal(evidence.tables[TABLE_PROJECT].may_select, RIGHT_HELD);
    assert_int_equal(evidence.tables[TABLE_PROJECT].may_delete, RIGHT_MISSING);
    assert_true(evidence.tables[TABLE_PROJECT].fresh.known);
    assert_false(evidence.sessions_known);
    assert_false(evidence.identity.restore_known);
    store->ops->close(store);
}

static void
no_rows_of_the_catalog_are_no_evidence_for_the_blind(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("blind");
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    assert_true(evidence.tables[TABLE_PROJECT].fresh.known);
    assert_int_equal(evidence.tables[TABLE_PROJECT].may_view_definition, RIGHT_MISSING);
    assert_false(evidence.tables[TABLE_PROJECT].triggers.known);
    assert_false(evidence.tables[TABLE_PROJECT].foreign_keys.known);
    assert_false(evidence.tables[TABLE_PROJECT].policies.known);
    store->ops->close(store);
}

static void
without_any_right_nothing_is_counted(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("nothing");
    struct axdb_evidence evidence;

    (void)state;
    observe(store, arena, &evidence);
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_false(evidence.tables[i].fresh.known);
    assert_false(evidence.urls_known);
    assert_false(evidence.channels_known);
    store->ops->close(store);
}

/* ---- engines that do not take everything ---- */

static void
options_that_are_refused_together_are_set_one_by_one(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store;

    (void)state;
    fault(
        "{\"at\":\"tds.request\",\"match\":\"SET QUOTED_IDENTIFIER\",\"do\":\"error\",\"arg\":195}");
    fault(
        "{\"at\":\"tds.request\",\"match\":\"SET LANGUAGE\",\"do\":\"error\",\"arg\":195,\"times\":0}");
    store = connect_as("dwclean");
    observe(store, arena, &evidence);
    assert_int_equal(evidence.tables[TABLE_EVENTS].fresh.rows, EVENTS);
    store->ops->close(store);
}

static void
an_option_that_is_not_set_is_found_out(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store;

    (void)state;
    fault(
        "{\"at\":\"tds.request\",\"match\":\"SET XACT_ABORT\",\"do\":\"error\",\"arg\":195,\"times\":0}");
    store = connect_as("dwclean");
    assert_false(store->ops->observe(store, arena, &evidence, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.primary, "does not have the options"));
    store->ops->close(store);
}

static void
an_option_that_nobody_can_read_back_must_be_taken(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    fault(
        "{\"at\":\"tds.request\",\"match\":\"SET ROWCOUNT\",\"do\":\"error\",\"arg\":195,\"times\":0}");
    refuse_connection(&options, ERR_SERVER, "the server answered");
}

static void
a_question_that_is_refused_leaves_the_others_answered(void **state)
{
    static const char *const sets[] = {"rs_permission", "rs_kind", "rs_masked", "rs_trigger",
                                       "rs_restore"};

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        ARENA_SCOPED arena = arena_new(ARENA_BYTES);
        struct axdb_store *store = connect_as("dwclean");
        struct axdb_evidence evidence;
        const struct axdb_table_evidence *table = &evidence.tables[TABLE_PROJECT];
        char rule[128];

        (void)snprintf(rule, sizeof rule,
                       "{\"at\":\"tds.request\",\"match\":\"%s\",\"do\":\"error\",\"arg\":208,"
                       "\"times\":0}",
                       sets[i]);
        fault(rule);
        observe(store, arena, &evidence);
        control("DELETE", "/faults", "");
        assert_int_equal(table->fresh.rows, PROJECTS);
        assert_true(evidence.urls_known);
        assert_int_equal(table->may_delete, i == 0 ? RIGHT_UNKNOWN : RIGHT_HELD);
        assert_int_equal(table->fault == NULL, i != 1 && i != 2);
        assert_int_equal(table->triggers.known, i != 0 && i != 3);
        assert_int_equal(evidence.identity.restore_known, i != 4);
        store->ops->close(store);
    }
}

static void
a_question_that_must_be_answered_fails_the_look(void **state)
{
    static const char *const sets[] = {"rs_identity", "rs_updateability", "rs_object", "rs_column"};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct axdb_store *store = connect_as("dwclean");
        char rule[128];

        (void)snprintf(rule, sizeof rule,
                       "{\"at\":\"tds.request\",\"match\":\"%s\",\"do\":\"error\",\"arg\":208,"
                       "\"times\":0}",
                       sets[i]);
        fault(rule);
        assert_false(store->ops->observe(store, arena, &evidence, &err));
        assert_int_equal(err.code, ERR_SERVER);
        control("DELETE", "/faults", "");
        store->ops->close(store);
    }
}

/* ---- transaction ---- */

static void
a_rollback_leaves_every_row(void **state)
{
    struct axdb_store *store = connect_as("dwclean");

    (void)state;
    begin(store, 20000);
    delete_every_row(store);
    store->ops->rollback(store);
    store->ops->rollback(store); /* safe without a transaction */
    assert_true(store->ops->locked_ms(store) >= 0);
    assert_int_equal(count_rows(TABLE_PROJECT), PROJECTS);
    assert_int_equal(count_rows(TABLE_EVENTS), EVENTS);
    store->ops->close(store);
}

static void
closing_a_store_rolls_its_transaction_back(void **state)
{
    struct axdb_store *store = connect_as("dwclean");

    (void)state;
    begin(store, 20000);
    delete_every_row(store);
    store->ops->close(store);
    assert_int_equal(count_rows(TABLE_PROJECT), PROJECTS);
}

static void
a_commit_makes_the_delete_final(void **state)
{
    struct axdb_store *store = connect_as("dwclean");
    enum commit_state commit = COMMIT_UNKNOWN;

    (void)state;
    begin(store, 20000);
    delete_every_row(store);
    if (!store->ops->commit(store, &commit, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(commit, COMMIT_DONE);
    store->ops->close(store);
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_int_equal(count_rows((enum table)i), 0);
}

static void
rows_can_be_read_under_the_lock(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    struct digest outside, inside;

    (void)state;
    observe(store, arena, &evidence);
    outside = read_table(store, &evidence.tables[TABLE_EVENTS].schema, EVENTS);
    begin(store, 20000);
    inside = read_table(store, &evidence.tables[TABLE_EVENTS].schema, EVENTS);
    assert_true(digest_equal(&outside, &inside));
    store->ops->rollback(store);
    store->ops->close(store);
}

static void
nothing_is_deleted_outside_a_transaction(void **state)
{
    struct axdb_store *store = connect_as("dwclean");
    enum commit_state commit = COMMIT_DONE;
    int64_t deleted = -1, left = -1;

    (void)state;
    assert_false(delete_table(store, TABLE_EVENTS, &deleted, &left, &err));
    assert_int_equal(deleted, -1);
    assert_false(store->ops->commit(store, &commit, &err));
    assert_int_equal(commit, COMMIT_NOT);
    store->ops->close(store);
    assert_int_equal(count_rows(TABLE_EVENTS), EVENTS);
}

static void
a_second_transaction_waits_and_gives_up(void **state)
{
    struct axdb_store *first = connect_as("dwclean");
    struct axdb_store *second = connect_again();
    int64_t start;

    (void)state;
    begin(first, 20000);
    start = clock_monotonic_ms();
    assert_false(second->ops->begin_locked(second, 20000, &err));
    assert_int_equal(err.code, ERR_LOCK);
    assert_true(err.transient);
    assert_true(clock_monotonic_ms() - start >= 300);
    first->ops->rollback(first);
    begin(second, 20000); /* the connection is as good as before */
    second->ops->rollback(second);
    first->ops->close(first);
    second->ops->close(second);
}

static void
a_locked_table_makes_its_fresh_count_unknown(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *first = connect_as("dwclean");
    struct axdb_store *second = connect_again();
    struct axdb_evidence evidence;

    (void)state;
    begin(first, 20000);
    observe(second, arena, &evidence);
    for (int i = 0; i < AXDB_TABLES; i++) {
        assert_false(evidence.tables[i].fresh.known);
        assert_int_equal(evidence.tables[i].fresh.why.code, ERR_LOCK);
        assert_true(evidence.tables[i].exists);
    }
    assert_false(evidence.urls_known);
    first->ops->rollback(first);
    first->ops->close(first);
    second->ops->close(second);
}

static void
the_lock_budget_ends_the_transaction(void **state)
{
    struct axdb_store *store = connect_as("dwclean");
    enum commit_state commit = COMMIT_DONE;
    int64_t deleted = -1, left = -1;

    (void)state;
    begin(store, 300);
    clock_sleep_ms(400);
    assert_false(delete_table(store, TABLE_EVENTS, &deleted, &left, &err));
    assert_int_equal(err.code, ERR_LOCK);
    assert_false(store->ops->commit(store, &commit, &err));
    assert_int_equal(commit, COMMIT_NOT);
    assert_int_equal(err.code, ERR_LOCK);
    store->ops->rollback(store);
    assert_true(store->ops->locked_ms(store) >= 400);
    store->ops->close(store);
    assert_int_equal(count_rows(TABLE_EVENTS), EVENTS);
}

static void
a_missing_right_to_delete_is_named(void **state)
{
    struct axdb_store *store = connect_as("nodelete");
    int64_t deleted = -1, left = -1;

    (void)state;
    begin(store, 20000);
    assert_false(delete_table(store, TABLE_EVENTS, &deleted, &left, &err));
    assert_int_equal(err.code, utf8_engine() ? ERR_SERVER : ERR_PERMISSION); /* by its number */
    store->ops->rollback(store);
    store->ops->close(store);
    assert_int_equal(count_rows(TABLE_EVENTS), EVENTS);
}

/* ---- exclusion ---- */

static void
the_exclusion_belongs_to_one_session(void **state)
{
    struct axdb_store *first = connect_as("dwclean");
    struct axdb_store *second = connect_again();
    bool granted = false;

    (void)state;
    assert_true(first->ops->acquire_exclusion(first, &granted, &err));
    assert_true(granted);
    assert_true(second->ops->acquire_exclusion(second, &granted, &err));
    assert_false(granted);
    assert_true(first->ops->release_exclusion(first, &err));
    assert_true(second->ops->acquire_exclusion(second, &granted, &err));
    assert_true(granted);
    second->ops->close(second);
    /* the server frees it when it sees the connection gone: soon, not at once */
    granted = false;
    for (int i = 0; i < 100 && !granted; i++) {
        assert_true(first->ops->acquire_exclusion(first, &granted, &err));
        if (!granted)
            clock_sleep_ms(50);
    }
    assert_true(granted);
    first->ops->close(first);
}

static void
without_the_right_the_exclusion_is_refused_and_the_store_goes_on(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("reader");
    struct axdb_evidence evidence;
    bool granted = false;

    (void)state;
    assert_false(store->ops->acquire_exclusion(store, &granted, &err));
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_non_null(strstr(err.hint, "sp_getapplock"));
    assert_false(granted);
    observe(store, arena, &evidence);
    assert_int_equal(evidence.may_applock, RIGHT_MISSING);
    assert_int_equal(evidence.tables[TABLE_EVENTS].fresh.rows, EVENTS);
    store->ops->close(store);
}

static void
each_error_that_names_a_missing_right_says_so_of_the_exclusion(void **state)
{
    static const struct {
        int number;
        enum err_code code;
    } errors[] = {{229, ERR_PERMISSION},
                  {297, ERR_PERMISSION},
                  {300, ERR_PERMISSION},
                  {2812, ERR_SERVER},
                  {1205, ERR_LOCK}};
    struct axdb_store *store = connect_as("dwclean");
    bool granted = false;

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        char rule[128];

        (void)snprintf(rule, sizeof rule,
                       "{\"at\":\"tds.request\",\"match\":\"sp_getapplock\",\"do\":\"error\","
                       "\"arg\":%d}",
                       errors[i].number);
        fault(rule);
        assert_false(store->ops->acquire_exclusion(store, &granted, &err));
        assert_int_equal(err.code, errors[i].code);
        assert_int_equal(strstr(err.hint, "sp_getapplock") != NULL,
                         errors[i].code == ERR_PERMISSION);
    }
    assert_true(store->ops->acquire_exclusion(store, &granted, &err));
    assert_true(granted);
    store->ops->close(store);
}

/* ---- durability ---- */

static char told[1024];

static void
note(struct observer *observer, enum log_level level, const char *text)
{
    (void)observer;
    if (level < LOG_LEVEL_INFO)
        return; /* a line for each batch: shown with -v only */
    assert_int_equal(level, LOG_LEVEL_WARNING);
    (void)snprintf(told, sizeof told, "%s", text);
}

static void
pass_by(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    (void)observer;
    (void)what;
    (void)done;
    (void)total;
}

/** Delete and commit in a database of that durability, with a server that may refuse to flush. */
static void
commit_under(const char *durability, bool refused)
{
    static struct observer listener = {.say = note, .progress = pass_by};
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct mssql_options options = options_for("dwclean");
    struct axdb_evidence evidence;
    struct axdb_store *store;
    enum commit_state commit = COMMIT_UNKNOWN;
    char text[96];

    told[0] = '\0';
    options.observer = &listener;
    (void)snprintf(text, sizeof text, "ALTER DATABASE CURRENT SET DELAYED_DURABILITY = %s;",
                   durability);
    sql(text);
    use(&options);
    store = connect_again();
    observe(store, arena, &evidence);
    sql("ALTER DATABASE CURRENT SET DELAYED_DURABILITY = DISABLED;");
    assert_string_equal(evidence.identity.delayed_durability, durability);
    if (refused)
        fault("{\"at\":\"tds.request\",\"match\":\"sp_flush_log\",\"do\":\"error\",\"arg\":229}");
    begin(store, 20000);
    delete_every_row(store);
    if (!store->ops->commit(store, &commit, &err))
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_int_equal(commit, COMMIT_DONE);
    observe(store, arena, &evidence); /* on the same connection */
    assert_int_equal(evidence.tables[TABLE_EVENTS].fresh.rows, 0);
    store->ops->close(store);
    mssql_server_free(server);
    server = NULL;
    control("DELETE", "/faults", "");
    control("POST", "/reset", "");
}

static void
after_a_commit_with_forced_delayed_durability_the_log_is_flushed(void **state)
{
    (void)state;
    commit_under("FORCED", false);
    assert_string_equal(told, "");
    commit_under("FORCED", true);
    assert_non_null(strstr(told, "DELAYED_DURABILITY = FORCED"));
    assert_non_null(strstr(told, "the server answered"));
}

static void
where_the_commit_waits_for_the_disk_nothing_is_flushed(void **state)
{
    (void)state;
    commit_under("DISABLED", true);
    assert_string_equal(told, "");
    commit_under("ALLOWED", true); /* only for who asks for it, which we do not */
    assert_string_equal(told, "");
}

static void
a_durability_that_the_server_does_not_tell_is_unknown_and_nothing_else_is(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;

    (void)state;
    fault(
        "{\"at\":\"tds.request\",\"match\":\"rs_durability\",\"do\":\"error\",\"arg\":207,\"times\":0}");
    observe(store, arena, &evidence);
    control("DELETE", "/faults", "");
    assert_string_equal(evidence.identity.delayed_durability, "");
    assert_string_equal(evidence.identity.state, "ONLINE");
    store->ops->close(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(the_identity_is_complete),
        CONTRACT_TEST_IF(what_the_sandbox_grants_is_seen, NEEDS_SANDBOX | NEEDS_CATALOG),
        CONTRACT_TEST(every_table_is_counted),
        CONTRACT_TEST_IF(the_catalog_is_a_second_witness, NEEDS_CATALOG),
        CONTRACT_TEST(what_an_engine_lacks_is_unknown_and_fails_nothing),
        CONTRACT_TEST(groups_add_up_to_the_counts),
        CONTRACT_TEST(the_schema_names_what_the_server_fills),
        CONTRACT_TEST(a_missing_table_leaves_the_others_counted),
        CONTRACT_TEST(an_older_table_without_a_column_is_still_counted),
        CONTRACT_TEST(a_column_without_an_exact_way_back_is_named),
        CONTRACT_TEST_IF(a_reader_lacks_the_right_to_delete, NEEDS_LOGINS | NEEDS_CATALOG),
        CONTRACT_TEST_IF(no_rows_of_the_catalog_are_no_evidence_for_the_blind,
                         NEEDS_LOGINS | NEEDS_CATALOG),
        CONTRACT_TEST_IF(without_any_right_nothing_is_counted, NEEDS_LOGINS | NEEDS_CATALOG),
        CONTRACT_TEST_IF(options_that_are_refused_together_are_set_one_by_one, NEEDS_SANDBOX),
        CONTRACT_TEST_IF(an_option_that_is_not_set_is_found_out, NEEDS_SANDBOX),
        CONTRACT_TEST_IF(an_option_that_nobody_can_read_back_must_be_taken, NEEDS_SANDBOX),
        CONTRACT_TEST_IF(a_question_that_is_refused_leaves_the_others_answered,
                         NEEDS_SANDBOX | NEEDS_CATALOG),
        CONTRACT_TEST_IF(a_question_that_must_be_answered_fails_the_look,
                         NEEDS_SANDBOX | NEEDS_CATALOG),
        CONTRACT_TEST(a_rollback_leaves_every_row),
        CONTRACT_TEST(closing_a_store_rolls_its_transaction_back),
        CONTRACT_TEST(a_commit_makes_the_delete_final),
        CONTRACT_TEST(rows_can_be_read_under_the_lock),
        CONTRACT_TEST(nothing_is_deleted_outside_a_transaction),
        CONTRACT_TEST_IF(a_second_transaction_waits_and_gives_up, NEEDS_LOCKS),
        CONTRACT_TEST_IF(a_locked_table_makes_its_fresh_count_unknown, NEEDS_LOCKS),
        CONTRACT_TEST(the_lock_budget_ends_the_transaction),
        CONTRACT_TEST_IF(a_missing_right_to_delete_is_named, NEEDS_LOGINS),
        CONTRACT_TEST(the_exclusion_belongs_to_one_session),
        CONTRACT_TEST_IF(without_the_right_the_exclusion_is_refused_and_the_store_goes_on,
                         NEEDS_LOGINS | NEEDS_CATALOG),
        CONTRACT_TEST_IF(each_error_that_names_a_missing_right_says_so_of_the_exclusion,
                         NEEDS_SANDBOX | NEEDS_CATALOG),
        CONTRACT_TEST_IF(after_a_commit_with_forced_delayed_durability_the_log_is_flushed,
                         NEEDS_SANDBOX | NEEDS_UTF16),
        CONTRACT_TEST_IF(where_the_commit_waits_for_the_disk_nothing_is_flushed,
                         NEEDS_SANDBOX | NEEDS_UTF16),
        CONTRACT_TEST_IF(a_durability_that_the_server_does_not_tell_is_unknown_and_nothing_else_is,
                         NEEDS_SANDBOX),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
