#include "core/guard.h"
#include "core/run.h"
#include "fake_world.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576 };

/** What a guard must make of a world: run clean as a dry run, which guards alike. */
static struct outcome
guarded(struct fake_world *world, const struct run_request *base, struct arena *arena)
{
    struct run_request request = *base;
    struct outcome outcome;
    const size_t rows = fake_world_rows(world);

    request.dry_run = true;
    run_clean(&request, &world->ports, arena, &outcome);
    assert_int_equal(fake_world_rows(world), rows);
    assert_int_equal(world->files_created, 0);
    return outcome;
}

static void
rows_that_name_the_targets_own_organization_are_refused(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.url = "https:/contoso-uat.crm4.dynamics.com"; /* malformed, and still its own */
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    world.url = "CONTOSO-UAT.API.crm4.dynamics.com:443/";
    outcome = guarded(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 4);
    assert_non_null(strstr(outcome.err.hint, "--dataverse-only"));
    request.rows_name_this_environment = true;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    request.reason = NULL;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
}

/** resume has no dry run: its plan is the one that the run was begun with. */
static void
the_plan_id_of_a_resumed_run_is_the_runs_own(void **state)
{
    struct run_request request = fake_request();
    struct err err = {0};

    (void)state;
    request.yes = request.maps_are_stopped = true;
    request.plan_id = NULL;
    assert_false(guard_statement(&request, false, &err));
    assert_non_null(strstr(err.hint, "--dry-run"));
    request.resumes = true;
    assert_false(guard_statement(&request, false, &err));
    assert_null(strstr(err.hint, "--dry-run"));
    assert_non_null(strstr(err.hint, "the run's own plan-id"));
    request.yes = false;
    assert_false(guard_statement(&request, false, &err));
    assert_null(strstr(err.hint, "--dry-run"));
    assert_non_null(strstr(err.hint, "--yes --plan-id ID"));
}

static void
an_unknown_own_host_refuses_unless_it_is_pinned(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    fake_world_init(&world);
    request.dataverse = false;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    request.expect_dataverse_host = "contoso-uat.crm4.dynamics.com";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    request.expect_dataverse_host = "https://contoso-prod.crm4.dynamics.com/";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
}

static void
shared_event_channels_are_refused_until_the_operator_chooses(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    fake_world_init(&world);
    world.other_channel = "AthenaFinanceOperationsTableDataFeed";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    request.channels_all = true;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    request.channels_all = false;
    request.channels = &world.channel;
    request.channel_count = 1;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    request.channel_count = 0;
    world.other_channel = "DualWrite2"; /* the same family */
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    world.other_channel = "MyEventGrid";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    world.other_channel = NULL;
    world.tables[TABLE_PROJECT].count = 0; /* events without an owner */
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
}

static void
triggers_policies_states_and_rights_are_refused(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    fake_world_init(&world);
    world.trigger = "TR_AUDIT";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    request.allow_triggers = true;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    world.policy = "RLS";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    world.policy = NULL;
    world.state = "RESTORING";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    world.state = "ONLINE";
    world.may_delete = RIGHT_MISSING;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 12);
    world.may_delete = RIGHT_HELD;
    world.table_missing = true;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 14);
    world.table_missing = false;
    world.count_unknown = true;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 11);
}

static void
what_a_login_may_not_see_is_not_taken_for_absent(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.blind = true;
    outcome = guarded(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 4);
    assert_non_null(strstr(outcome.err.hint, "GRANT VIEW DEFINITION"));
    request.allow_triggers = true;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
}

static void
a_half_that_cannot_be_reached_is_named_as_that(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    fake_world_init(&world);
    world.fail_at = 3; /* connect, observe, then the sign-in to Dataverse */
    assert_int_equal(guarded(&world, &request, arena).exit_status, 12);
}

static void
what_the_purge_needs_is_asked_before_anything_changes(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    fake_world_init(&world);
    world.no_versions = true;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 14);
    world.no_versions = false;
    world.may_read_all = RIGHT_MISSING;
    assert_int_equal(guarded(&world, &request, arena).exit_status, 12);
}

static void
pins_of_the_database_stop_every_command_that_writes(void **state)
{
    static const struct {
        const char *database, *restored_after;
        int exit_status;
    } cases[] = {{"axdb", "2026-11-20", 0},
                 {"AxDB_uat", NULL, 4},
                 {NULL, "2026-11-21", 4},
                 {NULL, "yesterday", 78}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        request.expect_database = cases[i].database;
        request.expect_restored_after = cases[i].restored_after;
        assert_int_equal(guarded(&world, &request, arena).exit_status, cases[i].exit_status);
        request.map = "Customers V3:accounts";
        request.dry_run = true;
        run_repair_map(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, cases[i].exit_status);
    }
}

static void
a_pin_that_differs_stops_the_run(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    fake_world_init(&world);
    request.expect_org_name = "ORG6459F7A8"; /* names compare without case */
    request.expect_server_name = "sql01";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    request.expect_org_id = "another";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    request.expect_org_id = NULL;
    request.expect_server_name = "SQL02";
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
}

