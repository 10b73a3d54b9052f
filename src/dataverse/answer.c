#include "answer.h"

#include "base/text.h"
#include "rows.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { ERROR_TEXT_BYTES = 420, ERROR_BODY_MAX_BYTES = 1024 * 1024, BACKOFF_MAX_S = 300 };

/** A line of the table: the first that fits decides. */
struct rule {
    int low, high;    /* HTTP status, both included */
    const char *code; /* NULL = any */
    const char *text; /* must occur in the message; NULL = any */
    bool odata;       /* only when the body is an OData error */
    enum verdict verdict;
    enum err_code err;
    const char *what, *hint;
};

#define ROLE_HINT                                                                                  \
    "Give the application user a role with organization-level Read and Delete on Dual Write "      \
    "Runtime Configurations (System Administrator has it)."
#define USER_HINT                                                                                  \
    "Create an application user for this app registration in the environment (Power Platform "     \
    "admin center, Settings, Application users), with a security role."
#define PROXY_HINT                                                                                 \
    "The host may be wrong, or a proxy or gateway answers in its place: check the URL in a browser."
#define SLOW_HINT "The service limits requests per user; wait some minutes, then go on."

static const struct rule rules[] = {
    {429, 429, "0x80072322", NULL, false, VERDICT_PAUSE, ERR_SERVER,
     "throttled: too many requests in five minutes", SLOW_HINT},
    {429, 429, "0x80072321", NULL, false, VERDICT_PAUSE, ERR_SERVER,
     "throttled: too much execution time in five minutes", SLOW_HINT},
    {429, 429, "0x80072326", NULL, false, VERDICT_PAUSE, ERR_SERVER,
     "throttled: too many requests at once", SLOW_HINT},
    {429, 429, NULL, NULL, false, VERDICT_PAUSE, ERR_SERVER, "throttled", SLOW_HINT},
    {401, 401, NULL, NULL, false, VERDICT_TOKEN, ERR_SIGNIN, "the token was not accepted",
     "The app registration must belong to the environment's tenant; check client id and URL."},
    {403, 403, "0x80072560", NULL, false, VERDICT_STOP, ERR_PERMISSION,
     "no application user of this environment belongs to the client id", USER_HINT},
    {403, 403, "0x80040220", NULL, false, VERDICT_STOP, ERR_PERMISSION,
     "the application user lacks a privilege", ROLE_HINT},
    {403, 403, "0x80048405", NULL, false, VERDICT_STOP, ERR_PERMISSION,
     "access is denied to the application user", ROLE_HINT},
    {403, 403, NULL, NULL, true, VERDICT_STOP, ERR_PERMISSION,
     "access is denied to the application user", ROLE_HINT},
    {403, 403, NULL, NULL, false, VERDICT_STOP, ERR_PERMISSION, "access is denied",
     "An IP firewall of the environment, a proxy or a gateway may refuse this address."},
    {404, 404, "0x80040217", NULL, true, VERDICT_GONE, ERR_SERVER, "the row does not exist", NULL},
    {404, 404, "0x80048d02", NULL, true, VERDICT_GONE, ERR_SERVER, "the row does not exist", NULL},
    {404, 404, NULL, NULL, true, VERDICT_STOP, ERR_SERVER,
     "the service does not know what was asked for",
     "Check that the URL names a Dataverse environment."},
    {404, 404, NULL, NULL, false, VERDICT_STOP, ERR_SERVER,
     "not a Dataverse Web API: wrong host or proxy", PROXY_HINT},
    {412, 412, NULL, NULL, false, VERDICT_CHANGED, ERR_STALE,
     "the row changed since it was backed up",
     "Something still writes: stop the maps, then plan again."},
    {409, 409, NULL, NULL, false, VERDICT_CHANGED, ERR_STALE, "the row is in conflict", NULL},
    {428, 428, NULL, NULL, false, VERDICT_STOP, ERR_SERVER, "the service wants a row version",
     NULL},
    {400, 499, "0x80060883", NULL, true, VERDICT_STOP, ERR_SCHEMA,
     "the service wants a row version", NULL},
    {400, 499, "0x80060893", NULL, true, VERDICT_STOP, ERR_SCHEMA,
     "the table does not support row versions (optimistic concurrency is off)",
     "Without them a row that changed meanwhile could be deleted: it stays."},
    {400, 599, "0x80048105", NULL, true, VERDICT_RETRY, ERR_SERVER,
     "another request deletes the same row", NULL},
    {405, 405, "0x80040227", NULL, true, VERDICT_ROW, ERR_SERVER,
     "the delete is blocked by another row that refers to it", NULL},
    {400, 400, "0x80040265", NULL, true, VERDICT_ROW, ERR_SERVER,
     "a plug-in of the environment refused it",
     "The plug-in's own text is in the detail; a SecureConfig text names the old organization."},
    {400, 400, NULL, NULL, true, VERDICT_STOP, ERR_SERVER, "the service refused the request", NULL},
    {500, 500, "0x80044151", NULL, true, VERDICT_RETRY, ERR_SERVER,
     "the service's database timed out", NULL},
    {500, 500, "0x80044150", "Sql Number: 1205", true, VERDICT_RETRY, ERR_SERVER,
     "the service's database had a deadlock", NULL},
    {500, 500, NULL, NULL, true, VERDICT_ROW, ERR_SERVER, "the service failed", NULL},
    {408, 408, NULL, NULL, false, VERDICT_RETRY, ERR_SERVER, "the service timed out", NULL},
    {502, 504, NULL, NULL, false, VERDICT_RETRY, ERR_SERVER, "the service is not available",
     "Wait some minutes, then go on."},
    {300, 399, NULL, NULL, false, VERDICT_STOP, ERR_SERVER,
     "answered with a redirect, which is not followed", PROXY_HINT},
    {400, 499, NULL, NULL, true, VERDICT_ROW, ERR_SERVER, "the service refused the request", NULL},
    {0, 999, NULL, NULL, false, VERDICT_STOP, ERR_SERVER, "answered with an unexpected status",
     PROXY_HINT},
};

