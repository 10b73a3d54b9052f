/**
 * Every batch and request that `apply` sends for a plan, in order, without a connection: the
 * adapters show what they would send (port/statements.h), this is the order. tests/cli/plan.bats
 * compares it with what a server has received.
 */
#ifndef CORE_PREVIEW_H
#define CORE_PREVIEW_H

#include "base/err.h"
#include "core/plan.h"
#include "port/saved_plan.h"
#include "port/statements.h"

#include <stdbool.h>

struct preview_job {
    struct saved_plan *saved;
    const struct plan_summary *summary; /* of it */
    const struct axdb_statements *axdb;
    const struct runtime_statements *runtime;
};

/** Where statements go; `phase` is a part of the run, `to` the server. */
struct preview_sink {
    void *ctx;
    bool (*take)(void *ctx, const char *phase, const char *to,
                 const struct shown_statement *statement, struct err *err);
};

/** ERR_STORAGE: the plan cannot be read, or is not one that can be applied. */
MUST_CHECK bool preview_run(const struct preview_job *job, const struct preview_sink *sink,
                            struct err *err);

#endif
