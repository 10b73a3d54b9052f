/**
 * Row digest and version: SHA-256 over the table's name and, for each insertable column in name
 * order (ASCII, without case), name, type, NULL flag, length and stored bytes; `version` the same
 * over the other columns ("" when there are none).
 */
#ifndef PORT_ROW_DIGEST_H
#define PORT_ROW_DIGEST_H

#include "port/table.h"

/** What is the same for every row of a schema, laid out once. */
struct row_digester;

/** For rows of one schema, nothing of which is borrowed. NULL when out of memory. */
struct row_digester *row_digester_new(const struct schema *schema);
void row_digester_free(struct row_digester *digester); /* NULL is allowed */

/** Fills `row->id.digest` and, for an AxDB table, `row->id.version`. */
void row_digest(struct row_digester *digester, struct row *row);

#endif
