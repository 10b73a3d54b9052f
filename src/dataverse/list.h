/**
 * A list of rows, page by page. A list that is not whole is an error,
 * never a short list: no array, a link that leads away or in a circle, a row without its key.
 */
#ifndef DATAVERSE_LIST_H
#define DATAVERSE_LIST_H

#include "base/err.h"
#include "base/text.h"
#include "port/table.h"
#include "rows.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>

enum { LIST_PAGES_MAX = 20000, LIST_ROWS_MAX = 1000000, LIST_PREFER_BYTES = 64 };

struct list {
    struct session *session;
    struct text url; /* of the page that list_next reads next */
    char prefer[LIST_PREFER_BYTES];
    struct digest *followed; /* of each URL that was asked for */
    size_t pages, capacity;
    bool ended;
};

/** A row of a page. */
struct list_row {
    char key[ROW_KEY_BYTES];         /* GUID, lower case */
    char version[ROW_VERSION_BYTES]; /* etag, "" when the service gave none */
    struct slice object; /* its JSON text in the page, or without what is the answer's */
    bool unusual;        /* see struct rows_members */
};

/** The header Prefer of each page. */
void list_prefer(int page_rows, char ret[LIST_PREFER_BYTES]);

/** Begin with `path` under the Web API's root. `page_rows` is asked for, not promised. */
MUST_CHECK bool list_open(struct list *list, struct session *session, const char *path,
                          int page_rows, struct err *err);
void list_close(struct list *list);

/** Read the next page, giving its rows to `taker` if there is one; `*ret_more` false when there was
 * none. The page lives until the next call. */
MUST_CHECK bool list_next(struct list *list, const struct rows_taker *taker, struct rows_page *ret,
                          bool *ret_more, struct err *err);

/** Read key and version of a row's object. ERR_SERVER. */
MUST_CHECK bool list_row_read(struct slice object, const char *key_column, struct list_row *ret,
                              struct err *err);

/**
 * The same of an object whose members are walked here, to its end. Its text is appended to
 * `document`, without the members that belong to the answer and not to the row; there it lies, as
 * long as nothing else is appended.
 */
MUST_CHECK bool list_row_copy(struct rows_members *members, const char *key_column,
                              struct text *document, struct list_row *ret, struct err *err);

#endif
