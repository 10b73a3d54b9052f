#include "pace.h"

#include "pace_ledger.h"
#include "pace_rows.h"

#include <assert.h>
#include <stdlib.h>

const struct pace_rules pace_rules = {
    .window_ms = 300000,
    .req = 6000,
    .exec_ms = 1200000,
    .share_percent = 85, /* why these: README.md */
    .met_percent = 97,
    .least_percent = 45,
    .calm_percent = 93,
    .ramp = 12,
    .hard = 48,
    .widest = PACE_WIDEST,
    .clean = 3,
    .batch0 = 10,
    .batch_max = PACE_ROWS_MAX,
    .batch_time_ms = 2000,
    .second_ms = 1000,
    .slack_ms = 1000,
    .jitter_ms = 1000,
    .tries = 10,
    .backoff_ms = 1000,
    .backoff_max_ms = 300000,
    .conflict_ms = 2000,
    .look_again_ms = 1000,
    .waiting_max = 2000,
    .hint = 5,
};

struct pace {
    struct pace_rules rules;
    bool fast;
    int64_t max_wait_ms;
    uint32_t (*chance)(void *ctx);
    void *chance_ctx;
    struct pace_rows rows;
    struct pace_ledger ledger;
    int64_t now_ms;
    int64_t hint, step, top;      /* step: also our guess at how many web servers there are */
    int64_t cap, good;            /* good: clean answers since the cap last changed */
    int64_t batch, batch_ceiling; /* the ceiling falls with each 413 */
    bool limit_seen;
    int64_t share_permille, shared_ms; /* of the limits as we know them; since when */
    bool learned;                      /* the last 429 told where the limit is */
    int64_t last_429_ms, last_cut_ms, last_refused_ms;
    unsigned volleys;         /* of 429s, with nothing good between them */
    int64_t failures;         /* of whole requests, with nothing good between them */
    int64_t stalled_since_ms; /* -1 = not stalled */
    int64_t pause_until_ms;
    enum pace_why pause_why;
    enum pace_stop stop;
    size_t settled, requests, in_flight, throttled, failed;
    int64_t sent_ms; /* the sum of when each request in flight was sent */
    int64_t row_us;  /* what a row took when one was last answered; 0 = not known */
};

/** A time before all others, far enough from the limits of its type. */
#define NEVER_MS (INT64_MIN / 4)

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void
take_hint(struct pace *pace, int64_t hint)
{
    pace->hint = most(1, least(hint, pace->rules.widest));
    pace->step = most(1, pace->hint / 4);
    pace->top = most(pace->hint, least(pace->rules.ramp * pace->hint, pace->rules.hard));
}

static void
check_rules(const struct pace_rules *rules)
{
    assert(rules->window_ms > 0 && rules->hard > 0 && rules->ramp > 0 && rules->clean > 0);
    assert(rules->widest >= rules->hard && rules->widest <= PACE_WIDEST);
    assert(rules->batch0 > 0 && rules->batch0 <= rules->batch_max);
    assert(rules->batch_max <= PACE_ROWS_MAX && rules->waiting_max > 0);
    assert(rules->tries > 0 && rules->tries <= UINT8_MAX);
    (void)rules;
}

struct pace *
pace_new(const struct pace_options *options, size_t count)
{
    const struct pace_rules *rules = options->rules ? options->rules : &pace_rules;
    struct pace *pace = count <= UINT32_MAX ? calloc(1, sizeof *pace) : NULL;

    check_rules(rules);
    if (!pace)
        return NULL;
    *pace = (struct pace){.rules = *rules,
                          .fast = options->fast,
                          .max_wait_ms = options->max_wait_ms,
                          .chance = options->chance,
                          .chance_ctx = options->chance_ctx,
                          .now_ms = options->now_ms,
                          .share_permille = rules->share_percent * 10,
                          .batch = rules->batch0,
                          .batch_ceiling = rules->batch_max,
                          .last_429_ms = NEVER_MS,
                          .last_cut_ms = NEVER_MS,
                          .last_refused_ms = NEVER_MS,
                          .stalled_since_ms = -1,
                          .pause_until_ms = NEVER_MS};
    /* Fresh rows are taken only while fewer than waiting_max wait, and then none is on the stack.
     */
    if (!pace_rows_init(&pace->rows, (uint32_t)count,
                        (size_t)(rules->waiting_max + rules->widest * rules->batch_max))) {
        free(pace);
        return NULL;
    }
    pace_ledger_init(&pace->ledger, rules->window_ms, options->now_ms);
    take_hint(pace, options->hint > 0 ? options->hint : rules->hint);
    pace->cap = pace->hint;
    return pace;
}

