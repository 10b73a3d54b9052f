/** Are two documents the same row? */
#ifndef DATAVERSE_COMPARE_H
#define DATAVERSE_COMPARE_H

#include "base/slice.h"
#include "columns.h"

#include <stdbool.h>

/**
 * As runtime_store_ops.same_row says. A member that one of them lacks counts as null; annotations
 * (names with '@') are not looked at. Values are compared as text, and where the texts differ and
 * are no numbers, by what they say. `columns` may be empty.
 */
bool compare_rows(struct slice a, struct slice b, bool created, const struct columns *columns);

#endif
