#include "commands.h"
#include "fake_parts.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576, BACKUP_ROWS = 7 };

/** A world after a clean, and how it was before. */
struct scene {
    struct fake_world world;
    struct fake_table before[AXDB_TABLES];
    struct run_request request; /* of the undo */
    struct outcome outcome;
};

static void
set_scene(struct scene *scene, struct arena *arena)
{
    struct run_request request = fake_request();

    fake_world_init(&scene->world);
    memcpy(scene->before, scene->world.tables, sizeof scene->before);
    run_confirmed(run_clean, &scene->world, &request, arena, &scene->outcome);
    assert_int_equal(scene->outcome.exit_status, 0);
    scene->request = fake_request();
    scene->request.dataverse = false;
    scene->request.run = scene->world.runs[0].id;
    fake_world_next(&scene->world);
}

/** One more row that is there again: of the backup, or another one under the same key. */
static void
bring_back(struct scene *scene, enum table table, size_t at, int change)
{
    struct fake_table *rows = &scene->world.tables[table];

    rows->rows[rows->count] = scene->before[table].rows[at];
    rows->rows[rows->count].content += change;
    rows->rows[rows->count++].version = 70;
}

static void
undo(struct scene *scene, struct arena *arena)
{
    run_confirmed(run_undo, &scene->world, &scene->request, arena, &scene->outcome);
}

static size_t
axdb_rows(const struct scene *scene)
{
    size_t rows = 0;

    for (int i = 0; i < AXDB_TABLES; i++)
        rows += scene->world.tables[i].count;
    return rows;
}

static bool
as_before(const struct scene *scene)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        if (!fake_table_equal(&scene->world.tables[i], &scene->before[i]))
            return false;
    return true;
}

static void
a_run_that_went_on_while_it_was_read_is_stale(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.run_goes_on = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 5);
    assert_int_equal(axdb_rows(&scene), 0);
    fake_world_next(&scene.world);
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
}

static void
the_rows_come_back_exactly(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_DONE);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 0); /* Dataverse is left alone */
    assert_int_equal(scene.world.violations, 0);
    assert_string_equal(scene.outcome.undoes, scene.world.runs[0].id);
    assert_string_equal(scene.outcome.run_id, scene.world.runs[1].id);
    assert_string_equal(scene.world.connected_as, scene.world.runs[1].id);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].restored_rows, 3);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].backed_up_rows, 3);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].present_rows, 0);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].after_rows, 3);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].deleted_rows, -1);
    assert_true(scene.outcome.changed);
    assert_true(fake_world_journalled(&scene.world, "plan"));
    assert_true(fake_world_journalled(&scene.world, "confirmed"));
    assert_true(fake_world_journalled(&scene.world, "commit-sent"));
    assert_true(fake_world_journalled(&scene.world, "committed"));
    assert_true(fake_world_journalled(&scene.world, "verified"));
    assert_true(fake_world_journalled(&scene.world, "close"));
    assert_true(scene.world.reports_written && scene.world.finished);
    assert_string_equal(scene.world.runs[1].command, "undo");
}

static void
what_an_undo_put_back_can_be_cleaned_and_put_back_again(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    undo(&scene, arena);
    fake_world_next(&scene.world);
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(axdb_rows(&scene), 0);
    scene.request.run = "last";
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.violations, 0);
}

static void
a_dry_run_of_an_undo_leaves_no_trace(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;
    struct outcome second;

    (void)state;
    set_scene(&scene, arena);
    scene.request.dry_run = true;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    run_undo(&scene.request, &scene.world.ports, arena, &second);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_PLANNED);
    assert_string_equal(scene.outcome.plan_id, second.plan_id);
    assert_int_equal(scene.outcome.tables[TABLE_PROJECT].planned_rows, 2);
    assert_int_equal(scene.world.run_count, 1);
    assert_int_equal(axdb_rows(&scene), 0);
    scene.request.merge = true; /* another option, another plan */
    run_undo(&scene.request, &scene.world.ports, arena, &second);
    assert_string_not_equal(scene.outcome.plan_id, second.plan_id);
    scene.request.dry_run = false;
    scene.request.plan_id = scene.outcome.plan_id;
    run_undo(&scene.request, &scene.world.ports, arena, &second);
    assert_int_equal(second.exit_status, 5);
    assert_int_equal(axdb_rows(&scene), 0);
}

