#include "core/run.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { ALL_ROWS = 9, MEGABYTE = 1048576 };

/** Run clean as a pipeline does: a dry run for the plan-id, then the change. */
static void
clean(struct fake_world *world, struct run_request *request, struct outcome *outcome,
      struct arena *arena)
{
    struct run_request dry = *request;
    struct outcome preview;

    dry.dry_run = true;
    run_clean(&dry, &world->ports, arena, &preview);
    request->plan_id = preview.plan_id;
    fake_world_next(world);
    run_clean(request, &world->ports, arena, outcome);
}

static void
clean_empties_four_tables_and_proves_it(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.word, OUTCOME_DONE);
    assert_int_equal(fake_world_rows(&world), 0);
    assert_int_equal(world.violations, 0);
    assert_int_equal(world.axdb_connects, 2); /* the proof comes over a new connection */
    assert_true(fake_world_journalled(&world, "commit-sent"));
    assert_true(fake_world_journalled(&world, "committed"));
    assert_true(fake_world_journalled(&world, "close"));
    assert_true(world.reports_written);
    assert_true(world.finished);
    assert_int_equal(outcome.tables[TABLE_EVENTS].deleted_rows, 3);
    assert_int_equal(outcome.tables[TABLE_RUNTIME].backed_up_rows, 2);
    assert_int_equal(outcome.tables[TABLE_PROJECT].after_rows, 0);
}

/** The time of each is told by the journal's own records, in their order. */
static void
the_report_knows_the_steps_of_the_journal(void **state)
{
    static const char *const expected[] = {"open",      "identity",      "plan",     "confirmed",
                                           "locked",    "backup-sealed", "begin",    "commit-sent",
                                           "committed", "purge-outcome", "verified", "close"};
    const size_t count = sizeof(expected) / sizeof(expected[0]);
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    request.user = "dba";
    request.host = "jump01";
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.step_count, count);
    for (size_t i = 0; i < count; i++) {
        const struct run_step *step = &outcome.steps[i];
        assert_string_equal(step->step, expected[i]);
        assert_true(fake_world_journalled(&world, step->step));
        assert_in_range(step->first_utc_ms, i ? outcome.steps[i - 1].first_utc_ms : 1,
                        step->last_utc_ms);
        assert_true(step->last_utc_ms <= outcome.ended_utc_ms);
    }
    assert_int_equal(outcome.steps_unlisted, 0);
    assert_string_equal(outcome.user, "dba");
    assert_string_equal(outcome.host, "jump01");
    /* nothing is on record of a command without a run */
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.step_count, 0);
}

static void
verify_changes_nothing_and_reports_residue(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 2);
    assert_int_equal(outcome.word, OUTCOME_RESIDUE);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_int_equal(world.files_created, 0);
    for (int i = 0; i < TABLES; i++)
        world.tables[i].count = 0;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.word, OUTCOME_CLEAN);
}

/** The first sentence has what matters: rows, whom they name, and who this is. */
static void
the_verdict_names_the_host_of_the_rows_and_the_own_one(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    run_verify(&request, &world.ports, arena, &outcome);
    assert_string_equal(outcome.verdict,
                        "9 rows of another environment: project rows name "
                        "contoso-prod.crm4.dynamics.com (own: contoso-uat.crm4.dynamics.com)");
    request.dataverse = false;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_string_equal(outcome.verdict, "7 rows: project rows name "
                                         "contoso-prod.crm4.dynamics.com (the own host is not "
                                         "known)");
    request = fake_request();
    request.expect_org_name = "another";
    run_verify(&request, &world.ports, arena, &outcome);
    assert_non_null(strstr(outcome.verdict, "not the target that was meant: organization name"));
    request = fake_request();
    world.tables[TABLE_PROJECT].rows[0].own = true;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_non_null(strstr(outcome.verdict, "9 rows; project rows name the target's own "
                                            "organization contoso-uat.crm4.dynamics.com"));
    world.tables[TABLE_PROJECT].count = 0;
    world.tables[TABLE_FIELD].count = 0;
    world.tables[TABLE_EVENTS].count = 0;
    world.tables[TABLE_RUNTIME].count = 1;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_string_equal(outcome.verdict, "1 row where none are expected; no project row names an "
                                         "environment");
}

