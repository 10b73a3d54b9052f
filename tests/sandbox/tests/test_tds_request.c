#include "tds/bulk.h"
#include "tds/request.h"
#include "tds/rpc.h"
#include "tds/text.h"
#include "tests/tds_hex.h"

#define HEADERS "16 00 00 00 12 00 00 00 02 00 00 00 00 00 00 00 00 00 01 00 00 00 "

static bool
headers(const char *text, uint64_t *ret)
{
    struct hex message = hex(text);
    struct tds_reader reader = tds_reader_of(message.bytes, message.length);
    return tds_headers_read(&reader, ret);
}

static void
a_transaction_descriptor_is_found_in_the_headers(void **state)
{
    (void)state;
    uint64_t transaction = 99;
    assert_true(headers(HEADERS "00", &transaction));
    assert_int_equal(transaction, 0);
    assert_true(headers("1E 00 00 00 08 00 00 00 01 00 AA BB "
                        "12 00 00 00 02 00 67 45 23 01 00 00 00 00 01 00 00 00",
                        &transaction));
    assert_int_equal(transaction, 0x01234567);
    assert_true(headers("04 00 00 00", &transaction));
    assert_int_equal(transaction, 0);
}

static void
headers_that_lie_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "03 00 00 00",
        "16 00 00 00",
        "FF FF FF FF",
        "00 00 00 00 00",
        "0A 00 00 00 05 00 00 00 02 00", /* a header shorter than its own head */
        "0A 00 00 00 FF FF FF FF 02 00", /* longer than all of them */
        "0A 00 00 00 06 00 00 00 02 00", /* a descriptor without a descriptor */
        "06 00 00 00 01 00",             /* half a header */
    };
    uint64_t transaction;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(headers(bad[i], &transaction));
}

static bool
manager(const char *text, struct tds_manager_request *ret)
{
    struct hex message = hex(text);
    struct tds_reader reader = tds_reader_of(message.bytes, message.length);
    return tds_manager_read(&reader, ret);
}

