/* The T-SQL engine: language, types, errors, catalog. */
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
    if (!f)
        return -1;
    f->engine = client_engine(NULL, true);
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

struct example {
    const char *sql, *want;
};

static void
check_all(void **state, const struct example *e, size_t count)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(run(f->c, e[i].sql), e[i].want);
}
#define CHECK(state, list) check_all(state, list, sizeof(list) / sizeof((list)[0]))

static void
test_expressions(void **state)
{
    static const struct example e[] = {
        {"SELECT 1 + 2 * 3, -7 / 2, 7 % -4, 1.0 / 3",
         "[:int,:int,:int,:decimal] 7|-3|3|333333/6; done c1 1; "},
        {"SELECT CONVERT(varbinary(4), 258), CONVERT(varchar(10), 0x616263), CONVERT(varbinary(8), '0x0aFF', 1)",
         "[:varbinary,:varchar,:varbinary] 00000102|abc|0aff; done c1 1; "},
        {"SELECT CONVERT(nvarchar(4), 0x41003DD80000), DATALENGTH(N'a'), DATALENGTH('a'), LEN(N'ab  ')",
         "[:nvarchar,:int,:int,:int] A<d83d><0>|2|1|2; done c1 1; "},
        {"SELECT CASE WHEN N'ABC ' = N'abc' THEN 1 ELSE 0 END, CASE WHEN NULL = NULL THEN 1 END, IIF(1 > 2, 'a', 'bc')",
         "[:int,:int,:varchar] 1|NULL|bc; done c1 1; "},
        {"SELECT CONVERT(datetime2(3), '2024-02-29T12:34:56.1235'), CAST('2024-02-29T12:34:56.997' AS datetime)",
         "[:datetime2,:datetime] 45349+452961240000|45349+13589099; done c1 1; "},
        {"SELECT CONVERT(nvarchar(40), CONVERT(datetime2(7), '2024-02-29 12:34:56.1234567'), 126), CONVERT(varchar(8), CONVERT(date, '20240229'), 112)",
         "[:nvarchar,:varchar] 2024-02-29T12:34:56.1234567|20240229; done c1 1; "},
        {"SELECT REPLACE('aXbx', 'x', '--'), STUFF(N'abcdef', 2, 3, N'Z'), QUOTENAME('a]b'), REVERSE('abc'), CHARINDEX('b', 'abc')",
         "[:varchar,:nvarchar,:nvarchar,:varchar,:int] a--b--|aZef|[a]]b]|cba|2; done c1 1; "},
        {"SELECT COALESCE(NULL, 2, 3), ISNULL(NULL, 'x'), NULLIF(1, 1), TRY_CONVERT(int, 'z')",
         "[:int,:varchar,:int,:int] 2|x|NULL|NULL; done c1 1; "},
        {"SELECT DATEDIFF(day, '2024-01-01', '2024-03-01'), DATEPART(year, '2024-05-06'), DATEADD(month, 1, CONVERT(date, '2024-01-31'))",
         "[:int,:int,:date] 60|2024|45349+0; done c1 1; "},
        {"SELECT 1 WHERE N'contoso.dynamics' LIKE N'%[.]dyn_mics' AND 'a%b' LIKE 'a!%b' ESCAPE '!' AND 'x' NOT LIKE '[a-c]'",
         "[:int] 1; done c1 1; "},
        {"SELECT CAST(1 AS decimal(38,0)) * 12345678901234567890, CAST(0.1 AS float) + CAST(0.2 AS float)",
         "[:decimal,:float] 12345678901234567890/0|0.3; done c1 1; "},
        {"SELECT 'a\\\nb', N'it''s', [x] = 1, \"y\" = 2, 0x, 1 AS 'z'",
         "[:varchar,:nvarchar,x:int,y:int,:varbinary,z:int] ab|it's|1|2||1; done c1 1; "},
        {"SELECT CONVERT(uniqueidentifier, '6F9619FF-8B86-D011-B42D-00C04FC964FF'), CONVERT(varchar(36), CONVERT(uniqueidentifier, 0xFF19966F868B11D0B42D00C04FC964FF))",
         "[:guid,:varchar] ff19966f868b11d0b42d00c04fc964ff|6F9619FF-8B86-D011-B42D-00C04FC964FF; done c1 1; "},
    };
    CHECK(state, e);
}

