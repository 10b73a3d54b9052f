/* The server over its engine, as a client on a socket sees it. */
#include "tests/tds_world.h"

/* ---- signing in ---- */

static void
a_login_is_answered_in_the_documented_order(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    struct tds_seen seen = client_see(&client);
    static const uint8_t envs[] = {TDS_ENV_DATABASE, TDS_ENV_COLLATION, TDS_ENV_LANGUAGE,
                                   TDS_ENV_PACKET_SIZE};
    assert_int_equal(seen.envs, sizeof envs);
    assert_memory_equal(seen.env, envs, sizeof envs);
    assert_int_equal(seen.infos, 2);
    assert_int_equal(seen.dones, 1);
    assert_int_equal(seen.done[0].status, 0);
    assert_true(client.spid >= 51);
    client_close(&client);
}

static void
a_wrong_password_is_refused_and_never_logged(void **state)
{
    (void)state;
    struct tds_client client = client_open(world.port);
    assert_true(client_login(&client, "sa", "Hunter2-wrong", 4096));
    struct tds_seen seen = client_see(&client);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.error[0], 18456);
    assert_true(seen.done[0].status & TDS_DONE_ERROR);
    assert_true(client_at_end(&client));
    client_close(&client);
    assert_true(logged("refused 18456"));
    assert_false(logged("Hunter2"));
}

static void
packet_sizes_are_negotiated(void **state)
{
    static const struct {
        uint32_t asked;
        uint16_t given;
    } sizes[] = {{100, 512}, {512, 512}, {16000, 16000}, {40000, 32767}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tds_client client = client_open(world.port);
        char text[3901], sql[9000];
        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        (void)snprintf(sql, sizeof sql,
                       "SELECT N'%s' AS a UNION ALL SELECT N'%s' UNION ALL SELECT N'%.1000s'", text,
                       text, text);
        assert_true(client_login(&client, "sa", "Passw0rd!", sizes[i].asked));
        struct tds_seen seen = client_batch(&client, sql);
        assert_int_equal(seen.rows, 3);
        assert_int_equal(client.largest_packet, sizes[i].given < client.message.length
                                                    ? sizes[i].given
                                                    : client.message.length + 8);
        client_close(&client);
    }
}

static void
strange_first_bytes_end_the_connection(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "47 45 54 20 2F 20 48 54 54 50 2F 31 2E 31 0D 0A",
        "16 03 01 00 05 01 00 00 01 03",
        "12 01 00 00 00 00 01 00",
        "12 01 FF FF 00 00 01 00",
        "12 01 00 09 00 00 01 00 00",
        "01 01 00 08 00 00 01 00",
        "10 01 00 0C 00 00 01 00 04 00 00 00",
        "02 01 00 08 00 00 00 00",
        "12 01 00 0E 00 00 01 00 01 00 06 00 01 FF",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tds_client client = client_open(world.port);
        struct hex bytes = hex(bad[i]);
        client_send_raw(&client, bytes.bytes, bytes.length);
        (void)shutdown(client.fd, SHUT_WR);
        assert_true(client_at_end(&client));
        client_close(&client);
    }
    assert_alive();
}

/* ---- requests ---- */

static void
only_the_last_done_has_no_more(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    struct tds_seen seen = client_batch(&client, "SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c");
    assert_int_equal(seen.rows, 3);
    assert_int_equal(seen.dones, 3);
    assert_int_equal(seen.first_integer, 3);
    assert_true(seen.done[2].status & TDS_DONE_COUNT);
    seen = client_batch(&client, "SET NOCOUNT ON");
    assert_int_equal(seen.dones, 1);
    assert_int_equal(seen.done[0].status, 0);
    client_close(&client);
}

static void
a_failed_statement_has_the_error_bit(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    struct tds_seen seen = client_batch(&client, "SELECT * FROM dbo.there_is_no_such_table");
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.error[0], 208);
    assert_true(seen.done[seen.dones - 1].status & TDS_DONE_ERROR);
    seen = client_batch(&client, "SELECT 1 AS a");
    assert_int_equal(seen.done[0].status, TDS_DONE_COUNT);
    client_close(&client);
}

static void
a_transaction_is_told_from_its_begin_to_its_end(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    struct tds_seen seen = client_batch(&client, "BEGIN TRANSACTION");
    assert_int_equal(seen.env[0], TDS_ENV_BEGIN);
    assert_int_not_equal(seen.transaction, 0);
    assert_true(seen.done[0].status & TDS_DONE_IN_TRANSACTION);
    uint64_t transaction = seen.transaction;
    seen = client_batch_in(&client, "SELECT 1 AS a", transaction);
    assert_int_equal(seen.done[0].status, TDS_DONE_COUNT | TDS_DONE_IN_TRANSACTION);
    seen = client_batch_in(&client, "SELECT 1 AS a", transaction + 1);
    assert_int_equal(seen.error[0], 3971);
    seen = client_batch_in(&client, "COMMIT", transaction);
    assert_int_equal(seen.env[0], TDS_ENV_COMMIT);
    assert_int_equal(seen.done[0].status & TDS_DONE_IN_TRANSACTION, 0);
    client_close(&client);
}

