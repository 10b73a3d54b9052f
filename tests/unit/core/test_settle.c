#include "core/settle.h"
#include "fake_world.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576, BACKUP_ROWS = 7, WAIT_MS = 60000, SHORT_MS = 600 };

/** A world in which a run has cleared the tables, and its backup. */
struct scene {
    struct fake_world world;
    struct archived_run *archived;
    struct backup_rows rows;
    struct axdb_identity identity;
    struct run_request request;
    struct settle_job job;
    struct settle_result result;
    struct err err;
};

static const struct schema *
schema_of(void *ctx, enum table table)
{
    const struct scene *scene = ctx;

    return scene->archived->ops->schema(scene->archived, table);
}

static bool
read_rows(void *ctx, enum table table, const struct row_sink *sink, struct err *err)
{
    const struct scene *scene = ctx;

    return scene->archived->ops->read_rows(scene->archived, table, sink, err);
}

static void
set_scene(struct scene *scene, struct arena *arena)
{
    struct outcome outcome;
    struct err err;

    memset(scene, 0, sizeof *scene);
    fake_world_init(&scene->world);
    scene->request = fake_request();
    scene->request.dry_run = true;
    run_clean(&scene->request, &scene->world.ports, arena, &outcome);
    scene->request.dry_run = false;
    scene->request.plan_id = outcome.plan_id;
    run_clean(&scene->request, &scene->world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_true(scene->world.run_archive.open(&scene->world.run_archive, "last", arena,
                                              &scene->archived, &err));
    scene->identity = outcome.before.axdb->identity;
    scene->rows = (struct backup_rows){.ctx = scene, .schema = schema_of, .read = read_rows};
    scene->request.run_id = "20261121T214429Z-uat-0001";
    scene->job = (struct settle_job){.request = &scene->request,
                                     .ports = &scene->world.ports,
                                     .identity = &scene->identity,
                                     .backup = &scene->rows,
                                     .wait_ms = WAIT_MS,
                                     .arena = arena};
    fake_world_next(&scene->world);
}

/** As if the transaction had been rolled back: the rows are there again, as new versions. */
static void
bring_back(struct fake_world *world)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        world->tables[i] = world->runs[0].backup[i];
        for (size_t row = 0; row < world->tables[i].count; row++)
            world->tables[i].rows[row].version += 50;
    }
}

/** Settle, and look that nothing was changed and no transaction is open. */
static enum settled
settle(struct scene *scene)
{
    const size_t rows = fake_world_rows(&scene->world);
    const bool ok = settle_commit(&scene->job, &scene->result, &scene->err);

    assert_int_equal(ok, scene->result.settled != SETTLED_UNKNOWN);
    assert_int_equal(fake_world_rows(&scene->world), rows);
    assert_false(scene->world.in_transaction);
    assert_int_equal(scene->world.locked_backup_rows, 0); /* no lock waits for the disk */
    assert_int_equal(scene->world.stray_releases, 0);
    return scene->result.settled;
}

static void
only_the_backups_rows_decide(void **state)
{
    static const struct {
        const char *what;
        bool back;
        enum fake_change change;
        size_t row;
        enum settled deleting, restoring;
        int64_t present, differing, others;
    } cases[] = {
        {"none is there", false, FAKE_CHANGES, 0, SETTLED_COMMITTED, SETTLED_NOT, 0, 0, 0},
        {"all are there", true, FAKE_CHANGES, FAKE_MAX_ROWS, SETTLED_NOT, SETTLED_COMMITTED, 7, 0,
         0},
        {"one is missing", true, FAKE_REMOVES, 1, SETTLED_MIXED, SETTLED_MIXED, 6, 0, 0},
        {"one has changed", true, FAKE_CHANGES, 1, SETTLED_MIXED, SETTLED_MIXED, 6, 1, 1},
        {"all, and another", true, FAKE_ADDS, 0, SETTLED_NOT, SETTLED_COMMITTED, 7, 0, 1},
        {"none, but another", false, FAKE_ADDS, 0, SETTLED_COMMITTED, SETTLED_NOT, 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene, arena);
        if (cases[i / 2].back)
            bring_back(&scene.world);
        scene.world.change_at = FAKE_BEFORE_LOCK;
        scene.world.change = cases[i / 2].change;
        scene.world.change_table = TABLE_EVENTS;
        scene.world.change_row = cases[i / 2].row;
        scene.job.restoring = i % 2;
        print_message("%s%s\n", cases[i / 2].what, i % 2 ? ", restoring" : "");
        const struct fake_world *world = &scene.world;
        const size_t before = fake_world_rows(world);

        assert_int_equal(settle_commit(&scene.job, &scene.result, &scene.err), true);
        assert_int_equal(scene.result.settled,
                         i % 2 ? cases[i / 2].restoring : cases[i / 2].deleting);
        assert_int_equal(scene.result.rows, BACKUP_ROWS);
        assert_int_equal(scene.result.present, cases[i / 2].present);
        assert_int_equal(scene.result.differing, cases[i / 2].differing);
        assert_int_equal(scene.result.others, cases[i / 2].others);
        assert_false(world->in_transaction);
        assert_int_equal(world->locked_backup_rows, 0);
        assert_true(fake_world_rows(world) + 1 >= before);
        assert_string_equal(world->connected_as, scene.request.run_id);
    }
}

