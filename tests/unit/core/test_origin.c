#include "core/origin.h"
#include "fake_world.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1048576 };

/* The live organization of the fake world: org6459f7a8, "UAT", contoso-uat.crm4.dynamics.com */
#define FOREIGN "ProjOpsTest4"
#define PAIR(configured, actual)                                                                   \
    "SecureConfig Organization (" configured ") does not match actual CRM Organization (" actual ")"

static const struct organization_name foreign_rows[] = {{FOREIGN, 2, true}};
static const struct organization_name own_rows[] = {{"ORG6459F7A8", 2, true}};
static const struct organization_name own_url_rows[] = {
    {"https://contoso-uat.api.crm4.dynamics.com/", 2, true}};
static const struct organization_name friendly_rows[] = {{"uat", 1, true}};
static const struct organization_name mixed_rows[] = {{FOREIGN, 1, true}, {"org6459f7a8", 1, true}};
static const struct organization_name unsure_rows[] = {{FOREIGN, 2, false}};

static const struct plugin_trace foreign_trace[] = {
    {"PreCommmitPlugin", "2026-11-20T09:15:00Z", PAIR(FOREIGN, "org6459f7a8")}};
static const struct plugin_trace reworded_trace[] = {
    {"PreCommmitPlugin", "2026-11-20T09:15:00Z",
     "SecureConfig  Organization (" FOREIGN ") doesn\xE2\x80\x99t match actual CRM Organization "
     "(contoso-uat)"}};
static const struct plugin_trace elsewhere_trace[] = {
    {"PreCommmitPlugin", "2026-11-20T09:15:00Z", PAIR(FOREIGN, "orgother")}};
static const struct plugin_trace both_traces[] = {
    {"PreCommmitPlugin", "2026-11-20T09:15:00Z", PAIR(FOREIGN, "org6459f7a8")},
    {"PreCommmitPlugin", "2026-10-20T09:15:00Z", PAIR("older", "orgother")}};
static const struct plugin_trace early_trace[] = {
    {"PreCommmitPlugin", "2025-11-20T09:15:00Z", PAIR(FOREIGN, "org6459f7a8")}};
static const struct plugin_trace vague_trace[] = {
    {"PreCommmitPlugin", "2026-11-20T09:15:00Z", PAIR("???", "???")}};
static const struct plugin_trace same_trace[] = {
    {"PreCommmitPlugin", "2026-11-20T09:15:00Z", PAIR("UAT", "org6459f7a8")}};
static const struct plugin_trace dead_trace[] = {
    {"PostCommitPlugin", "2026-11-20T09:15:00Z",
     "failed to process entity account - (A connection attempt failed because"}};
static const struct plugin_trace quiet_trace[] = {
    {"PostCommitPlugin", "2026-11-20T09:15:00Z", "Entered PostCommitPlugin.Execute()"}};

/* NOLINTBEGIN(bugprone-macro-parentheses): members of an initializer */
#define NAMES(list)                                                                                \
    .names_part = {.known = true}, .names = list, .name_count = sizeof(list) / sizeof(list)[0],    \
    .rows_read = 2, .rows_scanned = 2
#define NO_NAMES .names_part = {.known = true}, .rows_read = 2, .rows_scanned = 2
#define TRACES(list)                                                                               \
    .traces_part = {.known = true}, .traces = list, .trace_count = sizeof(list) / sizeof(list)[0]
#define NO_TRACES .traces_part = {.known = true}
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct runtime_diagnosis nothing_known = {0};
static const struct runtime_diagnosis nothing_found = {NO_NAMES, NO_TRACES};
static const struct runtime_diagnosis rows_foreign = {NAMES(foreign_rows), NO_TRACES};
static const struct runtime_diagnosis rows_own = {NAMES(own_rows), NO_TRACES};
static const struct runtime_diagnosis rows_own_url = {NAMES(own_url_rows), NO_TRACES};
static const struct runtime_diagnosis rows_friendly = {NAMES(friendly_rows), NO_TRACES};
static const struct runtime_diagnosis rows_mixed = {NAMES(mixed_rows), NO_TRACES};
static const struct runtime_diagnosis rows_unsure = {NAMES(unsure_rows), NO_TRACES};
static const struct runtime_diagnosis trace_foreign = {NO_NAMES, TRACES(foreign_trace)};
static const struct runtime_diagnosis trace_reworded = {NO_NAMES, TRACES(reworded_trace)};
static const struct runtime_diagnosis trace_elsewhere = {NO_NAMES, TRACES(elsewhere_trace)};
static const struct runtime_diagnosis trace_both = {NO_NAMES, TRACES(both_traces)};
static const struct runtime_diagnosis trace_early = {NO_NAMES, TRACES(early_trace)};
static const struct runtime_diagnosis trace_vague = {NO_NAMES, TRACES(vague_trace)};
static const struct runtime_diagnosis trace_same = {NO_NAMES, TRACES(same_trace)};
static const struct runtime_diagnosis trace_dead = {NO_NAMES, TRACES(dead_trace)};
static const struct runtime_diagnosis trace_quiet = {NO_NAMES, TRACES(quiet_trace)};
static const struct runtime_diagnosis agreeing = {NAMES(foreign_rows), TRACES(foreign_trace)};
static const struct runtime_diagnosis rows_against_trace = {NAMES(own_rows), TRACES(foreign_trace)};
static const struct runtime_diagnosis trace_against_rows = {NAMES(foreign_rows),
                                                            TRACES(elsewhere_trace)};

