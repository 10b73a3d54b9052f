#include "check_world.h"

enum { MEGABYTE = 1048576 };

static void
no_delete(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].may_delete = RIGHT_MISSING;
}

static void
no_insert(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].may_insert = RIGHT_MISSING;
}

static void
no_index(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_EVENTS].schema.unique_key = false;
}

static void
blind(struct axdb_evidence *evidence)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        evidence->tables[i].triggers.known = evidence->tables[i].foreign_keys.known =
            evidence->tables[i].policies.known = false;
}

static void
no_history(struct axdb_evidence *evidence)
{
    evidence->identity.restore_known = false;
}

static const char *const trigger_names[] = {"TR_O'Brien's", "TR_2"};
static const char *const policy_names[] = {"RLS"};

static void
triggers(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].triggers =
        (struct named_list){.known = true, .names = trigger_names, .count = 2};
}

static void
policy(struct axdb_evidence *evidence)
{
    evidence->tables[TABLE_PROJECT].policies =
        (struct named_list){.known = true, .names = policy_names, .count = 1};
}

static void
odd_names(struct axdb_evidence *evidence)
{
    evidence->identity.database = "Ax]DB";
    evidence->identity.login = "CONTOSO\\dw]clean";
    evidence->identity.restore_known = false;
    evidence->identity.state = "RESTORING";
    blind(evidence);
    no_delete(evidence);
}

static void
odd_user(struct axdb_evidence *evidence)
{
    odd_names(evidence);
    evidence->identity.user = "us]er";
}

static void
names_in_statements_are_bracketed_and_doubled(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    world_init(&world);
    world.patch_axdb = odd_names;
    outcome = checked(&world, &request, arena);
    assert_non_null(
        strstr(seen_by(&outcome, "C-RIGHTS", "DELETE missing")->hint, "TO [CONTOSO\\dw]]clean];"));
    assert_non_null(
        strstr(seen_by(&outcome, "C-STATE", "")->hint, "RESTORE DATABASE [Ax]]DB] WITH RECOVERY;"));
    assert_non_null(strstr(seen_by(&outcome, "C-VIEWDEF", "")->hint, "In database [Ax]]DB]:"));
    world_init(&world);
    world.patch_axdb = odd_user;
    outcome = checked(&world, &request, arena);
    /* rights in the database are the user's, those on the server and in msdb the login's */
    assert_non_null(strstr(seen_by(&outcome, "C-RIGHTS", "DELETE missing")->hint, "TO [us]]er];"));
    assert_non_null(
        strstr(seen_by(&outcome, "C-RESTORE", "")->hint, "FOR LOGIN [CONTOSO\\dw]]clean];"));
}

static void
rows_chosen_by_key_need_the_index(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    world_init(&world);
    world.patch_axdb = no_index;
    request.channels = channels;
    request.channel_count = 1;
    outcome = checked(&world, &request, arena);
    assert_true(seen_by(&outcome, "C-KEY", "BUSINESS")->required);
    assert_int_equal(outcome.exit_status, 2);
    request.channel_count = 0;
    request.map = "Customers V3:accounts";
    outcome = checked(&world, &request, arena);
    assert_false(seen_by(&outcome, "C-KEY", "BUSINESS")->required);
    assert_true(seen_by(&outcome, "C-KEY", "FIELD")->required);
    assert_int_equal(outcome.exit_status, 0);
}

static void
allowed_triggers_are_named_and_stop_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    char said[512];

    (void)state;
    request.allow_triggers = true;
    world_init(&world);
    world.patch_axdb = triggers;
    outcome = checked(&world, &request, arena);
    say(seen_by(&outcome, "C-EFFECT", "TR_"), said, sizeof said);
    assert_non_null(strstr(said, "advisory missing: "));
    assert_int_equal(outcome.exit_status, 0);
    world.patch_axdb = blind;
    outcome = checked(&world, &request, arena);
    say(seen_by(&outcome, "C-VIEWDEF", ""), said, sizeof said);
    assert_non_null(strstr(said, "advisory missing: "));
    assert_int_equal(outcome.exit_status, 0);
    world.patch_axdb = policy;
    assert_int_equal(checked(&world, &request, arena).exit_status, 2);
}

