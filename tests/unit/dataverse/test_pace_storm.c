/** Random schedules of answers: what must hold whatever the service does. */
#include "../../../src/dataverse/pace.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/** A request in flight. */
struct request {
    uint32_t rows[PACE_ROWS_MAX];
    size_t count;
    int64_t sent_ms;
};

enum { STORM_FLIGHTS = 64, SLACK_MS = 1000 };

struct storm {
    struct pace *pace;
    int64_t now_ms;
    uint32_t seed;
    size_t rows, settled, sent;
    unsigned char *out; /* 1 in flight, 2 settled */
    struct request flights[STORM_FLIGHTS];
    int64_t due_ms[STORM_FLIGHTS];
    bool used[STORM_FLIGHTS];
    size_t in_flight, largest;
    int64_t quiet_until_ms; /* nothing may be sent before */
};

static uint32_t
storm_number(void *ctx)
{
    uint32_t *seed = ctx;

    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static uint32_t
below(struct storm *storm, uint32_t limit)
{
    return storm_number(&storm->seed) % limit;
}

static void
storm_send(struct storm *storm, const uint32_t *rows, size_t count)
{
    size_t slot = 0;

    while (storm->used[slot])
        slot++;
    assert_true(slot < STORM_FLIGHTS && count > 0 && count <= PACE_ROWS_MAX);
    assert_true(storm->now_ms >= storm->quiet_until_ms);
    assert_true(count <= storm->largest);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i] < storm->rows && storm->out[rows[i]] == 0);
        storm->out[rows[i]] = 1;
    }
    memcpy(storm->flights[slot].rows, rows, count * sizeof *rows);
    storm->flights[slot].count = count;
    storm->flights[slot].sent_ms = storm->now_ms;
    storm->due_ms[slot] = storm->now_ms + 1 + below(storm, 4000);
    storm->used[slot] = true;
    storm->in_flight++;
    storm->sent++;
    assert_true(storm->in_flight <= 48);
}

static enum pace_fate
draw_fate(struct storm *storm, enum pace_kind kind, size_t count, size_t at)
{
    switch (kind) {
    case PACE_ANSWERED:
        return below(storm, 12) ? PACE_ROW_SETTLED : (enum pace_fate)below(storm, 4);
    case PACE_ANSWERED_429:
        return at < count / 3 ? PACE_ROW_SETTLED : PACE_ROW_AGAIN;
    case PACE_TRANSIENT:
        return PACE_ROW_LATER;
    case PACE_TOO_LARGE:
        return count == 1 ? PACE_ROW_SETTLED : PACE_ROW_AGAIN;
    case PACE_NOTHING_DONE:
        return PACE_ROW_AGAIN;
    }
    return PACE_ROW_AGAIN;
}

static enum pace_kind
draw_kind(struct storm *storm)
{
    static const enum pace_kind kinds[] = {PACE_ANSWERED_429, PACE_TRANSIENT, PACE_NOTHING_DONE,
                                           PACE_TOO_LARGE};

    return below(storm, 4) ? PACE_ANSWERED : kinds[below(storm, below(storm, 50) ? 3 : 4)];
}

static void
storm_answer(struct storm *storm, size_t slot)
{
    struct request *flight = &storm->flights[slot];
    enum pace_fate fates[PACE_ROWS_MAX];
    const enum pace_kind kind = draw_kind(storm);
    int64_t wait_s = below(storm, 2) ? -1 : 1 + (int64_t)below(storm, 60);

    for (size_t i = 0; i < flight->count; i++) {
        fates[i] = draw_fate(storm, kind, flight->count, i);
        if (pace_tries(storm->pace, flight->rows[i]) == 9 && fates[i] >= PACE_ROW_SOON)
            fates[i] = PACE_ROW_SETTLED; /* as a caller may: failed for good */
        storm->settled += fates[i] == PACE_ROW_SETTLED;
        storm->out[flight->rows[i]] = fates[i] == PACE_ROW_SETTLED ? 2 : 0;
    }
    if (kind == PACE_TOO_LARGE && storm->largest > flight->count / 2)
        storm->largest = flight->count > 1 ? flight->count / 2 : 1;
    if (kind == PACE_ANSWERED || kind == PACE_NOTHING_DONE || kind == PACE_TOO_LARGE)
        wait_s = -1;
    if (wait_s > 0 && storm->now_ms + wait_s * 1000 + SLACK_MS > storm->quiet_until_ms)
        storm->quiet_until_ms = storm->now_ms + wait_s * 1000 + SLACK_MS;
    pace_answered(storm->pace, storm->now_ms,
                  &(struct pace_answer){.kind = kind,
                                        .elapsed_ms = storm->now_ms - flight->sent_ms,
                                        .retry_after_s = wait_s,
                                        .rows = flight->rows,
                                        .fates = fates,
                                        .count = flight->count});
    storm->used[slot] = false;
    storm->in_flight--;
}

/** The clock goes to what comes next: an answer, or the time that the pace asked for. */
static void
storm_wait(struct storm *storm, int64_t until_ms)
{
    size_t next = STORM_FLIGHTS;

    for (size_t i = 0; i < STORM_FLIGHTS; i++)
        if (storm->used[i] && (next == STORM_FLIGHTS || storm->due_ms[i] < storm->due_ms[next]))
            next = i;
    if (next < STORM_FLIGHTS && storm->due_ms[next] <= until_ms) {
        if (storm->due_ms[next] > storm->now_ms)
            storm->now_ms = storm->due_ms[next];
        storm_answer(storm, next);
        return;
    }
    assert_true(until_ms < INT64_MAX && until_ms > storm->now_ms);
    storm->now_ms = until_ms;
}

/** Until pace_take says that it is over. */
static enum pace_step
weather(struct storm *storm)
{
    for (;;) {
        uint32_t taken[PACE_ROWS_MAX];
        const struct pace_turn turn = pace_take(storm->pace, storm->now_ms, taken);

        if (turn.step == PACE_SEND)
            storm_send(storm, taken, turn.count);
        else if (turn.step == PACE_WAIT)
            storm_wait(storm, turn.until_ms);
        else
            return turn.step;
        assert_true(storm->sent < 40 * storm->rows);
    }
}

static void
run_storm(uint32_t seed, size_t rows)
{
    struct storm storm = {.seed = seed, .rows = rows, .largest = PACE_ROWS_MAX};
    const struct pace_options options = {.hint = (int)(seed % 20),
                                         .fast = seed % 3 == 0,
                                         .chance = storm_number,
                                         .chance_ctx = &storm.seed};

    storm.out = calloc(rows, 1);
    storm.pace = pace_new(&options, rows);
    if (!storm.out || !storm.pace) {
        fail_msg("out of memory");
        return;
    }
    assert_int_equal(weather(&storm), PACE_OVER);
    assert_int_equal(storm.settled, rows);
    assert_int_equal(storm.in_flight, 0);
    for (size_t i = 0; i < rows; i++)
        assert_int_equal(storm.out[i], 2);
    assert_int_equal(pace_figures(storm.pace, storm.now_ms).settled, rows);
    pace_free(storm.pace);
    free(storm.out);
}

static void
in_every_storm_each_row_is_settled_once_and_no_pause_is_broken(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++)
        run_storm(seed, 1 + seed * seed % 3000);
    run_storm(77, 100000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_every_storm_each_row_is_settled_once_and_no_pause_is_broken),
    };

    return cmocka_run_group_tests_name("dataverse/pace_storm", tests, NULL, NULL);
}
