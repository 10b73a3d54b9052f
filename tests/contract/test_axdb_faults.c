/** The AxDB port when things go wrong: connections that must not be, cuts, freezes, lost answers.
 */
#define CONTRACT_NEEDS NEEDS_SANDBOX

#include "axdb_sandbox.h"

/* ---- connections that must not be ---- */

static void
a_wrong_password_is_a_refused_sign_in(void **state)
{
    SECRET_SCOPED wrong = {0};
    struct mssql_options options = options_for("dwclean");

    (void)state;
    assert_true(secret_set(&wrong, "wrong", 5, &err));
    options.password = &wrong;
    refuse_connection(&options, ERR_SIGNIN, "was refused");
    assert_non_null(strstr(err.detail, "18456"));
    assert_null(strstr(err.detail, "wrong"));
}

static void
an_unknown_database_is_named(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    options.database = "OtherDB";
    refuse_connection(&options, ERR_SIGNIN, "database \"OtherDB\" does not exist");
    assert_non_null(strstr(err.detail, "4060"));
}

static void
an_unknown_authority_is_refused_and_named(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    options.ca_file = NULL;
    refuse_connection(&options, ERR_TLS, "unknown authority");
}

static void
trusting_the_certificate_is_said(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct mssql_options options = options_for("dwclean");
    struct axdb_evidence evidence;
    struct axdb_store *store;

    (void)state;
    options.ca_file = NULL;
    options.trust_certificate = true;
    use(&options);
    store = connect_again();
    observe(store, arena, &evidence);
    assert_string_equal(evidence.identity.encryption, "TLS, certificate not checked");
    store->ops->close(store);
}

static void
a_host_that_does_not_resolve_is_named(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    options.host = "no-such-host.invalid";
    refuse_connection(&options, ERR_CONNECT, "host no-such-host.invalid does not resolve");
}

static void
a_closed_port_is_a_refused_connection(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    options.port = 1;
    refuse_connection(&options, ERR_CONNECT, "refused the connection");
}

/* ---- faults on the wire ---- */

static void
read_must_fail(const char *rule, enum err_code code)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    struct reading reading = {.all = digest_new()};
    struct row_sink sink = {.ctx = &reading, .take = note_row};

    observe(store, arena, &evidence);
    fault(rule);
    assert_false(store->ops->read_rows(store, &evidence.tables[TABLE_EVENTS].schema, &sink, &err));
    if (err.code != code)
        fail_msg("%s: %s (%s)", err_name(err.code), err.primary, err.detail);
    assert_true(reading.count < EVENTS);
    digest_free(reading.all);
    store->ops->close(store);
}

static void
an_error_among_the_rows_is_no_short_table(void **state)
{
    (void)state;
    read_must_fail("{\"at\":\"tds.row\",\"match\":\"ORDER BY [PARTITION]\",\"skip\":200,"
                   "\"do\":\"error\",\"arg\":1205}",
                   ERR_LOCK);
}

static void
a_connection_lost_among_the_rows_is_no_short_table(void **state)
{
    (void)state;
    read_must_fail("{\"at\":\"tds.row\",\"match\":\"ORDER BY [PARTITION]\",\"skip\":200,"
                   "\"do\":\"cut\"}",
                   ERR_CONNECT);
}

static void
a_server_that_freezes_is_left_in_time(void **state)
{
    struct mssql_options options = options_for("dwclean");
    struct axdb_store *store;
    bool granted = true;
    int64_t start;

    (void)state;
    options.query_timeout_s = 1;
    use(&options);
    store = connect_again();
    fault("{\"at\":\"tds.request\",\"match\":\"sp_getapplock\",\"do\":\"freeze\"}");
    start = clock_monotonic_ms();
    assert_false(store->ops->acquire_exclusion(store, &granted, &err));
    assert_int_equal(err.code, ERR_CONNECT);
    assert_true(clock_monotonic_ms() - start < 12000);
    store->ops->close(store);
}

static void
the_shape_of_packets_does_not_change_a_digest(void **state)
{
    static const char *const rules[] = {
        "{\"at\":\"tds.packet.out\",\"do\":\"other\",\"text\":\"split=9\",\"times\":0}",
        "{\"at\":\"tds.columns\",\"do\":\"other\",\"text\":\"nbcrow,plp-unknown\",\"times\":0}",
    };
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_evidence evidence;
    struct digest plain;

    (void)state;
    observe(store, arena, &evidence);
    plain = read_table(store, &evidence.tables[TABLE_PROJECT].schema, PROJECTS);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct digest odd;

        fault(rules[i]);
        odd = read_table(store, &evidence.tables[TABLE_PROJECT].schema, PROJECTS);
        assert_true(digest_equal(&plain, &odd));
        control("DELETE", "/faults", "");
    }
    store->ops->close(store);
}

/**
 * One look at the evidence while the server ends the connection after `bytes`; true when it held.
 * `how`: the fault's "do" and "text".
 */