static const struct {
    struct run_request pins;
    const char *check, *says;
    void (*axdb)(struct axdb_evidence *evidence);
    int status;
} pinned[] = {
    {{.expect_database = "axdb"}, "C-DB", "required ok: database AxDB, as pinned", NULL, 0},
    {{.expect_database = "AxDB2"},
     "C-DB",
     "required missing: database is AxDB, expected AxDB2",
     NULL,
     2},
    {{.expect_server_name = "SQL01"},
     "C-SERVER",
     "required ok: the server calls itself SQL01, as pinned",
     NULL,
     0},
    {{.expect_server_name = "SQL02"},
     "C-SERVER",
     "required missing: server calls itself SQL01, expected SQL02",
     NULL,
     2},
    {{.expect_restored_after = "2026-11-20"},
     "C-RESTORE",
     "required ok: restored 2026-11-20T10:00:00, the server's local time, as pinned after "
     "2026-11-20",
     NULL,
     0},
    {{.expect_restored_after = "2026-11-21"},
     "C-RESTORE",
     "required missing: database was restored 2026-11-20T10:00:00, expected after 2026-11-21",
     NULL,
     2},
    {{.expect_restored_after = "2026-11-20"},
     "C-RESTORE",
     "required unknown: when the database was restored is not known, expected after 2026-11-20",
     no_history,
     4},
    {{.expect_restored_after = "soon"},
     "C-RESTORE",
     "required unknown: expect_restored_after is not a date: soon",
     NULL,
     78},
    {{.expect_org_name = "another"},
     "C-ORG",
     "required missing: organization name is org6459f7a8, expected another",
     NULL,
     2},
    {{.expect_dataverse_host = "https://other.crm4.dynamics.com/"},
     "C-ORG",
     "required missing: organization host is contoso-uat.crm4.dynamics.com, expected "
     "other.crm4.dynamics.com",
     NULL,
     2},
    {{.expect_fno_url = "https://uat.operations.dynamics.com/"},
     "C-LINK",
     "advisory ok: Dataverse reports uat.operations.dynamics.com as its finance and operations "
     "environment, expected uat.operations.dynamics.com",
     NULL,
     0},
    {{.expect_fno_url = "prod.operations.dynamics.com"},
     "C-LINK",
     "advisory missing: Dataverse reports uat.operations.dynamics.com as its finance and "
     "operations environment, expected prod.operations.dynamics.com",
     NULL,
     0},
};

static void
pins_are_needs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pinned / sizeof pinned[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        const struct run_request *pins = &pinned[i].pins;
        struct fake_world world;
        struct outcome outcome;
        char said[512];

        world_init(&world);
        world.patch_axdb = pinned[i].axdb;
        request.expect_database = pins->expect_database;
        request.expect_server_name = pins->expect_server_name;
        request.expect_restored_after = pins->expect_restored_after;
        request.expect_org_name = pins->expect_org_name;
        request.expect_dataverse_host = pins->expect_dataverse_host;
        request.expect_fno_url = pins->expect_fno_url;
        outcome = checked(&world, &request, arena);
        say(seen_by(&outcome, pinned[i].check, ""), said, sizeof said);
        assert_string_equal(said, pinned[i].says);
        assert_int_equal(outcome.exit_status, pinned[i].status);
    }
}

static void
a_half_that_cannot_be_reached_is_unknown_with_its_cause(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    world_init(&world);
    world.fail_at = 1; /* the connection to AxDB */
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 10);
    assert_int_equal(outcome.word, OUTCOME_NO_ACCESS);
    assert_int_equal(outcome.err.code, ERR_CONNECT);
    assert_non_null(seen_by(&outcome, "C-CONNECT", "AxDB: injected failure"));
    assert_non_null(seen_by(&outcome, "C-SIGNIN", "signed in")); /* the other half is told */
    world_init(&world);
    world.fail_at = 3; /* the sign-in to Dataverse */
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 12);
    assert_int_equal(outcome.err.code, ERR_SIGNIN);
    assert_non_null(seen_by(&outcome, "C-SIGNIN", "Dataverse: injected failure"));
    assert_int_equal(seen_by(&outcome, "C-HOST", "")->verdict, VERDICT_UNKNOWN);
}

static void
something_missing_counts_more_than_something_unknown(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    world_init(&world);
    world.fail_at = 3;
    world.patch_axdb = no_delete;
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 2);
    assert_int_equal(outcome.word, OUTCOME_MISSING);
    assert_string_equal(outcome.verdict, "1 required need is missing, 2 not known");
    assert_int_equal(outcome.err.code, ERR_SIGNIN); /* and why the rest is not known */
}

