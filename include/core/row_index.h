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
#include <stdint.h>

enum { ROW_INDEX_MAX_ROWS = 4 * 1000 * 1000, ROW_INDEX_MAX_SAME_KEY = 4096 };

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

/** Give out an entry with this key and digest; false = none is left. Each is given out once, so
 * that rows which share a key (possible without a unique index) are matched one by one. */
bool row_index_take(struct row_index *index, const struct axdb_key *key,
                    const struct digest *digest);

/** Entries that no row_index_take has matched. */
size_t row_index_unmatched(const struct row_index *index);

/** Rows that were expected and are not in `now`, or not as often. The others are taken from it. */
size_t row_index_lost(const struct row_index *expected, struct row_index *now);

/* ---- a backup's rows against an index ---- */

enum row_match {
    ROW_ABSENT, /* not there; every entry of its key is another row of the backup */
    ROW_EQUAL,  /* there, with the same digest */
    ROW_DIFFERS /* not there, but an entry of its key is left that equals no row of the backup */
};

/** Rows of a key are told apart when all of them are known: equal ones first, in whatever order
 * they come. Set index, found and ctx; all else zero. */
struct row_matcher {
    struct row_index *index;
    /** Told of each row, in the order in which they came, when the next key has come. */
    bool (*found)(void *ctx, const struct row_id *row, enum row_match match, struct err *err);
    void *ctx;
    struct held_row *held; /* rows of the key in hand; malloc'd */
    size_t held_count, held_capacity;
    struct axdb_key key;
};

/** As a row_sink's `take`, with the matcher as ctx: the next row in key order. ERR_STORAGE: out of
 * order, or too many of one key. */
bool row_matcher_take(void *matcher, const struct row *row, struct err *err);

/** After the last row. */
MUST_CHECK bool row_matcher_end(struct row_matcher *matcher, struct err *err);

void row_matcher_done(struct row_matcher *matcher);

/** How many rows of a backup are there. */
struct row_counts {
    int64_t present, absent, differing;
    int64_t others; /* rows that are there and equal none of the backup */
};

/** As row_matcher's `found`, with `struct row_counts` as ctx; `others` is the caller's. */
bool row_counts_add(void *counts, const struct row_id *row, enum row_match match, struct err *err);

#endif
