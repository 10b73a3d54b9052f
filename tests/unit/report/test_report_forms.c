#include "base/file.h"
#include "base/text.h"
#include "core/symptom.h"
#include "report/report.h"
#include "sample.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A test has one thread. NOLINTBEGIN(concurrency-mt-unsafe) */

static const struct report_place place = {.host = "build01"};

static void
render(const struct outcome *outcome, enum report_form form, struct text *ret)
{
    struct err err;
    text_reset(ret);
    assert_true(report_render(outcome, form, &place, ret, &err));
    assert_true(text_is_utf8(text_string(ret), ret->used));
}

/** fixtures/golden/NAME of the tree that the test runs in. */
static void
golden_path(const char *name, char ret[PATH_MAX])
{
    static const char ups[] = "../../../../../../../../";
    for (size_t up = 0; up < sizeof(ups); up += 3) {
        (void)snprintf(ret, PATH_MAX, "%.*sfixtures/golden", (int)up, ups);
        if (access(ret, F_OK) == 0) {
            (void)snprintf(ret, PATH_MAX, "%.*sfixtures/golden/%s", (int)up, ups, name);
            return;
        }
    }
    fail_msg("fixtures/golden was not found above the working directory");
}

/** The version of the program is no part of the form. */
static void
mask_version(const char *text, struct text *ret)
{
    static const char name[] = "dwclean ";
    for (const char *at = text; *at;) {
        const bool found = strncmp(at, name, strlen(name)) == 0 && at[8] >= '0' && at[8] <= '9';
        if (found) {
            text_append(ret, "dwclean VERSION");
            at += strcspn(at, "\",\r\n");
        } else {
            text_append_bytes(ret, at++, 1);
        }
    }
}

/** DWCLEAN_WRITE_GOLDENS=1 writes the file instead: look at the difference before you keep it. */
static void
expect_golden(const struct outcome *outcome, enum report_form form, const char *name)
{
    TEXT_SCOPED whole = {0};
    TEXT_SCOPED text = {0};
    struct err err;
    char path[PATH_MAX];
    char *golden = NULL;
    size_t size = 0;
    golden_path(name, path);
    render(outcome, form, &whole);
    mask_version(text_string(&whole), &text);
    if (getenv("DWCLEAN_WRITE_GOLDENS"))
        assert_true(file_replace(path, text_string(&text), text.used, 0644, &err));
    assert_true(file_read(path, 1 << 20, &golden, &size, &err));
    assert_string_equal(text_string(&text), golden);
    free(golden);
}

/** A stale plan, and what a text shows: members that few outcomes have. */
static struct outcome
sample_stale(void)
{
    static const char *const columns[] = {"column NAME is new"};
    static const struct plan_difference difference = {
        .tables = {[TABLE_PROJECT] = {.gone = {.rows = 1, .keys = {"1"}, .count = 1},
                                      .changed = {.rows = 2, .keys = {"2", "3"}, .count = 2},
                                      .columns = columns,
                                      .column_count = 1}}};
    static struct symptom_match match = {.excerpt = "SecureConfig \"a\"", .configured = "a"};
    static const struct explained explained = {
        .match = &match, .confirmation = CONFIRMATION_CONFIRMED, .evidence = "two rows name a"};
    static const char *const remains[] = {"Stop the maps.", "Relink."};
    static const struct situation situation = {.id = "P2",
                                               .title = "Dataverse was restored",
                                               .likely = true,
                                               .evidence = "2 rows name a",
                                               .remains = remains,
                                               .remain_count = 2,
                                               .source = "relink-environments"};
    struct outcome outcome = sample_dry_run();
    match.symptom = symptom_by_id("S01");
    assert_non_null(match.symptom);
    outcome.command = "apply";
    outcome.word = OUTCOME_STALE;
    outcome.exit_status = 5;
    outcome.err = (struct err){.code = ERR_STALE, .primary = "the plan is stale", .hint = "Plan."};
    outcome.verdict = "the plan is stale";
    outcome.difference = &difference;
    outcome.explained = &explained;
    outcome.explained_count = 1;
    outcome.situations = &situation;
    outcome.situation_count = 1;
    return outcome;
}

