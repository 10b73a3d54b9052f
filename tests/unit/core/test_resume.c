#include "commands.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576, ALL_ROWS = 9, RUNTIME_ROWS = 2 };

/** A world in which a run was interrupted. */
struct scene {
    struct fake_world world;
    struct fake_table before[TABLES];
    struct run_request request; /* of the resume */
    struct outcome outcome;
};

/** Run clean in the world as it is set, and prepare to resume that run. */
static void
begin(struct scene *scene, struct run_request *request, struct arena *arena)
{
    memcpy(scene->before, scene->world.tables, sizeof scene->before);
    run_confirmed(run_clean, &scene->world, request, arena, &scene->outcome);
    scene->request = *request;
    scene->request.run = "last";
    scene->world.axdb_gone_after = false;
    scene->world.removal = REMOVAL_DONE;
    fake_world_next(&scene->world);
}

/** The COMMIT had no answer, and the server stayed away. */
static void
lose_commit(struct scene *scene, bool lands, struct arena *arena)
{
    struct run_request request = fake_request();

    fake_world_init(&scene->world);
    scene->world.commit = COMMIT_UNKNOWN;
    scene->world.commit_lands = lands;
    scene->world.axdb_gone_after = true;
    scene->world.gone_code = ERR_SIGNIN;
    begin(scene, &request, arena);
    assert_int_equal(scene->outcome.exit_status, 6);
}

/** AxDB is clean, one runtime configuration is not. */
static void
interrupt_purge(struct scene *scene, struct arena *arena)
{
    struct run_request request = fake_request();

    fake_world_init(&scene->world);
    scene->world.removal = REMOVAL_FAILED;
    begin(scene, &request, arena);
    assert_int_equal(scene->outcome.exit_status, 3);
    assert_int_equal(fake_world_rows(&scene->world), 1);
}

static void
resume(struct scene *scene, struct arena *arena)
{
    run_resume(&scene->request, &scene->world.ports, arena, &scene->outcome);
}

static void
a_lost_commit_that_landed_is_settled_and_the_run_is_finished(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    lose_commit(&scene, true, arena);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_DONE);
    assert_string_equal(scene.outcome.settled, "committed");
    assert_true(scene.outcome.resumed);
    assert_int_equal(fake_world_rows(&scene.world), 0);
    assert_int_equal(scene.world.violations, 0);
    assert_int_equal(scene.world.run_count, 1); /* the same run, the same journal */
    assert_string_equal(scene.outcome.run_id, scene.world.runs[0].id);
    assert_string_equal(scene.world.connected_as, scene.world.runs[0].id);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].deleted_rows, 3);
    assert_int_equal(scene.outcome.tables[TABLE_RUNTIME].deleted_rows, RUNTIME_ROWS);
    assert_true(fake_world_journalled(&scene.world, "resumed"));
    assert_true(fake_world_journalled(&scene.world, "settled"));
    assert_true(fake_world_journalled(&scene.world, "verified"));
    assert_true(fake_world_journalled(&scene.world, "close"));
    assert_true(scene.world.reports_written && scene.world.finished);

    fake_world_next(&scene.world);
    resume(&scene, arena); /* it has come to its end */
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "came to its end"));
}

static void
a_lost_commit_that_was_rolled_back_changed_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    lose_commit(&scene, false, arena);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_string_equal(scene.outcome.settled, "rolled-back");
    assert_false(scene.outcome.changed);
    assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
    fake_world_next(&scene.world);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "was rolled back"));
}

static void
a_server_that_is_still_away_leaves_the_run_as_it_is(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    lose_commit(&scene, true, arena);
    scene.world.axdb_gone_after = true; /* for the settling: the first look still works */
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 6);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, RUNTIME_ROWS);
    scene.world.axdb_gone_after = false;
    fake_world_next(&scene.world);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(fake_world_rows(&scene.world), 0);
    assert_int_equal(scene.world.violations, 0);
}

