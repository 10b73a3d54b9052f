/**
 * Cells of comma-separated values (RFC 4180: CRLF behind each line, quotes where they are needed),
 * UTF-8 without a byte order mark. One record is one line: control characters are written as
 * escapes (visible.h). A cell that a spreadsheet would take for a formula gets an apostrophe in
 * front, wherever a spreadsheet of any locale may see a cell begin. Private to report/.
 */
#ifndef REPORT_CSV_WRITER_H
#define REPORT_CSV_WRITER_H

#include "base/text.h"

#include <stdint.h>

struct csv_writer {
    struct text *out;
    unsigned cells; /* of the line so far */
};

void csv_cell(struct csv_writer *csv, const char *value); /* NULL = empty */
void csv_count(struct csv_writer *csv, int64_t value);    /* negative = not known: empty */
void csv_seconds(struct csv_writer *csv, int64_t ms);     /* with three decimals */
void csv_time(struct csv_writer *csv, int64_t utc_ms);    /* ISO 8601; 0 = empty */
void csv_end(struct csv_writer *csv);                     /* of a line */

#endif
