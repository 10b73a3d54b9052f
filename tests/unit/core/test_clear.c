/* A part of a table: clean --channel. */
#include "commands.h"
#include "core/clear.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576, ALL_ROWS = 9 };

static const char *const dual_write[] = {"DualWrite"};
static const char *const event_grid[] = {"MyEventGrid"};
static const char *const both[] = {"MyEventGrid", "DualWrite"};
static const char *const neither[] = {"Nobody"};

/** Two event rows of "DualWrite", one of "MyEventGrid". */
static struct run_request
partial_world(struct fake_world *world)
{
    struct run_request request = fake_request();

    fake_world_init(world);
    world->other_channel = "MyEventGrid";
    request.channels = dual_write;
    request.channel_count = 1;
    return request;
}

static void
exactly_the_kept_rows_stay(void **state)
{
    static const struct {
        const char *const *channels;
        size_t count;
        size_t left;
        int first_left; /* recid */
    } cases[] = {{dual_write, 1, 1, 3}, {event_grid, 1, 2, 1}, {both, 2, 0, 0}, {neither, 1, 3, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct fake_world world;
        struct run_request request = partial_world(&world);
        const struct fake_table before = world.tables[TABLE_EVENTS];
        struct outcome outcome;

        request.channels = cases[i].channels;
        request.channel_count = cases[i].count;
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 0);
        assert_int_equal(outcome.word, OUTCOME_DONE);
        assert_int_equal(fake_world_rows(&world), cases[i].left);
        assert_int_equal(world.tables[TABLE_EVENTS].count, cases[i].left);
        for (size_t row = 0; row < cases[i].left; row++) {
            const struct fake_row *then = &before.rows[cases[i].first_left - 1 + (int)row];

            assert_int_equal(world.tables[TABLE_EVENTS].rows[row].recid, then->recid);
            assert_int_equal(world.tables[TABLE_EVENTS].rows[row].content, then->content);
            assert_int_equal(world.tables[TABLE_EVENTS].rows[row].version, then->version);
        }
        assert_int_equal(outcome.tables[TABLE_EVENTS].kept_rows, cases[i].left);
        assert_int_equal(outcome.tables[TABLE_EVENTS].deleted_rows, 3 - cases[i].left);
        assert_int_equal(outcome.tables[TABLE_EVENTS].backed_up_rows, 3 - cases[i].left);
        assert_int_equal(world.runs[0].backup[TABLE_EVENTS].count, 3 - cases[i].left);
        assert_non_null(outcome.scope);
        assert_int_equal(world.violations, 0);
    }
}

static void
a_partial_clean_says_what_it_keeps(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct fake_world world;
    struct run_request request = partial_world(&world);
    struct outcome outcome;

    (void)state;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 2);
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_non_null(strstr(outcome.verdict, "\"DualWrite\""));
    assert_non_null(strstr(outcome.verdict, "of other channels kept"));
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.word, OUTCOME_CLEAN);
    assert_int_equal(world.run_count, 1); /* the second one had nothing to do */
    request.channel_count = 0;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_not_equal(outcome.exit_status, 0); /* without the option the row counts */
}

static void
the_operator_is_shown_what_stays(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct fake_world world;
    struct run_request request = partial_world(&world);
    struct outcome outcome;

    (void)state;
    request.yes = false;
    world.op.present = true;
    world.answers[0] = "AxDB@sql01";
    world.answers[1] = "org6459f7a8";
    world.answer_count = 2;
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_non_null(strstr(world.shown, "2 rows of BUSINESSEVENTSDEFINITION; 1 other"));
    assert_non_null(strstr(world.shown, "DUALWRITEPROJECTCONFIGURATION\n"
                                        "           of these "));
    assert_non_null(strstr(world.shown, "           of these 2 of channel \"DualWrite\""));
    assert_non_null(strstr(world.shown, "           there stay 1 of channel \"MyEventGrid\""));
    assert_non_null(strstr(world.shown, "What stays: event rows of other channels, map "));
    assert_string_equal(world.connected_as, world.runs[0].id);
}

/** Something that happens to an event row under the locks, or before them. */
struct accident {
    const char *what;
    enum fake_moment at;
    enum fake_change change;
    size_t row;
    int group;
    int exit_status;
    size_t events_left;
};