static void
mixed_rows_stop_it(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    lose_commit(&scene, false, arena);
    scene.world.tables[TABLE_EVENTS].rows[0].content++;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 6);
    assert_string_equal(scene.outcome.settled, "mixed");
    assert_true(scene.outcome.changed);
    assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
}

static void
a_purge_that_stopped_goes_on_with_what_is_left(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(fake_world_rows(&scene.world), 0);
    assert_null(scene.outcome.settled); /* the answer to COMMIT was there */
    assert_int_equal(scene.outcome.tables[TABLE_RUNTIME].deleted_rows, RUNTIME_ROWS);
    assert_int_equal(scene.outcome.tables[TABLE_RUNTIME].gone_rows, 0);
    assert_int_equal(scene.world.violations, 0);

    interrupt_purge(&scene, arena);
    scene.world.tables[TABLE_RUNTIME].rows[0].version = 500; /* only the stamps */
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.tables[TABLE_RUNTIME].again_rows, 1);
    assert_int_equal(scene.world.runs[0].again_count, 1);
    assert_int_equal(fake_world_rows(&scene.world), 0);
    assert_int_equal(scene.world.violations, 0);

    interrupt_purge(&scene, arena);
    scene.world.tables[TABLE_RUNTIME].rows[0].content += 1000; /* changed since: it stays */
    scene.world.tables[TABLE_RUNTIME].rows[0].version++;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(scene.outcome.tables[TABLE_RUNTIME].changed_rows, 1);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
    assert_int_equal(scene.world.violations, 0);
}

/** Expect a refusal that changes nothing, and leaves the run resumable. */
static void
refused(struct scene *scene, struct arena *arena, int exit_status)
{
    const size_t rows = fake_world_rows(&scene->world);

    resume(scene, arena);
    assert_int_equal(scene->outcome.exit_status, exit_status);
    assert_true(scene->outcome.err.primary[0]);
    assert_int_equal(fake_world_rows(&scene->world), rows);
    assert_int_equal(scene->world.violations, 0);
    assert_false(scene->outcome.changed);
    /* where the first part may have removed rows, the directory holds the only copy */
    assert_int_equal(scene->outcome.next_count, 1);
    assert_non_null(strstr(scene->outcome.next[0], "This command changed nothing."));
    assert_int_equal(strstr(scene->outcome.next[0], "Keep the directory of the run") != NULL,
                     scene->outcome.resumed);
}

static void
nothing_is_purged_when_rows_are_there_again(void **state)
{
    static const struct {
        const char *what;
        size_t rows; /* event rows that are there */
        int change;  /* of the first one */
    } cases[] = {{"all of them", 3, 0}, {"one", 1, 0}, {"one, with other contents", 1, 5000}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;
        struct fake_table *events = &scene.world.tables[TABLE_EVENTS];

        print_message("%s\n", cases[i].what);
        interrupt_purge(&scene, arena);
        *events = scene.before[TABLE_EVENTS];
        events->count = cases[i].rows;
        events->rows[0].content += cases[i].change;
        refused(&scene, arena, 4);
        assert_non_null(strstr(scene.outcome.err.primary, "rows of the run are there again"));
        assert_non_null(strstr(scene.outcome.err.hint, "dwclean clean"));
        assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
        assert_int_equal(scene.world.locked_backup_rows, 0);
        assert_false(scene.world.in_transaction);

        events->count = 0; /* gone again: the run goes on */
        fake_world_next(&scene.world);
        resume(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_int_equal(fake_world_rows(&scene.world), 0);
    }
}

static void
a_run_that_was_undone_is_not_resumed(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)4 * MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    request.dataverse = false;
    request.run = scene.world.runs[0].id;
    run_confirmed(run_undo, &scene.world, &request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    fake_world_next(&scene.world);
    scene.request.run = scene.world.runs[0].id;
    refused(&scene, arena, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "an undo"));
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);

    /* rows that are nobody's of this run do not stand in its way, but are told */
    interrupt_purge(&scene, arena);
    scene.world.tables[TABLE_EVENTS].rows[0] = (struct fake_row){.recid = 500, .version = 3};
    scene.world.tables[TABLE_EVENTS].count = 1;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 0);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].after_rows, 1);
    assert_int_equal(scene.world.violations, 0);
}

