/* FROM: opening its sources, and walking through their rows. */
#include "tsql/dialect.h"
#include "tsql/session.h"

/* ---- opening ---- */

static bool
denied(struct ectx *x, const char *right, const char *object)
{
    char upper[32];
    size_t n = 0;
    for (; right[n] && n + 1 < sizeof upper; n++)
        upper[n] = (char)(right[n] - 32);
    upper[n] = 0;
    (void)fail(&x->v, 229,
               "The %s permission was denied on the object '%s', database '%s', schema "
               "'dbo'.",
               upper, object, x->s->engine->database);
    x->v.error->state = 5;
    return false;
}

static bool
policy_enabled(const struct session *s, int policy)
{
    for (int i = 0; i < s->catalog.policy_count; i++)
        if (s->catalog.policies[i].object == policy)
            return s->catalog.policies[i].enabled;
    return false;
}

/* The filter predicates of a table: their arguments see the table, their queries see the
 * parameters. */
static bool
open_filters(struct ectx *x, struct source *src)
{
    const struct catalog *c = &x->s->catalog;
    struct source *list = src;
    struct scope scope = {.sources = &list, .count = 1};
    for (int i = 0; i < c->predicate_count; i++) {
        const struct predicate *p = &c->predicates[i];
        if (p->table != src->table->id || p->def->block || !policy_enabled(x->s, p->policy))
            continue;
        struct ectx y = *x;
        y.scope = &scope;
        for (int k = 0; k < p->def->count; k++)
            if (!bind_expr(&y, p->def->args[k]))
                return false;
        struct scope parameters = {0};
        for (int k = 0; k < p->function->declaration_count; k++) {
            struct variable *v = arena_alloc(x->v.arena, sizeof *v);
            v->name = p->function->declarations[k].name;
            v->value = val_null(p->function->declarations[k].type);
            v->next = parameters.parameters;
            parameters.parameters = v;
        }
        y.scope = &parameters;
        if (!bind_query(&y, p->function->query, &parameters))
            return false;
        const struct predicate **all =
            arena_alloc(x->v.arena, (size_t)(src->filter_count + 1) * sizeof(void *));
        for (int k = 0; k < src->filter_count; k++)
            all[k] = src->filters[k];
        all[src->filter_count++] = p;
        src->filters = all;
    }
    return true;
}

/* The lock that a read takes, by its hints, the isolation level and the database's setting. */
static bool
lock_for_read(struct ectx *x, const struct table *t, unsigned hints)
{
    struct session *s = x->s;
    enum isolation level = s->settings.isolation;
    bool hold = (hints & HINT_HOLDLOCK) || level >= ISO_REPEATABLE;
    bool ok = true;
    if (dialect_utf8(s)) /* accepted, and nothing comes of them */
        return true;
    s->lock_wait_override = (hints & HINT_NOWAIT) != 0;
    if (hints & (HINT_TABLOCKX | HINT_XLOCK))
        ok = lock_table(s, t, LOCK_X, OWNER_TRANSACTION);
    else if (hints & HINT_UPDLOCK)
        ok = lock_table(s, t, LOCK_U, OWNER_TRANSACTION);
    else if (hold && !(hints & HINT_NOLOCK))
        ok = lock_table(s, t, LOCK_S, OWNER_TRANSACTION);
    else if ((hints & (HINT_TABLOCK | HINT_READCOMMITTEDLOCK)) ||
             (!(hints & HINT_NOLOCK) && level == ISO_READ_COMMITTED &&
              !atomic_load(&s->engine->snapshot)))
        ok = lock_table(s, t, LOCK_S, OWNER_STATEMENT);
    s->lock_wait_override = 0;
    return ok;
}

bool
source_open_table(struct ectx *x, struct source *src, struct table *t, const char *right)
{
    if (!t->temp && !session_allowed(x->s, right, t->name))
        return denied(x, right, t->name);
    src->table = t;
    src->name = t->name;
    src->columns = t->columns;
    src->count = t->count;
    return open_filters(x, src);
}

void
source_use(struct source *src, int column)
{
    if (src->wanted)
        src->wanted[column] = true;
    if (src->used <= column)
        src->used = column + 1;
}

