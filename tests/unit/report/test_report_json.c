#include "base/file.h"
#include "base/text.h"
#include "report/report.h"
#include "sample.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static cJSON *
parse(const struct outcome *outcome)
{
    TEXT_SCOPED text = {0};
    struct err err;
    assert_true(report_json(outcome, &text, &err));
    assert_true(text_is_utf8(text_string(&text), text.used));
    assert_int_equal(text_string(&text)[text.used - 1], '\n');
    cJSON *json = cJSON_ParseWithLength(text_string(&text), text.used);
    assert_non_null(json);
    return json;
}

/** A member by its path, "a.b.0.c". */
static const cJSON *
at(const cJSON *json, const char *path)
{
    while (*path) {
        char name[64];
        const size_t size = strcspn(path, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)size, path);
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, name[0] - '0')
                                   : cJSON_GetObjectItemCaseSensitive(json, name);
        assert_non_null(json);
        path += size + (path[size] ? 1 : 0);
    }
    return json;
}

static void
expect_member(const cJSON *json, const char *path, const char *value)
{
    const cJSON *found = at(json, path);
    if (!value) {
        assert_true(cJSON_IsNull(found));
        return;
    }
    assert_true(cJSON_IsString(found));
    assert_string_equal(cJSON_GetStringValue(found), value);
}

static void
a_clean_is_told_whole(void **state)
{
    const struct outcome outcome = sample_done();
    cJSON *json = parse(&outcome);
    (void)state;
    expect_member(json, "schema_version", "1");
    expect_member(json, "command", "clean");
    expect_member(json, "outcome", "done");
    expect_member(json, "plan_id", SAMPLE_PLAN_ID);
    expect_member(json, "error", NULL);
    expect_member(json, "locked_ms", "340");
    expect_member(json, "started", "2026-11-21T22:00:00.000Z");
    expect_member(json, "tables.2.name", "BUSINESSEVENTSDEFINITION");
    expect_member(json, "tables.2.deleted", "958");
    expect_member(json, "after.checks.0.verdict", "ok");
    expect_member(json, "before.checks.1.health_check_code", "DWFOEV1004");
    expect_member(json, "before.checks.2.cause", "server");
    expect_member(json, "before.axdb.projects_without_fields.rows", "0");
    expect_member(json, "before.axdb.fields_without_project.rows", NULL);
    expect_member(json, "before.axdb.fields_without_project.error.code", "lock");
    expect_member(json, "before.dataverse.rows.0.name", "Customers");
    assert_int_equal((int)cJSON_GetNumberValue(at(json, "exit_status")), 0);
    assert_true(cJSON_IsTrue(at(json, "changed")));
    cJSON_Delete(json);
}

static void
steps_and_operator_are_told(void **state)
{
    static const struct run_step steps[] = {{"open", 1795298400600, 1795298400600, 1},
                                            {"purge-outcome", 1795298400800, 1795298400900, 17}};
    struct outcome outcome = sample_done();
    (void)state;
    outcome.steps = steps;
    outcome.step_count = 2;
    outcome.user = "dba";
    outcome.host = "jump01";
    cJSON *json = parse(&outcome);
    expect_member(json, "steps.0.step", "open");
    expect_member(json, "steps.1.first", "2026-11-21T22:00:00.800Z");
    expect_member(json, "steps.1.last", "2026-11-21T22:00:00.900Z");
    expect_member(json, "steps.1.times", "17");
    expect_member(json, "steps_more", "0");
    expect_member(json, "operator.user", "dba");
    expect_member(json, "operator.sudo_user", NULL);
    expect_member(json, "operator.host", "jump01");
    cJSON_Delete(json);
}

