#include "odata.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char set_name[] = "msdyn_dualwriteruntimeconfigs";

/** A member by a dotted name: the first dot that leads to a member divides it. */
static const cJSON *
find_type(const cJSON *json, const char *qualified)
{
    const char *dot = strrchr(qualified, '.');
    char space[DEFINITION_NAME_BYTES];

    if (!dot || (size_t)(dot - qualified) >= sizeof space)
        return NULL;
    memcpy(space, qualified, (size_t)(dot - qualified));
    space[dot - qualified] = '\0';
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, space), dot + 1);
}

static const char *
string_of(const cJSON *json, const char *member)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);

    return cJSON_IsString(item) ? item->valuestring : "";
}

/** The entity type of the set. */
static const cJSON *
find_entity(const cJSON *json)
{
    const cJSON *container = find_type(json, string_of(json, "$EntityContainer"));
    const cJSON *set = cJSON_GetObjectItemCaseSensitive(container, set_name);

    return find_type(json, string_of(set, "$Type"));
}

static bool
read_entity(const cJSON *entity, struct definition *ret)
{
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(entity, "$Key");
    const cJSON *key = cJSON_GetArrayItem(keys, 0);
    size_t size = 0;

    if (cJSON_GetArraySize(keys) != 1 || !cJSON_IsString(key))
        return false;
    while (isalnum((unsigned char)key->valuestring[size]) || key->valuestring[size] == '_')
        size++;
    if (size == 0 || key->valuestring[size] || size >= sizeof ret->key_column)
        return false;
    memcpy(ret->key_column, key->valuestring, size + 1);
    (void)snprintf(ret->entity_set, sizeof ret->entity_set, "%s", set_name);
    ret->optimistic_concurrency = true;
    for (int i = 0; i < SHOWN_COLUMNS; i++)
        ret->has[i] = cJSON_HasObjectItem(entity, shown_column_names[i]);
    return true;
}

bool
odata_definition_read(struct slice metadata, struct definition *ret, struct err *err)
{
    cJSON *json = metadata.size > 0
                      ? cJSON_ParseWithLength((const char *)metadata.data, metadata.size)
                      : NULL;
    struct definition definition = {0};
    const bool usable = read_entity(find_entity(json), &definition);

    cJSON_Delete(json);
    if (!usable)
        return err_set(err, ERR_SCHEMA, "the server's metadata does not describe %s", set_name);
    *ret = definition;
    return true;
}

/** Is the set in the service document? */
static bool
names_set(const struct http_answer *answer)
{
    cJSON *json = answer_json(answer);
    const cJSON *entry;
    bool found = false;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "value")) found =
        found || strcmp(string_of(entry, "name"), set_name) == 0;
    cJSON_Delete(json);
    return found;
}

bool
odata_define(struct session *session, struct definition *ret, struct err *err)
{
    char metadata[URL_ORIGIN_BYTES + SESSION_PATH_BYTES + 32];
    struct fetch fetches[] = {{.url = session->root}, {.url = metadata}};

    (void)snprintf(metadata, sizeof metadata, "%s$metadata?$format=json", session->root);
    if (!session_fetch(session, fetches, 2, err))
        return false;
    if (!names_set(fetches[0].answer))
        return err_set(err, ERR_SCHEMA, "the service document does not name %s", set_name);
    return odata_definition_read(fetches[1].answer->body, ret, err);
}

bool
odata_identity(const struct session *session, const struct definition *definition,
               struct arena *arena, struct runtime_identity *ret, struct err *err)
{
    *ret = (struct runtime_identity){
        .dialled_host = arena_string(arena, session->target.host),
        .organization_id = "",
        .unique_name = "",
        .friendly_name = "",
        .environment_id = "",
        .version = "",
        .host = "",
        .user_id = "",
        .fno_url = "",
        .link_detail = "",
        .entity_set = arena_string(arena, definition->entity_set),
        .key_column = arena_string(arena, definition->key_column),
        .optimistic_concurrency = definition->optimistic_concurrency,
        .may_read_all = RIGHT_UNKNOWN,
        .may_delete = RIGHT_UNKNOWN,
        .may_create = RIGHT_UNKNOWN,
    };
    return (ret->dialled_host && ret->entity_set && ret->key_column) || arena_exhausted(err);
}
