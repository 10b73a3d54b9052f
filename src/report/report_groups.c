#include "parts.h"
#include "report/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    GROUP_WIDTH = 12,
    BESIDE_CHANNEL = 38 /* of the event groups' grid, without ROWS */
};

const char *
parts_look_text(const struct outcome *outcome)
{
    return !outcome->changed && !outcome->after_taken ? ""
           : outcome->resumed                         ? ", when this part began"
                                                      : ", before the change";
}

static void
write_first_look(const struct layout *layout, const struct outcome *outcome, const char *title)
{
    char line[120];
    (void)snprintf(line, sizeof(line), "%s%s", title, parts_look_text(outcome));
    layout_heading(layout, line);
}

bool
parts_would_delete(const struct outcome *outcome, enum table table)
{
    return outcome->dry_run && outcome->plan_id && outcome->err.code == ERR_NONE &&
           !parts_is_undo(outcome) && outcome->map_row_count == 0 && outcome->tables[table].asked;
}

static bool
write_hosts(const struct layout *layout, const struct outcome *outcome, struct err *err)
{
    static const struct layout_column columns[] = {
        {"ROWS", KIND_NUMBER}, {"HOST", KIND_WORD}, {"", KIND_WORD}};
    const struct evidence *seen = &outcome->before;
    if (seen->host_count == 0)
        return true;
    struct layout_grid *grid = layout_grid_new(layout, columns, 3);
    if (!grid)
        return err_set(err, ERR_INTERNAL, "out of memory");
    write_first_look(layout, outcome,
                     parts_would_delete(outcome, TABLE_PROJECT)
                         ? "Project rows that WOULD go, by host"
                         : "Hosts that the project rows name");
    bool ok = true;
    for (size_t i = 0; ok && i < seen->host_count; i++) {
        const struct host_count *host = &seen->hosts[i];
        char rows[PARTS_NUMBER_BYTES];
        const char *cells[] = {parts_number(host->rows, rows),
                               *host->host ? host->host : "(no host)",
                               host->own ? "own organization" : ""};
        ok = layout_grid_row(grid, cells, err);
    }
    ok = ok && layout_grid_print(grid, err);
    layout_grid_free(grid);
    return ok;
}

static bool
write_families(const struct layout *layout, const struct outcome *outcome, struct err *err)
{
    static const struct layout_column columns[] = {
        {"ROWS", KIND_NUMBER}, {"CHANNEL FAMILY", KIND_WORD}, {"", KIND_WORD}};
    const struct evidence *seen = &outcome->before;
    if (seen->family_count == 0)
        return true;
    struct layout_grid *grid = layout_grid_new(layout, columns, 3);
    if (!grid)
        return err_set(err, ERR_INTERNAL, "out of memory");
    write_first_look(layout, outcome, "Event rows by channel family");
    bool ok = true;
    for (size_t i = 0; ok && i < seen->family_count; i++) {
        const struct channel_family *family = &seen->families[i];
        char rows[PARTS_NUMBER_BYTES];
        const char *cells[] = {parts_number(family->rows, rows),
                               *family->family ? family->family : "(blank)",
                               family->foreign ? "of another feature" : ""};
        ok = layout_grid_row(grid, cells, err);
    }
    ok = ok && layout_grid_print(grid, err);
    layout_grid_free(grid);
    return ok;
}

size_t
parts_largest_groups(const struct axdb_evidence *axdb, const struct axdb_channel_count **ret)
{
    size_t count = 0;
    for (size_t i = 0; i < axdb->channel_count; i++) {
        const struct axdb_channel_count *group = &axdb->channels[i];
        size_t at = count;
        while (at > 0 && ret[at - 1]->rows < group->rows)
            at--;
        if (at == PARTS_ROWS_SHOWN)
            continue;
        count += count < PARTS_ROWS_SHOWN ? 1 : 0;
        for (size_t j = count - 1; j > at; j--)
            ret[j] = ret[j - 1];
        ret[at] = group;
    }
    return count;
}

static const char *
channel_text(const struct axdb_channel_count *group)
{
    return *group->channel ? group->channel : "(blank)";
}

bool
parts_group_stays(const struct outcome *outcome, const struct axdb_channel_count *group)
{
    for (size_t i = 0; i < outcome->channel_count; i++) {
        if (strcmp(outcome->channels[i], group->channel) == 0)
            return false;
    }
    return outcome->channel_count > 0;
}

