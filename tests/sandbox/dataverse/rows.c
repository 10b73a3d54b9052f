/** One row: read, delete, create, update. */
#include "dataverse/call.h"
#include "dataverse/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows as clients see them ---- */

static void
add_etag(cJSON *object, int64_t version)
{
    char etag[40];
    (void)snprintf(etag, sizeof(etag), "W/\"%lld\"", (long long)version);
    (void)cJSON_AddStringToObject(object, "@odata.etag", etag);
}

static void
add_property(cJSON *object, const struct dv_table *table, const struct dv_row *row, cJSON *columns,
             const char *property)
{
    if (strcmp(property, table->key) == 0) {
        (void)cJSON_AddStringToObject(object, property, row->id);
    } else if (strcmp(property, "versionnumber") == 0) {
        (void)cJSON_AddNumberToObject(object, property, (double)row->version);
    } else {
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(columns, property);
        cJSON_AddItemToObject(object, property, item ? item : cJSON_CreateNull());
    }
}

cJSON *
dv_row_json(const struct dv_table *table, const struct dv_row *row, cJSON *columns,
            const struct dv_select *select)
{
    cJSON *object = cJSON_CreateObject();
    bool key_seen = false;
    if (!columns)
        columns = cJSON_Parse(row->columns);
    add_etag(object, row->version);
    for (size_t i = 0; i < select->count; i++) {
        const char *property = select->items[i]->property;
        key_seen = key_seen || strcmp(property, table->key) == 0;
        add_property(object, table, row, columns, property);
    }
    for (size_t i = 0; select->count == 0 && i < table->attribute_count; i++) {
        const struct dv_attribute *attribute = &table->attributes[i];
        if (attribute->property &&
            (!attribute->sparse || cJSON_HasObjectItem(columns, attribute->property)))
            add_property(object, table, row, columns, attribute->property);
    }
    if (select->count > 0 && !key_seen)
        add_property(object, table, row, columns, table->key);
    cJSON_Delete(columns);
    return object;
}

static void
not_there(struct dv_call *call, const struct dv_table *table, const char *id)
{
    dv_error(call, 404, "0x80040217", "%s With Id = %s Does Not Exist", table->logical_name, id);
}

static void
store_failed(struct dv_call *call)
{
    dv_error(call, 500, "0x80044150", "Generic SQL error.");
}

static void
answer_row(struct dv_call *call, const struct dv_table *table, const struct dv_row *row, int status)
{
    struct dv_select select = {.count = 0};
    char rest[2048];
    char etag[40];
    if (dv_select_parse(call, table, &select)) {
        cJSON *body = cJSON_CreateObject();
        (void)snprintf(rest, sizeof(rest), select.text ? "%s(%s)/$entity" : "%s%s/$entity",
                       table->set, select.text ? select.text : "");
        dv_add_context(call, body, rest);
        cJSON *object = dv_row_json(table, row, NULL, &select);
        if (!call->settings->etags)
            cJSON_DeleteItemFromObject(object, "@odata.etag");
        while (object && object->child) {
            cJSON *item = cJSON_DetachItemViaPointer(object, object->child);
            cJSON_AddItemToObject(body, item->string, item);
        }
        cJSON_Delete(object);
        dv_json(call, status, body);
        (void)snprintf(etag, sizeof(etag), "W/\"%lld\"", (long long)row->version);
        http_headers_add(&call->answer->headers, "ETag", etag);
    }
    free(select.text);
}

/** Does a condition header hold for this version? */
static bool
etag_fits(const char *condition, int64_t version)
{
    char etag[40];
    (void)snprintf(etag, sizeof(etag), "W/\"%lld\"", (long long)version);
    return strcmp(condition, "*") == 0 || strcmp(condition, etag) == 0;
}

void
dv_row_read(struct dv_call *call, const struct dv_table *table, const char *id)
{
    struct dv_row row;
    const char *none_match = dv_header(call, "If-None-Match");
    if (!dv_may(call, table, "Read"))
        return;
    int found = dv_store_get(call->store, table->set, id, &row);
    if (found < 0) {
        store_failed(call);
        return;
    }
    if (found == 0) {
        not_there(call, table, id);
        return;
    }
    if (none_match && etag_fits(none_match, row.version))
        dv_empty(call, 304);
    else
        answer_row(call, table, &row, 200);
    free(row.columns);
}

/* ---- delete ---- */

