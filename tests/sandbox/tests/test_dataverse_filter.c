#include "../../support/test.h"
#include "dataverse/filter.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char row_text[] =
    "{\"msdyn_dualwriteruntimeconfigid\":\"910a2dec-8902-4cc1-8bee-8da1658eec67\","
    "\"msdyn_name\":\"O'Brien and Sons\",\"msdyn_internalentityname\":null,\"statecode\":0,"
    "\"statuscode\":1,\"createdon\":\"2026-03-04T05:06:07Z\"}";

static const struct dv_table *
table(void)
{
    return dv_table_by_set(DV_CONFIG_SET);
}

static bool
matches(const char *text)
{
    char why[256];
    cJSON *row = cJSON_Parse(row_text);
    struct filter *filter = filter_parse(table(), text, why, sizeof(why));
    if (!filter)
        fail_msg("%s: %s", text, why);
    bool result = filter_matches(filter, row);
    filter_free(filter);
    cJSON_Delete(row);
    return result;
}

static void
comparisons_hold_as_odata_says(void **state)
{
    (void)state;
    assert_true(matches("statecode eq 0"));
    assert_false(matches("statecode ne 0"));
    assert_true(matches("statuscode gt 0 and statuscode ge 1 and statuscode le 1"));
    assert_false(matches("statuscode lt 1"));
    assert_true(matches("createdon lt 2026-03-05T00:00:00Z"));
    assert_true(matches("0 eq statecode"));
}

static void
texts_compare_without_case_and_quotes_are_doubled(void **state)
{
    (void)state;
    assert_true(matches("msdyn_name eq 'o''brien AND sons'"));
    assert_true(matches("contains(msdyn_name,'BRIEN')"));
    assert_true(matches("startswith(msdyn_name,'o''b')"));
    assert_true(matches("endswith(msdyn_name, 'sons')"));
    assert_false(matches("endswith(msdyn_name,'longer than the value itself')"));
    assert_true(matches("msdyn_dualwriteruntimeconfigid eq 910A2DEC-8902-4CC1-8BEE-8DA1658EEC67"));
}

static void
in_is_true_for_each_of_its_values(void **state)
{
    (void)state;
    assert_true(matches("Microsoft.Dynamics.CRM.In(PropertyName='msdyn_name',PropertyValues=['x',"
                        "'910A2DEC-8902-4CC1-8BEE-8DA1658EEC67']) or statecode eq 0"));
    assert_true(matches("Microsoft.Dynamics.CRM.In(PropertyName='msdyn_dualwriteruntimeconfigid',"
                        "PropertyValues=['x','910A2DEC-8902-4CC1-8BEE-8DA1658EEC67'])"));
    assert_false(matches("Microsoft.Dynamics.CRM.In(PropertyName='msdyn_dualwriteruntimeconfigid',"
                         "PropertyValues=['x'])"));
}

static void
null_is_equal_to_null_only(void **state)
{
    (void)state;
    assert_true(matches("msdyn_internalentityname eq null"));
    assert_false(matches("msdyn_internalentityname eq 'x'"));
    assert_true(matches("msdyn_internalentityname ne 'x'"));
    assert_false(matches("msdyn_internalentityname gt 'x'"));
    assert_false(matches("contains(msdyn_internalentityname,'x')"));
}

static void
and_binds_closer_than_or(void **state)
{
    (void)state;
    assert_true(matches("statecode eq 0 or statecode eq 1 and statuscode eq 9"));
    assert_false(matches("(statecode eq 0 or statecode eq 1) and statuscode eq 9"));
    assert_true(matches("not (statecode eq 1)"));
    assert_false(matches("not not statecode eq 1"));
}

static void
bad_filters_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "statecode",
        "statecode eq",
        "statecode is 0",
        "nosuch eq 1",
        "statecode eq 0 and",
        "(statecode eq 0",
        "statecode eq 0)",
        "msdyn_name eq 'open",
        "contains(msdyn_name 'x')",
        "Microsoft.Dynamics.CRM.In(PropertyName='nosuch',PropertyValues=['x'])",
        "Microsoft.Dynamics.CRM.In(PropertyName='msdyn_name',PropertyValues=[])",
        "Microsoft.Dynamics.CRM.In(PropertyName='msdyn_name',PropertyValues=['x'",
        "msdyn_name+eq+'x'",
        "statecodename eq 'Active'",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char why[256];
        struct filter *filter = filter_parse(table(), bad[i], why, sizeof(why));
        if (filter)
            fail_msg("accepted: %s", bad[i]);
        assert_true(why[0] != '\0');
    }
}

static void
depth_and_size_have_a_limit(void **state)
{
    char why[256];
    char *text = NULL;
    size_t bytes = 0;
    (void)state;
    FILE *out = open_memstream(&text, &bytes);
    for (int i = 0; i < 5000; i++)
        (void)fputc('(', out);
    (void)fclose(out);
    assert_null(filter_parse(table(), text, why, sizeof(why)));
    free(text);
    out = open_memstream(&text, &bytes);
    for (int i = 0; i < 5000; i++)
        (void)fputs("statecode eq 0 or ", out);
    (void)fputs("statecode eq 0", out);
    (void)fclose(out);
    assert_null(filter_parse(table(), text, why, sizeof(why)));
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_hold_as_odata_says),
        cmocka_unit_test(texts_compare_without_case_and_quotes_are_doubled),
        cmocka_unit_test(in_is_true_for_each_of_its_values),
        cmocka_unit_test(null_is_equal_to_null_only),
        cmocka_unit_test(and_binds_closer_than_or),
        cmocka_unit_test(bad_filters_are_refused),
        cmocka_unit_test(depth_and_size_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
