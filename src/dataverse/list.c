#include "list.h"

#include "base/digest.h"
#include "identifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
list_prefer(int page_rows, char ret[LIST_PREFER_BYTES])
{
    (void)snprintf(ret, LIST_PREFER_BYTES, "odata.maxpagesize=%d", page_rows);
}

bool
list_open(struct list *list, struct session *session, const char *path, int page_rows,
          struct err *err)
{
    struct list opened = {.session = session, .url = {.max = URL_MAX_BYTES}};

    list_prefer(page_rows, opened.prefer);
    text_printf(&opened.url, "%s%s", session->root, path);
    if (!text_ok(&opened.url, err)) {
        text_done(&opened.url);
        return false;
    }
    *list = opened;
    return true;
}

void
list_close(struct list *list)
{
    text_done(&list->url);
    free(list->followed);
    *list = (struct list){0};
}

/** Put the URL on the record of those that were asked for. */
static bool
remember(struct list *list, struct err *err)
{
    const struct digest digest = digest_of(list->url.data, list->url.used);

    for (size_t i = 0; i < list->pages; i++)
        if (digest_equal(&list->followed[i], &digest))
            return err_set(err, ERR_SERVER,
                           "the list of rows leads in a circle: page %zu is page "
                           "%zu again",
                           list->pages + 1, i + 1);
    if (list->pages == LIST_PAGES_MAX)
        return err_set(err, ERR_SERVER, "the list of rows has more than %d pages", LIST_PAGES_MAX);
    if (list->pages == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct digest *followed = realloc(list->followed, capacity * sizeof *followed);

        if (!followed)
            return err_set(err, ERR_INTERNAL, "out of memory");
        list->followed = followed;
        list->capacity = capacity;
    }
    list->followed[list->pages++] = digest;
    return true;
}

/** Make the page's link the next URL. */
static bool
follow(struct list *list, const struct rows_page *page, struct err *err)
{
    char *link;
    TEXT_SCOPED next = {.max = URL_MAX_BYTES};
    bool done;

    if (page->next_link.size == 0) {
        list->ended = true;
        return true;
    }
    link = malloc(page->next_link.size);
    if (!link)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (!rows_string(page->next_link, link, page->next_link.size))
        done = err_set(err, ERR_SERVER, "the link to the next page is not text");
    else
        done = url_follow(text_string(&list->url), link, &next, err);
    free(link);
    if (done) {
        text_reset(&list->url);
        text_append_bytes(&list->url, next.data, next.used);
        done = text_ok(&list->url, err);
    }
    return done;
}

bool
list_next(struct list *list, const struct rows_taker *taker, struct rows_page *ret, bool *ret_more,
          struct err *err)
{
    struct fetch fetch = {.prefer = list->prefer};
    struct rows_page page;
    const char *why = "a list was not answered with 200";

    if (list->ended) {
        *ret_more = false;
        return true;
    }
    if (!remember(list, err))
        return false;
    fetch.url = text_string(&list->url);
    if (!session_fetch(list->session, &fetch, 1, err))
        return false;
    if (fetch.answer->status != 200 || !rows_page_read(fetch.answer->body, taker, &page, &why, err))
        return why && answer_malformed(fetch.answer, why, err);
    if (!follow(list, &page, err))
        return false;
    *ret = page;
    *ret_more = true;
    return true;
}

/** What is wanted of a row. */
struct row_parts {
    struct slice key, etag;
    bool key_twice, etag_twice;
    bool wide; /* as in struct rows_members */
};

/** True: it is the row's own, not what is said about this answer. */
static bool
note_member(struct row_parts *parts, const struct rows_member *member, struct slice key_column)
{
    if (slice_equal(member->name, key_column)) {
        parts->key_twice = parts->key.size > 0;
        parts->key = member->value;
    } else if (rows_is_named(member, "@odata.etag")) {
        parts->etag_twice = parts->etag.size > 0;
        parts->etag = member->value;
        return false;
    }
    return !rows_is_named(member, "@odata.context");
}

static bool
judge_parts(const struct row_parts *parts, const char *key_column, struct list_row *row,
            struct err *err)
{
    if (parts->key.size == 0 || parts->key_twice ||
        !rows_string(parts->key, row->key, sizeof row->key) || !guid_normalize(row->key))
        return err_set(err, ERR_SERVER, "a row has no usable key %.80s", key_column);
    if (parts->etag.size > 0 &&
        (parts->etag_twice || !rows_string(parts->etag, row->version, sizeof row->version) ||
         !etag_is_valid(row->version)))
        return err_set(err, ERR_SERVER, "the version of row %s cannot be used", row->key);
    if (parts->wide && !text_is_utf8(row->object.data, row->object.size))
        return err_set(err, ERR_SERVER, "row %s is not UTF-8", row->key);
    return true;
}

bool
list_row_read(struct slice object, const char *key_column, struct list_row *ret, struct err *err)
{
    struct rows_members members = rows_members_begin(object);
    struct list_row row = {.object = object};
    struct row_parts parts = {0};
    struct rows_member member;

    while (rows_members_next(&members, &member))
        (void)note_member(&parts, &member, slice_of_string(key_column));
    row.unusual = members.unusual;
    parts.wide = members.wide;
    if (!judge_parts(&parts, key_column, &row, err))
        return false;
    *ret = row;
    return true;
}

/** Members that lie side by side; `start` is where their object began. */
static void
copy_members(struct text *document, size_t start, struct slice members)
{
    if (members.size == 0)
        return;
    if (document->used > start + 1)
        text_append_bytes(document, ",", 1);
    text_append_bytes(document, members.data, members.size);
}

bool
list_row_copy(struct rows_members *members, const char *key_column, struct text *document,
              struct list_row *ret, struct err *err)
{
    const size_t start = document->used;
    struct list_row row = {0};
    struct row_parts parts = {0};
    struct rows_member member;
    struct slice together = {0}; /* members with nothing but a comma between them */
    const struct slice key_name = slice_of_string(key_column);

    text_append_bytes(document, "{", 1);
    while (rows_members_next(members, &member)) {
        if (!note_member(&parts, &member, key_name))
            continue;
        if (together.size > 0 && member.whole.data == together.data + together.size + 1) {
            together.size += 1 + member.whole.size;
            continue;
        }
        copy_members(document, start, together);
        together = member.whole;
    }
    copy_members(document, start, together);
    text_append_bytes(document, "}", 1);
    if (!rows_members_end(members))
        return err_set(err, ERR_SERVER, "a row is not whole, well-formed JSON");
    if (!text_ok(document, err))
        return err_wrap(err, "the rows do not fit into memory");
    row.object = slice_of(document->data + start, document->used - start);
    row.unusual = members->unusual;
    parts.wide = members->wide;
    if (!judge_parts(&parts, key_column, &row, err))
        return false;
    *ret = row;
    return true;
}
