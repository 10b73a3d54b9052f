/* The T-SQL engine: transactions, locks, versions, faults, seeds, values without loss. */
#include "test.h"
#include "tsql_client.h"
#include "tsql_job.h"

#include <time.h>

struct fixture {
    struct engine *engine;
    struct faults *faults;
    struct client *a, *b;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    f->faults = faults_new();
    f->engine = client_engine(f->faults, true);
    f->a = client_open(f->engine);
    f->b = client_open(f->engine);
    (void)run(
        f->a,
        "CREATE TABLE t (i int NOT NULL PRIMARY KEY, s nvarchar(20)); INSERT t VALUES (1,N'a'),(2,N'b'); "
        "CREATE TABLE u (i int)");
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    client_close(f->a);
    client_close(f->b);
    client_engine_close(f->engine);
    faults_free(f->faults);
    free(f);
    return 0;
}

static void
nap(int ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000L};
    (void)nanosleep(&t, NULL);
}

/* Until somebody waits for a lock. */
static void
wait_for_waiter(struct fixture *f)
{
    struct client *c = client_open(f->engine);
    for (int i = 0; i < 1000; i++) {
        if (!strstr(run(c, "SELECT COUNT(*) FROM sys.dm_os_waiting_tasks"), "] 0;"))
            break;
        nap(2);
    }
    client_close(c);
}

static void
test_snapshot_reads_do_not_wait(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(run(f->a, "BEGIN TRAN; INSERT t VALUES (3, N'c'); SELECT COUNT(*) FROM t"),
                        "tran 8; done d4; done c3 1; [:int] 3; done c1 1; ");
    assert_string_equal(run(f->b, "SELECT COUNT(*) FROM t"), "[:int] 2; done c1 1; ");
    assert_string_equal(
        run(f->b,
            "SET LOCK_TIMEOUT 0; SELECT CONVERT(bigint, COUNT(*)) AS n FROM dbo.t WITH (READCOMMITTEDLOCK)"),
        "error 1222 16 line 1: Lock request time out period exceeded.; done c1 failed; ");
    assert_string_equal(
        run(f->b,
            "SET LOCK_TIMEOUT 20; BEGIN TRAN; SELECT COUNT(*) FROM t WITH (TABLOCKX, HOLDLOCK)"),
        "tran 8; done d4; error 1222 16 line 1: Lock request time out period exceeded.; done c1 failed; ");
    assert_string_equal(run(f->a, "COMMIT"), "tran 9; done d5; ");
    assert_string_equal(run(f->b, "SELECT COUNT(*) FROM t; ROLLBACK"),
                        "[:int] 3; done c1 1; tran 10; done d2; ");
}

static void
test_locks_are_held_to_the_end(void **state)
{
    struct fixture *f = *state;
    (void)run(f->a, "BEGIN TRAN; SELECT COUNT(*) FROM t WITH (TABLOCKX, HOLDLOCK)");
    (void)run(f->b, "SET LOCK_TIMEOUT 0");
    (void)run(f->b, "INSERT t VALUES (9, N'x')");
    assert_int_equal(f->b->last_error, 1222);
    (void)run(f->b, "DELETE u");
    assert_int_equal(f->b->last_error, 0); /* the lock of one table stops nobody in another */
    assert_string_equal(run(f->b, "SELECT COUNT(*) FROM t"), "[:int] 2; done c1 1; ");
    struct job j;
    job_start(&j, f->b, "SET LOCK_TIMEOUT -1; INSERT t VALUES (9, N'x')");
    wait_for_waiter(f);
    (void)run(f->a, "DELETE t; COMMIT");
    assert_int_equal(pthread_join(j.thread, NULL), 0);
    assert_string_equal(f->b->text, "done c3 1; ");
    assert_string_equal(run(f->a, "SELECT i FROM t"), "[i:int] 9; done c1 1; ");
}

static void
test_deadlock(void **state)
{
    struct fixture *f = *state;
    (void)run(
        f->a,
        "SET DEADLOCK_PRIORITY LOW; BEGIN TRAN; SELECT COUNT(*) FROM t WITH (TABLOCKX, HOLDLOCK)");
    (void)run(f->b, "BEGIN TRAN; SELECT COUNT(*) FROM u WITH (TABLOCKX, HOLDLOCK)");
    struct job j;
    job_start(&j, f->a, "SELECT COUNT(*) FROM u WITH (TABLOCKX, HOLDLOCK)");
    wait_for_waiter(f);
    (void)run(f->b, "SELECT COUNT(*) FROM t WITH (TABLOCKX, HOLDLOCK)");
    assert_int_equal(pthread_join(j.thread, NULL), 0);
    assert_int_equal(f->a->last_error, 1205); /* the lower priority, though the other came last */
    assert_int_equal(f->b->last_error, 0);
    assert_string_equal(run(f->a, "SELECT @@TRANCOUNT"), "[:int] 0; done c1 1; ");
    (void)run(f->b, "ROLLBACK");
}

