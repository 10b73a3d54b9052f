#include "report/layout.h"

#include "columns_library.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { MARGIN = 2, LABEL_WIDTH = 14 };

void
layout_heading(const struct layout *layout, const char *title)
{
    text_append(layout->out, "\n");
    layout_word(layout, title, 0, COLOUR_STRONG);
    text_append(layout->out, "\n");
}

void
layout_word(const struct layout *layout, const char *word, unsigned width,
            enum layout_colour colour)
{
    static const char *const codes[] = {"", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[1m"};
    const bool coloured = layout->colour && colour != COLOUR_NONE;
    if (coloured)
        text_append(layout->out, codes[colour]);
    text_append(layout->out, word);
    if (coloured)
        text_append(layout->out, "\x1b[0m");
    for (size_t used = strlen(word); used < width; used++)
        text_append(layout->out, " ");
}

/** Characters, not bytes: UTF-8 continuation bytes do not count. */
static unsigned
columns_of(const char *bytes, size_t size)
{
    unsigned columns = 0;
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)bytes[i] & 0xc0) != 0x80)
            columns++;
    }
    return columns;
}

/** `shown` is escaped already. */
static void
flow(const struct layout *layout, unsigned column, const char *shown)
{
    unsigned at = column;
    bool first = true;
    for (const char *p = shown; *p;) {
        const size_t size = strcspn(p, " ");
        const unsigned columns = columns_of(p, size);
        if (!first && at + 1 + columns > layout->width) {
            text_append(layout->out, "\n");
            for (at = 0; at < column; at++)
                text_append(layout->out, " ");
        } else if (!first) {
            text_append(layout->out, " ");
            at++;
        }
        text_append_bytes(layout->out, p, size);
        at += columns;
        first = false;
        p += size;
        p += strspn(p, " ");
    }
    text_append(layout->out, "\n");
}

void
layout_flow(const struct layout *layout, unsigned column, const char *value)
{
    TEXT_SCOPED shown = {0};
    text_append_shown(&shown, value, strlen(value));
    if (shown.broken)
        layout->out->broken = true;
    flow(layout, column, text_string(&shown));
}

void
layout_statement(const struct layout *layout, unsigned column, const char *value)
{
    TEXT_SCOPED shown = {0};
    /* Piece by piece between the backslashes, which are the one harmless thing that is escaped. */
    for (const char *p = value; *p;) {
        const size_t size = strcspn(p, "\\");
        text_append_shown(&shown, p, size);
        p += size;
        for (; *p == '\\'; p++)
            text_append(&shown, "\\");
    }
    if (shown.broken)
        layout->out->broken = true;
    flow(layout, column, text_string(&shown));
}

void
layout_pair(const struct layout *layout, const char *label, const char *value)
{
    if (!value || !*value)
        return;
    text_append(layout->out, "  ");
    layout_word(layout, label, LABEL_WIDTH, COLOUR_NONE);
    layout_flow(layout, MARGIN + LABEL_WIDTH, value);
}

/* ---- grid */

struct layout_grid {
    const struct layout *layout;
    struct libscols_table *table;
    size_t count;
};

static int
flags_of(const struct layout_column *column)
{
    if (column->kind == KIND_NUMBER)
        return SCOLS_FL_RIGHT;
    return column->kind == KIND_WORD ? 0 : SCOLS_FL_WRAP;
}

static bool
set_up(struct layout_grid *grid, const struct layout_column *columns)
{
    bool ok = true;
    for (size_t i = 0; i < grid->count; i++)
        ok = ok && scols_table_new_column(grid->table, columns[i].title, 0.1,
                                          flags_of(&columns[i])) != NULL;
    /* Cells are escaped before they come here; a second escaping would double it. */
    return ok && scols_table_enable_noencoding(grid->table, 1) == 0 &&
           scols_table_set_column_separator(grid->table, "  ") == 0 &&
           scols_table_set_termforce(grid->table, SCOLS_TERMFORCE_ALWAYS) == 0 &&
           scols_table_set_termwidth(grid->table, grid->layout->width - MARGIN) == 0;
}

struct layout_grid *
layout_grid_new(const struct layout *layout, const struct layout_column *columns, size_t count)
{
    assert(layout && columns && count > 0 && count <= LAYOUT_GRID_COLUMNS);
    struct layout_grid *grid = calloc(1, sizeof(*grid));
    if (!grid)
        return NULL;
    grid->layout = layout;
    grid->count = count;
    grid->table = scols_new_table();
    if (grid->table && set_up(grid, columns))
        return grid;
    layout_grid_free(grid);
    return NULL;
}

void
layout_grid_free(struct layout_grid *grid)
{
    if (!grid)
        return;
    scols_unref_table(grid->table);
    free(grid);
}

/** Characters that no terminal has a width for (unassigned ones) are escaped too: libsmartcols
 * would break a line inside them. */
static void
append_drawable(struct text *ret, const char *shown)
{
    mbstate_t state = {0};
    while (*shown) {
        wchar_t wide = 0;
        /* one thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
        size_t size = mbrtowc(&wide, shown, strlen(shown), &state);
        if (size == 0 || size > MB_LEN_MAX) {
            state = (mbstate_t){0};
            size = 1;
        }
        if (size > 1 && wcwidth(wide) < 0)
            text_printf(ret, "\\u{%04lx}", (unsigned long)wide);
        else
            text_append_bytes(ret, shown, size);
        shown += size;
    }
}

bool
layout_grid_row(struct layout_grid *grid, const char *const *cells, struct err *err)
{
    struct libscols_line *line = scols_table_new_line(grid->table, NULL);
    if (!line)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (size_t i = 0; i < grid->count; i++) {
        TEXT_SCOPED shown = {0};
        TEXT_SCOPED drawable = {0};
        text_append_shown(&shown, cells[i], strlen(cells[i]));
        append_drawable(&drawable, text_string(&shown));
        if (!text_ok(&shown, err) || !text_ok(&drawable, err))
            return false;
        if (scols_line_set_data(line, i, text_string(&drawable)) != 0)
            return err_set(err, ERR_INTERNAL, "out of memory");
    }
    return true;
}

bool
layout_grid_print(struct layout_grid *grid, struct err *err)
{
    char *drawn = NULL;
    if (scols_print_table_to_string(grid->table, &drawn) != 0)
        return err_set(err, ERR_INTERNAL, "could not draw a table");
    for (const char *p = drawn; *p;) {
        const size_t whole = strcspn(p, "\n");
        size_t size = whole;
        while (size > 0 && p[size - 1] == ' ')
            size--;
        if (size > 0) {
            text_append(grid->layout->out, "  ");
            text_append_bytes(grid->layout->out, p, size);
        }
        text_append(grid->layout->out, "\n");
        p += whole + (p[whole] ? 1 : 0);
    }
    free(drawn);
    return true;
}