/** Rows of maps that were stopped: nothing here is about those that run. */
static void
foreign_urls(struct axdb_evidence *evidence)
{
    static const struct axdb_url_count urls[] = {
        {.url = "https://contoso-prod.crm4.dynamics.com", .rows = 2, .status = 1}};

    evidence->urls = urls;
    evidence->url_count = 1;
}

static void
own_urls(struct axdb_evidence *evidence)
{
    static const struct axdb_url_count urls[] = {
        {.url = "https://contoso-uat.crm4.dynamics.com", .rows = 2, .status = 1}};

    evidence->urls = urls;
    evidence->url_count = 1;
}

static void
no_runtime_rows(struct runtime_evidence *evidence)
{
    evidence->row_count = 0;
    evidence->first_created = "";
}

/** What `check` says by its last observation: "ok", "differs", "unknown", "" for none. */
static const char *
say(const struct outcome *outcome, const char *check, const char *word)
{
    static const char *const verdicts[] = {"ok", "differs", "unknown"};
    const char *said = "";

    for (size_t i = 0; i < outcome->before.observation_count; i++) {
        const struct observation *seen = &outcome->before.observations[i];

        if (strcmp(seen->check, check) != 0 || !strstr(seen->text, word))
            continue;
        assert_false(seen->required && strcmp(check, "D-TRACE") == 0);
        said = verdicts[seen->verdict];
    }
    return said;
}

/** Ids of what was found but P4; "?" behind what is likely. */
static const char *
name_found(const struct outcome *outcome, char *ret, size_t size)
{
    size_t used = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < outcome->situation_count; i++)
        if (strcmp(outcome->situations[i].id, "P4") != 0)
            used += (size_t)snprintf(ret + used, size - used, "%s%s%s", used ? " " : "",
                                     outcome->situations[i].id,
                                     outcome->situations[i].likely ? "?" : "");
    return ret;
}

struct origin_case {
    const char *name;
    const struct runtime_diagnosis *diagnosis;
    const char *restored_at;
    const char *rows, *trace;  /* verdicts of the two checks; "" = none */
    const char *own, *foreign; /* situations, where AxDB's rows are its own, or foreign */
};

static const struct origin_case cases[] = {
    {"nothing is known", &nothing_known, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"nothing is found", &nothing_found, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"rows are foreign", &rows_foreign, NULL, "differs", "unknown", "P2", "P1 P8"},
    {"rows are its own", &rows_own, NULL, "ok", "unknown", "", "P1"},
    {"rows name its URL", &rows_own_url, NULL, "ok", "unknown", "", "P1"},
    {"rows name it as it is shown", &rows_friendly, NULL, "ok", "unknown", "", "P1"},
    {"rows name both", &rows_mixed, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"texts that may be no names", &rows_unsure, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"a trace names another", &trace_foreign, NULL, "unknown", "differs", "P2", "P1 P8"},
    {"the same in other words", &trace_reworded, NULL, "unknown", "differs", "P2", "P1 P8"},
    {"the same after the copy", &trace_foreign, "2026-11-01", "unknown", "differs", "P2", "P1 P8"},
    {"the same before the copy", &trace_foreign, "2026-11-21", "unknown", "unknown", "P2?",
     "P1 P8?"},
    {"a trace of another organization", &trace_elsewhere, NULL, "unknown", "unknown", "P2?",
     "P1 P8?"},
    {"traces of both", &trace_both, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"the other one is older than the copy", &trace_both, "2026-11-01", "unknown", "differs", "P2",
     "P1 P8"},
    {"a trace older than the rows", &trace_early, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"a trace without names", &trace_vague, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"a trace with two of its own names", &trace_same, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"a trace of another error", &trace_dead, NULL, "unknown", "unknown", "P2?", "P1 P8?"},
    {"the same after the copy, other error", &trace_dead, "2026-11-01", "unknown", "differs", "P2?",
     "P1 P8?"},
    {"traces without errors", &trace_quiet, NULL, "unknown", "ok", "P2?", "P1 P8?"},
    {"rows and trace agree", &agreeing, NULL, "differs", "differs", "P2", "P1 P8"},
    {"rows are its own, a trace is not", &rows_against_trace, NULL, "unknown", "unknown", "P2?",
     "P1 P8?"},
    {"rows are foreign, a trace is of elsewhere", &trace_against_rows, NULL, "unknown", "unknown",
     "P2?", "P1 P8?"},
    {"the same, and it is older than the copy", &trace_against_rows, "2026-11-21", "differs",
     "unknown", "P2", "P1 P8"},
};

