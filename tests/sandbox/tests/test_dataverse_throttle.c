#include "../../support/test.h"
#include "dataverse/throttle.h"

#include <string.h>
#include <time.h>

/** The clock runs slow enough here that no charge expires during a test. */
#define SLOW 0.01

static int
open_throttle(void **state)
{
    *state = dv_throttle_new();
    return *state ? 0 : -1;
}

static int
close_throttle(void **state)
{
    dv_throttle_free(*state);
    return 0;
}

static void
run(struct dv_throttle *throttle, int count, double seconds)
{
    for (int i = 0; i < count; i++) {
        struct dv_admission admission = dv_throttle_arrive(throttle, 0, 1, SLOW, seconds);
        assert_null(admission.code);
        dv_throttle_finish(throttle, &admission, SLOW);
    }
}

static void
six_thousand_requests_are_the_limit(void **state)
{
    run(*state, 6000, 0);
    struct dv_admission admission = dv_throttle_arrive(*state, 0, 1, SLOW, 0);
    assert_string_equal(admission.code, "0x80072322");
    assert_false(admission.blocked);
    assert_true(admission.retry_after > 0);
    admission = dv_throttle_arrive(*state, 0, 1, SLOW, 0);
    assert_non_null(admission.code);
    assert_true(admission.blocked);
}

static void
execution_time_is_a_limit_of_its_own(void **state)
{
    int admitted = 0;
    struct dv_admission admission;
    for (;; admitted++) {
        admission = dv_throttle_arrive(*state, 0, 1, SLOW, 10);
        if (admission.code || admitted == 1000)
            break;
        dv_throttle_finish(*state, &admission, SLOW);
    }
    assert_string_equal(admission.code, "0x80072321");
    assert_in_range(admitted, 80, 160);
}

static void
fifty_two_at_once_are_too_many(void **state)
{
    struct dv_admission running[52];
    for (size_t i = 0; i < 52; i++) {
        running[i] = dv_throttle_arrive(*state, 0, 1, SLOW, 0);
        assert_null(running[i].code);
    }
    struct dv_admission admission = dv_throttle_arrive(*state, 0, 1, SLOW, 0);
    assert_string_equal(admission.code, "0x80072326");
    dv_throttle_finish(*state, &running[0], SLOW);
    assert_null(dv_throttle_arrive(*state, 0, 1, SLOW, 0).code);
}

static void
hammering_makes_the_wait_longer(void **state)
{
    run(*state, 6000, 0);
    int64_t first = dv_throttle_arrive(*state, 0, 1, 1, 0).retry_after;
    int64_t last = first;
    for (int i = 0; i < 100; i++)
        last = dv_throttle_arrive(*state, 0, 1, 1, 0).retry_after;
    assert_true(last >= first + 40);
    for (int i = 0; i < 10000; i++)
        last = dv_throttle_arrive(*state, 0, 1, 1, 0).retry_after;
    assert_true(last <= 481);
}

static void
each_server_has_limits_of_its_own(void **state)
{
    run(*state, 6000, 0);
    assert_non_null(dv_throttle_arrive(*state, 0, 2, SLOW, 0).code);
    assert_null(dv_throttle_arrive(*state, 1, 2, SLOW, 0).code);
    int seen[2] = {0, 0};
    for (int i = 0; i < 200; i++)
        seen[dv_throttle_arrive(*state, -1, 2, SLOW, 0).server]++;
    assert_true(seen[0] > 20 && seen[1] > 20);
}

static void
a_fast_clock_lets_the_block_end_soon(void **state)
{
    const struct timespec slice = {.tv_nsec = 400000000};
    for (int i = 0; i < 6000; i++) {
        struct dv_admission admission = dv_throttle_arrive(*state, 0, 1, 1000, 0);
        if (admission.code)
            break;
        dv_throttle_finish(*state, &admission, 1000);
    }
    (void)nanosleep(&slice, NULL);
    assert_null(dv_throttle_arrive(*state, 0, 1, 1000, 0).code);
}

static void
a_crowd_is_served_slower(void **state)
{
    double alone = 0;
    double crowded = 0;
    for (int i = 0; i < 40; i++) {
        struct dv_admission admission = dv_throttle_arrive(*state, 0, 1, SLOW, 1);
        alone += admission.service_seconds;
        dv_throttle_finish(*state, &admission, SLOW);
    }
    for (int i = 0; i < 48; i++)
        (void)dv_throttle_arrive(*state, 1, 2, SLOW, 1);
    for (int i = 0; i < 40; i++) {
        struct dv_admission admission = dv_throttle_arrive(*state, 1, 2, SLOW, 1);
        crowded += admission.service_seconds;
        dv_throttle_finish(*state, &admission, SLOW);
    }
    assert_true(crowded > alone * 1.5);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_throttle, close_throttle)
    const struct CMUnitTest tests[] = {
        TEST(six_thousand_requests_are_the_limit),
        TEST(execution_time_is_a_limit_of_its_own),
        TEST(fifty_two_at_once_are_too_many),
        TEST(hammering_makes_the_wait_longer),
        TEST(each_server_has_limits_of_its_own),
        TEST(a_fast_clock_lets_the_block_end_soon),
        TEST(a_crowd_is_served_slower),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
