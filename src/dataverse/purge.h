/** Deleting rows, each in the version that was backed up.
 */
#ifndef DATAVERSE_PURGE_H
#define DATAVERSE_PURGE_H

#include "base/err.h"
#include "batch_body.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>

/** As runtime_store_ops.remove says. */
MUST_CHECK bool purge_delete_rows(struct session *session, const struct definition *definition,
                                  const struct runtime_ref *rows, size_t count,
                                  const struct removal_sink *sink, struct err *err);

/** What removes one row. */
struct batch_operation purge_operation(const char *entity_set, const char *key, const char *etag);

#endif
