/* INSERT, UPDATE, DELETE, TRUNCATE. */
#include "tsql/session.h"

static bool
no_such_object(struct session *s, const struct name *n)
{
    (void)session_fail(s, 208, "Invalid object name '%s%s%s'.", n->schema ? n->schema : "",
                       n->schema ? "." : "", n->object);
    s->error.compile = true;
    return false;
}

bool
target_open(struct session *s, const struct name *n, const char *right, struct table **out)
{
    struct table *t = catalog_find(s, n);
    *out = t;
    if (!t) {
        if (sysview_find(s, n))
            return session_fail(s, 259, "Ad hoc updates to system catalogs are not allowed.");
        return no_such_object(s, n);
    }
    if (s->doomed)
        return session_fail(s, 3930,
                            "The current transaction cannot be committed and cannot support "
                            "operations that write to the log file. Roll back the transaction.");
    struct ectx x = {.v = session_vctx(s, s->statement_arena), .s = s};
    struct source probe = {0};
    struct name named = {.object = t->name};
    (void)named;
    if (!source_open_table(&x, &probe, t, right))
        return false;
    return lock_table(s, t, LOCK_X, OWNER_TRANSACTION) && store_write(s, t);
}

/* ---- OUTPUT ---- */

struct output_clause {
    struct ectx x;
    struct scope scope;
    struct source inserted, deleted, *list[2];
    struct bound_select bound;
    bool used;
};

static bool
triggers_on(const struct session *s, const struct table *t)
{
    for (int i = 0; i < s->catalog.trigger_count; i++)
        if (s->catalog.triggers[i].parent == t->id && !s->catalog.triggers[i].disabled)
            return true;
    return false;
}

static bool
output_open(struct output_clause *o, struct session *s, struct table *t, const struct stmt *st)
{
    *o = (struct output_clause){.used = st->output_count > 0};
    if (!o->used)
        return true;
    if (triggers_on(s, t))
        return session_fail(s, 334,
                            "The target table '%s' of the DML statement cannot have any "
                            "enabled triggers if the statement contains an OUTPUT clause "
                            "without INTO clause.",
                            t->name);
    int count = 0;
    o->inserted = (struct source){.alias = "inserted", .columns = t->columns, .count = t->count};
    o->deleted = (struct source){.alias = "deleted", .columns = t->columns, .count = t->count};
    if (st->kind != ST_DELETE)
        o->list[count++] = &o->inserted;
    if (st->kind != ST_INSERT)
        o->list[count++] = &o->deleted;
    o->scope = (struct scope){.sources = o->list, .count = count};
    o->x = (struct ectx){.v = session_vctx(s, s->statement_arena), .s = s, .scope = &o->scope};
    o->bound.sources = o->list;
    o->bound.source_count = count;
    if (!bind_item_list(&o->x, st->output, st->output_count, &o->bound))
        return false;
    struct sql_column *columns =
        arena_alloc(s->statement_arena, (size_t)o->bound.total * sizeof *columns);
    for (int i = 0; i < o->bound.total; i++) {
        struct units name = units_from_utf8(s->statement_arena, o->bound.names[i]);
        columns[i] = (struct sql_column){name.at, name.count, o->bound.outputs[i]->type};
    }
    return sink_columns(s, columns, (size_t)o->bound.total);
}

static bool
output_row(struct output_clause *o, struct val *inserted, struct val *deleted)
{
    struct val row[1024];
    if (!o->used)
        return true;
    o->inserted.row = inserted;
    o->deleted.row = deleted;
    for (int i = 0; i < o->bound.total && i < 1024; i++)
        if (!eval(&o->x, o->bound.outputs[i], &row[i]))
            return false;
    return sink_row(o->x.s, row, (size_t)o->bound.total);
}

/* ---- INSERT ---- */

struct insert {
    struct session *s;
    const struct stmt *st;
    struct row_writer w;
    struct output_clause out;
    int *columns, count;
    uint64_t rows;
};

static bool
insertable(const struct insert *in, int i)
{
    const struct table *t = in->w.table;
    if (i == t->identity - 1)
        return in->w.identity_insert;
    return i != t->rowversion - 1 && !t->columns[i].def->compute;
}

