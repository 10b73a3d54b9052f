/**
 * The plan on disk, plan.ndjson: a header line, one line for each row (table, key, digest, version;
 * no contents, no secrets), a last line with the file's own SHA-256. Implemented by backup/ and
 * tests/fakes/.
 */
#ifndef PORT_PLAN_FILE_H
#define PORT_PLAN_FILE_H

#include "base/err.h"
#include "port/table.h"

#include <stdbool.h>
#include <stdint.h>

/** The header: what the plan is for. All strings borrowed, UTF-8; "" = that half is not in the
 * plan. */
struct plan_header {
    const char *server, *database; /* as dialled, and DB_NAME() */
    const char *database_created, *recovery_fork;
    const char *organization_id, *organization_name, *organization_host;
    const char *scope; /* canonical text of the options that select rows */
    int64_t created_utc_ms, expires_utc_ms;
};

struct plan_file;

struct plan_file_ops {
    bool (*begin)(struct plan_file *plan, const struct plan_header *header, struct err *err);
    bool (*add_schema)(struct plan_file *plan, const struct schema *schema, struct err *err);
    bool (*add)(struct plan_file *plan, const struct row_id *row, struct err *err);
    /** The last line, fsync, final name. `plan_id` is 64 hex digits. */
    bool (*end)(struct plan_file *plan, const char *plan_id, struct err *err);
};

struct plan_file {
    const struct plan_file_ops *ops;
};

#endif
