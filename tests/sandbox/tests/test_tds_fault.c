/* The fault points of the server: each does to a client what tds/README.md says. */
#include "tests/tds_world.h"

static void
the_connection_is_cut_before_a_word(void **state)
{
    (void)state;
    fault("{\"at\":\"tds.accept\",\"do\":\"cut\",\"times\":1}");
    struct tds_client client = client_open(world.port);
    assert_false(client_prelogin(&client));
    assert_int_equal(client.received, 0);
    client_close(&client);
    assert_alive();
}

static void
a_prelogin_answer_can_be_withheld_or_bent(void **state)
{
    (void)state;
    fault("{\"at\":\"tds.prelogin\",\"do\":\"freeze\",\"arg\":300,\"times\":1}");
    struct tds_client client = client_open(world.port);
    int64_t start = client_now_ms();
    assert_true(client_prelogin(&client));
    assert_true(client_now_ms() - start >= 300);
    client_close(&client);
    fault("{\"at\":\"tds.prelogin\",\"do\":\"other\",\"text\":\"encryption=0\",\"times\":1}");
    client = client_open(world.port);
    assert_true(client_prelogin(&client));
    assert_int_equal(client.message.bytes[client.message.length - 2], 0);
    client_close(&client);
}

static void
logins_are_refused_by_number(void **state)
{
    static const int32_t numbers[][3] = {
        {4060, 4060, 18456}, {40613, 40613, 0}, {40615, 40615, 0}, {18456, 18456, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char json[128];
        (void)snprintf(json, sizeof json,
                       "{\"at\":\"tds.login\",\"do\":\"error\",\"arg\":%d,\"times\":1}",
                       (int)numbers[i][0]);
        fault(json);
        struct tds_client client = client_open(world.port);
        assert_true(client_login(&client, "sa", "Passw0rd!", 4096));
        struct tds_seen seen = client_see(&client);
        assert_int_equal(seen.error[0], numbers[i][1]);
        assert_int_equal(seen.error[1], numbers[i][2]);
        assert_true(seen.done[0].status & TDS_DONE_ERROR);
        assert_true(client_at_end(&client));
        client_close(&client);
    }
    assert_alive();
}

static void
a_login_is_sent_elsewhere(void **state)
{
    (void)state;
    fault("{\"at\":\"tds.login\",\"do\":\"other\",\"text\":\"redirect=other.example,11000\","
          "\"times\":1}");
    struct tds_client client = client_open(world.port);
    assert_true(client_login(&client, "sa", "Passw0rd!", 4096));
    struct tds_seen seen = client_see(&client);
    assert_false(seen.malformed);
    assert_int_equal(seen.env[0], TDS_ENV_ROUTING);
    assert_int_equal(seen.errors, 0);
    assert_true(client_at_end(&client));
    client_close(&client);
}

static void
requests_are_cut_delayed_or_refused_by_their_text(void **state)
{
    (void)state;
    fault("{\"at\":\"tds.request\",\"match\":\"/*cut*/\",\"do\":\"cut\"}");
    fault("{\"at\":\"tds.request\",\"match\":\"/*slow*/\",\"do\":\"delay\",\"arg\":200}");
    fault("{\"at\":\"tds.request\",\"match\":\"/*victim*/\",\"do\":\"error\",\"arg\":1205}");
    struct tds_client client = signed_in();
    int64_t start = client_now_ms();
    assert_int_equal(client_batch(&client, "SELECT 1 AS a /*slow*/").rows, 1);
    assert_true(client_now_ms() - start >= 200);
    uint64_t transaction = client_batch(&client, "BEGIN TRANSACTION").transaction;
    struct tds_seen seen = client_batch_in(&client, "SELECT 1 AS a /*victim*/", transaction);
    assert_int_equal(seen.error[0], 1205);
    assert_int_equal(seen.env[0], TDS_ENV_ROLLBACK);
    assert_int_equal(seen.done[0].status, TDS_DONE_ERROR);
    client_send_batch(&client, "SELECT 1 AS a /*cut*/", 0, 0);
    assert_false(client_receive(&client));
    client_close(&client);
}

/* One row is inserted and committed under a rule; says whether it is there afterwards. */
static int64_t
rows_after_commit_under(const char *rule, bool use_manager)
{
    struct tds_client client = signed_in();
    (void)client_batch(&client, "IF OBJECT_ID(N'dbo.c', N'U') IS NOT NULL DROP TABLE dbo.c");
    (void)client_batch(&client, "CREATE TABLE dbo.c (a int NOT NULL)");
    uint64_t transaction = client_batch(&client, "BEGIN TRANSACTION").transaction;
    (void)client_batch_in(&client, "INSERT INTO dbo.c (a) VALUES (1)", transaction);
    fault(rule);
    if (use_manager) {
        struct tds_buffer request;
        tds_buffer_init(&request, 64);
        client_put_headers(&request, transaction);
        tds_put_u32(&request, 7);
        client_send(&client, TDS_PACKET_TRANSACTION, TDS_STATUS_LAST, request.bytes,
                    request.length);
        tds_buffer_free(&request);
    } else {
        client_send_batch(&client, "-- done\nCOMMIT TRANSACTION;", transaction, 0);
    }
    size_t before = client.received;
    assert_false(client_receive_within(&client, 1000));
    assert_int_equal(client.received, before);
    client_close(&client);
    client = signed_in();
    (void)client_batch(&client, "SET LOCK_TIMEOUT 5000");
    struct tds_seen seen =
        client_batch(&client, "SELECT COUNT(*) AS n FROM dbo.c WITH (TABLOCKX, HOLDLOCK)");
    client_close(&client);
    assert_int_equal(seen.errors, 0);
    return seen.first_integer;
}

static void
a_cut_before_a_commit_leaves_nothing_and_one_after_it_leaves_the_row(void **state)
{
    (void)state;
    for (int manager = 0; manager < 2; manager++) {
        assert_int_equal(rows_after_commit_under(
                             "{\"at\":\"tds.commit.before\",\"do\":\"cut\",\"times\":1}", manager),
                         0);
        assert_int_equal(rows_after_commit_under(
                             "{\"at\":\"tds.commit.after\",\"do\":\"cut\",\"times\":1}", manager),
                         1);
    }
}

static void
a_commit_can_land_after_its_client_has_left(void **state)
{
    (void)state;
    assert_int_equal(
        rows_after_commit_under(
            "{\"at\":\"tds.commit.before\",\"do\":\"delay\",\"arg\":2000,\"times\":1}", false),
        1);
}

static void
the_answer_is_cut_at_every_byte(void **state)
{
    (void)state;
    struct tds_client whole = signed_in();
    (void)client_batch(&whole, "SELECT 1 AS a, N'text' AS b");
    size_t total = whole.received;
    client_close(&whole);
    for (size_t cut = 1; cut < total; cut += cut < 100 || cut + 100 > total ? 1 : 17) {
        char json[96];
        (void)snprintf(json, sizeof json,
                       "{\"at\":\"tds.bytes.out\",\"do\":\"cut\",\"arg\":%zu,\"times\":1}", cut);
        fault(json);
        struct tds_client client = client_open(world.port);
        bool there = client_login(&client, "sa", "Passw0rd!", 4096);
        if (there) {
            client_send_batch(&client, "SELECT 1 AS a, N'text' AS b", 0, 0);
            there = client_receive(&client);
        }
        assert_false(there);
        assert_int_equal(client.received, cut);
        client_close(&client);
    }
    assert_alive();
}

static void
a_request_is_cut_at_any_byte_and_not_carried_out(void **state)
{
    (void)state;
    struct tds_buffer login = client_login7("sa", "Passw0rd!", 4096);
    size_t before = 8 + 18 + 8 + login.length;
    tds_buffer_free(&login);
    for (size_t cut = 1; cut < before + 60; cut += 7) {
        char json[96];
        (void)snprintf(json, sizeof json,
                       "{\"at\":\"tds.bytes.in\",\"do\":\"cut\",\"arg\":%zu,\"times\":1}", cut);
        fault(json);
        struct tds_client client = client_open(world.port);
        bool there = client_login(&client, "sa", "Passw0rd!", 4096);
        assert_int_equal(there, cut > before);
        if (there) {
            client_send_batch(&client, "CREATE TABLE dbo.never (a int)", 0, 0);
            assert_false(client_receive(&client));
        }
        client_close(&client);
    }
    struct tds_client client = signed_in();
    assert_int_equal(client_batch(&client, "SELECT * FROM dbo.never").error[0], 208);
    client_close(&client);
}

static void
answers_come_in_packets_of_odd_sizes(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    fault(
        "{\"at\":\"tds.packet.out\",\"do\":\"other\",\"text\":\"split=9\",\"match\":\"258\",\"times\":1}");
    struct tds_seen seen = client_batch(&client, "SELECT 258 AS a, N'text' AS b");
    assert_int_equal(seen.first_integer, 258);
    assert_int_equal(client.largest_packet, 9);
    assert_int_equal(client.packets, client.message.length);
    fault("{\"at\":\"tds.packet.out\",\"do\":\"other\",\"text\":\"garbage\",\"times\":1}");
    client_send_batch(&client, "SELECT 1 AS a", 0, 0);
    assert_true(client_receive(&client));
    assert_true(client_see(&client).malformed);
    client_close(&client);
}

static void
rows_stop_where_a_rule_says(void **state)
{
    static const char three[] = "SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3";
    (void)state;
    struct tds_client client = signed_in();
    fault("{\"at\":\"tds.row\",\"do\":\"error\",\"arg\":8115,\"text\":\"overflow\",\"skip\":2,"
          "\"times\":1}");
    struct tds_seen seen = client_batch(&client, three);
    assert_int_equal(seen.rows, 2);
    assert_int_equal(seen.error[0], 8115);
    assert_true(seen.done[seen.dones - 1].status & TDS_DONE_ERROR);
    assert_int_equal(client_batch(&client, three).rows, 3);
    fault("{\"at\":\"tds.row\",\"do\":\"cut\",\"skip\":1,\"times\":1}");
    client_send_batch(&client, three, 0, 0);
    assert_false(client_receive(&client));
    seen = client_see(&client);
    assert_int_equal(seen.rows, 1);
    assert_int_equal(seen.dones, 0);
    client_close(&client);
}

static void
rows_take_other_forms(void **state)
{
    static const char query[] =
        "SELECT CONVERT(varbinary(max), N'abc') AS a, CONVERT(int, NULL) AS b";
    (void)state;
    struct tds_client client = signed_in();
    struct tds_seen seen = client_batch(&client, query);
    assert_false(seen.has_bitmap);
    assert_int_equal(seen.first_length, 6);
    fault("{\"at\":\"tds.columns\",\"do\":\"other\",\"text\":\"nbcrow,plp-unknown\",\"times\":1}");
    seen = client_batch(&client, query);
    assert_true(seen.has_bitmap);
    assert_int_equal(seen.first_length, 6);
    fault("{\"at\":\"tds.columns\",\"do\":\"other\",\"text\":\"absurd-length\",\"times\":1}");
    client_send_batch(&client, query, 0, 0);
    assert_true(client_receive(&client));
    assert_true(client_see(&client).malformed);
    client_close(&client);
}

static void
attentions_are_answered_late_never_or_after_the_end(void **state)
{
    (void)state;
    struct tds_client client = signed_in();
    fault("{\"at\":\"tds.attention\",\"do\":\"delay\",\"arg\":300,\"times\":1}");
    int64_t start = client_now_ms();
    client_attention(&client);
    assert_attention_answered(&client);
    assert_true(client_now_ms() - start >= 300);
    fault("{\"at\":\"tds.attention\",\"do\":\"other\",\"text\":\"cross\",\"times\":1}");
    client_send_batch(&client, "WAITFOR DELAY '00:00:01'; SELECT 5 AS a", 0, 0);
    (void)poll(NULL, 0, 100);
    client_attention(&client);
    assert_true(client_receive(&client));
    struct tds_seen seen = client_see(&client);
    assert_int_equal(seen.first_integer, 5);
    assert_int_equal(seen.done[seen.dones - 1].status, TDS_DONE_COUNT);
    assert_attention_answered(&client);
    fault("{\"at\":\"tds.attention\",\"do\":\"freeze\",\"times\":1}");
    client_attention(&client);
    assert_false(client_receive_within(&client, 500));
    client_close(&client);
    assert_alive();
}

static void
the_server_stops_whatever_its_clients_do(void **state)
{
    (void)state;
    fault("{\"at\":\"tds.prelogin\",\"do\":\"freeze\",\"times\":1}");
    struct tds_client frozen = client_open(world.port);
    struct hex request = hex("FF");
    client_send(&frozen, TDS_PACKET_PRELOGIN, TDS_STATUS_LAST, request.bytes, request.length);
    struct tds_client silent = client_open(world.port), idle, busy;
    (void)poll(NULL, 0, 100);
    idle = signed_in();
    busy = signed_in();
    client_send_batch(&busy, "WAITFOR DELAY '00:00:30'", 0, 0);
    (void)poll(NULL, 0, 100);
    int64_t start = client_now_ms();
    tds_server_stop(world.server);
    world.server = NULL;
    assert_true(client_now_ms() - start < 3000);
    client_close(&frozen);
    client_close(&silent);
    client_close(&idle);
    client_close(&busy);
}

int
main(void)
{
#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        SERVER_TEST(the_connection_is_cut_before_a_word),
        SERVER_TEST(a_prelogin_answer_can_be_withheld_or_bent),
        SERVER_TEST(logins_are_refused_by_number),
        SERVER_TEST(a_login_is_sent_elsewhere),
        SERVER_TEST(requests_are_cut_delayed_or_refused_by_their_text),
        SERVER_TEST(a_cut_before_a_commit_leaves_nothing_and_one_after_it_leaves_the_row),
        SERVER_TEST(a_commit_can_land_after_its_client_has_left),
        SERVER_TEST(the_answer_is_cut_at_every_byte),
        SERVER_TEST(a_request_is_cut_at_any_byte_and_not_carried_out),
        SERVER_TEST(answers_come_in_packets_of_odd_sizes),
        SERVER_TEST(rows_stop_where_a_rule_says),
        SERVER_TEST(rows_take_other_forms),
        SERVER_TEST(attentions_are_answered_late_never_or_after_the_end),
        SERVER_TEST(the_server_stops_whatever_its_clients_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
