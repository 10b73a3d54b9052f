#include "tsql/session.h"

static bool
compile_fail(struct ectx *x)
{
    x->v.error->compile = true;
    return false;
}

/* ---- bind ---- */

static void
push_output(struct ectx *x, struct bound_select *b, struct expr *e, const char *name)
{
    struct expr **outputs = arena_alloc(x->v.arena, (size_t)(b->total + 1) * sizeof(void *));
    const char **names = arena_alloc(x->v.arena, (size_t)(b->total + 1) * sizeof(void *));
    for (int i = 0; i < b->total; i++) {
        outputs[i] = b->outputs[i];
        names[i] = b->names[i];
    }
    outputs[b->total] = e;
    names[b->total++] = name;
    b->outputs = outputs;
    b->names = names;
}

static bool
expand_star(struct ectx *x, struct bound_select *b, const struct expr *star)
{
    bool any = false;
    for (int i = 0; i < b->source_count; i++) {
        const struct source *src = b->sources[i];
        const char *name = src->alias ? src->alias : src->name;
        if (star->table && !(name && same_name(name, star->table)))
            continue;
        any = true;
        for (int c = 0; c < src->count; c++) {
            source_use(b->sources[i], c);
            struct expr *e = arena_alloc(x->v.arena, sizeof *e);
            e->kind = EX_COLUMN;
            e->name = src->columns[c].name;
            e->line = star->line;
            e->source = i;
            e->column = c;
            e->type = src->columns[c].type;
            push_output(x, b, e, e->name);
        }
    }
    if (any)
        return true;
    if (star->table)
        (void)fail(&x->v, 107,
                   "The column prefix '%s' does not match with a table name or alias "
                   "name used in the query.",
                   star->table);
    else
        (void)fail(&x->v, 263, "Must specify table to select from.");
    return compile_fail(x);
}

bool
bind_item_list(struct ectx *x, struct item *items, int count, struct bound_select *b)
{
    for (int i = 0; i < count; i++) {
        struct item *item = &items[i];
        if (item->expr->kind == EX_STAR) {
            if (!expand_star(x, b, item->expr))
                return false;
            continue;
        }
        if (!bind_expr(x, item->expr))
            return false;
        b->assigns = b->assigns || item->variable;
        const char *name = item->alias                     ? item->alias
                           : item->expr->kind == EX_COLUMN ? item->expr->name
                                                           : "";
        push_output(x, b, item->expr, name);
    }
    return true;
}

static bool
bind_groups(struct ectx *x, struct select *s)
{
    for (int i = 0; i < s->group_count; i++) {
        if (!bind_expr(x, s->groups[i]))
            return false;
        s->groups[i]->group = 0;
    }
    return true;
}

/* Give every part of `e` that is a grouping expression its number; refuse other columns. */
static bool
mark_groups(struct ectx *x, const struct select *s, struct expr *e, const char *clause)
{
    if (!e || e->kind == EX_AGGREGATE)
        return true;
    e->group = 0;
    for (int i = 0; i < s->group_count; i++) {
        if (same_expr(s->groups[i], e)) {
            e->group = i + 1;
            return true;
        }
    }
    if (e->kind == EX_COLUMN && e->depth == 0) {
        (void)fail(&x->v, 8120,
                   "Column '%s' is invalid in the %s because it is not contained in either an "
                   "aggregate function or the GROUP BY clause.",
                   e->name, clause);
        return compile_fail(x);
    }
    for (int i = 0; i < e->count; i++)
        if (!mark_groups(x, s, e->args[i], clause))
            return false;
    return mark_groups(x, s, e->operand, clause) && mark_groups(x, s, e->otherwise, clause);
}