static void
test_errors(void **state)
{
    static const struct example e[] = {
        {"SELECT 1 SELEC 2", "error 102 15 line 1: Incorrect syntax near '2'.; done 0 failed; "},
        {"SELECT 1\nSELECT FROM x",
         "error 156 15 line 2: Incorrect syntax near the keyword 'FROM'.; done 0 failed; "},
        {"GO 5 x", "error 102 15 line 1: Incorrect syntax near 'GO'.; done 0 failed; "},
        {"SELECT 'abc",
         "error 105 15 line 1: Unclosed quotation mark after the character string 'abc'.; done 0 failed; "},
        {"PRINT 'before' SELECT * FROM missing PRINT 'after'",
         "info 0: before; error 208 16 line 1: Invalid object name 'missing'.; done c1 failed; "},
        {"SELECT nope(1)",
         "error 195 15 line 1: 'nope' is not a recognized built-in function name.; done c1 failed; "},
        {"SELECT CONVERT(int, 'x1')",
         "[:int] error 245 16 line 1: Conversion failed when converting the varchar value 'x1' to data type int.; done c1 failed; "},
        {"SELECT 1/0 SELECT 2",
         "[:int] error 8134 16 line 1: Divide by zero error encountered.; done c1 failed; [:int] 2; done c1 1; "},
        {"SELECT 2147483647 + 1",
         "[:int] error 8115 16 line 1: Arithmetic overflow error converting expression to data type int.; done c1 failed; "},
        {"SELECT @x",
         "error 137 15 line 1: Must declare the scalar variable \"@x\".; done c1 failed; "},
        {"EXEC dbo.nothing_here",
         "error 2812 16 line 1: Could not find stored procedure 'dbo.nothing_here'.; done 0 failed; "},
        {"COMMIT",
         "error 3902 16 line 1: The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.; done d5 failed; "},
        {"ROLLBACK TRAN",
         "error 3903 16 line 1: The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.; done d2 failed; "},
        {"SET NONSENSE ON",
         "error 195 15 line 1: 'NONSENSE' is not a recognized SET option.; done 0 failed; "},
        {"USE other",
         "error 911 16 line 1: Database 'other' does not exist. Make sure that the name is entered correctly.; done 0 failed; "},
        {"THROW 51000, N'guard', 3 SELECT 1", "error 51000 16 line 1: guard; done 0 failed; "},
        {"RAISERROR('%d of %s', 16, 1, 5, N'x') SELECT 1",
         "error 50000 16 line 1: 5 of x; done 0 failed; [:int] 1; done c1 1; "},
        {"BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT ERROR_NUMBER() AS n, ERROR_SEVERITY() s, ERROR_LINE() l END CATCH",
         "[:int] [n:int,s:int,l:int] 8134|16|1; done c1 1; "},
        {"BEGIN TRY EXEC(N'SELECT * FROM missing') END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH",
         "[:int] 208; done c1 1; "},
        {"BEGIN TRY SELECT * FROM missing END TRY BEGIN CATCH SELECT 1 END CATCH",
         "error 208 16 line 1: Invalid object name 'missing'.; done c1 failed; "},
        {"BEGIN TRY THROW 51000, 'a', 1 END TRY BEGIN CATCH THROW END CATCH",
         "error 51000 16 line 1: a; done 0 failed; "},
    };
    CHECK(state, e);
}

