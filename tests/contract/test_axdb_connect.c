/** Ways to a server: named instances and pinned certificates. */
#define CONTRACT_NEEDS NEEDS_SANDBOX

#include "other_sandbox.h"

/* ---- named instances ---- */

/** An address that is most likely this process's own. */
static const char *
browser_address(void)
{
    static char address[64];
    const unsigned pid = (unsigned)getpid();

    (void)snprintf(address, sizeof address, "127.77.%u.%u", pid / 250 % 250 + 1, pid % 250 + 1);
    return address;
}

static struct mssql_options
start_instance(void)
{
    const char *const options[] = {"--browser", browser_address(), NULL};
    struct mssql_options login;

    other_start(options);
    login = options_for("dwclean");
    login.host = browser_address();
    login.instance = "axdb";
    login.port = 0;
    return login;
}

static void
the_port_of_a_named_instance_is_asked_for(void **state)
{
    struct mssql_options options = start_instance();

    (void)state;
    accept_connection(&options);
    assert_int_equal(logged("\"kind\":\"browser\""), 1);
}

static void
with_a_port_nobody_is_asked(void **state)
{
    struct mssql_options options = start_instance();

    (void)state;
    options.port = (uint16_t)strtol(variable("SANDBOX_TDS_PORT"), NULL, 10);
    accept_connection(&options);
    assert_int_equal(logged("\"kind\":\"browser\""), 0);
}

static void
a_lost_answer_is_asked_for_again(void **state)
{
    struct mssql_options options = start_instance();
    int64_t start = clock_monotonic_ms();

    (void)state;
    fault("{\"at\":\"tds.browser\",\"do\":\"freeze\",\"times\":2}");
    accept_connection(&options);
    assert_int_equal(logged("\"kind\":\"browser\""), 3);
    assert_in_range(clock_monotonic_ms() - start, 2000, 4000);
}

static void
answers_that_are_wrong_or_come_from_elsewhere_are_ignored(void **state)
{
    static const char *const answers[] = {"malformed", "other-instance", "elsewhere", "tcp=0",
                                          "tcp=65536", "tcp=14330x",     "tcp="};
    struct mssql_options options = start_instance();

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char rule[128];

        control("DELETE", "/log", "");
        (void)snprintf(rule, sizeof rule,
                       "{\"at\":\"tds.browser\",\"do\":\"other\",\"text\":\"%s\"}", answers[i]);
        fault(rule);
        accept_connection(&options); /* by the second answer, which is right */
        if (logged("\"kind\":\"browser\"") != 2)
            fail_msg("\"%s\" was believed", answers[i]);
    }
}

static void
a_silent_browser_is_left_in_time_with_the_way_on(void **state)
{
    struct mssql_options options = start_instance();
    int64_t start = clock_monotonic_ms();

    (void)state;
    options.login_timeout_s = 2;
    fault("{\"at\":\"tds.browser\",\"do\":\"freeze\",\"times\":0}");
    refuse_connection(&options, ERR_CONNECT, "SQL Server Browser");
    assert_in_range(clock_monotonic_ms() - start, 1900, 2900);
    assert_non_null(strstr(err.hint, ",PORT"));
    assert_non_null(strstr(err.hint, "--lcs"));
    assert_int_equal(logged("\"kind\":\"login\""), 0);
}

static void
without_a_browser_nothing_is_waited_for(void **state)
{
    struct mssql_options options = options_for("dwclean");
    int64_t start = clock_monotonic_ms();

    (void)state;
    options.host = "127.78.1.1";
    options.instance = "AXDB";
    options.port = 0;
    refuse_connection(&options, ERR_CONNECT, "SQL Server Browser");
    assert_true(clock_monotonic_ms() - start < 900);
}

static void
an_instance_without_tcp_is_told_so(void **state)
{
    struct mssql_options options = start_instance();

    (void)state;
    fault("{\"at\":\"tds.browser\",\"do\":\"other\",\"text\":\"no-tcp\"}");
    refuse_connection(&options, ERR_CONNECT, "does not listen on TCP");
}

static struct mssql_options child_options;

/** 0 when connecting failed with ERR_INTERRUPTED. */
static int
connect_until_interrupted(void)
{
    struct axdb_store *store;

    if (server->connect(server, NULL, &store, &err))
        return 1;
    return err.code == ERR_INTERRUPTED ? 0 : 2;
}

static void
a_signal_ends_the_question_at_once(void **state)
{
    int64_t ms = 0;

    (void)state;
    child_options = start_instance();
    fault("{\"at\":\"tds.browser\",\"do\":\"freeze\",\"times\":0}");
    use(&child_options);
    assert_int_equal(in_child(connect_until_interrupted, SIGINT, 500, &ms), 0);
    assert_true(ms < 1000);
}

/* ---- -J ---- */

static void
start_with_certificate(const char *name)
{
    const char *const options[] = {"--certificate", name, NULL};

    other_start(options);
}

static char pinned_file[PATH_BYTES];

static struct mssql_options
pinned_to(const char *name)
{
    struct mssql_options options = options_for("dwclean");

    other_file(name, pinned_file);
    options.ca_file = NULL;
    options.certificate_file = pinned_file;
    return options;
}

static void
the_servers_own_certificate_is_accepted(void **state)
{
    static const char *const names[] = {"good", "self-signed"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mssql_options options;
        char file[32];

        start_with_certificate(names[i]);
        (void)snprintf(file, sizeof file, "%s.pem", names[i]);
        options = pinned_to(file);
        accept_connection(&options);
        other_stop();
    }
}

