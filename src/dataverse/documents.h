/** Every row with all its columns, as a stream in key order. */
#ifndef DATAVERSE_DOCUMENTS_H
#define DATAVERSE_DOCUMENTS_H

#include "base/err.h"
#include "port/table.h"
#include "session.h"

#include <stdbool.h>

/**
 * Read the entity set page by page and give each row to the sink, in the order of row_key_compare.
 * The service sorts GUIDs in its own way (SQL Server compares the last group first), so rows are
 * sorted here; a long list that already comes in our order is passed on page by page instead.
 */
MUST_CHECK bool documents_read(struct session *session, const char *entity_set,
                               const char *key_column, const struct row_sink *sink,
                               struct err *err);

#endif
