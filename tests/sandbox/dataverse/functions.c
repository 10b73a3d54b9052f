/** The functions that this service knows, and the choice of what a path means. */
#include "dataverse/call.h"
#include "dataverse/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *
response_object(const struct dv_call *call, const char *type)
{
    char rest[256];
    cJSON *object = cJSON_CreateObject();
    (void)snprintf(rest, sizeof(rest), "Microsoft.Dynamics.CRM.%s", type);
    dv_add_context(call, object, rest);
    return object;
}

/** Text of a function's only argument: behind "NAME=", or of the query option that it names by
 * @alias. */
static const char *
argument(const struct dv_call *call, const char *arguments, const char *name)
{
    size_t bytes = strlen(name);
    if (strncmp(arguments, name, bytes) != 0 || arguments[bytes] != '=')
        return NULL;
    const char *value = arguments + bytes + 1;
    return value[0] == '@' ? dv_option(call, value) : value;
}

/* ---- RetrieveCurrentOrganization ---- */

static void
add_endpoints(const struct dv_settings *settings, cJSON *detail)
{
    static const char *const keys[] = {"WebApplication", "OrganizationService",
                                       "OrganizationDataService"};
    static const char *const paths[] = {"", "XRMServices/2011/Organization.svc",
                                        "XRMServices/2011/OrganizationData.svc"};
    char url[512];
    cJSON *endpoints = cJSON_AddObjectToObject(detail, "Endpoints");
    (void)cJSON_AddNumberToObject(endpoints, "Count", 3);
    (void)cJSON_AddBoolToObject(endpoints, "IsReadOnly", false);
    cJSON *names = cJSON_AddArrayToObject(endpoints, "Keys");
    cJSON *values = cJSON_AddArrayToObject(endpoints, "Values");
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(url, sizeof(url), "https://%s/%s", settings->host, paths[i]);
        cJSON_AddItemToArray(names, cJSON_CreateString(keys[i]));
        cJSON_AddItemToArray(values, cJSON_CreateString(url));
    }
}

static void
retrieve_current_organization(struct dv_call *call, const char *arguments)
{
    const struct dv_settings *settings = call->settings;
    const char *access = argument(call, arguments, "AccessType");
    char url_name[128];
    if (!access || (strcmp(access, "Microsoft.Dynamics.CRM.EndpointAccessType'Default'") != 0 &&
                    strcmp(access, "'Default'") != 0)) {
        dv_error(call, 400, "0x80060888", "Bad Request - Error in query syntax.");
        return;
    }
    cJSON *answer = response_object(call, "RetrieveCurrentOrganizationResponse");
    cJSON *detail = cJSON_AddObjectToObject(answer, "Detail");
    (void)snprintf(url_name, sizeof(url_name), "%.*s", (int)strcspn(settings->host, "."),
                   settings->host);
    (void)cJSON_AddStringToObject(detail, "OrganizationId", settings->organization_id);
    (void)cJSON_AddStringToObject(detail, "FriendlyName", settings->friendly_name);
    (void)cJSON_AddStringToObject(detail, "OrganizationVersion", settings->version);
    (void)cJSON_AddStringToObject(detail, "EnvironmentId", settings->environment_id);
    (void)cJSON_AddStringToObject(detail, "DatacenterId", "EU-WEST");
    (void)cJSON_AddStringToObject(detail, "Geo", "EUR");
    (void)cJSON_AddStringToObject(detail, "TenantId", settings->tenant);
    (void)cJSON_AddStringToObject(detail, "UrlName", url_name);
    (void)cJSON_AddStringToObject(detail, "UniqueName", settings->unique_name);
    (void)cJSON_AddStringToObject(detail, "State", "Enabled");
    (void)cJSON_AddStringToObject(detail, "SchemaType", "Full");
    (void)cJSON_AddStringToObject(detail, "OrganizationType", "CustomerTest");
    add_endpoints(settings, detail);
    dv_json(call, 200, answer);
}

/* ---- the small ones ---- */

