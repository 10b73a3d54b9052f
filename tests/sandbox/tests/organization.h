/** A running Dataverse half in a temporary folder, for the tests of this folder. Include after
 * test.h. */
#ifndef SANDBOX_TESTS_ORGANIZATION_H
#define SANDBOX_TESTS_ORGANIZATION_H

#include "common/fault.h"
#include "common/log.h"
#include "common/pki.h"
#include "dataverse/service.h"
#include "tests/web_client.h"

#include <cjson/cJSON.h>

#define API "/api/data/v9.2/"
#define SET "msdyn_dualwriteruntimeconfigs"
#define MAPS3 "[\"Customers V3\",\"account\"],[\"CDS Contacts V2\",\"contact\"],[\"Units\",\"uom\"]"
#define SEED_THREE "{\"generate\":{\"fields\":2,\"maps\":[" MAPS3 "]}}"

struct organization {
    struct dv_service *service;
    struct faults *faults;
    struct sandbox_log *log;
    char directory[64];
    char ca[96];
    char bearer[3000]; /* an Authorization line */
    char token_path[128];
    struct web_target web;
};

static inline struct web_answer
organization_token(struct organization *o, const char *form)
{
    return web_send(&o->web, "POST", o->token_path,
                    "Content-Type: application/x-www-form-urlencoded\r\n", form);
}

/** A right form for the token endpoint with `change` in front: the first of two equal names counts.
 */
static inline char *
organization_form(struct organization *o, const char *change)
{
    char id[64];
    char secret[128];
    char *form = NULL;
    dv_service_credential(o->service, "client_id", id, sizeof(id));
    dv_service_credential(o->service, "client_secret", secret, sizeof(secret));
    int length = asprintf(&form,
                          "%s&grant_type=client_credentials&client_id=%s&client_secret=%s&"
                          "scope=https%%3A%%2F%%2Flocalhost%%3A%u%%2F.default",
                          change, id, secret, (unsigned)o->web.port);
    return length < 0 ? NULL : form;
}

static inline void
organization_sign_in(struct organization *o)
{
    char *form = organization_form(o, "");
    struct web_answer answer = organization_token(o, form);
    cJSON *json = cJSON_Parse(answer.body);
    const cJSON *token = cJSON_GetObjectItem(json, "access_token");
    assert_true(cJSON_IsString(token));
    (void)snprintf(o->bearer, sizeof(o->bearer), "Authorization: Bearer %s\r\n",
                   token->valuestring);
    cJSON_Delete(json);
    web_done(&answer);
    free(form);
}

static inline void
organization_default_paths(struct organization *o)
{
    char tenant[64];
    dv_service_credential(o->service, "tenant", tenant, sizeof(tenant));
    (void)snprintf(o->token_path, sizeof(o->token_path), "/%s/oauth2/v2.0/token", tenant);
}

static inline struct organization *
organization_open(const char *seed, int64_t rows)
{
    char why[512] = "";
    struct organization *o = calloc(1, sizeof(*o));
    assert_non_null(o);
    (void)snprintf(o->directory, sizeof(o->directory), "/tmp/sandbox-test-XXXXXX");
    assert_non_null(mkdtemp(o->directory));
    (void)snprintf(o->ca, sizeof(o->ca), "%s/pki/ca.pem", o->directory);
    assert_true(pki_create(o->directory, NULL, why, sizeof(why)));
    o->faults = faults_new();
    o->log = sandbox_log_new(NULL);
    struct dv_options options = {.directory = o->directory,
                                 .certificate = "good",
                                 .seed = seed,
                                 .rows = rows,
                                 .faults = o->faults,
                                 .log = o->log};
    o->service = dv_service_start(&options, why, sizeof(why));
    if (!o->service)
        fail_msg("%s", why);
    o->web.port = dv_service_port(o->service);
    o->web.ca = o->ca;
    organization_default_paths(o);
    organization_sign_in(o);
    return o;
}

