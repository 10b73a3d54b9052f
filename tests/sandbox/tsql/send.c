/* What goes to the client. */
#include "tsql/session.h"

void
sink_done(struct session *s, unsigned flags, uint16_t command, uint64_t rows)
{
    if (!atomic_load(&s->dead))
        s->sink->done(s->sink->ctx, s->done_kind, flags, command, rows);
}

void
sink_error(struct session *s, const struct sql_error *e)
{
    if (!atomic_load(&s->dead))
        s->sink->message(s->sink->ctx, e->number, e->severity, e->state, e->text, e->procedure,
                         e->line);
}

void
session_info(struct session *s, int number, int state, const char *text)
{
    if (!atomic_load(&s->dead))
        s->sink->message(s->sink->ctx, number, 0, state, text, "", s->line);
}

bool
sink_columns(struct session *s, const struct sql_column *columns, size_t count)
{
    if (!atomic_load(&s->dead) && s->sink->columns(s->sink->ctx, columns, count))
        return true;
    atomic_store(&s->dead, true);
    return session_fail(s, 596, "The connection is gone.");
}

/* TEXTSIZE cuts the long types, whole characters only. */
static void
cut_long(const struct session *s, struct val *row, size_t count)
{
    size_t limit = (size_t)s->settings.textsize;
    for (size_t i = 0; i < count; i++) {
        struct val *v = &row[i];
        bool lengthy = type_is_char(v->t.type) || type_is_binary(v->t.type);
        if (v->v.is_null || !lengthy || !type_is_max(&v->t) || v->v.length <= limit)
            continue;
        v->v.length = type_is_nchar(v->t.type) ? limit & ~(size_t)1 : limit;
    }
}

bool
sink_row(struct session *s, struct val *row, size_t count)
{
    struct sql_value small[64];
    struct sql_value *values = count <= 64 ? small : xcalloc(count, sizeof *values);
    cut_long(s, row, count);
    for (size_t i = 0; i < count; i++)
        values[i] = row[i].v;
    bool ok = !atomic_load(&s->dead) && s->sink->row(s->sink->ctx, values, count);
    if (values != small)
        free(values);
    if (ok)
        return true;
    atomic_store(&s->dead, true);
    return session_fail(s, 596, "The connection is gone.");
}

struct sending {
    struct session *s;
    const struct bound_query *b;
    const char *subject;
    struct arena arena;
    uint64_t rows;
    int64_t limit;
};

static const char *
subject_of(const struct query *q)
{
    const struct from *f = q->first->from;
    while (f && f->kind == FROM_JOIN)
        f = f->left;
    return f && f->kind == FROM_TABLE ? f->name.object : "";
}

/* Values must have the lengths that the columns promised. */
static bool
fit_row(struct sending *d, struct val *row)
{
    struct vctx c = session_vctx(d->s, &d->arena);
    arena_reset(&d->arena);
    for (int i = 0; i < d->b->width; i++) {
        struct sql_typeinfo t = d->b->types[i];
        struct val v = row[i];
        bool sized = type_is_char(t.type) || type_is_binary(t.type);
        bool translated = v.t.codepage != CODEPAGE_DATABASE;
        t.codepage = CODEPAGE_DATABASE; /* as the collation says that the client is told */
        if (v.v.is_null) {
            row[i].t = t;
            continue;
        }
        if (!translated && v.t.type == t.type && (!sized || v.t.max_bytes == t.max_bytes) &&
            v.t.scale == t.scale && !(sized && !type_is_max(&t) && v.v.length > t.max_bytes))
            continue;
        if (!convert(&c, &v, t, 0, &row[i]))
            return false;
    }
    return true;
}

static enum step
send_row(void *ctx, struct val *row)
{
    struct sending *d = ctx;
    if (d->limit && d->rows >= (uint64_t)d->limit)
        return STEP_STOP;
    if (!fault_point(d->s, "tsql.row", d->subject) || !fit_row(d, row) ||
        !sink_row(d->s, row, (size_t)d->b->width))
        return STEP_ERROR;
    d->rows++;
    return STEP_ON;
}

bool
send_query(struct session *s, struct ectx *x, struct query *q, uint64_t *rows)
{
    struct sending d = {
        .s = s, .b = q->bound, .subject = subject_of(q), .limit = s->settings.rowcount};
    if (!sink_columns(s, d.b->columns, (size_t)d.b->width))
        return false;
    enum step step = s->settings.fmtonly ? STEP_ON : query_run(x, q, send_row, &d);
    arena_free(&d.arena);
    *rows = d.rows;
    return step != STEP_ERROR;
}

/* ---- SELECT as a statement ---- */

struct assigning {
    struct ectx *x;
    const struct select *s;
    struct variable **variables;
    int64_t rows;
};

static enum step
assign_row(void *ctx, struct val *row)
{
    struct assigning *a = ctx;
    for (int i = 0; i < a->s->count; i++)
        if (!variable_set(a->x, a->variables[i], &row[i]))
            return STEP_ERROR;
    a->rows++;
    return STEP_ON;
}

