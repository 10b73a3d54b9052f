#include "value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sybdb.h>
#include <sybfront.h>

enum {
    WIRE_GUID = 36,      /* no name in sybdb.h */
    MAX_PRECISION = 38,  /* decimal digits */
    DAYS_0001 = -693595, /* 0001-01-01, in days from 1900-01-01 */
    DAYS_9999 = 2958463, /* 9999-12-31 */
};

static const int64_t TICKS_A_DAY = 864000000000; /* of 100 ns */

enum value_kind
value_kind_of(const char *type_name)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } kinds[] = {
        {"nvarchar", VALUE_CHARACTER},
        {"nchar", VALUE_CHARACTER},
        {"varchar", VALUE_CHARACTER},
        {"char", VALUE_CHARACTER},
        {"int", VALUE_INTEGER},
        {"bigint", VALUE_INTEGER},
        {"smallint", VALUE_INTEGER},
        {"tinyint", VALUE_INTEGER},
        {"bit", VALUE_BIT},
        {"decimal", VALUE_DECIMAL},
        {"numeric", VALUE_DECIMAL},
        {"money", VALUE_MONEY},
        {"smallmoney", VALUE_MONEY},
        {"float", VALUE_FLOAT},
        {"real", VALUE_FLOAT},
        {"date", VALUE_DATE},
        {"time", VALUE_TIME},
        {"datetime2", VALUE_DATETIME2},
        {"datetimeoffset", VALUE_DATETIMEOFFSET},
        {"datetime", VALUE_DATETIME},
        {"smalldatetime", VALUE_DATETIME},
        {"uniqueidentifier", VALUE_GUID},
        {"binary", VALUE_BINARY},
        {"varbinary", VALUE_BINARY},
        {"timestamp", VALUE_ROWVERSION},
        {"rowversion", VALUE_ROWVERSION},
    };

    for (size_t i = 0; type_name != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (text_equal_nocase(type_name, kinds[i].name))
            return kinds[i].kind;
    }
    return VALUE_UNSUPPORTED;
}

bool
value_is_bytes(enum value_kind kind)
{
    return kind == VALUE_CHARACTER || kind == VALUE_BINARY;
}

/** Copy the value's bytes over `to` when it has exactly that size. */
static bool
take(const struct wire *wire, void *to, size_t size)
{
    if (wire->bytes.size != size)
        return false;
    memcpy(to, wire->bytes.data, size);
    return true;
}

static bool
take_integer(const struct wire *wire, int64_t *ret)
{
    uint8_t one = 0;
    int16_t two = 0;
    int32_t four = 0;
    bool good;

    switch (wire->bytes.size) {
    case 1:
        good = take(wire, &one, sizeof one);
        *ret = one;
        return good;
    case 2:
        good = take(wire, &two, sizeof two);
        *ret = two;
        return good;
    case 4:
        good = take(wire, &four, sizeof four);
        *ret = four;
        return good;
    default:
        return take(wire, ret, sizeof *ret);
    }
}

static size_t
integer_size(int type)
{
    switch (type) {
    case SYBINT1:
        return 1;
    case SYBINT2:
        return 2;
    case SYBINT4:
        return 4;
    case SYBINT8:
        return 8;
    default:
        return 0;
    }
}

/** Most values of a row are whole numbers: printf takes longer than the rest of reading them. */
static void
append_number(int64_t number, struct text *out)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        digits[--at] = '-';
    text_append_bytes(out, digits + at, sizeof digits - at);
}

static bool
append_integer(const struct wire *wire, struct text *out)
{
    int64_t number;
    size_t size = integer_size(wire->type);

    if (size == 0 || wire->bytes.size != size || !take_integer(wire, &number))
        return false;
    append_number(number, out);
    return true;
}

static bool
append_bit(const struct wire *wire, struct text *out)
{
    uint8_t bit;

    if (wire->type != SYBBIT || !take(wire, &bit, sizeof bit))
        return false;
    text_append(out, bit != 0 ? "1" : "0");
    return true;
}

