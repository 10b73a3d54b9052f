#include "ordered.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_BYTES = 37,
    KEY_PAGE_ROWS = 5000,
    PROOF_ROWS = 20,  /* that many rows do not lie in our order by chance */
    CHUNK_ROWS = 400, /* their keys fill half of a URL of 32 KB */
    HELD_MAX_BYTES = 4 * 1024 * 1024,
    CHUNK_MAX_BYTES = HTTP_BODY_MAX_BYTES,
};

/** A row that waits for its turn. */
struct held {
    char key[KEY_BYTES];
    bool unusual;
    size_t start, size; /* of its object in `bytes`... */
    size_t version;     /* ...and of the version behind it */
};

struct reader {
    struct session *session;
    const struct ordered_query *query;
    const struct ordered_sink *sink;
    struct held *held;
    size_t count, capacity;
    struct text bytes; /* the objects and versions that are held, one behind the other */
    bool streaming;    /* pages are passed on and forgotten */
    bool too_many;     /* to be held */
    char (*keys)[KEY_BYTES];
    size_t key_count, key_capacity;
    bool noted; /* every row was, with the keys */
    size_t given;
    char last[KEY_BYTES]; /* of the row that was passed on last */
};

/** Room for one more thing of `size` bytes; NULL, with `err` filled, when there is none. */
static void *
make_room(void *things, size_t size, size_t count, size_t *capacity, struct err *err)
{
    const size_t larger = *capacity ? 2 * *capacity : 256;
    void *moved = things;

    if (count == LIST_ROWS_MAX) {
        (void)err_set(err, ERR_SERVER, "the table has more than %d rows", LIST_ROWS_MAX);
        return NULL;
    }
    if (things && count < *capacity)
        return things;
    moved = realloc(things, larger * size);
    if (!moved)
        (void)err_set(err, ERR_INTERNAL, "out of memory");
    else
        *capacity = larger;
    return moved;
}

/** `row` lies at the end of `bytes`. */
static bool
hold(struct reader *reader, const struct list_row *row, struct err *err)
{
    const struct held new = {.unusual = row->unusual,
                             .start = reader->bytes.used - row->object.size,
                             .size = row->object.size,
                             .version = strlen(row->version)};
    struct held *held =
        make_room(reader->held, sizeof *held, reader->count, &reader->capacity, err);

    if (!held)
        return false;
    reader->held = held;
    held += reader->count++;
    *held = new;
    memcpy(held->key, row->key, KEY_BYTES); /* a GUID */
    text_append_bytes(&reader->bytes, row->version, new.version);
    return text_ok(&reader->bytes, err) || err_wrap(err, "the rows do not fit into memory");
}

static bool
hold_key(struct reader *reader, const struct list_row *row, struct err *err)
{
    void *keys = make_room(reader->keys, sizeof *reader->keys, reader->key_count,
                           &reader->key_capacity, err);

    if (!keys)
        return false;
    reader->keys = keys;
    memcpy(reader->keys[reader->key_count++], row->key, KEY_BYTES);
    text_reset(&reader->bytes);
    return true;
}

static bool
note_and_hold_key(struct reader *reader, const struct list_row *row, struct err *err)
{
    return reader->sink->note(reader->sink->ctx, row, err) && hold_key(reader, row, err);
}

/** A page on its way: what is done with each of its rows. */
struct page_taker {
    struct reader *reader;
    bool (*take)(struct reader *reader, const struct list_row *row, struct err *err);
};

static bool
take_row(void *ctx, struct rows_members *members, struct err *err)
{
    const struct page_taker *taker = ctx;
    struct reader *reader = taker->reader;
    struct list_row row;

    return list_row_copy(members, reader->query->key_column, &reader->bytes, &row, err) &&
           taker->take(reader, &row, err);
}

/** The next page of a list; each row of it is taken. */
static bool
next_page(struct reader *reader, struct list *list,
          bool (*take)(struct reader *reader, const struct list_row *row, struct err *err),
          bool *ret_more, struct err *err)
{
    struct page_taker page_taker = {.reader = reader, .take = take};
    const struct rows_taker taker = {.ctx = &page_taker, .take = take_row};
    struct rows_page page;

    return list_next(list, &taker, &page, ret_more, err);
}

