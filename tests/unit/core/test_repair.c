/* repair-map. */
#include "commands.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576, ROWS = 9 };

/** A world with two project rows of map "Customers V3:accounts" and one of another map. */
struct scene {
    struct fake_world world;
    struct fake_world before;
    struct run_request request;
    struct outcome outcome;
};

static void
set_scene(struct scene *scene)
{
    fake_world_init(&scene->world);
    for (int i = TABLE_FIELD; i <= TABLE_PROJECT; i++) {
        struct fake_table *table = &scene->world.tables[i];

        table->rows[2] = table->rows[1]; /* recid 3 is of the other map */
        table->rows[2].recid = 3;
        table->rows[1].group = 0;
        table->count = 3;
    }
    scene->world.tables[TABLE_PROJECT].rows[1].status = 4;
    scene->request = fake_request();
    scene->request.map = "Customers V3:accounts";
    scene->before = scene->world;
}

static void
repair(struct scene *scene, struct arena *arena)
{
    run_confirmed(run_repair_map, &scene->world, &scene->request, arena, &scene->outcome);
}

/** Only rows with this recid are left in both project tables, all else is untouched. */
static void
assert_left(const struct scene *scene, const int *recids, size_t count)
{
    for (int i = TABLE_FIELD; i <= TABLE_PROJECT; i++) {
        const struct fake_table *table = &scene->world.tables[i];

        assert_int_equal(table->count, count);
        for (size_t row = 0; row < count; row++) {
            assert_int_equal(table->rows[row].recid, recids[row]);
            assert_int_equal(table->rows[row].version, 1);
        }
    }
    assert_true(
        fake_table_equal(&scene->world.tables[TABLE_EVENTS], &scene->before.tables[TABLE_EVENTS]));
    assert_true(fake_table_equal(&scene->world.tables[TABLE_RUNTIME],
                                 &scene->before.tables[TABLE_RUNTIME]));
    assert_int_equal(scene->world.violations, 0);
}

static void
the_rows_of_one_map_leave_and_no_others(void **state)
{
    static const char *const maps[] = {"Customers V3:accounts", "customers v3:ACCOUNTS",
                                       "Customers V3  :accounts "};

    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        scene.request.map = maps[i];
        repair(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_int_equal(scene.outcome.word, OUTCOME_DONE);
        assert_left(&scene, (const int[]){3}, 1);
        assert_int_equal(scene.outcome.tables[TABLE_PROJECT].deleted_rows, 2);
        assert_int_equal(scene.outcome.tables[TABLE_FIELD].deleted_rows, 2);
        assert_int_equal(scene.outcome.tables[TABLE_PROJECT].kept_rows, 1);
        assert_false(scene.outcome.tables[TABLE_EVENTS].asked);
        assert_false(scene.outcome.tables[TABLE_RUNTIME].asked);
        assert_int_equal(scene.world.runs[0].backup[TABLE_PROJECT].count, 2);
        assert_false(scene.world.runs[0].backed_up[TABLE_EVENTS]);
        assert_string_equal(scene.world.runs[0].command, "repair-map");
        assert_true(fake_world_journalled(&scene.world, "committed"));
        assert_true(fake_world_journalled(&scene.world, "verified"));
        assert_true(fake_world_journalled(&scene.world, "close"));
        assert_int_equal(scene.outcome.map_row_count, 2);
        assert_string_equal(scene.outcome.map_rows[1].project, "DWM-2");
        assert_string_equal(scene.outcome.map_rows[1].host, "contoso-prod.crm4.dynamics.com");
        assert_int_equal(scene.outcome.map_rows[1].status, 4);
        assert_true(scene.outcome.map_rows[1].chosen);
    }
}

