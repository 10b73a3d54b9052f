#include "tsql/value.h"

static const struct {
    const char *name;
    int precedence;
    uint32_t bytes;
} types[] = {
    [SQL_BIT] = {"bit", 6, 1},
    [SQL_TINYINT] = {"tinyint", 7, 1},
    [SQL_SMALLINT] = {"smallint", 8, 2},
    [SQL_INT] = {"int", 9, 4},
    [SQL_BIGINT] = {"bigint", 10, 8},
    [SQL_DECIMAL] = {"decimal", 13, 17},
    [SQL_SMALLMONEY] = {"smallmoney", 11, 4},
    [SQL_MONEY] = {"money", 12, 8},
    [SQL_REAL] = {"real", 14, 4},
    [SQL_FLOAT] = {"float", 15, 8},
    [SQL_DATE] = {"date", 17, 3},
    [SQL_TIME] = {"time", 16, 5},
    [SQL_DATETIME2] = {"datetime2", 20, 8},
    [SQL_DATETIMEOFFSET] = {"datetimeoffset", 21, 10},
    [SQL_SMALLDATETIME] = {"smalldatetime", 18, 4},
    [SQL_DATETIME] = {"datetime", 19, 8},
    [SQL_UNIQUEIDENTIFIER] = {"uniqueidentifier", 5, 16},
    [SQL_CHAR] = {"char", -2, 1},
    [SQL_VARCHAR] = {"varchar", -1, 1},
    [SQL_NCHAR] = {"nchar", 0, 2},
    [SQL_NVARCHAR] = {"nvarchar", 1, 2},
    [SQL_BINARY] = {"binary", -4, 1},
    [SQL_VARBINARY] = {"varbinary", -3, 1},
    [SQL_ROWVERSION] = {"timestamp", -5, 8},
    [SQL_XML] = {"xml", 22, SQL_MAX_LENGTH},
    [SQL_TEXT] = {"text", 2, SQL_MAX_LENGTH},
    [SQL_NTEXT] = {"ntext", 3, SQL_MAX_LENGTH},
    [SQL_IMAGE] = {"image", 1, SQL_MAX_LENGTH},
    [SQL_VARIANT] = {"sql_variant", 23, 8016},
};

static const struct {
    int number, severity;
} severities[] = {
    {102, 15},   {103, 15},   {104, 15},   {105, 15},   {107, 15},  {111, 15},  {113, 15},
    {120, 15},   {134, 15},   {137, 15},   {141, 15},   {147, 15},  {156, 15},  {157, 15},
    {174, 15},   {189, 15},   {195, 15},   {229, 14},   {230, 14},  {262, 14},  {297, 16},
    {300, 14},   {319, 15},   {343, 15},   {1023, 15},  {1205, 13}, {1505, 16}, {1060, 15},
    {1088, 16},  {2601, 14},  {2627, 14},  {3701, 11},  {4145, 15}, {4060, 11}, {4064, 11},
    {10738, 15}, {10709, 16}, {10733, 15}, {18456, 14}, {178, 15},  {135, 15},  {136, 15},
    {1034, 15},  {321, 15},   {916, 14},   {15247, 16}, {6115, 16}, {443, 16},  {110, 15},
    {109, 15},   {10742, 15}, {10744, 15}, {155, 15},   {132, 15},  {133, 15},  {8180, 16},
    {8178, 16},  {1046, 15},  {1033, 15},  {3930, 16},  {173, 15},  {1011, 16}, {4102, 15},
    {10704, 15}, {1038, 15},  {5058, 16},
};

int
severity_of(int number)
{
    for (size_t i = 0; i < sizeof severities / sizeof severities[0]; i++)
        if (severities[i].number == number)
            return severities[i].severity;
    return 16;
}

bool
fail(struct vctx *c, int number, const char *format, ...)
{
    struct sql_error *e = c->error;
    *e = (struct sql_error){
        .number = number, .severity = severity_of(number), .state = 1, .line = c->line};
    va_list ap;
    va_start(ap, format);
    text_vformat(e->text, sizeof e->text, format, ap);
    va_end(ap);
    return false;
}

struct sql_typeinfo
type_of(enum sql_type t)
{
    struct sql_typeinfo i = {.type = t, .max_bytes = types[t].bytes, .nullable = true};
    if (t == SQL_DATETIME2 || t == SQL_DATETIMEOFFSET || t == SQL_TIME)
        i.scale = 7;
    if (t == SQL_DECIMAL)
        i.precision = 18;
    return i;
}

