#include "../../../src/dataverse/pace.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 1000, NOW_MS = 5000, SLACK_MS = 1000 };

/** A pace, its clock, and what the test wants chance to be. */
struct bench {
    struct pace *pace;
    int64_t now_ms;
    uint32_t chance;
};

/** A request as the code that sends it keeps it. */
struct request {
    uint32_t rows[PACE_ROWS_MAX];
    size_t count;
    int64_t sent_ms;
};

static uint32_t
fixed_chance(void *ctx)
{
    return *(const uint32_t *)ctx;
}

/** `ret` must stay where it is: chance points into it. */
static void
begin(struct bench *ret, struct pace_options options, size_t rows)
{
    *ret = (struct bench){.now_ms = NOW_MS};
    options.now_ms = NOW_MS;
    options.chance = fixed_chance;
    options.chance_ctx = &ret->chance;
    ret->pace = pace_new(&options, rows);
    assert_non_null(ret->pace);
}

static struct pace_figures
figures(const struct bench *bench)
{
    return pace_figures(bench->pace, bench->now_ms);
}

static void
send(struct bench *bench, struct request *ret)
{
    const struct pace_turn turn = pace_take(bench->pace, bench->now_ms, ret->rows);

    assert_int_equal(turn.step, PACE_SEND);
    ret->count = turn.count;
    ret->sent_ms = bench->now_ms;
}

static void
expect_wait(struct bench *bench, enum pace_why why, int64_t until_ms)
{
    uint32_t rows[PACE_ROWS_MAX];
    const struct pace_turn turn = pace_take(bench->pace, bench->now_ms, rows);

    assert_int_equal(turn.step, PACE_WAIT);
    assert_int_equal(turn.why, why);
    assert_int_equal(turn.until_ms, until_ms);
}

static void
expect_step(struct bench *bench, enum pace_step step)
{
    uint32_t rows[PACE_ROWS_MAX];

    assert_int_equal(pace_take(bench->pace, bench->now_ms, rows).step, step);
}

/** Answer now; all rows have one fate. */
static void
answer(struct bench *bench, const struct request *request, enum pace_kind kind, enum pace_fate fate,
       int64_t retry_after_s)
{
    enum pace_fate fates[PACE_ROWS_MAX];

    for (size_t i = 0; i < request->count; i++)
        fates[i] = fate;
    pace_answered(bench->pace, bench->now_ms,
                  &(struct pace_answer){.kind = kind,
                                        .elapsed_ms = bench->now_ms - request->sent_ms,
                                        .retry_after_s = retry_after_s,
                                        .rows = request->rows,
                                        .fates = fates,
                                        .count = request->count});
}

static void
settle(struct bench *bench, const struct request *request)
{
    answer(bench, request, PACE_ANSWERED, PACE_ROW_SETTLED, -1);
}

/** Send one request and have it answered well after `elapsed_ms`. */
static void
work(struct bench *bench, int64_t elapsed_ms)
{
    struct request request;

    send(bench, &request);
    bench->now_ms += elapsed_ms;
    settle(bench, &request);
}

static void
throttle(struct bench *bench, int64_t retry_after_s)
{
    struct request request;

    send(bench, &request);
    answer(bench, &request, PACE_ANSWERED_429, PACE_ROW_AGAIN, retry_after_s);
}

static void
it_starts_at_the_hint_with_small_batches(void **state)
{
    static const struct {
        int hint;
        int64_t cap;
    } cases[] = {{0, 5}, {-3, 5}, {1, 1}, {16, 16}, {50, 50}, {100, PACE_WIDEST}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct request requests[PACE_WIDEST];
        struct bench bench;

        begin(&bench, (struct pace_options){.hint = cases[i].hint}, ROWS);
        for (int64_t n = 0; n < cases[i].cap; n++) {
            send(&bench, &requests[n]);
            assert_int_equal(requests[n].count, 10);
            assert_int_equal(requests[n].rows[0], n * 10);
            assert_int_equal(requests[n].rows[9], n * 10 + 9);
        }
        expect_wait(&bench, PACE_IN_FLIGHT, INT64_MAX);
        assert_int_equal(figures(&bench).in_flight, cases[i].cap);
        pace_free(bench.pace);
    }
}

