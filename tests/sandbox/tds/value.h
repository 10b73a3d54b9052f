/** Values on the wire, both ways; their type has been said before (tds/type.h). */
#ifndef SANDBOX_TDS_VALUE_H
#define SANDBOX_TDS_VALUE_H

#include "tds/arena.h"
#include "tds/bytes.h"
#include "tds/type.h"

#include <stdbool.h>

/** Ways to send rows that clients have to bear, or that they have to survive. */
struct tds_row_format {
    bool nulls_in_bitmap; /* NBCROW in place of ROW */
    bool unknown_length;  /* (max) values: length not said before, and in small chunks */
    bool absurd_length;   /* the first value with a length of its own claims far too much */
};

/** Bytes are borrowed from the reader or, when they came in chunks, from the arena. */
bool tds_value_read(struct tds_reader *reader, const struct tds_type *type, enum tds_place place,
                    struct tds_arena *arena, struct sql_value *ret);

/** False, with nothing useful written, when the value does not fit its type. */
bool tds_value_write(struct tds_buffer *buffer, const struct tds_type *type,
                     const struct sql_value *value, const struct tds_row_format *format);

#endif
