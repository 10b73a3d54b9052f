/**
 * Several environments at once. Each is looked at in a process of its own, forked before any
 * library is initialised: FreeTDS, libcurl and OpenSSL are then as in a run of one environment, and
 * what one process holds, no other one has. A process that hangs, crashes or talks nonsense costs
 * its own environment and no other one.
 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include "cli/finish.h"

#include <stdbool.h>

/** All borrowed. */
struct fleet_job {
    const struct finish *finish; /* configuration, output, console */
    /** In the new process: look at this environment, the `index`-th, and send what came of it to
     * `fd` (output with a `member`). Returns the exit status of the process. */
    int (*look)(void *ctx, const char *environment, size_t index, int fd);
    void *ctx;
    void (*last_is_started)(void); /* what the processes inherit is not needed any more */
};

/** Look at all of them and report. Returns the exit status; ERR_INTERNAL when it could not begin.
 */
MUST_CHECK bool fleet_look(const struct fleet_job *job, int *ret_status, struct err *err);

#endif
