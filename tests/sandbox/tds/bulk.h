/** The stream of a bulk load ([MS-TDS] 2.2.6.1): what the columns are, then rows. */
#ifndef SANDBOX_TDS_BULK_H
#define SANDBOX_TDS_BULK_H

#include "tds/arena.h"
#include "tds/bytes.h"
#include "tds/type.h"

#include <stdbool.h>
#include <stddef.h>

enum { TDS_BULK_COLUMNS_MAX = 1024 };

struct tds_bulk {
    size_t count;
    struct sql_column *columns; /* from the arena, as `types` */
    struct tds_type *types;
};

bool tds_bulk_columns(struct tds_reader *reader, struct tds_arena *arena, struct tds_bulk *ret);

enum tds_bulk_result { TDS_BULK_ROW, TDS_BULK_END, TDS_BULK_BROKEN };

/** The next row, `values` has bulk->count places. A DONE or the end of the stream ends it. */
enum tds_bulk_result tds_bulk_row(struct tds_reader *reader, const struct tds_bulk *bulk,
                                  struct tds_arena *arena, struct sql_value *values);

#endif
