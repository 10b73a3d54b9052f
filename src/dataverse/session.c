#include "session.h"

#include "base/cancel.h"
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { READ_TRIES = 5, SLICE_MS = 200 };

static const struct token_source *
source_of(const struct session *session, struct token_source *ret)
{
    *ret = (struct token_source){
        .target = &session->target,
        .allow = &session->allow,
        .tenant = session->options->tenant,
        .authority = session->options->authority,
        .client_id = session->options->client_id,
        .client_secret = session->options->client_secret,
    };
    return ret;
}

bool
session_sign_in(struct session *session, struct err *err)
{
    struct token_source source;

    return token_refresh(&session->token, source_of(session, &source), session->exchanges[0], err);
}

bool
session_open(struct session *session, const struct dataverse_options *options, struct err *err)
{
    const struct http_options http = {.ca_file = options->ca_file,
                                      .user_agent = options->user_agent,
                                      .http11 = options->http11,
                                      .connect_timeout_s = options->connect_timeout_s,
                                      .timeout_s = options->timeout_s};
    bool made = true;

    *session = (struct session){.options = options};
    session->allow =
        (struct url_allow){.hosts = options->allow_hosts, .count = options->allow_host_count};
    if (!url_target_parse(options->url, &session->allow, &session->target, err) ||
        !http_new(&http, &session->http, err))
        return false;
    (void)snprintf(session->root, sizeof session->root, "%s/api/data/v9.2/",
                   session->target.origin);
    for (size_t i = 0; i < SESSION_EXCHANGES; i++) {
        session->exchanges[i] = http_exchange_new(session->http);
        made = made && session->exchanges[i];
    }
    if (made ? session_sign_in(session, err) : err_set(err, ERR_INTERNAL, "out of memory"))
        return true;
    session_close(session);
    return false;
}

void
session_close(struct session *session)
{
    for (size_t i = 0; i < SESSION_EXCHANGES; i++)
        http_exchange_free(session->exchanges[i]);
    http_free(session->http);
    token_done(&session->token);
    *session = (struct session){0};
}

/** Stop what is in flight: replace the exchanges that still run. */
static bool
abandon(struct session *session, struct err *err)
{
    struct err unused;

    for (size_t i = 0; i < SESSION_EXCHANGES; i++)
        http_exchange_stop(session->exchanges[i]);
    return cancel_check(err ? err : &unused);
}

/** Send what is not settled and wait for all of it. */
static bool
run_round(struct session *session, struct fetch *fetches, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct http_request request = {.method = HTTP_GET,
                                             .url = fetches[i].url,
                                             .prefer = fetches[i].prefer,
                                             .bearer = &session->token.bearer};

        if (fetches[i].answer)
            continue;
        if (!http_send(session->exchanges[i], &request, err)) {
            (void)abandon(session, NULL);
            return false;
        }
    }
    while (http_in_flight(session->http) > 0) {
        (void)http_next(session->http, SLICE_MS);
        if (cancel_signal())
            return abandon(session, err);
    }
    return true;
}

/** What a round left to be done. */
struct round {
    bool token; /* an answer said 401 */
    bool again; /* something is to be asked again */
    int64_t wait_ms;
};

/** Judge one answer; false when it ends the whole. */
static bool
settle(struct fetch *fetch, const struct http_answer *answer, unsigned tries, struct round *round,
       struct err *err)
{
    int64_t wait_ms = 0;

    fetch->judgement = answer_judge(answer);
    switch (fetch->judgement.verdict) {
    case VERDICT_TOKEN:
        round->token = true;
        round->again = true;
        return true;
    case VERDICT_PAUSE:
    case VERDICT_RETRY:
    case VERDICT_LOST:
        if (tries < READ_TRIES && answer_wait(answer, tries, &wait_ms)) {
            round->again = true;
            round->wait_ms = wait_ms > round->wait_ms ? wait_ms : round->wait_ms;
            return true;
        }
        break;
    case VERDICT_OK:
        fetch->answer = answer;
        return true;
    case VERDICT_GONE:
    case VERDICT_CHANGED:
    case VERDICT_ROW:
    case VERDICT_STOP:
        break;
    }
    fetch->answer = answer;
    if (fetch->may_fail && answer->failure == HTTP_ANSWERED)
        return true;
    *err = fetch->judgement.err;
    return false;
}

static bool
settle_round(struct session *session, struct fetch *fetches, size_t count, unsigned tries,
             struct round *ret, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!fetches[i].answer &&
            !settle(&fetches[i], &session->exchanges[i]->answer, tries, ret, err))
            return false;
    return true;
}

/** The complaint about the token, for when a new one does not help either. */
static void
token_refused(const struct fetch *fetches, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!fetches[i].answer && fetches[i].judgement.verdict == VERDICT_TOKEN)
            *err = fetches[i].judgement.err;
}

/** Renew the token. The answers that are settled are kept: their exchanges are not touched. */
static bool
renew(struct session *session, struct err *err)
{
    struct token_source source;
    struct http_exchange *exchange = http_exchange_new(session->http);
    bool done;

    if (!exchange)
        return err_set(err, ERR_INTERNAL, "out of memory");
    done = token_refresh(&session->token, source_of(session, &source), exchange, err);
    http_exchange_free(exchange);
    return done;
}

/** What has to be done before the next round. */
static bool
prepare_again(struct session *session, const struct round *round, bool *renewed, struct err *err)
{
    if (round->token) {
        if (*renewed || !renew(session, err))
            return false;
        *renewed = true;
    }
    if (round->wait_ms > 0)
        clock_sleep_ms(round->wait_ms);
    return true;
}

bool
session_fetch(struct session *session, struct fetch *fetches, size_t count, struct err *err)
{
    bool renewed = false;

    assert(count <= SESSION_EXCHANGES);
    for (size_t i = 0; i < count; i++)
        fetches[i].answer = NULL;
    if (token_is_due(&session->token) && !renew(session, err))
        return false;
    for (unsigned tries = 1;; tries++) {
        struct round round = {0};

        if (!cancel_check(err) || !run_round(session, fetches, count, err) ||
            !settle_round(session, fetches, count, tries, &round, err))
            return false;
        if (!round.again)
            return true;
        if (round.token && renewed)
            token_refused(fetches, count, err);
        if (!prepare_again(session, &round, &renewed, err))
            return false;
    }
}
