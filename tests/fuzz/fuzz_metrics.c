/* The metrics file of before: what is kept of it can be written down again. */
#include "base/arena.h"
#include "cli/metrics_old.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 4 << 20 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const metrics[] = {"dwclean_last_success_timestamp_seconds",
                                          "dwclean_last_run_timestamp_seconds", NULL};
    static struct metrics_times times;
    struct fuzz_input input = {data, size};
    char *text = fuzz_rest(&input);
    ARENA_SCOPED arena = arena_new(ARENA_BYTES);
    struct err err = {0};

    FUZZ_MUST(arena);
    times.count = METRICS_OLD_TIMES;
    if (metrics_times_read(text, metrics, arena, &times, &err)) {
        FUZZ_MUST(times.count <= METRICS_OLD_TIMES);
        for (size_t i = 0; i < times.count; i++) {
            const struct metrics_time *time = &times.times[i];
            FUZZ_MUST(strcmp(time->metric, metrics[0]) == 0 ||
                      strcmp(time->metric, metrics[1]) == 0);
            FUZZ_MUST(time->environment && time->command && *time->value);
            FUZZ_MUST(strspn(time->value, "0123456789.") == strlen(time->value));
        }
    } else {
        fuzz_must_say(&err);
        FUZZ_MUST(times.count == 0);
    }
    free(text);
    return 0;
}