static bool
observe_cut_at(size_t bytes, const char *how)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store;
    char rule[128];
    bool good;

    (void)snprintf(rule, sizeof rule, "{\"at\":\"tds.bytes.out\",%s,\"arg\":%zu}", how, bytes);
    fault(rule);
    if (!server->connect(server, NULL, &store, &err)) {
        control("DELETE", "/faults", "");
        return false;
    }
    good = store->ops->observe(store, arena, &evidence, &err);
    if (good)
        assert_int_equal(evidence.tables[TABLE_EVENTS].fresh.rows, EVENTS);
    store->ops->close(store);
    control("DELETE", "/faults", "");
    return good;
}

static void
a_cut_anywhere_in_the_evidence_is_an_error(void **state)
{
    struct mssql_options options = options_for("dwclean");
    size_t bytes = 20;

    (void)state;
    use(&options);
    while (!observe_cut_at(bytes, "\"do\":\"cut\"")) {
        assert_true(bytes < 200000);
        bytes += bytes < 1000 ? 97 : 733;
    }
    assert_true(bytes > 3000); /* the evidence is longer than that: cuts were really made */
}

/** FreeTDS asks for ever then, whatever its time limits are. */
static void
an_orderly_end_of_tls_is_noticed(void **state)
{
    static const size_t places[] = {2000, 3000};
    struct mssql_options options = options_for("dwclean");

    (void)state;
    use(&options);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const int64_t start = clock_monotonic_ms();

        assert_false(observe_cut_at(places[i], "\"do\":\"other\",\"text\":\"close\""));
        assert_int_equal(err.code, ERR_CONNECT);
        assert_true(clock_monotonic_ms() - start < 10000);
    }
}

static void
an_orderly_end_of_tls_in_the_sign_in_is_noticed(void **state)
{
    struct mssql_options options = options_for("dwclean");
    const int64_t start = clock_monotonic_ms();

    (void)state;
    options.login_timeout_s = 1;
    use(&options);
    assert_false(observe_cut_at(60, "\"do\":\"other\",\"text\":\"close\""));
    assert_int_equal(err_exit_status(err.code), 10);
    assert_true(clock_monotonic_ms() - start < 15000);
}

static void
a_passing_state_of_the_server_is_waited_for(void **state)
{
    struct mssql_options options = options_for("dwclean");
    int64_t start = clock_monotonic_ms();
    struct axdb_store *store;

    (void)state;
    use(&options);
    fault("{\"at\":\"tds.login\",\"do\":\"error\",\"arg\":40613}");
    store = connect_again();
    store->ops->close(store);
    assert_true(clock_monotonic_ms() - start >= 1900);
}

static void
a_firewall_is_named_at_once(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    fault("{\"at\":\"tds.login\",\"do\":\"error\",\"arg\":40615}");
    refuse_connection(&options, ERR_CONNECT, "does not let us in");
    assert_non_null(strstr(err.detail, "40615"));
}

static void
a_server_that_encrypts_the_sign_in_only_is_refused(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    fault("{\"at\":\"tds.prelogin\",\"do\":\"other\",\"text\":\"encryption=0\"}");
    refuse_connection(&options, ERR_TLS, "encrypts the sign-in only");
}

static void
a_server_without_tls_is_refused(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    fault("{\"at\":\"tds.prelogin\",\"do\":\"other\",\"text\":\"encryption=2\",\"times\":0}");
    refuse_connection(&options, ERR_TLS, "offers no TLS");
}

static void
a_blocked_transaction_names_who_blocks_it(void **state)
{
    struct axdb_store *first = connect_as("dwclean");
    struct axdb_store *second = connect_again();

    (void)state;
    begin(first, 20000);
    assert_false(second->ops->begin_locked(second, 20000, &err));
    if (strstr(err.detail, "locks are held by session") == NULL)
        fail_msg("%s", err.detail);
    first->ops->close(first);
    second->ops->close(second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(a_wrong_password_is_a_refused_sign_in),
        CONTRACT_TEST(an_unknown_database_is_named),
        CONTRACT_TEST(an_unknown_authority_is_refused_and_named),
        CONTRACT_TEST(trusting_the_certificate_is_said),
        CONTRACT_TEST(a_host_that_does_not_resolve_is_named),
        CONTRACT_TEST(a_closed_port_is_a_refused_connection),
        CONTRACT_TEST(an_error_among_the_rows_is_no_short_table),
        CONTRACT_TEST(a_connection_lost_among_the_rows_is_no_short_table),
        CONTRACT_TEST(a_server_that_freezes_is_left_in_time),
        CONTRACT_TEST(the_shape_of_packets_does_not_change_a_digest),
        CONTRACT_TEST(a_cut_anywhere_in_the_evidence_is_an_error),
        CONTRACT_TEST(an_orderly_end_of_tls_is_noticed),
        CONTRACT_TEST(an_orderly_end_of_tls_in_the_sign_in_is_noticed),
        CONTRACT_TEST(a_passing_state_of_the_server_is_waited_for),
        CONTRACT_TEST(a_firewall_is_named_at_once),
        CONTRACT_TEST(a_server_that_encrypts_the_sign_in_only_is_refused),
        CONTRACT_TEST(a_server_without_tls_is_refused),
        CONTRACT_TEST(a_blocked_transaction_names_who_blocks_it),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
