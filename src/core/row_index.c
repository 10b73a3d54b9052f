#include "core/row_index.h"

#include <stdlib.h>
#include <string.h>

void
row_index_done(struct row_index *index)
{
    free(index->entries);
    *index = (struct row_index){0};
}

static bool
grow(struct row_index *index, struct err *err)
{
    const size_t capacity = index->capacity ? index->capacity * 2 : 256;
    struct row_index_entry *entries;

    if (index->count >= ROW_INDEX_MAX_ROWS)
        return err_set(err, ERR_SERVER, "the table has more than %d rows to compare with",
                       ROW_INDEX_MAX_ROWS);
    entries = realloc(index->entries, capacity * sizeof *entries);
    if (!entries)
        return err_set(err, ERR_INTERNAL, "out of memory");
    index->entries = entries;
    index->capacity = capacity;
    return true;
}

bool
row_index_add(struct row_index *index, const struct row_id *row, struct err *err)
{
    struct row_index_entry entry = {.digest = row->digest};

    if (!axdb_key_parse(row->key, &entry.key))
        return err_set(err, ERR_SERVER, "%s is not a key of an AxDB row", row->key);
    if (index->count && axdb_key_compare(&index->entries[index->count - 1].key, &entry.key) > 0)
        return err_set(err, ERR_SERVER, "rows of %s came out of order", table_name(row->table));
    if (index->count == index->capacity && !grow(index, err))
        return false;
    index->entries[index->count++] = entry;
    return true;
}

/** The first entry that is not before the key. */
static size_t
lower_bound(const struct row_index *index, const struct axdb_key *key)
{
    size_t low = 0;
    size_t high = index->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (axdb_key_compare(&index->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
row_index_take(struct row_index *index, const struct axdb_key *key, const struct digest *digest)
{
    for (size_t i = lower_bound(index, key);
         i < index->count && axdb_key_compare(&index->entries[i].key, key) == 0; i++) {
        struct row_index_entry *entry = &index->entries[i];

        if (entry->matched || !digest_equal(&entry->digest, digest))
            continue;
        entry->matched = true;
        return true;
    }
    return false;
}

size_t
row_index_unmatched(const struct row_index *index)
{
    size_t count = 0;

    for (size_t i = 0; i < index->count; i++)
        count += !index->entries[i].matched;
    return count;
}

size_t
row_index_lost(const struct row_index *expected, struct row_index *now)
{
    size_t lost = 0;

    for (size_t i = 0; i < expected->count; i++)
        lost += !row_index_take(now, &expected->entries[i].key, &expected->entries[i].digest);
    return lost;
}

/* ---- a backup's rows against an index ---- */

struct held_row {
    struct row_id row;
    bool equal;
};

void
row_matcher_done(struct row_matcher *matcher)
{
    free(matcher->held);
    matcher->held = NULL;
    matcher->held_count = matcher->held_capacity = 0;
}

/** Is an entry of the key left that equals no row of the backup? */
static bool
entry_is_left(const struct row_index *index, const struct axdb_key *key)
{
    for (size_t i = lower_bound(index, key);
         i < index->count && axdb_key_compare(&index->entries[i].key, key) == 0; i++)
        if (!index->entries[i].matched)
            return true;
    return false;
}

/** Every row of the key in hand is known. */
bool
row_matcher_end(struct row_matcher *matcher, struct err *err)
{
    const size_t count = matcher->held_count;
    const bool left = count && entry_is_left(matcher->index, &matcher->key);

    matcher->held_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct held_row *held = &matcher->held[i];
        const enum row_match match = held->equal ? ROW_EQUAL : left ? ROW_DIFFERS : ROW_ABSENT;

        if (!matcher->found(matcher->ctx, &held->row, match, err))
            return false;
    }
    return true;
}

static bool
room_to_hold(struct row_matcher *matcher, struct err *err)
{
    const size_t capacity = matcher->held_capacity ? matcher->held_capacity * 2 : 4;
    struct held_row *held;

    if (matcher->held_count < matcher->held_capacity)
        return true;
    if (matcher->held_count >= ROW_INDEX_MAX_SAME_KEY)
        return err_set(err, ERR_STORAGE, "more than %d rows of the backup share a key",
                       ROW_INDEX_MAX_SAME_KEY);
    held = realloc(matcher->held, capacity * sizeof *held);
    if (!held)
        return err_set(err, ERR_INTERNAL, "out of memory");
    matcher->held = held;
    matcher->held_capacity = capacity;
    return true;
}

bool
row_matcher_take(void *ctx, const struct row *row, struct err *err)
{
    struct row_matcher *matcher = ctx;
    struct axdb_key key;
    int order = 0;

    if (!axdb_key_parse(row->id.key, &key))
        return err_set(err, ERR_STORAGE, "%s is not a key of an AxDB row", row->id.key);
    if (matcher->held_count)
        order = axdb_key_compare(&matcher->key, &key);
    if (order > 0)
        return err_set(err, ERR_STORAGE, "rows of %s came out of order", table_name(row->id.table));
    if ((order < 0 && !row_matcher_end(matcher, err)) || !room_to_hold(matcher, err))
        return false;
    matcher->key = key;
    matcher->held[matcher->held_count++] = (struct held_row){
        .row = row->id, .equal = row_index_take(matcher->index, &key, &row->id.digest)};
    return true;
}

bool
row_counts_add(void *ctx, const struct row_id *row, enum row_match match, struct err *err)
{
    struct row_counts *counts = ctx;

    (void)row;
    (void)err;
    switch (match) {
    case ROW_ABSENT:
        counts->absent++;
        break;
    case ROW_EQUAL:
        counts->present++;
        break;
    case ROW_DIFFERS:
    default:
        counts->differing++;
        break;
    }
    return true;
}