/** Four at a time; a row takes 100 ms, so that requests grow from 10 rows to 20. */
static void
begin_four(struct bench *bench, struct request requests[4], size_t rows)
{
    begin(bench, (struct pace_options){.hint = 4}, rows);
    for (int i = 0; i < 4; i++)
        send(bench, &requests[i]);
    bench->now_ms += 1000;
    for (int i = 0; i < 4; i++)
        settle(bench, &requests[i]);
}

static void
the_last_rows_are_shared(void **state)
{
    static const size_t last[] = {6, 6, 6, 4}; /* and not 20 and 2 */
    struct request requests[4];
    struct bench bench;

    (void)state;
    begin_four(&bench, requests, 40 + 80 + 22);
    for (int i = 0; i < 4; i++) {
        send(&bench, &requests[i]);
        assert_int_equal(requests[i].count, 20);
    }
    bench.now_ms += 2000;
    for (int i = 0; i < 4; i++)
        settle(&bench, &requests[i]);
    for (int i = 0; i < 4; i++) {
        send(&bench, &requests[i]);
        assert_int_equal(requests[i].count, last[i]);
    }
    expect_wait(&bench, PACE_IN_FLIGHT, INT64_MAX);
    pace_free(bench.pace);
}

/** A request that is half done leaves less of the rest to the others than one that just began. */
static void
the_last_rows_are_shared_with_what_is_in_flight(void **state)
{
    struct request requests[4];
    struct request late;
    struct bench bench;

    (void)state;
    begin_four(&bench, requests, 40 + 80 + 12);
    send(&bench, &late);
    for (int i = 0; i < 3; i++)
        send(&bench, &requests[i]);
    bench.now_ms += 2000;
    for (int i = 0; i < 3; i++)
        settle(&bench, &requests[i]);
    send(&bench, &requests[0]); /* the late one should end now: 12 rows for four */
    assert_int_equal(requests[0].count, 3);
    pace_free(bench.pace);

    begin_four(&bench, requests, 40 + 80 + 12);
    for (int i = 0; i < 3; i++)
        send(&bench, &requests[i]);
    bench.now_ms += 2000;
    send(&bench, &late); /* 20 rows that begin now */
    for (int i = 0; i < 3; i++)
        settle(&bench, &requests[i]);
    send(&bench, &requests[0]); /* 12 rows and those 20, for four */
    assert_int_equal(requests[0].count, 8);
    pace_free(bench.pace);
}

static void
the_batch_follows_the_time_that_a_row_takes(void **state)
{
    static const struct {
        int64_t elapsed_ms, batch;
    } cases[] = {{1000, 20}, {1000, 40}, {8000, 10}, {60000, 1}, {100, 20}, {0, 100}, {200000, 1}};
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        work(&bench, cases[i].elapsed_ms);
        assert_int_equal(figures(&bench).batch, cases[i].batch);
    }
    pace_free(bench.pace);
}

static void
one_429_stops_all_sending_until_its_time_is_over(void **state)
{
    struct request requests[4];
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    bench.chance = 700 + 1001 * 7;
    for (size_t i = 0; i < 4; i++)
        send(&bench, &requests[i]);
    bench.now_ms += 40;
    answer(&bench, &requests[0], PACE_ANSWERED_429, PACE_ROW_AGAIN, 30);
    const int64_t first_ms = bench.now_ms + 30000 + SLACK_MS + 700;
    expect_wait(&bench, PACE_THROTTLED, first_ms);
    bench.now_ms += 10;
    answer(&bench, &requests[1], PACE_ANSWERED_429, PACE_ROW_AGAIN, 20); /* shorter */
    expect_wait(&bench, PACE_THROTTLED, first_ms);
    settle(&bench, &requests[2]); /* in flight requests end normally */
    expect_wait(&bench, PACE_THROTTLED, first_ms);
    answer(&bench, &requests[3], PACE_ANSWERED_429, PACE_ROW_AGAIN, 300); /* longer */
    const int64_t last_ms = bench.now_ms + 300000 + SLACK_MS + 700;
    assert_int_equal(figures(&bench).paused_until_ms, last_ms);
    assert_int_equal(figures(&bench).why, PACE_THROTTLED);
    assert_int_equal(figures(&bench).throttled, 3);
    bench.now_ms = last_ms - 1;
    expect_wait(&bench, PACE_THROTTLED, last_ms);
    bench.now_ms = last_ms;
    assert_int_equal(figures(&bench).paused_until_ms, 0);
    send(&bench, &requests[0]);
    assert_int_equal(requests[0].rows[0], 30); /* the last that came back, then the others */
    assert_int_equal(requests[0].rows[9], 39);
    pace_free(bench.pace);
}