static void
who_am_i(struct dv_call *call, const char *arguments)
{
    (void)arguments;
    struct fault_action action = fault_at(call->faults, "dv.whoami", call->subject);
    const bool other = action.what == FAULT_OTHER;
    cJSON *answer = response_object(call, "WhoAmIResponse");
    (void)cJSON_AddStringToObject(answer, "BusinessUnitId", call->settings->business_unit_id);
    (void)cJSON_AddStringToObject(answer, "UserId", call->settings->user_id);
    if (!other || strcmp(action.text, "no-organization") != 0)
        (void)cJSON_AddStringToObject(answer, "OrganizationId",
                                      other ? "0a0b0c0d-0000-4000-8000-000000000001"
                                            : call->settings->organization_id);
    dv_json(call, 200, answer);
}

static void
integration_details(struct dv_call *call, const char *arguments)
{
    (void)arguments;
    if (!call->settings->fno_linked) {
        dv_error(call, 400, "0x80048d0b",
                 "No finance and operations environment is linked to this environment.");
        return;
    }
    cJSON *answer = response_object(call, "RetrieveFinanceAndOperationsIntegrationDetailsResponse");
    (void)cJSON_AddStringToObject(answer, "Id", call->settings->fno_id);
    (void)cJSON_AddStringToObject(answer, "TenantId", call->settings->tenant);
    (void)cJSON_AddStringToObject(answer, "Url", call->settings->fno_url);
    (void)cJSON_AddBoolToObject(answer, "IsUnifiedDatabase", false);
    dv_json(call, 200, answer);
}

static void
total_record_count(struct dv_call *call, const char *arguments)
{
    char name[128];
    const char *names = argument(call, arguments, "EntityNames");
    cJSON *answer = response_object(call, "RetrieveTotalRecordCountResponse");
    cJSON *counts = cJSON_AddObjectToObject(answer, "EntityRecordCountCollection");
    cJSON *keys = cJSON_CreateArray();
    cJSON *values = cJSON_CreateArray();
    for (size_t i = 0; names && dv_table_at(i); i++) {
        const struct dv_table *table = dv_table_at(i);
        (void)snprintf(name, sizeof(name), "'%s'", table->logical_name);
        bool single = strstr(names, name) != NULL;
        (void)snprintf(name, sizeof(name), "\"%s\"", table->logical_name);
        if (!single && !strstr(names, name))
            continue;
        cJSON_AddItemToArray(keys, cJSON_CreateString(table->logical_name));
        cJSON_AddItemToArray(values, cJSON_CreateNumber((double)call->snapshots[i]));
    }
    int found = cJSON_GetArraySize(keys);
    (void)cJSON_AddNumberToObject(counts, "Count", found);
    (void)cJSON_AddBoolToObject(counts, "IsReadOnly", false);
    cJSON_AddItemToObject(counts, "Keys", keys);
    cJSON_AddItemToObject(counts, "Values", values);
    if (found > 0) {
        dv_json(call, 200, answer);
    } else {
        cJSON_Delete(answer);
        dv_error(call, 400, "0x80060888", "Bad Request - Error in query syntax.");
    }
}

bool
dv_function(struct dv_call *call, const char *name, const char *arguments)
{
    static const struct {
        const char *name;
        void (*run)(struct dv_call *, const char *);
    } functions[] = {
        {"RetrieveCurrentOrganization", retrieve_current_organization},
        {"WhoAmI", who_am_i},
        {"RetrieveFinanceAndOperationsIntegrationDetails", integration_details},
        {"RetrieveTotalRecordCount", total_record_count},
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (strcmp(functions[i].name, name) != 0)
            continue;
        if (strcmp(call->method, "GET") == 0)
            functions[i].run(call, arguments);
        else
            dv_error(call, 405, "0x80060888",
                     "The requested resource does not support http method '%s'.", call->method);
        return true;
    }
    return false;
}

/* ---- privileges of a user ---- */

