#include "../../../src/dataverse/pace_rows.h"
#include "test.h"

enum { ROWS = 500 };

static uint32_t
take(struct pace_rows *rows, int64_t now_ms, bool fresh)
{
    uint32_t row = UINT32_MAX;

    if (!pace_rows_take(rows, now_ms, fresh, &row))
        assert_int_equal(row, UINT32_MAX);
    return row;
}

static void
returned_rows_go_before_due_ones_and_those_before_fresh_ones(void **state)
{
    struct pace_rows rows;

    (void)state;
    assert_true(pace_rows_init(&rows, ROWS, 10));
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(take(&rows, 0, true), i);
    pace_rows_wait(&rows, 1, 100);
    pace_rows_wait(&rows, 0, 200);
    pace_rows_return(&rows, 4);
    pace_rows_return(&rows, 3);
    assert_int_equal(pace_rows_due_ms(&rows), 100);
    assert_int_equal(take(&rows, 150, true), 3);
    assert_int_equal(take(&rows, 150, true), 4);
    assert_int_equal(take(&rows, 150, true), 1);
    assert_int_equal(pace_rows_due_ms(&rows), 200);
    assert_int_equal(take(&rows, 150, false), UINT32_MAX);
    assert_int_equal(take(&rows, 150, true), 5);
    assert_int_equal(take(&rows, 200, false), 0);
    assert_int_equal(pace_rows_due_ms(&rows), INT64_MAX);
    pace_rows_done(&rows);
}

static void
every_row_is_fresh_once(void **state)
{
    struct pace_rows rows;

    (void)state;
    assert_true(pace_rows_init(&rows, 3, 100));
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(take(&rows, 0, true), i);
    assert_int_equal(take(&rows, 0, true), UINT32_MAX);
    pace_rows_done(&rows);
}

static void
the_heap_gives_rows_by_time_then_by_number(void **state)
{
    struct pace_rows rows;
    uint32_t seed = 11;

    (void)state;
    assert_true(pace_rows_init(&rows, ROWS, ROWS));
    for (int round = 0; round < 50; round++) {
        int64_t due_ms[ROWS];
        int64_t last_ms = 0;
        uint32_t last_row = 0;

        for (uint32_t i = 0; i < ROWS; i++)
            (void)take(&rows, INT64_MAX, true);
        for (uint32_t i = 0; i < ROWS; i++) {
            seed = seed * 1664525U + 1013904223U;
            due_ms[i] = 1 + (seed >> 16) % 100;
            pace_rows_wait(&rows, i, due_ms[i]);
        }
        for (uint32_t i = 0; i < ROWS; i++) {
            const uint32_t row = take(&rows, 1000, false);

            assert_true(row < ROWS);
            assert_true(due_ms[row] > last_ms || (due_ms[row] == last_ms && row > last_row));
            last_ms = due_ms[row];
            last_row = row;
        }
        assert_int_equal(rows.waiting_count, 0);
        for (uint32_t i = 0; i < ROWS; i++)
            pace_rows_return(&rows, i);
    }
    pace_rows_done(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returned_rows_go_before_due_ones_and_those_before_fresh_ones),
        cmocka_unit_test(every_row_is_fresh_once),
        cmocka_unit_test(the_heap_gives_rows_by_time_then_by_number),
    };

    return cmocka_run_group_tests_name("dataverse/pace_rows", tests, NULL, NULL);
}
