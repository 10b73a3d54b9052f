/** The undo script as text. That it runs is shown by contract tests. */
#include "base/text.h"
#include "mssql/mssql.h"
#include "test.h"

#include <string.h>

static const struct column columns[] = {
    {.name = "PROJECTNAME", .type_name = "nvarchar", .max_length = 200},
    {.name = "QUERYFILTEREXPRESSION", .type_name = "nvarchar", .max_length = -1, .nullable = true},
    {.name = "ServiceBusConnectionString", .type_name = "nvarchar", .max_length = -1},
    {.name = "OLDSECRET", .type_name = "int", .max_length = 4, .computed = true},
    {.name = "CODE", .type_name = "varchar", .max_length = 10},
    {.name = "PARTITION", .type_name = "bigint", .max_length = 8},
    {.name = "RECID", .type_name = "bigint", .max_length = 8, .identity = true},
    {.name = "SYSROWVERSION", .type_name = "timestamp", .max_length = 8, .generated = true},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };
static const struct schema schema = {.table = TABLE_PROJECT, .columns = columns, .count = COLUMNS};

#define BYTES(literal)                                                                             \
    {                                                                                              \
        .bytes = {(const unsigned char *)(literal), sizeof(literal) - 1 }                          \
    }
static const struct field fields[COLUMNS] = {
    BYTES("P\0'\0"), {.is_null = true}, BYTES("\n\0"), BYTES("4"),
    BYTES("\xCF"),   BYTES("5"),        BYTES("-7"),   BYTES("0000000000000001")};

static const struct undo_script_head plain_head = {
    .run_id = "20261122T000000Z-uat-0000",
    .server = "sql01.contoso.com,1433",
    .database = "AxDB",
    .manifest = "0123",
    .program = "dwclean/0.1.0",
    .rows = {[TABLE_PROJECT] = 1},
};

static bool
append(void *ctx, const char *bytes, size_t size, struct err *err)
{
    (void)err;
    text_append_bytes(ctx, bytes, size);
    return true;
}

static void
write_script(const struct undo_script_head *head, struct text *ret)
{
    const struct undo_script_out out = {.ctx = ret, .write = append};
    const struct row row = {
        .id = {.table = TABLE_PROJECT, .key = "5:-7"}, .fields = fields, .count = COLUMNS};
    struct undo_script *script = NULL;
    struct err err = {0};

    assert_true(mssql_undo_script_new(&out, &script, &err));
    assert_true(script->begin(script, head, &err));
    assert_true(script->begin_table(script, &schema, &err));
    assert_true(script->row(script, &row, &err));
    assert_true(script->end_table(script, &err));
    assert_true(script->end(script, &err));
    mssql_undo_script_free(script);
}

static void
contains(const struct text *text, const char *part)
{
    if (strstr(text_string(text), part) == NULL)
        fail_msg("\"%s\" is not in\n%s", part, text_string(text));
}

static void
it_says_what_it_is_and_what_it_brings_back(void **state)
{
    TEXT_SCOPED text = {0};

    (void)state;
    write_script(&plain_head, &text);
    assert_memory_equal(text_string(&text), "-- UNDO SCRIPT", 14);
    contains(&text, "20261122T000000Z-uat-0000\n");
    contains(&text, "sql01.contoso.com,1433\n");
    contains(&text, "dbo.DUALWRITEPROJECTCONFIGURATION 1\n");
    contains(&text, "THIS BRINGS THE STALE LINK BACK");
    contains(&text, "ROW CONTENTS IN CLEAR");
    contains(&text, "-- These columns look like secrets: QUERYFILTEREXPRESSION, "
                    "ServiceBusConnectionString\n");
}