static void
test_tables(void **state)
{
    static const struct example e[] = {
        {"CREATE TABLE t (id int IDENTITY(10,5) PRIMARY KEY, a nvarchar(5) NOT NULL DEFAULT N'd', b AS (id * 2), v rowversion, CONSTRAINT u UNIQUE (a))",
         "done 0; "},
        {"INSERT INTO t (a) VALUES (N'x'), (N'y'); SELECT id, a, b, v FROM dbo.t ORDER BY 1 DESC; SELECT SCOPE_IDENTITY()",
         "done c3 2; [id:int,a:nvarchar,b:int,v:rowversion] 15|y|30|00000000000007d2; 10|x|20|00000000000007d1; done c1 2; [:decimal] 15/0; done c1 1; "},
        {"INSERT INTO t (a) VALUES (N'X ')",
         "error 2627 14 line 1: Violation of UNIQUE KEY constraint 'u'. Cannot insert duplicate key in object 'dbo.t'. The duplicate key value is (X ).; done c3 failed; "},
        {"INSERT INTO t (a) VALUES (N'z'), (N'toolong')",
         "error 8152 16 line 1: String or binary data would be truncated.; done c3 failed; "},
        {"INSERT INTO t (a) VALUES (NULL)",
         "error 515 16 line 1: Cannot insert the value NULL into column 'a', table 'AxDB.dbo.t'; column does not allow nulls. INSERT fails.; done c3 failed; "},
        {"INSERT INTO t (id, a) VALUES (1, N'q')",
         "error 544 16 line 1: Cannot insert explicit value for identity column in table 't' when IDENTITY_INSERT is set to OFF.; done c3 failed; "},
        {"SET IDENTITY_INSERT t ON; INSERT INTO t (id, a) VALUES (100, N'q'); SET IDENTITY_INSERT t OFF; INSERT INTO t DEFAULT VALUES; SELECT id, a FROM t",
         "done c3 1; done c3 1; [id:int,a:nvarchar] 10|x; 15|y; 100|q; 105|d; done c1 4; "},
        {"UPDATE t SET a = CASE a WHEN N'x' THEN N'y' ELSE N'x' END WHERE id < 20; SELECT a FROM t WHERE id < 20",
         "done c5 2; [a:nvarchar] y; x; done c1 2; "},
        {"DELETE TOP (1) FROM t OUTPUT DELETED.a WHERE id < 20", "[a:nvarchar] y; done c4 1; "},
        {"DELETE FROM t; SELECT CONVERT(bigint, @@ROWCOUNT) AS n",
         "done c4 3; [n:bigint] 3; done c1 1; "},
        {"CREATE TABLE t (a int)",
         "error 2714 16 line 1: There is already an object named 't' in the database.; done 0 failed; "},
        {"CREATE TABLE #x (a int); INSERT #x VALUES (1); SELECT a INTO #y FROM #x; SELECT a + 1 FROM #y; DROP TABLE #x, #y; SELECT * FROM #x",
         "done 0; done c3 1; done c1 1; [:int] 2; done c1 1; done 0; error 208 16 line 1: Invalid object name '#x'.; done c1 failed; "},
        {"CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE k (a int CONSTRAINT fk REFERENCES p(a), CONSTRAINT ck CHECK (a < 9)); INSERT p VALUES (1); INSERT k VALUES (1)",
         "done 0; done 0; done c3 1; done c3 1; "},
        {"INSERT k VALUES (2)",
         "error 547 16 line 1: The INSERT statement conflicted with the FOREIGN KEY constraint \"fk\". The conflict occurred in database \"AxDB\", table \"dbo.p\".; done c3 failed; "},
        {"INSERT k VALUES (9)",
         "error 547 16 line 1: The INSERT statement conflicted with the CHECK constraint \"ck\". The conflict occurred in database \"AxDB\", table \"dbo.k\".; done c3 failed; "},
        {"DELETE p",
         "error 547 16 line 1: The DELETE statement conflicted with the REFERENCE constraint \"fk\". The conflict occurred in database \"AxDB\", table \"dbo.k\".; done c4 failed; "},
        {"SELECT name FROM sys.foreign_keys WHERE parent_object_id = OBJECT_ID(N'dbo.k', N'U')",
         "[name:nvarchar] fk; done c1 1; "},
        {"CREATE TRIGGER tr ON p AFTER DELETE AS SELECT 1", "done 0; "},
        {"SELECT name, is_disabled FROM sys.triggers WHERE parent_id = OBJECT_ID('p')",
         "[name:nvarchar,is_disabled:bit] tr|0; done c1 1; "},
        {"DELETE p OUTPUT deleted.a",
         "error 334 16 line 1: The target table 'p' of the DML statement cannot have any enabled triggers if the statement contains an OUTPUT clause without INTO clause.; done c4 failed; "},
    };
    CHECK(state, e);
}

