#include "base/text.h"
#include "core/confirm.h"
#include "core/run.h"
#include "fake_world.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576, GROUPS = 23 };

/** What an operator is shown of a plan. */
struct scene {
    struct run_request request;
    struct axdb_channel_count channels[GROUPS];
    struct host_count hosts[2];
    struct axdb_evidence axdb;
    struct runtime_evidence runtime;
    struct evidence evidence;
    struct scope scope;
    struct plan plan;
};

static void
set_scene(struct scene *scene)
{
    *scene =
        (struct scene){.request = fake_request(),
                       .hosts = {{.host = "prod.example", .rows = 2}, {.host = "", .rows = 1}},
                       .axdb = {.identity = {.database = "AxDB",
                                             .dialled = "sql01,1433",
                                             .server_name = "SQL01",
                                             .restored_at = "",
                                             .restored_from_server = "PROD",
                                             .restored_from_database = "AxDB\x1b[2J",
                                             .backup_finished_at = "2026-11-19"},
                                .sessions_known = true,
                                .channels = scene->channels,
                                .channel_count = 1},
                       .runtime = {.identity = {.unique_name = "org1",
                                                .host = "uat.example",
                                                .optimistic_concurrency = true},
                                   .row_count = 1},
                       .scope = {.parts = {SCOPE_WHOLE, SCOPE_WHOLE, SCOPE_WHOLE, SCOPE_WHOLE}},
                       .plan = {.id = "abcd"}};
    scene->evidence = (struct evidence){
        .axdb = &scene->axdb, .runtime = &scene->runtime, .hosts = scene->hosts, .host_count = 2};
    for (int i = 0; i < GROUPS; i++)
        scene->channels[i] = (struct axdb_channel_count){.channel = "DualWrite", .rows = 1};
    for (int i = 0; i < AXDB_TABLES; i++)
        scene->axdb.tables[i].triggers.known = scene->axdb.tables[i].foreign_keys.known =
            scene->axdb.tables[i].policies.known = true;
    for (int i = 0; i < TABLES; i++) {
        scene->plan.asked[i] = true;
        scene->plan.states[i].rows = i + 1;
    }
}

/** Does what is shown hold this? */
static bool
shows(const struct scene *scene, const char *sentence)
{
    TEXT_SCOPED text = {0};

    confirm_describe(&scene->request, &scene->evidence, &scene->plan, &scene->scope, &text);
    assert_false(text.broken);
    assert_null(strchr(text_string(&text), '\x1b')); /* names come from the server */
    return strstr(text_string(&text), sentence) != NULL;
}

static void
what_is_known_and_what_is_not_is_shown(void **state)
{
    static const char *const named[] = {"Other"};
    struct scene scene;

    (void)state;
    set_scene(&scene);
    assert_true(shows(&scene, "the restore history is not readable"));
    scene.axdb.identity.restore_known = true;
    assert_true(shows(&scene, "no restore on record"));
    scene.axdb.identity.restored_at = "2026-11-20";
    assert_true(shows(&scene, "restored 2026-11-20 from AxDB\\x1b[2J on PROD, backup of 2026"));
    assert_false(shows(&scene, "not checked"));
    scene.axdb.sessions_known = false;
    assert_true(shows(&scene, "application server sessions: not checked"));
    scene.axdb.sessions_known = true;
    scene.axdb.aos_sessions = 1;
    assert_true(shows(&scene, "1 session looks like an application server"));
    scene.axdb.aos_sessions = 2;
    assert_true(shows(&scene, "2 sessions look like an application server"));
    for (int i = 0; i < 3; i++) {
        struct axdb_table_evidence *table = &scene.axdb.tables[TABLE_PROJECT];

        *(i == 0   ? &table->triggers.known
          : i == 1 ? &table->foreign_keys.known
                   : &table->policies.known) = false;
        assert_true(shows(&scene, "policies of DUALWRITEPROJECTCONFIGURATION: not checked"));
        table->triggers.known = table->foreign_keys.known = table->policies.known = true;
    }
    assert_false(shows(&scene, "there stay"));
    scene.request.channels = named;
    scene.request.channel_count = 1;
    assert_true(shows(&scene, "there stay 1 of channel \"DualWrite\""));
}