void
pace_free(struct pace *pace)
{
    if (!pace)
        return;
    pace_rows_done(&pace->rows);
    free(pace);
}

void
pace_hint(struct pace *pace, int hint)
{
    const int64_t before = pace->hint;

    if (hint <= 0)
        return;
    take_hint(pace, hint);
    if (pace->cap > before)
        pace->cap = least(pace->cap, pace->top);
    else if (!pace->limit_seen)
        pace->cap = pace->hint;
    else
        pace->cap = least(pace->cap, pace->hint);
}

void
pace_offer(struct pace *pace, size_t offered, bool last)
{
    assert(offered <= pace->rows.count && offered >= pace->rows.fresh);
    pace->rows.offered = (uint32_t)offered;
    if (last)
        pace->rows.count = (uint32_t)offered;
}

size_t
pace_fresh(const struct pace *pace)
{
    return pace->rows.offered - pace->rows.fresh;
}

void
pace_single(struct pace *pace)
{
    pace->batch = 1;
    pace->batch_ceiling = 1;
}

/** A share that was lowered lasts a window: who used the rest, before us or beside us, may have
 * stopped. */
static void
regain_share(struct pace *pace)
{
    const int64_t usual = pace->rules.share_percent * 10;

    if (pace->share_permille < usual && pace->now_ms - pace->shared_ms >= pace->rules.window_ms)
        pace->share_permille = usual;
}

/** A clock that goes back would stretch every wait. */
static void
set_clock(struct pace *pace, int64_t now_ms)
{
    pace->now_ms = most(pace->now_ms, now_ms);
    pace_ledger_advance(&pace->ledger, pace->now_ms);
    regain_share(pace);
}

/** What was used of the window, of the limits as the hint lets us guess them. */
static int64_t
used_permille(const struct pace *pace)
{
    const struct pace_charge *used = &pace->ledger.sum;

    return most(used->requests * 1000 / (pace->rules.req * pace->step),
                used->elapsed_ms * 1000 / (pace->rules.exec_ms * pace->step));
}

/** Is there room in our share of the window, as far as we know? */
static bool
has_room(const struct pace *pace)
{
    return used_permille(pace) < pace->share_permille;
}

/** A limit was met: what is in the ledger is what it allows, whatever we had guessed. */
static void
learn_share(struct pace *pace)
{
    const int64_t met = used_permille(pace);

    pace->learned = met >= pace->rules.least_percent * 10;
    if (!pace->learned)
        return;
    pace->share_permille = most(1, met * pace->rules.met_percent / 100);
    pace->shared_ms = pace->now_ms;
}

static struct pace_turn
wait_until(int64_t until_ms, enum pace_why why)
{
    return (struct pace_turn){.step = PACE_WAIT, .why = why, .until_ms = until_ms};
}

/** Nothing can be taken, or nothing may. */
static bool
must_wait(const struct pace *pace, struct pace_turn *ret)
{
    if (pace->now_ms < pace->pause_until_ms)
        *ret = wait_until(pace->pause_until_ms, pace->pause_why);
    else if ((int64_t)pace->in_flight >= pace->cap)
        *ret = wait_until(INT64_MAX, PACE_IN_FLIGHT);
    else if (!pace->fast && pace->limit_seen && !has_room(pace))
        *ret = wait_until(pace->now_ms + pace->rules.look_again_ms, PACE_LEDGER);
    else
        return false;
    return true;
}

/**
 * New rows are not sent while too many wait for another try, nor while all that is sent fails: the
 * rows that wait will show when the service is back.
 */
