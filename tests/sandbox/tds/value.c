#include "tds/value.h"

#include <string.h>

#define DAYS_FROM_YEAR_1_TO_1900 693595
#define CHUNKS_NULL UINT64_MAX
#define CHUNKS_UNKNOWN (UINT64_MAX - 1)

enum {
    MINUTES_A_DAY = 1440,
    SHORT_NULL = 0xFFFF,
    TEXT_POINTER_BYTES = 16,
    SMALL_CHUNK = 999, /* odd, so that characters of two bytes are torn */
};

static int64_t
ticks_of_scale(uint8_t scale)
{
    int64_t ticks = 1; /* 100 ns each */
    for (unsigned i = scale; i < 7; i++)
        ticks *= 10;
    return ticks;
}

/* ---- reading ---- */

static bool
read_integer(struct tds_reader *reader, const struct tds_type *type, struct sql_value *value)
{
    uint64_t bits = tds_unsigned(reader, type->width);
    if (type->info.type == SQL_TINYINT || type->info.type == SQL_BIT)
        value->integer = type->info.type == SQL_BIT ? bits != 0 : (int64_t)bits;
    else if (type->width == 2)
        value->integer = (int16_t)bits;
    else if (type->width == 4)
        value->integer = (int32_t)bits;
    else
        value->integer = (int64_t)bits;
    return true;
}

static bool
read_money(struct tds_reader *reader, const struct tds_type *type, struct sql_value *value)
{
    uint64_t high = tds_u32(reader);
    if (type->info.type == SQL_SMALLMONEY)
        value->integer = (int32_t)high;
    else
        value->integer = (int64_t)((high << 32) | tds_u32(reader));
    return true;
}

static bool
read_float(struct tds_reader *reader, const struct tds_type *type, struct sql_value *value)
{
    if (type->info.type == SQL_REAL) {
        uint32_t bits = tds_u32(reader);
        float real;
        memcpy(&real, &bits, sizeof real);
        value->real = (double)real;
        return true;
    }
    uint64_t bits = tds_u64(reader);
    memcpy(&value->real, &bits, sizeof value->real);
    return true;
}

static bool
read_decimal(struct tds_reader *reader, uint32_t width, struct sql_value *value)
{
    if (width < 5 || (width - 1) % 4 != 0 || width > 17)
        return false;
    value->negative = tds_u8(reader) == 0;
    for (size_t i = 0; i < (width - 1) / 4; i++)
        value->magnitude[i] = tds_u32(reader);
    return true;
}

static bool
read_datetime(struct tds_reader *reader, const struct tds_type *type, struct sql_value *value)
{
    if (type->info.type == SQL_SMALLDATETIME) {
        value->days = tds_u16(reader);
        value->integer = tds_u16(reader);
        return value->integer < MINUTES_A_DAY;
    }
    value->days = (int32_t)tds_u32(reader);
    value->integer = tds_u32(reader);
    return value->integer < INT64_C(300) * 86400 && value->days >= -53690 && value->days <= 2958463;
}

static bool
read_date(struct tds_reader *reader, struct sql_value *value)
{
    value->days = (int32_t)tds_unsigned(reader, 3) - DAYS_FROM_YEAR_1_TO_1900;
    return value->days <= 2958463;
}

static bool
read_clock(struct tds_reader *reader, const struct tds_type *type, struct sql_value *value)
{
    uint64_t units = tds_unsigned(reader, tds_time_bytes(type->info.scale));
    int64_t ticks = ticks_of_scale(type->info.scale);
    const int64_t day = INT64_C(864000000000);
    if (units >= (uint64_t)(day / ticks))
        return false;
    value->integer = (int64_t)units * ticks;
    if (type->info.type != SQL_TIME && !read_date(reader, value))
        return false;
    if (type->info.type == SQL_DATETIMEOFFSET) {
        value->offset_minutes = (int16_t)tds_u16(reader);
        return value->offset_minutes >= -840 && value->offset_minutes <= 840;
    }
    return true;
}

/* The value of a number, date or guid, `width` bytes of it. */
static bool
read_scalar(struct tds_reader *reader, const struct tds_type *type, uint32_t width,
            struct sql_value *value)
{
    if (type->info.type == SQL_DECIMAL)
        return read_decimal(reader, width, value);
    if (width != type->width)
        return false;
    if (type->info.type <= SQL_BIGINT)
        return read_integer(reader, type, value);
    if (type->info.type == SQL_MONEY || type->info.type == SQL_SMALLMONEY)
        return read_money(reader, type, value);
    if (type->info.type == SQL_REAL || type->info.type == SQL_FLOAT)
        return read_float(reader, type, value);
    if (type->info.type == SQL_DATE)
        return read_date(reader, value);
    if (type->info.type == SQL_SMALLDATETIME || type->info.type == SQL_DATETIME)
        return read_datetime(reader, type, value);
    if (type->info.type == SQL_UNIQUEIDENTIFIER) {
        value->bytes = tds_take(reader, width);
        value->length = width;
        return true;
    }
    return read_clock(reader, type, value);
}

