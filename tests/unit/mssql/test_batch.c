/** Texts for the server: variables, names, literals. */
#include "../../../src/mssql/batch.h"
#include "sql_text.h"
#include "test.h"

#include <string.h>

static void
expand(const char *sql, const struct batch_variable *variables, size_t count, const char *expected)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};

    assert_true(batch_expand(sql, variables, count, &text, &err));
    assert_string_equal(text_string(&text), expected);
}

static void
known_variables_are_replaced(void **state)
{
    const struct batch_variable variables[] = {{"table", "[T]"}, {"columns", "[A], [B]"}};

    (void)state;
    expand("SELECT $(columns) FROM dbo.$(table);\n", variables, 2,
           "SELECT [A], [B] FROM dbo.[T];\n");
    expand("SELECT $1, $x;", variables, 2, "SELECT $1, $x;");
}

static void
a_value_is_not_expanded_again(void **state)
{
    const struct batch_variable variables[] = {{"a", "$(b)"}, {"b", "x"}};

    (void)state;
    expand("$(a)", variables, 2, "$(b)");
}

static void
an_unknown_variable_sends_nothing(void **state)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    assert_false(batch_expand("DELETE FROM $(table)", NULL, 0, &text, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_false(batch_expand("DELETE FROM $(table", NULL, 0, &text, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
}

static void
a_value_cannot_leave_a_comment_line(void **state)
{
    const struct batch_variable variables[] = {{"table", "x\nDROP"}};

    (void)state;
    expand("-- params: $(table)\n  -- $(unknown)\nSELECT 1;\n", variables, 1, "SELECT 1;\n");
}

static void
every_file_of_sql_expands(void **state)
{
    const struct batch_variable variables[] = {
        {"table", "[T]"}, {"columns", "[C]"}, {"lock_timeout_ms", "5000"},
        {"name", "n"},    {"condition", ""},  {"text", "SELECT 1;"}};
    const char *const files[] = {
        sql_session,      sql_prove,     sql_evidence,          sql_acquire_exclusion,
        sql_begin_locked, sql_read_rows, sql_release_exclusion, sql_delete_all,
        sql_commit,       sql_rollback,  sql_blockers,          sql_catalog,
        sql_ask,          sql_prove_utf8};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        TEXT_SCOPED text = {0};
        struct err err = {0};

        assert_true(
            batch_expand(files[i], variables, sizeof variables / sizeof variables[0], &text, &err));
        assert_true(batch_check(&text, &err));
        assert_null(strstr(text_string(&text), "$("));
    }
}

static void
a_batch_that_freetds_would_cut_is_refused(void **state)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    assert_false(batch_check(&text, &err));
    text_append(&text, "DELETE FROM T \xFF WHERE 1 = 0");
    assert_false(batch_check(&text, &err));
    text_reset(&text);
    text_append_bytes(&text, "DELETE FROM T\0 WHERE 1 = 0", 26);
    assert_false(batch_check(&text, &err));
    text_reset(&text);
    text_append(&text, "SELECT N'\xC3\xA9'");
    assert_true(batch_check(&text, &err));
}

static void
names_are_bracketed(void **state)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    assert_true(batch_identifier(&text, "RECID", &err));
    assert_true(batch_identifier(&text, "a]; DROP TABLE b--", &err));
    assert_string_equal(text_string(&text), "[RECID][a]]; DROP TABLE b--]");
}

static void
what_cannot_be_a_name_is_refused(void **state)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};
    char name[130];

    (void)state;
    assert_false(batch_identifier(&text, "", &err));
    assert_int_equal(err.code, ERR_SCHEMA);
    assert_false(batch_identifier(&text, "a\xFF", &err));
    memset(name, 'n', sizeof name);
    name[129] = '\0';
    assert_false(batch_identifier(&text, name, &err));
    name[128] = '\0';
    assert_true(batch_identifier(&text, name, &err));
}

static void
literal(const void *utf16le, size_t size, const char *expected)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};

    assert_true(batch_unicode_literal(&text, slice_of(utf16le, size), &err));
    assert_string_equal(text_string(&text), expected);
}

static void
a_text_becomes_a_quoted_literal(void **state)
{
    (void)state;
    literal("", 0, "N''");
    literal("a\0'\0b\0", 6, "N'a''b'");
    literal("\xE9\x00 \0", 4, "N'\xC3\xA9 '");
    literal("\x3D\xD8\x00\xDE", 4, "N'\xF0\x9F\x98\x80'");
    literal("\\\0n\0", 4, "N'\\n'");
}

static void
what_would_not_come_back_is_written_in_hexadecimal(void **state)
{
    (void)state;
    literal("a\0\0\0", 4, "CONVERT(nvarchar(2),0x61000000)");
    literal("\x00\xD8", 2, "CONVERT(nvarchar(1),0x00d8)");
    literal("\\\0\n\0", 4, "CONVERT(nvarchar(2),0x5c000a00)");
    literal("\\\0\r\0\n\0", 6, "CONVERT(nvarchar(3),0x5c000d000a00)");
}

static void
long_and_odd_texts_are_handled(void **state)
{
    static unsigned char zeros[8002];
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    assert_true(batch_unicode_literal(&text, slice_of(zeros, sizeof zeros), &err));
    assert_memory_equal(text_string(&text), "CONVERT(nvarchar(max),0x00", 26);
    assert_false(batch_unicode_literal(&text, slice_of(zeros, 3), &err));
}

static void
bytes_become_hexadecimal(void **state)
{
    TEXT_SCOPED text = {0};

    (void)state;
    batch_binary_literal(&text, slice_of("\x00\xAB", 2));
    text_append(&text, ",");
    batch_binary_literal(&text, slice_of(NULL, 0));
    text_append(&text, ",");
    batch_number(&text, INT64_MIN);
    assert_string_equal(text_string(&text), "0x00ab,0x,-9223372036854775808");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_variables_are_replaced),
        cmocka_unit_test(a_value_is_not_expanded_again),
        cmocka_unit_test(an_unknown_variable_sends_nothing),
        cmocka_unit_test(a_value_cannot_leave_a_comment_line),
        cmocka_unit_test(every_file_of_sql_expands),
        cmocka_unit_test(a_batch_that_freetds_would_cut_is_refused),
        cmocka_unit_test(names_are_bracketed),
        cmocka_unit_test(what_cannot_be_a_name_is_refused),
        cmocka_unit_test(a_text_becomes_a_quoted_literal),
        cmocka_unit_test(what_would_not_come_back_is_written_in_hexadecimal),
        cmocka_unit_test(long_and_odd_texts_are_handled),
        cmocka_unit_test(bytes_become_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
