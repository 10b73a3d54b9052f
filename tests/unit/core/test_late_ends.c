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

/* ---- what a resume compares ---- */

static void
no_database(struct axdb_evidence *axdb)
{
    axdb->identity.recovery_fork = "6E2D1A5B";
}

static void
another_organization(struct runtime_evidence *runtime)
{
    runtime->identity.organization_id = "";
}

static void
a_resume_goes_on_with_its_own_target_only(void **state)
{
    static const struct {
        void (*axdb)(struct axdb_evidence *axdb);
        void (*runtime)(struct runtime_evidence *runtime);
        const char *said;
    } cases[] = {{no_database, NULL, "recovery fork is not known, here it is 6E2D1A5B"},
                 {NULL, another_organization, "does not say which organization"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        world.removal = REMOVAL_FAILED;
        run_confirmed(run_clean, &world, &request, arena, &outcome);
        assert_int_equal(outcome.exit_status, 3);
        fake_world_next(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        request.run = "last";
        run_resume(&request, &world.ports, arena, &outcome);
        assert_non_null(strstr(outcome.err.primary, cases[i].said));
        assert_int_equal(world.tables[TABLE_RUNTIME].count, 1);
    }
}

/** Nobody has confirmed it, and nobody is there to be asked. */
static void
a_change_that_nobody_confirmed_is_refused(void **state)
{
    static command *const commands[] = {run_clean, run_repair_map, run_resume, run_undo};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof commands / sizeof commands[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        if (i % 2)
            world.ports.op = NULL;
        request.maps_are_stopped = false;
        request.plan_id = "x";
        request.map = "Customers V3:accounts";
        request.run = "last";
        commands[i / 2](&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, 4);
        assert_int_equal(world.axdb_connects, 0);
    }
}

/* ---- what verify says ---- */

static void
own_after_relink(struct axdb_evidence *axdb)
{
    static const struct axdb_url_count urls[] = {
        {.url = "https://contoso-uat.crm4.dynamics.com", .rows = 1}};

    axdb->urls = urls;
    axdb->url_count = 1;
}

static void
lone_project(struct axdb_evidence *axdb)
{
    axdb->projects_without_fields.rows = 1;
}

static void
no_own_host(struct runtime_evidence *runtime)
{
    runtime->identity.host = "";
}

static void
what_verify_says_in_one_sentence(void **state)
{
    static const struct {
        void (*axdb)(struct axdb_evidence *axdb);
        void (*runtime)(struct runtime_evidence *runtime);
        enum expectation expect;
        const char *org_name, *server_name;
        int fails_at;
        const char *says;
    } cases[] = {
        {own_after_relink, NULL, EXPECT_POST_RELINK, NULL, NULL, 0,
         "after the relink: every required check is ok; 1 project row names the target's own "
         "organization"},
        {NULL, no_own_host, EXPECT_PRE_RELINK, NULL, NULL, 0, "(the own host is not known)"},
        {NULL, NULL, EXPECT_PRE_RELINK, "other", NULL, 0, "other"},
        {NULL, NULL, EXPECT_PRE_RELINK, NULL, "SQL02", 0, "SQL02"},
        {NULL, NULL, EXPECT_PRE_RELINK, NULL, NULL, 3, "AxDB has rows; Dataverse was not read"},
        {lone_project, NULL, EXPECT_POST_RELINK, NULL, NULL, 3, "the link is not as it should be"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        world.fail_at = cases[i].fails_at;
        request.expect = cases[i].expect;
        request.expect_org_name = cases[i].org_name;
        request.expect_server_name = cases[i].server_name;
        request.expect_fno_url =
            cases[i].expect == EXPECT_POST_RELINK ? "uat.operations.dynamics.com" : NULL;
        run_verify(&request, &world.ports, arena, &outcome);
        if (!strstr(outcome.verdict, cases[i].says))
            fail_msg("case %zu: %s", i, outcome.verdict);
    }
}

/* ---- what is asked of Dataverse ---- */

static void
a_diagnosis_that_fails_ends_nothing_but_without_memory(void **state)
{
    static const struct {
        enum err_code code;
        bool dry_run;
        int status;
    } cases[] = {{ERR_CONNECT, true, 0},
                 {ERR_CONNECT, false, 2},
                 {ERR_INTERNAL, true, 1},
                 {ERR_INTERRUPTED, false, 130}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        world.diagnosis_fails = cases[i].code;
        request.dry_run = cases[i].dry_run;
        (cases[i].dry_run ? run_clean : run_verify)(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, cases[i].status);
        assert_int_equal(fake_world_rows(&world), 9);
    }
}

/** AxDB by the grant of Dataverse: what is typed is the host of that. */
static void
a_granted_target_is_named_by_the_host_of_dataverse(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    request.jit = "writer";
    request.database = NULL;
    request.yes = false;
    world.op.present = true;
    world.answers[0] = "localhost";
    world.answers[1] = "org6459f7a8";
    world.answer_count = 2;
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(fake_world_rows(&world), 0);
}

static void
a_resume_knows_what_was_gone_already(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.removal = REMOVAL_FAILED;
    world.change_at = FAKE_BEFORE_PURGE;
    world.change_table = TABLE_RUNTIME;
    world.change = FAKE_REMOVES;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    fake_world_next(&world);
    world.removal = REMOVAL_DONE;
    request.run = "last";
    world.no_versions = true; /* since then the service compares none */
    run_resume(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 14);
    world.no_versions = false;
    run_resume(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.tables[TABLE_RUNTIME].gone_rows, 1);
    assert_int_equal(outcome.tables[TABLE_RUNTIME].deleted_rows, 1);
    assert_int_equal(world.violations, 0);
}

static void
a_resume_has_the_scope_of_its_run(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.removal = REMOVAL_FAILED;
    request.channels = channels;
    request.channel_count = 1;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    fake_world_next(&world);
    request.run = "last";
    request.channel_count = 0;
    run_resume(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 4);
    assert_non_null(strstr(outcome.err.primary, "another scope: channels=[\"DualWrite\"]"));
}

/** Rows of Dataverse that a journal tells in groups: the last group is not full. */
static void
many_rows_are_told_in_groups(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    for (int i = 0; i < 60; i++)
        world.tables[TABLE_RUNTIME].rows[i] = (struct fake_row){.recid = i + 1, .version = 1};
    world.tables[TABLE_RUNTIME].count = 60;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(world.runs[0].purged_count, 60);
    assert_int_equal(world.violations, 0);
}

/* ---- and without a report ---- */

static void
be_another_database_at_last(enum fake_moment moment)
{
    if (moment == FAKE_BEFORE_LAST_LOOK)
        world.created = "2026-11-22T03:00:00";
}

static void
a_last_look_at_another_database_proves_nothing(void **state)
{
    static command *const commands[] = {run_clean, run_repair_map, run_undo};

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        world.ports.write_reports = NULL; /* a run without them is a run */
        if (commands[i] == run_undo) {
            run_confirmed(run_clean, &world, &request, arena, &outcome);
            assert_int_equal(outcome.exit_status, 0);
            fake_world_next(&world);
            request = fake_request();
            request.run = world.runs[0].id;
        }
        request.map = commands[i] == run_repair_map ? "Customers V3:accounts" : NULL;
        request.dry_run = true;
        commands[i](&request, &world.ports, arena, &outcome);
        request.plan_id = outcome.plan_id;
        request.dry_run = false;
        fake_world_next(&world);
        world.happens = be_another_database_at_last;
        commands[i](&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, 3);
        assert_non_null(strstr(outcome.err.primary, "the fresh look reached another target"));
        assert_int_equal(world.violations, 0);
    }
}

static void
elsewhere(struct axdb_evidence *axdb)
{
    axdb->identity.dialled = "sql02,1433";
}

static void
a_plan_of_a_map_is_for_its_target_only(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    fake_plan_init(&plan, &world);
    world.ports.plan_out = &plan.file;
    request.map = "Customers V3:accounts";
    run_make_plan(&request, &world.ports, arena, &outcome);
    fake_world_next(&world);
    world.ports.plan_out = NULL;
    world.ports.saved = &plan.saved;
    world.patch_axdb = elsewhere;
    request.map = NULL;
    request.plan_id = plan.id;
    run_apply(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 5);
    assert_non_null(strstr(outcome.err.primary, "sql02,1433"));
    assert_int_equal(fake_world_rows(&world), 9);
}

/** The rows of Dataverse are there all the same: only AxDB's go back. */
static void
what_is_there_in_dataverse_is_not_created_again(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    const struct fake_table rows = world.tables[TABLE_RUNTIME];

    run_confirmed(run_clean, &world, &request, arena, &outcome);
    world.tables[TABLE_RUNTIME] = rows;
    fake_world_next(&world);
    request = fake_request();
    request.run = world.runs[0].id;
    run_confirmed(run_undo, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.tables[TABLE_RUNTIME].present_rows, 2);
    assert_false(fake_world_journalled(&world, "return-intent"));
    assert_int_equal(fake_world_rows(&world), 9);
}

/* ---- what the last look finds ---- */

static int last_case;

static void
rename_organization(struct runtime_evidence *runtime)
{
    runtime->identity.unique_name = "renamed";
}

/** Just before the last look. */
static void
write_late(enum fake_moment moment)
{
    struct fake_table *rows = &world.tables[TABLE_RUNTIME];
    const struct fake_row planned = {.recid = 1, .version = 7}, fresh = {.recid = 50, .version = 7};

    if (moment != FAKE_BEFORE_LAST_LOOK)
        return;
    if (last_case == 0) { /* a planned row is there again */
        rows->rows[0] = planned;
        rows->count = 1;
    } else if (last_case == 1) { /* the one that did not leave has left, another has come */
        rows->rows[0] = fresh;
        rows->count = 1;
    } else if (last_case == 2) {
        world.patch_runtime = rename_organization;
    }
}

static void
what_the_last_look_finds_is_told(void **state)
{
    static const struct {
        enum removal_state removal;
        int status;
        const char *said;
    } cases[] = {{REMOVAL_DONE, 2, "planned rows are there again"},
                 {REMOVAL_FAILED, 3, "rows were written after the plan"},
                 {REMOVAL_DONE, 2, "organization name is renamed, expected org6459f7a8"}};

    (void)state;
    for (last_case = 0; last_case < 3; last_case++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();

        fake_world_init(&world);
        request.expect_org_name = "org6459f7a8";
        request.dry_run = true;
        run_clean(&request, &world.ports, arena, &outcome);
        request.plan_id = outcome.plan_id;
        request.dry_run = false;
        fake_world_next(&world);
        world.removal = cases[last_case].removal;
        world.happens = write_late;
        run_clean(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, cases[last_case].status);
        assert_non_null(strstr(outcome.verdict, cases[last_case].said));
    }
}

static void
be_other(struct axdb_evidence *axdb)
{
    axdb->identity.database = "Other";
}

static void
a_database_of_another_name_is_not_resumed(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();

    (void)state;
    fake_world_init(&world);
    world.removal = REMOVAL_FAILED;
    run_confirmed(run_clean, &world, &request, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    fake_world_next(&world);
    world.patch_axdb = be_other;
    request.run = "last";
    request.database = "Other";
    run_resume(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 5);
    assert_non_null(strstr(outcome.err.primary, "its database is AxDB, here it is Other"));
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
        cmocka_unit_test(a_resume_goes_on_with_its_own_target_only),
        cmocka_unit_test(a_change_that_nobody_confirmed_is_refused),
        cmocka_unit_test(what_verify_says_in_one_sentence),
        cmocka_unit_test(a_diagnosis_that_fails_ends_nothing_but_without_memory),
        cmocka_unit_test(a_granted_target_is_named_by_the_host_of_dataverse),
        cmocka_unit_test(a_resume_knows_what_was_gone_already),
        cmocka_unit_test(a_resume_has_the_scope_of_its_run),
        cmocka_unit_test(many_rows_are_told_in_groups),
        cmocka_unit_test(a_last_look_at_another_database_proves_nothing),
        cmocka_unit_test(a_plan_of_a_map_is_for_its_target_only),
        cmocka_unit_test(what_is_there_in_dataverse_is_not_created_again),
        cmocka_unit_test(what_the_last_look_finds_is_told),
        cmocka_unit_test(a_database_of_another_name_is_not_resumed),
    };

    return cmocka_run_group_tests_name("core/late_ends", tests, NULL, NULL);
}
