/**
 * Random rows for a schema of AxDB, in the canonical form of src/mssql/value.h: every value is one
 * that a column of its type can hold, and nasty ones come often. The same seed gives the same rows.
 */
#ifndef SUPPORT_RANDOM_ROW_H
#define SUPPORT_RANDOM_ROW_H

#include "base/text.h"
#include "digest_row.h"
#include "port/table.h"
#include "test.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 */
struct random {
    uint64_t state;
    bool utf8; /* nvarchar in UTF-8, as some engines store it */
};

static inline struct random
random_from(uint64_t seed)
{
    return (struct random){.state = seed};
}

static inline uint64_t
random_bits(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/** 0 to below `limit`. */
static inline uint64_t
random_below(struct random *random, uint64_t limit)
{
    return random_bits(random) % limit;
}

static inline bool
random_one_in(struct random *random, uint64_t chance)
{
    return random_below(random, chance) == 0;
}

/* ---- numbers ---- */

/** Near an end, near zero, or anywhere. */
static inline int64_t
random_integer(struct random *random, int64_t low, int64_t high)
{
    const uint64_t span = (uint64_t)high - (uint64_t)low;
    const uint64_t near = random_below(random, span < 2 ? span + 1 : 3);

    switch (random_below(random, 4)) {
    case 0:
        return (int64_t)((uint64_t)low + near);
    case 1:
        return (int64_t)((uint64_t)high - near);
    case 2:
        return low < 0 ? (int64_t)near - 1 : (int64_t)((uint64_t)low + near);
    default:
        return (int64_t)((uint64_t)low + (span == UINT64_MAX ? random_bits(random)
                                                             : random_below(random, span + 1)));
    }
}

static inline void
random_integer_text(struct random *random, const struct column *column, struct text *out)
{
    static const struct {
        const char *name;
        int64_t low, high;
    } ranges[] = {{"tinyint", 0, 255},
                  {"smallint", INT16_MIN, INT16_MAX},
                  {"int", INT32_MIN, INT32_MAX},
                  {"bigint", INT64_MIN, INT64_MAX},
                  {"bit", 0, 1}};

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (strcmp(ranges[i].name, column->type_name) == 0)
            text_printf(out, "%" PRId64, random_integer(random, ranges[i].low, ranges[i].high));
    }
}

/** Nines (0), zeros (1), or anything. */
static inline char
random_digit(struct random *random, uint64_t kind)
{
    if (kind <= 1)
        return kind == 0 ? '9' : '0';
    return (char)('0' + random_below(random, 10));
}

static inline void
random_decimal_text(struct random *random, const struct column *column, struct text *out)
{
    const size_t whole = column->precision - (size_t)column->scale;
    const size_t used = whole == 0 ? 0 : random_below(random, whole + 1);
    const uint64_t kind = random_below(random, 4);
    char digits[48];
    size_t count = 0, zeros = 0;

    digits[count++] = (char)(used == 0 ? '0' : '1' + random_below(random, 9));
    while (count < used)
        digits[count++] = random_digit(random, kind);
    if (column->scale > 0)
        digits[count++] = '.';
    for (size_t i = 0; i < column->scale; i++)
        digits[count++] = random_digit(random, kind);
    for (size_t i = 0; i < count; i++)
        zeros += digits[i] == '0' || digits[i] == '.' ? 1 : 0;
    if (zeros < count && random_one_in(random, 2))
        text_append(out, "-");
    text_append_bytes(out, digits, count);
}

static inline void
random_money_text(struct random *random, const struct column *column, struct text *out)
{
    const bool small = strcmp(column->type_name, "smallmoney") == 0;
    const int64_t units = small ? random_integer(random, INT32_MIN, INT32_MAX)
                                : random_integer(random, INT64_MIN, INT64_MAX);
    const uint64_t size = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;

    text_printf(out, "%s%" PRIu64 ".%04" PRIu64, units < 0 ? "-" : "", size / 10000, size % 10000);
}

