#include "observe.h"

#include "identifier.h"
#include "list.h"
#include "rights.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ROWS = 5000 };

/** The questions, asked side by side. */
enum question { ASK_ORGANIZATION, ASK_USER, ASK_LINK, ASK_DEFINITION, QUESTIONS };

static const char *const question_paths[QUESTIONS] = {
    [ASK_ORGANIZATION] = "RetrieveCurrentOrganization("
                         "AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')",
    [ASK_USER] = "WhoAmI",
    [ASK_LINK] = "RetrieveFinanceAndOperationsIntegrationDetails",
    [ASK_DEFINITION] = definition_path,
};

/** A string member as a copy in the arena: "" when it is not there, NULL when out of memory. */
static const char *
copy_string(struct arena *arena, const cJSON *json, const char *member)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);

    return arena_string(arena, cJSON_IsString(item) ? item->valuestring : "");
}

/** The same in lower case, for ids. */
static const char *
copy_id(struct arena *arena, const cJSON *json, const char *member)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);
    char *id = arena_string(arena, cJSON_IsString(item) ? item->valuestring : "");

    for (char *at = id; at && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return id;
}

/** The URL of endpoint WebApplication: Keys and Values are lists of equal length. */
static const char *
find_web_application(const cJSON *detail)
{
    const cJSON *endpoints = cJSON_GetObjectItemCaseSensitive(detail, "Endpoints");
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(endpoints, "Keys");
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(endpoints, "Values");
    const cJSON *key;
    int i = 0;

    cJSON_ArrayForEach(key, keys)
    {
        const cJSON *value = cJSON_GetArrayItem(values, i++);

        if (cJSON_IsString(key) && cJSON_IsString(value) &&
            strcmp(key->valuestring, "WebApplication") == 0)
            return value->valuestring;
    }
    return "";
}

static bool
read_organization(const struct http_answer *answer, struct arena *arena,
                  struct runtime_identity *ret, struct err *err)
{
    cJSON *json = answer_json(answer);
    const cJSON *detail = cJSON_GetObjectItemCaseSensitive(json, "Detail");
    char host[URL_HOST_BYTES];

    url_own_host(find_web_application(detail), host);
    ret->organization_id = copy_id(arena, detail, "OrganizationId");
    ret->unique_name = copy_string(arena, detail, "UniqueName");
    ret->friendly_name = copy_string(arena, detail, "FriendlyName");
    ret->environment_id = copy_string(arena, detail, "EnvironmentId");
    ret->version = copy_string(arena, detail, "OrganizationVersion");
    ret->host = arena_string(arena, host);
    cJSON_Delete(json);
    if (!ret->organization_id || !ret->unique_name || !ret->friendly_name || !ret->environment_id ||
        !ret->version || !ret->host)
        return arena_exhausted(err);
    if (!guid_names_something(ret->organization_id) || !ret->unique_name[0])
        return answer_malformed(answer, "the service does not say which organization it is", err);
    return true;
}

static bool
read_user(const struct http_answer *answer, struct arena *arena, struct runtime_identity *ret,
          struct err *err)
{
    cJSON *json = answer_json(answer);
    const char *organization = copy_id(arena, json, "OrganizationId");

    ret->user_id = copy_id(arena, json, "UserId");
    cJSON_Delete(json);
    if (!organization || !ret->user_id)
        return arena_exhausted(err);
    if (!guid_names_something(ret->user_id))
        return answer_malformed(answer, "the service does not say who the user is", err);
    if (!guid_names_something(organization))
        return answer_malformed(answer, "the service does not say whose the user is", err);
    if (strcmp(organization, ret->organization_id) != 0)
        return answer_malformed(answer, "the service answers for two different organizations", err);
    return true;
}

/** 200 = linked; 400 = not linked; anything else tells nothing. */
static bool
read_link(const struct fetch *fetch, struct arena *arena, struct runtime_identity *ret,
          struct err *err)
{
    cJSON *json = answer_json(fetch->answer);
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(json, "Url");

