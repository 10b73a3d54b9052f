/* Built-in functions on text. */
#include "tsql/dialect.h"
#include "tsql/func.h"

static struct units
text_of(struct ectx *x, const struct val *v)
{
    struct val t = *v;
    if (!type_is_char(v->t.type) &&
        !convert(&x->v, v, type_chars(SQL_NVARCHAR, SQL_MAX_LENGTH), 0, &t))
        return (struct units){arena_alloc(x->v.arena, 2), 0};
    return val_text(x->v.arena, &t);
}

/* The function's result as its type wants it. */
static bool
put_text(struct ectx *x, const struct expr *e, struct units u, struct val *out)
{
    struct val v =
        val_string(x->v.arena, type_is_nchar(e->type.type) ? SQL_NVARCHAR : SQL_VARCHAR, u);
    return convert(&x->v, &v, e->type, 0, out);
}

static int64_t
int_arg(struct ectx *x, const struct val *v, bool *ok)
{
    struct val i = {0};
    *ok = convert(&x->v, v, type_of(SQL_BIGINT), 0, &i);
    return *ok ? i.v.integer : 0;
}

bool
f_len(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    struct units u = text_of(x, &args[0]);
    while (u.count && u.at[u.count - 1] == ' ')
        u.count--;
    out->v = (struct sql_value){.integer = (int64_t)u.count};
    return true;
}

bool
f_datalength(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    enum sql_type t = args[0].t.type;
    if (x->v.utf8 && type_is_nchar(t)) {
        size_t length = 0;
        (void)dialect_bytes(x->v.arena, &args[0], &length);
        out->v = (struct sql_value){.integer = (int64_t)length};
        return true;
    }
    bool bytes = type_is_char(t) || type_is_binary(t) || t == SQL_UNIQUEIDENTIFIER;
    size_t n = bytes ? args[0].v.length : args[0].t.max_bytes;
    if (t == SQL_DECIMAL)
        n = args[0].t.precision <= 9    ? 5
            : args[0].t.precision <= 19 ? 9
            : args[0].t.precision <= 28 ? 13
                                        : 17;
    out->v = (struct sql_value){.integer = (int64_t)n};
    return true;
}

bool
f_upper(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct units u = text_of(x, &args[0]);
    bool upper = same_name(e->name, "UPPER");
    for (size_t i = 0; i < u.count; i++)
        u.at[i] = upper ? unit_upper(u.at[i]) : unit_lower(u.at[i]);
    return put_text(x, e, u, out);
}

bool
f_trim(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct units u = text_of(x, &args[0]);
    while (!same_name(e->name, "RTRIM") && u.count && u.at[0] == ' ') {
        u.at++;
        u.count--;
    }
    while (!same_name(e->name, "LTRIM") && u.count && u.at[u.count - 1] == ' ')
        u.count--;
    return put_text(x, e, u, out);
}

static bool
bad_length(struct ectx *x, const struct expr *e)
{
    return fail(&x->v, 537, "Invalid length parameter passed to the %s function.", e->name);
}

bool
f_left(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    bool ok;
    struct units u = text_of(x, &args[0]);
    int64_t n = int_arg(x, &args[1], &ok);
    if (!ok || n < 0)
        return ok ? bad_length(x, e) : false;
    size_t count = (uint64_t)n < u.count ? (size_t)n : u.count;
    if (same_name(e->name, "RIGHT"))
        u.at += u.count - count;
    u.count = count;
    return put_text(x, e, u, out);
}

static bool
sub_binary(struct ectx *x, const struct expr *e, const struct val *v, int64_t from, int64_t to,
           struct val *out)
{
    int64_t n = (int64_t)v->v.length;
    int64_t a = from < 1 ? 1 : from > n + 1 ? n + 1 : from, b = to > n + 1 ? n + 1 : to;
    struct val part = val_bytes(v->v.bytes + (a - 1), b > a ? (size_t)(b - a) : 0);
    return convert(&x->v, &part, e->type, 0, out);
}