static void
the_operator_reads_that_the_old_link_comes_back(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.request.yes = scene.request.maps_are_stopped = false;
    scene.world.op.present = true;
    scene.world.answers[0] = "STOPPED";
    scene.world.answers[1] = "AxDB@sql02"; /* no */
    scene.world.answer_count = 2;
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 4);
    assert_int_equal(axdb_rows(&scene), 0);
    assert_non_null(strstr(scene.world.shown, "THIS BRINGS THE OLD LINK BACK"));
    assert_non_null(strstr(scene.world.shown, "3 rows go back into BUSINESSEVENTSDEFINITION"));
    assert_non_null(
        strstr(scene.world.shown, "2 Dual Write Runtime Configurations of Dataverse stay removed"));
    fake_world_next(&scene.world);
    scene.world.answers[1] = "AxDB@sql01";
    run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
}

/** Expect a refusal that leaves rows and runs as they are. */
static void
refused(struct scene *scene, struct arena *arena, int exit_status, const char *says)
{
    const size_t rows = fake_world_rows(&scene->world);
    const int runs = scene->world.run_count;

    scene->request.plan_id = "any";
    run_undo(&scene->request, &scene->world.ports, arena, &scene->outcome);
    assert_int_equal(scene->outcome.exit_status, exit_status);
    if (!strstr(scene->outcome.err.primary, says))
        fail_msg("%s", scene->outcome.err.primary);
    assert_int_equal(fake_world_rows(&scene->world), rows);
    assert_int_equal(scene->world.run_count, runs);
    assert_false(scene->outcome.changed);
}

static void
only_a_run_that_removed_rows_is_undone(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    undo(&scene, arena);
    scene.request.run = scene.world.runs[1].id;
    refused(&scene, arena, 4, "is itself an undo");
    scene.request.run = "20200101T000000Z-other-0001";
    refused(&scene, arena, 64, "no run");

    fake_world_init(&scene.world);
    scene.world.commit = COMMIT_NOT; /* rolled back */
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    scene.request.run = "last";
    refused(&scene, arena, 4, "removed no row of AxDB");
    scene.world.backup_lies = true; /* not even a sealed backup */
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    refused(&scene, arena, 4, "no sealed backup");

    fake_world_init(&scene.world);
    scene.world.commit = COMMIT_UNKNOWN; /* and nobody has found out */
    scene.world.axdb_gone_after = true;
    scene.world.gone_code = ERR_SIGNIN;
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 6);
    scene.world.axdb_gone_after = false;
    refused(&scene, arena, 4, "without an answer to COMMIT");
    assert_non_null(strstr(scene.outcome.err.hint, "resume"));
}

static void
a_run_that_was_settled_as_mixed_is_undone_by_a_merge_alone(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    fake_world_init(&scene.world);
    memcpy(scene.before, scene.world.tables, sizeof scene.before);
    const size_t rows_before = axdb_rows(&scene);
    scene.world.commit = COMMIT_UNKNOWN;
    scene.world.commit_lands = true;
    scene.world.axdb_gone_after = true;
    scene.world.gone_code = ERR_SIGNIN;
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    scene.world.axdb_gone_after = false;
    fake_world_next(&scene.world);
    bring_back(&scene, TABLE_PROJECT, 0, 0); /* something wrote one of the rows back */
    request.run = scene.world.runs[0].id;    /* with the plan-id that was confirmed */
    run_resume(&request, &scene.world.ports, arena, &scene.outcome);
    assert_string_equal(scene.outcome.settled, "mixed");

    fake_world_next(&scene.world);
    scene.request = fake_request();
    scene.request.dataverse = false;
    scene.request.run = scene.world.runs[0].id;
    refused(&scene, arena, 4, "left some of its rows");
    assert_non_null(strstr(scene.outcome.err.hint, "--merge"));
    scene.request.merge = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(axdb_rows(&scene), rows_before);
}

