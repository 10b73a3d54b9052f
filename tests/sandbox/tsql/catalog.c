/* The catalog: statements kept as text in the store, built into tables again when they change. */
#include "tsql/catalog.h"

#include "tsql/dialect.h"

void
table_add_index(struct arena *a, struct table *t, const struct index *i)
{
    struct index *bigger = arena_alloc(a, (size_t)(t->index_count + 1) * sizeof *bigger);
    if (t->index_count)
        memcpy(bigger, t->indexes, (size_t)t->index_count * sizeof *bigger);
    bigger[t->index_count++] = *i;
    t->indexes = bigger;
}

int
column_find(const struct table *t, const char *name)
{
    for (int i = 0; i < t->count; i++)
        if (same_name(t->columns[i].name, name))
            return i;
    return -1;
}

bool
table_key_columns(const struct table *t, const struct constraint_def *c, int *columns)
{
    if (c->count > MAX_KEY_COLUMNS)
        return false;
    for (int i = 0; i < c->count; i++) {
        columns[i] = column_find(t, c->columns[i]);
        if (columns[i] < 0)
            return false;
    }
    return true;
}

int
table_next_index(const struct table *t)
{
    int id = 1;
    for (int i = 0; i < t->index_count; i++)
        if (t->indexes[i].id > id)
            id = t->indexes[i].id;
    return id + 1;
}

bool
table_has_clustered(const struct table *t)
{
    for (int i = 0; i < t->index_count; i++)
        if (t->indexes[i].clustered)
            return true;
    return false;
}

/* PRIMARY KEY, UNIQUE, CHECK of a table. `number` makes generated names differ. */
static bool
add_constraint(struct arena *a, struct table *t, const struct constraint_def *c, int number)
{
    if (c->kind == CONSTRAINT_CHECK) {
        struct check *bigger = arena_alloc(a, (size_t)(t->check_count + 1) * sizeof *bigger);
        if (t->check_count)
            memcpy(bigger, t->checks, (size_t)t->check_count * sizeof *bigger);
        bigger[t->check_count++] = (struct check){
            c->name ? c->name
                    : arena_printf(a, "CK__%.20s__%08X", t->name, (unsigned)(t->id + number)),
            c->check};
        t->checks = bigger;
        return true;
    }
    if (c->kind == CONSTRAINT_FOREIGN)
        return true;
    bool primary = c->kind == CONSTRAINT_PRIMARY;
    struct index i = {.unique = true, .primary = primary, .constraint = true};
    i.clustered = primary && !c->nonclustered && !table_has_clustered(t);
    i.id = i.clustered ? 1 : table_next_index(t);
    i.object = t->id + 1 + number;
    i.name = c->name ? c->name
                     : arena_printf(a, "%s__%.20s__%08X", primary ? "PK" : "UQ", t->name,
                                    (unsigned)(t->id + number));
    i.count = c->count;
    if (!table_key_columns(t, c, i.columns))
        return false;
    for (int k = 0; k < c->count; k++) {
        i.descending[k] = c->descending[k];
        if (primary)
            t->columns[i.columns[k]].type.nullable = false;
    }
    table_add_index(a, t, &i);
    return true;
}

static void
add_columns(struct arena *a, struct table *t, const struct table_def *d)
{
    struct column *all = arena_alloc(a, (size_t)(t->count + d->count) * sizeof *all);
    if (t->count)
        memcpy(all, t->columns, (size_t)t->count * sizeof *all);
    for (int i = 0; i < d->count; i++) {
        struct column *c = &all[t->count + i];
        c->name = d->columns[i].name;
        c->type = d->columns[i].type;
        c->def = &d->columns[i];
        if (c->type.identity)
            t->identity = t->count + i + 1;
        if (c->type.type == SQL_ROWVERSION && !c->def->compute)
            t->rowversion = t->count + i + 1;
    }
    t->columns = all;
    t->count += d->count;
}

struct table *
table_build(struct arena *a, const struct stmt *st, int id)
{
    struct table *t = arena_alloc(a, sizeof *t);
    t->id = id;
    t->name = st->target.object;
    t->temp = t->name[0] == '#';
    add_columns(a, t, &st->table);
    for (int i = 0; i < st->table.constraint_count; i++)
        if (!add_constraint(a, t, &st->table.constraints[i], i))
            return NULL;
    return t;
}

/* ---- loading ---- */

static const struct stmt *
parse_stored(struct session *s, const char *sql)
{
    struct arena *a = &s->catalog.arena;
    struct sql_error error = {0};
    struct vctx c = {.arena = a, .error = &error, .options = ~0U, .dateformat = "mdy"};
    struct batch b;
    return parse_batch(&c, units_from_utf8(a, sql), true, &b) ? b.first : NULL;
}

struct table *
catalog_loaded(struct catalog *c, int id)
{
    for (struct table *t = c->tables; t; t = t->next)
        if (t->id == id)
            return t;
    return NULL;
}

