#include "definition.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *const shown_column_names[SHOWN_COLUMNS] = {
    [SHOWN_NAME] = "msdyn_name",
    [SHOWN_INTERNAL_ENTITY] = "msdyn_internalentityname",
    [SHOWN_EXTERNAL_ENTITY] = "msdyn_externalentityname",
    [SHOWN_CREATED_ON] = "createdon",
    [SHOWN_MODIFIED_ON] = "modifiedon",
    [SHOWN_STATE] = "statecode",
};

static const char logical_name[] = "msdyn_dualwriteruntimeconfig";

#define ASK(members)                                                                               \
    "EntityDefinitions(LogicalName='msdyn_dualwriteruntimeconfig')?$select=LogicalName,"           \
    "SchemaName,EntitySetName,PrimaryIdAttribute,IsOptimisticConcurrencyEnabled" members           \
    "&$expand=Attributes($select=LogicalName)"

const char definition_path[] = ASK(",Privileges");
static const char path_without_privileges[] = ASK("");

/** A name that may stand in a URL as it is. */
static bool
copy_name(const cJSON *json, const char *member, char ret[DEFINITION_NAME_BYTES])
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);
    size_t size = 0;

    if (!cJSON_IsString(item))
        return false;
    while (isalnum((unsigned char)item->valuestring[size]) || item->valuestring[size] == '_')
        size++;
    if (size == 0 || size >= DEFINITION_NAME_BYTES || item->valuestring[size])
        return false;
    memcpy(ret, item->valuestring, size + 1);
    return true;
}

/** Which of the columns that we show are there; false when not even the key is. */
static bool
read_columns(const cJSON *json, struct definition *ret)
{
    const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(json, "Attributes");
    const cJSON *attribute;
    bool key_seen = false;

    cJSON_ArrayForEach(attribute, attributes)
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(attribute, "LogicalName");

        if (!cJSON_IsString(name))
            continue;
        key_seen = key_seen || strcmp(name->valuestring, ret->key_column) == 0;
        for (int i = 0; i < SHOWN_COLUMNS; i++)
            if (strcmp(name->valuestring, shown_column_names[i]) == 0)
                ret->has[i] = true;
    }
    return key_seen;
}

/** The name of the privilege of a type, as the service gives it, or else as it makes such names. */
static void
read_privilege(const cJSON *json, const char *type, char ret[DEFINITION_NAME_BYTES])
{
    const cJSON *privileges = cJSON_GetObjectItemCaseSensitive(json, "Privileges");
    const cJSON *privilege;
    char schema_name[DEFINITION_NAME_BYTES];
    int size = 0;

    cJSON_ArrayForEach(privilege, privileges)
    {
        const cJSON *of = cJSON_GetObjectItemCaseSensitive(privilege, "PrivilegeType");

        if (cJSON_IsString(of) && strcmp(of->valuestring, type) == 0 &&
            copy_name(privilege, "Name", ret))
            return;
    }
    if (copy_name(json, "SchemaName", schema_name))
        size = snprintf(ret, DEFINITION_NAME_BYTES, "prv%s%s", type, schema_name);
    if (size <= 0 || size >= DEFINITION_NAME_BYTES)
        ret[0] = '\0';
}

/** Is this the table that was asked for, and can it be used? */
static bool
read_table(const cJSON *json, struct definition *ret)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "LogicalName");

    return cJSON_IsString(name) && strcmp(name->valuestring, logical_name) == 0 &&
           copy_name(json, "EntitySetName", ret->entity_set) &&
           copy_name(json, "PrimaryIdAttribute", ret->key_column) && read_columns(json, ret);
}

static bool
explain_missing(const struct fetch *fetch, struct err *err)
{
    *err = fetch->judgement.err;
    if (fetch->answer->status != 404 || !fetch->judgement.odata)
        return false;
    (void)err_set(err, ERR_SCHEMA,
                  "the table msdyn_dualwriteruntimeconfig is not in this "
                  "organization");
    (void)err_detail(err, "%s", fetch->judgement.err.detail);
    return err_hint(err, "The dual-write core solution is not installed here, or the application "
                         "user has no right to read metadata.");
}

bool
definition_read(const struct fetch *fetch, struct definition *ret, struct err *err)
{
    struct definition definition = {0};
    const cJSON *optimistic;
    cJSON *json;
    bool usable;

    if (fetch->judgement.verdict != VERDICT_OK)
        return explain_missing(fetch, err);
    json = answer_json(fetch->answer);
    optimistic = cJSON_GetObjectItemCaseSensitive(json, "IsOptimisticConcurrencyEnabled");
    usable = read_table(json, &definition);
    definition.optimistic_concurrency = cJSON_IsTrue(optimistic);
    read_privilege(json, "Read", definition.read_privilege);
    read_privilege(json, "Delete", definition.delete_privilege);
    read_privilege(json, "Create", definition.create_privilege);
    cJSON_Delete(json);
    if (!usable)
        return answer_malformed(fetch->answer, "the table's definition cannot be read", err);
    *ret = definition;
    return true;
}

static bool
ask(struct session *session, const char *path, struct fetch *ret, struct err *err)
{
    TEXT_SCOPED url = {.max = URL_MAX_BYTES};
    struct fetch fetch = {.may_fail = true};

    text_printf(&url, "%s%s", session->root, path);
    if (!text_ok(&url, err))
        return false;
    fetch.url = text_string(&url);
    if (!session_fetch(session, &fetch, 1, err))
        return false;
    fetch.url = NULL;
    *ret = fetch;
    return true;
}

bool
definition_settle(struct session *session, const struct fetch *fetch, struct definition *ret,
                  struct err *err)
{
    struct fetch again;

    if (fetch->answer->status != 400)
        return definition_read(fetch, ret, err);
    /* Not every environment lets the privileges be chosen. */
    return ask(session, path_without_privileges, &again, err) && definition_read(&again, ret, err);
}

bool
definition_fetch(struct session *session, struct definition *ret, struct err *err)
{
    struct fetch fetch;

    return ask(session, definition_path, &fetch, err) &&
           definition_settle(session, &fetch, ret, err);
}
