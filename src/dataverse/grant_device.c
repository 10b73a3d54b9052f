#include "answer.h"
#include "authority.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "form.h"
#include "grant.h"
#include "port/observer.h"
#include "refusal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum {
    INTERVAL_S = 5, /* RFC 8628: when the service says none */
    INTERVAL_MAX_S = 60,
    SLOWER_S = 5,         /* RFC 8628: what slow_down means */
    LIFE_MAX_S = 30 * 60, /* of a code */
    LIFE_UNKNOWN_S = 15 * 60,
    MESSAGE_BYTES = 600,
};

/** A code that a person is to enter. */
struct code {
    struct secret code;
    char message[MESSAGE_BYTES];
    int64_t interval_s, life_s;
};

static int64_t
read_number(const cJSON *json, const char *name, int64_t otherwise, int64_t max)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsNumber(item) || item->valuedouble < 1)
        return otherwise;
    return item->valuedouble < (double)max ? (int64_t)item->valuedouble : max;
}

static const char *
read_text(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsString(item) ? item->valuestring : "";
}

/** The service's own sentence, or one of ours when it says none that can be shown. */
static void
take_message(const cJSON *json, const struct token_source *source, struct code *code)
{
    const struct token_source screened = {.options = source->options, .sent = &code->code};
    char place[300], user_code[80];

    refusal_screen(read_text(json, "message"), &screened, code->message, sizeof code->message);
    if (code->message[0])
        return;
    refusal_screen(read_text(json, "verification_uri"), &screened, place, sizeof place);
    refusal_screen(read_text(json, "user_code"), &screened, user_code, sizeof user_code);
    (void)snprintf(code->message, sizeof code->message,
                   "To sign in, open %s in a web browser and enter the code %s.", place, user_code);
}

static bool
parse_code(struct slice body, const struct token_source *source, struct code *code, struct err *err)
{
    cJSON *json = body.size > 0 ? cJSON_ParseWithLength((const char *)body.data, body.size) : NULL;
    cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "device_code");
    bool done;

    if (cJSON_IsString(text) && text->valuestring[0]) {
        done = secret_set(&code->code, text->valuestring, strlen(text->valuestring), err);
        secret_clear_memory(text->valuestring, strlen(text->valuestring));
        text->valuestring[0] = '\0';
    } else {
        done = err_set(err, ERR_SERVER, "the sign-in server's answer holds no device code");
    }
    if (done) {
        code->interval_s = read_number(json, "interval", INTERVAL_S, INTERVAL_MAX_S);
        code->life_s = read_number(json, "expires_in", LIFE_UNKNOWN_S, LIFE_MAX_S);
        take_message(json, source, code);
    }
    cJSON_Delete(json);
    return done;
}

static bool
ask_code(const struct token *token, const struct token_source *source,
         struct http_exchange *exchange, struct code *code, struct err *err)
{
    SECRET_SCOPED form = {0};
    char scope[URL_ORIGIN_BYTES + 16];
    char url[sizeof token->endpoint + 16];
    const struct form_field fields[] = {{"client_id", source->options->client_id},
                                        {"scope", scope}};
    const struct http_request request = {
        .method = HTTP_POST, .url = url, .form = &form, .plain = true, .secret = true};

    url_scope(source->target, scope, sizeof scope);
    /* ".../oauth2/v2.0/token" */
    (void)snprintf(url, sizeof url, "%.*s/devicecode",
                   (int)(strrchr(token->endpoint, '/') - token->endpoint), token->endpoint);
    if (!form_write(fields, 2, &form, err) || !http_run(exchange, &request, err))
        return false;
    if (exchange->answer.failure != HTTP_ANSWERED) {
        *err = exchange->answer.why;
        return false;
    }
    if (exchange->answer.status != 200)
        return refusal_judge(&exchange->answer, source, err);
    return parse_code(exchange->answer.body, source, code, err);
}

enum poll { POLL_AGAIN, POLL_SLOWER, POLL_NO };

/** What a refusal of the code means; POLL_NO fills `err` where the answer's own words do not. */
static enum poll
judge_poll(const struct http_answer *answer, struct err *err)
{
    cJSON *json = answer->failure == HTTP_ANSWERED && answer->body.size > 0
                      ? cJSON_ParseWithLength((const char *)answer->body.data, answer->body.size)
                      : NULL;
    const char *error = read_text(json, "error");
    enum poll result = POLL_NO;

    if (strcmp(error, "authorization_pending") == 0)
        result = POLL_AGAIN;
    else if (strcmp(error, "slow_down") == 0 || err->transient)
        result = POLL_SLOWER;
    else if (strcmp(error, "expired_token") == 0 || strcmp(error, "code_expired") == 0)
        (void)err_set(err, ERR_SIGNIN, "the device code has expired: nobody entered it in time");
    else if (strcmp(error, "authorization_declined") == 0 || strcmp(error, "access_denied") == 0)
        (void)err_set(err, ERR_SIGNIN, "the sign-in was declined in the browser");
    cJSON_Delete(json);
    return result;
}

static bool
redeem(struct token *token, const struct token_source *source, struct http_exchange *exchange,
       struct code *code, struct err *err)
{
    const int64_t until_ms = clock_monotonic_ms() + code->life_s * 1000;
    const struct token_source screened = {.options = source->options,
                                          .target = source->target,
                                          .allow = source->allow,
                                          .sent = &code->code};
    const struct form_field fields[] = {
        {"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
        {"client_id", source->options->client_id},
        {"device_code", secret_reveal(&code->code)},
    };
    SECRET_SCOPED form = {0};
    const struct http_request request = {
        .method = HTTP_POST, .url = token->endpoint, .form = &form, .plain = true, .secret = true};

    if (!form_write(fields, sizeof fields / sizeof fields[0], &form, err))
        return false;
    while (clock_monotonic_ms() + code->interval_s * 1000 < until_ms) {
        enum poll poll;

        clock_sleep_ms(code->interval_s * 1000);
        if (!http_run(exchange, &request, err))
            return false;
        if (refusal_or_token(token, &screened, &exchange->answer, err))
            return true;
        poll = judge_poll(&exchange->answer, err);
        if (poll == POLL_NO)
            return false;
        if (poll == POLL_SLOWER)
            code->interval_s += SLOWER_S;
    }
    (void)err_set(err, ERR_SIGNIN, "the device code has expired: nobody entered it in time");
    return err_hint(err, "Run it again and enter the new code.");
}

bool
grant_device(struct token *token, const struct token_source *source, struct http_exchange *exchange,
             struct err *err)
{
    struct observer *observer = source->options->observer;
    struct code code = {.interval_s = 0};
    bool done;

    if (!observer)
        return err_set(err, ERR_SIGNIN, "nobody is there to show a device code to");
    if (!authority_discover(token, source, exchange, err))
        return false;
    done = ask_code(token, source, exchange, &code, err);
    if (done) {
        observer->say(observer, LOG_LEVEL_NOTICE, code.message);
        done = redeem(token, source, exchange, &code, err);
    }
    secret_wipe(&code.code);
    return done;
}