static void
verify(const struct origin_case *one, bool own, struct arena *arena, struct outcome *ret)
{
    struct run_request request = fake_request();
    struct fake_world world;

    fake_world_init(&world);
    world.diagnosis = one->diagnosis;
    world.patch_axdb = own ? own_urls : foreign_urls;
    request.restored_at = one->restored_at;
    run_verify(&request, &world.ports, arena, ret);
    assert_int_equal(world.diagnoses, 1);
    assert_int_equal(world.diagnosed, DIAGNOSE_ALL);
}

static void
evidence_that_agrees_decides_and_what_contradicts_ends_in_unknown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct outcome outcome;
        char found[64];

        print_message("%s\n", cases[i].name);
        verify(&cases[i], true, arena, &outcome);
        assert_int_equal(outcome.exit_status, 2);
        assert_string_equal(say(&outcome, "D-ROWS", "name"), cases[i].rows);
        assert_string_equal(say(&outcome, "D-TRACE", ""), cases[i].trace);
        assert_string_equal(name_found(&outcome, found, sizeof found), cases[i].own);
        verify(&cases[i], false, arena, &outcome);
        assert_string_equal(name_found(&outcome, found, sizeof found), cases[i].foreign);
    }
}

static void
dataverse_alone_proves_that_it_was_copied_and_not_that_axdb_was(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;
    char found[64];

    (void)state;
    fake_world_init(&world);
    world.diagnosis = &rows_foreign;
    request.axdb = false;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_string_equal(name_found(&outcome, found, sizeof found), "P2");
    assert_non_null(strstr(outcome.situations[0].evidence, FOREIGN));
    world.patch_runtime = no_runtime_rows;
    world.diagnosis = &trace_foreign;
    run_verify(&request, &world.ports, arena, &outcome);
    assert_string_equal(name_found(&outcome, found, sizeof found), "");
    assert_string_equal(say(&outcome, "D-TRACE", "no runtime configuration"), "unknown");
    assert_string_equal(say(&outcome, "D-ROWS", "named"), "");
    assert_int_equal(outcome.exit_status, 0);
}

static void
a_diagnosis_that_fails_changes_nothing_else(void **state)
{
    static const enum err_code codes[] = {ERR_CONNECT, ERR_SERVER, ERR_PERMISSION, ERR_SIGNIN};
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct outcome without;
    struct outcome with;

    (void)state;
    for (size_t rows = 0; rows < 2; rows++) {
        struct fake_world world;

        fake_world_init(&world);
        request.axdb = rows > 0;
        world.patch_runtime = rows ? NULL : no_runtime_rows;
        run_verify(&request, &world.ports, arena, &without);
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
            world.diagnosis_fails = codes[i];
            run_verify(&request, &world.ports, arena, &with);
            assert_int_equal(with.exit_status, without.exit_status);
            assert_int_equal(with.word, without.word);
            assert_int_equal(with.err.code, without.err.code);
            assert_string_equal(with.verdict, without.verdict);
            assert_int_equal(with.before.observation_count, without.before.observation_count);
            assert_string_equal(say(&with, "D-TRACE", "the diagnosis fails"), "unknown");
            assert_string_equal(say(&with, "D-PLUGIN", "the diagnosis fails"), "unknown");
            assert_string_equal(say(&with, "D-COMPANY", "the diagnosis fails"), "unknown");
        }
        world.diagnosis_fails = ERR_INTERRUPTED;
        run_verify(&request, &world.ports, arena, &with);
        assert_int_equal(with.word, OUTCOME_INTERRUPTED);
    }
}

