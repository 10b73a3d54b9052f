#include "tsql/dialect.h"
#include "tsql/value.h"

#include <errno.h>
#include <float.h>
#include <math.h>

static const char *
message_name(enum sql_type t)
{
    return t == SQL_DECIMAL ? "numeric" : type_name(t);
}

static bool
overflow(struct vctx *c, const struct val *in, struct sql_typeinfo to)
{
    if (type_is_int(in->t.type))
        return fail(c, 8115, "Arithmetic overflow error converting %s to data type %s.",
                    in->t.type == SQL_INT || in->t.type == SQL_BIGINT ? "expression"
                                                                      : type_name(in->t.type),
                    message_name(to.type));
    return fail(c, 8115, "Arithmetic overflow error converting %s to data type %s.",
                message_name(in->t.type), message_name(to.type));
}

static bool
not_allowed(struct vctx *c, const struct val *in, struct sql_typeinfo to)
{
    return fail(c, 529, "Explicit conversion from data type %s to %s is not allowed.",
                type_name(in->t.type), type_name(to.type));
}

static bool
bad_text(struct vctx *c, const struct val *in, struct sql_typeinfo to)
{
    const char *text = val_utf8_text(c->arena, in);
    if (to.type == SQL_DECIMAL || to.type == SQL_FLOAT || to.type == SQL_REAL)
        return fail(c, 8114, "Error converting data type %s to %s.", type_name(in->t.type),
                    message_name(to.type));
    if (type_is_date(to.type))
        return fail(c, 241,
                    "Conversion failed when converting date and/or time from character string.");
    if (to.type == SQL_UNIQUEIDENTIFIER)
        return fail(
            c, 8169,
            "Conversion failed when converting from a character string to uniqueidentifier.");
    return fail(c, 245, "Conversion failed when converting the %s value '%.200s' to data type %s.",
                type_name(in->t.type), text, type_name(to.type));
}

/* Text of a character value without outer blanks. */
static char *
trimmed(struct vctx *c, const struct val *in)
{
    char *text = val_utf8_text(c->arena, in);
    while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
        text++;
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        text[--n] = 0;
    return text;
}

/* ---- to numbers ---- */

static const struct {
    int64_t low, high;
} ranges[] = {
    [SQL_BIT] = {0, 1},
    [SQL_TINYINT] = {0, 255},
    [SQL_SMALLINT] = {INT16_MIN, INT16_MAX},
    [SQL_INT] = {INT32_MIN, INT32_MAX},
    [SQL_BIGINT] = {INT64_MIN, INT64_MAX},
};

static bool
put_int(struct vctx *c, const struct val *in, int64_t i, struct sql_typeinfo to, struct val *out)
{
    if (to.type == SQL_BIT)
        i = i != 0;
    if (i < ranges[to.type].low || i > ranges[to.type].high)
        return overflow(c, in, to);
    *out = (struct val){.t = to, .v = {.integer = i}};
    return true;
}

static bool
text_to_int(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    const char *text = trimmed(c, in);
    char *end = NULL;
    if (to.type == SQL_BIT && (same_name(text, "true") || same_name(text, "false")))
        return put_int(c, in, same_name(text, "true"), to, out);
    if (!*text)
        return put_int(c, in, 0, to, out);
    errno = 0;
    long long i = strtoll(text, &end, 10);
    if (end == text || *end)
        return bad_text(c, in, to);
    if (errno == ERANGE ||
        (to.type != SQL_BIT && (i < ranges[to.type].low || i > ranges[to.type].high)))
        return to.type == SQL_INT
                   ? fail(c, 248,
                          "The conversion of the %s value '%.100s' overflowed an int column.",
                          type_name(in->t.type), text)
                   : overflow(c, in, to);
    return put_int(c, in, i, to, out);
}

static int64_t
bytes_to_int(const struct val *in, unsigned width)
{
    uint64_t v = 0;
    size_t from = in->v.length > width ? in->v.length - width : 0;
    for (size_t i = from; i < in->v.length; i++)
        v = v << 8 | in->v.bytes[i];
    if (width < 8 && width > 1 && v >> (width * 8 - 1))
        v |= ~UINT64_C(0) << (width * 8);
    return (int64_t)v;
}

