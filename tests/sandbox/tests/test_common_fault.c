#include "../../support/test.h"
#include "common/fault.h"

static int
open_faults(void **state)
{
    *state = faults_new();
    return *state ? 0 : -1;
}

static int
close_faults(void **state)
{
    faults_free(*state);
    return 0;
}

static void
add(struct faults *faults, const char *json)
{
    const char *why = "";
    if (!faults_add_json(faults, json, &why))
        fail_msg("%s", why);
}

static void
nothing_happens_without_a_rule(void **state)
{
    assert_int_equal(fault_at(*state, "tds.commit", NULL).what, FAULT_NONE);
}

static void
a_rule_acts_once_unless_it_says_otherwise(void **state)
{
    add(*state, "{\"at\":\"p\",\"do\":\"error\",\"arg\":1205,\"text\":\"deadlock\"}");
    struct fault_action action = fault_at(*state, "p", NULL);
    assert_int_equal(action.what, FAULT_ERROR);
    assert_int_equal(action.arg, 1205);
    assert_string_equal(action.text, "deadlock");
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_NONE);
}

static void
skipped_hits_pass_unharmed(void **state)
{
    add(*state, "{\"at\":\"p\",\"do\":\"cut\",\"skip\":2,\"times\":2}");
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_NONE);
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_NONE);
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_CUT);
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_CUT);
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_NONE);
}

static void
times_zero_is_for_ever(void **state)
{
    add(*state, "{\"at\":\"p\",\"do\":\"delay\",\"times\":0}");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_DELAY);
}

static void
a_rule_with_match_needs_the_subject(void **state)
{
    add(*state, "{\"at\":\"p\",\"match\":\"DELETE\",\"do\":\"cut\"}");
    assert_int_equal(fault_at(*state, "q", "DELETE x").what, FAULT_NONE);
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_NONE);
    assert_int_equal(fault_at(*state, "p", "GET x").what, FAULT_NONE);
    assert_int_equal(fault_at(*state, "p", "DELETE x").what, FAULT_CUT);
}

static void
rules_act_in_the_order_of_their_arrival(void **state)
{
    add(*state, "{\"at\":\"p\",\"do\":\"cut\"}");
    add(*state, "{\"at\":\"p\",\"do\":\"freeze\"}");
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_CUT);
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_FREEZE);
}

static void
what_is_not_a_rule_is_refused_with_a_reason(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"do\":\"cut\"}",
        "{\"at\":\"p\"}",
        "{\"at\":\"p\",\"do\":\"explode\"}",
        "{\"at\":\"p\",\"do\":\"cut\",\"time\":1}",
        "{\"at\":\"p\",\"do\":\"cut\",\"times\":-1}",
        "{\"at\":\"p\",\"do\":\"cut\",\"skip\":\"1\"}",
        "{\"at\":\"p\",\"do\":\"cut\",\"arg\":\"x\"}",
        "{\"at\":7,\"do\":\"cut\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *why = NULL;
        assert_false(faults_add_json(*state, bad[i], &why));
        assert_non_null(why);
    }
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_NONE);
}

static void
clear_forgets_everything(void **state)
{
    add(*state, "{\"at\":\"p\",\"do\":\"cut\",\"times\":0}");
    faults_clear(*state);
    assert_int_equal(fault_at(*state, "p", NULL).what, FAULT_NONE);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_faults, close_faults)
    const struct CMUnitTest tests[] = {
        TEST(nothing_happens_without_a_rule),
        TEST(a_rule_acts_once_unless_it_says_otherwise),
        TEST(skipped_hits_pass_unharmed),
        TEST(times_zero_is_for_ever),
        TEST(a_rule_with_match_needs_the_subject),
        TEST(rules_act_in_the_order_of_their_arrival),
        TEST(what_is_not_a_rule_is_refused_with_a_reason),
        TEST(clear_forgets_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
