/**
 * `check` over the real adapters, against a sandbox with seed scenario-a: what servers say of
 * rights and identity is understood as what is there, missing, or not known.
 */
#include "axdb_sandbox.h"
#include "core/run.h"
#include "dataverse/dataverse.h"

static bool
room_enough(struct run_store *store, uint64_t expected_bytes, struct run_place *ret,
            struct err *ret_err)
{
    (void)store;
    (void)ret_err;
    *ret = (struct run_place){.path = "/runs", .free_bytes = expected_bytes * 2};
    return true;
}

static void
say_nothing(struct observer *observer, enum log_level level, const char *text)
{
    (void)observer;
    (void)level;
    (void)text;
}

static struct outcome
check(const struct run_request *request, struct runtime_server *runtime, struct arena *arena)
{
    struct observer observer = {.say = say_nothing};
    struct run_store runs = {.probe = room_enough};
    const struct run_ports ports = {
        .axdb = server, .runtime = runtime, .runs = &runs, .observer = &observer};
    struct outcome outcome;

    run_check(request, &ports, arena, &outcome);
    return outcome;
}

/** Check the AxDB half with these options. */
static struct outcome
check_axdb(const struct mssql_options *options, struct arena *arena)
{
    const struct run_request request = {.axdb = true,
                                        .server = "localhost",
                                        .database = "AxDB",
                                        .expect_dataverse_host = "contoso-uat.crm4.dynamics.com"};

    use(options);
    return check(&request, NULL, arena);
}

/** The checks with this verdict, each once: "C-RIGHTS C-VIEWDEF ". */
static const char *
list(const struct outcome *outcome, bool required, enum verdict verdict)
{
    static char names[256];
    size_t used = 0;

    names[0] = '\0';
    for (size_t i = 0; i < outcome->before.observation_count; i++) {
        const struct observation *seen = &outcome->before.observations[i];

        if (seen->required != required || seen->verdict != verdict || strstr(names, seen->check))
            continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s ", seen->check);
        assert_true(used < sizeof names);
        if (verdict == VERDICT_DIFFERS && required)
            assert_true(seen->hint && seen->hint[0]);
    }
    return names;
}

static const char *
hint_of(const struct outcome *outcome, const char *name)
{
    for (size_t i = 0; i < outcome->before.observation_count; i++)
        if (strcmp(outcome->before.observations[i].check, name) == 0 &&
            outcome->before.observations[i].hint)
            return outcome->before.observations[i].hint;
    return "";
}