static void
it_waits_until_the_old_connection_is_gone(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.exclusion_busy = 2;
    assert_int_equal(settle(&scene), SETTLED_COMMITTED);
    assert_int_equal(scene.world.axdb_connects, 3);

    set_scene(&scene, arena);
    scene.world.exclusion_taken = true;
    scene.job.wait_ms = SHORT_MS;
    assert_int_equal(settle(&scene), SETTLED_UNKNOWN);
    assert_int_equal(scene.err.code, ERR_OUTCOME);
    assert_non_null(strstr(scene.err.primary, "it was not found out"));
    assert_true(scene.world.axdb_connects >= 2);
}

static void
it_waits_for_the_tables_locks_too(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    bring_back(&scene.world);
    scene.world.lock_failures = 1;
    assert_int_equal(settle(&scene), SETTLED_NOT);
    assert_int_equal(scene.world.axdb_connects, 2);
}

static void
without_the_application_lock_the_tables_locks_decide(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.exclusion_denied = true;
    assert_int_equal(settle(&scene), SETTLED_COMMITTED);
    assert_int_equal(scene.world.axdb_connects, 1);
}

static void
what_the_server_says_of_the_right_does_not_decide(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.may_applock = RIGHT_MISSING; /* it works all the same, and it is free */
    assert_int_equal(settle(&scene), SETTLED_COMMITTED);
    assert_int_equal(scene.world.axdb_connects, 1); /* at once */
    assert_false(scene.world.exclusion_held);

    set_scene(&scene, arena);
    scene.world.may_applock = RIGHT_MISSING;
    scene.world.exclusion_taken = true; /* the old connection is still there */
    scene.job.wait_ms = SHORT_MS;
    assert_int_equal(settle(&scene), SETTLED_UNKNOWN);
    assert_non_null(strstr(scene.err.primary, "the application lock"));
}

/** The first row of each table was never in question. */
static bool
all_but_the_first(void *ctx, enum table table, size_t at)
{
    (void)ctx;
    (void)table;
    return at > 0;
}

static void
rows_that_do_not_decide_are_matched_and_not_counted(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    for (int i = 0; i < AXDB_TABLES; i++) {
        struct fake_table *backup = &scene.world.runs[0].backup[i];

        backup->rows[1].recid = backup->rows[0].recid; /* two rows share a key */
        scene.world.tables[i].rows[0] = backup->rows[0];
        scene.world.tables[i].count = 1;
    }
    scene.rows.decides = all_but_the_first;
    scene.job.restoring = true;
    assert_int_equal(settle(&scene), SETTLED_NOT);
    assert_int_equal(scene.result.rows, BACKUP_ROWS - AXDB_TABLES);
    assert_int_equal(scene.result.present, 0);
    assert_int_equal(scene.result.differing, 0);
    assert_int_equal(scene.result.others, 0);
}

static void
another_database_says_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.created = "2026-11-22T03:00:00"; /* restored since */
    assert_int_equal(settle(&scene), SETTLED_UNKNOWN);
    assert_int_equal(scene.err.code, ERR_STALE);
    assert_int_equal(scene.world.axdb_connects, 1); /* waiting would not help */
}