static bool
may_take_fresh(const struct pace *pace)
{
    const size_t waiting = pace->rows.waiting_count;

    if (waiting == 0)
        return true;
    return (int64_t)waiting < pace->rules.waiting_max && pace->failures < pace->cap;
}

/** What is left to be done for what is in flight, as far as one can tell. */
static int64_t
left_in_flight_us(const struct pace *pace)
{
    const struct pace_rows *rows = &pace->rows;
    const int64_t count =
        (int64_t)(rows->fresh - pace->settled - rows->returned_count - rows->waiting_count);
    const int64_t spent_ms = (int64_t)pace->in_flight * pace->now_ms - pace->sent_ms;

    return most(0, count * pace->row_us - spent_ms * 1000);
}

/**
 * How many rows the next request takes. The last rows are shared so that all requests end together:
 * with full ones at the end, most of what may be in flight would wait for the last of them.
 */
static int64_t
next_batch(const struct pace *pace)
{
    const struct pace_rows *rows = &pace->rows;
    const int64_t left = (int64_t)(rows->count - rows->fresh + rows->returned_count);
    int64_t share_us;

    if (rows->offered < rows->count || left >= pace->cap * pace->batch || pace->row_us == 0)
        return pace->batch;
    share_us = (left * pace->row_us + left_in_flight_us(pace)) / pace->cap;
    return most(1, least(pace->batch, (share_us + pace->row_us - 1) / pace->row_us));
}

static struct pace_turn
take_rows(struct pace *pace, uint32_t *ret_rows)
{
    const bool fresh = may_take_fresh(pace);
    const int64_t batch = next_batch(pace);
    struct pace_turn turn = {.step = PACE_SEND};

    while ((int64_t)turn.count < batch &&
           pace_rows_take(&pace->rows, pace->now_ms, fresh, &ret_rows[turn.count]))
        turn.count++;
    if (turn.count > 0) {
        pace->requests++;
        pace->in_flight++;
        pace->sent_ms += pace->now_ms;
        return turn;
    }
    if (pace->rows.waiting_count > 0)
        return wait_until(pace_rows_due_ms(&pace->rows), PACE_BACKOFF);
    if (pace->in_flight > 0)
        return wait_until(INT64_MAX, PACE_IN_FLIGHT);
    assert(pace->rows.fresh < pace->rows.count); /* else a row was taken and never answered for */
    return wait_until(INT64_MAX, PACE_NOT_OFFERED);
}

struct pace_turn
pace_take(struct pace *pace, int64_t now_ms, uint32_t *ret_rows)
{
    struct pace_turn turn;

    set_clock(pace, now_ms);
    if (pace->settled == pace->rows.count)
        return (struct pace_turn){.step = PACE_OVER};
    if (pace->stop != PACE_GOES_ON)
        return pace->in_flight > 0 ? wait_until(INT64_MAX, PACE_IN_FLIGHT)
                                   : (struct pace_turn){.step = PACE_GAVE_UP};
    if (must_wait(pace, &turn))
        return turn;
    return take_rows(pace, ret_rows);
}

static void
give_up(struct pace *pace, enum pace_stop why)
{
    if (pace->stop == PACE_GOES_ON)
        pace->stop = why;
}

void
pace_stop(struct pace *pace)
{
    give_up(pace, PACE_STOP_CALLER);
}

static int64_t
jitter(const struct pace *pace)
{
    return pace->chance(pace->chance_ctx) % (pace->rules.jitter_ms + 1);
}

/** What the n-th wait takes, without jitter. */
static int64_t
backoff(const struct pace *pace, unsigned n)
{
    return n > 20 ? pace->rules.backoff_max_ms
                  : least(pace->rules.backoff_max_ms, pace->rules.backoff_ms << n);
}

/**
 * Nobody sends for a while. Pauses with nothing good between them are one pause to who waits for
 * its end, so --max-wait counts from the start of the first.
 */
