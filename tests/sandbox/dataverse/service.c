#include "dataverse/service.h"

#include "common/http.h"
#include "common/pki.h"
#include "dataverse/call.h"
#include "dataverse/gzip.h"
#include "dataverse/identity.h"
#include "dataverse/seed.h"
#include "dataverse/throttle.h"
#include "dataverse/token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 32768, BODY_MAX = 128 * 1024 * 1024, TABLES_MAX = 16, GZIP_LEAST_BYTES = 512 };

struct dv_service {
    pthread_mutex_t lock; /* store, settings, snapshots */
    struct dv_store *store;
    struct dv_settings settings;
    struct dv_jit jit;
    int64_t snapshots[TABLES_MAX];
    char *seed;
    int64_t rows;
    double time_scale;
    struct dv_tokens *tokens;
    struct dv_throttle *throttle;
    struct faults *faults;
    struct sandbox_log *log;
    char *certificate, *key; /* PEM texts */
    struct http_server *server;
    uint16_t proxy_port; /* 0 = none */
    struct dv_identity *identity;
    pthread_t restarter; /* stops and starts the server */
    bool restarted;
    int64_t down_ms;
    char base[64];
    atomic_int sessions;
};

/** One request on its way through the service. */
struct passage {
    struct dv_service *service;
    const struct http_request *request;
    struct http_answer *answer;
    struct dv_settings settings; /* as they were on arrival */
    struct dv_admission admission;
    char request_id[DV_ID_BYTES];
    char *subject;
    int session;
};

/* ---- arriving ---- */

static struct dv_settings
current_settings(struct dv_service *service)
{
    (void)pthread_mutex_lock(&service->lock);
    struct dv_settings settings = service->settings;
    (void)pthread_mutex_unlock(&service->lock);
    return settings;
}

static void restart(struct dv_service *service, int64_t down_ms);

/** What a rule does before or after the work. True: nothing else is to be done. */
static bool
request_fault(struct passage *passage, struct dv_call *call, const char *point)
{
    struct fault_action action = fault_at(passage->service->faults, point, passage->subject);
    switch (action.what) {
    case FAULT_CUT:
        dv_empty(call, 0);
        return true;
    case FAULT_FREEZE:
        if (http_link_wait(passage->request->link, action.arg) && action.arg > 0)
            return false;
        dv_empty(call, 0);
        return true;
    case FAULT_DELAY:
        (void)http_link_wait(passage->request->link, action.arg);
        return false;
    case FAULT_ERROR:
        dv_fault_error(call, &action);
        return true;
    case FAULT_OTHER:
        if (strcmp(action.text, "restart") != 0)
            return false;
        restart(passage->service, action.arg);
        dv_empty(call, 0);
        return true;
    case FAULT_NONE:
    case FAULT_SQL:
        return false;
    }
    return false;
}

/** 401 with the place to sign in, 403 for a stranger. */
static bool
signed_in(struct passage *passage, struct dv_call *call)
{
    static const char scheme[] = "Bearer ";
    const char *given = dv_header(call, "Authorization");
    const bool bearer = given && strncasecmp(given, scheme, sizeof(scheme) - 1) == 0;
    char challenge[512];
    if (bearer && dv_token_valid(passage->service->tokens, given + sizeof(scheme) - 1)) {
        if (passage->settings.user_known)
            return true;
        dv_error(call, 403, "0x80072560", "The user is not a member of the organization.");
        return false;
    }
    dv_error(call, 401, bearer ? "0x80048306" : "",
             bearer ? "The token is expired or not valid." : "Authentication is needed.");
    (void)snprintf(challenge, sizeof(challenge),
                   "Bearer %sauthorization_uri=%s/%s/oauth2/authorize, resource_id=%s/",
                   bearer ? "error=invalid_token, error_description=Error during token "
                            "validation!, "
                          : "",
                   passage->service->base, passage->settings.tenant, passage->service->base);
    http_headers_add(&call->answer->headers, "WWW-Authenticate", challenge);
    return false;
}

