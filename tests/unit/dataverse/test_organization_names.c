#include "../../../src/dataverse/organization_names.h"
#include "base/text.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { KILOBYTE = 1024 };

static struct organization_names
search(struct arena *arena, const char *row)
{
    struct organization_names names = {.arena = arena};
    struct err err = {0};

    assert_true(organization_names_take(&names, slice_of_string(row), &err));
    return names;
}

/** "name*rows ..." of what is found in these rows; "?" behind what may be no name. */
static void
expect_found(const char *const *rows, size_t count, const char *expected)
{
    ARENA_SCOPED arena = arena_new((size_t)64 * KILOBYTE);
    struct organization_names names = {.arena = arena};
    struct err err = {0};
    TEXT_SCOPED found = {0};

    for (size_t i = 0; i < count; i++)
        assert_true(organization_names_take(&names, slice_of_string(rows[i]), &err));
    for (size_t i = 0; i < names.count; i++)
        text_printf(&found, "%s%s*%zu%s", i ? " " : "", names.list[i].name, names.list[i].rows,
                    names.list[i].sure ? "" : "?");
    assert_string_equal(text_string(&found), expected);
}

static void
names_are_found_at_any_depth_also_in_texts_that_are_json(void **state)
{
    static const struct {
        const char *row, *expected;
    } cases[] = {
        {"{\"OrganizationName\":\"contoso\"}", "contoso*1"},
        {"{\"a\":[{\"b\":{\"organization\":\"contoso\"}}]}", "contoso*1"},
        {"{\"u\":\"{\\\"OrganizationUniqueName\\\":\\\"contoso\\\"}\"}", "contoso*1"},
        {"{\"u\":\"[{\\\"c\\\":\\\"{\\\\\\\"SecureConfigOrganization\\\\\\\":"
         "\\\\\\\"contoso\\\\\\\"}\\\"}]\"}",
         "contoso*1"},
        {"{\"u\":\"\\\"{\\\\\\\"OrganizationId\\\\\\\":\\\\\\\"1\\\\\\\"}\\\"\"}", "1*1"},
        {"{\"OrganizationName\":\"A\",\"b\":{\"organizationname\":\"a\"}}", "A*1"},
        {"{\"OrganizationUrl\":\"https://a.crm.dynamics.com\"}", "https://a.crm.dynamics.com*1"},
        /* texts that may be something else */
        {"{\"OrganizationType\":\"Customer\",\"OrganizationVersion\":\"9.2\"}",
         "Customer*1? 9.2*1?"},
        {"{\"OrganizationType\":\"x\",\"OrganizationName\":\"x\"}", "x*1"},
        /* no names */
        {"{\"Name\":\"contoso\",\"b\":\"OrganizationName\"}", ""},
        {"{\"OrganizationalUnit\":\"contoso\"}", ""},
        {"{\"organizationid\":\"11\",\"_organizationid_value\":\"12\"}", ""},
        {"{\"organization@odata.type\":\"#String\"}", ""},
        {"{\"OrganizationName\":\"\",\"Organization\":null,\"OrganizationId\":7}", ""},
        {"{\"OrganizationName\":\"  \"}", ""},
        {"{\"OrganizationName\":\"a\\nb\"}", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_found(&cases[i].row, 1, cases[i].expected);
}

static void
a_name_counts_once_a_row(void **state)
{
    static const char *const rows[] = {
        "{\"OrganizationName\":\"a\",\"b\":[{\"OrganizationName\":\"a\"}]}",
        "{\"OrganizationName\":\"b\"}", "{\"OrganizationId\":\"A\"}", "{}"};

    (void)state;
    expect_found(rows, 4, "a*2 b*1");
}

static void
a_long_text_is_no_name_and_a_name_that_a_nul_would_cut_is_none(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)64 * KILOBYTE);
    struct organization_names names;
    char row[DIAGNOSIS_NAME_BYTES + 64];

    (void)state;
    (void)snprintf(row, sizeof row, "{\"OrganizationName\":\"%0*d\"}", DIAGNOSIS_NAME_BYTES, 7);
    assert_int_equal(search(arena, row).count, 0);
    (void)snprintf(row, sizeof row, "{\"OrganizationName\":\"%0*d\"}", DIAGNOSIS_NAME_BYTES - 1, 7);
    assert_int_equal(search(arena, row).count, 1);

    names = search(arena, "{\"OrganizationName\":\"own\\u0000other\"}");
    assert_int_equal(names.count, 0);
    assert_int_equal(names.rows_read, 1);
    assert_int_equal(names.rows_scanned, 0);
    names = search(arena, "{\"u\":\"{\\\"OrganizationName\\\":\\\"own\\\\u0000other\\\"}\"}");
    assert_int_equal(names.count, 0);
    assert_int_equal(names.rows_scanned, 0);
    assert_int_equal(search(arena, "{\"u\":\"{\\\"OrganizationName\\\": \\\"own\"}").rows_scanned,
                     0);
}

