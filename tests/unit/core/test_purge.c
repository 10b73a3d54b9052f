#include "../../../src/core/pace_line.h"
#include "commands.h"
#include "core/purge.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576 };

struct scene {
    struct fake_world world;
    struct outcome outcome;
};

/** Clean a world in which something happens to the runtime rows. */
static void
clean(struct scene *scene, struct arena *arena)
{
    struct run_request request = fake_request();

    run_confirmed(run_clean, &scene->world, &request, arena, &scene->outcome);
    assert_int_equal(scene->world.violations, 0);
}

static const struct table_outcome *
runtime(const struct scene *scene)
{
    return &scene->outcome.tables[TABLE_RUNTIME];
}

static void
a_row_that_was_only_stamped_is_backed_up_again_and_goes(void **state)
{
    (void)state;
    for (int stamps = 1; stamps <= PURGE_ROUNDS; stamps++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        fake_world_init(&scene.world);
        scene.world.stamps = stamps;
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 0);
        assert_int_equal(scene.world.passes, stamps + 1);
        assert_int_equal(scene.world.run->again_count, stamps);
        assert_true(scene.world.run->again[stamps - 1].sealed);
        assert_int_equal(runtime(&scene)->deleted_rows, 2);
        assert_int_equal(runtime(&scene)->again_rows, stamps);
        assert_int_equal(runtime(&scene)->changed_rows, 0);
        assert_true(fake_world_journalled(&scene.world, "backup-again"));
        assert_int_equal(scene.outcome.removal_count, 0);
    }
}

static void
a_row_that_is_stamped_every_time_stays(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.stamps = 100;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(scene.world.passes, PURGE_ROUNDS + 1);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
    assert_int_equal(runtime(&scene)->changed_rows, 1);
    assert_int_equal(runtime(&scene)->deleted_rows, 1);
    assert_int_equal(scene.outcome.removal_count, 1);
    assert_non_null(strstr(scene.outcome.removals[0].why.primary, "changed again"));
}

static void
a_row_with_other_contents_stays_and_is_named(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.change_at = FAKE_BEFORE_PURGE;
    scene.world.change_table = TABLE_RUNTIME;
    scene.world.change = FAKE_CHANGES;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
    assert_int_equal(scene.world.passes, 1);
    assert_int_equal(scene.world.run->again_count, 0); /* nothing to back up: no directory */
    assert_int_equal(runtime(&scene)->changed_rows, 1);
    assert_string_equal(scene.outcome.removals[0].row->key, "00000000-0000-0000-0000-000000000001");
    assert_int_equal(scene.outcome.removals[0].http_status, 412);
    assert_non_null(strstr(scene.outcome.removals[0].why.primary, "changed since"));
}

static void
a_row_that_changes_or_goes_while_it_is_backed_up_again_is_judged_afresh(void **state)
{
    static const struct {
        enum fake_change change;
        int exit_status, left, gone;
    } cases[] = {{FAKE_CHANGES, 3, 1, 0}, {FAKE_REMOVES, 0, 0, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        fake_world_init(&scene.world);
        scene.world.tables[TABLE_RUNTIME].count = 1;
        scene.world.stamps = 1;
        scene.world.change_at = FAKE_BEFORE_PURGE;
        scene.world.change_skip = 1; /* in the second pass */
        scene.world.change_table = TABLE_RUNTIME;
        scene.world.change = cases[i].change;
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, cases[i].exit_status);
        assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, cases[i].left);
        assert_int_equal(runtime(&scene)->changed_rows, cases[i].left);
        assert_int_equal(runtime(&scene)->gone_rows, cases[i].gone);
        assert_int_equal(runtime(&scene)->again_rows, 1);
    }
}

static void
a_further_backup_that_does_not_hold_deletes_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.stamps = 1;
    scene.world.again_lies = true;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(scene.outcome.err.code, ERR_STORAGE);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
    assert_false(scene.world.run->again[0].sealed);
    assert_int_equal(runtime(&scene)->changed_rows, 1);
}

/* ---- rows without versions ---- */

static void
clean_without_versions(struct scene *scene, struct arena *arena)
{
    struct run_request request = fake_request();

    scene->world.no_versions = true;
    request.allow_no_etag = true;
    request.reason = "the table has no versions";
    run_confirmed(run_clean, &scene->world, &request, arena, &scene->outcome);
    assert_int_equal(scene->world.violations, 0);
}

