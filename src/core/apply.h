/** What a run of a saved plan does besides what clean and repair-map do. Every function does
 * nothing, and succeeds, in a run that has no saved plan. Private to core/. */
#ifndef CORE_APPLY_H
#define CORE_APPLY_H

#include "run_steps.h"

/** Is the plan whole, young enough, and of halves that are named? Its scope becomes the request's.
 * ERR_STORAGE, ERR_STALE. */
MUST_CHECK bool apply_begin(struct run *run, struct err *err);

/** After the look: is this the plan's target? ERR_STALE with both values. */
MUST_CHECK bool apply_same_target(struct run *run, struct err *err);

/**
 * Plan again, without a file, and compare: rows, versions, columns and plan-id. ERR_STALE with
 * outcome->difference. Done once; not before every table in the scope can be read.
 */
MUST_CHECK bool apply_compare(struct run *run, struct err *err);

/** Write the plan, which apply_compare has proven, into the run directory (if there is one). */
MUST_CHECK bool apply_write_plan(struct run *run, struct err *err);

#endif
