#include "core/locked_change.h"
#include "fake_world.h"
#include "test.h"

#include <string.h>

static int changes;

static bool
change_nothing(void *ctx, int64_t ret_rows[AXDB_TABLES], struct err *err)
{
    (void)ctx;
    (void)err;
    changes++;
    for (int i = 0; i < AXDB_TABLES; i++)
        ret_rows[i] = i + 1;
    return true;
}

/** What an answer to COMMIT makes of the change; `counts` times it was attempted. */
static void
after_commit_was_sent_it_is_never_attempted_again(void **state)
{
    static const struct {
        enum commit_state commit;
        bool deadlocks; /* the refusal is one that a statement would be tried again after */
        bool ok;
        enum err_code code;
        const char *journalled;
        int64_t rows; /* of the first table */
    } cases[] = {
        {COMMIT_DONE, false, true, ERR_NONE, "committed", 1},
        {COMMIT_NOT, false, false, ERR_CONNECT, "rolled-back", 0},
        {COMMIT_NOT, true, false, ERR_LOCK, "rolled-back", 0},
        {COMMIT_UNKNOWN, false, false, ERR_OUTCOME, "commit-unknown", 1},
        {COMMIT_UNKNOWN, true, false, ERR_OUTCOME, "commit-unknown", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct run_info info = {.id = "by-hand", .command = "clean"};
        struct locked_result result;
        struct axdb_store *store;
        struct fake_world world;
        struct run_dir *dir;
        struct err err = {0};

        fake_world_init(&world);
        assert_true(world.axdb_server.connect(&world.axdb_server, "by-hand", &store, &err));
        assert_true(world.run_store.create(&world.run_store, &info, 0, &dir, &err));
        world.commit = cases[i].commit;
        world.commit_deadlocks = cases[i].deadlocks;
        changes = 0;
        const struct locked_change change = {.store = store,
                                             .max_lock_ms = 30000,
                                             .journal = dir->ops->journal(dir),
                                             .observer = &world.observer,
                                             .change = change_nothing,
                                             .done_but_unsaid = "done"};

        assert_int_equal(locked_change_run(&change, &result, &err), cases[i].ok);
        assert_int_equal(changes, 1);
        assert_int_equal(err.code, cases[i].code);
        assert_true(result.commit_sent);
        assert_int_equal(result.commit, cases[i].commit);
        assert_int_equal(result.rows[0], cases[i].rows);
        assert_true(fake_world_journalled(&world, cases[i].journalled));
    }
}

/** Of the tables that the change does not touch, those that it may reach are watched. */
static void
what_the_change_may_reach_is_watched(void **state)
{
    static const char *const names[] = {"FK_MAP"};
    static const struct {
        bool triggers_seen, keys_seen, a_trigger, a_key, watched;
    } cases[] = {{true, true, false, false, false},
                 {false, true, false, false, true},
                 {true, false, false, false, true},
                 {true, true, true, false, true},
                 {true, true, false, true, true}};
    static const bool changed[AXDB_TABLES] = {[TABLE_PROJECT] = true};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(1048576);
        static struct fake_world world;
        struct axdb_evidence evidence;
        struct locked_watch watch;
        struct axdb_store *store;
        struct err err = {0};

        fake_world_init(&world);
        assert_true(world.axdb_server.connect(&world.axdb_server, "by-hand", &store, &err));
        assert_true(store->ops->observe(store, arena, &evidence, &err));
        struct axdb_table_evidence *table = &evidence.tables[TABLE_PROJECT];

        table->triggers = (struct named_list){
            .known = cases[i].triggers_seen, .names = names, .count = cases[i].a_trigger};
        table->foreign_keys = (struct named_list){
            .known = cases[i].keys_seen, .names = names, .count = cases[i].a_key};
        assert_true(locked_watch_begin(store, evidence.tables, changed, &watch, &err));
        assert_int_equal(watch.watched[TABLE_EVENTS], cases[i].watched);
        assert_false(watch.watched[TABLE_PROJECT]);
        assert_true(locked_watch_end(store, evidence.tables, &watch, &err));
        world.tables[TABLE_EVENTS].rows[0].content++;
        assert_int_equal(locked_watch_end(store, evidence.tables, &watch, &err), !cases[i].watched);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_commit_was_sent_it_is_never_attempted_again),
        cmocka_unit_test(what_the_change_may_reach_is_watched),
    };

    return cmocka_run_group_tests_name("core/locked_change", tests, NULL, NULL);
}
