#include "dataverse/token.h"

#include "dataverse/assertion.h"
#include "dataverse/call.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOKENS_MAX = 4096, FEDERATED_MAX = 64, CODES_MAX = 64, FORM_MAX = 16, POLL_LEAST_MS = 900 };

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

enum code_state { CODE_PENDING, CODE_APPROVED, CODE_DECLINED };

struct device_code {
    char code[DV_ID_BYTES];
    int64_t ends_ms, polled_ms;
    enum code_state state;
};

struct dv_tokens {
    pthread_mutex_t lock;
    char *certificate;
    struct {
        unsigned char digest[SHA256_DIGEST_LENGTH]; /* of the text: tokens are not kept */
        int64_t ends_ms;
    } issued[TOKENS_MAX]; /* a ring */
    size_t next;
    unsigned char federated[FEDERATED_MAX][SHA256_DIGEST_LENGTH]; /* a ring: what was signed */
    size_t next_federated;
    struct device_code codes[CODES_MAX]; /* a ring */
    size_t next_code;
};

struct form {
    struct {
        char *name, *value;
    } items[FORM_MAX];
    size_t count;
};

/* ---- tokens ---- */

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct dv_tokens *
dv_tokens_new(const char *certificate)
{
    struct dv_tokens *tokens = calloc(1, sizeof(*tokens));
    if (!tokens)
        return NULL;
    if (pthread_mutex_init(&tokens->lock, NULL) != 0) {
        free(tokens);
        return NULL;
    }
    tokens->certificate = certificate ? strdup(certificate) : NULL;
    return tokens;
}

void
dv_tokens_free(struct dv_tokens *tokens)
{
    if (!tokens)
        return;
    (void)pthread_mutex_destroy(&tokens->lock);
    free(tokens->certificate);
    free(tokens);
}

bool
dv_token_valid(struct dv_tokens *tokens, const char *token)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const int64_t now = now_ms();
    bool valid = false;
    (void)SHA256((const unsigned char *)token, strlen(token), digest);
    (void)pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; !valid && i < TOKENS_MAX; i++)
        valid = tokens->issued[i].ends_ms > now &&
                memcmp(tokens->issued[i].digest, digest, sizeof(digest)) == 0;
    (void)pthread_mutex_unlock(&tokens->lock);
    return valid;
}

void
dv_tokens_expire(struct dv_tokens *tokens)
{
    (void)pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < TOKENS_MAX; i++)
        tokens->issued[i].ends_ms = 0;
    (void)pthread_mutex_unlock(&tokens->lock);
}

void
dv_tokens_decide(struct dv_tokens *tokens, bool approve)
{
    (void)pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < CODES_MAX; i++) {
        if (tokens->codes[i].state == CODE_PENDING)
            tokens->codes[i].state = approve ? CODE_APPROVED : CODE_DECLINED;
    }
    (void)pthread_mutex_unlock(&tokens->lock);
}

static void
append_piece(char *token, size_t size, const void *bytes, size_t count)
{
    size_t used = strlen(token);
    if (used > 0 && used + 1 < size) {
        token[used++] = '.';
        token[used] = '\0';
    }
    dv_base64url(bytes, count, token + used, size - used);
}

