/**
 * Credentials that are asked for just in time: once, for the right database, in time, and gone
 * afterwards.
 */
#include "core/granted_axdb.h"
#include "test.h"

#include <string.h>

enum { NOW_MS = 1000000 };

/** Who gives, what was given, and what came of it. */
static struct {
    struct runtime_server grantor;
    struct axdb_server inner;
    struct axdb_store store;
    struct axdb_grant given;
    struct axdb_grant_request asked;
    struct err refusal; /* code ERR_NONE = none */
    struct err connect_fails;
    int asks, makes, connects, releases;
    const char *made_with; /* the password's memory, while the server lives */
    int64_t now_ms;
} world;

static bool
give(struct runtime_server *server, const struct axdb_grant_request *request,
     struct axdb_grant *ret, struct err *err)
{
    assert_ptr_equal(server, &world.grantor);
    world.asks++;
    world.asked = *request;
    if (world.refusal.code != ERR_NONE) {
        *err = world.refusal;
        return false;
    }
    *ret = world.given;
    return secret_set(&ret->password, "hunter2", 7, err);
}

static bool
connect_inner(struct axdb_server *server, const char *run_id, struct axdb_store **ret,
              struct err *err)
{
    assert_ptr_equal(server, &world.inner);
    assert_string_equal(run_id, "run-1");
    world.connects++;
    if (world.connect_fails.code != ERR_NONE) {
        *err = world.connect_fails;
        return false;
    }
    *ret = &world.store;
    return true;
}

static bool
make(void *ctx, const struct axdb_grant *grant, struct axdb_server **ret, struct err *err)
{
    (void)err;
    assert_ptr_equal(ctx, &world);
    assert_string_equal(secret_reveal(&grant->password), "hunter2");
    world.makes++;
    world.made_with = secret_reveal(&grant->password);
    *ret = &world.inner;
    return true;
}

static void
release(void *ctx, struct axdb_server *server)
{
    assert_ptr_equal(ctx, &world);
    assert_ptr_equal(server, &world.inner);
    assert_string_equal(world.made_with, "hunter2"); /* as long as the server lives */
    world.releases++;
}

static int64_t
now(void)
{
    return world.now_ms;
}

static int
set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.grantor.grant_axdb = give;
    world.inner.connect = connect_inner;
    world.now_ms = NOW_MS;
    world.given = (struct axdb_grant){.server = "tcp:Spartan-1.database.windows.net,1433",
                                      .database = "AxDB",
                                      .user = "JIT-1",
                                      .expires_utc_ms = NOW_MS + 3600000};
    return 0;
}

static struct granted_axdb_options
options(void)
{
    return (struct granted_axdb_options){
        .grantor = &world.grantor,
        .request = {.address = "203.0.113.7", .writer = true, .reason = "dwclean clean"},
        .maker = {.ctx = &world, .make = make, .release = release},
        .now_utc_ms = now,
    };
}

static struct axdb_server *
server_of(const struct granted_axdb_options *with)
{
    struct axdb_server *server = NULL;
    struct err err = {0};

    assert_true(granted_axdb_new(with, &server, &err));
    return server;
}

static void
credentials_are_asked_for_once_and_at_the_first_connection(void **state)
{
    const struct granted_axdb_options with = options();
    struct axdb_server *server = server_of(&with);
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(world.asks, 0);
    for (int i = 0; i < 3; i++)
        assert_true(server->connect(server, "run-1", &store, &err));
    assert_ptr_equal(store, &world.store);
    assert_int_equal(world.asks, 1);
    assert_int_equal(world.makes, 1);
    assert_int_equal(world.connects, 3);
    assert_true(world.asked.writer);
    assert_string_equal(world.asked.reason, "dwclean clean");
    granted_axdb_free(server);
    assert_int_equal(world.releases, 1);
}

static void
a_server_that_nobody_connects_to_asks_for_nothing(void **state)
{
    const struct granted_axdb_options with = options();

    (void)state;
    granted_axdb_free(server_of(&with));
    granted_axdb_free(NULL);
    assert_int_equal(world.asks, 0);
    assert_int_equal(world.releases, 0);
}