static int
output_of_order(struct ectx *x, const struct bound_select *b, struct order *o)
{
    const struct expr *e = o->expr;
    if (e->kind == EX_LITERAL && e->literal.t.type == SQL_INT && !e->literal.v.is_null) {
        int64_t n = e->literal.v.integer;
        if (n >= 1 && n <= b->width)
            return (int)n;
        (void)fail(&x->v, 108,
                   "The ORDER BY position number %lld is out of range of the number of "
                   "items in the select list.",
                   (long long)n);
        return -1;
    }
    if (e->kind == EX_COLUMN && !e->table)
        for (int i = 0; i < b->width; i++)
            if (same_name(b->names[i], e->name))
                return i + 1;
    return 0;
}

/* An ORDER BY expression that no name or number gives: bound, and found among the outputs or added.
 */
static bool
bind_order_expression(struct ectx *x, const struct query *q, struct bound_select *b,
                      struct order *o)
{
    if (q->first->next) {
        (void)fail(&x->v, 104,
                   "ORDER BY items must appear in the select list if the statement contains a "
                   "UNION, INTERSECT or EXCEPT operator.");
        return compile_fail(x);
    }
    if (!bind_expr(x, o->expr))
        return false;
    for (int k = 0; k < b->width; k++) {
        if (same_expr(b->outputs[k], o->expr)) {
            o->column = k + 1;
            return true;
        }
    }
    if (q->first->distinct) {
        (void)fail(&x->v, 145,
                   "ORDER BY items must appear in the select list if SELECT DISTINCT is "
                   "specified.");
        return compile_fail(x);
    }
    push_output(x, b, o->expr, "");
    o->column = b->total;
    return true;
}

static bool
bind_orders(struct ectx *x, struct query *q, struct bound_select *b)
{
    for (int i = 0; i < q->order_count; i++) {
        struct order *o = &q->orders[i];
        o->column = output_of_order(x, b, o);
        if (o->column < 0)
            return compile_fail(x);
        if (!o->column && !bind_order_expression(x, q, b, o))
            return false;
    }
    return true;
}

static bool
bind_joins(struct ectx *x, struct from *f)
{
    if (f->kind != FROM_JOIN)
        return true;
    return bind_joins(x, f->left) && bind_joins(x, f->right) && (!f->on || bind_expr(x, f->on));
}

static bool
bind_grouping(struct ectx *x, struct select *s, struct bound_select *b)
{
    b->grouped = s->group_count || b->aggregate_count || s->having;
    if (!b->grouped)
        return true;
    for (int i = 0; i < b->total; i++)
        if (!mark_groups(x, s, b->outputs[i], i < b->width ? "select list" : "ORDER BY clause"))
            return false;
    return mark_groups(x, s, s->having, "HAVING clause");
}

static bool
bind_select(struct ectx *x, struct query *q, struct select *s, struct scope *outer)
{
    struct bound_select *b = arena_alloc(x->v.arena, sizeof *b);
    struct scope scope = {.outer = outer};
    struct ectx y = *x;
    s->bound = b;
    if (s->from && !sources_open(x, s->from, b, outer))
        return false;
    scope.sources = b->sources;
    scope.count = b->source_count;
    y.scope = &scope;
    if ((s->from && !bind_joins(&y, s->from)) || (s->where && !bind_expr(&y, s->where)) ||
        !bind_groups(&y, s))
        return false;
    early_place(x->v.arena, s, b);
    scope.select = b;
    if (!bind_item_list(&y, s->items, s->count, b))
        return false;
    b->width = b->total;
    if (s->having && !bind_expr(&y, s->having))
        return false;
    if (s == q->first && !bind_orders(&y, q, b))
        return false;
    scope.select = NULL;
    return (!s->top || bind_expr(&y, s->top)) && bind_grouping(&y, s, b);
}

static bool
union_types(struct ectx *x, struct query *q, struct bound_query *b)
{
    for (struct select *s = q->first->next; s; s = s->next) {
        const struct bound_select *o = s->bound;
        if (o->width != b->width) {
            (void)fail(&x->v, 205,
                       "All queries combined using a UNION, INTERSECT or EXCEPT operator "
                       "must have an equal number of expressions in their target lists.");
            return compile_fail(x);
        }
        for (int i = 0; i < b->width; i++) {
            bool null = o->outputs[i]->kind == EX_LITERAL && o->outputs[i]->op == 'n';
            if (!null)
                b->types[i] = type_common(b->types[i], o->outputs[i]->type);
            else
                b->types[i].nullable = true;
        }
    }
    return true;
}

