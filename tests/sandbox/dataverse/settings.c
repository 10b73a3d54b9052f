#include "dataverse/settings.h"

#include <string.h>

enum kind { TEXT, DEPTH, FLAG, COUNT, REAL };

struct field {
    const char *name;
    enum kind kind;
    size_t at, size;
    double least, most; /* COUNT, REAL */
};

#define FIELD(kind, name, least, most)                                                             \
    {                                                                                              \
#name, kind, offsetof(struct dv_settings, name), sizeof(((struct dv_settings *)0)->name),  \
            least, most                                                                            \
    }

static const struct field fields[] = {
    FIELD(TEXT, unique_name, 0, 0),
    FIELD(TEXT, friendly_name, 0, 0),
    FIELD(TEXT, host, 0, 0),
    FIELD(TEXT, organization_id, 0, 0),
    FIELD(TEXT, environment_id, 0, 0),
    FIELD(TEXT, user_id, 0, 0),
    FIELD(TEXT, business_unit_id, 0, 0),
    FIELD(TEXT, version, 0, 0),
    FIELD(FLAG, fno_linked, 0, 0),
    FIELD(TEXT, fno_url, 0, 0),
    FIELD(TEXT, fno_id, 0, 0),
    FIELD(FLAG, table_installed, 0, 0),
    FIELD(FLAG, optimistic_concurrency, 0, 0),
    FIELD(FLAG, etags, 0, 0),
    FIELD(TEXT, table_type, 0, 0),
    FIELD(FLAG, user_known, 0, 0),
    FIELD(FLAG, may_read, 0, 0),
    FIELD(FLAG, may_create, 0, 0),
    FIELD(FLAG, may_write, 0, 0),
    FIELD(FLAG, may_delete, 0, 0),
    FIELD(FLAG, may_system, 0, 0),
    FIELD(FLAG, tracing, 0, 0),
    FIELD(FLAG, may_override, 0, 0),
    FIELD(DEPTH, read_depth, 0, 0),
    FIELD(FLAG, jit_served, 0, 0),
    FIELD(FLAG, system_administrator, 0, 0),
    FIELD(REAL, jit_delay_seconds, 0, 600),
    FIELD(COUNT, jit_life_seconds, 0, 86400),
    FIELD(TEXT, jit_server, 0, 0),
    FIELD(TEXT, jit_database, 0, 0),
    FIELD(TEXT, tenant, 0, 0),
    FIELD(TEXT, client_id, 0, 0),
    FIELD(TEXT, client_secret, 0, 0),
    FIELD(COUNT, token_life_seconds, 0, 86400),
    FIELD(TEXT, federated_issuer, 0, 0),
    FIELD(TEXT, federated_subject, 0, 0),
    FIELD(TEXT, federated_audience, 0, 0),
    FIELD(TEXT, identity_header, 0, 0),
    FIELD(TEXT, identity_client_id, 0, 0),
    FIELD(FLAG, identity_assigned, 0, 0),
    FIELD(COUNT, device_seconds, 1, 86400),
    FIELD(COUNT, page_cap, 1, 5000),
    FIELD(COUNT, dop_hint, 0, 1000),
    FIELD(COUNT, servers, 1, 8),
    FIELD(FLAG, throttling, 0, 0),
    FIELD(FLAG, scaled_waits, 0, 0),
    FIELD(REAL, time_scale, 0.01, 100000),
    FIELD(REAL, row_seconds, 0, 60),
    FIELD(REAL, request_seconds, 0, 60),
    FIELD(FLAG, gzip, 0, 0),
    FIELD(FLAG, relative_batch_urls, 0, 0),
    FIELD(COUNT, body_cap, 0, 128 * 1024 * 1024),
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

void
dv_settings_default(struct dv_settings *settings)
{
    *settings = (struct dv_settings){
        .unique_name = "org6459f7a8",
        .friendly_name = "Contoso UAT",
        .host = "contoso-uat.crm4.dynamics.com",
        .organization_id = "6459f7a8-1111-4c6d-9a3e-0d2b5c7e9f01",
        .environment_id = "0f6c1a52-7d34-4f0e-8a7b-2f1d7c0b9e44",
        .user_id = "b1f0d1a2-5c3e-4a7f-9d8b-3e6c2a1f0d99",
        .business_unit_id = "3d2c1b0a-9f8e-4d7c-8b6a-5f4e3d2c1b0a",
        .version = "9.2.24112.00170",
        .fno_linked = true,
        .fno_url = "https://contoso-uat.sandbox.operations.dynamics.com",
        .fno_id = "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        .table_installed = true,
        .optimistic_concurrency = true,
        .etags = true,
        .table_type = "Standard",
        .user_known = true,
        .may_read = true,
        .may_create = true,
        .may_write = true,
        .may_delete = true,
        .may_system = true,
        .tracing = true,
        .may_override = true,
        .read_depth = "Global",
        .jit_served = true,
        .system_administrator = true,
        .jit_life_seconds = INT64_C(8) * 3600,
        .tenant = "8a1c5b6e-2f3d-4e7a-9b0c-1d2e3f4a5b6c",
        .client_id = "c0ffee00-1234-4abc-8def-0123456789ab",
        .client_secret = "Sandbox~Secret.0123456789-abcdefgh",
        .token_life_seconds = 3599,
        .federated_issuer = "https://oidc.sandbox.test/cluster/",
        .federated_subject = "system:serviceaccount:tools:dwclean",
        .federated_audience = "api://AzureADTokenExchange",
        .identity_header = "Sandbox-Identity-Header-0123456789",
        .identity_assigned = true,
        .device_seconds = 900,
        .page_cap = 5000,
        .dop_hint = 4,
        .servers = 1,
        .time_scale = 1,
        .row_seconds = 0.1,
        .request_seconds = 0.02,
    };
}

static const struct field *
find(const char *name)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static bool
take_number(const struct field *field, const cJSON *item, unsigned char *place)
{
    double value = item->valuedouble;
    if (!cJSON_IsNumber(item) || !(value >= field->least && value <= field->most))
        return false;
    if (field->kind == REAL) {
        memcpy(place, &value, sizeof(value));
    } else {
        int64_t whole = (int64_t)value;
        memcpy(place, &whole, sizeof(whole));
    }
    return true;
}

static bool
is_depth(const char *text)
{
    static const char *const depths[] = {"Basic", "Local", "Deep", "Global"};
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        if (strcmp(depths[i], text) == 0)
            return true;
    }
    return false;
}

