/** The checks: evidence to observations. Private to core/. */
#ifndef CORE_CHECKS_H
#define CORE_CHECKS_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"

#include <stdbool.h>

/** Observations under way. `exhausted` = memory ran out: asked once, at the end. */
struct observations {
    struct arena *arena;
    enum expectation expect;
    struct observation *list;
    size_t count, capacity;
    bool exhausted;
};

/** Make every check of the halves asked for. False when memory ran out. */
bool checks_make(const struct run_request *request, struct evidence *evidence, struct arena *arena);

/** The two halves of it: checks_axdb.c, checks_dataverse.c. */
void checks_axdb(struct observations *list, const struct run_request *request,
                 const struct evidence *evidence);
void checks_dataverse(struct observations *list, const struct run_request *request,
                      const struct evidence *evidence);

/** What Dataverse itself says of what is wrong; advisory, all of it: checks_diagnosis.c. */
void checks_diagnosis(struct observations *list, const struct run_request *request,
                      const struct evidence *evidence);

/** Add an observation; the caller may add hint, code and cause to what is returned. Never NULL. */
struct observation *observe(struct observations *list, const char *check, enum verdict verdict,
                            const char *fmt, ...) ERR_FMT(4, 5);

/** An observation that could not be made, because of `why`. */
void observe_unknown(struct observations *list, const char *check, const char *what,
                     const struct err *why);

/** "row" or "rows". */
const char *rows_word(int64_t rows);

/** What Microsoft's health check would call it: to be printed with "corresponds to", because
 * dwclean did not run that check. */
#define HEALTH_STALE_AXDB "DWFOEV1004"
#define HEALTH_STALE_DATAVERSE "DWDVEV1004"

#endif
