/**
 * Values as they came over the wire, in the canonical form that is hashed, stored and compared.
 * Nothing that FreeTDS or the server has formatted is used.
 */
#ifndef MSSQL_VALUE_H
#define MSSQL_VALUE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"
#include "port/table.h"

#include <stdbool.h>

enum value_kind {
    VALUE_UNSUPPORTED, /* no exact way back: xml, text, ntext, image, sql_variant, CLR, unknown */
    VALUE_INTEGER,     /* tinyint, smallint, int, bigint */
    VALUE_BIT,
    VALUE_DECIMAL,
    VALUE_MONEY, /* also smallmoney */
    VALUE_FLOAT, /* also real */
    VALUE_DATE,
    VALUE_TIME,
    VALUE_DATETIME2,
    VALUE_DATETIMEOFFSET,
    VALUE_DATETIME, /* also smalldatetime */
    VALUE_GUID,
    VALUE_CHARACTER, /* nvarchar, nchar, varchar, char: read as their bytes, never as text */
    VALUE_BINARY,
    VALUE_ROWVERSION,
};

/** By the name of the type in the catalog, without case; NULL is unsupported. */
enum value_kind value_kind_of(const char *type_name);

/** True for the kinds whose canonical form is the bytes themselves, borrowed from the library. */
bool value_is_bytes(enum value_kind kind);

/** A value that is not NULL, with the type that db-lib gave it. */
struct wire {
    int type; /* SYB..., as dbcoltype */
    struct slice bytes;
};

/**
 * Append the canonical text of a value of a kind that is not bytes; `kind` is the one of the
 * column's type, looked up once for many rows. ERR_SERVER when type or length
 * are not those of the column: nothing is cast before that is known.
 */
MUST_CHECK bool value_append(enum value_kind kind, const struct column *column,
                             const struct wire *wire, struct text *out, struct err *err);

/** A whole number of any integer type, or a decimal or money without fraction. */
MUST_CHECK bool value_integer(const struct wire *wire, int64_t *ret);

/** Append date and time of any of the date types as ISO text with milliseconds. */
MUST_CHECK bool value_append_moment(const struct wire *wire, struct text *out);

/** Append a uniqueidentifier, upper case. */
MUST_CHECK bool value_append_guid(const struct wire *wire, struct text *out);

#endif
