/**
 * One value as SQL text for `INSERT ... VALUES`, such that the server stores exactly the bytes that
 * it was read with. A literal stands alone in its INSERT: the column itself gives it its type.
 */
#ifndef MSSQL_LITERAL_H
#define MSSQL_LITERAL_H

#include "base/err.h"
#include "base/text.h"
#include "port/table.h"

#include <stdbool.h>

struct literal_style {
    /** For a script that tools and editors read: printable ASCII alone, on one line, without
     * `$(`. They take line breaks for their own, and files for another code page. */
    bool portable;
    bool utf8; /* test only: an engine that stores nvarchar as UTF-8: hex would be other bytes */
};

/**
 * Append the literal of a field in its canonical form (value.h). No SET option and no collation
 * changes its meaning. ERR_SCHEMA when the value is not one that the column can hold unchanged:
 * nothing but what has been checked enters the text.
 */
MUST_CHECK bool literal_append(const struct column *column, const struct field *field,
                               const struct literal_style *style, struct text *out,
                               struct err *err);

/**
 * Append " AND ..." conditions that hold when the column has exactly this value, for the values
 * that a server may change without an error on their way: text that depends on a code page, and
 * every floating point number, since each is read from decimal digits. `ret_any` is false when
 * there was nothing to append.
 */
MUST_CHECK bool literal_append_proof(const struct column *column, const struct field *field,
                                     struct text *out, bool *ret_any, struct err *err);

#endif