static void
test_cancel_wakes_a_waiter(void **state)
{
    struct fixture *f = *state;
    (void)run(f->a, "BEGIN TRAN; DELETE t");
    struct job j;
    job_start(&j, f->b,
              "SET XACT_ABORT ON; BEGIN TRAN; SELECT * FROM t WITH (READCOMMITTEDLOCK); SELECT 5");
    wait_for_waiter(f);
    session_cancel(f->b->session);
    assert_int_equal(pthread_join(j.thread, NULL), 0);
    assert_non_null(strstr(f->b->text, "tran 10; done 0 attention; "));
    assert_null(strstr(f->b->text, "error"));
    assert_string_equal(run(f->b, "SELECT @@TRANCOUNT"), "[:int] 0; done c1 1; ");
    job_start(&j, f->b, "WAITFOR DELAY '00:00:30'");
    nap(30);
    session_cancel(f->b->session);
    assert_int_equal(pthread_join(j.thread, NULL), 0);
    assert_string_equal(f->b->text, "done 0 attention; ");
}

static void
test_application_locks(void **state)
{
    struct fixture *f = *state;
    static const char get[] =
        "DECLARE @r int; EXEC @r = sp_getapplock @Resource=N'dwclean', @LockMode=N'Exclusive', "
        "@LockOwner=N'Session', @LockTimeout=0; SELECT @r";
    assert_string_equal(run(f->a, get), "status 0; doneproc 0; [:int] 0; done c1 1; ");
    assert_string_equal(run(f->b, get), "status -1; doneproc 0; [:int] -1; done c1 1; ");
    struct job j;
    job_start(
        &j, f->b,
        "DECLARE @r int; EXEC @r = sp_getapplock 'dwclean', 'Exclusive', 'Session', -1; SELECT @r");
    wait_for_waiter(f);
    assert_string_equal(
        run(f->a, "EXEC sp_releaseapplock @Resource=N'dwclean', @LockOwner=N'Session'"),
        "status 0; doneproc 0; ");
    assert_int_equal(pthread_join(j.thread, NULL), 0);
    assert_string_equal(f->b->text, "status 1; doneproc 0; [:int] 1; done c1 1; ");
    client_close(f->b); /* a lost connection frees it */
    f->b = client_open(f->engine);
    assert_string_equal(run(f->b, get), "status 0; doneproc 0; [:int] 0; done c1 1; ");
    assert_string_equal(
        run(f->b, "DECLARE @r int; EXEC @r = sp_getapplock 'x', 'Exclusive'; SELECT @r"),
        "status -999; doneproc 0; [:int] -999; done c1 1; ");
}

static void
test_statements_are_atomic(void **state)
{
    struct fixture *f = *state;
    (void)run(f->a, "INSERT t VALUES (5, N'x'), (1, N'again')");
    assert_int_equal(f->a->last_error, 2627);
    assert_string_equal(run(f->a, "SELECT COUNT(*) FROM t"), "[:int] 2; done c1 1; ");
    assert_string_equal(
        run(f->a,
            "SET XACT_ABORT OFF; BEGIN TRAN; DELETE t WHERE i = 2; INSERT t VALUES (1, N'x'); SELECT @@TRANCOUNT; COMMIT; SELECT COUNT(*) FROM t"),
        "tran 8; done d4; done c4 1; error 2627 14 line 1: Violation of PRIMARY KEY constraint 'PK__t__0EA33169'. Cannot insert duplicate key in object 'dbo.t'. The duplicate key value is (1).; done c3 failed; [:int] 1; done c1 1; tran 9; done d5; [:int] 1; done c1 1; ");
    (void)run(f->a, "SET XACT_ABORT ON; BEGIN TRAN; DELETE t; INSERT u SELECT 1/0; SELECT 1");
    assert_int_equal(f->a->last_error, 8134);
    assert_null(strstr(f->a->text, "[:int] 1;"));
    assert_string_equal(run(f->a, "SELECT @@TRANCOUNT, COUNT(*) FROM t"),
                        "[:int,:int] 0|1; done c1 1; ");
    (void)run(
        f->a,
        "BEGIN TRY BEGIN TRAN; DELETE t; SELECT 1/0 END TRY BEGIN CATCH SELECT XACT_STATE(); DELETE u END CATCH");
    assert_non_null(strstr(f->a->text, "[:int] -1; done c1 1; error 3930"));
    assert_string_equal(run(f->a, "SELECT @@TRANCOUNT, COUNT(*) FROM t"),
                        "[:int,:int] 0|1; done c1 1; ");
    (void)run(f->a,
              "BEGIN TRY BEGIN TRAN; DELETE t; SELECT 1/0 END TRY BEGIN CATCH PRINT 'x' END CATCH");
    assert_int_equal(f->a->last_error, 3998);
    assert_string_equal(
        run(f->a,
            "BEGIN TRAN; CREATE TABLE z (i int); INSERT z VALUES (1); CREATE TABLE #z (i int); ROLLBACK; SELECT OBJECT_ID('z'); SELECT * FROM #z"),
        "tran 8; done d4; done 0; done c3 1; done 0; tran 10; done d2; [:int] NULL; done c1 1; error 208 16 line 1: Invalid object name '#z'.; done c1 failed; ");
}