static int
affinity_of(const struct dv_call *call)
{
    const char *cookie = dv_header(call, "Cookie");
    const char *value = cookie ? strstr(cookie, "ARRAffinity=") : NULL;
    return value ? (int)(strtoul(value + 12, NULL, 16) & 0xFF) : -1;
}

/** True: go on, after the time that the work takes. */
static bool
admitted(struct passage *passage, struct dv_call *call, int64_t operations)
{
    const struct dv_settings *settings = &passage->settings;
    char seconds[32];
    double expected = settings->request_seconds + (double)operations * settings->row_seconds;
    passage->admission = dv_throttle_arrive(passage->service->throttle, affinity_of(call),
                                            settings->servers, settings->time_scale, expected);
    if (!passage->admission.code) {
        int64_t ms = (int64_t)(passage->admission.service_seconds * 1000.0 / settings->time_scale);
        if (ms > 0)
            (void)http_link_wait(passage->request->link, ms);
        return true;
    }
    static const char *const texts[][2] = {
        {"0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 "
                       "seconds."},
        {"0x80072321", "Combined execution time of incoming requests exceeded limit of 1,200,000 "
                       "milliseconds over time window of 300 seconds. Decrease number of "
                       "concurrent requests or reduce the duration of requests and try again "
                       "later."},
        {"0x80072326", "Number of concurrent requests exceeded the limit of 52."},
    };
    const char *text = "";
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(texts[i][0], passage->admission.code) == 0)
            text = texts[i][1];
    }
    dv_error(call, 429, passage->admission.code, "%s", text);
    (void)snprintf(seconds, sizeof(seconds), "%lld",
                   (long long)(settings->scaled_waits ? passage->admission.virtual_wait
                                                      : passage->admission.retry_after));
    http_headers_add(&call->answer->headers, "Retry-After", seconds);
    return false;
}

/* ---- working ---- */

static void
work(struct passage *passage, struct dv_call *call)
{
    struct dv_service *service = passage->service;
    const bool batch = strcmp(call->path, "$batch") == 0;
    const bool limited = passage->settings.throttling;
    if (limited && !admitted(passage, call, batch ? dv_batch_operations(call) : 1))
        return;
    (void)pthread_mutex_lock(&service->lock);
    if (batch)
        dv_batch(call);
    else
        dv_execute(call);
    (void)pthread_mutex_unlock(&service->lock);
    if (limited)
        dv_throttle_finish(service->throttle, &passage->admission, passage->settings.time_scale);
}

static void
process(struct passage *passage, struct dv_call *call)
{
    if (request_fault(passage, call, "dv.request"))
        return;
    if (strlen(passage->request->target) > URL_MAX) {
        http_answer_text(passage->answer, 414, "text/html",
                         "<html><body>Request URL Too Long</body></html>");
        return;
    }
    if (passage->settings.body_cap > 0 &&
        passage->request->body_bytes > (size_t)passage->settings.body_cap) {
        http_answer_text(passage->answer, 413, "text/html",
                         "<html><body>413 Request Entity Too Large</body></html>");
        return;
    }
    if (!dv_call_parse(call)) {
        http_answer_text(passage->answer, 404, "text/html",
                         "<!DOCTYPE html><html><body>404 - File or directory not "
                         "found.</body></html>");
        return;
    }
    if (!signed_in(passage, call))
        return;
    work(passage, call);
    (void)request_fault(passage, call, "dv.after");
}

/* ---- answering ---- */

static const char *
with_thousands(char *text, size_t size, double value)
{
    long whole = (long)value;
    long hundredths = (long)((value - (double)whole) * 100);
    if (whole >= 1000)
        (void)snprintf(text, size, "%ld,%03ld.%02ld", whole / 1000, whole % 1000, hundredths);
    else
        (void)snprintf(text, size, "%ld.%02ld", whole, hundredths);
    return text;
}