static void
what_is_not_known_is_null_and_not_zero(void **state)
{
    const struct outcome outcome = sample_residue();
    cJSON *json = parse(&outcome);
    (void)state;
    expect_member(json, "tables.0.before", "34");
    expect_member(json, "tables.0.deleted", NULL);
    expect_member(json, "tables.0.after", NULL);
    expect_member(json, "after", NULL);
    expect_member(json, "locked_ms", NULL);
    expect_member(json, "before.axdb.other_sessions", NULL);
    cJSON_Delete(json);
}

static void
urls_lose_user_and_query(void **state)
{
    const struct outcome outcome = sample_residue();
    cJSON *json = parse(&outcome);
    (void)state;
    expect_member(json, "before.axdb.urls.0.url", "https://prod.crm.dynamics.com/x");
    expect_member(json, "before.axdb.urls.1.url", "");
    expect_member(json, "before.axdb.urls.1.status", "4");
    cJSON_Delete(json);
}

static void
what_a_run_is_about_is_told(void **state)
{
    struct outcome outcome = sample_repair_map();
    cJSON *json = parse(&outcome);
    (void)state;
    expect_member(json, "command", "repair-map");
    expect_member(json, "map_rows.2.project", "CustCustomerV3Entity-0000");
    expect_member(json, "map_rows.0.status", "0");
    assert_true(cJSON_IsTrue(at(json, "map_rows.1.own")));
    assert_true(cJSON_IsFalse(at(json, "map_rows.1.chosen")));
    expect_member(json, "tables.1.kept", "31");
    expect_member(json, "before.axdb.channels.1.handler_class", "4712");
    expect_member(json, "settled", NULL);
    cJSON_Delete(json);

    outcome = sample_undo();
    json = parse(&outcome);
    expect_member(json, "undoes", "20261121T220000Z-uat-ab12");
    expect_member(json, "tables.1.restored", "33");
    expect_member(json, "tables.1.already_there", "1");
    expect_member(json, "tables.1.differing", "1");
    expect_member(json, "tables.0.kept", NULL);
    cJSON_Delete(json);

    outcome = sample_settled();
    json = parse(&outcome);
    expect_member(json, "settled", "committed");
    assert_true(cJSON_IsTrue(at(json, "resumed")));
    cJSON_Delete(json);
}

static void
check_says_missing_where_others_say_differs(void **state)
{
    const struct outcome outcome = sample_check();
    cJSON *json = parse(&outcome);
    (void)state;
    expect_member(json, "outcome", "missing");
    expect_member(json, "before.checks.0.verdict", "ok");
    expect_member(json, "before.checks.1.verdict", "missing");
    expect_member(json, "before.checks.2.verdict", "unknown");
    cJSON_Delete(json);
}

static void
rows_that_did_not_leave_are_named(void **state)
{
    const struct outcome outcome = sample_partial();
    cJSON *json = parse(&outcome);
    (void)state;
    expect_member(json, "error.code", "incomplete");
    expect_member(json, "not_removed.0.key", "0a1b2c3d-0000-4000-8000-000000000001");
    expect_member(json, "not_removed.0.state", "changed");
    assert_int_equal((int)cJSON_GetNumberValue(at(json, "not_removed.0.http_status")), 412);
    expect_member(json, "written_after_plan.0.name", "Customers");
    cJSON_Delete(json);
}

static void
hostile_texts_are_data_and_nothing_else(void **state)
{
    const struct outcome outcome = sample_hostile();
    cJSON *json = parse(&outcome);
    (void)state;
    const char *verdict = cJSON_GetStringValue(at(json, "verdict"));
    assert_non_null(strstr(verdict, "a\x1b[31m\"\\\r\nclean\t"));
    assert_non_null(strstr(verdict, "\xef\xbf\xbd")); /* for the byte that is no UTF-8 */
    expect_member(json, "before.checks.0.check", "A-ROWS");
    assert_int_equal(cJSON_GetArraySize(at(json, "before.axdb.tables.0.triggers")), 1);
    cJSON_Delete(json);
}

