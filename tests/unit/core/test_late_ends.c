/* How a run ends that was all but through: late failures, late stops, plans that run out. */
#include "base/clock.h"
#include "commands.h"
#include "fake_plan.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576 };

static struct fake_world world;
static struct fake_plan plan;
static struct outcome outcome;

/** The last look reaches another organization: what is left is not told. */
static void
what_cannot_be_looked_at_in_the_end_is_not_told(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.forgets_row = true;
    world.other_target_after = true;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    assert_true(outcome.changed);
    assert_int_equal(outcome.tables[TABLE_RUNTIME].after_rows, -1);
    assert_int_equal(world.violations, 0);
}

static void
expire(struct axdb_evidence *axdb)
{
    (void)axdb;
    plan.header.expires_utc_ms = clock_utc_ms() - 1;
}

static void
a_plan_that_runs_out_while_it_is_confirmed_is_stale(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    fake_plan_init(&plan, &world);
    world.ports.plan_out = &plan.file;
    run_make_plan(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    fake_world_next(&world);
    world.ports.plan_out = NULL;
    world.ports.saved = &plan.saved;
    world.patch_axdb = expire;
    request.plan_id = plan.id;
    run_apply(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 5);
    assert_int_equal(fake_world_rows(&world), 9);
    assert_false(fake_world_journalled(&world, "backup-sealed"));
}

/** A resume of a run whose scope cannot be read does not begin. */
static void
a_resume_without_memory_for_its_scope_does_not_begin(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.removal = REMOVAL_FAILED;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    fake_world_next(&world);
    request.run = "last";
    request.channels = channels;
    request.channel_count = SIZE_MAX / 2;
    run_resume(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.err.code, ERR_INTERNAL);
    assert_int_equal(world.axdb_connects, 0);
    request.channel_count = 1; /* another scope than the run's, which was every row */
    run_resume(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 4);
    assert_non_null(strstr(outcome.err.primary, "another scope: every row"));
}

/* ---- a saved plan of a map ---- */

static int odd_recid;

/** A row of another partition, under the name and in the map of one that is planned. */
static void
move_away(const struct schema *schema, struct row *row, struct field *fields)
{
    char recid[24];

    (void)fields;
    (void)snprintf(recid, sizeof recid, "5637144576:%d", odd_recid);
    if (schema->table <= TABLE_PROJECT && strcmp(row->id.key, recid) == 0)
        (void)snprintf(row->id.key, sizeof row->id.key, "5637144577:%d", odd_recid);
}

static void
add_twin(int recid, int project, bool field)
{
    const struct fake_row twin = {.recid = recid, .project = project};

    world.tables[TABLE_PROJECT].rows[world.tables[TABLE_PROJECT].count++] = twin;
    if (field)
        world.tables[TABLE_FIELD].rows[world.tables[TABLE_FIELD].count++] = twin;
}

static void
what_a_plan_of_a_map_does_not_name_stays(void **state)
{
    static const struct {
        int project; /* of the row that has come since */
        bool moved;  /* to another partition */
        int status;
    } cases[] = {{0, false, 0}, {0, true, 0}, {1, true, 0}, {1, false, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        fake_plan_init(&plan, &world);
        world.ports.plan_out = &plan.file;
        request.map = "Customers V3:accounts";
        run_make_plan(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, 0);
        fake_world_next(&world);
        world.ports.plan_out = NULL;
        world.ports.saved = &plan.saved;
        add_twin(30, cases[i].project, false);
        odd_recid = 30;
        world.patch_row = cases[i].moved ? move_away : NULL;
        request.map = NULL;
        request.plan_id = plan.id;
        run_apply(&request, &world.ports, arena, &outcome);
        if (outcome.exit_status != cases[i].status)
            fail_msg("case %zu: %d: %s", i, outcome.exit_status, outcome.err.primary);
        assert_int_equal(world.tables[TABLE_PROJECT].count, cases[i].status ? 3 : 2);
        assert_int_equal(world.violations, 0);
    }
}

/** The field row of a project is written in other letters: it would be left behind. */
static void
whisper(const struct schema *schema, struct row *row, struct field *fields)
{
    static const unsigned char name[] = {'d', 0, 'w', 0, 'm', 0, '-', 0, '1', 0};

    (void)row;
    if (schema->table == TABLE_FIELD && strcmp(row->id.key, "5637144576:1") == 0)
        fields[2].bytes = slice_of(name, sizeof name);
}

static void
a_field_row_that_is_written_otherwise_is_refused(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.patch_row = whisper;
    request.map = "Customers V3:accounts";
    request.dry_run = true;
    run_repair_map(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 4);
    assert_non_null(strstr(outcome.err.primary, "is written differently: \"dwm-1\""));
    request.projects = (const char *const[]){"DWM-2"}; /* which is of another map */
    request.project_count = 1;
    run_repair_map(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 4);
    assert_non_null(strstr(outcome.err.primary, "is not one of map"));
}

/** Of a map with two projects one is chosen; what it shares a name with is nobody's concern then.
 */
static void
rows_of_projects_that_are_not_chosen_stop_nothing(void **state)
{
    static const char *const projects[] = {"DWM-1"};
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    add_twin(30, 0, true);
    world.tables[TABLE_PROJECT].rows[1].project = 30; /* of the other map, under the same name */
    odd_recid = 30;
    world.patch_row = move_away;
    request.map = "Customers V3:accounts";
    request.projects = projects;
    request.project_count = 1;
    run_confirmed(run_repair_map, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(world.tables[TABLE_PROJECT].count, 2);
    assert_int_equal(world.violations, 0);
}

static void
a_plan_id_of_other_rows_of_a_map_is_not_this_one(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    request.map = "Customers V3:accounts";
    request.dry_run = true;
    request.plan_id = "0000000000000000000000000000000000000000000000000000000000000000";
    run_repair_map(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_looked_at_in_the_end_is_not_told),
        cmocka_unit_test(a_plan_that_runs_out_while_it_is_confirmed_is_stale),
        cmocka_unit_test(a_resume_without_memory_for_its_scope_does_not_begin),
        cmocka_unit_test(what_a_plan_of_a_map_does_not_name_stays),
        cmocka_unit_test(a_field_row_that_is_written_otherwise_is_refused),
        cmocka_unit_test(rows_of_projects_that_are_not_chosen_stop_nothing),
        cmocka_unit_test(a_plan_id_of_other_rows_of_a_map_is_not_this_one),
    };

    return cmocka_run_group_tests_name("core/late_ends", tests, NULL, NULL);
}
