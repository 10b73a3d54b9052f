#include "purge.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "identifier.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANNOUNCED_ROWS = 16, /* whose intent is put on record together */
    WAITING_MAX = 64,    /* rows that wait for another try; more stop new ones from being sent */
    CONNECT_TRIES = 5,
    REFUSED_MAX = 25, /* rows in a row that were refused: the next will be, too */
    SLICE_MS = 200,
    HTTP_NO_CONTENT = 204,
    HTTP_PRECONDITION_FAILED = 412,
};

struct row_state {
    bool settled;
    bool lost;  /* it was sent, and may have been executed without our hearing of it */
    bool probe; /* the service said "changed": ask whether the row is still there */
    unsigned char tries;
    int64_t not_before_ms;
};

struct slot {
    struct http_exchange *exchange;
    size_t row;
    char url[URL_ORIGIN_BYTES + DEFINITION_NAME_BYTES + 256];
};

struct purge {
    struct session *session;
    const struct definition *definition;
    const struct row_id *rows;
    const struct removal_sink *sink;
    struct row_state *states;
    size_t count, settled;
    size_t next, announced; /* rows before these were sent, were announced */
    size_t waiting[WAITING_MAX];
    size_t waiting_count;
    struct slot slots[SESSION_EXCHANGES];
    size_t hint, limit; /* in flight: what the service advises, what throttling left of ours */
    int64_t pause_until_ms;
    unsigned throttled, refused; /* in a row */
    bool token_over, renewed;
    bool stopping;
    struct err why; /* when stopping */
};

/** The first reason counts. */
static void
stop(struct purge *purge, const struct err *why)
{
    if (purge->stopping)
        return;
    purge->stopping = true;
    purge->why = *why;
}

/** Settle a row and tell. */
static void
tell(struct purge *purge, size_t row, enum removal_state state, const struct http_answer *answer,
     const struct err *why)
{
    struct removal removal = {.row = &purge->rows[row], .state = state};
    struct err err = {0};

    if (answer) {
        removal.http_status = answer->status;
        (void)snprintf(removal.request_id, sizeof removal.request_id, "%s", answer->request_id);
    }
    if (why)
        removal.why = *why;
    purge->states[row].settled = true;
    purge->settled++;
    if (!purge->sink->outcome(purge->sink->ctx, &removal, &err))
        stop(purge, &err);
}

/** Put a row back, to be sent again in `wait_ms` at the earliest. */
static void
send_again(struct purge *purge, size_t row, int64_t wait_ms)
{
    purge->states[row].not_before_ms = clock_monotonic_ms() + wait_ms;
    assert(purge->waiting_count < WAITING_MAX);
    purge->waiting[purge->waiting_count++] = row;
}

/** Nobody sends for a while. */
static void
pause_all(struct purge *purge, int64_t wait_ms)
{
    const int64_t until_ms = clock_monotonic_ms() + wait_ms;

    if (until_ms > purge->pause_until_ms)
        purge->pause_until_ms = until_ms;
}

static void
take_throttling(struct purge *purge, size_t row, const struct http_answer *answer,
                const struct judgement *judgement)
{
    int64_t wait_ms;

    purge->throttled++;
    if (purge->throttled > ANSWER_TRIES * SESSION_EXCHANGES ||
        !answer_wait(answer, purge->throttled, &wait_ms)) {
        stop(purge, &judgement->err);
        send_again(purge, row, 0);
        return;
    }
    pause_all(purge, wait_ms);
    purge->limit = purge->limit > 1 ? purge->limit / 2 : 1;
    send_again(purge, row, 0);
}