static void
add_headers(const struct passage *passage)
{
    struct http_headers *headers = &passage->answer->headers;
    const struct dv_settings *settings = &passage->settings;
    const struct dv_admission *admission = &passage->admission;
    char text[128];
    http_headers_add(headers, "OData-Version", "4.0");
    http_headers_add(headers, "x-ms-service-request-id", passage->request_id);
    http_headers_add(headers, "REQ_ID", passage->request_id);
    http_headers_add(headers, "REQ_ID", passage->request_id);
    if (settings->dop_hint > 0) {
        (void)snprintf(text, sizeof(text), "%lld", (long long)settings->dop_hint);
        http_headers_add(headers, "x-ms-dop-hint", text);
    }
    int64_t left = settings->throttling ? admission->requests_left : 7999;
    (void)snprintf(text, sizeof(text), "%lld", (long long)left);
    http_headers_add(headers, "x-ms-ratelimit-burst-remaining-xrm-requests", text);
    http_headers_add(
        headers, "x-ms-ratelimit-time-remaining-xrm-requests",
        with_thousands(text, sizeof(text), settings->throttling ? admission->seconds_left : 1200));
    (void)snprintf(text, sizeof(text),
                   "ARRAffinity=%032x; domain=localhost; path=/; secure; HttpOnly",
                   (unsigned)admission->server);
    http_headers_add(headers, "Set-Cookie", text);
    (void)snprintf(text, sizeof(text), "ReqClientId=%s; path=/; secure; HttpOnly",
                   passage->request_id);
    http_headers_add(headers, "Set-Cookie", text);
}

static void
compress(struct http_answer *answer, bool truncate)
{
    size_t bytes = 0;
    unsigned char *packed = gzip_stored(answer->body, answer->body_bytes, &bytes);
    if (!packed)
        return;
    free(answer->body);
    answer->body = (char *)packed;
    answer->body_bytes = truncate ? bytes / 2 : bytes;
    http_headers_add(&answer->headers, "Content-Encoding", "gzip");
}

/** Another answer in its place: `megabytes` of blanks when unpacked. */
static void
blow_up(struct http_answer *answer, int64_t megabytes)
{
    size_t bytes = 0;
    unsigned char *packed = gzip_bomb("{\"value\":[", (size_t)megabytes * 1024 * 1024, &bytes);
    if (!packed)
        return;
    free(answer->body);
    answer->body = (char *)packed;
    answer->body_bytes = bytes;
    http_headers_add(&answer->headers, "Content-Encoding", "gzip");
}

/** Faults of the answer's bytes, and gzip. */
static void
shape_answer(const struct passage *passage)
{
    struct http_answer *answer = passage->answer;
    struct fault_action action = fault_at(passage->service->faults, "dv.answer", passage->subject);
    const char *accepted = http_headers_get(passage->request->headers, "Accept-Encoding");
    const bool truncate = action.what == FAULT_OTHER && strcmp(action.text, "truncated-gzip") == 0;
    if (action.what == FAULT_CUT)
        answer->cut_after = action.arg;
    if (action.what == FAULT_OTHER && strcmp(action.text, "drip") == 0)
        answer->drip_ms = action.arg;
    if (action.what == FAULT_OTHER && strcmp(action.text, "bomb") == 0) {
        blow_up(answer, action.arg);
        return;
    }
    bool large = answer->body && answer->body_bytes >= GZIP_LEAST_BYTES;
    bool asked = accepted && strstr(accepted, "gzip");
    if (answer->body && (truncate || (passage->settings.gzip && large && asked)))
        compress(answer, truncate);
}