/** Statements of an operator, and whether they are complete. */
static const struct statement_case {
    struct run_request request;
    bool can_ask, ok;
} statement_cases[] = {
    {{.env_class = CLASS_SANDBOX, .yes = true, .plan_id = "x", .maps_are_stopped = true},
     false,
     true},
    {{.env_class = CLASS_SANDBOX, .yes = true, .plan_id = "x"}, false, false},
    {{.env_class = CLASS_SANDBOX, .yes = true, .maps_are_stopped = true}, true, false},
    {{.env_class = CLASS_SANDBOX, .maps_are_stopped = true}, false, false},
    {{.env_class = CLASS_SANDBOX}, true, true},
    {{.env_class = CLASS_PRODUCTION, .environment = "prod", .reason = "r"}, true, false},
    {{.env_class = CLASS_PRODUCTION, .environment = "prod", .allow_production = "prod"},
     true,
     false},
    {{.env_class = CLASS_PRODUCTION,
      .environment = "prod",
      .allow_production = "uat",
      .reason = "r"},
     true,
     false},
    {{.env_class = CLASS_PRODUCTION,
      .environment = "prod",
      .allow_production = "prod",
      .reason = "r"},
     true,
     true},
    {{.env_class = CLASS_PRODUCTION,
      .axdb = true,
      .server = "s",
      .database = "d",
      .allow_production = "d@s",
      .reason = "r"},
     true,
     true},
    {{.env_class = CLASS_PRODUCTION,
      .environment = "prod",
      .allow_production = "prod",
      .reason = "r",
      .removes = true},
     true,
     false},
    {{.env_class = CLASS_PRODUCTION,
      .environment = "prod",
      .allow_production = "prod",
      .reason = "r",
      .removes = true,
      .applies = true},
     true,
     true},
    {{.env_class = CLASS_DEV, .rows_name_this_environment = true}, true, false},
};

static void
a_statement_is_complete_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof statement_cases / sizeof statement_cases[0]; i++) {
        struct err err = {0};

        assert_int_equal(
            guard_statement(&statement_cases[i].request, statement_cases[i].can_ask, &err),
            statement_cases[i].ok);
        if (!statement_cases[i].ok)
            assert_int_equal(err.code, ERR_REFUSED);
        if (!statement_cases[i].ok)
            assert_true(err.hint[0]);
    }
}

/** The same server and database, or the same organization, under a milder class. */
static void
a_target_of_production_is_one_under_any_name(void **state)
{
    static const struct production_target targets[] = {
        {.environment = "nothing", .source = "c.ini:1"},
        {.environment = "prod",
         .source = "c.ini:9",
         .server = "SQL01",
         .dialled = "sql01,1433",
         .database = "axdb"},
        {.environment = "org",
         .source = "c.ini:20",
         .dataverse_url = "https://Contoso-UAT.api.crm4.dynamics.com/"}};
    static const struct {
        size_t first, count;
        bool axdb, dataverse;
        enum env_class env_class;
        bool ok;
    } cases[] = {
        {0, 1, true, true, CLASS_SANDBOX, true},    {1, 1, true, true, CLASS_SANDBOX, false},
        {0, 2, true, false, CLASS_DEV, false},      {1, 1, false, true, CLASS_SANDBOX, true},
        {1, 1, true, true, CLASS_PRODUCTION, true}, {2, 1, true, false, CLASS_SANDBOX, true},
        {2, 1, false, true, CLASS_SANDBOX, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        request.axdb = cases[i].axdb;
        request.dataverse = cases[i].dataverse;
        request.expect_dataverse_host = "contoso-uat.crm4.dynamics.com";
        request.env_class = cases[i].env_class;
        request.production = &targets[cases[i].first];
        request.production_count = cases[i].count;
        request.dry_run = true;
        run_clean(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, cases[i].ok ? 0 : 4);
        if (!cases[i].ok)
            assert_non_null(strstr(outcome.err.detail, targets[cases[i].first].source[6] == '1'
                                                           ? "c.ini:9"
                                                           : targets[cases[i].first].source));
        run_verify(&request, &world.ports, arena, &outcome);
        assert_int_not_equal(outcome.exit_status, 4);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_name_the_targets_own_organization_are_refused),
        cmocka_unit_test(the_plan_id_of_a_resumed_run_is_the_runs_own),
        cmocka_unit_test(an_unknown_own_host_refuses_unless_it_is_pinned),
        cmocka_unit_test(shared_event_channels_are_refused_until_the_operator_chooses),
        cmocka_unit_test(triggers_policies_states_and_rights_are_refused),
        cmocka_unit_test(what_a_login_may_not_see_is_not_taken_for_absent),
        cmocka_unit_test(a_half_that_cannot_be_reached_is_named_as_that),
        cmocka_unit_test(what_the_purge_needs_is_asked_before_anything_changes),
        cmocka_unit_test(pins_of_the_database_stop_every_command_that_writes),
        cmocka_unit_test(a_pin_that_differs_stops_the_run),
        cmocka_unit_test(a_statement_is_complete_or_refused),
        cmocka_unit_test(a_target_of_production_is_one_under_any_name),
    };

    return cmocka_run_group_tests_name("core/guard", tests, NULL, NULL);
}
