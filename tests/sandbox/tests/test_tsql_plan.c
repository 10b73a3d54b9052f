/* Texts that are run again: their trees are kept, and nothing else is. Joins and subqueries that
 * are read in part. */
#include "test.h"
#include "tsql_client.h"
#include "tsql_job.h"

#include <time.h>

struct fixture {
    struct engine *engine;
    struct client *c;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    f->engine = client_engine(NULL, true);
    f->c = client_open(f->engine);
    (void)run(f->c, "SET NOCOUNT ON; CREATE TABLE t (i int NOT NULL PRIMARY KEY, s nvarchar(20)); "
                    "INSERT t VALUES (1,N'a'),(2,N'b'),(3,NULL)");
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

/* Often enough that its tree is kept. */
static const char *
run_often(struct client *c, const char *sql)
{
    (void)run(c, sql);
    (void)run(c, sql);
    return run(c, sql);
}

#define HAS(where, what) assert_non_null(strstr(where, what))
#define LACKS(where, what) assert_null(strstr(where, what))

static void
a_text_that_is_kept_sees_other_rows_and_columns(void **state)
{
    struct fixture *f = *state;
    const char *sql = "SELECT * FROM t WHERE i >= 2; SELECT OBJECT_ID(N'dbo.t') AS id";
    HAS(run_often(f->c, sql), "[i:int,s:nvarchar] 2|b; 3|NULL; ");
    (void)run(f->c, "DELETE t WHERE i = 3; INSERT t VALUES (4, N'd')");
    HAS(run(f->c, sql), "[i:int,s:nvarchar] 2|b; 4|d; ");
    (void)run(f->c, "DROP TABLE t");
    HAS(run(f->c, sql), "error 208");
    HAS(run(f->c, "SELECT OBJECT_ID(N'dbo.t') AS id"), "NULL");
    (void)run(f->c, "CREATE TABLE t (x bigint, i int, y bit); INSERT t VALUES (7, 2, 1)");
    const char *now = run(f->c, sql);
    HAS(now, "[x:bigint,i:int,y:bit] 7|2|1; ");
    LACKS(now, "NULL");
}

static void
a_text_that_is_kept_asks_for_rights_each_time(void **state)
{
    struct fixture *f = *state;
    const char *sql =
        "SELECT COUNT(*) AS n FROM t; SELECT HAS_PERMS_BY_NAME(N'dbo.t', N'OBJECT', N'SELECT') AS may";
    assert_true(engine_add_login(f->engine, "reader", "secret", "select:t"));
    assert_true(engine_add_login(f->engine, "other", "secret", "select:u"));
    struct client *reader = client_login(f->engine, "reader", "secret", true);
    struct client *other = client_login(f->engine, "other", "secret", true);
    HAS(run_often(f->c, sql), "[n:int] 3; ");
    HAS(run(other, sql), "error 229");
    HAS(run(reader, sql), "[n:int] 3; ");
    HAS(run(reader, sql), "[may:int] 1; ");
    HAS(run(other, sql), "error 229");
    client_close(reader);
    client_close(other);
}

static void
what_stands_in_a_text_to_be_executed_is_kept_too(void **state)
{
    struct fixture *f = *state;
    const char *sql =
        "DECLARE @n int; SET @n = 0; WHILE @n < 3 BEGIN SET @n = @n + 1; "
        "EXEC(N'SELECT COUNT(*) AS n FROM t; EXEC(N''SELECT COUNT(*) AS n FROM t'')') END";
    HAS(run_often(f->c, sql), "[n:int] 3; ");
    (void)run(f->c, "DELETE t WHERE i = 1");
    const char *now = run(f->c, sql);
    HAS(now, "[n:int] 2; ");
    LACKS(now, "[n:int] 3; ");
    /* variables are those of the run */
    HAS(run_often(f->c, "DECLARE @a int; SELECT @a AS a; SET @a = 5; SELECT @a AS b"),
        "[a:int] NULL; ");
    HAS(run_often(f->c, "DECLARE @a int = 1; SELECT @a AS a"), "[a:int] 1; ");
}

static void
settings_that_change_the_language_keep_their_own(void **state)
{
    struct fixture *f = *state;
    const char *sql = "SELECT \"i\" AS x FROM t WHERE i = 1";
    HAS(run_often(f->c, sql), "[x:int] 1; ");
    (void)run(f->c, "SET QUOTED_IDENTIFIER OFF");
    HAS(run_often(f->c, sql), "] i; ");
    (void)run(f->c, "SET QUOTED_IDENTIFIER ON");
    HAS(run_often(f->c, sql), "[x:int] 1; ");
    HAS(run_often(f->c, "SELECT 1 AS"), "error 102");
    HAS(run_often(f->c, ""), "");
}

static void
two_sessions_run_one_text_at_once(void **state)
{
    struct fixture *f = *state;
    const char *sql = "SELECT COUNT(*) AS n FROM t WITH (READCOMMITTEDLOCK)";
    struct job jobs[2];
    (void)run_often(f->c, sql);
    (void)run(f->c, "BEGIN TRAN; DELETE t WHERE i = 2");
    for (int i = 0; i < 2; i++)
        job_start(&jobs[i], client_open(f->engine), sql);
    const struct timespec nap = {.tv_nsec = 100000000};
    (void)nanosleep(&nap, NULL);
    (void)run(f->c, "COMMIT");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
        HAS(jobs[i].c->text, "[n:int] 2; ");
        client_close(jobs[i].c);
    }
}

