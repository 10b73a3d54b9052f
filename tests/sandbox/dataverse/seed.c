#include "dataverse/seed.h"

#include "dataverse/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 200000 };

struct seeding {
    struct dv_store *store;
    struct dv_settings *settings;
    char *why;
    size_t why_size;
};

static bool
refuse(struct seeding *seeding, const char *text, const char *name)
{
    (void)snprintf(seeding->why, seeding->why_size, "seed: %s%s", text, name ? name : "");
    return false;
}

/** Rows of a seed belong to somebody else than the application user, unless they say whose they
 * are. */
static bool
store_row(struct seeding *seeding, const struct dv_table *table, const cJSON *row)
{
    static const char *const properties[] = {"_ownerid_value", "_owninguser_value"};
    static const char owner[] = "5e9d3b7a-1c4f-4e2d-8a6b-9f0e1d2c3b4a";
    cJSON *owned = cJSON_Duplicate(row, true);
    for (size_t i = 0; i < 2; i++) {
        if (dv_property(table, properties[i]) && !cJSON_HasObjectItem(owned, properties[i]))
            (void)cJSON_AddStringToObject(owned, properties[i], owner);
    }
    bool ok = owned && dv_row_insert(seeding->store, seeding->settings, table, owned, NULL);
    cJSON_Delete(owned);
    return ok;
}

/* ---- rows as they are ---- */

static bool
fill_set(struct seeding *seeding, const cJSON *rows)
{
    const struct dv_table *table = dv_table_by_set(rows->string);
    const cJSON *row = NULL;
    if (!table || !cJSON_IsArray(rows))
        return refuse(seeding, "no such set: ", rows->string);
    cJSON_ArrayForEach(row, rows)
    {
        if (!cJSON_IsObject(row) || !store_row(seeding, table, row))
            return refuse(seeding, "a row cannot be stored in ", rows->string);
    }
    return true;
}

static bool
fill_sets(struct seeding *seeding, const cJSON *sets)
{
    const cJSON *rows = NULL;
    cJSON_ArrayForEach(rows, sets)
    {
        if (!fill_set(seeding, rows))
            return false;
    }
    return true;
}

static bool
fill_organization(struct seeding *seeding)
{
    const struct dv_table *table = dv_table_by_set("organizations");
    cJSON *row = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(row, table->key, seeding->settings->organization_id);
    (void)cJSON_AddStringToObject(row, "name", seeding->settings->unique_name);
    (void)cJSON_AddNumberToObject(row, "languagecode", 1033);
    bool ok = dv_row_insert(seeding->store, seeding->settings, table, row, NULL);
    cJSON_Delete(row);
    return ok || refuse(seeding, "the organization cannot be stored", NULL);
}

/* ---- rows made from a list of maps ---- */

/** The same ids for the same index at each start, spread over the whole range. */
static void
id_of(uint64_t index, uint64_t salt, char ret[DV_ID_BYTES])
{
    uint64_t words[2];
    for (size_t i = 0; i < 2; i++) {
        uint64_t z = (index * 2 + i + 1) * 0x9E3779B97F4A7C15U + salt;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        words[i] = z ^ (z >> 31);
    }
    (void)snprintf(ret, DV_ID_BYTES, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(words[0] >> 32),
                   (unsigned)(words[0] >> 16 & 0xFFFF), (unsigned)(words[0] & 0xFFF),
                   (unsigned)(words[1] >> 52), (unsigned long long)(words[1] & 0xFFFFFFFFFFFFU));
}

static const char *
text_of(const cJSON *object, const char *name, const char *fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : fallback;
}

static double
number_of(const cJSON *object, const char *name, double fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

static void
add_field_mappings(cJSON *payload, size_t count)
{
    char name[64];
    cJSON *list = cJSON_AddArrayToObject(payload, "FieldMappings");
    for (size_t i = 0; i < count; i++) {
        cJSON *item = cJSON_CreateObject();
        (void)snprintf(name, sizeof(name), "msdyn_field%zu", i + 1);
        (void)cJSON_AddStringToObject(item, "SourceField", name);
        (void)snprintf(name, sizeof(name), "FIELD%zu", i + 1);
        (void)cJSON_AddStringToObject(item, "DestinationField", name);
        (void)cJSON_AddBoolToObject(item, "IsKey", i == 0);
        (void)cJSON_AddNullToObject(item, "ValueTransforms");
        cJSON_AddItemToArray(list, item);
    }
}

static const char no_project[] = "00000000-0000-0000-0000-000000000000";

/** The payload as the community describes it, with the source's organization in a JSON text inside.
 */
static char *
payload_of(const cJSON *recipe, const cJSON *map, uint64_t index)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON *inner = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(payload, "ProjectId", no_project);
    (void)cJSON_AddStringToObject(payload, "SourceEntityName",
                                  cJSON_GetArrayItem(map, 1)->valuestring);
    (void)cJSON_AddNumberToObject(payload, "SourceEnvironmentType", 1);
    (void)cJSON_AddStringToObject(payload, "DestinationEntityName",
                                  cJSON_GetArrayItem(map, 0)->valuestring);
    (void)cJSON_AddNumberToObject(payload, "DestinationEnvironmentType", 3);
    cJSON *version = cJSON_AddObjectToObject(payload, "EntityMapVersion");
    (void)cJSON_AddNumberToObject(version, "Major", 1);
    (void)cJSON_AddNumberToObject(version, "Minor", 0);
    (void)cJSON_AddNumberToObject(version, "Build", 0);
    (void)cJSON_AddNumberToObject(version, "Revision", (double)(index % 9));
    (void)cJSON_AddStringToObject(inner, "OrganizationUniqueName",
                                  text_of(recipe, "organization", "org_contosoprod"));
    (void)cJSON_AddStringToObject(
        inner, "OrganizationUrl",
        text_of(recipe, "url", "https://contoso-prod.crm4.dynamics.com/"));
    char *inner_text = cJSON_PrintUnformatted(inner);
    (void)cJSON_AddStringToObject(payload, "Configuration", inner_text ? inner_text : "{}");
    (void)cJSON_AddStringToObject(payload, "SourceFilter", text_of(recipe, "filter", ""));
    double fields = number_of(recipe, "fields", 24);
    add_field_mappings(payload, fields > 0 && fields < 100000 ? (size_t)fields : 0);
    char *text = cJSON_PrintUnformatted(payload);
    cJSON_free(inner_text);
    cJSON_Delete(inner);
    cJSON_Delete(payload);
    return text;
}