static void
without_a_look_at_axdb_nothing_is_purged(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    scene.world.axdb_gone_after = true;
    scene.world.gone_code = ERR_SIGNIN;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_true(scene.outcome.changed);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
    scene.world.axdb_gone_after = false;
    fake_world_next(&scene.world);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
}

static void
the_operator_confirms_it_again(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    scene.request.plan_id = NULL;
    resume(&scene, arena); /* --yes without --plan-id */
    assert_int_equal(scene.outcome.exit_status, 4);
    scene.request.plan_id = "00";
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 5);
    assert_int_equal(fake_world_rows(&scene.world), 1);
    scene.request.plan_id = NULL;
    scene.request.yes = scene.request.maps_are_stopped = false;
    scene.world.op.present = true;
    scene.world.answers[0] = "STOPPED";
    scene.world.answers[1] = "AxDB@sql01";
    scene.world.answers[2] = "org6459f7a8";
    scene.world.answer_count = 3;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_non_null(strstr(scene.world.shown, "goes on"));
    assert_int_equal(fake_world_rows(&scene.world), 0);
}

static void
another_target_or_scope_is_refused(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    scene.world.created = "2026-11-22T03:00:00"; /* restored since */
    refused(&scene, arena, 5);
    scene.world.created = "2026-11-20T10:00:00";
    scene.world.other_target_after = true; /* another organization */
    refused(&scene, arena, 5);
    scene.world.other_target_after = false;
    scene.request.dataverse = false; /* a half is missing */
    refused(&scene, arena, 4);
    scene.request.dataverse = true;
    scene.request.axdb = false;
    refused(&scene, arena, 4);
    scene.request.axdb = true;
    scene.request.channels = channels;
    scene.request.channel_count = 1;
    refused(&scene, arena, 4);
    scene.request.channel_count = 0;
    scene.world.target_locked = true; /* another run works on it */
    refused(&scene, arena, 11);
    scene.world.target_locked = false;
    scene.world.archive_broken = true;
    refused(&scene, arena, 13);
    scene.world.archive_broken = false;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
}

static void
only_a_run_that_changed_something_is_resumed(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.request = fake_request();
    scene.request.plan_id = "any";
    scene.request.run = "last";
    refused(&scene, arena, 64); /* there is none */
    scene.world.exclusion_taken = true;
    begin(&scene, &request, arena);
    assert_int_equal(scene.outcome.exit_status, 11);
    scene.world.exclusion_taken = false;
    refused(&scene, arena, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "stopped before anything was changed"));

    fake_world_init(&scene.world);
    scene.world.commit = COMMIT_NOT;
    begin(&scene, &request, arena);
    refused(&scene, arena, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "was rolled back"));

    fake_world_init(&scene.world);
    begin(&scene, &request, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    request = fake_request();
    request.dataverse = false;
    request.run = "last";
    scene.world.axdb_gone_after = true;
    run_confirmed(run_undo, &scene.world, &request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 3);
    scene.world.axdb_gone_after = false;
    scene.request.run = "last";
    refused(&scene, arena, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "is an undo"));
}

static void
one_half_alone_is_resumed_alone(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    request.axdb = false;
    scene.world.removal = REMOVAL_UNKNOWN;
    begin(&scene, &request, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 0);
    assert_int_equal(scene.world.tables[TABLE_EVENTS].count, 3);
    assert_int_equal(scene.world.violations, 0);
}

static void
a_part_is_resumed_with_the_same_scope(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.other_channel = "MyEventGrid";
    scene.world.commit = COMMIT_UNKNOWN;
    scene.world.commit_lands = true;
    scene.world.axdb_gone_after = true;
    scene.world.gone_code = ERR_SIGNIN;
    request.channels = channels;
    request.channel_count = 1;
    begin(&scene, &request, arena);
    assert_int_equal(scene.outcome.exit_status, 6);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(fake_world_rows(&scene.world), 1);
    assert_int_equal(scene.world.violations, 0);
}