static void
without_retry_after_each_volley_waits_twice_as_long(void **state)
{
    static const int64_t waits_s[] = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    for (size_t i = 0; i < sizeof waits_s / sizeof waits_s[0]; i++) {
        struct request requests[3];
        int64_t until_ms;

        for (size_t k = 0; k < 3; k++)
            send(&bench, &requests[k]);
        bench.now_ms += 40;
        until_ms = bench.now_ms + waits_s[i] * 1000 + SLACK_MS;
        for (size_t k = 0; k < 3; k++)
            answer(&bench, &requests[k], PACE_ANSWERED_429, PACE_ROW_AGAIN, -1);
        expect_wait(&bench, PACE_THROTTLED, until_ms);
        bench.now_ms = until_ms;
    }
    work(&bench, 100); /* something good: from the start again */
    throttle(&bench, 0);
    expect_wait(&bench, PACE_THROTTLED, bench.now_ms + 2000 + SLACK_MS);
    pace_free(bench.pace);
}

static void
a_volley_of_429s_is_one_cut(void **state)
{
    struct request requests[16];
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 16}, ROWS);
    for (size_t i = 0; i < 16; i++)
        send(&bench, &requests[i]);
    bench.now_ms += 1000;
    for (size_t i = 0; i < 8; i++) { /* good ones between them do not make it two */
        settle(&bench, &requests[2 * i]);
        answer(&bench, &requests[2 * i + 1], PACE_ANSWERED_429, PACE_ROW_AGAIN, 5);
        assert_int_equal(figures(&bench).cap, 8);
    }
    bench.now_ms += 7000;
    throttle(&bench, 5);
    assert_int_equal(figures(&bench).cap, 4); /* sent after the first cut: another volley */
    bench.now_ms += 7000;
    throttle(&bench, 5);
    assert_int_equal(figures(&bench).cap, 4); /* nothing good between: the pause is what counts */
    pace_free(bench.pace);
}

static void
the_cap_never_falls_below_one_or_half_the_hint_when_fast(void **state)
{
    (void)state;
    for (int fast = 0; fast < 2; fast++) {
        struct bench bench;

        begin(&bench, (struct pace_options){.hint = 8, .fast = fast}, ROWS);
        for (int i = 0; i < 6; i++) {
            work(&bench, 2000);
            throttle(&bench, 1);
            bench.now_ms += 2000;
        }
        assert_int_equal(figures(&bench).cap, fast ? 4 : 1);
        pace_free(bench.pace);
    }
}

static void
a_429_in_a_part_keeps_the_rows_that_are_done(void **state)
{
    struct request request;
    enum pace_fate fates[PACE_ROWS_MAX] = {0};
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    send(&bench, &request);
    bench.now_ms += 500;
    for (size_t i = 0; i < request.count; i++)
        fates[i] = i < 4 ? PACE_ROW_SETTLED : PACE_ROW_AGAIN;
    pace_answered(bench.pace, bench.now_ms,
                  &(struct pace_answer){.kind = PACE_ANSWERED_429,
                                        .elapsed_ms = 500,
                                        .retry_after_s = 10,
                                        .rows = request.rows,
                                        .fates = fates,
                                        .count = request.count});
    assert_int_equal(figures(&bench).settled, 4);
    assert_int_equal(figures(&bench).waiting, 6);
    expect_wait(&bench, PACE_THROTTLED, bench.now_ms + 10000 + SLACK_MS);
    bench.now_ms += 10000 + SLACK_MS;
    send(&bench, &request);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(request.rows[i], 4 + i);
    pace_free(bench.pace);
}

