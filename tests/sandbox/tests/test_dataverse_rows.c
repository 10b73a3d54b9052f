#include "../../support/test.h"
#include "tests/organization.h"

#define NOBODY SET "(00000000-0000-4000-8000-000000000001)"
#define NEW_ID "11111111-2222-4333-8444-555555555555"

static void
a_delete_with_the_right_etag_removes_that_row(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    char code[32];
    organization_row(o, 1, path, etag);
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 204);
    assert_int_equal(organization_row_count(o), 2);
    assert_int_equal(organization_error(o, "GET", path, "", "", code), 404);
    assert_string_equal(code, "0x80040217");
    assert_int_equal(organization_error(o, "DELETE", path, etag, "", code), 404);
    assert_string_equal(code, "0x80040217");
}

static void
a_delete_with_another_etag_removes_nothing(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    char code[32];
    organization_row(o, 0, path, etag);
    assert_int_equal(organization_error(o, "DELETE", path, "If-Match: W/\"1\"\r\n", "", code), 412);
    assert_string_equal(code, "0x80060882");
    assert_int_equal(organization_row_count(o), 3);
    assert_int_equal(organization_json(o, "DELETE", path, "If-Match: *\r\n", "", NULL), 204);
    assert_int_equal(organization_row_count(o), 2);
}

static void
a_change_through_control_makes_the_etag_stale(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    char query[128];
    char *text = NULL;
    organization_row(o, 0, path, etag);
    (void)snprintf(query, sizeof(query), "id=%.36s", strchr(path, '(') + 1);
    assert_int_equal(dv_service_control(o->service, "PATCH", "rows", query, "{}", &text), 200);
    free(text);
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 412);
    organization_row(o, 0, path, etag);
    assert_int_equal(organization_json(o, "DELETE", path, etag, "", NULL), 204);
}

static void
a_table_without_optimistic_concurrency_refuses_etags(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    char code[32];
    organization_set(o, "{\"optimistic_concurrency\":false}");
    organization_row(o, 0, path, etag);
    assert_int_equal(organization_error(o, "DELETE", path, etag, "", code), 400);
    assert_string_equal(code, "0x80060893");
    assert_int_equal(organization_json(o, "DELETE", path, "", "", NULL), 204);
}

static void
one_row_is_read_with_its_etag_and_not_again_when_unchanged(void **state)
{
    struct organization *o = *state;
    char path[128];
    char match[64];
    char none_match[96];
    char etag[64] = "";
    organization_row(o, 0, path, match);
    struct web_answer answer = organization_send(o, "GET", path, "", "");
    assert_int_equal(answer.status, 200);
    assert_true(web_header(&answer, "ETag", etag, sizeof(etag)));
    assert_non_null(strstr(match, etag));
    assert_non_null(strstr(answer.body, "/$entity\""));
    web_done(&answer);
    (void)snprintf(none_match, sizeof(none_match), "If-None-Match: %s\r\n", etag);
    assert_int_equal(organization_json(o, "GET", path, none_match, "", NULL), 304);
    assert_int_equal(organization_json(o, "GET", path, "If-None-Match: null\r\n", "", NULL), 200);
}

static void
an_upsert_with_none_match_only_creates(void **state)
{
    struct organization *o = *state;
    char code[32];
    char location[256] = "";
    static const char body[] =
        "{\"msdyn_name\":\"back\",\"statecode\":1,\"createdon\":\"2001-01-01T00:00:00Z\","
        "\"versionnumber\":7,\"ownerid@odata.bind\":\"/systemusers(" NEW_ID ")\"}";
    struct web_answer answer =
        organization_send(o, "PATCH", SET "(" NEW_ID ")", "If-None-Match: *\r\n", body);
    assert_int_equal(answer.status, 204);
    assert_true(web_header(&answer, "OData-EntityId", location, sizeof(location)));
    assert_non_null(strstr(location, SET "(" NEW_ID ")"));
    web_done(&answer);
    cJSON *row = organization_get(o, SET "(" NEW_ID ")");
    assert_string_equal(cJSON_GetObjectItem(row, "msdyn_name")->valuestring, "back");
    assert_string_equal(cJSON_GetObjectItem(row, "_ownerid_value")->valuestring, NEW_ID);
    assert_true(cJSON_GetObjectItem(row, "statecode")->valuedouble == 1);
    assert_memory_not_equal(cJSON_GetObjectItem(row, "createdon")->valuestring, "2001", 4);
    assert_true(cJSON_GetObjectItem(row, "versionnumber")->valuedouble > 7);
    cJSON_Delete(row);
    assert_int_equal(
        organization_error(o, "PATCH", SET "(" NEW_ID ")", "If-None-Match: *\r\n", "{}", code),
        412);
    assert_string_equal(code, "0x80040237");
}

static void
an_update_with_match_never_creates(void **state)
{
    struct organization *o = *state;
    char code[32];
    assert_int_equal(organization_error(o, "PATCH", NOBODY, "If-Match: *\r\n", "{}", code), 404);
    assert_string_equal(code, "0x80040217");
    assert_int_equal(organization_row_count(o), 3);
    assert_int_equal(organization_json(o, "PATCH", NOBODY, "", "{}", NULL), 204);
    assert_int_equal(organization_row_count(o), 4);
}

