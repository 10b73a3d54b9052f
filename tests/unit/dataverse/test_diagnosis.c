#include "../../../src/dataverse/diagnosis.h"
#include "base/text.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MEGABYTE = 1024 * 1024 };

static const char guid[] = "B1000000-0000-4000-8000-000000000001";

static void
what_is_no_list_is_an_error_and_leaves_the_answer_alone(void **state)
{
    static const char *const bodies[] = {"",
                                         "[]",
                                         "{}",
                                         "null",
                                         "{\"value\":7}",
                                         "{\"value\":[7]}",
                                         "{\"value\":[{}",
                                         "{\"value\":[],\"value\":[]}",
                                         "{\"value\":[{\"a\":}]}",
                                         "<html></html>"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        const struct slice body = slice_of_string(bodies[i]);
        struct runtime_diagnosis kept = {.rows_read = 7777};
        struct diagnosis_ids ids = {.count = 7777};
        struct err err = {0};

        assert_false(diagnosis_read_names(body, arena, &kept, &err));
        assert_int_equal(err.code, ERR_SERVER);
        assert_false(diagnosis_read_traces(body, arena, &kept, &err));
        assert_false(diagnosis_read_companies(body, arena, &kept, &err));
        assert_false(diagnosis_read_steps(body, arena, &kept, &err));
        assert_false(diagnosis_read_ids(body, "a", &ids, &err));
        assert_int_equal(err.code, ERR_SERVER);
        assert_int_equal(kept.rows_read, 7777);
        assert_null(kept.traces);
        assert_null(kept.companies);
        assert_int_equal(ids.count, 7777);
    }
}

static void
an_empty_list_is_an_answer(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    const struct slice body = slice_of_string("{\"value\":[]}");
    struct runtime_diagnosis diagnosis = {0};
    struct diagnosis_ids ids;
    struct err err = {0};

    (void)state;
    assert_true(diagnosis_read_names(body, arena, &diagnosis, &err));
    assert_true(diagnosis_read_traces(body, arena, &diagnosis, &err));
    assert_true(diagnosis_read_companies(body, arena, &diagnosis, &err));
    assert_true(diagnosis_read_steps(body, arena, &diagnosis, &err));
    assert_true(diagnosis_read_ids(body, "a", &ids, &err));
    assert_int_equal(diagnosis.rows_read + diagnosis.trace_count + diagnosis.company_count +
                         diagnosis.plugin_steps + ids.count,
                     0);
}

/** A trace whose two texts have `size` bytes, and the error at `at` of the exception. */
static void
write_trace(struct text *ret, size_t size, size_t at)
{
    static const char error[] = "SecureConfig Organization (a) does not match";

    text_append(ret,
                "{\"typename\":\"T\",\"createdon\":\"2026-11-20T09:15:00Z\",\"messageblock\":\"");
    for (size_t i = 0; i + 4 < size; i++)
        text_append(ret, "m");
    text_append(ret, "END.\",\"exceptiondetails\":\"START");
    for (size_t i = 0; i < size; i++)
        text_append(ret, i == at ? error : "e");
    text_append(ret, "\"}");
}

static void
of_a_long_trace_the_error_or_else_its_ends_are_kept(void **state)
{
    static const struct {
        size_t size, at;
    } cases[] = {{10, 3}, {4000, 0}, {4000, 2047}, {9000, 8000}, {9000, 9999}, {200000, 150000}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARENA_SCOPED arena = arena_new(MEGABYTE);
        struct runtime_diagnosis diagnosis = {0};
        struct err err = {0};
        TEXT_SCOPED body = {0};
        const char *text;

        text_append(&body, "{\"value\":[");
        write_trace(&body, cases[i].size, cases[i].at);
        text_append(&body, "]}");
        assert_true(diagnosis_read_traces(slice_of(body.data, body.used), arena, &diagnosis, &err));
        assert_int_equal(diagnosis.trace_count, 1);
        text = diagnosis.traces[0].text;
        assert_true(strlen(text) < DIAGNOSIS_TRACE_BYTES);
        assert_non_null(strstr(text, "END."));
        if (cases[i].at < cases[i].size)
            assert_non_null(strstr(text, "SecureConfig Organization (a) does not match"));
        else
            assert_non_null(strstr(text, "START"));
        assert_string_equal(diagnosis.traces[0].created_on, "2026-11-20T09:15:00Z");
    }
}

static void
traces_without_texts_and_more_than_are_kept(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct runtime_diagnosis diagnosis = {0};
    struct err err = {0};
    TEXT_SCOPED body = {0};

    (void)state;
    text_append(&body, "{\"value\":[{\"messageblock\":null,\"createdon\":7}");
    for (int i = 0; i < 2 * DIAGNOSIS_TRACES; i++)
        text_append(&body, ",{}");
    text_append(&body, "]}");
    assert_true(diagnosis_read_traces(slice_of(body.data, body.used), arena, &diagnosis, &err));
    assert_int_equal(diagnosis.trace_count, DIAGNOSIS_TRACES);
    assert_string_equal(diagnosis.traces[0].text, "\n");
    assert_string_equal(diagnosis.traces[0].created_on, "");
}