static void
only_the_half_asked_for_is_looked_at(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    world_init(&world);
    request.dataverse = false;
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 2); /* whose rows are these? */
    assert_int_equal(seen_by(&outcome, "C-HOST", "")->verdict, VERDICT_DIFFERS);
    assert_null(seen_by(&outcome, "C-SIGNIN", ""));
    request.expect_dataverse_host = "contoso-uat.crm4.dynamics.com";
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 0);
    assert_non_null(seen_by(&outcome, "C-HOST", "according to the pin"));
    request.axdb = false;
    request.dataverse = true;
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 0);
    assert_null(seen_by(&outcome, "C-CONNECT", ""));
    assert_null(seen_by(&outcome, "C-HOST", ""));
    assert_int_equal(world.axdb_connects, 2);
}

static void
the_runs_directory_is_probed_for_what_a_run_would_write(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    char said[512];

    (void)state;
    world_init(&world);
    assert_int_equal(checked(&world, &request, arena).exit_status, 0);
    assert_int_equal(probes, 1);
    assert_true(probed_bytes >= UINT64_C(9) * 4096); /* nine rows, and a margin */
    (void)err_set(&probe_err, ERR_STORAGE, "only 3 MB are free");
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 2);
    say(seen_by(&outcome, "C-RUNS", ""), said, sizeof said);
    assert_string_equal(
        said, "required missing: runs directory /var/lib/dwclean/runs: only 3 MB are free");
    assert_non_null(strstr(seen_by(&outcome, "C-RUNS", "")->hint, "--runs-dir"));
    (void)err_hint(&probe_err, "Free some.");
    outcome = checked(&world, &request, arena);
    assert_string_equal(seen_by(&outcome, "C-RUNS", "")->hint, "Free some.");
    (void)err_set(&probe_err, ERR_INTERNAL, "no memory");
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 1);
}

static void
a_runs_directory_that_nobody_named_is_not_known(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    world_init(&world);
    world.ports.runs = NULL;
    outcome = checked(&world, &request, arena);
    assert_int_equal(outcome.exit_status, 13);
    assert_int_equal(outcome.err.code, ERR_STORAGE);
    assert_non_null(strstr(outcome.err.hint, "--runs-dir"));
    assert_int_equal(probes, 0);
}

static void
the_verdict_says_what_is_only_advisory(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    world_init(&world);
    assert_string_equal(checked(&world, &request, arena).verdict,
                        "everything that a run needs is there");
    world.patch_axdb = no_insert;
    assert_string_equal(checked(&world, &request, arena).verdict,
                        "everything that a run needs is there; 1 advisory need is missing or not "
                        "known");
}

static void
memory_that_runs_out_is_never_ready(void **state)
{
    const struct run_request request = fake_request();
    bool ready = false;

    (void)state;
    for (size_t size = 256; size < 131072; size += 256) {
        ARENA_SCOPED arena = arena_new(size);
        struct fake_world world;
        struct outcome outcome;

        world_init(&world);
        run_check(&request, &world.ports, arena, &outcome);
        if (outcome.exit_status == 0) {
            ready = true;
            assert_true(seen_by(&outcome, "C-RUNS", "MB expected") != NULL);
        } else {
            assert_false(ready); /* more memory does not make it worse */
            assert_int_equal(outcome.word, OUTCOME_FAILED);
        }
    }
    assert_true(ready);
}

static void
a_target_is_tested_by_what_its_connections_show(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    world_init(&world);
    world.patch_axdb = no_delete; /* what a run needs is not asked here */
    run_test_target(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.word, OUTCOME_READY);
    assert_int_equal(outcome.exit_status, 0);
    assert_string_equal(outcome.verdict, "AxDB: ok; Dataverse: ok");
    assert_non_null(seen_by(&outcome, "C-CONNECT", ""));
    assert_non_null(seen_by(&outcome, "C-ORG", ""));
    assert_null(seen_by(&outcome, "C-RIGHTS", ""));
    assert_null(seen_by(&outcome, "C-RUNS", ""));
    assert_int_equal(probes, 0);
    request.expect_org_name = "another";
    world_init(&world);
    run_test_target(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.word, OUTCOME_REFUSED);
    assert_int_equal(outcome.exit_status, 4);
    request.expect_org_name = NULL;
    request.dataverse = false;
    world_init(&world);
    run_test_target(&request, &world.ports, arena, &outcome);
    assert_string_equal(outcome.verdict, "AxDB: ok");
}

/* ---- what is rarely so ---- */

static void
link_not_known(struct runtime_evidence *runtime)
{
    runtime->identity.link_known = runtime->identity.linked = false;
    runtime->identity.link_detail = "HTTP 500";
}