struct sql_typeinfo
type_chars(enum sql_type t, uint32_t characters)
{
    struct sql_typeinfo i = type_of(t);
    i.max_bytes = characters == SQL_MAX_LENGTH ? SQL_MAX_LENGTH
                  : type_is_nchar(t)           ? characters * 2
                                               : characters;
    return i;
}

struct sql_typeinfo
type_decimal(int precision, int scale)
{
    struct sql_typeinfo i = type_of(SQL_DECIMAL);
    i.precision = (uint8_t)(precision > 38 ? 38 : precision < 1 ? 1 : precision);
    i.scale = (uint8_t)(scale < 0 ? 0 : scale > i.precision ? i.precision : scale);
    return i;
}

bool
type_is_nchar(enum sql_type t)
{
    return t == SQL_NCHAR || t == SQL_NVARCHAR || t == SQL_NTEXT || t == SQL_XML;
}

bool
type_is_char(enum sql_type t)
{
    return type_is_nchar(t) || t == SQL_CHAR || t == SQL_VARCHAR || t == SQL_TEXT;
}

bool
type_is_binary(enum sql_type t)
{
    return t == SQL_BINARY || t == SQL_VARBINARY || t == SQL_IMAGE || t == SQL_ROWVERSION;
}

bool
type_is_int(enum sql_type t)
{
    return t <= SQL_BIGINT;
}

bool
type_is_exact(enum sql_type t)
{
    return t <= SQL_MONEY;
}

bool
type_is_number(enum sql_type t)
{
    return t <= SQL_FLOAT;
}

bool
type_is_date(enum sql_type t)
{
    return t >= SQL_DATE && t <= SQL_DATETIME;
}

bool
type_is_max(const struct sql_typeinfo *t)
{
    return t->max_bytes == SQL_MAX_LENGTH;
}

int
type_precedence(enum sql_type t)
{
    return types[t].precedence;
}

const char *
type_name(enum sql_type t)
{
    return types[t].name;
}

static int
integer_digits(const struct sql_typeinfo *t)
{
    static const uint8_t digits[] = {1, 3, 5, 10, 19};
    if (type_is_int(t->type))
        return digits[t->type];
    if (t->type == SQL_DECIMAL)
        return t->precision - t->scale;
    return t->type == SQL_SMALLMONEY ? 6 : 15;
}

static int
scale_of(const struct sql_typeinfo *t)
{
    if (t->type == SQL_DECIMAL)
        return t->scale;
    return t->type == SQL_MONEY || t->type == SQL_SMALLMONEY ? 4 : 0;
}

static uint32_t
common_length(const struct sql_typeinfo *winner, const struct sql_typeinfo *other)
{
    uint64_t need = other->max_bytes;
    if (type_is_max(winner) || type_is_max(other))
        return SQL_MAX_LENGTH;
    if (!type_is_char(other->type) && !type_is_binary(other->type))
        need = 40;
    if (type_is_nchar(winner->type) && !type_is_nchar(other->type))
        need *= 2;
    if (need > 8000)
        need = 8000;
    return need > winner->max_bytes ? (uint32_t)need : winner->max_bytes;
}

static struct sql_typeinfo
common_decimal(const struct sql_typeinfo *a, const struct sql_typeinfo *b)
{
    int digits = integer_digits(a) > integer_digits(b) ? integer_digits(a) : integer_digits(b);
    int scale = scale_of(a) > scale_of(b) ? scale_of(a) : scale_of(b);
    if (digits + scale > 38)
        scale = digits > 38 ? 0 : 38 - digits;
    return type_decimal(digits + scale, scale);
}

/* Fixed lengths that differ become variable ones. */
static void
common_text(struct sql_typeinfo *w, const struct sql_typeinfo *o)
{
    uint32_t length = common_length(w, o);
    if (length != w->max_bytes && w->type == SQL_CHAR)
        w->type = SQL_VARCHAR;
    else if (length != w->max_bytes && w->type == SQL_NCHAR)
        w->type = SQL_NVARCHAR;
    else if (length != w->max_bytes && w->type == SQL_BINARY)
        w->type = SQL_VARBINARY;
    w->max_bytes = length;
}

