/**
 * Which organizations rows name: texts under keys like "OrganizationName", at any depth of JSON,
 * and of JSON that is itself a text in JSON. Where dual-write keeps the organization that a row was
 * made in is not documented, so every column is searched; nothing else of a row leaves this file.
 */
#ifndef DATAVERSE_ORGANIZATION_NAMES_H
#define DATAVERSE_ORGANIZATION_NAMES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "port/runtime_store.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    ORGANIZATION_DEPTH_MAX = 32, /* brackets and nested texts together */
    ORGANIZATION_ROW_MAX_BYTES = 4 * 1024 * 1024,
};

/** A search under way; {.arena = arena} begins one. */
struct organization_names {
    struct arena *arena;
    struct organization_name list[DIAGNOSIS_NAMES];
    size_t seen_in[DIAGNOSIS_NAMES]; /* the row that counted last */
    size_t count;
    bool more; /* than DIAGNOSIS_NAMES */
    size_t rows_read, rows_scanned;
    bool whole;     /* of the row under way */
    bool exhausted; /* memory ran out */
};

/** Search one row, a well-formed JSON object. False when memory ran out. */
MUST_CHECK bool organization_names_take(struct organization_names *names, struct slice row,
                                        struct err *err);

/** Is this a key that an organization may stand under? `ret_sure`: what stands there is its name,
 * id or address. */
bool organization_key(const char *key, bool *ret_sure);

#endif
