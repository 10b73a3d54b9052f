#include "../../support/test.h"
#include "dataverse/store.h"
#include "tests/organization.h"

/** Path of a nextLink behind API, or "". */
static void
next_of(const cJSON *page, char *ret, size_t size)
{
    const cJSON *link = cJSON_GetObjectItem(page, "@odata.nextLink");
    const char *at = cJSON_IsString(link) ? strstr(link->valuestring, API) : NULL;
    if (cJSON_IsString(link))
        assert_memory_equal(link->valuestring, "https://localhost:", 18);
    (void)snprintf(ret, size, "%s", at ? at + strlen(API) : "");
}

/** Follow every page; the number of pages, and the rows seen, which must not repeat. */
static int
walk(struct organization *o, const char *first, const char *prefer, int *ret_rows)
{
    char path[4096];
    char last[64] = "";
    int pages = 0;
    *ret_rows = 0;
    (void)snprintf(path, sizeof(path), "%s", first);
    while (path[0]) {
        cJSON *page = NULL;
        const cJSON *row = NULL;
        assert_int_equal(organization_json(o, "GET", path, prefer, "", &page), 200);
        cJSON_ArrayForEach(row, cJSON_GetObjectItem(page, "value"))
        {
            const char *id =
                cJSON_GetObjectItem(row, "msdyn_dualwriteruntimeconfigid")->valuestring;
            assert_true(last[0] == '\0' || dv_store_order(id, last) > 0);
            (void)snprintf(last, sizeof(last), "%s", id);
            (*ret_rows)++;
        }
        next_of(page, path, sizeof(path));
        cJSON_Delete(page);
        pages++;
    }
    return pages;
}

static void
a_full_list_has_every_column_and_an_etag(void **state)
{
    cJSON *page = organization_get(*state, SET);
    const cJSON *rows = cJSON_GetObjectItem(page, "value");
    assert_int_equal(cJSON_GetArraySize(rows), 3);
    const cJSON *row = cJSON_GetArrayItem(rows, 0);
    const char *etag = cJSON_GetObjectItem(row, "@odata.etag")->valuestring;
    assert_memory_equal(etag, "W/\"", 3);
    assert_true(cJSON_GetObjectItem(row, "versionnumber")->valuedouble == strtod(etag + 3, NULL));
    assert_true(cJSON_IsString(cJSON_GetObjectItem(row, "msdyn_unsecure")));
    assert_true(cJSON_IsString(cJSON_GetObjectItem(row, "_ownerid_value")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(row, "_owningteam_value")));
    assert_null(cJSON_GetObjectItem(row, "statecodename"));
    cJSON_Delete(page);
}

static void
select_gives_the_columns_asked_for_and_the_key(void **state)
{
    cJSON *page = organization_get(*state, SET "?$select=msdyn_name,_ownerid_value");
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(page, "value"), 0);
    assert_int_equal(cJSON_GetArraySize(row), 4);
    assert_non_null(cJSON_GetObjectItem(row, "msdyn_dualwriteruntimeconfigid"));
    cJSON_Delete(page);
}

static void
pages_hold_what_was_preferred_and_say_so(void **state)
{
    struct organization *o = *state;
    char applied[64] = "";
    struct web_answer answer =
        organization_send(o, "GET", SET "?$top=1", "Prefer: odata.maxpagesize=2\r\n", "");
    cJSON *page = cJSON_Parse(answer.body);
    assert_true(web_header(&answer, "Preference-Applied", applied, sizeof(applied)));
    assert_string_equal(applied, "odata.maxpagesize=2");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(page, "value")), 2);
    assert_non_null(cJSON_GetObjectItem(page, "@odata.nextLink"));
    cJSON_Delete(page);
    web_done(&answer);
}

static void
every_page_together_is_every_row_once(void **state)
{
    struct organization *o =
        organization_open("{\"generate\":{\"fields\":0,\"count\":1,\"maps\":[" MAPS3 "]}}", 12001);
    int rows = 0;
    (void)state;
    assert_int_equal(walk(o, SET "?$select=msdyn_dualwriteruntimeconfigid", "", &rows), 3);
    assert_int_equal(rows, 12001);
    assert_int_equal(walk(o, SET "?$select=msdyn_dualwriteruntimeconfigid",
                          "Prefer: odata.maxpagesize=4000\r\n", &rows),
                     4);
    assert_int_equal(rows, 12001);
    organization_close(o);
}

/** The cookie holds a key: rows deleted meanwhile do not shift the next page. */
static void
deleting_behind_the_reader_hides_nothing(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    char next[4096];
    cJSON *page = NULL;
    assert_int_equal(organization_json(o, "GET", SET, "Prefer: odata.maxpagesize=1\r\n", "", &page),
                     200);
    next_of(page, next, sizeof(next));
    organization_row(o, 0, path, etag);
    assert_int_equal(organization_json(o, "DELETE", path, "", "", NULL), 204);
    int rows = 0;
    (void)walk(o, next, "Prefer: odata.maxpagesize=1\r\n", &rows);
    assert_int_equal(rows, 2);
    cJSON_Delete(page);
}

