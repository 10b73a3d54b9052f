/*
 * JUnit XML, as Azure DevOps, GitLab and Jenkins read it. A suite has a failure or an error exactly
 * where the exit status is not 0: what the status was not judged by (evidence before a change, the
 * rows of a plan) is in the output of the suite and is no test.
 */
#include "base/clock.h"
#include "parts.h"
#include "report/report.h"
#include "report/words.h"
#include "xml_writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SYSTEM_OUT_WIDTH = 100, STAMP_SECONDS = 19 };

enum result { RESULT_PASSED, RESULT_SKIPPED, RESULT_ERROR, RESULT_FAILURE, RESULTS };

/** The cases of a suite, written while they are counted. */
struct suite {
    const struct outcome *outcome;
    struct text *cases;
    size_t tests, of[RESULTS];
};

static bool
all_required_ok(const struct evidence *seen)
{
    for (size_t i = 0; i < seen->observation_count; i++) {
        if (seen->observations[i].required && seen->observations[i].verdict != VERDICT_OK)
            return false;
    }
    return true;
}

/** An undo puts rows back, and repair-map leaves other maps': what verify says of that is no fault.
 */
static bool
after_decides(const struct outcome *outcome)
{
    return !parts_is_undo(outcome) && !outcome->map_row_count &&
           !parts_is_command(outcome, "repair-map") &&
           (outcome->exit_status != 0 || all_required_ok(&outcome->after));
}

/** The evidence that the status was judged by; NULL = it was not judged by checks. */
static const struct evidence *
judged(const struct outcome *outcome)
{
    static const char *const reading[] = {"verify", "check", "explain", "env"};
    if (outcome->after_taken)
        return after_decides(outcome) ? &outcome->after : NULL;
    for (size_t i = 0; i < sizeof(reading) / sizeof(reading[0]); i++) {
        if (parts_is_command(outcome, reading[i]))
            return &outcome->before;
    }
    return NULL;
}

static const char *
class_of(const char *check)
{
    return check[0] == 'A' ? "dwclean.axdb" : check[0] == 'D' ? "dwclean.dataverse" : "dwclean.run";
}

static enum result
result_of(const struct observation *seen)
{
    if (seen->verdict == VERDICT_UNKNOWN)
        return seen->required ? RESULT_ERROR : RESULT_SKIPPED;
    return seen->verdict == VERDICT_DIFFERS && seen->required ? RESULT_FAILURE : RESULT_PASSED;
}

static const char *
word_of(const struct suite *suite, const struct observation *seen)
{
    return parts_is_command(suite->outcome, "check") ? presence_name(seen->verdict)
                                                     : verdict_name(seen->verdict);
}

/** `<testcase ...>`. The environment is in the name: readers of many suites tell cases by it. */
static void
open_case(struct suite *suite, const char *class_name, const char *name, enum result result)
{
    TEXT_SCOPED full = {0};
    const char *environment = suite->outcome->environment;
    text_append(&full, name);
    if (environment)
        text_printf(&full, " (%s)", environment);
    suite->tests++;
    suite->of[result]++;
    text_append(suite->cases, "    <testcase");
    xml_attribute(suite->cases, "classname", class_name);
    xml_attribute(suite->cases, "name", text_string(&full));
}

/** `<failure ...>` and its like, open; `type` NULL = none. */
static void
open_result(struct text *ret, enum result result, const char *message, const char *type)
{
    static const char *const names[RESULTS] = {
        [RESULT_SKIPPED] = "skipped", [RESULT_ERROR] = "error", [RESULT_FAILURE] = "failure"};
    text_printf(ret, "      <%s", names[result]);
    xml_attribute(ret, "message", message);
    xml_attribute(ret, "type", type);
    text_append(ret, result == RESULT_SKIPPED ? "/>\n" : ">");
}

static void
close_result(struct text *ret, enum result result)
{
    if (result != RESULT_SKIPPED)
        text_printf(ret, "</%s>\n", result == RESULT_ERROR ? "error" : "failure");
}

static void
write_line(struct text *ret, const char *label, const char *value)
{
    if (!value || !*value)
        return;
    text_append(ret, label);
    xml_append(ret, value);
    text_append(ret, "\n");
}

/* ---- a check */

/** Is it the first observation of its check? The others belong to the same case. */
static bool
is_first(const struct evidence *seen, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(seen->observations[i].check, seen->observations[index].check) == 0)
            return false;
    }
    return true;
}

static bool
is_same(const struct observation *a, const struct observation *b)
{
    return strcmp(a->check, b->check) == 0;
}