static bool
may_name(struct insert *in, int i)
{
    const struct table *t = in->w.table;
    struct session *s = in->s;
    if (i == t->identity - 1 && !in->w.identity_insert)
        return session_fail(s, 544,
                            "Cannot insert explicit value for identity column in table '%s' "
                            "when IDENTITY_INSERT is set to OFF.",
                            t->name);
    if (i == t->rowversion - 1)
        return session_fail(s, 273,
                            "Cannot insert an explicit value into a timestamp column. Use "
                            "INSERT with a column list to exclude the timestamp column, or "
                            "insert a DEFAULT into the timestamp column.");
    if (t->columns[i].def->compute)
        return session_fail(s, 271,
                            "The column \"%s\" cannot be modified because it is either a "
                            "computed column or is the result of a UNION operator.",
                            t->columns[i].name);
    return true;
}

static bool
map_column(struct insert *in, const char *name)
{
    int c = column_find(in->w.table, name);
    if (c < 0) {
        (void)session_fail(in->s, 207, "Invalid column name '%s'.", name);
        in->s->error.compile = true;
        return false;
    }
    for (int k = 0; k < in->count; k++)
        if (in->columns[k] == c)
            return session_fail(in->s, 264,
                                "The column name '%s' is specified more than once in the SET "
                                "clause or column list of an INSERT.",
                                name);
    in->columns[in->count] = c;
    in->count++;
    return may_name(in, c);
}

/* IDENTITY_INSERT ON wants the identity column named. */
static bool
identity_named(struct insert *in)
{
    const struct table *t = in->w.table;
    if (!in->w.identity_insert)
        return true;
    for (int k = 0; k < in->count; k++)
        if (in->columns[k] == t->identity - 1)
            return true;
    return session_fail(in->s, 545,
                        "Explicit value must be specified for identity column in table '%s' "
                        "when IDENTITY_INSERT is set to ON.",
                        t->name);
}

static bool
map_columns(struct insert *in)
{
    const struct table *t = in->w.table;
    const struct stmt *st = in->st;
    size_t room = (size_t)(t->count > st->column_count ? t->count : st->column_count) + 1;
    in->columns = arena_alloc(in->s->statement_arena, room * sizeof(int));
    for (int i = 0; i < t->count && !st->column_count; i++)
        if (insertable(in, i))
            in->columns[in->count++] = i;
    for (int i = 0; i < st->column_count; i++)
        if (!map_column(in, st->columns[i]))
            return false;
    return !st->column_count || identity_named(in);
}

static bool
count_fits(struct insert *in, int given)
{
    if (given == in->count)
        return true;
    if (!in->st->column_count)
        return session_fail(in->s, 213,
                            "Column name or number of supplied values does not match "
                            "table definition.");
    return session_fail(in->s, given < in->count ? 109 : 110,
                        "There are %s columns in the INSERT statement than values specified in the "
                        "VALUES clause. The number of values in the VALUES clause must match the "
                        "number of columns specified in the INSERT statement.",
                        given < in->count ? "more" : "fewer");
}

static bool
finish_row(struct insert *in)
{
    if (session_interrupted(in->s) || !row_writer_insert(&in->w))
        return false;
    in->rows++;
    return output_row(&in->out, in->w.row, NULL);
}

static bool
insert_one(struct insert *in, struct ectx *x, struct expr **row)
{
    (void)row_writer_begin(&in->w);
    for (int i = 0; i < in->count; i++) {
        struct val v = {0};
        if (row[i]->kind != EX_DEFAULT &&
            (!eval(x, row[i], &v) || !row_writer_set(&in->w, in->columns[i], &v)))
            return false;
    }
    return finish_row(in);
}

static bool
insert_values(struct insert *in)
{
    const struct stmt *st = in->st;
    struct ectx x = {.v = session_vctx(in->s, in->s->statement_arena), .s = in->s};
    if (!count_fits(in, st->row_width))
        return false;
    for (int i = 0; i < st->row_count * st->row_width; i++)
        if (st->rows[i]->kind != EX_DEFAULT && !bind_expr(&x, st->rows[i]))
            return false;
    x.v.arena = &in->w.arena;
    for (int r = 0; r < st->row_count; r++)
        if (!insert_one(in, &x, st->rows + (size_t)r * (size_t)st->row_width))
            return false;
    return true;
}

