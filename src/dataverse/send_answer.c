/* What an answer means for the rows of its request. */
#include "base/clock.h"
#include "batch_reply.h"
#include "port/observer.h"
#include "send_flight.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    CONNECT_TRIES = 5,
    TRIES = 10,           /* of a row that the service cannot change for the moment */
    REFUSED_MAX = 25,     /* rows in a row that were refused: the next will be, too */
    BATCHES_LOST_MAX = 3, /* times, before one ever worked: something between lets none pass */
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_NO_CONTENT = 204,
    HTTP_NOT_FOUND = 404,
    HTTP_TIMEOUT = 408,
    HTTP_PRECONDITION_FAILED = 412,
    HTTP_LARGE = 413,
};

static bool
has_flag(const struct sender *sender, size_t row, enum row_flag flag)
{
    return (sender->flags[row] & flag) != 0;
}

static void
set_flag(struct sender *sender, size_t row, enum row_flag flag)
{
    sender->flags[row] = (unsigned char)(sender->flags[row] | flag);
}

/** All rows of a request share a fate. */
static void
share_fate(struct flight *flight, enum pace_kind kind, enum pace_fate fate)
{
    flight->kind = kind;
    for (size_t i = 0; i < flight->count; i++)
        flight->fates[i] = fate;
}

/** The request may have been executed. A question changes nothing, so it does not count. */
static void
note_lost(struct sender *sender, const struct flight *flight)
{
    for (size_t i = 0; i < flight->sent; i++)
        if (!flight->probes[i])
            set_flag(sender, flight->rows[i], ROW_LOST);
}

/** A refusal says that nothing was done, unless a try of ours was lost or this was only a question.
 */
static enum sent_state
state_when_refused(const struct sender *sender, size_t row)
{
    return has_flag(sender, row, ROW_LOST) || has_flag(sender, row, ROW_PROBE) ? SENT_UNKNOWN
                                                                               : SENT_FAILED;
}

/** Does the answer show the row that was asked for? */
static bool
shows_row(const struct sender *sender, size_t row, const struct http_answer *answer)
{
    struct batch_operation operation = {0};
    cJSON *json = NULL;
    const cJSON *key;
    bool shown;

    sender->ops->operation(sender->ctx, row, &operation);
    if (answer->body.size > 0)
        json = cJSON_ParseWithLength((const char *)answer->body.data, answer->body.size);
    key = cJSON_GetObjectItemCaseSensitive(json, sender->definition->key_column);
    shown = cJSON_IsString(key) && text_equal_nocase(key->valuestring, operation.key);
    cJSON_Delete(json);
    return shown;
}

static bool
shows_new_row(const struct sender *sender, size_t row, const struct http_answer *answer)
{
    return (answer->status == HTTP_OK || answer->status == HTTP_CREATED) &&
           shows_row(sender, row, answer);
}

/** A success that is not the one that was asked for: who knows who answers, and what was done. */
static void
take_stranger(struct sender *sender, size_t row, const struct http_answer *answer, const char *what)
{
    struct err why = {0};

    (void)answer_malformed(answer, what, &why);
    send_settle(sender, row, SENT_UNKNOWN, answer, &why);
    send_stop(sender, &why);
}

/** 200 to the question whether a changed row is still there. */
static void
take_probe(struct sender *sender, size_t row, const struct http_answer *answer)
{
    struct err changed;

    if (answer->status != HTTP_OK || !shows_row(sender, row, answer)) {
        take_stranger(sender, row, answer, "the service does not say whether the row is there");
        return;
    }
    (void)err_set(&changed, ERR_STALE, "the row changed since it was backed up");
    (void)err_detail(&changed, "HTTP %d; request id %s", HTTP_PRECONDITION_FAILED,
                     answer->request_id);
    (void)err_hint(&changed, "Something still writes: stop the maps, then plan again.");
    send_settle(sender, row, SENT_CHANGED, answer, &changed);
}

