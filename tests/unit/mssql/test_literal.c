/** Literals of INSERT statements: every type, nothing that a server or a tool would read
 * differently, nothing that was not checked. */
#include "../../../src/mssql/literal.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static const struct literal_style batch_style = {0};
static const struct literal_style script_style = {.portable = true};
static const struct literal_style utf8_style = {.utf8 = true};

static struct field
field_of(const void *bytes, size_t size)
{
    return (struct field){.bytes = slice_of(bytes, size)};
}

static void
write_value(const struct column *column, const struct literal_style *style, const void *bytes,
            size_t size, const char *expected)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};
    struct field field = field_of(bytes, size);

    if (!literal_append(column, &field, style, &text, &err))
        fail_msg("%s %.*s: %s", column->type_name, (int)size, (const char *)bytes, err.primary);
    assert_string_equal(text_string(&text), expected);
}

static void
refuse_value(const struct column *column, const void *bytes, size_t size)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};
    struct field field = field_of(bytes, size);

    if (literal_append(column, &field, &batch_style, &text, &err))
        fail_msg("%s took \"%.*s\" as %s", column->type_name, (int)size, (const char *)bytes,
                 text_string(&text));
    assert_int_equal(err.code, ERR_SCHEMA);
    assert_non_null(strstr(err.primary, column->name));
    assert_string_equal(text_string(&text), "");
}

/** The same in both styles. */
static void
both(const struct column *column, const char *canonical, const char *expected)
{
    write_value(column, &batch_style, canonical, strlen(canonical), expected);
    write_value(column, &script_style, canonical, strlen(canonical), expected);
}

static struct column
column_of(const char *type)
{
    return (struct column){.name = "C", .type_name = type, .max_length = 8};
}

static void
whole_numbers_are_written_as_they_are(void **state)
{
    const struct column big = column_of("bigint"), tiny = column_of("TINYINT"),
                        bit = column_of("bit");

    (void)state;
    both(&big, "-9223372036854775808", "-9223372036854775808");
    both(&big, "9223372036854775807", "9223372036854775807");
    both(&tiny, "255", "255");
    both(&bit, "0", "0");
    both(&bit, "1", "1");
}

static void
null_is_null_for_every_type(void **state)
{
    static const char *const types[] = {"int",  "nvarchar", "char",     "varbinary",
                                        "date", "decimal",  "datetime", "float"};
    const struct field null = {.is_null = true};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct column column = column_of(types[i]);
        TEXT_SCOPED text = {0};
        struct err err = {0};

        assert_true(literal_append(&column, &null, &script_style, &text, &err));
        assert_string_equal(text_string(&text), "NULL");
    }
}

static void
decimals_keep_all_digits(void **state)
{
    struct column column = column_of("decimal");

    (void)state;
    column.precision = 38;
    column.scale = 38;
    both(&column, "-0.12345678901234567890123456789012345678",
         "'-.12345678901234567890123456789012345678'"); /* 38 digits, not 39 */
    both(&column, "0.00000000000000000000000000000000000001",
         "'.00000000000000000000000000000000000001'");
    refuse_value(&column, "1.12345678901234567890123456789012345678", 40);
    refuse_value(&column, ".12345678901234567890123456789012345678", 39); /* not as on record */
    column.scale = 0;
    both(&column, "99999999999999999999999999999999999999",
         "'99999999999999999999999999999999999999'");
    column.precision = 5;
    column.scale = 2;
    both(&column, "0.50", "'0.50'");
    refuse_value(&column, "0.5", 3); /* another scale is another value on record */
    refuse_value(&column, "0.500", 5);
    refuse_value(&column, "1234.00", 7);
    refuse_value(&column, "1e2", 3);
}

static void
money_has_four_decimals(void **state)
{
    const struct column column = column_of("money");

    (void)state;
    both(&column, "-922337203685477.5808", "-922337203685477.5808");
    both(&column, "0.0000", "0.0000");
    refuse_value(&column, "1.25", 4);
}