static void
single_projects_are_chosen(void **state)
{
    static const char *const projects[] = {"DWM-2"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.request.projects = projects;
    scene.request.project_count = 1;
    repair(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_left(&scene, (const int[]){1, 3}, 2);
    assert_int_equal(scene.outcome.map_row_count, 2);
    assert_false(scene.outcome.map_rows[0].chosen);
    assert_non_null(strstr(scene.outcome.scope, "1 of 2 projects"));
}

static void
rows_that_name_the_own_organization_stay_or_are_refused(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.world.tables[TABLE_PROJECT].rows[0].own = true;
    scene.request.plan_id = "any";
    run_repair_map(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_int_equal(fake_world_rows(&scene.world), ROWS + 2);
    assert_int_equal(scene.world.run_count, 0);
    assert_int_equal(scene.outcome.map_row_count, 2); /* shown all the same */
    assert_true(scene.outcome.map_rows[0].own);
    scene.request.wrong_url_only = true;
    repair(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_left(&scene, (const int[]){1, 3}, 2);

    set_scene(&scene);
    scene.world.tables[TABLE_PROJECT].rows[0].own = true;
    scene.request.rows_name_this_environment = true;
    repair(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_left(&scene, (const int[]){3}, 1);

    set_scene(&scene); /* an own row of another map is nobody's concern */
    scene.world.tables[TABLE_PROJECT].rows[2].own = true;
    repair(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_left(&scene, (const int[]){3}, 1);
}

static void
an_unknown_own_host_is_refused_unless_it_is_pinned(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.request.dataverse = false;
    scene.request.plan_id = "any";
    run_repair_map(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_non_null(strstr(scene.outcome.err.hint, "--expect-dataverse-host"));
    scene.request.expect_dataverse_host = scene.world.own_host;
    repair(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_left(&scene, (const int[]){3}, 1);
}

/** A request that names no rows, or rows that may not go. */
struct refusal {
    const char *what, *map, *project;
    bool no_key, shared;
    int exit_status;
    const char *says;
};

static void
what_cannot_be_named_without_doubt_is_refused(void **state)
{
    static const struct refusal refusals[] = {
        {"no such map", "Customers V4:accounts", NULL, false, false, 4, "no project row belongs"},
        {"no colon", "Customers V3", NULL, false, false, 64, "two names with a colon"},
        {"half a map", "Customers V3:", NULL, false, false, 64, "two names with a colon"},
        {"the other half", ":accounts", NULL, false, false, 64, "two names with a colon"},
        {"no such project", NULL, "DWM-9", false, false, 4, "DWM-9 is not one of map"},
        {"another map's project", NULL, "DWM-3", false, false, 4, "DWM-3 is not one of map"},
        {"no unique index", NULL, NULL, true, false, 4, "no unique index"},
        {"a name of two maps", NULL, NULL, false, true, 4, "DWM-2 belongs to another map too"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        if (refusals[i].map)
            scene.request.map = refusals[i].map;
        scene.request.projects = &refusals[i].project;
        scene.request.project_count = refusals[i].project ? 1 : 0;
        scene.world.no_unique_key = refusals[i].no_key;
        if (refusals[i].shared)
            scene.world.tables[TABLE_PROJECT].rows[2].project = 2;
        scene.request.plan_id = "any";
        run_repair_map(&scene.request, &scene.world.ports, arena, &scene.outcome);
        print_message("%s\n", refusals[i].what);
        assert_int_equal(scene.outcome.exit_status, refusals[i].exit_status);
        assert_non_null(strstr(scene.outcome.err.primary, refusals[i].says));
        assert_true(scene.outcome.err.hint[0]);
        assert_int_equal(fake_world_rows(&scene.world), ROWS + 2);
        assert_int_equal(scene.world.run_count, 0);
    }
}

static void
nothing_chosen_is_nothing_to_do(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.world.tables[TABLE_PROJECT].rows[0].own = true;
    scene.world.tables[TABLE_PROJECT].rows[1].own = true;
    scene.request.wrong_url_only = true;
    repair(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.run_count, 0);
    assert_false(scene.outcome.changed);
    assert_non_null(strstr(scene.outcome.verdict, "nothing to do"));
    assert_int_equal(fake_world_rows(&scene.world), ROWS + 2);
}

static void
a_dry_run_names_the_projects_and_one_plan(void **state)
{
    static const char *const projects[] = {"DWM-1"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;
    struct outcome second;

    (void)state;
    set_scene(&scene);
    scene.request.dry_run = true;
    run_repair_map(&scene.request, &scene.world.ports, arena, &scene.outcome);
    run_repair_map(&scene.request, &scene.world.ports, arena, &second);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_PLANNED);
    assert_string_equal(scene.outcome.plan_id, second.plan_id);
    assert_int_equal(scene.outcome.map_row_count, 2);
    assert_int_equal(scene.outcome.tables[TABLE_FIELD].planned_rows, 2);
    assert_int_equal(fake_world_rows(&scene.world), ROWS + 2);
    scene.request.projects = projects;
    scene.request.project_count = 1;
    run_repair_map(&scene.request, &scene.world.ports, arena, &second);
    assert_string_not_equal(scene.outcome.plan_id, second.plan_id);
    scene.request.dry_run = false;
    scene.request.plan_id = scene.outcome.plan_id; /* of all projects */
    run_repair_map(&scene.request, &scene.world.ports, arena, &second);
    assert_int_equal(second.exit_status, 5);
    assert_int_equal(fake_world_rows(&scene.world), ROWS + 2);
}

static void
the_operator_sees_the_projects_before_the_question(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.world.tables[TABLE_PROJECT].rows[0].own = true;
    scene.request.wrong_url_only = true;
    scene.request.yes = scene.request.maps_are_stopped = false;
    scene.world.op.present = true;
    scene.world.answers[0] = "STOPPED";
    scene.world.answers[1] = "AxDB@sql01";
    scene.world.answer_count = 2; /* the organization is not asked for: nothing is written there */
    run_repair_map(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_non_null(strstr(scene.world.shown, "stays  DWM-1, STATUS 0, contoso-uat"));
    assert_non_null(strstr(scene.world.shown, "goes   DWM-2, STATUS 4, contoso-prod"));
    /* of the rows that go: not the hosts of every map */
    assert_null(strstr(scene.world.shown, "of these"));
    assert_non_null(strstr(scene.world.shown, "What stays: event rows, the rows of other maps, "));
    assert_left(&scene, (const int[]){1, 3}, 2);
}

/** Something that happens to a project row on the way. */
struct accident {
    const char *what;
    enum fake_moment at;
    enum fake_change change;
    size_t row;
    int group, project, exit_status;
    size_t projects_left;
};

static void
rows_that_change_on_the_way_stop_the_run_or_stay(void **state)
{
    static const struct accident accidents[] = {
        {"chosen, changed", FAKE_BEFORE_LOCK, FAKE_CHANGES, 0, 1, 0, 5, 3},
        {"chosen, gone", FAKE_BEFORE_LOCK, FAKE_REMOVES, 1, 1, 0, 5, 2},
        {"of a chosen name, added", FAKE_BEFORE_LOCK, FAKE_ADDS, 0, 1, 1, 5, 4},
        {"kept, changed", FAKE_BEFORE_LOCK, FAKE_CHANGES, 2, 1, 0, 0, 1},
        {"kept, changed under the lock", FAKE_BEFORE_DELETE, FAKE_CHANGES, 2, 1, 0, 14, 3},
        {"kept, changed at the next table", FAKE_BEFORE_DELETE, FAKE_CHANGES, 0, 1, 0, 14, 3},
        {"kept, added", FAKE_BEFORE_LOCK, FAKE_ADDS, 0, 1, 0, 0, 2},
        {"written back", FAKE_AFTER_COMMIT, FAKE_ADDS, 0, 1, 1, 2, 2},
        {"of the map, written after the plan", FAKE_AFTER_COMMIT, FAKE_ADDS, 0, 0, 0, 3, 2},
        {"of another map, written", FAKE_AFTER_COMMIT, FAKE_ADDS, 0, 1, 0, 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof accidents / sizeof accidents[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        scene.world.change_at = accidents[i].at;
        scene.world.change = accidents[i].change;
        scene.world.change_table = strstr(accidents[i].what, "next") ? TABLE_FIELD : TABLE_PROJECT;
        scene.world.change_skip = strstr(accidents[i].what, "next") ? 1 : 0;
        scene.world.change_row = accidents[i].row;
        scene.world.change_group = accidents[i].group;
        scene.world.change_project = accidents[i].project;
        repair(&scene, arena);
        print_message("%s\n", accidents[i].what);
        assert_int_equal(scene.outcome.exit_status, accidents[i].exit_status);
        assert_int_equal(scene.world.tables[TABLE_PROJECT].count, accidents[i].projects_left);
    }
}

static void
a_lost_commit_is_settled_both_ways(void **state)
{
    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        scene.world.commit = COMMIT_UNKNOWN;
        scene.world.commit_lands = lands;
        repair(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 3);
        assert_string_equal(scene.outcome.settled, lands ? "committed" : "rolled-back");
        assert_int_equal(scene.outcome.changed, lands);
        assert_int_equal(fake_world_rows(&scene.world), lands ? ROWS - 2 : ROWS + 2);
        assert_int_equal(scene.world.violations, 0);
    }
}

static void
a_repair_that_cannot_be_verified_is_incomplete(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.world.axdb_gone_after = true;
    repair(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_left(&scene, (const int[]){3}, 1);
    assert_non_null(strstr(scene.outcome.err.primary, "could not be verified"));
}

static void
the_rows_of_a_map_come_back_by_undo(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    repair(&scene, arena);
    fake_world_next(&scene.world);
    scene.request = fake_request();
    scene.request.dataverse = false;
    scene.request.run = "last";
    scene.request.merge = true;
    run_confirmed(run_undo, &scene.world, &scene.request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    for (int i = 0; i < AXDB_TABLES; i++)
        assert_true(fake_table_equal(&scene.world.tables[i], &scene.before.tables[i]));
    assert_int_equal(scene.world.violations, 0);
}

static void
no_row_of_another_map_leaves_whatever_fails(void **state)
{
    int swept = 0;

    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        for (int fail_at = 1;; fail_at++) {
            ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
            struct scene scene;
            size_t left;

            set_scene(&scene);
            scene.request.dry_run = true;
            run_repair_map(&scene.request, &scene.world.ports, arena, &scene.outcome);
            scene.request.dry_run = false;
            scene.request.plan_id = scene.outcome.plan_id;
            fake_world_next(&scene.world);
            scene.world.fail_at = fail_at;
            scene.world.commit_lands = lands;
            run_repair_map(&scene.request, &scene.world.ports, arena, &scene.outcome);
            left = fake_world_rows(&scene.world);
            assert_true(left == ROWS + 2 || left == ROWS - 2);
            assert_int_equal(scene.world.violations, 0);
            assert_true(scene.outcome.exit_status != 0 || left == ROWS - 2);
            assert_true(scene.outcome.changed || left == ROWS + 2);
            if (scene.world.calls < fail_at) {
                assert_int_equal(scene.outcome.exit_status, 0);
                break;
            }
            swept++;
        }
    }
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 130);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rows_of_one_map_leave_and_no_others),
        cmocka_unit_test(single_projects_are_chosen),
        cmocka_unit_test(rows_that_name_the_own_organization_stay_or_are_refused),
        cmocka_unit_test(an_unknown_own_host_is_refused_unless_it_is_pinned),
        cmocka_unit_test(what_cannot_be_named_without_doubt_is_refused),
        cmocka_unit_test(nothing_chosen_is_nothing_to_do),
        cmocka_unit_test(a_dry_run_names_the_projects_and_one_plan),
        cmocka_unit_test(the_operator_sees_the_projects_before_the_question),
        cmocka_unit_test(rows_that_change_on_the_way_stop_the_run_or_stay),
        cmocka_unit_test(a_lost_commit_is_settled_both_ways),
        cmocka_unit_test(a_repair_that_cannot_be_verified_is_incomplete),
        cmocka_unit_test(the_rows_of_a_map_come_back_by_undo),
        cmocka_unit_test(no_row_of_another_map_leaves_whatever_fails),
    };

    return cmocka_run_group_tests_name("core/repair", tests, NULL, NULL);
}
