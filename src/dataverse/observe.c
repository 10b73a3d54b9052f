#include "observe.h"

#include "count.h"
#include "identifier.h"
#include "odata.h"
#include "ordered.h"
#include "rights.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 5000 };

/** The questions, asked side by side. */
enum question { ASK_ORGANIZATION, ASK_USER, ASK_LINK, ASK_DEFINITION, QUESTIONS };

const char *const observe_paths[OBSERVE_PATHS] = {
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

    if (!url_own_host(find_web_application(detail), host, err)) {
        cJSON_Delete(json);
        return false;
    }
    ret->organization_id = copy_id(arena, detail, "OrganizationId");
    ret->unique_name = copy_string(arena, detail, "UniqueName");
    ret->friendly_name = copy_string(arena, detail, "FriendlyName");
    ret->url_name = copy_string(arena, detail, "UrlName");
    ret->environment_id = copy_string(arena, detail, "EnvironmentId");
    ret->version = copy_string(arena, detail, "OrganizationVersion");
    ret->host = arena_string(arena, host);
    cJSON_Delete(json);
    if (!ret->organization_id || !ret->unique_name || !ret->friendly_name || !ret->url_name ||
        !ret->environment_id || !ret->version || !ret->host)
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

/** The rights, and beside them the rows are counted, for the list that comes next: -1 where they
 * were not. */
static bool
read_rights(struct session *session, struct arena *arena, const struct definition *definition,
            struct runtime_identity *ret, int64_t *ret_rows, struct err *err)
{
    struct count_question counting;

    *ret_rows = -1;
    count_ask(&counting, session, definition);
    return rights_fetch(session, arena, definition, ret, &counting.fetch, err) &&
           (!counting.fetch.answer ||
            count_answered(session, definition, &counting.fetch, ret_rows, err));
}

static bool
read_identity(struct session *session, struct arena *arena, struct definition *ret_definition,
              struct runtime_identity *ret, int64_t *ret_rows, struct err *err)
{
    struct fetch fetches[QUESTIONS] = {
        [ASK_LINK] = {.may_fail = true}, [ASK_DEFINITION] = {.may_fail = true}};

    for (int i = 0; i < QUESTIONS; i++) {
        fetches[i].url = arena_printf(arena, "%s%s", session->root, observe_paths[i]);
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
    return read_rights(session, arena, ret_definition, ret, ret_rows, err);
}

enum { STAMP_BYTES = 64 };

/** What is kept of a list on its way past. */
struct found {
    struct arena *arena;
    const struct runtime_row_sink *sink; /* NULL = nobody */
    struct runtime_row *kept;
    size_t count, without_etag, kept_count;
    char first_created[STAMP_BYTES], last_created[STAMP_BYTES];
};

/** A string member, borrowed: "" when it is not there. */
static const char *
string_of(const cJSON *json, enum shown_column column)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, shown_column_names[column]);

    return cJSON_IsString(item) ? item->valuestring : "";
}

/** Stamps of the service are in UTC and of one form, so that text order is time order. */
static void
note_created(struct found *found, const char *created)
{
    if (!created[0])
        return;
    if (!found->first_created[0] || strcmp(created, found->first_created) < 0)
        (void)snprintf(found->first_created, STAMP_BYTES, "%s", created);
    if (strcmp(created, found->last_created) > 0)
        (void)snprintf(found->last_created, STAMP_BYTES, "%s", created);
}

static bool
keep_row(struct found *found, const struct runtime_row *row, struct err *err)
{
    struct runtime_row *kept = &found->kept[found->kept_count];

    *kept = (struct runtime_row){
        .key = arena_string(found->arena, row->key),
        .etag = arena_string(found->arena, row->etag),
        .name = arena_string(found->arena, row->name),
        .internal_entity = arena_string(found->arena, row->internal_entity),
        .external_entity = arena_string(found->arena, row->external_entity),
        .created_on = arena_string(found->arena, row->created_on),
        .modified_on = arena_string(found->arena, row->modified_on),
        .active = row->active,
    };
    if (!kept->key || !kept->etag || !kept->name || !kept->internal_entity ||
        !kept->external_entity || !kept->created_on || !kept->modified_on)
        return arena_exhausted(err);
    found->kept_count++;
    return true;
}

/** When it was made; a stamp that is none, or longer than any, counts as none. */
static void
note_stamp(struct found *found, struct slice object)
{
    struct rows_members members = rows_members_begin(object);
    struct rows_member member;
    char created[STAMP_BYTES];

    while (rows_members_next(&members, &member))
        if (rows_is_named(&member, shown_column_names[SHOWN_CREATED_ON])) {
            if (rows_string(member.value, created, sizeof created))
                note_created(found, created);
            return;
        }
}