static void
more_texts_than_are_kept_are_all_answered(void **state)
{
    struct fixture *f = *state;
    char sql[64], expected[64];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++) {
            (void)snprintf(sql, sizeof sql, "SELECT %d + i AS x FROM t WHERE i = 1", i);
            (void)snprintf(expected, sizeof expected, "[x:int] %d; ", i + 1);
            HAS(run(f->c, sql), expected);
        }
    }
}

static void
a_row_that_a_join_does_not_find_is_null(void **state)
{
    struct fixture *f = *state;
    (void)run(f->c, "CREATE TABLE one (a int)");
    HAS(run(f->c,
            "SELECT o.name, c.name FROM sys.tables AS o LEFT JOIN sys.columns AS c ON c.object_id = o.object_id "
            "AND c.column_id = 2 ORDER BY o.name"),
        "one|NULL; t|s; ");
    HAS(run(f->c,
            "SELECT o.name, c.name FROM sys.tables AS o LEFT JOIN sys.columns AS c ON c.object_id = o.object_id "
            "AND c.column_id = 2 WHERE c.column_id IS NULL"),
        "] one|NULL; done");
    HAS(run(f->c,
            "SELECT o.name, c.name FROM sys.tables AS o LEFT JOIN sys.columns AS c ON c.object_id = o.object_id "
            "WHERE c.column_id = 2"),
        "] t|s; done");
    HAS(run(f->c,
            "SELECT o.name, c.name FROM sys.tables AS o JOIN sys.columns AS c ON o.object_id = c.object_id "
            "WHERE o.object_id = OBJECT_ID(N'one') OR c.column_id = 2 ORDER BY 1"),
        "] one|a; t|s; done");
    HAS(run(f->c,
            "SELECT COUNT(*) AS n FROM sys.tables AS a CROSS JOIN sys.tables AS b WHERE a.object_id <> b.object_id"),
        "[n:int] 2; ");
    /* what may fail stays where it is */
    HAS(run(f->c,
            "SELECT a.i FROM t AS a JOIN t AS b ON a.i = b.i WHERE a.i = 2 AND 1 / (a.i - 1) = 1"),
        "] 2; ");
}