bool
f_substring(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    bool ok, ok2;
    int64_t from = int_arg(x, &args[1], &ok), n = int_arg(x, &args[2], &ok2);
    if (!ok || !ok2)
        return false;
    if (n < 0)
        return bad_length(x, e);
    int64_t to = n > INT32_MAX || from > INT32_MAX ? INT64_MAX : from + n;
    if (type_is_binary(args[0].t.type))
        return sub_binary(x, e, &args[0], from, to, out);
    struct units u = text_of(x, &args[0]);
    int64_t a = from < 1 ? 1 : from, b = to > (int64_t)u.count + 1 ? (int64_t)u.count + 1 : to;
    if (b <= a) {
        u.count = 0;
    } else {
        u.at += a - 1;
        u.count = (size_t)(b - a);
    }
    return put_text(x, e, u, out);
}

static bool
match_at(struct units u, size_t at, struct units part)
{
    if (u.count - at < part.count)
        return false;
    for (size_t i = 0; i < part.count; i++)
        if (unit_upper(u.at[at + i]) != unit_upper(part.at[i]))
            return false;
    return true;
}

bool
f_replace(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct units u = text_of(x, &args[0]), from = text_of(x, &args[1]), to = text_of(x, &args[2]);
    if (!from.count)
        return put_text(x, e, u, out);
    size_t found = 0, n = 0;
    for (size_t i = 0; i + from.count <= u.count;) {
        if (match_at(u, i, from)) {
            found++;
            i += from.count;
        } else {
            i++;
        }
    }
    struct units r = {arena_alloc(x->v.arena, (u.count + found * to.count + 1) * 2), 0};
    for (size_t i = 0; i < u.count;) {
        if (match_at(u, i, from)) {
            memcpy(r.at + n, to.at, to.count * 2);
            n += to.count;
            i += from.count;
        } else {
            r.at[n++] = u.at[i++];
        }
    }
    r.count = n;
    return put_text(x, e, r, out);
}

bool
f_replicate(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    bool ok;
    bool space = same_name(e->name, "SPACE");
    uint16_t blank = ' ';
    struct units u = space ? (struct units){&blank, 1} : text_of(x, &args[0]);
    int64_t n = int_arg(x, &args[!space], &ok);
    if (!ok || n < 0)
        return ok; /* NULL */
    size_t limit = type_is_max(&e->type) ? (size_t)16 << 20 : e->type.max_bytes;
    if (u.count && (uint64_t)n > limit / u.count + 1)
        n = (int64_t)(limit / u.count + 1);
    struct units r = {arena_alloc(x->v.arena, ((size_t)n * u.count + 1) * 2), 0};
    for (int64_t i = 0; i < n; i++) {
        memcpy(r.at + r.count, u.at, u.count * 2);
        r.count += u.count;
    }
    return put_text(x, e, r, out);
}

bool
f_charindex(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    bool ok = true;
    struct units part = text_of(x, &args[0]), u = text_of(x, &args[1]);
    int64_t from = e->count == 3 ? int_arg(x, &args[2], &ok) : 1;
    if (!ok)
        return false;
    out->v = (struct sql_value){0};
    for (size_t i = from < 1 ? 0 : (size_t)from - 1; part.count && i < u.count; i++) {
        if (match_at(u, i, part)) {
            out->v.integer = (int64_t)i + 1;
            break;
        }
    }
    return true;
}

bool
f_char(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    bool ok, wide = same_name(e->name, "NCHAR");
    int64_t n = int_arg(x, &args[0], &ok);
    if (!ok)
        return false;
    if (n < 0 || n > (wide ? 65535 : 255))
        return true;
    uint16_t unit = wide ? (uint16_t)n : unit_from_codepage((unsigned char)n, CODEPAGE_DATABASE);
    return put_text(x, e, (struct units){&unit, 1}, out);
}