static void
a_run_that_was_settled_as_committed_is_undone(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    fake_world_init(&scene.world);
    scene.world.commit = COMMIT_UNKNOWN;
    scene.world.commit_lands = true;
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    assert_string_equal(scene.outcome.settled, "committed");
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
}

static void
rows_go_back_to_where_they_came_from_only(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.created = "2026-11-22T03:00:00"; /* restored since */
    refused(&scene, arena, 5, "another database");
    scene.world.created = "2026-11-20T10:00:00";
    scene.world.new_column = true; /* updated since */
    refused(&scene, arena, 5, "NEWCOLUMN");
    assert_non_null(strstr(scene.outcome.err.hint, "export RUN --sql"));
    scene.world.new_column = false;
    scene.world.may_insert = RIGHT_MISSING;
    refused(&scene, arena, 12, "no INSERT permission");
    scene.world.may_insert = RIGHT_HELD;
    scene.world.archive_broken = true;
    refused(&scene, arena, 13, "is damaged");
}

/* what the server says of itself, then and now */
static const char *dialled = "sql01,1433";
static const char *fork_id = "";

static void
name_server(struct axdb_evidence *evidence)
{
    evidence->identity.dialled = dialled;
    evidence->identity.recovery_fork = fork_id;
}

static void
another_name_of_the_server_needs_the_recovery_fork(void **state)
{
    static const struct {
        const char *then, *now, *server;
        int exit_status;
    } cases[] = {
        {"", "", "sql01,1433", 0},          {"", "", "10.0.0.4,1433", 5},
        {"F-1", "F-1", "10.0.0.4,1433", 0}, {"F-1", "F-2", "sql01,1433", 5},
        {"F-1", "", "sql01,1433", 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct scene scene;

        set_scene(&scene, arena);
        fake_world_init(&scene.world);
        scene.world.patch_axdb = name_server;
        dialled = "sql01,1433";
        fork_id = cases[i].then;
        run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
        dialled = cases[i].server;
        fork_id = cases[i].now;
        scene.request.dry_run = true;
        run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
        assert_int_equal(scene.outcome.exit_status, cases[i].exit_status);
    }
}

static void
a_table_that_is_not_empty_is_refused_without_merge(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    bring_back(&scene, TABLE_EVENTS, 0, 0);
    bring_back(&scene, TABLE_EVENTS, 1, 5000);
    refused(&scene, arena, 4, "BUSINESSEVENTSDEFINITION is not empty: 2 rows are there");
    assert_non_null(strstr(scene.outcome.err.detail, "1 are there unchanged, 1 with other"));
    assert_non_null(strstr(scene.outcome.err.hint, "--merge"));
}

static void
merge_adds_what_is_missing_and_changes_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    bring_back(&scene, TABLE_EVENTS, 1, 0);
    scene.request.merge = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.tables[TABLE_EVENTS].rows[1].version, 70); /* it was not touched */
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].restored_rows, 2);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].present_rows, 1);
    assert_int_equal(scene.world.violations, 0);

    fake_world_next(&scene.world);
    undo(&scene, arena); /* again: there is nothing to put back */
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.run_count, 2);
    assert_false(scene.outcome.changed);
    assert_non_null(strstr(scene.outcome.verdict, "nothing to put back"));
}

