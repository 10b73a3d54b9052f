/** What the parts of the text report share. Private to report/. */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "base/err.h"
#include "base/text.h"
#include "core/outcome.h"
#include "report/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTS_NUMBER_BYTES = 24, PARTS_ROWS_SHOWN = 20 };

/** Is an outcome good, worth a look, or bad? */
enum layout_colour parts_colour_of(enum outcome_word word);

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

/** When the hosts and channels were counted, where there is a newer look, or was a change. */
const char *parts_look_text(const struct outcome *outcome);

/** Are the rows of a table, as they are counted by host or channel, those that would go? */
bool parts_would_delete(const struct outcome *outcome, enum table table);

/** The groups with most rows, most first; of equals the one that the server named first.
 * PARTS_ROWS_SHOWN at most. */
size_t parts_largest_groups(const struct axdb_evidence *axdb,
                            const struct axdb_channel_count **ret);

/** A group of a channel that is not named stays. */
bool parts_group_stays(const struct outcome *outcome, const struct axdb_channel_count *group);

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

/* ---- sentences: nothing is appended where there is nothing to say */

/** What a dry run did not do. */
void parts_dry_run_text(const struct outcome *outcome, struct text *ret);

/** How a COMMIT that got no answer came out. */
const char *parts_settled_text(const char *settled);

/** What an undo brings back besides rows, or NULL where it brings nothing. */
const char *parts_old_link_text(const struct outcome *outcome);

/** What an undo leaves out. */
void parts_not_put_back_text(const struct outcome *outcome, struct text *ret);

/** What an undo of Dataverse cannot give back. */
void parts_lost_text(const struct outcome *outcome, struct text *ret);

void parts_pace_text(const struct outcome *outcome, struct text *ret);

/** What the rows of Dataverse lacked when they went; NULL: nothing. */
const char *parts_without_versions(const struct outcome *outcome);

/** What the run directory holds. */
void parts_only_copy_text(const struct outcome *outcome, struct text *ret);

/* ---- numbers */

/** A column of numbers of the tables: its title, and the member's offset in struct table_outcome.
 */
struct parts_column {
    const char *title;
    size_t offset;
};

/** The columns that say what the command did; LAYOUT_GRID_COLUMNS - 1 at most. */
const struct parts_column *parts_columns(const struct outcome *outcome, size_t *ret_count);
int64_t parts_number_at(const struct table_outcome *table, const struct parts_column *column);

/** What the numbers of a table do not say by themselves. */
struct parts_note {
    int64_t rows;
    const char *table;
    const char *what;
};

enum { PARTS_NOTES = 16 };

/** The notes with rows; at most PARTS_NOTES. */
size_t parts_notes(const struct outcome *outcome, struct parts_note *ret);

#endif
