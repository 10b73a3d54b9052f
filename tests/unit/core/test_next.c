#include "../../../src/core/next.h"
#include "core/run.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576 };

#define PLAN_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct run_request
whole_request(void)
{
    return (struct run_request){.axdb = true,
                                .dataverse = true,
                                .env_class = CLASS_SANDBOX,
                                .server = "sql01,1433",
                                .database = "AxDB",
                                .dataverse_url = "https://uat.crm4.dynamics.com"};
}

/** Some step has these words. */
static bool
says(const struct outcome *outcome, const char *words)
{
    for (size_t i = 0; i < outcome->next_count; i++)
        if (strstr(outcome->next[i], words))
            return true;
    return false;
}

static struct outcome
half_done(void)
{
    return (struct outcome){.command = "clean",
                            .word = OUTCOME_PARTIAL,
                            .changed = true,
                            .run_id = "20261121T220000Z-uat-ab12",
                            .run_path = "/srv/runs/20261121T220000Z-uat-ab12",
                            .plan_id = PLAN_ID};
}

static void
an_unfinished_run_gives_the_whole_command_that_finishes_it(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = whole_request();
    struct outcome outcome = half_done();

    (void)state;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "dwclean resume 20261121T220000Z-uat-ab12 -S 'sql01,1433' -d 'AxDB' "
                               "--dataverse-url 'https://uat.crm4.dynamics.com' --class sandbox "
                               "--runs-dir '/srv/runs'"));
    assert_true(says(&outcome, "--maps-are-stopped --yes --plan-id " PLAN_ID));
}

static void
the_command_has_the_half_the_channels_and_the_environment_of_the_run(void **state)
{
    static const char *const channels[] = {"DualWrite", "it's"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = whole_request();
    struct outcome outcome = half_done();

    (void)state;
    outcome.word = OUTCOME_UNKNOWN;
    request.dataverse = false;
    request.channels = channels;
    request.channel_count = 2;
    request.expect_dataverse_host = "uat.crm4.dynamics.com";
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, " -d 'AxDB' --expect-dataverse-host 'uat.crm4.dynamics.com' --class "
                               "sandbox --axdb-only --channel 'DualWrite' --channel 'it'\\''s' "));

    request = whole_request();
    request.environment = "prod";
    request.env_class = CLASS_PRODUCTION;
    request.axdb = false;
    request.channels_all = true;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "ab12 --env 'prod' --dataverse-only --allow-production 'prod' "
                               "--reason 'TEXT' --channels all --runs-dir"));
}

static void
where_only_the_proof_is_missing_the_look_is_named(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = whole_request();
    struct outcome outcome = half_done();

    (void)state;
    for (int i = 0; i < TABLES; i++) {
        outcome.tables[i].asked = true;
        outcome.tables[i].planned_rows = 5;
        outcome.tables[i].backed_up_rows = 5;
        outcome.tables[i].deleted_rows = i == TABLE_RUNTIME ? 4 : 5;
    }
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "dwclean verify"));
    outcome.tables[TABLE_RUNTIME].gone_rows = 1;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "dwclean verify -S "));
    assert_true(says(&outcome, "dwclean resume "));
    outcome.after_taken = true; /* and it said that rows are there */
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "dwclean verify"));
    outcome.after.axdb_err.code = ERR_CONNECT;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "dwclean verify"));
}

static void
an_unfinished_undo_is_finished_by_an_undo_that_merges(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = whole_request();
    struct outcome outcome = half_done();

    (void)state;
    request.dataverse = false;
    outcome.command = "undo";
    outcome.undoes = "20261121T210000Z-uat-0001";
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "dwclean undo 20261121T210000Z-uat-0001 --merge -S "));
    assert_false(says(&outcome, "--plan-id")); /* it is another plan */
}

static void
rows_that_a_resume_would_leave_want_a_new_plan(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = whole_request();
    struct outcome outcome = half_done();
    struct table_outcome *runtime = &outcome.tables[TABLE_RUNTIME];

    (void)state;
    outcome.word = OUTCOME_PARTIAL;
    outcome.after_taken = true;
    *runtime = (struct table_outcome){
        .table = TABLE_RUNTIME, .asked = true, .planned_rows = 5, .deleted_rows = 4};
    runtime->changed_rows = 1;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "Stop the maps, then plan again"));
    assert_false(says(&outcome, "dwclean resume "));
    runtime->changed_rows = 0;
    runtime->gone_rows = 1;
    runtime->new_rows = 2;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "Stop the maps, then plan again"));
    runtime->unknown_rows = 1; /* a resume finds out */
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "dwclean resume "));
    runtime->unknown_rows = 0;
    runtime->gone_rows = 0; /* one was not sent */
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "dwclean resume "));
}

