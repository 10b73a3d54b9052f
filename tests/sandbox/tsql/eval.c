#include "tsql/session.h"

#include <math.h>

static bool
eval_as(struct ectx *x, struct expr *e, struct sql_typeinfo t, struct val *out)
{
    struct val v = {0};
    return eval(x, e, &v) && convert(&x->v, &v, t, 0, out);
}

static struct scope *
scope_at(struct ectx *x, int depth)
{
    struct scope *s = x->scope;
    while (depth-- > 0 && s && s->outer)
        s = s->outer;
    return s;
}

static bool
eval_column(struct ectx *x, const struct expr *e, struct val *out)
{
    const struct source *s = scope_at(x, e->depth)->sources[e->source];
    *out = s->row ? s->row[e->column] : val_null(e->type);
    return true;
}

/* ---- arithmetic ---- */

static bool
int_overflow(struct ectx *x, enum sql_type t)
{
    return fail(&x->v, 8115, "Arithmetic overflow error converting expression to data type %s.",
                type_name(t));
}

static bool
divide_by_zero(struct ectx *x, struct sql_typeinfo t, struct val *out)
{
    if (x->v.options & (OPT_ARITHABORT | OPT_ANSI_WARNINGS))
        return fail(&x->v, 8134, "Divide by zero error encountered.");
    *out = val_null(t);
    return true;
}

static bool
int_operation(char op, int64_t a, int64_t b, int64_t *r)
{
    switch (op) {
    case '+':
        return !__builtin_add_overflow(a, b, r);
    case '-':
        return !__builtin_sub_overflow(a, b, r);
    case '*':
        return !__builtin_mul_overflow(a, b, r);
    case '/':
        *r = b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
        return !(b == -1 && a == INT64_MIN);
    case '%':
        *r = b == -1 ? 0 : a % b;
        return true;
    case '&':
        *r = a & b;
        return true;
    case '|':
        *r = a | b;
        return true;
    default:
        *r = a ^ b;
        return true;
    }
}

static bool
int_arithmetic(struct ectx *x, char op, const struct val *a, const struct val *b,
               struct sql_typeinfo t, struct val *out)
{
    struct val p = {0}, q = {0};
    int64_t r = 0;
    if (!convert(&x->v, a, type_of(SQL_BIGINT), 0, &p) ||
        !convert(&x->v, b, type_of(SQL_BIGINT), 0, &q))
        return false;
    if ((op == '/' || op == '%') && q.v.integer == 0)
        return divide_by_zero(x, t, out);
    if (!int_operation(op, p.v.integer, q.v.integer, &r))
        return int_overflow(x, t.type);
    struct val wide = val_bigint(r);
    if (!convert(&x->v, &wide, t, 0, out))
        return int_overflow(x, t.type);
    return true;
}

static double
float_operation(char op, double a, double b)
{
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    default:
        return fmod(a, b);
    }
}

static bool
float_arithmetic(struct ectx *x, char op, const struct val *a, const struct val *b,
                 struct sql_typeinfo t, struct val *out)
{
    struct val p = {0}, q = {0};
    struct sql_typeinfo f = type_of(SQL_FLOAT);
    if (!convert(&x->v, a, f, 0, &p) || !convert(&x->v, b, f, 0, &q))
        return false;
    if ((op == '/' || op == '%') && q.v.real == 0)
        return divide_by_zero(x, t, out);
    double d = float_operation(op, p.v.real, q.v.real);
    if (!isfinite(d))
        return int_overflow(x, t.type);
    struct val r = val_float(d);
    if (t.type == SQL_REAL) { /* of two reals: it is not a conversion, which would round to zero */
        r = (struct val){.t = t, .v = {.real = (double)(float)d}};
        if (!isfinite(r.v.real))
            return int_overflow(x, t.type);
    }
    return convert(&x->v, &r, t, 0, out);
}

static struct sql_typeinfo
decimal_operand_type(struct sql_typeinfo t, struct sql_typeinfo other)
{
    static const uint8_t digits[] = {1, 3, 5, 10, 19};
    if (type_is_int(t.type))
        return type_decimal(digits[t.type], 0);
    if (t.type == SQL_DECIMAL)
        return t;
    return type_is_exact(t.type) ? type_decimal(19, 4) : other;
}

