#include "send.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "send_flight.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    ANNOUNCED_ROWS = 500, /* whose intent is put on record together */
    BODY_MAX_BYTES = 4 * 1024 * 1024,
    SLICE_MS = 200,
    TELL_MS = 1000,
};

void
send_stop(struct sender *sender, const struct err *why)
{
    if (sender->stopping)
        return;
    sender->stopping = true;
    sender->why = *why;
    pace_stop(sender->pace);
}

void
send_settle(struct sender *sender, size_t row, enum sent_state state,
            const struct http_answer *answer, const struct err *why)
{
    const struct sent sent = {.row = row,
                              .state = state,
                              .http_status = answer ? answer->status : 0,
                              .request_id = answer ? answer->request_id : "",
                              .why = why};
    struct err err = {0};

    assert(!(sender->flags[row] & ROW_SETTLED));
    sender->flags[row] = (unsigned char)(sender->flags[row] | ROW_SETTLED);
    sender->settled++;
    if (!sender->ops->outcome(sender->ctx, &sent, &err))
        send_stop(sender, &err);
}

static uint32_t
chance(void *ctx)
{
    uint32_t number = 0;

    (void)ctx;
    (void)!getrandom(&number, sizeof number, 0);
    return number;
}

/** The rules on a clock that runs `scale` times as fast. */
static struct pace_rules
scaled_rules(int scale)
{
    struct pace_rules rules = pace_rules;

    rules.window_ms /= scale;
    rules.exec_ms /= scale;
    rules.batch_time_ms /= scale;
    rules.second_ms /= scale;
    rules.slack_ms /= scale;
    rules.jitter_ms /= scale;
    rules.backoff_ms /= scale;
    rules.backoff_max_ms /= scale;
    rules.conflict_ms /= scale;
    rules.look_again_ms /= scale;
    return rules;
}

bool
send_new(struct session *session, const struct send_task *task, struct sender **ret,
         struct err *err)
{
    const int scale = session->options->time_scale;
    const struct pace_rules rules = scaled_rules(scale > 1 ? scale : 1);
    const struct pace_options options = {.rules = &rules,
                                         .now_ms = clock_monotonic_ms(),
                                         .hint = session->dop_hint,
                                         .fast = session->options->fast,
                                         .max_wait_ms = session->options->max_wait_ms,
                                         .chance = chance};
    struct sender *sender = calloc(1, sizeof *sender);

    if (sender) {
        *sender = (struct sender){.session = session,
                                  .definition = task->definition,
                                  .ops = task->ops,
                                  .ctx = task->ctx,
                                  .total = task->total,
                                  .told_ms = options.now_ms,
                                  .flags = calloc(task->total + 1, 1),
                                  .pace = pace_new(&options, task->total)};
        if (sender->flags && sender->pace) {
            pace_offer(sender->pace, 0, false);
            *ret = sender;
            return true;
        }
    }
    send_free(sender);
    return err_set(err, ERR_INTERNAL, "out of memory");
}

void
send_free(struct sender *sender)
{
    if (!sender)
        return;
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        if (!sender->flights[i])
            continue;
        http_exchange_free(sender->flights[i]->exchange);
        text_done(&sender->flights[i]->body);
        free(sender->flights[i]);
    }
    pace_free(sender->pace);
    free(sender->flags);
    free(sender);
}

void
send_offer(struct sender *sender, size_t offered, bool last)
{
    assert(offered <= sender->total && offered >= sender->offered);
    sender->offered = offered;
    sender->last = last;
    if (last)
        sender->total = offered;
    pace_offer(sender->pace, offered, last);
}

/* ---- sending ---- */

/** A flight that is not on its way; made when there is none. NULL when out of memory. */
static struct flight *
find_flight(struct sender *sender)
{
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        struct flight *flight = sender->flights[i];

        if (flight && flight->exchange->owner)
            continue;
        if (!flight) {
            flight = calloc(1, sizeof *flight);
            if (flight)
                flight->exchange = http_exchange_new(sender->session->http);
            if (!flight || !flight->exchange) {
                free(flight);
                return NULL;
            }
            sender->flights[i] = flight;
        }
        return flight;
    }
    return NULL;
}

static void
read_operation(struct sender *sender, struct flight *flight, size_t i, struct batch_operation *ret)
{
    const size_t row = flight->rows[i];

    *ret = (struct batch_operation){0};
    sender->ops->operation(sender->ctx, row, ret);
    flight->probes[i] = (sender->flags[row] & ROW_PROBE) != 0;
    if (flight->probes[i])
        *ret = (struct batch_operation){.method = BATCH_GET,
                                        .set = ret->set,
                                        .key = ret->key,
                                        .select = sender->definition->key_column};
}

static bool
prepare_single(struct sender *sender, struct flight *flight, struct http_request *request,
               struct err *err)
{
    static const enum http_method methods[] = {[BATCH_GET] = HTTP_GET,
                                               [BATCH_DELETE] = HTTP_DELETE,
                                               [BATCH_PATCH] = HTTP_PATCH,
                                               [BATCH_POST] = HTTP_POST};
    struct batch_operation operation;