/** What a case came to: the worst of its observations, and the first that says so. */
static const struct observation *
worst_of(const struct evidence *seen, size_t first)
{
    const struct observation *worst = &seen->observations[first];
    for (size_t i = first + 1; i < seen->observation_count; i++) {
        const struct observation *next = &seen->observations[i];
        if (is_same(next, worst) && result_of(next) > result_of(worst))
            worst = next;
    }
    return worst;
}

/** Text and hints of the observations that came to `result`. */
static void
write_reasons(struct text *ret, const struct evidence *seen, const struct observation *worst)
{
    for (size_t i = 0; i < seen->observation_count; i++) {
        const struct observation *next = &seen->observations[i];
        if (!is_same(next, worst) || result_of(next) != result_of(worst))
            continue;
        write_line(ret, "", next->text);
        write_line(ret, "hint: ", next->hint);
        write_line(ret, "health check: ", next->code);
        write_line(ret, "cause: ", next->cause == ERR_NONE ? NULL : err_name(next->cause));
    }
}

static void
write_case_output(struct suite *suite, const struct evidence *seen, const struct observation *of)
{
    struct text *ret = suite->cases;
    text_append(ret, "      <system-out>");
    for (size_t i = 0; i < seen->observation_count; i++) {
        const struct observation *next = &seen->observations[i];
        if (!is_same(next, of))
            continue;
        text_printf(ret, "%s%s: ", word_of(suite, next), next->required ? "" : " (advisory)");
        write_line(ret, "", next->text ? next->text : "-");
        if (result_of(next) == RESULT_PASSED || result_of(next) == RESULT_SKIPPED)
            write_line(ret, "hint: ", next->hint);
    }
    text_append(ret, "</system-out>\n");
}

/** The first of them, and how many there are. */
static void
append_message(struct text *ret, const struct evidence *seen, const struct observation *worst)
{
    size_t others = 0;
    for (size_t i = 0; i < seen->observation_count; i++) {
        const struct observation *next = &seen->observations[i];
        others += next != worst && is_same(next, worst) && result_of(next) == result_of(worst);
    }
    text_append(ret, worst->text ? worst->text : worst->check);
    if (others)
        text_printf(ret, " (and %zu more)", others);
}

static void
write_check(struct suite *suite, const struct evidence *seen, size_t first)
{
    const struct observation *worst = worst_of(seen, first);
    const enum result result = result_of(worst);
    TEXT_SCOPED message = {0};
    append_message(&message, seen, worst);
    open_case(suite, class_of(worst->check), worst->check, result);
    text_append(suite->cases, ">\n");
    if (result != RESULT_PASSED) {
        open_result(suite->cases, result, text_string(&message),
                    result == RESULT_SKIPPED ? NULL : word_of(suite, worst));
        if (result != RESULT_SKIPPED)
            write_reasons(suite->cases, seen, worst);
        close_result(suite->cases, result);
    }
    write_case_output(suite, seen, worst);
    text_append(suite->cases, "    </testcase>\n");
}

/* ---- the run */

/** It failed; else its status says that there is something to do or to look at. */
static enum result
result_of_run(const struct outcome *outcome)
{
    if (outcome->exit_status == 0)
        return RESULT_PASSED;
    return outcome->err.code != ERR_NONE || outcome->exit_status != 2 ? RESULT_ERROR
                                                                      : RESULT_FAILURE;
}

static void
write_run(struct suite *suite)
{
    const struct outcome *outcome = suite->outcome;
    const struct err *err = &outcome->err;
    const enum result result = result_of_run(outcome);
    const bool failed = err->code != ERR_NONE;
    struct text *ret = suite->cases;
    open_case(suite, "dwclean.run", "run", result);
    xml_attribute_seconds(ret, "time", parts_took_ms(outcome));
    text_append(ret, ">\n");
    if (result != RESULT_PASSED) {
        open_result(ret, result, failed ? err->primary : outcome->verdict,
                    failed ? err_name(err->code) : outcome_word_name(outcome->word));
        write_line(ret, "", failed ? err->primary : outcome->verdict);
        write_line(ret, "detail: ", err->detail);
        write_line(ret, "hint: ", err->hint);
        close_result(ret, result);
    }
    text_append(ret, "      <system-out>");
    write_line(ret, "outcome: ", outcome_word_name(outcome->word));
    write_line(ret, "verdict: ", outcome->verdict);
    text_append(ret, "</system-out>\n    </testcase>\n");
}

/** A status without a case that says so would be lost on the way to the pipeline. */
static bool
needs_run(const struct suite *suite, const struct evidence *seen)
{
    const bool told = suite->of[RESULT_FAILURE] + suite->of[RESULT_ERROR] > 0;
    return suite->tests == 0 || seen != &suite->outcome->before ||
           (suite->outcome->exit_status != 0 && !told);
}

