#include "tds/login7.h"
#include "tests/tds_hex.h"

/* [MS-TDS] 4.2, without the packet header: skostov1, sa, no password, OSQL-32, ODBC. */
#define DOCUMENTED                                                                                 \
    "88 00 00 00 02 00 09 72 00 10 00 00 00 00 00 07 00 01 00 00 00 00 00 00 E0 03 00 00 00 00 "   \
    "00 00 09 04 00 00 5E 00 08 00 6E 00 02 00 72 00 00 00 72 00 07 00 80 00 00 00 80 00 00 00 "   \
    "80 00 04 00 88 00 00 00 88 00 00 00 00 50 8B E2 B7 8F 88 00 00 00 88 00 00 00 88 00 00 00 "   \
    "00 00 00 00 73 00 6B 00 6F 00 73 00 74 00 6F 00 76 00 31 00 73 00 61 00 4F 00 53 00 51 00 "   \
    "4C 00 2D 00 33 00 32 00 4F 00 44 00 42 00 43 00"

static void
put16(unsigned char *at, size_t value)
{
    at[0] = (unsigned char)(value & 0xFF);
    at[1] = (unsigned char)(value >> 8);
}

static bool
parse(const struct hex *message, struct tds_login7 *ret)
{
    unsigned char *bytes = exact_copy(message->bytes, message->length);
    bool ok = tds_login7_parse(bytes, message->length, ret);
    free(bytes);
    return ok;
}

/* The documented login with `more` bytes at its end, where a test points fields to. */
static struct hex
longer(const char *more)
{
    struct hex message = hex(DOCUMENTED), tail = hex(more);
    memcpy(message.bytes + message.length, tail.bytes, tail.length);
    message.length += tail.length;
    put16(message.bytes, message.length);
    return message;
}

static void
the_documented_login_is_understood(void **state)
{
    (void)state;
    struct hex message = hex(DOCUMENTED);
    struct tds_login7 login;
    assert_true(parse(&message, &login));
    assert_int_equal(login.tds_version, 0x72090002);
    assert_int_equal(login.packet_size, 4096);
    assert_string_equal(login.host, "skostov1");
    assert_string_equal(login.user, "sa");
    assert_string_equal(login.password, "");
    assert_string_equal(login.application, "OSQL-32");
    assert_string_equal(login.library, "ODBC");
    assert_string_equal(login.database, "");
    assert_true(login.odbc);
    assert_false(login.integrated);
    assert_false(login.read_only);
    assert_false(login.utf8_asked);
}

static void
a_password_is_unscrambled(void **state)
{
    (void)state;
    /* Every byte: nibbles swapped, then XOR 0xA5. "Ab1" = 41 00 62 00 31 00. */
    struct hex message = longer("B1 A5 83 A5 B6 A5");
    put16(message.bytes + 44, 0x88);
    put16(message.bytes + 46, 3);
    struct tds_login7 login;
    assert_true(parse(&message, &login));
    assert_string_equal(login.password, "Ab1");
    tds_login7_wipe(&login);
    assert_memory_equal(login.password, "\0\0\0\0", 4);
}

static void
flags_are_read(void **state)
{
    (void)state;
    struct hex message = hex(DOCUMENTED);
    message.bytes[25] = 0x81;
    message.bytes[26] = 0x20;
    struct tds_login7 login;
    assert_true(parse(&message, &login));
    assert_false(login.odbc);
    assert_true(login.integrated);
    assert_true(login.read_only);
}

static void
features_are_found_behind_their_double_pointer(void **state)
{
    (void)state;
    struct hex message = longer("8C 00 00 00 02 02 00 00 00 AA BB 0A 01 00 00 00 01 FF");
    message.bytes[27] |= 0x10;
    put16(message.bytes + 56, 0x88);
    put16(message.bytes + 58, 4);
    struct tds_login7 login;
    assert_true(parse(&message, &login));
    assert_true(login.utf8_asked);
    assert_true(login.federated_asked);
}

static void
feature_lists_without_an_end_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "8C 00 00 00 0A 01 00 00 00 01",    /* no end mark */
        "8C 00 00 00 0A FF FF FF FF 01 FF", /* a length of 4 GiB */
        "FF FF FF FF FF",                   /* a list far outside */
        "00 00 00 00 FF",                   /* a list within the fixed part */
        "8C 00 00",                         /* half a pointer */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hex message = longer(bad[i]);
        message.bytes[27] |= 0x10;
        put16(message.bytes + 56, 0x88);
        put16(message.bytes + 58, 4);
        struct tds_login7 login;
        assert_false(parse(&message, &login));
    }
}

static void
a_login_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct hex message = hex(DOCUMENTED);
    for (size_t length = 0; length < message.length; length++) {
        struct tds_login7 login;
        unsigned char *bytes = exact_copy(message.bytes, length);
        assert_false(tds_login7_parse(bytes, length, &login));
        if (length >= 4) { /* a length that agrees does not help: the fields lie outside */
            put16(bytes, length);
            assert_false(tds_login7_parse(bytes, length, &login));
        }
        free(bytes);
    }
}

static void
every_field_that_points_outside_is_refused(void **state)
{
    (void)state;
    static const size_t pairs[] = {36, 40, 44, 48, 52, 60, 64, 68, 78, 82, 86};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        static const struct {
            unsigned offset, count;
        } bad[] = {{0xFFFF, 1}, {0x88, 1}, {0x87, 1}, {0x5E, 0xFFFF}, {0x5E, 22}, {0, 4}, {93, 1}};
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            /* SSPI counts bytes: 22 of them are there. */
            if (pairs[i] == 78 && (bad[k].count == 22 || bad[k].offset == 0x87))
                continue;
            struct hex message = hex(DOCUMENTED);
            struct tds_login7 login;
            put16(message.bytes + pairs[i], bad[k].offset);
            put16(message.bytes + pairs[i] + 2, bad[k].count);
            assert_false(parse(&message, &login));
        }
    }
}

static void
a_field_of_more_than_128_characters_is_refused(void **state)
{
    (void)state;
    struct hex message = hex(DOCUMENTED);
    memset(message.bytes + message.length, 0, 400);
    message.length += 400;
    put16(message.bytes, message.length);
    struct tds_login7 login;
    put16(message.bytes + 42, 128);
    assert_true(parse(&message, &login));
    put16(message.bytes + 42, 129);
    assert_false(parse(&message, &login));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_login_is_understood),
        cmocka_unit_test(a_password_is_unscrambled),
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(features_are_found_behind_their_double_pointer),
        cmocka_unit_test(feature_lists_without_an_end_are_refused),
        cmocka_unit_test(a_login_cut_anywhere_is_refused),
        cmocka_unit_test(every_field_that_points_outside_is_refused),
        cmocka_unit_test(a_field_of_more_than_128_characters_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