static void
order_and_filter_are_obeyed_across_pages(void **state)
{
    struct organization *o = *state;
    static const char *const wanted[] = {"Units - uom", "Customers V3 - account",
                                         "CDS Contacts V2 - contact"};
    char path[4096] = SET "?$select=msdyn_name&$orderby=msdyn_name%20desc";
    for (size_t i = 0; i < 3; i++) {
        cJSON *page = NULL;
        assert_int_equal(
            organization_json(o, "GET", path, "Prefer: odata.maxpagesize=1\r\n", "", &page), 200);
        const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(page, "value"), 0);
        assert_string_equal(cJSON_GetObjectItem(row, "msdyn_name")->valuestring, wanted[i]);
        next_of(page, path, sizeof(path));
        cJSON_Delete(page);
    }
    assert_string_equal(path, "");
    cJSON *page = organization_get(o, SET "?$filter=contains(msdyn_name,'contact')");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(page, "value")), 1);
    cJSON_Delete(page);
}

static void
top_limits_without_a_next_page(void **state)
{
    cJSON *page = organization_get(*state, SET "?$top=2");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(page, "value")), 2);
    assert_null(cJSON_GetObjectItem(page, "@odata.nextLink"));
    cJSON_Delete(page);
}

static void
counts_stop_where_the_service_stops(void **state)
{
    static const char annotations[] =
        "Prefer: odata.include-annotations=\"Microsoft.Dynamics.CRM.totalrecordcount,"
        "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded\"\r\n";
    char code[32];
    cJSON *json = NULL;
    (void)state;
    struct organization *o =
        organization_open("{\"generate\":{\"fields\":0,\"count\":1,\"maps\":[" MAPS3 "]}}", 50001);
    assert_int_equal(organization_json(o, "GET", SET "?$top=1&$count=true", annotations, "", &json),
                     200);
    assert_true(cJSON_GetObjectItem(json, "@odata.count")->valuedouble == 5000);
    assert_true(cJSON_IsTrue(
        cJSON_GetObjectItem(json, "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded")));
    cJSON_Delete(json);
    assert_int_equal(
        organization_error(o, "GET", SET "?$apply=aggregate($count%20as%20c)", "", "", code), 400);
    assert_string_equal(code, "0x8004E023");
    char path[128];
    json = organization_get(o, SET "?$select=msdyn_dualwriteruntimeconfigid&$top=1");
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "value"), 0);
    (void)snprintf(path, sizeof(path), SET "(%s)",
                   cJSON_GetObjectItem(first, "msdyn_dualwriteruntimeconfigid")->valuestring);
    cJSON_Delete(json);
    assert_int_equal(organization_json(o, "DELETE", path, "", "", NULL), 204);
    json = organization_get(o, SET "?$apply=aggregate($count%20as%20c)");
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "value"), 0);
    assert_true(cJSON_GetObjectItem(row, "c")->valuedouble == 50000);
    cJSON_Delete(json);
    organization_close(o);
}

static void
the_snapshot_count_is_stale(void **state)
{
    struct organization *o = *state;
    char path[128];
    char etag[64];
    organization_row(o, 0, path, etag);
    assert_int_equal(organization_json(o, "DELETE", path, "", "", NULL), 204);
    cJSON *json = organization_get(
        o, "RetrieveTotalRecordCount(EntityNames=['msdyn_dualwriteruntimeconfig'])");
    const cJSON *counts = cJSON_GetObjectItem(json, "EntityRecordCountCollection");
    assert_true(cJSON_GetArrayItem(cJSON_GetObjectItem(counts, "Values"), 0)->valuedouble == 3);
    cJSON_Delete(json);
}

static void
what_the_service_does_not_know_is_refused(void **state)
{
    static const char *const bad[] = {
        SET "?$skip=1",
        SET "?$select=nosuch",
        SET "?$filter=nosuch%20eq%201",
        SET "?$orderby=nosuch",
        SET "?$top=x",
        SET "?$skiptoken=x",
        SET "?$expand=ownerid",
        SET "?$select=statecodename",
        SET "?$orderby=msdyn_name+desc",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char code[32];
        assert_int_equal(organization_error(*state, "GET", bad[i], "", "", code), 400);
        assert_string_equal(code, "0x80060888");
    }
}

static void
a_nul_inside_a_text_reaches_the_client_escaped(void **state)
{
    struct organization *o = *state;
    char *text = NULL;
    assert_int_equal(dv_service_control(o->service, "POST", "rows", "",
                                        "{\"msdyn_name\":\"a\\u0000b \\\\u0000\"}", &text),
                     200);
    free(text);
    struct web_answer answer = organization_send(o, "GET", SET "?$select=msdyn_name", "", "");
    assert_non_null(strstr(answer.body, "\"a\\u0000b \\\\u0000\""));
    web_done(&answer);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, organization_again)
    const struct CMUnitTest tests[] = {
        TEST(a_full_list_has_every_column_and_an_etag),
        TEST(select_gives_the_columns_asked_for_and_the_key),
        TEST(pages_hold_what_was_preferred_and_say_so),
        cmocka_unit_test(every_page_together_is_every_row_once),
        TEST(deleting_behind_the_reader_hides_nothing),
        TEST(order_and_filter_are_obeyed_across_pages),
        TEST(top_limits_without_a_next_page),
        cmocka_unit_test(counts_stop_where_the_service_stops),
        TEST(the_snapshot_count_is_stale),
        TEST(what_the_service_does_not_know_is_refused),
        TEST(a_nul_inside_a_text_reaches_the_client_escaped),
    };
    return cmocka_run_group_tests(tests, organization_group_open, organization_group_close);
}