static void
write_log(const struct passage *passage)
{
    static const char *const names[][2] = {
        {"If-Match", "if_match"},
        {"If-None-Match", "if_none_match"},
        {"Prefer", "prefer"},
        {"Content-Type", "content_type"},
        {"x-ms-client-request-id", "client_request_id"},
        {"User-Agent", "user_agent"},
    };
    const char *values[6];
    const char *wait = http_headers_get(&passage->answer->headers, "Retry-After");
    char status[16];
    char server[16];
    char connection[16];
    char arrived[32];
    char answered[32];
    for (size_t i = 0; i < 6; i++) {
        values[i] = http_headers_get(passage->request->headers, names[i][0]);
        if (!values[i])
            values[i] = "";
    }
    (void)snprintf(status, sizeof(status), "%d", passage->answer->status);
    (void)snprintf(server, sizeof(server), "%d", passage->admission.server);
    (void)snprintf(connection, sizeof(connection), "%d", passage->request->connection);
    (void)snprintf(arrived, sizeof(arrived), "%lld", (long long)passage->request->arrived_us);
    (void)snprintf(answered, sizeof(answered), "%lld", (long long)http_now_us());
    sandbox_log_add(passage->service->log, "http", passage->session, "method",
                    passage->request->method, "path", passage->request->target, "status", status,
                    "request_id", passage->request_id, names[0][1], values[0], names[1][1],
                    values[1], names[2][1], values[2], names[3][1], values[3], names[4][1],
                    values[4], names[5][1], values[5], "server", server, "blocked",
                    passage->admission.blocked ? "yes" : "no", "retry_after", wait ? wait : "",
                    "connection", connection, "arrived_us", arrived, "answered_us", answered, NULL);
}

static void
serve_api(struct passage *passage)
{
    struct dv_service *service = passage->service;
    struct dv_call call = {
        .settings = &passage->settings,
        .store = service->store,
        .jit = &service->jit,
        .faults = service->faults,
        .log = service->log,
        .base = service->base,
        .snapshots = service->snapshots,
        .method = passage->request->method,
        .target = passage->request->target,
        .subject = passage->subject,
        .headers = passage->request->headers,
        .body = passage->request->body,
        .body_bytes = passage->request->body_bytes,
        .answer = passage->answer,
        .link = passage->request->link,
        .session = passage->session,
    };
    dv_uuid(passage->request_id);
    process(passage, &call);
    if (passage->answer->status != 0) {
        add_headers(passage);
        shape_answer(passage);
    }
    write_log(passage);
    dv_call_done(&call);
}

static void
handle(void *ctx, const struct http_request *request, struct http_answer *answer)
{
    struct dv_service *service = ctx;
    struct passage passage = {
        .service = service,
        .request = request,
        .answer = answer,
        .settings = current_settings(service),
        .session = atomic_fetch_add(&service->sessions, 1) + 1,
    };
    struct dv_token_call token = {
        .settings = &passage.settings,
        .faults = service->faults,
        .log = service->log,
        .base = service->base,
        .session = passage.session,
        .request = request,
        .answer = answer,
    };
    if (strncmp(request->target, "/api/", 5) != 0 && dv_token_endpoint(service->tokens, &token))
        return;
    if (asprintf(&passage.subject, "%s %s", request->method, request->target) < 0)
        passage.subject = NULL;
    serve_api(&passage);
    free(passage.subject);
}

/* ---- life ---- */

static bool
seed(struct dv_service *service, char *why, size_t why_size)
{
    bool ok =
        dv_seed(service->seed, service->rows, service->store, &service->settings, why, why_size);
    if (ok && service->time_scale > 0)
        service->settings.time_scale = service->time_scale;
    for (size_t i = 0; ok && i < TABLES_MAX && dv_table_at(i); i++)
        service->snapshots[i] = dv_store_count(service->store, dv_table_at(i)->set);
    return ok;
}

bool
dv_service_reset(struct dv_service *service, char *why, size_t why_size)
{
    (void)pthread_mutex_lock(&service->lock);
    bool ok = seed(service, why, why_size);
    (void)pthread_mutex_unlock(&service->lock);
    dv_throttle_reset(service->throttle);
    return ok;
}

static bool
load_identity(struct dv_service *service, const struct dv_options *options, char *why,
              size_t why_size)
{
    char file[64];
    (void)snprintf(file, sizeof(file), "%s.pem", options->certificate);
    service->certificate = pki_read(options->directory, file);
    (void)snprintf(file, sizeof(file), "%s.key", options->certificate);
    service->key = pki_read(options->directory, file);
    if (!service->certificate || !service->key)
        (void)snprintf(why, why_size, "no certificate %s", options->certificate);
    return service->certificate && service->key;
}

