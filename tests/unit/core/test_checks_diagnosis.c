#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576, LINE_BYTES = 1024, LINES = 4 };

#define PART                                                                                       \
    {                                                                                              \
        .known = true                                                                              \
    }

static const char *const step_names[] = {"Update of account", "Create of contact"};

static const struct runtime_company good[] = {{"USMF", "Contoso", true, true},
                                              {"DEMF", "Contoso DE", true, true},
                                              {"DAT", "Company accounts", false, false}};
static const struct runtime_company bad[] = {{"USMF", "Contoso", true, false},
                                             {"usmf ", "Contoso", true, true},
                                             {"", " ", true, false},
                                             {"DEMF", "CONTOSO", true, true},
                                             {"FRRT", "Paris", false, false}};

static const struct runtime_company twice[] = {{"USMF", "Contoso", true, true},
                                               {"usmf", "Contoso DE", true, true}};

#define LONG_NAME                                                                                  \
    "org_a_name_as_long_as_a_name_of_an_organization_may_be_in_a_runtime_configuration_and_not_a_" \
    "byte_longer_so_that_few_fit_"
static const struct organization_name long_names[] = {{LONG_NAME "a", 1, true},
                                                      {LONG_NAME "b", 1, true},
                                                      {LONG_NAME "c", 1, true},
                                                      {LONG_NAME "d", 1, true}};
static const struct plugin_trace quiet_traces[] = {
    {"PostCommitPlugin", "2026-11-20T09:15:00Z", "Entered PostCommitPlugin.Execute()"},
    {"PostCommitPlugin", "2026-11-20T09:14:00Z", "Left PostCommitPlugin.Execute()"}};

/** A diagnosis, a check, and its observations as "verdict: text [code]", in order. */
struct check_case {
    struct runtime_diagnosis diagnosis;
    const char *check;
    const char *says[LINES];
};

static const struct check_case cases[] = {
    {{.plugins_part = PART}, "D-PLUGIN", {"unknown: no plug-in step of dual-write is visible"}},
    {{.plugins_part = PART, .plugin_types = 1, .plugin_steps = 1},
     "D-PLUGIN",
     {"ok: 1 plug-in step of dual-write is enabled"}},
    {{.plugins_part = PART, .plugin_types = 2, .plugin_steps = 1000, .more_steps = true},
     "D-PLUGIN",
     {"unknown: the first 1000 plug-in steps"}},
    {{.plugins_part = PART,
      .plugin_types = 2,
      .plugin_steps = 9,
      .disabled_steps = 3,
      .disabled_names = step_names,
      .disabled_name_count = 2},
     "D-PLUGIN",
     {"differs: 3 of 9 plug-in steps of dual-write are disabled: Update of account, Create of "
      "contact and 1 more"}},
    {{.names_part = PART, .names = long_names, .name_count = 4, .rows_read = 2, .rows_scanned = 2},
     "D-ROWS",
     {"differs: organization named in the rows: " LONG_NAME "a (1 row), " LONG_NAME
      "b (1 row), " LONG_NAME "c (1 row) and 1 more; the live organization is org6459f7a8"}},
    {{.traces_part = PART, .traces = quiet_traces, .trace_count = 1},
     "D-TRACE",
     {"ok: the newest 1 trace of the dual-write plug-ins shows no error that is known here"}},
    {{.traces_part = PART, .traces = quiet_traces, .trace_count = 2},
     "D-TRACE",
     {"ok: the newest 2 traces of the dual-write plug-ins show no error that is known here"}},
    {{.companies_part = PART, .companies = bad + 2, .company_count = 2},
     "D-COMPANY",
     {"differs: companies: 1 without a code", "differs: companies: 1 without a name",
      "differs: 1 company that is enabled for dual-write has no default owning team: (no code)"}},
    {{.companies_part = PART, .companies = twice, .company_count = 2},
     "D-COMPANY",
     {"differs: companies: 0 without a code; codes there more than once: usmf"}},
    {{.companies_part = PART, .companies = good, .company_count = 1},
     "D-COMPANY",
     {"ok: 1 company: no blank or double code or name, no owning team missing"}},
    {{.companies_part = {.known = false}},
     "D-PLUGIN",
     {"unknown: plug-in steps: no right to read that"}},
    {{.companies_part = PART}, "D-COMPANY", {"unknown: no company is visible"}},
    {{.companies_part = PART, .companies = good, .company_count = 3},
     "D-COMPANY",
     {"ok: 3 companies: no blank or double"}},
    {{.companies_part = PART, .companies = good, .company_count = 3, .more_companies = true},
     "D-COMPANY",
     {"unknown: the first 3 companies"}},
    {{.companies_part = PART, .companies = bad, .company_count = 5},
     "D-COMPANY",
     {"differs: companies: 1 without a code; codes there more than once: usmf",
      "differs: companies: 1 without a name; names there more than once: ",
      "differs: 2 companies that are enabled for dual-write have no default owning team: USMF, (no code)"}},
    {{.plugins_part = PART}, "D-COMPANY", {"unknown: companies: no right to read that"}},
};

