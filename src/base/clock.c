#include "base/clock.h"

#include "base/cancel.h"

#include <stdio.h>
#include <time.h>

int64_t
clock_monotonic_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_utc_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
clock_stamp(int64_t utc_ms, char ret[CLOCK_STAMP_BYTES])
{
    const int64_t seconds = utc_ms / 1000 - (utc_ms % 1000 < 0 ? 1 : 0);
    const time_t when = (time_t)seconds;
    struct tm utc = {0};
    char date[21];

    (void)gmtime_r(&when, &utc);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(ret, CLOCK_STAMP_BYTES, "%.19s.%03uZ", date,
                   (unsigned)(utc_ms - seconds * 1000) % 1000U);
}

void
clock_sleep_ms(int64_t ms)
{
    const int64_t until = clock_monotonic_ms() + ms;

    while (!cancel_signal()) {
        const int64_t left = until - clock_monotonic_ms();
        struct timespec nap = {0};

        if (left <= 0)
            return;
        nap.tv_sec = (time_t)(left / 1000);
        nap.tv_nsec = (long)(left % 1000) * 1000000;
        (void)nanosleep(&nap, NULL); /* EINTR: look at the flag again */
    }
}
