/**
 * --metrics-file: what came of runs, for the textfile collector of Prometheus' node_exporter
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, text format 0.0.4).
 */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include "base/err.h"
#include "base/text.h"
#include "core/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { METRICS_CHECKS = 64 };

/** One run: little enough to come through a pipe. */
struct metrics_summary {
    const char *environment, *command; /* labels; environment "" = it has no name */
    int exit_status;
    bool success;  /* ended with 0, and was no dry run */
    bool verified; /* the fresh look said clean, or done */
    int64_t ended_utc_ms, duration_ms;
    int64_t rows[TABLES]; /* verified_rows: -1 is not written */
    struct metrics_check {
        const char *name; /* "A-ROWS" */
        bool required;
        enum verdict verdict; /* the worst of that name */
    } checks[METRICS_CHECKS];
    size_t check_count;
};

/** Of an outcome, whose strings it borrows. `environment` may be NULL. */
void metrics_summarize(const struct outcome *outcome, const char *environment,
                       struct metrics_summary *ret);

/**
 * Replace `path` by the metrics of these runs, of which no two may have the same labels.
 * What must outlive a run comes from the file that is there: when a run last succeeded, and when
 * rows were last read. A file that cannot be read for that: `ret_old` says why (else its code is
 * ERR_NONE), and these times are left out. ERR_STORAGE: the old file stays as it was.
 */
MUST_CHECK bool metrics_write(const char *path, const struct metrics_summary *runs, size_t count,
                              const char *version, struct err *ret_old, struct err *err);

/** The text alone. `old` is the text of the old file, "" = there is none; false with `err` when it
 * is not what this program writes: the times of before are then left out. */
bool metrics_render(const struct metrics_summary *runs, size_t count, const char *version,
                    const char *old, struct text *ret, struct err *err);

#endif