/** One line of text that a server wrote: control characters become blanks, cut at a character. */
static void
copy_line(const char *text, char *ret, size_t ret_size)
{
    size_t used = 0;

    for (; text[used] && used + 1 < ret_size; used++)
        ret[used] = iscntrl((unsigned char)text[used]) ? ' ' : text[used];
    while (text[used] && used > 0 && ((unsigned char)text[used] & 0xC0) == 0x80)
        used--;
    ret[used] = '\0';
}

/** Read {"error":{"code":...,"message":...}}. */
static void
read_error(struct slice body, struct judgement *ret, char text[ERROR_TEXT_BYTES])
{
    cJSON *json = NULL;
    const cJSON *error;
    const cJSON *code;
    const cJSON *message;

    if (body.size > 0 && body.size <= ERROR_BODY_MAX_BYTES)
        json = cJSON_ParseWithLength((const char *)body.data, body.size);
    error = cJSON_GetObjectItemCaseSensitive(json, "error");
    code = cJSON_GetObjectItemCaseSensitive(error, "code");
    message = cJSON_GetObjectItemCaseSensitive(error, "message");
    ret->odata = cJSON_IsObject(error) && cJSON_IsString(code);
    if (ret->odata)
        copy_line(code->valuestring, ret->code, sizeof ret->code);
    for (char *at = ret->code; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (cJSON_IsString(message))
        copy_line(message->valuestring, text, ERROR_TEXT_BYTES);
    cJSON_Delete(json);
}

static const struct rule *
find_rule(int status, const struct judgement *error, const char *text)
{
    size_t i = 0;

    for (;; i++) {
        const struct rule *rule = &rules[i];

        if (status >= rule->low && status <= rule->high && (!rule->odata || error->odata) &&
            (!rule->code || strcmp(rule->code, error->code) == 0) &&
            (!rule->text || strstr(text, rule->text)))
            return rule;
    }
}

/** "prvReadmsdyn_dualwriteruntimeconfig" out of a message; false when there is none. */
static bool
find_privilege(const char *text, char *ret, size_t ret_size)
{
    const char *start = strstr(text, "prv");
    size_t size = 0;

    if (!start)
        return false;
    while (isalnum((unsigned char)start[size]) || start[size] == '_')
        size++;
    (void)snprintf(ret, ret_size, "%.*s", (int)size, start);
    return true;
}

static void
describe(const struct http_answer *answer, const struct rule *rule, const char *text,
         struct judgement *ret)
{
    struct err *err = &ret->err;
    char privilege[120];

    if (strcmp(ret->code, "0x80040220") == 0 && find_privilege(text, privilege, sizeof privilege))
        (void)err_set(err, rule->err, "the application user lacks the privilege %s", privilege);
    else
        (void)err_set(err, rule->err, "%s", rule->what);
    err->transient = rule->verdict == VERDICT_PAUSE || rule->verdict == VERDICT_RETRY;
    if (rule->hint)
        (void)err_hint(err, "%s", rule->hint);
    (void)err_detail(err, "HTTP %d%s%s%s%s%s%s; request id %s", answer->status,
                     ret->code[0] ? ", code " : "", ret->code, ret->odata ? "" : ", ",
                     ret->odata ? "" : (answer->content_type[0] ? answer->content_type : "no type"),
                     text[0] ? ": " : "", text,
                     answer->request_id[0] ? answer->request_id : answer->client_request_id);
}

/** A request that has no answer. Where memory ran out, another try would need as much. */
static struct judgement
judge_failure(const struct http_answer *answer)
{
    struct judgement judgement = {.verdict = VERDICT_STOP, .err = answer->why};

    if (answer->failure == HTTP_LOST && answer->why.code != ERR_INTERNAL)
        judgement.verdict = VERDICT_LOST;
    return judgement;
}

struct judgement
answer_judge(const struct http_answer *answer)
{
    struct judgement judgement = {.verdict = VERDICT_OK};
    char text[ERROR_TEXT_BYTES] = "";
    const struct rule *rule;

    if (answer->failure != HTTP_ANSWERED)
        return judge_failure(answer);
    if (answer->status >= 200 && answer->status <= 299)
        return judgement;
    read_error(answer->body, &judgement, text);
    rule = find_rule(answer->status, &judgement, text);
    judgement.verdict = rule->verdict;
    describe(answer, rule, text, &judgement);
    return judgement;
}

bool
answer_malformed(const struct http_answer *answer, const char *what, struct err *err)
{
    (void)err_set(err, ERR_SERVER, "%s", what);
    (void)err_detail(err, "HTTP %d, %s, %zu bytes; request id %s", answer->status,
                     answer->content_type[0] ? answer->content_type : "no type", answer->body.size,
                     answer->request_id[0] ? answer->request_id : answer->client_request_id);
    if (strcmp(answer->content_type, "application/json") != 0)
        (void)err_hint(err, PROXY_HINT);
    return false;
}

cJSON *
answer_json(const struct http_answer *answer)
{
    if (answer->status != 200 || answer->body.size == 0 || rows_hold_nul(answer->body))
        return NULL;
    return cJSON_ParseWithLength((const char *)answer->body.data, answer->body.size);
}

/** 0 to 999. */
static int64_t
chance_ms(void)
{
    uint16_t number = 0;

    (void)!getrandom(&number, sizeof number, 0);
    return number % 1000;
}

bool
answer_wait(const struct http_answer *answer, unsigned tries, int64_t *ret_ms)
{
    int64_t wait_s;

    if (answer->retry_after_s > ANSWER_WAIT_MAX_MS / 1000)
        return false;
    if (answer->retry_after_s > 0)
        wait_s = answer->retry_after_s + 1;
    else
        wait_s = tries >= 9 ? BACKOFF_MAX_S : INT64_C(1) << tries;
    *ret_ms = wait_s * 1000 + chance_ms();
    return true;
}
