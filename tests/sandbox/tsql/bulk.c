/* Bulk load: `insert bulk`, then rows as the client describes them. */
#include "tsql/session.h"

struct bulk {
    struct name target;
    char *table;
    char **columns; /* as the statement named them; none = the table's own */
    int column_count;
    bool open;
    struct row_writer w;
    struct arena arena;
    int *map;
    struct sql_typeinfo *types;
    size_t width;
    uint64_t rows;
    bool failed;
};

void
bulk_free(struct session *s)
{
    struct bulk *b = s->bulk;
    if (!b)
        return;
    if (b->open)
        row_writer_close(&b->w);
    for (int i = 0; i < b->column_count; i++)
        free(b->columns[i]);
    free(b->columns);
    free(b->table);
    arena_free(&b->arena);
    free(b);
    s->bulk = NULL;
}

bool
exec_bulk(struct session *s, const struct stmt *st)
{
    struct table *t = catalog_find(s, &st->target);
    if (!t) {
        (void)session_fail(s, 208, "Invalid object name '%s'.", st->target.object);
        s->error.compile = true;
        return false;
    }
    for (int i = 0; i < st->column_count; i++)
        if (column_find(t, st->columns[i]) < 0)
            return session_fail(s, 207, "Invalid column name '%s'.", st->columns[i]);
    bulk_free(s);
    struct bulk *b = xcalloc(1, sizeof *b);
    b->table = xstrdup(t->name);
    b->target = (struct name){.object = b->table};
    b->columns = xcalloc((size_t)st->column_count + 1, sizeof *b->columns);
    for (int i = 0; i < st->column_count; i++)
        b->columns[b->column_count++] = xstrdup(st->columns[i]);
    s->bulk = b;
    return true;
}

bool
session_bulk_expected(const struct session *s)
{
    return s->bulk != NULL;
}

static int
bulk_column(struct session *s, const struct bulk *b, const struct table *t,
            const struct sql_column *column, size_t i)
{
    if ((int)i < b->column_count)
        return column_find(t, b->columns[i]);
    if (!column->name_units)
        return i < (size_t)t->count ? (int)i : -1;
    struct arena a = {0};
    int found = column_find(t, utf8_from_units(&a, column->name, column->name_units));
    arena_free(&a);
    (void)s;
    return found;
}

static bool
bulk_map(struct session *s, struct bulk *b, struct table *t, const struct sql_column *columns,
         size_t count)
{
    b->map = arena_alloc(&b->arena, (count + 1) * sizeof *b->map);
    b->types = arena_alloc(&b->arena, (count + 1) * sizeof *b->types);
    b->width = count;
    for (size_t i = 0; i < count; i++) {
        b->map[i] = bulk_column(s, b, t, &columns[i], i);
        b->types[i] = columns[i].type;
        if (b->map[i] < 0)
            return session_fail(s, 4816, "Invalid column type from bcp client for colid %zu.",
                                i + 1);
        if (!convertible(columns[i].type.type, t->columns[b->map[i]].type.type))
            return session_fail(s, 206, "Operand type clash: %s is incompatible with %s",
                                type_name(columns[i].type.type),
                                type_name(t->columns[b->map[i]].type.type));
    }
    return true;
}

static bool
bulk_report(struct session *s)
{
    s->last_error = s->error.number;
    sink_error(s, &s->error);
    return false;
}

/* The rows of one load are one statement: it stays open between the calls. */
bool
session_bulk_begin(struct session *s, const struct sql_column *columns, size_t count,
                   const struct sql_sink *sink)
{
    struct bulk *b = s->bulk;
    struct table *t = NULL;
    if (!b)
        return false;
    (void)pthread_mutex_lock(&s->run);
    s->bulk_open = true;
    s->sink = sink;
    s->statement_arena = &b->arena;
    s->error = (struct sql_error){0};
    atomic_store(&s->running, true);
    bool ok = catalog_refresh(s) && target_open(s, &b->target, "insert", &t) &&
              bulk_map(s, b, t, columns, count);
    if (ok) {
        b->open = true;
        ok = row_writer_open(&b->w, s, t);
        b->w.keep_identity = false;
    }
    b->failed = !ok;
    return ok || bulk_report(s);
}

bool
session_bulk_row(struct session *s, const struct sql_value *values, size_t count,
                 const struct sql_sink *sink)
{
    struct bulk *b = s->bulk;
    if (!b || b->failed || !b->open)
        return false;
    s->sink = sink;
    (void)row_writer_begin(&b->w);
    bool ok = !session_interrupted(s);
    for (size_t i = 0; i < count && i < b->width && ok; i++) {
        int column = b->map[i];
        struct val v = {b->types[i], values[i]};
        bool own = column == b->w.table->rowversion - 1 || b->w.table->columns[column].def->compute;
        if (column == b->w.table->identity - 1 && !b->w.identity_insert)
            own = true;
        if (!own && !(v.v.is_null && b->w.table->columns[column].def->default_value))
            ok = row_writer_set(&b->w, column, &v);
    }
    ok = ok && row_writer_insert(&b->w);
    b->rows += ok;
    b->failed = !ok;
    return ok || bulk_report(s);
}

void
session_bulk_end(struct session *s, bool keep, const struct sql_sink *sink)
{
    struct bulk *b = s->bulk;
    if (!b)
        return;
    s->sink = sink;
    keep = keep && !b->failed;
    uint64_t rows = keep ? b->rows : 0;
    bool locked = s->bulk_open;
    s->bulk_open = false;
    if (!store_statement_end(s, keep)) {
        keep = false;
        (void)bulk_report(s);
    }
    if (!keep && s->trancount && (s->settings.options & OPT_XACT_ABORT))
        tran_rollback(s);
    s->rowcount = (int64_t)rows;
    s->statement_arena = NULL;
    bulk_free(s);
    sink_done(s, keep ? SQL_DONE_HAS_COUNT : SQL_DONE_ERROR, 0xC3, rows);
    s->sink = NULL;
    atomic_store(&s->running, false);
    atomic_store(&s->cancel, false);
    if (locked)
        (void)pthread_mutex_unlock(&s->run);
}