    ret->linked = cJSON_IsString(url) && url->valuestring[0];
    ret->link_known = ret->linked || (fetch->answer->status == 400 && fetch->judgement.odata);
    ret->fno_url = copy_string(arena, json, "Url");
    ret->link_detail = arena_string(arena, ret->linked ? "" : fetch->judgement.err.detail);
    cJSON_Delete(json);
    return (ret->fno_url && ret->link_detail) || arena_exhausted(err);
}

static bool
read_identity(struct session *session, struct arena *arena, struct definition *ret_definition,
              struct runtime_identity *ret, struct err *err)
{
    struct fetch fetches[QUESTIONS] = {
        [ASK_LINK] = {.may_fail = true}, [ASK_DEFINITION] = {.may_fail = true}};

    for (int i = 0; i < QUESTIONS; i++) {
        fetches[i].url = arena_printf(arena, "%s%s", session->root, question_paths[i]);
        if (!fetches[i].url)
            return arena_exhausted(err);
    }
    if (!session_fetch(session, fetches, QUESTIONS, err) ||
        !read_organization(fetches[ASK_ORGANIZATION].answer, arena, ret, err) ||
        !read_user(fetches[ASK_USER].answer, arena, ret, err) ||
        !read_link(&fetches[ASK_LINK], arena, ret, err) ||
        !definition_settle(session, &fetches[ASK_DEFINITION], ret_definition, err))
        return false;
    ret->dialled_host = arena_string(arena, session->target.host);
    ret->entity_set = arena_string(arena, ret_definition->entity_set);
    ret->key_column = arena_string(arena, ret_definition->key_column);
    ret->optimistic_concurrency = ret_definition->optimistic_concurrency;
    if (!ret->dialled_host || !ret->entity_set || !ret->key_column)
        return arena_exhausted(err);
    return rights_fetch(session, arena, ret_definition, ret, err);
}

/** Rows found so far; the array moves, its strings do not. */
struct found {
    struct arena *arena;
    struct runtime_row *rows;
    size_t count, capacity;
};

/** Room for one more row; NULL, with `err` filled, when there is none. */
static struct runtime_row *
make_room(struct found *found, struct err *err)
{
    const size_t capacity = found->capacity ? 2 * found->capacity : 64;
    struct runtime_row *rows = found->rows;

    if (found->count == LIST_ROWS_MAX) {
        (void)err_set(err, ERR_SERVER, "the table has more than %d rows", LIST_ROWS_MAX);
        return NULL;
    }
    if (!rows || found->count == found->capacity) {
        rows = realloc(found->rows, capacity * sizeof *rows);
        if (!rows) {
            (void)err_set(err, ERR_INTERNAL, "out of memory");
            return NULL;
        }
        found->rows = rows;
        found->capacity = capacity;
    }
    return &rows[found->count];
}

static bool
add_row(struct found *found, const struct list_row *row, struct err *err)
{
    cJSON *json;
    const cJSON *state;
    struct runtime_row *shown = make_room(found, err);

    if (!shown)
        return false;
    json = cJSON_ParseWithLength((const char *)row->object.data, row->object.size);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return err_set(err, ERR_SERVER, "row %s is not a JSON object", row->key);
    }
    state = cJSON_GetObjectItemCaseSensitive(json, shown_column_names[SHOWN_STATE]);
    *shown = (struct runtime_row){
        .key = arena_string(found->arena, row->key),
        .etag = arena_string(found->arena, row->version),
        .name = copy_string(found->arena, json, shown_column_names[SHOWN_NAME]),
        .internal_entity =
            copy_string(found->arena, json, shown_column_names[SHOWN_INTERNAL_ENTITY]),
        .external_entity =
            copy_string(found->arena, json, shown_column_names[SHOWN_EXTERNAL_ENTITY]),
        .created_on = copy_string(found->arena, json, shown_column_names[SHOWN_CREATED_ON]),
        .modified_on = copy_string(found->arena, json, shown_column_names[SHOWN_MODIFIED_ON]),
        .active = cJSON_IsNumber(state) && state->valuedouble == 0,
    };
    cJSON_Delete(json);
    if (!shown->key || !shown->etag || !shown->name || !shown->internal_entity ||
        !shown->external_entity || !shown->created_on || !shown->modified_on)
        return arena_exhausted(err);
    found->count++;
    return true;
}