static void
rows_of_both_kinds_are_watched(void **state)
{
    static const struct accident accidents[] = {
        {"kept, changed under the lock", FAKE_BEFORE_DELETE, FAKE_CHANGES, 2, 0, 14, 3},
        {"kept, gone under the lock", FAKE_BEFORE_DELETE, FAKE_REMOVES, 2, 0, 14, 3},
        {"kept, added under the lock", FAKE_BEFORE_DELETE, FAKE_ADDS, 0, 1, 14, 3},
        {"chosen, added under the lock", FAKE_BEFORE_DELETE, FAKE_ADDS, 0, 0, 14, 3},
        {"chosen, changed before the lock", FAKE_BEFORE_LOCK, FAKE_CHANGES, 0, 0, 5, 3},
        {"chosen, added before the lock", FAKE_BEFORE_LOCK, FAKE_ADDS, 0, 0, 5, 4},
        {"kept, changed before the lock", FAKE_BEFORE_LOCK, FAKE_CHANGES, 2, 0, 0, 1},
        {"kept, added before the lock", FAKE_BEFORE_LOCK, FAKE_ADDS, 0, 1, 0, 2},
        {"chosen, changed before the backup", FAKE_BEFORE_BACKUP, FAKE_CHANGES, 1, 0, 5, 3},
        {"chosen, written after the commit", FAKE_BEFORE_LAST_LOOK, FAKE_ADDS, 0, 0, 3, 2},
        {"kept, written after the commit", FAKE_BEFORE_LAST_LOOK, FAKE_ADDS, 0, 1, 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof accidents / sizeof accidents[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct fake_world world;
        struct run_request request = partial_world(&world);
        struct outcome outcome;

        world.change_at = accidents[i].at;
        world.change = accidents[i].change;
        world.change_table = TABLE_EVENTS;
        world.change_row = accidents[i].row;
        world.change_group = accidents[i].group;
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        print_message("%s\n", accidents[i].what);
        assert_int_equal(outcome.exit_status, accidents[i].exit_status);
        assert_int_equal(world.tables[TABLE_EVENTS].count, accidents[i].events_left);
    }
}

static void
a_trigger_may_not_write_to_a_table_that_is_empty_already(void **state)
{
    (void)state;
    for (int table = 0; table < AXDB_TABLES; table++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.trigger = "TR_ANY";
        request.allow_triggers = true;
        world.change_at = FAKE_BEFORE_DELETE;
        world.change = FAKE_ADDS;
        world.change_table = (enum table)table;
        world.change_skip = 2; /* with the rows of the last table */
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 14);
        assert_int_equal(fake_world_rows(&world), ALL_ROWS);
        assert_false(outcome.changed);
        request.plan_id = NULL;
        run_confirmed(run_clean, &world, &request, arena, &outcome); /* it does nothing */
        assert_int_equal(outcome.exit_status, 0);
        assert_int_equal(fake_world_rows(&world), 0);
    }
}

static void
a_trigger_may_not_reach_a_table_outside_the_scope(void **state)
{
    static const enum fake_change changes[] = {FAKE_CHANGES, FAKE_ADDS, FAKE_REMOVES};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof changes / sizeof changes[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct fake_table before;
        struct outcome outcome;

        fake_world_init(&world);
        before = world.tables[TABLE_EVENTS];
        world.trigger = i % 2 ? NULL : "TR_ANY";
        world.blind = i % 2; /* nobody knows whether there is one */
        request.allow_triggers = true;
        request.map = "Customers V3:accounts";
        world.change_at = FAKE_BEFORE_DELETE;
        world.change = changes[i / 2];
        world.change_table = TABLE_EVENTS; /* a repair of a map has nothing to do there */
        run_confirmed(run_repair_map, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 14);
        assert_non_null(strstr(outcome.err.primary, "BUSINESSEVENTSDEFINITION was to stay"));
        assert_true(fake_table_equal(&world.tables[TABLE_EVENTS], &before));
        assert_int_equal(fake_world_rows(&world), ALL_ROWS);
        assert_false(outcome.changed);
        run_confirmed(run_repair_map, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 0);
        assert_true(fake_table_equal(&world.tables[TABLE_EVENTS], &before));
    }
}

static void
a_key_that_is_not_deleted_rolls_everything_back(void **state)
{
    (void)state;
    for (int counts = 0; counts < 2; counts++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct fake_world world;
        struct run_request request = partial_world(&world);
        struct outcome outcome;

        request.dataverse = false;
        request.expect_dataverse_host = world.own_host;
        world.tables[TABLE_FIELD].count = world.tables[TABLE_PROJECT].count = 0;
        world.short_delete = counts ? 0 : 1; /* one row is still there */
        world.miscount = counts ? 1 : 0;     /* or the server's count says so */
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 14);
        assert_int_equal(world.tables[TABLE_EVENTS].count, 3);
        assert_false(outcome.changed);
        assert_true(fake_world_journalled(&world, "stopped"));
    }
}

