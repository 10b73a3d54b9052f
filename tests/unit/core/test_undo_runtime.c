/* undo of Dataverse: rows are created again with their old keys. */
#include "commands.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576, RUNTIME_ROWS = 2 };

/** A world after a clean, and how it was before. */
struct scene {
    struct fake_world world;
    struct fake_table before[TABLES];
    struct run_request request; /* of the undo */
    struct outcome outcome;
};

static void
clean(struct scene *scene, bool axdb, struct arena *arena)
{
    struct run_request request = fake_request();

    memcpy(scene->before, scene->world.tables, sizeof scene->before);
    request.axdb = axdb;
    run_confirmed(run_clean, &scene->world, &request, arena, &scene->outcome);
    assert_int_equal(scene->outcome.exit_status, 0);
    scene->request = fake_request();
    scene->request.axdb = axdb;
    scene->request.run = scene->world.run->id;
    fake_world_next(&scene->world);
}

static void
set_scene(struct scene *scene, struct arena *arena)
{
    fake_world_init(&scene->world);
    clean(scene, true, arena);
}

static void
undo(struct scene *scene, struct arena *arena)
{
    run_confirmed(run_undo, &scene->world, &scene->request, arena, &scene->outcome);
}

static bool
as_before(const struct scene *scene)
{
    for (int i = 0; i < TABLES; i++)
        if (!fake_table_equal(&scene->world.tables[i], &scene->before[i]))
            return false;
    return true;
}

static struct fake_table *
runtime(struct scene *scene)
{
    return &scene->world.tables[TABLE_RUNTIME];
}

static const struct table_outcome *
told(const struct scene *scene)
{
    return &scene->outcome.tables[TABLE_RUNTIME];
}

static void
both_halves_come_back(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_DONE);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.violations, 0);
    assert_int_equal(told(&scene)->planned_rows, RUNTIME_ROWS);
    assert_int_equal(told(&scene)->restored_rows, RUNTIME_ROWS);
    assert_int_equal(told(&scene)->present_rows, 0);
    assert_int_equal(told(&scene)->after_rows, RUNTIME_ROWS);
    assert_int_equal(scene.outcome.lost->count, 2);
    assert_string_equal(scene.outcome.lost->names[1], "ownerid");
    assert_true(fake_world_journalled(&scene.world, "return-intent"));
    assert_true(fake_world_journalled(&scene.world, "return-outcome"));
    assert_true(fake_world_journalled(&scene.world, "verified"));

    fake_world_next(&scene.world);
    undo(&scene, arena); /* again: nothing is missing, and that needs no --merge */
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_false(scene.outcome.changed);
    assert_int_equal(told(&scene)->present_rows, RUNTIME_ROWS);
}

static void
dataverse_alone_needs_no_axdb(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    clean(&scene, false, arena);
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.axdb_connects, 0);
    assert_int_equal(scene.world.violations, 0);

    fake_world_init(&scene.world); /* one half of a run of both */
    clean(&scene, true, arena);
    scene.request.axdb = false;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(runtime(&scene)->count, RUNTIME_ROWS);
    assert_int_equal(scene.world.tables[TABLE_EVENTS].count, 0);
}

static void
what_does_not_come_back_is_said_before(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.request.yes = false;
    scene.world.op.present = true;
    scene.world.answers[0] = "AxDB@sql01";
    scene.world.answers[1] = "no";
    scene.world.answer_count = 2;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_int_equal(fake_world_rows(&scene.world), 0);
    assert_non_null(strstr(scene.world.shown, "2 Dual Write Runtime Configurations are created"));
    assert_non_null(strstr(scene.world.shown, "createdon ownerid"));
    assert_null(strstr(scene.world.shown, "stay removed"));
}