/** True: the fault answered. */
static bool
delete_fault(struct dv_call *call, const struct dv_table *table, const char *id)
{
    struct fault_action action = fault_at(call->faults, "dv.delete", call->subject);
    if (action.what == FAULT_ERROR) {
        dv_fault_error(call, &action);
        return true;
    }
    if (action.what == FAULT_CUT) {
        dv_empty(call, 0);
        return true;
    }
    if (action.what == FAULT_DELAY)
        (void)http_link_wait(call->link, action.arg);
    if (action.what != FAULT_OTHER)
        return false;
    if (strcmp(action.text, "gone") == 0) {
        dv_trace_stored(call, table, id, "gone");
        (void)dv_store_delete(call->store, table->set, id);
    } else {
        cJSON *change = cJSON_CreateObject();
        if (strcmp(action.text, "changed-name") == 0)
            (void)cJSON_AddStringToObject(change, table->primary_name, "changed meanwhile");
        (void)dv_row_change(call->store, table, id, change);
        dv_trace_stored(call, table, id, "changed");
        cJSON_Delete(change);
    }
    return false;
}

/** 412 unless the row's version is the one that the client names. True: go on. */
static bool
precondition(struct dv_call *call, const struct dv_table *table, int64_t version)
{
    const char *match = dv_header(call, "If-Match");
    if (!match || strcmp(match, "*") == 0)
        return true;
    if (!call->settings->optimistic_concurrency) {
        dv_error(call, 400, "0x80060893",
                 "Optimistic concurrency isn't enabled for entity type %s.", table->logical_name);
        return false;
    }
    if (etag_fits(match, version))
        return true;
    dv_error(call, 412, "0x80060882",
             "The version of the existing record doesn't match the RowVersion property provided.");
    return false;
}

void
dv_row_delete(struct dv_call *call, const struct dv_table *table, const char *id)
{
    struct dv_row row;
    if (!dv_may(call, table, "Delete") || delete_fault(call, table, id))
        return;
    int found = dv_store_get(call->store, table->set, id, &row);
    if (found <= 0) {
        if (found == 0)
            not_there(call, table, id);
        else
            store_failed(call);
        return;
    }
    if (precondition(call, table, row.version)) {
        if (dv_store_delete(call->store, table->set, id) == 1) {
            dv_trace_row(call, table, &row, "deleted");
            dv_empty(call, 204);
        } else {
            store_failed(call);
        }
    }
    free(row.columns);
}

/* ---- writing ---- */

static void
set_text(cJSON *object, const char *name, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    (void)cJSON_AddStringToObject(object, name, value);
}

static void
default_text(const struct dv_table *table, cJSON *object, const char *name, const char *value)
{
    if (dv_property(table, name) && !cJSON_HasObjectItem(object, name))
        (void)cJSON_AddStringToObject(object, name, value);
}

static void
default_number(const struct dv_table *table, cJSON *object, const char *name, double value)
{
    if (dv_property(table, name) && !cJSON_HasObjectItem(object, name))
        (void)cJSON_AddNumberToObject(object, name, value);
}

static bool
put(struct dv_store *store, const struct dv_table *table, const char *id, const cJSON *columns)
{
    char *text = cJSON_PrintUnformatted(columns);
    bool ok = text && dv_store_put(store, table->set, id, text, NULL);
    cJSON_free(text);
    return ok;
}

bool
dv_row_insert(struct dv_store *store, const struct dv_settings *settings,
              const struct dv_table *table, const cJSON *columns, char ret_id[DV_ID_BYTES])
{
    char now[32];
    char id[DV_ID_BYTES];
    cJSON *row = cJSON_Duplicate(columns, true);
    cJSON *key = cJSON_DetachItemFromObjectCaseSensitive(row, table->key);
    if (!cJSON_IsString(key) || !dv_guid(key->valuestring, id))
        dv_uuid(id);
    cJSON_Delete(key);
    dv_now(now);
    default_text(table, row, "createdon", now);
    default_text(table, row, "modifiedon", now);
    default_text(table, row, "_createdby_value", settings->user_id);
    default_text(table, row, "_modifiedby_value", settings->user_id);
    default_text(table, row, "_ownerid_value", settings->user_id);
    default_text(table, row, "_owninguser_value", settings->user_id);
    default_text(table, row, "_owningbusinessunit_value", settings->business_unit_id);
    default_number(table, row, "statecode", 0);
    default_number(table, row, "statuscode", 1);
    bool ok = row && put(store, table, id, row);
    cJSON_Delete(row);
    if (ok && ret_id)
        memcpy(ret_id, id, DV_ID_BYTES);
    return ok;
}