static void
take_success(struct sender *sender, size_t row, bool probe, const struct http_answer *answer)
{
    struct batch_operation operation = {0};

    sender->refused = 0;
    sender->renewed = false;
    sender->ops->operation(sender->ctx, row, &operation);
    if (probe)
        take_probe(sender, row, answer);
    else if (answer->status == HTTP_NO_CONTENT ||
             (operation.method != BATCH_DELETE && shows_new_row(sender, row, answer)))
        send_settle(sender, row, SENT_DONE, answer, NULL);
    else if (operation.method == BATCH_DELETE)
        take_stranger(sender, row, answer, "a delete was not answered with 204");
    else
        take_stranger(sender, row, answer, "the service does not say that the row was created");
}

/** 412: of a delete, ask whether there is a row at all; of a return, there is one. */
static enum pace_fate
take_changed(struct sender *sender, size_t row, const struct http_answer *answer,
             const struct judgement *judgement)
{
    struct batch_operation operation = {0};

    sender->ops->operation(sender->ctx, row, &operation);
    if (operation.method == BATCH_DELETE && !has_flag(sender, row, ROW_PROBE)) {
        set_flag(sender, row, ROW_PROBE);
        return PACE_ROW_AGAIN;
    }
    send_settle(sender, row, operation.method == BATCH_DELETE ? SENT_UNKNOWN : SENT_CHANGED, answer,
                &judgement->err);
    return PACE_ROW_SETTLED;
}

static enum pace_fate
take_refusal(struct sender *sender, size_t row, const struct http_answer *answer,
             const struct judgement *judgement)
{
    if (sender->ops->amend && sender->ops->amend(sender->ctx, row, &judgement->err))
        return PACE_ROW_AGAIN;
    send_settle(sender, row, state_when_refused(sender, row), answer, &judgement->err);
    if (++sender->refused >= REFUSED_MAX)
        send_stop(sender, &judgement->err);
    return PACE_ROW_SETTLED;
}

/** "Not now" for one row; after many tries it is left. */
static enum pace_fate
take_later(struct sender *sender, size_t row, const struct http_answer *answer,
           const struct judgement *judgement)
{
    const bool conflict = strcmp(judgement->code, "0x80048105") == 0;

    if (!conflict && !has_flag(sender, row, ROW_PROBE))
        set_flag(sender, row, ROW_LOST);
    if (pace_tries(sender->pace, (uint32_t)row) + 1 < TRIES)
        return conflict ? PACE_ROW_SOON : PACE_ROW_LATER;
    send_settle(sender, row, conflict ? state_when_refused(sender, row) : SENT_UNKNOWN, answer,
                &judgement->err);
    return PACE_ROW_SETTLED;
}

static void
note_throttling(struct sender *sender, const struct judgement *judgement)
{
    (void)snprintf(sender->session->paused_why, sizeof sender->session->paused_why,
                   "the service limits requests (429%s%s)", judgement->code[0] ? " " : "",
                   judgement->code);
    sender->failure = judgement->err;
}

static void
take_token(struct sender *sender, const struct judgement *judgement)
{
    if (sender->renewed && !sender->token_over)
        send_stop(sender, &judgement->err);
    else
        sender->token_over = true;
}

/** An answer that ends the whole. */
static enum pace_fate
take_end(struct sender *sender, size_t row, const struct http_answer *answer,
         const struct judgement *judgement)
{
    if (judgement->odata && sender->ops->amend &&
        sender->ops->amend(sender->ctx, row, &judgement->err))
        return PACE_ROW_AGAIN;
    send_settle(sender, row, judgement->odata ? state_when_refused(sender, row) : SENT_UNKNOWN,
                answer, &judgement->err);
    send_stop(sender, &judgement->err);
    return PACE_ROW_SETTLED;
}

/** Servers of other makes have no codes of Dataverse: there every 404 of theirs means "gone". */
static struct judgement
judge_row(const struct sender *sender, const struct http_answer *answer)
{
    struct judgement judgement = answer_judge(answer);

    if (sender->session->options->odata && answer->status == HTTP_NOT_FOUND && judgement.odata)
        judgement.verdict = VERDICT_GONE;
    return judgement;
}