static void
rows_are_written_with_their_insertable_columns(void **state)
{
    TEXT_SCOPED text = {0};

    (void)state;
    write_script(&plain_head, &text);
    contains(&text, "SET IDENTITY_INSERT dbo.[DUALWRITEPROJECTCONFIGURATION] ON;\n"
                    "SET @identity = 2;\n"
                    "INSERT INTO dbo.[DUALWRITEPROJECTCONFIGURATION] ([PROJECTNAME], "
                    "[QUERYFILTEREXPRESSION], [ServiceBusConnectionString], [CODE], [PARTITION], "
                    "[RECID]) VALUES (N'P''', NULL, CONVERT(nvarchar(1),0x0a00), 0xcf, 5, -7);\n");
    contains(&text, "IF NOT EXISTS (SELECT 1 FROM dbo.[DUALWRITEPROJECTCONFIGURATION] WHERE "
                    "[PARTITION] = 5 AND [RECID] = -7 AND CONVERT(varbinary(max), [CODE]) = 0xcf");
    contains(&text, "\nSET IDENTITY_INSERT dbo.[DUALWRITEPROJECTCONFIGURATION] OFF;\n"
                    "SET @identity = 0;\n"
                    "SELECT @rows");
}

static void
identity_insert_is_switched_off_after_a_fault_only_where_it_is_on(void **state)
{
    TEXT_SCOPED text = {0};

    (void)state;
    write_script(&plain_head, &text);
    contains(&text, "BEGIN CATCH\n"
                    "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\n"
                    "IF @identity = 2 SET IDENTITY_INSERT "
                    "dbo.[DUALWRITEPROJECTCONFIGURATION] OFF;\n"
                    "THROW;\n");
}

/** The table must be what the rows were read from, before the first of them is written. */
static void
every_inserted_column_is_checked_before_the_first_row(void **state)
{
    TEXT_SCOPED text = {0};
    const char *all, *table, *column, *insert;

    (void)state;
    write_script(&plain_head, &text);
    all = text_string(&text);
    contains(&text, "IF OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') IS NULL THROW 51000, "
                    "N'dwclean: dbo.DUALWRITEPROJECTCONFIGURATION is not a table.");
    contains(
        &text,
        "IF NOT EXISTS (SELECT 1 FROM sys.columns AS c WHERE c.object_id = "
        "OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') AND c.name = N'PROJECTNAME' AND "
        "TYPE_NAME(c.system_type_id) = N'nvarchar' AND c.max_length = 200 AND c.precision = 0 "
        "AND c.scale = 0 AND c.is_identity = 0 AND c.is_computed = 0) THROW 51000, N'dwclean: "
        "column PROJECTNAME of dbo.DUALWRITEPROJECTCONFIGURATION is not what it was (nvarchar, "
        "length 200, precision 0, scale 0). Nothing was changed.', 1;\n");
    contains(&text,
             "c.name = N'RECID' AND TYPE_NAME(c.system_type_id) = N'bigint' AND c.max_length "
             "= 8 AND c.precision = 0 AND c.scale = 0 AND c.is_identity = 1 AND");
    assert_null(strstr(all, "c.name = N'OLDSECRET'")); /* not inserted */
    assert_null(strstr(all, "c.name = N'SYSROWVERSION'"));
    table = strstr(all, "is not a table");
    column = strstr(all, "c.name = N'RECID'");
    insert = strstr(all, "\nINSERT INTO");
    assert_true(strstr(all, "WITH (TABLOCKX, HOLDLOCK)") < table);
    assert_true(table < column && column < insert);
}

static void
triggers_are_looked_for_before_the_first_row_and_the_way_on_is_told(void **state)
{
    TEXT_SCOPED text = {0};
    const char *all, *right, *trigger;

    (void)state;
    write_script(&plain_head, &text);
    all = text_string(&text);
    right = strstr(all, "IF ISNULL(HAS_PERMS_BY_NAME(N'dbo.DUALWRITEPROJECTCONFIGURATION', "
                        "N'OBJECT', N'VIEW DEFINITION'), 0) <> 1 THROW");
    trigger = strstr(all, "IF EXISTS (SELECT 1 FROM sys.triggers AS t WHERE t.parent_id = "
                          "OBJECT_ID(N'dbo.DUALWRITEPROJECTCONFIGURATION', N'U') AND "
                          "t.is_disabled = 0) THROW");
    assert_non_null(right);
    assert_true(right < trigger && trigger < strstr(all, "\nINSERT INTO"));
    contains(&text, "DISABLE TRIGGER ALL ON dbo.DUALWRITEPROJECTCONFIGURATION");
    contains(&text, "or delete this check");
}