static void
rows_with_other_contents_are_left_and_told(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    bring_back(&scene, TABLE_PROJECT, 0, 5000);
    scene.world.tables[TABLE_FIELD].rows[0] = (struct fake_row){.recid = 500, .version = 3};
    scene.world.tables[TABLE_FIELD].count = 1; /* of another map */
    scene.request.merge = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_int_equal(scene.outcome.word, OUTCOME_PARTIAL);
    assert_int_equal(scene.outcome.tables[TABLE_PROJECT].differing_rows, 1);
    assert_int_equal(scene.outcome.tables[TABLE_PROJECT].restored_rows, 1);
    assert_int_equal(scene.outcome.tables[TABLE_PROJECT].after_rows, 2);
    assert_int_equal(scene.outcome.tables[TABLE_FIELD].after_rows, 3);
    assert_int_equal(scene.world.tables[TABLE_PROJECT].rows[0].content, 5000);
    assert_int_equal(scene.world.tables[TABLE_FIELD].count, 3);
    assert_non_null(strstr(scene.outcome.verdict, "1 with other contents"));
    assert_int_equal(scene.world.violations, 0);

    fake_world_next(&scene.world);
    undo(&scene, arena); /* only the different one is left: still told */
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_false(scene.outcome.changed);
}

static void
the_rows_of_a_part_go_back_beside_the_kept_ones(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct run_request request = fake_request();
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    fake_world_init(&scene.world);
    scene.world.other_channel = "MyEventGrid";
    request.channels = channels;
    request.channel_count = 1;
    run_confirmed(run_clean, &scene.world, &request, arena, &scene.outcome);
    assert_int_equal(scene.outcome.exit_status, 0);
    scene.request.merge = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
    assert_int_equal(scene.world.tables[TABLE_EVENTS].rows[2].version, 1); /* the kept row */
    assert_int_equal(scene.world.violations, 0);
}

/** What may go wrong under the locks, and what must come of it. */
struct accident {
    const char *what;
    enum fake_moment at;
    enum fake_change change;
    bool alters;
    int miscount;
    bool column;
    int exit_status;
    int skip; /* tables */
};

