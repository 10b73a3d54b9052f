/** The words that text and JSON reports share. */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "base/text.h"
#include "core/outcome.h"

/** "ok", "differs", "unknown". */
const char *verdict_name(enum verdict verdict);

/** Of what a run needs: "ok", "missing", "unknown". */
const char *presence_name(enum verdict verdict);

/** "done", "gone", "changed", "failed", "unknown". */
const char *removal_state_name(enum removal_state state);
const char *return_state_name(enum return_state state);

#define WORDS_NO_URL "(not a plain URL)"

/**
 * A URL as it may be shown: host, port and path, whatever its shape; no user part, no query, no
 * fragment. "https://" or "http://" stands before it when the URL has it, another scheme does not.
 * A path is cut with "..." at its first unusual character and when it is long. WORDS_NO_URL where
 * it cannot be told what is host and what is secret; nothing for a blank text. Plain ASCII.
 */
void words_append_url(struct text *ret, const char *url);

#endif