static void
transaction_manager_requests_are_read(void **state)
{
    (void)state;
    struct tds_manager_request request;
    assert_true(manager("05 00 02 04 61 00 62 00", &request));
    assert_int_equal(request.kind, TDS_MANAGER_BEGIN);
    assert_int_equal(request.isolation, 2);
    assert_string_equal(request.name, "ab");
    assert_true(manager("07 00 00 00", &request));
    assert_int_equal(request.kind, TDS_MANAGER_COMMIT);
    assert_false(request.begin_next);
    assert_true(manager("08 00 00 01 04 00", &request));
    assert_true(request.begin_next);
    assert_int_equal(request.next_isolation, 4);
    assert_true(manager("09 00 02 73 00", &request));
    assert_string_equal(request.name, "s");
    assert_true(manager("00 00", &request));
    static const char *const bad[] = {
        "", "05", "05 00", "05 00 00", "05 00 00 04 61 00", "07 00 00", "08 00 00 01", "09 00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(manager(bad[i], &request));
}

static void
isolation_levels_have_their_words(void **state)
{
    (void)state;
    assert_string_equal(tds_isolation_sql(0), "");
    assert_string_equal(tds_isolation_sql(4), "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    assert_null(tds_isolation_sql(6));
    assert_null(tds_isolation_sql(255));
}

static void
a_commit_is_known_by_its_first_word(void **state)
{
    (void)state;
    static const char *const yes[] = {"COMMIT",
                                      "commit;",
                                      " \r\n\tCommit Tran",
                                      "-- x\nCOMMIT",
                                      "/* a */ ; /* b */COMMIT TRANSACTION",
                                      "commit--x"};
    static const char *const no[] = {"",           "COMMITS",          "-- COMMIT",
                                     "/* COMMIT",  "SELECT 1; COMMIT", "COMMI",
                                     "COMMIT_ALL", "ROLLBACK /*COMMIT"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(tds_is_commit(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(tds_is_commit(no[i]));
}

static enum tds_rpc_result
rpc(const char *text, struct tds_arena *arena, struct tds_rpc *ret, size_t *ret_left)
{
    struct hex message = hex(text);
    /* In the arena: what the call's values borrow lives as long as they do. */
    unsigned char *bytes = tds_arena_get(arena, message.length + 1, 1);
    memcpy(bytes, message.bytes, message.length);
    struct tds_reader reader = tds_reader_of(bytes, message.length);
    enum tds_rpc_result result = tds_rpc_read(&reader, arena, ret);
    *ret_left = reader.left;
    return result;
}

/* [MS-TDS] 4.8, without its headers: foo3 with one parameter. */
static void
the_documented_call_is_understood(void **state)
{
    (void)state;
    struct tds_arena arena;
    struct tds_rpc call;
    size_t left;
    tds_arena_init(&arena, 65536);
    assert_int_equal(
        rpc("04 00 66 00 6F 00 6F 00 33 00 00 00 00 02 26 02 00", &arena, &call, &left),
        TDS_RPC_OK);
    assert_int_equal(left, 0);
    assert_int_equal(call.procedure, TDS_PROCEDURE_BY_NAME);
    assert_string_equal(call.name, "foo3");
    assert_int_equal(call.count, 1);
    assert_int_equal(call.parameters[0].column.name_units, 0);
    assert_int_equal(call.parameters[0].column.type.type, SQL_SMALLINT);
    assert_true(call.parameters[0].value.is_null);
    assert_false(call.parameters[0].output);
    tds_arena_free(&arena);
}

static void
a_call_by_number_with_a_text_and_an_output(void **state)
{
    (void)state;
    struct tds_arena arena;
    struct tds_rpc call;
    size_t left;
    tds_arena_init(&arena, 65536);
    assert_int_equal(rpc("FF FF 0A 00 00 00 "
                         "00 00 E7 40 1F 09 04 D0 00 34 02 00 78 00 "
                         "02 40 00 6F 00 01 26 04 04 07 00 00 00 "
                         "FF FF FF 0F 00 00 00",
                         &arena, &call, &left),
                     TDS_RPC_OK);
    assert_int_equal(left, 6); /* the next call */
    assert_int_equal(call.procedure, TDS_SP_EXECUTESQL);
    assert_int_equal(call.count, 2);
    assert_int_equal(call.parameters[0].value.length, 2);
    assert_int_equal(call.parameters[1].column.name[1], 'o');
    assert_true(call.parameters[1].output);
    assert_int_equal(call.parameters[1].value.integer, 7);
    tds_arena_free(&arena);
}

static void
system_procedures_are_known_by_name_too(void **state)
{
    (void)state;
    struct tds_arena arena;
    struct tds_rpc call;
    size_t left;
    tds_arena_init(&arena, 65536);
    assert_int_equal(rpc("0C 00 73 00 70 00 5F 00 55 00 6E 00 70 00 72 00 65 00 70 00 61 00 72 00 "
                         "65 00 00 00",
                         &arena, &call, &left),
                     TDS_RPC_OK);
    assert_int_equal(call.procedure, TDS_SP_UNPREPARE);
    tds_arena_free(&arena);
}

static void
malformed_calls_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        enum tds_rpc_result result;
    } bad[] = {
        {"", TDS_RPC_BROKEN},
        {"00 00 00 00", TDS_RPC_BROKEN},
        {"FF FF 00 00 00 00", TDS_RPC_BROKEN},
        {"FF FF 0A", TDS_RPC_BROKEN},
        {"FF FF 0A 00 00", TDS_RPC_BROKEN},
        {"10 00 61 00", TDS_RPC_BROKEN},
        {"FE FF 61 00", TDS_RPC_BROKEN},
        {"FF FF 0A 00 00 00 05 61 00", TDS_RPC_BROKEN},
        {"FF FF 0A 00 00 00 00 00 26 04 04 01", TDS_RPC_BROKEN},
        {"FF FF 0A 00 00 00 00 00 26 04 03 01 02 03", TDS_RPC_BROKEN},
        {"FF FF 0A 00 00 00 00 00 F3 00", TDS_RPC_UNKNOWN_TYPE},
        {"FF FF 0A 00 00 00 00 00 01", TDS_RPC_UNKNOWN_TYPE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tds_arena arena;
        struct tds_rpc call;
        size_t left;
        tds_arena_init(&arena, 65536);
        assert_int_equal(rpc(bad[i].bytes, &arena, &call, &left), bad[i].result);
        tds_arena_free(&arena);
    }
}

static void
a_call_with_too_many_parameters_is_refused(void **state)
{
    (void)state;
    enum { COUNT = 2101, EACH = 4 };
    static unsigned char bytes[6 + COUNT * EACH] = {0xFF, 0xFF, 0x0A};
    for (size_t i = 0; i < COUNT; i++)
        memcpy(bytes + 6 + i * EACH, "\0\0\x30\x05", EACH);
    struct tds_arena arena;
    struct tds_rpc call;
    tds_arena_init(&arena, 4u << 20);
    struct tds_reader reader = tds_reader_of(bytes, sizeof bytes);
    assert_int_equal(tds_rpc_read(&reader, &arena, &call), TDS_RPC_BROKEN);
    reader = tds_reader_of(bytes, sizeof bytes - EACH);
    assert_int_equal(tds_rpc_read(&reader, &arena, &call), TDS_RPC_OK);
    assert_int_equal(call.count, 2100);
    assert_int_equal(call.parameters[2099].value.integer, 5);
    tds_arena_free(&arena);
}

/* The stream of [MS-TDS] 4.11: a bit column c1 and one row. With and without the DONE at its end.
 */
static void
a_bulk_load_ends_with_or_without_a_done(void **state)
{
    (void)state;
    static const char *const streams[] = {
        "81 01 00 00 00 00 00 05 00 32 02 63 00 31 00 D1 01 FD 00 00 00 00 00 00 00 00 00 00 00 00",
        "81 01 00 00 00 00 00 05 00 32 02 63 00 31 00 D1 01",
    };
    for (size_t i = 0; i < 2; i++) {
        struct hex stream = hex(streams[i]);
        struct tds_reader reader = tds_reader_of(stream.bytes, stream.length);
        struct tds_arena arena;
        struct tds_bulk bulk;
        struct sql_value value;
        tds_arena_init(&arena, 65536);
        assert_true(tds_bulk_columns(&reader, &arena, &bulk));
        assert_int_equal(bulk.count, 1);
        assert_int_equal(bulk.columns[0].type.type, SQL_BIT);
        assert_true(bulk.columns[0].type.nullable);
        assert_int_equal(bulk.columns[0].name[1], '1');
        assert_int_equal(tds_bulk_row(&reader, &bulk, &arena, &value), TDS_BULK_ROW);
        assert_int_equal(value.integer, 1);
        assert_int_equal(tds_bulk_row(&reader, &bulk, &arena, &value), TDS_BULK_END);
        tds_arena_free(&arena);
    }
}

static void
malformed_bulk_loads_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "D1",
        "81 00 00",
        "81 FF FF",
        "81 01 00 00 00 00 00 05 00 33 02 63 00 31 00",
        "81 01 00 00 00 00 00 05 00 32 FF 63 00 31 00",
        "81 01 00 00 00 00 00 05 00",
        "81 02 00 00 00 00 00 05 00 32 02 63 00 31 00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hex stream = hex(bad[i]);
        struct tds_reader reader = tds_reader_of(stream.bytes, stream.length);
        struct tds_arena arena;
        struct tds_bulk bulk;
        tds_arena_init(&arena, 65536);
        assert_false(tds_bulk_columns(&reader, &arena, &bulk));
        tds_arena_free(&arena);
    }
}

static void
text_survives_both_ways_and_broken_text_is_marked(void **state)
{
    (void)state;
    static const struct {
        const char *utf16le, *utf8;
    } both[] = {
        {"61 00 E9 00 AC 20 3D D8 00 DE", "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"00 D8", NULL},
        {"00 DC 61 00", NULL},
        {"00 D8 61 00", NULL},
    };
    static const char *const marked[] = {NULL, "\xEF\xBF\xBD",
                                         "\xEF\xBF\xBD"
                                         "a",
                                         "\xEF\xBF\xBD"
                                         "a"};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        struct hex bytes = hex(both[i].utf16le);
        char text[64];
        (void)tds_utf8_from_utf16le(bytes.bytes, bytes.length / 2, text, sizeof text);
        assert_string_equal(text, both[i].utf8 != NULL ? both[i].utf8 : marked[i]);
        if (both[i].utf8 == NULL)
            continue;
        struct tds_buffer out;
        tds_buffer_init(&out, 1000);
        assert_int_equal(tds_put_utf16(&out, text, 100), bytes.length / 2);
        assert_hex(out.bytes, out.length, both[i].utf16le);
        tds_buffer_free(&out);
    }
}

static void
broken_utf8_becomes_replacement_characters(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xC3",
                                      "\xC0\x80",
                                      "\xE2\x82",
                                      "\xED\xA0\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xF4\x90\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tds_buffer out;
        tds_buffer_init(&out, 1000);
        assert_true(tds_put_utf16(&out, bad[i], 100) >= 1);
        assert_hex(out.bytes, 2, "FD FF");
        tds_buffer_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_descriptor_is_found_in_the_headers),
        cmocka_unit_test(headers_that_lie_are_refused),
        cmocka_unit_test(transaction_manager_requests_are_read),
        cmocka_unit_test(isolation_levels_have_their_words),
        cmocka_unit_test(a_commit_is_known_by_its_first_word),
        cmocka_unit_test(the_documented_call_is_understood),
        cmocka_unit_test(a_call_by_number_with_a_text_and_an_output),
        cmocka_unit_test(system_procedures_are_known_by_name_too),
        cmocka_unit_test(malformed_calls_are_refused),
        cmocka_unit_test(a_call_with_too_many_parameters_is_refused),
        cmocka_unit_test(a_bulk_load_ends_with_or_without_a_done),
        cmocka_unit_test(malformed_bulk_loads_are_refused),
        cmocka_unit_test(text_survives_both_ways_and_broken_text_is_marked),
        cmocka_unit_test(broken_utf8_becomes_replacement_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