struct sql_typeinfo
type_common(struct sql_typeinfo a, struct sql_typeinfo b)
{
    bool first = types[a.type].precedence >= types[b.type].precedence;
    struct sql_typeinfo w = first ? a : b, o = first ? b : a;
    if (w.type == SQL_DECIMAL && type_is_exact(o.type))
        w = common_decimal(&w, &o);
    else if (type_is_char(w.type) || type_is_binary(w.type))
        common_text(&w, &o);
    else if (type_is_date(w.type) && o.scale > w.scale && type_is_date(o.type))
        w.scale = o.scale;
    if (type_is_char(w.type) && !w.codepage)
        w.codepage = o.codepage; /* a column's collation wins over the database's */
    w.nullable = a.nullable || b.nullable;
    w.identity = w.computed = false;
    return w;
}

struct val
val_null(struct sql_typeinfo t)
{
    return (struct val){.t = t, .v = {.is_null = true}};
}

struct val
val_int(int64_t i)
{
    struct val v = {.t = type_of(SQL_INT), .v = {.integer = i}};
    v.t.nullable = false;
    return v;
}

struct val
val_bigint(int64_t i)
{
    struct val v = val_int(i);
    v.t.type = SQL_BIGINT;
    v.t.max_bytes = 8;
    return v;
}

struct val
val_bit(bool b)
{
    struct val v = val_int(b);
    v.t.type = SQL_BIT;
    v.t.max_bytes = 1;
    return v;
}

struct val
val_float(double d)
{
    struct val v = {.t = type_of(SQL_FLOAT), .v = {.real = d}};
    return v;
}

struct val
val_utf8(struct arena *a, const char *text)
{
    return val_units(a, units_from_utf8(a, text));
}

struct val
val_units(struct arena *a, struct units u)
{
    return val_string(a, SQL_NVARCHAR, u);
}

struct val
val_bytes(const void *bytes, size_t length)
{
    struct val v = {.t = type_of(SQL_VARBINARY), .v = {.bytes = bytes, .length = length}};
    v.t.max_bytes = length > 8000 ? SQL_MAX_LENGTH : (uint32_t)(length ? length : 1);
    return v;
}

struct val
val_string(struct arena *a, enum sql_type t, struct units u)
{
    return val_string_in(a, t, u, CODEPAGE_DATABASE);
}

static unsigned char *
le_from_units(struct arena *a, struct units u, size_t *ret_length)
{
    unsigned char *bytes = arena_alloc(a, u.count * 2 + 1);
    for (size_t i = 0; i < u.count; i++) {
        bytes[2 * i] = (unsigned char)u.at[i];
        bytes[2 * i + 1] = (unsigned char)(u.at[i] >> 8);
    }
    *ret_length = u.count * 2;
    return bytes;
}

struct val
val_string_in(struct arena *a, enum sql_type t, struct units u, uint16_t codepage)
{
    struct val v = {.t = type_of(t)};
    size_t width = type_is_nchar(t) ? 2 : 1;
    if (width == 1)
        v.t.codepage = codepage;
    v.v.bytes = width == 1 ? codepage_from_units(a, u, codepage, &v.v.length)
                           : le_from_units(a, u, &v.v.length);
    if (!type_is_max(&v.t))
        v.t.max_bytes = v.v.length > 8000 ? SQL_MAX_LENGTH
                        : v.v.length      ? (uint32_t)v.v.length
                                          : (uint32_t)width;
    return v;
}

struct val
val_copy(struct arena *a, const struct val *in)
{
    struct val v = *in;
    if (!v.v.is_null && v.v.bytes)
        v.v.bytes = arena_copy(a, v.v.bytes, v.v.length);
    return v;
}

struct units
val_text(struct arena *a, const struct val *v)
{
    if (type_is_nchar(v->t.type))
        return units_from_le(a, v->v.bytes, v->v.length);
    return units_from_codepage(a, v->v.bytes, v->v.length, v->t.codepage);
}

char *
val_utf8_text(struct arena *a, const struct val *v)
{
    struct units u = val_text(a, v);
    return utf8_from_units(a, u.at, u.count);
}

/* ---- stored rows: a byte that says NULL or not, then the value at the width of its type ---- */

static unsigned
stored_width(enum sql_type t)
{
    static const uint8_t widths[] = {1, 1, 2, 4, 8};
    if (type_is_int(t))
        return widths[t];
    return 8;
}