static bool
decimal_operation(struct ectx *x, char op, const struct val *a, const struct val *b,
                  struct sql_typeinfo t, struct val *out)
{
    struct val p = {0}, q = {0}, r = {0};
    if (!convert(&x->v, a, decimal_operand_type(a->t, t), 0, &p) ||
        !convert(&x->v, b, decimal_operand_type(b->t, t), 0, &q))
        return false;
    if ((op == '/' || op == '%') && decimal_magnitude(&q.v) == 0)
        return divide_by_zero(x, t, out);
    return decimal_arithmetic(&x->v, op, &p, &q, &r) && convert(&x->v, &r, t, 0, out);
}

static bool
money_arithmetic(struct ectx *x, char op, const struct val *a, const struct val *b,
                 struct sql_typeinfo t, struct val *out)
{
    struct sql_typeinfo wide = type_decimal(38, 4);
    struct val p = {0}, q = {0}, r = {0};
    if (!convert(&x->v, a, wide, 0, &p) || !convert(&x->v, b, wide, 0, &q))
        return false;
    if ((op == '/' || op == '%') && decimal_magnitude(&q.v) == 0)
        return divide_by_zero(x, t, out);
    p.t.precision = q.t.precision = 19;
    return decimal_arithmetic(&x->v, op, &p, &q, &r) && convert(&x->v, &r, t, 0, out);
}

static bool
date_arithmetic(struct ectx *x, char op, const struct val *a, const struct val *b,
                struct sql_typeinfo t, struct val *out)
{
    struct val p = {0}, q = {0}, r = {0};
    struct sql_typeinfo f = type_of(SQL_FLOAT), d = type_of(SQL_DATETIME);
    if (!convert(&x->v, a, d, 0, &p) || !convert(&x->v, b, d, 0, &q))
        return false;
    int sign = op == '+' ? 1 : -1;
    (void)f;
    r = p;
    r.v.days = p.v.days + sign * q.v.days;
    r.v.integer = p.v.integer + sign * q.v.integer;
    if (r.v.integer < 0 || r.v.integer >= 25920000) {
        r.v.days += r.v.integer < 0 ? -1 : 1;
        r.v.integer += r.v.integer < 0 ? 25920000 : -25920000;
    }
    return convert(&x->v, &r, t, 0, out);
}

static bool
concat(struct ectx *x, const struct val *a, const struct val *b, struct sql_typeinfo t,
       struct val *out)
{
    struct sql_typeinfo wide = t;
    struct val p = {0}, q = {0};
    wide.max_bytes = SQL_MAX_LENGTH;
    if (!convert(&x->v, a, wide, 0, &p) || !convert(&x->v, b, wide, 0, &q))
        return false;
    size_t n = p.v.length + q.v.length;
    if (!type_is_max(&t) && n > t.max_bytes)
        n = t.max_bytes; /* the server cuts silently at 8000 bytes */
    unsigned char *bytes = arena_alloc(x->v.arena, p.v.length + q.v.length + 1);
    if (p.v.length)
        memcpy(bytes, p.v.bytes, p.v.length);
    if (q.v.length)
        memcpy(bytes + p.v.length, q.v.bytes, q.v.length);
    *out = (struct val){.t = t, .v = {.bytes = bytes, .length = n}};
    return true;
}

static bool
null_operand(struct ectx *x, char op, const struct val *a, const struct val *b,
             struct sql_typeinfo t, struct val *out)
{
    bool text = type_is_char(t.type) && op == '+';
    if (text && !(x->v.options & OPT_CONCAT_NULL_YIELDS_NULL) && !(a->v.is_null && b->v.is_null))
        return convert(&x->v, a->v.is_null ? b : a, t, 0, out);
    *out = val_null(t);
    return true;
}

bool
arithmetic(struct ectx *x, char op, const struct val *a, const struct val *b, struct val *out)
{
    struct sql_typeinfo t;
    if (!arithmetic_type(x, op, a->t, b->t, &t))
        return false;
    if (a->v.is_null || b->v.is_null)
        return null_operand(x, op, a, b, t, out);
    if (type_is_char(t.type) || t.type == SQL_VARBINARY)
        return concat(x, a, b, t, out);
    if (type_is_int(t.type))
        return int_arithmetic(x, op, a, b, t, out);
    if (type_is_date(t.type))
        return date_arithmetic(x, op, a, b, t, out);
    if (t.type == SQL_DECIMAL)
        return decimal_operation(x, op, a, b, t, out);
    if (t.type == SQL_MONEY || t.type == SQL_SMALLMONEY)
        return money_arithmetic(x, op, a, b, t, out);
    return float_arithmetic(x, op, a, b, t, out);
}

