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

const char definition_path[] =
    "EntityDefinitions(LogicalName='msdyn_dualwriteruntimeconfig')"
    "?$select=EntitySetName,PrimaryIdAttribute,IsOptimisticConcurrencyEnabled"
    "&$expand=Attributes($select=LogicalName)";

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

/** Which of the columns that we show are there. */
static void
read_columns(const cJSON *json, struct definition *ret)
{
    const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(json, "Attributes");
    const cJSON *attribute;

    cJSON_ArrayForEach(attribute, attributes)
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(attribute, "LogicalName");

        for (int i = 0; cJSON_IsString(name) && i < SHOWN_COLUMNS; i++)
            if (strcmp(name->valuestring, shown_column_names[i]) == 0)
                ret->has[i] = true;
    }
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
    const struct slice body = fetch->answer->body;
    struct definition definition = {0};
    const cJSON *optimistic;
    cJSON *json;
    bool usable;

    if (fetch->judgement.verdict != VERDICT_OK)
        return explain_missing(fetch, err);
    json = body.size > 0 ? cJSON_ParseWithLength((const char *)body.data, body.size) : NULL;
    optimistic = cJSON_GetObjectItemCaseSensitive(json, "IsOptimisticConcurrencyEnabled");
    usable = copy_name(json, "EntitySetName", definition.entity_set) &&
             copy_name(json, "PrimaryIdAttribute", definition.key_column);
    definition.optimistic_concurrency = cJSON_IsTrue(optimistic);
    read_columns(json, &definition);
    cJSON_Delete(json);
    if (!usable)
        return answer_malformed(fetch->answer, "the table's definition cannot be read", err);
    *ret = definition;
    return true;
}

bool
definition_fetch(struct session *session, struct definition *ret, struct err *err)
{
    TEXT_SCOPED url = {.max = URL_MAX_BYTES};
    struct fetch fetch = {.may_fail = true};

    text_printf(&url, "%s%s", session->root, definition_path);
    if (!text_ok(&url, err))
        return false;
    fetch.url = text_string(&url);
    return session_fetch(session, &fetch, 1, err) && definition_read(&fetch, ret, err);
}
