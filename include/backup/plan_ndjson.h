/** plan.ndjson (src/backup/README.md): the plan-file port on disk, and its reader. */
#ifndef BACKUP_PLAN_NDJSON_H
#define BACKUP_PLAN_NDJSON_H

#include "base/digest.h"
#include "base/err.h"
#include "port/plan_file.h"
#include "port/saved_plan.h"
#include "port/table.h"

#include <stdbool.h>
#include <stdint.h>

enum { PLAN_LINE_MAX_BYTES = 4 * 1024 * 1024 };

/** A plan that will be `path`; until its end it is `path`.tmp. Copies the string. ERR_INTERNAL. */
MUST_CHECK bool plan_ndjson_new(const char *path, struct plan_file **ret, struct err *err);
void plan_ndjson_free(struct plan_file *plan); /* NULL is allowed */

/**
 * The same for a file of the operator's (--out): it never replaces one, and nothing is left of it
 * when it does not come to its end. The directory has to be there. ERR_STORAGE: something has that
 * name already.
 */
MUST_CHECK bool plan_ndjson_new_out(const char *path, struct plan_file **ret, struct err *err);

/** Open a plan to be read row by row; everything in it is verified first. ERR_STORAGE as
 * plan_ndjson_read. `ret` is closed by its own operation. */
MUST_CHECK bool plan_ndjson_open(const char *path, struct saved_plan **ret, struct err *err);

/** Where the parts of a plan go; each may be NULL. Everything is borrowed until the call returns.
 */
struct plan_sink {
    void *ctx;
    bool (*header)(void *ctx, const struct plan_header *header, struct err *err);
    bool (*schema)(void *ctx, const struct schema *schema, struct err *err);
    bool (*row)(void *ctx, const struct row_id *row, struct err *err);
};

/** The last line of a plan. */
struct plan_end {
    char plan_id[DIGEST_HEX_BYTES];
    int64_t rows;
};

/**
 * Read a plan. The file's SHA-256 and row count are verified before anything is handed over.
 *
 * @param path  the file
 * @param sink  may be NULL: verify only
 * @param ret   the last line
 * @param err   ERR_STORAGE: unreadable, damaged, not whole, or not format 1
 */
MUST_CHECK bool plan_ndjson_read(const char *path, const struct plan_sink *sink,
                                 struct plan_end *ret, struct err *err);

#endif
