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
    world.channel = "AthenaFinanceOperationsTableDataFeed"; /* nobody else's, and yet not ours */
    assert_int_equal(guarded(&world, &request, arena).exit_status, 4);
    world.channel = "DualWrite";
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

/* ---- worlds in which one thing is otherwise ---- */

static void
hide_urls(struct axdb_evidence *axdb)
{
    axdb->urls_known = false;
}

static void
blank_urls(struct axdb_evidence *axdb)
{
    static const struct axdb_url_count urls[] = {{.url = "", .rows = 2}};

    axdb->urls = urls;
    axdb->url_count = 1;
}

static void
hide_keys(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_FIELD].foreign_keys.known = false;
}

static void
hide_policies(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_FIELD].policies.known = false;
}

static void
hide_channels(struct axdb_evidence *axdb)
{
    axdb->channels_known = false;
}

static void
add_identity(struct axdb_evidence *axdb)
{
    static struct column columns[16];
    struct schema *schema = &axdb->tables[TABLE_FIELD].schema;

    for (size_t i = 0; i < schema->count; i++)
        columns[i] = schema->columns[i];
    columns[1].identity = true; /* RECID */
    schema->columns = columns;
    axdb->tables[TABLE_FIELD].may_alter = RIGHT_MISSING;
}

static void
be_read_only(struct axdb_evidence *axdb)
{
    axdb->identity.read_only = true;
}

static void
be_a_replica(struct axdb_evidence *axdb)
{
    axdb->identity.replica = true;
}

static void
no_organization(struct runtime_evidence *runtime)
{
    runtime->identity.organization_id = "";
}

static void
no_name(struct runtime_evidence *runtime)
{
    runtime->identity.unique_name = "";
}

static void
may_not_delete(struct runtime_evidence *runtime)
{
    runtime->identity.may_delete = RIGHT_MISSING;
}

static void
no_etags(struct runtime_evidence *runtime)
{
    runtime->rows_without_etag = 1;
}

static void
no_own_name(struct runtime_evidence *runtime)
{
    runtime->identity.host = "";
}

