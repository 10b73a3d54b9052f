/* Building a row that may be stored: defaults, identity, computed columns, constraints. */
#include "tsql/session.h"

static bool
bind_table_expressions(struct row_writer *w)
{
    struct table *t = w->table;
    for (int i = 0; i < t->count; i++) {
        const struct column_def *d = t->columns[i].def;
        if ((d->default_value && !bind_expr(&w->x, d->default_value)) ||
            (d->compute && !bind_expr(&w->x, d->compute)))
            return false;
    }
    for (int i = 0; i < t->check_count; i++)
        if (!bind_expr(&w->x, t->checks[i].condition))
            return false;
    return true;
}

bool
row_writer_open(struct row_writer *w, struct session *s, struct table *t)
{
    *w = (struct row_writer){.s = s, .table = t};
    w->row = xcalloc((size_t)t->count, sizeof *w->row);
    w->given = xcalloc((size_t)t->count, sizeof *w->given);
    w->source = (struct source){
        .name = t->name, .columns = t->columns, .count = t->count, .table = t, .row = w->row};
    w->source_list = &w->source;
    w->scope = (struct scope){.sources = &w->source_list, .count = 1};
    w->x = (struct ectx){.v = session_vctx(s, &w->arena), .s = s, .scope = &w->scope};
    w->identity_insert = t->identity && s->settings.identity_insert == t->id;
    return bind_table_expressions(w);
}

void
row_writer_close(struct row_writer *w)
{
    arena_free(&w->arena);
    free(w->row);
    free(w->given);
}

bool
row_writer_begin(struct row_writer *w)
{
    arena_reset(&w->arena);
    for (int i = 0; i < w->table->count; i++) {
        w->row[i] = val_null(w->table->columns[i].type);
        w->given[i] = false;
    }
    return true;
}

bool
row_writer_set(struct row_writer *w, int column, const struct val *v)
{
    const struct column *c = &w->table->columns[column];
    struct val stored = {0};
    if (!convert_store(&w->x.v, v, c->type, c->name, &stored))
        return false;
    stored.t = c->type;
    w->row[column] = stored;
    w->given[column] = true;
    return true;
}

bool
row_writer_default(struct row_writer *w, int column)
{
    struct expr *e = w->table->columns[column].def->default_value;
    struct val v = {0};
    if (!e)
        return true; /* NULL */
    return eval(&w->x, e, &v) && row_writer_set(w, column, &v);
}

static bool
fill_identity(struct row_writer *w)
{
    int i = w->table->identity - 1;
    if (w->given[i] && (w->identity_insert || w->keep_identity)) {
        identity_saw(w->s, w->table, w->row[i].v.integer);
        w->last_identity = w->row[i].v.integer;
        return true;
    }
    struct val v = val_bigint(identity_next(w->s, w->table));
    w->last_identity = v.v.integer;
    return row_writer_set(w, i, &v);
}

static void
fill_rowversion(struct row_writer *w)
{
    long long n = atomic_fetch_add(&w->s->engine->next_rowversion, 1) + 1;
    unsigned char *bytes = arena_alloc(&w->arena, 8);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((unsigned long long)n >> (8 * (7 - i)));
    w->row[w->table->rowversion - 1].v = (struct sql_value){.bytes = bytes, .length = 8};
}

static bool
fill_computed_columns(struct row_writer *w)
{
    for (int i = 0; i < w->table->count; i++) {
        struct expr *e = w->table->columns[i].def->compute;
        struct val v = {0};
        if (e && (!eval(&w->x, e, &v) ||
                  !convert(&w->x.v, &v, w->table->columns[i].type, 0, &w->row[i])))
            return false;
    }
    return true;
}

static bool
check_nulls(struct row_writer *w, bool update)
{
    for (int i = 0; i < w->table->count; i++) {
        const struct column *c = &w->table->columns[i];
        if (!w->row[i].v.is_null || c->type.nullable || c->def->compute)
            continue;
        (void)fail(&w->x.v, 515,
                   "Cannot insert the value NULL into column '%s', table '%s.dbo.%s'; column does "
                   "not allow nulls. %s fails.",
                   c->name, w->s->engine->database, w->table->name, update ? "UPDATE" : "INSERT");
        w->x.v.error->state = 2;
        return false;
    }
    return true;
}

