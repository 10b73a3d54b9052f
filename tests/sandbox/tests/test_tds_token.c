#include "tds/token.h"
#include "tests/tds_hex.h"

static struct tds_buffer out;

static int
begin(void **state)
{
    (void)state;
    tds_buffer_init(&out, 65536);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    tds_buffer_free(&out);
    return 0;
}

static void
assert_out(const char *expected)
{
    assert_false(out.failed);
    assert_hex(out.bytes, out.length, expected);
}

/* [MS-TDS] 4.3, the answer to a login, is where the next five come from. */
static void
the_database_is_told_as_documented(void **state)
{
    (void)state;
    tds_put_env_text(&out, TDS_ENV_DATABASE, "master", "master");
    assert_out(
        "E3 1B 00 01 06 6D 00 61 00 73 00 74 00 65 00 72 00 06 6D 00 61 00 73 00 74 00 65 00 "
        "72 00");
}

static void
the_collation_is_told_as_documented(void **state)
{
    (void)state;
    tds_put_env_collation(&out);
    assert_out("E3 08 00 07 05 09 04 D0 00 34 00");
}

static void
the_packet_size_is_told_as_documented(void **state)
{
    (void)state;
    tds_put_env_text(&out, TDS_ENV_PACKET_SIZE, "4096", "4096");
    assert_out("E3 13 00 04 04 34 00 30 00 39 00 36 00 04 34 00 30 00 39 00 36 00");
}

static void
the_login_is_acknowledged_with_a_big_endian_version(void **state)
{
    (void)state;
    tds_put_login_ack(&out, 0x74000004);
    assert_out("AD 32 00 01 74 00 00 04 14 4D 00 69 00 63 00 72 00 6F 00 73 00 6F 00 66 00 74 00 "
               "20 00 53 00 51 00 4C 00 20 00 53 00 65 00 72 00 76 00 65 00 72 00 0F 00 07 D0");
}

static void
a_done_has_a_count_of_eight_bytes(void **state)
{
    (void)state;
    tds_put_done(&out, TDS_TOKEN_DONE, TDS_DONE_COUNT | TDS_DONE_MORE, 0xC1, 0x0102030405);
    assert_out("FD 11 00 C1 00 05 04 03 02 01 00 00 00");
}

static void
transactions_are_told_with_eight_bytes(void **state)
{
    (void)state;
    tds_put_env_transaction(&out, TDS_ENV_BEGIN, 0x0807060504030201);
    tds_put_env_transaction(&out, TDS_ENV_COMMIT, 0x0807060504030201);
    tds_put_env_transaction(&out, TDS_ENV_ROLLBACK, 1);
    assert_out("E3 0B 00 08 08 01 02 03 04 05 06 07 08 00 "
               "E3 0B 00 09 00 08 01 02 03 04 05 06 07 08 "
               "E3 0B 00 0A 00 08 01 00 00 00 00 00 00 00");
}

static void
a_reset_is_told(void **state)
{
    (void)state;
    tds_put_env_reset(&out);
    assert_out("E3 03 00 12 00 00");
}

static void
routing_has_a_length_of_two_bytes(void **state)
{
    (void)state;
    tds_put_env_routing(&out, "ab", 1433);
    assert_out("E3 0E 00 14 09 00 00 99 05 02 00 61 00 62 00 00 00");
}

static void
features_are_acknowledged_with_an_end(void **state)
{
    (void)state;
    tds_put_feature_ack(&out);
    assert_out("AE 0A 01 00 00 00 00 FF");
}

static void
an_error_and_an_information_differ_in_their_token(void **state)
{
    (void)state;
    const struct tds_message error = {
        .number = 208, .severity = 16, .state = 1, .text = "a", .procedure = "p", .line = 258};
    const struct tds_message info = {.number = -1, .severity = 10, .state = 2, .text = ""};
    tds_put_message(&out, &error);
    tds_put_message(&out, &info);
    assert_out(
        "AA 28 00 D0 00 00 00 01 10 01 00 61 00 "
        "0B 53 00 41 00 4E 00 44 00 42 00 4F 00 58 00 2D 00 53 00 51 00 4C 00 01 70 00 02 01 00 00 "
        "AB 24 00 FF FF FF FF 02 0A 00 00 "
        "0B 53 00 41 00 4E 00 44 00 42 00 4F 00 58 00 2D 00 53 00 51 00 4C 00 00 00 00 00 00");
}

