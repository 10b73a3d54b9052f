/** What a table must be for an undo script to fill it, asked by the script itself. */
#ifndef MSSQL_UNDO_CHECK_H
#define MSSQL_UNDO_CHECK_H

#include "base/err.h"
#include "base/text.h"
#include "port/table.h"

#include <stdbool.h>

/**
 * Append statements that THROW unless the table of `schema` is a base table, has every insertable
 * column as it was when the rows were read, and has no enabled trigger. A server converts values to
 * another type or scale without an error. Names are compared as the database compares them.
 */
MUST_CHECK bool undo_check_append(const struct schema *schema, struct text *out, struct err *err);

#endif