static struct table *
loaded_by_name(struct catalog *c, const char *name)
{
    for (struct table *t = c->tables; t; t = t->next)
        if (same_name(t->name, name))
            return t;
    return NULL;
}

#define APPEND(c, array, count, value)                                                             \
    do {                                                                                           \
        void *bigger_ = arena_alloc(&(c)->arena, (size_t)((c)->count + 1) * sizeof *(c)->array);   \
        if ((c)->count)                                                                            \
            memcpy(bigger_, (c)->array, (size_t)(c)->count * sizeof *(c)->array);                  \
        (c)->array = bigger_;                                                                      \
        (c)->array[(c)->count++] = (value);                                                        \
    } while (0)

/* The i-th column that a foreign key points to: named, or of the primary key. */
static int
referenced_column(const struct table *to, const struct constraint_def *d, int i)
{
    if (d->reference_count)
        return i < d->reference_count ? column_find(to, d->reference_columns[i]) : -1;
    for (int x = 0; x < to->index_count; x++)
        if (to->indexes[x].primary && i < to->indexes[x].count)
            return to->indexes[x].columns[i];
    return -1;
}

static void
load_foreign_key(struct catalog *c, struct table *t, const struct constraint_def *d, int object)
{
    struct table *to = loaded_by_name(c, d->references.object);
    struct foreign_key k = {.object = object, .parent = t->id, .count = d->count};
    if (!to || !table_key_columns(t, d, k.columns))
        return;
    k.referenced = to->id;
    k.name =
        d->name ? d->name : arena_printf(&c->arena, "FK__%.20s__%08X", t->name, (unsigned)object);
    for (int i = 0; i < d->count; i++) {
        k.reference_columns[i] = referenced_column(to, d, i);
        if (k.reference_columns[i] < 0)
            return;
    }
    APPEND(c, keys, key_count, k);
}

static void
load_keys(struct catalog *c, struct table *t, const struct table_def *d, int object)
{
    for (int i = 0; i < d->constraint_count; i++)
        if (d->constraints[i].kind == CONSTRAINT_FOREIGN)
            load_foreign_key(c, t, &d->constraints[i], object + i + 1);
}

static void
load_table(struct catalog *c, const struct stmt *st, const struct object_row *r)
{
    struct table *t = table_build(&c->arena, st, r->id);
    if (!t)
        return;
    t->created = r->created;
    t->tracked = r->flag != 0;
    t->next = c->tables;
    c->tables = t;
    load_keys(c, t, &st->table, r->id);
}

static void
load_index(struct catalog *c, const struct stmt *st, const struct object_row *r)
{
    struct table *t = catalog_loaded(c, r->parent);
    struct index i = {.unique = st->unique && !st->filtered,
                      .filtered = st->filtered,
                      .clustered = st->on,
                      .id = r->flag,
                      .name = st->word};
    if (!t || !table_key_columns(t, st->constraint, i.columns))
        return;
    i.count = st->constraint->count;
    memcpy(i.descending, st->constraint->descending, (size_t)i.count * sizeof i.descending[0]);
    table_add_index(&c->arena, t, &i);
}

static void
load_alter(struct catalog *c, const struct stmt *st, const struct object_row *r)
{
    struct table *t = catalog_loaded(c, r->parent);
    if (!t)
        return;
    add_columns(&c->arena, t, &st->table);
    for (int i = 0; i < st->table.constraint_count; i++)
        (void)add_constraint(&c->arena, t, &st->table.constraints[i], r->id - t->id + i);
    load_keys(c, t, &st->table, r->id);
}

static void
load_policy(struct catalog *c, const struct stmt *st, const struct object_row *r)
{
    struct policy p = {r->name, r->id, st->on};
    APPEND(c, policies, policy_count, p);
    for (int i = 0; i < st->predicate_count; i++) {
        struct table *t = loaded_by_name(c, st->predicates[i].table.object);
        struct predicate d = {.policy = r->id, .table = t ? t->id : 0, .def = &st->predicates[i]};
        for (int f = 0; f < c->function_count; f++)
            if (same_name(c->functions[f].statement->target.object, d.def->function.object))
                d.function = c->functions[f].statement;
        if (t && d.function)
            APPEND(c, predicates, predicate_count, d);
    }
}

static void
load_object(struct session *s, const struct object_row *r)
{
    struct catalog *c = &s->catalog;
    const struct stmt *st = parse_stored(s, r->sql);
    if (!st)
        return;
    if (strcmp(r->type, "U") == 0) {
        load_table(c, st, r);
    } else if (strcmp(r->type, "IX") == 0) {
        load_index(c, st, r);
    } else if (strcmp(r->type, "AT") == 0) {
        load_alter(c, st, r);
    } else if (strcmp(r->type, "TR") == 0) {
        struct trigger t = {r->name, r->id, r->parent, r->flag != 0, st->on};
        APPEND(c, triggers, trigger_count, t);
    } else if (strcmp(r->type, "IF") == 0) {
        struct function_object f = {st, r->id};
        APPEND(c, functions, function_count, f);
    } else if (strcmp(r->type, "SP") == 0) {
        load_policy(c, st, r);
    }
}

