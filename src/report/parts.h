/** What the parts of the text report share. Private to report/. */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "base/err.h"
#include "core/outcome.h"
#include "report/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTS_NUMBER_BYTES = 24, PARTS_ROWS_SHOWN = 20 };

bool parts_is_command(const struct outcome *outcome, const char *command);

/** Rows are put back. */
bool parts_is_undo(const struct outcome *outcome);

/** Of a member of struct table_outcome, by its offset; what is not known counts as none. */
int64_t parts_sum(const struct outcome *outcome, size_t offset);

/** "row" or "rows". */
const char *parts_rows(int64_t rows);

/** The number, "-" where it is not known. */
const char *parts_number(int64_t rows, char ret[PARTS_NUMBER_BYTES]);

/** Project rows by the host that they name, event rows by channel: the largest groups. */
MUST_CHECK bool parts_write_groups(const struct layout *layout, const struct outcome *outcome,
                                   struct err *err);

/** "and N more" behind a list of `count` that was cut after PARTS_ROWS_SHOWN. */
void parts_write_more(const struct layout *layout, size_t count);

/** What a pasted text means. */
void parts_write_explained(const struct layout *layout, const struct outcome *outcome);

/** The situations that were recognised, with what remains to be done. */
void parts_write_situations(const struct layout *layout, const struct outcome *outcome);

/** The tables with their numbers, and what the numbers do not say by themselves. */
MUST_CHECK bool parts_write_tables(const struct layout *layout, const struct outcome *outcome,
                                   struct err *err);

/** Rows and columns that a saved plan and its target do not have in common. */
void parts_write_difference(const struct layout *layout, const struct outcome *outcome);

/** The plan: id, file, until when. */
void parts_write_plan(const struct layout *layout, const struct outcome *outcome);

#endif