static void
not_linked(struct runtime_evidence *runtime)
{
    runtime->identity.linked = false;
}

static void
no_host(struct runtime_evidence *runtime)
{
    runtime->identity.host = "";
}

static void
no_organization(struct runtime_evidence *runtime)
{
    runtime->identity.organization_id = "";
}

static void
no_access_mode(struct axdb_evidence *axdb)
{
    axdb->identity.user_access = "";
}

static void
a_user(struct axdb_evidence *axdb)
{
    axdb->identity.user = "cleaner";
    axdb->tables[TABLE_EVENTS].may_delete = RIGHT_MISSING;
}

static void
a_nameless_user(struct axdb_evidence *axdb)
{
    axdb->identity.user = "";
    axdb->tables[TABLE_EVENTS].may_delete = RIGHT_MISSING;
}

static void
hidden_keys(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_EVENTS].foreign_keys.known = false;
}

static void
hidden_policies(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_EVENTS].policies.known = false;
}

static void
disabled_trigger(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_EVENTS].triggers.disabled = trigger_names;
    axdb->tables[TABLE_EVENTS].triggers.disabled_count = 1;
}

static void
disabled_key(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_EVENTS].foreign_keys.disabled = trigger_names;
    axdb->tables[TABLE_EVENTS].foreign_keys.disabled_count = 1;
}

static void
disabled_policy(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_EVENTS].policies.disabled = policy_names;
    axdb->tables[TABLE_EVENTS].policies.disabled_count = 1;
}

static void
no_keys_of_projects(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_PROJECT].schema.unique_key = false;
}

static const struct {
    void (*axdb)(struct axdb_evidence *axdb);
    void (*runtime)(struct runtime_evidence *runtime);
    const char *fno_url, *host, *restored_after;
    bool projects;
    const char *check, *word, *says; /* "nothing": it says nothing */
    const char *hint;
} rare[] = {
    {NULL, link_not_known, "https://uat.operations.dynamics.com", NULL, NULL, false, "C-LINK", "",
     "advisory unknown: the link to finance and operations is not known: HTTP 500", NULL},
    {NULL, not_linked, "https://uat.operations.dynamics.com", NULL, NULL, false, "C-LINK", "",
     "advisory missing: Dataverse reports none as its finance and operations environment, "
     "expected uat.operations.dynamics.com",
     NULL},
    {NULL, no_host, NULL, "other.crm4.dynamics.com", NULL, false, "C-ORG", "host",
     "required missing: organization host is not known, expected other.crm4.dynamics.com", NULL},
    {NULL, no_organization, NULL, NULL, NULL, false, "C-ORG", "",
     "required unknown: the service does not say which organization it is", NULL},
    {no_access_mode, NULL, NULL, NULL, NULL, false, "C-STATE", "",
     "required unknown: the server does not say in what state the database is", NULL},
    {a_user, NULL, NULL, NULL, NULL, false, "C-RIGHTS", "BUSINESS", NULL, "TO [cleaner];"},
    {a_nameless_user, NULL, NULL, NULL, NULL, false, "C-RIGHTS", "BUSINESS", NULL, "TO [dwclean];"},
    {hidden_keys, NULL, NULL, NULL, NULL, false, "C-EFFECT", "BUSINESS", "nothing", NULL},
    {hidden_policies, NULL, NULL, NULL, NULL, false, "C-EFFECT", "BUSINESS", "nothing", NULL},
    {disabled_trigger, NULL, NULL, NULL, NULL, false, "C-EFFECT", "switched on",
     "required ok: dbo.BUSINESSEVENTSDEFINITION: no trigger, foreign key or row-level security "
     "policy that is switched on",
     NULL},
    {disabled_key, NULL, NULL, NULL, NULL, false, "C-EFFECT", "switched on",
     "required ok: dbo.BUSINESSEVENTSDEFINITION: no trigger, foreign key or row-level security "
     "policy that is switched on",
     NULL},
    {disabled_policy, NULL, NULL, NULL, NULL, false, "C-EFFECT", "switched on",
     "required ok: dbo.BUSINESSEVENTSDEFINITION: no trigger, foreign key or row-level security "
     "policy that is switched on",
     NULL},
    {NULL, NULL, NULL, NULL, "yesterday", false, "C-RESTORE", "", NULL, NULL},
    {no_history, NULL, NULL, NULL, "yesterday", false, "C-RESTORE", "", NULL, NULL},
    {no_keys_of_projects, NULL, NULL, NULL, NULL, true, "C-KEY", "PROJECTCONF", NULL, NULL},
};