static bool
check_constraints(struct row_writer *w, bool update)
{
    for (int i = 0; i < w->table->check_count; i++) {
        struct val v = {0};
        if (!eval(&w->x, w->table->checks[i].condition, &v))
            return false;
        if (v.v.is_null || v.v.integer)
            continue;
        return fail(&w->x.v, 547,
                    "The %s statement conflicted with the CHECK constraint \"%s\". The conflict "
                    "occurred in database \"%s\", table \"dbo.%s\".",
                    update ? "UPDATE" : "INSERT", w->table->checks[i].name, w->s->engine->database,
                    w->table->name);
    }
    return true;
}

bool
row_writer_complete(struct row_writer *w, bool update)
{
    struct table *t = w->table;
    w->source.row = w->row;
    if (!update) {
        for (int i = 0; i < t->count; i++)
            if (!w->given[i] && i != t->identity - 1 && !row_writer_default(w, i))
                return false;
        if (t->identity && !fill_identity(w))
            return false;
    }
    if (t->rowversion)
        fill_rowversion(w);
    return fill_computed_columns(w) && check_nulls(w, update) && check_constraints(w, update) &&
           foreign_keys_of_insert(w->s, t, w->row);
}

bool
row_writer_insert(struct row_writer *w)
{
    if (!row_writer_complete(w, false) || !store_insert(w->s, w->table, w->row))
        return false;
    if (w->table->identity) {
        w->s->identity_scope = w->last_identity;
        w->s->identity_set = true;
    }
    return true;
}

/* ---- foreign keys ---- */

static bool
same_keys(const struct val *a, const int *ca, const struct val *b, const int *cb, int count)
{
    bool same = true;
    for (int i = 0; i < count && same; i++) {
        struct buf x = {0}, y = {0};
        key_encode(&x, &a[ca[i]], false);
        key_encode(&y, &b[cb[i]], false);
        same = x.length == y.length && memcmp(x.data, y.data, x.length) == 0;
        buf_free(&x);
        buf_free(&y);
    }
    return same;
}

/* 1 there is such a row, 0 none, -1 an error. */
static int
find_row(struct session *s, const struct table *in, const int *in_columns, const struct val *row,
         const int *columns, int count)
{
    struct val *other = xcalloc((size_t)in->count, sizeof *other);
    struct scan *scan = scan_open(s, in, -1, NULL);
    int64_t rid;
    int rc = scan ? 0 : -1, found = 0;
    while (scan && !found && (rc = scan_next(scan, other, &rid)) == 1)
        found = same_keys(other, in_columns, row, columns, count);
    scan_close(scan);
    free(other);
    return rc < 0 ? -1 : found;
}

static bool
has_null(const struct val *row, const int *columns, int count)
{
    for (int i = 0; i < count; i++)
        if (row[columns[i]].v.is_null)
            return true;
    return false;
}

bool
foreign_keys_of_insert(struct session *s, struct table *t, const struct val *row)
{
    for (int i = 0; i < s->catalog.key_count; i++) {
        const struct foreign_key *k = &s->catalog.keys[i];
        if (k->parent != t->id || has_null(row, k->columns, k->count))
            continue;
        const struct table *to = catalog_by_id(s, k->referenced);
        int found = to ? find_row(s, to, k->reference_columns, row, k->columns, k->count) : 1;
        if (found < 0)
            return false;
        if (!found && !(to == t && same_keys(row, k->reference_columns, row, k->columns, k->count)))
            return session_fail(
                s, 547,
                "The INSERT statement conflicted with the FOREIGN KEY constraint "
                "\"%s\". The conflict occurred in database \"%s\", table \"dbo.%s\".",
                k->name, s->engine->database, to->name);
    }
    return true;
}

bool
foreign_keys_of_delete(struct session *s, struct table *t, const struct val *row)
{
    for (int i = 0; i < s->catalog.key_count; i++) {
        const struct foreign_key *k = &s->catalog.keys[i];
        if (k->referenced != t->id)
            continue;
        const struct table *child = catalog_by_id(s, k->parent);
        int found = child ? find_row(s, child, k->columns, row, k->reference_columns, k->count) : 0;
        if (found < 0)
            return false;
        if (found)
            return session_fail(
                s, 547,
                "The DELETE statement conflicted with the REFERENCE constraint "
                "\"%s\". The conflict occurred in database \"%s\", table \"dbo.%s\".",
                k->name, s->engine->database, child->name);
    }
    return true;
}