static void
conditions_before_a_join_drop_what_they_would_behind_it(void **state)
{
    struct fixture *f = *state;
    (void)run(
        f->c,
        "CREATE TABLE u (i int, k int); INSERT u VALUES (1, 10), (2, 20), (2, 21), (NULL, 0), (3, NULL)");
    HAS(run(f->c,
            "SELECT t.i, u.k FROM t JOIN u ON u.i = t.i WHERE t.i IN (2, 3) AND u.k <> 21 ORDER BY u.k"),
        "] 2|20; done");
    HAS(run(f->c,
            "SELECT t.i, u.k FROM t LEFT JOIN u ON u.i = t.i AND u.k > 20 WHERE t.i IN (1, 2) ORDER BY t.i"),
        "] 1|NULL; 2|21; done");
    HAS(run(f->c,
            "SELECT t.i, u.k FROM t LEFT JOIN u ON u.i = t.i WHERE u.k NOT IN (20) ORDER BY u.k"),
        "] 1|10; 2|21; done");
    HAS(run(f->c, "SELECT t.i FROM t LEFT JOIN u ON u.i = t.i WHERE u.k NOT IN (20, NULL)"),
        "[i:int] done");
    HAS(run(f->c,
            "SELECT a.i, b.i, c.i FROM t AS a JOIN t AS b ON b.i = a.i + 1 LEFT JOIN t AS c ON c.i = b.i + 1 "
            "WHERE a.i < 3 ORDER BY a.i"),
        "] 1|2|3; 2|3|NULL; done");
}

static void
a_subquery_for_each_row_reads_the_same_rows_each_time(void **state)
{
    struct fixture *f = *state;
    (void)run(
        f->c,
        "CREATE TABLE u (k nvarchar(10), i int, z int); INSERT u VALUES (N'x', 2, 1), (N'y', 3, NULL)");
    const char *sql =
        "SELECT a.i FROM t AS a WHERE NOT EXISTS (SELECT 1 FROM u AS b WHERE b.i = a.i) ORDER BY a.i";
    HAS(run(f->c, sql), "] 1; done");
    HAS(run(f->c,
            "SELECT a.i, (SELECT MAX(b.k) FROM u AS b WHERE b.i >= a.i) AS m FROM t AS a ORDER BY a.i"),
        "] 1|y; 2|y; 3|y; done");
    HAS(run(f->c,
            "SELECT a.i FROM t AS a WHERE EXISTS (SELECT * FROM u AS b WHERE b.i = a.i AND b.z IS NULL)"),
        "] 3; done");
    /* more than are kept in memory */
    (void)run(
        f->c,
        "DECLARE @n int; SET @n = 0; WHILE @n < 400 BEGIN SET @n = @n + 1; "
        "INSERT u VALUES (N'f', 1000 + @n, @n); INSERT t VALUES (1000 + @n, NULL) END; INSERT u VALUES (N'l', 1, 0)");
    HAS(run(f->c, sql), "[i:int] done");
    HAS(run(f->c,
            "SELECT COUNT(*) AS n FROM t AS a WHERE EXISTS (SELECT 1 FROM u AS b WHERE b.i = a.i AND b.z = a.i - 1000)"),
        "[n:int] 400; ");
    /* a statement that writes what it reads */
    (void)run(f->c, "DELETE t WHERE i > 3; DELETE u WHERE i > 3");
    (void)run(f->c, "UPDATE t SET s = N'same' WHERE EXISTS (SELECT 1 FROM u AS b WHERE b.i = t.i)");
    HAS(run(f->c, "SELECT COUNT(*) AS n FROM t WHERE s = N'SAME  '"), "[n:int] 3; ");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_text_that_is_kept_sees_other_rows_and_columns),
        CASE(a_text_that_is_kept_asks_for_rights_each_time),
        CASE(what_stands_in_a_text_to_be_executed_is_kept_too),
        CASE(settings_that_change_the_language_keep_their_own),
        CASE(two_sessions_run_one_text_at_once),
        CASE(more_texts_than_are_kept_are_all_answered),
        CASE(a_row_that_a_join_does_not_find_is_null),
        CASE(conditions_before_a_join_drop_what_they_would_behind_it),
        CASE(a_subquery_for_each_row_reads_the_same_rows_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