int
dv_row_change(struct dv_store *store, const struct dv_table *table, const char *id,
              const cJSON *columns)
{
    struct dv_row row;
    char now[32];
    int found = dv_store_get(store, table->set, id, &row);
    if (found != 1)
        return found;
    cJSON *merged = cJSON_Parse(row.columns);
    const cJSON *item = NULL;
    free(row.columns);
    cJSON_ArrayForEach(item, columns)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(merged, item->string);
        cJSON_AddItemToObject(merged, item->string, cJSON_Duplicate(item, true));
    }
    dv_now(now);
    if (dv_property(table, "modifiedon"))
        set_text(merged, "modifiedon", now);
    bool ok = merged && put(store, table, id, merged);
    cJSON_Delete(merged);
    return ok ? 1 : -1;
}

/* ---- what clients send ---- */

static bool
bad_payload(struct dv_call *call, const struct dv_table *table, const char *what, const char *name)
{
    dv_error(call, 400, "0x80048d19",
             "Error identified in Payload provided by the user for Entity :'%s' ----> "
             "InnerException : Microsoft.OData.ODataException: %s '%s' on type "
             "'Microsoft.Dynamics.CRM.%s'.",
             table->set, what, name, table->logical_name);
    return false;
}

static bool
type_fits(const struct dv_attribute *attribute, const cJSON *item)
{
    static const char *const numbers[] = {"Integer", "BigInt", "State", "Status", "Picklist"};
    if (cJSON_IsNull(item))
        return true;
    if (strcmp(attribute->type, "Boolean") == 0)
        return cJSON_IsBool(item);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(attribute->type, numbers[i]) == 0)
            return cJSON_IsNumber(item);
    }
    return cJSON_IsString(item);
}

/** x@odata.bind: /systemusers(GUID) becomes _x_value. */
static bool
take_binding(struct dv_call *call, const struct dv_table *table, const cJSON *item, cJSON *columns)
{
    char property[128];
    char id[DV_ID_BYTES];
    char inner[DV_ID_BYTES] = "";
    int length = (int)(strlen(item->string) - strlen("@odata.bind"));
    (void)snprintf(property, sizeof(property), "_%.*s_value", length, item->string);
    const char *open = cJSON_IsString(item) ? strchr(item->valuestring, '(') : NULL;
    if (open && strlen(open) == DV_ID_BYTES + 1 && open[DV_ID_BYTES] == ')')
        (void)snprintf(inner, sizeof(inner), "%.36s", open + 1);
    if (!dv_property(table, property) || !dv_guid(inner, id))
        return bad_payload(call, table, "An undeclared property was found:", item->string);
    (void)cJSON_AddStringToObject(columns, property, id);
    return true;
}

static bool
ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static bool
take_member(struct dv_call *call, const struct dv_table *table, const cJSON *item, bool creating,
            cJSON *columns)
{
    const char *name = item->string;
    if (ends_with(name, "@odata.bind"))
        return take_binding(call, table, item, columns);
    if (strchr(name, '@'))
        return true;
    const struct dv_attribute *attribute = dv_property(table, name);
    if (!attribute)
        return bad_payload(call, table, "The property does not exist:", name);
    if (name[0] == '_')
        return bad_payload(call, table,
                           "CRM do not support direct update of Entity Reference properties, Use "
                           "Navigation properties instead:",
                           name);
    if (!type_fits(attribute, item))
        return bad_payload(call, table, "Cannot convert a primitive value to the expected type of",
                           name);
    /* Columns that clients may not set are left out without a word, as the service does. */
    if (creating ? attribute->create : attribute->update)
        cJSON_AddItemToObject(columns, name, cJSON_Duplicate(item, true));
    return true;
}

/** The columns of the body, or NULL with the error answered. */
static cJSON *
take_body(struct dv_call *call, const struct dv_table *table, bool creating)
{
    cJSON *body = dv_parse_json(call->body, call->body_bytes);
    cJSON *columns = cJSON_CreateObject();
    const cJSON *item = NULL;
    bool ok = cJSON_IsObject(body);
    if (!ok)
        dv_error(call, 400, "0x80048d19",
                 "An error occurred while validating input parameters: the body is not a JSON "
                 "object.");
    cJSON_ArrayForEach(item, body)
    {
        ok = ok && take_member(call, table, item, creating, columns);
    }
    cJSON_Delete(body);
    if (ok)
        return columns;
    cJSON_Delete(columns);
    return NULL;
}