static void
without_a_unique_index_no_part_is_deleted(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct fake_world world;
    struct run_request request = partial_world(&world);
    struct outcome outcome;

    (void)state;
    world.no_unique_key = true;
    request.plan_id = "any";
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 4);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_int_equal(world.files_created, 0);
    assert_non_null(strstr(outcome.err.primary, "no unique index"));
    assert_true(outcome.err.hint[0]);
    request.channel_count = 0;
    request.channels_all = true; /* whole tables need none */
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(fake_world_rows(&world), 0);
}

static void
other_channels_are_another_plan(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct fake_world world;
    struct run_request request = partial_world(&world);
    struct outcome first;
    struct outcome second;

    (void)state;
    request.dry_run = true;
    run_clean(&request, &world.ports, arena, &first);
    request.channels = event_grid;
    run_clean(&request, &world.ports, arena, &second);
    assert_string_not_equal(first.plan_id, second.plan_id);
    request.dry_run = false;
    request.plan_id = first.plan_id;
    run_clean(&request, &world.ports, arena, &second);
    assert_int_equal(second.exit_status, 5);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
}

static void
a_lost_commit_of_a_part_is_settled_by_its_rows_only(void **state)
{
    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct fake_world world;
        struct run_request request = partial_world(&world);
        struct outcome outcome;

        world.commit = COMMIT_UNKNOWN;
        world.commit_lands = lands;
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 3);
        assert_string_equal(outcome.settled, lands ? "committed" : "rolled-back");
        assert_int_equal(world.tables[TABLE_EVENTS].count, lands ? 1 : 3);
        assert_int_equal(world.violations, 0);
    }
}

static void
assert_told_the_truth(const struct fake_world *world, const struct outcome *outcome)
{
    const struct fake_table *events = &world->tables[TABLE_EVENTS];

    assert_int_equal(world->violations, 0);
    assert_true(events->count == 1 || events->count == 3);
    assert_int_equal(events->rows[events->count - 1].recid, 3); /* the kept one is always there */
    if (outcome->exit_status == 0)
        assert_int_equal(fake_world_rows(world), 1);
    if (!outcome->changed)
        assert_int_equal(fake_world_rows(world), ALL_ROWS);
}

static void
no_kept_row_leaves_whatever_fails(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)16 * MEGABYTE);
    struct fake_world world;
    struct run_request request = partial_world(&world);
    struct outcome outcome;
    int swept = 0;

    (void)state;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    for (int lands = 0; lands < 2; lands++) {
        for (int fail_at = 1;; fail_at++) {
            (void)partial_world(&world);
            world.fail_at = fail_at;
            world.commit_lands = lands;
            run_clean(&request, &world.ports, arena, &outcome);
            assert_told_the_truth(&world, &outcome);
            if (world.calls < fail_at)
                break;
            swept++;
        }
        assert_int_equal(outcome.exit_status, 0);
    }
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 150);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_kept_rows_stay),
        cmocka_unit_test(a_partial_clean_says_what_it_keeps),
        cmocka_unit_test(the_operator_is_shown_what_stays),
        cmocka_unit_test(rows_of_both_kinds_are_watched),
        cmocka_unit_test(a_trigger_may_not_write_to_a_table_that_is_empty_already),
        cmocka_unit_test(a_trigger_may_not_reach_a_table_outside_the_scope),
        cmocka_unit_test(a_key_that_is_not_deleted_rolls_everything_back),
        cmocka_unit_test(without_a_unique_index_no_part_is_deleted),
        cmocka_unit_test(other_channels_are_another_plan),
        cmocka_unit_test(a_lost_commit_of_a_part_is_settled_by_its_rows_only),
        cmocka_unit_test(no_kept_row_leaves_whatever_fails),
    };

    return cmocka_run_group_tests_name("core/clear", tests, NULL, NULL);
}
