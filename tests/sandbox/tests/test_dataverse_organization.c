#include "../../support/test.h"
#include "tests/organization.h"

#define CURRENT "RetrieveCurrentOrganization(AccessType="
#define DEFINITION "EntityDefinitions(LogicalName='msdyn_dualwriteruntimeconfig')"

static const char *
text_at(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : "(none)";
}

static void
the_organization_names_itself_and_its_own_host(void **state)
{
    static const char *const paths[] = {
        CURRENT "Microsoft.Dynamics.CRM.EndpointAccessType'Default')",
        CURRENT "'Default')",
        CURRENT "@p)?@p='Default'",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        cJSON *json = organization_get(*state, paths[i]);
        const cJSON *detail = cJSON_GetObjectItem(json, "Detail");
        const cJSON *endpoints = cJSON_GetObjectItem(detail, "Endpoints");
        assert_string_equal(text_at(detail, "UniqueName"), "org6459f7a8");
        assert_string_equal(text_at(detail, "UrlName"), "contoso-uat");
        assert_string_equal(
            cJSON_GetArrayItem(cJSON_GetObjectItem(endpoints, "Keys"), 0)->valuestring,
            "WebApplication");
        assert_string_equal(
            cJSON_GetArrayItem(cJSON_GetObjectItem(endpoints, "Values"), 0)->valuestring,
            "https://contoso-uat.crm4.dynamics.com/");
        cJSON_Delete(json);
    }
    assert_int_equal(organization_json(*state, "GET", CURRENT "'Secret')", "", "", NULL), 400);
}

static void
its_settings_change_while_it_runs(void **state)
{
    struct organization *o = *state;
    char *text = NULL;
    organization_set(o, "{\"unique_name\":\"org_other\",\"host\":\"other.crm.dynamics.com\"}");
    cJSON *json = organization_get(o, CURRENT "'Default')");
    assert_string_equal(text_at(cJSON_GetObjectItem(json, "Detail"), "UniqueName"), "org_other");
    cJSON_Delete(json);
    assert_int_equal(
        dv_service_control(o->service, "PATCH", "settings", "", "{\"uniqe_name\":\"x\"}", &text),
        400);
    assert_non_null(strstr(text, "uniqe_name"));
    free(text);
}

static void
who_am_i_and_the_set_of_organizations_agree(void **state)
{
    cJSON *who = organization_get(*state, "WhoAmI");
    cJSON *list = organization_get(*state, "organizations?$select=name,organizationid");
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(list, "value"), 0);
    assert_string_equal(text_at(who, "OrganizationId"), text_at(row, "organizationid"));
    assert_string_equal(text_at(row, "name"), "org6459f7a8");
    cJSON_Delete(who);
    cJSON_Delete(list);
}

static void
the_link_is_shown_or_refused(void **state)
{
    struct organization *o = *state;
    cJSON *json = organization_get(o, "RetrieveFinanceAndOperationsIntegrationDetails");
    assert_string_equal(text_at(json, "Url"),
                        "https://contoso-uat.sandbox.operations.dynamics.com");
    cJSON_Delete(json);
    organization_set(o, "{\"fno_linked\":false}");
    assert_int_equal(organization_json(o, "GET", "RetrieveFinanceAndOperationsIntegrationDetails()",
                                       "", "", NULL),
                     400);
}

static void
the_table_is_described(void **state)
{
    cJSON *json = organization_get(
        *state, DEFINITION "?$select=EntitySetName,PrimaryIdAttribute,TableType,"
                           "IsOptimisticConcurrencyEnabled&$expand=Attributes($select=LogicalName,"
                           "AttributeType,IsValidForRead,IsValidForCreate,IsValidForUpdate)");
    assert_string_equal(text_at(json, "EntitySetName"), SET);
    assert_string_equal(text_at(json, "PrimaryIdAttribute"), "msdyn_dualwriteruntimeconfigid");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "IsOptimisticConcurrencyEnabled")));
    assert_null(cJSON_GetObjectItem(json, "ObjectTypeCode"));
    const cJSON *attributes = cJSON_GetObjectItem(json, "Attributes");
    assert_true(cJSON_GetArraySize(attributes) > 20);
    const cJSON *first = cJSON_GetArrayItem(attributes, 0);
    assert_string_equal(text_at(first, "AttributeType"), "Uniqueidentifier");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(first, "IsValidForUpdate")));
    cJSON_Delete(json);
}

