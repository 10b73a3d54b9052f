/** From the first byte to the first batch: every accident of a sign-in, and what is waited for. */
#define CONTRACT_NEEDS NEEDS_SANDBOX

#include "other_sandbox.h"

#include <sched.h>
#include <sys/mount.h>

static struct mssql_options child_options;

/* ---- redirects ---- */

enum { NOT_PERMITTED = 77, CONNECTED = 0, FAILED = 1, TAKEN_FOR_FOLLOWED = 2 };

#define GATEWAY "gw.database.sandbox.test"
#define WORKER "worker.tr1.database.sandbox.test"
#define STRANGER "worker.database.elsewhere.test"

/** Names that no DNS has, for this process alone. */
static bool
name_loopback(void)
{
    static const char names[] = "127.0.0.1 localhost " GATEWAY " " WORKER " " STRANGER "\n";
    char path[] = "/tmp/dwclean-hosts.XXXXXX";
    int fd;
    bool ok;

    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    fd = mkstemp(path);
    if (fd < 0)
        return false;
    ok = write(fd, names, sizeof names - 1) == sizeof names - 1 && fchmod(fd, 0644) == 0 &&
         mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount(path, "/etc/hosts", NULL, MS_BIND, NULL) == 0;
    (void)close(fd);
    (void)unlink(path);
    return ok;
}

/** What connecting says goes to the parent through a pipe. */
static int told[2];

static int
connect_to_gateway(void)
{
    struct axdb_store *store;

    if (!name_loopback())
        return NOT_PERMITTED;
    if (!mssql_server_new(&child_options, &server, &err) ||
        !server->connect(server, NULL, &store, &err)) {
        if (write(told[1], err.primary, sizeof err.primary) < 0)
            return CHILD_FAULT;
        return FAILED;
    }
    store->ops->close(store);
    return CONNECTED;
}

/** Connect to the gateway; the error's text, or "" when it went well. */
static const char *
by_the_gateway(int64_t *ret_ms)
{
    static char text[sizeof err.primary];
    int status;

    text[0] = '\0';
    child_options = options_for("dwclean");
    child_options.host = GATEWAY;
    child_options.login_timeout_s = 3;
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    status = in_child(connect_to_gateway, 0, 0, ret_ms);
    if (status == FAILED)
        assert_int_equal(read(told[0], text, sizeof text), sizeof text);
    assert_int_equal(close(told[0]), 0);
    assert_int_equal(close(told[1]), 0);
    if (status == NOT_PERMITTED)
        skip();
    if (status != (text[0] == '\0' ? CONNECTED : FAILED))
        fail_msg("status %d", status);
    return text;
}

static void
redirect(const char *to, int times)
{
    char rule[256];

    (void)snprintf(
        rule, sizeof rule,
        "{\"at\":\"tds.login\",\"do\":\"other\",\"times\":%d,\"text\":\"redirect=%s,%s\"}", times,
        to, variable("SANDBOX_TDS_PORT"));
    fault(rule);
}

static void
a_redirect_below_the_same_suffix_is_followed_inside_tls(void **state)
{
    int64_t ms = 0;

    (void)state;
    redirect(WORKER, 1);
    control("DELETE", "/log", "");
    assert_string_equal(by_the_gateway(&ms), "");
    assert_true(ms < 3000);
    assert_int_equal(logged("\"result\":\"redirected\""), 1);
    assert_int_equal(logged("\"result\":\"ok\""), 1);
}

static void
a_second_redirect_is_not_followed(void **state)
{
    int64_t ms = 0;

    (void)state;
    redirect(WORKER, 0);
    control("DELETE", "/log", "");
    assert_non_null(strstr(by_the_gateway(&ms), "not followed"));
    assert_int_equal(logged("\"result\":\"redirected\""), 2);
    assert_int_equal(logged("\"result\":\"ok\""), 0);
}

static void
a_redirect_to_another_suffix_is_named_and_not_followed(void **state)
{
    int64_t ms = 0;

    (void)state;
    redirect(STRANGER, 1);
    control("DELETE", "/log", "");
    assert_non_null(strstr(by_the_gateway(&ms), "sends us to " STRANGER));
    assert_int_equal(logged("\"result\":\"redirected\""), 1);
    assert_int_equal(logged("\"kind\":\"login\""), 1); /* FreeTDS knocks there, and no more */
}