static bool
decimal_to_int(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    u128 m = decimal_magnitude(&in->v) / decimal_power10(in->t.scale);
    if (m > (u128)INT64_MAX + in->v.negative)
        return overflow(c, in, to);
    return put_int(c, in, (int64_t)(in->v.negative ? 0 - (uint64_t)m : (uint64_t)m), to, out);
}

static bool
to_int(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    enum sql_type t = in->t.type;
    if (type_is_int(t))
        return put_int(c, in, in->v.integer, to, out);
    if (type_is_char(t))
        return text_to_int(c, in, to, out);
    if (type_is_binary(t))
        return put_int(c, in, bytes_to_int(in, to.max_bytes), to, out);
    if (t == SQL_DECIMAL)
        return decimal_to_int(c, in, to, out);
    if (type_is_exact(t)) { /* money */
        int64_t half = in->v.integer < 0 ? -5000 : 5000;
        return put_int(c, in, in->v.integer / 10000 + (in->v.integer % 10000 + half) / 10000, to,
                       out);
    }
    if (t == SQL_REAL || t == SQL_FLOAT) {
        if (!(fabs(in->v.real) < 9.2e18))
            return overflow(c, in, to);
        return put_int(c, in, (int64_t)in->v.real, to, out);
    }
    if (t == SQL_DATETIME)
        return put_int(c, in, in->v.days + (in->v.integer >= 12960000), to, out);
    return not_allowed(c, in, to);
}

/* Of text and decimals. */
static bool
text_to_double(struct vctx *c, const struct val *in, struct sql_typeinfo to, double *out)
{
    char text[64];
    const char *from = text;
    char *end = NULL;
    if (in->t.type == SQL_DECIMAL)
        (void)decimal_text(in, text, sizeof text);
    else
        from = trimmed(c, in);
    *out = strtod(from, &end);
    return (!*end && !strpbrk(from, "xXnNiI")) || bad_text(c, in, to);
}

static bool
to_float(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    enum sql_type t = in->t.type;
    double d = in->v.real;
    if (t == SQL_DECIMAL || type_is_char(t)) {
        if (!text_to_double(c, in, to, &d))
            return false;
    } else if (type_is_int(t)) {
        d = (double)in->v.integer;
    } else if (type_is_exact(t)) { /* money */
        d = (double)in->v.integer / 10000;
    } else if (t == SQL_DATETIME) {
        d = in->v.days + (double)in->v.integer / 25920000.0;
    } else if (!type_is_number(t)) {
        return not_allowed(c, in, to);
    }
    if (!isfinite(d) || (to.type == SQL_REAL && fabs(d) > FLT_MAX))
        return overflow(c, in, to);
    if (to.type == SQL_REAL) {
        d = (double)(float)d;
        if (t != SQL_REAL && d != 0 && fabs(d) < 0x1p-126)
            d = 0; /* below the smallest normal real: no error, zero */
    }
    *out = (struct val){.t = to, .v = {.real = d}};
    return true;
}

static bool
as_decimal(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    enum sql_type t = in->t.type;
    char text[64];
    if (t == SQL_DECIMAL) {
        *out = *in;
        return true;
    }
    if (type_is_int(t) || t == SQL_MONEY || t == SQL_SMALLMONEY) {
        int64_t i = in->v.integer;
        *out = (struct val){.t = type_decimal(19, type_is_int(t) ? 0 : 4)};
        decimal_set(out, i < 0, i < 0 ? (u128)0 - (u128)i : (u128)i);
        return true;
    }
    if (type_is_char(t))
        return decimal_parse(trimmed(c, in), out) || bad_text(c, in, to);
    if (t != SQL_FLOAT && t != SQL_REAL)
        return not_allowed(c, in, to);
    if (fabs(in->v.real) >= 1e38)
        return overflow(c, in, to);
    text_format(text, sizeof text, "%.*f", fabs(in->v.real) < 1e15 ? (int)to.scale + 1 : 0,
                in->v.real);
    return decimal_parse(text, out) || overflow(c, in, to);
}

static bool
to_decimal(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    struct val d = {0};
    if (!as_decimal(c, in, to, &d))
        return false;
    u128 m = decimal_magnitude(&d.v);
    if (!decimal_rescale(&m, d.t.scale, to.scale) || m >= decimal_power10(to.precision))
        return overflow(c, in, to);
    *out = (struct val){.t = to};
    decimal_set(out, d.v.negative, m);
    return true;
}