    read_operation(sender, flight, 0, &operation);
    flight->sent = 1;
    (void)snprintf(flight->url, sizeof flight->url, "%s%s(%s)%s%s", sender->session->root,
                   operation.set, operation.key, operation.select ? "?$select=" : "",
                   operation.select ? operation.select : "");
    request->method = methods[operation.method];
    request->if_match = operation.if_match;
    request->only_new = operation.only_new;
    text_reset(&flight->body);
    text_append_bytes(&flight->body, operation.document.data, operation.document.size);
    if (operation.method == BATCH_PATCH)
        request->type = "application/json";
    return text_ok(&flight->body, err);
}

void
send_batch_request(const char *type, struct http_request *ret)
{
    ret->method = HTTP_POST;
    ret->type = type;
    ret->prefer = "odata.continue-on-error";
}

static bool
prepare_batch(struct sender *sender, struct flight *flight, struct http_request *request,
              struct err *err)
{
    struct batch_operation operations[PACE_ROWS_MAX];
    char boundary[BATCH_BOUNDARY_MAX] = "batch_";
    char guid[37];
    size_t bytes = 0;
    const struct batch_form form = {.boundary = boundary,
                                    .root = sender->session->options->odata
                                                ? ""
                                                : sender->session->root + sender->session->path_at,
                                    .quoted = !sender->session->options->odata};

    http_guid(guid);
    (void)snprintf(boundary, sizeof boundary, "batch_%s", guid);
    for (flight->sent = 0; flight->sent < flight->count; flight->sent++) {
        read_operation(sender, flight, flight->sent, &operations[flight->sent]);
        bytes += operations[flight->sent].document.size;
        if (flight->sent > 0 && bytes > BODY_MAX_BYTES)
            break;
    }
    text_reset(&flight->body);
    if (!batch_body_write(&form, operations, flight->sent, &flight->body, err))
        return false;
    batch_content_type(&form, flight->type);
    (void)snprintf(flight->url, sizeof flight->url, "%s$batch", sender->session->root);
    send_batch_request(flight->type, request);
    return true;
}

/** Nothing of it was sent. */
static void
put_back(struct sender *sender, struct flight *flight)
{
    const struct pace_answer answer = {.kind = PACE_NOTHING_DONE,
                                       .rows = flight->rows,
                                       .fates = flight->fates,
                                       .count = flight->count};

    for (size_t i = 0; i < flight->count; i++)
        flight->fates[i] = PACE_ROW_AGAIN;
    pace_answered(sender->pace, clock_monotonic_ms(), &answer);
}

static void
depart(struct sender *sender, struct flight *flight)
{
    struct http_request request = {.url = flight->url, .bearer = session_bearer(sender->session)};
    struct err err = {0};
    bool prepared;

    flight->single = sender->single;
    assert(!flight->single || flight->count == 1);
    prepared = flight->single ? prepare_single(sender, flight, &request, &err)
                              : prepare_batch(sender, flight, &request, &err);
    request.body = slice_of(flight->body.data, flight->body.used);
    flight->sent_ms = clock_monotonic_ms();
    /* Only the version of each row that was backed up may go: this line destroys. */
    if (!prepared || !http_send(flight->exchange, &request, &err)) {
        send_stop(sender, &err);
        put_back(sender, flight);
        return;
    }
    flight->exchange->owner = flight;
}

/** Put the intents for the rows up to `row` on record, and for some more. */
static bool
announce(struct sender *sender, size_t row)
{
    struct err err = {0};

    while (sender->announced <= row) {
        const size_t left = sender->offered - sender->announced;
        const size_t count = left < ANNOUNCED_ROWS ? left : ANNOUNCED_ROWS;

        if (!sender->ops->intent(sender->ctx, sender->announced, count, &err)) {
            send_stop(sender, &err);
            return false;
        }
        sender->announced += count;
    }
    return true;
}

static bool
announce_flight(struct sender *sender, const struct flight *flight)
{
    for (size_t i = 0; i < flight->count; i++)
        if (!announce(sender, flight->rows[i]))
            return false;
    return true;
}

/** Fill what may be in flight; what to do next. */
static struct pace_turn
send_rows(struct sender *sender)
{
    for (;;) {
        struct flight *flight = find_flight(sender);
        struct pace_turn turn = {.step = PACE_WAIT, .until_ms = INT64_MAX};

        if (!flight) {
            if (http_in_flight(sender->session->http) == 0) {
                struct err err = {0};

                (void)err_set(&err, ERR_INTERNAL, "out of memory");
                send_stop(sender, &err);
            }
            return turn;
        }
        turn = pace_take(sender->pace, clock_monotonic_ms(), flight->rows);
        if (turn.step != PACE_SEND)
            return turn;
        flight->count = turn.count;
        if (announce_flight(sender, flight))
            depart(sender, flight);
        else
            put_back(sender, flight);
    }
}

/* ---- answers ---- */