static void
a_table_without_versions_is_refused_unless_that_is_said_and_reasoned(void **state)
{
    (void)state;
    for (int said = 0; said < 4; said++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();
        struct scene scene;

        fake_world_init(&scene.world);
        scene.world.no_versions = true;
        request.allow_no_etag = said & 1;
        request.reason = said & 2 ? "why" : NULL;
        request.dry_run = true;
        request.yes = false;
        run_clean(&request, &scene.world.ports, arena, &scene.outcome);
        assert_int_equal(scene.outcome.exit_status, said == 3 ? 0 : 14);
    }
}

static bool
observed(const struct outcome *outcome, const char *check)
{
    for (size_t i = 0; i < outcome->before.observation_count; i++)
        if (strcmp(outcome->before.observations[i].check, check) == 0)
            return !outcome->before.observations[i].required;
    return false;
}

static void
without_versions_each_row_is_compared_and_goes_as_it_is(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    clean_without_versions(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.passes, 0);
    assert_int_equal(runtime(&scene)->deleted_rows, 2);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 0);
    assert_true(fake_world_journalled(&scene.world, "purge-intent"));
    assert_true(observed(&scene.outcome, "D-VERSION"));
}

/** How many rows have records of a step. */
static int
records(const struct scene *scene, const char *step)
{
    int count = 0;

    for (int i = 0; i < scene->world.runs[0].journal_count; i++)
        if (strcmp(scene->world.runs[0].journal[i].step, step) == 0)
            count++;
    return count;
}

static void
without_versions_a_row_that_changed_stays_and_one_that_is_gone_is_counted(void **state)
{
    static const struct {
        enum fake_change change;
        int exit_status, left, changed, gone;
    } cases[] = {{FAKE_CHANGES, 3, 1, 1, 0}, {FAKE_STAMPS, 0, 0, 0, 0}, {FAKE_REMOVES, 0, 0, 0, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        fake_world_init(&scene.world);
        scene.world.change_at = FAKE_BEFORE_LOOK;
        scene.world.change_table = TABLE_RUNTIME;
        scene.world.change = cases[i].change;
        clean_without_versions(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, cases[i].exit_status);
        assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, cases[i].left);
        assert_int_equal(runtime(&scene)->changed_rows, cases[i].changed);
        assert_int_equal(runtime(&scene)->gone_rows, cases[i].gone);
        assert_int_equal(runtime(&scene)->again_rows, cases[i].change == FAKE_STAMPS);
        assert_int_equal(scene.outcome.removal_count, cases[i].left);
        /* whatever was about to go has its end on record */
        assert_int_equal(records(&scene, "purge-outcome"), 2 + (cases[i].change == FAKE_STAMPS));
    }
}

