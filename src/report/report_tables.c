/* The rows of each table in numbers. */
#include "base/text.h"
#include "parts.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

bool
parts_is_command(const struct outcome *outcome, const char *command)
{
    return outcome->command && strcmp(outcome->command, command) == 0;
}

bool
parts_is_undo(const struct outcome *outcome)
{
    return outcome->undoes || parts_is_command(outcome, "undo");
}

int64_t
parts_sum(const struct outcome *outcome, size_t offset)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < TABLES; i++) {
        int64_t rows = 0;
        memcpy(&rows, (const char *)&outcome->tables[i] + offset, sizeof(rows));
        sum += rows > 0 ? rows : 0;
    }
    return sum;
}

const char *
parts_rows(int64_t rows)
{
    return rows == 1 ? "row" : "rows";
}

const char *
parts_number(int64_t rows, char ret[PARTS_NUMBER_BYTES])
{
    if (rows < 0)
        (void)snprintf(ret, PARTS_NUMBER_BYTES, "-");
    else
        (void)snprintf(ret, PARTS_NUMBER_BYTES, "%" PRId64, rows);
    return ret;
}

/** Which numbers a table row shows, in which order. */
struct number_column {
    const char *title;
    size_t offset;
};

#define ROWS_AT(member) offsetof(struct table_outcome, member)
static const struct number_column verify_columns[] = {{"ROWS", ROWS_AT(before_rows)},
                                                      {"KEPT", ROWS_AT(kept_rows)}};
static const struct number_column dry_columns[] = {{"ROWS", ROWS_AT(before_rows)},
                                                   {"WOULD DELETE", ROWS_AT(planned_rows)},
                                                   {"KEPT", ROWS_AT(kept_rows)}};
static const struct number_column clean_columns[] = {{"BEFORE", ROWS_AT(before_rows)},
                                                     {"PLANNED", ROWS_AT(planned_rows)},
                                                     {"BACKED UP", ROWS_AT(backed_up_rows)},
                                                     {"DELETED", ROWS_AT(deleted_rows)},
                                                     {"AFTER", ROWS_AT(after_rows)}};
/* PLANNED makes room: a plan that was not backed up whole ends the run. */
static const struct number_column part_columns[] = {{"BEFORE", ROWS_AT(before_rows)},
                                                    {"BACKED UP", ROWS_AT(backed_up_rows)},
                                                    {"DELETED", ROWS_AT(deleted_rows)},
                                                    {"KEPT", ROWS_AT(kept_rows)},
                                                    {"AFTER", ROWS_AT(after_rows)}};
/* BEFORE of a second part would be what the first part left: no number of the run. */
static const struct number_column second_columns[] = {{"PLANNED", ROWS_AT(planned_rows)},
                                                      {"BACKED UP", ROWS_AT(backed_up_rows)},
                                                      {"DELETED", ROWS_AT(deleted_rows)},
                                                      {"AFTER", ROWS_AT(after_rows)},
                                                      {"KEPT", ROWS_AT(kept_rows)}};
static const struct number_column dry_undo_columns[] = {{"ROWS", ROWS_AT(before_rows)},
                                                        {"WOULD PUT BACK", ROWS_AT(planned_rows)}};
static const struct number_column undo_columns[] = {{"BEFORE", ROWS_AT(before_rows)},
                                                    {"PLANNED", ROWS_AT(planned_rows)},
                                                    {"PUT BACK", ROWS_AT(restored_rows)},
                                                    {"AFTER", ROWS_AT(after_rows)}};

#define COLUMNS_OF(array, less) (*ret_count = sizeof(array) / sizeof((array)[0]) - (less), (array))

static const struct number_column *
number_columns(const struct outcome *outcome, size_t *ret_count)
{
    const bool kept = parts_sum(outcome, offsetof(struct table_outcome, kept_rows)) > 0;
    if (parts_is_undo(outcome))
        return outcome->dry_run ? COLUMNS_OF(dry_undo_columns, 0) : COLUMNS_OF(undo_columns, 0);
    if (outcome->dry_run && outcome->err.code == ERR_NONE)
        return COLUMNS_OF(dry_columns, kept ? 0u : 1u);
    if (parts_is_command(outcome, "verify") || parts_is_command(outcome, "explain"))
        return COLUMNS_OF(verify_columns, kept ? 0u : 1u);
    if (outcome->resumed || parts_is_command(outcome, "resume"))
        return COLUMNS_OF(second_columns, kept ? 0u : 1u);
    return kept ? COLUMNS_OF(part_columns, 0) : COLUMNS_OF(clean_columns, 0);
}

static int64_t
number_at(const struct table_outcome *table, const struct number_column *column)
{
    int64_t rows = 0;
    memcpy(&rows, (const char *)table + column->offset, sizeof(rows));
    return rows;
}

/** The tables of an outcome, and how they are called. */
struct table_grid {
    const struct outcome *outcome;
    const struct number_column *columns;
    size_t count;
    bool keys; /* short names, with a legend: the whole ones would be broken */
};