static bool
add_page(struct found *found, const struct rows_page *page, const char *key_column, struct err *err)
{
    struct rows_cursor cursor = rows_begin(page->value);
    struct slice object;
    enum rows_step step;

    while ((step = rows_next(&cursor, &object)) == ROWS_ROW) {
        struct list_row row;

        if (!list_row_read(object, key_column, &row, err) || !add_row(found, &row, err))
            return false;
    }
    if (step == ROWS_BROKEN)
        return err_set(err, ERR_SERVER, "a page of rows holds something that is not a row");
    return true;
}

static int
compare_rows(const void *a, const void *b)
{
    const struct runtime_row *left = a;
    const struct runtime_row *right = b;

    return row_key_compare(TABLE_RUNTIME, left->key, right->key);
}

/** Sort, refuse a row that came twice, and move the array into the arena. */
static bool
finish(struct found *found, struct runtime_evidence *ret, struct err *err)
{
    struct runtime_row *rows;

    if (found->count > 0)
        qsort(found->rows, found->count, sizeof *found->rows, compare_rows);
    for (size_t i = 1; i < found->count; i++)
        if (strcmp(found->rows[i - 1].key, found->rows[i].key) == 0)
            return err_set(err, ERR_SERVER, "the list of rows names row %s twice",
                           found->rows[i].key);
    rows = arena_alloc(found->arena, (found->count ? found->count : 1) * sizeof *rows);
    if (!rows)
        return arena_exhausted(err);
    if (found->count > 0)
        memcpy(rows, found->rows, found->count * sizeof *rows);
    ret->rows = rows;
    ret->row_count = found->count;
    return true;
}

/** "SET?$select=KEY,..." with the columns that are there. */
static const char *
list_path(struct arena *arena, const struct definition *definition)
{
    TEXT_SCOPED path = {.max = URL_MAX_BYTES};
    struct err unused;

    text_printf(&path, "%s?$select=%s", definition->entity_set, definition->key_column);
    for (int i = 0; i < SHOWN_COLUMNS; i++)
        if (definition->has[i])
            text_printf(&path, ",%s", shown_column_names[i]);
    text_printf(&path, "&$orderby=%s%%20asc", definition->key_column);
    return text_ok(&path, &unused) ? arena_string(arena, text_string(&path)) : NULL;
}

static bool
read_list(struct session *session, const struct definition *definition, struct found *found,
          struct err *err)
{
    const char *path = list_path(found->arena, definition);
    struct list list;
    struct rows_page page;
    bool more = true;
    bool done;

    if (!path)
        return arena_exhausted(err);
    if (!list_open(&list, session, path, PAGE_ROWS, err))
        return false;
    do {
        done = list_next(&list, &page, &more, err) &&
               (!more || add_page(found, &page, definition->key_column, err));
    } while (done && more);
    list_close(&list);
    return done;
}

bool
observe_environment(struct session *session, struct arena *arena, struct definition *ret_definition,
                    struct runtime_evidence *ret, struct err *err)
{
    struct runtime_evidence evidence = {0};
    struct definition definition;
    struct found found = {.arena = arena};
    bool done;

    if (!read_identity(session, arena, &definition, &evidence.identity, err))
        return false;
    done = read_list(session, &definition, &found, err) && finish(&found, &evidence, err);
    free(found.rows);
    if (!done)
        return false;
    *ret_definition = definition;
    *ret = evidence;
    return true;
}
