/** Renderers of a struct outcome. Text goes where the caller says: nothing is printed here. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/err.h"
#include "base/text.h"
#include "core/outcome.h"

#include <stdbool.h>

/**
 * For a person: verdict first, then target, tables, hosts, checks, next steps. At most `width`
 * columns where that is possible (80 when 0). `colour` = ANSI colours. Everything from a server is
 * escaped.
 */
MUST_CHECK bool report_text(const struct outcome *outcome, unsigned width, bool colour,
                            struct text *ret, struct err *err);

/** For a program: one JSON object after include/report/outcome.schema.json, version 1. 64-bit
 * numbers are strings. Ends with a newline. */
MUST_CHECK bool report_json(const struct outcome *outcome, struct text *ret, struct err *err);

/** Version text of the cJSON that is loaded. */
const char *report_library_version(void);

#endif