static void
add_fault(struct fixture *f, const char *json)
{
    const char *why = NULL;
    assert_true(faults_add_json(f->faults, json, &why));
}

static void
test_faults(void **state)
{
    struct fixture *f = *state;
    add_fault(
        f,
        "{\"at\":\"tsql.statement\",\"match\":\"DELETE\",\"times\":1,\"do\":\"sql\",\"text\":\"INSERT t VALUES (77, N'w')\"}");
    assert_string_equal(run(f->a, "DELETE FROM t"), "done c4 3; ");
    add_fault(
        f,
        "{\"at\":\"tsql.statement\",\"match\":\"SELECT 2\",\"times\":1,\"do\":\"error\",\"arg\":40197,\"text\":\"injected\"}");
    assert_string_equal(run(f->a, "SELECT 1; SELECT 2"),
                        "[:int] 1; done c1 1; error 40197 16 line 1: injected; done 0 failed; ");
    add_fault(f, "{\"at\":\"tsql.commit.after\",\"times\":1,\"do\":\"cut\"}");
    assert_string_equal(run(f->a, "BEGIN TRAN; INSERT t VALUES (1, N'x'); COMMIT"),
                        "tran 8; done d4; done c3 1; tran 9; ");
    assert_true(session_dead(f->a->session));
    assert_string_equal(run(f->b, "SELECT COUNT(*) FROM t WITH (TABLOCKX)"),
                        "[:int] 1; done c1 1; ");
    faults_clear(f->faults);
    add_fault(f, "{\"at\":\"tsql.commit.before\",\"times\":1,\"do\":\"cut\"}");
    (void)run(f->b, "BEGIN TRAN; DELETE t; COMMIT");
    assert_true(session_dead(f->b->session));
    client_close(f->b);
    f->b = client_open(f->engine);
    assert_string_equal(run(f->b, "SELECT COUNT(*) FROM t WITH (TABLOCKX)"),
                        "[:int] 1; done c1 1; ");
}

static char *
read_file(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/axdb/%s.sql", FIXTURES, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, in) > 0);
    (void)fclose(in);
    return text;
}

static void
seed(struct fixture *f, const char *name)
{
    char *text = read_file(name), why[1024] = "";
    char *rows = strstr(text, "TOP ($(rows))");
    static const char top[] = "TOP (   2500)";
    for (size_t i = 0; rows && top[i]; i++)
        rows[i] = top[i];
    if (!engine_run_script(f->engine, text, why, sizeof why))
        fail_msg("%s: %s", name, why);
    free(text);
}

static void
test_seeds(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *counts;
    } all[] = {
        {"scenario-a", "[:int,:int,:int] 34|34|958; done c1 1; "},
        {"small", "[:int,:int,:int] 2|2|3; done c1 1; "},
        {"clean", "[:int,:int,:int] 0|0|0; done c1 1; "},
        {"own-host", "[:int,:int,:int] 2|2|2; done c1 1; "},
        {"events-only", "[:int,:int,:int] 0|0|4; done c1 1; "},
        {"mixed-channels", "[:int,:int,:int] 1|1|5; done c1 1; "},
        {"hostile", "[:int,:int,:int] 5|6|6; done c1 1; "},
        {"large", "[:int,:int,:int] 2|2|2500; done c1 1; "},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        seed(f, "schema");
        seed(f, all[i].name);
        assert_string_equal(run(f->a,
                                "SELECT (SELECT COUNT(*) FROM dbo.DUALWRITEPROJECTCONFIGURATION), "
                                "(SELECT COUNT(*) FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION), "
                                "(SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION)"),
                            all[i].counts);
    }
}

