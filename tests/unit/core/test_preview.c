#include "core/preview.h"
#include "fake_plan.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { SAID_BYTES = 8192, CALLS = 200 };

/** What was shown, a line each: "phase|server|statement". The statements have no context of their
 * own, as in the adapters: they are functions of what is shown. */
struct shown {
    char said[SAID_BYTES];
    int count, fail_at;
};

static int calls, fail_at;

static bool
say(const struct statement_sink *sink, const char *what, const char *of, struct err *err)
{
    char text[256];

    if (++calls == fail_at)
        return err_set(err, ERR_SERVER, "call %d cannot be shown", calls);
    (void)snprintf(text, sizeof text, "%s%s%s", what, of[0] ? " " : "", of);
    return sink->take(sink->ctx, &(struct shown_statement){.purpose = text, .text = text}, err);
}

static bool
connect_axdb(const struct statement_sink *sink, struct err *err)
{
    return say(sink, "connect", "", err);
}

static bool
observe(const struct statement_sink *sink, struct err *err)
{
    return say(sink, "observe", "", err);
}

static bool
read_rows(const struct schema *const *schemas, size_t count, const struct statement_sink *sink,
          struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!say(sink, "read", table_name(schemas[i]->table), err))
            return false;
    return true;
}

static bool
acquire(const struct statement_sink *sink, struct err *err)
{
    return say(sink, "acquire", "", err);
}

static bool
begin_locked(bool then_catalog, const struct statement_sink *sink, struct err *err)
{
    return say(sink, "begin", then_catalog ? "and catalog" : "", err);
}

static bool
delete_all(const bool tables[AXDB_TABLES], const struct statement_sink *sink, struct err *err)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        if (tables[i] && !say(sink, "delete all of", table_name((enum table)i), err))
            return false;
    return true;
}

/** One line with the keys of the rows. */
static bool
remove_keys(const char *what, const struct row_stream *rows, const struct statement_sink *sink,
            struct err *err)
{
    char keys[512] = "";
    bool end = false;

    while (!end) {
        struct row_id row;
        const size_t used = strlen(keys);

        if (!rows->next(rows->ctx, &row, &end, err))
            return false;
        if (!end)
            (void)snprintf(keys + used, sizeof keys - used, "%s%s", used ? " " : "",
                           strpbrk(row.key, ":-") + 1);
    }
    return say(sink, what, keys, err);
}

static bool
delete_keys(enum table table, const struct row_stream *rows, const struct statement_sink *sink,
            struct err *err)
{
    (void)table;
    return remove_keys("delete", rows, sink, err);
}

static bool
commit(const struct statement_sink *sink, struct err *err)
{
    return say(sink, "commit", "", err);
}

static bool
roll_back(const struct statement_sink *sink, struct err *err)
{
    return say(sink, "rollback", "", err);
}

static bool
read_runtime(const struct statement_sink *sink, struct err *err)
{
    return say(sink, "list", "", err);
}

static bool
remove_runtime(const struct row_stream *rows, const struct statement_sink *sink, struct err *err)
{
    return remove_keys("remove", rows, sink, err);
}

static const struct axdb_statements axdb = {.connect = connect_axdb,
                                            .observe = observe,
                                            .read_rows = read_rows,
                                            .acquire_exclusion = acquire,
                                            .begin_locked = begin_locked,
                                            .delete_all = delete_all,
                                            .delete_keys = delete_keys,
                                            .commit = commit,
                                            .rollback = roll_back};
static const struct runtime_statements runtime = {.connect = connect_axdb,
                                                  .observe = observe,
                                                  .read_rows = read_runtime,
                                                  .remove = remove_runtime};

static bool
take(void *ctx, const char *phase, const char *to, const struct shown_statement *statement,
     struct err *err)
{
    struct shown *shown = ctx;
    const size_t used = strlen(shown->said);

    if (++shown->count == shown->fail_at)
        return err_set(err, ERR_STORAGE, "stdout is closed");
    (void)snprintf(shown->said + used, SAID_BYTES - used, "%s|%s|%s\n", phase, to, statement->text);
    return true;
}

/** A plan of this scope that names these halves, with `rows` of each table. */
struct scene {
    struct fake_world world;
    struct fake_plan plan;
    struct plan_summary summary;
    struct column columns[1];
    struct shown shown;
    struct preview_job job;
};

