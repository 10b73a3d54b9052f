/* plan and apply. */
#include "base/clock.h"
#include "core/plan.h"
#include "core/run.h"
#include "fake_plan.h"
#include "test.h"

#include <string.h>

enum { ALL_ROWS = 9, MEGABYTE = 1048576 };

struct scene {
    struct fake_world world;
    struct fake_plan plan;
    struct run_request request;
    struct outcome outcome;
};

/** A plan is made of the world as it is now. */
static void
make_plan(struct scene *scene, struct arena *arena)
{
    fake_world_next(&scene->world);
    scene->world.ports.plan_out = &scene->plan.file;
    scene->world.ports.plan_out_path = "plan.ndjson";
    run_make_plan(&scene->request, &scene->world.ports, arena, &scene->outcome);
    scene->world.ports.plan_out = NULL;
    scene->world.ports.plan_out_path = NULL;
    fake_world_next(&scene->world);
}

static void
set_scene(struct scene *scene, struct arena *arena)
{
    memset(scene, 0, sizeof *scene);
    fake_world_init(&scene->world);
    fake_plan_init(&scene->plan, &scene->world);
    scene->request = fake_request();
    make_plan(scene, arena);
    assert_int_equal(scene->outcome.exit_status, 0);
    assert_true(scene->plan.whole);
}

/** The saved plan, as a pipeline does it. */
static void
apply(struct scene *scene, struct arena *arena)
{
    scene->world.ports.saved = &scene->plan.saved;
    scene->request.plan_id = scene->plan.id;
    run_apply(&scene->request, &scene->world.ports, arena, &scene->outcome);
}

static void
assert_refused(const struct scene *scene, int status)
{
    assert_int_equal(scene->outcome.exit_status, status);
    assert_int_equal(scene->world.files_created, 0);
    assert_int_equal(scene->world.violations, 0);
    assert_false(scene->outcome.changed);
}

static void
a_plan_is_saved_and_nothing_else_is_done(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    assert_int_equal(scene.outcome.word, OUTCOME_PLANNED);
    assert_string_equal(scene.outcome.plan_path, "plan.ndjson");
    assert_string_equal(scene.outcome.plan_id, scene.plan.id);
    assert_true(scene.outcome.dry_run);
    assert_int_equal(scene.plan.count, ALL_ROWS);
    assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
    assert_int_equal(scene.world.files_created, 0);
    assert_true(scene.outcome.plan_expires_utc_ms > clock_utc_ms());
}

static void
the_detailed_status_says_whether_there_is_something_to_do(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.request.detailed_exitcode = true;
    make_plan(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 2);
    for (int i = 0; i < TABLES; i++)
        scene.world.tables[i].count = 0;
    make_plan(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_CLEAN);
    apply(&scene, arena); /* an empty plan of an empty target */
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.files_created, 0);
}

static void
apply_does_what_clean_does(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    apply(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.outcome.word, OUTCOME_DONE);
    assert_string_equal(scene.outcome.command, "apply");
    assert_int_equal(fake_world_rows(&scene.world), 0);
    assert_int_equal(scene.world.violations, 0);
    assert_string_equal(scene.world.run->plan_id, scene.plan.id);
    assert_true(scene.world.run->planned);
    assert_int_equal(scene.world.run->expires_utc_ms, scene.plan.header.expires_utc_ms);
    assert_null(scene.outcome.difference);
}

static void
change_by_hand(struct fake_table *table, enum fake_change change)
{
    switch (change) {
    case FAKE_ADDS:
        table->rows[table->count++] = (struct fake_row){.recid = 50};
        break;
    case FAKE_REMOVES:
        memmove(&table->rows[0], &table->rows[1], --table->count * sizeof table->rows[0]);
        break;
    case FAKE_CHANGES:
        table->rows[1].content++;
        break;
    case FAKE_STAMPS:
        table->rows[1].version++;
        break;
    }
}

/** Rows that a table does not have in common with the plan. */
static int64_t
differing_rows(const struct table_difference *table)
{
    return table->gone.rows + table->fresh.rows + table->changed.rows;
}