/** Bytes of magnitude for a precision, as TDS lays them out: enough for 10^precision - 1. */
static size_t
magnitude_bytes(unsigned precision)
{
    static const unsigned char bytes[MAX_PRECISION + 1] = {
        1, 1, 1,  2,  2,  3,  3,  3,  4,  4,  5,  5,  5,  6,  6,  7,  7,  8,  8, 8,
        9, 9, 10, 10, 10, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 15, 16, 16};

    return bytes[precision];
}

/** Divide the big-endian number by ten in place; returns the remainder. */
static unsigned
divide_by_ten(unsigned char *number, size_t size)
{
    unsigned rest = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned now = rest * 256 + number[i];

        number[i] = (unsigned char)(now / 10);
        rest = now % 10;
    }
    return rest;
}

static bool
take_decimal(const struct wire *wire, DBNUMERIC *ret)
{
    return (wire->type == SYBDECIMAL || wire->type == SYBNUMERIC) && take(wire, ret, sizeof *ret) &&
           ret->precision >= 1 && ret->precision <= MAX_PRECISION && ret->scale <= ret->precision &&
           ret->array[0] <= 1;
}

/**
 * The digits of a decimal, least significant first, at least `scale` + 1 of them. False when there
 * are more than its precision: then the bytes are not a decimal.
 */
static bool
decimal_digits(const DBNUMERIC *number, char digits[MAX_PRECISION + 2], size_t *ret_count)
{
    unsigned char magnitude[sizeof number->array] = {0};
    size_t size = magnitude_bytes(number->precision), count = 0;
    unsigned any = 1;

    memcpy(magnitude, number->array + 1, size);
    while (any != 0 || count <= number->scale) {
        if (count > MAX_PRECISION)
            return false;
        digits[count++] = (char)('0' + divide_by_ten(magnitude, size));
        any = 0;
        for (size_t i = 0; i < size; i++)
            any |= magnitude[i];
    }
    /* Only the zero before the point may stand beyond the precision. */
    if (count > number->precision && digits[count - 1] != '0')
        return false;
    *ret_count = count;
    return true;
}

