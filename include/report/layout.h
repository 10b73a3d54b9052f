/**
 * Lines for a terminal: headings, wrapped sentences, aligned columns. Everything that comes in as a
 * value is escaped here (text_append_shown): no caller can forget it.
 */
#ifndef REPORT_LAYOUT_H
#define REPORT_LAYOUT_H

#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { LAYOUT_MIN_WIDTH = 40, LAYOUT_WIDTH = 80, LAYOUT_GRID_COLUMNS = 7 };

enum layout_colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_WARNING, COLOUR_STRONG };

struct layout {
    struct text *out;
    unsigned width;
    bool colour;
};

/** A blank line and a title. */
void layout_heading(const struct layout *layout, const char *title);

/** `word` in a colour, padded with blanks to `width` (not escaped: our own words). */
void layout_word(const struct layout *layout, const char *word, unsigned width,
                 enum layout_colour colour);

/**
 * `value` broken at blanks, from column `column` (already reached) on; further lines are indented
 * as far. Ends the line. A word that does not fit is not broken: it may be a path.
 */
void layout_flow(const struct layout *layout, unsigned column, const char *value);

/** The same for a statement that will be copied: a backslash stays one. */
void layout_statement(const struct layout *layout, unsigned column, const char *value);

/** "  label        value", wrapped; nothing when `value` is NULL or empty. */
void layout_pair(const struct layout *layout, const char *label, const char *value);

enum layout_kind {
    KIND_TEXT,   /* broken where the line is too short */
    KIND_NUMBER, /* aligned to the right, never broken */
    KIND_WORD,   /* never broken */
};

struct layout_column {
    const char *title;
    enum layout_kind kind;
};

struct layout_grid; /* opaque */

/** Columns with titles, drawn by libsmartcols. NULL when out of memory. */
struct layout_grid *layout_grid_new(const struct layout *layout,
                                    const struct layout_column *columns, size_t count);
void layout_grid_free(struct layout_grid *grid); /* NULL is allowed */
/** One row; `cells` has as many strings as there are columns. */
MUST_CHECK bool layout_grid_row(struct layout_grid *grid, const char *const *cells,
                                struct err *err);
/** Append the rows, two blanks to the left, no blanks at line ends. */
MUST_CHECK bool layout_grid_print(struct layout_grid *grid, struct err *err);

#endif