static void
a_post_creates_and_may_show_the_row(void **state)
{
    struct organization *o = *state;
    cJSON *row = NULL;
    char code[32];
    static const char body[] =
        "{\"msdyn_dualwriteruntimeconfigid\":\"" NEW_ID "\",\"msdyn_name\":\"new\","
        "\"overriddencreatedon\":\"2020-02-03T04:05:06Z\"}";
    assert_int_equal(
        organization_json(o, "POST", SET, "Prefer: return=representation\r\n", body, &row), 201);
    assert_string_equal(cJSON_GetObjectItem(row, "createdon")->valuestring, "2020-02-03T04:05:06Z");
    cJSON_Delete(row);
    assert_int_equal(organization_error(o, "POST", SET, "", body, code), 412);
    assert_string_equal(code, "0x80040237");
}

static void
payloads_that_dataverse_would_refuse_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"nosuch\":1}",
        "{\"msdyn_name\":5}",
        "{\"statecode\":\"0\"}",
        "{\"_ownerid_value\":\"" NEW_ID "\"}",
        "{\"ownerid@odata.bind\":\"nowhere\"}",
        "{\"nosuch@odata.bind\":\"/systemusers(" NEW_ID ")\"}",
    };
    struct organization *o = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char code[32];
        assert_int_equal(organization_error(o, "POST", SET, "", bad[i], code), 400);
        assert_string_equal(code, "0x80048d19");
    }
    assert_int_equal(organization_row_count(o), 3);
}

static void
missing_privileges_are_named(void **state)
{
    static const struct {
        const char *settings, *method, *path, *privilege;
    } cases[] = {
        {"{\"may_delete\":false}", "DELETE", NOBODY, "prvDeletemsdyn_dualwriteruntimeconfig"},
        {"{\"may_read\":false}", "GET", SET, "prvReadmsdyn_dualwriteruntimeconfig"},
        {"{\"may_read\":false}", "GET", NOBODY, "prvReadmsdyn_dualwriteruntimeconfig"},
        {"{\"may_create\":false}", "POST", SET, "prvCreatemsdyn_dualwriteruntimeconfig"},
        {"{\"may_create\":false}", "PATCH", NOBODY, "prvCreatemsdyn_dualwriteruntimeconfig"},
        {"{\"may_system\":false}", "GET", "plugintracelogs", "prvReadPluginTraceLog"},
        {"{}", "DELETE", "cdm_companies(" NEW_ID ")", "prvDeletecdm_company"},
    };
    struct organization *o = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        organization_set(o, cases[i].settings);
        struct web_answer answer = organization_send(o, cases[i].method, cases[i].path, "", "{}");
        assert_int_equal(answer.status, 403);
        assert_non_null(strstr(answer.body, "0x80040220"));
        assert_non_null(strstr(answer.body, cases[i].privilege));
        web_done(&answer);
    }
}

static void
other_methods_and_paths_are_refused(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
    } cases[] = {
        {"PUT", SET, 405},
        {"HEAD", SET, 405},
        {"PUT", NOBODY, 405},
        {"POST", "WhoAmI", 405},
        {"GET", SET "(1)", 400},
        {"GET", SET "(", 400},
        {"GET", SET "/nothing", 404},
        {"GET", "nosuchset", 404},
        {"POST", "BulkDelete", 404},
        {"GET", SET "?%zz=1", 404},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(organization_json(*state, cases[i].method, cases[i].path, "", "{}", NULL),
                         cases[i].status);
}

static void
what_lies_outside_the_api_is_an_html_404(void **state)
{
    struct organization *o = *state;
    static const char *const paths[] = {"/", "/api/data/v8.2/WhoAmI", "/api/data/v9.2x",
                                        "/main.aspx"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct web_answer answer = web_send(&o->web, "GET", paths[i], o->bearer, "");
        assert_int_equal(answer.status, 404);
        assert_non_null(strstr(answer.body, "<html>"));
        web_done(&answer);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, organization_again)
    const struct CMUnitTest tests[] = {
        TEST(a_delete_with_the_right_etag_removes_that_row),
        TEST(a_delete_with_another_etag_removes_nothing),
        TEST(a_change_through_control_makes_the_etag_stale),
        TEST(a_table_without_optimistic_concurrency_refuses_etags),
        TEST(one_row_is_read_with_its_etag_and_not_again_when_unchanged),
        TEST(an_upsert_with_none_match_only_creates),
        TEST(an_update_with_match_never_creates),
        TEST(a_post_creates_and_may_show_the_row),
        TEST(payloads_that_dataverse_would_refuse_are_refused),
        TEST(missing_privileges_are_named),
        TEST(other_methods_and_paths_are_refused),
        TEST(what_lies_outside_the_api_is_an_html_404),
    };
    return cmocka_run_group_tests(tests, organization_group_open, organization_group_close);
}