static bool
append_decimal(const struct wire *wire, struct text *out)
{
    DBNUMERIC number;
    char digits[MAX_PRECISION + 2];
    size_t count;
    bool zero = true;

    if (!take_decimal(wire, &number) || !decimal_digits(&number, digits, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        zero = zero && digits[i] == '0';
    if (number.array[0] == 1 && !zero)
        text_append(out, "-");
    for (size_t i = count; i-- > 0;) {
        text_append_bytes(out, &digits[i], 1);
        if (i == number.scale && i > 0)
            text_append(out, ".");
    }
    return true;
}

/** In units of 1/10000. */
static bool
take_money(const struct wire *wire, int64_t *ret)
{
    DBMONEY money;
    DBMONEY4 small;

    if (wire->type == SYBMONEY4 && take(wire, &small, sizeof small)) {
        *ret = small.mny4;
        return true;
    }
    if (wire->type != SYBMONEY || !take(wire, &money, sizeof money))
        return false;
    *ret = (int64_t)(((uint64_t)(uint32_t)money.mnyhigh << 32) | money.mnylow);
    return true;
}

static bool
append_money(const struct wire *wire, struct text *out)
{
    int64_t units;
    uint64_t size;

    if (!take_money(wire, &units))
        return false;
    size = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    text_printf(out, "%s%" PRIu64 ".%04" PRIu64, units < 0 ? "-" : "", size / 10000, size % 10000);
    return true;
}

/** Append a number as printf made it, whatever the locale's decimal point is. */
static void
append_plain_number(struct text *out, const char *number)
{
    for (; *number != '\0'; number++) {
        bool plain = (*number >= '0' && *number <= '9') || *number == '-' || *number == '+' ||
                     *number == 'e';

        text_append_bytes(out, plain ? number : ".", 1);
    }
}

static bool
append_float(const struct wire *wire, struct text *out)
{
    char buffer[40];
    double number;
    float small;

    if (wire->type == SYBREAL && take(wire, &small, sizeof small)) {
        number = (double)small;
        (void)snprintf(buffer, sizeof buffer, "%.9g", number);
    } else if (wire->type == SYBFLT8 && take(wire, &number, sizeof number)) {
        (void)snprintf(buffer, sizeof buffer, "%.17g", number);
    } else {
        return false;
    }
    if (!isfinite(number))
        return false;
    append_plain_number(out, buffer);
    return true;
}

/** Append YYYY-MM-DD of a day counted from 1900-01-01. */
static bool
append_day(int64_t days, struct text *out)
{
    /* Days from 0000-03-01 in the proleptic Gregorian calendar, in eras of 400 years. */
    int64_t shifted = days + 693901, era, of_era, year, of_year, month;

    if (days < DAYS_0001 || days > DAYS_9999)
        return false;
    era = shifted / 146097;
    of_era = shifted % 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153;
    text_printf(out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64,
                year + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9,
                of_year - (153 * month + 2) / 5 + 1);
    return true;
}

/** Append hh:mm:ss and `digits` of the fraction; `ticks` of 100 ns since midnight. */
static bool
append_clock(uint64_t ticks, unsigned digits, struct text *out)
{
    uint64_t seconds = ticks / 10000000, fraction = ticks % 10000000;

    if (ticks >= (uint64_t)TICKS_A_DAY || digits > 7)
        return false;
    text_printf(out, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600, seconds / 60 % 60,
                seconds % 60);
    for (unsigned i = digits; i < 7; i++)
        fraction /= 10;
    if (digits > 0)
        text_printf(out, ".%0*" PRIu64, (int)digits, fraction);
    return true;
}

static bool
take_moment(const struct wire *wire, int type, DBDATETIMEALL *ret)
{
    return wire->type == type && take(wire, ret, sizeof *ret) && ret->time < (uint64_t)TICKS_A_DAY;
}

static bool
append_date(const struct wire *wire, struct text *out)
{
    DBDATETIMEALL moment;

    return take_moment(wire, SYBMSDATE, &moment) && append_day(moment.date, out);
}

static bool
append_time(const struct wire *wire, unsigned digits, struct text *out)
{
    DBDATETIMEALL moment;

    return take_moment(wire, SYBMSTIME, &moment) && append_clock(moment.time, digits, out);
}

static bool
append_day_and_clock(int64_t days, uint64_t ticks, unsigned digits, struct text *out)
{
    if (!append_day(days, out))
        return false;
    text_append(out, "T");
    return append_clock(ticks, digits, out);
}

static bool
append_datetime2(const struct wire *wire, unsigned digits, struct text *out)
{
    DBDATETIMEALL moment;

    return take_moment(wire, SYBMSDATETIME2, &moment) &&
           append_day_and_clock(moment.date, moment.time, digits, out);
}

/** The wire holds UTC; the canonical form is local time and its offset. */
static bool
append_datetimeoffset(const struct wire *wire, unsigned digits, struct text *out)
{
    DBDATETIMEALL moment;
    int64_t ticks, days;
    int offset;

    if (!take_moment(wire, SYBMSDATETIMEOFFSET, &moment))
        return false;
    offset = moment.offset;
    if (offset < -840 || offset > 840)
        return false;
    days = moment.date;
    ticks = (int64_t)moment.time + (int64_t)offset * 600000000;
    if (ticks < 0) {
        ticks += TICKS_A_DAY;
        days--;
    } else if (ticks >= TICKS_A_DAY) {
        ticks -= TICKS_A_DAY;
        days++;
    }
    if (!append_day_and_clock(days, (uint64_t)ticks, digits, out))
        return false;
    text_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', (offset < 0 ? -offset : offset) / 60,
                (offset < 0 ? -offset : offset) % 60);
    return true;
}

/** datetime counts 1/300 s; SQL Server shows the nearest millisecond. */
static bool
append_datetime(const struct wire *wire, struct text *out)
{
    DBDATETIME moment;
    DBDATETIME4 small;

    if (wire->type == SYBDATETIME4 && take(wire, &small, sizeof small))
        return append_day_and_clock(small.days, (uint64_t)small.minutes * 600000000, 0, out);
    if (wire->type != SYBDATETIME || !take(wire, &moment, sizeof moment) || moment.dttime < 0)
        return false;
    return append_day_and_clock(moment.dtdays,
                                ((uint64_t)(uint32_t)moment.dttime * 10 + 1) / 3 * 10000, 3, out);
}

bool
value_append_guid(const struct wire *wire, struct text *out)
{
    static const unsigned char order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    if (wire->type != WIRE_GUID || wire->bytes.size != sizeof order)
        return false;
    for (size_t i = 0; i < sizeof order; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text_append(out, "-");
        text_printf(out, "%02X", wire->bytes.data[order[i]]);
    }
    return true;
}

static bool
append_rowversion(const struct wire *wire, struct text *out)
{
    if ((wire->type != SYBBINARY && wire->type != SYBVARBINARY) || wire->bytes.size != 8)
        return false;
    text_append_hex(out, wire->bytes.data, wire->bytes.size);
    return true;
}

static bool
append_by_kind(enum value_kind kind, const struct column *column, const struct wire *wire,
               struct text *out)
{
    switch (kind) {
    case VALUE_INTEGER:
        return append_integer(wire, out);
    case VALUE_BIT:
        return append_bit(wire, out);
    case VALUE_DECIMAL:
        return append_decimal(wire, out);
    case VALUE_MONEY:
        return append_money(wire, out);
    case VALUE_FLOAT:
        return append_float(wire, out);
    case VALUE_DATE:
        return append_date(wire, out);
    case VALUE_TIME:
        return append_time(wire, column->scale, out);
    case VALUE_DATETIME2:
        return append_datetime2(wire, column->scale, out);
    case VALUE_DATETIMEOFFSET:
        return append_datetimeoffset(wire, column->scale, out);
    case VALUE_DATETIME:
        return append_datetime(wire, out);
    case VALUE_GUID:
        return value_append_guid(wire, out);
    case VALUE_ROWVERSION:
        return append_rowversion(wire, out);
    case VALUE_CHARACTER:
    case VALUE_BINARY:
    case VALUE_UNSUPPORTED:
    default:
        return false;
    }
}

bool
value_append(enum value_kind kind, const struct column *column, const struct wire *wire,
             struct text *out, struct err *err)
{
    if (append_by_kind(kind, column, wire, out))
        return true;
    (void)err_set(err, ERR_SERVER, "column %s came in a form that its type %s does not have",
                  column->name, column->type_name);
    return err_detail(err, "wire type %d, %zu bytes", wire->type, wire->bytes.size);
}

bool
value_integer(const struct wire *wire, int64_t *ret)
{
    DBNUMERIC number;
    char digits[MAX_PRECISION + 2];
    size_t count;
    uint64_t sum = 0;

    if (wire->type == SYBBIT || integer_size(wire->type) == wire->bytes.size)
        return wire->bytes.size > 0 && take_integer(wire, ret);
    if (!take_decimal(wire, &number) || number.scale != 0 ||
        !decimal_digits(&number, digits, &count) || count > 18)
        return false;
    for (size_t i = count; i-- > 0;)
        sum = sum * 10 + (uint64_t)(digits[i] - '0');
    *ret = number.array[0] == 1 ? -(int64_t)sum : (int64_t)sum;
    return true;
}

bool
value_append_moment(const struct wire *wire, struct text *out)
{
    switch (wire->type) {
    case SYBMSDATETIME2:
        return append_datetime2(wire, 3, out);
    case SYBMSDATETIMEOFFSET:
        return append_datetimeoffset(wire, 3, out);
    case SYBMSDATE:
        return append_date(wire, out);
    default:
        return append_datetime(wire, out);
    }
}
