#include "history_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *
history_size(uint64_t bytes, char ret[HISTORY_SIZE_BYTES])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    uint64_t tenths = bytes * 10 / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        (void)snprintf(ret, HISTORY_SIZE_BYTES, "%" PRIu64 " B", bytes);
        return ret;
    }
    for (; tenths >= 10240 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
        tenths /= 1024;
    (void)snprintf(ret, HISTORY_SIZE_BYTES, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
                   units[unit]);
    return ret;
}

const char *
history_stamp(const char *utc, char ret[HISTORY_STAMP_BYTES])
{
    if (strnlen(utc, 19) < 19 || strspn(utc, "0123456789-T:.Z") < 19)
        (void)snprintf(ret, HISTORY_STAMP_BYTES, "?");
    else
        (void)snprintf(ret, HISTORY_STAMP_BYTES, "%.10s %.8s", utc, utc + 11);
    return ret;
}

void
history_target(const struct run_entry *entry, struct text *ret)
{
    const struct plan_header *plan = &entry->past.plan;

    text_append(ret, entry->past.environment);
    text_append(ret, *plan->database || *plan->organization_name ? ": " : "");
    if (*plan->database) {
        text_append(ret, plan->database);
        text_append(ret, " on ");
        text_append(ret, plan->server);
    }
    if (*plan->organization_name) {
        text_append(ret, *plan->database ? "; organization " : "organization ");
        text_append(ret, plan->organization_name);
    }
}

enum layout_colour
history_colour(enum history_state state)
{
    switch (state) {
    case HISTORY_DONE:
        return COLOUR_GOOD;
    case HISTORY_RUNNING:
    case HISTORY_OPEN:
    case HISTORY_UNKNOWN:
    case HISTORY_PARTIAL:
        return COLOUR_WARNING;
    case HISTORY_DAMAGED:
        return COLOUR_BAD;
    case HISTORY_REFUSED:
    case HISTORY_ROLLED_BACK:
    case HISTORY_UNCHANGED:
        break;
    }
    return COLOUR_NONE;
}