static void
a_plan_that_does_not_fit_is_refused_with_the_difference(void **state)
{
    static const struct {
        enum fake_change change;
        int64_t gone, fresh, changed;
    } cases[] = {{FAKE_ADDS, 0, 1, 0},
                 {FAKE_REMOVES, 1, 0, 0},
                 {FAKE_CHANGES, 0, 0, 1},
                 {FAKE_STAMPS, 0, 0, 1}};

    (void)state;
    for (int table = 0; table < TABLES; table++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            ARENA_SCOPED arena = arena_new(MEGABYTE);
            static struct scene scene;
            const struct table_difference *found;

            set_scene(&scene, arena);
            change_by_hand(&scene.world.tables[table], cases[i].change);
            apply(&scene, arena);
            assert_refused(&scene, 5);
            assert_int_equal(scene.outcome.word, OUTCOME_STALE);
            assert_non_null(scene.outcome.difference);
            found = &scene.outcome.difference->tables[table];
            assert_int_equal(found->gone.rows, cases[i].gone);
            assert_int_equal(found->fresh.rows, cases[i].fresh);
            assert_int_equal(found->changed.rows, cases[i].changed);
            assert_int_equal(found->gone.count, cases[i].gone);
            for (int other = 0; other < TABLES; other++)
                assert_int_equal(differing_rows(&scene.outcome.difference->tables[other]),
                                 other == table);
        }
    }
}

static void
the_first_keys_are_named_and_all_are_counted(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;
    struct fake_table *events = &scene.world.tables[TABLE_EVENTS];

    (void)state;
    set_scene(&scene, arena);
    for (int i = 0; i < 30; i++)
        events->rows[events->count++] = (struct fake_row){.recid = 100 + i};
    events->rows[0].recid = 2;
    events->rows[1] = events->rows[2];
    memmove(&events->rows[2], &events->rows[3], (events->count - 3) * sizeof events->rows[0]);
    events->count--;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    const struct table_difference *found = &scene.outcome.difference->tables[TABLE_EVENTS];
    assert_int_equal(found->fresh.rows, 30);
    assert_int_equal(found->fresh.count, DIFFERENCE_KEYS);
    assert_int_equal(found->gone.rows, 1);
    assert_int_equal(found->changed.rows, 1);
}

static void
columns_that_changed_are_named(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.new_column = true;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    for (int i = 0; i < AXDB_TABLES; i++) {
        assert_int_equal(scene.outcome.difference->tables[i].column_count, 1);
        assert_non_null(strstr(scene.outcome.difference->tables[i].columns[0], "was added"));
    }
}

static void
another_target_is_told_with_both_values(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.created = "2026-11-22T03:00:00"; /* restored since */
    apply(&scene, arena);
    assert_refused(&scene, 5);
    assert_non_null(strstr(scene.outcome.err.primary, "2026-11-20T10:00:00"));
    assert_non_null(strstr(scene.outcome.err.primary, "2026-11-22T03:00:00"));
    assert_null(scene.outcome.difference);

    set_scene(&scene, arena);
    scene.request.dataverse = false;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    assert_int_equal(scene.world.axdb_connects, 0);
}

static void
a_half_that_is_not_in_the_plan_is_left_alone(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    memset(&scene, 0, sizeof scene);
    fake_world_init(&scene.world);
    fake_plan_init(&scene.plan, &scene.world);
    scene.request = fake_request();
    scene.request.axdb = false;
    make_plan(&scene, arena);
    assert_int_equal(scene.plan.count, 2);
    scene.request.axdb = true;
    apply(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 0);
    assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS - 2);
    assert_int_equal(scene.world.axdb_connects, 0);
}

static void
a_plan_is_good_for_a_day(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;
    const int64_t day_ms = INT64_C(24) * 3600 * 1000;

    (void)state;
    set_scene(&scene, arena);
    scene.plan.header.created_utc_ms -= day_ms + 1;
    scene.plan.header.expires_utc_ms -= day_ms + 1;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    assert_int_equal(scene.world.axdb_connects, 0);
    /* whatever it says of itself */
    scene.plan.header.expires_utc_ms += 10 * day_ms;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    scene.plan.header.created_utc_ms = clock_utc_ms() + day_ms;
    scene.plan.header.expires_utc_ms = clock_utc_ms() + 2 * day_ms;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    assert_non_null(strstr(scene.outcome.err.primary, "future"));
}

