#include "core/rowset.h"

#include <stdlib.h>
#include <string.h>

struct rowset_mark {
    struct digest digest;
    char version[ROW_VERSION_BYTES];
};

bool
rowset_begin(struct rowset *ret, enum table table, struct err *err)
{
    *ret = (struct rowset){.table = table, .stream = digest_new()};
    if (!ret->stream)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return true;
}

void
rowset_done(struct rowset *set)
{
    digest_free(set->stream);
    free(set->marks);
    *set = (struct rowset){0};
}

static int
mark_compare(const void *a, const void *b)
{
    const struct rowset_mark *left = a;
    const struct rowset_mark *right = b;
    const int order = memcmp(left->digest.bytes, right->digest.bytes, DIGEST_BYTES);

    return order ? order : strcmp(left->version, right->version);
}

/** Fold the rows of the key in hand into the digest. */
static void
fold_marks(struct rowset *set)
{
    if (set->mark_count > 1)
        qsort(set->marks, set->mark_count, sizeof *set->marks, mark_compare);
    for (size_t i = 0; i < set->mark_count; i++) {
        digest_add_slice(set->stream, slice_of_string(set->key));
        digest_add(set->stream, set->marks[i].digest.bytes, DIGEST_BYTES);
        digest_add_slice(set->stream, slice_of_string(set->marks[i].version));
    }
    set->mark_count = 0;
}

static bool
room_for_mark(struct rowset *set, struct err *err)
{
    const size_t capacity = set->mark_capacity ? set->mark_capacity * 2 : 4;
    struct rowset_mark *marks;

    if (set->mark_count < set->mark_capacity)
        return true;
    if (set->mark_count >= ROWSET_MAX_SAME_KEY)
        return err_set(err, ERR_SERVER, "more than %d rows of %s share the key %s",
                       ROWSET_MAX_SAME_KEY, table_name(set->table), set->key);
    marks = realloc(set->marks, capacity * sizeof *marks);
    if (!marks)
        return err_set(err, ERR_INTERNAL, "out of memory");
    set->marks = marks;
    set->mark_capacity = capacity;
    return true;
}

/** As row_key_compare of the key in hand with the next one, which is parsed once. */
static int
compare_next(const struct rowset *set, const char *key, bool is_number,
             const struct axdb_key *number)
{
    if (set->is_number && is_number)
        return axdb_key_compare(&set->number, number);
    return strcmp(set->key, key);
}

bool
rowset_add(struct rowset *set, const struct row_id *row, struct err *err)
{
    struct axdb_key number = {0};
    const bool is_number = set->table != TABLE_RUNTIME && axdb_key_parse(row->key, &number);
    int order = -1;

    if (row->table != set->table)
        return err_set(err, ERR_SERVER, "a row of %s came among those of %s",
                       table_name(row->table), table_name(set->table));
    if (set->rows)
        order = compare_next(set, row->key, is_number, &number);
    if (order > 0)
        return err_set(err, ERR_SERVER, "rows of %s came out of order: %s after %s",
                       table_name(set->table), row->key, set->key);
    if (order < 0) {
        fold_marks(set);
        memcpy(set->key, row->key, sizeof set->key);
        set->number = number;
        set->is_number = is_number;
    }
    if (!room_for_mark(set, err))
        return false;
    set->marks[set->mark_count].digest = row->digest;
    memcpy(set->marks[set->mark_count].version, row->version, ROW_VERSION_BYTES);
    set->mark_count++;
    set->rows++;
    return true;
}

struct table_state
rowset_end(struct rowset *set)
{
    struct table_state state = {.rows = set->rows};

    fold_marks(set);
    digest_add_slice(set->stream, slice_of_string(table_name(set->table)));
    digest_add_u64(set->stream, (uint64_t)set->rows);
    state.digest = digest_finish(set->stream);
    set->rows = 0;
    set->key[0] = '\0';
    return state;
}

bool
table_state_equal(const struct table_state *a, const struct table_state *b)
{
    return a->rows == b->rows && digest_equal(&a->digest, &b->digest);
}
