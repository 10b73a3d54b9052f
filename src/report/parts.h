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

/** A half of the target that was asked for, as far as it is known. */
struct parts_target {
    const char *half; /* "axdb", "dataverse" */
    bool is_axdb;
    bool reached;
    const struct err *why;    /* why it was not */
    const char *server;       /* name of the SQL server, host of Dataverse; NULL = not known */
    const char *database;     /* of AxDB */
    const char *organization; /* of Dataverse: its unique name */
    const char *organization_id;
};

/** @return how many of `ret` are filled */
size_t parts_targets(const struct outcome *outcome, struct parts_target ret[2]);

/** A row of Dataverse of which something is to be said: not removed, not put back, new. */
struct parts_row {
    const char *key; /* NULL = not known */
    const char *state;
    int http_status; /* 0 = none */
    const char *request_id;
    const struct err *why; /* NULL = nothing went wrong */
};

/** The row of that number; false behind the last one. */
bool parts_row_at(const struct outcome *outcome, size_t index, struct parts_row *ret);

/** Does the report have rows in numbers? `check` and `env test` count none. */
bool parts_has_tables(const struct outcome *outcome);

/** From beginning to end. */
int64_t parts_took_ms(const struct outcome *outcome);

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