static bool
eval_arithmetic(struct ectx *x, struct expr *e, struct val *out)
{
    struct val a = {0}, b = {0};
    if (!eval(x, e->args[0], &a) || !eval(x, e->args[1], &b) || !arithmetic(x, e->op, &a, &b, out))
        return false;
    if (out->t.type != e->type.type || out->t.scale != e->type.scale)
        return convert(&x->v, out, e->type, 0, out);
    out->t = e->type;
    return true;
}

static bool
eval_unary(struct ectx *x, struct expr *e, struct val *out)
{
    struct val a = {0};
    if (!eval(x, e->args[0], &a))
        return false;
    if (a.v.is_null || e->kind == EX_COMPLEMENT) {
        *out = a;
        out->t = e->type;
        out->v.integer = e->type.type == SQL_BIT ? !a.v.integer : ~a.v.integer;
        return true;
    }
    if (a.t.type == SQL_DECIMAL) {
        *out = a;
        out->v.negative = !a.v.negative && decimal_magnitude(&a.v) != 0;
        return true;
    }
    if (a.t.type == SQL_FLOAT || a.t.type == SQL_REAL) {
        *out = a;
        out->v.real = -a.v.real;
        return true;
    }
    struct val zero = val_int(0), r;
    if (a.t.type == SQL_MONEY || a.t.type == SQL_SMALLMONEY) {
        *out = a;
        out->v.integer = -a.v.integer;
        return true;
    }
    return arithmetic(x, '-', &zero, &a, &r) && convert(&x->v, &r, e->type, 0, out);
}

/* ---- CASE, CAST, subqueries ---- */

static bool
case_matches(struct ectx *x, struct expr *e, struct val *operand, struct expr *when, bool *match)
{
    if (!e->operand)
        return eval_true(x, when, match);
    struct val v = {0};
    int order = 1;
    *match = false;
    if (!eval(x, when, &v))
        return false;
    if (operand->v.is_null || v.v.is_null)
        return true;
    if (!compare(&x->v, operand, &v, &order))
        return false;
    *match = order == 0;
    return true;
}

static bool
eval_case(struct ectx *x, struct expr *e, struct val *out)
{
    struct val operand = {0};
    if (e->operand && !eval(x, e->operand, &operand))
        return false;
    for (int i = 0; i < e->count; i += 2) {
        bool match = false;
        if (!case_matches(x, e, &operand, e->args[i], &match))
            return false;
        if (match)
            return eval_as(x, e->args[i + 1], e->type, out);
    }
    if (e->otherwise)
        return eval_as(x, e->otherwise, e->type, out);
    *out = val_null(e->type);
    return true;
}

static bool
eval_coalesce(struct ectx *x, struct expr *e, struct val *out)
{
    for (int i = 0; i < e->count; i++) {
        struct val v = {0};
        if (!eval(x, e->args[i], &v))
            return false;
        if (!v.v.is_null)
            return convert(&x->v, &v, e->type, 0, out);
    }
    *out = val_null(e->type);
    return true;
}

static bool
eval_cast(struct ectx *x, struct expr *e, struct val *out)
{
    struct val v = {0}, style = val_int(0);
    if (!eval(x, e->args[0], &v) ||
        (e->style_arg && !eval_as(x, e->style_arg, type_of(SQL_INT), &style)))
        return false;
    bool known = convertible(v.t.type, e->type.type) || v.v.is_null ||
                 (type_is_char(v.t.type) && type_is_binary(e->type.type)) ||
                 (type_is_binary(v.t.type) && type_is_date(e->type.type) == false);
    if (!known && !type_is_char(v.t.type) && !type_is_binary(e->type.type))
        return fail(&x->v, 529, "Explicit conversion from data type %s to %s is not allowed.",
                    type_name(v.t.type), type_name(e->type.type));
    if (convert(&x->v, &v, e->type, (int)style.v.integer, out))
        return true;
    if (!e->try_ || x->v.error->number == 529)
        return false;
    *x->v.error = (struct sql_error){0};
    *out = val_null(e->type);
    return true;
}