/** Shaped like a JWT; the signature is random and only the record here makes it valid. */
void
dv_token_issue(struct dv_tokens *tokens, const struct dv_settings *settings, const char *base,
               const char *audience, char ret[DV_TOKEN_BYTES])
{
    static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"sandbox\"}";
    unsigned char signature[96];
    char claims[1024];
    const long long now = (long long)time(NULL);
    (void)RAND_bytes(signature, sizeof(signature));
    int length = snprintf(claims, sizeof(claims),
                          "{\"aud\":\"%s\",\"iss\":\"%s/%s/\",\"iat\":%lld,\"nbf\":%lld,"
                          "\"exp\":%lld,\"appid\":\"%s\",\"tid\":\"%s\",\"ver\":\"1.0\"}",
                          audience, base, settings->tenant, now, now,
                          now + (long long)settings->token_life_seconds, settings->client_id,
                          settings->tenant);
    ret[0] = '\0';
    append_piece(ret, DV_TOKEN_BYTES, header, sizeof(header) - 1);
    append_piece(ret, DV_TOKEN_BYTES, claims, length > 0 ? strlen(claims) : 0);
    append_piece(ret, DV_TOKEN_BYTES, signature, sizeof(signature));
    (void)pthread_mutex_lock(&tokens->lock);
    (void)SHA256((const unsigned char *)ret, strlen(ret), tokens->issued[tokens->next].digest);
    tokens->issued[tokens->next].ends_ms = now_ms() + settings->token_life_seconds * 1000;
    tokens->next = (tokens->next + 1) % TOKENS_MAX;
    (void)pthread_mutex_unlock(&tokens->lock);
}

/* ---- assertions of a federated issuer ---- */

void
dv_federated_issue(struct dv_tokens *tokens, const struct dv_settings *settings,
                   const cJSON *claims, char ret[DV_TOKEN_BYTES])
{
    static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"cluster\"}";
    static const char *const names[] = {"iss", "sub", "aud"};
    const char *const values[] = {settings->federated_issuer, settings->federated_subject,
                                  settings->federated_audience};
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(claims, "exp");
    const double now = (double)time(NULL);
    unsigned char signature[96];
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < 3; i++) {
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(claims, names[i]);
        (void)cJSON_AddStringToObject(json, names[i],
                                      cJSON_IsString(other) ? other->valuestring : values[i]);
    }
    (void)cJSON_AddNumberToObject(json, "iat", now);
    (void)cJSON_AddNumberToObject(json, "exp",
                                  cJSON_IsNumber(expires) ? expires->valuedouble : now + 3600);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    (void)RAND_bytes(signature, sizeof(signature));
    ret[0] = '\0';
    append_piece(ret, DV_TOKEN_BYTES, header, sizeof(header) - 1);
    append_piece(ret, DV_TOKEN_BYTES, text ? text : "", text ? strlen(text) : 0);
    append_piece(ret, DV_TOKEN_BYTES, signature, sizeof(signature));
    cJSON_free(text);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(claims, "forged")))
        return;
    (void)pthread_mutex_lock(&tokens->lock);
    (void)SHA256((const unsigned char *)ret, strlen(ret),
                 tokens->federated[tokens->next_federated]);
    tokens->next_federated = (tokens->next_federated + 1) % FEDERATED_MAX;
    (void)pthread_mutex_unlock(&tokens->lock);
}

/** Only what was issued here counts as signed. */
static bool
federated_is_signed(struct dv_tokens *tokens, const char *assertion)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    bool found = false;
    (void)SHA256((const unsigned char *)assertion, strlen(assertion), digest);
    (void)pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; !found && i < FEDERATED_MAX; i++)
        found = memcmp(tokens->federated[i], digest, sizeof(digest)) == 0;
    (void)pthread_mutex_unlock(&tokens->lock);
    return found;
}

/** 0 when it is good; -1 when it is no assertion of a federated issuer; else the AADSTS number. */
static int
judge_federated(struct dv_tokens *tokens, const struct dv_settings *settings, const char *assertion)
{
    cJSON *claims = dv_assertion_claims(assertion);
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(claims, "exp");
    const cJSON *issuer = cJSON_GetObjectItemCaseSensitive(claims, "iss");
    const cJSON *subject = cJSON_GetObjectItemCaseSensitive(claims, "sub");
    const cJSON *audience = cJSON_GetObjectItemCaseSensitive(claims, "aud");
    int result = 0;
    if (!cJSON_IsString(issuer) || strcmp(issuer->valuestring, settings->client_id) == 0 ||
        dv_assertion_names_certificate(assertion))
        result = -1;
    else if (strcmp(issuer->valuestring, settings->federated_issuer) != 0)
        result = 700211;
    else if (!cJSON_IsString(subject) ||
             strcmp(subject->valuestring, settings->federated_subject) != 0)
        result = 700213;
    else if (!cJSON_IsString(audience) ||
             strcmp(audience->valuestring, settings->federated_audience) != 0)
        result = 700212;
    else if (!cJSON_IsNumber(expires) || expires->valuedouble <= (double)time(NULL) - 300)
        result = 700024;
    else if (!federated_is_signed(tokens, assertion))
        result = 700027;
    cJSON_Delete(claims);
    return result;
}

