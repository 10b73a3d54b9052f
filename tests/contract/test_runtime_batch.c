/**
 * Deletes in batches: throttling, lost answers, refusals, as a whole and inside a part.
 */
#include "base/cancel.h"
#include "port/observer.h"
#include "runtime_sandbox.h"

static struct taken taken;
static struct told told;
static struct err err;

static int
set_up_rows(void **state)
{
    memset(&told, 0, sizeof told);
    memset(&err, 0, sizeof err);
    if (set_up(state) != 0)
        return -1;
    open_store();
    taken = read_rows();
    return 0;
}

static void
expect_all_gone(void)
{
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_DONE] + told.states[REMOVAL_GONE], SEEDED_ROWS);
    assert_int_equal(observe().row_count, 0);
}

static void
rows_go_in_batches_each_with_its_version(void **state)
{
    (void)state;
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
    assert_int_equal(count_in_log("\"method\":\"POST\""), 2); /* 10 and 7 rows */
    assert_int_equal(count_in_log("\"kind\":\"http-part\""), SEEDED_ROWS);
    assert_int_equal(count_in_log("\"if_match\":\"W/"), SEEDED_ROWS);
}

static void
a_changed_row_stays_and_a_missing_one_is_gone(void **state)
{
    struct runtime_evidence evidence;

    (void)state;
    (void)snprintf(taken.ids[4].version, sizeof taken.ids[4].version, "W/\"1\"");
    fault("{\"at\":\"dv.delete\",\"skip\":1,\"times\":1,\"do\":\"other\",\"text\":\"gone\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_CHANGED], 1);
    assert_int_equal(told.states[REMOVAL_GONE], 1);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 2);
    evidence = observe();
    assert_int_equal(evidence.row_count, 1);
    assert_string_equal(evidence.rows[0].key, taken.ids[4].key);
}

static void
one_429_stops_all_sending_until_it_is_over(void **state)
{
    const int64_t start_ms = clock_monotonic_ms();

    (void)state;
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":2,\"do\":\"error\",\"arg\":429,"
          "\"text\":\"0x80072321 retry-after=2 slow down\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_true(clock_monotonic_ms() - start_ms >= 2000);
    assert_true(told.paused && told.pace.throttled >= 1);
    assert_int_equal(count_in_log("\"status\":\"429\""), 2); /* those that were in flight */
}

static void
a_429_inside_a_part_sends_only_the_rest_again(void **state)
{
    const int64_t start_ms = clock_monotonic_ms();

    (void)state;
    fault("{\"at\":\"dv.part\",\"skip\":3,\"times\":2,\"do\":\"error\",\"arg\":429,\"text\":"
          "\"0x80072322 retry-after=2 slow down\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
    assert_int_equal(count_in_log("\"kind\":\"http-part\""), SEEDED_ROWS + 2);
    assert_true(clock_monotonic_ms() - start_ms >= 2000);
}

static void
a_lost_answer_is_replayed_and_what_it_did_is_gone_and_not_done(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.after\",\"match\":\"$batch\",\"times\":1,\"do\":\"cut\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_in_range(told.states[REMOVAL_GONE], 7, 10);
}

static void
a_batch_that_breaks_off_leaves_nothing_unknown(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.part\",\"skip\":3,\"times\":1,\"do\":\"cut\"}");
    fault(
        "{\"at\":\"dv.answer\",\"match\":\"$batch\",\"skip\":1,\"times\":1,\"do\":\"cut\",\"arg\":700}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_true(told.states[REMOVAL_GONE] >= 4);
}

static void
a_part_that_is_missing_is_asked_for_again(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.part\",\"skip\":2,\"times\":1,\"do\":\"other\",\"text\":\"missing\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_true(told.states[REMOVAL_GONE] >= 1);
}

static void
a_body_that_is_too_large_is_halved_until_it_fits(void **state)
{
    (void)state;
    set("{\"body_cap\":1200}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_in_range(count_in_log("\"status\":\"413\""), 1, 6);
    assert_in_range(told.pace.batch_rows, 0, 5);
}

static void
a_gateway_that_takes_no_bodies_is_passed_row_by_row(void **state)
{
    (void)state;
    set("{\"body_cap\":60}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(count_in_log("\"method\":\"DELETE\""), SEEDED_ROWS);
}

static void
a_token_that_is_over_is_renewed_once_and_everything_replayed(void **state)
{
    (void)state;
    control("DELETE", "/dataverse/tokens", NULL, NULL);
    control("DELETE", "/log", NULL, NULL);
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
    assert_int_equal(count_in_log("\"kind\":\"token\""), 1);
}

