/** What the environment itself says of what is wrong: a few reads, each asked once. */
#ifndef DATAVERSE_DIAGNOSE_H
#define DATAVERSE_DIAGNOSE_H

#include "base/arena.h"
#include "base/err.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>

/** As runtime_store_ops.diagnose says. */
MUST_CHECK bool diagnose_environment(struct session *session, const struct definition *definition,
                                     struct arena *arena, unsigned parts,
                                     struct runtime_diagnosis *ret, struct err *err);

#endif