bool
f_ascii(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct units u = text_of(x, &args[0]);
    if (u.count)
        out->v = (struct sql_value){.integer = same_name(e->name, "ASCII")
                                                   ? byte_from_unit(u.at[0], CODEPAGE_DATABASE)
                                                   : u.at[0]};
    return true;
}

bool
f_str(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val d = {0};
    bool ok = true, ok2 = true;
    int64_t width = e->count > 1 ? int_arg(x, &args[1], &ok) : 10;
    int64_t places = e->count > 2 ? int_arg(x, &args[2], &ok2) : 0;
    if (!ok || !ok2 || !convert(&x->v, &args[0], type_of(SQL_FLOAT), 0, &d))
        return false;
    if (width < 1 || width > 8000)
        return true;
    char text[512];
    text_format(text, sizeof text, "%*.*f", (int)(width < 400 ? width : 400),
                (int)(places < 0    ? 0
                      : places > 16 ? 16
                                    : places),
                d.v.real);
    if (strlen(text) > (size_t)width)
        text_format(text, sizeof text, "%.*s", (int)(width < 400 ? width : 400),
                    "****************************************");
    return put_text(x, e, units_from_utf8(x->v.arena, text), out);
}

bool
f_concat(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct units u = {arena_alloc(x->v.arena, 2), 0};
    for (int i = 0; i < e->count; i++) {
        if (args[i].v.is_null)
            continue;
        struct val text = {0};
        if (!convert(&x->v, &args[i], type_chars(SQL_NVARCHAR, SQL_MAX_LENGTH), 0, &text))
            return false;
        struct units part = val_text(x->v.arena, &text);
        uint16_t *joined = arena_alloc(x->v.arena, (u.count + part.count + 1) * 2);
        memcpy(joined, u.at, u.count * 2);
        memcpy(joined + u.count, part.at, part.count * 2);
        u = (struct units){joined, u.count + part.count};
    }
    return put_text(x, e, u, out);
}

bool
f_quotename(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct units u = text_of(x, &args[0]);
    uint16_t open = '[', close = ']';
    if (e->count > 1) {
        struct units q = text_of(x, &args[1]);
        open = close = q.count ? q.at[0] : '[';
        if (open == '[' || open == ']') {
            open = '[';
            close = ']';
        }
        if (open == '(')
            close = ')';
    }
    if (u.count > 128)
        return true; /* NULL, as the server answers */
    struct units r = {arena_alloc(x->v.arena, (u.count * 2 + 3) * 2), 0};
    r.at[r.count++] = open;
    for (size_t i = 0; i < u.count; i++) {
        r.at[r.count++] = u.at[i];
        if (u.at[i] == close)
            r.at[r.count++] = close;
    }
    r.at[r.count++] = close;
    return put_text(x, e, r, out);
}

bool
f_reverse(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct units u = text_of(x, &args[0]);
    for (size_t i = 0; i < u.count / 2; i++) {
        uint16_t t = u.at[i];
        u.at[i] = u.at[u.count - 1 - i];
        u.at[u.count - 1 - i] = t;
    }
    return put_text(x, e, u, out);
}

bool
f_stuff(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    bool ok, ok2;
    struct units u = text_of(x, &args[0]), with = {0};
    int64_t from = int_arg(x, &args[1], &ok), n = int_arg(x, &args[2], &ok2);
    if (!ok || !ok2)
        return false;
    if (from < 1 || n < 0 || from > (int64_t)u.count)
        return true;
    if (!args[3].v.is_null)
        with = text_of(x, &args[3]);
    size_t head = (size_t)from - 1;
    size_t tail = (uint64_t)n > u.count - head ? u.count : head + (size_t)n;
    struct units r = {arena_alloc(x->v.arena, (u.count + with.count + 1) * 2), 0};
    memcpy(r.at, u.at, head * 2);
    if (with.count)
        memcpy(r.at + head, with.at, with.count * 2);
    memcpy(r.at + head + with.count, u.at + tail, (u.count - tail) * 2);
    r.count = head + with.count + u.count - tail;
    return put_text(x, e, r, out);
}
