/** What of an outcome was freshly read and may be shown as a number outside of its report. */
#ifndef REPORT_VERIFIED_H
#define REPORT_VERIFIED_H

#include "core/outcome.h"

#include <stdint.h>

/** The look that tells how the target is now: after the change, or the one without a change. NULL
 * when there is none: something changed and nobody looked again. */
const struct evidence *verified_evidence(const struct outcome *outcome);

/** Rows of the scope that the table holds now (kept rows are none of them); -1 = not asked, not
 * read, or a check of them says unknown. */
int64_t verified_rows(const struct outcome *outcome, enum table table);

#endif