static void
clean_answers_raise_the_cap_step_by_step_up_to_the_top(void **state)
{
    struct bench bench;
    int64_t last = 8;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 8}, 1000000);
    for (int i = 0; i < 2500; i++) {
        work(&bench, 10);
        assert_true(figures(&bench).cap == last || figures(&bench).cap == last + 2);
        if (figures(&bench).cap > last)
            assert_true(i + 1 >= 3 * last);
        last = figures(&bench).cap;
    }
    assert_int_equal(last, 48);
    pace_free(bench.pace);
    begin(&bench, (struct pace_options){.hint = 1}, 100000);
    for (int i = 0; i < 1000; i++)
        work(&bench, 10);
    assert_int_equal(figures(&bench).cap, 12); /* 12 times the hint */
    pace_free(bench.pace);
}

static void
after_a_429_the_hint_is_the_limit_for_a_window(void **state)
{
    struct bench bench;
    int64_t began_ms;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, 100000);
    throttle(&bench, 1);
    began_ms = bench.now_ms;
    bench.now_ms += 2000;
    while (bench.now_ms < began_ms + 299000) {
        work(&bench, 500);
        assert_true(figures(&bench).cap <= 4);
    }
    for (int i = 0; i < 100; i++)
        work(&bench, 500);
    assert_true(figures(&bench).cap > 4);
    pace_free(bench.pace);
}

/** Use `elapsed_ms` in each request until the ledger has no room. */
static void
fill_ledger(struct bench *bench, int64_t elapsed_ms, int requests)
{
    for (int i = 0; i < requests; i++)
        work(bench, elapsed_ms);
}

static void
once_a_limit_was_seen_the_ledger_holds_the_rest_back(void **state)
{
    (void)state;
    for (int fast = 0; fast < 2; fast++) {
        struct request requests[8];
        struct bench bench;

        begin(&bench, (struct pace_options){.hint = 8, .fast = fast}, 100000);
        /* 2 servers assumed: 1200 s * 2; 8 in flight for 280 s are 2240 s: 0.97 of that is our
         * share */
        for (size_t i = 0; i < 8; i++)
            send(&bench, &requests[i]);
        bench.now_ms += 280000;
        for (size_t i = 0; i < 8; i++)
            settle(&bench, &requests[i]);
        send(&bench, &requests[0]); /* no limit seen: goes on */
        answer(&bench, &requests[0], PACE_ANSWERED_429, PACE_ROW_AGAIN, 1);
        bench.now_ms += 2000;
        if (fast) {
            expect_step(&bench, PACE_SEND);
        } else {
            expect_wait(&bench, PACE_LEDGER, bench.now_ms + 1000);
            assert_int_equal(figures(&bench).why, PACE_LEDGER);
            bench.now_ms += 297000;
            expect_wait(&bench, PACE_LEDGER, bench.now_ms + 1000);
            bench.now_ms += 3000; /* the charges are older than the window */
            expect_step(&bench, PACE_SEND);
        }
        pace_free(bench.pace);
    }
}

static void
the_ledger_counts_requests_too(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, 1000000);
    throttle(&bench, 1);
    bench.now_ms += 2000;
    fill_ledger(&bench, 50, 5100); /* 0.85 * 6000 in 255 s */
    expect_wait(&bench, PACE_LEDGER, bench.now_ms + 1000);
    pace_free(bench.pace);
}

/** Use `percent` of what a window allows one server, then meet the limit. */
static void
meet_limit_at(struct bench *bench, int percent)
{
    begin(bench, (struct pace_options){.hint = 4}, 4000000);
    fill_ledger(bench, 40, 6000 * percent / 100);
    throttle(bench, 1);
    bench->now_ms += 2000;
}

/** How many requests of 40 ms may be sent now; each is answered at once. */
static int
count_room(struct bench *bench)
{
    struct request request;
    int count = 0;

    while (pace_take(bench->pace, bench->now_ms, request.rows).step == PACE_SEND && count < 10000) {
        request.count = 100;
        request.sent_ms = bench->now_ms;
        settle(bench, &request);
        count++;
    }
    return count;
}

