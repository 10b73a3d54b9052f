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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