static void
a_dry_run_names_the_same_plan_twice_and_leaves_no_trace(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome first;
    struct outcome second;

    (void)state;
    fake_world_init(&world);
    request.dry_run = true;
    run_clean(&request, &world.ports, arena, &first);
    run_clean(&request, &world.ports, arena, &second);
    assert_int_equal(first.exit_status, 0);
    assert_int_equal(first.word, OUTCOME_PLANNED);
    assert_string_equal(first.plan_id, second.plan_id);
    assert_int_equal(world.files_created, 0);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    world.tables[TABLE_EVENTS].rows[1].content++;
    run_clean(&request, &world.ports, arena, &second);
    assert_string_not_equal(first.plan_id, second.plan_id);
}

static void
another_plan_than_the_confirmed_one_is_stale(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    request.plan_id = "0123456789012345678901234567890123456789012345678901234567890123";
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 5);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
}

static void
nothing_to_do_is_clean_and_makes_no_run(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    for (int i = 0; i < TABLES; i++)
        world.tables[i].count = 0;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.word, OUTCOME_CLEAN);
    assert_int_equal(world.files_created, 0);
}

static void
zero_rows_that_the_partitions_contradict_are_not_clean(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.hidden_rows = true;
    world.tables[TABLE_RUNTIME].count = 0;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 14);
    assert_int_equal(world.observations, 2); /* asked twice */
}

static void
unknown_is_never_ok(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    for (int i = 0; i < TABLES; i++)
        world.tables[i].count = 0;
    world.count_unknown = true;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 11);

    fake_world_init(&world);
    world.table_missing = true;
    world.tables[TABLE_PROJECT].count = world.tables[TABLE_FIELD].count = 0;
    world.tables[TABLE_RUNTIME].count = 0;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 14);
    assert_int_equal(outcome.err.code, ERR_SCHEMA);
    assert_non_null(strstr(outcome.err.primary, "BUSINESSEVENTSDEFINITION is missing"));
    assert_non_null(strstr(outcome.err.hint, "never clean"));

    fake_world_init(&world);
    world.fail_at = 1;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 2); /* Dataverse's rows differ; AxDB is unknown */
    world.calls = 0;
    world.tables[TABLE_RUNTIME].count = 0;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 10);
}

/** A change of the world at some moment, and what must come of it. */
struct accident {
    const char *what;
    enum fake_moment at;
    enum table table;
    enum fake_change change;
    int exit_status;
    size_t rows_left;
};

static void
rows_that_change_on_the_way_stay(void **state)
{
    static const struct accident accidents[] = {
        {"changed before the backup", FAKE_BEFORE_BACKUP, TABLE_EVENTS, FAKE_CHANGES, 5, ALL_ROWS},
        {"added before the backup", FAKE_BEFORE_BACKUP, TABLE_RUNTIME, FAKE_ADDS, 5, ALL_ROWS + 1},
        {"changed before the lock", FAKE_BEFORE_LOCK, TABLE_FIELD, FAKE_CHANGES, 5, ALL_ROWS},
        {"added before the lock", FAKE_BEFORE_LOCK, TABLE_PROJECT, FAKE_ADDS, 5, ALL_ROWS + 1},
        {"changed before the purge", FAKE_BEFORE_PURGE, TABLE_RUNTIME, FAKE_CHANGES, 3, 1},
        {"added before the purge", FAKE_BEFORE_PURGE, TABLE_RUNTIME, FAKE_ADDS, 3, 1},
        {"written after the commit", FAKE_BEFORE_LAST_LOOK, TABLE_EVENTS, FAKE_ADDS, 3, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof accidents / sizeof accidents[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;
        struct run_request dry = request;

        fake_world_init(&world);
        dry.dry_run = true;
        run_clean(&dry, &world.ports, arena, &outcome);
        request.plan_id = outcome.plan_id;
        world.observations = 0;
        world.change_at = accidents[i].at;
        world.change_table = accidents[i].table;
        world.change = accidents[i].change;
        run_clean(&request, &world.ports, arena, &outcome);
        print_message("%s\n", accidents[i].what);
        assert_int_equal(outcome.exit_status, accidents[i].exit_status);
        assert_int_equal(fake_world_rows(&world), accidents[i].rows_left);
        assert_int_equal(world.violations, 0);
    }
}

static void
a_backup_that_reads_back_differently_stops_the_run(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.backup_lies = true;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 13);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_false(world.run->sealed);
}

static void
a_short_delete_is_rolled_back(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.short_delete = 1;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 14);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
}