bool
bind_query(struct ectx *x, struct query *q, struct scope *outer)
{
    struct ectx y = *x;
    y.scope = outer;
    for (struct select *s = q->first; s; s = s->next)
        if (!bind_select(&y, q, s, outer))
            return false;
    if (!q->first)
        return fail(&x->v, 102, "Incorrect syntax near '%s'.", ")");
    const struct bound_select *first = q->first->bound;
    struct bound_query *b = arena_alloc(x->v.arena, sizeof *b);
    b->width = first->width;
    b->total = first->total;
    b->types = arena_alloc(x->v.arena, (size_t)(b->total + 1) * sizeof *b->types);
    b->columns = arena_alloc(x->v.arena, (size_t)(b->width + 1) * sizeof *b->columns);
    for (int i = 0; i < b->total; i++)
        b->types[i] = first->outputs[i]->type;
    if (!union_types(x, q, b))
        return false;
    for (int i = 0; i < b->width; i++) {
        struct units name = units_from_utf8(x->v.arena, first->names[i]);
        b->columns[i] = (struct sql_column){name.at, name.count, b->types[i]};
    }
    if ((q->offset && !bind_expr(&y, q->offset)) || (q->fetch && !bind_expr(&y, q->fetch)))
        return false;
    q->bound = b;
    return true;
}

/* ---- run ---- */

struct output {
    struct ectx *x; /* of the caller */
    struct query *query;
    const struct bound_query *bound;
    row_fn fn;
    void *ctx;
    struct val *row;
    int64_t skip, limit, sent; /* limit -1 = none */
    bool sorting, distinct;
    struct keyset seen;
    struct sorter sorter;
    struct buf key;
};

struct select_run {
    struct output *out;
    struct ectx x; /* arena of one row */
    struct arena arena, keep;
    struct scope scope;
    struct select *s;
    const struct bound_select *b;
    int64_t limit, produced;
    struct keyset groups;
    struct group *group;
    size_t group_capacity;
    struct buf key;
};

static enum step
deliver(struct output *o, struct val *row)
{
    if (o->skip > 0) {
        o->skip--;
        return STEP_ON;
    }
    if (o->limit >= 0 && o->sent >= o->limit)
        return STEP_STOP;
    o->sent++;
    enum step step = o->fn(o->ctx, row);
    if (step == STEP_ON && o->limit >= 0 && o->sent >= o->limit)
        return STEP_STOP;
    return step;
}

static bool
is_new_row(struct output *o, const struct val *row)
{
    bool fresh;
    o->key.length = 0;
    for (int i = 0; i < o->bound->width; i++)
        key_encode(&o->key, &row[i], false);
    (void)keyset_add(&o->seen, &o->key, &fresh);
    return fresh;
}

static enum step
emit(struct select_run *r, struct val *row)
{
    struct output *o = r->out;
    for (int i = 0; o->query->first->next && i < o->bound->width; i++) {
        struct val v = row[i];
        if (!convert(&r->x.v, &v, o->bound->types[i], 0, &row[i]))
            return STEP_ERROR;
    }
    if (o->distinct && !is_new_row(o, row))
        return STEP_ON;
    r->produced++;
    if (!o->sorting) {
        enum step step = deliver(o, row);
        if (step == STEP_ON && r->limit >= 0 && r->produced >= r->limit)
            return STEP_STOP;
        return step;
    }
    o->key.length = 0;
    for (int i = 0; i < o->query->order_count; i++)
        key_encode(&o->key, &row[o->query->orders[i].column - 1], o->query->orders[i].descending);
    sorter_add(&o->sorter, &o->key, row, (size_t)o->bound->total);
    return STEP_ON;
}

