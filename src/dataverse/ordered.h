/**
 * Every row of a list in the order of row_key_compare, in memory that does not grow with the table.
 *
 * The service sorts GUIDs in its own way (SQL Server compares the last group first). So rows are
 * sorted here when all of them are small enough together; a long list that comes in our order is
 * passed on page by page; of any other long list the keys are read first, and then the rows by key,
 * some hundred at a time. Where only the first rows are wanted in order, and the others no more
 * than seen, those few are read by key.
 */
#ifndef DATAVERSE_ORDERED_H
#define DATAVERSE_ORDERED_H

#include "base/err.h"
#include "base/text.h"
#include "list.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>

struct ordered_query {
    const char *entity_set, *key_column;
    const char *select; /* names with commas, the key among them; NULL = all columns */
    int page_rows;
    size_t first; /* that many rows are taken in order; 0 = all of them */
};

/** Where the rows go; each is borrowed until the call returns. A false ends the list. */
struct ordered_sink {
    void *ctx;
    bool (*take)(void *ctx, const struct list_row *row, struct err *err);
    /* NULL, or gets every row once, in whatever order, also those that are taken */
    bool (*note)(void *ctx, const struct list_row *row, struct err *err);
};

/** A list that is not whole is a failure (ERR_SERVER), never a short list. */
MUST_CHECK bool ordered_read(struct session *session, const struct ordered_query *query,
                             const struct ordered_sink *sink, size_t *ret_count, struct err *err);

/** Append the path of the list's first page; `select` NULL = all columns. */
void ordered_path(const struct ordered_query *query, const char *select, struct text *ret);

#endif