static void
reports_look_as_agreed(void **state)
{
    const struct outcome residue = sample_residue(), done = sample_done(),
                         partial = sample_partial();
    const struct outcome map = sample_repair_map(), stale = sample_stale();
    (void)state;
    expect_golden(&map, REPORT_NDJSON, "repair-map-dry-run.ndjson");
    expect_golden(&stale, REPORT_NDJSON, "apply-stale.ndjson");
    expect_golden(&stale, REPORT_CSV, "apply-stale.csv");
    expect_golden(&stale, REPORT_JUNIT, "apply-stale.junit.xml");
    expect_golden(&residue, REPORT_NDJSON, "verify-residue.ndjson");
    expect_golden(&residue, REPORT_CSV, "verify-residue.csv");
    expect_golden(&residue, REPORT_JUNIT, "verify-residue.junit.xml");
    expect_golden(&done, REPORT_CSV, "clean-done.csv");
    expect_golden(&done, REPORT_JUNIT, "clean-done.junit.xml");
    expect_golden(&partial, REPORT_NDJSON, "clean-partial.ndjson");
    expect_golden(&partial, REPORT_JUNIT, "clean-partial.junit.xml");
}

static size_t
count(const char *text, const char *what)
{
    size_t found = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        found++;
    return found;
}

/** Every sample, in the order of `index`; false behind the last. */
static bool
sample_at(size_t index, struct outcome *ret)
{
    static struct outcome (*const samples[])(void) = {
        sample_residue,      sample_dry_run,    sample_done,  sample_partial,
        sample_part,         sample_repair_map, sample_stale, sample_undo,
        sample_undo_partial, sample_settled,    sample_check, sample_hostile};
    if (index >= sizeof(samples) / sizeof(samples[0]))
        return false;
    *ret = samples[index]();
    return true;
}

/* ---- ndjson */

/** The next line as JSON, NULL at the end; each must be an object of ASCII alone. */
static cJSON *
next_line(const char **at)
{
    if (!**at)
        return NULL;
    const size_t size = strcspn(*at, "\n");
    assert_int_equal((*at)[size], '\n');
    for (size_t i = 0; i < size; i++)
        assert_in_range((unsigned char)(*at)[i], 0x20, 0x7E);
    cJSON *line = cJSON_ParseWithLength(*at, size);
    assert_true(cJSON_IsObject(line));
    *at += size + 1;
    return line;
}

static const char *
member(const cJSON *line, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, name));
}

static void
finished_is_the_last_event_and_the_only_one(void **state)
{
    TEXT_SCOPED text = {0};
    struct outcome outcome;
    (void)state;
    for (size_t i = 0; sample_at(i, &outcome); i++) {
        size_t lines = 0, finished = 0;
        render(&outcome, REPORT_NDJSON, &text);
        const char *at = text_string(&text);
        for (cJSON *line = next_line(&at); line; line = next_line(&at)) {
            const bool is_last = strcmp(member(line, "event"), "finished") == 0;
            assert_string_equal(member(line, "schema_version"), "1");
            assert_int_equal(is_last, *at == '\0');
            assert_int_equal(strcmp(member(line, "event"), "started") == 0, lines == 0);
            if (is_last)
                assert_int_equal(
                    (int)cJSON_GetNumberValue(cJSON_GetObjectItem(line, "exit_status")),
                    outcome.exit_status);
            finished += is_last;
            lines++;
            cJSON_Delete(line);
        }
        assert_int_equal(finished, 1);
        assert_true(lines > 5);
    }
}