static void
a_limit_that_is_met_is_the_limit_from_then_on(void **state)
{
    static const struct {
        int met, room; /* in % of 6000 requests */
    } cases[] = {
        {80, 78},   /* the service charges more than we see: 0.97 of it */
        {120, 116}, /* it allows more than we guessed */
        {40, 85},   /* somebody else used it up: the usual share */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench;

        meet_limit_at(&bench, cases[i].met);
        if (cases[i].met > cases[i].room)
            expect_wait(&bench, PACE_LEDGER, bench.now_ms + 1000);
        bench.now_ms += 297000; /* hardly a charge is left */
        assert_in_range(count_room(&bench), 6000 * (cases[i].room - 1) / 100,
                        6000 * (cases[i].room + 1) / 100);
        pace_free(bench.pace);
    }
}

static void
a_share_that_was_lowered_lasts_a_window_and_one_that_was_raised_lasts(void **state)
{
    static const struct {
        int met, room; /* in % of 6000 requests */
    } cases[] = {{70, 85}, {120, 116}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench;

        meet_limit_at(&bench, cases[i].met);
        bench.now_ms += 300000;
        assert_in_range(count_room(&bench), 6000 * (cases[i].room - 1) / 100,
                        6000 * (cases[i].room + 1) / 100);
        pace_free(bench.pace);
    }
}

static void
where_the_limit_is_known_the_hint_may_be_exceeded_soon(void **state)
{
    struct bench bench;

    (void)state;
    meet_limit_at(&bench, 100);
    assert_int_equal(figures(&bench).cap, 2); /* half the hint */
    bench.now_ms += 290000;                   /* less than a window; hardly a charge is left */
    for (int i = 0; i < 200; i++)
        work(&bench, 10);
    assert_int_equal(figures(&bench).cap, 12);
    pace_free(bench.pace);
}

static void
rows_that_are_not_there_yet_are_waited_for(void **state)
{
    struct request request;
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, 100);
    pace_offer(bench.pace, 0, false);
    expect_wait(&bench, PACE_NOT_OFFERED, INT64_MAX);
    pace_offer(bench.pace, 3, false);
    assert_int_equal(pace_fresh(bench.pace), 3);
    send(&bench, &request);
    assert_int_equal(request.count, 3);
    expect_wait(&bench, PACE_IN_FLIGHT, INT64_MAX);
    settle(&bench, &request);
    expect_wait(&bench, PACE_NOT_OFFERED, INT64_MAX);
    pace_offer(bench.pace, 4, true);
    send(&bench, &request);
    settle(&bench, &request);
    expect_step(&bench, PACE_OVER);
    pace_free(bench.pace);
}

static void
a_row_alone_stays_alone(void **state)
{
    struct request request;
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, 100);
    pace_single(bench.pace);
    for (int i = 0; i < 5; i++) {
        send(&bench, &request);
        assert_int_equal(request.count, 1);
        bench.now_ms += 1;
        settle(&bench, &request);
    }
    pace_free(bench.pace);
}

static void
above_the_hint_only_while_there_is_room(void **state)
{
    struct request requests[49]; /* one more to ask with */
    struct bench bench;
    size_t sent = 0;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, 1000000);
    fill_ledger(&bench, 10, 4600);
    assert_int_equal(figures(&bench).cap, 48);
    while (pace_take(bench.pace, bench.now_ms, requests[sent].rows).step == PACE_SEND) {
        requests[sent].count = 100;
        requests[sent++].sent_ms = bench.now_ms;
    }
    assert_int_equal(sent, 48);
    bench.now_ms += 30000; /* 48 * 30 s are more than 1020 s */
    for (size_t i = 0; i < sent; i++)
        settle(&bench, &requests[i]);
    assert_int_equal(figures(&bench).cap, 4);
    pace_free(bench.pace);
}

