/** Strict parsing: the whole string or nothing. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base/err.h"

#include <stdint.h>

/** A decimal integer with optional '-', no blanks, within [min, max]. */
MUST_CHECK bool parse_int(const char *string, int64_t min, int64_t max, int64_t *ret);

/** A duration: digits with an optional unit ms, s, m, h, d, w (default s), as milliseconds, up to
 * `max_ms`. */
MUST_CHECK bool parse_duration_ms(const char *string, int64_t max_ms, int64_t *ret_ms);

#endif
