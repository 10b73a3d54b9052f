#include "documents.h"

#include "count.h"
#include "identifier.h"
#include "ordered.h"
#include "port/row_digest.h"
#include "port/runtime_store.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 500 };

struct documents {
    const struct row_sink *sink;
    struct row_digester *digester;
    struct text document;
};

/** Would cJSON take it, with which a row is put back? */
static bool
check_document(const struct list_row *row, struct err *err)
{
    cJSON *json;
    bool object;

    if (!row->unusual)
        return true;
    json = cJSON_ParseWithLength((const char *)row->object.data, row->object.size);
    object = cJSON_IsObject(json);
    cJSON_Delete(json);
    return object || err_set(err, ERR_SERVER, "row %s is not a JSON object", row->key);
}

static bool
give(void *ctx, const struct list_row *listed, struct err *err)
{
    struct documents *documents = ctx;
    struct field field;
    struct row row = {.id = {.table = TABLE_RUNTIME}, .fields = &field, .count = 1};

    if (!check_document(listed, err))
        return false;
    field = (struct field){.bytes = listed->object};
    memcpy(row.id.key, listed->key, sizeof row.id.key);
    memcpy(row.id.version, listed->version, sizeof row.id.version);
    row_digest(documents->digester, &row);
    return documents->sink->take(documents->sink->ctx, &row, err);
}

static bool
begin(struct documents *documents, const struct row_sink *sink, struct err *err)
{
    *documents = (struct documents){.sink = sink,
                                    .digester = row_digester_new(runtime_schema()),
                                    .document = {.max = HTTP_BODY_MAX_BYTES}};
    return documents->digester || err_set(err, ERR_INTERNAL, "out of memory");
}

static void
end(struct documents *documents)
{
    row_digester_free(documents->digester);
    text_done(&documents->document);
}

struct ordered_query
documents_query(const struct definition *definition)
{
    return (struct ordered_query){.entity_set = definition->entity_set,
                                  .key_column = definition->key_column,
                                  .page_rows = PAGE_ROWS};
}

bool
documents_read(struct session *session, const struct definition *definition,
               const struct row_sink *sink, struct err *err)
{
    const struct ordered_query query = documents_query(definition);
    struct documents documents;
    const struct ordered_sink ordered = {.ctx = &documents, .take = give};
    int64_t before;
    size_t count;
    bool done;

    if (!count_rows(session, definition, &before, err) || !begin(&documents, sink, err))
        return false;
    done = ordered_read(session, &query, &ordered, &count, err) &&
           count_agrees(session, definition, before, (int64_t)count, err);
    end(&documents);
    return done;
}

/** An answer to the question for one row. */
static bool
give_one(const struct fetch *fetch, const struct definition *definition, const char *key,
         struct documents *documents, struct err *err)
{
    const struct slice body = fetch->answer->body;
    struct rows_members members = rows_members_begin(body);
    struct list_row row;

    if (fetch->answer->status != 200 || !rows_is_object(body))
        return answer_malformed(fetch->answer, "a row was not answered as one", err);
    if (!list_row_copy(&members, definition->key_column, &documents->document, &row, err))
        return false;
    if (strcmp(row.key, key) != 0)
        return answer_malformed(fetch->answer, "the service answered with another row", err);
    return give(documents, &row, err);
}

bool
documents_read_one(struct session *session, const struct definition *definition, const char *key,
                   const struct row_sink *sink, bool *ret_found, struct err *err)
{
    char url[sizeof session->root + DEFINITION_NAME_BYTES + 128];
    struct fetch fetch = {.url = url, .may_fail = true};
    struct documents documents;
    bool found;
    bool done;

    if (!guid_names_something(key))
        return err_set(err, ERR_INTERNAL, "a row is asked for by a key that is no GUID");
    (void)snprintf(url, sizeof url, "%s%s(%s)", session->root, definition->entity_set, key);
    if (!session_fetch(session, &fetch, 1, err))
        return false;
    found = fetch.judgement.verdict == VERDICT_OK;
    if (!found && fetch.judgement.verdict != VERDICT_GONE) {
        *err = fetch.judgement.err;
        return false;
    }
    done = begin(&documents, sink, err);
    if (done && found)
        done = give_one(&fetch, definition, key, &documents, err);
    end(&documents);
    if (done)
        *ret_found = found;
    return done;
}
