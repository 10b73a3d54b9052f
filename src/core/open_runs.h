/** Runs of before that were not finished, on the same target. Private to core/. */
#ifndef CORE_OPEN_RUNS_H
#define CORE_OPEN_RUNS_H

#include "run_steps.h"

/**
 * Before a new run: say which run on the same database or organization is not finished, how far it
 * came, and how it is finished. ERR_REFUSED: the outcome of its COMMIT is not known, so nothing may
 * build on what is seen now. A run that a later one on the same half has completed is no more
 * spoken of. Nothing happens without ports->history.
 */
MUST_CHECK bool open_runs_mind(struct run *run, struct err *err);

#endif