static void
rows_hosts_and_groups_are_counted(void **state)
{
    struct scene scene;

    (void)state;
    set_scene(&scene);
    assert_true(shows(&scene, "of these 2 name prod.example\n"));
    assert_true(shows(&scene, "of these 1 names no host\n"));
    scene.hosts[0].own = true;
    assert_true(shows(&scene, "prod.example (its own organization!)"));
    scene.plan.kept_rows[TABLE_FIELD] = 1;
    assert_true(shows(&scene, "; 1 other stays"));
    scene.plan.kept_rows[TABLE_FIELD] = 2;
    assert_true(shows(&scene, "; 2 others stay"));
    assert_false(shows(&scene, "further groups"));
    scene.axdb.channel_count = GROUPS;
    assert_true(shows(&scene, "and 3 further groups of event rows"));
    assert_true(shows(&scene, "Dual Write Runtime Configurations\n"));
    assert_false(shows(&scene, "deleted without a version"));
    scene.runtime.identity.optimistic_concurrency = false;
    scene.plan.states[TABLE_RUNTIME].rows = 1;
    assert_true(shows(&scene, "1 Dual Write Runtime Configuration\n"));
    assert_true(shows(&scene, "deleted without a version"));
    scene.scope.parts[TABLE_EVENTS] = SCOPE_SOME;
    assert_true(shows(&scene, "What stays: event rows of other channels, map definitions"));
    scene.scope.parts[TABLE_PROJECT] = SCOPE_SOME;
    scene.scope.parts[TABLE_EVENTS] = SCOPE_NOTHING;
    scene.scope.parts[TABLE_RUNTIME] = SCOPE_NOTHING;
    assert_true(shows(&scene, "What stays: event rows, the rows of other maps"));
    assert_false(shows(&scene, "Dataverse organization"));
    scene.evidence.axdb = NULL;
    scene.evidence.runtime = NULL;
    assert_false(shows(&scene, "AxDB database"));
}

/** What has to be typed at a terminal, for each way to name a target. */
struct typing {
    const char *environment;
    bool axdb, dataverse, jit;
    const char *answers[3];
    int count;
};

/** Answer number `wrong` is another; -1: none is, -2: the last one is not given. */
static void
type(const struct typing *typing, int wrong)
{
    struct fake_world world;
    struct scene scene;
    struct err err = {0};

    set_scene(&scene);
    fake_world_init(&world);
    scene.request.yes = scene.request.maps_are_stopped = false;
    scene.request.environment = typing->environment;
    scene.request.axdb = typing->axdb;
    scene.request.dataverse = scene.plan.asked[TABLE_RUNTIME] = typing->dataverse;
    if (typing->jit)
        scene.request.server = scene.request.database = NULL;
    world.answer_count = wrong == -2 ? typing->count - 1 : typing->count;
    for (int j = 0; j < typing->count; j++)
        world.answers[j] = j == wrong ? "yes" : typing->answers[j];
    assert_int_equal(
        confirm_plan(&scene.request, &scene.evidence, &scene.plan, "this", &world.op, &err),
        wrong == -1);
    assert_string_equal(world.shown, "this");
    assert_int_equal(err.code, wrong == -1 ? ERR_NONE : ERR_REFUSED);
}

static void
every_name_has_to_be_typed(void **state)
{
    static const struct typing typings[] = {
        {NULL, true, true, false, {"STOPPED", "AxDB@sql01", "org1"}, 3},
        {NULL, true, false, false, {"STOPPED", "AxDB@sql01"}, 2},
        {NULL, false, true, false, {"STOPPED", "org1"}, 2},
        {NULL, true, true, true, {"STOPPED", "localhost", "org1"}, 3},
        {"uat", true, true, false, {"STOPPED", "uat"}, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof typings / sizeof typings[0]; i++)
        for (int wrong = -2; wrong < typings[i].count; wrong++)
            type(&typings[i], wrong);
}

static void
yes_and_a_plan_id_ask_nothing_and_half_of_it_asks_the_rest(void **state)
{
    struct fake_world world;
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene);
    fake_world_init(&world);
    scene.request.plan_id = "ABCD";
    assert_true(confirm_plan(&scene.request, &scene.evidence, &scene.plan, "x", &world.op, &err));
    assert_string_equal(world.shown, "");
    scene.request.maps_are_stopped = false;
    world.answers[0] = "STOPPED";
    world.answer_count = 1;
    assert_true(confirm_plan(&scene.request, &scene.evidence, &scene.plan, "x", &world.op, &err));
    assert_string_equal(world.shown, "x");
    scene.request.plan_id = "abce";
    assert_false(confirm_plan(&scene.request, &scene.evidence, &scene.plan, "x", &world.op, &err));
    assert_int_equal(err.code, ERR_STALE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_and_what_is_not_is_shown),
        cmocka_unit_test(rows_hosts_and_groups_are_counted),
        cmocka_unit_test(every_name_has_to_be_typed),
        cmocka_unit_test(yes_and_a_plan_id_ask_nothing_and_half_of_it_asks_the_rest),
    };

    return cmocka_run_group_tests_name("core/confirm", tests, NULL, NULL);
}