static void
without_versions_a_lost_answer_is_no_reason_to_send_without_another_look(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.tables[TABLE_RUNTIME].count = 1;
    scene.world.lost_answers = 1;
    scene.world.change_at = FAKE_BEFORE_LOOK;
    scene.world.change_skip = 1; /* before the second look */
    scene.world.change_table = TABLE_RUNTIME;
    scene.world.change = FAKE_CHANGES;
    clean_without_versions(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
    assert_int_equal(runtime(&scene)->changed_rows, 1);
}

static void
without_versions_every_failure_leaves_a_sealed_copy_of_what_left(void **state)
{
    bool failed = true;

    (void)state;
    for (int at = 1; failed; at++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();
        struct scene scene;

        assert_true(at < 1000);
        fake_world_init(&scene.world);
        scene.world.no_versions = true;
        request.allow_no_etag = true;
        request.reason = "why";
        request.dry_run = true;
        run_clean(&request, &scene.world.ports, arena, &scene.outcome);
        request.plan_id = scene.outcome.plan_id;
        request.dry_run = false;
        fake_world_next(&scene.world);
        scene.world.calls = 0;
        scene.world.fail_at = at;
        run_clean(&request, &scene.world.ports, arena, &scene.outcome);
        assert_int_equal(scene.world.violations, 0);
        failed = scene.world.calls >= at;
        assert_true(scene.outcome.exit_status != 0 || scene.world.tables[TABLE_RUNTIME].count == 0);
    }
}

static void
without_versions_a_row_whose_answer_was_lost_is_never_called_untouched(void **state)
{
    int unknown = 0;
    bool failed = true;

    (void)state;
    for (int at = 1; failed; at++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct run_request request = fake_request();
        struct scene scene;
        size_t seeded;

        fake_world_init(&scene.world);
        seeded = scene.world.tables[TABLE_RUNTIME].count;
        scene.world.no_versions = scene.world.lost_is_done = true;
        scene.world.lost_answers = 1;
        request.axdb = false;
        request.allow_no_etag = true;
        request.reason = "why";
        request.dry_run = true;
        run_clean(&request, &scene.world.ports, arena, &scene.outcome);
        request.plan_id = scene.outcome.plan_id;
        request.dry_run = false;
        fake_world_next(&scene.world);
        scene.world.calls = 0;
        scene.world.fail_at = at;
        run_clean(&request, &scene.world.ports, arena, &scene.outcome);
        failed = scene.world.calls >= at;
        if (scene.world.tables[TABLE_RUNTIME].count < seeded)
            assert_true(scene.outcome.exit_status == 0 || scene.outcome.exit_status == 3);
        unknown += runtime(&scene)->unknown_rows > 0;
    }
    assert_true(unknown > 0);
}

static void
every_failure_in_every_round_leaves_a_sealed_copy_of_what_left(void **state)
{
    int swept = 0;

    (void)state;
    for (int crash = 0; crash < 2; crash++) {
        for (int fail_at = 1;; fail_at++) {
            ARENA_SCOPED arena = arena_new((size_t)4 * MEGABYTE);
            struct run_request request = fake_request();
            struct scene scene;
            int calls;

            fake_world_init(&scene.world);
            request.dry_run = true;
            run_clean(&request, &scene.world.ports, arena, &scene.outcome);
            request.dry_run = false;
            request.plan_id = scene.outcome.plan_id;
            fake_world_next(&scene.world);
            scene.world.stamps = 2;
            *(crash ? &scene.world.crash_at : &scene.world.fail_at) = fail_at;
            run_clean(&request, &scene.world.ports, arena, &scene.outcome);
            assert_int_equal(scene.world.violations, 0);
            if (scene.outcome.exit_status == 0)
                assert_int_equal(fake_world_rows(&scene.world), 0);
            calls = scene.world.calls;
            assert_true(runtime(&scene)->changed_rows <= 2); /* none is counted twice */
            fake_world_next(&scene.world);
            request.run = "last";
            run_resume(&request, &scene.world.ports, arena, &scene.outcome);
            assert_int_equal(scene.world.violations, 0);
            if (scene.outcome.exit_status == 0)
                assert_int_equal(fake_world_rows(&scene.world), 0);
            if (calls < fail_at)
                break;
            swept++;
        }
    }
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 150);
}

static void
what_has_left_is_not_sent_again(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.removal = REMOVAL_FAILED; /* of the second row */
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    scene.world.removal = REMOVAL_DONE;
    /* somebody writes the first row again: it is not this run's any more */
    scene.world.tables[TABLE_RUNTIME].rows[scene.world.tables[TABLE_RUNTIME].count++] =
        (struct fake_row){.recid = 1, .content = 0, .version = 1};
    fake_world_next(&scene.world);
    request.run = "last";
    request.plan_id = scene.outcome.plan_id;
    run_resume(&request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 2);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 1);
    assert_int_equal(runtime(&scene)->deleted_rows, 2);
    assert_int_equal(runtime(&scene)->back_rows, 1);
}

static void
many_rows_that_are_written_late_are_counted_and_the_first_listed(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.change_at = FAKE_BEFORE_PURGE;
    scene.world.change_table = TABLE_RUNTIME;
    scene.world.change = FAKE_ADDS;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(runtime(&scene)->new_rows, 1);
    assert_int_equal(runtime(&scene)->back_rows, 0);
    assert_int_equal(scene.outcome.written_after_count, 1);
    assert_string_equal(scene.outcome.written_after[0].key, "00000000-0000-0000-0000-000000001000");
    assert_non_null(scene.outcome.pace);
    assert_int_equal(scene.outcome.pace->throttled, 2);
}

static void
the_progress_line_tells_pace_and_pauses(void **state)
{
    struct runtime_pace pace = {.done = 120,
                                .total = 1000,
                                .rows_per_second_x10 = 375,
                                .ms_per_row_x10 = 264,
                                .concurrency = 5,
                                .batch_rows = 10};
    struct fake_world world;

    (void)state;
    fake_world_init(&world);
    pace_line_tell(&world.observer, "rows removed", &pace);
    assert_string_equal(world.progress,
                        "120 of 1000 rows removed; 37.5 rows/s, 26 ms a row, 5 requests of 10");
    pace.paused_until_utc_ms = INT64_C(1795297469123); /* 2026-11-21T21:44:29.123Z */
    pace.paused_why = "the service limits requests (429 0x80072321)";
    pace_line_tell(&world.observer, "rows removed", &pace);
    assert_string_equal(world.progress,
                        "120 of 1000 rows removed; paused until 21:44:29 UTC: the service limits "
                        "requests (429 0x80072321)");
}

