#include "tds/type.h"
#include "tds/value.h"
#include "tests/tds_hex.h"

#define PATTERN "01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10"

static const unsigned char guid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct example {
    struct sql_typeinfo info;
    struct sql_value value;
    const char *type, *bytes, *null; /* as this server sends them */
};

#define INTEGER(v)                                                                                 \
    {                                                                                              \
        .integer = (v)                                                                             \
    }
#define BYTES(literal)                                                                             \
    {                                                                                              \
        .bytes = (const unsigned char *)(literal), .length = sizeof(literal) - 1                   \
    }
#define NULLABLE(t, ...)                                                                           \
    {                                                                                              \
        .type = (t), .nullable = true, __VA_ARGS__                                                 \
    }
#define NOTNULL(t)                                                                                 \
    {                                                                                              \
        .type = (t)                                                                                \
    }

/* 2024-02-29 is day 45349 from 1900, 738944 (0x0B4680) from the year 1. 12:34:56.1234567 is
 * 452961234567 (0x697697EE87) units of 100 ns; 45296 (0xB0F0) seconds; 13588800 ticks at 300 a
 * second. */
#define LEAP .days = 45349, .integer = INT64_C(452961234567)

static const struct example examples[] = {
    {NULLABLE(SQL_BIT, ), INTEGER(1), "68 01", "01 01", "00"},
    {NOTNULL(SQL_BIT), INTEGER(1), "32", "01", NULL},
    {NULLABLE(SQL_TINYINT, ), INTEGER(255), "26 01", "01 FF", "00"},
    {NOTNULL(SQL_TINYINT), INTEGER(200), "30", "C8", NULL},
    {NULLABLE(SQL_SMALLINT, ), INTEGER(-2), "26 02", "02 FE FF", "00"},
    {NOTNULL(SQL_SMALLINT), INTEGER(-32768), "34", "00 80", NULL},
    {NULLABLE(SQL_INT, ), INTEGER(-3), "26 04", "04 FD FF FF FF", "00"},
    {NOTNULL(SQL_INT), INTEGER(0x01020304), "38", "04 03 02 01", NULL},
    {NULLABLE(SQL_BIGINT, ), INTEGER(INT64_MIN), "26 08", "08 00 00 00 00 00 00 00 80", "00"},
    {NOTNULL(SQL_BIGINT), INTEGER(1), "7F", "01 00 00 00 00 00 00 00", NULL},
    {NULLABLE(SQL_MONEY, ), INTEGER(INT64_C(0x0102030405060708)), "6E 08",
     "08 04 03 02 01 08 07 06 05", "00"},
    {NOTNULL(SQL_MONEY), INTEGER(-1), "3C", "FF FF FF FF FF FF FF FF", NULL},
    {NULLABLE(SQL_SMALLMONEY, ), INTEGER(-10000), "6E 04", "04 F0 D8 FF FF", "00"},
    {NOTNULL(SQL_SMALLMONEY), INTEGER(10000), "7A", "10 27 00 00", NULL},
    {NULLABLE(SQL_REAL, ), {.real = 1.5}, "6D 04", "04 00 00 C0 3F", "00"},
    {NOTNULL(SQL_REAL), {.real = -2.0}, "3B", "00 00 00 C0", NULL},
    {NULLABLE(SQL_FLOAT, ), {.real = 1.5}, "6D 08", "08 00 00 00 00 00 00 F8 3F", "00"},
    {NOTNULL(SQL_FLOAT), {.real = -2.0}, "3E", "00 00 00 00 00 00 00 C0", NULL},
    {NULLABLE(SQL_DECIMAL, .precision = 9, .scale = 2),
     {.negative = true, .magnitude = {12345}},
     "6A 05 09 02",
     "05 00 39 30 00 00",
     "00"},
    {NULLABLE(SQL_DECIMAL, .precision = 10, .scale = 0),
     {.magnitude = {1, 2}},
     "6A 09 0A 00",
     "09 01 01 00 00 00 02 00 00 00",
     "00"},
    {NULLABLE(SQL_DECIMAL, .precision = 28, .scale = 4),
     {.magnitude = {1, 2, 3}},
     "6A 0D 1C 04",
     "0D 01 01 00 00 00 02 00 00 00 03 00 00 00",
     "00"},
    {{.type = SQL_DECIMAL, .precision = 38, .scale = 38},
     {.magnitude = {1, 2, 3, 4}},
     "6A 11 26 26",
     "11 01 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00",
     "00"},
    {NULLABLE(SQL_DATE, ), {.days = 45349}, "28", "03 80 46 0B", "00"},
    {NULLABLE(SQL_DATE, ), {.days = -693595}, "28", "03 00 00 00", "00"},
    {NULLABLE(SQL_TIME, .scale = 7), {LEAP}, "29 07", "05 87 EE 97 76 69", "00"},
    {NULLABLE(SQL_TIME, .scale = 4), {LEAP}, "29 04", "04 D2 A3 FF 1A", "00"},
    {NULLABLE(SQL_TIME, .scale = 0), {LEAP}, "29 00", "03 F0 B0 00", "00"},
    {NULLABLE(SQL_DATETIME2, .scale = 7), {LEAP}, "2A 07", "08 87 EE 97 76 69 80 46 0B", "00"},
    {NULLABLE(SQL_DATETIME2, .scale = 2), {LEAP}, "2A 02", "06 CC 1D 45 80 46 0B", "00"},
    {NULLABLE(SQL_DATETIMEOFFSET, .scale = 7),
     {LEAP, .offset_minutes = -330},
     "2B 07",
     "0A 87 EE 97 76 69 80 46 0B B6 FE",
     "00"},
    {NULLABLE(SQL_DATETIME, ),
     {.days = 45349, .integer = 13588800},
     "6F 08",
     "08 25 B1 00 00 40 59 CF 00",
     "00"},
    {NOTNULL(SQL_DATETIME), {.days = -53690, .integer = 0}, "3D", "46 2E FF FF 00 00 00 00", NULL},
    {NULLABLE(SQL_SMALLDATETIME, ),
     {.days = 45349, .integer = 754},
     "6F 04",
     "04 25 B1 F2 02",
     "00"},
    {NOTNULL(SQL_SMALLDATETIME), {.days = 65535, .integer = 1439}, "3A", "FF FF 9F 05", NULL},
    {NULLABLE(SQL_UNIQUEIDENTIFIER, ), {.bytes = guid, .length = 16}, "24 10", "10 " PATTERN, "00"},
    {NULLABLE(SQL_CHAR, .max_bytes = 4), BYTES("ab  "), "AF 04 00 09 04 D0 00 34",
     "04 00 61 62 20 20", "FF FF"},
    {NULLABLE(SQL_VARCHAR, .max_bytes = 8000), BYTES("a"), "A7 40 1F 09 04 D0 00 34", "01 00 61",
     "FF FF"},
    {NULLABLE(SQL_NCHAR, .max_bytes = 4), BYTES("a\0 \0"), "EF 04 00 09 04 D0 00 34",
     "04 00 61 00 20 00", "FF FF"},
    {NULLABLE(SQL_NVARCHAR, .max_bytes = 20), BYTES(""), "E7 14 00 09 04 D0 00 34", "00 00",
     "FF FF"},
    {NULLABLE(SQL_NVARCHAR, .max_bytes = 0), BYTES(""), "E7 02 00 09 04 D0 00 34", "00 00",
     "FF FF"},
    {NULLABLE(SQL_BINARY, .max_bytes = 2), BYTES("\1\2"), "AD 02 00", "02 00 01 02", "FF FF"},
    {NULLABLE(SQL_VARBINARY, .max_bytes = 16), BYTES("\1\2"), "A5 10 00", "02 00 01 02", "FF FF"},
    {NULLABLE(SQL_ROWVERSION, ), BYTES("\0\0\0\0\0\0\x07\xD1"), "AD 08 00",
     "08 00 00 00 00 00 00 00 07 D1", "FF FF"},
    {NULLABLE(SQL_NVARCHAR, .max_bytes = SQL_MAX_LENGTH), BYTES("a\0"), "E7 FF FF 09 04 D0 00 34",
     "02 00 00 00 00 00 00 00 02 00 00 00 61 00 00 00 00 00", "FF FF FF FF FF FF FF FF"},
    {NULLABLE(SQL_VARCHAR, .max_bytes = SQL_MAX_LENGTH), BYTES(""), "A7 FF FF 09 04 D0 00 34",
     "00 00 00 00 00 00 00 00 00 00 00 00", "FF FF FF FF FF FF FF FF"},
    {NULLABLE(SQL_VARBINARY, .max_bytes = SQL_MAX_LENGTH), BYTES("\xFF"), "A5 FF FF",
     "01 00 00 00 00 00 00 00 01 00 00 00 FF 00 00 00 00", "FF FF FF FF FF FF FF FF"},
    {NULLABLE(SQL_XML, ), BYTES("<\0"), "F1 00",
     "02 00 00 00 00 00 00 00 02 00 00 00 3C 00 00 00 00 00", "FF FF FF FF FF FF FF FF"},
    {NULLABLE(SQL_TEXT, ), BYTES("x"), "23 FF FF FF 7F 09 04 D0 00 34 01 00 00",
     "10 64756D6D79207465787470747200000064756D6D79545300 01 00 00 00 78", "00"},
    {NULLABLE(SQL_NTEXT, ), BYTES("x\0"), "63 FE FF FF 7F 09 04 D0 00 34 01 00 00",
     "10 64756D6D79207465787470747200000064756D6D79545300 02 00 00 00 78 00", "00"},
    {NULLABLE(SQL_IMAGE, ), BYTES("x"), "22 FF FF FF 7F 01 00 00",
     "10 64756D6D79207465787470747200000064756D6D79545300 01 00 00 00 78", "00"},
    {NULLABLE(SQL_VARIANT, ), BYTES("v\0"), "62 49 1F 00 00",
     "0B 00 00 00 E7 07 09 04 D0 00 34 40 1F 76 00", "00 00 00 00"},
};

