/* Names to columns, types to expressions: before a statement runs, so that results can be
 * described. */
#include "tsql/dialect.h"
#include "tsql/func.h"

static bool
compile_fail(struct ectx *x)
{
    x->v.error->compile = true;
    return false;
}

static bool
same_literal(const struct val *a, const struct val *b)
{
    bool same = a->v.is_null == b->v.is_null && a->t.type == b->t.type &&
                a->v.integer == b->v.integer && a->v.length == b->v.length;
    return same && (!a->v.length || memcmp(a->v.bytes, b->v.bytes, a->v.length) == 0);
}

/* Everything but the operands. */
static bool
same_node(const struct expr *a, const struct expr *b)
{
    if (a->kind != b->kind || a->op != b->op || a->count != b->count || a->negated != b->negated ||
        a->query != b->query || !a->name != !b->name)
        return false;
    if (a->kind == EX_CAST)
        return a->type.type == b->type.type && a->type.max_bytes == b->type.max_bytes;
    return !a->name || same_name(a->name, b->name);
}

bool
same_expr(const struct expr *a, const struct expr *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind == EX_COLUMN && b->kind == EX_COLUMN)
        return a->depth == b->depth && a->source == b->source && a->column == b->column;
    if (!same_node(a, b) || (a->kind == EX_LITERAL && !same_literal(&a->literal, &b->literal)))
        return false;
    for (int i = 0; i < a->count; i++)
        if (!same_expr(a->args[i], b->args[i]))
            return false;
    return same_expr(a->operand, b->operand) && same_expr(a->otherwise, b->otherwise) &&
           same_expr(a->style_arg, b->style_arg);
}

/* ---- columns ---- */

static int
column_in(const struct source *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        if (s->columns[i].name && same_name(s->columns[i].name, name))
            return i;
    return -1;
}

static bool
source_named(const struct source *s, const struct expr *e)
{
    if (!e->table)
        return true;
    if (s->alias)
        return !e->schema && same_name(s->alias, e->table);
    return s->name && same_name(s->name, e->table);
}

/* 1 found, 0 not, -1 ambiguous. */
static int
find_in_scope(const struct scope *scope, struct expr *e, bool *ret_qualifier)
{
    int found = 0;
    for (int i = 0; i < scope->count; i++) {
        const struct source *s = scope->sources[i];
        if (!source_named(s, e))
            continue;
        *ret_qualifier = true;
        int c = column_in(s, e->name);
        if (c < 0)
            continue;
        if (found)
            return -1;
        found = 1;
        e->source = i;
        e->column = c;
        e->type = s->columns[c].type;
        source_use(scope->sources[i], c);
    }
    return found;
}

static bool
bind_column(struct ectx *x, struct expr *e)
{
    bool qualifier = false;
    int depth = 0;
    for (struct scope *s = x->scope; s; s = s->outer, depth++) {
        int found = find_in_scope(s, e, &qualifier);
        if (found < 0) {
            (void)fail(&x->v, 209, "Ambiguous column name '%s'.", e->name);
            return compile_fail(x);
        }
        if (found) {
            e->depth = depth;
            return true;
        }
    }
    if (e->table && !qualifier)
        (void)fail(&x->v, 4104, "The multi-part identifier \"%s%s%s.%s\" could not be bound.",
                   e->schema ? e->schema : "", e->schema ? "." : "", e->table, e->name);
    else
        (void)fail(&x->v, 207, "Invalid column name '%s'.", e->name);
    return compile_fail(x);
}

/* ---- types of operators ---- */

static struct sql_typeinfo
as_decimal_type(struct sql_typeinfo t)
{
    static const uint8_t digits[] = {1, 3, 5, 10, 19};
    if (t.type == SQL_DECIMAL)
        return t;
    if (type_is_int(t.type))
        return type_decimal(digits[t.type], 0);
    if (t.type == SQL_MONEY || t.type == SQL_SMALLMONEY)
        return type_decimal(t.type == SQL_MONEY ? 19 : 10, 4);
    return type_decimal(38, 0);
}