static bool
take(struct dv_settings *settings, const struct field *field, const cJSON *item)
{
    unsigned char *place = (unsigned char *)settings + field->at;
    if (field->kind == COUNT || field->kind == REAL)
        return take_number(field, item, place);
    if (field->kind == FLAG) {
        bool value = cJSON_IsTrue(item);
        memcpy(place, &value, sizeof(value));
        return cJSON_IsBool(item);
    }
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= field->size)
        return false;
    if (field->kind == DEPTH && !is_depth(item->valuestring))
        return false;
    memcpy(place, item->valuestring, strlen(item->valuestring) + 1);
    return true;
}

bool
dv_settings_merge(struct dv_settings *settings, const cJSON *object, const char **ret_why)
{
    struct dv_settings merged = *settings;
    const cJSON *item = NULL;
    if (!cJSON_IsObject(object)) {
        *ret_why = "settings are one JSON object";
        return false;
    }
    cJSON_ArrayForEach(item, object)
    {
        const struct field *field = find(item->string);
        if (!field || !take(&merged, field, item)) {
            *ret_why = item->string;
            return false;
        }
    }
    *settings = merged;
    return true;
}

static cJSON *
value_of(const struct dv_settings *settings, const struct field *field)
{
    const unsigned char *place = (const unsigned char *)settings + field->at;
    if (field->kind == TEXT || field->kind == DEPTH)
        return cJSON_CreateString((const char *)place);
    if (field->kind == FLAG) {
        bool value;
        memcpy(&value, place, sizeof(value));
        return cJSON_CreateBool(value);
    }
    double value = 0;
    if (field->kind == REAL) {
        memcpy(&value, place, sizeof(value));
    } else {
        int64_t whole;
        memcpy(&whole, place, sizeof(whole));
        value = (double)whole;
    }
    return cJSON_CreateNumber(value);
}

cJSON *
dv_settings_json(const struct dv_settings *settings)
{
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; object && i < FIELDS; i++) {
        if (strcmp(fields[i].name, "client_secret") != 0 &&
            strcmp(fields[i].name, "identity_header") != 0)
            (void)cJSON_AddItemToObject(object, fields[i].name, value_of(settings, &fields[i]));
    }
    return object;
}
