#include "cli/log_line.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static void
put(struct text *ret, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    text_printf(ret, ",\"%s\":", name);
    text_append_json_shown(ret, value, strlen(value));
}

static void
put_stamp(struct text *ret, const char *name, int64_t utc_ms)
{
    char stamp[CLOCK_STAMP_BYTES];
    clock_stamp(utc_ms, stamp);
    put(ret, name, stamp);
}

static void
put_progress(struct text *ret, const struct progress *progress)
{
    const int64_t rate_x10 = progress_rate_x10(progress), left_ms = progress_left_ms(progress);
    put(ret, "event", "progress");
    put(ret, "what", progress->what);
    text_printf(ret, ",\"done\":\"%" PRId64 "\"", progress->done);
    if (progress->total)
        text_printf(ret, ",\"total\":\"%" PRId64 "\"", progress->total);
    if (rate_x10 >= 0)
        text_printf(ret, ",\"rows_per_second\":%" PRId64 ".%d", rate_x10 / 10,
                    (int)(rate_x10 % 10));
    if (left_ms >= 0)
        text_printf(ret, ",\"remaining_ms\":\"%" PRId64 "\"", left_ms);
    if (progress->paused_until_utc_ms) {
        put_stamp(ret, "paused_until", progress->paused_until_utc_ms);
        put(ret, "paused_why", progress->why);
    }
}

void
log_line_json(const struct log_facts *facts, const struct log_line *line, struct text *ret)
{
    char stamp[CLOCK_STAMP_BYTES];
    clock_stamp(line->utc_ms, stamp);
    text_printf(ret, "{\"time\":\"%s\"", stamp);
    put(ret, "level", log_level_name(line->level));
    text_append(ret, ",\"message\":");
    text_append_json_shown(ret, line->message, strlen(line->message));
    if (line->err) {
        put(ret, "detail", line->err->detail);
        put(ret, "hint", line->err->hint);
        put(ret, "code", err_name(line->err->code));
        text_printf(ret, ",\"exit_status\":%d", line->exit_status);
    }
    if (line->progress)
        put_progress(ret, line->progress);
    put(ret, "command", facts->command);
    put(ret, "environment", facts->environment);
    put(ret, "run_id", facts->run_id);
    text_printf(ret, ",\"pid\":%ld}\n", (long)getpid());
}
