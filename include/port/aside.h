/**
 * Work beside ours: somebody else does it at the same time and leaves its results in memory that
 * both see. Implemented by cli/ (a child process) and by tests/fakes/.
 */
#ifndef PORT_ASIDE_H
#define PORT_ASIDE_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

struct aside {
    /** Where the work leaves its results; what is put there before `begin` it sees too. */
    struct arena *arena;
    /**
     * Begin `work`. It must change nothing of ours but what lies in `arena`.
     *
     * @return false when nobody can do it: then it is ours to do, and `end` is not called
     */
    bool (*begin)(struct aside *aside, void (*work)(void *ctx), void *ctx);
    /**
     * Wait for its end.
     *
     * @param err what became of it: ERR_INTERNAL when it ended before its time, ERR_INTERRUPTED
     * @return    false: what lies in `arena` must not be believed
     */
    MUST_CHECK bool (*end)(struct aside *aside, struct err *err);
};

#endif