static void
a_plan_that_is_not_what_it_claims_is_refused(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.plan.rows[3].digest.bytes[4] ^= 1;
    apply(&scene, arena);
    assert_refused(&scene, 13);
    set_scene(&scene, arena);
    scene.plan.rows[0] = scene.plan.rows[1]; /* out of order is no plan either */
    scene.plan.rows[1].key[0] = '0';
    apply(&scene, arena);
    assert_refused(&scene, 13);
    set_scene(&scene, arena);
    (void)snprintf(scene.plan.strings[7], sizeof scene.plan.strings[7], "undo=all");
    apply(&scene, arena);
    assert_refused(&scene, 13);
    set_scene(&scene, arena);
    scene.plan.lies_after = 3; /* another one when it is copied into the run */
    apply(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 13);
    assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
    assert_false(fake_world_journalled(&scene.world, "commit-sent"));
}

static void
the_plan_id_has_to_be_that_of_the_file(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.ports.saved = &scene.plan.saved;
    scene.request.plan_id = "0123456789012345678901234567890123456789012345678901234567890123";
    run_apply(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_refused(&scene, 5);
    scene.request.plan_id = NULL;
    run_apply(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_refused(&scene, 4);
}

static void
production_wants_a_saved_plan(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    memset(&scene, 0, sizeof scene);
    fake_world_init(&scene.world);
    fake_plan_init(&scene.plan, &scene.world);
    scene.request = fake_request();
    scene.request.env_class = CLASS_PRODUCTION;
    scene.request.allow_production = "AxDB@sql01";
    make_plan(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    scene.request.plan_id = scene.plan.id;
    run_clean(&scene.request, &scene.world.ports, arena, &scene.outcome);
    assert_refused(&scene, 4);
    assert_non_null(strstr(scene.outcome.err.primary, "saved plan"));
    assert_non_null(strstr(scene.outcome.err.hint, "dwclean plan --out FILE"));
    scene.request.reason = NULL;
    apply(&scene, arena);
    assert_refused(&scene, 4);
    scene.request.reason = "CHG1";
    scene.request.allow_production = NULL;
    apply(&scene, arena);
    assert_refused(&scene, 4);
    scene.request.allow_production = "AxDB@sql01";
    apply(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(fake_world_rows(&scene.world), 0);
}

static void
a_plan_of_channels_and_one_of_a_map_keep_their_scope(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    memset(&scene, 0, sizeof scene);
    fake_world_init(&scene.world);
    scene.world.other_channel = "Other \"one\"\n";
    fake_plan_init(&scene.plan, &scene.world);
    scene.request = fake_request();
    scene.request.channels = channels;
    scene.request.channel_count = 1;
    make_plan(&scene, arena);
    assert_int_equal(scene.plan.count, ALL_ROWS - 1);
    scene.request.channels = NULL; /* the plan says it */
    scene.request.channel_count = 0;
    apply(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.tables[TABLE_EVENTS].count, 1);
    assert_int_equal(fake_world_rows(&scene.world), 1);

    memset(&scene, 0, sizeof scene);
    fake_world_init(&scene.world);
    fake_plan_init(&scene.plan, &scene.world);
    scene.request = fake_request();
    scene.request.map = "Customers V3:accounts";
    make_plan(&scene, arena);
    assert_int_equal(scene.plan.count, 2); /* a project and its field row */
    scene.request.map = NULL;
    apply(&scene, arena);
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_int_equal(scene.world.tables[TABLE_PROJECT].count, 1);
    assert_int_equal(scene.world.tables[TABLE_FIELD].count, 1);
    assert_int_equal(scene.world.tables[TABLE_EVENTS].count, 3);
    assert_int_equal(scene.world.violations, 0);
}

static void
a_map_whose_rows_are_gone_is_stale_and_not_missing(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    memset(&scene, 0, sizeof scene);
    fake_world_init(&scene.world);
    fake_plan_init(&scene.plan, &scene.world);
    scene.request = fake_request();
    scene.request.map = "Customers V3:accounts";
    make_plan(&scene, arena);
    scene.request.map = NULL;
    scene.world.tables[TABLE_PROJECT].rows[0].group = 1; /* it belongs to another map now */
    apply(&scene, arena);
    assert_refused(&scene, 5);
    assert_int_equal(scene.outcome.difference->tables[TABLE_PROJECT].gone.rows, 1);
}

/** Every port call fails once, in turn: also those of the plan file. */
static void
no_row_leaves_without_a_sealed_copy(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)32 * MEGABYTE);
    static struct scene scene;
    int swept = 0;

    (void)state;
    for (int lands = 0; lands < 2; lands++) {
        for (int fail_at = 1;; fail_at++) {
            set_scene(&scene, arena);
            scene.world.fail_at = fail_at;
            scene.world.commit_lands = lands;
            apply(&scene, arena);
            assert_int_equal(scene.world.violations, 0);
            if (scene.outcome.exit_status == 0)
                assert_int_equal(fake_world_rows(&scene.world), 0);
            if (!scene.outcome.changed)
                assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
            if (fake_world_rows(&scene.world) != ALL_ROWS)
                assert_true(scene.outcome.exit_status == 0 || scene.outcome.exit_status == 3 ||
                            scene.outcome.exit_status == 6);
            if (scene.world.calls < fail_at)
                break;
            swept++;
        }
        assert_int_equal(scene.outcome.exit_status, 0); /* the round without a failure */
    }
    print_message("%d failures injected, 0 promises broken\n", swept);
    assert_true(swept > 150);
}

/** The same of making a plan: nothing is ever changed, and no success without a whole plan. */
static void
a_plan_that_could_not_be_made_is_no_success(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    static struct scene scene;
    int fail_at = 1;

    (void)state;
    for (;; fail_at++) {
        memset(&scene, 0, sizeof scene);
        fake_world_init(&scene.world);
        fake_plan_init(&scene.plan, &scene.world);
        scene.request = fake_request();
        scene.world.fail_at = fail_at;
        scene.world.ports.plan_out = &scene.plan.file;
        run_make_plan(&scene.request, &scene.world.ports, arena, &scene.outcome);
        assert_int_equal(fake_world_rows(&scene.world), ALL_ROWS);
        assert_int_equal(scene.world.files_created, 0);
        assert_int_equal(scene.outcome.exit_status == 0, scene.plan.whole);
        if (scene.world.calls < fail_at)
            break;
        assert_false(scene.plan.whole);
    }
    assert_int_equal(scene.outcome.exit_status, 0);
    assert_true(fail_at > 20);
}

static void
a_half_that_the_plan_has_must_be_named_and_one_that_it_has_not_is_left(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        static struct scene scene;

        memset(&scene, 0, sizeof scene);
        fake_world_init(&scene.world);
        fake_plan_init(&scene.plan, &scene.world);
        scene.request = fake_request();
        scene.request.dataverse = i != 1;
        scene.request.expect_dataverse_host = scene.world.own_host;
        make_plan(&scene, arena);
        scene.request.axdb = i != 0;
        scene.request.dataverse = true;
        if (i == 2) { /* of a plan that names no half at all, the sum holds, and no more */
            scene.plan.header.database = scene.plan.header.organization_id = "";
            scene.plan.count = 0;
            memset(scene.plan.has_table, 0, sizeof scene.plan.has_table);
        }
        apply(&scene, arena);
        if (i == 0) {
            assert_refused(&scene, 5);
            assert_non_null(strstr(scene.outcome.err.primary, "no AxDB database is named"));
        } else if (i == 1) {
            assert_int_equal(scene.outcome.exit_status, 0);
            assert_int_equal(scene.world.tables[TABLE_RUNTIME].count, 2);
            assert_int_equal(scene.world.runtime_connects, 0);
        } else {
            assert_refused(&scene, 13);
        }
    }
}

/** As a server that was named otherwise, or cannot be told, answers. */
static void
be_elsewhere(struct axdb_evidence *axdb)
{
    axdb->identity.dialled = "sql02,1433";
}

static void
be_another_database(struct axdb_evidence *axdb)
{
    axdb->identity.database = "";
}

static void
be_another_fork(struct axdb_evidence *axdb)
{
    axdb->identity.recovery_fork = "6E2D1A5B";
}

static void
be_another_organization(struct runtime_evidence *runtime)
{
    runtime->identity.organization_id = "33333333";
}

static void
be_another_name(struct runtime_evidence *runtime)
{
    runtime->identity.unique_name = "org0000";
}

static void
each_part_of_the_target_has_to_be_the_plans(void **state)
{
    static const struct {
        void (*axdb)(struct axdb_evidence *axdb);
        void (*runtime)(struct runtime_evidence *runtime);
        const char *said;
    } cases[] = {{be_elsewhere, NULL, "sql02,1433"},
                 {be_another_database, NULL, "not known"},
                 {be_another_fork, NULL, "6E2D1A5B"},
                 {NULL, be_another_organization, "33333333"},
                 {NULL, be_another_name, "org0000"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        static struct scene scene;

        set_scene(&scene, arena);
        scene.world.patch_axdb = cases[i].axdb;
        scene.world.patch_runtime = cases[i].runtime;
        apply(&scene, arena);
        assert_refused(&scene, 5);
        assert_non_null(strstr(scene.outcome.err.primary, cases[i].said));
    }
}

static struct column patched[32];

/** The field table as it is now: one column is otherwise. */
static int patch_case;

static void
patch_columns(struct axdb_evidence *axdb)
{
    struct schema *schema = &axdb->tables[TABLE_FIELD].schema;

    memcpy(patched, schema->columns, schema->count * sizeof *patched);
    schema->columns = patched;
    switch (patch_case) {
    case 0:
        schema->count--; /* the last one is gone */
        break;
    case 1:
        patched[2].identity = true;
        break;
    case 2:
        patched[2].computed = true;
        break;
    case 3:
        patched[2].collation = "Latin1_General_BIN2";
        break;
    default:
        patched[2].generated = true;
        break;
    }
}

static void
what_became_of_a_column_is_said(void **state)
{
    static const char *const said[] = {
        "column SYSROWVERSION is gone", "NOT NULL identity, it was", "NOT NULL computed, it was",
        "NOT NULL collation Latin1_General_BIN2, it was", "NOT NULL generated, it was"};

    (void)state;
    for (patch_case = 0; patch_case < 5; patch_case++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        static struct scene scene;

        set_scene(&scene, arena);
        scene.world.patch_axdb = patch_columns;
        apply(&scene, arena);
        assert_refused(&scene, 5);
        assert_non_null(scene.outcome.difference);
        assert_int_equal(scene.outcome.difference->tables[TABLE_FIELD].column_count, 1);
        assert_non_null(
            strstr(scene.outcome.difference->tables[TABLE_FIELD].columns[0], said[patch_case]));
    }
}

/** Gives the plan the id that its contents make: whoever changes a plan can do that too. */
static void
forge_id(struct scene *scene, struct arena *arena)
{
    static const char words[] = "its rows make ";
    const char *id;

    apply(scene, arena);
    assert_refused(scene, 13);
    id = strstr(scene->outcome.err.detail, words);
    assert_non_null(id);
    (void)snprintf(scene->plan.id, sizeof scene->plan.id, "%s", id + sizeof words - 1);
}

static void
a_plan_that_fits_its_id_is_looked_through_all_the_same(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)2 * MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena); /* it names nothing */
    scene.plan.header.database = scene.plan.header.organization_id = "";
    forge_id(&scene, arena);
    apply(&scene, arena);
    assert_refused(&scene, 13);
    assert_non_null(strstr(scene.outcome.err.primary, "names no target"));
    set_scene(&scene, arena); /* its scope is none */
    (void)snprintf(scene.plan.strings[7], sizeof scene.plan.strings[7], "undo=all");
    forge_id(&scene, arena);
    apply(&scene, arena);
    assert_refused(&scene, 13);
    assert_non_null(strstr(scene.outcome.err.primary, "scope"));
    set_scene(&scene, arena); /* it leaves a table out, and that table has no rows */
    scene.world.tables[TABLE_FIELD].count = 0;
    make_plan(&scene, arena);
    scene.plan.has_table[TABLE_FIELD] = false;
    forge_id(&scene, arena);
    apply(&scene, arena);
    assert_refused(&scene, 5);
    assert_string_equal(scene.outcome.difference->tables[TABLE_FIELD].columns[0],
                        "the table is not in the plan");
}