static void
pause_all(struct pace *pace, int64_t wait_ms, enum pace_why why)
{
    const int64_t until_ms = pace->now_ms + wait_ms + pace->rules.slack_ms + jitter(pace);

    if (until_ms > pace->pause_until_ms) {
        pace->pause_until_ms = until_ms;
        pace->pause_why = why;
    }
    if (pace->stalled_since_ms < 0)
        pace->stalled_since_ms = pace->now_ms;
    pace->last_refused_ms = pace->now_ms;
    if (pace->max_wait_ms > 0 && pace->pause_until_ms - pace->stalled_since_ms > pace->max_wait_ms)
        give_up(pace, PACE_STOP_MAX_WAIT);
}

static int64_t
retry_after_ms(const struct pace *pace, const struct pace_answer *answer)
{
    return least(answer->retry_after_s, PACE_RETRY_AFTER_MAX_S) * pace->rules.second_ms;
}

static void
take_429(struct pace *pace, const struct pace_answer *answer)
{
    const int64_t sent_ms = pace->now_ms - answer->elapsed_ms;
    const int64_t lowest = pace->fast ? most(1, pace->hint / 2) : 1;

    pace->throttled++;
    pace->limit_seen = true;
    if (sent_ms >= pace->last_429_ms)
        pace->volleys++;
    pace->last_429_ms = pace->now_ms;
    pause_all(pace,
              answer->retry_after_s > 0 ? retry_after_ms(pace, answer)
                                        : backoff(pace, pace->volleys),
              PACE_THROTTLED);
    /* One cut a volley: what was sent before the last cut tells nothing new. */
    if (pace->good > 0 && sent_ms >= pace->last_cut_ms) {
        pace->cap = most(lowest, pace->cap / 2);
        pace->good = 0;
        learn_share(pace);
        pace->last_cut_ms = pace->now_ms;
    }
}

static void
take_failure(struct pace *pace, const struct pace_answer *answer)
{
    pace->failed++;
    pace->failures++;
    pace->batch = most(1, pace->batch / 2);
    if (answer->retry_after_s > 0)
        pause_all(pace, retry_after_ms(pace, answer), PACE_UNAVAILABLE);
}

/**
 * Above the hint only while the ledger shows room; for a window after a 429, only while it shows
 * much, and only if that 429 told where the limit is.
 */
static bool
may_exceed_hint(const struct pace *pace)
{
    const bool met = pace->now_ms - pace->last_429_ms < pace->rules.window_ms;
    const int64_t calm = pace->share_permille * pace->rules.calm_percent;

    if (pace->fast)
        return true;
    return met ? pace->learned && used_permille(pace) * 100 < calm : has_room(pace);
}

static void
adapt_cap(struct pace *pace)
{
    const bool room = has_room(pace);

    if (pace->good >= pace->rules.clean * pace->cap) {
        const int64_t limit = may_exceed_hint(pace) ? pace->top : pace->hint;

        if (pace->cap < limit) {
            pace->cap = least(limit, pace->cap + pace->step);
            pace->good = 0;
        }
    }
    if (!pace->fast && !room && pace->cap > pace->hint)
        pace->cap = pace->hint;
}

static void
take_good(struct pace *pace, const struct pace_answer *answer)
{
    const int64_t elapsed_ms = most(1, answer->elapsed_ms);

    pace->good++;
    pace->failures = 0;
    if (pace->now_ms - elapsed_ms >= pace->last_refused_ms) {
        pace->volleys = 0;
        pace->stalled_since_ms = -1;
    }
    if (answer->retry_after_s > 0)
        pause_all(pace, retry_after_ms(pace, answer), PACE_UNAVAILABLE);
    if (answer->count > 0) {
        pace->batch =
            most(1, least(pace->batch_ceiling,
                          (int64_t)answer->count * pace->rules.batch_time_ms / elapsed_ms));
        pace->row_us = elapsed_ms * 1000 / (int64_t)answer->count;
    }
    adapt_cap(pace);
}

static void
take_too_large(struct pace *pace, const struct pace_answer *answer)
{
    const int64_t half = most(1, (int64_t)answer->count / 2);

    pace->batch_ceiling = least(pace->batch_ceiling, half);
    pace->batch = least(pace->batch, pace->batch_ceiling);
}

/** Let a row wait for another try; `jitter_ms` is one for the whole request, so that its rows come
 * back together. */
