#include "documents.h"

#include "list.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_ROWS = 500,
    PROOF_ROWS = 20, /* that many rows do not lie in our order by chance */
    HELD_MAX_BYTES = 512 * 1024 * 1024,
};

/** A row that waits for its turn. */
struct held {
    char key[ROW_KEY_BYTES];
    char version[ROW_VERSION_BYTES];
    size_t start, size; /* of its document in `bytes` */
};

struct documents {
    const char *key_column;
    const struct row_sink *sink;
    struct digest_stream *digest;
    struct held *held;
    size_t count, capacity;
    struct text bytes;        /* the documents that are held, one behind the other */
    bool streaming;           /* pages are passed on and forgotten */
    char last[ROW_KEY_BYTES]; /* of the row that was passed on last */
};

/** Hold a row: its document without the etag. */
static bool
hold(struct documents *documents, const struct list_row *row, struct err *err)
{
    const size_t start = documents->bytes.used;
    struct held *held;
    cJSON *json;

    if (documents->count == LIST_ROWS_MAX)
        return err_set(err, ERR_SERVER, "the table has more than %d rows", LIST_ROWS_MAX);
    if (documents->count == documents->capacity) {
        const size_t capacity = documents->capacity ? 2 * documents->capacity : 256;

        held = realloc(documents->held, capacity * sizeof *held);
        if (!held)
            return err_set(err, ERR_INTERNAL, "out of memory");
        documents->held = held;
        documents->capacity = capacity;
    }
    rows_append_without(row->object, "@odata.etag", &documents->bytes);
    if (!text_ok(&documents->bytes, err))
        return err_wrap(err, "the rows do not fit into memory");
    json = cJSON_ParseWithLength(documents->bytes.data + start, documents->bytes.used - start);
    if (!cJSON_IsObject(json))
        return err_set(err, ERR_SERVER, "row %s is not a JSON object", row->key);
    cJSON_Delete(json);
    held = &documents->held[documents->count++];
    memcpy(held->key, row->key, sizeof held->key);
    memcpy(held->version, row->version, sizeof held->version);
    held->start = start;
    held->size = documents->bytes.used - start;
    return true;
}

static bool
hold_page(struct documents *documents, const struct rows_page *page, struct err *err)
{
    struct rows_cursor cursor = rows_begin(page->value);
    struct slice object;
    enum rows_step step;

    while ((step = rows_next(&cursor, &object)) == ROWS_ROW) {
        struct list_row row;

        if (!list_row_read(object, documents->key_column, &row, err) || !hold(documents, &row, err))
            return false;
    }
    if (step == ROWS_BROKEN)
        return err_set(err, ERR_SERVER, "a page of rows holds something that is not a row");
    return true;
}

static int
compare_held(const void *a, const void *b)
{
    const struct held *left = a;
    const struct held *right = b;

    return row_key_compare(TABLE_RUNTIME, left->key, right->key);
}

/** Give one row to the sink; keys must grow. */
static bool
emit(struct documents *documents, const struct held *held, struct err *err)
{
    const struct field field = {.bytes = slice_of(documents->bytes.data + held->start, held->size)};
    struct row row = {.id = {.table = TABLE_RUNTIME}, .fields = &field, .count = 1};
    const int order =
        documents->last[0] ? row_key_compare(TABLE_RUNTIME, documents->last, held->key) : -1;

    if (order == 0)
        return err_set(err, ERR_SERVER, "the list of rows names row %s twice", held->key);
    if (order > 0)
        return err_set(err, ERR_SERVER, "the list of rows is not in order at row %s", held->key);
    memcpy(row.id.key, held->key, sizeof row.id.key);
    memcpy(row.id.version, held->version, sizeof row.id.version);
    row_digest(runtime_schema(), documents->digest, &row);
    memcpy(documents->last, held->key, sizeof documents->last);
    return documents->sink->take(documents->sink->ctx, &row, err);
}

/** Pass on what is held, in the order in which it is held, and forget it. */
static bool
emit_held(struct documents *documents, struct err *err)
{
    for (size_t i = 0; i < documents->count; i++)
        if (!emit(documents, &documents->held[i], err))
            return false;
    documents->count = 0;
    text_reset(&documents->bytes);
    return true;
}

static bool
is_sorted(const struct documents *documents)
{
    for (size_t i = 1; i < documents->count; i++)
        if (compare_held(&documents->held[i - 1], &documents->held[i]) >= 0)
            return false;
    return true;
}

static bool
read_pages(struct documents *documents, struct list *list, struct err *err)
{
    for (;;) {
        struct rows_page page;
        bool more;

        if (!list_next(list, &page, &more, err))
            return false;
        if (!more)
            break;
        if (!hold_page(documents, &page, err))
            return false;
        if (list->pages == 1)
            documents->streaming = documents->count >= PROOF_ROWS && is_sorted(documents);
        if (documents->streaming && !emit_held(documents, err))
            return false;
    }
    if (documents->count > 0)
        qsort(documents->held, documents->count, sizeof *documents->held, compare_held);
    return emit_held(documents, err);
}

bool
documents_read(struct session *session, const char *entity_set, const char *key_column,
               const struct row_sink *sink, struct err *err)
{
    struct documents documents = {.key_column = key_column,
                                  .sink = sink,
                                  .digest = digest_new(),
                                  .bytes = {.max = HELD_MAX_BYTES}};
    struct list list;
    char path[512];
    bool done;

    (void)snprintf(path, sizeof path, "%s?$orderby=%s%%20asc", entity_set, key_column);
    if (!documents.digest)
        return err_set(err, ERR_INTERNAL, "out of memory");
    done = list_open(&list, session, path, PAGE_ROWS, err);
    if (done) {
        done = read_pages(&documents, &list, err);
        list_close(&list);
    }
    digest_free(documents.digest);
    free(documents.held);
    text_done(&documents.bytes);
    return done;
}