/** No control character stands raw in the text: a terminal that shows the file stays harmless. */
static void
control_characters_are_escaped_in_the_text(void **state)
{
    const struct outcome outcome = sample_hostile();
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_true(report_json(&outcome, &text, &err));
    for (size_t i = 0; i < text.used; i++)
        assert_true(text.data[i] == '\n' || (unsigned char)text.data[i] >= 0x20);
}

static void
a_command_that_never_began_has_a_report_too(void **state)
{
    const struct outcome outcome = {.command = "verify",
                                    .word = OUTCOME_FAILED,
                                    .exit_status = 64,
                                    .err = {.code = ERR_USAGE, .primary = "no target is named"},
                                    .verdict = "no target is named",
                                    .locked_ms = -1};
    cJSON *json = parse(&outcome);
    (void)state;
    expect_member(json, "error.code", "usage");
    expect_member(json, "before.axdb", NULL);
    expect_member(json, "class", NULL);
    assert_int_equal((int)cJSON_GetNumberValue(at(json, "exit_status")), 64);
    cJSON_Delete(json);
}

/* ---- the schema: enough of it to see that report and schema have the same members */

static const cJSON *
resolve(const cJSON *root, const cJSON *schema)
{
    const cJSON *ref = cJSON_GetObjectItemCaseSensitive(schema, "$ref");
    if (!ref)
        return schema;
    const char *name = cJSON_GetStringValue(ref) + strlen("#/$defs/");
    return resolve(root, cJSON_GetObjectItemCaseSensitive(
                             cJSON_GetObjectItemCaseSensitive(root, "$defs"), name));
}

/** The branch of anyOf that is not null. */
static const cJSON *
not_null(const cJSON *root, const cJSON *schema)
{
    schema = resolve(root, schema);
    const cJSON *any = cJSON_GetObjectItemCaseSensitive(schema, "anyOf");
    return any ? not_null(root, cJSON_GetArrayItem(any, 0)) : schema;
}

static void
compare(const cJSON *root, const cJSON *schema, const cJSON *value)
{
    schema = not_null(root, schema);
    if (cJSON_IsArray(value)) {
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, value)
            compare(root, cJSON_GetObjectItemCaseSensitive(schema, "items"), item);
    }
    if (!cJSON_IsObject(value))
        return;
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    const cJSON *required = cJSON_GetObjectItemCaseSensitive(schema, "required");
    const cJSON *member = NULL;
    assert_non_null(properties);
    cJSON_ArrayForEach(member, value)
    {
        const cJSON *known = cJSON_GetObjectItemCaseSensitive(properties, member->string);
        if (!known)
            fail_msg("\"%s\" is not in the schema", member->string);
        compare(root, known, member);
    }
    cJSON_ArrayForEach(member, required)
    {
        if (!cJSON_GetObjectItemCaseSensitive(value, cJSON_GetStringValue(member)))
            fail_msg("\"%s\" is required", cJSON_GetStringValue(member));
    }
}

static cJSON *
read_schema(void)
{
    static const char name[] = "../../../../../../include/report/outcome.schema.json";
    const char *path = name + sizeof(name) - sizeof("include/report/outcome.schema.json");
    char *bytes = NULL;
    size_t size = 0;
    struct err err;
    while (access(path, F_OK) != 0 && path > name)
        path -= strlen("../");
    assert_true(file_read(path, 1 << 20, &bytes, &size, &err));
    cJSON *schema = cJSON_ParseWithLength(bytes, size);
    free(bytes);
    assert_non_null(schema);
    return schema;
}

