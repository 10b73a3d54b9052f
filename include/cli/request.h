/** From configuration to what core is asked. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"
#include "core/run.h"

/**
 * Fill a request. Strings live in `config` and `arena`. The facts hold argv (which never has
 * secrets: -P is refused) and, for each value, where it came from.
 */
MUST_CHECK bool request_make(const struct config *config, int argc, char **argv,
                             struct arena *arena, struct run_request *ret, struct err *err);

#endif
