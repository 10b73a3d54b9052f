/* Putting rows back: which columns are the same, and how many rows go back at once. */
#include "commands.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576 };

static struct fake_world world;
static struct outcome outcome;
static struct run_request request;

/** A world after a clean of `rows` rows in each table; the request undoes it. */
static void
set_scene(size_t rows, struct arena *arena)
{
    fake_world_init(&world);
    for (int table = 0; table < TABLES; table++)
        for (size_t i = 0; i < rows; i++) {
            world.tables[table].rows[i] = (struct fake_row){.recid = (int)i + 1, .version = 1};
            world.tables[table].count = i + 1;
        }
    request = fake_request();
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    request = fake_request();
    request.run = world.runs[0].id;
    fake_world_next(&world);
}

static int column_case;
static struct column columns[16];

/** CONTENT of the event rows is otherwise than it was, or a column is more or less. */
static void
change_column(struct axdb_evidence *axdb)
{
    struct schema *schema = &axdb->tables[TABLE_EVENTS].schema;
    struct column *content = &columns[3];

    memcpy(columns, schema->columns, schema->count * sizeof *columns);
    schema->columns = columns;
    switch (column_case) {
    case 0:
        content->type_name = "varchar";
        break;
    case 1:
        content->max_length = 100;
        break;
    case 2:
        content->precision = 1;
        break;
    case 3:
        content->scale = 1;
        break;
    case 4:
        content->collation = "Latin1_General_BIN2";
        break;
    case 5:
        content->name = "OTHER";
        break;
    case 6:
        content->computed = true; /* it cannot be written any more */
        break;
    case 7:
        columns[schema->count++] = (struct column){.name = "MORE", .type_name = "int"};
        break;
    case 8:
        content->nullable = !content->nullable; /* holds what it held */
        break;
    default:
        break;
    }
}

static void
rows_go_back_into_the_columns_that_they_had(void **state)
{
    (void)state;
    for (column_case = 0; column_case < 10; column_case++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);

        set_scene(2, arena);
        world.patch_axdb = change_column;
        request.dry_run = true;
        run_undo(&request, &world.ports, arena, &outcome);
        if (outcome.exit_status != (column_case < 8 ? 5 : 0))
            fail_msg("case %d: %d: %s", column_case, outcome.exit_status, outcome.err.primary);
        if (column_case < 8)
            assert_non_null(strstr(outcome.err.primary, column_case == 7 ? "MORE" : "CONTENT"));
    }
}

static void
every_row_of_many_goes_back(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);

    (void)state;
    set_scene(50, arena);
    run_confirmed(run_undo, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    for (int table = 0; table < TABLES; table++)
        assert_int_equal(world.tables[table].count, 50);
    assert_int_equal(world.violations, 0);
}

/** The table that has its rows is left alone, the others get theirs. */
static void
a_table_that_misses_nothing_is_left(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);

    (void)state;
    set_scene(2, arena);
    world.tables[TABLE_FIELD] = world.runs[0].backup[TABLE_FIELD];
    request.merge = true;
    run_confirmed(run_undo, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.tables[TABLE_FIELD].present_rows, 2);
    assert_int_equal(outcome.tables[TABLE_EVENTS].restored_rows, 2);
    assert_int_equal(world.tables[TABLE_FIELD].rows[0].version, 1);
    assert_int_equal(world.violations, 0);
}

static void
lose_events(struct axdb_table_evidence tables[AXDB_TABLES])
{
    tables[TABLE_EVENTS].exists = false;
}

static void
a_catalog_that_changes_before_rows_go_back_stops_them(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);

    (void)state;
    set_scene(2, arena);
    world.patch_catalog = lose_events;
    run_confirmed(run_undo, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 5);
    assert_int_equal(fake_world_rows(&world), 0);
}

/** What became of the rows of Dataverse alone, when none could be made. */
static void
what_did_not_come_back_changed_nothing(void **state)
{
    static const struct {
        enum return_state state;
        bool there; /* somebody made the row meanwhile */
        int status;
        bool changed;
    } cases[] = {{RETURN_FAILED, false, 3, false},
                 {RETURN_UNKNOWN, false, 3, true},
                 {RETURN_DONE, true, 3, true},
                 {RETURN_DONE, false, 0, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);

        set_scene(1, arena);
        request.axdb = false;
        world.return_state = cases[i].state;
        world.tells_nothing = true;
        if (cases[i].there) {
            world.change_at = FAKE_BEFORE_RETURN;
            world.change_table = TABLE_RUNTIME;
            world.change = FAKE_ADDS;
            world.change_recid = 1;
        }
        run_confirmed(run_undo, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, cases[i].status);
        assert_int_equal(outcome.changed, cases[i].changed);
        assert_int_equal(world.violations, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_back_into_the_columns_that_they_had),
        cmocka_unit_test(every_row_of_many_goes_back),
        cmocka_unit_test(a_table_that_misses_nothing_is_left),
        cmocka_unit_test(a_catalog_that_changes_before_rows_go_back_stops_them),
        cmocka_unit_test(what_did_not_come_back_changed_nothing),
    };

    return cmocka_run_group_tests_name("core/restore", tests, NULL, NULL);
}
