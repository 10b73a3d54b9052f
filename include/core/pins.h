/**
 * Pins of the AxDB half: what the operator wrote down about the database that is meant. Judged in
 * one place, for guards, checks and `check` alike.
 */
#ifndef CORE_PINS_H
#define CORE_PINS_H

#include "core/run.h"

#include <stdbool.h>

enum pin_state {
    PIN_NONE,    /* the operator set none */
    PIN_HOLDS,   /* as pinned */
    PIN_DIFFERS, /* known, and another */
    PIN_UNKNOWN, /* nothing can be compared: never taken for right */
};

/** SERVERPROPERTY and @@SERVERNAME are names: compared without case. `err` is filled (ERR_REFUSED)
 * for PIN_DIFFERS and PIN_UNKNOWN: both values, and the way on. */
enum pin_state pin_server_name(const struct run_request *request, const struct axdb_identity *id,
                               struct err *err);

/** The same for DB_NAME(). */
enum pin_state pin_database(const struct run_request *request, const struct axdb_identity *id,
                            struct err *err);

/**
 * The same for the newest restore in msdb.dbo.restorehistory, which must be later than
 * request->expect_restored_after: "YYYY-MM-DD", which is that day's first moment, or with "THH:MM",
 * "THH:MM:SS", "THH:MM:SS.fffffff" (a blank may stand for the T).
 *
 * Both are the server's local time: restorehistory.restore_date is a datetime without a zone. So a
 * pin with a zone ("Z", "+01:00"), or which is no date, is ERR_CONFIG and PIN_UNKNOWN. A history
 * that cannot be read is PIN_UNKNOWN; one without a restore is PIN_DIFFERS.
 */
enum pin_state pin_restored_after(const struct run_request *request, const struct axdb_identity *id,
                                  struct err *err);

/** All of them: false with `err` of the first that does not hold. */
MUST_CHECK bool guard_pins(const struct run_request *request, const struct axdb_identity *id,
                           struct err *err);

#endif