static void
a_token_that_is_refused_twice_ends_the_purge(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":0,\"do\":\"error\",\"arg\":401,"
          "\"text\":\"0x80048306 expired\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SIGNIN);
    assert_int_equal(told.told, 0);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static void
a_missing_right_ends_the_purge_and_is_named(void **state)
{
    (void)state;
    set("{\"may_delete\":false}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_non_null(strstr(err.primary, "prvDelete"));
    assert_int_equal(told.states[REMOVAL_DONE] + told.states[REMOVAL_UNKNOWN], 0);
}

static void
a_refusal_of_one_row_is_told_with_its_text_and_the_others_go_on(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.delete\",\"skip\":3,\"times\":1,\"do\":\"error\",\"arg\":400,\"text\":"
          "\"0x80040265 SecureConfig Organization (A) does not match actual CRM Organization "
          "(B)\"}");
    fault("{\"at\":\"dv.delete\",\"skip\":5,\"times\":1,\"do\":\"error\",\"arg\":405,\"text\":"
          "\"0x80040227 blocked by an association\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_told_once(&told);
    assert_int_equal(told.states[REMOVAL_FAILED], 2);
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS - 2);
    assert_int_equal(observe().row_count, 2);
}

static void
a_row_that_somebody_else_deletes_now_is_tried_again_soon(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.delete\",\"skip\":2,\"times\":1,\"do\":\"error\",\"arg\":400,\"text\":"
          "\"0x80048105 CascadeDelete\"}");
    fault("{\"at\":\"dv.delete\",\"skip\":4,\"times\":1,\"do\":\"error\",\"arg\":500,\"text\":"
          "\"0x80044150 Generic SQL error. Sql Number: 1205\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
}

static void
a_service_that_is_away_for_a_moment_is_waited_for(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":2,\"do\":\"error\",\"arg\":503,"
          "\"text\":\"html\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
}

static void
a_page_in_place_of_a_batch_leaves_its_rows_unknown_and_ends_the_purge(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.after\",\"match\":\"$batch\",\"times\":1,\"do\":\"error\",\"arg\":200,"
          "\"text\":\"html\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_in_range(told.states[REMOVAL_UNKNOWN], 7, 10);
    assert_int_equal(told.states[REMOVAL_UNKNOWN] + told.states[REMOVAL_DONE], told.told);
}

static size_t said;

static void
on_say(struct observer *observer, enum log_level level, const char *text)
{
    (void)observer;
    (void)level;
    said += strstr(text, "one by one") != NULL;
}

static void
a_way_without_batches_is_told_once(void **state)
{
    struct observer observer = {.say = on_say};
    struct dataverse_options options = right_options();

    (void)state;
    store->ops->close(store);
    dataverse_server_free(server);
    options.observer = &observer;
    open_store_with(&options);
    refuse_batches();
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(said, 1);
}

static void
a_proxy_that_refuses_batches_is_passed_row_by_row(void **state)
{
    static const int statuses[] = {404, 403, 405, 302, 501, 400};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        char rule[160];

        print_message("%d\n", statuses[i]);
        (void)tear_down(state);
        (void)set_up_rows(state);
        (void)snprintf(rule, sizeof rule,
                       "{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":0,\"do\":\"error\","
                       "\"arg\":%d,\"text\":\"html\"}",
                       statuses[i]);
        fault(rule);
        expect(remove_rows(&taken, &told, &err), &err);
        expect_all_gone();
        assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
        assert_int_equal(count_in_log("\"method\":\"DELETE\""), SEEDED_ROWS);
    }
}

static void
a_firewall_that_cuts_every_batch_is_passed_row_by_row(void **state)
{
    (void)state;
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":0,\"do\":\"cut\"}");
    expect(remove_rows(&taken, &told, &err), &err);
    expect_all_gone();
    assert_int_equal(told.states[REMOVAL_DONE], SEEDED_ROWS);
}

static void
a_pause_longer_than_max_wait_ends_the_purge_at_once(void **state)
{
    struct dataverse_options options = right_options();
    const int64_t start_ms = clock_monotonic_ms();

    (void)state;
    store->ops->close(store);
    dataverse_server_free(server);
    options.max_wait_ms = 5000;
    open_store_with(&options);
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":2,\"do\":\"error\",\"arg\":429,"
          "\"text\":\"0x80072322 retry-after=420 slow down\"}");
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.primary, "--max-wait"));
    assert_true(clock_monotonic_ms() - start_ms < 5000);
    assert_int_equal(told.told, 0);
    assert_int_equal(observe().row_count, SEEDED_ROWS);
}