static void
floating_point_numbers_are_floats_and_not_decimals(void **state)
{
    const struct column number = column_of("float"), small = column_of("real");

    (void)state;
    both(&number, "1", "1e0");
    both(&number, "0.10000000000000001", "0.10000000000000001e0");
    both(&number, "-1.7976931348623157e+308", "-1.7976931348623157e+308");
    both(&number, "2.2250738585072014e-308", "2.2250738585072014e-308");
    both(&number, "0", "0e0");
    both(&small, "0.100000001", "0.10000000149011612e0");
    both(&small, "3.40282347e+38", "3.4028234663852886e+38");
    refuse_value(&number, "1e999", 5);
    refuse_value(&small, "1e39", 4);
    refuse_value(&number, "inf", 3);
    refuse_value(&number, "nan", 3);
    refuse_value(&number, "0x1p3", 5);
    refuse_value(&number, "1e", 2);
}

static void
what_a_server_would_read_as_zero_is_an_expression(void **state)
{
    const struct column number = column_of("float"), small = column_of("real");

    (void)state;
    both(&number, "-0", "(0e0*-1e0)");
    both(&number, "4.9406564584124654e-324",
         "(1e0*2.2227587494850775e-162*2.2227587494850775e-162)");
    both(&number, "-2.2250738585072009e-308",
         "(-4503599627370495e0*2.2227587494850775e-162*2.2227587494850775e-162)");
    both(&small, "-0", "(CONVERT(real,0e0)*CONVERT(real,-1e0))");
    both(&small, "-1.40129846e-45",
         "(CONVERT(real,-1e0)*CONVERT(real,5.2939559203393771e-23)"
         "*CONVERT(real,2.6469779601696886e-23))");
}

static void
dates_do_not_depend_on_language_or_dateformat(void **state)
{
    struct column date = column_of("date"), clock = column_of("time"),
                  moment = column_of("datetime2"), zoned = column_of("datetimeoffset"),
                  old = column_of("datetime"), small = column_of("smalldatetime");

    (void)state;
    clock.scale = moment.scale = 7;
    zoned.scale = 2;
    both(&date, "0001-12-31", "'0001-12-31'");
    both(&clock, "23:59:59.9999999", "'23:59:59.9999999'");
    both(&moment, "2024-02-29T12:34:56.1234567", "'2024-02-29T12:34:56.1234567'");
    both(&zoned, "2024-03-01T01:00:00.25+02:00", "'2024-03-01T01:00:00.25+02:00'");
    both(&old, "2024-02-29T12:34:56.997", "'2024-02-29T12:34:56.997'");
    both(&small, "2024-02-29T12:34:00", "'2024-02-29T12:34:00'");
    moment.scale = 0;
    both(&moment, "2024-02-29T12:34:56", "'2024-02-29T12:34:56'");
    refuse_value(&moment, "2024-02-29T12:34:56.1", 21); /* would be rounded */
    refuse_value(&small, "2024-02-29T12:34:30", 19);
    refuse_value(&old, "2024-02-29 12:34:56.997", 23);
    refuse_value(&zoned, "2024-03-01T01:00:00.25", 22);
    refuse_value(&date, "29.02.2024", 10);
    refuse_value(&date, "2024-02-29'", 11);
}

