/**
 * The journal of a run: append-only NDJSON; every record has a sequence number, the UTC time and
 * the SHA-256 of the record before it. Implemented by backup/ and tests/fakes/.
 */
#ifndef PORT_JOURNAL_H
#define PORT_JOURNAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One fact of a record. Numbers are JSON strings too. */
struct fact {
    const char *name;
    const char *value; /* UTF-8; no secrets, no row contents */
};

struct journal;

struct journal_ops {
    /**
     * Append a record. `step` is a stable word: "open", "identity", "preconditions", "plan",
     * "confirmed", "locked", "backup-sealed", "begin", "commit-sent", "committed", "rolled-back",
     * "commit-unknown", "settled", "resumed",
     * "purge-intent", "purge-outcome", "backup-again", "return-intent", "return-outcome",
     * "verified", "close", "stopped". With `durable` the record
     * and all before it are on stable storage when this returns.
     */
    bool (*record)(struct journal *journal, const char *step, const struct fact *facts,
                   size_t count, bool durable, struct err *err);

    /** Make room for at least `bytes` more, so that the next records cannot fail for lack of space.
     */
    bool (*reserve)(struct journal *journal, size_t bytes, struct err *err);
};

struct journal {
    const struct journal_ops *ops;
};

#endif