static enum step
insert_row(void *ctx, struct val *row)
{
    struct insert *in = ctx;
    (void)row_writer_begin(&in->w);
    for (int i = 0; i < in->count; i++)
        if (!row_writer_set(&in->w, in->columns[i], &row[i]))
            return STEP_ERROR;
    return finish_row(in) ? STEP_ON : STEP_ERROR;
}

static bool
insert_query(struct insert *in)
{
    struct ectx x = {.v = session_vctx(in->s, in->s->statement_arena), .s = in->s};
    if (!bind_query(&x, in->st->query, NULL))
        return false;
    const struct bound_query *b = in->st->query->bound;
    if (b->width != in->count)
        return in->st->column_count
                   ? session_fail(
                         in->s, b->width < in->count ? 120 : 121,
                         "The select list for the INSERT statement contains %s items than "
                         "the insert list. The number of SELECT values must match the number "
                         "of INSERT columns.",
                         b->width < in->count ? "fewer" : "more")
                   : count_fits(in, b->width);
    return query_run(&x, in->st->query, insert_row, in) != STEP_ERROR;
}

bool
exec_insert(struct session *s, const struct stmt *st)
{
    struct insert in = {.s = s, .st = st};
    struct table *t;
    if (!target_open(s, &st->target, "insert", &t))
        return false;
    bool ok = row_writer_open(&in.w, s, t) && map_columns(&in) && output_open(&in.out, s, t, st);
    if (ok && st->default_values) {
        (void)row_writer_begin(&in.w);
        ok = finish_row(&in);
    } else if (ok) {
        ok = st->query ? insert_query(&in) : insert_values(&in);
    }
    row_writer_close(&in.w);
    s->rowcount = (int64_t)in.rows;
    return ok;
}

/* ---- rows that a WHERE chooses ---- */

struct chosen {
    struct session *s;
    struct table *t;
    struct ectx x;
    struct arena arena;
    struct scope scope;
    struct source source, *list;
    struct expr *where;
    struct iteration it;
    int64_t limit, count; /* limit -1 = none */
    struct buf rids, rows;
    size_t *starts, capacity;
};

static bool
chosen_open(struct chosen *c, struct session *s, struct table *t, const struct stmt *st)
{
    *c = (struct chosen){.s = s, .t = t, .limit = -1, .where = st->where};
    c->list = &c->source;
    c->source.alias = NULL;
    c->scope = (struct scope){.sources = &c->list, .count = 1};
    c->x = (struct ectx){.v = session_vctx(s, s->statement_arena), .s = s};
    if (!source_open_table(&c->x, &c->source, t, st->kind == ST_UPDATE ? "update" : "delete"))
        return false;
    if (st->where && !t->temp && !session_allowed(s, "select", t->name))
        return session_fail(s, 229,
                            "The SELECT permission was denied on the object '%s', database "
                            "'%s', schema 'dbo'.",
                            t->name, s->engine->database);
    struct val top = {0}, n = {0};
    if (st->top) {
        if (!bind_expr(&c->x, st->top) || !eval(&c->x, st->top, &top) ||
            !convert(&c->x.v, &top, type_of(SQL_BIGINT), 0, &n))
            return false;
        c->limit = n.v.is_null || n.v.integer < 0 ? 0 : n.v.integer;
    }
    if (s->settings.rowcount && (c->limit < 0 || s->settings.rowcount < c->limit))
        c->limit = s->settings.rowcount;
    c->x.scope = &c->scope;
    return !st->where || bind_expr(&c->x, st->where);
}