static void
companies_say_what_they_lack(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    static const char body[] =
        "{\"value\":[{\"cdm_companycode\":\"USMF\",\"cdm_name\":\"A\","
        "\"cdm_isenabledfordualwrite\":true,\"_cdm_defaultowningteam_value\":\"t\"},"
        "{\"cdm_companycode\":null,\"cdm_isenabledfordualwrite\":false,"
        "\"_cdm_defaultowningteam_value\":null},{}],\"@odata.nextLink\":\"https://x\"}";
    struct runtime_diagnosis diagnosis = {0};
    struct err err = {0};

    (void)state;
    assert_true(diagnosis_read_companies(slice_of_string(body), arena, &diagnosis, &err));
    assert_int_equal(diagnosis.company_count, 3);
    assert_true(diagnosis.more_companies);
    assert_string_equal(diagnosis.companies[0].code, "USMF");
    assert_true(diagnosis.companies[0].enabled && diagnosis.companies[0].has_team);
    assert_string_equal(diagnosis.companies[1].code, "");
    assert_false(diagnosis.companies[1].enabled || diagnosis.companies[1].has_team);
    assert_true(diagnosis.companies[2].has_team); /* not told: not claimed */
}

static void
steps_count_by_state_and_a_step_without_one_is_an_error(void **state)
{
    ARENA_SCOPED arena = arena_new(MEGABYTE);
    struct runtime_diagnosis diagnosis = {0};
    struct err err = {0};
    TEXT_SCOPED body = {0};

    (void)state;
    text_append(&body, "{\"value\":[{\"name\":\"on\",\"statecode\":0}");
    for (int i = 0; i < 2 * DIAGNOSIS_STEP_NAMES; i++)
        text_printf(&body, ",{\"name\":\"off%d\",\"statecode\":1}", i);
    text_append(&body, "]}");
    assert_true(diagnosis_read_steps(slice_of(body.data, body.used), arena, &diagnosis, &err));
    assert_int_equal(diagnosis.plugin_steps, 2 * DIAGNOSIS_STEP_NAMES + 1);
    assert_int_equal(diagnosis.disabled_steps, 2 * DIAGNOSIS_STEP_NAMES);
    assert_int_equal(diagnosis.disabled_name_count, DIAGNOSIS_STEP_NAMES);
    assert_string_equal(diagnosis.disabled_names[0], "off0");
    assert_false(diagnosis.more_steps);
    assert_false(diagnosis_read_steps(slice_of_string("{\"value\":[{\"name\":\"a\"}]}"), arena,
                                      &diagnosis, &err));
    assert_int_equal(err.code, ERR_SERVER);
}

/** They go into a URL: nothing but GUIDs. */
static void
ids_are_guids_and_bounded(void **state)
{
    static const char *const bad[] = {
        "{\"value\":[{}]}", "{\"value\":[{\"id\":7}]}", "{\"value\":[{\"id\":\"1 or true\"}]}",
        "{\"value\":[{\"id\":\"b1000000-0000-4000-8000-000000000001 or 1\"}]}"};
    struct diagnosis_ids ids = {0};
    struct err err = {0};
    TEXT_SCOPED body = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(diagnosis_read_ids(slice_of_string(bad[i]), "id", &ids, &err));
    text_append(&body, "{\"value\":[");
    for (int i = 0; i < 2 * DIAGNOSIS_IDS; i++)
        text_printf(&body, "%s{\"id\":\"%s\"}", i ? "," : "", guid);
    text_append(&body, "]}");
    assert_true(diagnosis_read_ids(slice_of(body.data, body.used), "id", &ids, &err));
    assert_int_equal(ids.count, DIAGNOSIS_IDS);
    assert_true(ids.more);
    assert_string_equal(ids.ids[0], "b1000000-0000-4000-8000-000000000001");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_list_is_an_error_and_leaves_the_answer_alone),
        cmocka_unit_test(an_empty_list_is_an_answer),
        cmocka_unit_test(of_a_long_trace_the_error_or_else_its_ends_are_kept),
        cmocka_unit_test(traces_without_texts_and_more_than_are_kept),
        cmocka_unit_test(companies_say_what_they_lack),
        cmocka_unit_test(steps_count_by_state_and_a_step_without_one_is_an_error),
        cmocka_unit_test(ids_are_guids_and_bounded),
    };

    return cmocka_run_group_tests_name("dataverse/diagnosis", tests, NULL, NULL);
}
