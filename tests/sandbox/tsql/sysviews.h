/** Filling the catalog views. A column that a view does not have is left out without a word. */
#ifndef SANDBOX_TSQL_SYSVIEWS_H
#define SANDBOX_TSQL_SYSVIEWS_H

#include "tsql/session.h"

enum { KNOWN_CELLS = 64 };

/** Where a column was found: names are literals, the same for every row. */
struct known_cell {
    const char *name;
    int column; /* -1 = there is none of that name, or it is not asked for */
};

struct rows {
    struct ectx *x;
    const struct column *columns;
    int width;                     /* columns after the last that is asked for are left out */
    struct val **at, *row, *blank; /* blank: a row of NULLs */
    size_t count, capacity;
    struct known_cell known[KNOWN_CELLS];
};

void row_new(struct rows *);
void row_int(struct rows *, const char *column, int64_t value);
void row_text(struct rows *, const char *column, const char *text);
void row_date(struct rows *, const char *column, int64_t ms_since_1970);
void row_bytes(struct rows *, const char *column, const unsigned char *bytes, size_t length);
void row_zeros(struct rows *); /* bits and tinyints of the new row: 0 */

void fill_objects(struct rows *);
void fill_tables(struct rows *);
void fill_columns(struct rows *);
void fill_computed(struct rows *);
void fill_identities(struct rows *);
void fill_types(struct rows *);
void fill_indexes(struct rows *);
void fill_index_columns(struct rows *);
void fill_key_constraints(struct rows *);
void fill_partitions(struct rows *);
void fill_schemas(struct rows *);
void fill_triggers(struct rows *);
void fill_foreign_keys(struct rows *);
void fill_check_constraints(struct rows *);
void fill_policies(struct rows *);
void fill_predicates(struct rows *);
void fill_tracking(struct rows *);
void fill_databases(struct rows *);
void fill_recovery(struct rows *);
void fill_sessions(struct rows *);
void fill_connections(struct rows *);
void fill_requests(struct rows *);
void fill_locks(struct rows *);
void fill_waits(struct rows *);
void fill_is_tables(struct rows *);
void fill_is_columns(struct rows *);

#endif