static int
compare_held(const void *a, const void *b)
{
    const struct held *left = a;
    const struct held *right = b;

    return row_key_compare(TABLE_RUNTIME, left->key, right->key);
}

static int
compare_keys(const void *a, const void *b)
{
    return row_key_compare(TABLE_RUNTIME, a, b);
}

static bool
named_twice(const char *key, struct err *err)
{
    return err_set(err, ERR_SERVER, "the list of rows names row %s twice", key);
}

/** Give one row to the sink; keys must grow. */
static bool
emit(struct reader *reader, const struct held *held, struct err *err)
{
    const struct ordered_sink *sink = reader->sink;
    const char *object = reader->bytes.data + held->start;
    struct list_row row = {.object = slice_of(object, held->size), .unusual = held->unusual};
    const int order =
        reader->last[0] ? row_key_compare(TABLE_RUNTIME, reader->last, held->key) : -1;

    if (order == 0)
        return named_twice(held->key, err);
    if (order > 0)
        return err_set(err, ERR_SERVER, "the list of rows is not in order at row %s", held->key);
    memcpy(reader->last, held->key, sizeof reader->last);
    reader->given++;
    memcpy(row.key, held->key, KEY_BYTES);
    memcpy(row.version, object + held->size, held->version);
    if (sink->note && !reader->noted && !sink->note(sink->ctx, &row, err))
        return false;
    return (reader->query->first > 0 && reader->given > reader->query->first) ||
           sink->take(sink->ctx, &row, err);
}

/** Pass on what is held, in the order in which it is held, and forget it. */
static bool
emit_held(struct reader *reader, struct err *err)
{
    for (size_t i = 0; i < reader->count; i++)
        if (!emit(reader, &reader->held[i], err))
            return false;
    reader->count = 0;
    text_reset(&reader->bytes);
    return true;
}

static bool
emit_sorted(struct reader *reader, struct err *err)
{
    if (reader->count > 0)
        qsort(reader->held, reader->count, sizeof *reader->held, compare_held);
    return emit_held(reader, err);
}

static bool
is_sorted(const struct reader *reader)
{
    for (size_t i = 1; i < reader->count; i++)
        if (compare_held(&reader->held[i - 1], &reader->held[i]) >= 0)
            return false;
    return true;
}

/** A list whose first page lies in our order is passed on page by page. */
static bool
pass_page(struct reader *reader, const struct list *list, struct err *err)
{
    if (list->pages == 1)
        reader->streaming = reader->count >= PROOF_ROWS && is_sorted(reader);
    return !reader->streaming || emit_held(reader, err);
}

/** The pages of a list, until it ends or is too much to be held. */
static bool
read_pages(struct reader *reader, struct list *list, struct err *err)
{
    for (;;) {
        bool more = true;

        if (!next_page(reader, list, hold, &more, err))
            return false;
        if (!more)
            return emit_sorted(reader, err);
        if (!pass_page(reader, list, err))
            return false;
        reader->too_many = !list->ended && reader->bytes.used > HELD_MAX_BYTES;
        if (reader->too_many)
            return true;
    }
}

void
ordered_path(const struct ordered_query *query, const char *select, struct text *ret)
{
    text_printf(ret, "%s?", query->entity_set);
    if (select)
        text_printf(ret, "$select=%s&", select);
    text_printf(ret, "$orderby=%s%%20asc", query->key_column);
}

static bool
open_list(struct reader *reader, const char *select, int page_rows, struct list *ret,
          struct err *err)
{
    TEXT_SCOPED path = {.max = URL_MAX_BYTES};

    ordered_path(reader->query, select, &path);
    return text_ok(&path, err) &&
           list_open(ret, reader->session, text_string(&path), page_rows, err);
}

/* ---- by key ---- */