/** The same server under a name in other letters: nothing differs, and it is another plan. */
static void
shout(struct axdb_evidence *axdb)
{
    axdb->identity.dialled = "SQL01,1433";
}

static void
a_plan_with_another_id_is_stale_though_no_row_differs(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.patch_axdb = shout;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    for (int i = 0; i < TABLES; i++)
        assert_int_equal(differing_rows(&scene.outcome.difference->tables[i]), 0);
}

static void
lose_events(struct axdb_evidence *axdb)
{
    axdb->tables[TABLE_EVENTS].fault = "is a view";
}

static void
what_cannot_be_compared_is_refused_for_what_it_is(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;

    (void)state;
    set_scene(&scene, arena);
    scene.world.table_missing = true;
    apply(&scene, arena);
    assert_refused(&scene, 14);
    set_scene(&scene, arena);
    scene.world.patch_axdb = lose_events;
    apply(&scene, arena);
    assert_refused(&scene, 14);
    assert_null(scene.outcome.difference);
}

static struct column turned[32];

/** Its columns stand in another order, or many have come. */
static void
turn_columns(struct axdb_evidence *axdb)
{
    struct schema *schema = &axdb->tables[TABLE_EVENTS].schema;

    memcpy(turned, schema->columns, schema->count * sizeof *turned);
    turned[2] = schema->columns[3];
    turned[3] = schema->columns[2];
    schema->columns = turned;
}