static void
rows_of_a_failed_request_wait_longer_each_time_and_come_back_together(void **state)
{
    static const int64_t waits_s[] = {2, 4, 8, 16, 32, 64, 128, 256, 300};
    struct request request;
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 1}, 5);
    bench.chance = 300;
    for (size_t i = 0; i < sizeof waits_s / sizeof waits_s[0]; i++) {
        const int64_t start_ms = bench.now_ms;

        for (size_t rows = 0; rows < 5; rows += request.count) { /* the batch got smaller */
            send(&bench, &request);
            answer(&bench, &request, PACE_TRANSIENT, PACE_ROW_LATER, -1);
        }
        assert_int_equal(pace_tries(bench.pace, 4), i + 1);
        expect_wait(&bench, PACE_BACKOFF, start_ms + waits_s[i] * 1000 + 300);
        bench.now_ms = start_ms + waits_s[i] * 1000 + 300;
    }
    assert_int_equal(figures(&bench).batch, 1);
    send(&bench, &request);
    answer(&bench, &request, PACE_TRANSIENT, PACE_ROW_LATER, -1);
    expect_step(&bench, PACE_GAVE_UP);
    assert_int_equal(figures(&bench).stop, PACE_STOP_TRIES);
    assert_int_equal(figures(&bench).settled, 0);
    pace_free(bench.pace);
}

static void
a_concurrent_delete_is_tried_again_after_two_seconds(void **state)
{
    struct request request;
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 1}, 1);
    for (int i = 0; i < 9; i++) {
        send(&bench, &request);
        answer(&bench, &request, PACE_ANSWERED, PACE_ROW_SOON, -1);
        expect_wait(&bench, PACE_BACKOFF, bench.now_ms + 2000);
        bench.now_ms += 2000;
    }
    work(&bench, 10);
    expect_step(&bench, PACE_OVER);
    pace_free(bench.pace);
}

static void
retry_after_of_a_transient_failure_pauses_everybody(void **state)
{
    struct request request;
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    send(&bench, &request);
    answer(&bench, &request, PACE_TRANSIENT, PACE_ROW_LATER, 45);
    expect_wait(&bench, PACE_UNAVAILABLE, bench.now_ms + 45000 + SLACK_MS);
    assert_int_equal(figures(&bench).cap, 4);
    pace_free(bench.pace);
}

static void
a_dead_service_is_probed_with_the_rows_that_wait(void **state)
{
    struct request requests[4];
    struct bench bench;
    size_t sent = 0;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    for (size_t i = 0; i < 4; i++)
        send(&bench, &requests[i]);
    for (size_t i = 0; i < 4; i++)
        answer(&bench, &requests[i], PACE_TRANSIENT, PACE_ROW_LATER, -1);
    expect_wait(&bench, PACE_BACKOFF, bench.now_ms + 2000);
    bench.now_ms += 2000;
    for (; sent < 40; sent += requests[0].count) {
        send(&bench, &requests[0]);
        answer(&bench, &requests[0], PACE_TRANSIENT, PACE_ROW_LATER, -1);
        for (size_t i = 0; i < requests[0].count; i++)
            assert_true(requests[0].rows[i] < 40);
    }
    bench.now_ms += 4000;
    work(&bench, 10); /* one good answer: it is back */
    while (pace_take(bench.pace, bench.now_ms, requests[0].rows).step == PACE_SEND)
        sent = requests[0].rows[0];
    assert_true(sent >= 40);
    pace_free(bench.pace);
}

static void
a_413_halves_the_batch_for_good(void **state)
{
    struct request request;
    struct bench bench;
    static const int64_t sizes[] = {10, 5, 2, 1, 1};

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        send(&bench, &request);
        assert_int_equal(request.count, sizes[i]);
        assert_int_equal(request.rows[0], 0);
        answer(&bench, &request, PACE_TOO_LARGE, PACE_ROW_AGAIN, -1);
    }
    work(&bench, 1);
    work(&bench, 1);
    assert_int_equal(figures(&bench).batch, 1);
    assert_int_equal(figures(&bench).throttled, 0);
    pace_free(bench.pace);
}