static int64_t
stored_version(struct session *s)
{
    sqlite3_stmt *st = store_prepare(&s->main, "SELECT v FROM meta WHERE k = 'version'");
    int64_t v = -1;
    if (st && sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int64(st, 0);
    store_finish(&s->main, st);
    return v;
}

static const char *
column_text(struct arena *a, sqlite3_stmt *st, int i)
{
    const unsigned char *t = sqlite3_column_text(st, i);
    return arena_strdup(a, t ? (const char *)t : "");
}

static bool
load_all(struct session *s)
{
    struct catalog *c = &s->catalog;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(s->main.handle,
                           "SELECT id, type, name, parent, sql, created, flag FROM objects "
                           "ORDER BY id",
                           -1, &st, NULL) != SQLITE_OK)
        return session_fail(s, 9002, "The catalog cannot be read.");
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct object_row r = {.id = sqlite3_column_int(st, 0),
                               .type = column_text(&c->arena, st, 1),
                               .name = column_text(&c->arena, st, 2),
                               .parent = sqlite3_column_int(st, 3),
                               .sql = column_text(&c->arena, st, 4),
                               .created = sqlite3_column_int64(st, 5),
                               .flag = sqlite3_column_int(st, 6)};
        load_object(s, &r);
    }
    (void)sqlite3_finalize(st);
    return true;
}

/* The type of a computed column is that of its expression. */
bool
table_resolve_computed(struct session *s, struct arena *a, struct table *t)
{
    struct source source = {.name = t->name, .columns = t->columns, .count = t->count, .table = t};
    struct source *list = &source;
    struct scope scope = {.sources = &list, .count = 1};
    struct ectx x = {.v = session_vctx(s, a), .s = s, .scope = &scope};
    for (int i = 0; i < t->count; i++) {
        const struct column_def *d = t->columns[i].def;
        if (!d->compute)
            continue;
        if (!bind_expr(&x, d->compute))
            return false;
        t->columns[i].type = d->compute->type;
        t->columns[i].type.computed = true;
        t->columns[i].type.identity = false;
    }
    return true;
}

bool
catalog_refresh(struct session *s)
{
    int64_t version = stored_version(s);
    if (version == s->catalog.version)
        return true;
    catalog_free(s);
    s->catalog.version = version;
    bool ok = load_all(s);
    for (struct table *t = s->catalog.tables; t && ok; t = t->next)
        ok = table_resolve_computed(s, &s->catalog.arena, t);
    return ok;
}

void
catalog_free(struct session *s)
{
    arena_free(&s->catalog.arena);
    s->catalog = (struct catalog){.version = -1};
}

/* ---- looking up ---- */

struct table *
catalog_by_id(struct session *s, int id)
{
    for (struct table *t = s->temps; t; t = t->next)
        if (t->id == id && !t->dropped)
            return t;
    return catalog_loaded(&s->catalog, id);
}

static struct table *
temp_by_name(struct session *s, const char *name)
{
    for (struct table *t = s->temps; t; t = t->next)
        if (!t->dropped && same_name(t->name, name))
            return t;
    return NULL;
}

/* Kept beside the database's own tables. */
static struct table *
find_in_msdb(struct session *s, const char *object)
{
    char name[160];
    text_format(name, sizeof name, "msdb.dbo.%s", object);
    return dialect_utf8(s) ? NULL : loaded_by_name(&s->catalog, name);
}

struct table *
catalog_find(struct session *s, const struct name *n)
{
    if (!n->object || n->server)
        return NULL;
    if (n->object[0] == '#')
        return temp_by_name(s, n->object);
    if (n->schema && !same_name(n->schema, "dbo"))
        return NULL;
    if (n->database && same_name(n->database, "msdb"))
        return find_in_msdb(s, n->object);
    if (n->database && !same_name(n->database, s->engine->database))
        return NULL;
    return loaded_by_name(&s->catalog, n->object);
}

const struct stmt *
catalog_function(const struct session *s, const char *name)
{
    for (int i = 0; i < s->catalog.function_count; i++)
        if (same_name(s->catalog.functions[i].statement->target.object, name))
            return s->catalog.functions[i].statement;
    return NULL;
}

/* ---- temporary tables and rollback ---- */

static bool
temp_exists(struct session *s, const struct table *t)
{
    sqlite3_stmt *st = NULL;
    char *sql = sqlite3_mprintf("SELECT 1 FROM sqlite_master WHERE name = 't_%d'", t->id);
    bool found = sql && sqlite3_prepare_v2(s->temp.handle, sql, -1, &st, NULL) == SQLITE_OK &&
                 sqlite3_step(st) == SQLITE_ROW;
    (void)sqlite3_finalize(st);
    sqlite3_free(sql);
    return found;
}

void
temps_reconcile(struct session *s)
{
    for (struct table *t = s->temps; t; t = t->next)
        t->dropped = !temp_exists(s, t);
}
