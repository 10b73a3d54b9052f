#include "tds/packet.h"
#include "tests/tds_hex.h"

static void
a_header_is_read_big_endian(void **state)
{
    (void)state;
    struct tds_packet packet;
    assert_true(tds_packet_parse(hex("01 09 01 5C 00 33 07 00").bytes, &packet));
    assert_int_equal(packet.type, TDS_PACKET_BATCH);
    assert_int_equal(packet.status, TDS_STATUS_LAST | TDS_STATUS_RESET);
    assert_int_equal(packet.length, 0x15C);
    assert_int_equal(packet.spid, 51);
    assert_int_equal(packet.id, 7);
}

static void
a_header_is_written_as_it_is_read(void **state)
{
    (void)state;
    unsigned char bytes[TDS_HEADER_BYTES];
    tds_packet_write(&(struct tds_packet){.type = 4, .status = 1, .length = 0x1234, .spid = 0x102},
                     bytes);
    assert_hex(bytes, sizeof bytes, "04 01 12 34 01 02 00 00");
}

static void
a_length_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct tds_packet packet;
    const char *const bad[] = {"01 01 00 00 00 00 01 00", "01 01 00 07 00 00 01 00",
                               "01 01 80 00 00 00 01 00", "01 01 FF FF 00 00 01 00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(tds_packet_parse(hex(bad[i]).bytes, &packet));
    assert_true(tds_packet_parse(hex("01 01 00 08 00 00 01 00").bytes, &packet));
    assert_true(tds_packet_parse(hex("01 01 7F FF 00 00 01 00").bytes, &packet));
}

static void
packet_sizes_stay_within_their_limits(void **state)
{
    (void)state;
    assert_int_equal(tds_packet_size(0), 4096);
    assert_int_equal(tds_packet_size(1), 512);
    assert_int_equal(tds_packet_size(512), 512);
    assert_int_equal(tds_packet_size(16000), 16000);
    assert_int_equal(tds_packet_size(32767), 32767);
    assert_int_equal(tds_packet_size(32768), 32767);
    assert_int_equal(tds_packet_size(UINT32_MAX), 32767);
}

static enum tds_assembly
add(struct tds_message_state *state, uint8_t type, uint8_t status, uint16_t length)
{
    const struct tds_packet packet = {.type = type, .status = status, .length = length};
    return tds_message_add(state, &packet, 100);
}

static void
packets_become_a_message_at_the_last_one(void **state)
{
    (void)state;
    struct tds_message_state message = {0};
    assert_int_equal(add(&message, 1, TDS_STATUS_RESET, 58), TDS_ASSEMBLY_MORE);
    assert_int_equal(add(&message, 1, TDS_STATUS_LAST, 58), TDS_ASSEMBLY_COMPLETE);
    assert_int_equal(message.length, 100);
    assert_int_equal(message.status, TDS_STATUS_RESET);
}

static void
a_message_that_changes_its_type_is_refused(void **state)
{
    (void)state;
    struct tds_message_state message = {0};
    assert_int_equal(add(&message, 1, 0, 20), TDS_ASSEMBLY_MORE);
    assert_int_equal(add(&message, 3, 1, 20), TDS_ASSEMBLY_BAD);
}

static void
a_message_over_the_maximum_is_refused(void **state)
{
    (void)state;
    struct tds_message_state message = {0};
    assert_int_equal(add(&message, 1, 0, 108), TDS_ASSEMBLY_MORE);
    assert_int_equal(add(&message, 1, 1, 9), TDS_ASSEMBLY_BAD);
}

static void
a_withdrawn_message_is_told_apart(void **state)
{
    (void)state;
    struct tds_message_state message = {0};
    assert_int_equal(add(&message, 1, TDS_STATUS_LAST | TDS_STATUS_IGNORE, 8), TDS_ASSEMBLY_IGNORE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_big_endian),
        cmocka_unit_test(a_header_is_written_as_it_is_read),
        cmocka_unit_test(a_length_that_cannot_be_is_refused),
        cmocka_unit_test(packet_sizes_stay_within_their_limits),
        cmocka_unit_test(packets_become_a_message_at_the_last_one),
        cmocka_unit_test(a_message_that_changes_its_type_is_refused),
        cmocka_unit_test(a_message_over_the_maximum_is_refused),
        cmocka_unit_test(a_withdrawn_message_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