static bool
open_object(struct ectx *x, struct source *src, struct from *f)
{
    struct table *t = catalog_find(x->s, &f->name);
    if (t)
        src->wanted = arena_alloc(x->v.arena, (size_t)t->count * sizeof *src->wanted);
    if (t)
        return source_open_table(x, src, t, "select") && lock_for_read(x, t, f->hints);
    src->view = sysview_find(x->s, &f->name);
    if (!src->view) {
        const char *schema = f->name.schema ? f->name.schema : "";
        (void)fail(&x->v, 208, "Invalid object name '%s%s%s'.", schema, *schema ? "." : "",
                   f->name.object);
        x->v.error->compile = true;
        return false;
    }
    src->name = f->name.object;
    src->columns = sysview_columns(src->view, &src->count);
    return true;
}

static bool
open_derived(struct ectx *x, struct source *src, struct from *f, struct scope *outer)
{
    if (!bind_query(x, f->query, outer))
        return false;
    const struct bound_query *b = f->query->bound;
    struct column *columns = arena_alloc(x->v.arena, (size_t)b->width * sizeof *columns);
    if (f->column_count && f->column_count != b->width)
        return fail(&x->v, 8158, "'%s' has %s columns than were specified in the column list.",
                    f->alias, f->column_count < b->width ? "more" : "fewer");
    for (int i = 0; i < b->width; i++) {
        columns[i].type = b->types[i];
        columns[i].name = f->column_count ? f->columns[i]
                                          : utf8_from_units(x->v.arena, b->columns[i].name,
                                                            b->columns[i].name_units);
        if (!columns[i].name[0])
            return fail(&x->v, 8155, "No column name was specified for column %d of '%s'.", i + 1,
                        f->alias);
    }
    src->query = f->query;
    src->columns = columns;
    src->count = b->width;
    return true;
}

bool
sources_open(struct ectx *x, struct from *f, struct bound_select *b, struct scope *outer)
{
    if (f->kind == FROM_JOIN)
        return sources_open(x, f->left, b, outer) && sources_open(x, f->right, b, outer);
    struct source *src = arena_alloc(x->v.arena, sizeof *src);
    struct source **all = arena_alloc(x->v.arena, (size_t)(b->source_count + 1) * sizeof(void *));
    src->alias = f->alias;
    src->from = f;
    bool ok = f->kind == FROM_TABLE ? open_object(x, src, f) : open_derived(x, src, f, outer);
    for (int i = 0; i < b->source_count; i++)
        all[i] = b->sources[i];
    f->source = b->source_count;
    all[b->source_count++] = src;
    b->sources = all;
    return ok;
}

/* ---- an index that finds the row ---- */

/* Does the expression stand still while the table's rows pass? */
static bool
is_constant(const struct expr *e)
{
    if (e->kind == EX_LITERAL || e->kind == EX_VARIABLE)
        return true;
    if (e->kind == EX_CAST || e->kind == EX_NEGATE)
        return !e->style_arg && is_constant(e->args[0]);
    return false;
}

static struct expr *
equal_to(struct expr *where, int column)
{
    if (!where)
        return NULL;
    if (where->kind == EX_AND) {
        struct expr *e = equal_to(where->args[0], column);
        return e ? e : equal_to(where->args[1], column);
    }
    if (where->kind != EX_COMPARE || where->op != '=')
        return NULL;
    for (int i = 0; i < 2; i++) {
        const struct expr *c = where->args[i];
        if (c->kind == EX_COLUMN && c->depth == 0 && c->column == column &&
            is_constant(where->args[1 - i]))
            return where->args[1 - i];
    }
    return NULL;
}

/* Only when the constant fits the column's type exactly is the key the row's key. */
static bool
key_part(struct ectx *x, struct expr *e, struct sql_typeinfo t, struct val *out)
{
    struct val v = {0};
    struct sql_error before = *x->v.error;
    if (!eval(x, e, &v) || v.v.is_null) {
        *x->v.error = before;
        return false;
    }
    bool whole = type_is_int(v.t.type) || (v.t.type == SQL_DECIMAL && v.t.scale == 0);
    bool same = type_is_int(t.type) ? whole : type_is_char(t.type) && type_is_char(v.t.type);
    if (type_is_char(t.type) && v.v.length > (type_is_max(&t) ? 0 : t.max_bytes))
        same = false;
    if (same && convert(&x->v, &v, t, 0, out))
        return true;
    *x->v.error = before;
    return false;
}

