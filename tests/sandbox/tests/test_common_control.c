#include "../../support/test.h"
#include "common/control.h"
#include "tests/web_client.h"

struct fixture {
    struct faults *faults;
    struct sandbox_log *log;
    struct control *control;
    struct web_target web;
    char seen[256];
    bool ok;
};

static bool
on_sql(void *ctx, const char *sql, char *why, size_t why_size)
{
    struct fixture *f = ctx;
    (void)snprintf(f->seen, sizeof(f->seen), "%s", sql);
    (void)snprintf(why, why_size, "208: invalid object");
    return f->ok;
}

static int
on_dataverse(void *ctx, const char *method, const char *path, const char *query, const char *body,
             char **ret_text)
{
    struct fixture *f = ctx;
    (void)snprintf(f->seen, sizeof(f->seen), "%s|%s|%s|%s", method, path, query, body);
    *ret_text = strdup("[]");
    return 200;
}

static bool
on_reset(void *ctx, char *why, size_t why_size)
{
    struct fixture *f = ctx;
    (void)snprintf(f->seen, sizeof(f->seen), "reset");
    (void)snprintf(why, why_size, "busy");
    return f->ok;
}

static int
open_control(void **state)
{
    char why[256];
    struct fixture *f = calloc(1, sizeof(*f));
    struct control_hooks hooks = {
        .ctx = f, .sql = on_sql, .dataverse = on_dataverse, .reset = on_reset};
    f->faults = faults_new();
    f->log = sandbox_log_new(NULL);
    f->control = control_start(&hooks, f->faults, f->log, why, sizeof(why));
    if (!f->control)
        return -1;
    f->web.port = control_port(f->control);
    *state = f;
    return 0;
}

static int
close_control(void **state)
{
    struct fixture *f = *state;
    control_stop(f->control);
    faults_free(f->faults);
    sandbox_log_free(f->log);
    free(f);
    return 0;
}

static int
ask(struct fixture *f, const char *method, const char *path, const char *body, char ret[256])
{
    struct web_answer answer = web_send(&f->web, method, path, "", body);
    int status = answer.status;
    if (ret)
        (void)snprintf(ret, 256, "%s", answer.body);
    web_done(&answer);
    return status;
}

static void
ready_answers(void **state)
{
    assert_int_equal(ask(*state, "GET", "/ready", "", NULL), 200);
    assert_int_equal(ask(*state, "POST", "/ready", "", NULL), 405);
    assert_int_equal(ask(*state, "GET", "/other", "", NULL), 404);
}

static void
the_log_is_read_and_cleared(void **state)
{
    struct fixture *f = *state;
    char text[256];
    sandbox_log_add(f->log, "batch", 51, "sql", "SELECT 1", NULL);
    assert_int_equal(ask(f, "GET", "/log", "", text), 200);
    assert_non_null(strstr(text, "SELECT 1"));
    assert_int_equal(ask(f, "DELETE", "/log", "", NULL), 200);
    assert_int_equal(ask(f, "GET", "/log", "", text), 200);
    assert_string_equal(text, "");
}

static void
faults_are_set_and_forgotten(void **state)
{
    struct fixture *f = *state;
    char text[256];
    assert_int_equal(ask(f, "POST", "/faults", "{\"at\":\"p\",\"do\":\"cut\"}", NULL), 200);
    assert_int_equal(fault_at(f->faults, "p", NULL).what, FAULT_CUT);
    assert_int_equal(ask(f, "POST", "/faults", "{\"at\":\"p\",\"do\":\"cut\"}", NULL), 200);
    assert_int_equal(ask(f, "DELETE", "/faults", "", NULL), 200);
    assert_int_equal(fault_at(f->faults, "p", NULL).what, FAULT_NONE);
    assert_int_equal(ask(f, "POST", "/faults", "{\"at\":\"p\"}", text), 400);
    assert_non_null(strstr(text, "do"));
}

static void
sql_and_reset_are_handed_on(void **state)
{
    struct fixture *f = *state;
    char text[256];
    assert_int_equal(ask(f, "POST", "/sql", "SELECT 'x'", text), 400);
    assert_string_equal(text, "208: invalid object");
    assert_string_equal(f->seen, "SELECT 'x'");
    assert_int_equal(ask(f, "POST", "/reset", "", text), 500);
    f->ok = true;
    assert_int_equal(ask(f, "POST", "/sql", "SELECT 1", NULL), 200);
    assert_int_equal(ask(f, "POST", "/reset", "", NULL), 200);
    assert_string_equal(f->seen, "reset");
}

static void
dataverse_requests_are_handed_on_with_path_and_query(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, "PATCH", "/dataverse/rows?id=7", "{}", NULL), 200);
    assert_string_equal(f->seen, "PATCH|rows|id=7|{}");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_control, close_control)
    const struct CMUnitTest tests[] = {
        TEST(ready_answers),
        TEST(the_log_is_read_and_cleared),
        TEST(faults_are_set_and_forgotten),
        TEST(sql_and_reset_are_handed_on),
        TEST(dataverse_requests_are_handed_on_with_path_and_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
