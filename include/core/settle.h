/**
 * What became of a COMMIT that got no answer. The old connection is proven gone first: the
 * application lock that it held is granted to a new one, and all three tables are locked by it.
 * Then only the rows of the backup decide; other rows are counted and decide nothing, because a map
 * may have written one in between.
 */
#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include "core/evidence.h"
#include "core/run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Rows of a sealed backup, wherever it is. */
struct backup_rows {
    void *ctx;
    /** NULL when the table is not in it. */
    const struct schema *(*schema)(void *ctx, enum table table);
    /** Every row in key order, proven. */
    bool (*read)(void *ctx, enum table table, const struct row_sink *sink, struct err *err);
    /** Does row number `at` of the table decide? NULL = every row does. */
    bool (*decides)(void *ctx, enum table table, size_t at);
};

enum settled {
    SETTLED_UNKNOWN,   /* not found out: `err` says what stood in the way */
    SETTLED_COMMITTED, /* the change is there */
    SETTLED_NOT,       /* it was rolled back */
    SETTLED_MIXED,     /* neither: some rows are there, or there with other contents */
};

/** "committed", "rolled-back", "mixed", "unknown": for journal and reports. */
const char *settled_name(enum settled settled);

struct settle_job {
    const struct run_request *request;
    const struct run_ports *ports;
    const struct axdb_identity *identity; /* of the database that the COMMIT was sent to */
    const struct backup_rows *backup;
    bool restoring;  /* the COMMIT was to put the rows back, not to delete them */
    int64_t wait_ms; /* for server and locks, in all */
    struct arena *arena;
};

/** What was found of the backup's rows, all three tables together. */
struct settle_result {
    enum settled settled;
    int64_t rows;    /* of the backup, that decide */
    int64_t present; /* there, with equal digests */
    int64_t differing;
    int64_t others; /* rows that are not the backup's */
};

/**
 * Find out. The tables are read under their locks, the backup when they are free again. Waits for
 * the server, for the application lock and for the table locks, up to wait_ms.
 *
 * @param job  what to look for
 * @param ret  written in every case
 * @param err  filled when ret->settled is SETTLED_UNKNOWN: ERR_OUTCOME, or ERR_STALE when this is
 *             another database now
 * @return     false with SETTLED_UNKNOWN
 */
MUST_CHECK bool settle_commit(const struct settle_job *job, struct settle_result *ret,
                              struct err *err);

#endif
