/** Service document, $metadata and EntityDefinitions. */
#include "dataverse/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
visible(const struct dv_call *call, const struct dv_table *table)
{
    return call->settings->table_installed || strcmp(table->set, DV_CONFIG_SET) != 0;
}

static bool
is_get(struct dv_call *call)
{
    if (strcmp(call->method, "GET") == 0)
        return true;
    dv_error(call, 405, "0x80060888", "The requested resource does not support http method '%s'.",
             call->method);
    return false;
}

void
dv_service_document(struct dv_call *call)
{
    char context[256];
    if (!is_get(call))
        return;
    cJSON *answer = cJSON_CreateObject();
    (void)snprintf(context, sizeof(context), "%s/api/data/%s/$metadata", call->base, call->api);
    (void)cJSON_AddStringToObject(answer, "@odata.context", context);
    cJSON *value = cJSON_AddArrayToObject(answer, "value");
    for (size_t i = 0; dv_table_at(i); i++) {
        if (!visible(call, dv_table_at(i)))
            continue;
        cJSON *item = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(item, "name", dv_table_at(i)->set);
        (void)cJSON_AddStringToObject(item, "kind", "EntitySet");
        (void)cJSON_AddStringToObject(item, "url", dv_table_at(i)->set);
        cJSON_AddItemToArray(value, item);
    }
    dv_json(call, 200, answer);
}

static const char *
edm_type(const char *type)
{
    static const char *const pairs[][2] = {
        {"Uniqueidentifier", "Edm.Guid"}, {"DateTime", "Edm.DateTimeOffset"},
        {"BigInt", "Edm.Int64"},          {"Integer", "Edm.Int32"},
        {"State", "Edm.Int32"},           {"Status", "Edm.Int32"},
        {"Picklist", "Edm.Int32"},        {"Boolean", "Edm.Boolean"},
        {"Lookup", "Edm.Guid"},           {"Owner", "Edm.Guid"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (strcmp(pairs[i][0], type) == 0)
            return pairs[i][1];
    }
    return "Edm.String";
}

static void
print_entity_type(FILE *out, const struct dv_table *table)
{
    (void)fprintf(out, "<EntityType Name=\"%s\"><Key><PropertyRef Name=\"%s\"/></Key>",
                  table->logical_name, table->key);
    for (size_t i = 0; i < table->attribute_count; i++) {
        const struct dv_attribute *attribute = &table->attributes[i];
        if (attribute->property)
            (void)fprintf(out, "<Property Name=\"%s\" Type=\"%s\"/>", attribute->property,
                          edm_type(attribute->type));
    }
    (void)fputs("</EntityType>", out);
}

void
dv_metadata(struct dv_call *call)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = is_get(call) ? open_memstream(&text, &bytes) : NULL;
    if (!out)
        return;
    (void)fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"4.0\" "
                "xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices>"
                "<Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" "
                "xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">",
                out);
    for (size_t i = 0; dv_table_at(i); i++) {
        if (visible(call, dv_table_at(i)))
            print_entity_type(out, dv_table_at(i));
    }
    (void)fputs("<EntityContainer Name=\"System\">", out);
    for (size_t i = 0; dv_table_at(i); i++) {
        if (visible(call, dv_table_at(i)))
            (void)fprintf(out, "<EntitySet Name=\"%s\" EntityType=\"mscrm.%s\"/>",
                          dv_table_at(i)->set, dv_table_at(i)->logical_name);
    }
    (void)fputs("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>", out);
    (void)fclose(out);
    if (text)
        http_answer_text(call->answer, 200, "application/xml", text);
    free(text);
}

/* ---- EntityDefinitions ---- */

/** Is `name` in the comma-separated list (NULL = everything is)? */
static bool
chosen(const char *list, const char *name)
{
    size_t bytes = strlen(name);
    if (!list)
        return true;
    for (const char *at = list; *at;) {
        size_t item = strcspn(at, ",");
        if (item == bytes && strncmp(at, name, bytes) == 0)
            return true;
        at += item + (at[item] == ',');
    }
    return false;
}

/** Remove members that were not chosen. False: a name of the list is not a member. */
static bool
keep_chosen(cJSON *object, const char *list, char *ret_unknown, size_t size)
{
    const char *at = list;
    while (at && *at) {
        size_t item = strcspn(at, ",");
        (void)snprintf(ret_unknown, size, "%.*s", (int)item, at);
        if (!cJSON_GetObjectItemCaseSensitive(object, ret_unknown))
            return false;
        at += item + (at[item] == ',');
    }
    cJSON *member = object->child;
    while (member) {
        cJSON *next = member->next;
        if (!chosen(list, member->string) && strcmp(member->string, "MetadataId") != 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(object, member));
        member = next;
    }
    return true;
}

