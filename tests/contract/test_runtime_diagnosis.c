/**
 * port/runtime_store.h, proved on the Dataverse adapter: what the environment itself says of what
 * is wrong.
 */
#include "runtime_sandbox.h"

#define DENIED                                                                                     \
    "\"times\":0,\"do\":\"error\",\"arg\":403,\"text\":\"0x80040220 prvRead is missing\"}"

static struct runtime_diagnosis
diagnose(unsigned parts)
{
    struct runtime_diagnosis diagnosis = {0};
    struct err err = {0};

    (void)observe();
    control("DELETE", "/log", NULL, NULL);
    expect(store->ops->diagnose(store, arena, parts, &diagnosis, &err), &err);
    return diagnosis;
}

/** A row whose payload is this JSON text. */
static void
plant(const char *unsecure)
{
    TEXT_SCOPED row = {0};

    text_append(&row, "{\"msdyn_name\":\"planted\",\"msdyn_unsecure\":");
    text_append_json(&row, unsecure, strlen(unsecure));
    text_append(&row, "}");
    control("POST", "/dataverse/rows", text_string(&row), NULL);
}

static const struct organization_name *
find_name(const struct runtime_diagnosis *diagnosis, const char *name)
{
    for (size_t i = 0; i < diagnosis->name_count; i++)
        if (strcmp(diagnosis->names[i].name, name) == 0)
            return &diagnosis->names[i];
    return NULL;
}

static void
everything_that_the_seed_says_is_found_with_six_requests(void **state)
{
    struct runtime_diagnosis diagnosis;

    (void)state;
    open_store();
    diagnosis = diagnose(DIAGNOSE_ALL);
    assert_int_equal(count_in_log("\"kind\":\"http\""), 6);
    assert_int_equal(count_in_log("\"method\":\"GET\""), 6);
    assert_int_equal(count_in_log("\"status\":\"200\""), 6);

    assert_true(diagnosis.names_part.known);
    assert_int_equal(diagnosis.rows_read, SEEDED_ROWS);
    assert_int_equal(diagnosis.rows_scanned, SEEDED_ROWS);
    assert_non_null(find_name(&diagnosis, "org_contosoprod"));
    assert_int_equal(find_name(&diagnosis, "org_contosoprod")->rows, SEEDED_ROWS);
    assert_true(find_name(&diagnosis, "org_contosoprod")->sure);
    assert_int_equal(diagnosis.name_count, 2); /* the name, and the URL */

    assert_true(diagnosis.traces_part.known);
    assert_int_equal(diagnosis.trace_count, 1);
    assert_non_null(strstr(diagnosis.traces[0].text, "SecureConfig Organization"));
    assert_string_equal(diagnosis.traces[0].created_on, "2026-11-20T09:15:00Z");

    assert_true(diagnosis.plugins_part.known);
    assert_int_equal(diagnosis.plugin_types, 2);
    assert_int_equal(diagnosis.plugin_steps, 1);
    assert_int_equal(diagnosis.disabled_steps, 0);

    assert_true(diagnosis.companies_part.known);
    assert_int_equal(diagnosis.company_count, 3);
    assert_true(diagnosis.companies[0].has_team);
}

static void
only_what_is_asked_for_is_asked(void **state)
{
    struct runtime_diagnosis diagnosis;

    (void)state;
    open_store();
    diagnosis = diagnose(DIAGNOSE_ORGANIZATION);
    assert_int_equal(count_in_log("\"kind\":\"http\""), 2);
    assert_true(diagnosis.names_part.asked && diagnosis.traces_part.asked);
    assert_false(diagnosis.plugins_part.asked || diagnosis.companies_part.asked);
    assert_false(diagnosis.plugins_part.known || diagnosis.companies_part.known);
    diagnosis = diagnose(DIAGNOSE_COMPANIES);
    assert_int_equal(count_in_log("\"kind\":\"http\""), 1);
    assert_true(diagnosis.companies_part.known);
}