static void
it_is_asked_where_it_helps_and_never_around_a_change(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.diagnosis = &agreeing;
    request.dry_run = true;
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(world.diagnoses, 1);
    assert_int_equal(world.diagnosed, DIAGNOSE_ORGANIZATION);
    assert_string_equal(outcome.situations[1].id, "P8");
    assert_false(outcome.situations[1].likely);

    fake_world_init(&world);
    world.diagnosis = &agreeing;
    request.dry_run = false;
    request.plan_id = outcome.plan_id;
    run_clean(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.word, OUTCOME_DONE);
    assert_int_equal(world.diagnoses, 0);

    fake_world_init(&world);
    run_check(&request, &world.ports, arena, &outcome);
    assert_int_equal(world.diagnoses, 0);
}

struct explain_case {
    const char *text;
    const struct runtime_diagnosis *diagnosis;
    enum confirmation confirmation;
    const char *says;
};

static void
explain_weighs_the_text_against_rows_and_traces(void **state)
{
    static const char text[] = PAIR(FOREIGN, "org6459f7a8");
    static const struct explain_case explain_cases[] = {
        {text, &nothing_found, CONFIRMATION_CONFIRMED, "were made in " FOREIGN},
        {text, &rows_foreign, CONFIRMATION_CONFIRMED, "configurations name " FOREIGN},
        {text, &trace_foreign, CONFIRMATION_CONFIRMED, "a plug-in trace"},
        {text, &rows_own, CONFIRMATION_UNDECIDED, "name this organization itself"},
        {text, &rows_mixed, CONFIRMATION_UNDECIDED, "does not agree"},
        {text, &trace_against_rows, CONFIRMATION_UNDECIDED, "does not agree"},
        {PAIR("third", "org6459f7a8"), &rows_foreign, CONFIRMATION_UNDECIDED,
         "the text names third"},
        {PAIR(FOREIGN, "orgother"), &agreeing, CONFIRMATION_CONTRADICTED, "delete nothing"},
        {PAIR("???", "???"), &rows_foreign, CONFIRMATION_CONSISTENT, FOREIGN},
        {"S01", &rows_foreign, CONFIRMATION_CONSISTENT, FOREIGN},
        {"S01", &rows_mixed, CONFIRMATION_UNDECIDED, "both names"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof explain_cases / sizeof explain_cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        const struct explain_case *one = &explain_cases[i];
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        print_message("%zu: %s\n", i, one->text);
        fake_world_init(&world);
        world.diagnosis = one->diagnosis;
        request.text = one->text;
        request.text_size = strlen(one->text);
        run_explain(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.explained_count, 1);
        assert_int_equal(outcome.explained[0].confirmation, one->confirmation);
        assert_non_null(strstr(outcome.explained[0].evidence, one->says));
        assert_int_equal(world.diagnosed, DIAGNOSE_ORGANIZATION);
    }
}

static void
the_live_organization_is_known_by_any_of_its_names(void **state)
{
    static const struct runtime_identity identity = {.unique_name = "org6459f7a8",
                                                     .friendly_name = "Contoso UAT",
                                                     .url_name = "contosouat",
                                                     .organization_id =
                                                         "6459f7a8-1111-4c6d-9a3e-0d2b5c7e9f01",
                                                     .host = "contoso-uat.crm4.dynamics.com"};
    static const struct runtime_identity unknown = {
        .unique_name = "", .friendly_name = "", .organization_id = "", .host = ""};
    static const char *const live[] = {"ORG6459F7A8",
                                       "contoso uat",
                                       "ContosoUAT",
                                       "6459F7A8-1111-4C6D-9A3E-0D2B5C7E9F01",
                                       "contoso-uat",
                                       "contoso-uat.crm4.dynamics.com",
                                       "https://contoso-uat.api.crm4.dynamics.com/x?y"};
    static const char *const others[] = {
        "",  "org",     "UAT", "org6459f7a", "crm4", "https://contoso-uat.crm.dynamics.com",
        ".", "https://"};

    (void)state;
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++)
        assert_true(organization_is_live(&identity, live[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(organization_is_live(&identity, others[i]));
        assert_false(organization_is_live(&unknown, others[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_that_agrees_decides_and_what_contradicts_ends_in_unknown),
        cmocka_unit_test(dataverse_alone_proves_that_it_was_copied_and_not_that_axdb_was),
        cmocka_unit_test(a_diagnosis_that_fails_changes_nothing_else),
        cmocka_unit_test(it_is_asked_where_it_helps_and_never_around_a_change),
        cmocka_unit_test(explain_weighs_the_text_against_rows_and_traces),
        cmocka_unit_test(the_live_organization_is_known_by_any_of_its_names),
    };

    return cmocka_run_group_tests_name("core/origin", tests, NULL, NULL);
}
