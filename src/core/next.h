/** What to do next, after any outcome. Private to core/. */
#ifndef CORE_NEXT_H
#define CORE_NEXT_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"

/** Fill outcome->next. Missing memory only shortens the list. */
void next_steps(const struct run_request *request, struct arena *arena, struct outcome *outcome);

/** The command that finishes a run, or (with `undoes`) an undo; NULL when it cannot be told. */
const char *next_finishing_command(const struct run_request *request, struct arena *arena,
                                   const char *run_id, const char *run_path, const char *undoes);

#endif