/** What one row's answer means, as part of a batch or as an answer of its own. */
static enum pace_fate
take_row(struct sender *sender, struct flight *flight, size_t i, const struct http_answer *answer)
{
    const struct judgement judgement = judge_row(sender, answer);
    const size_t row = flight->rows[i];
    struct batch_operation operation = {0};

    switch (judgement.verdict) {
    case VERDICT_OK:
        take_success(sender, row, flight->probes[i], answer);
        return PACE_ROW_SETTLED;
    case VERDICT_GONE:
        sender->ops->operation(sender->ctx, row, &operation);
        if (operation.method != BATCH_DELETE)
            return take_refusal(sender, row, answer, &judgement);
        /* Perhaps it was a try of ours whose answer was lost; only a 204 would prove that. */
        send_settle(sender, row, SENT_GONE, answer, NULL);
        return PACE_ROW_SETTLED;
    case VERDICT_CHANGED:
        return take_changed(sender, row, answer, &judgement);
    case VERDICT_TOKEN:
        take_token(sender, &judgement);
        return PACE_ROW_AGAIN;
    case VERDICT_PAUSE:
        note_throttling(sender, &judgement);
        flight->kind = PACE_ANSWERED_429;
        if (answer->retry_after_s > flight->retry_after_s)
            flight->retry_after_s = answer->retry_after_s;
        return PACE_ROW_AGAIN;
    case VERDICT_RETRY:
    case VERDICT_LOST:
        return take_later(sender, row, answer, &judgement);
    case VERDICT_ROW:
        return take_refusal(sender, row, answer, &judgement);
    case VERDICT_STOP:
        break;
    }
    return take_end(sender, row, answer, &judgement);
}

/** An operation whose answer is not there. */
static enum pace_fate
take_missing(struct sender *sender, const struct flight *flight, size_t i, bool not_reached)
{
    const struct judgement judgement = {.err = sender->failure};

    if (!not_reached)
        return take_later(sender, flight->rows[i], &flight->exchange->answer, &judgement);
    if (!flight->probes[i])
        set_flag(sender, flight->rows[i], ROW_LOST);
    return PACE_ROW_AGAIN;
}

/**
 * A whole reply that ends with its first failure, from a service that did not promise to go on:
 * what came behind was not reached.
 */
static bool
ends_with_failure(const struct batch_reply *reply, const struct batch_expected *expected)
{
    const size_t last = reply->answered - 1;

    if (!reply->whole || expected->go_on || reply->answered == 0)
        return false;
    for (size_t i = 0; i < reply->count; i++)
        if (reply->parts[i].answered != (i <= last))
            return false;
    return reply->parts[last].status >= 400;
}

static void
take_parts(struct sender *sender, struct flight *flight, const struct batch_reply *reply,
           const struct batch_expected *expected)
{
    const struct http_answer *whole = &flight->exchange->answer;
    const bool not_reached = ends_with_failure(reply, expected);

    flight->kind = PACE_ANSWERED;
    flight->retry_after_s = whole->retry_after_s;
    if (reply->answered < reply->count)
        (void)answer_malformed(whole, "an operation of a batch was not answered", &sender->failure);
    for (size_t i = 0; i < flight->sent; i++) {
        if (reply->parts[i].answered) {
            const struct http_answer part = batch_part_answer(&reply->parts[i], whole);

            flight->fates[i] = take_row(sender, flight, i, &part);
        } else {
            flight->fates[i] = take_missing(sender, flight, i, not_reached);
        }
    }
    for (size_t i = flight->sent; i < flight->count; i++)
        flight->fates[i] = PACE_ROW_AGAIN;
}

/** Nobody can say what was done: again, with the same conditions. */
static void
take_lost(struct sender *sender, struct flight *flight, const struct err *why)
{
    note_lost(sender, flight);
    sender->failure = *why;
    share_fate(flight, PACE_TRANSIENT, PACE_ROW_LATER);
}