/** A repair-map whose COMMIT had no answer. */
static void
lose_repair(struct scene *scene, bool lands, struct arena *arena)
{
    struct run_request request = fake_request();

    fake_world_init(&scene->world);
    memcpy(scene->before, scene->world.tables, sizeof scene->before);
    scene->world.commit = COMMIT_UNKNOWN;
    scene->world.commit_lands = lands;
    scene->world.axdb_gone_after = true;
    scene->world.gone_code = ERR_SIGNIN;
    request.map = "Customers V3:accounts";
    request.dataverse = false;
    request.expect_dataverse_host = scene->world.own_host;
    run_confirmed(run_repair_map, &scene->world, &request, arena, &scene->outcome);
    assert_int_equal(scene->outcome.exit_status, 6);
    scene->world.axdb_gone_after = false;
    fake_world_next(&scene->world);
    scene->request = request;
    scene->request.map = NULL;
    scene->request.run = "last";
}

static void
the_repair_of_a_map_is_resumed(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    lose_repair(&scene, true, arena);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_DONE);
    assert_string_equal(scene.outcome.settled, "committed");
    assert_non_null(strstr(scene.outcome.verdict, "the removed rows are gone"));
    assert_non_null(strstr(scene.outcome.scope, "\"Customers V3\":\"accounts\""));
    assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS - 2);
    assert_int_equal(scene.world.violations, 0);

    lose_repair(&scene, false, arena);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_string_equal(scene.outcome.settled, "rolled-back");
    assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
    assert_false(scene.outcome.changed);
}

/** The look knows the rows of the backup only: it may not speak for the map. */
static void
a_map_that_has_rows_anew_is_not_called_clean(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    for (int settled = 0; settled < 2; settled++) {
        lose_repair(&scene, true, arena);
        if (settled) { /* an answer to the COMMIT is on record */
            resume(&scene, arena);
            fake_world_next(&scene.world);
            scene.world.runs[0].journal_count--; /* cut off before its end */
        }
        for (int i = TABLE_FIELD; i <= TABLE_PROJECT; i++) {
            struct fake_table *table = &scene.world.tables[i];

            table->rows[table->count] = scene.before[i].rows[0];
            table->rows[table->count++].recid = 77; /* the map was started again */
        }
        resume(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_non_null(strstr(scene.outcome.verdict, "the removed rows are gone"));
        assert_non_null(strstr(scene.outcome.verdict, "whether the map has other rows now is not "
                                                      "known"));
        assert_non_null(strstr(scene.outcome.verdict, "repair-map --dry-run"));
        assert_int_equal(scene.outcome.next_count, 1);
        assert_non_null(strstr(scene.outcome.next[0], "dwclean repair-map"));
    }
}

static void
a_committed_repair_stays_one_when_its_rows_come_back(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;
    struct archived_run *archived;
    struct err err;

    (void)state;
    fake_world_init(&scene.world);
    request.map = "Customers V3:accounts";
    memcpy(scene.before, scene.world.tables, sizeof scene.before);
    scene.world.axdb_gone_after = true; /* committed, not verified */
    run_confirmed(run_repair_map, &scene.world, &request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 3);
    scene.world.axdb_gone_after = false;
    fake_world_next(&scene.world);
    memcpy(scene.world.tables, scene.before, sizeof scene.before); /* somebody wrote them */
    scene.request = request;
    scene.request.dataverse = false;
    scene.request.map = NULL;
    scene.request.run = "last";
    scene.world.axdb_gone_after = true;
    scene.world.gone_code = ERR_SIGNIN;
    resume(&scene, arena); /* the second look fails: known to be committed, not proven */
    assert_int_equal(scene.outcome.exit_status, 3);
    scene.world.axdb_gone_after = false;
    fake_world_next(&scene.world);
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 2);
    assert_non_null(strstr(scene.outcome.verdict, "something wrote them back"));
    assert_true(
        scene.world.run_archive.open(&scene.world.run_archive, "last", arena, &archived, &err));
    assert_true(archived->ops->past(archived)->progress.committed);
}

