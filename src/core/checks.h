/** The checks: evidence to observations. Private to core/. */
#ifndef CORE_CHECKS_H
#define CORE_CHECKS_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"

#include <stdbool.h>

/** Observations under way. `exhausted` = memory ran out: asked once, at the end. */
struct observations {
    struct arena *arena;
    struct observation *list;
    size_t count, capacity;
    bool exhausted;
};

/** Make every check of the halves asked for. False when memory ran out. */
bool checks_make(const struct run_request *request, struct evidence *evidence, struct arena *arena);

#endif
