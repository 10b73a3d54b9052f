/** Typed values: how they are made, converted, compared, ordered and stored. */
#ifndef SANDBOX_TSQL_VALUE_H
#define SANDBOX_TSQL_VALUE_H

#include "tsql/engine.h"
#include "tsql/text.h"

__extension__ typedef unsigned __int128 u128;

struct val {
    struct sql_typeinfo t;
    struct sql_value v;
};

/** An error of the evaluator: what the client will read. `number` 0 = none. */
struct sql_error {
    int number, severity, state, line;
    bool compile; /* found while compiling: TRY of the same scope cannot catch it */
    bool batch;   /* ends the batch whatever XACT_ABORT says */
    bool thrown;  /* by THROW */
    bool raised;  /* by RAISERROR */
    char procedure[130];
    char text[2048];
};

/** What a value needs of its surroundings. Every function that fails has filled `error`. */
struct vctx {
    struct arena *arena;
    struct sql_error *error;
    uint32_t options; /* the bits of @@OPTIONS */
    int line;
    bool utf8; /* see dialect.h */
    char dateformat[4];
};

/** Fill the error (severity by number) and return false. */
bool fail(struct vctx *, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));
int severity_of(int number);

/* ---- types ---- */

struct sql_typeinfo type_of(enum sql_type);
struct sql_typeinfo type_chars(enum sql_type, uint32_t characters); /* SQL_MAX_LENGTH = max */
struct sql_typeinfo type_decimal(int precision, int scale);
bool type_is_nchar(enum sql_type);
bool type_is_char(enum sql_type); /* any character type */
bool type_is_binary(enum sql_type);
bool type_is_int(enum sql_type);    /* bit to bigint */
bool type_is_exact(enum sql_type);  /* ints, decimal, money */
bool type_is_number(enum sql_type); /* exact or approximate */
bool type_is_date(enum sql_type);
bool type_is_max(const struct sql_typeinfo *);
/** The type that wins when two meet. */
int type_precedence(enum sql_type);
struct sql_typeinfo type_common(struct sql_typeinfo, struct sql_typeinfo);
const char *type_name(enum sql_type);

/* ---- making values ---- */

struct val val_null(struct sql_typeinfo);
struct val val_int(int64_t);
struct val val_bigint(int64_t);
struct val val_bit(bool);
struct val val_float(double);
struct val val_utf8(struct arena *, const char *text);              /* nvarchar */
struct val val_units(struct arena *, struct units);                 /* nvarchar */
struct val val_bytes(const void *bytes, size_t length);             /* varbinary, borrowed */
struct val val_string(struct arena *, enum sql_type, struct units); /* any character type */
struct val val_string_in(struct arena *, enum sql_type, struct units, uint16_t codepage);
struct val val_copy(struct arena *, const struct val *); /* bytes copied too */
/** The text of a character value. */
struct units val_text(struct arena *, const struct val *);
/** The same as UTF-8, for messages and names. */
char *val_utf8_text(struct arena *, const struct val *);

/* ---- decimals ---- */

u128 decimal_magnitude(const struct sql_value *);
void decimal_set(struct val *, bool negative, u128 magnitude);
u128 decimal_power10(int exponent);
/** To another scale, rounding half away from zero. False: overflow. */
bool decimal_rescale(u128 *magnitude, int from, int to);
bool decimal_parse(const char *text, struct val *out); /* precision and scale as written */
size_t decimal_text(const struct val *, char *to, size_t size);
bool decimal_arithmetic(struct vctx *, char op, const struct val *a, const struct val *b,
                        struct val *out);
struct sql_typeinfo decimal_result_type(char op, struct sql_typeinfo a, struct sql_typeinfo b);

/* ---- dates ---- */

struct civil {
    int year, month, day;
};
struct civil civil_from_days(int32_t days); /* since 1900-01-01 */
int32_t days_from_civil(int year, int month, int day);
bool civil_valid(int year, int month, int day);

/** A moment, whatever its type: days and 100 ns since midnight, local to its offset. */
struct moment {
    int32_t days;
    int64_t ticks;
    int offset;
};
#define TICKS_PER_SECOND INT64_C(10000000)
#define TICKS_PER_DAY (INT64_C(86400) * TICKS_PER_SECOND)
struct moment moment_from_val(const struct val *);
/** Round to the target type. False when out of its range. */
bool moment_to_val(struct moment, struct sql_typeinfo, struct val *out);
bool moment_parse(const char *text, const char *dateformat, struct moment *out);
size_t moment_text(const struct val *, int style, char *to, size_t size);
struct moment moment_now(bool utc);

/* ---- conversion, comparison ---- */

/** CAST or CONVERT; `style` 0 is the default. Assignments go through it too. */
bool convert(struct vctx *, const struct val *in, struct sql_typeinfo to, int style,
             struct val *out);
/** As convert, but with 8152 where text or bytes would be cut; `where` names the column. */
bool convert_store(struct vctx *, const struct val *in, struct sql_typeinfo to, const char *where,
                   struct val *out);
/** False: no implicit conversion between the two exists (206). */
bool convertible(enum sql_type from, enum sql_type to);

/** Compare two values that are not NULL; they are brought to one type first. */
bool compare(struct vctx *, const struct val *a, const struct val *b, int *ret_order);
/** Compare two texts as the server's collation does: without case and trailing blanks. */
int compare_text(struct units a, struct units b);
/** Bytes whose memcmp order is the order of the values (NULL first). */
void key_encode(struct buf *, const struct val *, bool descending);
/** LIKE; `escape` 0 = none. */
bool like_match(struct units text, struct units pattern, uint16_t escape);

/* ---- stored rows ---- */

void row_encode(struct buf *, const struct val *values, size_t count);
/** Values with these types; bytes stay borrowed from `blob`. Columns that it lacks are NULL. */
void row_decode(const unsigned char *blob, size_t length, const struct sql_typeinfo *types,
                size_t stride, struct val *values, size_t count);
struct row_shape {
    const struct sql_typeinfo *types;
    size_t stride, count;
    const bool *wanted; /* NULL = all columns */
};
/** The same, but columns that are not wanted are passed over. */
void row_decode_some(const unsigned char *blob, size_t length, const struct row_shape *,
                     struct val *values);

#endif
