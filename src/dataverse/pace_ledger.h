/**
 * What the service may have charged us in the sliding window: requests and execution time. Kept in
 * slots, so that its size does not depend on the number of requests; a charge is forgotten up to
 * one slot (1/300 of the window) too late, never too early.
 */
#ifndef DATAVERSE_PACE_LEDGER_H
#define DATAVERSE_PACE_LEDGER_H

#include <stdint.h>

enum {
    PACE_LEDGER_SLOTS = 301,
    PACE_LEDGER_RECENT = 60, /* slots that a rate is taken from */
};

struct pace_charge {
    int64_t requests, elapsed_ms, rows;
};

struct pace_ledger {
    int64_t slot_ms, start_ms;
    int64_t newest; /* number of the newest slot since the start */
    struct pace_charge slots[PACE_LEDGER_SLOTS];
    struct pace_charge sum; /* of all slots */
};

void pace_ledger_init(struct pace_ledger *ledger, int64_t window_ms, int64_t now_ms);

/** Forget what is older than the window. `now_ms` never goes back. */
void pace_ledger_advance(struct pace_ledger *ledger, int64_t now_ms);

/** Add a charge at the time of the last pace_ledger_advance. */
void pace_ledger_add(struct pace_ledger *ledger, struct pace_charge charge);

/** Rows a second, over the newest fifth of the window or since the start, whichever is shorter. */
double pace_ledger_rate(const struct pace_ledger *ledger, int64_t now_ms);

#endif