static enum step
choose_row(void *ctx)
{
    struct chosen *c = ctx;
    bool pass = true;
    arena_reset(&c->arena);
    if (c->where && !eval_true(&c->x, c->where, &pass))
        return STEP_ERROR;
    if (!pass)
        return STEP_ON;
    if (c->limit >= 0 && c->count >= c->limit)
        return STEP_STOP;
    if ((size_t)c->count >= c->capacity) {
        c->capacity = c->capacity ? c->capacity * 2 : 64;
        c->starts = xrealloc(c->starts, c->capacity * sizeof *c->starts);
    }
    c->starts[c->count++] = c->rows.length;
    buf_put(&c->rids, &c->it.rid, sizeof c->it.rid);
    row_encode(&c->rows, c->source.row, (size_t)c->t->count);
    return STEP_ON;
}

static bool
choose(struct chosen *c)
{
    c->x.v.arena = &c->arena;
    c->it = (struct iteration){.x = &c->x, .sources = &c->list, .where = c->where, .index = -1};
    return iterate_source(&c->it, &c->source, (struct continuation){choose_row, c}) != STEP_ERROR;
}

static int64_t
chosen_row(const struct chosen *c, int64_t i, struct val *row)
{
    int64_t rid;
    size_t start = c->starts[i], end = i + 1 < c->count ? c->starts[i + 1] : c->rows.length;
    memcpy(&rid, c->rids.data + (size_t)i * sizeof rid, sizeof rid);
    row_decode(c->rows.data + start, end - start, &c->t->columns[0].type, sizeof c->t->columns[0],
               row, (size_t)c->t->count);
    return rid;
}

static void
chosen_close(struct chosen *c)
{
    buf_free(&c->rids);
    buf_free(&c->rows);
    free(c->starts);
    arena_free(&c->arena);
}

/* ---- DELETE ---- */

static bool
is_referenced(const struct session *s, const struct table *t)
{
    for (int i = 0; i < s->catalog.key_count; i++)
        if (s->catalog.keys[i].referenced == t->id)
            return true;
    return false;
}

static bool
delete_chosen(struct chosen *c, struct output_clause *out)
{
    struct val *row = xcalloc((size_t)c->t->count, sizeof *row);
    bool ok = true;
    for (int64_t i = 0; i < c->count && ok; i++) {
        int64_t rid = chosen_row(c, i, row);
        ok = !session_interrupted(c->s) && store_delete(c->s, c->t, rid, row) &&
             foreign_keys_of_delete(c->s, c->t, row) && output_row(out, NULL, row);
    }
    free(row);
    return ok;
}

bool
exec_delete(struct session *s, const struct stmt *st)
{
    struct table *t;
    struct chosen c;
    struct output_clause out;
    if (!target_open(s, &st->target, "delete", &t))
        return false;
    if (!output_open(&out, s, t, st))
        return false;
    bool ok = chosen_open(&c, s, t, st);
    bool whole = ok && !st->where && c.limit < 0 && !out.used && !c.source.filter_count &&
                 !is_referenced(s, t);
    if (whole) {
        c.count = store_count(s, t);
        ok = c.count >= 0 && store_clear(s, t);
    } else {
        ok = ok && choose(&c) && delete_chosen(&c, &out);
    }
    s->rowcount = c.count;
    chosen_close(&c);
    return ok;
}

bool
exec_truncate(struct session *s, const struct stmt *st)
{
    struct table *t;
    if (!target_open(s, &st->target, "alter", &t))
        return false;
    if (is_referenced(s, t))
        return session_fail(s, 4712,
                            "Cannot truncate table '%s' because it is being referenced by a "
                            "FOREIGN KEY constraint.",
                            t->name);
    s->rowcount = 0;
    return store_clear(s, t);
}

/* ---- UPDATE ---- */

struct update {
    struct chosen c;
    struct row_writer w;
    struct output_clause out;
    const struct stmt *st;
    struct buf rows; /* the new ones */
    size_t *starts;
};