static bool
draw_groups(const struct layout *layout, const struct outcome *outcome,
            const struct axdb_channel_count *const *groups, size_t count, struct err *err)
{
    const bool kept = parts_would_delete(outcome, TABLE_EVENTS) && outcome->channel_count > 0;
    const struct layout_column columns[] = {{kept ? "WOULD DELETE" : "ROWS", KIND_NUMBER},
                                            {"CHANNEL", KIND_TEXT},
                                            {"DIRECTION", KIND_NUMBER},
                                            {"HANDLERCLASS", KIND_NUMBER},
                                            {"ENABLED", KIND_NUMBER},
                                            {"WOULD KEEP", KIND_NUMBER}};
    struct layout_grid *grid = layout_grid_new(layout, columns, kept ? 6 : 5);
    if (!grid)
        return err_set(err, ERR_INTERNAL, "out of memory");
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const struct axdb_channel_count *group = groups[i];
        const int64_t numbers[] = {group->direction, group->handler_class, group->enabled};
        const bool stays = kept && parts_group_stays(outcome, group);
        char texts[5][PARTS_NUMBER_BYTES];
        const char *cells[] = {parts_number(stays ? 0 : group->rows, texts[3]),
                               channel_text(group),
                               texts[0],
                               texts[1],
                               texts[2],
                               parts_number(stays ? group->rows : 0, texts[4])};
        for (size_t j = 0; j < 3; j++)
            (void)snprintf(texts[j], PARTS_NUMBER_BYTES, "%" PRId64, numbers[j]);
        ok = layout_grid_row(grid, cells, err);
    }
    ok = ok && layout_grid_print(grid, err);
    layout_grid_free(grid);
    return ok;
}

/** Two lines each: a channel is given to --channel exactly, so it stands there whole. */
static void
list_groups(const struct layout *layout, const struct outcome *outcome,
            const struct axdb_channel_count *const *groups, size_t count)
{
    const bool would = parts_would_delete(outcome, TABLE_EVENTS) && outcome->channel_count > 0;
    for (size_t i = 0; i < count; i++) {
        const struct axdb_channel_count *group = groups[i];
        char line[120];
        text_printf(layout->out, "%*" PRId64 "  ", GROUP_WIDTH - 2, group->rows);
        layout_flow(layout, GROUP_WIDTH, channel_text(group));
        (void)snprintf(line, sizeof(line),
                       "%sdirection %" PRId64 ", handler class %" PRId64 ", enabled %" PRId64,
                       !would                              ? ""
                       : parts_group_stays(outcome, group) ? "WOULD STAY; "
                                                           : "WOULD GO; ",
                       group->direction, group->handler_class, group->enabled);
        text_printf(layout->out, "%*s", GROUP_WIDTH, "");
        layout_flow(layout, GROUP_WIDTH, line);
    }
}

/** Would the grid break a channel? The first group has most rows. */
static bool
grid_is_too_wide(const struct layout *layout, const struct outcome *outcome,
                 const struct axdb_channel_count *const *groups, size_t count)
{
    const bool kept = parts_would_delete(outcome, TABLE_EVENTS) && outcome->channel_count > 0;
    const size_t least = kept ? strlen("WOULD DELETE") : strlen("ROWS");
    const size_t beside = BESIDE_CHANNEL + (kept ? strlen("  WOULD KEEP") : 0);
    char rows[PARTS_NUMBER_BYTES];
    size_t widest = 0;
    const size_t digits = count ? strlen(parts_number(groups[0]->rows, rows)) : 0;
    for (size_t i = 0; i < count; i++)
        widest = strlen(groups[i]->channel) > widest ? strlen(groups[i]->channel) : widest;
    return beside + (digits > least ? digits : least) + widest > layout->width;
}

static bool
write_channels(const struct layout *layout, const struct outcome *outcome, struct err *err)
{
    const struct axdb_evidence *axdb = outcome->before.axdb;
    if (!axdb || !axdb->channels_known || axdb->channel_count == 0)
        return true;
    write_first_look(layout, outcome,
                     parts_would_delete(outcome, TABLE_EVENTS) && outcome->channel_count == 0
                         ? "Event rows that WOULD go, by channel"
                         : "Event rows by channel");
    const struct axdb_channel_count *groups[PARTS_ROWS_SHOWN];
    const size_t count = parts_largest_groups(axdb, groups);
    bool ok = true;
    if (grid_is_too_wide(layout, outcome, groups, count))
        list_groups(layout, outcome, groups, count);
    else
        ok = draw_groups(layout, outcome, groups, count, err);
    parts_write_more(layout, axdb->channel_count);
    return ok;
}

bool
parts_write_groups(const struct layout *layout, const struct outcome *outcome, struct err *err)
{
    return write_hosts(layout, outcome, err) && write_families(layout, outcome, err) &&
           write_channels(layout, outcome, err);
}