enum { EXAMPLES = sizeof examples / sizeof *examples };

static void
assert_written(const struct tds_type *type, const struct sql_value *value,
               const struct tds_row_format *format, const char *expected)
{
    struct tds_buffer out;
    tds_buffer_init(&out, 65536);
    assert_true(tds_value_write(&out, type, value, format));
    assert_hex(out.bytes, out.length, expected);
    tds_buffer_free(&out);
}

static void
types_are_described_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct tds_type type = tds_type_of(&examples[i].info, false);
        struct tds_buffer out;
        tds_buffer_init(&out, 4096);
        tds_type_write(&out, &type, TDS_IN_RESULT);
        assert_hex(out.bytes, out.length, examples[i].type);
        tds_buffer_free(&out);
    }
}

static void
values_are_written_as_documented(void **state)
{
    (void)state;
    const struct tds_row_format plain = {0};
    const struct sql_value null = {.is_null = true};
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct tds_type type = tds_type_of(&examples[i].info, false);
        assert_written(&type, &examples[i].value, &plain, examples[i].bytes);
        if (examples[i].null != NULL)
            assert_written(&type, &null, &plain, examples[i].null);
    }
}

static void
values_come_back_as_they_went(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct tds_type type = tds_type_of(&examples[i].info, false);
        if (type.info.type == SQL_VARIANT)
            continue; /* never read */
        struct hex written = hex(examples[i].bytes);
        struct tds_reader reader = tds_reader_of(written.bytes, written.length);
        struct tds_arena arena;
        struct sql_value value;
        tds_arena_init(&arena, 4096);
        assert_true(tds_value_read(&reader, &type, TDS_IN_RESULT, &arena, &value));
        assert_int_equal(reader.left, 0);
        const struct sql_value *wanted = &examples[i].value;
        assert_false(value.is_null);
        assert_int_equal(value.days, type.info.type == SQL_TIME ? 0 : wanted->days);
        assert_int_equal(value.offset_minutes, wanted->offset_minutes);
        assert_int_equal(value.negative, wanted->negative);
        assert_memory_equal(value.magnitude, wanted->magnitude, sizeof value.magnitude);
        assert_true(!(value.real < wanted->real) && !(value.real > wanted->real));
        assert_int_equal(value.length, wanted->length);
        if (value.length > 0)
            assert_memory_equal(value.bytes, wanted->bytes, value.length);
        bool cut = type.info.scale < 7 && (type.token == 0x29 || type.token == 0x2A);
        if (!cut && type.info.type != SQL_DATE)
            assert_int_equal(value.integer, wanted->integer);
        tds_arena_free(&arena);
    }
}