static void
wait_row(struct pace *pace, uint32_t row, enum pace_fate fate, int64_t jitter_ms)
{
    const unsigned tries = pace->rows.tries[row] + 1u;
    const int64_t wait_ms = fate == PACE_ROW_SOON ? pace->rules.conflict_ms : backoff(pace, tries);

    pace->rows.tries[row] = (unsigned char)least(tries, UINT8_MAX);
    if ((int64_t)tries >= pace->rules.tries)
        give_up(pace, PACE_STOP_TRIES);
    pace_rows_wait(&pace->rows, row, pace->now_ms + wait_ms + jitter_ms);
}

/** Every row of the answer finds its place. How many were settled. */
static size_t
place_rows(struct pace *pace, const struct pace_answer *answer)
{
    const int64_t jitter_ms = jitter(pace);
    size_t settled = 0;

    /* Backwards, since the last to be put back is the first to be taken. */
    for (size_t i = answer->count; i-- > 0;)
        switch (answer->fates[i]) {
        case PACE_ROW_SETTLED:
            settled++;
            break;
        case PACE_ROW_AGAIN:
            pace_rows_return(&pace->rows, answer->rows[i]);
            break;
        case PACE_ROW_SOON:
        case PACE_ROW_LATER:
            wait_row(pace, answer->rows[i], answer->fates[i], jitter_ms);
            break;
        }
    pace->settled += settled;
    return settled;
}

/** A request that was refused as a whole has cost nothing; one that failed may have cost all. */
static void
charge(struct pace *pace, const struct pace_answer *answer, size_t settled)
{
    if (answer->kind == PACE_NOTHING_DONE || (answer->kind == PACE_ANSWERED_429 && settled == 0))
        return;
    pace_ledger_add(&pace->ledger, (struct pace_charge){.requests = 1,
                                                        .elapsed_ms = most(0, answer->elapsed_ms),
                                                        .rows = (int64_t)settled});
}

void
pace_answered(struct pace *pace, int64_t now_ms, const struct pace_answer *answer)
{
    size_t settled;

    assert(pace->in_flight > 0);
    set_clock(pace, now_ms);
    pace->in_flight--;
    pace->sent_ms = pace->in_flight > 0 ? pace->sent_ms - (pace->now_ms - answer->elapsed_ms) : 0;
    settled = place_rows(pace, answer);
    charge(pace, answer, settled);
    switch (answer->kind) {
    case PACE_ANSWERED:
        take_good(pace, answer);
        break;
    case PACE_ANSWERED_429:
        take_429(pace, answer);
        break;
    case PACE_TRANSIENT:
        take_failure(pace, answer);
        break;
    case PACE_TOO_LARGE:
        take_too_large(pace, answer);
        break;
    case PACE_NOTHING_DONE:
        break;
    }
}

unsigned
pace_tries(const struct pace *pace, uint32_t row)
{
    assert(row < pace->rows.count);
    return pace->rows.tries[row];
}

struct pace_figures
pace_figures(const struct pace *pace, int64_t now_ms)
{
    const struct pace_charge *used = &pace->ledger.sum;
    struct pace_figures figures = {
        .rows = pace->rows.count,
        .settled = pace->settled,
        .waiting = pace->rows.returned_count + pace->rows.waiting_count,
        .requests = pace->requests,
        .in_flight = pace->in_flight,
        .throttled = pace->throttled,
        .failed = pace->failed,
        .rows_per_s = pace_ledger_rate(&pace->ledger, most(pace->now_ms, now_ms)),
        .ms_per_row = used->rows > 0 ? (double)used->elapsed_ms / (double)used->rows : 0.0,
        .cap = pace->cap,
        .batch = pace->batch,
        .hint = pace->hint,
        .stop = pace->stop,
    };

    if (most(pace->now_ms, now_ms) < pace->pause_until_ms) {
        figures.paused_until_ms = pace->pause_until_ms;
        figures.why = pace->pause_why;
    } else if (!pace->fast && pace->limit_seen && !has_room(pace)) {
        figures.why = PACE_LEDGER;
    }
    return figures;
}