/* ---- a crash anywhere ---- */

/** What must hold when a crashed run was resumed. */
static void
assert_finished_or_untouched(const struct scene *scene)
{
    const struct outcome *outcome = &scene->outcome;

    assert_int_equal(scene->world.violations, 0);
    if (outcome->exit_status == 0)
        assert_int_equal(fake_world_rows(&scene->world), 0);
    else if (outcome->exit_status == 3)
        assert_string_equal(outcome->settled, "rolled-back");
    else
        assert_true(outcome->exit_status == 4 || outcome->exit_status == 64);
    if (outcome->exit_status != 0 && fake_world_rows(&scene->world) == 0)
        assert_non_null(strstr(outcome->err.primary, "came to its end"));
    else if (outcome->exit_status != 0)
        assert_int_equal(fake_world_rows(&scene->world), ALL_ROWS);
}

static void
a_run_that_crashed_anywhere_can_be_finished(void **state)
{
    int swept = 0;

    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        for (int crash_at = 1;; crash_at++) {
            ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
            struct run_request request = fake_request();
            struct scene scene;
            int calls;

            fake_world_init(&scene.world);
            request.dry_run = true;
            run_clean(&request, &scene.world.ports, arena, &scene.outcome);
            request.dry_run = false;
            request.plan_id = scene.outcome.plan_id;
            fake_world_next(&scene.world);
            scene.world.crash_at = crash_at;
            scene.world.commit_lands = lands;
            run_clean(&request, &scene.world.ports, arena, &scene.outcome);
            calls = scene.world.calls;
            fake_world_next(&scene.world);
            scene.request = request;
            scene.request.run = "last";
            resume(&scene, arena);
            assert_finished_or_untouched(&scene);
            if (calls < crash_at)
                break;
            swept++;
        }
    }
    print_message("%d crashes, 0 promises broken\n", swept);
    assert_true(swept > 150);
}

/** Resume with one failing call, then again; false when the call was never made. */
static bool
resume_twice(int round, int fail_at)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;
    int calls;

    if (round == 2)
        interrupt_purge(&scene, arena);
    else
        lose_commit(&scene, round, arena);
    scene.world.fail_at = fail_at;
    resume(&scene, arena);
    calls = scene.world.calls;
    assert_int_equal(scene.world.violations, 0);
    if (scene.outcome.exit_status == 0)
        assert_int_equal(fake_world_rows(&scene.world), 0);
    if (round == 0) /* it was rolled back: nothing leaves, whatever fails */
        assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
    fake_world_next(&scene.world);
    resume(&scene, arena);
    assert_finished_or_untouched(&scene);
    return calls >= fail_at;
}

static void
a_resume_that_fails_anywhere_can_be_resumed(void **state)
{
    int swept = 0;

    (void)state;
    for (int round = 0; round < 3; round++)
        for (int fail_at = 1; resume_twice(round, fail_at); fail_at++)
            swept++;
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 60);
}

static void
a_run_that_another_process_goes_on_with_is_left_to_it(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    scene.world.run_goes_on_reopened = true;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 5);
    assert_non_null(strstr(scene.outcome.err.primary, "went on while its record was read"));
    assert_int_equal(fake_world_rows(&scene.world), 1);
}

static void
a_journal_that_names_rows_which_are_not_in_the_backup_is_not_believed(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    scene.world.run->purged[0] = 999;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.err.code, ERR_STORAGE);
    assert_non_null(strstr(scene.outcome.err.primary, "not in the backup"));
    assert_int_equal(fake_world_rows(&scene.world), 1);
}

static void
a_row_that_the_journal_names_twice_is_counted_once(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    assert_int_equal(scene.world.run->purged_count, 1);
    scene.world.run->purged[scene.world.run->purged_count++] = scene.world.run->purged[0];
    resume(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.tables[TABLE_RUNTIME].deleted_rows, RUNTIME_ROWS);
}

