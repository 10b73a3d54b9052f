#include "pace_rows.h"

#include <assert.h>
#include <stdlib.h>

bool
pace_rows_init(struct pace_rows *rows, uint32_t count, size_t held_max)
{
    const size_t held = held_max < count ? held_max : count;

    *rows = (struct pace_rows){.count = count, .offered = count, .held_max = held};
    rows->returned = calloc(held + 1, sizeof *rows->returned);
    rows->heap = calloc(held + 1, sizeof *rows->heap);
    rows->tries = calloc((size_t)count + 1, sizeof *rows->tries);
    if (rows->returned && rows->heap && rows->tries)
        return true;
    pace_rows_done(rows);
    return false;
}

void
pace_rows_done(struct pace_rows *rows)
{
    free(rows->returned);
    free(rows->heap);
    free(rows->tries);
    *rows = (struct pace_rows){0};
}

void
pace_rows_return(struct pace_rows *rows, uint32_t row)
{
    assert(row < rows->fresh && rows->returned_count < rows->held_max);
    rows->returned[rows->returned_count++] = row;
}

/** Equal times are taken in the order of the rows. */
static bool
is_earlier(const struct pace_waiting *a, const struct pace_waiting *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->row < b->row;
}

static void
swap(struct pace_waiting *a, struct pace_waiting *b)
{
    const struct pace_waiting kept = *a;

    *a = *b;
    *b = kept;
}

void
pace_rows_wait(struct pace_rows *rows, uint32_t row, int64_t due_ms)
{
    size_t at = rows->waiting_count++;

    assert(row < rows->fresh && at < rows->held_max);
    rows->heap[at] = (struct pace_waiting){.due_ms = due_ms, .row = row};
    while (at > 0 && is_earlier(&rows->heap[at], &rows->heap[(at - 1) / 2])) {
        swap(&rows->heap[at], &rows->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

int64_t
pace_rows_due_ms(const struct pace_rows *rows)
{
    return rows->waiting_count > 0 ? rows->heap[0].due_ms : INT64_MAX;
}

static uint32_t
take_earliest(struct pace_rows *rows)
{
    const uint32_t row = rows->heap[0].row;
    size_t at = 0;

    rows->heap[0] = rows->heap[--rows->waiting_count];
    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= rows->waiting_count)
            return row;
        if (child + 1 < rows->waiting_count &&
            is_earlier(&rows->heap[child + 1], &rows->heap[child]))
            child++;
        if (!is_earlier(&rows->heap[child], &rows->heap[at]))
            return row;
        swap(&rows->heap[child], &rows->heap[at]);
        at = child;
    }
}

bool
pace_rows_take(struct pace_rows *rows, int64_t now_ms, bool fresh, uint32_t *ret)
{
    if (rows->returned_count > 0)
        *ret = rows->returned[--rows->returned_count];
    else if (rows->waiting_count > 0 && rows->heap[0].due_ms <= now_ms)
        *ret = take_earliest(rows);
    else if (fresh && rows->fresh < rows->offered)
        *ret = rows->fresh++;
    else
        return false;
    return true;
}