static void
encode_value(struct buf *b, const struct val *v)
{
    enum sql_type t = v->t.type;
    uint64_t bits = 0;
    if (type_is_int(t) || t == SQL_MONEY || t == SQL_SMALLMONEY) {
        buf_be(b, (uint64_t)v->v.integer, stored_width(t));
    } else if (t == SQL_REAL || t == SQL_FLOAT) {
        memcpy(&bits, &v->v.real, sizeof bits);
        buf_be(b, bits, 8);
    } else if (t == SQL_DECIMAL) {
        u128 m = decimal_magnitude(&v->v);
        buf_u8(b, v->v.negative);
        buf_be(b, (uint64_t)(m >> 64), 8);
        buf_be(b, (uint64_t)m, 8);
    } else if (type_is_date(t)) {
        buf_be(b, (uint32_t)v->v.days, 4);
        buf_be(b, (uint64_t)v->v.integer, 8);
        buf_be(b, (uint16_t)v->v.offset_minutes, 2);
    } else {
        buf_be(b, v->v.length, 4);
        buf_put(b, v->v.bytes, v->v.length);
    }
}

void
row_encode(struct buf *b, const struct val *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_u8(b, !values[i].v.is_null);
        if (!values[i].v.is_null)
            encode_value(b, &values[i]);
    }
}

struct reader {
    const unsigned char *at, *end;
};

static uint64_t
read_be(struct reader *r, unsigned bytes)
{
    uint64_t v = 0;
    if ((size_t)(r->end - r->at) < bytes) {
        r->at = r->end;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | *r->at++;
    return v;
}

static int64_t
sign_extend(uint64_t v, unsigned bytes, bool is_unsigned)
{
    if (is_unsigned || bytes == 0 || bytes >= 8)
        return (int64_t)v;
    uint64_t sign = UINT64_C(1) << (bytes * 8 - 1);
    return (int64_t)((v ^ sign) - sign);
}

static void
decode_value(struct reader *r, struct val *v)
{
    enum sql_type t = v->t.type;
    if (type_is_int(t) || t == SQL_MONEY || t == SQL_SMALLMONEY) {
        unsigned width = stored_width(t);
        v->v.integer = sign_extend(read_be(r, width), width, t == SQL_BIT || t == SQL_TINYINT);
    } else if (t == SQL_REAL || t == SQL_FLOAT) {
        uint64_t bits = read_be(r, 8);
        memcpy(&v->v.real, &bits, sizeof bits);
    } else if (t == SQL_DECIMAL) {
        bool negative = read_be(r, 1) != 0;
        u128 m = (u128)read_be(r, 8) << 64;
        m |= read_be(r, 8);
        decimal_set(v, negative, m);
    } else if (type_is_date(t)) {
        v->v.days = (int32_t)(uint32_t)read_be(r, 4);
        v->v.integer = (int64_t)read_be(r, 8);
        v->v.offset_minutes = (int16_t)(uint16_t)read_be(r, 2);
    } else {
        size_t n = (size_t)read_be(r, 4);
        v->v.length = n > (size_t)(r->end - r->at) ? (size_t)(r->end - r->at) : n;
        v->v.bytes = r->at;
        r->at += v->v.length;
    }
}

static size_t
stored_length(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void
skip_value(struct reader *r, enum sql_type t)
{
    size_t left = (size_t)(r->end - r->at), n;
    if (type_is_int(t) || t == SQL_MONEY || t == SQL_SMALLMONEY)
        n = stored_width(t);
    else if (t == SQL_REAL || t == SQL_FLOAT)
        n = 8;
    else if (t == SQL_DECIMAL)
        n = 1 + 8 + 8;
    else if (type_is_date(t))
        n = 4 + 8 + 2;
    else
        n = left < 4 ? left : 4 + stored_length(r->at);
    r->at += n < left ? n : left;
}

void
row_decode_some(const unsigned char *blob, size_t length, const struct row_shape *shape,
                struct val *values)
{
    struct reader r = {blob, blob + length};
    const char *type = (const char *)shape->types;
    for (size_t i = 0; i < shape->count; i++, type += shape->stride) {
        bool stored = r.at < r.end && *r.at++ != 0;
        if (shape->wanted && !shape->wanted[i]) {
            if (stored)
                skip_value(&r, ((const struct sql_typeinfo *)(const void *)type)->type);
            continue;
        }
        values[i] = (struct val){0};
        memcpy(&values[i].t, type, sizeof values[i].t);
        values[i].v.is_null = !stored;
        if (stored)
            decode_value(&r, &values[i]);
    }
}

void
row_decode(const unsigned char *blob, size_t length, const struct sql_typeinfo *first,
           size_t stride, struct val *values, size_t count)
{
    const struct row_shape shape = {first, stride, count, NULL};
    row_decode_some(blob, length, &shape, values);
}
