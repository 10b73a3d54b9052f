/** One look at an environment: who it is, its link, its table, and every row's shown columns. */
#ifndef DATAVERSE_OBSERVE_H
#define DATAVERSE_OBSERVE_H

#include "base/arena.h"
#include "base/err.h"
#include "definition.h"
#include "ordered.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>

/** Fills `ret_definition` too. Four requests side by side, then the list's pages. Only the first
 * RUNTIME_ROWS_KEPT rows are kept; `sink` (NULL = nobody) gets all. */
MUST_CHECK bool observe_environment(struct session *session, struct arena *arena,
                                    const struct runtime_row_sink *sink,
                                    struct definition *ret_definition, struct runtime_evidence *ret,
                                    struct err *err);

enum { OBSERVE_PATHS = 4 };

/** The questions that are asked side by side: what stands behind the root in each URL. */
extern const char *const observe_paths[OBSERVE_PATHS];

/** The list of rows with the columns that may be shown; `select` NULL = out of memory. */
struct ordered_query observe_query(struct arena *arena, const struct definition *definition);

#endif