static void
add_privilege(struct dv_call *call, cJSON *list, const char *name, const char *depth)
{
    char id[DV_ID_BYTES];
    cJSON *item = cJSON_CreateObject();
    dv_uuid(id);
    (void)cJSON_AddStringToObject(item, "Depth", depth);
    (void)cJSON_AddStringToObject(item, "PrivilegeId", id);
    (void)cJSON_AddStringToObject(item, "BusinessUnitId", call->settings->business_unit_id);
    (void)cJSON_AddStringToObject(item, "PrivilegeName", name);
    cJSON_AddItemToArray(list, item);
}

/** Those of the application user that `wanted` names (NULL = all of them). */
static void
answer_privileges(struct dv_call *call, const char *wanted)
{
    static const char *const verbs[] = {"Create", "Read", "Write", "Delete"};
    const struct dv_settings *s = call->settings;
    const bool held[] = {s->may_create, s->may_read, s->may_write, s->may_delete};
    char name[128];
    cJSON *answer = response_object(call, "RetrieveUserPrivilegesResponse");
    cJSON *list = cJSON_AddArrayToObject(answer, "RolePrivileges");
    for (size_t t = 0; dv_table_at(t); t++) {
        const struct dv_table *table = dv_table_at(t);
        for (size_t v = 0; v < 4; v++) {
            bool has = table->is_system ? v == 1 && s->may_system : held[v];
            (void)snprintf(name, sizeof(name), "prv%s%s", verbs[v], table->privilege);
            if (has && (!wanted || strcmp(wanted, name) == 0))
                add_privilege(call, list, name,
                              v == 1 && !table->is_system ? s->read_depth : "Global");
        }
    }
    dv_json(call, 200, answer);
}

bool
dv_user_function(struct dv_call *call, const char *rest)
{
    static const char by_name[] =
        "/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName=";
    char wanted[128];
    if (strcmp(rest, "/Microsoft.Dynamics.CRM.RetrieveUserPrivileges") == 0 ||
        strcmp(rest, "/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()") == 0) {
        answer_privileges(call, NULL);
        return true;
    }
    if (strncmp(rest, by_name, sizeof(by_name) - 1) != 0)
        return false;
    const char *value = rest + sizeof(by_name) - 1;
    (void)snprintf(wanted, sizeof(wanted), "%.*s", (int)strcspn(value, ")"), value);
    const char *resolved = wanted[0] == '@' ? dv_option(call, wanted) : wanted;
    size_t bytes = resolved ? strlen(resolved) : 0;
    if (bytes < 3 || bytes >= sizeof(wanted) || resolved[0] != '\'' || resolved[bytes - 1] != '\'')
        return false;
    memmove(wanted, resolved + 1, bytes - 2);
    wanted[bytes - 2] = '\0';
    answer_privileges(call, wanted);
    return true;
}

/* ---- paths ---- */

struct path {
    char name[128];
    char arguments[1024];
    bool has_arguments;
    const char *rest;
};

static bool
split(const char *text, struct path *ret)
{
    size_t name = strcspn(text, "(/");
    if (name == 0 || name >= sizeof(ret->name))
        return false;
    memcpy(ret->name, text, name);
    ret->name[name] = '\0';
    ret->arguments[0] = '\0';
    ret->has_arguments = text[name] == '(';
    ret->rest = text + name;
    if (!ret->has_arguments)
        return true;
    bool quoted = false;
    size_t i = name + 1;
    for (; text[i] && (quoted || text[i] != ')'); i++)
        quoted = text[i] == '\'' ? !quoted : quoted;
    size_t bytes = i - name - 1;
    if (text[i] != ')' || bytes >= sizeof(ret->arguments))
        return false;
    memcpy(ret->arguments, text + name + 1, bytes);
    ret->arguments[bytes] = '\0';
    ret->rest = text + i + 1;
    return true;
}

static void
not_found(struct dv_call *call, const char *segment)
{
    dv_error(call, 404, "0x80060888", "Resource not found for the segment '%s'.", segment);
}

static void
bad_method(struct dv_call *call)
{
    dv_error(call, 405, "0x80060888", "The requested resource does not support http method '%s'.",
             call->method);
}

static bool
key_of(const struct dv_table *table, const char *arguments, char ret[DV_ID_BYTES])
{
    size_t bytes = strlen(table->key);
    if (strncmp(arguments, table->key, bytes) == 0 && arguments[bytes] == '=')
        arguments += bytes + 1;
    return dv_guid(arguments, ret);
}

