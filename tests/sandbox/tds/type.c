#include "tds/type.h"

const unsigned char tds_collation[5] = {0x09, 0x04, 0xD0, 0x00, 0x34};

enum { SHORT_MAX = 8000, SHORT_IS_MAX = 0xFFFF, VARIANT_BYTES = 8009, LONG_BYTES = 0x7FFFFFFF };

/* Numbers and dates: a token for NOT NULL columns (0 = none) and one that carries a length. */
static const struct scalar {
    enum sql_type type;
    uint8_t fixed, variable, width; /* width 0 = by precision or scale */
} scalars[] = {
    {SQL_BIT, 0x32, 0x68, 1},      {SQL_TINYINT, 0x30, 0x26, 1},
    {SQL_SMALLINT, 0x34, 0x26, 2}, {SQL_INT, 0x38, 0x26, 4},
    {SQL_BIGINT, 0x7F, 0x26, 8},   {SQL_SMALLMONEY, 0x7A, 0x6E, 4},
    {SQL_MONEY, 0x3C, 0x6E, 8},    {SQL_REAL, 0x3B, 0x6D, 4},
    {SQL_FLOAT, 0x3E, 0x6D, 8},    {SQL_SMALLDATETIME, 0x3A, 0x6F, 4},
    {SQL_DATETIME, 0x3D, 0x6F, 8}, {SQL_UNIQUEIDENTIFIER, 0, 0x24, 16},
    {SQL_DATE, 0, 0x28, 3},        {SQL_TIME, 0, 0x29, 0},
    {SQL_DATETIME2, 0, 0x2A, 0},   {SQL_DATETIMEOFFSET, 0, 0x2B, 0},
    {SQL_DECIMAL, 0, 0x6A, 0},     {SQL_DECIMAL, 0, 0x6C, 0},
};