/** No answer, or one that says "not now". */
static void
take_transient(struct purge *purge, size_t row, const struct http_answer *answer,
               const struct judgement *judgement)
{
    struct row_state *state = &purge->states[row];
    int64_t wait_ms;

    if (!state->probe)
        state->lost = true;
    if (state->tries >= ANSWER_TRIES || !answer_wait(answer, state->tries, &wait_ms)) {
        tell(purge, row, REMOVAL_UNKNOWN, answer, &judgement->err);
        return;
    }
    if (answer->retry_after_s > 0)
        pause_all(purge, wait_ms);
    send_again(purge, row, wait_ms);
}

static void
take_token(struct purge *purge, size_t row, const struct judgement *judgement)
{
    if (purge->renewed && !purge->token_over)
        stop(purge, &judgement->err);
    else
        purge->token_over = true;
    send_again(purge, row, 0);
}

/** A refusal says that the row stays, unless a try of ours was lost or this was only a question. */
static enum removal_state
state_when_refused(const struct row_state *state)
{
    return state->lost || state->probe ? REMOVAL_UNKNOWN : REMOVAL_FAILED;
}

static void
take_refusal(struct purge *purge, size_t row, const struct http_answer *answer,
             const struct judgement *judgement)
{
    tell(purge, row, state_when_refused(&purge->states[row]), answer, &judgement->err);
    if (++purge->refused >= REFUSED_MAX)
        stop(purge, &judgement->err);
}

/** An answer that ends the purge; a connection that cannot be made is tried some times first. */
static void
take_stop(struct purge *purge, size_t row, const struct http_answer *answer,
          const struct judgement *judgement)
{
    int64_t wait_ms;

    if (answer->failure == HTTP_NOT_SENT) {
        if (judgement->err.code != ERR_CONNECT || purge->states[row].tries >= CONNECT_TRIES ||
            !answer_wait(answer, purge->states[row].tries, &wait_ms))
            stop(purge, &judgement->err);
        else
            pause_all(purge, wait_ms);
        send_again(purge, row, 0);
        return;
    }
    tell(purge, row, judgement->odata ? state_when_refused(&purge->states[row]) : REMOVAL_UNKNOWN,
         answer, &judgement->err);
    stop(purge, &judgement->err);
}

/** Does the answer show the row that was asked for? */
static bool
shows_row(const struct purge *purge, size_t row, const struct http_answer *answer)
{
    cJSON *json = answer_json(answer);
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(json, purge->definition->key_column);
    const bool shown =
        cJSON_IsString(key) && text_equal_nocase(key->valuestring, purge->rows[row].key);

    cJSON_Delete(json);
    return shown;
}

/** A success that is not the one that was asked for: who knows who answers, and what was done. */
static void
take_stranger(struct purge *purge, size_t row, const struct http_answer *answer, const char *what)
{
    struct err why = {0};

    (void)answer_malformed(answer, what, &why);
    tell(purge, row, REMOVAL_UNKNOWN, answer, &why);
    stop(purge, &why);
}

/** 204 to a DELETE; 200 to the question whether a changed row is still there. */
static void
take_success(struct purge *purge, size_t row, const struct http_answer *answer)
{
    struct err changed;

    purge->throttled = 0;
    purge->refused = 0;
    purge->renewed = false;
    if (!purge->states[row].probe) {
        if (answer->status == HTTP_NO_CONTENT)
            tell(purge, row, REMOVAL_DONE, answer, NULL);
        else
            take_stranger(purge, row, answer, "a delete was not answered with 204");
        return;
    }
    if (!shows_row(purge, row, answer)) {
        take_stranger(purge, row, answer, "the service does not say whether the row is there");
        return;
    }
    (void)err_set(&changed, ERR_STALE, "the row changed since it was backed up");
    (void)err_detail(&changed, "HTTP %d; request id %s", HTTP_PRECONDITION_FAILED,
                     answer->request_id);
    (void)err_hint(&changed, "Something still writes: stop the maps, then plan again.");
    tell(purge, row, REMOVAL_CHANGED, answer, &changed);
}