/* The batches of a clean run, as they are sent. */
static void
test_clean_run(void **state)
{
    struct fixture *f = *state;
    seed(f, "schema");
    seed(f, "scenario-a");
    (void)run(f->a, "SET XACT_ABORT ON; SET LOCK_TIMEOUT 5000; BEGIN TRANSACTION");
    assert_string_equal(
        run(f->a,
            "SELECT COUNT(*) FROM dbo.DUALWRITEPROJECTFIELDCONFIGURATION WITH (TABLOCKX, HOLDLOCK)"),
        "[:int] 34; done c1 1; ");
    assert_string_equal(
        run(f->a, "SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION WITH (TABLOCKX, HOLDLOCK)"),
        "[:int] 958; done c1 1; ");
    f->a->quiet = true;
    (void)run(
        f->a,
        "SELECT [CHANNEL], CONVERT(varbinary(max),[CHANNEL]) AS [C], DATALENGTH([CHANNEL]) AS [len], [SYSROWVERSION] FROM dbo.BUSINESSEVENTSDEFINITION ORDER BY [PARTITION], [RECID]");
    assert_int_equal(f->a->rows, 958);
    f->a->quiet = false;
    (void)run(
        f->b,
        "SET LOCK_TIMEOUT 0; SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION WITH (READCOMMITTEDLOCK)");
    assert_int_equal(f->b->last_error, 1222);
    assert_string_equal(run(f->b, "SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION"),
                        "[:int] 958; done c1 1; ");
    assert_string_equal(
        run(f->a, "DELETE FROM dbo.BUSINESSEVENTSDEFINITION; SELECT CONVERT(bigint, @@ROWCOUNT)"),
        "done c4 958; [:bigint] 958; done c1 1; ");
    assert_string_equal(run(f->a, "COMMIT TRANSACTION"), "tran 9; done d5; ");
    assert_string_equal(run(f->a, "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"), "");
    assert_string_equal(
        run(f->b, "SELECT COUNT(*) FROM dbo.BUSINESSEVENTSDEFINITION WITH (READCOMMITTEDLOCK)"),
        "[:int] 0; done c1 1; ");
}

static void
test_values_round_trip(void **state)
{
    struct fixture *f = *state;
    (void)run(
        f->a,
        "CREATE TABLE v (i int, n nvarchar(max), c varchar(20), b varbinary(max), d datetime2, f float)");
    (void)run(
        f->a,
        "INSERT v VALUES (1, CONVERT(nvarchar(9),0x3DD8000041005C000A00), CONVERT(varchar(20),0x00FF80), 0x, '2024-02-29T12:34:56.1234567', 3e-308),"
        "(2, N'', '  ', NULL, NULL, 0.1), (3, NULL, '', 0x00, '0001-01-01', -1e300), (4, N'a''b ', N'', 0x0a, '9999-12-31T23:59:59.9999999', 3)");
    assert_string_equal(
        run(f->a,
            "SELECT CONVERT(varbinary(max), n), DATALENGTH(n), CONVERT(varbinary(max), c), b, d, f FROM v ORDER BY i"),
        "[:varbinary,:int,:varbinary,b:varbinary,d:datetime2,f:float] "
        "3dd8000041005c000a00|10|00ff80||45349+452961234567|3e-308; |0|2020|NULL|NULL|0.1; NULL|NULL||00|-693595+0|-1e+300; "
        "6100270062002000|8||0a|2958463+863999999999|3; done c1 4; ");
    assert_string_equal(run(f->a, "SELECT COUNT(*) FROM v WHERE n = N'A''B'"),
                        "[:int] 1; done c1 1; ");
    seed(f, "schema");
    assert_string_equal(
        run(f->a,
            "SELECT C_BIT, C_BIGINT, C_DECIMAL, C_MONEY, C_DATE, C_TIME, C_DATETIMEOFFSET, C_DATETIME, C_CHAR, C_COMPUTED FROM SANDBOX_ALLTYPES WHERE RECID = 1"),
        "[C_BIT:bit,C_BIGINT:bigint,C_DECIMAL:decimal,C_MONEY:money,C_DATE:date,C_TIME:time,C_DATETIMEOFFSET:datetimeoffset,C_DATETIME:datetime,C_CHAR:char,C_COMPUTED:int] "
        "1|9223372036854775807|14143994772844922133/10|9223372036854775807|2958463+0|0+863999999999|45349+650961234567|45349+13589099|abc       |-65536; done c1 1; ");
}

