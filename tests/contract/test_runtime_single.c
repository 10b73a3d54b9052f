/**
 * Deletes one by one, where something between refuses $batch.
 */
#include "base/cancel.h"
#include "runtime_sandbox.h"

static void
a_row_that_changed_stays(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};
    struct runtime_evidence evidence;

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    (void)snprintf(taken.ids[4].version, sizeof taken.ids[4].version, "W/\"1\"");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_int_equal(told.states[REMOVAL_CHANGED], 1);
    assert_int_equal(told.why.code, ERR_STALE);
    evidence = observe();
    assert_int_equal(evidence.row_count, 1);
    assert_string_equal(evidence.rows[0].key, taken.ids[4].key);
}

static void
a_row_that_is_gone_already_is_told_so(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"times\":1,\"do\":\"other\",\"text\":\"gone\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_GONE], 1);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_int_equal(observe().row_count, 0);
}

static void
a_purge_outlives_throttling_lost_answers_and_an_expired_token(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"skip\":1,\"times\":2,\"do\":\"error\",\"arg\":429,\"text\":"
          "\"0x80072322 retry-after=1 slow down\"}");
    fault("{\"at\":\"dv.after\",\"match\":\"configs(\",\"skip\":4,\"times\":2,\"do\":\"cut\"}");
    fault("{\"at\":\"dv.delete\",\"skip\":6,\"times\":1,\"do\":\"error\",\"arg\":503,\"text\":"
          "\"html\"}");
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_DONE] + told.states[REMOVAL_GONE], SEEDED_ROWS);
    assert_int_equal(observe().row_count, 0);
    assert_int_equal(count_in_log("\"blocked\":\"yes\""), 0);
}

static void
a_row_that_is_refused_does_not_stop_the_others(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"skip\":3,\"times\":1,\"do\":\"error\",\"arg\":400,\"text\":"
          "\"0x80040265 SecureConfig Organization (A) does not match actual CRM Organization "
          "(B)\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_FAILED], 1);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_non_null(strstr(told.why.detail, "SecureConfig Organization (A)"));
    assert_int_equal(observe().row_count, 1);
}

