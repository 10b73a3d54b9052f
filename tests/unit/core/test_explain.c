#include "core/symptom.h"
#include "fake_world.h"
#include "test.h"

#include <string.h>

enum { MEGABYTE = 1048576 };

static const char secure_config[] =
    "SecureConfig Organization (ProjOpsTest4) doesn't match actual CRM Organization (ORG6459F7A8)";

static void
explain(const char *text, bool target, void (*runtime)(struct runtime_evidence *evidence),
        struct arena *arena, struct outcome *ret)
{
    struct run_request request = fake_request();
    struct fake_world world;

    fake_world_init(&world);
    world.patch_runtime = runtime;
    request.axdb = request.dataverse = target;
    request.text = text;
    request.text_size = strlen(text);
    run_explain(&request, &world.ports, arena, ret);
}

static void
another_organization(struct runtime_evidence *evidence)
{
    evidence->identity.unique_name = "orgother";
}

static void
renamed(struct runtime_evidence *evidence)
{
    evidence->identity.friendly_name = "ProjOpsTest4";
}

static void
emptied(struct runtime_evidence *evidence)
{
    evidence->row_count = 0;
}

static void
without_a_target_the_text_alone_is_explained(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct outcome outcome;

    (void)state;
    explain(secure_config, false, NULL, arena, &outcome);
    assert_int_equal(outcome.word, OUTCOME_EXPLAINED);
    assert_int_equal(outcome.exit_status, 0);
    assert_int_equal(outcome.explained_count, 1);
    assert_string_equal(outcome.explained[0].match->configured, "ProjOpsTest4");
    assert_int_equal(outcome.explained[0].confirmation, CONFIRMATION_NONE);
    assert_int_equal(outcome.before.observation_count, 0);
}