static void
write_cases(struct suite *suite)
{
    const struct evidence *seen = judged(suite->outcome);
    for (size_t i = 0; seen && i < seen->observation_count; i++) {
        if (is_first(seen, i))
            write_check(suite, seen, i);
    }
    if (needs_run(suite, seen))
        write_run(suite);
}

/* ---- the suite */

static void
write_property(struct text *ret, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    text_append(ret, "      <property");
    xml_attribute(ret, "name", name);
    xml_attribute(ret, "value", value);
    text_append(ret, "/>\n");
}

static void
write_properties(struct text *ret, const struct outcome *outcome)
{
    struct parts_target targets[2];
    const size_t count = parts_targets(outcome, targets);
    char status[16];
    (void)snprintf(status, sizeof(status), "%d", outcome->exit_status);
    text_append(ret, "    <properties>\n");
    write_property(ret, "program", "dwclean " DWCLEAN_VERSION);
    write_property(ret, "outcome", outcome_word_name(outcome->word));
    write_property(ret, "exit_status", status);
    write_property(ret, "verdict", outcome->verdict);
    write_property(ret, "environment", outcome->environment);
    write_property(ret, "class", outcome->environment_class);
    write_property(ret, "scope", outcome->scope);
    write_property(ret, "reason", outcome->reason);
    write_property(ret, "plan_id", outcome->plan_id);
    write_property(ret, "run_id", outcome->run_id);
    write_property(ret, "run_path", outcome->run_path);
    for (size_t i = 0; i < count; i++) {
        const struct parts_target *target = &targets[i];
        write_property(ret, target->is_axdb ? "axdb.server" : "dataverse.host", target->server);
        write_property(ret, "axdb.database", target->database);
        write_property(ret, "dataverse.organization", target->organization);
    }
    text_append(ret, "    </properties>\n");
}

static void
open_suite(struct text *ret, const struct suite *suite, const char *host)
{
    const struct outcome *outcome = suite->outcome;
    TEXT_SCOPED name = {0};
    char stamp[CLOCK_STAMP_BYTES];
    text_printf(&name, "dwclean %s%s%s", outcome->command ? outcome->command : "",
                outcome->environment ? " " : "", outcome->environment ? outcome->environment : "");
    clock_stamp(outcome->started_utc_ms, stamp);
    stamp[STAMP_SECONDS] = '\0'; /* readers take a fraction or a zone amiss */
    text_append(ret, "  <testsuite");
    xml_attribute(ret, "name", text_string(&name));
    xml_attribute_count(ret, "tests", suite->tests);
    xml_attribute_count(ret, "failures", suite->of[RESULT_FAILURE]);
    xml_attribute_count(ret, "errors", suite->of[RESULT_ERROR]);
    xml_attribute_count(ret, "skipped", suite->of[RESULT_SKIPPED]);
    xml_attribute(ret, "hostname", host && *host ? host : "localhost");
    xml_attribute(ret, "timestamp", stamp);
    xml_attribute_seconds(ret, "time", parts_took_ms(outcome));
    text_append(ret, ">\n");
}

/** The report for a person is the output of the suite: evidence, rows, situations, next steps. */
static bool
write_output(struct text *ret, const struct outcome *outcome, struct err *err)
{
    TEXT_SCOPED report = {.max = ret->max};
    if (!report_text(outcome, SYSTEM_OUT_WIDTH, false, &report, err))
        return false;
    text_append(ret, "    <system-out>\n");
    xml_append_lines(ret, text_string(&report));
    text_append(ret, "</system-out>\n");
    return true;
}

bool
report_junit_head(struct text *ret, struct err *err)
{
    assert(ret && err);
    text_append(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dwclean\">\n");
    return text_ok(ret, err);
}

bool
report_junit_item(const struct outcome *outcome, const struct report_place *place, struct text *ret,
                  struct err *err)
{
    assert(outcome && place && ret && err);
    TEXT_SCOPED cases = {.max = ret->max};
    struct suite suite = {.outcome = outcome, .cases = &cases};
    write_cases(&suite);
    if (!text_ok(&cases, err))
        return false;
    open_suite(ret, &suite, place->host);
    write_properties(ret, outcome);
    text_append_bytes(ret, text_string(&cases), cases.used);
    if (!write_output(ret, outcome, err))
        return false;
    text_append(ret, "  </testsuite>\n");
    return text_ok(ret, err);
}

bool
report_junit_tail(struct text *ret, struct err *err)
{
    assert(ret && err);
    text_append(ret, "</testsuites>\n");
    return text_ok(ret, err);
}
