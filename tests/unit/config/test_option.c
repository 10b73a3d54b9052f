#include "config/option.h"
#include "test.h"

#include <string.h>

static void
the_table_is_whole_and_has_no_name_twice(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        assert_int_equal(spec->id, i);
        assert_true(spec->name || spec->ini || spec->variables);
        if (spec->name)
            assert_ptr_equal(option_by_name(spec->name), spec);
        if (spec->letter)
            assert_ptr_equal(option_by_letter(spec->letter), spec);
        if (spec->ini)
            assert_ptr_equal(option_by_ini(spec->ini), spec);
    }
}

static void
what_decides_has_neither_variable_nor_ini_key(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->group != GROUP_DECISION)
            continue;
        assert_null(spec->variables);
        assert_null(spec->ini);
    }
}

static void
a_secret_has_no_name_on_the_command_line(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = option_spec((enum option_id)i);
        if (spec->kind != OPTION_SECRET)
            continue;
        assert_null(spec->name);
        assert_null(spec->ini);
        assert_int_equal(spec->letter, 0);
    }
}

struct value_case {
    enum option_id id;
    bool ok;
    const char *text;
    int64_t number;
};

static void
values_are_read_whole_or_not_at_all(void **state)
{
    static const struct value_case cases[] = {
        {OPT_PACKET_SIZE, true, "4096", 4096},
        {OPT_PACKET_SIZE, true, "16383", 16383},
        {OPT_PACKET_SIZE, false, "16384", 0},
        {OPT_PACKET_SIZE, false, "512", 0},
        {OPT_PACKET_SIZE, false, "4096x", 0},
        {OPT_LOGIN_TIMEOUT, true, "30", 30000},
        {OPT_LOGIN_TIMEOUT, true, "2m", 120000},
        {OPT_LOGIN_TIMEOUT, false, "0", 0},
        {OPT_LOCK_TIMEOUT, true, "100ms", 100},
        {OPT_LOCK_TIMEOUT, false, "99ms", 0},
        {OPT_LOCK_TIMEOUT, false, "6m", 0},
        {OPT_LOCK_TIMEOUT, false, "-1", 0},
        {OPT_INTEGRATED, true, "yes", 1},
        {OPT_INTEGRATED, true, "False", 0},
        {OPT_INTEGRATED, false, "maybe", 0},
        {OPT_DATABASE, true, "AxDB", 0},
        {OPT_DATABASE, false, "", 0},
        {OPT_DATABASE, false, "Ax\x1b[31mDB", 0},
        {OPT_DATABASE, false, "Ax\nDB", 0},
        {OPT_DATABASE, false, "\xff", 0},
        {OPT_CLASS, false, "staging", 0},
        {OPT_PLAN_ID, false, "", 0},
        {OPT_PLAN_ID, false, "  ", 0},
        {OPT_PLAN_ID, false, "0123456789abcdef", 0},
        {OPT_PLAN_ID, false, "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0},
        {OPT_PLAN_ID, true, "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef", 0},
        {OPT_EXPECT_RESTORED_AFTER, true, "2026-11-20", 0},
        {OPT_EXPECT_RESTORED_AFTER, true, "2028-02-29T23:59", 0},
        {OPT_EXPECT_RESTORED_AFTER, true, "2026-11-20T01:02:03", 0},
        {OPT_EXPECT_RESTORED_AFTER, true, "2026-11-20 01:02:03", 0},
        {OPT_EXPECT_RESTORED_AFTER, false, "2026-02-29", 0},
        {OPT_EXPECT_RESTORED_AFTER, false, "2026-13-01", 0},
        {OPT_EXPECT_RESTORED_AFTER, false, "2026-11-2", 0},
        {OPT_EXPECT_RESTORED_AFTER, false, "2026-11-20T24:00", 0},
        {OPT_EXPECT_RESTORED_AFTER, false, "2026-11-20T01:02:03Z", 0},
        {OPT_EXPECT_RESTORED_AFTER, false, "2026-11-20T01:02:", 0},
        {OPT_EXPECT_RESTORED_AFTER, false, "2026-11-20  01:02", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct option_value value = {.number = -1};
        struct err err;
        const bool ok =
            option_parse(option_spec(cases[i].id), cases[i].text, ERR_CONFIG, &value, &err);
        assert_int_equal(ok, cases[i].ok);
        assert_int_equal(ok ? 0 : err.code, ok ? 0 : ERR_CONFIG);
        assert_int_equal(value.number, ok ? cases[i].number : -1);
    }
}

static void
an_empty_plan_id_is_said_to_be_empty_with_what_belongs_there(void **state)
{
    struct option_value value;
    struct err err;
    (void)state;
    assert_false(option_parse(option_spec(OPT_PLAN_ID), "", ERR_USAGE, &value, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.primary, "the value of --plan-id is empty");
    assert_non_null(strstr(err.hint, "dry run"));
}

static void
a_choice_comes_back_in_the_listed_spelling(void **state)
{
    struct option_value value;
    struct err err;
    (void)state;
    assert_true(option_parse(option_spec(OPT_ENCRYPT), "O", ERR_USAGE, &value, &err));
    assert_int_equal(value.size, strlen("optional"));
    assert_memory_equal(value.text, "optional", value.size);
    assert_true(
        option_parse(option_spec(OPT_APPLICATION_INTENT), "readonly", ERR_USAGE, &value, &err));
    assert_memory_equal(value.text, "ReadOnly", value.size);
    assert_false(option_parse(option_spec(OPT_ENCRYPT), "off", ERR_USAGE, &value, &err));
    assert_string_equal(err.hint, "Give one of: mandatory, optional, disable, strict.");
}

static void
the_nearest_name_is_found_and_a_stranger_is_not(void **state)
{
    (void)state;
    assert_string_equal(option_nearest_name("databse"), "database");
    assert_string_equal(option_nearest_name("dryrun"), "dry-run");
    assert_string_equal(option_nearest_name("serve"), "server");
    assert_string_equal(option_nearest_ini("databse_url"), "dataverse_url");
    assert_string_equal(option_nearest_command("verfy"), "verify");
    assert_null(option_nearest_command("xyzzy"));
}

static void
an_unknown_letter_says_what_sqlcmd_means_by_it(void **state)
{
    struct err err;
    (void)state;
    assert_false(option_unknown_letter('i', &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.primary, "an input file"));
    assert_non_null(strstr(err.hint, "--config"));
    assert_false(option_unknown_letter('s', &err));
    assert_non_null(strstr(err.hint, "-S"));
    assert_false(option_unknown_letter('T', &err));
    assert_non_null(strstr(err.hint, "-t (--query-timeout)"));
    assert_false(option_unknown_letter('\x1b', &err));
    assert_null(strchr(err.primary, '\x1b'));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_whole_and_has_no_name_twice),
        cmocka_unit_test(what_decides_has_neither_variable_nor_ini_key),
        cmocka_unit_test(a_secret_has_no_name_on_the_command_line),
        cmocka_unit_test(values_are_read_whole_or_not_at_all),
        cmocka_unit_test(an_empty_plan_id_is_said_to_be_empty_with_what_belongs_there),
        cmocka_unit_test(a_choice_comes_back_in_the_listed_spelling),
        cmocka_unit_test(the_nearest_name_is_found_and_a_stranger_is_not),
        cmocka_unit_test(an_unknown_letter_says_what_sqlcmd_means_by_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