static void
what_metadata_does_not_have_is_refused(void **state)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"EntityDefinitions(LogicalName='nosuch')", 404},
        {"EntityDefinitions(LogicalName=1)", 400},
        {"EntityDefinitions", 400},
        {DEFINITION "?$select=NoSuch", 400},
        {DEFINITION "?$expand=Attributes($select=NoSuch)", 400},
        {DEFINITION "?$expand=Keys", 400},
        {DEFINITION "?$expand=", 400},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(organization_json(*state, "GET", cases[i].path, "", "", NULL),
                         cases[i].status);
}

static void
a_table_that_is_not_installed_is_nowhere(void **state)
{
    struct organization *o = *state;
    char code[32];
    organization_set(o, "{\"table_installed\":false}");
    assert_int_equal(organization_error(o, "GET", DEFINITION, "", "", code), 404);
    assert_string_not_equal(code, "(none)");
    assert_int_equal(organization_error(o, "GET", SET, "", "", code), 404);
    assert_string_equal(code, "0x80060888");
    assert_int_equal(organization_json(o, "GET", "WhoAmI", "", "", NULL), 200);
    struct web_answer answer = organization_send(o, "GET", "$metadata", "", "");
    assert_null(strstr(answer.body, "msdyn_dualwriteruntimeconfig"));
    web_done(&answer);
}

static void
documents_list_the_sets(void **state)
{
    struct organization *o = *state;
    cJSON *json = organization_get(o, "");
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(json, "value")) >= 6);
    cJSON_Delete(json);
    struct web_answer answer = organization_send(o, "GET", "$metadata", "", "");
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "<EntitySet Name=\"" SET "\""));
    web_done(&answer);
}

static void
the_user_can_ask_for_its_privileges(void **state)
{
    struct organization *o = *state;
    static const char path[] = "systemusers(b1f0d1a2-5c3e-4a7f-9d8b-3e6c2a1f0d99)/"
                               "Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName("
                               "PrivilegeName='prvDeletemsdyn_dualwriteruntimeconfig')";
    cJSON *json = organization_get(o, path);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "RolePrivileges")), 1);
    cJSON_Delete(json);
    organization_set(o, "{\"may_delete\":false}");
    json = organization_get(o, path);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "RolePrivileges")), 0);
    cJSON_Delete(json);
}

static int
listed_rows(struct organization *o, const char *path)
{
    cJSON *json = organization_get(o, path);
    int count = cJSON_GetArraySize(cJSON_GetObjectItem(json, "value"));
    cJSON_Delete(json);
    return count;
}

static void
a_right_to_read_that_does_not_reach_all_rows_makes_lists_short(void **state)
{
    struct organization *o = *state;
    static const char path[] = "systemusers(b1f0d1a2-5c3e-4a7f-9d8b-3e6c2a1f0d99)/"
                               "Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName("
                               "PrivilegeName='prvReadmsdyn_dualwriteruntimeconfig')";
    assert_int_equal(listed_rows(o, SET), 3);
    organization_set(o, "{\"read_depth\":\"Basic\"}");
    cJSON *json = organization_get(o, path);
    const cJSON *privilege = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "RolePrivileges"), 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(privilege, "Depth")), "Basic");
    cJSON_Delete(json);
    assert_int_equal(listed_rows(o, SET), 0);
    assert_int_equal(listed_rows(o, SET "?$orderby=msdyn_name%20asc"), 0);
    json = organization_get(o, SET "?$count=true");
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "@odata.count")), 0);
    cJSON_Delete(json);
    assert_int_equal(organization_json(o, "POST", SET, "", "{\"msdyn_name\":\"own\"}", NULL), 204);
    assert_int_equal(listed_rows(o, SET), 1);
    assert_int_equal(listed_rows(o, "organizations"), 1);
    organization_set(o, "{\"read_depth\":\"Local\"}");
    assert_int_equal(listed_rows(o, SET), 4);
    organization_set(o, "{\"business_unit_id\":\"00000000-0000-4000-8000-000000000001\"}");
    assert_int_equal(listed_rows(o, SET), 0);
    char *text = NULL;
    assert_int_equal(
        dv_service_control(o->service, "PATCH", "settings", "", "{\"read_depth\":\"Far\"}", &text),
        400);
    free(text);
}