static void
test_queries(void **state)
{
    static const struct example e[] = {
        {"CREATE TABLE a (i int, s varchar(10)); INSERT a VALUES (1,'x'),(2,'y'),(2,'z'),(NULL,NULL); CREATE TABLE b (i int); INSERT b VALUES (2),(3)",
         "done 0; done c3 4; done 0; done c3 2; "},
        {"SELECT a.s, b.i FROM a LEFT JOIN b ON b.i = a.i ORDER BY a.s",
         "[s:varchar,i:int] NULL|NULL; x|NULL; y|2; z|2; done c1 4; "},
        {"SELECT i, COUNT(*) n, COUNT(s), COUNT(DISTINCT i) FROM a GROUP BY i HAVING COUNT(*) > 0 ORDER BY n DESC, i",
         "[i:int,n:int,:int,:int] 2|2|2|1; NULL|1|0|0; 1|1|1|1; done c1 3; "},
        {"SELECT i FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.i = a.i) UNION ALL SELECT 9 ORDER BY i DESC",
         "[i:int] 9; 2; 2; done c1 3; "},
        {"SELECT DISTINCT i FROM a WHERE i IN (SELECT i FROM b) OR i NOT IN (2, 3)",
         "[i:int] 1; 2; done c1 2; "},
        {"SELECT TOP (2) s FROM a ORDER BY s DESC; SELECT s FROM a ORDER BY s OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY",
         "[s:varchar] z; y; done c1 2; [s:varchar] x; done c1 1; "},
        {"SELECT x.n, (SELECT MAX(i) FROM a) FROM (SELECT COUNT_BIG(*) AS n FROM a) x CROSS JOIN b",
         "[n:bigint,:int] 4|2; 4|2; done c1 2; "},
        {"SELECT i FROM a, b", "error 209 16 line 1: Ambiguous column name 'i'.; done c1 failed; "},
        {"SELECT z.i FROM a",
         "error 4104 16 line 1: The multi-part identifier \"z.i\" could not be bound.; done c1 failed; "},
        {"SELECT s FROM a GROUP BY i",
         "error 8120 16 line 1: Column 's' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.; done c1 failed; "},
        {"DECLARE @n int, @s varchar(3) = 'abcdef'; SELECT @n = i FROM a WHERE s = 'x'; SELECT @n, @s, @@ROWCOUNT",
         "done c1 1; [:int,:varchar,:int] 1|abc|1; done c1 1; "},
        {"DECLARE @i int = 0; WHILE 1 = 1 BEGIN SET @i += 1; IF @i = 2 CONTINUE; IF @i > 3 BREAK; PRINT @i END",
         "info 0: 1; info 0: 3; "},
        {"DECLARE @o nvarchar(9); EXEC sp_executesql N'SET @o = @i + N''!''', N'@i nvarchar(9), @o nvarchar(9) OUTPUT', @i = N'hi', @o = @o OUTPUT; SELECT @o",
         "status 0; doneproc 0; [:nvarchar] hi!; done c1 1; "},
        {"SET FMTONLY ON SELECT * FROM a SET FMTONLY OFF", "[i:int,s:varchar] done c1 0; "},
    };
    CHECK(state, e);
}

static void
test_catalog(void **state)
{
    static const struct example e[] = {
        {"CREATE TABLE t (a nvarchar(20) NOT NULL, b decimal(9,2), c varbinary(max), v rowversion, CONSTRAINT pk PRIMARY KEY (a)); INSERT t (a) VALUES (N'1')",
         "done 0; done c3 1; "},
        {"SELECT c.name, y.name, c.system_type_id, c.max_length, c.precision, c.scale, c.is_nullable FROM sys.columns c JOIN sys.types y ON y.user_type_id = c.user_type_id WHERE c.object_id = OBJECT_ID(N'dbo.t', N'U') ORDER BY c.column_id",
         "[name:nvarchar,name:nvarchar,system_type_id:tinyint,max_length:smallint,precision:tinyint,scale:tinyint,is_nullable:bit] "
         "a|nvarchar|231|40|0|0|0; b|decimal|106|5|9|2|1; c|varbinary|165|-1|0|0|1; v|timestamp|189|8|0|0|0; done c1 4; "},
        {"SELECT i.name, i.is_primary_key, i.is_unique, col.name FROM sys.indexes i JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id JOIN sys.columns col ON col.object_id = ic.object_id AND col.column_id = ic.column_id WHERE i.object_id = OBJECT_ID('t')",
         "[name:nvarchar,is_primary_key:bit,is_unique:bit,name:nvarchar] pk|1|1|a; done c1 1; "},
        {"SELECT CONVERT(bigint, SUM(p.rows)) FROM sys.partitions p WHERE p.object_id = OBJECT_ID(N'dbo.t') AND p.index_id IN (0, 1)",
         "[:bigint] 1; done c1 1; "},
        {"IF OBJECT_ID(N'dbo.nope', N'U') IS NOT NULL SELECT 1 ELSE SELECT 2",
         "[:int] 2; done c1 1; "},
        {"SELECT name, is_read_only, state_desc, user_access_desc FROM sys.databases WHERE name = DB_NAME()",
         "[name:nvarchar,is_read_only:bit,state_desc:nvarchar,user_access_desc:nvarchar] AxDB|0|ONLINE|MULTI_USER; done c1 1; "},
        {"ALTER DATABASE CURRENT SET READ_ONLY; SELECT DATABASEPROPERTYEX(DB_NAME(), 'Updateability')",
         "done 0; [:nvarchar] READ_ONLY; done c1 1; "},
        {"DELETE FROM t",
         "error 3906 16 line 1: Failed to update database \"AxDB\" because the database is read-only.; done c4 failed; "},
        {"ALTER DATABASE CURRENT SET READ_WRITE; DELETE t", "done 0; done c4 1; "},
        {"SELECT HAS_PERMS_BY_NAME(N'dbo.t', N'OBJECT', N'DELETE'), HAS_PERMS_BY_NAME(N'dbo.nope', N'OBJECT', N'DELETE'), HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE')",
         "[:int,:int,:int] 1|NULL|1; done c1 1; "},
    };
    CHECK(state, e);
}

