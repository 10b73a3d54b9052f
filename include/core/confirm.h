/** Showing the plan to the operator, and asking. */
#ifndef CORE_CONFIRM_H
#define CORE_CONFIRM_H

#include "base/text.h"
#include "core/evidence.h"
#include "core/plan.h"
#include "core/run.h"
#include "port/operator.h"

#include <stdbool.h>

/** Append what will happen: target, counts, hosts, channels, restored from what and when, what
 * stays.
 */
void confirm_describe(const struct run_request *request, const struct evidence *evidence,
                      const struct plan *plan, const struct scope *scope, struct text *ret);

/** Append database, server and restore history of the target. */
void confirm_describe_axdb(const struct axdb_identity *identity, struct text *ret);

/**
 * Let the operator confirm this plan, which `what` describes. With --plan-id the plan's id must be
 * that one (ERR_STALE else), with or without --yes. Without --maps-are-stopped the word STOPPED is
 * asked for; without
 * --yes the name of the target (and without --env, when the plan has rows of Dataverse, the
 * organization's unique name).
 *
 * @return         false with ERR_REFUSED when an answer is not the word or the name, ERR_STALE, or
 *                 ERR_INTERRUPTED
 */
MUST_CHECK bool confirm_plan(const struct run_request *request, const struct evidence *evidence,
                             const struct plan *plan, const char *what, struct operator_port *op,
                             struct err *err);

/** The first part of it alone: is this the plan that --plan-id names (or is none given)? ERR_STALE
 * else. */
MUST_CHECK bool confirm_plan_id(const struct run_request *request, const struct plan *plan,
                                struct err *err);

#endif