static bool
to_money(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    struct val d = {0}, source = *in;
    if (type_is_char(in->t.type)) {
        const char *text = trimmed(c, in);
        source = val_utf8(c->arena, *text == '$' ? text + 1 : *text ? text : "0");
    } else if (type_is_binary(in->t.type)) {
        *out = (struct val){.t = to, .v = {.integer = bytes_to_int(in, to.max_bytes)}};
        return true;
    }
    if (!to_decimal(c, &source, type_decimal(38, 4), &d))
        return false;
    u128 m = decimal_magnitude(&d.v);
    u128 limit = to.type == SQL_MONEY ? (u128)INT64_MAX : (u128)INT32_MAX;
    if (m > limit + d.v.negative)
        return overflow(c, in, to);
    int64_t i = d.v.negative ? (int64_t)(0 - (uint64_t)m) : (int64_t)m;
    *out = (struct val){.t = to, .v = {.integer = i}};
    return true;
}

/* ---- to dates and guids ---- */

static bool
to_date(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    struct moment m;
    if (type_is_date(in->t.type)) {
        m = moment_from_val(in);
    } else if (type_is_char(in->t.type)) {
        if (!moment_parse(trimmed(c, in), c->dateformat, &m))
            return bad_text(c, in, to);
    } else if (type_is_number(in->t.type) &&
               (to.type == SQL_DATETIME || to.type == SQL_SMALLDATETIME)) {
        struct val d = {0};
        if (!to_float(c, in, type_of(SQL_FLOAT), &d))
            return false;
        double whole = floor(d.v.real);
        if (fabs(whole) > 3e6)
            return overflow(c, in, to);
        m = (struct moment){(int32_t)whole, (int64_t)((d.v.real - whole) * TICKS_PER_DAY), 0};
    } else {
        return not_allowed(c, in, to);
    }
    if (!moment_to_val(m, to, out))
        return fail(c, 242,
                    "The conversion of a %s data type to a %s data type resulted in an "
                    "out-of-range value.",
                    type_name(in->t.type), type_name(to.type));
    return true;
}