static void
what_was_not_sent_costs_nothing(void **state)
{
    struct request request;
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    throttle(&bench, 1); /* from here on the ledger counts */
    bench.now_ms += 2000;
    for (int i = 0; i < 5000; i++) {
        send(&bench, &request);
        bench.now_ms += 10;
        answer(&bench, &request, PACE_NOTHING_DONE, PACE_ROW_AGAIN, -1);
        assert_int_equal(request.rows[0], 0);
        assert_int_equal(pace_tries(bench.pace, 0), 0);
    }
    assert_int_equal(figures(&bench).cap, 4);
    assert_int_equal(figures(&bench).batch, 10);
    pace_free(bench.pace);
}

static void
a_pause_longer_than_the_operator_waits_ends_the_run(void **state)
{
    struct request requests[2];
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 2, .max_wait_ms = 60000}, ROWS);
    send(&bench, &requests[0]);
    send(&bench, &requests[1]);
    answer(&bench, &requests[0], PACE_ANSWERED_429, PACE_ROW_AGAIN, 300);
    expect_wait(&bench, PACE_IN_FLIGHT, INT64_MAX); /* what is in flight may end */
    settle(&bench, &requests[1]);
    expect_step(&bench, PACE_GAVE_UP);
    assert_int_equal(figures(&bench).stop, PACE_STOP_MAX_WAIT);
    assert_int_equal(figures(&bench).settled, 10);
    bench.now_ms += 1000000;
    expect_step(&bench, PACE_GAVE_UP);
    pace_free(bench.pace);
}

static void
pauses_with_nothing_good_between_them_are_one(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 2, .max_wait_ms = 60000}, ROWS);
    for (int i = 0; i < 10; i++) {
        throttle(&bench, 20);
        bench.now_ms += 21000;
        work(&bench, 100);
    }
    throttle(&bench, 20);
    bench.now_ms += 21000;
    throttle(&bench, 20);
    bench.now_ms += 21000;
    assert_int_equal(figures(&bench).stop, PACE_GOES_ON);
    throttle(&bench, 20);
    assert_int_equal(figures(&bench).stop, PACE_STOP_MAX_WAIT);
    pace_free(bench.pace);
}

static void
a_caller_can_stop_it(void **state)
{
    struct request request;
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 2}, ROWS);
    send(&bench, &request);
    pace_stop(bench.pace);
    expect_wait(&bench, PACE_IN_FLIGHT, INT64_MAX);
    answer(&bench, &request, PACE_ANSWERED, PACE_ROW_SETTLED, -1);
    expect_step(&bench, PACE_GAVE_UP);
    assert_int_equal(figures(&bench).stop, PACE_STOP_CALLER);
    pace_free(bench.pace);
}

static void
a_cap_that_stands_at_the_hint_follows_it(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 0}, 100000);
    pace_hint(bench.pace, 0);
    assert_int_equal(figures(&bench).cap, 5);
    pace_hint(bench.pace, 16);
    assert_int_equal(figures(&bench).cap, 16);
    pace_hint(bench.pace, 8);
    assert_int_equal(figures(&bench).cap, 8);
    fill_ledger(&bench, 10, 40);
    assert_int_equal(figures(&bench).cap, 10); /* ramped: not pulled back */
    pace_hint(bench.pace, 7);
    assert_int_equal(figures(&bench).cap, 10);
    pace_hint(bench.pace, 12);
    assert_int_equal(figures(&bench).cap, 10);
    throttle(&bench, 1);
    bench.now_ms += 3000;
    assert_int_equal(figures(&bench).cap, 5);
    pace_hint(bench.pace, 20);
    assert_int_equal(figures(&bench).cap, 5); /* a limit was met: only clean answers raise it */
    pace_hint(bench.pace, 2);
    assert_int_equal(figures(&bench).cap, 2);
    pace_free(bench.pace);
}

static void
figures_say_what_happens(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, 100);
    for (int i = 0; i < 4; i++)
        work(&bench, 2000); /* batches of 10: 5 rows/s, 200 ms a row */
    assert_int_equal(figures(&bench).rows, 100);
    assert_int_equal(figures(&bench).settled, 40);
    assert_int_equal(figures(&bench).requests, 4);
    assert_true(figures(&bench).rows_per_s > 4.9 && figures(&bench).rows_per_s < 5.1);
    assert_true(figures(&bench).ms_per_row > 199 && figures(&bench).ms_per_row < 201);
    bench.now_ms += 30000;
    assert_true(figures(&bench).rows_per_s < 1.1);
    pace_free(bench.pace);
}