static const char *
line_of(const struct outcome *outcome, const char *check, size_t which, char ret[LINE_BYTES])
{
    static const char *const verdicts[] = {"ok", "differs", "unknown"};

    for (size_t i = 0; i < outcome->before.observation_count; i++) {
        const struct observation *seen = &outcome->before.observations[i];

        if (strcmp(seen->check, check) != 0 || (seen->required && strcmp(check, "D-ROWS") == 0) ||
            which-- > 0)
            continue;
        assert_false(seen->required);
        (void)snprintf(ret, LINE_BYTES, "%s: %s", verdicts[seen->verdict], seen->text);
        return ret;
    }
    return NULL;
}

static void
verify(const struct runtime_diagnosis *diagnosis, struct arena *arena, struct outcome *ret)
{
    struct run_request request = fake_request();
    struct fake_world world;

    fake_world_init(&world);
    world.diagnosis = diagnosis;
    run_verify(&request, &world.ports, arena, ret);
}

static void
each_finding_is_one_advisory_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct outcome outcome;
        char line[LINE_BYTES];
        size_t lines = 0;

        verify(&cases[i].diagnosis, arena, &outcome);
        for (; lines < LINES && cases[i].says[lines]; lines++) {
            assert_non_null(line_of(&outcome, cases[i].check, lines, line));
            print_message("%s\n", line);
            assert_ptr_equal(strstr(line, cases[i].says[lines]), line);
        }
        assert_null(line_of(&outcome, cases[i].check, lines, line));
        assert_int_equal(outcome.exit_status, 2); /* as without all this */
    }
}

/** Health check codes stand only where the reference gives one: a company without an owning team.
 */
static void
only_the_missing_team_has_a_code(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    const struct runtime_diagnosis diagnosis = {.companies_part = PART,
                                                .companies = bad,
                                                .company_count = 5,
                                                .plugins_part = PART,
                                                .plugin_steps = 2,
                                                .disabled_steps = 1,
                                                .disabled_names = step_names,
                                                .disabled_name_count = 1};
    struct outcome outcome;
    size_t codes = 0;

    (void)state;
    verify(&diagnosis, arena, &outcome);
    for (size_t i = 0; i < outcome.before.observation_count; i++) {
        const struct observation *seen = &outcome.before.observations[i];

        if (!seen->code || strncmp(seen->check, "D-", 2) != 0 || strcmp(seen->check, "D-ROWS") == 0)
            continue;
        assert_string_equal(seen->code, "DWDVEV1007");
        assert_string_equal(seen->check, "D-COMPANY");
        assert_non_null(strstr(seen->text, "owning team"));
        codes++;
    }
    assert_int_equal(codes, 1);
}

