#include "tsql/session.h"

/* ---- sets of keys ---- */

static uint64_t
hash_bytes(const unsigned char *p, size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ n, word;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

static size_t
key_length(const struct keyset *k, size_t i)
{
    size_t end = i + 1 < k->count ? k->starts[i + 1] : k->bytes.length;
    return end - k->starts[i];
}

static size_t *
find_slot(struct keyset *k, const unsigned char *key, size_t length)
{
    size_t mask = k->slot_count - 1, at = (size_t)hash_bytes(key, length) & mask;
    for (;; at = (at + 1) & mask) {
        size_t i = k->slots[at];
        if (!i)
            return &k->slots[at];
        i--;
        if (key_length(k, i) == length &&
            (!length || memcmp(k->bytes.data + k->starts[i], key, length) == 0))
            return &k->slots[at];
    }
}

static void
rehash(struct keyset *k)
{
    free(k->slots);
    k->slot_count = k->slot_count ? k->slot_count * 2 : 64;
    k->slots = xcalloc(k->slot_count, sizeof *k->slots);
    for (size_t i = 0; i < k->count; i++)
        *find_slot(k, k->bytes.data + k->starts[i], key_length(k, i)) = i + 1;
}

size_t
keyset_add(struct keyset *k, const struct buf *key, bool *ret_new)
{
    if ((k->count + 1) * 2 > k->slot_count)
        rehash(k);
    size_t *slot = find_slot(k, key->data, key->length);
    *ret_new = *slot == 0;
    if (*slot)
        return *slot - 1;
    if (k->count == k->capacity) {
        k->capacity = k->capacity ? k->capacity * 2 : 64;
        k->starts = xrealloc(k->starts, k->capacity * sizeof *k->starts);
    }
    k->starts[k->count++] = k->bytes.length;
    buf_put(&k->bytes, key->data, key->length);
    *slot = k->count;
    return k->count - 1;
}

void
keyset_free(struct keyset *k)
{
    buf_free(&k->bytes);
    free(k->starts);
    free(k->slots);
    *k = (struct keyset){0};
}

/* ---- sorting: rows in one buffer, ordered by their key bytes ---- */

void
sorter_add(struct sorter *s, const struct buf *key, const struct val *row, size_t width)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 64;
        s->entries = xrealloc(s->entries, s->capacity * sizeof *s->entries);
    }
    struct sort_entry *e = &s->entries[s->count];
    e->sequence = s->count++;
    e->key = s->bytes.length;
    e->key_length = key->length;
    buf_put(&s->bytes, key->data, key->length);
    e->row = s->bytes.length;
    row_encode(&s->bytes, row, width);
    e->row_length = s->bytes.length - e->row;
}

static int
by_key(const void *a, const void *b, void *ctx)
{
    const struct sort_entry *x = a, *y = b;
    const unsigned char *bytes = ctx;
    size_t n = x->key_length < y->key_length ? x->key_length : y->key_length;
    int order = n ? memcmp(bytes + x->key, bytes + y->key, n) : 0;
    if (order)
        return order;
    if (x->key_length != y->key_length)
        return x->key_length < y->key_length ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

void
sorter_sort(struct sorter *s)
{
    if (s->count > 1)
        qsort_r(s->entries, s->count, sizeof *s->entries, by_key, s->bytes.data);
}

void
sorter_free(struct sorter *s)
{
    buf_free(&s->bytes);
    free(s->entries);
    *s = (struct sorter){0};
}