static void
refs_of_many_rows_stay_small_and_are_found(void **state)
{
    enum { ROWS = 100000 };
    RUNTIME_REFS_SCOPED refs = {0};
    struct err err;
    char key[40];
    char etag[32];

    (void)state;
    for (int i = ROWS; i-- > 0;) {
        (void)snprintf(key, sizeof key, "00000000-0000-0000-0000-%012d", i);
        (void)snprintf(etag, sizeof etag, "W/\"%d\"", i);
        assert_true(runtime_refs_add(&refs, key, etag, &err));
    }
    runtime_refs_sort(&refs);
    assert_int_equal(refs.count, ROWS);
    assert_int_equal(sizeof *refs.list, 48);
    for (int i = 0; i < ROWS; i += 997) {
        (void)snprintf(key, sizeof key, "00000000-0000-0000-0000-%012d", i);
        (void)snprintf(etag, sizeof etag, "W/\"%d\"", i);
        assert_int_equal(runtime_refs_find(&refs, key), i);
        assert_string_equal(refs.list[i].etag, etag);
    }
    assert_int_equal(runtime_refs_find(&refs, "no such key"), ROWS);
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    assert_true(runtime_refs_add(&refs, key, "", &err));
    assert_false(runtime_refs_add(&refs, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "", &err));
    assert_int_equal(err.code, ERR_SERVER);
}

/** Deletes the rows of a hand-made plan, as a run would that was planned without versions. */
static void
rows_that_were_planned_without_a_version_stay_unless_that_was_accepted(void **state)
{
    static const char *const keys[] = {"00000000-0000-0000-0000-000000000001",
                                       "00000000-0000-0000-0000-000000000002"};
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    const struct run_info info = {.id = "by-hand", .command = "clean"};
    struct backup_rows backup = {0};
    struct sealed sealed = {.sealed = true};
    struct plan plan = {0};
    struct purge_result result;
    struct fake_world world;
    struct purge_job job;
    struct err err = {0};

    (void)state;
    fake_world_init(&world);
    assert_true(world.runtime_server.connect(&world.runtime_server, &job.store, &err));
    assert_true(world.run_store.create(&world.run_store, &info, 0, &job.dir, &err));
    for (size_t i = 0; i < 2; i++)
        assert_true(runtime_refs_add(&plan.runtime, keys[i], "", &err));
    sealed.states[TABLE_RUNTIME].rows = 2;
    job = (struct purge_job){.store = &world.runtime,
                             .plan = &plan,
                             .sealed = &sealed,
                             .backup = &backup,
                             .dir = &world.run->dir,
                             .journal = world.run->dir.ops->journal(&world.run->dir),
                             .observer = &world.observer,
                             .arena = arena};
    assert_true(purge_rows(&job, &result, &err));
    assert_int_equal(result.failed, 2);
    assert_int_equal(result.left_count, 2);
    assert_false(result.target_changed);
    assert_non_null(strstr(result.left[0].why.primary, "planned without a version"));
    assert_int_equal(world.tables[TABLE_RUNTIME].count, 2);
    assert_true(fake_world_journalled(&world, "purge-outcome"));
    plan_done(&plan);
}

static void
a_row_of_which_nothing_is_heard_is_not_called_done(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.forgets_row = true;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_non_null(strstr(scene.outcome.err.primary, "1 of 2 rows have no outcome"));
}

static void
a_row_that_is_gone_when_it_is_to_be_backed_up_again_has_left(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    scene.world.stamps = 1;
    scene.world.change_at = FAKE_BEFORE_LOOK;
    scene.world.change_table = TABLE_RUNTIME;
    scene.world.change = FAKE_REMOVES;
    scene.world.change_row = 0; /* the other has left by then */
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(runtime(&scene)->deleted_rows, 1);
    assert_int_equal(runtime(&scene)->gone_rows, 1);
    assert_int_equal(scene.world.run->again_count, 0);
}

/** A backup that has rows which are not the plan's. */
static bool
read_another_row(void *ctx, enum table table, const struct row_sink *sink, struct err *err)
{
    struct row row = {.id = {.table = table, .key = "00000000-0000-0000-0000-000000000777"}};

    (void)ctx;
    return sink->take(sink->ctx, &row, err);
}