static void
test_replica(void **state)
{
    struct fixture *f = *state;
    (void)run(f->a, "ALTER DATABASE CURRENT SET HADR AVAILABILITY GROUP = ag");
    struct client *c = client_open(f->engine); /* without read intent: the primary */
    assert_non_null(
        strstr(run(c, "SELECT DATABASEPROPERTYEX(DB_NAME(), 'Updateability')"), "READ_WRITE"));
    client_close(c);
    c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->sink = f->a->sink;
    c->sink.ctx = c;
    client_print(c, "%s", "");
    struct login_request r = {
        .user = "sa", .password = "secret", .database = "AxDB", .read_only_intent = true};
    c->session = engine_login(f->engine, &r, &c->sink);
    assert_string_equal(
        run(c,
            "SELECT DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS u, is_read_only, (SELECT COUNT(*) FROM t) FROM sys.databases WHERE name = DB_NAME()"),
        "[u:nvarchar,is_read_only:bit,:int] READ_ONLY|0|2; done c1 1; ");
    (void)run(f->a, "DELETE t");
    assert_string_equal(run(c, "SELECT COUNT(*) FROM t WITH (READCOMMITTEDLOCK)"),
                        "[:int] 2; done c1 1; "); /* it lags */
    (void)run(c, "DELETE t");
    assert_int_equal(c->last_error, 3906);
    client_close(c);
}

static char *
read_batch(const char *name, const char *table)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/../sql/%s.sql", FIXTURES, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    char *raw = calloc(1, 1 << 18), *out = calloc(1, 1 << 18), *p = out;
    assert_non_null(raw);
    assert_non_null(out);
    assert_true(fread(raw, 1, (1 << 18) - 1, in) > 0);
    (void)fclose(in);
    for (const char *r = raw; *r;) {
        const char *with = strncmp(r, "$(table)", 8) == 0              ? table
                           : strncmp(r, "$(columns)", 10) == 0         ? "*"
                           : strncmp(r, "$(lock_timeout_ms)", 18) == 0 ? "5000"
                                                                       : NULL;
        if (!with) {
            *p++ = *r++;
            continue;
        }
        size_t n = strlen(with);
        for (size_t i = 0; i < n; i++)
            *p++ = with[i];
        r = strchr(r, ')') + 1;
    }
    free(raw);
    return out;
}

static const char *
run_batch(struct client *c, const char *name, const char *table)
{
    char *sql = read_batch(name, table);
    const char *text = run(c, sql);
    free(sql);
    if (strstr(text, "error ") || strstr(text, "rs_fault"))
        fail_msg("%s: %s", name, text);
    return text;
}

/* Every batch of dwclean, as it stands in sql/. */
static void
test_batches_of_dwclean(void **state)
{
    struct fixture *f = *state;
    seed(f, "schema");
    seed(f, "scenario-a");
    assert_string_equal(run_batch(f->a, "session", ""), "");
    (void)run_batch(f->a, "prove", "");
    (void)run_batch(f->a, "acquire_exclusion", "");
    const char *evidence = run_batch(f->a, "evidence", "");
    assert_non_null(strstr(evidence, "rs_count"));
    assert_non_null(strstr(evidence, "rs_restore"));
    assert_non_null(strstr(run_batch(f->a, "read_rows", "[BUSINESSEVENTSDEFINITION]"),
                           "rs_total:bigint] 958;"));
    (void)run_batch(f->a, "begin_locked", "");
    assert_non_null(strstr(run_batch(f->b, "blockers", ""), "done c1 1;"));
    assert_non_null(strstr(run_batch(f->a, "delete_all", "[BUSINESSEVENTSDEFINITION]"),
                           "rs_deleted:bigint] 958;"));
    assert_non_null(
        strstr(run_batch(f->a, "count_left", "[BUSINESSEVENTSDEFINITION]"), "rs_left:bigint] 0;"));
    (void)run_batch(f->a, "commit", "");
    (void)run_batch(f->a, "rollback", "");
    (void)run_batch(f->a, "release_exclusion", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_snapshot_reads_do_not_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locks_are_held_to_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadlock, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_wakes_a_waiter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_application_locks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statements_are_atomic, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seeds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clean_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replica, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batches_of_dwclean, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