static void
a_lock_timeout_is_tried_three_times(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.lock_failures = 2;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 0);

    fake_world_init(&world);
    request.plan_id = NULL;
    world.lock_failures = 3;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 11);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
}

static void
a_commit_without_answer_is_settled_by_a_locked_look(void **state)
{
    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.commit = COMMIT_UNKNOWN;
        world.commit_lands = lands;
        clean(&world, &request, &outcome, arena);
        assert_int_equal(outcome.exit_status, 3);
        assert_int_equal(outcome.word, OUTCOME_PARTIAL);
        assert_string_equal(outcome.settled, lands ? "committed" : "rolled-back");
        assert_int_equal(outcome.changed, lands);
        assert_int_equal(outcome.tables[TABLE_EVENTS].deleted_rows, lands ? 3 : -1);
        assert_int_equal(world.tables[TABLE_EVENTS].count, lands ? 0 : 3);
        assert_int_equal(world.tables[TABLE_RUNTIME].count, 2); /* no purge without the answer */
        assert_true(fake_world_journalled(&world, "settled"));
        assert_int_equal(world.axdb_connects, 2);
        assert_int_equal(world.violations, 0);
    }
}

static void
a_commit_without_answer_stays_unknown_while_the_server_is_away(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.commit = COMMIT_UNKNOWN;
    world.commit_lands = true;
    world.axdb_gone_after = true;
    world.gone_code = ERR_SIGNIN; /* not worth waiting for */
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 6);
    assert_int_equal(outcome.word, OUTCOME_UNKNOWN);
    assert_string_equal(outcome.settled, "unknown");
    assert_non_null(strstr(outcome.err.hint, "dwclean resume"));
    assert_true(outcome.changed);
    assert_int_equal(world.tables[TABLE_RUNTIME].count, 2);
    assert_int_equal(world.violations, 0);
}

static int looks;

/** From the second look on it is another database under the same name. */
static void
restore_meanwhile(struct axdb_evidence *evidence)
{
    if (++looks > 1)
        evidence->identity.created = "2026-11-22T03:00:00";
}

static void
a_database_that_was_restored_meanwhile_settles_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    clean(&world, &request, &outcome, arena); /* sets the plan-id */
    fake_world_init(&world);
    world.patch_axdb = restore_meanwhile;
    world.commit = COMMIT_UNKNOWN;
    looks = 0;
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 6);
    assert_string_equal(outcome.settled, "unknown");
    assert_non_null(strstr(outcome.err.primary, "another target"));
}

static void
rows_that_are_neither_all_there_nor_all_gone_stay_unknown(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.commit = COMMIT_UNKNOWN; /* rolled back, and then one row goes */
    world.change_at = FAKE_AFTER_COMMIT;
    world.change_table = TABLE_EVENTS;
    world.change = FAKE_REMOVES;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 6);
    assert_string_equal(outcome.settled, "mixed");
    assert_true(outcome.changed);
    assert_non_null(strstr(outcome.err.detail, "of 7 rows of the backup 6 are there"));
}

static void
a_commit_that_the_server_refused_changed_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.commit = COMMIT_NOT;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_false(outcome.changed);
    assert_null(outcome.settled);
    assert_true(fake_world_journalled(&world, "rolled-back"));
}

static void
a_clean_that_cannot_be_verified_is_incomplete(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    clean(&world, &request, &outcome, arena); /* sets the plan-id */
    fake_world_init(&world);
    world.axdb_gone_after = true;
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 3);
    assert_int_equal(fake_world_rows(&world), 0);
}

static void
a_row_that_the_service_keeps_is_named(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.removal = REMOVAL_FAILED;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 3);
    assert_int_equal(outcome.removal_count, 1);
    assert_int_equal(outcome.tables[TABLE_RUNTIME].failed_rows, 1);
    assert_int_equal(fake_world_rows(&world), 1);
}

