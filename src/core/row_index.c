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

enum row_match
row_index_take(struct row_index *index, const struct row_id *row)
{
    enum row_match match = ROW_ABSENT;
    struct axdb_key key;

    if (!axdb_key_parse(row->key, &key))
        return ROW_ABSENT;
    for (size_t i = lower_bound(index, &key);
         i < index->count && axdb_key_compare(&index->entries[i].key, &key) == 0; i++) {
        struct row_index_entry *entry = &index->entries[i];

        if (entry->matched)
            continue;
        if (digest_equal(&entry->digest, &row->digest)) {
            entry->matched = true;
            return ROW_EQUAL;
        }
        match = ROW_DIFFERS;
    }
    return match;
}

size_t
row_index_unmatched(const struct row_index *index)
{
    size_t count = 0;

    for (size_t i = 0; i < index->count; i++)
        count += !index->entries[i].matched;
    return count;
}
