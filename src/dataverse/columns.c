#include "columns.h"

#include "base/text.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 4096 };

#define ASK                                                                                        \
    "EntityDefinitions(LogicalName='msdyn_dualwriteruntimeconfig')?$select=LogicalName&$expand="   \
    "Attributes($select=LogicalName,AttributeType,IsValidForRead,IsValidForCreate,AttributeOf)"
static const char with_relationships[] =
    ASK ",ManyToOneRelationships($select=ReferencingAttribute,"
        "ReferencingEntityNavigationPropertyName,ReferencedEntity)";

/** A name that may stand in a URL and in JSON as it is; "" else. */
static void
copy_name(const cJSON *json, const char *member, char ret[DEFINITION_NAME_BYTES])
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);
    size_t size = 0;

    ret[0] = '\0';
    if (!cJSON_IsString(item))
        return;
    while (isalnum((unsigned char)item->valuestring[size]) || item->valuestring[size] == '_')
        size++;
    if (!item->valuestring[size] && size < DEFINITION_NAME_BYTES)
        memcpy(ret, item->valuestring, size + 1);
}

static bool
is_true(const cJSON *json, const char *member)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, member));
}

/** Types whose values are references: rows have them as _name_value. */
static bool
is_reference(const char *type)
{
    return strcmp(type, "Lookup") == 0 || strcmp(type, "Owner") == 0 ||
           strcmp(type, "Customer") == 0;
}

/** Types that are not in rows. */
static bool
is_hidden(const char *type)
{
    return strcmp(type, "Virtual") == 0 || strcmp(type, "EntityName") == 0 ||
           strcmp(type, "PartyList") == 0 || strcmp(type, "CalendarRules") == 0;
}

static void
read_column(const cJSON *attribute, const char *key_column, struct table_column *ret)
{
    char type[DEFINITION_NAME_BYTES];

    *ret = (struct table_column){0};
    copy_name(attribute, "LogicalName", ret->name);
    copy_name(attribute, "AttributeType", type);
    ret->key = strcmp(ret->name, key_column) == 0;
    ret->lookup = is_reference(type);
    ret->shown = ret->name[0] && is_true(attribute, "IsValidForRead") && !is_hidden(type) &&
                 !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(attribute, "AttributeOf"));
    ret->create = is_true(attribute, "IsValidForCreate");
    /* An owner or a customer may be of several tables; a row does not say of which. */
    if (ret->lookup && strcmp(type, "Lookup") != 0)
        ret->create = false;
}

static struct table_column *
find(const struct columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->items[i].name, name) == 0)
            return &columns->items[i];
    return NULL;
}

/** A lookup with one target and a navigation property can be given; with several it is not known to
 * which one a value leads. */
static void
read_relationships(const cJSON *json, struct columns *columns)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "ManyToOneRelationships");
    const cJSON *relationship;

    cJSON_ArrayForEach(relationship, list)
    {
        char name[DEFINITION_NAME_BYTES];
        struct table_column *column;

        copy_name(relationship, "ReferencingAttribute", name);
        column = find(columns, name);
        if (!column || !column->lookup || !column->create)
            continue;
        if (column->navigation[0]) {
            column->create = false;
            continue;
        }
        copy_name(relationship, "ReferencingEntityNavigationPropertyName", column->navigation);
        copy_name(relationship, "ReferencedEntity", column->target_set);
    }
    for (size_t i = 0; i < columns->count; i++) {
        struct table_column *column = &columns->items[i];

        if (column->lookup && (!column->navigation[0] || !column->target_set[0]))
            column->create = false;
    }
}

bool
columns_read(struct slice body, const char *key_column, struct columns *ret, struct err *err)
{
    cJSON *json = body.size > 0 ? cJSON_ParseWithLength((const char *)body.data, body.size) : NULL;
    const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(json, "Attributes");
    const int count = cJSON_IsArray(attributes) ? cJSON_GetArraySize(attributes) : 0;
    struct columns columns = {0};
    const cJSON *attribute;
    const struct table_column *date;

    if (count > 0 && count <= COLUMNS_MAX)
        columns.items = calloc((size_t)count, sizeof *columns.items);
    if (!columns.items) {
        cJSON_Delete(json);
        return err_set(err, ERR_SERVER, "the table's columns cannot be read");
    }
    cJSON_ArrayForEach(attribute, attributes)
        read_column(attribute, key_column, &columns.items[columns.count++]);
    read_relationships(json, &columns);
    cJSON_Delete(json);
    date = find(&columns, "overriddencreatedon");
    columns.dates = date && date->create;
    *ret = columns;
    return true;
}

void
columns_done(struct columns *columns)
{
    free(columns->items);
    *columns = (struct columns){0};
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

/** Which set a lookup leads to. Without an answer its value is lost, and that is told. */
static bool
find_target(struct session *session, struct table_column *column, struct err *err)
{
    char path[2 * DEFINITION_NAME_BYTES + 64];
    struct fetch fetch;
    cJSON *json;

    (void)snprintf(path, sizeof path, "EntityDefinitions(LogicalName='%s')?$select=EntitySetName",
                   column->target_set);
    if (!ask(session, path, &fetch, err))
        return false;
    json = fetch.judgement.verdict == VERDICT_OK ? answer_json(fetch.answer) : NULL;
    copy_name(json, "EntitySetName", column->target_set);
    cJSON_Delete(json);
    column->create = column->target_set[0] != '\0';
    return true;
}

bool
columns_fetch(struct session *session, const struct definition *definition, struct columns *ret,
              struct err *err)
{
    struct columns columns = {0};
    struct fetch fetch;

    if (!ask(session, with_relationships, &fetch, err))
        return false;
    /* Not every environment lets relationships be asked for so: then lookups are lost. */
    if (fetch.answer->status == 400 && !ask(session, ASK, &fetch, err))
        return false;
    if (fetch.judgement.verdict != VERDICT_OK) {
        *err = fetch.judgement.err;
        return false;
    }
    if (fetch.answer->status != 200)
        return answer_malformed(fetch.answer, "the table's columns cannot be read", err);
    if (!columns_read(fetch.answer->body, definition->key_column, &columns, err))
        return false;
    for (size_t i = 0; i < columns.count; i++)
        if (columns.items[i].lookup && columns.items[i].create &&
            !find_target(session, &columns.items[i], err)) {
            columns_done(&columns);
            return false;
        }
    *ret = columns;
    return true;
}

const struct table_column *
columns_of_member(const struct columns *columns, struct slice member)
{
    static const char tail[] = "_value";
    const size_t tail_size = sizeof tail - 1;
    const bool reference = member.size > tail_size + 1 && member.data[0] == '_' &&
                           memcmp(member.data + member.size - tail_size, tail, tail_size) == 0;
    const struct slice name =
        reference ? slice_of(member.data + 1, member.size - tail_size - 1) : member;

    for (size_t i = 0; i < columns->count; i++)
        if (columns->items[i].lookup == reference &&
            slice_equal(name, slice_of_string(columns->items[i].name)))
            return &columns->items[i];
    return NULL;
}

bool
columns_survives(const struct columns *columns, const struct table_column *column)
{
    if (strcmp(column->name, "createdon") == 0)
        return columns->dates;
    /* The service sets it to the time of the return. */
    if (strcmp(column->name, "overriddencreatedon") == 0)
        return false;
    return column->key || column->create;
}