/** DWCLEAN_JSON_DIR=DIR keeps the reports there, for tests/cli/validate_json.mjs. */
static void
keep(const struct outcome *outcome, size_t number)
{
    /* A test has one thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *folder = getenv("DWCLEAN_JSON_DIR");
    TEXT_SCOPED text = {0};
    TEXT_SCOPED path = {0};
    struct err err;
    if (!folder)
        return;
    text_printf(&path, "%s/report-%zu.json", folder, number);
    assert_true(report_json(outcome, &text, &err));
    assert_true(file_replace(text_string(&path), text_string(&text), text.used, 0644, &err));
}

static void
report_and_schema_have_the_same_members(void **state)
{
    static struct outcome (*const samples[])(void) = {sample_residue,      sample_dry_run,
                                                      sample_done,         sample_partial,
                                                      sample_undo_partial, sample_hostile};
    cJSON *schema = read_schema();
    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        const struct outcome outcome = samples[i]();
        cJSON *json = parse(&outcome);
        keep(&outcome, i);
        compare(schema, schema, json);
        cJSON_Delete(json);
    }
    cJSON_Delete(schema);
}

static void
a_hundred_thousand_rows_are_counted_and_the_first_of_them_listed(void **state)
{
    enum { ALL = 100000, ROWS = 1000, KEPT = 200, ROW_BYTES = 1024, MAX_CPU_MS = 1000 };
    struct runtime_row *rows = calloc(ROWS, sizeof(*rows));
    struct runtime_evidence runtime = sample_runtime;
    struct outcome outcome = sample_partial();
    TEXT_SCOPED json = {0};
    TEXT_SCOPED text = {0};
    struct err err;
    (void)state;
    assert_non_null(rows);
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = sample_rows[0];
    runtime.rows = rows;
    runtime.row_count = ALL;
    runtime.kept_count = KEPT;
    outcome.before.runtime = &runtime;
    outcome.after = outcome.before;
    outcome.after_taken = true;
    outcome.written_after = rows;
    outcome.written_after_count = ROWS;
    outcome.tables[TABLE_RUNTIME].new_rows = ALL;

    const clock_t began = clock();
    assert_true(report_json(&outcome, &json, &err));
    assert_true(report_text(&outcome, 80, false, &text, &err));
    const clock_t took_ms = (clock() - began) * 1000 / CLOCKS_PER_SEC;
    assert_in_range(took_ms, 0, MAX_CPU_MS);
    assert_in_range(json.capacity, ROWS, 3 * ROWS * ROW_BYTES);
    assert_in_range(text.capacity, 1, 64 * 1024);
    cJSON *parsed = cJSON_ParseWithLength(text_string(&json), json.used);
    assert_int_equal(cJSON_GetArraySize(at(parsed, "before.dataverse.rows")), KEPT);
    assert_int_equal(cJSON_GetArraySize(at(parsed, "after.dataverse.rows")), KEPT);
    assert_string_equal(at(parsed, "after.dataverse.rows_more")->valuestring, "99800");
    assert_int_equal(cJSON_GetArraySize(at(parsed, "written_after_plan")), ROWS);
    assert_string_equal(at(parsed, "written_after_plan_more")->valuestring, "99000");
    assert_string_equal(at(parsed, "not_removed_more")->valuestring, "0");
    assert_non_null(strstr(text_string(&text), "and 99980 more: see the JSON report"));
    cJSON_Delete(parsed);
    free(rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_is_told_whole),
        cmocka_unit_test(steps_and_operator_are_told),
        cmocka_unit_test(what_is_not_known_is_null_and_not_zero),
        cmocka_unit_test(urls_lose_user_and_query),
        cmocka_unit_test(what_a_run_is_about_is_told),
        cmocka_unit_test(check_says_missing_where_others_say_differs),
        cmocka_unit_test(rows_that_did_not_leave_are_named),
        cmocka_unit_test(hostile_texts_are_data_and_nothing_else),
        cmocka_unit_test(control_characters_are_escaped_in_the_text),
        cmocka_unit_test(a_command_that_never_began_has_a_report_too),
        cmocka_unit_test(a_hundred_thousand_rows_are_counted_and_the_first_of_them_listed),
        cmocka_unit_test(report_and_schema_have_the_same_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