static void
a_resume_needs_the_halves_and_the_scope_of_its_run(void **state)
{
    static const char *const channels[] = {"DualWrite"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        interrupt_purge(&scene, arena);
        if (i == 0)
            scene.request.axdb = false;
        if (i == 1)
            scene.request.dataverse = false;
        if (i == 2) {
            scene.request.channels = channels;
            scene.request.channel_count = 1;
        }
        resume(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 4);
        assert_non_null(strstr(scene.outcome.err.primary,
                               i == 2 ? "another scope: every row" : "AxDB and Dataverse"));
        assert_int_equal(fake_world_rows(&scene.world), 1);
    }
}

static void
a_run_of_one_half_is_resumed_with_that_half(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct scene scene;

        fake_world_init(&scene.world);
        *(i ? &request.axdb : &request.dataverse) = false;
        if (i == 0)
            request.expect_dataverse_host = "contoso-uat.crm4.dynamics.com";
        scene.world.removal = REMOVAL_FAILED;
        scene.world.commit = i ? COMMIT_DONE : COMMIT_UNKNOWN;
        scene.world.commit_lands = true;
        scene.world.axdb_gone_after = true;
        scene.world.gone_code = ERR_SIGNIN;
        begin(&scene, &request, arena);
        assert_int_equal(scene.outcome.exit_status, i ? 3 : 6);
        scene.request.axdb = scene.request.dataverse = true;
        resume(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 4);
        assert_non_null(strstr(scene.outcome.err.primary, i ? "Dataverse alone" : "AxDB alone"));
        assert_non_null(strstr(scene.outcome.err.hint, i ? "--dataverse-only" : "--axdb-only"));
    }
}

static void
without_a_whole_plan_and_a_sealed_backup_nothing_is_resumed(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    interrupt_purge(&scene, arena);
    scene.world.run->planned = false;
    resume(&scene, arena);
    assert_int_equal(scene.outcome.err.code, ERR_STORAGE);
    assert_non_null(strstr(scene.outcome.err.primary, "no whole plan and sealed backup"));
    assert_int_equal(fake_world_rows(&scene.world), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_commit_that_landed_is_settled_and_the_run_is_finished),
        cmocka_unit_test(a_lost_commit_that_was_rolled_back_changed_nothing),
        cmocka_unit_test(a_server_that_is_still_away_leaves_the_run_as_it_is),
        cmocka_unit_test(mixed_rows_stop_it),
        cmocka_unit_test(a_purge_that_stopped_goes_on_with_what_is_left),
        cmocka_unit_test(nothing_is_purged_when_rows_are_there_again),
        cmocka_unit_test(a_run_that_was_undone_is_not_resumed),
        cmocka_unit_test(without_a_look_at_axdb_nothing_is_purged),
        cmocka_unit_test(the_operator_confirms_it_again),
        cmocka_unit_test(another_target_or_scope_is_refused),
        cmocka_unit_test(only_a_run_that_changed_something_is_resumed),
        cmocka_unit_test(one_half_alone_is_resumed_alone),
        cmocka_unit_test(a_part_is_resumed_with_the_same_scope),
        cmocka_unit_test(the_repair_of_a_map_is_resumed),
        cmocka_unit_test(a_map_that_has_rows_anew_is_not_called_clean),
        cmocka_unit_test(a_committed_repair_stays_one_when_its_rows_come_back),
        cmocka_unit_test(a_run_that_crashed_anywhere_can_be_finished),
        cmocka_unit_test(a_resume_that_fails_anywhere_can_be_resumed),
        cmocka_unit_test(a_run_that_another_process_goes_on_with_is_left_to_it),
        cmocka_unit_test(a_journal_that_names_rows_which_are_not_in_the_backup_is_not_believed),
        cmocka_unit_test(a_row_that_the_journal_names_twice_is_counted_once),
        cmocka_unit_test(a_resume_needs_the_halves_and_the_scope_of_its_run),
        cmocka_unit_test(a_run_of_one_half_is_resumed_with_that_half),
        cmocka_unit_test(without_a_whole_plan_and_a_sealed_backup_nothing_is_resumed),
    };

    return cmocka_run_group_tests_name("core/resume", tests, NULL, NULL);
}