static void
rows_that_are_there_are_left_and_told(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    runtime(&scene)->rows[0] = scene.before[TABLE_RUNTIME].rows[0];
    runtime(&scene)->rows[0].content = 4711;
    runtime(&scene)->rows[0].version = 70;
    runtime(&scene)->count = 1;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(told(&scene)->restored_rows, 1);
    assert_int_equal(told(&scene)->differing_rows, 1);
    assert_int_equal(runtime(&scene)->rows[0].content, 4711);
    assert_int_equal(runtime(&scene)->rows[0].version, 70);
    assert_non_null(strstr(scene.outcome.verdict, "1 with other contents"));
    assert_int_equal(scene.world.violations, 0);

    set_scene(&scene, arena); /* one that appears while rows are created */
    scene.world.change_at = FAKE_BEFORE_RETURN;
    scene.world.change_table = TABLE_RUNTIME;
    scene.world.change = FAKE_ADDS;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(runtime(&scene)->count, RUNTIME_ROWS + 1);
}

static void
rows_of_another_link_are_not_mixed_with_these(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    runtime(&scene)->rows[0] = (struct fake_row){.recid = 500, .content = 1, .version = 3};
    runtime(&scene)->count = 1;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "1 runtime configurations that are not"));
    assert_int_equal(fake_world_rows(&scene.world), 1);
    scene.request.merge = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(runtime(&scene)->count, RUNTIME_ROWS + 1);
    assert_int_equal(scene.world.violations, 0);
}

static void
a_row_that_is_refused_is_named_and_the_others_come_back(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.return_state = RETURN_FAILED;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(told(&scene)->restored_rows, 1);
    assert_int_equal(told(&scene)->failed_rows, 1);
    assert_int_equal(scene.outcome.return_count, 1);
    assert_string_equal(scene.outcome.returns[0].key, "00000000-0000-0000-0000-000000000002");
    assert_non_null(strstr(scene.outcome.verdict, "1 are missing"));

    fake_world_next(&scene.world);
    scene.world.return_state = RETURN_DONE;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(told(&scene)->restored_rows, 1);
    assert_int_equal(told(&scene)->present_rows, 1);
    assert_true(as_before(&scene));
}

static void
a_row_without_an_answer_is_settled_by_the_look_afterwards(void **state)
{
    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        set_scene(&scene, arena);
        scene.world.return_state = RETURN_UNKNOWN;
        scene.world.return_lands = lands;
        undo(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, lands ? 0 : 3);
        assert_int_equal(told(&scene)->restored_rows, lands ? 2 : 1);
        assert_int_equal(told(&scene)->unknown_rows, lands ? 0 : 1);
        assert_int_equal(scene.outcome.return_count, lands ? 0 : 1);
        assert_int_equal(as_before(&scene), lands);
        assert_int_equal(scene.world.violations, 0);
    }
}

static void
the_version_that_left_is_the_one_that_comes_back(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.stamps = 2; /* backed up again, twice */
    clean(&scene, true, arena);
    assert_int_equal(scene.world.runs[0].again_count, 2);
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.violations, 0); /* created from the newest version */
}

static void
an_undo_that_cannot_be_verified_on_dataverse_is_incomplete(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.request.dry_run = true;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.lost->count, 2);
    scene.request.dry_run = false;
    scene.request.plan_id = scene.outcome.plan_id;
    fake_world_next(&scene.world);
    scene.world.runtime_gone_after = true;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_true(as_before(&scene));
    assert_non_null(strstr(scene.outcome.verdict, "of Dataverse are put back"));
}

/** Expect a refusal that leaves rows and runs as they are. */
static void
refused(struct scene *scene, struct arena *arena, int exit_status, const char *says)
{
    const size_t rows = fake_world_rows(&scene->world);
    const int runs = scene->world.run_count;

    scene->request.plan_id = "any";
    run_undo(&scene->request, &scene->world.ports, arena, &scene->outcome);
    assert_int_equal(scene->outcome.exit_status, exit_status);
    if (!strstr(scene->outcome.err.primary, says))
        fail_msg("%s", scene->outcome.err.primary);
    assert_int_equal(fake_world_rows(&scene->world), rows);
    assert_int_equal(scene->world.run_count, runs);
}