/* ---- forms ---- */

static char *
form_decode(const char *text, size_t bytes)
{
    char *result = malloc(bytes + 1);
    size_t out = 0;
    for (size_t i = 0; result && i < bytes; i++) {
        char c = text[i];
        if (c == '+')
            c = ' ';
        if (c == '%' && i + 2 < bytes && dv_unhex(text + i + 1, &c, 1) == 1)
            i += 2;
        result[out++] = c;
    }
    if (result)
        result[out] = '\0';
    return result;
}

static void
form_parse(const char *text, struct form *ret)
{
    while (*text && ret->count < FORM_MAX) {
        size_t bytes = strcspn(text, "&");
        size_t name = strcspn(text, "=&");
        bool has_value = name < bytes;
        char *name_copy = form_decode(text, name);
        char *value =
            form_decode(text + name + (has_value ? 1 : 0), has_value ? bytes - name - 1 : 0);
        if (name_copy && value) {
            ret->items[ret->count].name = name_copy;
            ret->items[ret->count].value = value;
            ret->count++;
        } else {
            free(name_copy);
            free(value);
        }
        text += bytes + (text[bytes] == '&');
    }
}

static void
form_done(struct form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free(form->items[i].name);
        free(form->items[i].value);
    }
}

static const char *
form_get(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->items[i].name, name) == 0)
            return form->items[i].value;
    }
    return NULL;
}

/* ---- answers ---- */

static void
send_json(const struct dv_token_call *call, int status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    http_answer_free(call->answer);
    http_answer_text(call->answer, text ? status : 500, "application/json; charset=utf-8",
                     text ? text : "");
    http_headers_add(&call->answer->headers, "Cache-Control", "no-store, no-cache");
    cJSON_free(text);
}

static void __attribute__((format(printf, 5, 6)))
refuse(const struct dv_token_call *call, int status, const char *error, int number,
       const char *format, ...)
{
    char text[1024];
    char description[1400];
    char trace[DV_ID_BYTES];
    char correlation[DV_ID_BYTES];
    char now[32];
    char result[32];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    dv_uuid(trace);
    dv_uuid(correlation);
    dv_now(now);
    now[10] = ' ';
    (void)snprintf(description, sizeof(description),
                   "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, text,
                   trace, correlation, now);
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "error", error);
    (void)cJSON_AddStringToObject(json, "error_description", description);
    cJSON *codes = cJSON_AddArrayToObject(json, "error_codes");
    cJSON_AddItemToArray(codes, cJSON_CreateNumber(number));
    (void)cJSON_AddStringToObject(json, "timestamp", now);
    (void)cJSON_AddStringToObject(json, "trace_id", trace);
    (void)cJSON_AddStringToObject(json, "correlation_id", correlation);
    send_json(call, status, json);
    (void)snprintf(result, sizeof(result), "AADSTS%d", number);
    sandbox_log_add(call->log, "token", call->session, "result", result, NULL);
}

static void
send_token(struct dv_tokens *tokens, const struct dv_token_call *call, const char *audience)
{
    char token[DV_TOKEN_BYTES];
    const double life = (double)call->settings->token_life_seconds;
    dv_token_issue(tokens, call->settings, call->base, audience, token);
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "token_type", "Bearer");
    (void)cJSON_AddNumberToObject(json, "expires_in", life);
    (void)cJSON_AddNumberToObject(json, "ext_expires_in", life);
    (void)cJSON_AddStringToObject(json, "access_token", token);
    send_json(call, 200, json);
    sandbox_log_add(call->log, "token", call->session, "result", "issued", NULL);
}