static bool
select_assign(struct session *s, struct ectx *x, struct query *q)
{
    const struct select *first = q->first;
    struct assigning a = {.x = x, .s = first};
    a.variables = arena_alloc(s->statement_arena, (size_t)(first->count + 1) * sizeof(void *));
    for (int i = 0; i < first->count; i++) {
        if (!first->items[i].variable)
            return session_fail(s, 141,
                                "A SELECT statement that assigns a value to a variable must not "
                                "be combined with data-retrieval operations.");
        a.variables[i] = variable_find(x, first->items[i].variable);
        if (!a.variables[i]) {
            (void)session_fail(s, 137, "Must declare the scalar variable \"%s\".",
                               first->items[i].variable);
            s->error.compile = true;
            return false;
        }
    }
    if (s->settings.fmtonly)
        return true;
    if (query_run(x, q, assign_row, &a) == STEP_ERROR)
        return false;
    s->rowcount = a.rows;
    sink_done(s, s->settings.options & OPT_NOCOUNT ? 0 : SQL_DONE_HAS_COUNT, 0xC1,
              (uint64_t)a.rows);
    return true;
}

/* ---- SELECT INTO: a CREATE TABLE made of the result's columns, then its rows ---- */

static const char *
type_text(struct arena *a, const struct sql_typeinfo *t)
{
    const char *name = t->type == SQL_ROWVERSION ? "binary" : type_name(t->type);
    bool sized = (type_is_char(t->type) || type_is_binary(t->type)) && t->type != SQL_TEXT &&
                 t->type != SQL_NTEXT && t->type != SQL_IMAGE && t->type != SQL_XML;
    if (sized && type_is_max(t))
        return arena_printf(a, "%s(max)", name);
    if (sized)
        return arena_printf(a, "%s(%u)", name,
                            type_is_nchar(t->type) ? t->max_bytes / 2 : t->max_bytes);
    if (t->type == SQL_DECIMAL)
        return arena_printf(a, "%s(%d,%d)", name, t->precision, t->scale);
    if (t->type == SQL_TIME || t->type == SQL_DATETIME2 || t->type == SQL_DATETIMEOFFSET)
        return arena_printf(a, "%s(%d)", name, t->scale);
    return name;
}

static const char *
into_definition(struct session *s, const struct name *n, const struct bound_query *b)
{
    struct arena *a = s->statement_arena;
    const char *sql =
        arena_printf(a, "CREATE TABLE %s[%s] (", n->object[0] == '#' ? "" : "dbo.", n->object);
    for (int i = 0; i < b->width; i++)
        sql = arena_printf(a, "%s%s[%s] %s %s", sql, i ? ", " : "",
                           utf8_from_units(a, b->columns[i].name, b->columns[i].name_units),
                           type_text(a, &b->types[i]), b->types[i].nullable ? "NULL" : "NOT NULL");
    return arena_printf(a, "%s)", sql);
}

struct storing {
    struct row_writer w;
};

static enum step
store_row(void *ctx, struct val *row)
{
    struct storing *st = ctx;
    (void)row_writer_begin(&st->w);
    for (int i = 0; i < st->w.table->count; i++)
        if (!row_writer_set(&st->w, i, &row[i]))
            return STEP_ERROR;
    st->w.s->rowcount++;
    return row_writer_insert(&st->w) ? STEP_ON : STEP_ERROR;
}

static bool
select_into(struct session *s, struct ectx *x, struct query *q)
{
    const struct name *n = q->first->into;
    struct vctx c = session_vctx(s, s->statement_arena);
    struct frame f = {0};
    struct storing st;
    frame_push(s, &f);
    f.variables = f.outer ? f.outer->variables : NULL;
    const char *sql = into_definition(s, n, q->bound);
    bool ok = parse_batch(&c, units_from_utf8(s->statement_arena, sql), true, &f.batch) &&
              catalog_create_table(s, f.batch.first);
    f.variables = NULL;
    frame_pop(s, &f);
    if (!ok)
        return false;
    struct table *t = catalog_find(s, n);
    ok = t && bind_query(x, q, NULL) && /* the catalog has changed */
         row_writer_open(&st.w, s, t);
    if (!ok)
        return false;
    s->rowcount = 0;
    ok = query_run(x, q, store_row, &st) != STEP_ERROR;
    row_writer_close(&st.w);
    if (ok)
        sink_done(s, s->settings.options & OPT_NOCOUNT ? 0 : SQL_DONE_HAS_COUNT, 0xC1,
                  (uint64_t)s->rowcount);
    return ok;
}

bool
exec_select(struct session *s, const struct stmt *st)
{
    struct ectx x = {.v = session_vctx(s, s->statement_arena), .s = s};
    if (!bind_query(&x, st->query, NULL))
        return false;
    const struct bound_select *b = st->query->first->bound;
    if (b->assigns)
        return select_assign(s, &x, st->query);
    if (st->query->first->into)
        return s->settings.fmtonly || select_into(s, &x, st->query);
    uint64_t rows = 0;
    if (!send_query(s, &x, st->query, &rows))
        return false;
    s->rowcount = (int64_t)rows;
    sink_done(s, SQL_DONE_HAS_COUNT, 0xC1, rows);
    return true;
}
