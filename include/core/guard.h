/**
 * Guards: what stops a run that would write, before anything durable happens. Each refusal says
 * both values and the way on.
 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "core/evidence.h"
#include "core/run.h"

#include <stdbool.h>

/** Were both halves that are asked for reached, and are they the ones that the pins name? The error
 * that kept a half away, or ERR_REFUSED. */
MUST_CHECK bool guard_identity(const struct run_request *request, const struct evidence *evidence,
                               struct err *err);

/** What a run is about to do to AxDB. */
enum guard_purpose {
    GUARD_CLEAN,
    GUARD_MAP, /* repair-map: whose rows these are is asked of the map's rows, by guard_map */
    GUARD_UNDO /* rows are put back: another right, and no question of whose they are */
};

/**
 * May the target be changed in its present state? Looks at rights, schema, database
 * state, pins, triggers, foreign keys, row-level security, whose rows these are, and who shares the
 * events.
 *
 * @param scope  what is not in it needs no right to change it
 * @return false with ERR_REFUSED, ERR_PERMISSION, ERR_SCHEMA, or the error that kept evidence away
 */
MUST_CHECK bool guard_target(const struct run_request *request, const struct scope *scope,
                             enum guard_purpose purpose, const struct evidence *evidence,
                             struct err *err);

/** Are rows of Dataverse deleted by version, or has the operator accepted that they are not?
 * ERR_SCHEMA. */
MUST_CHECK bool guard_versions(const struct run_request *request,
                               const struct runtime_evidence *runtime, struct err *err);

/** Do chosen rows of the map name the target's own organization, or is that not known? ERR_REFUSED.
 */
MUST_CHECK bool guard_map(const struct run_request *request, const struct evidence *evidence,
                          const struct map_row *rows, size_t count, struct err *err);

/**
 * Is the operator's statement complete, as far as it can be without asking? Class, reason, --yes
 * and
 * --plan-id, --maps-are-stopped; a terminal where something must be asked.
 *
 * @param can_ask  somebody is there to answer
 */
MUST_CHECK bool guard_statement(const struct run_request *request, bool can_ask, struct err *err);

/** The name that the operator must type: the environment's, else DATABASE@SERVER, else (without
 * AxDB, or where a grant says what they are) the URL's host. Into `ret` of `size` bytes. */
void guard_target_name(const struct run_request *request, char *ret, size_t size);

#endif