/** A script of one row with one more column beside the key. */
static void
write_with_column(const struct column *column, bool utf8_text, struct text *ret)
{
    const struct undo_script_out out = {.ctx = ret, .write = append};
    const struct column three[] = {*column, columns[5], {.name = "RECID", .type_name = "bigint"}};
    const struct field values[] = {{.is_null = true}, BYTES("5"), BYTES("7")};
    const struct schema narrow = {
        .table = TABLE_PROJECT, .columns = three, .count = 3, .utf8_text = utf8_text};
    const struct row row = {
        .id = {.table = TABLE_PROJECT, .key = "5:7"}, .fields = values, .count = 3};
    struct undo_script *script = NULL;
    struct err err = {0};

    assert_true(mssql_undo_script_new(&out, &script, &err));
    assert_true(script->begin(script, &plain_head, &err));
    assert_true(script->begin_table(script, &narrow, &err));
    assert_true(script->row(script, &row, &err));
    assert_true(script->end_table(script, &err));
    assert_true(script->end(script, &err));
    mssql_undo_script_free(script);
}

static void
odd_column_names_are_compared_as_they_are_and_named_without_harm(void **state)
{
    TEXT_SCOPED text = {0};
    TEXT_SCOPED foreign = {0};
    const struct column quoted = {.name = "o'x]", .type_name = "varbinary", .max_length = 9};
    const struct column odd = {.name = "\xC3\xA9$(x)'", .type_name = "int", .max_length = 4};

    (void)state;
    write_with_column(&quoted, false, &text);
    contains(&text, "c.name = N'o''x]' AND TYPE_NAME(c.system_type_id) = N'varbinary' AND "
                    "ISNULL(TYPE_NAME(c.user_type_id), N'') <> N'vector' AND c.max_length = 9");
    contains(&text, "N'dwclean: column o''x] of dbo.");
    write_with_column(&odd, false, &foreign);
    contains(&foreign, "c.name = CONVERT(nvarchar(128),0xe90024002800780029002700) AND");
    contains(&foreign, "N'dwclean: column \\xC3\\xA9\\x24(x)'' of dbo.");
}

static void
an_engine_that_does_not_tell_of_triggers_is_not_asked(void **state)
{
    TEXT_SCOPED text = {0};
    const struct column plain = {.name = "A", .type_name = "int", .max_length = 4};

    (void)state;
    write_with_column(&plain, true, &text);
    assert_null(strstr(text_string(&text), "sys.triggers"));
    contains(&text, "does not tell of triggers");
    contains(&text, "c.name = N'A'");
}

static void
the_head_says_how_to_run_it_and_what_it_takes(void **state)
{
    TEXT_SCOPED text = {0};

    (void)state;
    write_script(&plain_head, &text);
    contains(&text, "sqlcmd -b -x -I -S SERVER");
    contains(&text, "SELECT, INSERT and VIEW DEFINITION");
    contains(&text, "needs much memory in the server and in the tool;\n"
                    "-- when either gives up, nothing is done.\n");
}

static void
it_refuses_another_database_and_filled_tables_before_it_writes(void **state)
{
    TEXT_SCOPED text = {0};
    const char *all, *other, *begun, *locked, *insert;

    (void)state;
    write_script(&plain_head, &text);
    all = text_string(&text);
    contains(&text, "IF CONVERT(varbinary(512), DB_NAME()) <> 0x4100780044004200 THROW 51000");
    other = strstr(all, "another database");
    begun = strstr(all, "\nBEGIN TRANSACTION;");
    locked = strstr(all, "dbo.[DUALWRITEPROJECTCONFIGURATION] WITH (TABLOCKX, HOLDLOCK);\n"
                         "IF @rows <> 0 THROW");
    insert = strstr(all, "\nINSERT INTO");
    assert_non_null(other);
    assert_true(other < begun && begun < locked && locked < insert);
    assert_null(strstr(all, "dbo.[BUSINESSEVENTSDEFINITION]")); /* nothing goes there */
}