struct one_row {
    struct ectx *x;
    struct val *out;
    int count;
};

static enum step
take_one(void *ctx, struct val *row)
{
    struct one_row *o = ctx;
    if (o->count++) {
        (void)fail(&o->x->v, 512,
                   "Subquery returned more than 1 value. This is not permitted when "
                   "the subquery follows =, !=, <, <= , >, >= or when the subquery is "
                   "used as an expression.");
        return STEP_ERROR;
    }
    *o->out = val_copy(o->x->v.arena, &row[0]);
    return STEP_ON;
}

static bool
eval_subquery(struct ectx *x, struct expr *e, struct val *out)
{
    struct one_row o = {x, out, 0};
    *out = val_null(e->type);
    return query_run(x, e->query, take_one, &o) != STEP_ERROR;
}

/* ---- conditions: a bit, NULL = unknown ---- */

static bool
put_truth(struct val *out, bool truth)
{
    *out = val_bit(truth);
    return true;
}

static bool
unknown(struct val *out)
{
    *out = val_null(type_of(SQL_BIT));
    return true;
}

static bool
order_satisfies(char op, int order)
{
    switch (op) {
    case '=':
        return order == 0;
    case '!':
        return order != 0;
    case '<':
        return order < 0;
    case '>':
        return order > 0;
    case 'l':
        return order <= 0;
    default:
        return order >= 0;
    }
}

static bool
nulls_compare(struct ectx *x, const struct expr *e)
{
    if (x->v.options & OPT_ANSI_NULLS)
        return false;
    for (int i = 0; i < 2; i++)
        if (e->args[i]->kind == EX_VARIABLE ||
            (e->args[i]->kind == EX_LITERAL && e->args[i]->op == 'n'))
            return e->op == '=' || e->op == '!';
    return false;
}

/* A whole number that stands in a column or in the text, and is not NULL. */
static const struct val *
number_at(struct ectx *x, const struct expr *e)
{
    const struct val *v = NULL;
    if (!type_is_int(e->type.type))
        return NULL;
    if (e->kind == EX_LITERAL) {
        v = &e->literal;
    } else if (e->kind == EX_COLUMN) {
        const struct source *s = scope_at(x, e->depth)->sources[e->source];
        v = s->row ? &s->row[e->column] : NULL;
    }
    return v && !v->v.is_null ? v : NULL;
}

/* The text of a column that holds UTF-16, if it is not NULL. */
static const struct val *
text_at(struct ectx *x, const struct expr *e)
{
    if (e->kind != EX_COLUMN || !type_is_nchar(e->type.type))
        return NULL;
    const struct source *s = scope_at(x, e->depth)->sources[e->source];
    const struct val *v = s->row ? &s->row[e->column] : NULL;
    return v && !v->v.is_null && v->t.type == e->type.type ? v : NULL;
}

/* Two such numbers or texts, where they lie: joins compare them again and again. */
static bool
compare_in_place(struct ectx *x, const struct expr *e, int *ret_order)
{
    if (x->scope && x->scope->group) /* a column is what its group has */
        return false;
    const struct val *a = number_at(x, e->args[0]);
    const struct val *b = a ? number_at(x, e->args[1]) : NULL;
    if (!a) {
        a = text_at(x, e->args[0]);
        b = a ? text_at(x, e->args[1]) : NULL;
        return b && a->t.type == b->t.type && compare(&x->v, a, b, ret_order);
    }
    if (!b)
        return false;
    *ret_order = a->v.integer < b->v.integer ? -1 : a->v.integer > b->v.integer;
    return true;
}

static bool
eval_compare(struct ectx *x, struct expr *e, struct val *out)
{
    struct val a = {0}, b = {0};
    int order = 0;
    if (compare_in_place(x, e, &order))
        return put_truth(out, order_satisfies(e->op, order));
    if (!eval(x, e->args[0], &a) || !eval(x, e->args[1], &b))
        return false;
    if (a.v.is_null || b.v.is_null) {
        if (nulls_compare(x, e))
            return put_truth(out, (a.v.is_null == b.v.is_null) == (e->op == '='));
        return unknown(out);
    }
    return compare(&x->v, &a, &b, &order) && put_truth(out, order_satisfies(e->op, order));
}