/** On `port`, 0 = any free one. */
static bool
start_server(struct dv_service *service, uint16_t port, char *why, size_t why_size)
{
    const struct http_options http = {.port = port,
                                      .certificate = service->certificate,
                                      .key = service->key,
                                      .max_body_bytes = BODY_MAX,
                                      .ctx = service,
                                      .handle = handle};
    service->server = http_server_start(&http, why, why_size);
    if (service->server && port == 0)
        (void)snprintf(service->base, sizeof(service->base), "https://localhost:%u",
                       (unsigned)(service->proxy_port ? service->proxy_port
                                                      : http_server_port(service->server)));
    return service->server != NULL;
}

static void *
go_away_and_come_back(void *ctx)
{
    enum { TRIES = 100, WAIT_MS = 50 };
    struct dv_service *service = ctx;
    const uint16_t port = http_server_port(service->server);
    char why[256];
    http_server_stop(service->server);
    service->server = NULL;
    (void)http_link_wait(NULL, service->down_ms);
    for (int i = 0; i < TRIES && !start_server(service, port, why, sizeof(why)); i++)
        (void)http_link_wait(NULL, WAIT_MS);
    return NULL;
}

/** Called by a thread of the server itself, so another one has to do it. */
static void
restart(struct dv_service *service, int64_t down_ms)
{
    (void)pthread_mutex_lock(&service->lock);
    if (service->restarted)
        (void)pthread_join(service->restarter, NULL);
    service->down_ms = down_ms > 0 ? down_ms : 1;
    service->restarted =
        pthread_create(&service->restarter, NULL, go_away_and_come_back, service) == 0;
    (void)pthread_mutex_unlock(&service->lock);
}

static struct dv_settings
settings_of(void *ctx)
{
    return current_settings(ctx);
}

static bool
start_identity(struct dv_service *service, char *why, size_t why_size)
{
    const struct dv_identity_options options = {
        .ctx = service,
        .settings = settings_of,
        .tokens = service->tokens,
        .base = service->base,
        .faults = service->faults,
        .log = service->log,
    };
    service->identity = dv_identity_start(&options, why, why_size);
    return service->identity != NULL;
}

static bool
prepare(struct dv_service *service, const struct dv_options *options, char *why, size_t why_size)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/dataverse.sqlite", options->directory);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        (void)snprintf(why, why_size, "the folder's name is too long");
        return false;
    }
    char *certificate = pki_read(options->directory, "client.pem");
    service->tokens = dv_tokens_new(certificate);
    free(certificate);
    service->throttle = dv_throttle_new();
    service->seed = strdup(options->seed);
    service->store = dv_store_open(path, why, why_size);
    return service->tokens && service->throttle && service->seed && service->store &&
           seed(service, why, why_size) && load_identity(service, options, why, why_size) &&
           start_server(service, 0, why, why_size) && start_identity(service, why, why_size);
}

struct dv_service *
dv_service_start(const struct dv_options *options, char *why, size_t why_size)
{
    struct dv_service *service = calloc(1, sizeof(*service));
    (void)snprintf(why, why_size, "out of memory");
    if (!service)
        return NULL;
    if (pthread_mutex_init(&service->lock, NULL) != 0) {
        free(service);
        return NULL;
    }
    service->rows = options->rows;
    service->proxy_port = options->proxy_port;
    service->time_scale = options->time_scale;
    service->jit.hook = options->jit;
    service->faults = options->faults;
    service->log = options->log;
    if (prepare(service, options, why, why_size))
        return service;
    dv_service_stop(service);
    return NULL;
}

void
dv_service_stop(struct dv_service *service)
{
    if (!service)
        return;
    if (service->restarted)
        (void)pthread_join(service->restarter, NULL);
    http_server_stop(service->server);
    dv_identity_stop(service->identity);
    dv_store_close(service->store);
    dv_tokens_free(service->tokens);
    dv_throttle_free(service->throttle);
    (void)pthread_mutex_destroy(&service->lock);
    free(service->seed);
    free(service->certificate);
    free(service->key);
    free(service);
}

