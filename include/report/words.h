/** The words that text and JSON reports share. */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "base/text.h"
#include "core/outcome.h"

/** "ok", "differs", "unknown". */
const char *verdict_name(enum verdict verdict);

/** "done", "gone", "changed", "failed", "unknown". */
const char *removal_state_name(enum removal_state state);

/** A URL as it may be shown: no user part, no query, no fragment. Not escaped. */
void words_append_url(struct text *ret, const char *url);

#endif