/* AND and OR: false (true) decides, else unknown wins. */
static bool
eval_junction(struct ectx *x, struct expr *e, struct val *out)
{
    bool decisive = e->kind == EX_OR;
    struct val a = {0}, b = {0};
    if (!eval(x, e->args[0], &a))
        return false;
    if (!a.v.is_null && (a.v.integer != 0) == decisive)
        return put_truth(out, decisive);
    if (!eval(x, e->args[1], &b))
        return false;
    if (!b.v.is_null && (b.v.integer != 0) == decisive)
        return put_truth(out, decisive);
    if (a.v.is_null || b.v.is_null)
        return unknown(out);
    return put_truth(out, !decisive);
}

static bool
negate(bool ok, bool negated, struct val *out)
{
    if (ok && negated && !out->v.is_null)
        out->v.integer = !out->v.integer;
    return ok;
}

static bool
as_text(struct ectx *x, const struct val *v, struct units *out)
{
    struct val t = *v;
    if (!type_is_char(v->t.type) && !convert(&x->v, v, type_chars(SQL_NVARCHAR, 4000), 0, &t))
        return false;
    *out = val_text(x->v.arena, &t);
    return true;
}

static bool
eval_like(struct ectx *x, struct expr *e, struct val *out)
{
    struct val v[3] = {0};
    struct units text, pattern, escape = {0};
    for (int i = 0; i < e->count; i++) {
        if (!eval(x, e->args[i], &v[i]))
            return false;
        if (v[i].v.is_null)
            return unknown(out);
    }
    if (!as_text(x, &v[0], &text) || !as_text(x, &v[1], &pattern) ||
        (e->count == 3 && !as_text(x, &v[2], &escape)))
        return false;
    if (e->count == 3 && escape.count != 1)
        return fail(&x->v, 506, "The invalid escape character was specified in a LIKE predicate.");
    return put_truth(out, like_match(text, pattern, escape.count ? escape.at[0] : 0));
}

static bool
eval_in(struct ectx *x, struct expr *e, struct val *out)
{
    struct val a = {0}, b = {0};
    bool nulls = false;
    if (!eval(x, e->args[0], &a))
        return false;
    if (a.v.is_null)
        return unknown(out);
    for (int i = 1; i < e->count; i++) {
        int order = 1;
        if (!eval(x, e->args[i], &b))
            return false;
        if (b.v.is_null) {
            nulls = true;
            continue;
        }
        if (!compare(&x->v, &a, &b, &order))
            return false;
        if (order == 0)
            return put_truth(out, true);
    }
    return nulls ? unknown(out) : put_truth(out, false);
}

struct membership {
    struct ectx *x;
    struct val value;
    bool found, nulls;
};

static enum step
match_member(void *ctx, struct val *row)
{
    struct membership *m = ctx;
    int order = 1;
    if (row[0].v.is_null) {
        m->nulls = true;
        return STEP_ON;
    }
    if (!compare(&m->x->v, &m->value, &row[0], &order))
        return STEP_ERROR;
    m->found = order == 0;
    return m->found ? STEP_STOP : STEP_ON;
}

static bool
eval_in_query(struct ectx *x, struct expr *e, struct val *out)
{
    struct membership m = {.x = x};
    if (!eval(x, e->args[0], &m.value))
        return false;
    if (m.value.v.is_null)
        return unknown(out);
    if (query_run(x, e->query, match_member, &m) == STEP_ERROR)
        return false;
    return !m.found && m.nulls ? unknown(out) : put_truth(out, m.found);
}

static enum step
note_row(void *ctx, struct val *row)
{
    (void)row;
    *(bool *)ctx = true;
    return STEP_STOP;
}

static bool
eval_exists(struct ectx *x, struct expr *e, struct val *out)
{
    bool found = false;
    if (query_run(x, e->query, note_row, &found) == STEP_ERROR)
        return false;
    return put_truth(out, found);
}

static bool
eval_between(struct ectx *x, struct expr *e, struct val *out)
{
    struct val v = {0}, low = {0}, high = {0};
    int a = 0, b = 0;
    if (!eval(x, e->args[0], &v) || !eval(x, e->args[1], &low) || !eval(x, e->args[2], &high))
        return false;
    if (v.v.is_null || low.v.is_null || high.v.is_null)
        return unknown(out);
    return compare(&x->v, &v, &low, &a) && compare(&x->v, &v, &high, &b) &&
           put_truth(out, a >= 0 && b <= 0);
}

