/**
 * Keys and digests of AxDB rows, for looking them up: what settles a lost COMMIT and what an undo
 * with --merge has to know. 56 bytes a row, at most ROW_INDEX_MAX_ROWS.
 */
#ifndef CORE_ROW_INDEX_H
#define CORE_ROW_INDEX_H

#include "base/digest.h"
#include "base/err.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROW_INDEX_MAX_ROWS = 4 * 1000 * 1000 };

struct row_index_entry {
    struct axdb_key key;
    struct digest digest;
    bool matched; /* row_index_take has given it out */
};

struct row_index {
    struct row_index_entry *entries; /* malloc'd */
    size_t count, capacity;
};

/** `struct row_index` that frees itself at the end of its scope. */
#define ROW_INDEX_SCOPED __attribute__((cleanup(row_index_done))) struct row_index
void row_index_done(struct row_index *index);

/** Add the next row, in key order. ERR_SERVER: too many, or out of order; ERR_INTERNAL. */
MUST_CHECK bool row_index_add(struct row_index *index, const struct row_id *row, struct err *err);

enum row_match {
    ROW_ABSENT, /* no row has this key */
    ROW_EQUAL,  /* one has, with the same digest */
    ROW_DIFFERS /* one has, with another digest */
};

/** Look a row up. A row that was found equal is not found again, so that rows which share a key
 * (possible without a unique index) are matched one by one. */
enum row_match row_index_take(struct row_index *index, const struct row_id *row);

/** Entries that no row_index_take has matched. */
size_t row_index_unmatched(const struct row_index *index);

#endif
