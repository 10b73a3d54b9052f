/** Time. Durations come from the monotonic clock, stamps from the wall clock, always in UTC. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { CLOCK_STAMP_BYTES = 25 }; /* "2026-11-21T21:44:29.123Z" and its NUL */

/** Milliseconds since an arbitrary fixed point; never goes back. For durations only. */
int64_t clock_monotonic_ms(void);

/** Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_utc_ms(void);

/** ISO 8601 with milliseconds and Z. `ret` holds CLOCK_STAMP_BYTES. */
void clock_stamp(int64_t utc_ms, char ret[CLOCK_STAMP_BYTES]);

/** Sleep, at most until a stop signal is pending (cancel.h). */
void clock_sleep_ms(int64_t ms);

#endif