static void
hostile_names_stay_in_their_comment_line(void **state)
{
    struct undo_script_head head = plain_head;
    TEXT_SCOPED text = {0};
    const char *all;

    (void)state;
    head.server = "x\nDROP TABLE dbo.T;\r\nGO\n*/ /* $(x) \xE2\x80\xA8 \\ \x1B[2J";
    head.run_id = "";
    write_script(&head, &text);
    all = text_string(&text);
    contains(&text,
             "x\\x0ADROP TABLE dbo.T;\\x0D\\x0AGO\\x0A\\x2A/ \\x2F* \\x24(x) \\xE2\\x80\\xA8 "
             "\\x5C \\x1B[2J\n");
    contains(&text, "(not recorded)");
    assert_null(strstr(all, "$("));
    assert_null(strstr(all, "*/"));
}

static void
a_database_with_a_name_outside_ascii_is_compared_by_its_bytes(void **state)
{
    struct undo_script_head head = plain_head;
    TEXT_SCOPED text = {0};

    (void)state;
    head.database = "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80'";
    write_script(&head, &text);
    contains(&text, "DB_NAME()) <> 0x4100e900ac203dd800de2700 THROW");
}

static void
every_line_is_ascii_and_none_is_a_command_of_a_tool(void **state)
{
    TEXT_SCOPED text = {0};
    const char *all;

    (void)state;
    write_script(&plain_head, &text);
    all = text_string(&text);
    for (const char *at = all; *at != '\0'; at++)
        assert_true(*at == '\n' || (*at >= 0x20 && *at <= 0x7E));
    for (const char *line = all; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        assert_true(strncmp(line, "GO", 2) != 0 && strncmp(line, "go", 2) != 0);
        assert_true(*line != ':' && *line != '!');
    }
}

static bool
refuse(void *ctx, const char *bytes, size_t size, struct err *err)
{
    (void)ctx;
    (void)bytes;
    (void)size;
    return err_set(err, ERR_STORAGE, "the disk is full");
}

static void
what_cannot_be_written_or_does_not_add_up_is_an_error(void **state)
{
    TEXT_SCOPED text = {0};
    const struct undo_script_out broken = {.write = refuse}, out = {.ctx = &text, .write = append};
    struct undo_script_head head = plain_head;
    struct undo_script *script = NULL;
    struct err err = {0};

    (void)state;
    assert_true(mssql_undo_script_new(&broken, &script, &err));
    assert_false(script->begin(script, &head, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    mssql_undo_script_free(script);

    assert_true(mssql_undo_script_new(&out, &script, &err));
    head.database = "";
    assert_false(script->begin(script, &head, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_true(script->begin(script, &plain_head, &err));
    assert_false(script->end(script, &err)); /* a row is missing */
    assert_true(script->begin_table(script, &schema, &err));
    assert_false(script->end_table(script, &err));
    mssql_undo_script_free(script);
    mssql_undo_script_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_it_is_and_what_it_brings_back),
        cmocka_unit_test(rows_are_written_with_their_insertable_columns),
        cmocka_unit_test(identity_insert_is_switched_off_after_a_fault_only_where_it_is_on),
        cmocka_unit_test(every_inserted_column_is_checked_before_the_first_row),
        cmocka_unit_test(triggers_are_looked_for_before_the_first_row_and_the_way_on_is_told),
        cmocka_unit_test(odd_column_names_are_compared_as_they_are_and_named_without_harm),
        cmocka_unit_test(an_engine_that_does_not_tell_of_triggers_is_not_asked),
        cmocka_unit_test(the_head_says_how_to_run_it_and_what_it_takes),
        cmocka_unit_test(it_refuses_another_database_and_filled_tables_before_it_writes),
        cmocka_unit_test(hostile_names_stay_in_their_comment_line),
        cmocka_unit_test(a_database_with_a_name_outside_ascii_is_compared_by_its_bytes),
        cmocka_unit_test(every_line_is_ascii_and_none_is_a_command_of_a_tool),
        cmocka_unit_test(what_cannot_be_written_or_does_not_add_up_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