static bool
sort_keys(struct reader *reader, struct err *err)
{
    if (reader->key_count > 0)
        qsort(reader->keys, reader->key_count, sizeof *reader->keys, compare_keys);
    for (size_t i = 1; i < reader->key_count; i++)
        if (compare_keys(reader->keys[i - 1], reader->keys[i]) == 0)
            return named_twice(reader->keys[i], err);
    return true;
}

/** Where few rows are wanted in order, the others are seen with the keys, and then not read again.
 */
static bool
read_keys(struct reader *reader, struct err *err)
{
    const bool note = reader->sink->note && reader->query->first > 0;
    const char *select = note ? reader->query->select : reader->query->key_column;
    struct list list;
    bool more = true;
    bool done;

    if (!open_list(reader, select, KEY_PAGE_ROWS, &list, err))
        return false;
    do {
        done = next_page(reader, &list, note ? note_and_hold_key : hold_key, &more, err);
    } while (done && more);
    list_close(&list);
    reader->noted = note;
    return done && sort_keys(reader, err);
}

static bool
open_chunk(struct reader *reader, size_t first, size_t count, struct list *ret, struct err *err)
{
    TEXT_SCOPED path = {.max = URL_MAX_BYTES};

    text_printf(&path, "%s?", reader->query->entity_set);
    if (reader->query->select)
        text_printf(&path, "$select=%s&", reader->query->select);
    text_printf(&path, "$filter=Microsoft.Dynamics.CRM.In(PropertyName='%s',PropertyValues=%%5B",
                reader->query->key_column);
    for (size_t i = 0; i < count; i++) {
        text_append(&path, i > 0 ? ",'" : "'");
        text_append(&path, reader->keys[first + i]);
        text_append(&path, "'");
    }
    text_append(&path, "%5D)");
    return text_ok(&path, err) &&
           list_open(ret, reader->session, text_string(&path), KEY_PAGE_ROWS, err);
}

/** The rows of some keys: all of them, or the table changed meanwhile. */
static bool
read_chunk(struct reader *reader, size_t first, size_t count, struct err *err)
{
    struct list list;
    bool more = true;
    bool done;

    if (!open_chunk(reader, first, count, &list, err))
        return false;
    do {
        done = next_page(reader, &list, hold, &more, err);
    } while (done && more);
    list_close(&list);
    if (!done)
        return false;
    if (reader->count > 0)
        qsort(reader->held, reader->count, sizeof *reader->held, compare_held);
    for (size_t i = 0; i < count; i++)
        if (reader->count != count || strcmp(reader->held[i].key, reader->keys[first + i]) != 0) {
            (void)err_set(err, ERR_SERVER, "the table changed while its rows were read");
            err->transient = true;
            return err_hint(err, "Something still writes: stop the maps, then try again.");
        }
    return emit_held(reader, err);
}

static bool
read_by_key(struct reader *reader, struct err *err)
{
    size_t wanted;

    reader->count = 0;
    text_done(&reader->bytes);
    reader->bytes.max = CHUNK_MAX_BYTES;
    if (!read_keys(reader, err))
        return false;
    wanted = reader->key_count;
    if (reader->noted && reader->query->first < wanted)
        wanted = reader->query->first;
    for (size_t first = 0; first < wanted; first += CHUNK_ROWS) {
        const size_t left = wanted - first;

        if (!read_chunk(reader, first, left < CHUNK_ROWS ? left : CHUNK_ROWS, err))
            return false;
    }
    reader->given = reader->key_count;
    return true;
}

bool
ordered_read(struct session *session, const struct ordered_query *query,
             const struct ordered_sink *sink, size_t *ret_count, struct err *err)
{
    struct reader reader = {.session = session,
                            .query = query,
                            .sink = sink,
                            .bytes = {.max = 2 * (size_t)HTTP_BODY_MAX_BYTES}};
    struct list list;
    bool done = open_list(&reader, query->select, query->page_rows, &list, err);

    if (done) {
        done = read_pages(&reader, &list, err);
        list_close(&list);
    }
    if (done && reader.too_many)
        done = read_by_key(&reader, err);
    free(reader.held);
    free(reader.keys);
    text_done(&reader.bytes);
    if (done)
        *ret_count = reader.given;
    return done;
}