static bool
refuse_intent(void *ctx, const struct runtime_ref *const *rows, size_t count, struct err *ret)
{
    (void)ctx;
    (void)rows;
    (void)count;
    return err_set(ret, ERR_STORAGE, "the disk is full");
}

static void
nothing_is_sent_before_its_intent_is_on_record(void **state)
{
    const struct removal_sink sink = {.ctx = &told, .intent = refuse_intent, .outcome = on_outcome};
    struct runtime_ref row = {.etag = taken.ids[0].version};

    (void)state;
    (void)snprintf(row.key, sizeof row.key, "%.36s", taken.ids[0].key);
    assert_false(store->ops->remove(store, &row, 1, &sink, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(count_in_log("$batch"), 0);
    assert_int_equal(told.told, 0);
}

static void
a_journal_that_is_full_lets_the_rows_in_flight_end(void **state)
{
    (void)state;
    told.fail_outcome_at = 2;
    assert_false(remove_rows(&taken, &told, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_int_equal(observe().row_count, SEEDED_ROWS - told.told);
}

static void
interrupt_in_pause(void *ctx, const struct runtime_pace *pace)
{
    on_progress(ctx, pace);
    if (!cancel_signal() && pace->paused_until_utc_ms > clock_utc_ms() + INT64_C(400000))
        (void)raise(SIGTERM); /* once: a second one would end this process at once */
}

/** The last one: a stop signal stays pending for the rest of the process. */
static void
a_pause_of_any_length_is_shown_and_a_stop_signal_ends_it(void **state)
{
    const struct removal_sink sink = {
        .ctx = &told, .intent = on_intent, .outcome = on_outcome, .progress = interrupt_in_pause};
    struct runtime_ref row = {.etag = taken.ids[0].version};

    (void)state;
    fault("{\"at\":\"dv.request\",\"match\":\"$batch\",\"times\":0,\"do\":\"error\",\"arg\":429,"
          "\"text\":\"0x80072322 retry-after=420 slow down\"}");
    (void)snprintf(row.key, sizeof row.key, "%.36s", taken.ids[0].key);
    told.count = 1;
    cancel_init();
    assert_false(store->ops->remove(store, &row, 1, &sink, &err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_string_equal(told.pace.paused_why, "the service limits requests (429 0x80072322)");
    assert_int_equal(told.told, 0);
}

#define ROWS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_rows, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS_TEST(rows_go_in_batches_each_with_its_version),
        ROWS_TEST(a_changed_row_stays_and_a_missing_one_is_gone),
        ROWS_TEST(one_429_stops_all_sending_until_it_is_over),
        ROWS_TEST(a_429_inside_a_part_sends_only_the_rest_again),
        ROWS_TEST(a_lost_answer_is_replayed_and_what_it_did_is_gone_and_not_done),
        ROWS_TEST(a_batch_that_breaks_off_leaves_nothing_unknown),
        ROWS_TEST(a_part_that_is_missing_is_asked_for_again),
        ROWS_TEST(a_body_that_is_too_large_is_halved_until_it_fits),
        ROWS_TEST(a_gateway_that_takes_no_bodies_is_passed_row_by_row),
        ROWS_TEST(a_token_that_is_over_is_renewed_once_and_everything_replayed),
        ROWS_TEST(a_token_that_is_refused_twice_ends_the_purge),
        ROWS_TEST(a_missing_right_ends_the_purge_and_is_named),
        ROWS_TEST(a_refusal_of_one_row_is_told_with_its_text_and_the_others_go_on),
        ROWS_TEST(a_row_that_somebody_else_deletes_now_is_tried_again_soon),
        ROWS_TEST(a_service_that_is_away_for_a_moment_is_waited_for),
        ROWS_TEST(a_page_in_place_of_a_batch_leaves_its_rows_unknown_and_ends_the_purge),
        ROWS_TEST(a_way_without_batches_is_told_once),
        ROWS_TEST(a_proxy_that_refuses_batches_is_passed_row_by_row),
        ROWS_TEST(a_firewall_that_cuts_every_batch_is_passed_row_by_row),
        ROWS_TEST(a_pause_longer_than_max_wait_ends_the_purge_at_once),
        ROWS_TEST(nothing_is_sent_before_its_intent_is_on_record),
        ROWS_TEST(a_journal_that_is_full_lets_the_rows_in_flight_end),
        ROWS_TEST(a_pause_of_any_length_is_shown_and_a_stop_signal_ends_it),
    };

    return cmocka_run_group_tests_name("runtime_batch", tests, NULL, NULL);
}