static void
what_is_not_exact_is_rolled_back(void **state)
{
    static const struct accident accidents[] = {
        {"a row is written before the lock", FAKE_BEFORE_LOCK, FAKE_ADDS, false, 0, false, 5, 0},
        {"a row changes before the lock", FAKE_BEFORE_LOCK, FAKE_CHANGES, false, 0, false, 5, 0},
        {"a column appears", FAKE_NEVER, FAKE_ADDS, false, 0, true, 5, 0},
        {"the server stores other contents", FAKE_NEVER, FAKE_ADDS, true, 0, false, 14, 0},
        {"the server counts fewer rows", FAKE_NEVER, FAKE_ADDS, false, 1, false, 14, 0},
        {"a trigger adds a row", FAKE_BEFORE_INSERT, FAKE_ADDS, false, 0, false, 14, 0},
        {"a trigger changes a row", FAKE_BEFORE_INSERT, FAKE_CHANGES, false, 0, false, 14, 0},
        {"a trigger takes a row away", FAKE_BEFORE_INSERT, FAKE_REMOVES, false, 0, false, 14, 0},
        {"a later trigger changes a row", FAKE_BEFORE_INSERT, FAKE_CHANGES, false, 0, false, 14, 1},
        {"a later trigger adds a row", FAKE_BEFORE_INSERT, FAKE_ADDS, false, 0, false, 14, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof accidents / sizeof accidents[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene, arena);
        bring_back(&scene, TABLE_FIELD, 0, 0);
        scene.request.merge = true;
        scene.world.change_at = accidents[i].at;
        scene.world.change = accidents[i].change;
        scene.world.change_table = TABLE_FIELD;
        scene.world.change_skip = accidents[i].skip;
        scene.world.insert_alters = accidents[i].alters;
        scene.world.miscount = accidents[i].miscount;
        scene.world.column_appears = accidents[i].column;
        undo(&scene, arena);
        print_message("%s\n", accidents[i].what);
        assert_int_equal(scene.outcome.exit_status, accidents[i].exit_status);
        assert_false(scene.outcome.changed);
        assert_int_equal(scene.world.tables[TABLE_EVENTS].count, 0);
        assert_int_equal(scene.outcome.tables[TABLE_FIELD].restored_rows, -1);
        assert_int_equal(scene.world.violations, 0);
    }
}

/** Two event rows share a key, as they may without a unique index. Cleaned; then one of them is
 * there again. */
static void
set_shared_key(struct scene *scene, size_t there, struct arena *arena)
{
    struct run_request request = fake_request();

    fake_world_init(&scene->world);
    scene->world.no_unique_key = true;
    scene->world.tables[TABLE_EVENTS].rows[2].recid = 2;
    memcpy(scene->before, scene->world.tables, sizeof scene->before);
    run_confirmed(run_clean, &scene->world, &request, arena, &scene->outcome);
    assert_int_equal(scene->outcome.exit_status, 0);
    scene->request = fake_request();
    scene->request.dataverse = false;
    scene->request.run = scene->world.runs[0].id;
    scene->request.merge = true;
    fake_world_next(&scene->world);
    bring_back(scene, TABLE_EVENTS, there, 0);
}

static void
a_missing_row_that_shares_its_key_is_put_back(void **state)
{
    (void)state;
    for (size_t there = 1; there <= 2; there++) { /* the first, or the second of the two */
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_shared_key(&scene, there, arena);
        undo(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_int_equal(scene.outcome.tables[TABLE_EVENTS].restored_rows, 2);
        assert_int_equal(scene.outcome.tables[TABLE_EVENTS].present_rows, 1);
        assert_int_equal(scene.outcome.tables[TABLE_EVENTS].differing_rows, 0);
        assert_int_equal(scene.world.tables[TABLE_EVENTS].count, 3);
        for (size_t i = 0; i < 3; i++)
            assert_true(
                fake_is_in(&scene.world.tables[TABLE_EVENTS], &scene.before[TABLE_EVENTS].rows[i]));
        assert_int_equal(scene.world.violations, 0);
    }
}

static void
a_lost_commit_is_settled_where_rows_share_a_key(void **state)
{
    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_shared_key(&scene, 2, arena);
        scene.world.commit = COMMIT_UNKNOWN;
        scene.world.commit_lands = lands;
        undo(&scene, arena);
        assert_string_equal(scene.outcome.settled, lands ? "committed" : "rolled-back");
        assert_int_equal(scene.world.tables[TABLE_EVENTS].count, lands ? 3 : 1);
    }
}

static void
no_lock_waits_for_a_slow_disk_without_limit(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.disk_ms = 20000; /* a row */
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 11);
    assert_non_null(strstr(scene.outcome.err.primary, "time for holding locks is used up"));
    assert_int_equal(scene.world.locked_backup_rows, 2); /* 40 s of 30: no third row, no retry */
    assert_int_equal(axdb_rows(&scene), 0);
    assert_false(scene.outcome.changed);
    assert_int_equal(scene.outcome.locked_ms, 40007);

    /* rows that are there already take their time as well */
    set_scene(&scene, arena);
    for (size_t i = 0; i < 3; i++)
        bring_back(&scene, TABLE_EVENTS, i, i == 2);
    bring_back(&scene, TABLE_FIELD, 1, 0);
    scene.request.merge = true;
    scene.world.disk_ms = 29000;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 11);
    assert_int_equal(scene.world.locked_backup_rows, 2);
}

static void
the_disk_is_read_once_under_the_locks(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.disk_ms = 1;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    /* to insert; neither to compare before COMMIT nor for the last look */
    assert_int_equal(scene.world.locked_backup_rows, BACKUP_ROWS);
    assert_int_equal(scene.outcome.locked_ms, 7 + BACKUP_ROWS);
    assert_true(as_before(&scene));

    set_scene(&scene, arena);
    scene.world.commit = COMMIT_UNKNOWN;
    scene.world.commit_lands = true;
    undo(&scene, arena);
    assert_string_equal(scene.outcome.settled, "committed");
    assert_int_equal(scene.world.locked_backup_rows, BACKUP_ROWS); /* nor to settle */
}

static void
only_the_rows_that_were_planned_are_put_back(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.backup_changes = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 13);
    assert_non_null(strstr(scene.outcome.err.primary, "is not the one that was planned"));
    assert_int_equal(axdb_rows(&scene), 0);
    assert_false(scene.outcome.changed);
}