/** Of most rows of a long list this is all that is wanted. */
static bool
note_row(void *ctx, const struct list_row *listed, struct err *err)
{
    struct found *found = ctx;

    (void)err;
    found->count++;
    found->without_etag += listed->version[0] == '\0';
    note_stamp(found, listed->object);
    return true;
}

static bool
take_row(void *ctx, const struct list_row *listed, struct err *err)
{
    struct found *found = ctx;
    cJSON *json = cJSON_ParseWithLength((const char *)listed->object.data, listed->object.size);
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(json, shown_column_names[SHOWN_STATE]);
    const struct runtime_row row = {
        .key = listed->key,
        .etag = listed->version,
        .name = string_of(json, SHOWN_NAME),
        .internal_entity = string_of(json, SHOWN_INTERNAL_ENTITY),
        .external_entity = string_of(json, SHOWN_EXTERNAL_ENTITY),
        .created_on = string_of(json, SHOWN_CREATED_ON),
        .modified_on = string_of(json, SHOWN_MODIFIED_ON),
        .active = cJSON_IsNumber(state) && state->valuedouble == 0,
    };
    bool done = true;

    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return err_set(err, ERR_SERVER, "row %s is not a JSON object", listed->key);
    }
    if (found->kept_count < RUNTIME_ROWS_KEPT)
        done = keep_row(found, &row, err);
    if (done && found->sink)
        done = found->sink->take(found->sink->ctx, &row, err);
    cJSON_Delete(json);
    return done;
}

/** The key and the shown columns that are there. */
static const char *
list_select(struct arena *arena, const struct definition *definition)
{
    TEXT_SCOPED names = {.max = URL_MAX_BYTES};
    struct err unused;

    text_append(&names, definition->key_column);
    for (int i = 0; i < SHOWN_COLUMNS; i++)
        if (definition->has[i])
            text_printf(&names, ",%s", shown_column_names[i]);
    return text_ok(&names, &unused) ? arena_string(arena, text_string(&names)) : NULL;
}

struct ordered_query
observe_query(struct arena *arena, const struct definition *definition)
{
    return (struct ordered_query){.entity_set = definition->entity_set,
                                  .key_column = definition->key_column,
                                  .select = list_select(arena, definition),
                                  .page_rows = PAGE_ROWS};
}

/** Read the list once, behind the count. */
static bool
read_list(struct session *session, const struct definition *definition, struct found *found,
          struct err *err)
{
    struct ordered_query query = observe_query(found->arena, definition);
    const struct ordered_sink sink = {.ctx = found, .take = take_row, .note = note_row};
    size_t listed;

    if (!query.select)
        return arena_exhausted(err);
    query.first = found->sink ? 0 : RUNTIME_ROWS_KEPT;
    found->count = 0;
    found->without_etag = 0;
    found->kept_count = 0;
    found->first_created[0] = '\0';
    found->last_created[0] = '\0';
    return ordered_read(session, &query, &sink, &listed, err);
}

/**
 * `before` is how many rows there were, -1 = not counted yet. A list whose length is not the count
 * taken before it is read again when nobody has seen its rows yet; then it must agree.
 */
static bool
read_whole_list(struct session *session, const struct definition *definition, int64_t before,
                struct found *found, struct err *err)
{
    if ((before < 0 && !count_rows(session, definition, &before, err)) ||
        !read_list(session, definition, found, err))
        return false;
    if (!found->sink && (int64_t)found->count != before &&
        (!count_rows(session, definition, &before, err) ||
         !read_list(session, definition, found, err)))
        return false;
    return count_agrees(session, definition, before, (int64_t)found->count, err);
}

static bool
finish(const struct found *found, struct runtime_evidence *ret, struct err *err)
{
    ret->row_count = found->count;
    ret->rows_without_etag = found->without_etag;
    ret->first_created = arena_string(found->arena, found->first_created);
    ret->last_created = arena_string(found->arena, found->last_created);
    ret->rows = found->kept;
    ret->kept_count = found->kept_count;
    return (ret->first_created && ret->last_created) || arena_exhausted(err);
}

bool
observe_environment(struct session *session, struct arena *arena,
                    const struct runtime_row_sink *sink, struct definition *ret_definition,
                    struct runtime_evidence *ret, struct err *err)
{
    struct runtime_evidence evidence = {0};
    struct definition definition = {0};
    struct found found = {.arena = arena, .sink = sink};
    int64_t before = -1;

    found.kept = arena_alloc(arena, RUNTIME_ROWS_KEPT * sizeof *found.kept);
    if (!found.kept)
        return arena_exhausted(err);
    if (!(session->options->odata
              ? odata_define(session, &definition, err) &&
                    odata_identity(session, &definition, arena, &evidence.identity, err)
              : read_identity(session, arena, &definition, &evidence.identity, &before, err)) ||
        !read_whole_list(session, &definition, before, &found, err) ||
        !finish(&found, &evidence, err))
        return false;
    *ret_definition = definition;
    *ret = evidence;
    return true;
}