static void
answer_written(struct dv_call *call, const struct dv_table *table, const char *id, bool created)
{
    char wanted[32];
    char url[512];
    struct dv_row row;
    bool representation = dv_preference(call, "return", wanted, sizeof(wanted)) &&
                          strcmp(wanted, "representation") == 0;
    dv_empty(call, 204);
    if (representation && dv_store_get(call->store, table->set, id, &row) == 1) {
        answer_row(call, table, &row, created ? 201 : 200);
        free(row.columns);
        http_headers_add(&call->answer->headers, "Preference-Applied", "return=representation");
    }
    (void)snprintf(url, sizeof(url), "%s/api/data/%s/%s(%s)", call->base, call->api, table->set,
                   id);
    http_headers_add(&call->answer->headers, "OData-EntityId", url);
    if (created)
        http_headers_add(&call->answer->headers, "Location", url);
}

static void
create(struct dv_call *call, const struct dv_table *table, cJSON *columns)
{
    char id[DV_ID_BYTES];
    const cJSON *overridden = cJSON_GetObjectItemCaseSensitive(columns, "overriddencreatedon");
    if (cJSON_IsString(overridden) && !call->settings->may_override) {
        dv_error(call, 403, "0x80040220",
                 "Principal user (Id=%s, type=8) is missing prvOverrideCreatedOnCreatedBy "
                 "privilege on OTC=%d for entity '%s'.",
                 call->settings->user_id, table->type_code, table->logical_name);
        return;
    }
    if (cJSON_IsString(overridden)) {
        char now[32];
        dv_now(now);
        set_text(columns, "createdon", overridden->valuestring);
        set_text(columns, "overriddencreatedon", now);
    }
    if (dv_row_insert(call->store, call->settings, table, columns, id))
        answer_written(call, table, id, true);
    else
        store_failed(call);
}

static bool
key_is_taken(struct dv_call *call, const struct dv_table *table, const cJSON *columns)
{
    char id[DV_ID_BYTES];
    struct dv_row row;
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(columns, table->key);
    if (!cJSON_IsString(key) || !dv_guid(key->valuestring, id) ||
        dv_store_get(call->store, table->set, id, &row) != 1)
        return false;
    free(row.columns);
    return true;
}

void
dv_row_create(struct dv_call *call, const struct dv_table *table)
{
    if (!dv_may(call, table, "Create"))
        return;
    cJSON *columns = take_body(call, table, true);
    if (!columns)
        return;
    if (key_is_taken(call, table, columns))
        dv_error(call, 412, "0x80040237", "A record with matching key values already exists.");
    else
        create(call, table, columns);
    cJSON_Delete(columns);
}

static void
update(struct dv_call *call, const struct dv_table *table, const char *id)
{
    cJSON *columns = take_body(call, table, false);
    if (!columns)
        return;
    if (dv_row_change(call->store, table, id, columns) == 1)
        answer_written(call, table, id, false);
    else
        store_failed(call);
    cJSON_Delete(columns);
}

static void
insert_at(struct dv_call *call, const struct dv_table *table, const char *id)
{
    cJSON *columns = take_body(call, table, true);
    if (!columns)
        return;
    set_text(columns, table->key, id);
    create(call, table, columns);
    cJSON_Delete(columns);
}

void
dv_row_upsert(struct dv_call *call, const struct dv_table *table, const char *id)
{
    struct dv_row row;
    const char *match = dv_header(call, "If-Match");
    const char *none_match = dv_header(call, "If-None-Match");
    int found = dv_store_get(call->store, table->set, id, &row);
    if (found < 0) {
        store_failed(call);
        return;
    }
    if (found == 1)
        free(row.columns);
    if (!dv_may(call, table, found ? "Write" : "Create"))
        return;
    if (found && none_match && strcmp(none_match, "*") == 0)
        dv_error(call, 412, "0x80040237", "A record with matching key values already exists.");
    else if (found && precondition(call, table, row.version))
        update(call, table, id);
    else if (!found && match)
        not_there(call, table, id);
    else if (!found)
        insert_at(call, table, id);
}