static void
other_types(struct axdb_evidence *axdb)
{
    struct schema *schema = &axdb->tables[TABLE_PROJECT].schema;

    memcpy(turned, schema->columns, schema->count * sizeof *turned);
    for (size_t i = 2; i < schema->count; i++)
        turned[i].nullable = !turned[i].nullable;
    schema->columns = turned;
}

static void
an_order_of_columns_and_each_of_many_is_told(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static struct scene scene;
    const struct table_difference *found;

    (void)state;
    set_scene(&scene, arena);
    scene.world.patch_axdb = turn_columns;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    found = &scene.outcome.difference->tables[TABLE_EVENTS];
    assert_int_equal(found->column_count, 1);
    assert_string_equal(found->columns[0], "the columns are in another order");
    set_scene(&scene, arena);
    scene.world.patch_axdb = other_types;
    apply(&scene, arena);
    assert_refused(&scene, 5);
    assert_int_equal(scene.outcome.difference->tables[TABLE_PROJECT].column_count, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_saved_and_nothing_else_is_done),
        cmocka_unit_test(the_detailed_status_says_whether_there_is_something_to_do),
        cmocka_unit_test(apply_does_what_clean_does),
        cmocka_unit_test(a_plan_that_does_not_fit_is_refused_with_the_difference),
        cmocka_unit_test(the_first_keys_are_named_and_all_are_counted),
        cmocka_unit_test(columns_that_changed_are_named),
        cmocka_unit_test(another_target_is_told_with_both_values),
        cmocka_unit_test(a_half_that_is_not_in_the_plan_is_left_alone),
        cmocka_unit_test(a_plan_is_good_for_a_day),
        cmocka_unit_test(a_plan_that_is_not_what_it_claims_is_refused),
        cmocka_unit_test(the_plan_id_has_to_be_that_of_the_file),
        cmocka_unit_test(production_wants_a_saved_plan),
        cmocka_unit_test(a_plan_of_channels_and_one_of_a_map_keep_their_scope),
        cmocka_unit_test(a_map_whose_rows_are_gone_is_stale_and_not_missing),
        cmocka_unit_test(no_row_leaves_without_a_sealed_copy),
        cmocka_unit_test(a_plan_that_could_not_be_made_is_no_success),
        cmocka_unit_test(a_half_that_the_plan_has_must_be_named_and_one_that_it_has_not_is_left),
        cmocka_unit_test(each_part_of_the_target_has_to_be_the_plans),
        cmocka_unit_test(what_became_of_a_column_is_said),
        cmocka_unit_test(a_plan_that_fits_its_id_is_looked_through_all_the_same),
        cmocka_unit_test(a_plan_with_another_id_is_stale_though_no_row_differs),
        cmocka_unit_test(what_cannot_be_compared_is_refused_for_what_it_is),
        cmocka_unit_test(an_order_of_columns_and_each_of_many_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