/** A finished exchange. */
static void
take_answer(struct purge *purge, const struct slot *slot)
{
    const struct http_answer *answer = &slot->exchange->answer;
    const struct judgement judgement = answer_judge(answer);
    const size_t row = slot->row;

    if (answer->dop_hint > 0)
        purge->hint = (size_t)answer->dop_hint;
    switch (judgement.verdict) {
    case VERDICT_OK:
        take_success(purge, row, answer);
        break;
    case VERDICT_GONE:
        /* Perhaps it was a try of ours whose answer was lost; only a 204 would prove that. */
        tell(purge, row, REMOVAL_GONE, answer, NULL);
        break;
    case VERDICT_CHANGED:
        purge->states[row].probe = true;
        send_again(purge, row, 0);
        break;
    case VERDICT_TOKEN:
        take_token(purge, row, &judgement);
        break;
    case VERDICT_PAUSE:
        take_throttling(purge, row, answer, &judgement);
        break;
    case VERDICT_RETRY:
    case VERDICT_LOST:
        take_transient(purge, row, answer, &judgement);
        break;
    case VERDICT_ROW:
        take_refusal(purge, row, answer, &judgement);
        break;
    case VERDICT_STOP:
        take_stop(purge, row, answer, &judgement);
        break;
    }
}

/** Put the intent for the next rows on record. */
static bool
announce(struct purge *purge)
{
    const struct row_id *rows[ANNOUNCED_ROWS];
    struct err err = {0};
    size_t count = 0;

    while (count < ANNOUNCED_ROWS && purge->announced + count < purge->count) {
        rows[count] = &purge->rows[purge->announced + count];
        count++;
    }
    if (!purge->sink->intent(purge->sink->ctx, rows, count, &err)) {
        stop(purge, &err);
        return false;
    }
    purge->announced += count;
    return true;
}

/** The next row that may be sent now; false when there is none. */
static bool
pick_row(struct purge *purge, size_t *ret)
{
    const int64_t now_ms = clock_monotonic_ms();

    for (size_t i = 0; i < purge->waiting_count; i++)
        if (purge->states[purge->waiting[i]].not_before_ms <= now_ms) {
            *ret = purge->waiting[i];
            purge->waiting[i] = purge->waiting[--purge->waiting_count];
            return true;
        }
    /* Every row in flight may have to wait for another try: leave room for them. */
    if (purge->next == purge->count || purge->waiting_count + SESSION_EXCHANGES >= WAITING_MAX)
        return false;
    if (purge->next == purge->announced && !announce(purge))
        return false;
    *ret = purge->next++;
    return true;
}

static struct slot *
find_free_slot(struct purge *purge)
{
    for (size_t i = 0; i < SESSION_EXCHANGES; i++)
        if (!purge->slots[i].exchange->owner)
            return &purge->slots[i];
    return NULL;
}

static void
send_row(struct purge *purge, struct slot *slot, size_t row)
{
    const struct row_id *id = &purge->rows[row];
    struct row_state *state = &purge->states[row];
    struct http_request request = {.url = slot->url, .bearer = &purge->session->token.bearer};
    struct err err = {0};

    (void)snprintf(slot->url, sizeof slot->url, "%s%s(%s)%s%s", purge->session->root,
                   purge->definition->entity_set, id->key, state->probe ? "?$select=" : "",
                   state->probe ? purge->definition->key_column : "");
    slot->row = row;
    state->tries++;
    request.method = HTTP_GET;
    if (!state->probe) {
        /* Only this version of the row, which was backed up, may go: this line destroys. */
        request.method = HTTP_DELETE;
        request.if_match = id->version;
    }
    if (!http_send(slot->exchange, &request, &err)) {
        stop(purge, &err);
        send_again(purge, row, 0);
        return;
    }
    slot->exchange->owner = slot;
}

static bool
may_send(const struct purge *purge)
{
    const size_t cap = purge->hint < purge->limit ? purge->hint : purge->limit;

    return !purge->stopping && !purge->token_over &&
           clock_monotonic_ms() >= purge->pause_until_ms &&
           http_in_flight(purge->session->http) < cap;
}