static struct sql_typeinfo
concat_type(struct sql_typeinfo a, struct sql_typeinfo b)
{
    struct sql_typeinfo t = type_common(a, b);
    bool wide = type_is_nchar(t.type);
    if (type_is_char(t.type))
        t.type = wide ? SQL_NVARCHAR : SQL_VARCHAR;
    else
        t.type = SQL_VARBINARY;
    if (type_is_max(&a) || type_is_max(&b)) {
        t.max_bytes = SQL_MAX_LENGTH;
        return t;
    }
    uint64_t na = a.max_bytes, nb = b.max_bytes;
    if (wide && !type_is_nchar(a.type))
        na *= 2;
    if (wide && !type_is_nchar(b.type))
        nb *= 2;
    t.max_bytes = na + nb > 8000 ? 8000 : (uint32_t)(na + nb);
    t.nullable = true;
    return t;
}

static bool
clash(struct ectx *x, char op, struct sql_typeinfo a, struct sql_typeinfo b)
{
    static const struct {
        char op;
        const char *name;
    } names[] = {{'+', "add"},    {'-', "subtract"},    {'*', "multiply"},   {'/', "divide"},
                 {'%', "modulo"}, {'&', "boolean AND"}, {'|', "boolean OR"}, {'^', "boolean XOR"}};
    const char *name = "operator";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].op == op)
            name = names[i].name;
    (void)fail(&x->v, 402, "The data types %s and %s are incompatible in the %s operator.",
               type_name(a.type), type_name(b.type), name);
    return compile_fail(x);
}

static bool
date_arithmetic_type(struct ectx *x, char op, struct sql_typeinfo a, struct sql_typeinfo b,
                     struct sql_typeinfo *out)
{
    struct sql_typeinfo d = type_is_date(a.type) ? a : b;
    if ((op != '+' && op != '-') || (d.type != SQL_DATETIME && d.type != SQL_SMALLDATETIME))
        return clash(x, op, a, b);
    *out = d;
    return true;
}

static bool
is_concat(char op, enum sql_type a, enum sql_type b)
{
    bool text_or_bytes =
        (type_is_char(a) || type_is_binary(a)) && (type_is_char(b) || type_is_binary(b));
    return op == '+' && text_or_bytes;
}

static bool
never_number(enum sql_type a, enum sql_type b)
{
    return a == SQL_UNIQUEIDENTIFIER || b == SQL_UNIQUEIDENTIFIER ||
           (type_is_char(a) && type_is_char(b));
}

bool
arithmetic_type(struct ectx *x, char op, struct sql_typeinfo a, struct sql_typeinfo b,
                struct sql_typeinfo *out)
{
    bool bits = strchr("&|^", op) != NULL;
    if (is_concat(op, a.type, b.type)) {
        *out = concat_type(a, b);
        return true;
    }
    if (type_is_date(a.type) || type_is_date(b.type))
        return date_arithmetic_type(x, op, a, b, out);
    struct sql_typeinfo w = type_common(a, b);
    if (type_is_binary(w.type))
        w = type_of(SQL_INT);
    if (never_number(a.type, b.type) || (bits && !type_is_int(w.type)))
        return clash(x, op, a, b);
    if (w.type == SQL_DECIMAL)
        w = decimal_result_type(op, as_decimal_type(a), as_decimal_type(b));
    if (w.type == SQL_BIT && !bits)
        w = type_of(SQL_INT);
    w.nullable = a.nullable || b.nullable;
    w.identity = w.computed = false;
    *out = w;
    return true;
}

/* ---- each kind ---- */

static bool
bind_args(struct ectx *x, struct expr *e)
{
    for (int i = 0; i < e->count; i++)
        if (!bind_expr(x, e->args[i]))
            return false;
    return true;
}

static bool
is_null_literal(const struct expr *e)
{
    return e->kind == EX_LITERAL && e->op == 'n';
}