static void
another_certificate_is_refused_whoever_signed_it(void **state)
{
    static const struct {
        const char *presented, *pinned;
    } pairs[] = {
        {"second", "good.pem"}, /* of the same authority */
        {"good", "second.pem"},
        {"good", "self-signed.pem"},
        {"self-signed", "good.pem"},
        {"by-self-signed", "self-signed.pem"}, /* signed with the key of the pinned one */
        {"other-ca", "good.pem"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct mssql_options options;

        start_with_certificate(pairs[i].presented);
        options = pinned_to(pairs[i].pinned);
        refuse_connection(&options, ERR_TLS, "another certificate than the one given with -J");
        assert_non_null(strstr(err.detail, "SHA-256"));
        assert_int_equal(logged("\"kind\":\"login\""), 0);
        other_stop();
    }
}

static void
an_expired_certificate_is_refused_also_when_it_is_the_one(void **state)
{
    struct mssql_options options;

    (void)state;
    start_with_certificate("expired");
    options = pinned_to("expired.pem");
    refuse_connection(&options, ERR_TLS, "expired");
}

static void
the_name_counts_but_may_be_another_with_f(void **state)
{
    struct mssql_options options;

    (void)state;
    start_with_certificate("wrong-name");
    options = pinned_to("wrong-name.pem");
    refuse_options(&options, "is not made out for localhost");
    options.certificate_host = "elsewhere.invalid";
    accept_connection(&options);
    options.certificate_host = "nowhere.invalid";
    refuse_options(&options, "is not made out for nowhere.invalid");
}

static void
an_authority_is_no_servers_certificate(void **state)
{
    struct mssql_options options;

    (void)state;
    start_with_certificate("good");
    options = pinned_to("ca.pem");
    refuse_options(&options, "authority");
}

static void
what_was_checked_is_what_is_used(void **state)
{
    struct mssql_options options;
    struct axdb_store *store;

    (void)state;
    start_with_certificate("good");
    options = pinned_to("good.pem");
    use(&options);
    assert_int_equal(unlink(pinned_file), 0); /* nothing is read again */
    store = connect_again();
    store->ops->close(store);
}

/* ---- -N ---- */

static void
each_word_of_n_means_what_it_is_documented_to(void **state)
{
    static const struct {
        const char *server;
        enum mssql_encryption asked;
        const char *result; /* of the rows; NULL = refused */
    } cells[] = {
        {"none", MSSQL_ENCRYPTION_MANDATORY, NULL},
        {"optional", MSSQL_ENCRYPTION_MANDATORY, "TLS, certificate checked"},
        {"required", MSSQL_ENCRYPTION_MANDATORY, "TLS, certificate checked"},
        {"none", MSSQL_ENCRYPTION_OPTIONAL, "none"},
        {"optional", MSSQL_ENCRYPTION_OPTIONAL, "none"}, /* the sign-in alone */
        {"required", MSSQL_ENCRYPTION_OPTIONAL, "TLS, certificate checked"},
        {"none", MSSQL_ENCRYPTION_DISABLE, "none"},
        {"optional", MSSQL_ENCRYPTION_DISABLE, "none"},
        {"required", MSSQL_ENCRYPTION_DISABLE, "TLS, certificate checked"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        const char *const with[] = {"--tds-encryption", cells[i].server, NULL};
        ARENA_SCOPED arena = arena_new(ARENA_BYTES);
        struct axdb_evidence evidence;
        struct listener listener = new_listener();
        struct mssql_options options;
        struct axdb_store *store;

        other_start(with);
        options = options_for("dwclean");
        options.encryption = cells[i].asked;
        options.observer = &listener.observer;
        if (cells[i].result == NULL) {
            refuse_connection(&options, ERR_TLS, "TLS");
            assert_int_equal(logged("\"kind\":\"login\""), 0);
        } else {
            use(&options);
            store = connect_again();
            observe(store, arena, &evidence);
            if (strcmp(evidence.identity.encryption, cells[i].result) != 0)
                fail_msg("cell %zu: %s", i, evidence.identity.encryption);
            assert_int_equal(listener.lines, strcmp(cells[i].result, "none") == 0 ? 1 : 0);
            store->ops->close(store);
        }
        other_stop();
    }
}

/** Also where only the sign-in is encrypted, it is not sent to whoever presents a certificate. */
static void
optional_encryption_still_checks_the_certificate(void **state)
{
    struct mssql_options options;

    (void)state;
    start_with_certificate("other-ca");
    options = options_for("dwclean");
    options.encryption = MSSQL_ENCRYPTION_OPTIONAL;
    refuse_connection(&options, ERR_TLS, "");
    assert_int_equal(logged("\"kind\":\"login\""), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        OTHER_TEST(the_port_of_a_named_instance_is_asked_for),
        OTHER_TEST(with_a_port_nobody_is_asked),
        OTHER_TEST(a_lost_answer_is_asked_for_again),
        OTHER_TEST(answers_that_are_wrong_or_come_from_elsewhere_are_ignored),
        OTHER_TEST(a_silent_browser_is_left_in_time_with_the_way_on),
        OTHER_TEST(without_a_browser_nothing_is_waited_for),
        OTHER_TEST(an_instance_without_tcp_is_told_so),
        OTHER_TEST(a_signal_ends_the_question_at_once),
        OTHER_TEST(the_servers_own_certificate_is_accepted),
        OTHER_TEST(another_certificate_is_refused_whoever_signed_it),
        OTHER_TEST(an_expired_certificate_is_refused_also_when_it_is_the_one),
        OTHER_TEST(the_name_counts_but_may_be_another_with_f),
        OTHER_TEST(an_authority_is_no_servers_certificate),
        OTHER_TEST(what_was_checked_is_what_is_used),
        OTHER_TEST(each_word_of_n_means_what_it_is_documented_to),
        OTHER_TEST(optional_encryption_still_checks_the_certificate),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