static void
set_scene(struct scene *scene, const char *scope, bool with_axdb, bool with_runtime, int rows)
{
    memset(scene, 0, sizeof *scene);
    fake_world_init(&scene->world);
    fake_plan_init(&scene->plan, &scene->world);
    scene->plan.header = (struct plan_header){.server = "sql01",
                                              .database = with_axdb ? "AxDB" : "",
                                              .organization_id = with_runtime ? "0001" : "",
                                              .scope = scope};
    for (int i = 0; i < TABLES; i++) {
        scene->summary.asked[i] =
            i == TABLE_RUNTIME ? with_runtime : with_axdb && (scope[0] != 'm' || i != TABLE_EVENTS);
        scene->plan.has_table[i] = true;
        scene->plan.schemas[i] = (struct schema){.table = (enum table)i};
        for (int j = 0; scene->summary.asked[i] && j < rows; j++) {
            struct row_id *row = &scene->plan.rows[scene->plan.count++];

            row->table = (enum table)i;
            (void)snprintf(row->key, sizeof row->key, i == TABLE_RUNTIME ? "0-%d%d" : "1:%d%d",
                           i + 1, j + 1);
            scene->summary.states[i].rows++;
        }
    }
    scene->job = (struct preview_job){.saved = &scene->plan.saved,
                                      .summary = &scene->summary,
                                      .axdb = &axdb,
                                      .runtime = &runtime};
    calls = fail_at = 0;
}

static bool
preview(struct scene *scene, struct err *err)
{
    const struct preview_sink sink = {.ctx = &scene->shown, .take = take};

    return preview_run(&scene->job, &sink, err);
}

static const char look_and_plan[] = "look|AxDB|connect\n"
                                    "look|AxDB|observe\n"
                                    "look|Dataverse|connect\n"
                                    "look|Dataverse|observe\n"
                                    "plan again|AxDB|read DUALWRITEPROJECTFIELDCONFIGURATION\n"
                                    "plan again|AxDB|read DUALWRITEPROJECTCONFIGURATION\n"
                                    "plan again|AxDB|read BUSINESSEVENTSDEFINITION\n"
                                    "plan again|Dataverse|list\n";

/** Is `line` said before `later`? */
static void
assert_order(const char *said, const char *line, const char *later)
{
    const char *first = strstr(said, line);
    const char *second = strstr(said, later);

    if (!first || !second || first >= second)
        fail_msg("\"%s\" does not come before \"%s\" in:\n%s", line, later, said);
}

static void
everything_is_shown_in_the_order_of_a_run(void **state)
{
    static const char *const order[] = {
        "look|AxDB|connect",       "look|Dataverse|observe",
        "plan again|AxDB|read",    "plan again|Dataverse|list",
        "lock|AxDB|acquire",       "back up|AxDB|read",
        "back up|Dataverse|list",  "change AxDB|AxDB|begin and catalog",
        "change AxDB|AxDB|read",   "change AxDB|AxDB|delete all of",
        "change AxDB|AxDB|commit", "change Dataverse|Dataverse|remove 41 42",
        "look again|AxDB|connect", "look again|Dataverse|observe"};
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "", true, true, 2);
    assert_true(preview(&scene, &err));
    for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
        assert_order(scene.shown.said, order[i - 1], order[i]);
    assert_null(strstr(scene.shown.said, "delete 1"));
    assert_null(strstr(scene.shown.said, "rollback"));
    assert_null(strstr(scene.shown.said, "find the map"));
}

static void
an_empty_plan_is_read_again_and_that_is_all(void **state)
{
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "", true, true, 0);
    assert_true(preview(&scene, &err));
    assert_string_equal(scene.shown.said, look_and_plan);
}

static void
a_half_that_is_not_in_the_plan_is_not_spoken_to(void **state)
{
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "", true, false, 2);
    assert_true(preview(&scene, &err));
    assert_null(strstr(scene.shown.said, "|Dataverse|"));
    assert_non_null(strstr(scene.shown.said, "|commit"));
    set_scene(&scene, "", false, true, 2);
    assert_true(preview(&scene, &err));
    assert_null(strstr(scene.shown.said, "|AxDB|"));
    assert_non_null(strstr(scene.shown.said, "remove 41 42"));
}

