/** Tables as the catalog builds them: shared by what loads and what changes them. */
#ifndef SANDBOX_TSQL_CATALOG_H
#define SANDBOX_TSQL_CATALOG_H

#include "tsql/session.h"

/** One stored object: U table, IX index, AT alteration, TR trigger, IF function, SP policy. */
struct object_row {
    int id, parent, flag;
    const char *type, *name, *sql;
    int64_t created;
};

void table_add_index(struct arena *, struct table *, const struct index *);
/** Names to column numbers. False: one does not exist, or there are too many. */
bool table_key_columns(const struct table *, const struct constraint_def *, int *columns);
int table_next_index(const struct table *);
bool table_has_clustered(const struct table *);
/** The type of a computed column is that of its expression. */
bool table_resolve_computed(struct session *, struct arena *, struct table *);
struct table *catalog_loaded(struct catalog *, int id);

#endif