static int
hex_digit(uint16_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const uint8_t guid_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static bool
parse_guid(const char *p, unsigned char *bytes)
{
    if (*p == '{')
        p++;
    for (int i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        if (dash && *p++ != '-')
            return false;
        int high = hex_digit((unsigned char)p[0]);
        int low = high < 0 ? -1 : hex_digit((unsigned char)p[1]);
        if (low < 0)
            return false;
        bytes[guid_order[i]] = (unsigned char)((unsigned)high << 4 | (unsigned)low);
        p += 2;
    }
    return true;
}

static bool
to_guid(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    unsigned char *bytes = arena_alloc(c->arena, 16);
    if (type_is_char(in->t.type)) {
        if (!parse_guid(trimmed(c, in), bytes))
            return bad_text(c, in, to);
    } else if (in->t.type == SQL_UNIQUEIDENTIFIER || type_is_binary(in->t.type)) {
        memcpy(bytes, in->v.bytes, in->v.length < 16 ? in->v.length : 16);
    } else {
        return not_allowed(c, in, to);
    }
    *out = (struct val){.t = to, .v = {.bytes = bytes, .length = 16}};
    return true;
}

/* ---- to bytes ---- */

static bool
fit_bytes(struct vctx *c, const unsigned char *bytes, size_t length, struct sql_typeinfo to,
          struct val *out)
{
    size_t limit = type_is_max(&to) ? SIZE_MAX : to.max_bytes;
    if (length > limit)
        length = limit;
    *out = (struct val){.t = to, .v = {.bytes = bytes, .length = length}};
    if ((to.type == SQL_BINARY || to.type == SQL_ROWVERSION) && length < to.max_bytes) {
        unsigned char *padded = arena_alloc(c->arena, to.max_bytes);
        memcpy(padded, bytes, length);
        out->v.bytes = padded;
        out->v.length = to.max_bytes;
    }
    return true;
}

static bool
hex_to_bytes(struct vctx *c, const struct val *in, struct sql_typeinfo to, int style,
             struct val *out)
{
    struct units u = val_text(c->arena, in);
    size_t i = 0, n = 0;
    unsigned char *bytes = arena_alloc(c->arena, u.count / 2 + 1);
    bool prefix = u.count >= 2 && u.at[0] == '0' && (u.at[1] | 0x20) == 'x';
    if (style == 1)
        i = 2;
    if ((style == 1) != prefix || (u.count - i) % 2)
        return fail(c, 8114, "Error converting data type %s to %s.", type_name(in->t.type),
                    type_name(to.type));
    for (; i + 1 < u.count; i += 2) {
        int high = hex_digit(u.at[i]), low = hex_digit(u.at[i + 1]);
        if (high < 0 || low < 0)
            return fail(c, 8114, "Error converting data type %s to %s.", type_name(in->t.type),
                        type_name(to.type));
        bytes[n++] = (unsigned char)(high << 4 | low);
    }
    return fit_bytes(c, bytes, n, to, out);
}

/* Numbers to binary(n) are right-aligned, big-endian; cut or padded on the left. */
static bool
int_to_bytes(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *out)
{
    struct buf b = {0};
    buf_be(&b, (uint64_t)in->v.integer, 8);
    size_t own = in->t.max_bytes > 8 ? 8 : in->t.max_bytes;
    size_t want = to.type == SQL_BINARY ? to.max_bytes : to.max_bytes < own ? to.max_bytes : own;
    unsigned char *bytes = arena_alloc(c->arena, want);
    for (size_t i = 0; i < want && i < own; i++)
        bytes[want - 1 - i] = b.data[7 - i];
    buf_free(&b);
    *out = (struct val){.t = to, .v = {.bytes = bytes, .length = want}};
    return true;
}

static bool
to_binary(struct vctx *c, const struct val *in, struct sql_typeinfo to, int style, struct val *out)
{
    enum sql_type t = in->t.type;
    if (type_is_char(t) && (style == 1 || style == 2))
        return hex_to_bytes(c, in, to, style, out);
    if (c->utf8 && type_is_nchar(t)) {
        size_t length = 0;
        const unsigned char *bytes = dialect_bytes(c->arena, in, &length);
        return fit_bytes(c, bytes, length, to, out);
    }
    if (type_is_char(t) || type_is_binary(t) || t == SQL_UNIQUEIDENTIFIER)
        return fit_bytes(c, in->v.bytes, in->v.length, to, out);
    if (type_is_int(t) || t == SQL_MONEY || t == SQL_SMALLMONEY)
        return int_to_bytes(c, in, to, out);
    struct buf b = {0};
    row_encode(&b, in, 1);
    bool ok = fit_bytes(c, arena_copy(c->arena, b.data + 1, b.length - 1), b.length - 1, to, out);
    buf_free(&b);
    return ok;
}

/* ---- to text ---- */

static void
float_text(const struct val *in, int style, char *to, size_t size)
{
    static const int digits[] = {6, 8, 16, 17};
    double d = in->v.real;
    if (style >= 1 && style <= 3) {
        text_format(to, size, "%.*e", digits[style] - 1, d);
    } else {
        text_format(to, size, "%.6g", d);
    }
    char *e = strchr(to, 'e');
    if (e && strlen(e) == 4) /* the server prints three digits of exponent */
        text_format(e + 2, size - (size_t)(e + 2 - to), "%03d", abs((int)strtol(e + 2, NULL, 10)));
}

static void
guid_text(const struct val *in, char *to, size_t size)
{
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        text_format(to + at, size - at, dash ? "-%02X" : "%02X", in->v.bytes[guid_order[i]]);
        at += dash ? 3 : 2;
    }
}

static void
money_text(const struct val *in, int style, char *to, size_t size)
{
    struct val d = {.t = type_decimal(19, 4)};
    int64_t i = in->v.integer;
    u128 m = i < 0 ? (u128)0 - (u128)i : (u128)i;
    if (style != 2) {
        (void)decimal_rescale(&m, 4, 2);
        d.t.scale = 2;
    }
    decimal_set(&d, i < 0, m);
    (void)decimal_text(&d, to, size);
}