/** From now on one by one; what was in the batch is sent again. */
static void
fall_back(struct sender *sender, struct flight *flight, const struct judgement *judgement)
{
    struct observer *observer = sender->session->options->observer;

    /* Who is not the service may have refused what the service had done already. */
    if (!judgement->odata)
        note_lost(sender, flight);
    if (!sender->single && observer)
        observer->say(observer, LOG_LEVEL_NOTICE,
                      "batches are refused on the way to Dataverse: rows go one by one");
    sender->single = true;
    pace_single(sender->pace);
    share_fate(flight, PACE_NOTHING_DONE, PACE_ROW_AGAIN);
}

/** Does the answer refuse batches as such? Not for the user's rights, nor for the moment. */
static bool
refuses_batches(const struct sender *sender, const struct flight *flight,
                const struct http_answer *answer, const struct judgement *judgement)
{
    if (flight->single || sender->batches_work || answer->failure != HTTP_ANSWERED)
        return false;
    if (answer->status == 501)
        return true;
    return answer->status >= 300 && answer->status < 500 && answer->status != HTTP_TIMEOUT &&
           !(answer->status == 403 && judgement->odata);
}

static void
take_too_large(struct sender *sender, struct flight *flight, const struct judgement *judgement)
{
    share_fate(flight, PACE_TOO_LARGE, PACE_ROW_AGAIN);
    if (flight->count > 1)
        return;
    if (!flight->single) { /* a delete has no body when it goes alone */
        fall_back(sender, flight, judgement);
        return;
    }
    send_settle(sender, flight->rows[0], state_when_refused(sender, flight->rows[0]),
                &flight->exchange->answer, &judgement->err);
    flight->fates[0] = PACE_ROW_SETTLED;
}

/** The server was not reached. */
static void
take_unsent(struct sender *sender, struct flight *flight, const struct judgement *judgement)
{
    share_fate(flight, PACE_TRANSIENT, PACE_ROW_LATER);
    sender->failure = judgement->err;
    if (judgement->err.code != ERR_CONNECT ||
        pace_tries(sender->pace, flight->rows[0]) + 1 >= CONNECT_TRIES)
        send_stop(sender, &judgement->err);
}

/** An answer for the request as a whole that ends the whole. */
static void
take_refused_request(struct sender *sender, struct flight *flight,
                     const struct judgement *judgement)
{
    share_fate(flight, PACE_ANSWERED, PACE_ROW_AGAIN);
    for (size_t i = 0; i < flight->sent; i++)
        flight->fates[i] = take_end(sender, flight->rows[i], &flight->exchange->answer, judgement);
}

/** The reply cannot be read: what was done is not known. */
static void
take_unread(struct sender *sender, struct flight *flight, struct err *why)
{
    if (why->code == ERR_INTERNAL) { /* no memory: another try would need as much */
        take_refused_request(sender, flight, &(struct judgement){.err = *why});
        return;
    }
    why->transient = true;
    take_lost(sender, flight, why);
}

static void
take_batch(struct sender *sender, struct flight *flight)
{
    const struct http_answer *answer = &flight->exchange->answer;
    const struct batch_expected expected = {
        .count = flight->sent,
        .go_on = strcasestr(answer->preferences, "continue-on-error") != NULL,
    };
    struct batch_reply reply;
    struct err err = {0};

    if (!batch_reply_read(answer->whole_type, answer->body, &expected, &reply, &err)) {
        take_unread(sender, flight, &err);
        return;
    }
    sender->batches_work = true;
    take_parts(sender, flight, &reply, &expected);
    batch_reply_done(&reply);
}

/** A server that restarts cuts all that is in flight: that says little about batches. */
static bool
batches_do_not_pass(struct sender *sender, const struct flight *flight)
{
    if (flight->single || sender->batches_work || flight->sent_ms <= sender->batch_lost_ms)
        return false;
    sender->batch_lost_ms = clock_monotonic_ms();
    return ++sender->batches_lost >= BATCHES_LOST_MAX;
}

