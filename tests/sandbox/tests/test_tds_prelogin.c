#include "tds/prelogin.h"
#include "tests/tds_hex.h"

/* [MS-TDS] 4.1, without the packet header. */
#define DOCUMENTED                                                                                 \
    "00 00 1A 00 06 01 00 20 00 01 02 00 21 00 01 03 00 22 00 04 04 00 26 00 01 FF "               \
    "09 00 00 00 00 00 01 00 B8 0D 00 00 01"

static bool
parse(const char *text, struct tds_prelogin *ret)
{
    struct hex message = hex(text);
    unsigned char *bytes = exact_copy(message.bytes, message.length);
    bool ok = tds_prelogin_parse(bytes, message.length, ret);
    free(bytes);
    return ok;
}

static void
the_documented_request_is_understood(void **state)
{
    (void)state;
    struct tds_prelogin client;
    assert_true(parse(DOCUMENTED, &client));
    assert_hex(client.version, sizeof client.version, "09 00 00 00 00 00");
    assert_int_equal(client.encryption, TDS_ENCRYPT_ON);
    assert_true(client.mars);
    assert_false(client.has_federated);
}

static void
a_request_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct hex message = hex(DOCUMENTED);
    for (size_t length = 0; length < message.length; length++) {
        struct tds_prelogin client;
        unsigned char *bytes = exact_copy(message.bytes, length);
        assert_false(tds_prelogin_parse(bytes, length, &client));
        free(bytes);
    }
}

static void
offsets_that_lie_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",                                 /* nothing */
        "01 00 06 00 01",                   /* no end mark */
        "01 00 07 00 01 FF 01",             /* offset at the end */
        "01 FF FF 00 01 FF 01",             /* offset far outside */
        "01 00 06 FF FF FF 01",             /* length far outside */
        "01 00 06 00 02 FF 01",             /* one byte too many */
        "01 00 06 00 00 FF 01",             /* encryption without a byte */
        "00 00 06 00 01 FF 01",             /* a version of one byte */
        "16 03 01 00 FA 01 00 00 F6 03 03", /* a TLS client hello */
        "47 45 54 20 2F 20 48 54 54 50 2F", /* GET / HTTP/ */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tds_prelogin client;
        assert_false(parse(bad[i], &client));
    }
}

static void
a_client_that_does_not_say_is_taken_for_one_without_encryption(void **state)
{
    (void)state;
    struct tds_prelogin client;
    assert_true(parse("FF", &client));
    assert_int_equal(client.encryption, TDS_ENCRYPT_NOT_SUP);
}

static void
encryption_is_negotiated_by_the_table(void **state)
{
    (void)state;
    static const uint8_t expected[3][4] = {
        [TDS_ENCRYPTION_NONE] = {2, 2, 2, 2},
        [TDS_ENCRYPTION_OPTIONAL] = {0, 1, 2, 1},
        [TDS_ENCRYPTION_REQUIRED] = {3, 1, 3, 1},
    };
    for (unsigned policy = 0; policy < 3; policy++) {
        uint8_t answer = 99;
        for (uint8_t client = 0; client < 4; client++) {
            assert_true(tds_prelogin_negotiate((enum tds_encryption)policy, client, &answer));
            assert_int_equal(answer, expected[policy][client]);
        }
        assert_false(tds_prelogin_negotiate((enum tds_encryption)policy, 4, &answer));
        assert_false(tds_prelogin_negotiate((enum tds_encryption)policy, 0x80, &answer));
    }
}

static void
assert_answer(const char *request, uint8_t encryption, const char *expected)
{
    struct tds_prelogin client;
    struct tds_buffer out;
    tds_buffer_init(&out, 4096);
    assert_true(parse(request, &client));
    tds_prelogin_write(&out, &client, encryption);
    assert_hex(out.bytes, out.length, expected);
    tds_buffer_free(&out);
}

static void
the_answer_has_the_layout_of_the_documented_one(void **state)
{
    (void)state;
    /* [MS-TDS] 4.1's answer, with another version and without MARS. */
    assert_answer(DOCUMENTED, TDS_ENCRYPT_OFF,
                  "00 00 1A 00 06 01 00 20 00 01 02 00 21 00 01 03 00 22 00 00 04 00 22 00 01 FF "
                  "0F 00 07 D0 00 00 00 00 00");
}

static void
federated_authentication_is_answered_when_it_was_asked(void **state)
{
    (void)state;
    assert_answer("06 00 06 00 01 FF 01", TDS_ENCRYPT_REQ,
                  "00 00 1F 00 06 01 00 25 00 01 02 00 26 00 01 03 00 27 00 00 04 00 27 00 01 "
                  "06 00 28 00 01 FF 0F 00 07 D0 00 00 03 00 00 01");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_request_is_understood),
        cmocka_unit_test(a_request_cut_anywhere_is_refused),
        cmocka_unit_test(offsets_that_lie_are_refused),
        cmocka_unit_test(a_client_that_does_not_say_is_taken_for_one_without_encryption),
        cmocka_unit_test(encryption_is_negotiated_by_the_table),
        cmocka_unit_test(the_answer_has_the_layout_of_the_documented_one),
        cmocka_unit_test(federated_authentication_is_answered_when_it_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