static void
names_lie_in_json_in_json_and_hostile_rows_are_no_names(void **state)
{
    struct runtime_diagnosis diagnosis;
    TEXT_SCOPED deep = {0};

    (void)state;
    plant("{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"SecureConfigOrganization\\\\\\\":"
          "\\\\\\\"planted_org\\\\\\\"}\\\"}\"}");
    plant("{\"OrganizationName\":\"before\xEE\x80\x80"
          "after\"}"); /* stands for a NUL */
    plant("{\"OrganizationName\":\"never_ended");
    for (int i = 0; i < 5000; i++)
        text_append(&deep, "[");
    plant(text_string(&deep));
    open_store();
    diagnosis = diagnose(DIAGNOSE_NAMES);
    assert_true(diagnosis.names_part.known);
    assert_int_equal(diagnosis.rows_read, SEEDED_ROWS + 4);
    assert_int_equal(diagnosis.rows_scanned, SEEDED_ROWS + 1);
    assert_int_equal(diagnosis.name_count, 3);
    assert_non_null(find_name(&diagnosis, "planted_org"));
    assert_int_equal(find_name(&diagnosis, "planted_org")->rows, 1);
}

static void
at_most_fifty_rows_and_twenty_traces_are_read(void **state)
{
    struct runtime_diagnosis diagnosis;

    (void)state;
    for (int i = 0; i < DIAGNOSIS_ROWS; i++)
        plant("{}");
    for (int i = 0; i < DIAGNOSIS_TRACES + 5; i++) {
        char trace[256];

        (void)snprintf(trace, sizeof trace,
                       "{\"typename\":\"DualWriteRuntime\",\"messageblock\":\"number %d\","
                       "\"createdon\":\"2026-12-01T00:00:%02dZ\"}",
                       i, i);
        control("POST", "/dataverse/rows?set=plugintracelogs", trace, NULL);
    }
    open_store();
    diagnosis = diagnose(DIAGNOSE_ORGANIZATION);
    assert_int_equal(diagnosis.rows_read, DIAGNOSIS_ROWS);
    assert_int_equal(diagnosis.trace_count, DIAGNOSIS_TRACES);
    assert_non_null(strstr(diagnosis.traces[0].text, "number 24"));
    assert_non_null(strstr(diagnosis.traces[DIAGNOSIS_TRACES - 1].text, "number 5"));
}

static void
tracing_that_is_off_is_an_empty_list(void **state)
{
    struct runtime_diagnosis diagnosis;

    (void)state;
    set("{\"tracing\":false}");
    open_store();
    diagnosis = diagnose(DIAGNOSE_TRACES);
    assert_true(diagnosis.traces_part.known);
    assert_int_equal(diagnosis.trace_count, 0);
}

static void
steps_and_companies_that_are_broken_are_told(void **state)
{
    struct runtime_diagnosis diagnosis;

    (void)state;
    control("PATCH",
            "/dataverse/rows?set=sdkmessageprocessingsteps&id=d1000000-0000-4000-8000-000000000001",
            "{\"statecode\":1,\"statuscode\":2}", NULL);
    control("PATCH", "/dataverse/rows?set=cdm_companies&id=c1000000-0000-4000-8000-000000000002",
            "{\"cdm_name\":\"\",\"_cdm_defaultowningteam_value\":null}", NULL);
    open_store();
    diagnosis = diagnose(DIAGNOSE_PLUGINS | DIAGNOSE_COMPANIES);
    assert_int_equal(diagnosis.disabled_steps, 1);
    assert_string_equal(diagnosis.disabled_names[0], "DualWriteRuntime: Update of account");
    assert_string_equal(diagnosis.companies[0].code, "DAT"); /* in the order of the codes */
    assert_string_equal(diagnosis.companies[1].code, "DEMF");
    assert_string_equal(diagnosis.companies[1].name, "");
    assert_false(diagnosis.companies[1].has_team);
}