static inline void
random_float_text(struct random *random, const struct column *column, struct text *out)
{
    static const double nasty[] = {0.0,
                                   -0.0,
                                   1.0,
                                   -1.0,
                                   0.1,
                                   0x1p-1074,
                                   -0x1p-1074,
                                   0x1p-1022,
                                   0x1.fffffffffffffp+1023,
                                   -0x1.fffffffffffffp+1023,
                                   0x1.fffffffffffffp-1023,
                                   1e22,
                                   1e23,
                                   123456789012345678.0,
                                   0x1p53};
    static const float small_nasty[] = {0.0F,
                                        -0.0F,
                                        1.0F,
                                        0.1F,
                                        0x1p-149F,
                                        -0x1p-149F,
                                        0x1p-126F,
                                        0x1.fffffep+127F,
                                        -0x1.fffffep+127F,
                                        0x1.fffffcp-127F,
                                        16777217.0F};
    const uint64_t bits = random_bits(random);
    double number;
    float small;

    if (strcmp(column->type_name, "real") == 0) {
        const uint32_t half = (uint32_t)bits;

        memcpy(&small, &half, sizeof small);
        if (random_one_in(random, 3) || !isfinite(small))
            small = small_nasty[random_below(random, sizeof small_nasty / sizeof small_nasty[0])];
        text_printf(out, "%.9g", (double)small);
        return;
    }
    memcpy(&number, &bits, sizeof number);
    if (random_one_in(random, 3) || !isfinite(number))
        number = nasty[random_below(random, sizeof nasty / sizeof nasty[0])];
    text_printf(out, "%.17g", number);
}

/* ---- dates ---- */

static inline void
random_day_text(struct random *random, int first_year, int last_year, struct text *out)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = (int)random_integer(random, first_year, last_year);
    const int month = (int)random_integer(random, 1, 12);
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    text_printf(out, "%04d-%02d-%02d", year, month,
                (int)random_integer(random, 1, days[month - 1] + (month == 2 && leap ? 1 : 0)));
}

static inline void
random_clock_text(struct random *random, unsigned scale, struct text *out)
{
    int64_t limit = 1;

    text_printf(out, "%02d:%02d:%02d", (int)random_integer(random, 0, 23),
                (int)random_integer(random, 0, 59), (int)random_integer(random, 0, 59));
    for (unsigned i = 0; i < scale; i++)
        limit *= 10;
    if (scale > 0)
        text_printf(out, ".%0*" PRId64, (int)scale, random_integer(random, 0, limit - 1));
}

static inline void
random_moment_text(struct random *random, const struct column *column, struct text *out)
{
    const char *type = column->type_name;
    const int offset = (int)random_integer(random, -840, 840);

    if (strcmp(type, "datetime") == 0) {
        const int64_t ticks = random_integer(random, 0, 25919999), ms = (ticks * 10 + 1) / 3;

        random_day_text(random, 1753, 9999, out);
        text_printf(out, "T%02d:%02d:%02d.%03d", (int)(ms / 3600000), (int)(ms / 60000 % 60),
                    (int)(ms / 1000 % 60), (int)(ms % 1000));
    } else if (strcmp(type, "smalldatetime") == 0) {
        random_day_text(random, 1900, 2078, out);
        text_printf(out, "T%02d:%02d:00", (int)random_integer(random, 0, 23),
                    (int)random_integer(random, 0, 59));
    } else if (strcmp(type, "datetimeoffset") == 0) {
        random_day_text(random, 2, 9998, out); /* UTC is in the range too */
        text_append(out, "T");
        random_clock_text(random, column->scale, out);
        text_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', abs(offset) / 60, abs(offset) % 60);
    } else {
        random_day_text(random, 1, 9999, out);
        text_append(out, "T");
        random_clock_text(random, column->scale, out);
    }
}

static inline void
random_guid_text(struct random *random, struct text *out)
{
    const uint64_t a = random_bits(random), b = random_bits(random);

    text_printf(out, "%08X-%04X-%04X-%04X-%012" PRIX64, (unsigned)(a >> 32),
                (unsigned)(a >> 16 & 0xFFFF), (unsigned)(a & 0xFFFF), (unsigned)(b >> 48),
                b & UINT64_C(0xFFFFFFFFFFFF));
}

/* ---- text and bytes ---- */

/** How many characters or bytes: often none, one, all; a (max) value is long now and then. */
static inline size_t
random_length(struct random *random, int32_t max)
{
    const size_t limit = max < 0 ? 60 : (size_t)max;

    if (max < 0 && random_one_in(random, 40))
        return 3900 + random_below(random, 8000);
    switch (random_below(random, 6)) {
    case 0:
        return 0;
    case 1:
        return limit;
    case 2:
        return limit < 1 ? limit : 1;
    default:
        return random_below(random, limit + 1);
    }
}