static void
a_trigger_may_not_reach_a_table_outside_the_backup(void **state)
{
    static const enum fake_change changes[] = {FAKE_CHANGES, FAKE_ADDS, FAKE_REMOVES};

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct run_request request = fake_request();
        struct scene scene;

        fake_world_init(&scene.world);
        memcpy(scene.before, scene.world.tables, sizeof scene.before);
        request.map = "Customers V3:accounts";
        run_confirmed(run_repair_map, &scene.world, &request, arena, &scene.outcome);
        assert_int_equal(scene.outcome.exit_status, 0);
        fake_world_next(&scene.world);
        scene.request = fake_request();
        scene.request.dataverse = false;
        scene.request.run = scene.world.runs[0].id;
        scene.request.merge = scene.request.allow_triggers = true;
        scene.world.trigger = "TR_ANY";
        scene.world.change_at = FAKE_BEFORE_INSERT;
        scene.world.change = changes[i];
        scene.world.change_table = TABLE_EVENTS;
        undo(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 14);
        assert_non_null(strstr(scene.outcome.err.primary, "BUSINESSEVENTSDEFINITION"));
        assert_true(
            fake_table_equal(&scene.world.tables[TABLE_EVENTS], &scene.before[TABLE_EVENTS]));
        assert_false(scene.outcome.changed);
        assert_int_equal(scene.world.violations, 0);
        undo(&scene, arena); /* the trigger does nothing this time */
        assert_int_equal(scene.outcome.exit_status, 0);
        assert_true(as_before(&scene));
    }
}

static void
a_lock_timeout_is_tried_again(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.lock_failures = 1;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(as_before(&scene));
}

static void
a_lost_commit_is_settled_both_ways(void **state)
{
    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct scene scene;

        set_scene(&scene, arena);
        bring_back(&scene, TABLE_EVENTS, 2, 0); /* it was there before: it decides nothing */
        scene.request.merge = true;
        scene.world.commit = COMMIT_UNKNOWN;
        scene.world.commit_lands = lands;
        undo(&scene, arena);
        assert_int_equal(scene.outcome.exit_status, 3);
        assert_string_equal(scene.outcome.settled, lands ? "committed" : "rolled-back");
        assert_int_equal(scene.outcome.changed, lands);
        assert_int_equal(as_before(&scene), lands);
        assert_int_equal(scene.outcome.tables[TABLE_EVENTS].restored_rows, lands ? 2 : -1);
        assert_int_equal(axdb_rows(&scene), lands ? BACKUP_ROWS : 1);
        assert_int_equal(scene.world.violations, 0);
    }
}

static void
a_commit_without_answer_and_without_server_is_unknown(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.commit = COMMIT_UNKNOWN;
    scene.world.axdb_gone_after = true;
    scene.world.gone_code = ERR_SIGNIN;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 6);
    assert_string_equal(scene.outcome.settled, "unknown");
    assert_true(scene.outcome.changed);

    set_scene(&scene, arena);
    scene.world.commit = COMMIT_NOT;
    undo(&scene, arena);
    assert_false(scene.outcome.changed);
    assert_int_equal(axdb_rows(&scene), 0);
}

static void
an_undo_that_cannot_be_verified_is_incomplete(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.axdb_gone_after = true;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_true(as_before(&scene));
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].restored_rows, 3);
    assert_int_equal(scene.outcome.tables[TABLE_EVENTS].after_rows, -1);

    set_scene(&scene, arena);
    scene.world.change_at = FAKE_BEFORE_LAST_LOOK; /* somebody changes a row at once */
    scene.world.change_table = TABLE_EVENTS;
    undo(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 3);
    assert_non_null(strstr(scene.outcome.verdict, "1 with other contents"));
}