static void
rows_go_back_to_their_organization_only(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.other_target_after = true;
    refused(&scene, arena, 5, "another organization");
    scene.world.other_target_after = false;
    scene.world.may_read_all = RIGHT_MISSING;
    refused(&scene, arena, 12, "may not read every");
    scene.world.may_read_all = RIGHT_HELD;

    fake_world_init(&scene.world);
    clean(&scene, false, arena);
    scene.request.axdb = true;
    refused(&scene, arena, 4, "removed rows of Dataverse alone");
    assert_non_null(strstr(scene.outcome.err.hint, "--dataverse-only"));

    fake_world_init(&scene.world);
    request.dataverse = false;
    request.expect_dataverse_host = scene.world.own_host;
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    fake_world_next(&scene.world);
    scene.request.run = "last";
    scene.request.axdb = false;
    refused(&scene, arena, 4, "removed no row of Dataverse");
    scene.request.axdb = true; /* Dataverse is looked at, and nothing is created there */
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(runtime(&scene)->count, RUNTIME_ROWS);
    assert_null(scene.outcome.lost);
}

/** One undo with one failing call, then others until it is done; false when the call was never
 * made. */
static bool
undo_with_failure(bool axdb, int fail_at)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct scene scene;
    int calls;

    fake_world_init(&scene.world);
    clean(&scene, axdb, arena);
    scene.request.dry_run = true;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    scene.request.dry_run = false;
    scene.request.plan_id = scene.outcome.plan_id;
    fake_world_next(&scene.world);
    scene.world.fail_at = fail_at;
    scene.world.commit_lands = fail_at % 2;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    calls = scene.world.calls;
    assert_int_equal(scene.world.violations, 0);
    if (scene.outcome.exit_status == 0)
        assert_true(as_before(&scene));
    if (fake_world_rows(&scene.world) > (axdb ? 0u : 7u))
        assert_true(scene.outcome.changed);
    fake_world_next(&scene.world);
    scene.world.fail_at = 0;
    undo(&scene, arena); /* creates only what is missing */
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.violations, 0);
    return calls >= fail_at;
}

static void
an_undo_that_failed_anywhere_is_finished_by_running_it_again(void **state)
{
    int swept = 0;

    (void)state;
    for (int axdb = 0; axdb < 2; axdb++)
        for (int fail_at = 1; undo_with_failure(axdb, fail_at); fail_at++)
            swept++;
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 100);
}

static void
a_row_that_came_meanwhile_is_there_and_a_pace_is_told(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.change_at = FAKE_BEFORE_RETURN;
    scene.world.change_table = TABLE_RUNTIME;
    scene.world.change = FAKE_ADDS;
    scene.world.change_recid = 1;
    scene.world.returns_paced = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3); /* it has other contents */
    assert_int_equal(runtime(&scene)->count, RUNTIME_ROWS);
    assert_int_equal(told(&scene)->restored_rows, 1);
    assert_non_null(scene.outcome.pace);
    assert_int_equal(scene.outcome.pace->total, RUNTIME_ROWS);
    assert_non_null(strstr(scene.world.progress, "put back"));
    assert_int_equal(scene.world.violations, 0);
}

static void
a_row_that_is_sent_and_not_heard_of_is_not_called_back(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.forgets_row = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_non_null(strstr(scene.outcome.err.primary, "1 of 2 rows have no outcome"));
}

static void
a_backup_that_has_grown_puts_nothing_unplanned_back(void **state)
{
    (void)state;
    for (int axdb = 0; axdb < 2; axdb++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        fake_world_init(&scene.world);
        clean(&scene, axdb, arena);
        scene.world.backup_grows = true;
        undo(&scene, arena);
        assert_int_not_equal(scene.outcome.exit_status, 0);
        assert_int_equal(scene.outcome.err.code, ERR_STORAGE);
        for (int i = 0; i < TABLES; i++)
            for (size_t j = 0; j < scene.world.tables[i].count; j++)
                assert_int_not_equal(scene.world.tables[i].rows[j].recid, 900);
        assert_int_equal(scene.world.violations, 0);
    }
}

static void
another_database(struct axdb_evidence *axdb)
{
    axdb->identity.database = "Other";
}

static void
another_server(struct axdb_evidence *axdb)
{
    axdb->identity.dialled = "sql02,1433";
}

static void
may_not_create(struct runtime_evidence *runtime)
{
    runtime->identity.may_create = RIGHT_MISSING;
}

static void
another_organization(struct runtime_evidence *runtime)
{
    runtime->identity.organization_id = "another";
}

static struct column columns[16];