/* ---- logins that were just made ---- */

static void
a_new_login_is_waited_for_and_that_is_told(void **state)
{
    struct mssql_options options = options_for("dwclean");
    struct listener listener = new_listener();
    int64_t start = clock_monotonic_ms();

    (void)state;
    options.new_login_ms = 5400; /* a try every 0.3 s; with 90 s and more, every 5 s */
    options.observer = &listener.observer;
    control("DELETE", "/log", "");
    fault("{\"at\":\"tds.login\",\"do\":\"error\",\"arg\":18456,\"times\":6}");
    accept_connection(&options);
    assert_in_range(clock_monotonic_ms() - start, 1700, 4000);
    assert_int_equal(logged("\"result\":\"refused 18456\""), 6);
    assert_int_equal(listener.lines, 6);
    assert_non_null(strstr(listener.last, "as \"dwclean\" was refused"));
    assert_non_null(strstr(listener.last, "trying again in 0.3 s"));
}

static void
a_login_that_stays_refused_is_given_up_in_time(void **state)
{
    struct mssql_options options = options_for("nobody-here");
    int64_t start = clock_monotonic_ms();

    (void)state;
    options.new_login_ms = 1800;
    refuse_connection(&options, ERR_SIGNIN, "tried for 1 s: the sign-in to");
    assert_in_range(clock_monotonic_ms() - start, 1700, 3500);
}

static void
without_being_asked_for_a_login_is_tried_once(void **state)
{
    struct mssql_options options = options_for("nobody-here");

    (void)state;
    control("DELETE", "/log", "");
    refuse_connection(&options, ERR_SIGNIN, "the sign-in to");
    assert_int_equal(logged("\"kind\":\"login\""), 1);
}

static void
other_refusals_are_not_tried_again(void **state)
{
    static const int numbers[] = {18487, 18488, 18470, 4060, 916, 40615, 40914,
                                  47073, 40532, 924,   927,  976, 978};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct mssql_options options = options_for("dwclean");
        struct listener listener = new_listener();
        struct axdb_store *store;
        char rule[128];

        options.new_login_ms = 90000;
        options.observer = &listener.observer;
        (void)snprintf(rule, sizeof rule, "{\"at\":\"tds.login\",\"do\":\"error\",\"arg\":%d}",
                       numbers[i]);
        fault(rule);
        use(&options);
        assert_false(server->connect(server, NULL, &store, &err));
        assert_int_equal(listener.lines, 0);
        (void)snprintf(rule, sizeof rule, "server error %d,", numbers[i]);
        assert_non_null(strstr(err.detail, rule));
        assert_true(err.hint[0] != '\0');
    }
}

static int
connect_until_interrupted(void)
{
    struct axdb_store *store;

    if (server->connect(server, NULL, &store, &err))
        return FAILED;
    return err.code == ERR_INTERRUPTED ? 0 : TAKEN_FOR_FOLLOWED;
}

static void
waiting_for_a_login_ends_with_the_signal(void **state)
{
    int64_t ms = 0;

    (void)state;
    child_options = options_for("nobody-here");
    child_options.new_login_ms = 90000;
    use(&child_options);
    assert_int_equal(in_child(connect_until_interrupted, SIGINT, 700, &ms), 0);
    assert_true(ms < 1000);
}

/** dbopen has given up after 1 s; then the server is asked why. */
static void
a_signal_while_a_failure_is_looked_into_is_one(void **state)
{
    int64_t ms = 0;

    (void)state;
    child_options = options_for("dwclean");
    child_options.login_timeout_s = 1;
    fault("{\"at\":\"tds.prelogin\",\"do\":\"freeze\",\"times\":0}");
    use(&child_options);
    assert_int_equal(in_child(connect_until_interrupted, SIGINT, 2000, &ms), 0);
    assert_true(ms < 1000);
}

/* ---- passing states ---- */