static void
a_server_that_stays_away_leaves_it_unknown(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.axdb_connects = 1;
    scene.world.axdb_gone_after = true;
    scene.job.wait_ms = SHORT_MS;
    assert_int_equal(settle(&scene), SETTLED_UNKNOWN);
    assert_int_equal(scene.err.code, ERR_OUTCOME);
    assert_true(scene.world.axdb_connects >= 3); /* tried again while there was time */

    scene.world.axdb_connects = 1;
    scene.world.gone_code = ERR_SIGNIN;
    assert_int_equal(settle(&scene), SETTLED_UNKNOWN);
    assert_int_equal(scene.err.code, ERR_OUTCOME);
    assert_int_equal(scene.world.axdb_connects, 2); /* waiting would not help */
}

static void
a_backup_that_cannot_be_read_settles_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.archive_broken = true;
    assert_int_equal(settle(&scene), SETTLED_UNKNOWN);
    assert_int_equal(scene.err.code, ERR_OUTCOME);
}

static void
every_failure_on_the_way_is_unknown_or_found_out_later(void **state)
{
    int swept = 0;

    (void)state;
    for (int fail_at = 1;; fail_at++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene, arena);
        bring_back(&scene.world);
        scene.world.fail_at = fail_at;
        if (settle(&scene) == SETTLED_UNKNOWN)
            assert_int_equal(scene.err.code, ERR_OUTCOME);
        else
            assert_int_equal(scene.result.settled, SETTLED_NOT);
        assert_int_equal(scene.world.violations, 0);
        if (scene.world.calls < fail_at)
            break;
        swept++;
    }
    print_message("%d failures injected, 0 wrong answers\n", swept);
    assert_true(swept >= 11);
}

static void
every_state_has_its_word(void **state)
{
    (void)state;
    assert_string_equal(settled_name(SETTLED_UNKNOWN), "unknown");
    assert_string_equal(settled_name(SETTLED_COMMITTED), "committed");
    assert_string_equal(settled_name(SETTLED_NOT), "rolled-back");
    assert_string_equal(settled_name(SETTLED_MIXED), "mixed");
}

static bool
decides_nothing(void *ctx, enum table table, size_t at)
{
    (void)ctx;
    (void)table;
    (void)at;
    return false;
}

static void
a_commit_of_no_rows_is_settled(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)4 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.rows.decides = decides_nothing;
    assert_true(settle_commit(&scene.job, &scene.result, &scene.err));
    assert_int_equal(scene.result.settled, SETTLED_COMMITTED);
    assert_int_equal(scene.result.rows, 0);
}

/** None of them is as it was backed up, and none is gone: that is no COMMIT, and no rollback. */
static void
rows_that_are_all_there_with_other_contents_are_not_gone(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)4 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    for (int i = 0; i < AXDB_TABLES; i++) {
        scene.world.tables[i] = scene.world.runs[0].backup[i];
        for (size_t j = 0; j < scene.world.tables[i].count; j++)
            scene.world.tables[i].rows[j].content += 5;
    }
    assert_true(settle_commit(&scene.job, &scene.result, &scene.err));
    assert_int_equal(scene.result.differing, BACKUP_ROWS);
    assert_int_equal(scene.result.settled, SETTLED_MIXED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_backups_rows_decide),
        cmocka_unit_test(it_waits_until_the_old_connection_is_gone),
        cmocka_unit_test(it_waits_for_the_tables_locks_too),
        cmocka_unit_test(without_the_application_lock_the_tables_locks_decide),
        cmocka_unit_test(what_the_server_says_of_the_right_does_not_decide),
        cmocka_unit_test(rows_that_do_not_decide_are_matched_and_not_counted),
        cmocka_unit_test(another_database_says_nothing),
        cmocka_unit_test(a_server_that_stays_away_leaves_it_unknown),
        cmocka_unit_test(a_backup_that_cannot_be_read_settles_nothing),
        cmocka_unit_test(every_failure_on_the_way_is_unknown_or_found_out_later),
        cmocka_unit_test(every_state_has_its_word),
        cmocka_unit_test(a_commit_of_no_rows_is_settled),
        cmocka_unit_test(rows_that_are_all_there_with_other_contents_are_not_gone),
    };

    return cmocka_run_group_tests_name("core/settle", tests, NULL, NULL);
}