/** The rows cannot be put back without ALTER: IDENTITY_INSERT. */
static void
identity_column(struct axdb_evidence *axdb)
{
    struct schema *schema = &axdb->tables[TABLE_FIELD].schema;

    memcpy(columns, schema->columns, schema->count * sizeof *columns);
    columns[2].identity = true;
    schema->columns = columns;
    axdb->tables[TABLE_FIELD].may_alter = RIGHT_MISSING;
}

static void
identity_that_may_be_written(struct axdb_evidence *axdb)
{
    identity_column(axdb);
    axdb->tables[TABLE_FIELD].may_alter = RIGHT_HELD;
}

static void
rows_go_back_only_where_they_came_from_and_may_be_put(void **state)
{
    static const struct {
        void (*axdb)(struct axdb_evidence *axdb);
        void (*runtime)(struct runtime_evidence *runtime);
        int status;
        const char *said;
    } cases[] = {
        {another_database, NULL, 5, "another database: AxDB then, Other now"},
        {another_server, NULL, 5, "another server: sql01,1433 then, sql02,1433 now"},
        {NULL, another_organization, 5, "another organization"},
        {NULL, may_not_create, 12, "may not create"},
        {identity_column, NULL, 12, "no ALTER permission"},
        {identity_that_may_be_written, NULL, 5, "column PROJECTNAME"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        set_scene(&scene, arena);
        scene.world.patch_axdb = cases[i].axdb;
        scene.world.patch_runtime = cases[i].runtime;
        if (cases[i].axdb == another_database)
            scene.request.database = "Other";
        scene.request.dry_run = true; /* the change refuses before it looks: there is no plan-id */
        run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
        if (scene.outcome.exit_status != cases[i].status ||
            !strstr(scene.outcome.err.primary, cases[i].said))
            fail_msg("case %zu: %d: %s", i, scene.outcome.exit_status, scene.outcome.err.primary);
        assert_int_equal(fake_world_rows(&scene.world), 0);
    }
}

static void
where_nothing_is_lost_nothing_is_said_of_it(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        set_scene(&scene, arena);
        scene.world.loses_nothing = i;
        scene.world.op.present = true;
        scene.request.yes = false;
        run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
        assert_int_equal(strstr(scene.world.shown, "do not come back") != NULL, !i);
        assert_int_equal(fake_world_rows(&scene.world), 0); /* nobody typed anything */
    }
}

static void
an_undo_that_nobody_confirmed_is_refused(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.request.maps_are_stopped = false;
    scene.request.plan_id = "x";
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_int_equal(scene.world.axdb_connects, 0);
    scene.world.ports.op = NULL;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_halves_come_back),
        cmocka_unit_test(dataverse_alone_needs_no_axdb),
        cmocka_unit_test(what_does_not_come_back_is_said_before),
        cmocka_unit_test(rows_that_are_there_are_left_and_told),
        cmocka_unit_test(rows_of_another_link_are_not_mixed_with_these),
        cmocka_unit_test(a_row_that_is_refused_is_named_and_the_others_come_back),
        cmocka_unit_test(a_row_without_an_answer_is_settled_by_the_look_afterwards),
        cmocka_unit_test(the_version_that_left_is_the_one_that_comes_back),
        cmocka_unit_test(an_undo_that_cannot_be_verified_on_dataverse_is_incomplete),
        cmocka_unit_test(rows_go_back_to_their_organization_only),
        cmocka_unit_test(an_undo_that_failed_anywhere_is_finished_by_running_it_again),
        cmocka_unit_test(a_row_that_came_meanwhile_is_there_and_a_pace_is_told),
        cmocka_unit_test(a_row_that_is_sent_and_not_heard_of_is_not_called_back),
        cmocka_unit_test(a_backup_that_has_grown_puts_nothing_unplanned_back),
        cmocka_unit_test(rows_go_back_only_where_they_came_from_and_may_be_put),
        cmocka_unit_test(where_nothing_is_lost_nothing_is_said_of_it),
        cmocka_unit_test(an_undo_that_nobody_confirmed_is_refused),
    };

    return cmocka_run_group_tests_name("core/undo_runtime", tests, NULL, NULL);
}