/** An id that is the same each time, so that two reads compare equal. */
static void
add_id(cJSON *object, const char *member, const char *table, const char *name)
{
    char id[DV_ID_BYTES];
    uint64_t hash = 1469598103934665603U;
    for (const char *c = table; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211U;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211U;
    (void)snprintf(id, sizeof(id), "%08x-0000-4000-8000-%012llx", (unsigned)(hash >> 32),
                   (unsigned long long)(hash & 0xFFFFFFFFFFFFU));
    (void)cJSON_AddStringToObject(object, member, id);
}

/** The privileges for a table's rows. */
static void
add_privileges(cJSON *object, const struct dv_table *table)
{
    static const char *const types[] = {"Create", "Read",  "Write",  "Delete",
                                        "Assign", "Share", "Append", "AppendTo"};
    static const char *const depths[] = {"CanBeBasic", "CanBeLocal", "CanBeDeep", "CanBeGlobal"};
    char name[160];
    cJSON *list = cJSON_AddArrayToObject(object, "Privileges");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        cJSON *item = cJSON_CreateObject();
        for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++)
            (void)cJSON_AddBoolToObject(item, depths[d], true);
        (void)snprintf(name, sizeof(name), "prv%s%s", types[i], table->privilege);
        (void)cJSON_AddStringToObject(item, "Name", name);
        add_id(item, "PrivilegeId", table->logical_name, name);
        (void)cJSON_AddStringToObject(item, "PrivilegeType", types[i]);
        cJSON_AddItemToArray(list, item);
    }
}

static cJSON *
definition_of(const struct dv_call *call, const struct dv_table *table)
{
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "LogicalName", table->logical_name);
    (void)cJSON_AddStringToObject(object, "SchemaName", table->logical_name);
    (void)cJSON_AddStringToObject(object, "EntitySetName", table->set);
    (void)cJSON_AddStringToObject(object, "LogicalCollectionName", table->set);
    (void)cJSON_AddStringToObject(object, "PrimaryIdAttribute", table->key);
    (void)cJSON_AddStringToObject(object, "PrimaryNameAttribute", table->primary_name);
    (void)cJSON_AddStringToObject(object, "TableType", call->settings->table_type);
    (void)cJSON_AddBoolToObject(object, "IsOptimisticConcurrencyEnabled",
                                call->settings->optimistic_concurrency);
    (void)cJSON_AddNumberToObject(object, "ObjectTypeCode", table->type_code);
    (void)cJSON_AddBoolToObject(object, "IsCustomEntity", !table->is_system);
    (void)cJSON_AddStringToObject(object, "OwnershipType", "UserOwned");
    add_privileges(object, table);
    add_id(object, "MetadataId", table->logical_name, "");
    return object;
}

static cJSON *
attribute_json(const struct dv_table *table, const struct dv_attribute *attribute)
{
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "LogicalName", attribute->name);
    (void)cJSON_AddStringToObject(object, "SchemaName", attribute->name);
    (void)cJSON_AddStringToObject(object, "AttributeType", attribute->type);
    (void)cJSON_AddBoolToObject(object, "IsValidForRead", true);
    (void)cJSON_AddBoolToObject(object, "IsValidForCreate", attribute->create);
    (void)cJSON_AddBoolToObject(object, "IsValidForUpdate", attribute->update);
    (void)cJSON_AddBoolToObject(object, "IsValidODataAttribute", attribute->property != NULL);
    (void)cJSON_AddBoolToObject(object, "IsPrimaryId", strcmp(attribute->name, table->key) == 0);
    cJSON *of = cJSON_CreateNull();
    size_t bytes = strlen(attribute->name);
    if (!attribute->property && bytes > 4) {
        char parent[128];
        (void)snprintf(parent, sizeof(parent), "%.*s", (int)bytes - 4, attribute->name);
        cJSON_Delete(of);
        of = cJSON_CreateString(parent);
    }
    cJSON_AddItemToObject(object, "AttributeOf", of);
    add_id(object, "MetadataId", table->logical_name, attribute->name);
    return object;
}

static void
unknown_member(struct dv_call *call, const char *name, const char *type)
{
    dv_error(call, 400, "0x80060888",
             "Could not find a property named '%s' on type 'Microsoft.Dynamics.CRM.%s'.", name,
             type);
}