static void
transaction_manager_requests_do_what_sql_does(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    struct tds_seen seen = client_manager(&client, 5, 0);
    assert_int_equal(seen.env[0], TDS_ENV_BEGIN);
    (void)client_batch_in(&client, "CREATE TABLE dbo.m (a int NOT NULL)", seen.transaction);
    seen = client_manager(&client, 7, seen.transaction);
    assert_int_equal(seen.env[0], TDS_ENV_COMMIT);
    seen = client_manager(&client, 5, 0);
    (void)client_batch_in(&client, "INSERT INTO dbo.m (a) VALUES (1)", seen.transaction);
    seen = client_manager(&client, 8, seen.transaction);
    assert_int_equal(seen.env[0], TDS_ENV_ROLLBACK);
    seen = client_batch(&client, "SELECT COUNT(*) AS n FROM dbo.m");
    assert_int_equal(seen.first_integer, 0);
    client_close(&client);
}

static void
a_reset_rolls_back_and_is_told(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    (void)client_batch(&client, "BEGIN TRANSACTION");
    client_send_batch(&client, "SELECT @@TRANCOUNT AS n", 0, TDS_STATUS_RESET);
    assert_true(client_receive(&client));
    struct tds_seen seen = client_see(&client);
    assert_int_equal(seen.envs, 2);
    assert_int_equal(seen.env[0], TDS_ENV_ROLLBACK);
    assert_int_equal(seen.env[1], TDS_ENV_RESET);
    assert_int_equal(seen.first_integer, 0);
    client_close(&client);
}

static void
malformed_requests_are_answered_or_end_the_connection(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *bytes;
    } bad[] = {
        {TDS_PACKET_BATCH, ""},
        {TDS_PACKET_BATCH, "FF FF FF FF"},
        {TDS_PACKET_BATCH, "04 00 00 00 53"},
        {TDS_PACKET_RPC, "04 00 00 00"},
        {TDS_PACKET_RPC, "04 00 00 00 FF FF 0A 00 00 00 00 00 E7 40 1F 09 04 D0 00 34 FF 7F"},
        {TDS_PACKET_TRANSACTION, "04 00 00 00 05 00"},
        {TDS_PACKET_BULK, "81 FF FF"},
        {TDS_PACKET_SSPI, "00"},
        {TDS_PACKET_LOGIN7, "00"},
        {0x77, "00"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tds_client client = signed_in();
        struct hex bytes = hex(bad[i].bytes);
        client_send(&client, bad[i].type, TDS_STATUS_LAST, bytes.bytes, bytes.length);
        if (client_receive(&client)) {
            struct tds_seen seen = client_see(&client);
            assert_int_equal(seen.errors, 1);
            assert_true(seen.done[0].status & TDS_DONE_ERROR);
            assert_true(client_at_end(&client));
        }
        client_close(&client);
    }
    assert_alive();
}

static void
a_call_with_an_unknown_type_leaves_the_connection_usable(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    struct hex bytes = hex("04 00 00 00 FF FF 0A 00 00 00 00 00 F3 00 00 00");
    client_send(&client, TDS_PACKET_RPC, TDS_STATUS_LAST, bytes.bytes, bytes.length);
    assert_true(client_receive(&client));
    struct tds_seen seen = client_see(&client);
    assert_int_equal(seen.error[0], 8009);
    assert_int_equal(seen.done[seen.dones - 1].token, TDS_TOKEN_DONEPROC);
    assert_int_equal(client_batch(&client, "SELECT 1 AS a").rows, 1);
    client_close(&client);
}

static void
a_withdrawn_request_is_not_carried_out(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    client_send_batch(&client, "CREATE TABLE dbo.w (a int)", 0, TDS_STATUS_IGNORE);
    assert_true(client_receive(&client));
    assert_true(client_see(&client).done[0].status & TDS_DONE_ERROR);
    struct tds_seen seen = client_batch(&client, "SELECT COUNT(*) AS n FROM dbo.w");
    assert_int_equal(seen.error[0], 208);
    client_close(&client);
}

/* ---- attentions ---- */

static void
an_attention_to_nothing_has_one_answer(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    client_attention(&client);
    assert_attention_answered(&client);
    assert_int_equal(client_batch(&client, "SELECT 1 AS a").rows, 1);
    client_close(&client);
}