/** What tools and engines stumble over; in ASCII, the same in every encoding. */
static inline const char *
random_trap(struct random *random)
{
    static const char *const traps[] = {
        "'",  "''",   "\\\n", "\\\r\n",  "\nGO\n", "\r\n", "$(x)",   "$(",     "--",
        "/*", "*/",   ";",    "\t",      " ",      "  ",   "%",      "_",      "[",
        "]",  "\"",   "{\"",  "\\",      "N'",     "0x",   "\ngo\n", ":r x\n", "!!ls\n",
        "?",  "\x7F", "\x01", "CHAR(0)", "NULL",   "DROP", "\\u0000"};

    return traps[random_below(random, sizeof traps / sizeof traps[0])];
}

static inline uint16_t
random_unit(struct random *random)
{
    static const uint16_t nasty[] = {0x0000, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xFEFF,
                                     0xFFFE, 0xFFFF, 0x00E9, 0x0130, 0x0131, 0x2028,
                                     0x202E, 0x20AC, 0x0085, 0x00A0};

    switch (random_below(random, 8)) {
    case 0:
        return nasty[random_below(random, sizeof nasty / sizeof nasty[0])];
    case 1:
        return (uint16_t)random_below(random, 0x10000);
    default:
        return (uint16_t)(0x20 + random_below(random, 0x5F));
    }
}

/** UTF-16LE, `units` of it; well-formed or not. */
static inline void
random_unicode(struct random *random, size_t units, struct text *out)
{
    const size_t end = out->used + units * 2;
    const bool ascii = random_one_in(random, 2);

    while (out->used < end) {
        const char *trap = random_trap(random);
        unsigned char pair[2];
        uint16_t unit = ascii ? (uint16_t)(0x20 + random_below(random, 0x5F)) : random_unit(random);

        if (random_one_in(random, 8)) {
            for (; *trap != '\0' && out->used < end; trap++)
                text_append_bytes(out, (const unsigned char[]){(unsigned char)*trap, 0}, 2);
            continue;
        }
        pair[0] = (unsigned char)unit;
        pair[1] = (unsigned char)(unit >> 8);
        text_append_bytes(out, pair, 2);
    }
}

/** Bytes of a code page; of UTF-8 when `utf8`, then well-formed. */
static inline void
random_narrow(struct random *random, size_t size, bool utf8, struct text *out)
{
    static const char *const characters[] = {"\xC3\xA9",         "\xD0\x96",     "\xE2\x82\xAC",
                                             "\xF0\x9F\x98\x80", "\xEF\xBB\xBF", "\xEF\xBF\xBF"};
    const size_t end = out->used + size;
    const bool ascii = random_one_in(random, 2);

    while (out->used < end) {
        const char *trap = random_trap(random);
        const char *wide = characters[random_below(random, 6)];
        unsigned char byte = (unsigned char)(0x20 + random_below(random, 0x5F));

        if (random_one_in(random, 8)) {
            for (; *trap != '\0' && out->used < end; trap++)
                text_append_bytes(out, trap, 1);
        } else if (!ascii && utf8 && strlen(wide) <= end - out->used) {
            text_append(out, wide);
        } else {
            if (!ascii && !utf8)
                byte = (unsigned char)random_bits(random);
            text_append_bytes(out, &byte, 1);
        }
    }
}

static inline void
random_character(struct random *random, const struct column *column, struct text *out)
{
    const bool national = column->type_name[0] == 'n';
    const bool fixed = strstr(column->type_name, "var") == NULL;
    const int32_t max =
        column->max_length > 0 && national ? column->max_length / 2 : column->max_length;
    const size_t length = fixed ? (size_t)max : random_length(random, max);
    const bool utf8 = column->collation != NULL && strstr(column->collation, "_UTF8") != NULL;

    if (random->utf8 && national && fixed) /* its length is in characters */
        text_printf(out, "%0*d", (int)length, (int)random_below(random, 1000000));
    else if (national && !random->utf8)
        random_unicode(random, length, out);
    else
        random_narrow(random, length, utf8 || (national && random->utf8), out);
}

static inline void
random_binary(struct random *random, const struct column *column, struct text *out)
{
    const bool fixed = strcmp(column->type_name, "binary") == 0;
    const size_t length =
        fixed ? (size_t)column->max_length : random_length(random, column->max_length);
    const bool zeros = random_one_in(random, 4);

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = zeros ? 0 : (unsigned char)random_bits(random);

        text_append_bytes(out, &byte, 1);
    }
}

/* ---- rows ---- */