static void
a_table_names_its_privileges(void **state)
{
    struct organization *o = *state;
    cJSON *json = organization_get(
        o, "EntityDefinitions(LogicalName='msdyn_dualwriteruntimeconfig')?$select=Privileges");
    const cJSON *privileges = cJSON_GetObjectItem(json, "Privileges");
    const cJSON *read = cJSON_GetArrayItem(privileges, 1);
    assert_int_equal(cJSON_GetArraySize(privileges), 8);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(read, "Name")),
                        "prvReadmsdyn_dualwriteruntimeconfig");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(read, "PrivilegeType")), "Read");
    cJSON_Delete(json);
}

static void
every_answer_carries_the_service_s_headers(void **state)
{
    static const char *const names[] = {
        "OData-Version", "x-ms-service-request-id",
        "REQ_ID",        "x-ms-dop-hint",
        "Set-Cookie",    "x-ms-ratelimit-burst-remaining-xrm-requests",
    };
    struct organization *o = *state;
    char value[256];
    struct web_answer answer = organization_send(o, "GET", "WhoAmI", "", "");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_true(web_header(&answer, names[i], value, sizeof(value)));
    assert_true(
        web_header(&answer, "x-ms-ratelimit-time-remaining-xrm-requests", value, sizeof(value)));
    assert_string_equal(value, "1,200.00");
    web_done(&answer);
    organization_set(o, "{\"dop_hint\":0}");
    answer = organization_send(o, "GET", "WhoAmI", "", "");
    assert_false(web_header(&answer, "x-ms-dop-hint", value, sizeof(value)));
    web_done(&answer);
}

static void
a_reset_brings_the_seed_back(void **state)
{
    struct organization *o = *state;
    char why[256];
    char path[128];
    char etag[64];
    organization_set(o, "{\"unique_name\":\"changed\"}");
    organization_row(o, 0, path, etag);
    assert_int_equal(organization_json(o, "DELETE", path, "", "", NULL), 204);
    assert_true(dv_service_reset(o->service, why, sizeof(why)));
    assert_int_equal(organization_row_count(o), 3);
    cJSON *json = organization_get(o, CURRENT "'Default')");
    assert_string_equal(text_at(cJSON_GetObjectItem(json, "Detail"), "UniqueName"), "org6459f7a8");
    cJSON_Delete(json);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, organization_again)
    const struct CMUnitTest tests[] = {
        TEST(the_organization_names_itself_and_its_own_host),
        TEST(its_settings_change_while_it_runs),
        TEST(who_am_i_and_the_set_of_organizations_agree),
        TEST(the_link_is_shown_or_refused),
        TEST(the_table_is_described),
        TEST(what_metadata_does_not_have_is_refused),
        TEST(a_table_that_is_not_installed_is_nowhere),
        TEST(documents_list_the_sets),
        TEST(the_user_can_ask_for_its_privileges),
        TEST(a_right_to_read_that_does_not_reach_all_rows_makes_lists_short),
        TEST(a_table_names_its_privileges),
        TEST(every_answer_carries_the_service_s_headers),
        TEST(a_reset_brings_the_seed_back),
    };
    return cmocka_run_group_tests(tests, organization_group_open, organization_group_close);
}
