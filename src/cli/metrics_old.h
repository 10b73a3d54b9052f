/** What a metrics file of before says of times. Private to cli/. */
#ifndef CLI_METRICS_OLD_H
#define CLI_METRICS_OLD_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { METRICS_OLD_TIMES = 1024 };

/** A sample that outlives runs. Strings in the arena. */
struct metrics_time {
    const char *metric, *environment, *command;
    const char *value; /* as written: digits, perhaps a point */
};

struct metrics_times {
    struct metrics_time times[METRICS_OLD_TIMES];
    size_t count;
};

/**
 * Read every line of `text`; keep those of the metrics named in `metrics` (ended by NULL).
 * ERR_CONFIG at the first line that is none of the text format, or a time that is no number; `ret`
 * is then empty.
 */
MUST_CHECK bool metrics_times_read(const char *text, const char *const *metrics,
                                   struct arena *arena, struct metrics_times *ret, struct err *err);

#endif