/** Only for the sweep: everything that must hold after any single failure. */
static void
assert_told_the_truth(const struct scene *scene, size_t rows_before)
{
    const struct outcome *outcome = &scene->outcome;

    assert_int_equal(scene->world.violations, 0);
    assert_true(as_before(scene) || axdb_rows(scene) == rows_before);
    if (outcome->exit_status == 0)
        assert_true(as_before(scene));
    if (!outcome->changed)
        assert_int_equal(axdb_rows(scene), rows_before);
    if (axdb_rows(scene) != rows_before)
        assert_true(outcome->exit_status == 0 || outcome->exit_status == 3 ||
                    outcome->exit_status == 6);
    for (int i = 0; i < AXDB_TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];

        if (outcome->after_taken && table->after_rows >= 0)
            assert_int_equal(table->after_rows, scene->world.tables[i].count);
        if (table->restored_rows > 0)
            assert_true(as_before(scene));
    }
}

static void
no_row_is_changed_by_an_undo_whatever_fails(void **state)
{
    int swept = 0;

    (void)state;
    for (int round = 0; round < 4; round++) {
        const bool merge = round / 2;

        for (int fail_at = 1;; fail_at++) {
            ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
            struct scene scene;

            set_scene(&scene, arena);
            if (merge)
                bring_back(&scene, TABLE_PROJECT, 1, 0);
            scene.request.merge = merge;
            scene.request.dry_run = true;
            run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
            scene.request.dry_run = false;
            scene.request.plan_id = scene.outcome.plan_id;
            fake_world_next(&scene.world);
            scene.world.fail_at = fail_at;
            scene.world.commit_lands = round % 2;
            run_undo(&scene.request, &scene.world.ports, arena, &scene.outcome);
            assert_told_the_truth(&scene, merge);
            if (scene.world.calls < fail_at) {
                assert_int_equal(scene.outcome.exit_status, 0); /* the round without a failure */
                break;
            }
            swept++;
        }
    }
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 250);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rows_come_back_exactly),
        cmocka_unit_test(a_run_that_went_on_while_it_was_read_is_stale),
        cmocka_unit_test(what_an_undo_put_back_can_be_cleaned_and_put_back_again),
        cmocka_unit_test(a_dry_run_of_an_undo_leaves_no_trace),
        cmocka_unit_test(the_operator_reads_that_the_old_link_comes_back),
        cmocka_unit_test(only_a_run_that_removed_rows_is_undone),
        cmocka_unit_test(a_run_that_was_settled_as_mixed_is_undone_by_a_merge_alone),
        cmocka_unit_test(a_run_that_was_settled_as_committed_is_undone),
        cmocka_unit_test(rows_go_back_to_where_they_came_from_only),
        cmocka_unit_test(another_name_of_the_server_needs_the_recovery_fork),
        cmocka_unit_test(a_table_that_is_not_empty_is_refused_without_merge),
        cmocka_unit_test(merge_adds_what_is_missing_and_changes_nothing),
        cmocka_unit_test(rows_with_other_contents_are_left_and_told),
        cmocka_unit_test(the_rows_of_a_part_go_back_beside_the_kept_ones),
        cmocka_unit_test(what_is_not_exact_is_rolled_back),
        cmocka_unit_test(a_missing_row_that_shares_its_key_is_put_back),
        cmocka_unit_test(a_lost_commit_is_settled_where_rows_share_a_key),
        cmocka_unit_test(no_lock_waits_for_a_slow_disk_without_limit),
        cmocka_unit_test(the_disk_is_read_once_under_the_locks),
        cmocka_unit_test(only_the_rows_that_were_planned_are_put_back),
        cmocka_unit_test(a_trigger_may_not_reach_a_table_outside_the_backup),
        cmocka_unit_test(a_lock_timeout_is_tried_again),
        cmocka_unit_test(a_lost_commit_is_settled_both_ways),
        cmocka_unit_test(a_commit_without_answer_and_without_server_is_unknown),
        cmocka_unit_test(an_undo_that_cannot_be_verified_is_incomplete),
        cmocka_unit_test(no_row_is_changed_by_an_undo_whatever_fails),
    };

    return cmocka_run_group_tests_name("core/undo", tests, NULL, NULL);
}