static bool
eval_is_null(struct ectx *x, struct expr *e, struct val *out)
{
    struct val v = {0};
    return eval(x, e->args[0], &v) && put_truth(out, v.v.is_null != e->negated);
}

static bool
eval_condition(struct ectx *x, struct expr *e, struct val *out)
{
    switch ((int)e->kind) {
    case EX_COMPARE:
        return eval_compare(x, e, out);
    case EX_AND:
    case EX_OR:
        return eval_junction(x, e, out);
    case EX_NOT:
        return negate(eval(x, e->args[0], out), true, out);
    case EX_IS_NULL:
        return eval_is_null(x, e, out);
    case EX_LIKE:
        return negate(eval_like(x, e, out), e->negated, out);
    case EX_IN:
        return negate(eval_in(x, e, out), e->negated, out);
    case EX_IN_QUERY:
        return negate(eval_in_query(x, e, out), e->negated, out);
    case EX_EXISTS:
        return eval_exists(x, e, out);
    default:
        return negate(eval_between(x, e, out), e->negated, out);
    }
}

/* ---- calls ---- */

static bool
eval_call(struct ectx *x, struct expr *e, struct val *out)
{
    struct val args[32];
    int count = e->count < 32 ? e->count : 32;
    if (e->steady && e->answered == x->s->statement) {
        *out = e->answer;
        return true;
    }
    for (int i = 0; i < 32 && (i < count || i < e->function->max); i++)
        args[i] = (struct val){0};
    for (int i = 0; i < count; i++) {
        if (!eval(x, e->args[i], &args[i]))
            return false;
        if (args[i].v.is_null && !e->function->nulls) {
            *out = val_null(e->type);
            return true;
        }
    }
    *out = val_null(e->type);
    if (!e->function->eval(x, e, args, out))
        return false;
    if (e->steady) {
        e->answered = x->s->statement;
        e->answer = *out;
    }
    return true;
}

static bool
eval_variable(struct ectx *x, const struct expr *e, struct val *out)
{
    const struct variable *v = variable_find(x, e->name);
    if (!v)
        return fail(&x->v, 137, "Must declare the scalar variable \"%s\".", e->name);
    *out = v->value;
    return true;
}

static bool
eval_value(struct ectx *x, struct expr *e, struct val *out)
{
    switch ((int)e->kind) {
    case EX_LITERAL:
        *out = e->literal;
        return true;
    case EX_COLUMN:
        return eval_column(x, e, out);
    case EX_VARIABLE:
        return eval_variable(x, e, out);
    case EX_GLOBAL:
        return global_value(x, e->name, out);
    case EX_NEGATE:
    case EX_COMPLEMENT:
        return eval_unary(x, e, out);
    case EX_ARITHMETIC:
        return eval_arithmetic(x, e, out);
    case EX_CAST:
        return eval_cast(x, e, out);
    case EX_CALL:
        return eval_call(x, e, out);
    case EX_CASE:
        return eval_case(x, e, out);
    case EX_COALESCE:
        return eval_coalesce(x, e, out);
    case EX_SUBQUERY:
        return eval_subquery(x, e, out);
    default:
        return fail(&x->v, 102, "Incorrect syntax near '%s'.", e->name ? e->name : "*");
    }
}

bool
eval(struct ectx *x, struct expr *e, struct val *out)
{
    struct group *g = x->scope ? x->scope->group : NULL;
    if (g && e->group) {
        *out = g->keys[e->group - 1];
        return true;
    }
    if (e->kind == EX_AGGREGATE)
        return g ? aggregate_result(x, e, g->states, out)
                 : fail(&x->v, 147, "An aggregate may not appear here.");
    return is_condition(e) ? eval_condition(x, e, out) : eval_value(x, e, out);
}

bool
eval_true(struct ectx *x, struct expr *e, bool *ret_true)
{
    struct val v = {0};
    if (!eval(x, e, &v))
        return false;
    *ret_true = !v.v.is_null && v.v.integer != 0;
    return true;
}

bool
eval_alone(struct session *s, struct arena *a, struct expr *e, struct val *out)
{
    struct ectx x = {.v = session_vctx(s, a), .s = s};
    return bind_expr(&x, e) && eval(&x, e, out);
}