static void
each_passing_state_is_waited_for_and_told(void **state)
{
    static const int numbers[] = {40613, 49918, 10929};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct mssql_options options = options_for("dwclean");
        struct listener listener = new_listener();
        char rule[128];

        options.observer = &listener.observer;
        (void)snprintf(rule, sizeof rule, "{\"at\":\"tds.login\",\"do\":\"error\",\"arg\":%d}",
                       numbers[i]);
        fault(rule);
        accept_connection(&options);
        assert_int_equal(listener.lines, 1);
        assert_non_null(strstr(listener.last, "trying again in 2.0 s"));
    }
}

static void
a_passing_state_after_the_sign_in_is_not_waited_for(void **state)
{
    struct mssql_options options = options_for("dwclean");
    struct listener listener = new_listener();
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *store;

    (void)state;
    options.observer = &listener.observer;
    use(&options);
    store = connect_again();
    fault("{\"at\":\"tds.request\",\"do\":\"error\",\"arg\":40501,\"times\":0}");
    assert_false(store->ops->observe(store, arena, &evidence, &err));
    assert_non_null(strstr(err.detail, "40501"));
    assert_int_equal(listener.lines, 0);
    store->ops->close(store);
}

/* ---- silence and hanging up, at each step ---- */

static const char *const steps[] = {"tds.accept", "tds.prelogin", "tds.tls", "tds.login",
                                    "tds.request"};

static void
silence_at_any_step_ends_in_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct mssql_options options = options_for("dwclean");
        struct axdb_store *store;
        int64_t start = clock_monotonic_ms();
        char rule[128];

        if (strcmp(steps[i], "tds.request") == 0)
            continue; /* signed in: the statement's own limit, below */
        options.login_timeout_s = 1;
        (void)snprintf(rule, sizeof rule, "{\"at\":\"%s\",\"do\":\"freeze\",\"times\":0}",
                       steps[i]);
        fault(rule);
        use(&options);
        assert_false(server->connect(server, NULL, &store, &err));
        if (err.code != ERR_CONNECT && err.code != ERR_TLS)
            fail_msg("%s: %s: %s", steps[i], err_name(err.code), err.primary);
        if (clock_monotonic_ms() - start > 6000)
            fail_msg("%s: waited too long", steps[i]);
        control("DELETE", "/faults", "");
    }
}

static void
hanging_up_at_any_step_is_an_error_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct mssql_options options = options_for("dwclean");
        struct axdb_store *store;
        int64_t start = clock_monotonic_ms();
        char rule[128];

        (void)snprintf(rule, sizeof rule, "{\"at\":\"%s\",\"do\":\"cut\",\"times\":0}", steps[i]);
        fault(rule);
        use(&options);
        assert_false(server->connect(server, NULL, &store, &err));
        if (err.code != ERR_CONNECT && err.code != ERR_TLS)
            fail_msg("%s: %s: %s", steps[i], err_name(err.code), err.primary);
        if (strcmp(steps[i], "tds.tls") == 0)
            assert_non_null(strstr(err.primary, "broke off the TLS handshake"));
        if (clock_monotonic_ms() - start > 2000)
            fail_msg("%s: waited", steps[i]);
        control("DELETE", "/faults", "");
    }
}

/* ---- TLS ---- */

static void
tls_1_3_alone_is_named(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    options.login_timeout_s = 2;
    fault("{\"at\":\"tds.tls\",\"do\":\"other\",\"text\":\"tls1.3-only\",\"times\":0}");
    refuse_connection(&options, ERR_TLS, "no TLS version up to 1.2");
    assert_non_null(strstr(err.hint, "1.2"));
}

static void
no_row_crosses_in_clear_text(void **state)
{
    struct mssql_options options = options_for("dwclean");

    (void)state;
    control("DELETE", "/log", "");
    fault("{\"at\":\"tds.prelogin\",\"do\":\"other\",\"text\":\"encryption=0\",\"times\":0}");
    refuse_connection(&options, ERR_TLS, "encrypts the sign-in only");
    assert_int_equal(logged("\"kind\":\"login\""), 1);
    assert_int_equal(logged("\"kind\":\"batch\""), 1); /* SET options, which answer nothing */
    assert_int_equal(logged("SELECT"), 0);
}

/* ---- after the sign-in ---- */

static struct axdb_store *waiting;

