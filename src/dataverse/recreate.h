/** Creating rows again, each with its old key, only where there is none. */
#ifndef DATAVERSE_RECREATE_H
#define DATAVERSE_RECREATE_H

#include "base/err.h"
#include "base/text.h"
#include "columns.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>

struct recreate; /* opaque */

/** Everything is borrowed. */
struct recreate_task {
    const struct definition *definition;
    const struct columns *columns;
    const struct return_sink *sink;
    size_t total;
};

MUST_CHECK bool recreate_new(struct session *session, const struct recreate_task *task,
                             struct recreate **ret, struct err *err);
void recreate_free(struct recreate *recreate); /* NULL is allowed */

MUST_CHECK bool recreate_row(struct recreate *recreate, const char *key, struct slice document,
                             struct err *err);
MUST_CHECK bool recreate_end(struct recreate *recreate, struct err *err);

/**
 * Append the body of a create: of a document of read_rows what a new row may be given. `*ret_date`
 * is where the member overriddencreatedon (with the comma in front of it) begins, 0 when there is
 * none or nothing is in front of it; it is the last. False when the document is not one JSON
 * object, or it cannot be written.
 */
MUST_CHECK bool recreate_body(const struct columns *columns, struct slice document,
                              struct text *ret, size_t *ret_date);

#endif