/* ---- checks, each answers when it does not hold ---- */

static bool
application_known(const struct dv_token_call *call, const struct form *form)
{
    const char *client_id = form_get(form, "client_id");
    if (!client_id) {
        refuse(call, 400, "invalid_request", 900144,
               "The request body must contain the following parameter: 'client_id'.");
        return false;
    }
    if (strcmp(client_id, call->settings->client_id) == 0)
        return true;
    refuse(call, 400, "unauthorized_client", 700016,
           "Application with identifier '%s' was not found in the directory '%s'. This can happen "
           "if the application has not been installed by the administrator of the tenant or "
           "consented to by any user in the tenant. You may have sent your authentication request "
           "to the wrong tenant.",
           client_id, call->settings->tenant);
    return false;
}

static bool
assertion_holds(struct dv_tokens *tokens, const struct dv_token_call *call, const char *assertion)
{
    char audience[512];
    (void)snprintf(audience, sizeof(audience), "%s/%s/oauth2/v2.0/token", call->base,
                   call->settings->tenant);
    int number = judge_federated(tokens, call->settings, assertion);
    if (number < 0)
        number = tokens->certificate ? dv_assertion_check(assertion, tokens->certificate,
                                                          call->settings->client_id, audience)
                                     : 700027;
    if (number == 0)
        return true;
    refuse(call, 401, "invalid_client", number, "The client assertion is not accepted.");
    return false;
}

static bool
credential_holds(struct dv_tokens *tokens, const struct dv_token_call *call,
                 const struct form *form)
{
    const char *secret = form_get(form, "client_secret");
    const char *assertion = form_get(form, "client_assertion");
    const char *type = form_get(form, "client_assertion_type");
    if (secret && strcmp(secret, call->settings->client_secret) == 0)
        return true;
    if (secret) {
        refuse(call, 401, "invalid_client", 7000215,
               "Invalid client secret provided. Ensure the secret being sent in the request is "
               "the client secret value, not the client secret ID, for a secret added to app "
               "'%s'.",
               call->settings->client_id);
        return false;
    }
    if (assertion && type && strcmp(type, JWT_BEARER) == 0)
        return assertion_holds(tokens, call, assertion);
    refuse(call, 401, "invalid_client", 7000218,
           "The request body must contain the following parameter: 'client_assertion' or "
           "'client_secret'.");
    return false;
}

/** The scope without /.default must be this resource. */
static bool
scope_holds(const struct dv_token_call *call, const struct form *form, char *ret, size_t size)
{
    static const char tail[] = "/.default";
    char own[512];
    const char *scope = form_get(form, "scope");
    size_t bytes = scope ? strlen(scope) : 0;
    if (bytes < sizeof(tail) || bytes >= size ||
        strcmp(scope + bytes - (sizeof(tail) - 1), tail) != 0) {
        refuse(call, 400, "invalid_scope", 70011,
               "The provided value for the input parameter 'scope' is not valid. The scope %s is "
               "not valid.",
               scope ? scope : "");
        return false;
    }
    bytes -= sizeof(tail) - 1;
    memcpy(ret, scope, bytes);
    ret[bytes] = '\0';
    if (bytes > 0 && ret[bytes - 1] == '/')
        ret[bytes - 1] = '\0';
    (void)snprintf(own, sizeof(own), "https://%s", call->settings->host);
    if (strcmp(ret, call->base) == 0 || strcmp(ret, own) == 0)
        return true;
    refuse(call, 400, "invalid_resource", 500011,
           "The resource principal named %s was not found in the tenant named %s. This can happen "
           "if the application has not been installed by the administrator of the tenant or "
           "consented to by any user in the tenant.",
           ret, call->settings->tenant);
    return false;
}

/* ---- device code ---- */

