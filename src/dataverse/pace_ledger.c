#include "pace_ledger.h"

void
pace_ledger_init(struct pace_ledger *ledger, int64_t window_ms, int64_t now_ms)
{
    const int64_t slots = PACE_LEDGER_SLOTS - 1;

    *ledger = (struct pace_ledger){.slot_ms = (window_ms + slots - 1) / slots, .start_ms = now_ms};
    if (ledger->slot_ms < 1)
        ledger->slot_ms = 1;
}

static struct pace_charge *
slot(struct pace_ledger *ledger, int64_t number)
{
    return &ledger->slots[number % PACE_LEDGER_SLOTS];
}

void
pace_ledger_advance(struct pace_ledger *ledger, int64_t now_ms)
{
    const int64_t number = (now_ms - ledger->start_ms) / ledger->slot_ms;

    if (number - ledger->newest > PACE_LEDGER_SLOTS)
        ledger->newest = number - PACE_LEDGER_SLOTS;
    while (ledger->newest < number) {
        struct pace_charge *oldest = slot(ledger, ++ledger->newest);

        ledger->sum.requests -= oldest->requests;
        ledger->sum.elapsed_ms -= oldest->elapsed_ms;
        ledger->sum.rows -= oldest->rows;
        *oldest = (struct pace_charge){0};
    }
}

void
pace_ledger_add(struct pace_ledger *ledger, struct pace_charge charge)
{
    struct pace_charge *newest = slot(ledger, ledger->newest);

    newest->requests += charge.requests;
    newest->elapsed_ms += charge.elapsed_ms;
    newest->rows += charge.rows;
    ledger->sum.requests += charge.requests;
    ledger->sum.elapsed_ms += charge.elapsed_ms;
    ledger->sum.rows += charge.rows;
}

double
pace_ledger_rate(const struct pace_ledger *ledger, int64_t now_ms)
{
    int64_t first = ledger->newest - PACE_LEDGER_RECENT + 1;
    int64_t rows = 0;
    int64_t span_ms;

    if (first < 0)
        first = 0;
    for (int64_t i = first; i <= ledger->newest; i++)
        rows += ledger->slots[i % PACE_LEDGER_SLOTS].rows;
    span_ms = now_ms - ledger->start_ms - first * ledger->slot_ms;
    return span_ms > 0 ? (double)rows * 1000.0 / (double)span_ms : 0.0;
}