static enum step
emit_outputs(struct select_run *r)
{
    struct val *row = arena_alloc(&r->arena, (size_t)(r->b->total + 1) * sizeof *row);
    for (int i = 0; i < r->b->total; i++) {
        struct sql_typeinfo t = r->b->outputs[i]->type;
        if (!eval(&r->x, r->b->outputs[i], &row[i]))
            return STEP_ERROR;
        struct val v = row[i];
        if ((v.t.type != t.type || v.t.scale != t.scale) && !convert(&r->x.v, &v, t, 0, &row[i]))
            return STEP_ERROR;
        row[i].t.nullable = true;
    }
    return emit(r, row);
}

static struct group *
find_group(struct select_run *r)
{
    struct val *values = arena_alloc(&r->arena, (size_t)(r->s->group_count + 1) * sizeof *values);
    bool fresh;
    r->key.length = 0;
    for (int i = 0; i < r->s->group_count; i++) {
        if (!eval(&r->x, r->s->groups[i], &values[i]))
            return NULL;
        key_encode(&r->key, &values[i], false);
    }
    size_t at = keyset_add(&r->groups, &r->key, &fresh);
    if (!fresh)
        return &r->group[at];
    if (at >= r->group_capacity) {
        r->group_capacity = r->group_capacity ? r->group_capacity * 2 : 16;
        r->group = xrealloc(r->group, r->group_capacity * sizeof *r->group);
    }
    struct group *g = &r->group[at];
    g->keys = arena_alloc(&r->keep, (size_t)(r->s->group_count + 1) * sizeof *g->keys);
    for (int i = 0; i < r->s->group_count; i++)
        g->keys[i] = val_copy(&r->keep, &values[i]);
    g->states = aggregates_new(&r->keep, r->b);
    return g;
}

static enum step
take_row(void *ctx)
{
    struct select_run *r = ctx;
    bool pass = true;
    arena_reset(&r->arena);
    if (r->s->where && !eval_true(&r->x, r->s->where, &pass))
        return STEP_ERROR;
    if (!pass)
        return STEP_ON;
    if (!r->b->grouped)
        return emit_outputs(r);
    struct group *g = find_group(r);
    return g && aggregates_add(&r->x, r->b, g->states, &r->keep) ? STEP_ON : STEP_ERROR;
}

static enum step
emit_groups(struct select_run *r)
{
    enum step step = STEP_ON;
    if (!r->s->group_count && !r->groups.count) { /* one row even of nothing */
        struct group *g = find_group(r);
        if (!g)
            return STEP_ERROR;
    }
    for (size_t i = 0; i < r->groups.count && step == STEP_ON; i++) {
        bool pass = true;
        arena_reset(&r->arena);
        r->scope.group = &r->group[i];
        if (r->s->having && !eval_true(&r->x, r->s->having, &pass))
            step = STEP_ERROR;
        else if (pass)
            step = emit_outputs(r);
    }
    r->scope.group = NULL;
    return step;
}

static bool
eval_count(struct ectx *x, struct expr *e, int64_t *out)
{
    struct val v = {0}, n = {0};
    if (!eval(x, e, &v) || !convert(&x->v, &v, type_of(SQL_BIGINT), 0, &n))
        return false;
    if (n.v.is_null || n.v.integer < 0)
        return fail(&x->v, 1060,
                    "The number of rows provided for a TOP or FETCH clauses row count "
                    "parameter must be an integer.");
    *out = n.v.integer;
    return true;
}

/* Can the one table be read in the wanted order? Then no sort is needed. */
static int
order_index(const struct query *q, const struct bound_select *b)
{
    if (q->first->next || q->first->distinct || b->grouped || b->source_count != 1 ||
        !b->sources[0]->table)
        return -1;
    const struct table *t = b->sources[0]->table;
    for (int i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        bool fits = x->unique && q->order_count > 0 && q->order_count <= x->count;
        for (int k = 0; k < q->order_count && fits; k++) {
            const struct expr *e = b->outputs[q->orders[k].column - 1];
            fits = e->kind == EX_COLUMN && e->depth == 0 && e->column == x->columns[k] &&
                   q->orders[k].descending == x->descending[k];
        }
        if (fits)
            return i;
    }
    return -1;
}