static void
rows_that_the_backup_does_not_have_are_not_sent(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    const struct run_info info = {.id = "by-hand", .command = "clean"};
    struct backup_rows backup = {.read = read_another_row};
    struct sealed sealed = {.sealed = true};

    (void)state;
    for (int versions = 0; versions < 2; versions++) {
        struct plan plan = {0};
        struct purge_result result;
        struct fake_world world;
        struct purge_job job;
        struct err err = {0};

        fake_world_init(&world);
        assert_true(world.runtime_server.connect(&world.runtime_server, &job.store, &err));
        assert_true(world.run_store.create(&world.run_store, &info, 0, &job.dir, &err));
        assert_true(runtime_refs_add(&plan.runtime, "00000000-0000-0000-0000-000000000001",
                                     versions ? "W/\"0\"" : "", &err));
        sealed.states[TABLE_RUNTIME].rows = 1;
        job = (struct purge_job){.store = &world.runtime,
                                 .plan = &plan,
                                 .may_compare = true,
                                 .sealed = &sealed,
                                 .backup = &backup,
                                 .dir = &world.run->dir,
                                 .journal = world.run->dir.ops->journal(&world.run->dir),
                                 .observer = &world.observer,
                                 .arena = arena};
        assert_false(purge_rows(&job, &result, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.primary, "not in the backup"));
        assert_int_equal(world.tables[TABLE_RUNTIME].count, 2);
        assert_int_equal(result.done, 0);
        plan_done(&plan);
    }
}

static void
a_service_that_asks_for_a_pause_is_not_looked_at_again(void **state)
{
    (void)state;
    for (int pauses = 0; pauses < 2; pauses++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        fake_world_init(&scene.world);
        scene.world.forgets_row = true;
        scene.world.pauses = pauses;
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 3);
        assert_int_equal(scene.outcome.after_taken, !pauses);
    }
}

static void
a_million_rows_are_the_most(void **state)
{
    RUNTIME_REFS_SCOPED refs = {0};
    struct err err = {0};

    (void)state;
    for (int i = 0; i < RUNTIME_REFS_MAX; i++)
        assert_true(runtime_refs_add(&refs, "k", "", &err));
    assert_false(runtime_refs_add(&refs, "k", "", &err));
    assert_int_equal(err.code, ERR_SERVER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_was_only_stamped_is_backed_up_again_and_goes),
        cmocka_unit_test(a_row_that_is_stamped_every_time_stays),
        cmocka_unit_test(a_row_with_other_contents_stays_and_is_named),
        cmocka_unit_test(a_row_that_changes_or_goes_while_it_is_backed_up_again_is_judged_afresh),
        cmocka_unit_test(a_further_backup_that_does_not_hold_deletes_nothing),
        cmocka_unit_test(a_table_without_versions_is_refused_unless_that_is_said_and_reasoned),
        cmocka_unit_test(without_versions_each_row_is_compared_and_goes_as_it_is),
        cmocka_unit_test(without_versions_a_row_that_changed_stays_and_one_that_is_gone_is_counted),
        cmocka_unit_test(without_versions_a_row_whose_answer_was_lost_is_never_called_untouched),
        cmocka_unit_test(without_versions_a_lost_answer_is_no_reason_to_send_without_another_look),
        cmocka_unit_test(without_versions_every_failure_leaves_a_sealed_copy_of_what_left),
        cmocka_unit_test(every_failure_in_every_round_leaves_a_sealed_copy_of_what_left),
        cmocka_unit_test(what_has_left_is_not_sent_again),
        cmocka_unit_test(many_rows_that_are_written_late_are_counted_and_the_first_listed),
        cmocka_unit_test(the_progress_line_tells_pace_and_pauses),
        cmocka_unit_test(refs_of_many_rows_stay_small_and_are_found),
        cmocka_unit_test(rows_that_were_planned_without_a_version_stay_unless_that_was_accepted),
        cmocka_unit_test(a_row_of_which_nothing_is_heard_is_not_called_done),
        cmocka_unit_test(a_row_that_is_gone_when_it_is_to_be_backed_up_again_has_left),
        cmocka_unit_test(rows_that_the_backup_does_not_have_are_not_sent),
        cmocka_unit_test(a_service_that_asks_for_a_pause_is_not_looked_at_again),
        cmocka_unit_test(a_million_rows_are_the_most),
    };

    return cmocka_run_group_tests_name("core/purge", tests, NULL, NULL);
}