static void
add_type(struct sql_typeinfo *sum, bool *any, const struct expr *e)
{
    if (is_null_literal(e))
        return;
    *sum = *any ? type_common(*sum, e->type) : e->type;
    *any = true;
}

static bool
bind_case(struct ectx *x, struct expr *e)
{
    struct sql_typeinfo t = type_of(SQL_INT);
    bool any = false;
    if ((e->operand && !bind_expr(x, e->operand)) || !bind_args(x, e) ||
        (e->otherwise && !bind_expr(x, e->otherwise)))
        return false;
    for (int i = 1; i < e->count; i += 2)
        add_type(&t, &any, e->args[i]);
    if (e->otherwise)
        add_type(&t, &any, e->otherwise);
    t.nullable = true;
    t.identity = t.computed = false;
    e->type = t;
    return true;
}

static bool
bind_coalesce(struct ectx *x, struct expr *e)
{
    bool any = false, nullable = true;
    if (!bind_args(x, e))
        return false;
    for (int i = 0; i < e->count; i++) {
        nullable = nullable && e->args[i]->type.nullable;
        if (e->op == 'i' && any)
            continue;
        add_type(&e->type, &any, e->args[i]);
    }
    if (!any)
        e->type = type_of(SQL_INT);
    e->type.nullable = nullable;
    e->type.identity = e->type.computed = false;
    return true;
}

static bool
bind_call(struct ectx *x, struct expr *e)
{
    e->function = function_find(e->name);
    if (!e->function || (x->v.utf8 && dialect_lacks(e->name))) {
        (void)fail(&x->v, 195, "'%s' is not a recognized built-in function name.", e->name);
        return compile_fail(x);
    }
    if (e->count < e->function->min || e->count > e->function->max) {
        (void)fail(&x->v, 174, "The %s function requires %d argument(s).", e->function->name,
                   e->function->min);
        return compile_fail(x);
    }
    if (!bind_args(x, e))
        return false;
    e->type = function_type(e->function, e);
    e->answered = 0;
    e->steady = e->function->eval == f_object_id; /* the catalog stands still for a statement */
    for (int i = 0; i < e->count; i++)
        e->steady = e->steady && e->args[i]->kind == EX_LITERAL;
    return true;
}

static bool
one_column(struct ectx *x, const struct query *q)
{
    const struct bound_query *b = q->bound;
    if (b->width == 1)
        return true;
    (void)fail(&x->v, 116,
               "Only one expression can be specified in the select list when the "
               "subquery is not introduced with EXISTS.");
    return compile_fail(x);
}

static bool
bind_subquery(struct ectx *x, struct expr *e)
{
    if (e->count && !bind_expr(x, e->args[0]))
        return false;
    if (!bind_query(x, e->query, x->scope))
        return false;
    const struct bound_query *b = e->query->bound;
    if (e->kind != EX_EXISTS && !one_column(x, e->query))
        return false;
    if (e->kind == EX_SUBQUERY) {
        e->type = b->types[0];
        e->type.nullable = true;
        e->type.identity = e->type.computed = false;
    }
    return true;
}

static bool
bind_aggregate(struct ectx *x, struct expr *e)
{
    struct scope *scope = x->scope;
    struct bound_select *s = scope ? scope->select : NULL;
    if (!s) {
        (void)fail(&x->v, 147,
                   "An aggregate may not appear in the WHERE clause unless it is in a "
                   "subquery contained in a HAVING clause or a select list, and the "
                   "column being aggregated is an outer reference.");
        return compile_fail(x);
    }
    scope->select = NULL; /* no aggregate of an aggregate */
    bool ok = e->args[0]->kind == EX_STAR || bind_expr(x, e->args[0]);
    scope->select = s;
    if (!ok || !aggregate_type(x, e))
        return false;
    for (int i = 0; i < s->aggregate_count; i++)
        if (s->aggregates[i] == e)
            return true;
    struct expr **all = arena_alloc(x->v.arena, (size_t)(s->aggregate_count + 1) * sizeof(void *));
    if (s->aggregate_count)
        memcpy(all, s->aggregates, (size_t)s->aggregate_count * sizeof(void *));
    all[s->aggregate_count++] = e;
    s->aggregates = all;
    e->aggregate = s->aggregate_count;
    return true;
}