static void
an_answer_that_is_not_of_the_service_stops_the_purge(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    fault("{\"at\":\"dv.delete\",\"times\":0,\"do\":\"error\",\"arg\":404,\"text\":\"html\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(told.states[REMOVAL_DONE] + told.states[REMOVAL_GONE], 0);
    control("DELETE", "/faults", NULL, NULL);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static void
a_success_that_is_no_204_leaves_the_row_unknown_and_stops_the_purge(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    fault("{\"at\":\"dv.after\",\"match\":\"DELETE\",\"times\":1,\"do\":\"error\",\"arg\":200,"
          "\"text\":\"html\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(told.states[REMOVAL_UNKNOWN], 1);
    assert_int_equal(told.states[REMOVAL_UNKNOWN] + told.states[REMOVAL_DONE], told.told);
    assert_true(told.told < SEEDED_ROWS);
    assert_non_null(strstr(told.why.detail, "HTTP 200, text/html"));
    assert_int_equal(observe().row_count, SEEDED_ROWS - told.told);
}

static void
a_changed_row_that_is_not_shown_is_unknown(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    (void)snprintf(taken.ids[0].version, sizeof taken.ids[0].version, "W/\"1\"");
    fault("{\"at\":\"dv.after\",\"match\":\"GET\",\"times\":1,\"do\":\"error\",\"arg\":200,"
          "\"text\":\"html\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(told.states[REMOVAL_UNKNOWN], 1);
    assert_int_equal(told.states[REMOVAL_CHANGED], 0);
}

static void
a_refusal_after_a_lost_answer_proves_nothing(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    taken.count = 1;
    fault("{\"at\":\"dv.delete\",\"times\":1,\"do\":\"cut\"}");
    fault("{\"at\":\"dv.delete\",\"times\":1,\"do\":\"error\",\"arg\":500,\"text\":"
          "\"0x80040216 An unexpected error occurred.\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_UNKNOWN], 1);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 2);
}

static void
a_row_that_went_with_a_lost_answer_is_gone_and_not_done(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    fault("{\"at\":\"dv.after\",\"match\":\"DELETE\",\"times\":1,\"do\":\"cut\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_GONE], 1);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 1);
    assert_int_equal(observe().row_count, 0);
}

static void
a_table_without_row_versions_is_never_purged(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    set("{\"optimistic_concurrency\":false}");
    taken = read_rows();
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SCHEMA);
    assert_non_null(strstr(err.hint, "no runtime configuration was deleted"));
    assert_int_equal(told.announced, 0);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 0);
}

static void
a_journal_that_cannot_be_written_stops_the_purge(void **state)
{
    struct taken taken;
    struct told told = {.fail_outcome_at = 2};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_true(told.told < SEEDED_ROWS);
    assert_int_equal(observe().row_count, SEEDED_ROWS - told.told);
}

static void
a_row_without_one_version_of_its_own_is_never_sent(void **state)
{
    static const char *const versions[] = {"", "*", "W/\"1\", W/\"2\"", "1"};
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        struct row_id *last = &taken.ids[SEEDED_ROWS - 1];

        (void)snprintf(last->version, sizeof last->version, "%s", versions[i]);
        assert_false(remove_rows(&taken, &told, &err));
        assert_int_equal(err.code, ERR_SCHEMA);
        assert_non_null(strstr(err.hint, "no runtime configuration was deleted"));
    }
    assert_int_equal(told.announced, 0);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 0);
}

static void
a_key_that_is_no_guid_is_never_sent(void **state)
{
    struct taken taken;
    struct told told = {0};
    struct err err = {0};

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    taken.ids[0].key[35] = '\0';
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_int_equal(told.announced, 0);
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), 0);
}

/** The last one: a stop signal stays pending for the rest of the process. */
static void
a_stop_signal_lets_the_rows_in_flight_end(void **state)
{
    struct taken taken;
    struct told told = {.stop_signal_at = 3};
    struct err err = {0};
    TEXT_SCOPED rows = {0};
    size_t left = 0;

    (void)state;
    open_store();
    refuse_batches();
    taken = read_rows();
    cancel_init();
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_in_range(told.states[REMOVAL_DONE], 3, SEEDED_ROWS - 1);
    assert_int_equal(told.states[REMOVAL_DONE], told.told);
    control("GET", "/dataverse/rows", NULL, &rows);
    for (size_t i = 0; i < taken.count; i++)
        left += strstr(text_string(&rows), taken.ids[i].key) != NULL;
    assert_int_equal(left, SEEDED_ROWS - told.told);
    (void)expect_no_observation(ERR_INTERRUPTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_that_changed_stays),
        TEST(a_row_that_is_gone_already_is_told_so),
        TEST(a_purge_outlives_throttling_lost_answers_and_an_expired_token),
        TEST(a_row_that_is_refused_does_not_stop_the_others),
        TEST(an_answer_that_is_not_of_the_service_stops_the_purge),
        TEST(a_success_that_is_no_204_leaves_the_row_unknown_and_stops_the_purge),
        TEST(a_changed_row_that_is_not_shown_is_unknown),
        TEST(a_refusal_after_a_lost_answer_proves_nothing),
        TEST(a_row_that_went_with_a_lost_answer_is_gone_and_not_done),
        TEST(a_journal_that_cannot_be_written_stops_the_purge),
        TEST(a_row_without_one_version_of_its_own_is_never_sent),
        TEST(a_key_that_is_no_guid_is_never_sent),
        TEST(a_table_without_row_versions_is_never_purged),
        TEST(a_stop_signal_lets_the_rows_in_flight_end),
    };

    return cmocka_run_group_tests_name("runtime_single", tests, NULL, NULL);
}