static void
test_row_level_security(void **state)
{
    static const struct example e[] = {
        {"CREATE TABLE t (a int); INSERT t VALUES (1),(2),(3)", "done 0; done c3 3; "},
        {"CREATE FUNCTION dbo.f(@a int) RETURNS TABLE WITH SCHEMABINDING AS RETURN SELECT 1 AS ok WHERE @a > 2",
         "done 0; "},
        {"CREATE SECURITY POLICY dbo.p ADD FILTER PREDICATE dbo.f(a) ON dbo.t WITH (STATE = ON)",
         "done 0; "},
        {"SELECT a FROM t; SELECT SUM(rows) FROM sys.partitions WHERE object_id = OBJECT_ID('t'); DELETE t",
         "[a:int] 3; done c1 1; [:bigint] 3; done c1 1; done c4 1; "},
        {"SELECT p.name, COUNT(*) FROM sys.security_policies p JOIN sys.security_predicates d ON d.object_id = p.object_id GROUP BY p.name",
         "[name:nvarchar,:int] p|1; done c1 1; "},
    };
    CHECK(state, e);
}

static void
test_rights(void **state)
{
    struct fixture *f = *state;
    (void)run(f->c, "CREATE TABLE t (a int); CREATE TABLE o (a int); INSERT t VALUES (1)");
    assert_true(engine_add_login(f->engine, "low", "x", "select:t"));
    struct client *c = client_login(f->engine, "low", "x", false);
    assert_non_null(c->session);
    assert_string_equal(run(c, "SELECT a FROM t"), "[a:int] 1; done c1 1; ");
    assert_string_equal(
        run(c, "SELECT a FROM o"),
        "error 229 14 line 1: The SELECT permission was denied on the object 'o', database 'AxDB', schema 'dbo'.; done c1 failed; ");
    assert_string_equal(
        run(c, "DELETE t"),
        "error 229 14 line 1: The DELETE permission was denied on the object 't', database 'AxDB', schema 'dbo'.; done c4 failed; ");
    assert_string_equal(
        run(c,
            "SELECT COUNT(*) FROM sys.tables; SELECT COUNT(*) FROM sys.triggers; SELECT COUNT(*) FROM sys.dm_exec_sessions"),
        "[:int] 1; done c1 1; [:int] 0; done c1 1; [:int] 1; done c1 1; ");
    assert_string_equal(
        run(c,
            "SELECT HAS_PERMS_BY_NAME('t', 'OBJECT', 'SELECT'), HAS_PERMS_BY_NAME('t', 'OBJECT', 'DELETE'), HAS_PERMS_BY_NAME('o', 'OBJECT', 'SELECT')"),
        "[:int,:int,:int] 1|0|NULL; done c1 1; ");
    (void)run(c, "SELECT * FROM msdb.dbo.restorehistory");
    assert_int_equal(c->last_error, 229);
    client_close(c);
    c = client_login(f->engine, "low", "wrong", false);
    assert_null(c->session);
    assert_int_equal(c->last_error, 18456);
    client_close(c);
}

