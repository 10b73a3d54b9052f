/** What to do next, after any outcome. Private to core/. */
#ifndef CORE_NEXT_H
#define CORE_NEXT_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"

/** Fill outcome->next. Missing memory only shortens the list. */
void next_steps(const struct run_request *request, struct arena *arena, struct outcome *outcome);

#endif