static void
a_guid_is_quoted(void **state)
{
    const struct column column = column_of("uniqueidentifier");

    (void)state;
    both(&column, "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "'6F9619FF-8B86-D011-B42D-00CF4FC964FF'");
    refuse_value(&column, "6F9619FF-8B86-D011-B42D-00CF4FC964F", 35);
    refuse_value(&column, "6F9619FF-8B86-D011-B42D-00CF4FC964FFF", 37);
}

static void
unicode_text_is_quoted_or_hexadecimal(void **state)
{
    struct column column = column_of("nvarchar");

    (void)state;
    column.max_length = -1;
    write_value(&column, &batch_style, "", 0, "N''");
    write_value(&column, &batch_style, "i\0'\0 \0", 6, "N'i'' '");
    write_value(&column, &batch_style, "\xE9\0\n\0", 4, "N'\xC3\xA9\n'");
    write_value(&column, &batch_style, "a\0\0\0", 4, "CONVERT(nvarchar(2),0x61000000)");
    write_value(&column, &batch_style, "\x00\xD8", 2, "CONVERT(nvarchar(1),0x00d8)");
}

static void
a_script_is_printable_ascii_on_one_line(void **state)
{
    struct column wide = column_of("nvarchar"), narrow = column_of("varchar");

    (void)state;
    wide.max_length = narrow.max_length = -1;
    write_value(&wide, &script_style, "", 0, "N''");
    write_value(&wide, &script_style, "a\0'\0\\\0", 6, "N'a''\\'");
    write_value(&wide, &script_style, "\xE9\0", 2, "CONVERT(nvarchar(1),0xe900)");
    write_value(&wide, &script_style, "a\0\n\0", 4, "CONVERT(nvarchar(2),0x61000a00)");
    write_value(&wide, &script_style, "$\0(\0", 4, "CONVERT(nvarchar(2),0x24002800)");
    write_value(&wide, &script_style, "$\0", 2, "N'$'");
    write_value(&wide, &script_style, "\x7F\0", 2, "CONVERT(nvarchar(1),0x7f00)");
    write_value(&narrow, &script_style, "$(x)", 4, "0x24287829");
    write_value(&narrow, &script_style, "GO\r\n", 4, "0x474f0d0a");
}

static void
code_page_text_goes_as_its_bytes(void **state)
{
    struct column column = column_of("char");

    (void)state;
    both(&column, "", "''"); /* CONVERT(varchar(0), 0x) is an error */
    both(&column, "it's  ", "'it''s  '");
    both(&column, "\xCF\xF0\xE8", "0xcff0e8");
    both(&column, "\xC3\xA9", "0xc3a9"); /* UTF-8 or not: the column knows */
    write_value(&column, &batch_style, "\0", 1, "0x00");
    write_value(&column, &batch_style, "a\\\n", 3, "0x615c0a");
}

static void
bytes_are_hexadecimal(void **state)
{
    struct column column = column_of("varbinary");

    (void)state;
    write_value(&column, &batch_style, "", 0, "0x");
    write_value(&column, &script_style, "\0\xFF", 2, "0x00ff");
}

static void
long_text_does_not_pass_through_a_short_type(void **state)
{
    static unsigned char units[8004];
    struct column column = column_of("nvarchar");
    struct field field;
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    column.max_length = -1;
    memset(units, 1, sizeof units);
    field = field_of(units, 8000);
    assert_true(literal_append(&column, &field, &script_style, &text, &err));
    assert_memory_equal(text_string(&text), "CONVERT(nvarchar(4000),0x", 25);
    text_reset(&text);
    field = field_of(units, 8002);
    assert_true(literal_append(&column, &field, &script_style, &text, &err));
    assert_memory_equal(text_string(&text), "CONVERT(nvarchar(max),0x", 24);
}

static void
a_value_that_would_be_cut_is_refused(void **state)
{
    struct column wide = column_of("nvarchar"), bytes = column_of("binary"),
                  narrow = column_of("varchar");

    (void)state;
    wide.max_length = 4;
    bytes.max_length = narrow.max_length = 2;
    refuse_value(&wide, "a\0b\0c\0", 6);
    refuse_value(&wide, "a\0b", 3); /* half a character */
    refuse_value(&bytes, "abc", 3);
    refuse_value(&narrow, "abc", 3);
}

static void
nothing_unchecked_enters_a_statement(void **state)
{
    static const char *const types[] = {
        "int",        "bit",       "decimal",         "money", "float",         "date",
        "time",       "datetime2", "datetime",        "real",  "smalldatetime", "datetimeoffset",
        "smallmoney", "numeric",   "uniqueidentifier"};
    static const char *const attacks[] = {
        "1;DROP TABLE x", "1)", "'", "-", "--", "", "1'); DELETE FROM dbo.T --", "+1", " 1", "1 ",
        "0x10",           ".",  "-."};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct column column = column_of(types[i]);

        column.precision = 18;
        for (size_t j = 0; j < sizeof attacks / sizeof attacks[0]; j++)
            refuse_value(&column, attacks[j], strlen(attacks[j]));
        refuse_value(&column, "1\0x", 3);
    }
}

