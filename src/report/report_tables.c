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

#define ROWS_AT(member) offsetof(struct table_outcome, member)
static const struct parts_column verify_columns[] = {{"ROWS", ROWS_AT(before_rows)},
                                                     {"KEPT", ROWS_AT(kept_rows)}};
static const struct parts_column dry_columns[] = {{"ROWS", ROWS_AT(before_rows)},
                                                  {"WOULD DELETE", ROWS_AT(planned_rows)},
                                                  {"KEPT", ROWS_AT(kept_rows)}};
static const struct parts_column clean_columns[] = {{"BEFORE", ROWS_AT(before_rows)},
                                                    {"PLANNED", ROWS_AT(planned_rows)},
                                                    {"BACKED UP", ROWS_AT(backed_up_rows)},
                                                    {"DELETED", ROWS_AT(deleted_rows)},
                                                    {"AFTER", ROWS_AT(after_rows)}};
/* PLANNED makes room: a plan that was not backed up whole ends the run. */
static const struct parts_column part_columns[] = {{"BEFORE", ROWS_AT(before_rows)},
                                                   {"BACKED UP", ROWS_AT(backed_up_rows)},
                                                   {"DELETED", ROWS_AT(deleted_rows)},
                                                   {"KEPT", ROWS_AT(kept_rows)},
                                                   {"AFTER", ROWS_AT(after_rows)}};
/* BEFORE of a second part would be what the first part left: no number of the run. */
static const struct parts_column second_columns[] = {{"PLANNED", ROWS_AT(planned_rows)},
                                                     {"BACKED UP", ROWS_AT(backed_up_rows)},
                                                     {"DELETED", ROWS_AT(deleted_rows)},
                                                     {"AFTER", ROWS_AT(after_rows)},
                                                     {"KEPT", ROWS_AT(kept_rows)}};
static const struct parts_column dry_undo_columns[] = {{"ROWS", ROWS_AT(before_rows)},
                                                       {"WOULD PUT BACK", ROWS_AT(planned_rows)}};
static const struct parts_column undo_columns[] = {{"BEFORE", ROWS_AT(before_rows)},
                                                   {"PLANNED", ROWS_AT(planned_rows)},
                                                   {"PUT BACK", ROWS_AT(restored_rows)},
                                                   {"AFTER", ROWS_AT(after_rows)}};

#define COLUMNS_OF(array, less) (*ret_count = sizeof(array) / sizeof((array)[0]) - (less), (array))

const struct parts_column *
parts_columns(const struct outcome *outcome, size_t *ret_count)
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

int64_t
parts_number_at(const struct table_outcome *table, const struct parts_column *column)
{
    int64_t rows = 0;
    memcpy(&rows, (const char *)table + column->offset, sizeof(rows));
    return rows;
}

/** The tables of an outcome, and how they are called. */
struct table_grid {
    const struct outcome *outcome;
    const struct parts_column *columns;
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
            const int64_t rows = parts_number_at(&grid->outcome->tables[j], &grid->columns[i]);
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
        cells[i + 1] = parts_number(
            parts_number_at(&grid->outcome->tables[which], &grid->columns[i]), numbers[i]);
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

static size_t
add_note(struct parts_note *ret, size_t count, const struct parts_note *note)
{
    if (note->rows <= 0)
        return count;
    ret[count] = *note;
    return count + 1;
}

size_t
parts_notes(const struct outcome *outcome, struct parts_note *ret)
{
    const struct table_outcome *runtime = &outcome->tables[TABLE_RUNTIME];
    const struct parts_note of_runtime[] = {
        {runtime->gone_rows, "Dataverse", "already gone"},
        {runtime->again_rows, "Dataverse",
         "stamped by the service after the backup: backed up once more, then deleted in that "
         "version"},
        {runtime->changed_rows, "Dataverse", "changed since the backup, still there"},
        {runtime->failed_rows, "Dataverse",
         parts_is_undo(outcome) ? "not created again" : "not deleted, still there"},
        {runtime->unknown_rows, "Dataverse", "sent, and no answer settled it"},
        {runtime->new_rows, "Dataverse", "written after the plan, left alone"},
        {runtime->back_rows, "Dataverse", "there again after the deletion"},
    };
    size_t count = 0;
    for (size_t i = 0; runtime->asked && i < sizeof(of_runtime) / sizeof(of_runtime[0]); i++)
        count = add_note(ret, count, &of_runtime[i]);
    /* rows that were put back beside others */
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        const char *name = table_name((enum table)i);
        count = add_note(
            ret, count,
            &(struct parts_note){table->present_rows, name, "there already, equal to the backup"});
        count = add_note(ret, count,
                         &(struct parts_note){table->differing_rows, name,
                                              "there with other contents, left alone"});
    }
    return count;
}

static void
write_notes(const struct layout *layout, const struct outcome *outcome)
{
    struct parts_note notes[PARTS_NOTES];
    const size_t count = parts_notes(outcome, notes);
    for (size_t i = 0; i < count; i++) {
        char line[200];
        (void)snprintf(line, sizeof(line), "%" PRId64 " %s of %s: %s", notes[i].rows,
                       parts_rows(notes[i].rows), notes[i].table, notes[i].what);
        text_append(layout->out, "  ");
        layout_flow(layout, 2, line);
    }
}

bool
parts_write_tables(const struct layout *layout, const struct outcome *outcome, struct err *err)
{
    struct layout_column columns[LAYOUT_GRID_COLUMNS] = {{"TABLE", KIND_WORD}};
    struct table_grid grid = {.outcome = outcome};
    grid.columns = parts_columns(outcome, &grid.count);
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
    write_notes(layout, outcome);
    return ok;
}

void
parts_write_more(const struct layout *layout, size_t count)
{
    if (count > PARTS_ROWS_SHOWN)
        text_printf(layout->out, "  and %zu more: see the JSON report\n", count - PARTS_ROWS_SHOWN);
}
