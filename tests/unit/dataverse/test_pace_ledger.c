#include "../../../src/dataverse/pace_ledger.h"
#include "test.h"

#include <stdlib.h>

enum { WINDOW_MS = 300000, CHARGES = 20000 };

static void
a_charge_is_kept_for_a_window_and_at_most_one_slot_more(void **state)
{
    struct pace_ledger ledger;

    (void)state;
    for (int64_t at = 0; at < 3000; at += 7) {
        pace_ledger_init(&ledger, WINDOW_MS, 100);
        pace_ledger_advance(&ledger, 100 + at);
        pace_ledger_add(&ledger, (struct pace_charge){1, 250, 10});
        pace_ledger_advance(&ledger, 100 + at + WINDOW_MS);
        assert_int_equal(ledger.sum.requests, 1);
        assert_int_equal(ledger.sum.elapsed_ms, 250);
        pace_ledger_advance(&ledger, 100 + at + WINDOW_MS + 1001);
        assert_int_equal(ledger.sum.requests, 0);
        assert_int_equal(ledger.sum.elapsed_ms, 0);
        assert_int_equal(ledger.sum.rows, 0);
    }
}

static void
a_long_silence_forgets_all(void **state)
{
    struct pace_ledger ledger;

    (void)state;
    pace_ledger_init(&ledger, WINDOW_MS, 0);
    for (int64_t at = 0; at < 400; at++) {
        pace_ledger_advance(&ledger, at * 1000);
        pace_ledger_add(&ledger, (struct pace_charge){1, 1, 1});
    }
    pace_ledger_advance(&ledger, INT64_C(1) << 50);
    assert_int_equal(ledger.sum.requests, 0);
    for (size_t i = 0; i < PACE_LEDGER_SLOTS; i++)
        assert_int_equal(ledger.slots[i].requests, 0);
}

/** Against a list of all charges. */
static void
the_sum_is_that_of_the_window(void **state)
{
    static int64_t times[CHARGES];
    struct pace_ledger ledger;
    uint32_t seed = 3;
    int64_t now_ms = 0;
    size_t first = 0;

    (void)state;
    pace_ledger_init(&ledger, WINDOW_MS, 0);
    for (size_t i = 0; i < CHARGES; i++) {
        size_t inside = 0;

        seed = seed * 1664525U + 1013904223U;
        now_ms += (seed >> 16) % 300;
        times[i] = now_ms;
        pace_ledger_advance(&ledger, now_ms);
        pace_ledger_add(&ledger, (struct pace_charge){1, 2, 3});
        while (times[first] < now_ms - WINDOW_MS - ledger.slot_ms)
            first++;
        for (size_t k = first; k <= i; k++)
            inside += times[k] > now_ms - WINDOW_MS;
        assert_in_range(ledger.sum.requests, inside, i + 1 - first);
        assert_int_equal(ledger.sum.elapsed_ms, 2 * ledger.sum.requests);
    }
}

static void
the_rate_is_that_of_the_last_minute(void **state)
{
    struct pace_ledger ledger;
    int64_t now_ms;

    (void)state;
    pace_ledger_init(&ledger, WINDOW_MS, 0);
    assert_true(pace_ledger_rate(&ledger, 0) <= 0);
    for (now_ms = 0; now_ms < 120000; now_ms += 100) {
        pace_ledger_advance(&ledger, now_ms);
        pace_ledger_add(&ledger, (struct pace_charge){1, 1, now_ms < 60000 ? 100 : 5});
        if (now_ms == 10000)
            assert_true(pace_ledger_rate(&ledger, now_ms) > 990);
    }
    assert_true(pace_ledger_rate(&ledger, now_ms) > 49 && pace_ledger_rate(&ledger, now_ms) < 51);
}

static void
a_scaled_window_has_smaller_slots(void **state)
{
    struct pace_ledger ledger;

    (void)state;
    pace_ledger_init(&ledger, 3000, 0);
    assert_int_equal(ledger.slot_ms, 10);
    pace_ledger_init(&ledger, 10, 0);
    assert_int_equal(ledger.slot_ms, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_charge_is_kept_for_a_window_and_at_most_one_slot_more),
        cmocka_unit_test(a_long_silence_forgets_all),
        cmocka_unit_test(the_sum_is_that_of_the_window),
        cmocka_unit_test(the_rate_is_that_of_the_last_minute),
        cmocka_unit_test(a_scaled_window_has_smaller_slots),
    };

    return cmocka_run_group_tests_name("dataverse/pace_ledger", tests, NULL, NULL);
}
