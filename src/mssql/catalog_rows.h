/** The rows of sql/catalog.sql, and what they add up to: a part of the evidence, or the whole
 * answer. */
#ifndef MSSQL_CATALOG_ROWS_H
#define MSSQL_CATALOG_ROWS_H

#include "base/arena.h"
#include "base/err.h"
#include "catalog.h"
#include "port/axdb_store.h"
#include "question.h"
#include "statement.h"

#include <stdbool.h>
#include <stddef.h>

struct catalog_names {
    const char **items;
    size_t count;
};

/** The names of one kind of thing on a table: those that act, and those that are switched off. */
struct catalog_effects {
    struct catalog_names on, off;
};

struct catalog_rights {
    enum right may_select, may_insert, may_delete, may_alter, may_view_definition;
    enum right may_view_definitions; /* of everything in the database */
};

/** What has come so far. Starts as zeroes but for the arena and the connection. */
struct catalog_seen {
    struct arena *arena;
    const struct connection *connection; /* whose options say what kind of engine this is */
    struct catalog_table tables[AXDB_TABLES];
    struct catalog_rights rights[AXDB_TABLES];
    struct catalog_effects triggers[AXDB_TABLES], foreign_keys[AXDB_TABLES], policies[AXDB_TABLES];
};

/** Take a row if it belongs to the catalog; `ret_taken` false leaves it to the caller. */
MUST_CHECK bool catalog_rows_take(struct catalog_seen *seen, const struct cursor *cursor,
                                  bool *ret_taken, struct err *err);

/**
 * All rows are in: exists, fault, schema and the named lists of one table, and nothing else of
 * `ret`. What was not answered, or may not be seen, is not known. `questions` are those that were
 * asked.
 */
MUST_CHECK bool catalog_rows_finish(struct catalog_seen *seen, const struct questions *questions,
                                    enum table which, struct axdb_table_evidence *ret,
                                    struct err *err);

/** A row that names something on a table (table, name, whether it is switched off). */
MUST_CHECK bool catalog_take_name(const struct catalog_seen *seen, const struct cursor *cursor,
                                  struct catalog_effects effects[], struct err *err);

/** The names that have come; known when they were asked for and the login may see all of them. */
struct named_list catalog_list_of(const struct catalog_effects *effects, bool answered,
                                  enum right may_see);

/** Forget every row. */
void catalog_rows_forget(struct catalog_seen *seen);

/** The AxDB table of that name, in any case. */
bool catalog_table_named(const char *name, enum table *ret);

/** The table named by the first column, given as text of our own; ERR_SERVER for any other. */
MUST_CHECK bool catalog_table_by_word(const struct cursor *cursor, enum table *ret,
                                      struct err *err);

/** The table named by the first column, given as bytes out of the catalog. */
MUST_CHECK bool catalog_table_by_bytes(const struct cursor *cursor, struct arena *arena,
                                       enum table *ret, struct err *err);

#endif
