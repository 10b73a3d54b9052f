/**
 * A plan of an earlier command, read from its file: streamed, never held whole. Implemented by
 * backup/ and tests/fakes/.
 */
#ifndef PORT_SAVED_PLAN_H
#define PORT_SAVED_PLAN_H

#include "base/err.h"
#include "port/plan_file.h"
#include "port/table.h"

#include <stdbool.h>
#include <stdint.h>

struct saved_plan;

struct saved_plan_ops {
    const char *(*path)(const struct saved_plan *plan);   /* as it was named */
    const char *(*sha256)(const struct saved_plan *plan); /* of the whole file, as sha256sum */
    const struct plan_header *(*header)(const struct saved_plan *plan);
    const char *(*plan_id)(const struct saved_plan *plan); /* what its last line says */

    /** Columns of a table as they were; NULL: the table is not in the plan. */
    const struct schema *(*schema)(const struct saved_plan *plan, enum table table);

    /** Row by row in the order of the file: rewind, then next until `ret_end`. The file's sum is
     * proven again on the way: a file that changed since it was opened is ERR_STORAGE. */
    bool (*rewind)(struct saved_plan *plan, struct err *err);
    bool (*next)(struct saved_plan *plan, struct row_id *ret, bool *ret_end, struct err *err);

    void (*close)(struct saved_plan *plan); /* frees */
};

struct saved_plan {
    const struct saved_plan_ops *ops;
};

#endif