static void
scalar_text(const struct val *in, int style, char *to, size_t size)
{
    enum sql_type t = in->t.type;
    if (type_is_int(t))
        text_format(to, size, "%lld", (long long)in->v.integer);
    else if (t == SQL_DECIMAL)
        (void)decimal_text(in, to, size);
    else if (t == SQL_MONEY || t == SQL_SMALLMONEY)
        money_text(in, style, to, size);
    else if (t == SQL_FLOAT || t == SQL_REAL)
        float_text(in, style, to, size);
    else if (t == SQL_UNIQUEIDENTIFIER)
        guid_text(in, to, size);
    else
        (void)moment_text(in, style, to, size);
}

static struct units
hex_text(struct arena *a, const struct val *in, int style)
{
    static const char hex[] = "0123456789ABCDEF";
    struct units u = {arena_alloc(a, in->v.length * 4 + 8), 0};
    if (style == 1) {
        u.at[u.count++] = '0';
        u.at[u.count++] = 'x';
    }
    for (size_t i = 0; i < in->v.length; i++) {
        u.at[u.count++] = (uint16_t)hex[in->v.bytes[i] >> 4];
        u.at[u.count++] = (uint16_t)hex[in->v.bytes[i] & 15];
    }
    return u;
}

/* Cut or pad to char(n), varchar(n) and their like. */
static void
fit_text(struct arena *a, struct val *v, struct sql_typeinfo to)
{
    size_t limit = type_is_max(&to) ? SIZE_MAX : to.max_bytes;
    if (v->v.length > limit)
        v->v.length = limit;
    v->t = to;
    if ((to.type == SQL_CHAR || to.type == SQL_NCHAR) && v->v.length < limit) {
        unsigned char *padded = arena_alloc(a, limit);
        memcpy(padded, v->v.bytes, v->v.length);
        for (size_t i = v->v.length; i < limit; i++)
            padded[i] = to.type == SQL_CHAR || (i - v->v.length) % 2 == 0 ? ' ' : 0;
        v->v.bytes = padded;
        v->v.length = limit;
    }
}

static struct val
binary_as_text(struct vctx *c, const struct val *in, struct sql_typeinfo to, int style)
{
    if (style == 1 || style == 2)
        return val_string(c->arena, to.type, hex_text(c->arena, in, style));
    struct val v = *in;
    v.t = to;
    if (type_is_nchar(to.type) && v.v.length % 2) { /* the server completes the last unit */
        unsigned char *even = arena_alloc(c->arena, v.v.length + 1);
        memcpy(even, in->v.bytes, in->v.length);
        v.v.bytes = even;
        v.v.length++;
    }
    return v;
}

static bool
number_too_long(struct vctx *c, const struct val *in, struct sql_typeinfo to, struct val *text)
{
    if (type_is_max(&to) || text->v.length <= to.max_bytes)
        return true;
    if (type_is_int(in->t.type) && !type_is_nchar(to.type)) {
        *text = val_string(c->arena, to.type, units_from_utf8(c->arena, "*"));
        return true;
    }
    if (in->t.type == SQL_UNIQUEIDENTIFIER)
        return fail(c, 8170,
                    "Insufficient result space to convert uniqueidentifier value to char.");
    if (type_is_date(in->t.type))
        return true;
    return overflow(c, in, to);
}

static bool
to_text(struct vctx *c, const struct val *in, struct sql_typeinfo to, int style, struct val *out)
{
    enum sql_type t = in->t.type;
    if (type_is_char(t)) {
        bool same = type_is_nchar(t) == type_is_nchar(to.type) &&
                    (type_is_nchar(t) || in->t.codepage == to.codepage);
        *out = same ? *in : val_string_in(c->arena, to.type, val_text(c->arena, in), to.codepage);
    } else if (type_is_binary(t) && c->utf8 && type_is_nchar(to.type) && style == 0) {
        if (!dialect_text(c, in, to, out))
            return false;
    } else if (type_is_binary(t)) {
        *out = binary_as_text(c, in, to, style);
    } else if (t == SQL_VARIANT) {
        return not_allowed(c, in, to);
    } else {
        char text[96];
        scalar_text(in, style, text, sizeof text);
        *out = val_string(c->arena, to.type, units_from_utf8(c->arena, text));
        if (!number_too_long(c, in, to, out))
            return false;
    }
    fit_text(c->arena, out, to);
    return true;
}

