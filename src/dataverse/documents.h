/** Rows with all their columns, each as the JSON text that the service sent. */
#ifndef DATAVERSE_DOCUMENTS_H
#define DATAVERSE_DOCUMENTS_H

#include "base/err.h"
#include "definition.h"
#include "ordered.h"
#include "port/table.h"
#include "session.h"

#include <stdbool.h>

/** Every row, in the order of row_key_compare. A list that is not whole is a failure. */
MUST_CHECK bool documents_read(struct session *session, const struct definition *definition,
                               const struct row_sink *sink, struct err *err);

/** One row as documents_read brings it; `*ret_found` false: there is none. */
MUST_CHECK bool documents_read_one(struct session *session, const struct definition *definition,
                                   const char *key, const struct row_sink *sink, bool *ret_found,
                                   struct err *err);

/** The list of rows with all columns. */
struct ordered_query documents_query(const struct definition *definition);

#endif