static inline void
random_value(struct random *random, const struct column *column, struct text *out)
{
    static const struct {
        const char *type;
        void (*make)(struct random *random, const struct column *column, struct text *out);
    } makers[] = {
        {"bit", random_integer_text},
        {"tinyint", random_integer_text},
        {"smallint", random_integer_text},
        {"int", random_integer_text},
        {"bigint", random_integer_text},
        {"decimal", random_decimal_text},
        {"numeric", random_decimal_text},
        {"money", random_money_text},
        {"smallmoney", random_money_text},
        {"float", random_float_text},
        {"real", random_float_text},
        {"datetime2", random_moment_text},
        {"datetime", random_moment_text},
        {"datetimeoffset", random_moment_text},
        {"smalldatetime", random_moment_text},
        {"nvarchar", random_character},
        {"nchar", random_character},
        {"varchar", random_character},
        {"char", random_character},
        {"varbinary", random_binary},
        {"binary", random_binary},
    };

    if (strcmp(column->type_name, "date") == 0) {
        random_day_text(random, 1, 9999, out);
        return;
    }
    if (strcmp(column->type_name, "time") == 0) {
        random_clock_text(random, column->scale, out);
        return;
    }
    if (strcmp(column->type_name, "uniqueidentifier") == 0) {
        random_guid_text(random, out);
        return;
    }
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        if (strcmp(makers[i].type, column->type_name) == 0) {
            makers[i].make(random, column, out);
            return;
        }
    }
    fail_msg("no random value of type %s is known", column->type_name);
}

/** Rows with keys in ascending order, digests filled; a few less than asked for, as keys are
 * unique. */
struct random_rows {
    struct row *items;
    size_t count;
};

static inline struct field
random_field(struct random *random, const struct column *column)
{
    TEXT_SCOPED text = {0};
    unsigned char *bytes;

    if (column->nullable && random_one_in(random, 8))
        return (struct field){.is_null = true};
    random_value(random, column, &text);
    bytes = malloc(text.used + 1);
    assert_non_null(bytes);
    memcpy(bytes, text_string(&text), text.used);
    return (struct field){.bytes = slice_of(bytes, text.used)};
}

static inline int
random_compare_keys(const void *a, const void *b)
{
    return axdb_key_compare(a, b);
}

static inline struct field
random_key_field(int64_t number)
{
    char text[32];
    const int size = snprintf(text, sizeof text, "%" PRId64, number);
    char *copy = strdup(text);

    assert_non_null(copy);
    return (struct field){.bytes = slice_of(copy, (size_t)size)};
}

static inline struct row
random_row(struct random *random, const struct schema *schema, const struct axdb_key *key)
{
    struct field *fields = calloc(schema->count, sizeof *fields);
    struct row row = {.id.table = schema->table, .fields = fields, .count = schema->count};

    assert_non_null(fields);
    for (size_t i = 0; i < schema->count; i++) {
        const struct column *column = &schema->columns[i];

        if (!column_insertable(column))
            fields[i].is_null = true;
        else if (text_equal_nocase(column->name, "PARTITION"))
            fields[i] = random_key_field(key->partition);
        else if (text_equal_nocase(column->name, "RECID"))
            fields[i] = random_key_field(key->recid);
        else
            fields[i] = random_field(random, column);
    }
    (void)snprintf(row.id.key, sizeof row.id.key, "%" PRId64 ":%" PRId64, key->partition,
                   key->recid);
    digest_row(schema, &row);
    return row;
}

static inline struct random_rows
random_rows_make(struct random *random, const struct schema *schema, size_t count)
{
    static const int64_t partitions[] = {INT64_MIN, -1, 0, INT64_C(5637144576), INT64_MAX};
    struct random_rows rows = {.items = calloc(count, sizeof *rows.items)};
    struct axdb_key *keys = calloc(count, sizeof *keys);

    assert_non_null(rows.items);
    assert_non_null(keys);
    for (size_t i = 0; i < count; i++)
        keys[i] = (struct axdb_key){.partition = partitions[random_below(random, 5)],
                                    .recid = random_one_in(random, 50)
                                                 ? random_integer(random, INT64_MIN, INT64_MAX)
                                                 : (int64_t)random_bits(random)};
    qsort(keys, count, sizeof *keys, random_compare_keys);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && axdb_key_compare(&keys[i - 1], &keys[i]) == 0)
            continue;
        rows.items[rows.count++] = random_row(random, schema, &keys[i]);
    }
    free(keys);
    return rows;
}

static inline void
random_rows_free(struct random_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        for (size_t j = 0; j < rows->items[i].count; j++)
            free((void *)(uintptr_t)rows->items[i].fields[j].bytes.data);
        free((void *)(uintptr_t)rows->items[i].fields);
    }
    free(rows->items);
    *rows = (struct random_rows){0};
}

#endif
