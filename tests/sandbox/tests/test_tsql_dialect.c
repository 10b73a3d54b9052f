/* The engine of another make: UTF-8 text, gaps, errors that end transactions and that no CATCH
 * sees. */
#include "test.h"
#include "tsql_client.h"

struct fixture {
    struct engine *engine;
    struct client *c;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[512] = "";
    if (!f)
        return -1;
    f->engine = client_engine_of(NULL, true, true);
    assert_true(engine_run_script(
        f->engine,
        "CREATE TABLE dbo.Words (ID int NOT NULL PRIMARY KEY, WORD nvarchar(9) NULL); "
        "INSERT INTO dbo.Words (ID, WORD) VALUES (1, CONVERT(nvarchar(9), 0xE900AC20)), (2, N'abc')",
        why, sizeof why));
    f->c = client_open(f->engine);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    client_close(f->c);
    client_engine_close(f->engine);
    free(f);
    return 0;
}

static void
expect(void **state, const char *sql, const char *want)
{
    struct fixture *f = *state;
    assert_string_equal(run(f->c, sql), want);
}

static void
refused(void **state, const char *sql)
{
    struct fixture *f = *state;
    (void)run(f->c, sql);
    assert_int_equal(f->c->last_error, 33557097);
}

static void
text_is_counted_and_converted_as_utf8(void **state)
{
    expect(state, "SELECT DATALENGTH(N'abc'), DATALENGTH('abc'), CONVERT(varbinary(9), N'abc')",
           "[:int,:int,:varbinary] 3|3|616263; done c1 1; ");
    expect(state,
           "SELECT DATALENGTH(WORD), CONVERT(varbinary(max), WORD) FROM dbo.Words WHERE ID = 1",
           "[:int,:varbinary] 5|c3a9e282ac; done c1 1; ");
    expect(state, "SELECT COUNT(*) FROM dbo.Words WHERE WORD = CONVERT(nvarchar(9), 0xC3A9E282AC)",
           "[:int] 1; done c1 1; ");
}

static void
bytes_that_are_no_utf8_are_refused(void **state)
{
    refused(state, "SELECT CONVERT(nvarchar(9), 0xE900)");
    refused(state, "SELECT CONVERT(nvarchar(9), 0x6100)");
    refused(state, "SELECT CONVERT(nvarchar(9), 0xEDA080)");
}

static void
what_it_lacks_is_an_error(void **state)
{
    static const char *const gaps[] = {
        "SELECT TRY_CONVERT(int, 'x')",
        "SELECT TRY_CAST('x' AS int)",
        "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')",
        "SELECT @@TEXTSIZE",
        "SELECT @@LOCK_TIMEOUT",
        "SELECT * FROM sys.triggers",
        "SELECT * FROM sys.security_policies",
        "SELECT * FROM sys.dm_tran_locks",
        "SELECT * FROM msdb.dbo.restorehistory",
        "SELECT * FROM dbo.Nothing",
        "WAITFOR DELAY '00:00:00'",
        "SET DEADLOCK_PRIORITY LOW",
        "SELEC 1",
    };
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++)
        refused(state, gaps[i]);
    expect(state, "SELECT @@OPTIONS & 16384, @@TRANCOUNT", "[:int,:int] 0|0; done c1 1; ");
}

static void
no_catch_sees_an_error_without_a_number_of_its_own(void **state)
{
    struct fixture *f = *state;
    refused(state,
            "BEGIN TRY EXEC(N'SELECT * FROM sys.triggers'); END TRY BEGIN CATCH SELECT 1; END "
            "CATCH; SELECT 2;");
    assert_null(strstr(f->c->text, "[:int]"));
    expect(
        state,
        "BEGIN TRY SELECT CONVERT(decimal(2,0), 1000); END TRY BEGIN CATCH SELECT ERROR_NUMBER(); END CATCH",
        "[:decimal] [:int] 8115; done c1 1; ");
}

static void
an_error_ends_the_transaction(void **state)
{
    struct fixture *f = *state;
    (void)run(f->c, "BEGIN TRANSACTION; DELETE FROM dbo.Words");
    refused(state, "SELECT * FROM dbo.Nothing");
    expect(state, "SELECT @@TRANCOUNT, COUNT(*) FROM dbo.Words", "[:int,:int] 0|2; done c1 1; ");
}

static void
names_in_the_catalog_are_lower_case(void **state)
{
    expect(
        state,
        "SELECT name FROM sys.columns WHERE object_id = OBJECT_ID(N'dbo.Words') ORDER BY column_id",
        "[name:nvarchar] id; word; done c1 2; ");
    expect(state, "SELECT COUNT(*) FROM sys.databases WHERE name = DB_NAME()",
           "[:int] 1; done c1 1; ");
}

static void
hints_lock_nothing(void **state)
{
    struct fixture *f = *state;
    struct client *other = client_open(f->engine);
    (void)run(f->c, "BEGIN TRANSACTION; SELECT COUNT(*) FROM dbo.Words WITH (TABLOCKX, HOLDLOCK)");
    assert_string_equal(run(other, "SELECT COUNT(*) FROM dbo.Words WITH (TABLOCKX)"),
                        "[:int] 2; done c1 1; ");
    (void)run(f->c, "ROLLBACK");
    client_close(other);
}

static void
it_says_what_it_is(void **state)
{
    struct fixture *f = *state;
    assert_non_null(strstr(run(f->c, "SELECT @@VERSION"), "with UTF-8 text"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_is_counted_and_converted_as_utf8, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_utf8_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_it_lacks_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(no_catch_sees_an_error_without_a_number_of_its_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_error_ends_the_transaction, setup, teardown),
        cmocka_unit_test_setup_teardown(names_in_the_catalog_are_lower_case, setup, teardown),
        cmocka_unit_test_setup_teardown(hints_lock_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(it_says_what_it_is, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
