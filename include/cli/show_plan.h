/** `dwclean show PLAN`: a saved plan, and every statement that applying it sends. No connection is
 * made, and no secret is asked for. */
#ifndef CLI_SHOW_PLAN_H
#define CLI_SHOW_PLAN_H

#include "base/err.h"
#include "cli/output.h"
#include "core/plan.h"
#include "port/saved_plan.h"
#include "port/statements.h"
#include "report/json_writer.h"

#include <stdbool.h>

/** All borrowed. */
struct show_plan_job {
    struct saved_plan *saved;
    bool rows;       /* -v: each row's key and digest too */
    bool statements; /* --statements */
    const struct axdb_statements *axdb;
    const struct runtime_statements *runtime;
    const struct output *output;
};

/** Is PLAN|RUN the name of a file? Then it is a plan. */
bool show_plan_is_file(const char *operand);

/** Verify the plan and show it. ERR_STORAGE: it is damaged, or the output cannot be written. */
MUST_CHECK bool show_plan(const struct show_plan_job *job, struct err *err);

/** The part of it that --statements adds: appended to the text (of the writer), which goes out
 * when it is long. */
MUST_CHECK bool show_plan_statements(const struct show_plan_job *job,
                                     const struct plan_summary *summary, struct text *out,
                                     struct err *err);
MUST_CHECK bool show_plan_statements_json(const struct show_plan_job *job,
                                          const struct plan_summary *summary,
                                          struct json_writer *json, struct err *err);

#endif