/* Characters, bytes and documents. */
static const struct string {
    enum sql_type type;
    enum tds_shape shape;
    uint8_t token;
    bool collated, wide;
} strings[] = {
    {SQL_CHAR, TDS_SHAPE_SHORT, 0xAF, true, false},
    {SQL_VARCHAR, TDS_SHAPE_SHORT, 0xA7, true, false},
    {SQL_NCHAR, TDS_SHAPE_SHORT, 0xEF, true, true},
    {SQL_NVARCHAR, TDS_SHAPE_SHORT, 0xE7, true, true},
    {SQL_ROWVERSION, TDS_SHAPE_SHORT, 0xAD, false, false},
    {SQL_BINARY, TDS_SHAPE_SHORT, 0xAD, false, false},
    {SQL_VARBINARY, TDS_SHAPE_SHORT, 0xA5, false, false},
    {SQL_XML, TDS_SHAPE_CHUNKS, 0xF1, false, false},
    {SQL_TEXT, TDS_SHAPE_LONG, 0x23, true, false},
    {SQL_NTEXT, TDS_SHAPE_LONG, 0x63, true, true},
    {SQL_IMAGE, TDS_SHAPE_LONG, 0x22, false, false},
    {SQL_VARIANT, TDS_SHAPE_VARIANT, 0x62, false, false},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

uint32_t
tds_time_bytes(uint8_t scale)
{
    return scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
}

uint32_t
tds_decimal_bytes(uint8_t precision)
{
    return precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
}

static uint32_t
scaled_width(const struct sql_typeinfo *info)
{
    uint32_t clock = tds_time_bytes(info->scale);
    if (info->type == SQL_DECIMAL)
        return tds_decimal_bytes(info->precision);
    if (info->type == SQL_TIME)
        return clock;
    return info->type == SQL_DATETIME2 ? clock + 3 : clock + 5;
}

static const struct string *
string_by_token(uint8_t token)
{
    /* From the end: 0xAD read from a stranger is binary, not rowversion. */
    for (size_t i = COUNT(strings); i-- > 0;)
        if (strings[i].token == token)
            return &strings[i];
    return NULL;
}

static struct tds_type
string_type(const struct sql_typeinfo *info)
{
    struct tds_type type = {.info = *info};
    for (size_t i = 0; i < COUNT(strings); i++) {
        if (strings[i].type != info->type)
            continue;
        type.token = strings[i].token;
        type.shape = strings[i].shape;
        if (type.shape == TDS_SHAPE_SHORT && info->max_bytes > SHORT_MAX)
            type.shape = TDS_SHAPE_CHUNKS;
        break;
    }
    if (info->type == SQL_ROWVERSION)
        type.info.max_bytes = 8;
    else if (type.shape == TDS_SHAPE_SHORT && info->max_bytes == 0)
        type.info.max_bytes = string_by_token(type.token)->wide ? 2 : 1;
    return type;
}

struct tds_type
tds_type_of(const struct sql_typeinfo *info, bool variable)
{
    for (size_t i = 0; i < COUNT(scalars); i++) {
        if (scalars[i].type != info->type)
            continue;
        bool fixed = scalars[i].fixed != 0 && !info->nullable && !variable;
        return (struct tds_type){
            .token = fixed ? scalars[i].fixed : scalars[i].variable,
            .shape = fixed ? TDS_SHAPE_FIXED : TDS_SHAPE_BYTE,
            .width = scalars[i].width != 0 ? scalars[i].width : scaled_width(info),
            .info = *info,
        };
    }
    return string_type(info);
}

static bool
read_scaled(struct tds_reader *reader, const struct scalar *scalar, struct tds_type *type)
{
    type->info.type = scalar->type;
    if (scalar->type == SQL_DECIMAL) {
        type->width = tds_u8(reader);
        type->info.precision = tds_u8(reader);
        type->info.scale = tds_u8(reader);
        return type->width >= 5 && type->width <= 17 && (type->width - 1) % 4 == 0 &&
               type->info.precision >= 1 && type->info.precision <= 38 &&
               type->info.scale <= type->info.precision;
    }
    type->info.scale = tds_u8(reader);
    type->width = scaled_width(&type->info);
    return type->info.scale <= 7;
}

/* A token that carries its width as a byte stands for several types, one a width. */
static bool
read_sized(struct tds_reader *reader, uint8_t token, struct tds_type *type)
{
    uint8_t width = token == 0x28 ? 3 : tds_u8(reader);
    for (size_t i = 0; i < COUNT(scalars); i++) {
        if (scalars[i].variable != token || scalars[i].width != width)
            continue;
        type->info.type = scalars[i].type;
        type->width = width;
        return true;
    }
    return false;
}

static bool
read_scalar(struct tds_reader *reader, struct tds_type *type)
{
    for (size_t i = 0; i < COUNT(scalars); i++) {
        const struct scalar *scalar = &scalars[i];
        if (scalar->fixed == type->token) {
            type->info.type = scalar->type;
            type->info.nullable = false;
            type->shape = TDS_SHAPE_FIXED;
            type->width = scalar->width;
            return true;
        }
        if (scalar->variable == type->token) {
            type->shape = TDS_SHAPE_BYTE;
            return scalar->width == 0 ? read_scaled(reader, scalar, type)
                                      : read_sized(reader, type->token, type);
        }
    }
    return false;
}

static bool
read_short(struct tds_reader *reader, const struct string *string, struct tds_type *type)
{
    uint16_t bytes = tds_u16(reader);
    if (string->collated)
        (void)tds_take(reader, sizeof tds_collation);
    type->info.max_bytes = bytes;
    if (bytes == SHORT_IS_MAX) {
        type->shape = TDS_SHAPE_CHUNKS;
        type->info.max_bytes = SQL_MAX_LENGTH;
        return type->info.type != SQL_CHAR && type->info.type != SQL_NCHAR &&
               type->info.type != SQL_BINARY;
    }
    return bytes <= SHORT_MAX && !(string->wide && bytes % 2 != 0);
}

static bool
read_xml(struct tds_reader *reader)
{
    if (tds_u8(reader) == 0)
        return true;
    for (int i = 0; i < 2; i++) /* database, owning schema */
        (void)tds_take(reader, tds_u8(reader) * (size_t)2);
    (void)tds_take(reader, tds_u16(reader) * (size_t)2); /* collection */
    return true;
}

static bool
read_string(struct tds_reader *reader, const struct string *string, enum tds_place place,
            struct tds_type *type)
{
    type->info.type = string->type;
    type->shape = string->shape;
    type->info.max_bytes = SQL_MAX_LENGTH;
    if (string->shape == TDS_SHAPE_SHORT)
        return read_short(reader, string, type);
    if (string->type == SQL_XML)
        return read_xml(reader);
    (void)tds_u32(reader); /* the largest length: nothing is reserved by it */
    if (string->collated)
        (void)tds_take(reader, sizeof tds_collation);
    if (place == TDS_IN_BULK && string->shape == TDS_SHAPE_LONG)
        (void)tds_take(reader, tds_u16(reader) * (size_t)2); /* table name */
    return true;
}

bool
tds_type_read(struct tds_reader *reader, enum tds_place place, struct tds_type *ret)
{
    struct tds_type type = {.token = tds_u8(reader), .info = {.nullable = true}};
    if (reader->failed || type.token == 0)
        return false;
    const struct string *string = string_by_token(type.token);
    bool ok =
        string != NULL ? read_string(reader, string, place, &type) : read_scalar(reader, &type);
    if (!ok || reader->failed)
        return false;
    *ret = type;
    return true;
}

static void
write_string(struct tds_buffer *buffer, const struct tds_type *type, enum tds_place place)
{
    if (type->info.type == SQL_XML) {
        tds_put_u8(buffer, 0); /* no schema */
        return;
    }
    if (type->info.type == SQL_VARIANT)
        tds_put_u32(buffer, VARIANT_BYTES);
    else if (type->shape == TDS_SHAPE_LONG)
        tds_put_u32(buffer, type->info.type == SQL_NTEXT ? LONG_BYTES - 1 : LONG_BYTES);
    else
        tds_put_u16(buffer, type->shape == TDS_SHAPE_CHUNKS ? SHORT_IS_MAX : type->info.max_bytes);
    if (string_by_token(type->token)->collated)
        tds_put(buffer, tds_collation, sizeof tds_collation);
    if (type->shape == TDS_SHAPE_LONG && place == TDS_IN_RESULT) {
        tds_put_u8(buffer, 1); /* one part of a table name, and that is empty */
        tds_put_u16(buffer, 0);
    }
}

void
tds_type_write(struct tds_buffer *buffer, const struct tds_type *type, enum tds_place place)
{
    tds_put_u8(buffer, type->token);
    if (type->shape == TDS_SHAPE_FIXED || type->info.type == SQL_DATE)
        return;
    if (type->shape != TDS_SHAPE_BYTE) {
        write_string(buffer, type, place);
        return;
    }
    if (type->info.type == SQL_DECIMAL) {
        tds_put_u8(buffer, type->width);
        tds_put_u8(buffer, type->info.precision);
    }
    bool scaled = type->info.type == SQL_DECIMAL || type->info.type == SQL_TIME ||
                  type->info.type == SQL_DATETIME2 || type->info.type == SQL_DATETIMEOFFSET;
    tds_put_u8(buffer, scaled ? type->info.scale : type->width);
}