/** Its counts wait for somebody's lock. */
static int
observe_until_interrupted(void)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    bool good = waiting->ops->observe(waiting, arena, &evidence, &err);

    return good ? FAILED : err.code == ERR_INTERRUPTED ? 0 : TAKEN_FOR_FOLLOWED;
}

static void
block_the_tables(struct axdb_store **ret_blocker)
{
    struct mssql_options options = options_for("dwclean");

    options.lock_timeout_ms = 30000;
    options.query_timeout_s = 1;
    use(&options);
    *ret_blocker = connect_again();
    waiting = connect_again();
    begin(*ret_blocker, 60000);
}

static void
a_signal_ends_a_running_statement_within_a_second(void **state)
{
    struct mssql_options options = options_for("dwclean");
    struct axdb_store *blocker;
    int64_t ms = 0;

    (void)state;
    options.lock_timeout_ms = 30000;
    use(&options);
    blocker = connect_again();
    waiting = connect_again();
    begin(blocker, 60000);
    assert_int_equal(in_child(observe_until_interrupted, SIGINT, 1000, &ms), 0);
    assert_true(ms < 1200);
    blocker->ops->close(blocker);
    waiting->ops->close(waiting);
}

static void
a_statement_that_takes_too_long_is_cancelled(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct axdb_store *blocker;
    int64_t start;

    (void)state;
    block_the_tables(&blocker);
    control("DELETE", "/log", "");
    start = clock_monotonic_ms();
    assert_false(waiting->ops->observe(waiting, arena, &evidence, &err));
    if (strstr(err.primary, "within 1.0 s") == NULL)
        fail_msg("%s (%s)", err.primary, err.detail);
    assert_in_range(clock_monotonic_ms() - start, 900, 3500);
    assert_int_equal(logged("\"kind\":\"attention\""), 1);
    blocker->ops->close(blocker);
    waiting->ops->close(waiting);
}

static void
silence_among_the_rows_is_left_in_time(void **state)
{
    struct mssql_options options = options_for("dwclean");
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct axdb_evidence evidence;
    struct reading reading = {.all = digest_new()};
    struct row_sink sink = {.ctx = &reading, .take = note_row};
    struct axdb_store *store;
    int64_t start;

    (void)state;
    options.query_timeout_s = 1;
    use(&options);
    store = connect_again();
    observe(store, arena, &evidence);
    fault("{\"at\":\"tds.row\",\"match\":\"ORDER BY [PARTITION]\",\"skip\":200,\"do\":\"freeze\"}");
    start = clock_monotonic_ms();
    assert_false(store->ops->read_rows(store, &evidence.tables[TABLE_EVENTS].schema, &sink, &err));
    assert_int_equal(err.code, ERR_CONNECT);
    assert_true(reading.count < EVENTS);
    assert_true(clock_monotonic_ms() - start < 12000);
    digest_free(reading.all);
    store->ops->close(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        OTHER_TEST(a_redirect_below_the_same_suffix_is_followed_inside_tls),
        OTHER_TEST(a_second_redirect_is_not_followed),
        OTHER_TEST(a_redirect_to_another_suffix_is_named_and_not_followed),
        OTHER_TEST(a_new_login_is_waited_for_and_that_is_told),
        OTHER_TEST(a_login_that_stays_refused_is_given_up_in_time),
        OTHER_TEST(without_being_asked_for_a_login_is_tried_once),
        OTHER_TEST(other_refusals_are_not_tried_again),
        OTHER_TEST(waiting_for_a_login_ends_with_the_signal),
        OTHER_TEST(a_signal_while_a_failure_is_looked_into_is_one),
        OTHER_TEST(each_passing_state_is_waited_for_and_told),
        OTHER_TEST(a_passing_state_after_the_sign_in_is_not_waited_for),
        OTHER_TEST(silence_at_any_step_ends_in_time),
        OTHER_TEST(hanging_up_at_any_step_is_an_error_at_once),
        OTHER_TEST(tls_1_3_alone_is_named),
        OTHER_TEST(no_row_crosses_in_clear_text),
        OTHER_TEST(a_signal_ends_a_running_statement_within_a_second),
        OTHER_TEST(a_statement_that_takes_too_long_is_cancelled),
        OTHER_TEST(silence_among_the_rows_is_left_in_time),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