static void
without_the_right_to_read_a_part_it_is_not_known_and_the_others_are(void **state)
{
    static const struct {
        const char *match;
        unsigned part;
    } cases[] = {{"$top=50", DIAGNOSE_NAMES},
                 {"plugintracelogs", DIAGNOSE_TRACES},
                 {"pluginassemblies", DIAGNOSE_PLUGINS},
                 {"plugintypes", DIAGNOSE_PLUGINS},
                 {"sdkmessageprocessingsteps", DIAGNOSE_PLUGINS},
                 {"cdm_companies", DIAGNOSE_COMPANIES}};
    struct runtime_diagnosis diagnosis;

    (void)state;
    open_store();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rule[256];

        control("DELETE", "/faults", NULL, NULL);
        (void)snprintf(rule, sizeof rule, "{\"at\":\"dv.request\",\"match\":\"%s\"," DENIED,
                       cases[i].match);
        fault(rule);
        diagnosis = diagnose(DIAGNOSE_ALL);
        assert_int_equal(diagnosis.names_part.known, cases[i].part != DIAGNOSE_NAMES);
        assert_int_equal(diagnosis.traces_part.known, cases[i].part != DIAGNOSE_TRACES);
        assert_int_equal(diagnosis.plugins_part.known, cases[i].part != DIAGNOSE_PLUGINS);
        assert_int_equal(diagnosis.companies_part.known, cases[i].part != DIAGNOSE_COMPANIES);
    }
    control("DELETE", "/faults", NULL, NULL);
    set("{\"may_system\":false}");
    diagnosis = diagnose(DIAGNOSE_ALL);
    assert_true(diagnosis.names_part.known);
    assert_false(diagnosis.traces_part.known);
    assert_int_equal(diagnosis.traces_part.why.code, ERR_PERMISSION);
    assert_int_equal(diagnosis.plugins_part.why.code, ERR_PERMISSION);
    assert_int_equal(diagnosis.companies_part.why.code, ERR_PERMISSION);
}

/** Advisory reads wait for nothing: throttling, failures and broken lists are the answer. */
static void
nothing_is_asked_twice_and_every_failure_is_a_reason(void **state)
{
    static const char *const rules[] = {
        "\"at\":\"dv.request\",\"do\":\"error\",\"arg\":429,\"text\":\"0x80072322 retry-after=200\"",
        "\"at\":\"dv.request\",\"do\":\"error\",\"arg\":503,\"text\":\"html\"",
        "\"at\":\"dv.request\",\"do\":\"cut\"",
        "\"at\":\"dv.answer\",\"do\":\"cut\",\"arg\":20",
        "\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"no-value\"",
        "\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"truncated-json\"",
        "\"at\":\"dv.list\",\"do\":\"other\",\"text\":\"html\"",
    };
    const int64_t start_ms = clock_monotonic_ms();

    (void)state;
    open_store();
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct runtime_diagnosis diagnosis;
        char rule[256];

        control("DELETE", "/faults", NULL, NULL);
        (void)snprintf(rule, sizeof rule, "{%s,\"times\":0,\"match\":\"/plugintracelogs\"}",
                       rules[i]);
        fault(rule);
        diagnosis = diagnose(DIAGNOSE_ALL);
        assert_false(diagnosis.traces_part.known);
        assert_int_not_equal(diagnosis.traces_part.why.code, ERR_NONE);
        assert_true(diagnosis.names_part.known);
        assert_true(diagnosis.plugins_part.known);
        assert_true(diagnosis.companies_part.known);
        /* libcurl itself sends again what got no byte on a connection that had been used */
        if (!strstr(rules[i], "\"at\":\"dv.request\",\"do\":\"cut\""))
            assert_int_equal(count_in_log("/plugintracelogs"), 1);
    }
    print_message("%d ms\n", (int)(clock_monotonic_ms() - start_ms));
    assert_true(clock_monotonic_ms() - start_ms < 5000);
}

static void
a_token_that_is_over_is_renewed(void **state)
{
    struct runtime_diagnosis diagnosis = {0};
    struct err err = {0};

    (void)state;
    open_store();
    (void)observe();
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    expect(store->ops->diagnose(store, arena, DIAGNOSE_ALL, &diagnosis, &err), &err);
    assert_true(diagnosis.names_part.known && diagnosis.traces_part.known &&
                diagnosis.plugins_part.known && diagnosis.companies_part.known);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_that_the_seed_says_is_found_with_six_requests),
        TEST(only_what_is_asked_for_is_asked),
        TEST(names_lie_in_json_in_json_and_hostile_rows_are_no_names),
        TEST(at_most_fifty_rows_and_twenty_traces_are_read),
        TEST(tracing_that_is_off_is_an_empty_list),
        TEST(steps_and_companies_that_are_broken_are_told),
        TEST(without_the_right_to_read_a_part_it_is_not_known_and_the_others_are),
        TEST(nothing_is_asked_twice_and_every_failure_is_a_reason),
        TEST(a_token_that_is_over_is_renewed),
    };

    return cmocka_run_group_tests_name("dataverse/diagnosis", tests, NULL, NULL);
}