static void
start_device_code(struct dv_tokens *tokens, const struct dv_token_call *call,
                  const struct form *form)
{
    char audience[512];
    char url[512];
    char message[1024];
    char code[DV_ID_BYTES];
    char scope[600];
    struct form plain = *form;
    /* Delegated flows may name other scopes beside ours. */
    const char *given = form_get(form, "scope");
    (void)snprintf(scope, sizeof(scope), "%.*s", given ? (int)strcspn(given, " ") : 0,
                   given ? given : "");
    for (size_t i = 0; i < plain.count; i++) {
        if (strcmp(plain.items[i].name, "scope") == 0)
            plain.items[i].value = scope;
    }
    if (!application_known(call, form) || !scope_holds(call, &plain, audience, sizeof(audience)))
        return;
    dv_uuid(code);
    (void)pthread_mutex_lock(&tokens->lock);
    size_t slot = tokens->next_code;
    tokens->next_code = (slot + 1) % CODES_MAX;
    memcpy(tokens->codes[slot].code, code, sizeof(code));
    tokens->codes[slot].ends_ms = now_ms() + call->settings->device_seconds * 1000;
    tokens->codes[slot].polled_ms = 0;
    tokens->codes[slot].state = CODE_PENDING;
    (void)pthread_mutex_unlock(&tokens->lock);
    (void)snprintf(url, sizeof(url), "%s/devicelogin", call->base);
    (void)snprintf(message, sizeof(message),
                   "To sign in, use a web browser to open the page %s and enter the code SANDBOX01 "
                   "to authenticate.",
                   url);
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "user_code", "SANDBOX01");
    (void)cJSON_AddStringToObject(json, "device_code", code);
    (void)cJSON_AddStringToObject(json, "verification_uri", url);
    (void)cJSON_AddNumberToObject(json, "expires_in", (double)call->settings->device_seconds);
    (void)cJSON_AddNumberToObject(json, "interval", 1);
    (void)cJSON_AddStringToObject(json, "message", message);
    send_json(call, 200, json);
}

enum poll_result { POLL_APPROVED, POLL_PENDING, POLL_SLOW, POLL_DECLINED, POLL_EXPIRED, POLL_BAD };

/** A code that was decided is used up. */
static enum poll_result
judge_code(struct device_code *code)
{
    const int64_t now = now_ms();
    const int64_t polled = code->polled_ms;
    code->polled_ms = now;
    if (code->ends_ms < now)
        return POLL_EXPIRED;
    if (code->state == CODE_PENDING)
        return polled > 0 && now - polled < POLL_LEAST_MS ? POLL_SLOW : POLL_PENDING;
    code->code[0] = '\0';
    return code->state == CODE_APPROVED ? POLL_APPROVED : POLL_DECLINED;
}

static enum poll_result
poll_code(struct dv_tokens *tokens, const char *code)
{
    enum poll_result result = POLL_BAD;
    (void)pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < CODES_MAX; i++) {
        if (tokens->codes[i].code[0] != '\0' && strcmp(tokens->codes[i].code, code) == 0) {
            result = judge_code(&tokens->codes[i]);
            break;
        }
    }
    (void)pthread_mutex_unlock(&tokens->lock);
    return result;
}

static void
redeem_device_code(struct dv_tokens *tokens, const struct dv_token_call *call,
                   const struct form *form)
{
    static const struct {
        const char *error;
        int number;
        const char *text;
    } answers[] = {
        [POLL_APPROVED] = {"", 0, ""},
        [POLL_PENDING] = {"authorization_pending", 70016, "Authorization is pending."},
        [POLL_SLOW] = {"slow_down", 70016, "Polling too fast."},
        [POLL_DECLINED] = {"authorization_declined", 70018, "The user declined."},
        [POLL_EXPIRED] = {"expired_token", 70020, "The code has expired."},
        [POLL_BAD] = {"bad_verification_code", 70019, "The verification code is not valid."},
    };
    const char *code = form_get(form, "device_code");
    if (!application_known(call, form))
        return;
    enum poll_result result = poll_code(tokens, code ? code : "");
    if (result == POLL_APPROVED)
        send_token(tokens, call, call->base);
    else
        refuse(call, 400, answers[result].error, answers[result].number, "%s",
               answers[result].text);
}