static inline void
organization_remove_files(const struct organization *o)
{
    char path[256];
    static const char *const others[] = {"pki/ca.pem", "pki/other-ca-root.pem", "pki/client.pem",
                                         "pki/client.key", "dataverse.sqlite"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", o->directory, others[i]);
        (void)unlink(path);
    }
    for (size_t i = 0; pki_names[i]; i++) {
        (void)snprintf(path, sizeof(path), "%s/pki/%s.pem", o->directory, pki_names[i]);
        (void)unlink(path);
        (void)snprintf(path, sizeof(path), "%s/pki/%s.key", o->directory, pki_names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof(path), "%s/pki", o->directory);
    (void)rmdir(path);
    (void)rmdir(o->directory);
}

static inline void
organization_close(struct organization *o)
{
    dv_service_stop(o->service);
    faults_free(o->faults);
    sandbox_log_free(o->log);
    organization_remove_files(o);
    free(o);
}

/** A signed-in request; `headers` are whole lines. `path` behind API. */
static inline struct web_answer
organization_send(struct organization *o, const char *method, const char *path, const char *headers,
                  const char *body)
{
    char *target = NULL;
    char *lines = NULL;
    assert_true(asprintf(&target, API "%s", path) > 0);
    assert_true(asprintf(&lines, "%s%s", o->bearer, headers) > 0);
    struct web_answer answer = web_send(&o->web, method, target, lines, body);
    free(target);
    free(lines);
    return answer;
}

/** Status and parsed body (NULL without JSON) of a signed-in request. */
static inline int
organization_json(struct organization *o, const char *method, const char *path, const char *headers,
                  const char *body, cJSON **ret)
{
    struct web_answer answer = organization_send(o, method, path, headers, body);
    int status = answer.status;
    if (ret)
        *ret = cJSON_Parse(answer.body);
    web_done(&answer);
    return status;
}

static inline cJSON *
organization_get(struct organization *o, const char *path)
{
    cJSON *json = NULL;
    assert_int_equal(organization_json(o, "GET", path, "", "", &json), 200);
    assert_non_null(json);
    return json;
}

/** The status of a request that fails, with error.code in `ret`. */
static inline int
organization_error(struct organization *o, const char *method, const char *path,
                   const char *headers, const char *body, char ret[32])
{
    cJSON *json = NULL;
    int status = organization_json(o, method, path, headers, body, &json);
    const cJSON *code = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "error"), "code");
    (void)snprintf(ret, 32, "%s", cJSON_IsString(code) ? code->valuestring : "(none)");
    cJSON_Delete(json);
    return status;
}

static inline void
organization_set(struct organization *o, const char *settings)
{
    char *text = NULL;
    assert_int_equal(dv_service_control(o->service, "PATCH", "settings", "", settings, &text), 200);
    free(text);
}

static inline void
organization_fault(struct organization *o, const char *rule)
{
    const char *why = "";
    if (!faults_add_json(o->faults, rule, &why))
        fail_msg("%s", why);
}

/** Rows as the control interface sees them; the caller frees. */
static inline cJSON *
organization_rows(struct organization *o)
{
    char *text = NULL;
    assert_int_equal(dv_service_control(o->service, "GET", "rows", "", "", &text), 200);
    cJSON *rows = cJSON_Parse(text);
    free(text);
    return rows;
}

static inline int
organization_row_count(struct organization *o)
{
    cJSON *rows = organization_rows(o);
    int count = cJSON_GetArraySize(rows);
    cJSON_Delete(rows);
    return count;
}

/** Key and etag of the `index`-th row in key order. */
static inline void
organization_row(struct organization *o, int index, char ret_path[128], char ret_etag[64])
{
    cJSON *rows = organization_rows(o);
    const cJSON *row = cJSON_GetArrayItem(rows, index);
    (void)snprintf(ret_path, 128, SET "(%s)", cJSON_GetObjectItem(row, "id")->valuestring);
    (void)snprintf(ret_etag, 64, "If-Match: %s\r\n", cJSON_GetObjectItem(row, "etag")->valuestring);
    cJSON_Delete(rows);
}

/* One organization serves a group of tests; each begins at the seed. */

static inline int
organization_group_open(void **state)
{
    *state = organization_open(SEED_THREE, -1);
    return 0;
}

static inline int
organization_group_close(void **state)
{
    organization_close(*state);
    return 0;
}

static inline int
organization_again(void **state)
{
    char why[256];
    struct organization *o = *state;
    faults_clear(o->faults);
    if (!dv_service_reset(o->service, why, sizeof(why)))
        return -1;
    organization_default_paths(o);
    organization_sign_in(o);
    return 0;
}

#endif