static void
take_answer(struct sender *sender, struct flight *flight)
{
    const int64_t now_ms = clock_monotonic_ms();
    struct pace_answer answer = {
        .elapsed_ms = now_ms - flight->sent_ms, .rows = flight->rows, .fates = flight->fates};

    flight->exchange->owner = NULL;
    if (flight->exchange->answer.dop_hint > 0) {
        sender->session->dop_hint = flight->exchange->answer.dop_hint;
        pace_hint(sender->pace, sender->session->dop_hint);
    }
    send_judge(sender, flight);
    text_done(&flight->body); /* there may be many flights, each with a large body */
    answer.kind = flight->kind;
    answer.retry_after_s = flight->retry_after_s;
    answer.count = flight->count;
    pace_answered(sender->pace, now_ms, &answer);
}

static void
tell_pace(struct sender *sender)
{
    const int64_t now_ms = clock_monotonic_ms();
    struct pace_figures figures;
    struct runtime_pace pace;

    if (!sender->ops->progress)
        return;
    sender->told_ms = now_ms;
    figures = pace_figures(sender->pace, now_ms);
    pace = (struct runtime_pace){
        .done = (int64_t)sender->settled,
        .total = (int64_t)sender->total,
        .rows_per_second_x10 = (int64_t)(figures.rows_per_s * 10),
        .ms_per_row_x10 = (int64_t)(figures.ms_per_row * 10),
        .concurrency = (int)figures.cap,
        .batch_rows = (int)figures.batch,
        .throttled = (int64_t)figures.throttled,
    };
    if (figures.paused_until_ms > 0) {
        pace.paused_until_utc_ms = clock_utc_ms() + figures.paused_until_ms - now_ms;
        pace.paused_why = sender->session->paused_why;
    }
    sender->ops->progress(sender->ctx, &pace);
}

static void
tell_progress(struct sender *sender)
{
    if (clock_monotonic_ms() - sender->told_ms >= TELL_MS)
        tell_pace(sender);
}

/** With nothing in flight: another token. */
static void
renew(struct sender *sender)
{
    struct err err = {0};

    sender->token_over = false;
    sender->renewed = true;
    if (!session_sign_in(sender->session, &err))
        send_stop(sender, &err);
}

/** Why the pace gave up, when nobody told it to. */
static void
note_end_of_patience(struct sender *sender)
{
    const struct pace_figures figures = pace_figures(sender->pace, clock_monotonic_ms());
    struct err why = sender->failure;

    if (sender->stopping || figures.stop == PACE_GOES_ON)
        return;
    if (why.code == ERR_NONE)
        (void)err_set(&why, ERR_SERVER, "the service is not available");
    if (figures.stop == PACE_STOP_MAX_WAIT) {
        (void)err_wrap(&why, "the service asks for a longer pause than --max-wait");
        (void)err_hint(&why, "Go on later, or give it more time with --max-wait.");
    }
    send_stop(sender, &why);
}

static void
wait_for_answer(struct sender *sender, int64_t wait_ms)
{
    struct http_exchange *exchange;

    if (http_in_flight(sender->session->http) == 0) {
        if (wait_ms > 0)
            clock_sleep_ms(wait_ms);
        return;
    }
    exchange = http_next(sender->session->http, wait_ms);
    if (exchange)
        take_answer(sender, exchange->owner);
}

enum send_step
send_go_on(struct sender *sender, int64_t wait_ms)
{
    struct pace_turn turn = {.step = PACE_WAIT, .until_ms = INT64_MAX};
    struct err err = {0};

    if (!cancel_check(&err))
        send_stop(sender, &err);
    if (session_token_is_due(sender->session))
        sender->token_over = true;
    if (sender->token_over && !sender->stopping && http_in_flight(sender->session->http) == 0)
        renew(sender);
    if (!sender->token_over || sender->stopping)
        turn = send_rows(sender);
    tell_progress(sender);
    note_end_of_patience(sender);
    if (turn.step == PACE_OVER || turn.step == PACE_GAVE_UP)
        return SEND_OVER;
    if (turn.why == PACE_NOT_OFFERED && turn.until_ms == INT64_MAX)
        return SEND_WANTS_ROWS;
    if (wait_ms > SLICE_MS)
        wait_ms = SLICE_MS;
    if (turn.until_ms < INT64_MAX && turn.until_ms - clock_monotonic_ms() < wait_ms)
        wait_ms = turn.until_ms - clock_monotonic_ms();
    wait_for_answer(sender, wait_ms > 0 ? wait_ms : 0);
    return SEND_WORKS;
}

bool
send_finish(struct sender *sender, struct err *err)
{
    const struct err why = sender->why;

    tell_pace(sender); /* how it ended: whoever goes on must know of a pause */
    if (!sender->stopping)
        return true;
    for (size_t row = 0; row < sender->offered; row++)
        if ((sender->flags[row] & ROW_LOST) && !(sender->flags[row] & ROW_SETTLED))
            send_settle(sender, row, SENT_UNKNOWN, NULL, &why);
    *err = sender->why;
    return false;
}
