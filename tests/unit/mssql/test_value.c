/** The canonical form of every type, from the bytes that db-lib hands out. */
#include "../../../src/mssql/value.h"
#include "test.h"

#include <string.h>
#include <sybdb.h>
#include <sybfront.h>

enum { WIRE_GUID = 36 };

static const struct column *
column_of(const char *type_name, uint8_t scale)
{
    static struct column column;

    column = (struct column){.name = "C", .type_name = type_name, .scale = scale};
    return &column;
}

static void
expect(const char *type_name, uint8_t scale, int type, const void *bytes, size_t size,
       const char *canonical)
{
    TEXT_SCOPED text = {0};
    struct wire wire = {.type = type, .bytes = slice_of(bytes, size)};
    struct err err = {0};

    assert_true(
        value_append(value_kind_of(type_name), column_of(type_name, scale), &wire, &text, &err));
    assert_string_equal(text_string(&text), canonical);
}

static void
refuse(const char *type_name, int type, const void *bytes, size_t size)
{
    TEXT_SCOPED text = {0};
    struct wire wire = {.type = type, .bytes = slice_of(bytes, size)};
    struct err err = {0};

    assert_false(
        value_append(value_kind_of(type_name), column_of(type_name, 0), &wire, &text, &err));
    assert_int_equal(err.code, ERR_SERVER);
}

static void
whole_numbers_keep_sign_and_size(void **state)
{
    (void)state;
    expect("tinyint", 0, SYBINT1, "\xFF", 1, "255");
    expect("smallint", 0, SYBINT2, "\x00\x80", 2, "-32768");
    expect("int", 0, SYBINT4, "\xFF\xFF\xFF\xFF", 4, "-1");
    expect("bigint", 0, SYBINT8, "\x00\x00\x00\x00\x00\x00\x00\x80", 8, "-9223372036854775808");
    expect("bigint", 0, SYBINT8, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 8, "9223372036854775807");
    expect("bit", 0, SYBBIT, "\x01", 1, "1");
    expect("bit", 0, SYBBIT, "\x00", 1, "0");
}

static void
a_decimal_is_written_with_its_full_scale(void **state)
{
    DBNUMERIC number = {.precision = 10, .scale = 6};

    (void)state;
    number.array[0] = 1;
    memcpy(number.array + 1, "\x00\x07\x5B\xCA\x00", 5); /* 123456000 */
    expect("decimal", 6, SYBDECIMAL, &number, sizeof number, "-123.456000");
    number.array[0] = 0;
    memset(number.array + 1, 0, 32);
    expect("numeric", 6, SYBNUMERIC, &number, sizeof number, "0.000000");
    number.array[0] = 1; /* SQL Server has no negative zero */
    expect("numeric", 6, SYBNUMERIC, &number, sizeof number, "0.000000");
    number = (DBNUMERIC){.precision = 5, .scale = 5};
    memcpy(number.array + 1, "\x00\x00\x07", 3);
    expect("decimal", 5, SYBDECIMAL, &number, sizeof number, "0.00007");
}

static void
a_decimal_of_38_digits_loses_none(void **state)
{
    /* 10^38 - 1 */
    static const char all_nines[] =
        "\x4B\x3B\x4C\xA8\x5A\x86\xC4\x7A\x09\x8A\x22\x3F\xFF\xFF\xFF\xFF";
    DBNUMERIC number = {.precision = 38, .scale = 0};

    (void)state;
    memcpy(number.array + 1, all_nines, 16);
    expect("decimal", 0, SYBDECIMAL, &number, sizeof number,
           "99999999999999999999999999999999999999");
    number.scale = 38;
    expect("decimal", 38, SYBDECIMAL, &number, sizeof number,
           "0.99999999999999999999999999999999999999");
}

static void
a_decimal_that_cannot_be_one_is_refused(void **state)
{
    DBNUMERIC number = {.precision = 39, .scale = 0};

    (void)state;
    refuse("decimal", SYBDECIMAL, &number, sizeof number);
    number = (DBNUMERIC){.precision = 4, .scale = 5};
    refuse("decimal", SYBDECIMAL, &number, sizeof number);
    number = (DBNUMERIC){.precision = 38, .scale = 0};
    memset(number.array + 1, 0xFF, 16); /* more than 38 digits */
    refuse("decimal", SYBDECIMAL, &number, sizeof number);
    refuse("decimal", SYBDECIMAL, &number, sizeof number - 1);
}

