/**
 * SQL credentials that Dataverse gives: what is asked for, what comes, and that both sides of the
 * sandbox keep to it.
 */
#include "delete_table.h"
#include "mssql/mssql.h"
#include "port/observer.h"
#include "runtime_sandbox.h"

#include <stdint.h>

static char said[1024];

static void
note(struct observer *observer, enum log_level level, const char *text)
{
    (void)observer;
    if (level >= LOG_LEVEL_NOTICE)
        (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", text);
}

static struct observer observer = {.say = note};

static struct axdb_grant_request
request_of(bool writer)
{
    return (struct axdb_grant_request){
        .address = "127.0.0.0/8", .writer = writer, .reason = "a \"test\""};
}

static void
open_server(void)
{
    struct dataverse_options options = right_options();
    struct err err = {0};

    said[0] = '\0';
    options.observer = &observer;
    expect(dataverse_server_new(&options, &server, &err), &err);
}

static struct axdb_grant
grant(bool writer)
{
    const struct axdb_grant_request request = request_of(writer);
    struct axdb_grant ret = {.expires_utc_ms = 0};
    struct err err = {0};

    expect(server->grant_axdb(server, &request, &ret, &err), &err);
    return ret;
}

static struct err
expect_no_grant(enum err_code code)
{
    const struct axdb_grant_request request = request_of(true);
    struct axdb_grant ret = {.expires_utc_ms = 7};
    struct err err = {0};

    assert_false(server->grant_axdb(server, &request, &ret, &err));
    if (err.code != code)
        fail_msg("%s: %s | %s", err_name(err.code), err.primary, err.detail);
    assert_int_equal(ret.expires_utc_ms, 7);
    assert_false(secret_is_set(&ret.password));
    return err;
}

/** Connect with what was granted. */
static bool
connects(const struct axdb_grant *given, int64_t new_login_ms, struct axdb_store **ret,
         struct axdb_server **ret_server, struct err *err)
{
    static char host[AXDB_GRANT_SERVER_BYTES]; /* as long as the server */
    struct mssql_options options = {.host = host,
                                    .database = given->database,
                                    .user = given->user,
                                    .password = &given->password,
                                    .new_login_ms = new_login_ms,
                                    .ca_file = variable("SANDBOX_CA")};

    (void)snprintf(host, sizeof(host), "%.*s", (int)strcspn(given->server, ","), given->server);
    options.port = (uint16_t)strtoul(strchr(given->server, ',') + 1, NULL, 10);
    expect(mssql_server_new(&options, ret_server, err), err);
    return (*ret_server)->connect(*ret_server, NULL, ret, err);
}

static void
close_axdb(struct axdb_store *axdb, struct axdb_server *axdb_server)
{
    if (axdb)
        axdb->ops->close(axdb);
    mssql_server_free(axdb_server);
}

static void
a_grant_is_whole_and_told_of_before_it_is_asked_for(void **state)
{
    struct axdb_grant given;

    (void)state;
    open_server();
    given = grant(true);
    assert_string_equal(given.database, "AxDB");
    assert_non_null(strstr(given.server, variable("SANDBOX_TDS_PORT")));
    assert_string_equal(given.role, "Writer");
    assert_string_equal(given.address, "127.0.0.0/8");
    assert_int_equal(strlen(given.operation), 36);
    assert_true(given.expires_utc_ms > clock_utc_ms() + INT64_C(7) * 3600 * 1000);
    assert_true(given.password.size > 20);
    assert_non_null(strstr(said, "ends another SQL login of user b1f0d1a2-"));
    assert_non_null(strstr(said, given.user));
    assert_null(strstr(said, secret_reveal(&given.password)));
    assert_int_equal(count_in_log("\"reason\":\"a \\\"test\\\"\""), 1);
    assert_int_equal(count_in_log("\"method\":\"POST\",\"path\":\"/api/data/v9.2/msprov_"), 1);
    assert_int_equal(count_in_log(secret_reveal(&given.password)), 0);
    secret_wipe(&given.password);
}

static void
a_reader_reads_and_a_writer_deletes(void **state)
{
    (void)state;
    open_server();
    for (int writer = 0; writer < 2; writer++) {
        struct axdb_grant given = grant(writer == 1);
        struct axdb_store *axdb = NULL;
        struct axdb_server *axdb_server = NULL;
        struct axdb_evidence seen = {.sessions_known = true};
        struct err err = {0};

        expect(connects(&given, 0, &axdb, &axdb_server, &err), &err);
        expect(axdb->ops->observe(axdb, arena, &seen, &err), &err);
        for (int i = 0; i < AXDB_TABLES; i++) {
            assert_true(seen.tables[i].fresh.known && seen.tables[i].fresh.rows > 0);
            assert_int_equal(seen.tables[i].may_delete, writer ? RIGHT_HELD : RIGHT_MISSING);
            assert_int_equal(seen.tables[i].may_insert, writer ? RIGHT_HELD : RIGHT_MISSING);
            assert_int_equal(seen.tables[i].may_view_definition, RIGHT_MISSING);
        }
        assert_false(seen.sessions_known);
        if (!writer) {
            int64_t deleted = 0, left = 0;

            expect(axdb->ops->begin_locked(axdb, 10000, &err), &err);
            assert_false(delete_table(axdb, TABLE_PROJECT, &deleted, &left, &err));
            assert_non_null(strstr(err.detail, "229"));
            axdb->ops->rollback(axdb);
        }
        close_axdb(axdb, axdb_server);
        secret_wipe(&given.password);
    }
}

static void
a_login_works_after_its_delay_and_is_waited_for(void **state)
{
    struct axdb_grant given;
    struct axdb_store *axdb = NULL;
    struct axdb_server *axdb_server = NULL;
    struct err err = {0};

    (void)state;
    open_server();
    set("{\"jit_delay_seconds\":2}");
    given = grant(false);
    assert_false(connects(&given, 0, &axdb, &axdb_server, &err));
    assert_int_equal(err.code, ERR_SIGNIN);
    assert_non_null(strstr(err.detail, "18456"));
    close_axdb(NULL, axdb_server);
    expect(connects(&given, 9000, &axdb, &axdb_server, &err), &err);
    close_axdb(axdb, axdb_server);
    secret_wipe(&given.password);
}

static void
another_grant_ends_the_one_before_and_its_connections(void **state)
{
    struct axdb_grant given;
    struct axdb_store *axdb = NULL;
    struct axdb_store *again = NULL;
    struct axdb_server *axdb_server = NULL;
    struct axdb_evidence seen = {.sessions_known = true};
    struct err err = {0};
    int64_t began_ms;

    (void)state;
    open_server();
    given = grant(true);
    expect(connects(&given, 90000, &axdb, &axdb_server, &err), &err);
    control("POST", "/dataverse/jit", "", NULL);
    assert_false(axdb->ops->observe(axdb, arena, &seen, &err));
    began_ms = clock_monotonic_ms();
    assert_false(axdb_server->connect(axdb_server, NULL, &again, &err));
    assert_int_equal(err.code, ERR_SIGNIN);
    /* it has worked before, so it is not a login that was just made */
    assert_true(clock_monotonic_ms() - began_ms < 4000);
    close_axdb(axdb, axdb_server);
    secret_wipe(&given.password);
}

static void
a_refusal_is_said_with_its_reason_and_sent_once(void **state)
{
    struct err err;

    (void)state;
    open_server();
    set("{\"system_administrator\":false}");
    err = expect_no_grant(ERR_PERMISSION);
    assert_non_null(strstr(err.hint, "System Administrator"));
    set("{\"system_administrator\":true,\"jit_served\":false}");
    err = expect_no_grant(ERR_SERVER);
    assert_non_null(strstr(err.hint, "unified environments"));
    set("{\"jit_served\":true}");
    control("DELETE", "/log", NULL, NULL);
    fault("{\"at\":\"dv.after\",\"match\":\"msprov_\",\"do\":\"cut\"}");
    err = expect_no_grant(ERR_CONNECT);
    assert_non_null(strstr(err.hint, "not sent again"));
    assert_int_equal(count_in_log("\"kind\":\"jit\""), 1);
    fault("{\"at\":\"dv.request\",\"match\":\"msprov_\",\"do\":\"error\",\"arg\":503,\"text\":"
          "\"html\"}");
    err = expect_no_grant(ERR_SERVER);
    assert_int_equal(count_in_log("\"kind\":\"jit\""), 1);
    fault("{\"at\":\"dv.answer\",\"match\":\"msprov_\",\"do\":\"cut\",\"arg\":100}");
    (void)expect_no_grant(ERR_CONNECT);
    assert_int_equal(count_in_log("\"kind\":\"jit\""), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_grant_is_whole_and_told_of_before_it_is_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reader_reads_and_a_writer_deletes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_login_works_after_its_delay_and_is_waited_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_grant_ends_the_one_before_and_its_connections,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_said_with_its_reason_and_sent_once, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
