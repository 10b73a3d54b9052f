#include "pace_line.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

void
pace_line_tell(struct observer *observer, const char *what, const struct runtime_pace *pace)
{
    char line[256];
    char until[CLOCK_STAMP_BYTES];

    if (observer->pace) {
        observer->pace(observer, what, pace);
        return;
    }
    if (pace->paused_until_utc_ms) {
        clock_stamp(pace->paused_until_utc_ms, until);
        /* 2026-11-21T21:44:29.123Z: the time of day is what one waits for */
        (void)snprintf(line, sizeof line, "%s; paused until %.8s UTC: %s", what, until + 11,
                       pace->paused_why ? pace->paused_why : "the service asks for it");
    } else {
        (void)snprintf(line, sizeof line,
                       "%s; %" PRId64 ".%d rows/s, %" PRId64 " ms a row, %d requests of %d", what,
                       pace->rows_per_second_x10 / 10, (int)(pace->rows_per_second_x10 % 10),
                       pace->ms_per_row_x10 / 10, pace->concurrency, pace->batch_rows);
    }
    observer->progress(observer, line, pace->done, pace->total);
}