static void
a_refusal_is_final(void **state)
{
    const struct granted_axdb_options with = options();
    struct axdb_server *server = server_of(&with);
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    (void)err_set(&world.refusal, ERR_PERMISSION, "no SQL login was given");
    for (int i = 0; i < 2; i++) {
        err = (struct err){0};
        assert_false(server->connect(server, "run-1", &store, &err));
        assert_int_equal(err.code, ERR_PERMISSION);
        assert_string_equal(err.primary, "no SQL login was given");
    }
    assert_int_equal(world.asks, 1);
    assert_int_equal(world.makes, 0);
    assert_null(store);
    granted_axdb_free(server);
}

/** Nothing is connected to, and both values are shown. */
static void
expect_refused(const struct granted_axdb_options *with, const char *asked, const char *granted)
{
    struct axdb_server *server = server_of(with);
    struct axdb_store *store = NULL;
    struct err err = {0};

    assert_false(server->connect(server, "run-1", &store, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.primary, asked));
    assert_non_null(strstr(err.primary, granted));
    assert_false(server->connect(server, "run-1", &store, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_int_equal(world.makes, 0);
    granted_axdb_free(server);
}

static void
another_server_or_database_than_asked_for_is_refused(void **state)
{
    struct granted_axdb_options with = options();

    (void)state;
    with.database = "AxDB_UAT";
    expect_refused(&with, "AxDB_UAT", "AxDB");
    with = options();
    with.pinned_database = "AxDB_UAT";
    expect_refused(&with, "AxDB_UAT", "AxDB");
    with = options();
    with.server = "spartan-2.database.windows.net";
    expect_refused(&with, "spartan-2", "Spartan-1");
    with.server = "spartan-1.database.windows.net,1434";
    expect_refused(&with, "1434", "1433");
    with = options();
    with.pinned_server = "spartan";
    expect_refused(&with, "spartan", "Spartan-1");
    assert_int_equal(world.asks, 5);
    assert_int_equal(world.connects, 0);
}

static void
the_same_target_in_another_spelling_is_the_same(void **state)
{
    static const char *const pins[] = {"SPARTAN-1", "spartan-1.database.windows.net"};
    struct granted_axdb_options with = options();
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    with.server = "spartan-1.DATABASE.windows.net";
    with.database = "axdb";
    with.pinned_database = "AXDB";
    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        struct axdb_server *server = NULL;

        with.pinned_server = pins[i];
        server = server_of(&with);
        assert_true(server->connect(server, "run-1", &store, &err));
        granted_axdb_free(server);
    }
}

static void
a_login_that_is_over_or_nearly_so_is_not_used_and_not_replaced(void **state)
{
    static const int64_t left_ms[] = {59000, 0, -1};
    const struct granted_axdb_options with = options();
    struct axdb_server *server = server_of(&with);
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    world.now_ms = world.given.expires_utc_ms - 61000;
    assert_true(server->connect(server, "run-1", &store, &err));
    for (size_t i = 0; i < sizeof left_ms / sizeof left_ms[0]; i++) {
        world.now_ms = world.given.expires_utc_ms - left_ms[i];
        assert_false(server->connect(server, "run-1", &store, &err));
        assert_int_equal(err.code, ERR_SIGNIN);
        assert_non_null(strstr(err.hint, "resume"));
    }
    assert_int_equal(world.asks, 1);
    assert_int_equal(world.connects, 1);
    granted_axdb_free(server);
}

static void
a_login_without_a_known_end_is_used(void **state)
{
    const struct granted_axdb_options with = options();
    struct axdb_server *server = server_of(&with);
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    world.given.expires_utc_ms = 0;
    assert_true(server->connect(server, "run-1", &store, &err));
    granted_axdb_free(server);
}

static void
a_login_that_worked_and_is_refused_later_was_ended_by_somebody(void **state)
{
    const struct granted_axdb_options with = options();
    struct axdb_server *server = server_of(&with);
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    (void)err_set(&world.connect_fails, ERR_SIGNIN, "18456");
    (void)err_hint(&world.connect_fails, "the server's own");
    assert_false(server->connect(server, "run-1", &store, &err));
    assert_string_equal(err.hint, "the server's own");
    world.connect_fails.code = ERR_NONE;
    assert_true(server->connect(server, "run-1", &store, &err));
    world.connect_fails.code = ERR_SIGNIN;
    assert_false(server->connect(server, "run-1", &store, &err));
    assert_non_null(strstr(err.hint, "same user"));
    assert_int_equal(world.asks, 1);
    granted_axdb_free(server);
}

static void
a_grantor_that_cannot_is_an_internal_fault(void **state)
{
    const struct granted_axdb_options with = options();
    struct axdb_server *server = server_of(&with);
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    world.grantor.grant_axdb = NULL;
    assert_false(server->connect(server, "run-1", &store, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    granted_axdb_free(server);
}

static bool
make_nothing(void *ctx, const struct axdb_grant *grant, struct axdb_server **ret, struct err *err)
{
    (void)ctx;
    (void)grant;
    (void)ret;
    return err_set(err, ERR_SERVER, "that is no server");
}

static void
a_grant_that_leads_nowhere_is_of_no_use(void **state)
{
    struct granted_axdb_options with = options();
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    with.maker.make = make_nothing;
    struct axdb_server *server = server_of(&with);

    assert_false(server->connect(server, "run-1", &store, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_false(server->connect(server, "run-1", &store, &err)); /* it is not asked for again */
    assert_int_equal(world.asks, 1);
    granted_axdb_free(server);
    assert_int_equal(world.releases, 0);
}

/** A login that fails at once never worked: nobody else has ended it. */
static void
a_login_that_never_worked_was_not_ended_by_another(void **state)
{
    struct granted_axdb_options with = options();
    struct axdb_store *store = NULL;
    struct err err = {0};

    (void)state;
    with.now_utc_ms = NULL; /* the clock: the grant is long over, or has no end */
    with.server = "a";
    world.given = (struct axdb_grant){.server = "A", .database = "AxDB", .user = "JIT-1"};
    struct axdb_server *server = server_of(&with);

    (void)err_set(&world.connect_fails, ERR_SIGNIN, "login failed");
    assert_false(server->connect(server, "run-1", &store, &err));
    assert_null(strstr(err.hint, "worked before"));
    world.connect_fails.code = ERR_NONE;
    assert_true(server->connect(server, "run-1", &store, &err));
    (void)err_set(&world.connect_fails, ERR_CONNECT, "no route");
    assert_false(server->connect(server, "run-1", &store, &err));
    assert_null(strstr(err.hint, "worked before"));
    granted_axdb_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(credentials_are_asked_for_once_and_at_the_first_connection, set_up),
        cmocka_unit_test_setup(a_server_that_nobody_connects_to_asks_for_nothing, set_up),
        cmocka_unit_test_setup(a_refusal_is_final, set_up),
        cmocka_unit_test_setup(another_server_or_database_than_asked_for_is_refused, set_up),
        cmocka_unit_test_setup(the_same_target_in_another_spelling_is_the_same, set_up),
        cmocka_unit_test_setup(a_login_that_is_over_or_nearly_so_is_not_used_and_not_replaced,
                               set_up),
        cmocka_unit_test_setup(a_login_without_a_known_end_is_used, set_up),
        cmocka_unit_test_setup(a_login_that_worked_and_is_refused_later_was_ended_by_somebody,
                               set_up),
        cmocka_unit_test_setup(a_grantor_that_cannot_is_an_internal_fault, set_up),
        cmocka_unit_test_setup(a_grant_that_leads_nowhere_is_of_no_use, set_up),
        cmocka_unit_test_setup(a_login_that_never_worked_was_not_ended_by_another, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
