/**
 * What happens to single rows, on record in groups: an intent is on stable storage before its rows
 * are sent; outcomes are written with the next intents, or when a group is full. An outcome that a
 * crash takes away is found out again, because sending a row twice is harmless. Private to core/.
 */
#ifndef CORE_ROW_JOURNAL_H
#define CORE_ROW_JOURNAL_H

#include "port/journal.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROW_JOURNAL_GROUP = 100, ROW_JOURNAL_KEY_BYTES = 40, ROW_JOURNAL_VALUE_BYTES = 120 };

struct row_journal {
    struct journal *journal;
    const char *intent_step, *outcome_step;
    size_t count; /* of outcomes that are not written yet */
    char keys[ROW_JOURNAL_GROUP][ROW_JOURNAL_KEY_BYTES];
    char values[ROW_JOURNAL_GROUP][ROW_JOURNAL_VALUE_BYTES]; /* "done 204 REQUEST-ID" */
};

/** At most ROW_JOURNAL_GROUP rows that are about to be sent: key and version ("" = none) as a fact
 * each. With `durable` these and all before them are on stable storage. */
MUST_CHECK bool row_journal_intents(struct row_journal *journal, const struct fact *rows,
                                    size_t count, bool durable, struct err *err);

/** What came of one row. */
struct row_outcome {
    const char *key, *state;
    int http_status;
    const char *request_id;
    const char *why; /* NULL or "": it is what was wanted, and goes into a group */
};

MUST_CHECK bool row_journal_outcome(struct row_journal *journal, const struct row_outcome *outcome,
                                    struct err *err);

/** Write what is left. */
MUST_CHECK bool row_journal_flush(struct row_journal *journal, bool durable, struct err *err);

#endif