static void
money_has_four_decimals(void **state)
{
    DBMONEY money = {.mnyhigh = 0, .mnylow = 12345678};
    DBMONEY4 small = {.mny4 = -1};

    (void)state;
    expect("money", 0, SYBMONEY, &money, sizeof money, "1234.5678");
    money = (DBMONEY){.mnyhigh = INT32_MIN, .mnylow = 0};
    expect("money", 0, SYBMONEY, &money, sizeof money, "-922337203685477.5808");
    expect("smallmoney", 0, SYBMONEY4, &small, sizeof small, "-0.0001");
}

static void
floats_read_back_as_the_same_bits(void **state)
{
    double tenth = 0.1, huge = 1.7976931348623157e308, infinite = 1e308 * 10;
    float third = 1.0F / 3.0F;

    (void)state;
    expect("float", 0, SYBFLT8, &tenth, sizeof tenth, "0.10000000000000001");
    expect("float", 0, SYBFLT8, &huge, sizeof huge, "1.7976931348623157e+308");
    expect("real", 0, SYBREAL, &third, sizeof third, "0.333333343");
    refuse("float", SYBFLT8, &infinite, sizeof infinite);
}

static void
dates_are_iso_with_the_declared_digits(void **state)
{
    DBDATETIMEALL moment = {.date = 45349, .time = 452961234567}; /* 2024-02-29 12:34:56.1234567 */

    (void)state;
    expect("date", 0, SYBMSDATE, &moment, sizeof moment, "2024-02-29");
    expect("time", 7, SYBMSTIME, &moment, sizeof moment, "12:34:56.1234567");
    expect("datetime2", 7, SYBMSDATETIME2, &moment, sizeof moment, "2024-02-29T12:34:56.1234567");
    expect("datetime2", 3, SYBMSDATETIME2, &moment, sizeof moment, "2024-02-29T12:34:56.123");
    expect("datetime2", 0, SYBMSDATETIME2, &moment, sizeof moment, "2024-02-29T12:34:56");
    moment = (DBDATETIMEALL){.date = -693595};
    expect("date", 0, SYBMSDATE, &moment, sizeof moment, "0001-01-01");
    moment = (DBDATETIMEALL){.date = 2958463};
    expect("date", 0, SYBMSDATE, &moment, sizeof moment, "9999-12-31");
    moment = (DBDATETIMEALL){.date = 58}; /* 1900 was no leap year */
    expect("date", 0, SYBMSDATE, &moment, sizeof moment, "1900-02-28");
    moment = (DBDATETIMEALL){.date = 59};
    expect("date", 0, SYBMSDATE, &moment, sizeof moment, "1900-03-01");
}

static void
a_datetimeoffset_is_local_time_and_its_offset(void **state)
{
    DBDATETIMEALL moment = {.date = 45349, .time = 828000000000, .offset = 120}; /* 23:00 UTC */

    (void)state;
    expect("datetimeoffset", 0, SYBMSDATETIMEOFFSET, &moment, sizeof moment,
           "2024-03-01T01:00:00+02:00");
    moment.time = 0;
    moment.offset = -210;
    expect("datetimeoffset", 1, SYBMSDATETIMEOFFSET, &moment, sizeof moment,
           "2024-02-28T20:30:00.0-03:30");
    moment.offset = 0;
    expect("datetimeoffset", 0, SYBMSDATETIMEOFFSET, &moment, sizeof moment,
           "2024-02-29T00:00:00+00:00");
}

static void
datetime_ticks_become_the_nearest_millisecond(void **state)
{
    DBDATETIME moment = {.dtdays = 45349, .dttime = 299};
    DBDATETIME4 small = {.days = 45349, .minutes = 754};

    (void)state;
    expect("datetime", 0, SYBDATETIME, &moment, sizeof moment, "2024-02-29T00:00:00.997");
    moment.dttime = 25919999;
    expect("datetime", 0, SYBDATETIME, &moment, sizeof moment, "2024-02-29T23:59:59.997");
    moment.dttime = 1;
    expect("datetime", 0, SYBDATETIME, &moment, sizeof moment, "2024-02-29T00:00:00.003");
    moment = (DBDATETIME){.dtdays = -53690}; /* the first day of datetime */
    expect("datetime", 0, SYBDATETIME, &moment, sizeof moment, "1753-01-01T00:00:00.000");
    expect("smalldatetime", 0, SYBDATETIME4, &small, sizeof small, "2024-02-29T12:34:00");
}