static void
the_run_directory_is_the_only_copy_where_something_was_removed(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = whole_request();
    struct outcome outcome = {.command = "resume", .word = OUTCOME_REFUSED};

    (void)state;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "changed nothing"));
    assert_false(says(&outcome, "only copy"));
    outcome.resumed = true;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "only copy"));
}

static void
nobody_is_sent_to_clean_rows_of_an_unknown_owner(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = whole_request();
    struct axdb_evidence axdb = {0};
    struct outcome outcome = {
        .command = "verify", .word = OUTCOME_RESIDUE, .before = {.axdb = &axdb}};

    (void)state;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "--expect-dataverse-host or both halves first"));
    assert_false(says(&outcome, "Stop the maps"));
    outcome.before.own_host = "uat.crm4.dynamics.com";
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "Stop the maps"));
}

static void
event_rows_alone_may_be_those_that_a_clean_kept(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = whole_request();
    struct outcome outcome = {
        .command = "verify", .word = OUTCOME_FAILED, .before = {.family_count = 1}};

    (void)state;
    next_steps(&request, arena, &outcome);
    assert_non_null(strstr(outcome.next[0], "dwclean verify --channel NAME"));
    assert_non_null(strstr(outcome.next[1], "--channels all --dry-run"));
}

static void
kept_rows_are_spoken_of_only_when_there_are_some(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = whole_request();
    struct outcome outcome = {.command = "verify", .word = OUTCOME_CLEAN};

    (void)state;
    request.channels = channels;
    request.channel_count = 1;
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "kept by choice"));
    outcome.tables[TABLE_EVENTS].kept_rows = 1;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "kept by choice"));
}

static void
check_says_that_a_target_without_a_class_counts_as_production(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = whole_request();
    struct outcome outcome = {.command = "check", .word = OUTCOME_READY};

    (void)state;
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "production"));
    request.env_class = CLASS_PRODUCTION;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "counts as production: clean will ask for --allow-production"));
}

static void
what_is_not_given_is_left_out_of_the_commands(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = whole_request();
    struct outcome outcome = half_done();

    (void)state;
    /* no run directory was told, or one without a folder; no plan */
    outcome.run_path = NULL;
    outcome.plan_id = NULL;
    request.database = "";
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "dwclean resume"));
    assert_false(says(&outcome, "--runs-dir"));
    assert_false(says(&outcome, "--plan-id"));
    assert_false(says(&outcome, " -d "));
    outcome.run_path = "20261121T220000Z-uat-ab12";
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "--runs-dir"));
    outcome.run_path = "/20261121T220000Z-uat-ab12";
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "--runs-dir"));
    /* AxDB by the grant of Dataverse, which names the server */
    request.dataverse = false;
    request.jit = "Reader";
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "--dataverse-url 'https://uat.crm4.dynamics.com' --jit 'Reader'"));
    request.jit = NULL;
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "--dataverse-url"));
    outcome.run_id = NULL; /* it had none yet */
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "dwclean resume"));
    assert_true(says(&outcome, "Keep the run directory"));
}

static void
a_dry_run_says_what_turns_it_into_a_change(void **state)
{
    static const struct {
        bool removes, saved;
        const char *environment;
        const char *says, *not_says;
    } cases[] = {
        {true, false, NULL, "dwclean apply FILE --allow-production='AxDB@sql01,1433'",
         "DIRECTORY'"},
        {false, false, NULL, "--allow-production='AxDB@sql01,1433' --reason TEXT", "apply FILE"},
        {true, true, NULL, "dwclean apply 'plan.ndjson'", "--allow-production="},
        {true, true, "prod", "dwclean apply 'plan.ndjson' --env 'prod'",
         "counts as production. If"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = whole_request();
        struct outcome outcome = {.command = cases[i].saved ? "plan" : "clean",
                                  .word = OUTCOME_PLANNED,
                                  .plan_path = cases[i].saved ? "plan.ndjson" : NULL};

        request.env_class = CLASS_PRODUCTION;
        request.removes = cases[i].removes;
        request.environment = cases[i].environment;
        next_steps(&request, arena, &outcome);
        assert_true(says(&outcome, cases[i].says));
        assert_false(says(&outcome, cases[i].not_says));
        assert_true(says(&outcome, "--plan-id ?")); /* it has none, and says so */
        outcome.plan_id = PLAN_ID;
        next_steps(&request, arena, &outcome);
        assert_true(says(&outcome, "--plan-id " PLAN_ID));
        request.applies = true; /* as apply --dry-run */
        next_steps(&request, arena, &outcome);
        assert_false(says(&outcome, "then dwclean apply FILE"));
    }
}

static void
a_clean_half_is_no_clean_environment(void **state)
{
    static const struct {
        bool axdb, dataverse;
        const char *map;
        const char *says;
    } cases[] = {{true, true, NULL, "the environment can be linked again"},
                 {true, false, NULL, "verify the other one"},
                 {false, true, NULL, "verify the other one"},
                 {true, false, "a:b", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = whole_request();
        struct outcome outcome = {.command = "clean", .word = OUTCOME_CLEAN};

        request.axdb = cases[i].axdb;
        request.dataverse = cases[i].dataverse;
        request.map = cases[i].map;
        next_steps(&request, arena, &outcome);
        if (cases[i].says)
            assert_true(says(&outcome, cases[i].says));
        else
            assert_int_equal(outcome.next_count, 0);
    }
}

static void
a_map_that_was_repaired_is_started_in_the_browser(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = whole_request();
    struct outcome outcome = {.command = "apply", .word = OUTCOME_DONE, .map_row_count = 1};

    (void)state;
    outcome.tables[TABLE_PROJECT].asked = outcome.tables[TABLE_EVENTS].asked = true;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "Start the map in the browser"));
    outcome.command = "repair-map";
    outcome.map_row_count = 0;
    next_steps(&request, arena, &outcome);
    assert_true(says(&outcome, "Start the map in the browser"));
    outcome.command = "clean";
    next_steps(&request, arena, &outcome);
    assert_false(says(&outcome, "Start the map in the browser"));
}

