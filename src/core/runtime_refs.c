#include "core/runtime_refs.h"

#include "port/table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64, BLOCK_BYTES = 64 * 1024 };

struct etag_block {
    struct etag_block *next;
    size_t used;
    char bytes[BLOCK_BYTES];
};

void
runtime_refs_done(struct runtime_refs *refs)
{
    while (refs->blocks) {
        struct etag_block *next = refs->blocks->next;

        free(refs->blocks);
        refs->blocks = next;
    }
    free(refs->list);
    *refs = (struct runtime_refs){0};
}

static bool
no_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory");
}

static bool
room(struct runtime_refs *refs, struct err *err)
{
    const size_t capacity = refs->capacity ? refs->capacity * 2 : FIRST_CAPACITY;
    struct runtime_ref *list;

    if (refs->count >= RUNTIME_REFS_MAX)
        return err_set(err, ERR_SERVER, "Dataverse lists more than %d runtime configurations",
                       RUNTIME_REFS_MAX);
    if (refs->count < refs->capacity)
        return true;
    list = realloc(refs->list, capacity * sizeof *list);
    if (!list)
        return no_memory(err);
    refs->list = list;
    refs->capacity = capacity;
    return true;
}

/** NULL: no memory. `size` is with the NUL, at most ROW_VERSION_BYTES. */
static const char *
keep_etag(struct runtime_refs *refs, const char *etag, size_t size)
{
    struct etag_block *block = refs->blocks;
    char *kept;

    if (!block || block->used + size > BLOCK_BYTES) {
        block = malloc(sizeof *block);
        if (!block)
            return NULL;
        block->next = refs->blocks;
        block->used = 0;
        refs->blocks = block;
    }
    kept = block->bytes + block->used;
    memcpy(kept, etag, size);
    block->used += size;
    return kept;
}

bool
runtime_refs_add(struct runtime_refs *refs, const char *key, const char *etag, struct err *err)
{
    struct runtime_ref ref;
    const size_t key_size = strlen(key) + 1;
    const size_t etag_size = strlen(etag) + 1;

    if (key_size > sizeof ref.key || etag_size > ROW_VERSION_BYTES)
        return err_set(err, ERR_SERVER,
                       "a runtime configuration has a key or a version of %zu "
                       "bytes",
                       (key_size > sizeof ref.key ? key_size : etag_size) - 1);
    if (!room(refs, err))
        return false;
    memset(ref.key, 0, sizeof ref.key);
    memcpy(ref.key, key, key_size);
    ref.etag = keep_etag(refs, etag, etag_size);
    if (!ref.etag)
        return no_memory(err);
    refs->list[refs->count++] = ref;
    return true;
}

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const struct runtime_ref *)a)->key, ((const struct runtime_ref *)b)->key);
}

void
runtime_refs_sort(struct runtime_refs *refs)
{
    if (refs->count > 1)
        qsort(refs->list, refs->count, sizeof *refs->list, by_key);
}

size_t
runtime_refs_find(const struct runtime_refs *refs, const char *key)
{
    size_t low = 0;
    size_t high = refs->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(refs->list[middle].key, key);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return refs->count;
}