static void
events_keep_every_character(void **state)
{
    TEXT_SCOPED text = {0};
    struct outcome outcome = sample_residue();
    size_t found = 0;
    (void)state;
    outcome.verdict = "\xC3\xA4 \xE2\x80\xA8 \xC2\x85 \xF0\x9F\x98\x80 \xE2\x82\xAC \"\\\r\n\x1b";
    render(&outcome, REPORT_NDJSON, &text);
    const char *at = text_string(&text);
    for (cJSON *line = next_line(&at); line; line = next_line(&at)) {
        if (strcmp(member(line, "event"), "finished") == 0) {
            assert_string_equal(member(line, "verdict"), outcome.verdict);
            found++;
        }
        cJSON_Delete(line);
    }
    assert_int_equal(found, 1);
}

/* ---- CSV */

enum { CELLS = 17, CELL_BYTES = 2048 };

/** A record by RFC 4180, cells in `ret`; false at the end. */
static bool
next_record(const char **at, char ret[CELLS][CELL_BYTES])
{
    const char *p = *at;
    if (!*p)
        return false;
    for (size_t cell = 0; cell < CELLS; cell++) {
        size_t size = 0;
        const bool quoted = *p == '"';
        p += quoted;
        while (quoted ? *p != '"' || p[1] == '"' : *p != ',' && *p != '\r') {
            assert_true(*p && *p != '\n' && *p != '\r' && size < CELL_BYTES - 1);
            assert_true(quoted || *p != '"');
            p += quoted && *p == '"';
            ret[cell][size++] = *p++;
        }
        ret[cell][size] = '\0';
        p += quoted;
        assert_int_equal(*p, cell + 1 < CELLS ? ',' : '\r');
        p++;
    }
    assert_int_equal(*p, '\n');
    *at = p + 1;
    return true;
}

static void
every_fact_is_one_line_of_as_many_cells_as_there_are_columns(void **state)
{
    static char cells[CELLS][CELL_BYTES];
    TEXT_SCOPED text = {0};
    struct outcome outcome;
    (void)state;
    for (size_t i = 0; sample_at(i, &outcome); i++) {
        size_t records = 0;
        render(&outcome, REPORT_CSV, &text);
        const char *at = text_string(&text);
        while (next_record(&at, cells)) {
            assert_string_equal(cells[4], records == 0 ? "kind" : cells[4]);
            assert_true(records == 0 || strcmp(cells[2], outcome.command) == 0);
            records++;
        }
        assert_int_equal(records, count(text_string(&text), "\r\n"));
        assert_int_equal(records, count(text_string(&text), "\n"));
        assert_true(records > 10);
    }
}

/** The report of a host of that name: its line in `ret`. */
static void
host_line(const char *host, enum report_form form, struct text *ret)
{
    TEXT_SCOPED text = {0};
    struct outcome outcome = sample_residue();
    const struct host_count hosts[] = {{host, 4711, false}};
    outcome.before.hosts = hosts;
    outcome.before.host_count = 1;
    render(&outcome, form, &text);
    for (const char *at = text_string(&text); *at;) {
        const size_t size = strcspn(at, "\n");
        if (memmem(at, size, "4711", 4) && memmem(at, size, "host", 4))
            text_append_bytes(ret, at, size);
        at += size + (at[size] ? 1 : 0);
    }
    assert_true(ret->used > 0);
}