static bool
bind_variable(struct ectx *x, struct expr *e)
{
    const struct variable *v = variable_find(x, e->name);
    if (!v) {
        (void)fail(&x->v, 137, "Must declare the scalar variable \"%s\".", e->name);
        x->v.error->state = 2;
        return compile_fail(x);
    }
    e->type = v->value.t;
    e->type.nullable = true;
    return true;
}

static bool
bind_global(struct ectx *x, struct expr *e)
{
    struct val v = {0};
    if (x->v.utf8 && dialect_lacks(e->name)) {
        (void)fail(&x->v, 137, "'%s' is not currently supported", e->name);
        return compile_fail(x);
    }
    if (!global_value(x, e->name, &v))
        return compile_fail(x);
    e->type = v.t;
    return true;
}

static bool
bind_unary(struct ectx *x, struct expr *e)
{
    if (!bind_args(x, e))
        return false;
    e->type = e->args[0]->type;
    if (e->kind == EX_NEGATE && !type_is_number(e->type.type)) {
        (void)fail(&x->v, 8117, "Operand data type %s is invalid for minus operator.",
                   type_name(e->type.type));
        return compile_fail(x);
    }
    if (e->kind == EX_NEGATE && (e->type.type == SQL_BIT || e->type.type == SQL_TINYINT))
        e->type = type_of(SQL_SMALLINT);
    e->type.identity = e->type.computed = false;
    return true;
}

static bool
bind_cast(struct ectx *x, struct expr *e)
{
    if (e->style_arg && !bind_expr(x, e->style_arg))
        return false;
    if (!bind_args(x, e))
        return false;
    e->type.nullable = e->try_ || e->args[0]->type.nullable;
    return true;
}

/* A whole number that is written out meets a decimal with as many digits as it has. */
static struct sql_typeinfo
operand_type(const struct expr *e, int i)
{
    const struct expr *a = e->args[i];
    int digits = 1;
    if (a->kind != EX_LITERAL || a->type.type != SQL_INT || a->literal.v.is_null ||
        e->args[1 - i]->type.type != SQL_DECIMAL)
        return a->type;
    for (int64_t n = a->literal.v.integer; n > 9; n /= 10)
        digits++;
    return type_decimal(digits, 0);
}

static bool
bind_value(struct ectx *x, struct expr *e)
{
    switch ((int)e->kind) {
    case EX_LITERAL:
        e->type = e->literal.t;
        return true;
    case EX_COLUMN:
        return bind_column(x, e);
    case EX_VARIABLE:
        return bind_variable(x, e);
    case EX_GLOBAL:
        return bind_global(x, e);
    case EX_NEGATE:
    case EX_COMPLEMENT:
        return bind_unary(x, e);
    case EX_ARITHMETIC:
        return bind_args(x, e) &&
               arithmetic_type(x, e->op, operand_type(e, 0), operand_type(e, 1), &e->type);
    case EX_CAST:
        return bind_cast(x, e);
    case EX_CALL:
        return bind_call(x, e);
    case EX_CASE:
        return bind_case(x, e);
    case EX_COALESCE:
        return bind_coalesce(x, e);
    case EX_SUBQUERY:
        return bind_subquery(x, e);
    case EX_AGGREGATE:
        return bind_aggregate(x, e);
    default:
        (void)fail(&x->v, 102, "Incorrect syntax near '%s'.", e->kind == EX_STAR ? "*" : "DEFAULT");
        return compile_fail(x);
    }
}

bool
bind_expr(struct ectx *x, struct expr *e)
{
    if (!is_condition(e))
        return bind_value(x, e);
    e->type = type_of(SQL_BIT);
    if (e->kind == EX_EXISTS || e->kind == EX_IN_QUERY)
        return bind_subquery(x, e);
    return bind_args(x, e);
}
