/**
 * A test aid, not a feature: another OData v4 server on this machine takes the place of Dataverse.
 * Set and key come from its service document and its metadata; what only Dataverse can say
 * (organization, link, rights) is not known. The table's set must be called as in Dataverse, and
 * the metadata must come as JSON (OData CSDL JSON).
 */
#ifndef DATAVERSE_ODATA_H
#define DATAVERSE_ODATA_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>

/** Ask the server. ERR_SCHEMA when it does not have the set. */
MUST_CHECK bool odata_define(struct session *session, struct definition *ret, struct err *err);

/** Read $metadata. ERR_SCHEMA when the set or its single key is not in it. */
MUST_CHECK bool odata_definition_read(struct slice metadata, struct definition *ret,
                                      struct err *err);

/** What is known of it: nothing but its address and its table. */
MUST_CHECK bool odata_identity(const struct session *session, const struct definition *definition,
                               struct arena *arena, struct runtime_identity *ret, struct err *err);

#endif