static void
test_settings(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_login(f->engine, "sa", "secret", false);
    assert_string_equal(run(c, "SELECT @@OPTIONS, @@TEXTSIZE, @@LOCK_TIMEOUT"),
                        "[:int,:int,:int] 0|4096|-1; done c1 1; ");
    (void)run(c, "SELECT CONVERT(varbinary(max), REPLICATE(CONVERT(nvarchar(max), N'x'), 5000))");
    assert_int_equal(c->first_bytes, 4096);
    assert_string_equal(
        run(c,
            "SET QUOTED_IDENTIFIER ON; SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON;\n"
            "SET CONCAT_NULL_YIELDS_NULL ON; SET ARITHABORT ON; SET NUMERIC_ROUNDABORT OFF;\n"
            "SET XACT_ABORT ON; SET IMPLICIT_TRANSACTIONS OFF; SET NOCOUNT ON;\n"
            "SET TEXTSIZE 2147483647; SET LOCK_TIMEOUT 5000; SET DEADLOCK_PRIORITY LOW;\n"
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET ROWCOUNT 0; SET LANGUAGE us_english;\n"
            "SET DATEFORMAT ymd;"),
        "");
    assert_string_equal(
        run(c,
            "SELECT @@OPTIONS & 29562, @@TEXTSIZE, @@LOCK_TIMEOUT, @@TRANCOUNT, DATALENGTH(N'a');"),
        "[:int,:int,:int,:int,:int] 21368|2147483647|5000|0|2; done c1 1; ");
    (void)run(c, "SELECT CONVERT(varbinary(max), REPLICATE(CONVERT(nvarchar(max), N'x'), 5000))");
    assert_int_equal(c->first_bytes, 10000);
    session_reset(c->session, &c->sink);
    assert_string_equal(run(c, "SELECT @@OPTIONS"), "[:int] 0; done c1 1; ");
    client_close(c);
}

static void
test_remote_calls(void **state)
{
    struct fixture *f = *state;
    static const unsigned char sql[] =
        "S\0E\0T\0 \0@\0b\0=\0@\0a\0+\0001\0;\0S\0E\0L\0E\0C\0T\0 \0@\0b\0";
    static const unsigned char declared[] =
        "@\0a\0 \0i\0n\0t\0,\0@\0b\0 \0i\0n\0t\0 \0o\0u\0t\0p\0u\0t\0";
    struct sql_parameter p[2] = {
        {.column = {.type = {.type = SQL_INT, .max_bytes = 4}}, .value = {.integer = 41}},
        {.column = {.type = {.type = SQL_INT, .max_bytes = 4}},
         .value = {.is_null = true},
         .output = true}};
    f->c->length = 0;
    session_execute(f->c->session, sql, sizeof sql - 1, declared, sizeof declared - 1, p, 2,
                    &f->c->sink);
    assert_string_equal(f->c->text,
                        "[:int] 42; doneinproc c1 1; status 0; output 1=42; doneproc 0; ");
    f->c->length = 0;
    session_call(f->c->session, "sp_unknown", NULL, 0, &f->c->sink);
    assert_non_null(strstr(f->c->text, "error 2812"));
    f->c->length = 0;
    session_transaction(f->c->session, 5, &f->c->sink);
    session_transaction(f->c->session, 8, &f->c->sink);
    assert_string_equal(f->c->text, "tran 8; done d4; tran 10; done d2; ");
}