static bool
index_lookup(struct iteration *it, const struct table *t, int i, struct buf *key)
{
    const struct index *x = &t->indexes[i];
    struct val row[MAX_KEY_COLUMNS];
    for (int k = 0; k < x->count; k++) {
        struct expr *e = equal_to(it->where, x->columns[k]);
        if (!e || !key_part(it->x, e, t->columns[x->columns[k]].type, &row[k]))
            return false;
    }
    for (int k = 0; k < x->count; k++)
        key_encode(key, &row[k], x->descending[k]);
    return true;
}

static struct scan *
open_scan(struct iteration *it, const struct table *t)
{
    struct scan *scan = NULL;
    struct buf key = {0};
    for (int i = 0; i < t->index_count && it->where && !scan; i++) {
        if (!t->indexes[i].unique || !index_lookup(it, t, i, &key))
            continue;
        scan = scan_open(it->x->s, t, i, &key);
        buf_free(&key);
        return scan;
    }
    buf_free(&key);
    return scan_open(it->x->s, t, it->index, NULL);
}

/* ---- walking ---- */

static bool
filter_passes(struct ectx *x, struct source *src, const struct predicate *p, bool *ret_pass)
{
    struct scope row = {.sources = &src, .count = 1}, parameters = {0};
    struct ectx y = *x;
    y.scope = &row;
    for (int k = 0; k < p->def->count && k < p->function->declaration_count; k++) {
        struct variable *v = arena_alloc(y.v.arena, sizeof *v);
        struct val value = {0};
        v->name = p->function->declarations[k].name;
        if (!eval(&y, p->def->args[k], &value) ||
            !convert(&y.v, &value, p->function->declarations[k].type, 0, &v->value))
            return false;
        v->next = parameters.parameters;
        parameters.parameters = v;
    }
    struct expr probe = {.kind = EX_EXISTS, .query = p->function->query};
    y.scope = &parameters;
    return eval_true(&y, &probe, ret_pass);
}

static bool
visible(struct ectx *x, struct source *src, bool *ret_visible)
{
    *ret_visible = true;
    for (int i = 0; i < src->filter_count && *ret_visible; i++)
        if (!filter_passes(x, src, src->filters[i], ret_visible))
            return false;
    return true;
}

enum { SPOOL_ROWS = 256, SPOOL_BYTES = 256 * 1024 };

/* A subquery may be run for every row outside: from the second time on, the rows of a small table
 * lie in memory. */
struct spool {
    int reads;
    bool whole;
    struct val *rows[SPOOL_ROWS];
    size_t count;
};

static bool
fill_spool(struct iteration *it, struct source *src)
{
    struct arena *a = it->x->s->statement_arena;
    struct spool *p = src->spool;
    size_t width = (size_t)src->used, bytes = 0;
    struct val *row = xcalloc((size_t)src->count, sizeof *row);
    struct scan *scan = scan_open(it->x->s, src->table, -1, NULL);
    int rc = scan ? 1 : -1;
    if (scan)
        scan_part(scan, src->wanted, src->used);
    while (rc == 1 && (rc = scan_next(scan, row, &it->rid)) == 1) {
        if (p->count == SPOOL_ROWS || bytes > SPOOL_BYTES)
            break;
        struct val *copy = arena_alloc(a, (width + 1) * sizeof *copy);
        for (size_t i = 0; i < width; i++) {
            if (!src->wanted[i])
                continue;
            copy[i] = val_copy(a, &row[i]);
            bytes += row[i].v.length;
        }
        p->rows[p->count++] = copy;
    }
    p->whole = rc == 0;
    scan_close(scan);
    free(row);
    return rc >= 0;
}

/* Does an index find the rows? */
static bool
has_lookup(struct iteration *it, const struct table *t)
{
    struct buf key = {0};
    bool found = false;
    for (int i = 0; i < t->index_count && it->where && !found; i++)
        found = t->indexes[i].unique && index_lookup(it, t, i, &key);
    buf_free(&key);
    return found;
}

/* Only where nothing is being written: what a statement writes, it may read. */
static bool
use_spool(struct iteration *it, struct source *src, bool *ret_use)
{
    bool may = it->x->scope && it->x->scope->outer && src->wanted && it->index < 0 &&
               !table_db(it->x->s, src->table)->writing && !has_lookup(it, src->table);
    *ret_use = false;
    if (!may)
        return true;
    if (!src->spool)
        src->spool = arena_alloc(it->x->s->statement_arena, sizeof *src->spool);
    if (++src->spool->reads == 2 && !fill_spool(it, src))
        return false;
    *ret_use = src->spool->whole;
    return true;
}