static bool
read_chunks(struct tds_reader *reader, struct tds_arena *arena, struct sql_value *value)
{
    uint64_t length = tds_u64(reader);
    if (length == CHUNKS_NULL) {
        value->is_null = true;
        return true;
    }
    /* First pass: how much is really there. What the client announced reserves nothing. */
    struct tds_reader counting = *reader;
    size_t total = 0;
    for (uint32_t chunk = tds_u32(&counting); chunk != 0; chunk = tds_u32(&counting)) {
        if (tds_take(&counting, chunk) == NULL)
            return false;
        total += chunk;
    }
    if (counting.failed || (length != CHUNKS_UNKNOWN && length != total))
        return false;
    unsigned char *bytes = tds_arena_get(arena, total + 1, 1);
    if (bytes == NULL)
        return false;
    size_t at = 0;
    for (uint32_t chunk = tds_u32(reader); chunk != 0; chunk = tds_u32(reader)) {
        memcpy(bytes + at, tds_take(reader, chunk), chunk);
        at += chunk;
    }
    value->bytes = bytes;
    value->length = total;
    return true;
}

static bool
read_long(struct tds_reader *reader, enum tds_place place, struct sql_value *value)
{
    if (place != TDS_IN_PARAMETER) {
        uint8_t pointer = tds_u8(reader);
        if (pointer == 0) {
            value->is_null = true;
            return true;
        }
        (void)tds_take(reader, pointer + (size_t)8); /* and a timestamp */
    }
    uint32_t length = tds_u32(reader);
    value->is_null = length == UINT32_MAX;
    if (!value->is_null) {
        value->bytes = tds_take(reader, length);
        value->length = length;
    }
    return true;
}

static bool
read_by_shape(struct tds_reader *reader, const struct tds_type *type, enum tds_place place,
              struct tds_arena *arena, struct sql_value *value)
{
    uint32_t length = 0;
    switch (type->shape) {
    case TDS_SHAPE_FIXED:
        return read_scalar(reader, type, type->width, value);
    case TDS_SHAPE_BYTE:
        length = tds_u8(reader);
        value->is_null = length == 0;
        return value->is_null || read_scalar(reader, type, length, value);
    case TDS_SHAPE_SHORT:
        length = tds_u16(reader);
        value->is_null = length == SHORT_NULL;
        if (value->is_null)
            return true;
        value->bytes = tds_take(reader, length);
        value->length = length;
        return length <= type->info.max_bytes;
    case TDS_SHAPE_LONG:
        return read_long(reader, place, value);
    case TDS_SHAPE_CHUNKS:
        return read_chunks(reader, arena, value);
    case TDS_SHAPE_VARIANT: /* only NULL: the engine has no values of this type */
        value->is_null = true;
        return tds_u32(reader) == 0;
    }
    return false;
}

bool
tds_value_read(struct tds_reader *reader, const struct tds_type *type, enum tds_place place,
               struct tds_arena *arena, struct sql_value *ret)
{
    struct sql_value value = {0};
    if (!read_by_shape(reader, type, place, arena, &value) || reader->failed)
        return false;
    bool wide = type->info.type == SQL_NCHAR || type->info.type == SQL_NVARCHAR ||
                type->info.type == SQL_NTEXT;
    if (wide && value.length % 2 != 0)
        return false;
    *ret = value;
    return true;
}

/* ---- writing ---- */

static void
write_clock(struct tds_buffer *buffer, const struct tds_type *type, const struct sql_value *value)
{
    uint64_t units = (uint64_t)(value->integer / ticks_of_scale(type->info.scale));
    tds_put_unsigned(buffer, units, tds_time_bytes(type->info.scale));
}

static void
write_date(struct tds_buffer *buffer, const struct sql_value *value)
{
    tds_put_unsigned(buffer, (uint64_t)(value->days + (int64_t)DAYS_FROM_YEAR_1_TO_1900), 3);
}

