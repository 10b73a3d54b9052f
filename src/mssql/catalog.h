/** Tables as the catalog describes them: from rows of sql/catalog.sql to a verdict on their use.
 */
#ifndef MSSQL_CATALOG_H
#define MSSQL_CATALOG_H

#include "base/arena.h"
#include "base/err.h"
#include "port/axdb_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CATALOG_MAX_COLUMNS = 1024, CATALOG_MAX_NAMES = 256 };

/** One unique index so far: rows of it come one after the other. */
struct catalog_index {
    int64_t id;
    size_t columns;
    bool only_key; /* all of them are PARTITION or RECID */
};

/** What is known of one table while rows come in. */
struct catalog_table {
    bool seen;             /* something of that name is there */
    char object_type[8];   /* sys.objects.type without its blanks: "U", "V", "SN" */
    int64_t temporal_type; /* 0 = not temporal */
    bool memory_optimized;
    bool kind_unknown;      /* whether it is temporal or memory-optimised */
    bool masking_unknown;   /* whether columns are masked or encrypted */
    bool keys_unknown;      /* which indexes are unique */
    bool utf8_text;         /* the engine stores text as UTF-8 */
    struct column *columns; /* in the arena */
    size_t column_count;
    struct catalog_index index;
    bool unique_key;
    const char *masked; /* a masked column that this login may not see, or NULL */
};

/**
 * Room for one more item behind `count` in an array of the arena, which grows by doubling. NULL
 * when the arena is full.
 */
void *catalog_room(struct arena *arena, void *items, size_t count, size_t item_size);

/** A row of rs_index. */
void catalog_add_index_column(struct catalog_table *table, int64_t index_id,
                              const char *column_name);

/** All rows are in: exists, fault and schema of the table's evidence. ERR_INTERNAL: arena full. */
MUST_CHECK bool catalog_finish(const struct catalog_table *table, enum table which,
                               struct arena *arena, struct axdb_table_evidence *ret,
                               struct err *err);

#endif