static void
no_rows_are_over_at_once_and_too_many_are_refused(void **state)
{
    struct bench bench;
    const struct pace_options options = {.chance = fixed_chance};

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, 0);
    expect_step(&bench, PACE_OVER);
    pace_free(bench.pace);
    pace_free(NULL);
    assert_null(pace_new(&options, (size_t)UINT32_MAX + 1));
}

static void
a_wait_has_an_end_whatever_the_service_says(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, (struct pace_options){.hint = 4}, ROWS);
    throttle(&bench, INT64_MAX);
    expect_wait(&bench, PACE_THROTTLED,
                bench.now_ms + PACE_RETRY_AFTER_MAX_S * INT64_C(1000) + SLACK_MS);
    bench.now_ms -= 4000; /* a clock that goes back changes nothing */
    expect_wait(&bench, PACE_THROTTLED,
                bench.now_ms + 4000 + PACE_RETRY_AFTER_MAX_S * INT64_C(1000) + SLACK_MS);
    bench.now_ms += 4000 + PACE_RETRY_AFTER_MAX_S * INT64_C(1000) + SLACK_MS;
    work(&bench, 0);
    bench.now_ms -= 4000;
    expect_step(&bench, PACE_SEND);
    pace_free(bench.pace);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_at_the_hint_with_small_batches),
        cmocka_unit_test(the_last_rows_are_shared),
        cmocka_unit_test(the_last_rows_are_shared_with_what_is_in_flight),
        cmocka_unit_test(the_batch_follows_the_time_that_a_row_takes),
        cmocka_unit_test(one_429_stops_all_sending_until_its_time_is_over),
        cmocka_unit_test(without_retry_after_each_volley_waits_twice_as_long),
        cmocka_unit_test(a_volley_of_429s_is_one_cut),
        cmocka_unit_test(the_cap_never_falls_below_one_or_half_the_hint_when_fast),
        cmocka_unit_test(a_429_in_a_part_keeps_the_rows_that_are_done),
        cmocka_unit_test(clean_answers_raise_the_cap_step_by_step_up_to_the_top),
        cmocka_unit_test(after_a_429_the_hint_is_the_limit_for_a_window),
        cmocka_unit_test(once_a_limit_was_seen_the_ledger_holds_the_rest_back),
        cmocka_unit_test(the_ledger_counts_requests_too),
        cmocka_unit_test(a_limit_that_is_met_is_the_limit_from_then_on),
        cmocka_unit_test(a_share_that_was_lowered_lasts_a_window_and_one_that_was_raised_lasts),
        cmocka_unit_test(where_the_limit_is_known_the_hint_may_be_exceeded_soon),
        cmocka_unit_test(rows_that_are_not_there_yet_are_waited_for),
        cmocka_unit_test(a_row_alone_stays_alone),
        cmocka_unit_test(above_the_hint_only_while_there_is_room),
        cmocka_unit_test(rows_of_a_failed_request_wait_longer_each_time_and_come_back_together),
        cmocka_unit_test(a_concurrent_delete_is_tried_again_after_two_seconds),
        cmocka_unit_test(retry_after_of_a_transient_failure_pauses_everybody),
        cmocka_unit_test(a_dead_service_is_probed_with_the_rows_that_wait),
        cmocka_unit_test(a_413_halves_the_batch_for_good),
        cmocka_unit_test(what_was_not_sent_costs_nothing),
        cmocka_unit_test(a_pause_longer_than_the_operator_waits_ends_the_run),
        cmocka_unit_test(pauses_with_nothing_good_between_them_are_one),
        cmocka_unit_test(a_caller_can_stop_it),
        cmocka_unit_test(a_cap_that_stands_at_the_hint_follows_it),
        cmocka_unit_test(figures_say_what_happens),
        cmocka_unit_test(no_rows_are_over_at_once_and_too_many_are_refused),
        cmocka_unit_test(a_wait_has_an_end_whatever_the_service_says),
    };

    return cmocka_run_group_tests_name("dataverse/pace", tests, NULL, NULL);
}
