#include "client.h"

#include "../../src/dataverse/pace.h"
#include "service.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double never_s = 1e18;

static void *
new_client(size_t size)
{
    void *self = calloc(1, size);

    if (!self) {
        (void)fputs("out of memory\n", stderr);
        abort();
    }
    return self;
}

/* ---- a fixed width ---- */

struct fixed {
    size_t left, in_flight; /* rows to send; requests */
    size_t width, batch;
    double pause_until_s;
};

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct move
fixed_move(void *self, double now_s, size_t free_slot)
{
    struct fixed *fixed = self;
    struct move move = {.until_s = never_s};

    (void)free_slot;
    if (now_s < fixed->pause_until_s) {
        move.until_s = fixed->pause_until_s;
    } else if (fixed->in_flight < fixed->width && fixed->left > 0) {
        move.rows = smaller(fixed->batch, fixed->left);
        fixed->left -= move.rows;
        fixed->in_flight++;
    }
    move.over = fixed->left == 0 && fixed->in_flight == 0;
    return move;
}

static void
fixed_answered(void *self, double now_s, const struct reply *reply)
{
    struct fixed *fixed = self;

    fixed->in_flight--;
    if (reply->retry_after_s > 0) {
        fixed->left += reply->rows;
        fixed->pause_until_s = fmax(fixed->pause_until_s, now_s + reply->retry_after_s);
    }
}

struct client
client_fixed(size_t rows, size_t width, size_t batch)
{
    struct fixed *fixed = new_client(sizeof *fixed);

    *fixed = (struct fixed){.left = rows, .width = width, .batch = batch};
    return (struct client){fixed, fixed_move, fixed_answered, free};
}

/* ---- SQL 4 CDS ---- */

enum { THREADS_MAX = 48 };

struct thread {
    bool stopped, busy;
    size_t slot, batch;
    unsigned throttled;
    double awake_s;
};

struct sql4cds {
    size_t left, in_flight;
    struct thread threads[THREADS_MAX];
    size_t thread_count, threads_max, active;
    bool more, less, decreased; /* what the answers of this second ask for */
    double look_s;
};

/** Once a second. */
static void
sql4cds_look(struct sql4cds *client, double now_s)
{
    client->look_s = now_s + 1;
    if (client->less && client->active > 1) {
        size_t first = 0;

        while (client->threads[first].stopped)
            first++;
        client->threads[first].stopped = true;
        client->active--;
        client->decreased = true;
    } else if (!client->decreased && client->more && client->thread_count < client->threads_max) {
        client->threads[client->thread_count++] = (struct thread){.batch = 1, .awake_s = now_s};
        client->active++;
    }
    client->more = client->less = false;
}

static struct move
sql4cds_move(void *self, double now_s, size_t free_slot)
{
    struct sql4cds *client = self;
    struct move move = {0};

    if (now_s >= client->look_s)
        sql4cds_look(client, now_s);
    move.until_s = client->look_s;
    for (size_t i = 0; i < client->thread_count; i++) {
        struct thread *thread = &client->threads[i];

        if (thread->stopped || thread->busy || client->left == 0)
            continue;
        if (thread->awake_s > now_s) {
            move.until_s = fmin(move.until_s, thread->awake_s);
            continue;
        }
        move.rows = smaller(thread->batch, client->left);
        thread->busy = true;
        thread->slot = free_slot;
        client->left -= move.rows;
        client->in_flight++;
        return move;
    }
    move.over = client->left == 0 && client->in_flight == 0;
    return move;
}

static void
sql4cds_answered(void *self, double now_s, const struct reply *reply)
{
    static const double sleeps_s[] = {300, 120, 60};
    struct sql4cds *client = self;
    struct thread *thread = client->threads;

    while (!thread->busy || thread->slot != reply->slot)
        thread++;
    thread->busy = false;
    client->in_flight--;
    if (reply->retry_after_s > 0) {
        const unsigned n = thread->throttled < 2 ? thread->throttled : 2;

        thread->throttled++;
        thread->awake_s = now_s + fmin(reply->retry_after_s, sleeps_s[n]);
        client->left += reply->rows;
        client->less = true;
        return;
    }
    thread->throttled = 0;
    thread->batch =
        (size_t)fmax(1, fmin(100, floor((double)reply->rows * 10.0 / reply->elapsed_s)));
    client->more = true;
}

struct client
client_sql4cds(size_t rows, size_t threads)
{
    struct sql4cds *client = new_client(sizeof *client);

    *client = (struct sql4cds){.left = rows,
                               .thread_count = 1,
                               .threads_max = smaller(threads, THREADS_MAX),
                               .active = 1,
                               .look_s = 1};
    client->threads[0].batch = 1;
    return (struct client){client, sql4cds_move, sql4cds_answered, free};
}

/* ---- our own ---- */

struct paced {
    struct pace *pace;
    struct dice dice;
    uint32_t rows[CLIENT_SLOTS][PACE_ROWS_MAX];
};

static uint32_t
paced_chance(void *ctx)
{
    return (uint32_t)(dice_roll(ctx) * 4294967296.0);
}

static struct move
paced_move(void *self, double now_s, size_t free_slot)
{
    struct paced *paced = self;
    const struct pace_turn turn =
        pace_take(paced->pace, (int64_t)floor(now_s * 1000), paced->rows[free_slot]);
    struct move move = {.until_s = never_s};

    switch (turn.step) {
    case PACE_SEND:
        move.rows = turn.count;
        break;
    case PACE_WAIT:
        /* half a millisecond more, so that rounding never makes it too early */
        if (turn.until_ms < INT64_MAX)
            move.until_s = ((double)turn.until_ms + 0.5) / 1000;
        break;
    case PACE_OVER:
        move.over = true;
        break;
    case PACE_GAVE_UP:
        (void)fputs("it gave up\n", stderr);
        abort();
    }
    return move;
}

static void
paced_answered(void *self, double now_s, const struct reply *reply)
{
    struct paced *paced = self;
    enum pace_fate fates[PACE_ROWS_MAX];

    for (size_t i = 0; i < reply->rows; i++)
        fates[i] = reply->retry_after_s > 0 ? PACE_ROW_AGAIN : PACE_ROW_SETTLED;
    pace_answered(
        paced->pace, (int64_t)floor(now_s * 1000),
        &(struct pace_answer){.kind = reply->retry_after_s > 0 ? PACE_ANSWERED_429 : PACE_ANSWERED,
                              .elapsed_ms = (int64_t)(reply->elapsed_s * 1000),
                              .retry_after_s = (int64_t)reply->retry_after_s,
                              .rows = paced->rows[reply->slot],
                              .fates = fates,
                              .count = reply->rows});
}

static void
paced_done(void *self)
{
    struct paced *paced = self;

    pace_free(paced->pace);
    free(paced);
}

struct client
client_pace(size_t rows, int hint, bool fast, int share_percent, uint64_t seed)
{
    struct paced *paced = new_client(sizeof *paced);
    struct pace_rules rules = pace_rules;
    const struct pace_options options = {.rules = &rules,
                                         .hint = hint,
                                         .fast = fast,
                                         .chance = paced_chance,
                                         .chance_ctx = &paced->dice};

    rules.share_percent = share_percent;
    paced->dice.state = seed;
    paced->pace = pace_new(&options, rows);
    if (!paced->pace) {
        (void)fputs("out of memory\n", stderr);
        abort();
    }
    return (struct client){paced, paced_move, paced_answered, paced_done};
}
