#include "commands.h"
#include "core/run.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576, SAID_BYTES = 4096 };

/** A world with runs of before, and what the operator is told. */
struct scene {
    struct fake_world world;
    struct run_history history;
    struct run_entry runs[2];
    size_t count;
    bool fails;
    struct observer observer;
    char said[SAID_BYTES];
    struct run_request request;
    struct outcome outcome;
};

static struct scene *current; /* the ports have no context of their own here */

static bool
list(struct run_history *history, struct arena *arena, struct run_list *ret, struct err *err)
{
    (void)history;
    (void)arena;
    if (current->fails)
        return err_set(err, ERR_STORAGE, "cannot be listed");
    *ret = (struct run_list){
        .runs_dir = "/runs", .exists = true, .runs = current->runs, .count = current->count};
    return true;
}

static void
say(struct observer *observer, enum log_level level, const char *text)
{
    const size_t used = strlen(current->said);

    (void)observer;
    (void)level;
    (void)snprintf(current->said + used, SAID_BYTES - used, "%s\n", text);
}

static void
progress(struct observer *observer, const char *what, int64_t done, int64_t total)
{
    (void)observer;
    (void)what;
    (void)done;
    (void)total;
}

/** A clean of both halves of the fake world's target, that sent its COMMIT and was cut off. */
static struct run_entry
cut_off(const struct scene *scene, const char *id)
{
    return (struct run_entry){.id = id,
                              .path = "/runs/x",
                              .past = {.id = id,
                                       .path = "/runs/x",
                                       .command = "clean",
                                       .environment = "uat",
                                       .started_utc = "",
                                       .user = "dba",
                                       .host = "ops01",
                                       .program = "",
                                       .has_plan = true,
                                       .plan = {.server = "sql01,1433",
                                                .database = "axdb",
                                                .database_created = scene->world.created,
                                                .recovery_fork = "",
                                                .organization_id = "",
                                                .organization_name = "",
                                                .organization_host = "",
                                                .scope = ""},
                                       .progress = {.last_step = "commit-sent",
                                                    .last_utc = "2026-11-21T21:44:29.123Z",
                                                    .outcome = "",
                                                    .undoes = "",
                                                    .backup_sealed = true,
                                                    .commit_sent = true}}};
}

static void
set_scene(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    fake_world_init(&scene->world);
    scene->request = fake_request();
    scene->history.list = list;
    scene->world.ports.history = &scene->history;
    scene->observer = (struct observer){.say = say, .progress = progress};
    scene->world.ports.observer = &scene->observer;
    scene->runs[0] = cut_off(scene, "20261121T214429Z-uat-0001");
    scene->count = 1;
    current = scene;
}

static void
clean(struct scene *scene, struct arena *arena)
{
    run_confirmed(run_clean, &scene->world, &scene->request, arena, &scene->outcome);
}

static void
a_commit_that_is_not_settled_refuses_before_anything_is_made(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    const size_t rows = fake_world_rows(&scene.world);
    scene.request.plan_id = "0000000000000000000000000000000000000000000000000000000000000000";
    run_clean(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "COMMIT whose outcome is not known"));
    assert_non_null(strstr(scene.outcome.err.hint, "dwclean resume 20261121T214429Z-uat-0001"));
    assert_null(scene.outcome.run_path);
    assert_int_equal(fake_world_rows(&scene.world), rows);
}

static void
a_run_that_is_not_finished_is_told_with_the_way_to_finish_it(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.runs[0].past.progress.committed = true;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_non_null(strstr(scene.said, "is not finished"));
    assert_non_null(strstr(scene.said, "dwclean resume 20261121T214429Z-uat-0001"));
    assert_int_equal(fake_world_rows(&scene.world), 0);
}

static void
runs_of_other_targets_and_of_before_a_restore_are_nobodys_business(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    for (int i = 0; i < 3; i++) {
        set_scene(&scene);
        struct plan_header *plan = &scene.runs[0].past.plan;
        *(i == 0 ? &plan->database : i == 1 ? &plan->database_created : &plan->server) = "other";
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_null(strstr(scene.said, "not finished"));
    }
}

static void
what_a_later_run_has_completed_is_not_spoken_of(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.runs[1] = scene.runs[0];
    scene.runs[0].id = scene.runs[0].past.id = "20261122T000000Z-uat-0002";
    scene.runs[0].past.progress.committed = scene.runs[0].past.progress.ended = true;
    scene.count = 2;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_null(strstr(scene.said, "0001"));
}

static void
an_undo_that_is_not_settled_does_not_refuse(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.runs[0].past.command = "undo";
    scene.runs[0].past.progress.undoes = "20261120T000000Z-uat-0000";
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_non_null(strstr(scene.said, "dwclean undo 20261120T000000Z-uat-0000 --merge"));
}

static void
a_mixed_run_refuses_all_but_its_own_undo(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.count = 0;
    scene.world.commit = COMMIT_UNKNOWN;
    scene.world.commit_lands = true;
    scene.world.axdb_gone_after = true;
    scene.world.gone_code = ERR_SIGNIN;
    const struct fake_row back = scene.world.tables[TABLE_PROJECT].rows[0];
    clean(&scene, arena);
    scene.world.axdb_gone_after = false;
    fake_world_next(&scene.world);
    scene.world.tables[TABLE_PROJECT].rows[0] = back; /* something wrote it back */
    scene.world.tables[TABLE_PROJECT].count = 1;
    scene.request.run = scene.world.runs[0].id;
    run_resume(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_string_equal(scene.outcome.settled, "mixed");

    scene.runs[0] = cut_off(&scene, scene.world.runs[0].id);
    scene.runs[0].past.progress.mixed = true;
    scene.count = 1;
    fake_world_next(&scene.world);
    scene.request = fake_request();
    scene.request.plan_id = "0000000000000000000000000000000000000000000000000000000000000000";
    run_clean(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "COMMIT whose outcome is not known"));

    fake_world_next(&scene.world);
    scene.request = fake_request();
    scene.request.dataverse = false;
    scene.request.merge = true;
    scene.request.run = scene.world.runs[0].id;
    run_confirmed(run_undo, &scene.world, &scene.request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
}

static void
a_run_that_was_cut_off_before_its_change_has_changed_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.runs[0].past.progress.commit_sent = false;
    scene.runs[0].past.progress.last_step = "backup-sealed";
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_non_null(strstr(scene.said, "nothing was changed"));
}

static void
a_history_that_cannot_be_read_stops_a_change_and_no_dry_run(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.fails = true;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 13);
    assert_int_equal(scene.outcome.err.code, ERR_STORAGE);
    set_scene(&scene);
    scene.fails = true;
    scene.request.dry_run = true;
    run_clean(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
}

static void
a_damaged_run_is_told(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.runs[0].damage = "x";
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_non_null(strstr(scene.said, "1 damaged run was not looked at"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_that_is_not_settled_refuses_before_anything_is_made),
        cmocka_unit_test(a_run_that_is_not_finished_is_told_with_the_way_to_finish_it),
        cmocka_unit_test(runs_of_other_targets_and_of_before_a_restore_are_nobodys_business),
        cmocka_unit_test(what_a_later_run_has_completed_is_not_spoken_of),
        cmocka_unit_test(an_undo_that_is_not_settled_does_not_refuse),
        cmocka_unit_test(a_mixed_run_refuses_all_but_its_own_undo),
        cmocka_unit_test(a_run_that_was_cut_off_before_its_change_has_changed_nothing),
        cmocka_unit_test(a_history_that_cannot_be_read_stops_a_change_and_no_dry_run),
        cmocka_unit_test(a_damaged_run_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