static void
take_transient(struct sender *sender, struct flight *flight, const struct judgement *judgement)
{
    const struct http_answer *answer = &flight->exchange->answer;

    take_lost(sender, flight, &judgement->err);
    flight->retry_after_s = answer->retry_after_s;
    if (answer->retry_after_s > 0)
        (void)snprintf(sender->session->paused_why, sizeof sender->session->paused_why,
                       "the service asks for time (%d)", answer->status);
    if (answer->failure == HTTP_LOST && batches_do_not_pass(sender, flight))
        fall_back(sender, flight, judgement);
}

/** 2xx, and not a batch. */
static void
take_strange_request(struct sender *sender, struct flight *flight)
{
    share_fate(flight, PACE_ANSWERED, PACE_ROW_AGAIN);
    for (size_t i = 0; i < flight->sent; i++) {
        take_stranger(sender, flight->rows[i], &flight->exchange->answer,
                      "the service did not answer a batch as one");
        flight->fates[i] = PACE_ROW_SETTLED;
    }
}

/** A verdict on the request as a whole. */
static void
take_whole(struct sender *sender, struct flight *flight, const struct judgement *judgement)
{
    const struct http_answer *answer = &flight->exchange->answer;

    switch (judgement->verdict) {
    case VERDICT_OK:
        take_strange_request(sender, flight);
        return;
    case VERDICT_TOKEN:
        take_token(sender, judgement);
        share_fate(flight, PACE_NOTHING_DONE, PACE_ROW_AGAIN);
        return;
    case VERDICT_PAUSE:
        note_throttling(sender, judgement);
        share_fate(flight, PACE_ANSWERED_429, PACE_ROW_AGAIN);
        flight->retry_after_s = answer->retry_after_s;
        return;
    case VERDICT_RETRY:
    case VERDICT_LOST:
        take_transient(sender, flight, judgement);
        return;
    case VERDICT_GONE:
    case VERDICT_CHANGED:
    case VERDICT_ROW:
    case VERDICT_STOP:
        break;
    }
    if (answer->failure == HTTP_NOT_SENT)
        take_unsent(sender, flight, judgement);
    else if (answer->status == HTTP_LARGE)
        take_too_large(sender, flight, judgement);
    else if (refuses_batches(sender, flight, answer, judgement))
        fall_back(sender, flight, judgement);
    else if (answer->status >= 500 ||
             answer->failure == HTTP_TOO_LARGE) /* the rows may have left */
        take_transient(sender, flight, judgement);
    else
        take_refused_request(sender, flight, judgement);
}

/** Is the verdict about the request, even when it held one row only? */
static bool
is_about_request(const struct http_answer *answer, const struct judgement *judgement)
{
    return answer->failure != HTTP_ANSWERED || answer->status == HTTP_LARGE ||
           judgement->verdict == VERDICT_TOKEN || judgement->verdict == VERDICT_PAUSE;
}

void
send_judge(struct sender *sender, struct flight *flight)
{
    const struct http_answer *answer = &flight->exchange->answer;
    const bool answered = answer->failure == HTTP_ANSWERED;
    const bool success = answered && answer->status >= 200 && answer->status <= 299;
    const bool parts = answered && strncasecmp(answer->content_type, "multipart/", 10) == 0;

    flight->retry_after_s = -1;
    if (!flight->single && (parts || (success && batch_reply_is_batch(answer->whole_type)))) {
        take_batch(sender, flight);
    } else {
        const struct judgement judgement = answer_judge(answer);

        if (!flight->single || is_about_request(answer, &judgement)) {
            take_whole(sender, flight, &judgement);
        } else {
            flight->kind = PACE_ANSWERED;
            flight->retry_after_s = answer->retry_after_s;
            flight->fates[0] = take_row(sender, flight, 0, answer);
            if (flight->fates[0] == PACE_ROW_LATER)
                flight->kind = PACE_TRANSIENT;
        }
    }
}