static void
what_is_rare_has_its_sentence_too(void **state)
{
    static const char *const projects[] = {"DWM-1"};

    (void)state;
    for (size_t i = 0; i < sizeof rare / sizeof rare[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        static struct fake_world world;
        const struct observation *seen;
        struct outcome outcome;
        char said[512];

        world_init(&world);
        world.patch_axdb = rare[i].axdb;
        world.patch_runtime = rare[i].runtime;
        request.expect_fno_url = rare[i].fno_url;
        request.expect_dataverse_host = rare[i].host;
        request.expect_restored_after = rare[i].restored_after;
        request.projects = projects;
        request.project_count = rare[i].projects;
        outcome = checked(&world, &request, arena);
        seen = seen_by(&outcome, rare[i].check, rare[i].word);
        say(seen, said, sizeof said);
        if ((rare[i].says && strcmp(said, rare[i].says) != 0) || (!rare[i].says && !seen) ||
            (rare[i].hint && (!seen->hint || !strstr(seen->hint, rare[i].hint))))
            fail_msg("case %zu: %s: %s", i, said, seen && seen->hint ? seen->hint : "");
    }
}

static void
one_advisory_need_is_one(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;

    (void)state;
    world_init(&world);
    world.patch_axdb = no_history;
    assert_string_equal(checked(&world, &request, arena).verdict,
                        "everything that a run needs is there; 1 advisory need is missing or not "
                        "known");
}

static void
without_a_runs_directory_that_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        const struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        world_init(&world);
        if (i)
            world.run_store.probe = NULL;
        else
            world.ports.runs = NULL;
        outcome = checked(&world, &request, arena);
        assert_non_null(seen_by(&outcome, "C-RUNS", "none is named"));
    }
}

/** env test: of the halves that are asked for, what the connection shows. */
static void
an_environment_is_tested_by_its_connections_alone(void **state)
{
    static const struct {
        bool axdb, dataverse;
        const char *restored_after, *verdict;
        int status;
    } tests[] = {
        {true, true, NULL, "AxDB: ok; Dataverse: ok", 0},
        {true, false, NULL, "AxDB: ok", 0},
        {false, true, NULL, "Dataverse: ok", 0},
        {true, false, "2026-11-21", NULL, 4},
        {true, false, "2026-11-01", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        world_init(&world);
        request.axdb = tests[i].axdb;
        request.dataverse = tests[i].dataverse;
        request.expect_restored_after = tests[i].restored_after;
        run_test_target(&request, &world.ports, arena, &outcome);
        if (outcome.exit_status != tests[i].status ||
            (tests[i].verdict && strcmp(outcome.verdict, tests[i].verdict) != 0))
            fail_msg("case %zu: %d: %s", i, outcome.exit_status, outcome.verdict);
        assert_int_equal(seen_by(&outcome, "C-CONNECT", "") != NULL, tests[i].axdb);
        assert_int_equal(seen_by(&outcome, "C-SIGNIN", "") != NULL, tests[i].dataverse);
        assert_int_equal(seen_by(&outcome, "C-RESTORE", "") != NULL,
                         tests[i].restored_after != NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_in_statements_are_bracketed_and_doubled),
        cmocka_unit_test(rows_chosen_by_key_need_the_index),
        cmocka_unit_test(allowed_triggers_are_named_and_stop_nothing),
        cmocka_unit_test(pins_are_needs),
        cmocka_unit_test(a_half_that_cannot_be_reached_is_unknown_with_its_cause),
        cmocka_unit_test(something_missing_counts_more_than_something_unknown),
        cmocka_unit_test(only_the_half_asked_for_is_looked_at),
        cmocka_unit_test(the_runs_directory_is_probed_for_what_a_run_would_write),
        cmocka_unit_test(a_runs_directory_that_nobody_named_is_not_known),
        cmocka_unit_test(the_verdict_says_what_is_only_advisory),
        cmocka_unit_test(memory_that_runs_out_is_never_ready),
        cmocka_unit_test(a_target_is_tested_by_what_its_connections_show),
        cmocka_unit_test(what_is_rare_has_its_sentence_too),
        cmocka_unit_test(one_advisory_need_is_one),
        cmocka_unit_test(without_a_runs_directory_that_is_told),
        cmocka_unit_test(an_environment_is_tested_by_its_connections_alone),
    };

    return cmocka_run_group_tests_name("core/check", tests, NULL, NULL);
}