/** Fill what may be in flight. */
static void
send_rows(struct purge *purge)
{
    size_t row;

    while (may_send(purge) && pick_row(purge, &row))
        send_row(purge, find_free_slot(purge), row);
}

/** With nothing in flight: another token. */
static void
renew(struct purge *purge)
{
    struct err err = {0};

    purge->token_over = false;
    purge->renewed = true;
    if (!session_sign_in(purge->session, &err))
        stop(purge, &err);
}

/** One turn: send what may be sent, take one answer or wait a little. */
static void
turn(struct purge *purge)
{
    struct http_exchange *exchange;
    struct err err = {0};

    if (!cancel_check(&err))
        stop(purge, &err);
    if (token_is_due(&purge->session->token))
        purge->token_over = true;
    if (purge->token_over && !purge->stopping && http_in_flight(purge->session->http) == 0)
        renew(purge);
    send_rows(purge);
    if (http_in_flight(purge->session->http) == 0) {
        if (!purge->stopping && purge->settled < purge->count)
            clock_sleep_ms(SLICE_MS);
        return;
    }
    exchange = http_next(purge->session->http, SLICE_MS);
    if (exchange) {
        const struct slot *slot = exchange->owner;

        exchange->owner = NULL;
        take_answer(purge, slot);
    }
}

/** Keys go into URLs and versions into If-Match: neither may be anything else. */
static bool
check_rows(const struct row_id *rows, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!guid_names_something(rows[i].key))
            return err_set(err, ERR_INTERNAL, "row %zu has a key that is no GUID", i + 1);
        if (!etag_is_valid(rows[i].version)) {
            (void)err_set(err, ERR_SCHEMA, "row %s has no version", rows[i].key);
            return err_hint(err, "Without one a row that changed meanwhile could be deleted: "
                                 "no runtime configuration was deleted.");
        }
    }
    return true;
}

/** A service that does not compare versions would delete rows that changed. */
static bool
check_table(const struct definition *definition, struct err *err)
{
    if (definition->optimistic_concurrency)
        return true;
    (void)err_set(err, ERR_SCHEMA,
                  "the table does not support row versions (optimistic concurrency is off)");
    return err_hint(err, "Without them a row that changed meanwhile could be deleted: "
                         "no runtime configuration was deleted.");
}

/** Rows that were sent, and that no answer settled. */
static void
tell_unknown(struct purge *purge)
{
    const struct err why = purge->why;

    for (size_t i = 0; i < purge->next; i++)
        if (!purge->states[i].settled && purge->states[i].lost)
            tell(purge, i, REMOVAL_UNKNOWN, NULL, &why);
}

bool
purge_delete_rows(struct session *session, const struct definition *definition,
                  const struct row_id *rows, size_t count, const struct removal_sink *sink,
                  struct err *err)
{
    struct purge purge = {.session = session,
                          .definition = definition,
                          .rows = rows,
                          .sink = sink,
                          .count = count,
                          .hint = SESSION_EXCHANGES,
                          .limit = SESSION_EXCHANGES};

    if (!check_rows(rows, count, err) || (count > 0 && !check_table(definition, err)))
        return false;
    purge.states = calloc(count ? count : 1, sizeof *purge.states);
    if (!purge.states)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (size_t i = 0; i < SESSION_EXCHANGES; i++) {
        purge.slots[i].exchange = session->exchanges[i];
        session->exchanges[i]->owner = NULL;
    }
    while (purge.settled < count && !(purge.stopping && http_in_flight(session->http) == 0))
        turn(&purge);
    while (http_in_flight(session->http) > 0)
        turn(&purge);
    if (purge.stopping)
        tell_unknown(&purge);
    free(purge.states);
    if (purge.stopping)
        *err = purge.why;
    return !purge.stopping;
}
