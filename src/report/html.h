/**
 * Pieces of an HTML document that is well-formed XML too. Every value is escaped here: no caller
 * can forget it. What is called "own" is our own words, written as they are. Private to report/.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A value as content: `<`, `>`, `&` and quotes as references; control characters, bidirectional
 * overrides, bytes that are not UTF-8 and noncharacters as visible escapes in an element of class
 * "esc", so that a backslash that was there cannot be taken for one.
 */
void html_value(struct text *out, const char *value);

/** The same where no element may stand: in an attribute or a title. A backslash appears as two. */
void html_plain(struct text *out, const char *value);

/** A heading of level 3, and the section that it begins. */
void html_section_open(struct text *out, const char *own_title);
void html_section_close(struct text *out);

/** A paragraph of that class; nothing when `value` is NULL or empty. */
void html_paragraph(struct text *out, const char *own_class, const char *value);

/** Terms and what they are: pairs between open and close. */
void html_list_open(struct text *out);
void html_list_close(struct text *out);
/** Nothing when `value` is NULL or empty. */
void html_pair(struct text *out, const char *own_term, const char *value);
/** The same, to be compared or copied: in a typeface of fixed width. */
void html_pair_code(struct text *out, const char *own_term, const char *value);

struct html_column {
    const char *title; /* our own words */
    bool number;       /* aligned to the right */
};

/** Where the page is narrow, cells stand below one another, each with the title of its column. */
struct html_table {
    const char *caption; /* our own words */
    const struct html_column *columns;
    size_t count;
    bool plain; /* cells need no title beside them where the page is narrow */
};

void html_table_open(struct text *out, const struct html_table *table);
void html_table_close(struct text *out);
void html_row_open(struct text *out);
void html_row_close(struct text *out);
/** A cell of column `column`; the first one of a row is its header. A long value is cut. */
void html_cell(struct text *out, const struct html_table *table, size_t column, const char *value);
/** A number; a negative one is not known: a dash. */
void html_number(struct text *out, const struct html_table *table, size_t column, int64_t value);
/** A number that may be negative. */
void html_signed(struct text *out, const struct html_table *table, size_t column, int64_t value);
/** A cell whose content the caller writes between these. */
void html_cell_open(struct text *out, const struct html_table *table, size_t column);
void html_cell_close(struct text *out, size_t column);

/** "and N more" behind a list that shows `shown` of `all`. */
void html_more(struct text *out, int64_t all, size_t shown);

/** A time, without its zone: UTC; nothing for 0. */
void html_time(struct text *out, int64_t utc_ms);

#endif
