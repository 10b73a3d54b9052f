/**
 * Guards: what stops a run that would write, before anything durable happens. Each refusal says
 * both values and the way on.
 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "core/evidence.h"
#include "core/run.h"

#include <stdbool.h>

/**
 * May the rows be removed from this target in its present state? Looks at rights, schema, database
 * state, pins, triggers, foreign keys, row-level security, whose rows these are, and who shares the
 * events.
 *
 * @return false with ERR_REFUSED, ERR_PERMISSION, ERR_SCHEMA, or the error that kept evidence away
 */
MUST_CHECK bool guard_target(const struct run_request *request, const struct evidence *evidence,
                             struct err *err);

/**
 * Is the operator's statement complete, as far as it can be without asking? Class, reason, --yes
 * and
 * --plan-id, --maps-are-stopped; a terminal where something must be asked.
 *
 * @param can_ask  somebody is there to answer
 */
MUST_CHECK bool guard_statement(const struct run_request *request, bool can_ask, struct err *err);

/** The name that the operator must type: the environment's, else DATABASE@SERVER or the URL's host.
 * Into `ret` of `size` bytes. */
void guard_target_name(const struct run_request *request, char *ret, size_t size);

#endif