static void
no_cell_is_a_formula(void **state)
{
    static const struct {
        const char *host, *cell;
    } cases[] = {
        {"=cmd|' /C calc'!A0", ",'=cmd|' /C calc'!A0,"},
        {"+1", ",'+1,"},
        {"-1", ",'-1,"},
        {"@SUM(A1)", ",'@SUM(A1),"},
        {"\t=1", ",\\u0009=1,"},
        {"\r=1", ",\\u000d=1,"},
        {"\n=1", ",\\u000a=1,"},
        {"  =1", ",\"'  =1\","},
        {"\"=1", ",\"'\"\"=1\","},
        {"'=1", ",''=1,"},
        {"x;=1", ",\"x;'=1\","},
        {"x; \"=1", ",\"x;' \"\"=1\","},
        {"\xEF\xBC\x9D"
         "1",
         ",'\xEF\xBC\x9D"
         "1,"},
        {"a=1", ",a=1,"},
        {"a,b", ",\"a,b\","},
        {"a\"b", ",\"a\"\"b\","},
        {"a\r\nb", ",a\\u000d\\u000ab,"},
        {"\x1b[2J\xff\xed\xa0\x80\xe2\x80\xae", ",\\u001b[2J\\xff\\ud800\\u202e,"},
        {"\xed\xaf", ",\\xed\\xaf,"},
        {"\xf3\xa0\x80\x81", ",\\u{e0001},"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TEXT_SCOPED line = {0};
        host_line(cases[i].host, REPORT_CSV, &line);
        if (!strstr(text_string(&line), cases[i].cell))
            fail_msg("%zu: %s is not in %s", i, cases[i].cell, text_string(&line));
    }
}

/* ---- JUnit */

static long
number_of(const char *xml, const char *attribute)
{
    const char *suite = strstr(xml, "<testsuite ");
    assert_non_null(suite);
    const char *at = strstr(suite, attribute);
    assert_non_null(at);
    return strtol(at + strlen(attribute), NULL, 10);
}

/** What XML 1.0 has no place for, and markup that is not ours. */
static void
expect_safe_xml(const char *xml)
{
    for (const unsigned char *p = (const unsigned char *)xml; *p; p++)
        assert_true(*p >= 0x20 ? *p != 0x7F : *p == '\n');
    assert_null(strstr(xml, "]]>"));
    assert_null(strstr(xml, "<b>"));
    assert_int_equal(count(xml, "<testcase "), count(xml, "</testcase>"));
    assert_int_equal(count(xml, "<testsuite "), count(xml, "</testsuite>"));
    assert_int_equal(count(xml, "<system-out>"), count(xml, "</system-out>"));
}

static void
numbers_agree_and_a_failure_is_a_status(void **state)
{
    TEXT_SCOPED text = {0};
    struct outcome outcome;
    (void)state;
    for (size_t i = 0; sample_at(i, &outcome); i++) {
        render(&outcome, REPORT_JUNIT, &text);
        const char *xml = text_string(&text);
        const long failures = number_of(xml, " failures=\""), errors = number_of(xml, " errors=\"");
        expect_safe_xml(xml);
        assert_int_equal(number_of(xml, " tests=\""), count(xml, "<testcase "));
        assert_int_equal(failures, count(xml, "<failure "));
        assert_int_equal(errors, count(xml, "<error "));
        assert_int_equal(number_of(xml, " skipped=\""), count(xml, "<skipped "));
        if ((failures + errors > 0) != (outcome.exit_status != 0))
            fail_msg("%zu: %ld failures, %ld errors, status %d", i, failures, errors,
                     outcome.exit_status);
    }
}

static void
an_undo_is_no_failure_for_the_rows_that_it_puts_back(void **state)
{
    TEXT_SCOPED text = {0};
    struct outcome outcome = sample_undo();
    (void)state;
    outcome.after = outcome.before; /* A-ROWS differs */
    render(&outcome, REPORT_JUNIT, &text);
    assert_int_equal(number_of(text_string(&text), " tests=\""), 1);
    assert_int_equal(count(text_string(&text), "<failure "), 0);
    assert_non_null(strstr(text_string(&text), "A-ROWS"));
}

static void
a_run_without_checks_has_one_case(void **state)
{
    TEXT_SCOPED text = {0};
    struct outcome outcome = {.command = "verify",
                              .word = OUTCOME_FAILED,
                              .exit_status = 64,
                              .err = {.code = ERR_USAGE, .primary = "no <target>"},
                              .verdict = "no <target>",
                              .locked_ms = -1};
    (void)state;
    render(&outcome, REPORT_JUNIT, &text);
    assert_int_equal(number_of(text_string(&text), " tests=\""), 1);
    assert_int_equal(number_of(text_string(&text), " errors=\""), 1);
    assert_non_null(
        strstr(text_string(&text), "<error message=\"no &lt;target&gt;\" type=\"usage\">"));
    assert_null(strstr(text_string(&text), "<target>"));
}

static void
no_text_breaks_out_of_its_element(void **state)
{
    static const char hostile[] =
        "</testcase>]]>\"'&\x1b\r\n\t\xff\xed\xa0\x80\xef\xbf\xbe\xc2\x9b";
    static const char escaped[] =
        "&lt;/testcase&gt;]]&gt;&quot;&#39;&amp;\\u001b\\u000d\\u000a\\u0009\\xff\\ud800\\ufffe\\u009b";
    const struct observation checks[] = {
        {"A-ROWS", true, VERDICT_DIFFERS, hostile, hostile, hostile, ERR_NONE},
        {"A-AOS", false, VERDICT_UNKNOWN, hostile, NULL, NULL, ERR_PERMISSION},
        {"D-ROWS", true, VERDICT_UNKNOWN, hostile, NULL, NULL, ERR_SERVER}};
    TEXT_SCOPED text = {0};
    struct outcome outcome = sample_residue();
    (void)state;
    outcome.before.observations = checks;
    outcome.before.observation_count = 3;
    outcome.environment = outcome.verdict = outcome.reason = hostile;
    render(&outcome, REPORT_JUNIT, &text);
    expect_safe_xml(text_string(&text));
    /* message and content of the failure, its hint and code, the messages of the others, ... */
    assert_in_range(count(text_string(&text), escaped), 8, 40);
    assert_int_equal(count(text_string(&text), "</testcase>"), 3);
}

static void
one_document_has_several_items(void **state)
{
    TEXT_SCOPED text = {0};
    struct outcome outcome = sample_residue();
    struct err err;
    (void)state;
    assert_true(report_junit_head(&text, &err) && report_junit_item(&outcome, &place, &text, &err));
    outcome.environment = "qa";
    assert_true(report_junit_item(&outcome, &place, &text, &err) && report_junit_tail(&text, &err));
    expect_safe_xml(text_string(&text));
    assert_int_equal(count(text_string(&text), "<testsuite "), 2);
    assert_int_equal(count(text_string(&text), "name=\"A-ROWS (uat)\""), 1);
    assert_int_equal(count(text_string(&text), "name=\"A-ROWS (qa)\""), 1);

    text_reset(&text);
    assert_true(report_csv_head(&text, &err) && report_csv_item(&outcome, &text, &err) &&
                report_csv_item(&outcome, &text, &err) && report_csv_tail(&text, &err));
    assert_int_equal(count(text_string(&text), "environment,run_id"), 1);
    assert_int_equal(count(text_string(&text), ",run,outcome,"), 2);
}

static void
every_form_has_a_name_and_is_found_by_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REPORT_FORMS; i++) {
        enum report_form form = REPORT_FORMS;
        assert_true(report_form_find(report_form_name((enum report_form)i), &form));
        assert_int_equal(form, i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_look_as_agreed),
        cmocka_unit_test(finished_is_the_last_event_and_the_only_one),
        cmocka_unit_test(events_keep_every_character),
        cmocka_unit_test(every_fact_is_one_line_of_as_many_cells_as_there_are_columns),
        cmocka_unit_test(no_cell_is_a_formula),
        cmocka_unit_test(numbers_agree_and_a_failure_is_a_status),
        cmocka_unit_test(an_undo_is_no_failure_for_the_rows_that_it_puts_back),
        cmocka_unit_test(a_run_without_checks_has_one_case),
        cmocka_unit_test(no_text_breaks_out_of_its_element),
        cmocka_unit_test(one_document_has_several_items),
        cmocka_unit_test(every_form_has_a_name_and_is_found_by_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* NOLINTEND(concurrency-mt-unsafe) */