static void
a_value_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct tds_type type = tds_type_of(&examples[i].info, false);
        struct hex written = hex(examples[i].bytes);
        for (size_t length = 0; length < written.length; length++) {
            unsigned char *bytes = exact_copy(written.bytes, length);
            struct tds_reader reader = tds_reader_of(bytes, length);
            struct tds_arena arena;
            struct sql_value value;
            tds_arena_init(&arena, 4096);
            assert_false(tds_value_read(&reader, &type, TDS_IN_RESULT, &arena, &value));
            tds_arena_free(&arena);
            free(bytes);
        }
    }
}

static void
a_length_of_unknown_size_comes_in_chunks(void **state)
{
    (void)state;
    const struct sql_typeinfo info = NULLABLE(SQL_VARBINARY, .max_bytes = SQL_MAX_LENGTH);
    const struct tds_type type = tds_type_of(&info, false);
    static const unsigned char zeros[1500];
    struct tds_buffer out;
    tds_buffer_init(&out, 65536);
    assert_true(tds_value_write(&out, &type, &(struct sql_value){.bytes = zeros, .length = 1500},
                                &(struct tds_row_format){.unknown_length = true}));
    assert_int_equal(out.length, 8 + 4 + 999 + 4 + 501 + 4);
    assert_hex(out.bytes, 12, "FE FF FF FF FF FF FF FF E7 03 00 00");
    assert_hex(out.bytes + 8 + 4 + 999, 4, "F5 01 00 00");
    struct tds_reader reader = tds_reader_of(out.bytes, out.length);
    struct tds_arena arena;
    struct sql_value value;
    tds_arena_init(&arena, 65536);
    assert_true(tds_value_read(&reader, &type, TDS_IN_RESULT, &arena, &value));
    assert_int_equal(value.length, 1500);
    tds_arena_free(&arena);
    tds_buffer_free(&out);
}

