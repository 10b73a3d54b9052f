/** A journal that passes every record on and keeps step and time for the report. Private to core/.
 */
#ifndef CORE_NOTED_JOURNAL_H
#define CORE_NOTED_JOURNAL_H

#include "base/arena.h"
#include "base/err.h"
#include "core/outcome.h"
#include "port/journal.h"

#include <stdbool.h>

/** Zero-initialised = not begun. Must not move once it has begun. */
struct noted_journal {
    struct journal port; /* first: the port is this */
    struct journal *inner;
    struct outcome *outcome; /* gets the steps */
    struct run_step *steps;
};

/** Record through `inner` from now on. Nothing is allocated afterwards. */
MUST_CHECK bool noted_journal_begin(struct noted_journal *noted, struct journal *inner,
                                    struct outcome *outcome, struct arena *arena, struct err *err);

#endif