static void
event_rows_are_spoken_of_where_there_are_some(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = whole_request();
    struct outcome outcome = {
        .command = "verify", .word = OUTCOME_NO_ACCESS, .before = {.family_count = 1}};

    (void)state;
    next_steps(&request, arena, &outcome);
    assert_int_equal(outcome.next_count, 0);
    outcome.word = OUTCOME_FAILED;
    outcome.before.family_count = 0;
    next_steps(&request, arena, &outcome);
    assert_int_equal(outcome.next_count, 0);
}

/** One count that is not what a new plan would be about, and a resume is named again. */
static void
a_resume_is_named_unless_every_row_is_told(void **state)
{
    static const struct table_outcome whole = {.table = TABLE_RUNTIME,
                                               .asked = true,
                                               .planned_rows = 5,
                                               .deleted_rows = 4,
                                               .changed_rows = 1};

    (void)state;
    for (int i = 0; i < 6; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        const struct run_request request = whole_request();
        struct outcome outcome = half_done();
        struct table_outcome *runtime = &outcome.tables[TABLE_RUNTIME];

        outcome.after_taken = i != 0;
        *runtime = whole;
        runtime->asked = i != 1;
        runtime->planned_rows = i == 2 ? -1 : whole.planned_rows;
        runtime->deleted_rows = i == 3 ? -1 : whole.deleted_rows;
        runtime->changed_rows = i == 4 ? 0 : whole.changed_rows;
        next_steps(&request, arena, &outcome);
        assert_int_equal(says(&outcome, "dwclean resume "), i < 5);
        assert_int_equal(says(&outcome, "Stop the maps, then plan again"), i == 5);
    }
}

static void
without_memory_there_are_fewer_steps_and_no_broken_ones(void **state)
{
    const struct run_request request = whole_request();

    (void)state;
    for (size_t bytes = 0; bytes < 4096; bytes += 32) {
        ARENA_SCOPED arena = arena_new(bytes);
        struct outcome outcome = half_done();

        next_steps(&request, arena, &outcome);
        for (size_t i = 0; i < outcome.next_count; i++)
            assert_true(outcome.next[i] && outcome.next[i][0]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unfinished_run_gives_the_whole_command_that_finishes_it),
        cmocka_unit_test(the_command_has_the_half_the_channels_and_the_environment_of_the_run),
        cmocka_unit_test(where_only_the_proof_is_missing_the_look_is_named),
        cmocka_unit_test(an_unfinished_undo_is_finished_by_an_undo_that_merges),
        cmocka_unit_test(rows_that_a_resume_would_leave_want_a_new_plan),
        cmocka_unit_test(the_run_directory_is_the_only_copy_where_something_was_removed),
        cmocka_unit_test(nobody_is_sent_to_clean_rows_of_an_unknown_owner),
        cmocka_unit_test(event_rows_alone_may_be_those_that_a_clean_kept),
        cmocka_unit_test(kept_rows_are_spoken_of_only_when_there_are_some),
        cmocka_unit_test(check_says_that_a_target_without_a_class_counts_as_production),
        cmocka_unit_test(what_is_not_given_is_left_out_of_the_commands),
        cmocka_unit_test(a_dry_run_says_what_turns_it_into_a_change),
        cmocka_unit_test(a_clean_half_is_no_clean_environment),
        cmocka_unit_test(a_map_that_was_repaired_is_started_in_the_browser),
        cmocka_unit_test(event_rows_are_spoken_of_where_there_are_some),
        cmocka_unit_test(a_resume_is_named_unless_every_row_is_told),
        cmocka_unit_test(without_memory_there_are_fewer_steps_and_no_broken_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