/* ---- the endpoint ---- */

static void
answer_token(struct dv_tokens *tokens, const struct dv_token_call *call, const struct form *form)
{
    char audience[1024];
    const char *grant = form_get(form, "grant_type");
    if (!grant) {
        refuse(call, 400, "invalid_request", 900144,
               "The request body must contain the following parameter: 'grant_type'.");
    } else if (strcmp(grant, DEVICE_GRANT) == 0) {
        redeem_device_code(tokens, call, form);
    } else if (strcmp(grant, "client_credentials") != 0) {
        refuse(call, 400, "unsupported_grant_type", 70003,
               "The app requested an unsupported grant type '%s'.", grant);
    } else if (application_known(call, form) && credential_holds(tokens, call, form) &&
               scope_holds(call, form, audience, sizeof(audience))) {
        send_token(tokens, call, audience);
    }
}

/** True: the fault answered. */
static bool
token_fault(const struct dv_token_call *call)
{
    struct fault_action action = fault_at(call->faults, "dv.token", call->request->target);
    switch (action.what) {
    case FAULT_CUT:
        call->answer->status = 0;
        return true;
    case FAULT_FREEZE:
        call->answer->status = 0;
        (void)http_link_wait(call->request->link, action.arg);
        return true;
    case FAULT_DELAY:
        (void)http_link_wait(call->request->link, action.arg);
        return false;
    case FAULT_ERROR:
        if (action.arg == 429)
            http_headers_add(&call->answer->headers, "Retry-After", "1");
        if (strcmp(action.text, "html") == 0)
            http_answer_text(call->answer, (int)action.arg, "text/html",
                             "<!DOCTYPE html><html><body>Service unavailable</body></html>");
        else
            refuse(call, (int)action.arg, action.text[0] ? action.text : "temporarily_unavailable",
                   90033, "A transient error has occurred. Please try again.");
        return true;
    case FAULT_OTHER:
        http_answer_text(call->answer, 200, "text/html",
                         "<!DOCTYPE html><html><body>Sign in</body></html>");
        return true;
    case FAULT_NONE:
    case FAULT_SQL:
        return false;
    }
    return false;
}

static bool
parse_target(const char *target, char *ret_tenant, size_t size, bool *ret_device)
{
    const char *slash = target[0] == '/' ? strchr(target + 1, '/') : NULL;
    size_t bytes = slash ? (size_t)(slash - target - 1) : 0;
    if (bytes == 0 || bytes >= size)
        return false;
    *ret_device = strcmp(slash, "/oauth2/v2.0/devicecode") == 0;
    if (!*ret_device && strcmp(slash, "/oauth2/v2.0/token") != 0)
        return false;
    memcpy(ret_tenant, target + 1, bytes);
    ret_tenant[bytes] = '\0';
    return true;
}

bool
dv_token_endpoint(struct dv_tokens *tokens, const struct dv_token_call *call)
{
    char tenant[128];
    bool device = false;
    struct form form = {.count = 0};
    if (!parse_target(call->request->target, tenant, sizeof(tenant), &device))
        return false;
    if (token_fault(call))
        return true;
    form_parse(call->request->body, &form);
    if (strcmp(call->request->method, "POST") != 0)
        refuse(call, 405, "invalid_request", 900561,
               "The endpoint only accepts POST requests. Received a %s request.",
               call->request->method);
    else if (strcmp(tenant, call->settings->tenant) != 0)
        refuse(call, 400, "invalid_request", 90002,
               "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are "
               "signing into the correct cloud.",
               tenant);
    else if (device)
        start_device_code(tokens, call, &form);
    else
        answer_token(tokens, call, &form);
    form_done(&form);
    return true;
}
