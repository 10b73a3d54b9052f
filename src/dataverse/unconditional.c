#include "unconditional.h"

#include "identifier.h"

#include <stdio.h>

enum { SLICE_MS = 200, TOKEN_TRIES = 3, URL_BYTES = URL_ORIGIN_BYTES + SESSION_PATH_BYTES + 256 };

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

/** What the answer means for the row; false: for all of them. */
static bool
judge(struct session *session, const struct judgement *judgement, unsigned tries,
      struct removal *ret, bool *ret_again, struct err *err)
{
    const struct http_answer *answer = &session->exchanges[0]->answer;

    switch (judgement->verdict) {
    case VERDICT_TOKEN:
        *ret_again = tries < TOKEN_TRIES;
        *err = judgement->err;
        return *ret_again && session_sign_in(session, err);
    case VERDICT_PAUSE:
    case VERDICT_RETRY:
    case VERDICT_LOST:
        *ret_again = session_wait(session, answer, judgement->verdict, tries);
        if (*ret_again || judgement->verdict == VERDICT_LOST) {
            ret->state = REMOVAL_UNKNOWN;
            return true;
        }
        *err = judgement->err;
        return false;
    case VERDICT_ROW:
    case VERDICT_CHANGED:
        ret->state = REMOVAL_FAILED;
        return true;
    case VERDICT_OK:
        ret->state = REMOVAL_DONE;
        return true;
    case VERDICT_GONE:
        ret->state = REMOVAL_GONE;
        return true;
    case VERDICT_STOP:
        break;
    }
    *err = judgement->err;
    return false;
}

bool
unconditional_delete(struct session *session, const struct unconditional *what, struct removal *ret,
                     bool *ret_again, struct err *err)
{
    const struct http_answer *answer = &session->exchanges[0]->answer;
    struct removal removal = {.row = what->row};
    struct judgement judgement;
    bool again = false;

    if (!send(session, what->definition, what->row->key, err))
        return false;
    judgement = answer_judge(answer);
    removal.http_status = answer->status;
    (void)snprintf(removal.request_id, sizeof removal.request_id, "%s", answer->request_id);
    removal.why = judgement.err;
    if (!judge(session, &judgement, what->tries, &removal, &again, err))
        return false;
    *ret = removal;
    *ret_again = again;
    return true;
}