static void
a_text_too_long_for_a_token_is_cut(void **state)
{
    (void)state;
    char text[40001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    tds_put_message(&out, &(struct tds_message){.severity = 16, .text = text});
    assert_false(out.failed);
    assert_int_equal(out.bytes[1] | (out.bytes[2] << 8), out.length - 3);
    assert_hex(out.bytes + 9, 2, "FF 07");
}

/* [MS-TDS] 4.7: select 'foo' as 'bar'. */
static void
the_documented_result_set_is_written(void **state)
{
    (void)state;
    static const uint16_t name[] = {'b', 'a', 'r'};
    const struct sql_column column = {
        .name = name,
        .name_units = 3,
        .type = {.type = SQL_VARCHAR, .max_bytes = 3, .computed = true},
    };
    const struct tds_type type = tds_type_of(&column.type, false);
    const struct sql_value value = {.bytes = (const unsigned char *)"foo", .length = 3};
    size_t bad = 0;
    tds_put_columns(&out, &column, &type, 1);
    assert_true(tds_put_row(&out, &type, &value, 1, (struct tds_row_format){0}, &bad));
    tds_put_done(&out, TDS_TOKEN_DONE, TDS_DONE_COUNT, 0xC1, 1);
    assert_out("81 01 00 00 00 00 00 20 00 A7 03 00 09 04 D0 00 34 03 62 00 61 00 72 00 "
               "D1 03 00 66 6F 6F FD 10 00 C1 00 01 00 00 00 00 00 00 00");
}

static void
columns_say_what_they_are(void **state)
{
    (void)state;
    static const uint16_t name[] = {'k'};
    const struct sql_column columns[] = {
        {.name = name, .name_units = 1, .type = {.type = SQL_INT, .identity = true}},
        {.type = {.type = SQL_ROWVERSION}},
        {.name = name, .name_units = 1, .type = {.type = SQL_DATE, .nullable = true}},
    };
    struct tds_type types[3];
    for (size_t i = 0; i < 3; i++)
        types[i] = tds_type_of(&columns[i].type, false);
    tds_put_columns(&out, columns, types, 3);
    assert_out("81 03 00 00 00 00 00 10 00 38 01 6B 00 "
               "50 00 00 00 08 00 AD 08 00 00 "
               "00 00 00 00 09 00 28 01 6B 00");
}

static void
nulls_can_go_in_a_bitmap(void **state)
{
    (void)state;
    const struct sql_typeinfo info = {.type = SQL_TINYINT, .nullable = true};
    struct tds_type types[9];
    struct sql_value values[9] = {{0}};
    for (size_t i = 0; i < 9; i++) {
        types[i] = tds_type_of(&info, false);
        values[i].is_null = i != 1 && i != 8;
        values[i].integer = (int64_t)i;
    }
    size_t bad = 0;
    assert_true(tds_put_row(&out, types, values, 9,
                            (struct tds_row_format){.nulls_in_bitmap = true}, &bad));
    assert_out("D2 FD 00 01 01 01 08");
}

static void
only_one_length_is_absurd(void **state)
{
    (void)state;
    const struct sql_typeinfo info = {.type = SQL_VARCHAR, .max_bytes = 5, .nullable = true};
    const struct tds_type types[] = {tds_type_of(&info, false), tds_type_of(&info, false)};
    const struct sql_value values[] = {{.bytes = (const unsigned char *)"a", .length = 1},
                                       {.bytes = (const unsigned char *)"b", .length = 1}};
    size_t bad = 0;
    assert_true(
        tds_put_row(&out, types, values, 2, (struct tds_row_format){.absurd_length = true}, &bad));
    assert_out("D1 FE FF 61 01 00 62");
}

static void
a_row_says_which_value_does_not_fit(void **state)
{
    (void)state;
    const struct sql_typeinfo info = {.type = SQL_INT};
    const struct tds_type types[] = {tds_type_of(&info, false), tds_type_of(&info, false)};
    const struct sql_value values[] = {{.integer = 1}, {.is_null = true}};
    size_t bad = 99;
    assert_false(tds_put_row(&out, types, values, 2, (struct tds_row_format){0}, &bad));
    assert_int_equal(bad, 1);
}

static void
a_procedure_returns_a_status_and_values(void **state)
{
    (void)state;
    static const uint16_t name[] = {'@', 'h'};
    const struct sql_column column = {.name = name, .name_units = 2, .type = {.type = SQL_INT}};
    tds_put_return_status(&out, -6);
    assert_true(tds_put_return_value(&out, 3, &column, &(struct sql_value){.integer = 7}));
    assert_out("79 FA FF FF FF AC 03 00 02 40 00 68 00 01 00 00 00 00 01 00 26 04 04 07 00 00 00");
}

int
main(void)
{
#define TOKEN_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        TOKEN_TEST(the_database_is_told_as_documented),
        TOKEN_TEST(the_collation_is_told_as_documented),
        TOKEN_TEST(the_packet_size_is_told_as_documented),
        TOKEN_TEST(the_login_is_acknowledged_with_a_big_endian_version),
        TOKEN_TEST(a_done_has_a_count_of_eight_bytes),
        TOKEN_TEST(transactions_are_told_with_eight_bytes),
        TOKEN_TEST(a_reset_is_told),
        TOKEN_TEST(routing_has_a_length_of_two_bytes),
        TOKEN_TEST(features_are_acknowledged_with_an_end),
        TOKEN_TEST(an_error_and_an_information_differ_in_their_token),
        TOKEN_TEST(a_text_too_long_for_a_token_is_cut),
        TOKEN_TEST(the_documented_result_set_is_written),
        TOKEN_TEST(columns_say_what_they_are),
        TOKEN_TEST(nulls_can_go_in_a_bitmap),
        TOKEN_TEST(only_one_length_is_absurd),
        TOKEN_TEST(a_row_says_which_value_does_not_fit),
        TOKEN_TEST(a_procedure_returns_a_status_and_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