static bool
generate_row(struct seeding *seeding, const cJSON *recipe, const cJSON *map, char *payload,
             uint64_t index)
{
    const struct dv_table *table = dv_table_by_set(DV_CONFIG_SET);
    const cJSON *external = cJSON_GetArrayItem(map, 0);
    const cJSON *internal = cJSON_GetArrayItem(map, 1);
    char id[DV_ID_BYTES];
    char name[512];
    char *project = strstr(payload, "\"ProjectId\":\"");
    id_of(index, 77, id);
    if (project)
        memcpy(project + strlen("\"ProjectId\":\""), id, DV_ID_BYTES - 1);
    id_of(index, 1, id);
    (void)snprintf(name, sizeof(name), "%s - %s", external->valuestring, internal->valuestring);
    cJSON *row = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(row, table->key, id);
    (void)cJSON_AddStringToObject(row, "msdyn_name", name);
    (void)cJSON_AddStringToObject(row, "msdyn_internalentityname", internal->valuestring);
    (void)cJSON_AddStringToObject(row, "msdyn_externalentityname", external->valuestring);
    (void)cJSON_AddStringToObject(row, "msdyn_unsecure", payload);
    const char *created = text_of(recipe, "created", "2025-03-04T05:06:07Z");
    (void)cJSON_AddStringToObject(row, "createdon", created);
    (void)cJSON_AddStringToObject(row, "modifiedon", text_of(recipe, "modified", created));
    bool ok = store_row(seeding, table, row);
    cJSON_Delete(row);
    return ok || refuse(seeding, "a row cannot be stored", NULL);
}

/** The rows of one map among `wanted` rows of all maps. */
static bool
generate_map(struct seeding *seeding, const cJSON *recipe, int which, int64_t wanted)
{
    const cJSON *maps = cJSON_GetObjectItemCaseSensitive(recipe, "maps");
    const cJSON *map = cJSON_GetArrayItem(maps, which);
    if (!cJSON_IsString(cJSON_GetArrayItem(map, 0)) || !cJSON_IsString(cJSON_GetArrayItem(map, 1)))
        return refuse(seeding, "a map is [F&O entity, Dataverse table]", NULL);
    char *payload = payload_of(recipe, map, (uint64_t)which);
    bool ok = payload != NULL;
    for (int64_t i = which; ok && i < wanted; i += cJSON_GetArraySize(maps))
        ok = generate_row(seeding, recipe, map, payload, (uint64_t)i);
    cJSON_free(payload);
    return ok;
}

static bool
generate(struct seeding *seeding, const cJSON *recipe, int64_t rows)
{
    const cJSON *maps = cJSON_GetObjectItemCaseSensitive(recipe, "maps");
    int map_count = cJSON_GetArraySize(maps);
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(recipe, "count");
    if (!recipe)
        return true;
    int64_t wanted = map_count;
    if (cJSON_IsNumber(count))
        wanted = (int64_t)count->valuedouble;
    if (count && rows >= 0)
        wanted = rows;
    if (map_count == 0 || wanted < 0 || wanted > ROWS_MAX)
        return refuse(seeding, "\"generate\" needs maps and at most 200000 rows", NULL);
    bool ok = true;
    for (int m = 0; ok && m < map_count && m < wanted; m++)
        ok = generate_map(seeding, recipe, m, wanted);
    return ok;
}

static bool
fill(struct seeding *seeding, const cJSON *seed, int64_t rows)
{
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(seed, "settings");
    const char *name = "";
    if (!cJSON_IsObject(seed))
        return refuse(seeding, "not a JSON object", NULL);
    dv_settings_default(seeding->settings);
    if (settings && !dv_settings_merge(seeding->settings, settings, &name))
        return refuse(seeding, "setting not known or out of range: ", name);
    if (!dv_store_clear(seeding->store))
        return refuse(seeding, "the store cannot be emptied", NULL);
    return fill_organization(seeding) &&
           fill_sets(seeding, cJSON_GetObjectItemCaseSensitive(seed, "sets")) &&
           generate(seeding, cJSON_GetObjectItemCaseSensitive(seed, "generate"), rows);
}

bool
dv_seed(const char *text, int64_t rows, struct dv_store *store, struct dv_settings *settings,
        char *why, size_t why_size) /* NOLINT(readability-non-const-parameter): written to */
{
    struct seeding seeding = {
        .store = store, .settings = settings, .why = why, .why_size = why_size};
    if (!dv_store_begin(store))
        return refuse(&seeding, "the store is busy", NULL);
    cJSON *seed = dv_parse_json(text, strlen(text));
    bool ok = fill(&seeding, seed, rows);
    cJSON_Delete(seed);
    return dv_store_end(store, ok) && ok;
}
