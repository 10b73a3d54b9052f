/** Renderers of the history: runs, one run, a prune. */
#ifndef REPORT_HISTORY_H
#define REPORT_HISTORY_H

#include "base/err.h"
#include "base/text.h"
#include "core/history.h"

#include <stdbool.h>

/** How text is drawn; width 0 = 80. */
struct history_style {
    unsigned width;
    bool colour;
};

/** The runs of an environment (NULL: all), the last one first. Everything that a run says is
 * escaped. */
MUST_CHECK bool history_runs_text(const struct run_list *list, const char *environment,
                                  const struct history_style *style, struct text *ret,
                                  struct err *err);
MUST_CHECK bool history_run_text(const struct history_shown *shown,
                                 const struct history_style *style, struct text *ret,
                                 struct err *err);
MUST_CHECK bool history_prune_text(const struct history_prune *prune,
                                   const struct history_style *style, struct text *ret,
                                   struct err *err);

/** One JSON object each, after include/report/history.schema.json, version 1; `err` NULL or what
 * went wrong. Ends with a newline. */
MUST_CHECK bool history_runs_json(const struct run_list *list, const char *environment,
                                  struct text *ret, struct err *err);
MUST_CHECK bool history_run_json(const struct history_shown *shown, struct text *ret,
                                 struct err *err);
MUST_CHECK bool history_prune_json(const struct history_prune *prune, struct text *ret,
                                   struct err *err);

/** The same lists for programs that read lines: JSON objects after
 * include/report/history_events.schema.json, the last one the event "listed"; or CSV with a line of
 * column names. */
MUST_CHECK bool history_runs_ndjson(const struct run_list *list, const char *environment,
                                    struct text *ret, struct err *err);
MUST_CHECK bool history_runs_csv(const struct run_list *list, const char *environment,
                                 struct text *ret, struct err *err);
MUST_CHECK bool history_prune_ndjson(const struct history_prune *prune, struct text *ret,
                                     struct err *err);
MUST_CHECK bool history_prune_csv(const struct history_prune *prune, struct text *ret,
                                  struct err *err);

#endif
