#include "tsql/value.h"

static size_t
without_blanks(struct units u)
{
    while (u.count && u.at[u.count - 1] == ' ')
        u.count--;
    return u.count;
}

int
compare_text(struct units a, struct units b)
{
    size_t na = without_blanks(a), nb = without_blanks(b);
    for (size_t i = 0; i < na && i < nb; i++) {
        if (a.at[i] == b.at[i])
            continue;
        uint16_t x = unit_upper(a.at[i]), y = unit_upper(b.at[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return na < nb ? -1 : na > nb;
}

static int
compare_bytes(const struct val *a, const struct val *b)
{
    size_t n = a->v.length < b->v.length ? a->v.length : b->v.length;
    int order = n ? memcmp(a->v.bytes, b->v.bytes, n) : 0;
    if (order)
        return order < 0 ? -1 : 1;
    return a->v.length < b->v.length ? -1 : a->v.length > b->v.length;
}

/* The server orders guids by their last group first. */
static const uint8_t guid_weight[16] = {10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3};

static int
compare_guid(const struct val *a, const struct val *b)
{
    for (int i = 0; i < 16; i++) {
        unsigned char x = a->v.bytes[guid_weight[i]], y = b->v.bytes[guid_weight[i]];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static int
compare_decimal(const struct val *a, const struct val *b)
{
    if (a->v.negative != b->v.negative)
        return a->v.negative ? -1 : 1;
    u128 x = decimal_magnitude(&a->v), y = decimal_magnitude(&b->v);
    int order = x < y ? -1 : x > y;
    return a->v.negative ? -order : order;
}

static uint16_t
wide_at(const struct val *v, size_t i)
{
    return (uint16_t)(v->v.bytes[2 * i] | v->v.bytes[2 * i + 1] << 8);
}

static size_t
wide_count(const struct val *v)
{
    size_t n = v->v.length / 2;
    while (n && wide_at(v, n - 1) == ' ')
        n--;
    return n;
}

/* compare_text of two texts in UTF-16, where they lie. */
static int
compare_wide(const struct val *a, const struct val *b)
{
    size_t na = wide_count(a), nb = wide_count(b);
    for (size_t i = 0; i < na && i < nb; i++) {
        uint16_t x = wide_at(a, i), y = wide_at(b, i);
        if (x == y)
            continue;
        x = unit_upper(x);
        y = unit_upper(y);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return na < nb ? -1 : na > nb;
}

static int
compare_same(struct arena *arena, const struct val *a, const struct val *b)
{
    enum sql_type t = a->t.type;
    if (t == SQL_DECIMAL)
        return compare_decimal(a, b);
    if (t == SQL_FLOAT || t == SQL_REAL)
        return a->v.real < b->v.real ? -1 : a->v.real > b->v.real;
    if (type_is_nchar(t) && type_is_nchar(b->t.type))
        return compare_wide(a, b);
    if (type_is_char(t))
        return compare_text(val_text(arena, a), val_text(arena, b));
    if (type_is_binary(t))
        return compare_bytes(a, b);
    if (t == SQL_UNIQUEIDENTIFIER)
        return compare_guid(a, b);
    if (type_is_date(t) && a->v.days != b->v.days)
        return a->v.days < b->v.days ? -1 : 1;
    return a->v.integer < b->v.integer ? -1 : a->v.integer > b->v.integer;
}

static struct sql_typeinfo
comparison_type(const struct val *a, const struct val *b)
{
    struct sql_typeinfo t = type_common(a->t, b->t);
    if (type_is_char(t.type) && !type_is_max(&t))
        t.type = type_is_nchar(t.type) ? SQL_NVARCHAR : SQL_VARCHAR;
    if (type_is_binary(t.type))
        t.type = SQL_VARBINARY;
    if (type_is_char(t.type) || type_is_binary(t.type))
        t.max_bytes = SQL_MAX_LENGTH;
    return t;
}

bool
compare(struct vctx *c, const struct val *a, const struct val *b, int *ret_order)
{
    struct val x = {0}, y = {0};
    if ((a->t.type == b->t.type && a->t.type != SQL_DECIMAL) ||
        (type_is_int(a->t.type) && type_is_int(b->t.type))) {
        *ret_order = compare_same(c->arena, a, b);
        return true;
    }
    struct sql_typeinfo t = comparison_type(a, b);
    enum sql_type loser = t.type == a->t.type ? b->t.type : a->t.type;
    if (!convertible(loser, t.type))
        return fail(c, 206, "Operand type clash: %s is incompatible with %s", type_name(a->t.type),
                    type_name(b->t.type));
    if (!convert(c, a, t, 0, &x) || !convert(c, b, t, 0, &y))
        return false;
    *ret_order = compare_same(c->arena, &x, &y);
    return true;
}

/* ---- keys ---- */

static uint16_t
unit_at(const struct val *v, size_t i)
{
    if (type_is_nchar(v->t.type))
        return wide_at(v, i);
    return unit_from_codepage(v->v.bytes[i], v->t.codepage);
}

static void
key_text(struct buf *b, const struct val *v)
{
    size_t count = v->v.length / (type_is_nchar(v->t.type) ? 2 : 1);
    while (count && unit_at(v, count - 1) == ' ')
        count--;
    for (size_t i = 0; i < count; i++) {
        uint16_t c = unit_upper(unit_at(v, i));
        if (c <= 1) /* 0 ends the text */
            buf_be(b, 1, 2);
        buf_be(b, c, 2);
    }
    buf_be(b, 0, 2);
}

static void
key_bytes(struct buf *b, const struct val *v)
{
    unsigned char *to = buf_room(b, 2 * v->v.length);
    size_t n = 0;
    for (size_t i = 0; i < v->v.length; i++) {
        to[n++] = v->v.bytes[i];
        if (v->v.bytes[i] == 0)
            to[n++] = 0xFF;
    }
    b->length += n;
    buf_be(b, 0, 2);
}

static void
key_double(struct buf *b, double d)
{
    uint64_t bits;
    if (d == 0)
        d = 0; /* one zero */
    memcpy(&bits, &d, sizeof bits);
    bits = bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
    buf_be(b, bits, 8);
}

static void
key_decimal(struct buf *b, const struct val *v)
{
    u128 m = decimal_magnitude(&v->v);
    if (v->v.negative)
        m = ~m;
    buf_u8(b, !v->v.negative);
    buf_be(b, (uint64_t)(m >> 64), 8);
    buf_be(b, (uint64_t)m, 8);
}

static void
key_value(struct buf *b, const struct val *v)
{
    enum sql_type t = v->t.type;
    if (t == SQL_DECIMAL) {
        key_decimal(b, v);
    } else if (t == SQL_FLOAT || t == SQL_REAL) {
        key_double(b, v->v.real);
    } else if (type_is_char(t)) {
        key_text(b, v);
    } else if (type_is_binary(t)) {
        key_bytes(b, v);
    } else if (t == SQL_UNIQUEIDENTIFIER) {
        for (int i = 0; i < 16; i++)
            buf_u8(b, v->v.bytes[guid_weight[i]]);
    } else {
        if (type_is_date(t))
            buf_be(b, (uint32_t)v->v.days ^ UINT32_C(0x80000000), 4);
        buf_be(b, (uint64_t)v->v.integer ^ UINT64_C(1) << 63, 8);
    }
}

void
key_encode(struct buf *b, const struct val *v, bool descending)
{
    size_t from = b->length;
    buf_u8(b, !v->v.is_null);
    if (!v->v.is_null)
        key_value(b, v);
    for (size_t i = from; descending && i < b->length; i++)
        b->data[i] = (unsigned char)~b->data[i];
}

/* ---- LIKE ---- */

/* A [set] at `p` (after the bracket). Returns the index after ], or 0 when it is not closed. */
static size_t
match_set(struct units pattern, size_t p, uint16_t c, bool *ret_match)
{
    bool negate = p < pattern.count && pattern.at[p] == '^', found = false;
    if (negate)
        p++;
    for (size_t start = p; p < pattern.count; p++) {
        if (pattern.at[p] == ']' && p > start) {
            *ret_match = found != negate;
            return p + 1;
        }
        uint16_t low = unit_upper(pattern.at[p]), high = low;
        if (p + 2 < pattern.count && pattern.at[p + 1] == '-' && pattern.at[p + 2] != ']') {
            high = unit_upper(pattern.at[p + 2]);
            p += 2;
        }
        found = found || (c >= low && c <= high);
    }
    return 0;
}

/* One pattern element against one unit: the index behind the element, or 0 when it does not match.
 */
static size_t
match_one(struct units pattern, size_t p, uint16_t escape, uint16_t c)
{
    uint16_t e = pattern.at[p];
    c = unit_upper(c);
    if (escape && e == escape && p + 1 < pattern.count)
        return unit_upper(pattern.at[p + 1]) == c ? p + 2 : 0;
    if (e == '_')
        return p + 1;
    if (e == '[') {
        bool match = false;
        size_t next = match_set(pattern, p + 1, c, &match);
        return match ? next : 0;
    }
    return unit_upper(e) == c ? p + 1 : 0;
}

/* Trailing blanks of the text do not count against a pattern that is used up. */
static bool
only_blanks(struct units text, size_t from)
{
    for (size_t i = from; i < text.count; i++)
        if (text.at[i] != ' ')
            return false;
    return true;
}

bool
like_match(struct units text, struct units pattern, uint16_t escape)
{
    size_t t = 0, p = 0, star_p = SIZE_MAX, star_t = 0;
    while (t < text.count || p < pattern.count) {
        if (p < pattern.count && pattern.at[p] == '%' && escape != '%') {
            star_p = ++p;
            star_t = t;
            continue;
        }
        bool both = p < pattern.count && t < text.count;
        size_t next = both ? match_one(pattern, p, escape, text.at[t]) : 0;
        if (next) {
            p = next;
            t++;
        } else if (star_p != SIZE_MAX && star_t < text.count) {
            p = star_p;
            t = ++star_t;
        } else {
            return p >= pattern.count && only_blanks(text, t);
        }
    }
    return true;
}