static void
a_moment_outside_the_calendar_is_refused(void **state)
{
    DBDATETIMEALL moment = {.date = 2958464};
    DBDATETIME old = {.dtdays = 0, .dttime = -1};

    (void)state;
    refuse("date", SYBMSDATE, &moment, sizeof moment);
    moment = (DBDATETIMEALL){.time = 864000000000};
    refuse("time", SYBMSTIME, &moment, sizeof moment);
    moment = (DBDATETIMEALL){.offset = 841};
    refuse("datetimeoffset", SYBMSDATETIMEOFFSET, &moment, sizeof moment);
    refuse("datetime", SYBDATETIME, &old, sizeof old);
}

static void
a_guid_is_upper_case_with_its_first_groups_turned(void **state)
{
    (void)state;
    expect("uniqueidentifier", 0, WIRE_GUID,
           "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF", 16,
           "00112233-4455-6677-8899-AABBCCDDEEFF");
    refuse("uniqueidentifier", WIRE_GUID, "\x01", 1);
}

static void
a_rowversion_is_hexadecimal(void **state)
{
    (void)state;
    expect("timestamp", 0, SYBBINARY, "\x00\x00\x00\x00\x00\x00\x07\xD1", 8, "00000000000007d1");
    refuse("timestamp", SYBBINARY, "\x00\x00", 2);
}

static void
a_type_that_is_not_the_columns_is_refused(void **state)
{
    (void)state;
    refuse("int", SYBVARCHAR, "12", 2);
    refuse("int", SYBINT4, "\x01\x00", 2);
    refuse("bit", SYBINT1, "\x01", 1);
    refuse("money", SYBFLT8, "\x00\x00\x00\x00\x00\x00\x00\x00", 8);
    refuse("date", SYBDATETIME, "\x00\x00\x00\x00\x00\x00\x00\x00", 8);
    refuse("uniqueidentifier", SYBBINARY,
           "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
    refuse("xml", SYBTEXT, "<a/>", 4);
}

static void
types_without_an_exact_way_back_are_known(void **state)
{
    static const char *const names[] = {"xml",       "text",        "ntext",       "image",  "json",
                                        "geography", "hierarchyid", "sql_variant", "vector", ""};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(value_kind_of(names[i]), VALUE_UNSUPPORTED);
    assert_int_equal(value_kind_of(NULL), VALUE_UNSUPPORTED);
    assert_int_equal(value_kind_of("NVarChar"), VALUE_CHARACTER);
    assert_true(value_is_bytes(VALUE_CHARACTER));
    assert_true(value_is_bytes(VALUE_BINARY));
    assert_false(value_is_bytes(VALUE_ROWVERSION));
}

static void
a_count_is_read_from_any_whole_type(void **state)
{
    DBNUMERIC number = {.precision = 20, .scale = 0};
    struct wire wire = {.type = SYBINT8, .bytes = slice_of("\x2A\x00\x00\x00\x00\x00\x00\x00", 8)};
    int64_t count = 0;

    (void)state;
    assert_true(value_integer(&wire, &count));
    assert_int_equal(count, 42);
    number.array[9] = 43;
    wire = (struct wire){.type = SYBNUMERIC, .bytes = slice_of(&number, sizeof number)};
    assert_true(value_integer(&wire, &count));
    assert_int_equal(count, 43);
    number.scale = 1;
    assert_false(value_integer(&wire, &count));
    wire = (struct wire){.type = SYBVARCHAR, .bytes = slice_of("43", 2)};
    assert_false(value_integer(&wire, &count));
    wire.bytes.size = 0;
    assert_false(value_integer(&wire, &count));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_keep_sign_and_size),
        cmocka_unit_test(a_decimal_is_written_with_its_full_scale),
        cmocka_unit_test(a_decimal_of_38_digits_loses_none),
        cmocka_unit_test(a_decimal_that_cannot_be_one_is_refused),
        cmocka_unit_test(money_has_four_decimals),
        cmocka_unit_test(floats_read_back_as_the_same_bits),
        cmocka_unit_test(dates_are_iso_with_the_declared_digits),
        cmocka_unit_test(a_datetimeoffset_is_local_time_and_its_offset),
        cmocka_unit_test(datetime_ticks_become_the_nearest_millisecond),
        cmocka_unit_test(a_moment_outside_the_calendar_is_refused),
        cmocka_unit_test(a_guid_is_upper_case_with_its_first_groups_turned),
        cmocka_unit_test(a_rowversion_is_hexadecimal),
        cmocka_unit_test(a_type_that_is_not_the_columns_is_refused),
        cmocka_unit_test(types_without_an_exact_way_back_are_known),
        cmocka_unit_test(a_count_is_read_from_any_whole_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