static void
a_value_that_does_not_fit_its_column_is_not_sent(void **state)
{
    (void)state;
    const struct tds_row_format plain = {0};
    static const struct example bad[] = {
        {NOTNULL(SQL_INT), {.is_null = true}, NULL, NULL, NULL},
        {NULLABLE(SQL_NVARCHAR, .max_bytes = 2), BYTES("a\0b\0"), NULL, NULL, NULL},
        {NULLABLE(SQL_DECIMAL, .precision = 9), {.magnitude = {1, 1}}, NULL, NULL, NULL},
        {NULLABLE(SQL_UNIQUEIDENTIFIER, ), {.bytes = guid, .length = 15}, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct tds_type type = tds_type_of(&bad[i].info, false);
        struct tds_buffer out;
        tds_buffer_init(&out, 4096);
        assert_false(tds_value_write(&out, &type, &bad[i].value, &plain));
        tds_buffer_free(&out);
    }
}

static bool
reads(const char *description, const char *value, enum tds_place place)
{
    struct hex type_bytes = hex(description), value_bytes = hex(value);
    struct tds_reader type_reader = tds_reader_of(type_bytes.bytes, type_bytes.length);
    struct tds_reader reader = tds_reader_of(value_bytes.bytes, value_bytes.length);
    struct tds_arena arena;
    struct tds_type type;
    struct sql_value read;
    tds_arena_init(&arena, 4096);
    bool ok = tds_type_read(&type_reader, place, &type) && type_reader.left == 0 &&
              tds_value_read(&reader, &type, place, &arena, &read) && reader.left == 0;
    tds_arena_free(&arena);
    return ok;
}

static void
parameters_in_their_own_forms_are_read(void **state)
{
    (void)state;
    assert_true(reads("26 04", "04 01 00 00 00", TDS_IN_PARAMETER));
    assert_true(reads("6C 11 12 02", "05 01 01 00 00 00", TDS_IN_PARAMETER));
    assert_true(
        reads("63 04 00 00 00 09 04 D0 00 34", "04 00 00 00 61 00 62 00", TDS_IN_PARAMETER));
    assert_true(reads("63 00 00 00 00 09 04 D0 00 34", "FF FF FF FF", TDS_IN_PARAMETER));
    assert_true(reads("22 04 00 00 00", "01 00 00 00 AA", TDS_IN_PARAMETER));
    assert_true(reads("23 FF FF FF 7F 09 04 D0 00 34 01 00 54 00", "00", TDS_IN_BULK));
    assert_true(reads("E7 40 1F 09 04 D0 00 34", "FF FF", TDS_IN_PARAMETER));
    assert_true(reads("F1 00", "FF FF FF FF FF FF FF FF", TDS_IN_PARAMETER));
    assert_true(reads("62 49 1F 00 00", "00 00 00 00", TDS_IN_PARAMETER));
}

static void
descriptions_and_values_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type, *value;
    } bad[] = {
        {"", ""},
        {"00", ""},
        {"FF", ""},
        {"26", ""},
        {"26 03", "03 01 02 03"},                /* an integer of three bytes */
        {"26 04", "05 01 02 03 04 05"},          /* longer than it was described */
        {"26 04", "02 01 02"},                   /* shorter */
        {"6A 12 12 02", "00"},                   /* a decimal of 18 bytes */
        {"6A 05 27 02", "00"},                   /* precision 39 */
        {"6A 05 04 05", "00"},                   /* scale over precision */
        {"6A 05 09 02", "04 01 01 00 00"},       /* no whole words */
        {"29 08", "00"},                         /* scale 8 */
        {"29 00", "03 80 51 01"},                /* 24:00:00 */
        {"28", "03 FF FF FF"},                   /* after the year 9999 */
        {"6F 08", "08 00 00 00 00 00 82 8B 01"}, /* datetime at 24:00 */
        {"6F 04", "04 00 00 A0 05"},             /* smalldatetime at 24:00 */
        {"24 0F", "00"},                         /* a guid of 15 bytes */
        {"E7 03 00 09 04 D0 00 34", "FF FF"},    /* half a character */
        {"E7 04 00 09 04 D0 00 34", "03 00 61 00 62"},
        {"E7 02 00 09 04 D0 00 34", "04 00 61 00 62 00"},
        {"A7 41 1F 09 04 D0 00 34", "FF FF"},                               /* 8001 bytes */
        {"AF FF FF 09 04 D0 00 34", "FF FF"},                               /* char(max) */
        {"E7 FF FF 09 04 D0 00 34", "02 00 00 00 00 00 00 00 00 00 00 00"}, /* says 2, brings 0 */
        {"A5 FF FF", "FE FF FF FF FF FF FF FF FF FF FF 7F 00"},             /* a chunk of 2 GiB */
        {"A5 FF FF", "00 00 00 00 00 00 00 40 01 00 00 00 00 00 00 00 00"}, /* says 2^62 */
        {"63 00 00 00 00 09 04 D0 00 34", "FE FF FF FF 00"},
        {"62 49 1F 00 00", "0B 00 00 00 E7"}, /* a variant with a value */
        {"F0 00 00", "00"},                   /* a user-defined type */
        {"F3 00 00 00", "00"},                /* a table */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(reads(bad[i].type, bad[i].value, TDS_IN_PARAMETER));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_described_as_documented),
        cmocka_unit_test(values_are_written_as_documented),
        cmocka_unit_test(values_come_back_as_they_went),
        cmocka_unit_test(a_value_cut_anywhere_is_refused),
        cmocka_unit_test(a_length_of_unknown_size_comes_in_chunks),
        cmocka_unit_test(a_value_that_does_not_fit_its_column_is_not_sent),
        cmocka_unit_test(parameters_in_their_own_forms_are_read),
        cmocka_unit_test(descriptions_and_values_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
