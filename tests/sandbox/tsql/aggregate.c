#include "tsql/session.h"

struct aggregate_state {
    int64_t count;
    bool any;
    struct val value;
    struct keyset seen; /* DISTINCT */
};

struct aggregate_state *
aggregates_new(struct arena *a, const struct bound_select *s)
{
    return arena_alloc(a, (size_t)(s->aggregate_count + 1) * sizeof(struct aggregate_state));
}

void
aggregates_free(struct aggregate_state *states, int count)
{
    for (int i = 0; i < count; i++)
        keyset_free(&states[i].seen);
}

static bool
is_count(const struct expr *e)
{
    return same_name(e->name, "COUNT") || same_name(e->name, "COUNT_BIG");
}

static struct sql_typeinfo
sum_type(struct sql_typeinfo t, bool average)
{
    if (t.type == SQL_BIT || t.type == SQL_TINYINT || t.type == SQL_SMALLINT)
        return type_of(SQL_INT);
    if (t.type == SQL_DECIMAL)
        return type_decimal(38, average && t.scale < 6 ? 6 : t.scale);
    if (t.type == SQL_SMALLMONEY)
        return type_of(SQL_MONEY);
    if (t.type == SQL_REAL)
        return type_of(SQL_FLOAT);
    return t;
}

bool
aggregate_type(struct ectx *x, struct expr *e)
{
    struct sql_typeinfo in = e->args[0]->type;
    if (is_count(e)) {
        e->type = type_of(same_name(e->name, "COUNT") ? SQL_INT : SQL_BIGINT);
        return true;
    }
    bool sum = same_name(e->name, "SUM"), average = same_name(e->name, "AVG");
    if ((sum || average) && (!type_is_number(in.type) || in.type == SQL_BIT)) {
        (void)fail(&x->v, 8117, "Operand data type %s is invalid for %s operator.",
                   type_name(in.type), sum ? "sum" : "avg");
        x->v.error->compile = true;
        return false;
    }
    e->type = sum || average ? sum_type(in, average) : in;
    e->type.nullable = true;
    e->type.identity = e->type.computed = false;
    return true;
}

static bool
add_sum(struct ectx *x, const struct expr *e, struct aggregate_state *st, const struct val *v)
{
    struct sql_typeinfo t = e->type;
    struct val now = {0};
    if (t.type == SQL_INT)
        t = type_of(SQL_BIGINT); /* checked against int at the end */
    if (!convert(&x->v, v, t, 0, &now))
        return false;
    if (!st->any) {
        st->value = now;
        return true;
    }
    if (type_is_int(t.type) || t.type == SQL_MONEY) {
        if (__builtin_add_overflow(st->value.v.integer, now.v.integer, &st->value.v.integer))
            return fail(&x->v, 8115,
                        "Arithmetic overflow error converting expression to data type "
                        "%s.",
                        type_name(t.type));
        return true;
    }
    struct val sum = {0};
    if (!arithmetic(x, '+', &st->value, &now, &sum))
        return false;
    return convert(&x->v, &sum, t, 0, &st->value);
}

static bool
add_extreme(struct ectx *x, const struct expr *e, struct aggregate_state *st, const struct val *v,
            struct arena *keep)
{
    int order = 0;
    if (st->any) {
        if (!compare(&x->v, v, &st->value, &order))
            return false;
        if (same_name(e->name, "MIN") ? order >= 0 : order <= 0)
            return true;
    }
    st->value = val_copy(keep, v);
    return true;
}

static bool
seen_before(struct aggregate_state *st, const struct val *v)
{
    struct buf key = {0};
    bool fresh;
    key_encode(&key, v, false);
    (void)keyset_add(&st->seen, &key, &fresh);
    buf_free(&key);
    return !fresh;
}

static bool
add_one(struct ectx *x, const struct expr *e, struct aggregate_state *st, struct arena *keep)
{
    struct val v = {0};
    if (e->args[0]->kind == EX_STAR) {
        st->count++;
        return true;
    }
    if (!eval(x, e->args[0], &v))
        return false;
    if (v.v.is_null || (e->distinct && seen_before(st, &v)))
        return true;
    bool ok = true;
    if (same_name(e->name, "MIN") || same_name(e->name, "MAX"))
        ok = add_extreme(x, e, st, &v, keep);
    else if (!is_count(e))
        ok = add_sum(x, e, st, &v);
    st->count++;
    st->any = true;
    return ok;
}

bool
aggregates_add(struct ectx *x, const struct bound_select *s, struct aggregate_state *states,
               struct arena *keep)
{
    for (int i = 0; i < s->aggregate_count; i++)
        if (!add_one(x, s->aggregates[i], &states[i], keep))
            return false;
    return true;
}

bool
aggregate_result(struct ectx *x, const struct expr *e, const struct aggregate_state *states,
                 struct val *out)
{
    const struct aggregate_state *st = &states[e->aggregate - 1];
    if (is_count(e)) {
        struct val n = val_bigint(st->count);
        if (!convert(&x->v, &n, e->type, 0, out))
            return false;
        return true;
    }
    if (!st->any) {
        *out = val_null(e->type);
        return true;
    }
    struct val v = st->value;
    if (same_name(e->name, "AVG")) {
        struct val n = val_bigint(st->count), quotient;
        if (!arithmetic(x, '/', &v, &n, &quotient))
            return false;
        v = quotient;
    }
    return convert(&x->v, &v, e->type, 0, out);
}
