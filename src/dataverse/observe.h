/** One look at an environment: who it is, its link, its table, and every row's shown columns. */
#ifndef DATAVERSE_OBSERVE_H
#define DATAVERSE_OBSERVE_H

#include "base/arena.h"
#include "base/err.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>

/** Fills `ret_definition` too. Four requests side by side, then the list's pages. Only the first
 * RUNTIME_ROWS_KEPT rows are kept; `sink` (NULL = nobody) gets all. */
MUST_CHECK bool observe_environment(struct session *session, struct arena *arena,
                                    const struct runtime_row_sink *sink,
                                    struct definition *ret_definition, struct runtime_evidence *ret,
                                    struct err *err);

#endif