static void
types_without_a_way_back_are_refused(void **state)
{
    static const char *const types[] = {"xml", "text", "timestamp", "sql_variant", "geography"};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct column column = column_of(types[i]);

        refuse_value(&column, "1", 1);
    }
}

static void
an_engine_of_utf8_gets_no_hexadecimal_text(void **state)
{
    struct column wide = column_of("nvarchar"), narrow = column_of("varchar");
    struct field field = field_of("\xFF", 1);
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    write_value(&wide, &utf8_style, "caf\xC3\xA9\n", 6, "N'caf\xC3\xA9\n'");
    write_value(&narrow, &utf8_style, "it's", 4, "'it''s'");
    write_value(&wide, &utf8_style, "a\\\n", 3, "CONVERT(nvarchar(max),N'')+N'a\\'+N'\n'");
    assert_false(literal_append(&wide, &field, &utf8_style, &text, &err));
    assert_int_equal(err.code, ERR_SCHEMA);
}

static void
prove(const char *type, const char *bytes, const char *expected)
{
    const struct column column = {.name = "a]b", .type_name = type, .max_length = -1};
    struct field field = field_of(bytes, strlen(bytes));
    TEXT_SCOPED text = {0};
    struct err err = {0};
    bool any = false;

    assert_true(literal_append_proof(&column, &field, &text, &any, &err));
    assert_string_equal(text_string(&text), expected);
    assert_int_equal(any, expected[0] != '\0');
}

static void
values_that_may_be_changed_without_a_word_are_proven(void **state)
{
    (void)state;
    prove("varchar", "plain", "");
    prove("nvarchar", "\xE9\x01", "");
    prove("varchar", "\xCF\xF0",
          " AND CONVERT(varbinary(max), [a]]b]) = 0xcff0 AND DATALENGTH([a]]b]) = 2");
    prove("float", "1.5",
          " AND CONVERT(varbinary(8), CONVERT(float, [a]]b])) = 0x3ff8000000000000");
    prove("float", "0", " AND CONVERT(varbinary(8), CONVERT(float, [a]]b])) = 0x0000000000000000");
    prove("real", "0.100000001",
          " AND CONVERT(varbinary(8), CONVERT(float, [a]]b])) = 0x3fb99999a0000000");
    prove("float", "-0", " AND CONVERT(varbinary(8), CONVERT(float, [a]]b])) = 0x8000000000000000");
    prove("real", "1.40129846e-45",
          " AND CONVERT(varbinary(8), CONVERT(float, [a]]b])) = 0x36a0000000000000");
    prove("int", "-0", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_written_as_they_are),
        cmocka_unit_test(null_is_null_for_every_type),
        cmocka_unit_test(decimals_keep_all_digits),
        cmocka_unit_test(money_has_four_decimals),
        cmocka_unit_test(floating_point_numbers_are_floats_and_not_decimals),
        cmocka_unit_test(what_a_server_would_read_as_zero_is_an_expression),
        cmocka_unit_test(dates_do_not_depend_on_language_or_dateformat),
        cmocka_unit_test(a_guid_is_quoted),
        cmocka_unit_test(unicode_text_is_quoted_or_hexadecimal),
        cmocka_unit_test(a_script_is_printable_ascii_on_one_line),
        cmocka_unit_test(code_page_text_goes_as_its_bytes),
        cmocka_unit_test(bytes_are_hexadecimal),
        cmocka_unit_test(long_text_does_not_pass_through_a_short_type),
        cmocka_unit_test(a_value_that_would_be_cut_is_refused),
        cmocka_unit_test(nothing_unchecked_enters_a_statement),
        cmocka_unit_test(types_without_a_way_back_are_refused),
        cmocka_unit_test(an_engine_of_utf8_gets_no_hexadecimal_text),
        cmocka_unit_test(values_that_may_be_changed_without_a_word_are_proven),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
