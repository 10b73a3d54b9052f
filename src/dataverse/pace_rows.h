/**
 * The rows that are not in flight: those that were never sent, those that came back, and those that
 * wait for another try on a heap of timers. A row is an index into the caller's array.
 *
 * Rows that were sent and are not settled ("held") are bounded by the caller, which takes fresh
 * ones only while few wait; so only one byte a row grows with the table.
 */
#ifndef DATAVERSE_PACE_ROWS_H
#define DATAVERSE_PACE_ROWS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace_waiting {
    int64_t due_ms;
    uint32_t row;
};

struct pace_rows {
    uint32_t count, fresh; /* all; those from `fresh` on were never taken */
    uint32_t offered;      /* those from here on are not there yet */
    size_t held_max;       /* what the two arrays hold */
    uint32_t *returned;    /* a stack: the top is taken next */
    size_t returned_count;
    struct pace_waiting *heap; /* the earliest first */
    size_t waiting_count;
    unsigned char *tries; /* failed tries of each row */
};

/** False when out of memory; then there is nothing to free. */
MUST_CHECK bool pace_rows_init(struct pace_rows *rows, uint32_t count, size_t held_max);
void pace_rows_done(struct pace_rows *rows);

/** Put a row in front of all others. */
void pace_rows_return(struct pace_rows *rows, uint32_t row);

/** Let a row wait until `due_ms`. */
void pace_rows_wait(struct pace_rows *rows, uint32_t row, int64_t due_ms);

/** When the next waiting row is due; INT64_MAX when none waits. */
int64_t pace_rows_due_ms(const struct pace_rows *rows);

/** Take the next row: returned, then due, then (if allowed) fresh. False when there is none. */
MUST_CHECK bool pace_rows_take(struct pace_rows *rows, int64_t now_ms, bool fresh, uint32_t *ret);

#endif
