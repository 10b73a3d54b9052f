/**
 * The situations that Microsoft's pages describe, recognised from evidence: which one this is, what
 * shows it, and what remains for the operator to do in the browser. What the evidence does not
 * decide is not claimed: such a situation is named with its condition, or not at all.
 *
 * Sources: "Unlink and relink dual-write environments" (2021, 2026), "Reset dual-write connections"
 * (2023), "Troubleshoot live synchronization issues" (2026), "Dual-write setup from Lifecycle
 * Services" (2026), dual-write FAQ (2022).
 */
#ifndef CORE_SITUATION_H
#define CORE_SITUATION_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"

#include <stdbool.h>

/**
 * Fill outcome->situations from outcome->before. Without evidence of a half nothing is said that
 * would need it.
 *
 * @return false when memory ran out; nothing is filled then
 */
bool situations_find(const struct run_request *request, struct arena *arena,
                     struct outcome *outcome);

#endif