static void
what_lies_too_deep_is_left_and_that_is_told(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)64 * KILOBYTE);
    struct organization_names names;

    (void)state;
    for (int depth = 1; depth <= 3 * ORGANIZATION_DEPTH_MAX; depth++) {
        TEXT_SCOPED row = {0};

        for (int i = 0; i < depth; i++)
            text_append(&row, "{\"a\":");
        text_append(&row, "{\"Organization\":\"deep\"}");
        for (int i = 0; i < depth; i++)
            text_append(&row, "}");
        names = search(arena, text_string(&row));
        assert_int_equal(names.count, depth < ORGANIZATION_DEPTH_MAX - 1);
        assert_int_equal(names.rows_scanned, names.count);
    }
}

/** JSON in JSON in JSON: each level doubles the backslashes, so that few levels are many bytes. */
static void
texts_in_texts_end_at_the_same_depth(void **state)
{
    enum { LEVELS = 12 };
    ARENA_SCOPED arena = arena_new((size_t)64 * KILOBYTE);
    TEXT_SCOPED inner = {0};
    TEXT_SCOPED outer = {0};
    struct organization_names names;

    (void)state;
    text_append(&inner, "{\"Organization\":\"deep\"}");
    for (int i = 0; i < LEVELS; i++) {
        text_reset(&outer);
        text_append(&outer, "{\"a\":");
        text_append_json(&outer, inner.data, inner.used);
        text_append(&outer, "}");
        text_reset(&inner);
        text_append(&inner, text_string(&outer));
    }
    names = search(arena, text_string(&outer));
    assert_int_equal(names.count, 1);
    assert_int_equal(names.rows_scanned, 1);
    print_message("%d levels are %zu bytes\n", LEVELS, outer.used);
}

static void
more_names_than_are_kept_and_rows_too_large_are_told(void **state)
{
    ARENA_SCOPED arena = arena_new((size_t)64 * KILOBYTE);
    struct organization_names names = {.arena = arena};
    struct err err = {0};
    TEXT_SCOPED large = {0};

    (void)state;
    for (int i = 0; i < 3 * DIAGNOSIS_NAMES; i++) {
        char row[64];

        (void)snprintf(row, sizeof row, "{\"Organization\":\"org%d\"}", i);
        assert_true(organization_names_take(&names, slice_of_string(row), &err));
    }
    assert_int_equal(names.count, DIAGNOSIS_NAMES);
    assert_true(names.more);

    text_append(&large, "{\"Organization\":\"x\",\"a\":\"");
    while (large.used <= ORGANIZATION_ROW_MAX_BYTES)
        text_append(&large, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    text_append(&large, "\"}");
    names = search(arena, text_string(&large));
    assert_int_equal(names.count, 0);
    assert_int_equal(names.rows_read, 1);
    assert_int_equal(names.rows_scanned, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_at_any_depth_also_in_texts_that_are_json),
        cmocka_unit_test(a_name_counts_once_a_row),
        cmocka_unit_test(a_long_text_is_no_name_and_a_name_that_a_nul_would_cut_is_none),
        cmocka_unit_test(what_lies_too_deep_is_left_and_that_is_told),
        cmocka_unit_test(texts_in_texts_end_at_the_same_depth),
        cmocka_unit_test(more_names_than_are_kept_and_rows_too_large_are_told),
    };

    return cmocka_run_group_tests_name("dataverse/organization_names", tests, NULL, NULL);
}
