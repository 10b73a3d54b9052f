#include "tsql/value.h"

u128
decimal_magnitude(const struct sql_value *v)
{
    u128 m = 0;
    for (int i = 3; i >= 0; i--)
        m = m << 32 | v->magnitude[i];
    return m;
}

void
decimal_set(struct val *v, bool negative, u128 magnitude)
{
    v->v.negative = negative && magnitude != 0;
    for (int i = 0; i < 4; i++)
        v->v.magnitude[i] = (uint32_t)(magnitude >> (32 * i));
}

u128
decimal_power10(int exponent)
{
    u128 p = 1;
    while (exponent-- > 0)
        p *= 10;
    return p;
}

static bool
fits(u128 m, int precision)
{
    return m < decimal_power10(precision);
}

bool
decimal_rescale(u128 *m, int from, int to)
{
    for (; from < to; from++) {
        if (*m >= decimal_power10(37))
            return false;
        *m *= 10;
    }
    if (from - to > 38) {
        *m = 0;
    } else if (from > to) {
        u128 p = decimal_power10(from - to);
        *m = *m / p + (*m % p >= p - *m % p ? 1 : 0);
    }
    return true;
}

/* Digits with at most one point; no exponent. */
bool
decimal_parse(const char *text, struct val *out)
{
    u128 m = 0;
    int digits = 0, scale = 0;
    bool point = false, negative = false, any = false;
    if (*text == '-' || *text == '+')
        negative = *text++ == '-';
    for (; *text; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9')
            return false;
        any = true;
        if (digits == 38)
            return false;
        m = m * 10 + (unsigned)(*text - '0');
        digits += m != 0;
        scale += point;
        if (scale > 38)
            return false;
    }
    if (digits < scale)
        digits = scale;
    out->t = type_decimal(digits ? digits : 1, scale);
    out->v = (struct sql_value){0};
    decimal_set(out, negative, m);
    return any;
}

size_t
decimal_text(const struct val *v, char *to, size_t size)
{
    char digits[48];
    int n = 0, scale = v->t.scale;
    u128 m = decimal_magnitude(&v->v);
    while (m || n <= scale) {
        digits[n++] = (char)('0' + (int)(m % 10));
        m /= 10;
    }
    size_t at = 0;
    if (v->v.negative && at + 1 < size)
        to[at++] = '-';
    while (n-- > 0 && at + 2 < size) {
        to[at++] = digits[n];
        if (n == scale && scale)
            to[at++] = '.';
    }
    to[at] = 0;
    return at;
}

static int
imin(int a, int b)
{
    return a < b ? a : b;
}

static int
imax(int a, int b)
{
    return a > b ? a : b;
}

struct sql_typeinfo
decimal_result_type(char op, struct sql_typeinfo a, struct sql_typeinfo b)
{
    int p1 = a.precision, s1 = a.scale, p2 = b.precision, s2 = b.scale, p, s;
    if (op == '*') {
        p = p1 + p2 + 1;
        s = s1 + s2;
    } else if (op == '/') {
        s = imax(6, s1 + p2 + 1);
        p = p1 - s1 + s2 + s;
    } else if (op == '%') {
        s = imax(s1, s2);
        p = imin(p1 - s1, p2 - s2) + s;
    } else {
        s = imax(s1, s2);
        p = imax(p1 - s1, p2 - s2) + s + 1;
    }
    if (p > 38) {
        int whole = p - s;
        s = op == '*' || op == '/' ? imax(imin(s, 38 - whole), imin(s, 6)) : imax(38 - whole, 0);
        p = 38;
    }
    return type_decimal(p, s);
}

static bool
overflow(struct vctx *c)
{
    return fail(c, 8115, "Arithmetic overflow error converting expression to data type numeric.");
}

/* Magnitude and sign of a ± b at one scale. */
static void
add_signed(struct val *out, u128 a, bool an, u128 b, bool bn)
{
    if (an == bn)
        decimal_set(out, an, a + b);
    else if (a >= b)
        decimal_set(out, an, a - b);
    else
        decimal_set(out, bn, b - a);
}

static bool
multiply(u128 a, u128 b, int scale, int want, u128 *out)
{
    /* drop digits of the larger operand only when the exact product does not fit */
    while (a && b > ~(u128)0 / a) {
        if (scale <= want)
            return false;
        if (a > b)
            a = (a + 5) / 10;
        else
            b = (b + 5) / 10;
        scale--;
    }
    *out = a * b;
    return decimal_rescale(out, scale, want);
}

/* a / b with `digits` more decimal places, rounded as the server does: cut. */
static bool
divide(u128 a, u128 b, int digits, u128 *out)
{
    u128 q = a / b, r = a % b;
    for (; digits > 0; digits--) {
        if (q >= decimal_power10(37) || r > ~(u128)0 / 10)
            return false;
        r *= 10;
        q = q * 10 + r / b;
        r %= b;
    }
    for (; digits < 0; digits++)
        q /= 10;
    *out = q;
    return true;
}

static bool
add_or_modulo(struct vctx *c, char op, const struct val *a, const struct val *b, struct val *out)
{
    int scale = imax(a->t.scale, b->t.scale);
    u128 x = decimal_magnitude(&a->v), y = decimal_magnitude(&b->v);
    if (!decimal_rescale(&x, a->t.scale, scale) || !decimal_rescale(&y, b->t.scale, scale))
        return overflow(c);
    if (op == '%')
        decimal_set(out, a->v.negative, x % y);
    else
        add_signed(out, x, a->v.negative, y, op == '-' ? !b->v.negative : b->v.negative);
    u128 m = decimal_magnitude(&out->v);
    if (!decimal_rescale(&m, scale, out->t.scale) || !fits(m, out->t.precision))
        return overflow(c);
    decimal_set(out, out->v.negative, m);
    return true;
}

bool
decimal_arithmetic(struct vctx *c, char op, const struct val *a, const struct val *b,
                   struct val *out)
{
    *out = (struct val){.t = decimal_result_type(op, a->t, b->t)};
    u128 x = decimal_magnitude(&a->v), y = decimal_magnitude(&b->v), m = 0;
    if ((op == '/' || op == '%') && y == 0)
        return fail(c, 8134, "Divide by zero error encountered.");
    if (op != '*' && op != '/')
        return add_or_modulo(c, op, a, b, out);
    bool ok = op == '*' ? multiply(x, y, a->t.scale + b->t.scale, out->t.scale, &m)
                        : divide(x, y, out->t.scale - a->t.scale + b->t.scale, &m);
    if (!ok || !fits(m, out->t.precision))
        return overflow(c);
    decimal_set(out, a->v.negative != b->v.negative, m);
    return true;
}