uint16_t
dv_service_port(const struct dv_service *service)
{
    return http_server_port(service->server);
}

uint16_t
dv_service_identity_port(const struct dv_service *service)
{
    return dv_identity_port(service->identity);
}

void
dv_service_credential(struct dv_service *service, const char *what, char *ret, size_t size)
{
    struct dv_settings settings = current_settings(service);
    const char *value = settings.client_secret;
    if (strcmp(what, "tenant") == 0)
        value = settings.tenant;
    else if (strcmp(what, "client_id") == 0)
        value = settings.client_id;
    else if (strcmp(what, "identity_header") == 0)
        value = settings.identity_header;
    (void)snprintf(ret, size, "%s", value);
}

/* ---- control ---- */

struct shown_rows {
    const struct dv_table *table;
    cJSON *list;
};

static bool
visit_row(void *ctx, const struct dv_row *row)
{
    static const struct dv_select everything = {.count = 0};
    const struct shown_rows *shown = ctx;
    cJSON *item = cJSON_CreateObject();
    char etag[40];
    cJSON *contents = dv_row_json(shown->table, row, NULL, &everything);
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(contents, shown->table->primary_name);
    (void)snprintf(etag, sizeof(etag), "W/\"%lld\"", (long long)row->version);
    (void)cJSON_AddStringToObject(item, "id", row->id);
    (void)cJSON_AddStringToObject(item, "etag", etag);
    (void)cJSON_AddStringToObject(item, "name", cJSON_IsString(name) ? name->valuestring : "");
    /* NOLINTNEXTLINE(readability-suspicious-call-argument) */
    cJSON_AddItemToObject(item, "columns", contents);
    cJSON_AddItemToArray(shown->list, item);
    return true;
}

static int
answer_control(int status, cJSON *json, char **ret_text)
{
    *ret_text = dv_print_json(json);
    cJSON_Delete(json);
    return *ret_text ? status : 500;
}

static int
refuse_control(int status, const char *text, char **ret_text)
{
    *ret_text = strdup(text);
    return status;
}

static int
insert_row(struct dv_service *service, const struct dv_table *table, const cJSON *body,
           char **ret_text)
{
    char id[DV_ID_BYTES] = "";
    if (!cJSON_IsObject(body) ||
        !dv_row_insert(service->store, &service->settings, table, body, id))
        return refuse_control(400, "a row is one JSON object of columns", ret_text);
    cJSON *answer = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(answer, "id", id);
    return answer_control(200, answer, ret_text);
}

/** Value of a parameter of the query, "" when it is not there. */
static const char *
parameter(const char *query, const char *name, char *ret, size_t size)
{
    const size_t bytes = strlen(name);
    const char *at = query;
    ret[0] = '\0';
    while (at && (strncmp(at, name, bytes) != 0 || at[bytes] != '=')) {
        at = strchr(at, '&');
        if (at)
            at++;
    }
    if (at)
        (void)snprintf(ret, size, "%.*s", (int)strcspn(at + bytes + 1, "&"), at + bytes + 1);
    return ret;
}

static int
control_rows(struct dv_service *service, const char *method, const char *query, const cJSON *body,
             char **ret_text)
{
    char id[DV_ID_BYTES];
    char text[128];
    const char *set = parameter(query, "set", text, sizeof(text));
    const struct dv_table *table = dv_table_by_set(set[0] ? set : DV_CONFIG_SET);
    if (!table)
        return refuse_control(400, "no such set", ret_text);
    if (strcmp(method, "GET") == 0) {
        struct shown_rows shown = {.table = table, .list = cJSON_CreateArray()};
        (void)dv_store_each(service->store, table->set, NULL, visit_row, &shown);
        return answer_control(200, shown.list, ret_text);
    }
    if (strcmp(method, "POST") == 0)
        return insert_row(service, table, body, ret_text);
    if (!dv_guid(parameter(query, "id", text, sizeof(text)), id))
        return refuse_control(400, "?id= must be a GUID", ret_text);
    int done = 0;
    if (strcmp(method, "PATCH") == 0)
        done = dv_row_change(service->store, table, id, body);
    else if (strcmp(method, "DELETE") == 0)
        done = dv_store_delete(service->store, table->set, id);
    else
        return refuse_control(405, "GET, POST, PATCH or DELETE", ret_text);
    return done == 1 ? refuse_control(200, "{}", ret_text)
                     : refuse_control(404, "no such row", ret_text);
}