static bool
bind_assignments(struct update *u)
{
    struct session *s = u->c.s;
    const struct table *t = u->c.t;
    for (int i = 0; i < u->st->assignment_count; i++) {
        const struct assignment *a = &u->st->assignments[i];
        if (a->value->kind != EX_DEFAULT && !bind_expr(&u->c.x, a->value))
            return false;
        if (!a->column)
            continue;
        int column = column_find(t, a->column);
        if (column < 0) {
            (void)session_fail(s, 207, "Invalid column name '%s'.", a->column);
            s->error.compile = true;
            return false;
        }
        if (column == t->identity - 1)
            return session_fail(s, 8102, "Cannot update identity column '%s'.", a->column);
        if (column == t->rowversion - 1)
            return session_fail(s, 272, "Cannot update a timestamp column.");
        if (t->columns[column].def->compute)
            return session_fail(s, 271,
                                "The column \"%s\" cannot be modified because it is either a "
                                "computed column or is the result of a UNION operator.",
                                a->column);
    }
    return true;
}

static bool
assign_one(struct update *u, struct ectx *x, const struct assignment *a)
{
    struct val v = {0};
    int column = a->column ? column_find(u->c.t, a->column) : -1;
    if (a->value->kind == EX_DEFAULT && column >= 0) {
        u->w.row[column] = val_null(u->c.t->columns[column].type);
        return row_writer_default(&u->w, column);
    }
    if (!eval(x, a->value, &v))
        return false;
    if (!a->variable)
        return row_writer_set(&u->w, column, &v);
    struct variable *variable = variable_find(x, a->variable);
    return variable
               ? variable_set(x, variable, &v)
               : session_fail(u->c.s, 137, "Must declare the scalar variable \"%s\".", a->variable);
}

static bool
assign(struct update *u, struct val *old)
{
    struct ectx x = u->c.x;
    x.v.arena = &u->w.arena;
    u->c.source.row = old;
    for (int i = 0; i < u->st->assignment_count; i++)
        if (!assign_one(u, &x, &u->st->assignments[i]))
            return false;
    return true;
}

static bool
compute_rows(struct update *u)
{
    struct table *t = u->c.t;
    struct val *old = xcalloc((size_t)t->count, sizeof *old);
    bool ok = true;
    u->starts = xcalloc((size_t)u->c.count + 1, sizeof *u->starts);
    for (int64_t i = 0; i < u->c.count && ok; i++) {
        (void)chosen_row(&u->c, i, old);
        (void)row_writer_begin(&u->w);
        memcpy(u->w.row, old, (size_t)t->count * sizeof *old);
        ok = !session_interrupted(u->c.s) && assign(u, old) && row_writer_complete(&u->w, true) &&
             output_row(&u->out, u->w.row, old);
        u->starts[i] = u->rows.length;
        row_encode(&u->rows, u->w.row, (size_t)t->count);
        u->starts[i + 1] = u->rows.length;
    }
    u->c.source.row = NULL;
    free(old);
    return ok;
}

/* Old keys go first, so that rows may swap theirs. */
static bool
store_rows(struct update *u)
{
    struct table *t = u->c.t;
    struct val *row = xcalloc((size_t)t->count, sizeof *row);
    bool ok = true;
    for (int64_t i = 0; i < u->c.count && ok; i++) {
        int64_t rid = chosen_row(&u->c, i, row);
        ok = store_unindex(u->c.s, t, rid, row);
    }
    for (int64_t i = 0; i < u->c.count && ok; i++) {
        int64_t rid = chosen_row(&u->c, i, row);
        row_decode(u->rows.data + u->starts[i], u->starts[i + 1] - u->starts[i],
                   &t->columns[0].type, sizeof t->columns[0], row, (size_t)t->count);
        ok = store_update(u->c.s, t, rid, row);
    }
    free(row);
    return ok;
}

bool
exec_update(struct session *s, const struct stmt *st)
{
    struct table *t;
    if (!target_open(s, &st->target, "update", &t))
        return false;
    struct update u = {.st = st};
    bool ok = chosen_open(&u.c, s, t, st) && bind_assignments(&u);
    if (ok) {
        ok = row_writer_open(&u.w, s, t) && output_open(&u.out, s, t, st) && choose(&u.c) &&
             compute_rows(&u) && store_rows(&u);
        row_writer_close(&u.w);
    }
    s->rowcount = u.c.count;
    free(u.starts);
    buf_free(&u.rows);
    chosen_close(&u.c);
    return ok;
}
