/**
 * Many rows of Dataverse by key and version: 48 bytes a row and its etag, so that 100 000 of them
 * take about 7 MB. Etags lie in blocks that never move.
 */
#ifndef CORE_RUNTIME_REFS_H
#define CORE_RUNTIME_REFS_H

#include "base/err.h"
#include "port/runtime_store.h"

#include <stdbool.h>
#include <stddef.h>

enum { RUNTIME_REFS_MAX = 1000000 };

struct etag_block;

struct runtime_refs {
    struct runtime_ref *list; /* malloc'd */
    size_t count, capacity;
    struct etag_block *blocks; /* the newest first */
};

/** `struct runtime_refs` that frees itself at the end of its scope. */
#define RUNTIME_REFS_SCOPED __attribute__((cleanup(runtime_refs_done))) struct runtime_refs
void runtime_refs_done(struct runtime_refs *refs);

/** Add a row; both strings are copied. ERR_SERVER: too many, or a key or an etag that is too long;
 * ERR_INTERNAL. */
MUST_CHECK bool runtime_refs_add(struct runtime_refs *refs, const char *key, const char *etag,
                                 struct err *err);

/** Put them into key order. */
void runtime_refs_sort(struct runtime_refs *refs);

/** Where the row with this key stands, `refs->count` when there is none. They must be in key order.
 */
size_t runtime_refs_find(const struct runtime_refs *refs, const char *key);

#endif
