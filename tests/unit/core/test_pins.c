#include "core/pins.h"
#include "test.h"

#include <string.h>

/** A database that was restored at `restored_at`; "" = never, NULL = its history is not readable.
 */
static struct axdb_identity
database_restored(const char *restored_at)
{
    return (struct axdb_identity){.server_name = "SQL01",
                                  .database = "AxDB",
                                  .restore_known = restored_at != NULL,
                                  .restored_at = restored_at ? restored_at : ""};
}

static void
a_restore_must_be_later_than_its_pin(void **state)
{
    static const struct {
        const char *pin, *restored_at;
        enum pin_state expected;
    } cases[] = {
        {NULL, NULL, PIN_NONE},
        {"2026-11-20", "2026-11-20T10:00:00.123", PIN_HOLDS},
        {"2026-11-20", "2026-11-20 10:00:00.123", PIN_HOLDS},
        {"2026-11-20", "2026-11-19T23:59:59.997", PIN_DIFFERS},
        {"2026-11-20", "2026-11-20T00:00:00.000", PIN_DIFFERS},
        {"2026-11-21", "2026-11-20T10:00:00.123", PIN_DIFFERS},
        {"2026-11-20T09:59", "2026-11-20T10:00:00.000", PIN_HOLDS},
        {"2026-11-20T10:00", "2026-11-20T10:00:00.003", PIN_HOLDS},
        {"2026-11-20 10:01", "2026-11-20T10:00:59.997", PIN_DIFFERS},
        {"2026-11-20T10:00:00.123", "2026-11-20T10:00:00.123", PIN_DIFFERS},
        {"2026-11-20T10:00:00.12", "2026-11-20T10:00:00.123", PIN_HOLDS},
        {"2026-11-20T10:00:00.1229999", "2026-11-20T10:00:00.123", PIN_HOLDS},
        {"2026-11-20", "", PIN_DIFFERS},
        {"2026-11-20", NULL, PIN_UNKNOWN},
        {"2026-11-20", "last Friday", PIN_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct axdb_identity id = database_restored(cases[i].restored_at);
        const struct run_request request = {.expect_restored_after = cases[i].pin};
        const bool refused = cases[i].expected == PIN_DIFFERS || cases[i].expected == PIN_UNKNOWN;
        struct err err = {0};

        assert_int_equal(pin_restored_after(&request, &id, &err), cases[i].expected);
        assert_int_equal(guard_pins(&request, &id, &err), !refused);
        assert_int_equal(err.code, refused ? ERR_REFUSED : ERR_NONE);
        if (refused)
            assert_non_null(strstr(err.primary, cases[i].pin));
    }
}

static void
both_values_and_the_time_zone_are_said(void **state)
{
    const struct axdb_identity id = database_restored("2026-11-20T10:00:00.123");
    const struct run_request request = {.expect_restored_after = "2026-11-21"};
    struct err err = {0};

    (void)state;
    assert_false(guard_pins(&request, &id, &err));
    assert_string_equal(err.primary, "database was restored 2026-11-20T10:00:00.123, expected "
                                     "after 2026-11-21");
    assert_non_null(strstr(err.hint, "the server's local time"));
    assert_non_null(strstr(err.hint, "expect_restored_after"));
}

static void
an_unreadable_history_is_refused_with_the_way_on(void **state)
{
    const struct axdb_identity id = database_restored(NULL);
    const struct run_request request = {.expect_restored_after = "2026-11-21"};
    struct err err = {0};

    (void)state;
    assert_false(guard_pins(&request, &id, &err));
    assert_int_equal(err_exit_status(err.code), 4);
    assert_non_null(strstr(err.hint, "msdb.dbo.restorehistory"));
}

static void
a_pin_that_is_no_moment_of_the_server_is_a_fault_of_the_configuration(void **state)
{
    static const char *const pins[] = {"",
                                       "today",
                                       "2026-11",
                                       "2026-13-01",
                                       "2026-00-01",
                                       "2026-11-32",
                                       "0000-11-20",
                                       "2026-11-20T",
                                       "2026-11-20T24:00",
                                       "2026-11-20T10",
                                       "2026-11-20T10:60",
                                       "2026-11-20T10:00:",
                                       "2026-11-20T10:00:60",
                                       "2026-11-20T10:00:00.",
                                       "2026-11-20T10:00:00.12345678",
                                       "2026-11-20T10:00:00Z",
                                       "2026-11-20T10:00:00+01:00",
                                       "2026-11-20 ",
                                       " 2026-11-20",
                                       "20261120"};
    const struct axdb_identity id = database_restored("2026-11-20T10:00:00.123");

    (void)state;
    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        const struct run_request request = {.expect_restored_after = pins[i]};
        struct err err = {0};

        assert_int_equal(pin_restored_after(&request, &id, &err), PIN_UNKNOWN);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.hint, "local time"));
    }
}

static void
names_compare_without_case_and_are_both_said(void **state)
{
    const struct axdb_identity id = database_restored("");
    struct run_request request = {.expect_database = "axdb", .expect_server_name = "sql01"};
    struct err err = {0};

    (void)state;
    assert_true(guard_pins(&request, &id, &err));
    request.expect_database = "AxDB_old";
    assert_int_equal(pin_database(&request, &id, &err), PIN_DIFFERS);
    assert_false(guard_pins(&request, &id, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_string_equal(err.primary, "database is AxDB, expected AxDB_old");
    assert_true(err.hint[0]);
    request.expect_server_name = "SQL02";
    assert_false(guard_pins(&request, &id, &err));
    assert_string_equal(err.primary, "server calls itself SQL01, expected SQL02");
}

static void
a_name_that_the_server_does_not_say_is_never_the_pinned_one(void **state)
{
    struct axdb_identity id = database_restored("");
    const struct run_request request = {.expect_server_name = "SQL01"};
    struct err err = {0};

    (void)state;
    id.server_name = "";
    assert_int_equal(pin_server_name(&request, &id, &err), PIN_UNKNOWN);
    assert_false(guard_pins(&request, &id, &err));
    assert_string_equal(err.primary, "server calls itself not known, expected SQL01");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restore_must_be_later_than_its_pin),
        cmocka_unit_test(both_values_and_the_time_zone_are_said),
        cmocka_unit_test(an_unreadable_history_is_refused_with_the_way_on),
        cmocka_unit_test(a_pin_that_is_no_moment_of_the_server_is_a_fault_of_the_configuration),
        cmocka_unit_test(names_compare_without_case_and_are_both_said),
        cmocka_unit_test(a_name_that_the_server_does_not_say_is_never_the_pinned_one),
    };

    return cmocka_run_group_tests_name("core/pins", tests, NULL, NULL);
}