/** What is asked for a pasted text is what its checks need, and they confirm or do not. */
static void
explain_asks_what_the_symptom_needs(void **state)
{
    static const struct runtime_diagnosis disabled = {.plugins_part = PART,
                                                      .plugin_steps = 2,
                                                      .disabled_steps = 1,
                                                      .disabled_names = step_names,
                                                      .disabled_name_count = 1};
    static const struct runtime_diagnosis enabled = {.plugins_part = PART, .plugin_steps = 2};
    static const struct runtime_diagnosis companies = {
        .companies_part = PART, .companies = good, .company_count = 3};
    static const struct {
        const char *text;
        const struct runtime_diagnosis *diagnosis;
        unsigned asked;
        enum confirmation confirmation;
    } texts[] = {
        {"S24", &disabled, DIAGNOSE_PLUGINS, CONFIRMATION_CONSISTENT},
        {"S24", &enabled, DIAGNOSE_PLUGINS, CONFIRMATION_CONTRADICTED},
        /* that companies look well here says nothing of the other side's */
        {"DWDVEV1003", &companies, DIAGNOSE_COMPANIES, CONFIRMATION_UNDECIDED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.diagnosis = texts[i].diagnosis;
        request.text = texts[i].text;
        request.text_size = strlen(texts[i].text);
        run_explain(&request, &world.ports, arena, &outcome);
        assert_int_equal(world.diagnosed, DIAGNOSE_ORGANIZATION | texts[i].asked);
        print_message("%s: %s\n", texts[i].text, outcome.explained[0].evidence);
        assert_int_equal(outcome.explained[0].confirmation, texts[i].confirmation);
    }
}

/** What the service says of itself may be little: then no name is weighed. */
static void
namelessly(struct runtime_evidence *runtime)
{
    runtime->identity.unique_name = "";
}

static void
only_what_is_known_is_weighed(void **state)
{
    static const struct organization_name names[] = {{"ProjOpsTest4", 1, true}};
    static const struct plugin_trace traces[] = {
        {"PreCommmitPlugin", "2026-11-20T09:15:00Z",
         "SecureConfig Organization (A) does not match actual CRM Organization (UAT) DWDVEV1001 "
         "DWDVEV1003 DWFOEV1006 DW9003 0x80072560"},
        {"PreCommmitPlugin", "2026-11-20T09:14:00Z",
         "SecureConfig Organization (B) does not match actual CRM Organization (UAT) DWDVEV1004"},
        {"PreCommmitPlugin", "2026-11-20T09:13:00Z",
         "SecureConfig Organization (?) does not match actual CRM Organization (UAT); Unable to "
         "generate payload for entity X; Response status code doesn't indicate success: 404 (Not "
         "Found). failed to process entity account - (A connection attempt failed because"}};
    static const struct runtime_diagnosis diagnosis = {.names_part = PART,
                                                       .names = names,
                                                       .name_count = 1,
                                                       .rows_read = 1,
                                                       .traces_part = PART,
                                                       .traces = traces,
                                                       .trace_count = 3};
    char line[LINE_BYTES];

    (void)state;
    for (int i = 0; i < 2; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.tables[TABLE_RUNTIME].count = 1;
        world.diagnosis = &diagnosis;
        world.patch_runtime = i ? namelessly : NULL;
        run_verify(&request, &world.ports, arena, &outcome);
        assert_non_null(line_of(&outcome, "D-ROWS", 0, line));
        assert_int_equal(strstr(line, "1 row was searched whole") != NULL, 1);
        assert_int_equal(strncmp(line, "differs", 7) == 0, i == 0);
        assert_non_null(line_of(&outcome, "D-TRACE", 0, line));
        assert_non_null(strstr(line, "the configuration is of A"));
        assert_non_null(line_of(&outcome, "D-TRACE", 1, line));
        assert_non_null(strstr(line, "show S09"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finding_is_one_advisory_sentence),
        cmocka_unit_test(only_the_missing_team_has_a_code),
        cmocka_unit_test(explain_asks_what_the_symptom_needs),
        cmocka_unit_test(only_what_is_known_is_weighed),
    };

    return cmocka_run_group_tests_name("core/checks_diagnosis", tests, NULL, NULL);
}