static enum step
walk_spool(struct iteration *it, struct source *src, struct continuation next)
{
    enum step step = STEP_ON;
    for (size_t i = 0; i < src->spool->count && step == STEP_ON; i++) {
        bool pass = true;
        src->row = src->spool->rows[i];
        if (session_interrupted(it->x->s) || (src->filter_count && !visible(it->x, src, &pass)) ||
            (pass && !early_passes(it->x, src, &pass)))
            step = STEP_ERROR;
        else if (pass)
            step = next.row(next.ctx);
    }
    src->row = NULL;
    return step;
}

static enum step
walk_table(struct iteration *it, struct source *src, struct continuation next)
{
    bool spooled = false;
    if (!use_spool(it, src, &spooled))
        return STEP_ERROR;
    if (spooled)
        return walk_spool(it, src, next);
    struct scan *scan = open_scan(it, src->table);
    if (!scan)
        return STEP_ERROR;
    struct val *row = xcalloc((size_t)src->count, sizeof *row);
    enum step step = STEP_ON;
    int rc = 0;
    src->row = row;
    if (src->wanted)
        scan_part(scan, src->wanted, src->used);
    while (step == STEP_ON && (rc = scan_next(scan, row, &it->rid)) == 1) {
        bool pass = true;
        if ((src->filter_count && !visible(it->x, src, &pass)) ||
            (pass && !early_passes(it->x, src, &pass))) {
            step = STEP_ERROR;
            break;
        }
        src->row = row;
        if (pass)
            step = next.row(next.ctx);
    }
    src->row = NULL;
    free(row);
    scan_close(scan);
    return rc < 0 ? STEP_ERROR : step;
}

static enum step
walk_view(struct iteration *it, struct source *src, struct continuation next)
{
    if (!src->rows_read && !sysview_fill(it->x, src))
        return STEP_ERROR;
    enum step step = STEP_ON;
    for (size_t i = 0; i < src->row_count && step == STEP_ON; i++) {
        bool pass = true;
        if (!early_probe(it->sources, src, src->rows[i]))
            continue;
        src->row = src->rows[i];
        if (session_interrupted(it->x->s) || !early_passes(it->x, src, &pass))
            step = STEP_ERROR;
        else if (pass)
            step = next.row(next.ctx);
    }
    src->row = NULL;
    return step;
}

struct derived_walk {
    struct source *src;
    struct continuation next;
};

static enum step
derived_row(void *ctx, struct val *row)
{
    struct derived_walk *d = ctx;
    d->src->row = row;
    return d->next.row(d->next.ctx);
}

static enum step
walk_derived(struct iteration *it, struct source *src, struct continuation next)
{
    struct derived_walk d = {src, next};
    struct ectx y = *it->x;
    y.scope = it->x->scope ? it->x->scope->outer : NULL;
    enum step step = query_run(&y, src->query, derived_row, &d);
    src->row = NULL;
    return step;
}

enum step
iterate_source(struct iteration *it, struct source *src, struct continuation next)
{
    if (src->table)
        return walk_table(it, src, next);
    return src->view ? walk_view(it, src, next) : walk_derived(it, src, next);
}

struct join_walk {
    struct iteration *it;
    const struct from *from;
    struct continuation next;
    bool matched;
};

static enum step
join_right(void *ctx)
{
    struct join_walk *j = ctx;
    bool on = true;
    if (j->from->on && !eval_true(j->it->x, j->from->on, &on))
        return STEP_ERROR;
    if (!on)
        return STEP_ON;
    j->matched = true;
    return j->next.row(j->next.ctx);
}

static enum step
join_left(void *ctx)
{
    struct join_walk *j = ctx;
    j->matched = false;
    enum step step = iterate_from(j->it, j->from->right, (struct continuation){join_right, j});
    if (step == STEP_ON && j->from->join == JOIN_LEFT && !j->matched)
        step = j->next.row(j->next.ctx); /* the right side's rows are NULL now */
    return step;
}

enum step
iterate_from(struct iteration *it, const struct from *f, struct continuation next)
{
    if (f->kind != FROM_JOIN)
        return iterate_source(it, it->sources[f->source], next);
    struct join_walk j = {it, f, next, false};
    return iterate_from(it, f->left, (struct continuation){join_left, &j});
}
