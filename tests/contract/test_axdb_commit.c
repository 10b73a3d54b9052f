/** What a COMMIT that did not go well has left behind: said only when it is proven. */
#define CONTRACT_NEEDS NEEDS_SANDBOX

#include "axdb_sandbox.h"

/** Everything up to the COMMIT. */
static struct axdb_store *
ready_to_commit(void)
{
    struct axdb_store *store = connect_as("dwclean");

    begin(store, 20000);
    delete_every_row(store);
    return store;
}

static void
commit_fails(struct axdb_store *store, enum commit_state expected)
{
    enum commit_state commit = COMMIT_DONE;

    assert_false(store->ops->commit(store, &commit, &err));
    if (commit != expected)
        fail_msg("state %d: %s (%s)", commit, err.primary, err.detail);
    if (expected == COMMIT_UNKNOWN)
        assert_int_equal(err.code, ERR_OUTCOME);
}

static void
the_server_has(int64_t projects)
{
    control("DELETE", "/faults", "");
    clock_sleep_ms(300); /* until it has seen that a connection is gone */
    assert_int_equal(count_rows(TABLE_PROJECT), projects);
}

static void
unknown_after(const char *const *rules, size_t count, int64_t projects)
{
    struct axdb_store *store = ready_to_commit();

    for (size_t i = 0; i < count; i++)
        fault(rules[i]);
    commit_fails(store, COMMIT_UNKNOWN);
    store->ops->rollback(store);
    store->ops->close(store);
    the_server_has(projects);
}

static void
a_cut_before_the_commit_leaves_it_unknown(void **state)
{
    static const char *const rules[] = {"{\"at\":\"tds.commit.before\",\"do\":\"cut\"}"};

    (void)state;
    unknown_after(rules, 1, PROJECTS);
    assert_non_null(strstr(err.primary, "no answer came"));
}

static void
a_cut_after_the_commit_leaves_it_unknown(void **state)
{
    static const char *const rules[] = {"{\"at\":\"tds.commit.after\",\"do\":\"cut\"}"};

    (void)state;
    unknown_after(rules, 1, 0);
}

static void
an_error_after_the_commit_is_no_refusal(void **state)
{
    static const char *const rules[] = {
        "{\"at\":\"tds.commit.after\",\"do\":\"error\",\"arg\":40197}"};

    (void)state;
    unknown_after(rules, 1, 0);
    assert_non_null(strstr(err.detail, "40197"));
    assert_null(strstr(err.primary, "no answer"));
}

static void
an_error_from_a_connection_that_dies_proves_nothing(void **state)
{
    static const char *const rules[] = {
        "{\"at\":\"tds.commit.before\",\"do\":\"error\",\"arg\":40197}",
        "{\"at\":\"tds.request\",\"match\":\"ROLLBACK TRANSACTION\",\"do\":\"cut\"}"};

    (void)state;
    unknown_after(rules, 2, PROJECTS);
}

static void
a_rollback_that_fails_proves_nothing(void **state)
{
    static const char *const rules[] = {
        "{\"at\":\"tds.commit.before\",\"do\":\"error\",\"arg\":3930}",
        "{\"at\":\"tds.request\",\"match\":\"ROLLBACK TRANSACTION\",\"do\":\"error\",\"arg\":40501}"};

    (void)state;
    unknown_after(rules, 2, PROJECTS);
}

/** Refused, and the connection is as good as before. */
static void
refused_by(const char *rule)
{
    struct axdb_store *store = ready_to_commit();

    fault(rule);
    commit_fails(store, COMMIT_NOT);
    assert_non_null(strstr(err.primary, "refused to commit and has rolled back"));
    begin(store, 20000);
    store->ops->rollback(store);
    store->ops->close(store);
    the_server_has(PROJECTS);
}

static void
a_transaction_that_is_still_open_was_not_committed(void **state)
{
    (void)state;
    refused_by("{\"at\":\"tds.commit.before\",\"do\":\"error\",\"arg\":40197}");
}

static void
a_deadlock_victim_was_rolled_back(void **state)
{
    (void)state;
    refused_by("{\"at\":\"tds.commit.before\",\"do\":\"error\",\"arg\":1205}");
}

static void
without_time_left_the_commit_is_not_sent_and_the_locks_are_free(void **state)
{
    struct axdb_store *store = connect_as("dwclean");
    struct axdb_store *other = connect_again();

    (void)state;
    begin(store, 2000);
    delete_every_row(store);
    clock_sleep_ms(2100);
    commit_fails(store, COMMIT_NOT);
    assert_int_equal(err.code, ERR_LOCK);
    assert_non_null(strstr(err.primary, "COMMIT was not sent"));
    begin(other, 20000);
    other->ops->rollback(other);
    other->ops->close(other);
    store->ops->close(store);
    the_server_has(PROJECTS);
}

static void
on_a_lost_connection_the_commit_is_not_sent(void **state)
{
    struct axdb_store *store = ready_to_commit();
    int64_t deleted = -1, left = -1;

    (void)state;
    fault("{\"at\":\"tds.request\",\"match\":\"DELETE FROM\",\"do\":\"cut\"}");
    assert_false(delete_table(store, TABLE_EVENTS, &deleted, &left, &err));
    commit_fails(store, COMMIT_NOT);
    assert_int_equal(err.code, ERR_CONNECT);
    assert_non_null(strstr(err.primary, "COMMIT was not sent"));
    store->ops->close(store);
    the_server_has(PROJECTS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(a_cut_before_the_commit_leaves_it_unknown),
        CONTRACT_TEST(a_cut_after_the_commit_leaves_it_unknown),
        CONTRACT_TEST(an_error_after_the_commit_is_no_refusal),
        CONTRACT_TEST(an_error_from_a_connection_that_dies_proves_nothing),
        CONTRACT_TEST(a_rollback_that_fails_proves_nothing),
        CONTRACT_TEST(a_transaction_that_is_still_open_was_not_committed),
        CONTRACT_TEST(a_deadlock_victim_was_rolled_back),
        CONTRACT_TEST(without_time_left_the_commit_is_not_sent_and_the_locks_are_free),
        CONTRACT_TEST(on_a_lost_connection_the_commit_is_not_sent),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