static int
control_settings(struct dv_service *service, const char *method, const cJSON *body, char **ret_text)
{
    const char *name = "";
    char text[256];
    if (strcmp(method, "PATCH") == 0 && !dv_settings_merge(&service->settings, body, &name)) {
        (void)snprintf(text, sizeof(text), "setting not known or out of range: %.200s", name);
        return refuse_control(400, text, ret_text);
    }
    if (strcmp(method, "PATCH") != 0 && strcmp(method, "GET") != 0)
        return refuse_control(405, "GET or PATCH", ret_text);
    return answer_control(200, dv_settings_json(&service->settings), ret_text);
}

static int
control_device(struct dv_service *service, const char *query, char **ret_text)
{
    bool approve = strcmp(query, "approve") == 0;
    if (!approve && strcmp(query, "decline") != 0)
        return refuse_control(400, "?approve or ?decline", ret_text);
    dv_tokens_decide(service->tokens, approve);
    return refuse_control(200, "{}", ret_text);
}

/** GET: the last login; POST: a colleague asks for one with the same user. */
static int
control_jit(struct dv_service *service, const char *method, char **ret_text)
{
    const bool post = strcmp(method, "POST") == 0;
    (void)pthread_mutex_lock(&service->lock);
    const bool made = post && dv_jit_colleague(&service->jit, &service->settings);
    cJSON *json = dv_jit_json(&service->jit);
    (void)pthread_mutex_unlock(&service->lock);
    const int status = answer_control(200, json, ret_text);
    if (!post || made)
        return status;
    free(*ret_text);
    return refuse_control(400, "started with --without-tds", ret_text);
}

/** A token from outside, or an assertion of the federated issuer: {"token": TEXT}. */
static int
control_issue(struct dv_service *service, bool federated, const char *body, char **ret_text)
{
    const struct dv_settings settings = current_settings(service);
    char token[DV_TOKEN_BYTES];
    cJSON *claims = dv_parse_json(body, strlen(body));
    cJSON *answer = cJSON_CreateObject();
    if (federated)
        dv_federated_issue(service->tokens, &settings, claims, token);
    else
        dv_token_issue(service->tokens, &settings, service->base, service->base, token);
    cJSON_Delete(claims);
    (void)cJSON_AddStringToObject(answer, "token", token);
    return answer_control(200, answer, ret_text);
}

int
dv_service_control(struct dv_service *service, const char *method, const char *path,
                   const char *query, const char *body, char **ret_text)
{
    if (strcmp(path, "tokens") == 0 && strcmp(method, "DELETE") == 0) {
        dv_tokens_expire(service->tokens);
        return refuse_control(200, "{}", ret_text);
    }
    if (strcmp(method, "POST") == 0 &&
        (strcmp(path, "tokens") == 0 || strcmp(path, "federated") == 0))
        return control_issue(service, strcmp(path, "federated") == 0, body, ret_text);
    if (strcmp(path, "device") == 0 && strcmp(method, "POST") == 0)
        return control_device(service, query, ret_text);
    if (strcmp(path, "jit") == 0)
        return control_jit(service, method, ret_text);
    bool rows = strcmp(path, "rows") == 0;
    if (!rows && strcmp(path, "settings") != 0)
        return refuse_control(404, "no such thing", ret_text);
    cJSON *json = dv_parse_json(body, strlen(body));
    (void)pthread_mutex_lock(&service->lock);
    int status = rows ? control_rows(service, method, query, json, ret_text)
                      : control_settings(service, method, json, ret_text);
    (void)pthread_mutex_unlock(&service->lock);
    cJSON_Delete(json);
    return status;
}