static void
an_attention_ends_a_request_that_waits(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    int64_t start = client_now_ms();
    client_send_batch(&client, "WAITFOR DELAY '00:00:20'", 0, 0);
    (void)poll(NULL, 0, 100);
    client_attention(&client);
    assert_true(client_receive(&client));
    struct tds_seen seen = client_see(&client);
    assert_int_equal(seen.dones, 1);
    assert_int_equal(seen.done[0].status, TDS_DONE_ERROR);
    assert_attention_answered(&client);
    assert_true(client_now_ms() - start < 3000);
    assert_int_equal(client_batch(&client, "SELECT 1 AS a").rows, 1);
    client_close(&client);
}

/* A client that waits for a lock which another one, `ret_holder`, has. */
static struct tds_client
waiting_for_a_lock(struct tds_client *ret_holder)
{
    *ret_holder = signed_in();
    (void)client_batch(ret_holder, "CREATE TABLE dbo.l (a int NOT NULL)");
    uint64_t transaction = client_batch(ret_holder, "BEGIN TRANSACTION").transaction;
    struct tds_seen seen = client_batch_in(
        ret_holder, "SELECT COUNT(*) AS n FROM dbo.l WITH (TABLOCKX, HOLDLOCK)", transaction);
    assert_int_equal(seen.errors, 0);
    struct tds_client waiter = signed_in();
    client_send_batch(&waiter, "SELECT COUNT(*) AS n FROM dbo.l WITH (TABLOCKX, HOLDLOCK)", 0, 0);
    assert_false(client_receive_within(&waiter, 200));
    return waiter;
}

static void
an_attention_reaches_a_request_that_waits_for_a_lock(void **state)
{
    (void)state;
    struct tds_client holder, waiter = waiting_for_a_lock(&holder);
    int64_t start = client_now_ms();
    client_attention(&waiter);
    assert_true(client_receive(&waiter));
    assert_int_equal(client_see(&waiter).rows, 0);
    assert_attention_answered(&waiter);
    assert_true(client_now_ms() - start < 2000);
    assert_int_equal(client_batch(&waiter, "SELECT 1 AS a").rows, 1);
    client_close(&waiter);
    client_close(&holder);
}

static void
a_client_that_leaves_while_it_waits_frees_its_session(void **state)
{
    (void)state;
    struct tds_client holder, waiter = waiting_for_a_lock(&holder);
    char line[64];
    (void)snprintf(line, sizeof line, "\"kind\":\"disconnect\",\"session\":%u", waiter.spid);
    client_close(&waiter);
    int64_t start = client_now_ms();
    while (!logged(line) && client_now_ms() - start < 5000)
        (void)poll(NULL, 0, 10);
    assert_true(logged(line));
    client_close(&holder);
}

static void
an_attention_right_behind_a_request_is_answered_once(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct tds_client client = signed_in();
        client_send_batch(&client, "SELECT 1 AS a", 0, 0);
        client_attention(&client);
        assert_true(client_receive(&client)); /* whole or cut short, but an answer of its own */
        struct tds_seen seen = client_see(&client);
        assert_false(seen.malformed);
        assert_int_equal(seen.done[seen.dones - 1].status & TDS_DONE_ATTENTION, 0);
        assert_attention_answered(&client);
        assert_int_equal(client_batch(&client, "SELECT 1 AS a").rows, 1);
        client_close(&client);
    }
}

static void
an_attention_within_an_unfinished_request_withdraws_it(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    client_send(&client, TDS_PACKET_BATCH, 0, "\x04\0\0\0S\0", 6);
    client_attention(&client);
    assert_attention_answered(&client);
    assert_int_equal(client_batch(&client, "SELECT 1 AS a").rows, 1);
    client_close(&client);
}

int
main(void)
{
#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_login_is_answered_in_the_documented_order),
        SERVER_TEST(a_wrong_password_is_refused_and_never_logged),
        SERVER_TEST(packet_sizes_are_negotiated),
        SERVER_TEST(strange_first_bytes_end_the_connection),
        SERVER_TEST(only_the_last_done_has_no_more),
        SERVER_TEST(a_failed_statement_has_the_error_bit),
        SERVER_TEST(a_transaction_is_told_from_its_begin_to_its_end),
        SERVER_TEST(transaction_manager_requests_do_what_sql_does),
        SERVER_TEST(a_reset_rolls_back_and_is_told),
        SERVER_TEST(malformed_requests_are_answered_or_end_the_connection),
        SERVER_TEST(a_call_with_an_unknown_type_leaves_the_connection_usable),
        SERVER_TEST(a_withdrawn_request_is_not_carried_out),
        SERVER_TEST(an_attention_to_nothing_has_one_answer),
        SERVER_TEST(an_attention_ends_a_request_that_waits),
        SERVER_TEST(an_attention_reaches_a_request_that_waits_for_a_lock),
        SERVER_TEST(a_client_that_leaves_while_it_waits_frees_its_session),
        SERVER_TEST(an_attention_right_behind_a_request_is_answered_once),
        SERVER_TEST(an_attention_within_an_unfinished_request_withdraws_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
