/** The scope of a saved plan, out of its canonical text (scope.c and repair.c write it). Private to
 * core/. */
#ifndef CORE_SCOPE_READ_H
#define CORE_SCOPE_READ_H

#include "base/arena.h"
#include "base/err.h"
#include "core/scope.h"

#include <stdbool.h>
#include <stddef.h>

enum { SCOPE_READ_MAX_ITEMS = 10000 };

struct scope_options {
    bool channels_all;
    const char *const *channels;
    size_t channel_count;
    const char *map; /* INTERNAL:EXTERNAL, NULL = the scope is not a map's */
    const struct project_name *projects;
    size_t project_count;
};

/** Everything lives in `arena`. ERR_STORAGE: not a scope that a clean-up or a repair-map has. */
MUST_CHECK bool scope_read(const char *text, struct arena *arena, struct scope_options *ret,
                           struct err *err);

#endif