static void
the_operator_must_type_stopped_and_both_names(void **state)
{
    static const struct {
        const char *answers[FAKE_MAX_ANSWERS];
        int count, exit_status;
        size_t rows_left;
    } cases[] = {
        {{"STOPPED", "AxDB@sql01", "org6459f7a8"}, 3, 0, 0},
        {{"stopped"}, 1, 4, ALL_ROWS},
        {{"STOPPED", "AxDB"}, 2, 4, ALL_ROWS},
        {{"STOPPED", "AxDB@sql01", "org"}, 3, 4, ALL_ROWS},
        {{"STOPPED"}, 1, 4, ALL_ROWS}, /* end of input */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        request.yes = request.maps_are_stopped = false;
        world.op.present = true;
        memcpy(world.answers, cases[i].answers, sizeof world.answers);
        world.answer_count = cases[i].count;
        run_clean(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.exit_status, cases[i].exit_status);
        assert_int_equal(fake_world_rows(&world), cases[i].rows_left);
        assert_non_null(strstr(world.shown, "contoso-prod.crm4.dynamics.com"));
        assert_non_null(strstr(world.shown, "PROD-SQL"));
    }
}

static void
a_column_that_appears_after_the_plan_is_stale(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.column_appears = true;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 5);
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
}

static void
a_last_look_at_another_organization_proves_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.other_target_after = true;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 3);
    assert_int_equal(fake_world_rows(&world), 0);
}

static void
an_empty_target_still_has_to_be_the_confirmed_one(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    for (int i = 0; i < TABLES; i++)
        world.tables[i].count = 0;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.word, OUTCOME_CLEAN);
    request.plan_id = "00";
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 5);
}

static void
a_run_that_cannot_be_put_on_record_reports_no_success(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.finish_fails = true;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 3);
    assert_int_equal(world.reported_status, 3); /* the report on disk says so too */
    assert_non_null(strstr(outcome.next[0], "run directory"));
}

static void
an_empty_list_that_may_be_short_is_not_clean(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    for (int i = 0; i < TABLES; i++)
        world.tables[i].count = 0;
    world.may_read_all = RIGHT_MISSING;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.exit_status, 12);
}

/** Only for the fault sweep: everything that must hold after any single failure. */
static void
assert_told_the_truth(const struct fake_world *world, const struct outcome *outcome)
{
    assert_int_equal(world->violations, 0);
    if (outcome->exit_status == 0)
        assert_int_equal(fake_world_rows(world), 0);
    if (!outcome->changed)
        assert_int_equal(fake_world_rows(world), ALL_ROWS);
    if (fake_world_rows(world) != ALL_ROWS)
        assert_true(outcome->exit_status == 0 || outcome->exit_status == 3 ||
                    outcome->exit_status == 6);
}

/** The sweep: every port call fails once, in turn. No row leaves without a sealed copy, and what is
 * said is so. */
static void
no_row_leaves_without_a_sealed_copy(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    int swept = 0;

    (void)state;
    fake_world_init(&world);
    clean(&world, &request, &outcome, arena); /* sets the plan-id */
    for (int lands = 0; lands < 2; lands++) {
        for (int fail_at = 1;; fail_at++) {
            fake_world_init(&world);
            world.fail_at = fail_at;
            world.commit_lands = lands;
            run_clean(&request, &world.ports, arena, &outcome);
            assert_told_the_truth(&world, &outcome);
            if (world.calls < fail_at)
                break;
            swept++;
            if (outcome.exit_status == 0) /* only the applock's release may fail unnoticed */
                assert_true(world.finished);
        }
        assert_int_equal(outcome.exit_status, 0); /* the round without a failure */
    }
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 100);
}

/** The COMMIT has no answer, and then one more call fails. */
static void
a_lost_commit_and_another_failure_are_told_as_they_are(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    int swept = 0;

    (void)state;
    fake_world_init(&world);
    clean(&world, &request, &outcome, arena); /* sets the plan-id */
    for (int lands = 0; lands < 2; lands++) {
        for (int fail_at = 1;; fail_at++) {
            fake_world_init(&world);
            world.fail_at = fail_at;
            world.commit = COMMIT_UNKNOWN;
            world.commit_lands = lands;
            run_clean(&request, &world.ports, arena, &outcome);
            assert_told_the_truth(&world, &outcome);
            assert_int_equal(world.tables[TABLE_RUNTIME].count, 2);
            assert_int_not_equal(outcome.exit_status, 0);
            if (outcome.settled && strcmp(outcome.settled, "unknown") != 0)
                assert_string_equal(outcome.settled, lands ? "committed" : "rolled-back");
            if (world.calls < fail_at)
                break;
            swept++;
        }
    }
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 100);
}