static void
execute_row(struct dv_call *call, const struct dv_table *table, const char *arguments)
{
    char id[DV_ID_BYTES];
    if (!key_of(table, arguments, id))
        dv_error(call, 400, "0x80060888", "Bad Request - Error in query syntax.");
    else if (strcmp(call->method, "GET") == 0)
        dv_row_read(call, table, id);
    else if (strcmp(call->method, "DELETE") == 0)
        dv_row_delete(call, table, id);
    else if (strcmp(call->method, "PATCH") == 0)
        dv_row_upsert(call, table, id);
    else
        bad_method(call);
}

static void
execute_set(struct dv_call *call, const struct dv_table *table, const struct path *path)
{
    const bool get = strcmp(call->method, "GET") == 0;
    if (strcmp(path->rest, "/$count") == 0 && !path->has_arguments) {
        if (get)
            dv_list_count(call, table);
        else
            bad_method(call);
    } else if (path->rest[0] != '\0') {
        not_found(call, path->rest + 1);
    } else if (path->has_arguments) {
        execute_row(call, table, path->arguments);
    } else if (get) {
        dv_list(call, table);
    } else if (strcmp(call->method, "POST") == 0) {
        dv_row_create(call, table);
    } else {
        bad_method(call);
    }
}

static void
execute_definition(struct dv_call *call, const struct path *path)
{
    char name[128];
    const char *value = argument(call, path->arguments, "LogicalName");
    if (strcmp(call->method, "GET") != 0) {
        bad_method(call);
    } else if (!value || strlen(value) < 3 || strlen(value) >= sizeof(name) || value[0] != '\'') {
        dv_error(call, 400, "0x80060888", "Bad Request - Error in query syntax.");
    } else {
        memcpy(name, value + 1, strlen(value) - 2);
        name[strlen(value) - 2] = '\0';
        dv_entity_definition(call, name);
    }
}

/** A map that still runs writes a row whenever the rule says so. */
static void
write_as_a_map(struct dv_call *call)
{
    struct fault_action action = fault_at(call->faults, "dv.write", call->subject);
    if (action.what != FAULT_OTHER)
        return;
    const struct dv_table *table = dv_table_by_set(DV_CONFIG_SET);
    char id[DV_ID_BYTES];
    cJSON *columns = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(columns, "msdyn_name", "written meanwhile");
    (void)cJSON_AddStringToObject(columns, "msdyn_internalentityname", "account");
    (void)cJSON_AddStringToObject(columns, "msdyn_externalentityname", "Customers V3");
    (void)cJSON_AddStringToObject(columns, "msdyn_unsecure", "{}");
    if (dv_row_insert(call->store, call->settings, table, columns, id))
        dv_trace_stored(call, table, id, "inserted");
    cJSON_Delete(columns);
}

void
dv_execute(struct dv_call *call)
{
    struct path path;
    write_as_a_map(call);
    if (call->path[0] == '\0') {
        dv_service_document(call);
        return;
    }
    if (strcmp(call->path, "$metadata") == 0) {
        dv_metadata(call);
        return;
    }
    if (!split(call->path, &path)) {
        dv_error(call, 400, "0x80060888", "Bad Request - Error in query syntax.");
        return;
    }
    const struct dv_table *table = dv_table_by_set(path.name);
    const bool hidden = !call->settings->table_installed && strcmp(path.name, DV_CONFIG_SET) == 0;
    if (strcmp(path.name, "EntityDefinitions") == 0)
        execute_definition(call, &path);
    else if (table && !hidden)
        execute_set(call, table, &path);
    else if (call->settings->jit_served && strcmp(call->path, DV_JIT_ACTION) == 0)
        dv_jit_answer(call);
    else if (strcmp(path.name, "systemusers") == 0 && dv_user_function(call, path.rest))
        return;
    else if (path.rest[0] != '\0' || !dv_function(call, path.name, path.arguments))
        not_found(call, path.name);
}
