#include "dataverse/identity.h"

#include "common/http.h"
#include "dataverse/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY_MAX = 4096, VALUE_MAX = 512 };

struct dv_identity {
    struct dv_identity_options options;
    struct http_server *server;
};

/** One request, and what the organization is like. */
struct question {
    const struct dv_identity *identity;
    const struct http_request *request;
    struct http_answer *answer;
    struct dv_settings settings;
    bool imds;
};

/** A value of the query, decoded; "" when it is not there. */
static void
query_get(const char *target, const char *name, char ret[VALUE_MAX])
{
    const char *at = strchr(target, '?');
    const size_t size = strlen(name);
    size_t used = 0;
    ret[0] = '\0';
    while (at && !(strncmp(at + 1, name, size) == 0 && at[1 + size] == '='))
        at = strchr(at + 1, '&');
    if (!at)
        return;
    for (at += size + 2; *at && *at != '&' && used + 1 < VALUE_MAX; at++) {
        char c = *at;
        if (c == '%' && at[1] && at[2] && dv_unhex(at + 1, &c, 1) == 1)
            at += 2;
        ret[used++] = c;
    }
    ret[used] = '\0';
}

static void
send_json(const struct question *question, int status, cJSON *json, const char *result)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    http_answer_text(question->answer, text ? status : 500, "application/json; charset=utf-8",
                     text ? text : "");
    cJSON_free(text);
    sandbox_log_add(question->identity->options.log, "identity", 0, "endpoint",
                    question->imds ? "imds" : "app-service", "result", result, NULL);
}

static void
refuse(const struct question *question, int status, const char *text)
{
    cJSON *json = cJSON_CreateObject();
    if (question->imds) {
        (void)cJSON_AddStringToObject(json, "error", "invalid_request");
        (void)cJSON_AddStringToObject(json, "error_description", text);
    } else {
        (void)cJSON_AddNumberToObject(json, "statusCode", status);
        (void)cJSON_AddStringToObject(json, "message", text);
    }
    send_json(question, status, json, text);
}

/** Whoever can only make a server fetch a URL cannot send this. */
static bool
header_holds(const struct question *question)
{
    const struct http_headers *headers = question->request->headers;
    const char *metadata = http_headers_get(headers, "Metadata");
    const char *secret = http_headers_get(headers, "X-IDENTITY-HEADER");
    if (question->imds && http_headers_get(headers, "X-Forwarded-For")) {
        refuse(question, 400, "Requests by way of a proxy are not allowed");
        return false;
    }
    if (question->imds ? metadata && strcmp(metadata, "true") == 0
                       : secret && strcmp(secret, question->settings.identity_header) == 0)
        return true;
    if (question->imds)
        refuse(question, 400, "Required metadata header not specified");
    else
        refuse(question, 401, "The X-IDENTITY-HEADER is missing or wrong");
    return false;
}

static bool
version_holds(const struct question *question)
{
    char version[VALUE_MAX];
    query_get(question->request->target, "api-version", version);
    if (strcmp(version, question->imds ? "2018-02-01" : "2019-08-01") == 0)
        return true;
    refuse(question, 400,
           version[0] ? "The api-version is not supported"
                      : "Required query variable 'api-version' is missing");
    return false;
}

static bool
resource_holds(const struct question *question, char ret[VALUE_MAX])
{
    char own[VALUE_MAX];
    query_get(question->request->target, "resource", ret);
    (void)snprintf(own, sizeof(own), "https://%s", question->settings.host);
    if (strcmp(ret, question->identity->options.base) == 0 || strcmp(ret, own) == 0)
        return true;
    refuse(question, 400,
           ret[0] ? "AADSTS500011: The resource principal was not found in the tenant"
                  : "Required query variable 'resource' is missing");
    return false;
}

static bool
identity_holds(const struct question *question)
{
    const struct dv_settings *settings = &question->settings;
    char asked[VALUE_MAX];
    query_get(question->request->target, "client_id", asked);
    if (asked[0] ? strcmp(asked, settings->identity_client_id[0] ? settings->identity_client_id
                                                                 : settings->client_id) == 0
                 : settings->identity_assigned)
        return true;
    refuse(question, 400, "Identity not found");
    return false;
}

static void
send_token(const struct question *question, const char *resource)
{
    const struct dv_identity_options *options = &question->identity->options;
    const long long life = (long long)question->settings.token_life_seconds;
    char token[DV_TOKEN_BYTES];
    char text[32];
    cJSON *json = cJSON_CreateObject();
    dv_token_issue(options->tokens, &question->settings, options->base, resource, token);
    (void)cJSON_AddStringToObject(json, "access_token", token);
    (void)cJSON_AddStringToObject(json, "client_id", question->settings.client_id);
    if (question->imds) {
        (void)snprintf(text, sizeof(text), "%lld", life);
        (void)cJSON_AddStringToObject(json, "expires_in", text);
    }
    (void)snprintf(text, sizeof(text), "%lld", (long long)time(NULL) + life);
    (void)cJSON_AddStringToObject(json, "expires_on", text);
    (void)cJSON_AddStringToObject(json, "resource", resource);
    (void)cJSON_AddStringToObject(json, "token_type", "Bearer");
    send_json(question, 200, json, "issued");
}

/** True: the fault answered. */
static bool
identity_fault(const struct question *question)
{
    const struct fault_action action =
        fault_at(question->identity->options.faults, "dv.identity", question->request->target);
    if (action.what == FAULT_ERROR)
        refuse(question, (int)action.arg, "A fault that was asked for");
    if (action.what == FAULT_CUT)
        question->answer->status = 0;
    if (action.what == FAULT_DELAY)
        (void)http_link_wait(question->request->link, action.arg);
    return action.what == FAULT_ERROR || action.what == FAULT_CUT;
}

static void
handle(void *ctx, const struct http_request *request, struct http_answer *answer)
{
    static const char imds[] = "/metadata/identity/oauth2/token";
    static const char app_service[] = "/msi/token";
    struct dv_identity *identity = ctx;
    const size_t size = strcspn(request->target, "?");
    struct question question = {
        .identity = identity,
        .request = request,
        .answer = answer,
        .settings = identity->options.settings(identity->options.ctx),
        .imds = size == sizeof(imds) - 1 && strncmp(request->target, imds, size) == 0,
    };
    char resource[VALUE_MAX];
    if (!question.imds &&
        (size != sizeof(app_service) - 1 || strncmp(request->target, app_service, size) != 0)) {
        http_answer_text(answer, 404, "text/plain", "no such thing\n");
        return;
    }
    if (identity_fault(&question))
        return;
    if (strcmp(request->method, "GET") != 0)
        refuse(&question, 405, "GET");
    else if (header_holds(&question) && version_holds(&question) &&
             resource_holds(&question, resource) && identity_holds(&question))
        send_token(&question, resource);
}

struct dv_identity *
dv_identity_start(const struct dv_identity_options *options, char *why, size_t why_size)
{
    struct dv_identity *identity = calloc(1, sizeof(*identity));
    if (!identity) {
        (void)snprintf(why, why_size, "out of memory");
        return NULL;
    }
    identity->options = *options;
    const struct http_options http = {
        .max_body_bytes = BODY_MAX, .ctx = identity, .handle = handle};
    identity->server = http_server_start(&http, why, why_size);
    if (identity->server)
        return identity;
    free(identity);
    return NULL;
}

void
dv_identity_stop(struct dv_identity *identity)
{
    if (!identity)
        return;
    http_server_stop(identity->server);
    free(identity);
}

uint16_t
dv_identity_port(const struct dv_identity *identity)
{
    return http_server_port(identity->server);
}