static char told_run[RUN_ID_BYTES];

static void
take_run(struct observer *observer, const char *run_id)
{
    (void)observer;
    (void)snprintf(told_run, sizeof told_run, "%s", run_id);
}

/** However the target was named: the run has a name, the operator hears it, its options are kept.
 */
static void
a_run_is_told_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        static const struct fact options[] = {{"server", "argv"}};
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.ports.observer->run = take_run;
        world.exclusion_denied = i == 2;
        request.environment = i == 0 ? "uat" : NULL;
        if (i == 1)
            request.server = request.database = NULL;
        request.options = options;
        request.option_count = 1;
        request.reason = NULL;
        clean(&world, &request, &outcome, arena);
        assert_int_equal(outcome.exit_status, 0);
        assert_string_equal(told_run, world.run->id);
        assert_int_equal(fake_world_journalled(&world, "locked"), i != 2);
    }
}

static void
a_run_of_another_machine_on_the_same_database_excludes_this_one(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.exclusion_taken = true;
    clean(&world, &request, &outcome, arena);
    assert_int_equal(outcome.exit_status, 11);
    assert_non_null(strstr(outcome.err.primary, "another dwclean run works on this database"));
    assert_int_equal(fake_world_rows(&world), ALL_ROWS);
    assert_int_equal(world.stray_releases, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_empties_four_tables_and_proves_it),
        cmocka_unit_test(the_report_knows_the_steps_of_the_journal),
        cmocka_unit_test(verify_changes_nothing_and_reports_residue),
        cmocka_unit_test(the_verdict_names_the_host_of_the_rows_and_the_own_one),
        cmocka_unit_test(a_dry_run_names_the_same_plan_twice_and_leaves_no_trace),
        cmocka_unit_test(another_plan_than_the_confirmed_one_is_stale),
        cmocka_unit_test(nothing_to_do_is_clean_and_makes_no_run),
        cmocka_unit_test(zero_rows_that_the_partitions_contradict_are_not_clean),
        cmocka_unit_test(unknown_is_never_ok),
        cmocka_unit_test(rows_that_change_on_the_way_stay),
        cmocka_unit_test(a_backup_that_reads_back_differently_stops_the_run),
        cmocka_unit_test(a_short_delete_is_rolled_back),
        cmocka_unit_test(a_lock_timeout_is_tried_three_times),
        cmocka_unit_test(a_commit_without_answer_is_settled_by_a_locked_look),
        cmocka_unit_test(a_commit_without_answer_stays_unknown_while_the_server_is_away),
        cmocka_unit_test(a_database_that_was_restored_meanwhile_settles_nothing),
        cmocka_unit_test(rows_that_are_neither_all_there_nor_all_gone_stay_unknown),
        cmocka_unit_test(a_commit_that_the_server_refused_changed_nothing),
        cmocka_unit_test(a_clean_that_cannot_be_verified_is_incomplete),
        cmocka_unit_test(a_row_that_the_service_keeps_is_named),
        cmocka_unit_test(the_operator_must_type_stopped_and_both_names),
        cmocka_unit_test(a_column_that_appears_after_the_plan_is_stale),
        cmocka_unit_test(a_last_look_at_another_organization_proves_nothing),
        cmocka_unit_test(an_empty_target_still_has_to_be_the_confirmed_one),
        cmocka_unit_test(a_run_that_cannot_be_put_on_record_reports_no_success),
        cmocka_unit_test(an_empty_list_that_may_be_short_is_not_clean),
        cmocka_unit_test(no_row_leaves_without_a_sealed_copy),
        cmocka_unit_test(a_lost_commit_and_another_failure_are_told_as_they_are),
        cmocka_unit_test(a_run_is_told_by_its_name),
        cmocka_unit_test(a_run_of_another_machine_on_the_same_database_excludes_this_one),
    };

    return cmocka_run_group_tests_name("core/run", tests, NULL, NULL);
}