static void
the_names_are_compared_with_the_live_organization(void **state)
{
    static const struct {
        const char *text;
        void (*runtime)(struct runtime_evidence *evidence);
        enum confirmation confirmation;
    } cases[] = {
        {secure_config, NULL, CONFIRMATION_CONFIRMED},
        {secure_config, another_organization, CONFIRMATION_CONTRADICTED},
        {secure_config, renamed, CONFIRMATION_UNDECIDED},
        {secure_config, emptied, CONFIRMATION_UNDECIDED},
        {"SecureConfig Organization (?) does not match actual CRM Organization (?)", NULL,
         CONFIRMATION_UNDECIDED},
        /* the names the other way round prove nothing about this one */
        {"SecureConfig Organization (org6459f7a8) does not match actual CRM Organization (other)",
         NULL, CONFIRMATION_CONTRADICTED},
        {"S08", NULL, CONFIRMATION_CONFIRMED},
        {"Invalid URI: The URI is empty.", NULL, CONFIRMATION_CONSISTENT},
        {"DWFOEV1003", NULL, CONFIRMATION_UNDECIDED},
        {"Invalid column name 'ISDELETE'.", NULL, CONFIRMATION_CONTRADICTED},
        {"DW9003", NULL, CONFIRMATION_UNDECIDED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct outcome outcome;

        explain(cases[i].text, true, cases[i].runtime, arena, &outcome);
        assert_int_equal(outcome.explained_count, 1);
        if (outcome.explained[0].confirmation != cases[i].confirmation)
            print_error("%s: %s\n", cases[i].text, outcome.explained[0].evidence);
        assert_int_equal(outcome.explained[0].confirmation, cases[i].confirmation);
        assert_string_not_equal(outcome.explained[0].evidence, "");
        assert_int_equal(outcome.exit_status, 2); /* what verify says of this world */
    }
}

static void
a_target_that_cannot_be_read_decides_nothing(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.fail_at = 1; /* the connection */
    request.axdb = false;
    request.text = secure_config;
    request.text_size = sizeof secure_config - 1;
    run_explain(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.explained[0].confirmation, CONFIRMATION_UNDECIDED);
    assert_int_equal(outcome.exit_status, 12); /* as the fake fails */
}

static void
a_text_without_a_match_says_so(void **state)
{
    static const char *const texts[] = {"", "hello", "S99", "everything is fine"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct outcome outcome;

        explain(texts[i], true, NULL, arena, &outcome);
        assert_int_equal(outcome.word, OUTCOME_FAILED);
        assert_int_equal(outcome.exit_status, 1);
        assert_int_equal(outcome.err.code, ERR_NOT_FOUND);
        assert_string_not_equal(outcome.err.hint, "");
    }
}

static void
a_sign_without_a_message_is_found_by_its_id(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct outcome outcome;

    (void)state;
    explain(" s25 \n", false, NULL, arena, &outcome);
    assert_int_equal(outcome.explained_count, 1);
    assert_string_equal(outcome.explained[0].match->symptom->id, "S25");
}

/** A target that shows nothing, and one that names every organization itself. */
static void
show_nothing(struct axdb_evidence *evidence)
{
    for (int i = 0; i < AXDB_TABLES; i++)
        evidence->tables[i].fresh.rows = evidence->tables[i].partitions.rows = 0;
    evidence->channel_count = evidence->url_count = 0;
}

/** The field rows are gone, whether the project rows are is not known. */
static void
show_little(struct axdb_evidence *evidence)
{
    show_nothing(evidence);
    evidence->tables[TABLE_PROJECT].fresh.known = false;
    (void)err_set(&evidence->tables[TABLE_PROJECT].fresh.why, ERR_LOCK, "deadlock victim");
}

static void
what_the_target_shows_confirms_or_contradicts(void **state)
{
    static const struct {
        const char *text;
        void (*axdb)(struct axdb_evidence *evidence);
        void (*runtime)(struct runtime_evidence *evidence);
        enum confirmation confirmation;
        int status;
    } cases[] = {
        {"DWFOEV1004", NULL, NULL, CONFIRMATION_CONFIRMED, 2},
        {"DWFOEV1004", show_nothing, emptied, CONFIRMATION_CONTRADICTED, 0},
        {"DWFOEV1004", show_little, emptied, CONFIRMATION_UNDECIDED, 11},
        {"S02", show_nothing, emptied, CONFIRMATION_CONTRADICTED, 0},
        {"S03", show_nothing, emptied, CONFIRMATION_UNDECIDED, 0},
        {"SecureConfig Organization (ProjOpsTest4) does not match actual CRM Organization (?)",
         NULL, NULL, CONFIRMATION_UNDECIDED, 2},
        {"SecureConfig Organization (?) does not match actual CRM Organization (org6459f7a8)", NULL,
         NULL, CONFIRMATION_UNDECIDED, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.patch_axdb = cases[i].axdb;
        world.patch_runtime = cases[i].runtime;
        request.text = cases[i].text;
        request.text_size = strlen(cases[i].text);
        run_explain(&request, &world.ports, arena, &outcome);
        if (outcome.explained[0].confirmation != cases[i].confirmation ||
            outcome.exit_status != cases[i].status)
            fail_msg("case %zu: %d, %d: %s", i, (int)outcome.explained[0].confirmation,
                     outcome.exit_status, outcome.explained[0].evidence);
    }
}

/** Both names missing, and the rows prove it all the same. */
static void
rows_prove_what_a_text_does_not_say(void **state)
{
    static const struct organization_name names[] = {{"ProjOpsTest4", 2, true}};
    static const struct runtime_diagnosis foreign = {.names_part = {.known = true},
                                                     .names = names,
                                                     .name_count = 1,
                                                     .rows_read = 2,
                                                     .rows_scanned = 2};
    static const struct {
        const char *text;
        enum confirmation confirmation;
    } cases[] = {
        {"SecureConfig Organization (?) does not match actual CRM Organization (?)",
         CONFIRMATION_CONSISTENT},
        {"SecureConfig Organization (ProjOpsTest4) does not match actual CRM Organization (UAT)",
         CONFIRMATION_CONFIRMED},
        {"SecureConfig Organization (Older) does not match actual CRM Organization (UAT)",
         CONFIRMATION_UNDECIDED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
        struct run_request request = fake_request();
        struct fake_world world;
        struct outcome outcome;

        fake_world_init(&world);
        world.diagnosis = &foreign;
        request.text = cases[i].text;
        request.text_size = strlen(cases[i].text);
        run_explain(&request, &world.ports, arena, &outcome);
        assert_int_equal(outcome.explained[0].confirmation, cases[i].confirmation);
    }
}

static void
a_scope_that_cannot_be_explains_nothing(void **state)
{
    static const char *const channels[] = {"DualWrite"};
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    request.channels = channels;
    request.channel_count = SIZE_MAX / 2;
    request.text = "S08";
    request.text_size = 3;
    run_explain(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.word, OUTCOME_FAILED);
    run_verify(&request, &world.ports, arena, &outcome);
    assert_int_equal(outcome.word, OUTCOME_FAILED);
}

static void
without_memory_no_text_is_called_unknown(void **state)
{
    static const char *const texts[] = {"S25", "hello", "DWFOEV1004"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t bytes = 0;

        for (; bytes < 65536; bytes += 8) {
            ARENA_SCOPED arena = arena_new(bytes);
            struct outcome outcome;

            explain(texts[i], false, NULL, arena, &outcome);
            if (outcome.err.code == ERR_NONE || outcome.err.code == ERR_NOT_FOUND)
                break;
            assert_int_equal(outcome.err.code, ERR_INTERNAL);
        }
        assert_in_range(bytes, 1000, 65535);
    }
}

/** A finding with a code of the health check proves its own symptom, and is a hint to others. */
static void
a_code_proves_its_own_symptom_only(void **state)
{
    static const struct runtime_company companies[] = {{"USMF", "Contoso", true, false}};
    static const struct runtime_diagnosis no_team = {
        .companies_part = {.known = true}, .companies = companies, .company_count = 1};
    ARENA_SCOPED arena = arena_new((size_t)8 * MEGABYTE);
    struct run_request request = fake_request();
    struct fake_world world;
    struct outcome outcome;

    (void)state;
    fake_world_init(&world);
    world.diagnosis = &no_team;
    request.text = "DWDVEV1007";
    request.text_size = 10;
    run_explain(&request, &world.ports, arena, &outcome);
    assert_string_equal(outcome.explained[0].match->symptom->id, "S11");
    assert_int_equal(outcome.explained[0].confirmation, CONFIRMATION_CONSISTENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_target_the_text_alone_is_explained),
        cmocka_unit_test(the_names_are_compared_with_the_live_organization),
        cmocka_unit_test(a_target_that_cannot_be_read_decides_nothing),
        cmocka_unit_test(a_text_without_a_match_says_so),
        cmocka_unit_test(a_sign_without_a_message_is_found_by_its_id),
        cmocka_unit_test(what_the_target_shows_confirms_or_contradicts),
        cmocka_unit_test(rows_prove_what_a_text_does_not_say),
        cmocka_unit_test(a_scope_that_cannot_be_explains_nothing),
        cmocka_unit_test(without_memory_no_text_is_called_unknown),
        cmocka_unit_test(a_code_proves_its_own_symptom_only),
    };

    return cmocka_run_group_tests_name("core/explain", tests, NULL, NULL);
}