/** The next NAME or NAME($select=...) of an $expand; 1 taken, 0 the end, -1 something else. */
static int
next_expand(const char **at, char name[64], char *ret_names, size_t size)
{
    static const char head[] = "($select=";
    size_t bytes = strcspn(*at, ",(");
    if (**at == '\0')
        return 0;
    ret_names[0] = '\0';
    if (bytes == 0 || bytes >= 64)
        return -1;
    memcpy(name, *at, bytes);
    name[bytes] = '\0';
    *at += bytes;
    if (**at == '(') {
        const char *end = strchr(*at, ')');
        if (!end || strncmp(*at, head, sizeof(head) - 1) != 0)
            return -1;
        *at += sizeof(head) - 1;
        if ((size_t)(end - *at) >= size)
            return -1;
        memcpy(ret_names, *at, (size_t)(end - *at));
        ret_names[end - *at] = '\0';
        *at = end + 1;
    }
    if (**at == ',')
        (*at)++;
    else if (**at != '\0')
        return -1;
    return 1;
}

static cJSON *
relationship_json(const struct dv_table *table, const struct dv_attribute *attribute)
{
    char name[160];
    cJSON *object = cJSON_CreateObject();
    (void)snprintf(name, sizeof(name), "%s_%s_%s", attribute->target, table->logical_name,
                   attribute->name);
    (void)cJSON_AddStringToObject(object, "SchemaName", name);
    (void)cJSON_AddStringToObject(object, "ReferencingEntity", table->logical_name);
    (void)cJSON_AddStringToObject(object, "ReferencingAttribute", attribute->name);
    (void)cJSON_AddStringToObject(object, "ReferencingEntityNavigationPropertyName",
                                  attribute->name);
    (void)cJSON_AddStringToObject(object, "ReferencedEntity", attribute->target);
    add_id(object, "MetadataId", table->logical_name, name);
    return object;
}

/** False: the error is answered. */
static bool
add_expanded(struct dv_call *call, const struct dv_table *table, cJSON *object, const char *what,
             const char *names)
{
    char unknown[256];
    const bool attributes = strcmp(what, "Attributes") == 0;
    if (!attributes && strcmp(what, "ManyToOneRelationships") != 0) {
        dv_error(call, 400, "0x80060888", "The $expand expression '%s' is not supported.", what);
        return false;
    }
    cJSON *list = cJSON_AddArrayToObject(object, what);
    for (size_t i = 0; i < table->attribute_count; i++) {
        if (!attributes && !table->attributes[i].target)
            continue;
        cJSON *item = attributes ? attribute_json(table, &table->attributes[i])
                                 : relationship_json(table, &table->attributes[i]);
        cJSON_AddItemToArray(list, item);
        if (names[0] && !keep_chosen(item, names, unknown, sizeof(unknown))) {
            unknown_member(call, unknown,
                           attributes ? "AttributeMetadata" : "OneToManyRelationshipMetadata");
            return false;
        }
    }
    return true;
}

/** False: the error is answered. */
static bool
expand(struct dv_call *call, const struct dv_table *table, cJSON *object)
{
    char name[64];
    char names[1024];
    const char *asked = dv_option(call, "$expand");
    int more = asked && !*asked ? -1 : 1;
    while (asked && more > 0 && (more = next_expand(&asked, name, names, sizeof(names))) > 0) {
        if (!add_expanded(call, table, object, name, names))
            return false;
    }
    if (more < 0)
        dv_error(call, 400, "0x80060888", "The $expand expression is not supported.");
    return more >= 0;
}

void
dv_entity_definition(struct dv_call *call, const char *logical_name)
{
    char unknown[256];
    const struct dv_table *table = dv_table_by_logical_name(logical_name);
    if (!table || !visible(call, table)) {
        dv_error(call, 404, "0x80041102",
                 "The entity with a name = '%s' with namemapping = 'Logical' was not found in the "
                 "MetadataCache.",
                 logical_name);
        return;
    }
    cJSON *object = definition_of(call, table);
    if (!keep_chosen(object, dv_option(call, "$select"), unknown, sizeof(unknown))) {
        unknown_member(call, unknown, "EntityMetadata");
        cJSON_Delete(object);
        return;
    }
    dv_add_context(call, object, "EntityDefinitions/$entity");
    if (expand(call, table, object))
        dv_json(call, 200, object);
    else
        cJSON_Delete(object);
}
