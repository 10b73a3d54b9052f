#include "unconditional.h"

#include "identifier.h"

#include <stdio.h>

enum {
    HTTP_NO_CONTENT = 204,
    SLICE_MS = 200,
    TOKEN_TRIES = 3,
    URL_BYTES = URL_ORIGIN_BYTES + SESSION_PATH_BYTES + 256
};

/** Send it and wait for the answer: a stop signal does not end what is on its way. */
static bool
send(struct session *session, const struct definition *definition, const char *key, struct err *err)
{
    char url[URL_BYTES];
    struct http_exchange *exchange = session->exchanges[0];
    struct http_request request = {.method = HTTP_DELETE, .url = url};

    if (!guid_names_something(key))
        return err_set(err, ERR_INTERNAL, "a row has a key that is no GUID");
    if (session_token_is_due(session) && !session_sign_in(session, err))
        return false;
    request.bearer = session_bearer(session);
    (void)snprintf(url, sizeof url, "%s%s(%s)", session->root, definition->entity_set, key);
    /* The caller has just seen that it equals its sealed copy: this line destroys. */
    if (!http_send(exchange, &request, err))
        return false;
    while (http_in_flight(session->http) > 0)
        (void)http_next(session->http, SLICE_MS);
    return true;
}

/** Sent, and nobody says what was done: no other row is sent after such an answer. */
static bool
meet_stranger(const struct unconditional *what, const struct err *why, struct removal *ret)
{
    ret->state = REMOVAL_UNKNOWN;
    ret->why = *why;
    *what->no_more = *why;
    return true;
}

/** A success that is not the one that was asked for comes from something between. */
static bool
take_success(const struct unconditional *what, const struct http_answer *answer,
             struct removal *ret)
{
    struct err why = {0};

    ret->state = REMOVAL_DONE;
    if (answer->status == HTTP_NO_CONTENT)
        return true;
    (void)answer_malformed(answer, "a delete was not answered with 204", &why);
    return meet_stranger(what, &why, ret);
}

/** The service's own "no" did nothing; that of something between says nothing. */
static bool
take_refusal(const struct unconditional *what, const struct http_answer *answer,
             const struct judgement *judgement, struct removal *ret, struct err *err)
{
    const bool unsent = answer->failure == HTTP_NOT_SENT || answer->failure == HTTP_IMPOSSIBLE;

    if (!unsent && !judgement->odata)
        return meet_stranger(what, &judgement->err, ret);
    ret->state = REMOVAL_FAILED;
    *err = judgement->err;
    return judgement->verdict != VERDICT_STOP;
}

/** What the answer means for the row; false: for all of them. */
static bool
judge(struct session *session, const struct unconditional *what, const struct judgement *judgement,
      struct removal *ret, bool *ret_again, struct err *err)
{
    const struct http_answer *answer = &session->exchanges[0]->answer;

    switch (judgement->verdict) {
    case VERDICT_TOKEN:
        *ret_again = what->tries < TOKEN_TRIES;
        *err = judgement->err;
        return *ret_again && session_sign_in(session, err);
    case VERDICT_PAUSE:
        *ret_again = session_wait(session, answer, judgement->verdict, what->tries);
        *err = judgement->err;
        return *ret_again;
    case VERDICT_RETRY:
    case VERDICT_LOST:
        *ret_again = session_wait(session, answer, judgement->verdict, what->tries);
        ret->state = REMOVAL_UNKNOWN;
        return true;
    case VERDICT_OK:
        return take_success(what, answer, ret);
    case VERDICT_GONE:
        ret->state = REMOVAL_GONE;
        return true;
    case VERDICT_ROW:
    case VERDICT_CHANGED:
    case VERDICT_STOP:
        break;
    }
    return take_refusal(what, answer, judgement, ret, err);
}

bool
unconditional_delete(struct session *session, const struct unconditional *what, struct removal *ret,
                     bool *ret_again, struct err *err)
{
    const struct http_answer *answer = &session->exchanges[0]->answer;
    struct removal removal = {.row = what->row};
    struct judgement judgement;
    bool again = false;

    if (what->no_more->code != ERR_NONE) {
        *err = *what->no_more;
        return false;
    }
    if (!send(session, what->definition, what->row->key, err))
        return false;
    judgement = answer_judge(answer);
    removal.http_status = answer->status;
    (void)snprintf(removal.request_id, sizeof removal.request_id, "%s", answer->request_id);
    removal.why = judgement.err;
    if (!judge(session, what, &judgement, &removal, &again, err))
        return false;
    *ret = removal;
    *ret_again = again;
    return true;
}
