/** What a run tells while it goes on. Implemented by cli/ (stderr) and by tests/fakes/. */
#ifndef PORT_OBSERVER_H
#define PORT_OBSERVER_H

#include "base/log.h"

#include <stdint.h>

struct runtime_pace;

struct observer {
    /** One finished sentence, without newline. */
    void (*say)(struct observer *observer, enum log_level level, const char *text);
    /** `done` of `total` (0 = not known) things named `what`, e.g. "rows of
     * BUSINESSEVENTSDEFINITION backed up". */
    void (*progress)(struct observer *observer, const char *what, int64_t done, int64_t total);
    /** The same of a step at Dataverse, which knows its own rate and pauses. NULL: progress is told
     * of it, in words. */
    void (*pace)(struct observer *observer, const char *what, const struct runtime_pace *pace);
    /** From now on the run has this name. May be NULL. */
    void (*run)(struct observer *observer, const char *run_id);
};

#endif