static void
a_table_without_rows_is_left_alone(void **state)
{
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "channels=all", true, true, 2);
    scene.summary.states[TABLE_RUNTIME].rows = 0;
    assert_true(preview(&scene, &err));
    assert_null(strstr(scene.shown.said, "remove"));
}

static void
some_channels_go_by_key_and_the_other_tables_whole(void **state)
{
    char keys[32];
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "channels=[\"DualWrite\"]", true, true, 2);
    (void)snprintf(keys, sizeof keys, "|delete %d1 %d2\n", TABLE_EVENTS + 1, TABLE_EVENTS + 1);
    assert_true(preview(&scene, &err));
    assert_non_null(strstr(scene.shown.said, keys));
    assert_null(strstr(scene.shown.said, "delete all of BUSINESSEVENTSDEFINITION"));
    assert_non_null(strstr(scene.shown.said, "delete all of"));
    assert_non_null(strstr(scene.shown.said, "remove 41 42"));
}

static void
a_map_is_found_first_and_looked_at_under_locks_last(void **state)
{
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "map=\"a\":\"b\";projects=[1:\"P\"]", true, false, 2);
    assert_true(preview(&scene, &err));
    assert_order(scene.shown.said, "find the map|AxDB|read", "plan again|AxDB|read");
    assert_order(scene.shown.said, "change AxDB|AxDB|commit", "look again|AxDB|begin");
    assert_order(scene.shown.said, "look again|AxDB|begin", "look again|AxDB|rollback");
    assert_null(strstr(scene.shown.said, "delete all of"));
    assert_null(strstr(scene.shown.said, "BUSINESSEVENTSDEFINITION"));
}

static void
a_scope_that_cannot_be_read_shows_nothing(void **state)
{
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "nonsense", true, true, 2);
    assert_false(preview(&scene, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(scene.shown.count, 0);
}

static const char *const scopes[] = {"", "channels=[\"DualWrite\"]",
                                     "map=\"a\":\"b\";projects=[1:\"P\"]"};

/** Let call `at` of one kind fail: a statement, its taker, the plan. False: it did not come to it.
 */
static bool
breaks_at(const char *scope, bool with_runtime, int kind, int at)
{
    struct scene scene;
    struct err err = {0};

    set_scene(&scene, scope, true, with_runtime, 2);
    *(kind == 0 ? &fail_at : kind == 1 ? &scene.shown.fail_at : &scene.world.fail_at) = at;
    if (preview(&scene, &err))
        return false;
    assert_int_equal(err.code, kind == 0 ? ERR_SERVER : ERR_STORAGE);
    assert_true(kind == 2 || scene.shown.count == at - (kind == 0));
    return true;
}

/** What cannot be shown, or is not taken, ends it at once: half a preview is not a preview. */
static void
nothing_is_left_out_without_a_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
        for (int kind = 0; kind < 3; kind++) {
            int at = 1;

            while (breaks_at(scopes[i], i < 2, kind, at))
                assert_true(++at < CALLS);
            assert_true(at > 4);
        }
}

static void
a_plan_without_tables_reads_none(void **state)
{
    struct scene scene;
    struct err err = {0};

    (void)state;
    set_scene(&scene, "", true, true, 0);
    for (int i = 0; i < AXDB_TABLES; i++)
        scene.summary.asked[i] = false;
    assert_true(preview(&scene, &err));
    assert_null(strstr(scene.shown.said, "AxDB|read"));
    set_scene(&scene, "map=\"a\":\"b\";projects=[]", true, true, 1);
    assert_true(preview(&scene, &err));
    assert_non_null(strstr(scene.shown.said, "change Dataverse|Dataverse|remove"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_shown_in_the_order_of_a_run),
        cmocka_unit_test(an_empty_plan_is_read_again_and_that_is_all),
        cmocka_unit_test(a_half_that_is_not_in_the_plan_is_not_spoken_to),
        cmocka_unit_test(a_table_without_rows_is_left_alone),
        cmocka_unit_test(some_channels_go_by_key_and_the_other_tables_whole),
        cmocka_unit_test(a_map_is_found_first_and_looked_at_under_locks_last),
        cmocka_unit_test(a_scope_that_cannot_be_read_shows_nothing),
        cmocka_unit_test(nothing_is_left_out_without_a_word),
        cmocka_unit_test(a_plan_without_tables_reads_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
