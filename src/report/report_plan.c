/* What a report says of a saved plan. */
#include "base/clock.h"
#include "base/text.h"
#include "parts.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static bool
differs(const struct table_difference *table)
{
    return table->gone.rows > 0 || table->fresh.rows > 0 || table->changed.rows > 0 ||
           table->column_count > 0;
}

static void
write_keys(const struct layout *layout, const char *what, const struct key_list *list)
{
    TEXT_SCOPED line = {0};
    if (list->rows == 0)
        return;
    text_printf(&line, "%" PRId64 " %s %s: ", list->rows, parts_rows(list->rows), what);
    for (size_t i = 0; i < list->count; i++) {
        text_append(&line, i ? ", " : "");
        text_append(&line, list->keys[i]);
    }
    if (list->rows > (int64_t)list->count)
        text_printf(&line, " and %" PRId64 " more", list->rows - (int64_t)list->count);
    text_append(layout->out, "    ");
    layout_flow(layout, 6, text_string(&line));
}

void
parts_write_difference(const struct layout *layout, const struct outcome *outcome)
{
    if (!outcome->difference)
        return;
    layout_heading(layout, "What changed since the plan was made");
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_difference *table = &outcome->difference->tables[i];
        if (!differs(table))
            continue;
        text_printf(layout->out, "  %s\n", table_name((enum table)i));
        write_keys(layout, "gone", &table->gone);
        write_keys(layout, "new", &table->fresh);
        write_keys(layout, "changed", &table->changed);
        for (size_t j = 0; j < table->column_count; j++) {
            text_append(layout->out, "    ");
            layout_flow(layout, 6, table->columns[j]);
        }
    }
}

void
parts_write_plan(const struct layout *layout, const struct outcome *outcome)
{
    char expires[CLOCK_STAMP_BYTES];
    layout_pair(layout, "plan-id", outcome->plan_id);
    layout_pair(layout, "plan file", outcome->plan_path);
    layout_pair(layout, "", outcome->plan_sha256);
    /* what is done is done: only a plan that waits can end to be valid */
    if (outcome->plan_expires_utc_ms == 0 || (!outcome->dry_run && !outcome->difference))
        return;
    clock_stamp(outcome->plan_expires_utc_ms, expires);
    layout_pair(layout, "plan expires", expires);
}
