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
    struct run_entry runs[3];
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

/** The scene's run, but about halves that are the target's or are not, and how far it came. */
static void
an_open_run_is_spoken_of_for_each_half_that_is_the_targets(void **state)
{
    static const struct {
        bool same_axdb, same_runtime, looked_at_runtime;
        const char *step; /* its last */
        const char *said; /* NULL: nothing of it */
    } cases[] = {
        {true, false, true, "purge-intent", "is not finished"},
        {false, true, true, "purge-intent", "is not finished"},
        {false, true, false, "purge-intent", NULL},
        {false, false, true, "purge-intent", NULL},
        {true, true, true, "stopped", NULL},
        {true, true, true, "close", NULL},
        {true, false, true, "backup-sealed", "was cut off (last record \"backup-sealed\")"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        struct run_progress *then = &scene.runs[0].past.progress;
        struct plan_header *plan = &scene.runs[0].past.plan;

        then->last_step = cases[i].step;
        then->commit_sent = then->committed = false;
        then->purge_begun = cases[i].step[0] == 'p';
        plan->database = cases[i].same_axdb ? "axdb" : "";
        plan->organization_id = cases[i].same_runtime ? "11111111-0000" : "22222222-0000";
        if (!cases[i].looked_at_runtime) {
            scene.request.dataverse = false;
            scene.request.expect_dataverse_host = "contoso-uat.crm4.dynamics.com";
        }
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        if (cases[i].said)
            assert_non_null(strstr(scene.said, cases[i].said));
        else
            assert_null(strstr(scene.said, "0001"));
    }
}

static void
a_restored_database_is_another_one_and_a_recovery_fork_proves_the_same(void **state)
{
    static const struct {
        const char *fork, *server;
        bool spoken_of;
    } cases[] = {{"another", "sql01,1433", false}, {"", "sql02,1433", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        scene.runs[0].past.progress.committed = true;
        scene.runs[0].past.plan.recovery_fork = cases[i].fork;
        scene.runs[0].past.plan.server = cases[i].server;
        clean(&scene, arena);
        assert_int_equal(strstr(scene.said, "0001") != NULL, cases[i].spoken_of);
    }
}

static void
a_run_that_goes_on_is_not_open_and_damage_is_counted(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.runs[0].running = true;
    clean(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_null(strstr(scene.said, "not finished"));
    set_scene(&scene);
    scene.runs[1] = scene.runs[0];
    scene.runs[0].damage = scene.runs[1].damage = "x";
    scene.count = 2;
    clean(&scene, arena);
    assert_non_null(strstr(scene.said, "2 damaged runs were not looked at"));
}

static void
the_run_that_is_undone_is_not_offered_to_be_finished(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        scene.count = 0;
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        /* another history: that run, or an undo of it, was cut off */
        const char *id = scene.world.runs[0].id;
        scene.runs[0].past.progress.committed = true;
        if (i == 0) {
            scene.runs[0].id = scene.runs[0].past.id = id;
        } else {
            scene.runs[0].past.command = "undo";
            scene.runs[0].past.progress.undoes = id;
        }
        scene.count = 1;
        scene.request.run = id;
        scene.request.plan_id = NULL;
        scene.request.dry_run = true;
        fake_world_next(&scene.world);
        run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_null(strstr(scene.said, "is not finished"));
    }
}

/** Beside the run that is undone: another undo, another run, that run itself without an outcome. */
static void
an_undo_minds_what_is_not_its_own(void **state)
{
    static const struct {
        const char *command, *undoes; /* "": of the run that is undone */
        bool itself, mixed;
        int status;
        const char *said;
    } cases[] = {
        {"undo", "20261120T000000Z-uat-0000", false, false, 0, "dwclean undo"},
        {"undo", "", false, false, 0, NULL},
        {"clean", NULL, false, false, 4, NULL},
        {"clean", NULL, true, false, 4, NULL},
        {"clean", NULL, false, true, 4, NULL},
        {"clean", NULL, true, true, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        scene.count = 0;
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        const char *id = scene.world.runs[0].id;
        struct run_entry *run = &scene.runs[0];

        run->id = run->past.id = cases[i].itself ? id : "20261121T214429Z-uat-0009";
        run->past.command = cases[i].command;
        if (cases[i].undoes)
            run->past.progress.undoes = cases[i].undoes[0] ? cases[i].undoes : id;
        run->past.progress.mixed = cases[i].mixed;
        scene.count = 1;
        scene.request = fake_request();
        scene.request.run = id;
        scene.said[0] = '\0';
        fake_world_next(&scene.world);
        scene.world.ports.history = NULL; /* the plan-id of a look that minds nothing */
        scene.request.dry_run = true;
        run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
        scene.request.plan_id = scene.outcome.plan_id;
        scene.request.dry_run = false;
        scene.world.ports.history = &scene.history;
        run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
        if (scene.outcome.exit_status != cases[i].status)
            fail_msg("case %zu: %d: %s", i, scene.outcome.exit_status, scene.outcome.err.primary);
        if ((strstr(scene.said, "dwclean undo") != NULL) != (cases[i].said != NULL))
            fail_msg("case %zu: %s", i, scene.said);
    }
}

/** Runs that came to their end settle their half, each for those before it. */
static void
a_half_is_settled_by_the_newest_run_that_was_done(void **state)
{
    static const struct {
        bool axdb[3], runtime[3]; /* halves of the target in three runs, the newest first */
        bool said;                /* of the last, which is open */
    } cases[] = {
        {{true, false, true}, {false, true, true}, false},
        {{true, true, true}, {false, false, true}, true},
        {{false, false, true}, {true, true, true}, true},
        {{false, false, true}, {true, true, false}, true},
        {{true, true, false}, {false, false, true}, true},
        {{true, true, true}, {true, true, true}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
        struct scene scene;

        set_scene(&scene);
        const struct run_entry open = scene.runs[0];

        for (int at = 0; at < 3; at++) {
            struct run_entry *run = &scene.runs[at];

            *run = open;
            run->past.plan.database = cases[i].axdb[at] ? "axdb" : "other";
            run->past.plan.organization_id = cases[i].runtime[at] ? "11111111-0000" : "other";
            run->past.progress.committed = true;
            run->past.progress.ended = at < 2;
            run->id = run->past.id = at < 2 ? "20261122T000000Z-uat-0002" : open.id;
        }
        scene.count = 3;
        clean(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        if ((strstr(scene.said, "0001") != NULL) != cases[i].said)
            fail_msg("case %zu: %s", i, scene.said);
    }
}

static void
fork_off(struct axdb_evidence *axdb)
{
    axdb->identity.recovery_fork = "6E2D1A5B";
}

/** Cut off before its change, and another run of the target after it: nobody has to know. */
static void
what_was_cut_off_early_is_told_of_the_newest_only(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene);
    scene.runs[1] = scene.runs[0];
    for (int i = 0; i < 2; i++) {
        scene.runs[i].past.progress.commit_sent = false;
        scene.runs[i].past.progress.last_step = "backup-sealed";
    }
    scene.runs[0].id = scene.runs[0].past.id = "20261122T000000Z-uat-0002";
    scene.count = 2;
    clean(&scene, arena);
    assert_non_null(strstr(scene.said, "0002"));
    assert_null(strstr(scene.said, "0001"));
    /* and the same server under its fork is the same, whatever its name */
    set_scene(&scene);
    scene.runs[0].past.progress.committed = true;
    scene.world.patch_axdb = fork_off;
    scene.runs[0].past.plan.recovery_fork = "6E2D1A5B";
    scene.runs[0].past.plan.server = "elsewhere";
    clean(&scene, arena);
    assert_non_null(strstr(scene.said, "0001"));
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
        cmocka_unit_test(an_open_run_is_spoken_of_for_each_half_that_is_the_targets),
        cmocka_unit_test(a_restored_database_is_another_one_and_a_recovery_fork_proves_the_same),
        cmocka_unit_test(a_run_that_goes_on_is_not_open_and_damage_is_counted),
        cmocka_unit_test(the_run_that_is_undone_is_not_offered_to_be_finished),
        cmocka_unit_test(an_undo_minds_what_is_not_its_own),
        cmocka_unit_test(a_half_is_settled_by_the_newest_run_that_was_done),
        cmocka_unit_test(what_was_cut_off_early_is_told_of_the_newest_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