static void
one_thing_that_is_not_as_it_should_be_refuses(void **state)
{
    static const char *const nearly[] = {"dualwrite"};
    static const struct {
        void (*axdb)(struct axdb_evidence *axdb);
        void (*runtime)(struct runtime_evidence *runtime);
        const char *pinned_name, *pinned_host;
        const char *const *channels;
        bool axdb_alone;
        int status; /* 0: it is no reason to refuse */
        const char *said;
    } cases[] = {
        {.axdb = hide_urls, .status = 14, .said = "URLs of the project rows could not be read"},
        {.axdb = blank_urls, .axdb_alone = true, .status = 4, .said = "own organization is not"},
        {.axdb = blank_urls, .status = 0},
        {.axdb = hide_keys, .status = 4, .said = "may not see triggers, foreign keys"},
        {.axdb = hide_policies, .status = 4, .said = "may not see triggers, foreign keys"},
        {.axdb = hide_channels, .status = 4, .said = "channel families share"},
        {.axdb = be_read_only, .status = 4, .said = "MULTI_USER, read-only"},
        {.axdb = be_a_replica, .status = 4, .said = "a read-only replica"},
        {.axdb = add_identity, .status = 0}, /* a delete needs no ALTER */
        {.runtime = no_organization, .status = 4, .said = "does not say which organization"},
        {.runtime = no_name, .status = 4, .said = "does not say which organization"},
        {.runtime = may_not_delete, .status = 12, .said = "may not delete Dual Write Runtime"},
        {.runtime = no_etags, .status = 14, .said = "1 runtime configurations have no version"},
        {.runtime = no_own_name,
         .pinned_host = "other.crm4.dynamics.com",
         .status = 4,
         .said = "organization host is not known"},
        {.pinned_name = "org6459f7a8", .status = 0},
        {.pinned_name = "other", .status = 4, .said = "organization name is org6459f7a8, expected"},
        {.pinned_host = "https://contoso-uat.crm4.dynamics.com", .status = 0},
        {.pinned_host = "other.crm4.dynamics.com", .status = 4, .said = "organization host is"},
        {.channels = nearly, .status = 4, .said = "in case or blanks only"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;

        fake_world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        request.expect_org_name = cases[i].pinned_name;
        request.expect_dataverse_host = cases[i].pinned_host;
        request.channels = cases[i].channels;
        request.channel_count = cases[i].channels != NULL;
        request.dataverse = !cases[i].axdb_alone;
        const struct outcome outcome = guarded(&world, &request, arena);

        if (outcome.exit_status != cases[i].status)
            fail_msg("case %zu: %d: %s", i, outcome.exit_status, outcome.err.primary);
        if (cases[i].said && !strstr(outcome.err.primary, cases[i].said))
            fail_msg("case %zu: %s", i, outcome.err.primary);
    }
}

static void
an_override_needs_a_reason_and_a_person_or_a_plan(void **state)
{
    struct run_request request = fake_request();
    struct err err = {0};

    (void)state;
    request.plan_id = "x";
    assert_true(guard_statement(&request, false, &err));
    request.reason = NULL;
    assert_true(guard_statement(&request, false, &err));
    request.allow_no_etag = true;
    assert_false(guard_statement(&request, false, &err));
    assert_non_null(strstr(err.primary, "--allow-no-etag needs a reason"));
    request.allow_no_etag = false;
    request.rows_name_this_environment = true;
    assert_false(guard_statement(&request, false, &err));
    assert_non_null(strstr(err.primary, "--rows-name-this-environment needs a reason"));
    request.rows_name_this_environment = false;
    request.yes = false;
    request.applies = true;
    assert_false(guard_statement(&request, false, &err));
    assert_non_null(strstr(err.hint, "the plan-id that dwclean plan has shown"));
    assert_true(guard_statement(&request, true, &err));
}

static void
production_is_known_by_what_was_asked_for_and_by_what_answered(void **state)
{
    static const struct {
        const char *server, *dialled, *database, *url;
        bool refused;
    } cases[] = {
        {"sql01", NULL, "axdb", NULL, true},
        {"sql02", NULL, "AxDB", NULL, false},
        {"sql01", NULL, "Other", NULL, false},
        {NULL, NULL, "AxDB", NULL, false},
        {"sql01", NULL, NULL, NULL, false},
        {"alias", "sql01,1433", "AxDB", NULL, true}, /* another name of the same server */
        {"alias", "sql01,1433", "Other", NULL, false},
        {"alias", "sql02,1433", "AxDB", NULL, false},
        {NULL, NULL, NULL, "https://LOCALHOST/", true},
        {NULL, NULL, NULL, "https://contoso-uat.crm4.dynamics.com", true}, /* it says so itself */
        {NULL, NULL, NULL, "https://contoso-prod.crm4.dynamics.com", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        const struct production_target production = {.environment = "prod",
                                                     .source = "config.ini:3",
                                                     .server = cases[i].server,
                                                     .dialled = cases[i].dialled,
                                                     .database = cases[i].database,
                                                     .dataverse_url = cases[i].url};
        struct run_request request = fake_request();
        struct fake_world world;

        fake_world_init(&world);
        request.production = &production;
        request.production_count = 1;
        const struct outcome outcome = guarded(&world, &request, arena);

        if (outcome.exit_status != (cases[i].refused ? 4 : 0))
            fail_msg("case %zu: %d: %s", i, outcome.exit_status, outcome.err.primary);
        if (cases[i].refused)
            assert_non_null(strstr(outcome.err.primary, "environment \"prod\" is production"));
        /* a half that is not asked for is nobody's production */
        *(cases[i].url ? &request.dataverse : &request.axdb) = false;
        request.expect_dataverse_host = world.own_host;
        assert_int_equal(guarded(&world, &request, arena).exit_status, 0);
    }
}

static void
a_production_target_of_dataverse_alone_is_named_by_its_host(void **state)
{
    struct run_request request = fake_request();
    struct err err = {0};

    (void)state;
    request.axdb = false;
    request.env_class = CLASS_PRODUCTION;
    request.plan_id = "x";
    assert_false(guard_statement(&request, false, &err));
    assert_non_null(strstr(err.primary, "localhost counts as production"));
    request.allow_production = "localhost";
    assert_true(guard_statement(&request, false, &err));
    request.removes = true; /* a new run: by a saved plan only */
    assert_false(guard_statement(&request, false, &err));
    assert_non_null(strstr(err.primary, "needs a saved plan"));
    request.applies = true;
    assert_true(guard_statement(&request, false, &err));

    /* the grant of Dataverse names the server */
    request.axdb = true;
    request.jit = "Writer";
    request.server = request.database = NULL;
    assert_true(guard_statement(&request, false, &err));
    request.server = "sql01";
    assert_true(guard_statement(&request, false, &err));
    request.axdb = false;
    request.removes = request.applies = true;
    request.allow_production = NULL;
    assert_false(guard_statement(&request, false, &err));
    assert_null(strstr(err.hint, "dwclean plan --out FILE"));
}

/** Production is refused before anything is reached, by what is asked for. */
static void
production_under_another_class_is_no_statement(void **state)
{
    static const struct production_target production = {
        .environment = "prod", .source = "config.ini:3", .server = "sql01", .database = "AxDB"};
    struct run_request request = fake_request();
    struct err err = {0};

    (void)state;
    request.production = &production;
    request.production_count = 1;
    request.plan_id = "x";
    assert_false(guard_statement(&request, false, &err));
    assert_non_null(strstr(err.primary, "is production"));
    request.dataverse_url = "https://elsewhere";
    request.database = "Other";
    assert_true(guard_statement(&request, false, &err));
    /* nor is Dataverse that of production, as far as its URL tells */
    static const struct production_target organization = {
        .environment = "prod", .source = "config.ini:3", .dataverse_url = "https://prod"};

    request.production = &organization;
    assert_true(guard_statement(&request, false, &err));
    request.dataverse_url = "https://prod/";
    assert_false(guard_statement(&request, false, &err));
    request.production = &production;
    /* the grant of Dataverse names server and database: what answers is compared then */
    request.jit = "writer";
    request.database = NULL;
    assert_true(guard_statement(&request, false, &err));
    request.server = NULL;
    assert_true(guard_statement(&request, false, &err));
}

/** Project rows of a map, and whether they may go. */
static void
rows_of_a_map_are_guarded_as_all_are(void **state)
{
    static const struct map_row own[] = {{"A", "uat.crm4.dynamics.com", 0, true, true}};
    static const struct map_row foreign[] = {{"A", "prod.crm4.dynamics.com", 0, false, true}};
    static const struct map_row kept[] = {{"A", "uat.crm4.dynamics.com", 0, true, false}};
    static const struct {
        const struct map_row *rows;
        const char *own_host, *reason;
        bool override, ok;
    } cases[] = {
        {own, "uat.crm4.dynamics.com", "r", false, false},
        {own, "uat.crm4.dynamics.com", "r", true, true},
        {own, "uat.crm4.dynamics.com", NULL, true, false},
        {foreign, "uat.crm4.dynamics.com", NULL, false, true},
        {foreign, NULL, NULL, false, false},
        {foreign, NULL, "r", true, true},
        {kept, NULL, NULL, false, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct evidence evidence = {.own_host = cases[i].own_host,
                                          .own_host_source = "Dataverse"};
        struct run_request request = fake_request();
        struct err err = {0};

        request.reason = cases[i].reason;
        request.rows_name_this_environment = cases[i].override;
        if (guard_map(&request, &evidence, cases[i].rows, 1, &err) != cases[i].ok)
            fail_msg("case %zu: %s", i, err.primary);
        assert_int_equal(err.code, cases[i].ok ? ERR_NONE : ERR_REFUSED);
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
        cmocka_unit_test(one_thing_that_is_not_as_it_should_be_refuses),
        cmocka_unit_test(an_override_needs_a_reason_and_a_person_or_a_plan),
        cmocka_unit_test(production_is_known_by_what_was_asked_for_and_by_what_answered),
        cmocka_unit_test(a_production_target_of_dataverse_alone_is_named_by_its_host),
        cmocka_unit_test(production_under_another_class_is_no_statement),
        cmocka_unit_test(rows_of_a_map_are_guarded_as_all_are),
    };

    return cmocka_run_group_tests_name("core/guard", tests, NULL, NULL);
}
