/**
 * What a stream of rows amounts to: their number, and one digest over key, digest and version of
 * every row in key order. Two streams with equal states held the same rows. Constant memory: rows
 * that share a key (possible only without a unique index) are put into one order, so that a table
 * without one is compared as a multiset.
 */
#ifndef CORE_ROWSET_H
#define CORE_ROWSET_H

#include "base/digest.h"
#include "base/err.h"
#include "port/backup.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROWSET_MAX_SAME_KEY = 4096 };

struct rowset {
    enum table table;
    int64_t rows;
    struct digest_stream *stream;
    struct rowset_mark *marks; /* rows of the key in hand */
    size_t mark_count, mark_capacity;
    char key[ROW_KEY_BYTES];
    struct axdb_key number; /* the same */
    bool is_number;
};

/** Start empty. ERR_INTERNAL when out of memory. rowset_done frees it. */
MUST_CHECK bool rowset_begin(struct rowset *ret, enum table table, struct err *err);

/**
 * Add the next row. ERR_SERVER when it belongs to another table or comes before the last one in key
 * order, or when more than ROWSET_MAX_SAME_KEY rows share a key.
 */
MUST_CHECK bool rowset_add(struct rowset *set, const struct row_id *row, struct err *err);

/** The state; the set is empty again afterwards. */
struct table_state rowset_end(struct rowset *set);

/** `struct rowset` that frees itself at the end of its scope: ROWSET_SCOPED set = {0}; */
#define ROWSET_SCOPED __attribute__((cleanup(rowset_done))) struct rowset
void rowset_done(struct rowset *set);

bool table_state_equal(const struct table_state *a, const struct table_state *b);

#endif
