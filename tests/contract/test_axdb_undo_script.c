/** The undo script as other tools run it, and where it must not run. */
#include "axdb_rows_back.h"

#include <sys/wait.h>

/** The script behind some text in the same batch: it must fail with `fault`. */
static void
expect_script_fails(const char *before, const struct text *script, const char *part)
{
    TEXT_SCOPED whole = {0};
    char fault_text[4096];

    text_append(&whole, before);
    text_append_bytes(&whole, text_string(script), script->used);
    assert_true(text_ok(&whole, &err));
    run_script(&whole, fault_text, sizeof fault_text);
    if (strstr(fault_text, part) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", fault_text, part);
}

static void
the_script_refuses_what_it_must_not_touch(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(13);
    struct random_rows rows = random_rows_make(&random, schema, 5);
    TEXT_SCOPED script = {0};
    TEXT_SCOPED other = {0};

    (void)state;
    make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
    make_script(schema, &(struct script_source){.rows = &rows, .database = "axdb"},
                (int64_t)rows.count, &other);
    expect_script_fails("", &other, "belong to another database");
    expect_script_fails("SET XACT_ABORT ON; BEGIN TRANSACTION;\n", &script,
                        "a transaction is open in this session");
    assert_int_equal(count_rows(TABLE_EVENTS), 0);
    expect_script_runs(&script);
    expect_script_fails("", &script, "dbo.BUSINESSEVENTSDEFINITION is not empty");
    expect_rows(store, schema, &rows);
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
the_script_stops_without_effect_at_the_first_fault(void **state)
{
    static const char *const faults[] = {
        "ALTER TABLE dbo.BUSINESSEVENTSDEFINITION ADD CONSTRAINT C_CHECK CHECK (RECID < 0);",
        "ALTER TABLE dbo.BUSINESSEVENTSDEFINITION ADD MUST int NOT NULL;",
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(14);
    struct random_rows rows = random_rows_make(&random, schema, 40);

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        TEXT_SCOPED script = {0};

        make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
        sql(identity_tables);
        sql(faults[i]);
        expect_script_fails("", &script, i == 0 ? "C_CHECK" : "MUST");
        assert_int_equal(count_rows(TABLE_EVENTS), 0);
    }
    /* The same row twice: the second one fails, the first one goes. */
    random_rows_free(&rows);
    rows = random_rows_make(&random, schema, 2);
    sql(identity_tables);
    {
        TEXT_SCOPED script = {0};
        struct row first = rows.items[0];
        const struct random_rows twice = {.items = (struct row[]){first, first}, .count = 2};

        make_script(schema, &(struct script_source){.rows = &twice}, 2, &script);
        expect_script_fails("", &script, "duplicate key");
        assert_int_equal(count_rows(TABLE_EVENTS), 0);
    }
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
make_events(const char *column)
{
    char text[512];

    (void)snprintf(text, sizeof text,
                   "DROP TABLE dbo.BUSINESSEVENTSDEFINITION;"
                   "CREATE TABLE dbo.BUSINESSEVENTSDEFINITION (%s, PARTITION bigint NOT NULL,"
                   " RECID bigint NOT NULL, CONSTRAINT PK_E PRIMARY KEY (PARTITION, RECID));",
                   column);
    sql(text);
}

/** The server would convert the values, some of them without an error. */
static void
a_column_that_changed_after_the_run_is_refused(void **state)
{
    static const struct {
        const char *was, *is;
    } columns[] = {
        {"V decimal(9,4) NULL", "V decimal(9,2) NULL"},
        {"V decimal(9,4) NULL", "V decimal(19,4) NULL"},
        {"V datetime2(7) NULL", "V datetime2(3) NULL"},
        {"V datetime NULL", "V smalldatetime NULL"},
        {"V nvarchar(20) NULL", "V varchar(20) NULL"},
        {"V nvarchar(20) NULL", "V nvarchar(30) NULL"},
        {"V varchar(20) NULL", "V char(20) NULL"},
        {"V float NULL", "V real NULL"},
        {"V int NULL", "V AS (1)"},
        {"V int NULL", "V int IDENTITY(1,1) NOT NULL"},
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("admin");
    struct random random = any_random(19);

    (void)state;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        TEXT_SCOPED script = {0};
        struct axdb_evidence evidence;
        const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
        struct random_rows rows;

        make_events(columns[i].was);
        observe(store, arena, &evidence);
        rows = random_rows_make(&random, schema, 20);
        make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
        make_events(columns[i].is);
        expect_script_fails("", &script,
                            "column V of dbo.BUSINESSEVENTSDEFINITION is not what it was");
        assert_int_equal(count_rows(TABLE_EVENTS), 0);
        make_events(columns[i].was);
        expect_script_runs(&script);
        expect_rows(store, schema, &rows);
        random_rows_free(&rows);
    }
    store->ops->close(store);
}

static void
an_enabled_trigger_is_refused_and_a_disabled_one_is_not(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(20);
    struct random_rows rows = random_rows_make(&random, schema, 2);
    TEXT_SCOPED script = {0};

    (void)state;
    make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
    sql("CREATE TRIGGER dbo.TR_LATER ON dbo.BUSINESSEVENTSDEFINITION AFTER INSERT AS PRINT 1");
    expect_script_fails("", &script, "dbo.BUSINESSEVENTSDEFINITION has enabled triggers");
    assert_int_equal(count_rows(TABLE_EVENTS), 0);
    sql("ALTER TABLE dbo.BUSINESSEVENTSDEFINITION DISABLE TRIGGER ALL");
    expect_script_runs(&script);
    expect_rows(store, schema, &rows);
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
the_session_that_runs_the_script_does_not_matter(void **state)
{
    static const char hostile[] =
        "SET DATEFORMAT dmy; SET ROWCOUNT 1; SET QUOTED_IDENTIFIER OFF; SET ANSI_WARNINGS OFF; "
        "SET ANSI_PADDING OFF; SET ANSI_NULLS OFF; SET ARITHABORT OFF; SET XACT_ABORT OFF; "
        "SET CONCAT_NULL_YIELDS_NULL OFF; SET NUMERIC_ROUNDABORT ON; SET IMPLICIT_TRANSACTIONS ON; "
        "SET TEXTSIZE 5; SET DATEFIRST 1;\n";
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(wide_table, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(15);
    struct random_rows rows = random_rows_make(&random, schema, 200);
    TEXT_SCOPED script = {0};

    (void)state;
    text_append(&script, hostile);
    make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
    expect_script_runs(&script);
    expect_rows(store, schema, &rows);
    random_rows_free(&rows);
    store->ops->close(store);
}

/* ---- by a tool ---- */

/** Write the configuration and the input that tsql reads, run it; its exit status. */
static int
run_tsql(const char *directory, const char *user, const struct text *script)
{
    char conf[PATH_MAX], input[PATH_MAX], output[PATH_MAX];
    FILE *file;
    int status = -1;
    pid_t child;

    file = fopen(scratch_path(directory, "freetds.conf", conf), "we");
    assert_non_null(file);
    (void)fprintf(file,
                  "[sandbox]\nhost = localhost\nport = %s\ntds version = 7.4\n"
                  "encryption = require\nca file = %s\nclient charset = UTF-8\n",
                  variable("SANDBOX_TDS_PORT"), variable("SANDBOX_CA"));
    assert_int_equal(fclose(file), 0);
    file = fopen(scratch_path(directory, "undo.sql", input), "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text_string(script), 1, script->used, file), script->used);
    (void)fprintf(file, "\nGO\n");
    assert_int_equal(fclose(file), 0);
    (void)scratch_path(directory, "output", output);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
        if (setenv("FREETDSCONF", conf, 1) != 0 || freopen(input, "r", stdin) == NULL ||
            freopen(output, "w", stdout) == NULL || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
            _exit(126);
        (void)execlp("tsql", "tsql", "-S", "sandbox", "-U", user, "-P", PASSWORD, "-D", "AxDB",
                     "-o", "q", (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/** Run it as `user`; what the tool showed into `said`, of `size` bytes. */
static void
run_and_listen(const char *user, const struct text *script, char *said, size_t size)
{
    char directory[PATH_MAX], path[PATH_MAX];
    FILE *output;

    scratch_make(directory);
    assert_int_equal(run_tsql(directory, user, script), 0);
    output = fopen(scratch_path(directory, "output", path), "re");
    assert_non_null(output);
    said[fread(said, 1, size - 1, output)] = '\0';
    assert_int_equal(fclose(output), 0);
    scratch_remove(directory);
}

static void
expect_said(const char *user, const struct text *script, const char *part)
{
    char said[4096] = "";

    run_and_listen(user, script, said, sizeof said);
    if (strstr(said, part) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", said, part);
}

/** dwclean has no ALTER, so that IDENTITY_INSERT is an error for it whatever else there is. */
static void
a_login_without_alter_is_told_the_first_fault(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(17);
    struct random_rows rows = random_rows_make(&random, schema, 3);
    TEXT_SCOPED script = {0};

    (void)state;
    make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
    expect_script_runs(&script);
    expect_said("dwclean", &script, "dbo.BUSINESSEVENTSDEFINITION is not empty");
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
a_login_that_may_not_see_triggers_is_refused(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(identity_tables, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(18);
    struct random_rows rows = random_rows_make(&random, schema, 1);
    TEXT_SCOPED script = {0};

    (void)state;
    make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
    expect_said("blind", &script,
                "this login may not see whether dbo.BUSINESSEVENTSDEFINITION has triggers");
    assert_int_equal(count_rows(TABLE_EVENTS), 0);
    random_rows_free(&rows);
    store->ops->close(store);
}

static void
tsql_runs_the_script(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store = with_table(wide_table, arena, &evidence);
    const struct schema *schema = &evidence.tables[TABLE_EVENTS].schema;
    struct random random = any_random(16);
    struct random_rows rows = random_rows_make(&random, schema, 300);
    char last_line[80];
    TEXT_SCOPED script = {0};

    (void)state;
    make_script(schema, &(struct script_source){.rows = &rows}, (int64_t)rows.count, &script);
    (void)snprintf(last_line, sizeof last_line, "dwclean: done, %zu rows are back.", rows.count);
    expect_said("admin", &script, last_line);
    expect_rows(store, schema, &rows);
    random_rows_free(&rows);
    store->ops->close(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST_IF(the_script_refuses_what_it_must_not_touch, NEEDS_SANDBOX | NEEDS_UTF16),
        CONTRACT_TEST_IF(the_script_stops_without_effect_at_the_first_fault,
                         NEEDS_SANDBOX | NEEDS_UTF16),
        CONTRACT_TEST_IF(a_column_that_changed_after_the_run_is_refused,
                         NEEDS_SANDBOX | NEEDS_UTF16),
        CONTRACT_TEST_IF(an_enabled_trigger_is_refused_and_a_disabled_one_is_not,
                         NEEDS_SANDBOX | NEEDS_CATALOG),
        CONTRACT_TEST_IF(a_login_without_alter_is_told_the_first_fault,
                         NEEDS_SANDBOX | NEEDS_CATALOG),
        CONTRACT_TEST_IF(a_login_that_may_not_see_triggers_is_refused,
                         NEEDS_SANDBOX | NEEDS_CATALOG),
        CONTRACT_TEST_IF(the_session_that_runs_the_script_does_not_matter, NEEDS_UTF16),
        CONTRACT_TEST_IF(tsql_runs_the_script, NEEDS_SANDBOX | NEEDS_UTF16),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