static void
every_login_of_the_sandbox_lacks_what_it_lacks(void **state)
{
    static const struct {
        const char *login, *missing, *advisory_missing, *advisory_unknown;
        int status;
    } logins[] = {
        {"dwclean", "", "", "", 0},
        {"admin", "", "", "", 0},
        {"nodelete", "C-RIGHTS ", "", "", 2},
        {"reader", "C-RIGHTS ", "C-UNDO C-APPLOCK ", "C-RESTORE C-AOS ", 2},
        {"blind", "C-VIEWDEF ", "C-UNDO C-APPLOCK ", "C-RESTORE C-AOS ", 2},
        {"tables-only", "C-VIEWDEF ", "C-UNDO C-APPLOCK ", "C-RESTORE C-AOS ", 2},
        {"nothing", "C-TABLE ", "C-APPLOCK ", "C-RESTORE C-AOS ", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        ARENA_SCOPED arena = arena_new(ARENA_BYTES);
        const struct mssql_options options = options_for(logins[i].login);
        const struct outcome outcome = check_axdb(&options, arena);

        assert_string_equal(list(&outcome, true, VERDICT_DIFFERS), logins[i].missing);
        assert_string_equal(list(&outcome, true, VERDICT_UNKNOWN), "");
        assert_string_equal(list(&outcome, false, VERDICT_DIFFERS), logins[i].advisory_missing);
        assert_string_equal(list(&outcome, false, VERDICT_UNKNOWN), logins[i].advisory_unknown);
        assert_int_equal(outcome.exit_status, logins[i].status);
    }
}

static void
a_failure_to_connect_is_the_need_that_it_belongs_to(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct mssql_options options = options_for("dwclean");
    struct outcome outcome;

    (void)state;
    options.database = "NoSuchDb";
    outcome = check_axdb(&options, arena);
    assert_int_equal(outcome.exit_status, 12);
    assert_string_equal(list(&outcome, true, VERDICT_UNKNOWN), "C-LOGIN ");
    options = options_for("stranger");
    outcome = check_axdb(&options, arena);
    assert_int_equal(outcome.exit_status, 12);
    assert_string_equal(list(&outcome, true, VERDICT_UNKNOWN), "C-LOGIN ");
    options = options_for("dwclean");
    options.ca_file = NULL; /* the system's: the sandbox's own CA is not there */
    outcome = check_axdb(&options, arena);
    assert_int_equal(outcome.exit_status, 10);
    assert_string_equal(list(&outcome, true, VERDICT_UNKNOWN), "C-TLS ");
    options.trust_certificate = true;
    outcome = check_axdb(&options, arena);
    assert_int_equal(outcome.exit_status, 0);
    assert_string_equal(list(&outcome, false, VERDICT_DIFFERS), "C-TLS ");
    options.port = 1;
    outcome = check_axdb(&options, arena);
    assert_int_equal(outcome.exit_status, 10);
    assert_string_equal(list(&outcome, true, VERDICT_UNKNOWN), "C-CONNECT ");
}

static void
what_stands_in_the_way_of_a_delete_is_named(void **state)
{
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    const struct mssql_options options = options_for("dwclean");
    struct outcome outcome;

    (void)state;
    sql("CREATE TRIGGER [dbo].[TR'X] ON dbo.DUALWRITEPROJECTCONFIGURATION AFTER DELETE AS SELECT 1;");
    outcome = check_axdb(&options, arena);
    assert_string_equal(list(&outcome, true, VERDICT_DIFFERS), "C-EFFECT ");
    assert_non_null(strstr(hint_of(&outcome, "C-EFFECT"), "QUOTENAME(N'TR''X')"));
}

static void
both_halves_are_ready(void **state)
{
    static const char *const hosts[] = {"localhost"};
    const char *text = variable("SANDBOX_CLIENT_SECRET");
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    const struct mssql_options options = options_for("dwclean");
    const struct run_request request = {
        .axdb = true, .dataverse = true, .server = "localhost", .database = "AxDB"};
    struct secret client_secret = {0};
    const struct dataverse_options dataverse = {.url = variable("SANDBOX_DATAVERSE_URL"),
                                                .client_id = variable("SANDBOX_CLIENT_ID"),
                                                .client_secret = &client_secret,
                                                .allow_hosts = hosts,
                                                .allow_host_count = 1,
                                                .ca_file = variable("SANDBOX_CA"),
                                                .connect_timeout_s = 5,
                                                .timeout_s = 20};
    struct runtime_server *runtime = NULL;
    struct outcome outcome;

    (void)state;
    assert_true(secret_set(&client_secret, text, strlen(text), &err));
    assert_true(dataverse_server_new(&dataverse, &runtime, &err));
    use(&options);
    outcome = check(&request, runtime, arena);
    dataverse_server_free(runtime);
    secret_wipe(&client_secret);
    if (outcome.exit_status != 0)
        fail_msg("%s (%s)", outcome.verdict, outcome.err.detail);
    assert_string_equal(outcome.verdict, "everything that a run needs is there");
    assert_int_equal(outcome.tables[TABLE_EVENTS].before_rows, EVENTS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(every_login_of_the_sandbox_lacks_what_it_lacks),
        CONTRACT_TEST(a_failure_to_connect_is_the_need_that_it_belongs_to),
        CONTRACT_TEST(what_stands_in_the_way_of_a_delete_is_named),
        CONTRACT_TEST(both_halves_are_ready),
    };
    int failed;

    CONTRACT_RUN(tests, failed);
    return failed;
}