static bool
date_convertible(enum sql_type from, enum sql_type to)
{
    bool clock_and_calendar =
        (from == SQL_DATE && to == SQL_TIME) || (from == SQL_TIME && to == SQL_DATE);
    return !clock_and_calendar;
}

bool
convertible(enum sql_type from, enum sql_type to)
{
    if (from == to || (type_is_number(from) && type_is_number(to)))
        return true;
    if (type_is_char(from))
        return !type_is_binary(to);
    if (type_is_binary(from))
        return !type_is_date(to) && to != SQL_FLOAT && to != SQL_REAL;
    if (type_is_binary(to))
        return true;
    if (type_is_date(from) && type_is_date(to))
        return date_convertible(from, to);
    if (type_is_char(to))
        return to != SQL_TEXT && to != SQL_NTEXT && to != SQL_XML;
    return type_is_number(from) && (to == SQL_DATETIME || to == SQL_SMALLDATETIME);
}

static bool
convert_value(struct vctx *c, const struct val *in, struct sql_typeinfo to, int style,
              struct val *out)
{
    if (type_is_int(to.type))
        return to_int(c, in, to, out);
    if (to.type == SQL_DECIMAL)
        return to_decimal(c, in, to, out);
    if (type_is_exact(to.type))
        return to_money(c, in, to, out);
    if (type_is_number(to.type))
        return to_float(c, in, to, out);
    if (type_is_date(to.type))
        return to_date(c, in, to, out);
    if (to.type == SQL_UNIQUEIDENTIFIER)
        return to_guid(c, in, to, out);
    if (type_is_binary(to.type))
        return to_binary(c, in, to, style, out);
    return to_text(c, in, to, style, out);
}

bool
convert(struct vctx *c, const struct val *in, struct sql_typeinfo to, int style, struct val *out)
{
    if (in->v.is_null) {
        *out = val_null(to);
        return true;
    }
    if (to.type == SQL_VARIANT || (to.type == SQL_XML && type_is_nchar(in->t.type))) {
        *out = *in;
        if (to.type == SQL_XML)
            out->t = to;
        return true;
    }
    if (!convert_value(c, in, to, style, out))
        return false;
    out->t.nullable = to.nullable;
    return true;
}

/* What would be lost beyond the column's length, trailing blanks and zero bytes aside? */
static bool
would_cut(struct vctx *c, const struct val *in, struct sql_typeinfo to)
{
    struct sql_typeinfo wide = to;
    struct val whole = {0};
    wide.max_bytes = SQL_MAX_LENGTH;
    if (to.type == SQL_CHAR || to.type == SQL_NCHAR)
        wide.type = type_is_nchar(to.type) ? SQL_NVARCHAR : SQL_VARCHAR;
    if (to.type == SQL_BINARY)
        wide.type = SQL_VARBINARY;
    if (!convert(c, in, wide, 0, &whole) || whole.v.length <= to.max_bytes)
        return false;
    if (type_is_binary(to.type))
        return true;
    size_t width = type_is_nchar(to.type) ? 2 : 1;
    for (size_t i = to.max_bytes; i < whole.v.length; i += width)
        if (whole.v.bytes[i] != ' ' || (width == 2 && whole.v.bytes[i + 1] != 0))
            return true;
    return false;
}

bool
convert_store(struct vctx *c, const struct val *in, struct sql_typeinfo to, const char *where,
              struct val *out)
{
    (void)where;
    enum { ANSI_WARNINGS = 8 };
    bool bounded = (type_is_char(to.type) || type_is_binary(to.type)) && !type_is_max(&to) &&
                   to.type != SQL_ROWVERSION;
    if (!in->v.is_null && !convertible(in->t.type, to.type))
        return fail(c, 206, "Operand type clash: %s is incompatible with %s", type_name(in->t.type),
                    type_name(to.type));
    bool source = type_is_char(in->t.type) || type_is_binary(in->t.type);
    if (bounded && source && !in->v.is_null && in->v.length * 2 > to.max_bytes &&
        (c->options & ANSI_WARNINGS) && would_cut(c, in, to))
        return fail(c, 8152, "String or binary data would be truncated.");
    return convert(c, in, to, 0, out);
}