static void
free_groups(struct select_run *r)
{
    for (size_t i = 0; i < r->groups.count; i++)
        aggregates_free(r->group[i].states, r->b->aggregate_count);
    free(r->group);
    keyset_free(&r->groups);
    buf_free(&r->key);
}

/* TOP, and the order in which rows come: sorted here, or read so. */
static bool
plan_select(struct select_run *r, struct iteration *it)
{
    struct output *o = r->out;
    if (o->query->order_count) {
        it->index = order_index(o->query, r->b);
        o->sorting = it->index < 0;
    }
    if (r->s->top && !eval_count(&r->x, r->s->top, &r->limit))
        return false;
    bool last = o->sorting && r->limit >= 0 && !o->query->first->next;
    if (last && (o->limit < 0 || r->limit < o->limit))
        o->limit = r->limit;
    return true;
}

static enum step
produce_rows(struct select_run *r, struct iteration *it)
{
    enum step step = STEP_ON;
    if (r->limit == 0)
        return step;
    if (r->s->from)
        step = iterate_from(it, r->s->from, (struct continuation){take_row, r});
    else
        step = take_row(r);
    return step == STEP_ON && r->b->grouped ? emit_groups(r) : step;
}

static enum step
run_select(struct output *o, struct select *s)
{
    struct select_run r = {.out = o, .s = s, .b = s->bound, .limit = -1};
    r.x = *o->x;
    r.x.v.arena = &r.arena;
    r.scope =
        (struct scope){.outer = o->x->scope, .sources = r.b->sources, .count = r.b->source_count};
    r.x.scope = &r.scope;
    struct iteration it = {.x = &r.x, .sources = r.b->sources, .index = -1};
    if (s->from && s->from->kind == FROM_TABLE)
        it.where = s->where;
    enum step step = plan_select(&r, &it) ? produce_rows(&r, &it) : STEP_ERROR;
    free_groups(&r);
    arena_free(&r.arena);
    arena_free(&r.keep);
    /* a select that has its TOP rows does not end the others of a UNION */
    bool topped = step == STEP_STOP && r.limit >= 0 && r.produced >= r.limit;
    return topped && s->next ? STEP_ON : step;
}

static enum step
deliver_sorted(struct output *o)
{
    enum step step = STEP_ON;
    struct val *row = xcalloc((size_t)o->bound->total + 1, sizeof *row);
    sorter_sort(&o->sorter);
    for (size_t i = 0; i < o->sorter.count && step == STEP_ON; i++) {
        const struct sort_entry *e = &o->sorter.entries[i];
        row_decode(o->sorter.bytes.data + e->row, e->row_length, o->bound->types,
                   sizeof *o->bound->types, row, (size_t)o->bound->total);
        if (session_interrupted(o->x->s))
            step = STEP_ERROR;
        else
            step = deliver(o, row);
    }
    free(row);
    return step;
}

static bool
output_limits(struct output *o)
{
    int64_t fetch = -1;
    if (o->query->offset && !eval_count(o->x, o->query->offset, &o->skip))
        return false;
    if (o->query->fetch && !eval_count(o->x, o->query->fetch, &fetch))
        return false;
    o->limit = fetch;
    return true;
}

enum step
query_run(struct ectx *x, struct query *q, row_fn fn, void *ctx)
{
    struct output o = {.x = x, .query = q, .bound = q->bound, .fn = fn, .ctx = ctx, .limit = -1};
    enum step step = output_limits(&o) ? STEP_ON : STEP_ERROR;
    o.distinct = q->first->distinct;
    for (struct select *s = q->first->next; s; s = s->next)
        o.distinct = o.distinct || !s->all;
    for (struct select *s = q->first; s && step == STEP_ON; s = s->next)
        step = run_select(&o, s);
    if (step != STEP_ERROR && o.sorting)
        step = deliver_sorted(&o);
    keyset_free(&o.seen);
    sorter_free(&o.sorter);
    buf_free(&o.key);
    return step;
}