static void
write_float(struct tds_buffer *buffer, const struct tds_type *type, double value)
{
    if (type->info.type == SQL_REAL) {
        float real = (float)value;
        uint32_t bits;
        memcpy(&bits, &real, sizeof bits);
        tds_put_u32(buffer, bits);
        return;
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    tds_put_u64(buffer, bits);
}

static bool
write_decimal(struct tds_buffer *buffer, const struct tds_type *type, const struct sql_value *value)
{
    uint32_t words = (type->width - 1) / 4;
    tds_put_u8(buffer, value->negative ? 0 : 1);
    for (uint32_t i = 0; i < 4; i++) {
        if (i < words)
            tds_put_u32(buffer, value->magnitude[i]);
        else if (value->magnitude[i] != 0)
            return false;
    }
    return true;
}

static void
write_money(struct tds_buffer *buffer, const struct tds_type *type, const struct sql_value *value)
{
    uint64_t bits = (uint64_t)value->integer;
    if (type->info.type == SQL_MONEY)
        tds_put_u32(buffer, (uint32_t)(bits >> 32));
    tds_put_u32(buffer, (uint32_t)bits);
}

static void
write_moment(struct tds_buffer *buffer, const struct tds_type *type, const struct sql_value *value)
{
    if (type->info.type != SQL_DATE)
        write_clock(buffer, type, value);
    if (type->info.type != SQL_TIME)
        write_date(buffer, value);
    if (type->info.type == SQL_DATETIMEOFFSET)
        tds_put_u16(buffer, (uint16_t)value->offset_minutes);
}

static bool
write_scalar(struct tds_buffer *buffer, const struct tds_type *type, const struct sql_value *value)
{
    enum sql_type what = type->info.type;
    if (what <= SQL_BIGINT) {
        tds_put_unsigned(buffer, (uint64_t)value->integer, type->width);
    } else if (what == SQL_DECIMAL) {
        return write_decimal(buffer, type, value);
    } else if (what == SQL_MONEY || what == SQL_SMALLMONEY) {
        write_money(buffer, type, value);
    } else if (what == SQL_REAL || what == SQL_FLOAT) {
        write_float(buffer, type, value->real);
    } else if (what == SQL_SMALLDATETIME || what == SQL_DATETIME) {
        tds_put_unsigned(buffer, (uint64_t)value->days, type->width / 2);
        tds_put_unsigned(buffer, (uint64_t)value->integer, type->width / 2);
    } else if (what == SQL_UNIQUEIDENTIFIER) {
        tds_put(buffer, value->bytes, value->length);
        return value->length == type->width;
    } else {
        write_moment(buffer, type, value);
    }
    return true;
}

static void
write_chunks(struct tds_buffer *buffer, const struct sql_value *value,
             const struct tds_row_format *format)
{
    if (value->is_null) {
        tds_put_u64(buffer, CHUNKS_NULL);
        return;
    }
    if (format->absurd_length) {
        tds_put_u64(buffer, UINT64_C(1) << 62);
        tds_put_u32(buffer, 0x7FFFFFFF);
        tds_put(buffer, value->bytes, value->length);
        return;
    }
    tds_put_u64(buffer, format->unknown_length ? CHUNKS_UNKNOWN : value->length);
    size_t largest = format->unknown_length ? SMALL_CHUNK : value->length;
    for (size_t at = 0; at < value->length; at += largest) {
        size_t left = value->length - at;
        size_t chunk = left < largest ? left : largest;
        tds_put_u32(buffer, (uint32_t)chunk);
        tds_put(buffer, value->bytes + at, chunk);
    }
    tds_put_u32(buffer, 0);
}

static bool
write_short(struct tds_buffer *buffer, const struct tds_type *type, const struct sql_value *value,
            bool absurd)
{
    if (value->is_null) {
        tds_put_u16(buffer, SHORT_NULL);
        return true;
    }
    if (value->length > type->info.max_bytes)
        return false;
    tds_put_u16(buffer, absurd ? SHORT_NULL - 1 : (unsigned)value->length);
    tds_put(buffer, value->bytes, value->length);
    return true;
}

static void
write_long(struct tds_buffer *buffer, const struct sql_value *value)
{
    static const unsigned char pointer[TEXT_POINTER_BYTES + 8] = "dummy textptr\0\0\0dummyTS";
    if (value->is_null) {
        tds_put_u8(buffer, 0);
        return;
    }
    tds_put_u8(buffer, TEXT_POINTER_BYTES);
    tds_put(buffer, pointer, sizeof pointer);
    tds_put_u32(buffer, (uint32_t)value->length);
    tds_put(buffer, value->bytes, value->length);
}

/* A variant is sent as nvarchar, the one type that can hold what the engine says in words. */
static bool
write_variant(struct tds_buffer *buffer, const struct sql_value *value)
{
    enum { PROPERTIES = 7, NVARCHAR = 0xE7, BYTES_MAX = 8000 };
    if (value->is_null) {
        tds_put_u32(buffer, 0);
        return true;
    }
    tds_put_u32(buffer, (uint32_t)(2 + PROPERTIES + value->length));
    tds_put_u8(buffer, NVARCHAR);
    tds_put_u8(buffer, PROPERTIES);
    tds_put(buffer, tds_collation, sizeof tds_collation);
    tds_put_u16(buffer, BYTES_MAX);
    tds_put(buffer, value->bytes, value->length);
    return value->length <= BYTES_MAX;
}

bool
tds_value_write(struct tds_buffer *buffer, const struct tds_type *type,
                const struct sql_value *value, const struct tds_row_format *format)
{
    switch (type->shape) {
    case TDS_SHAPE_FIXED:
        return !value->is_null && write_scalar(buffer, type, value);
    case TDS_SHAPE_BYTE:
        tds_put_u8(buffer, value->is_null ? 0 : type->width);
        return value->is_null || write_scalar(buffer, type, value);
    case TDS_SHAPE_SHORT:
        return write_short(buffer, type, value, format->absurd_length);
    case TDS_SHAPE_LONG:
        write_long(buffer, value);
        return true;
    case TDS_SHAPE_CHUNKS:
        write_chunks(buffer, value, format);
        return true;
    case TDS_SHAPE_VARIANT:
        return write_variant(buffer, value);
    }
    return false;
}
