#include "session.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "port/observer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { READ_TRIES = 5, SLICE_MS = 200, TOLD_WAIT_MS = 5000, WAIT_MAX_S = 7 * 24 * 3600 };

static bool
sign_in_with(struct session *session, struct http_exchange *exchange, struct err *err)
{
    const struct token_source source = {
        .options = session->options, .target = &session->target, .allow = &session->allow};

    return token_refresh(&session->token, &source, exchange, err) &&
           (!session->kept || token_copy(session->kept, &session->token, err));
}

bool
session_sign_in(struct session *session, struct err *err)
{
    return sign_in_with(session, session->exchanges[0], err);
}

/** The first sign-in of a session: a person who has entered a code is not asked for another one. */
static bool
sign_in_first(struct session *session, struct err *err)
{
    if (session->kept && !token_is_due(session->kept))
        return token_copy(&session->token, session->kept, err);
    return session_sign_in(session, err);
}

const struct secret *
session_bearer(const struct session *session)
{
    return session->anonymous ? NULL : &session->token.bearer;
}

bool
session_token_is_due(const struct session *session)
{
    return !session->anonymous && token_is_due(&session->token);
}

/** Where the server is, and where its Web API begins. */
static bool
find_root(struct session *session, struct err *err)
{
    char path[SESSION_PATH_BYTES] = SESSION_API_PATH;
    const struct dataverse_options *options = session->options;

    if (options->odata ? !url_local_parse(options->url, &session->target, path, sizeof path, err)
                       : !url_target_parse(options->url, &session->allow, &session->target, err))
        return false;
    (void)snprintf(session->root, sizeof session->root, "%s%s", session->target.origin, path);
    session->path_at = strlen(session->target.origin);
    session->anonymous = options->odata && !token_is_wanted(options);
    return true;
}

bool
session_open(struct session *session, const struct dataverse_options *options, struct token *kept,
             struct err *err)
{
    const struct http_options http = {.ca_file = options->ca_file,
                                      .user_agent = options->user_agent,
                                      .http11 = options->http11,
                                      .plain = options->odata,
                                      .connect_timeout_s = options->connect_timeout_s,
                                      .timeout_s = options->timeout_s,
                                      .observer = options->observer,
                                      .trace = options->trace};
    bool made = true;

    *session = (struct session){.options = options, .kept = kept};
    session->allow =
        (struct url_allow){.hosts = options->allow_hosts, .count = options->allow_host_count};
    if (!find_root(session, err) || !http_new(&http, &session->http, err))
        return false;
    for (size_t i = 0; i < SESSION_EXCHANGES; i++) {
        session->exchanges[i] = http_exchange_new(session->http);
        made = made && session->exchanges[i];
    }
    if (made ? session->anonymous || sign_in_first(session, err)
             : err_set(err, ERR_INTERNAL, "out of memory"))
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
                                             .bearer = session_bearer(session)};

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

/**
 * How long to wait before this question is asked again; false: no longer. Who is throttled waits as
 * long as the service says, unless --max-wait says otherwise.
 */
static bool
find_wait(const struct session *session, const struct http_answer *answer, enum verdict verdict,
          unsigned tries, int64_t *ret_ms)
{
    const int64_t max_ms = session->options->max_wait_ms;
    const int64_t scale = session->options->time_scale > 1 ? session->options->time_scale : 1;

    if (verdict != VERDICT_PAUSE || answer->retry_after_s <= 0)
        return tries < READ_TRIES && answer_wait(answer, tries, ret_ms) &&
               (max_ms <= 0 || *ret_ms <= max_ms);
    *ret_ms = (answer->retry_after_s < WAIT_MAX_S ? answer->retry_after_s + 1 : WAIT_MAX_S) * 1000 /
              scale;
    return tries < ANSWER_TRIES && (max_ms <= 0 || *ret_ms <= max_ms);
}

/** Judge one answer; false when it ends the whole. */
static bool
settle(const struct session *session, struct fetch *fetch, const struct http_answer *answer,
       unsigned tries, struct round *round, struct err *err)
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
        if (!fetch->once && find_wait(session, answer, fetch->judgement.verdict, tries, &wait_ms)) {
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
    if (fetch->may_fail && (fetch->once || answer->failure == HTTP_ANSWERED))
        return true;
    *err = fetch->judgement.err;
    return false;
}

static bool
settle_round(struct session *session, struct fetch *fetches, size_t count, unsigned tries,
             struct round *ret, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct http_answer *answer = &session->exchanges[i]->answer;

        if (fetches[i].answer)
            continue;
        if (answer->dop_hint > 0)
            session->dop_hint = answer->dop_hint;
        if (!settle(session, &fetches[i], answer, tries, ret, err))
            return false;
    }
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
    struct http_exchange *exchange = http_exchange_new(session->http);
    bool done;

    if (!exchange)
        return err_set(err, ERR_INTERNAL, "out of memory");
    done = sign_in_with(session, exchange, err);
    http_exchange_free(exchange);
    return done;
}

static void
tell_wait(const struct session *session, int64_t wait_ms)
{
    struct observer *observer = session->options->observer;
    char text[160];
    char until[CLOCK_STAMP_BYTES];

    if (!observer)
        return;
    clock_stamp(clock_utc_ms() + wait_ms, until);
    (void)snprintf(text, sizeof text, "Dataverse asks for a pause: going on at %s", until);
    observer->say(observer, LOG_LEVEL_INFO, text);
}

bool
session_wait(const struct session *session, const struct http_answer *answer, enum verdict verdict,
             unsigned tries)
{
    int64_t wait_ms = 0;

    if (!find_wait(session, answer, verdict, tries, &wait_ms))
        return false;
    if (wait_ms >= TOLD_WAIT_MS)
        tell_wait(session, wait_ms);
    clock_sleep_ms(wait_ms);
    return true;
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
    if (round->wait_ms >= TOLD_WAIT_MS)
        tell_wait(session, round->wait_ms);
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
    if (session_token_is_due(session) && !renew(session, err))
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