static void
test_bulk(void **state)
{
    struct fixture *f = *state;
    static const uint16_t name[] = {'b'};
    struct sql_column columns[2] = {
        {.type = {.type = SQL_INT, .max_bytes = 4}},
        {.name = name, .name_units = 1, .type = {.type = SQL_NVARCHAR, .max_bytes = 20}}};
    struct sql_value row[2] = {{.integer = 7},
                               {.bytes = (const unsigned char *)"x\0", .length = 2}};
    (void)run(f->c, "CREATE TABLE t (a int PRIMARY KEY, b nvarchar(10))");
    assert_string_equal(
        run(f->c,
            "insert bulk t ([a] int, [b] nvarchar(10) COLLATE X) with (TABLOCK, CHECK_CONSTRAINTS)"),
        "done 0; ");
    assert_true(session_bulk_expected(f->c->session));
    f->c->length = 0;
    assert_true(session_bulk_begin(f->c->session, columns, 2, &f->c->sink));
    assert_true(session_bulk_row(f->c->session, row, 2, &f->c->sink));
    row[0].integer = 8;
    row[1].length = 0;
    assert_true(session_bulk_row(f->c->session, row, 2, &f->c->sink));
    session_bulk_end(f->c->session, true, &f->c->sink);
    assert_string_equal(f->c->text, "done c3 2; ");
    assert_false(session_bulk_expected(f->c->session));
    assert_string_equal(run(f->c, "SELECT a, b, DATALENGTH(b) FROM t"),
                        "[a:int,b:nvarchar,:int] 7|x|2; 8||0; done c1 2; ");
}

static void
test_code_pages(void **state)
{
    static const struct example e[] = {
        {"CREATE TABLE t (id int PRIMARY KEY, l varchar(9) NULL, c varchar(9) COLLATE "
         "Cyrillic_General_CI_AS NULL, u varchar(9) COLLATE Latin1_General_100_CI_AS_SC_UTF8 NULL)",
         "done 0; "},
        /* bytes are taken over, text is translated, from the database's code page too */
        {"INSERT INTO t VALUES (1, 0xE9, 0xCFF0, 0xC3A9); INSERT INTO t VALUES (2, NCHAR(1046), "
         "NCHAR(1046), NCHAR(1046)); INSERT INTO t VALUES (3, CONVERT(varchar(1), 0xE9), "
         "CONVERT(varchar(1), 0xE9), CONVERT(varchar(1), 0xE9))",
         "done c3 1; done c3 1; done c3 1; "},
        {"SELECT CONVERT(varbinary(9), l), CONVERT(varbinary(9), c), CONVERT(varbinary(9), u) FROM t "
         "ORDER BY id",
         "[:varbinary,:varbinary,:varbinary] e9|cff0|c3a9; 3f|c6|d096; e9|3f|c3a9; done c1 3; "},
        {"SELECT CONVERT(nvarchar(9), c) FROM t WHERE id = 1",
         "[:nvarchar] <41f><440>; done c1 1; "},
        {"SELECT CONVERT(int, COUNT(*)) FROM sys.columns WHERE object_id = OBJECT_ID(N't') AND "
         "collation_name = N'Cyrillic_General_CI_AS'",
         "[:int] 1; done c1 1; "},
        {"INSERT INTO t (id, u) VALUES (4, REPLICATE(NCHAR(1046), 5))",
         "error 8152 16 line 1: String or binary data would be truncated.; done c3 failed; "},
        {"CREATE TABLE x (a varchar(9) COLLATE Klingon_CI_AS)",
         "error 448 16 line 1: Invalid collation 'Klingon_CI_AS'.; done 0 failed; "},
    };
    CHECK(state, e);
}

static void
test_floating_point_ends(void **state)
{
    static const struct example e[] = {
        {"SELECT CONVERT(varbinary(8), 4.9406564584124654e-324), CONVERT(varbinary(8), "
         "(1e0*2.2227587494850775e-162*2.2227587494850775e-162)), CONVERT(varbinary(8), (0e0*-1e0))",
         "[:varbinary,:varbinary,:varbinary] 0000000000000000|0000000000000001|8000000000000000; "
         "done c1 1; "},
        {"SELECT CONVERT(varbinary(8), CONVERT(float, CONVERT(real, 1e-40)))",
         "[:varbinary] 0000000000000000; done c1 1; "},
        {"SELECT CONVERT(varbinary(8), CONVERT(float, CONVERT(real, 3.4028234663852886e+38)))",
         "[:varbinary] 47efffffe0000000; done c1 1; "},
    };
    struct fixture *f = *state;
    CHECK(state, e);
    assert_non_null(strstr(run(f->c, "SELECT 1e309"), "error 168 "));
    assert_non_null(strstr(run(f->c, "SELECT CONVERT(real, 3.4028235e38)"), "error 8115 "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_expressions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_catalog, setup, teardown),
        cmocka_unit_test_setup_teardown(test_row_level_security, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remote_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bulk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_code_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_floating_point_ends, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