/** Columns of the terminal that the rows take with the tables' whole names. */
static size_t
whole_width(const struct table_grid *grid)
{
    size_t width = 0;
    for (unsigned i = 0; i < TABLES; i++) {
        const size_t size = strlen(table_name((enum table)i));
        if (grid->outcome->tables[i].asked && size > width)
            width = size;
    }
    for (size_t i = 0; i < grid->count; i++) {
        size_t widest = strlen(grid->columns[i].title);
        for (unsigned j = 0; j < TABLES; j++) {
            char number[PARTS_NUMBER_BYTES];
            const int64_t rows = number_at(&grid->outcome->tables[j], &grid->columns[i]);
            const size_t size = strlen(parts_number(rows, number));
            if (grid->outcome->tables[j].asked && size > widest)
                widest = size;
        }
        width += 2 + widest;
    }
    return 2 + width;
}

static bool
add_table_row(struct layout_grid *drawn, const struct table_grid *grid, enum table which,
              struct err *err)
{
    const char *cells[LAYOUT_GRID_COLUMNS] = {grid->keys ? table_key(which) : table_name(which)};
    char numbers[LAYOUT_GRID_COLUMNS][PARTS_NUMBER_BYTES];
    for (size_t i = 0; i < grid->count; i++)
        cells[i + 1] =
            parts_number(number_at(&grid->outcome->tables[which], &grid->columns[i]), numbers[i]);
    return layout_grid_row(drawn, cells, err);
}

static void
write_legend(const struct layout *layout, const struct table_grid *grid)
{
    for (unsigned i = 0; grid->keys && i < TABLES; i++) {
        if (grid->outcome->tables[i].asked)
            text_printf(layout->out, "  %-7s = %s\n", table_key((enum table)i),
                        table_name((enum table)i));
    }
}

static void
write_note(const struct layout *layout, int64_t rows, const char *table, const char *what)
{
    char line[200];
    if (rows <= 0)
        return;
    (void)snprintf(line, sizeof(line), "%" PRId64 " %s of %s: %s", rows, parts_rows(rows), table,
                   what);
    text_append(layout->out, "  ");
    layout_flow(layout, 2, line);
}

/** What the numbers of the Dataverse table do not say by themselves. */
static void
write_runtime_notes(const struct layout *layout, const struct table_outcome *runtime, bool undo)
{
    const struct {
        int64_t rows;
        const char *what;
    } notes[] = {
        {runtime->gone_rows, "already gone"},
        {runtime->again_rows, "stamped by the service after the backup: backed up once more, then "
                              "deleted in that version"},
        {runtime->changed_rows, "changed since the backup, still there"},
        {runtime->failed_rows, undo ? "not created again" : "not deleted, still there"},
        {runtime->unknown_rows, "sent, and no answer settled it"},
        {runtime->new_rows, "written after the plan, left alone"},
        {runtime->back_rows, "there again after the deletion"},
    };
    for (size_t i = 0; runtime->asked && i < sizeof(notes) / sizeof(notes[0]); i++)
        write_note(layout, notes[i].rows, "Dataverse", notes[i].what);
}

/** The same for rows that were put back beside others. */
static void
write_merge_notes(const struct layout *layout, const struct outcome *outcome)
{
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        write_note(layout, table->present_rows, table_name((enum table)i),
                   "there already, equal to the backup");
        write_note(layout, table->differing_rows, table_name((enum table)i),
                   "there with other contents, left alone");
    }
}

bool
parts_write_tables(const struct layout *layout, const struct outcome *outcome, struct err *err)
{
    struct layout_column columns[LAYOUT_GRID_COLUMNS] = {{"TABLE", KIND_WORD}};
    struct table_grid grid = {.outcome = outcome};
    grid.columns = number_columns(outcome, &grid.count);
    grid.keys = whole_width(&grid) > layout->width;
    for (size_t i = 0; i < grid.count; i++)
        columns[i + 1] = (struct layout_column){grid.columns[i].title, KIND_NUMBER};

    struct layout_grid *drawn = layout_grid_new(layout, columns, grid.count + 1);
    if (!drawn)
        return err_set(err, ERR_INTERNAL, "out of memory");
    layout_heading(layout, "Rows");
    bool ok = true;
    for (unsigned i = 0; ok && i < TABLES; i++) {
        if (outcome->tables[i].asked)
            ok = add_table_row(drawn, &grid, (enum table)i, err);
    }
    ok = ok && layout_grid_print(drawn, err);
    layout_grid_free(drawn);
    write_legend(layout, &grid);
    write_runtime_notes(layout, &outcome->tables[TABLE_RUNTIME], parts_is_undo(outcome));
    write_merge_notes(layout, outcome);
    return ok;
}

void
parts_write_more(const struct layout *layout, size_t count)
{
    if (count > PARTS_ROWS_SHOWN)
        text_printf(layout->out, "  and %zu more: see the JSON report\n", count - PARTS_ROWS_SHOWN);
}
