/* The catalog: statements kept as text in the store, built into tables again when they change. */
#include "tsql/session.h"

static void
add_index(struct arena *a, struct table *t, const struct index *i)
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

static bool
key_columns(const struct table *t, const struct constraint_def *c, int *columns)
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

static int
next_index_id(const struct table *t)
{
    int id = 1;
    for (int i = 0; i < t->index_count; i++)
        if (t->indexes[i].id > id)
            id = t->indexes[i].id;
    return id + 1;
}

static bool
has_clustered(const struct table *t)
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
            c->name ? c->name : arena_printf(a, "CK__%.20s__%08X", t->name, (unsigned)(t->id + number)),
            c->check
        };
        t->checks = bigger;
        return true;
    }
    if (c->kind == CONSTRAINT_FOREIGN)
        return true;
    bool primary = c->kind == CONSTRAINT_PRIMARY;
    struct index i = { .unique = true, .primary = primary, .constraint = true };
    i.clustered = primary && !c->nonclustered && !has_clustered(t);
    i.id = i.clustered ? 1 : next_index_id(t);
    i.object = t->id + 1 + number;
    i.name = c->name ? c->name
                     : arena_printf(a, "%s__%.20s__%08X", primary ? "PK" : "UQ", t->name,
                                    (unsigned)(t->id + number));
    i.count = c->count;
    if (!key_columns(t, c, i.columns))
        return false;
    for (int k = 0; k < c->count; k++) {
        i.descending[k] = c->descending[k];
        if (primary)
            t->columns[i.columns[k]].type.nullable = false;
    }
    add_index(a, t, &i);
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

struct object_row {
    int id, parent, flag;
    const char *type, *name, *sql;
    int64_t created;
};

static const struct stmt *
parse_stored(struct session *s, const char *sql)
{
    struct arena *a = &s->catalog.arena;
    struct sql_error error = { 0 };
    struct vctx c = { .arena = a, .error = &error, .options = ~0U, .dateformat = "mdy" };
    struct batch b;
    return parse_batch(&c, units_from_utf8(a, sql), true, &b) ? b.first : NULL;
}

static struct table *
loaded_table(struct catalog *c, int id)
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

#define APPEND(c, array, count, value)                                                     \
    do {                                                                                   \
        void *bigger_ = arena_alloc(&(c)->arena, (size_t)((c)->count + 1) * sizeof *(c)->array); \
        if ((c)->count)                                                                    \
            memcpy(bigger_, (c)->array, (size_t)(c)->count * sizeof *(c)->array);          \
        (c)->array = bigger_;                                                              \
        (c)->array[(c)->count++] = (value);                                                \
    } while (0)

static void
load_foreign_key(struct catalog *c, struct table *t, const struct constraint_def *d, int object)
{
    struct table *to = loaded_by_name(c, d->references.object);
    struct foreign_key k = { .object = object, .parent = t->id, .count = d->count };
    if (!to || !key_columns(t, d, k.columns))
        return;
    k.referenced = to->id;
    k.name = d->name ? d->name : arena_printf(&c->arena, "FK__%.20s__%08X", t->name, (unsigned)object);
    for (int i = 0; i < d->count; i++) {
        int column = -1;
        if (d->reference_count)
            column = i < d->reference_count ? column_find(to, d->reference_columns[i]) : -1;
        else
            for (int x = 0; x < to->index_count; x++)
                if (to->indexes[x].primary && i < to->indexes[x].count)
                    column = to->indexes[x].columns[i];
        if (column < 0)
            return;
        k.reference_columns[i] = column;
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
    struct table *t = loaded_table(c, r->parent);
    struct index i = { .unique = st->unique && !st->filtered, .filtered = st->filtered,
                       .clustered = st->on, .id = r->flag, .name = st->word };
    if (!t || !key_columns(t, st->constraint, i.columns))
        return;
    i.count = st->constraint->count;
    memcpy(i.descending, st->constraint->descending, (size_t)i.count * sizeof i.descending[0]);
    add_index(&c->arena, t, &i);
}

static void
load_alter(struct catalog *c, const struct stmt *st, const struct object_row *r)
{
    struct table *t = loaded_table(c, r->parent);
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
    struct policy p = { r->name, r->id, st->on };
    APPEND(c, policies, policy_count, p);
    for (int i = 0; i < st->predicate_count; i++) {
        struct table *t = loaded_by_name(c, st->predicates[i].table.object);
        struct predicate d = { .policy = r->id, .table = t ? t->id : 0, .def = &st->predicates[i] };
        for (int f = 0; f < c->function_count; f++)
            if (same_name(c->functions[f]->target.object, d.def->function.object))
                d.function = c->functions[f];
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
        struct trigger t = { r->name, r->id, r->parent, r->flag != 0, st->on };
        APPEND(c, triggers, trigger_count, t);
    } else if (strcmp(r->type, "IF") == 0) {
        int count = c->function_count;
        APPEND(c, functions, function_count, (struct stmt *)(uintptr_t)st);
        c->function_count = count;
        APPEND(c, function_ids, function_count, r->id);
    } else if (strcmp(r->type, "SP") == 0) {
        load_policy(c, st, r);
    }
}

static int64_t
stored_version(struct session *s)
{
    sqlite3_stmt *st = NULL;
    int64_t v = -1;
    if (sqlite3_prepare_v2(s->main.handle, "SELECT v FROM meta WHERE k = 'version'", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
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
        struct object_row r = { .id = sqlite3_column_int(st, 0),
                                .type = column_text(&c->arena, st, 1),
                                .name = column_text(&c->arena, st, 2),
                                .parent = sqlite3_column_int(st, 3),
                                .sql = column_text(&c->arena, st, 4),
                                .created = sqlite3_column_int64(st, 5),
                                .flag = sqlite3_column_int(st, 6) };
        load_object(s, &r);
    }
    (void)sqlite3_finalize(st);
    return true;
}

static bool resolve_computed(struct session *, struct arena *, struct table *);

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
        ok = resolve_computed(s, &s->catalog.arena, t);
    return ok;
}

void
catalog_free(struct session *s)
{
    arena_free(&s->catalog.arena);
    s->catalog = (struct catalog){ .version = -1 };
}

/* ---- looking up ---- */

struct table *
catalog_by_id(struct session *s, int id)
{
    for (struct table *t = s->temps; t; t = t->next)
        if (t->id == id && !t->dropped)
            return t;
    return loaded_table(&s->catalog, id);
}

struct table *
catalog_find(struct session *s, const struct name *n)
{
    if (!n->object || n->server)
        return NULL;
    if (n->object[0] == '#') {
        for (struct table *t = s->temps; t; t = t->next)
            if (!t->dropped && same_name(t->name, n->object))
                return t;
        return NULL;
    }
    if (n->schema && !same_name(n->schema, "dbo"))
        return NULL;
    if (n->database && same_name(n->database, "msdb")) { /* kept beside the database's own tables */
        char name[160];
        text_format(name, sizeof name, "msdb.dbo.%s", n->object);
        return loaded_by_name(&s->catalog, name);
    }
    if (n->database && !same_name(n->database, s->engine->database))
        return NULL;
    return loaded_by_name(&s->catalog, n->object);
}

const struct stmt *
catalog_function(const struct session *s, const char *name)
{
    for (int i = 0; i < s->catalog.function_count; i++)
        if (same_name(s->catalog.functions[i]->target.object, name))
            return s->catalog.functions[i];
    return NULL;
}

/* ---- changing ---- */

static int
new_object_id(struct session *s)
{
    return atomic_fetch_add(&s->engine->next_object, 64);
}

static bool
bump_version(struct session *s)
{
    long long v = atomic_fetch_add(&s->engine->next_version, 1) + 1;
    char sql[96];
    text_format(sql, sizeof sql, "UPDATE meta SET v = %lld WHERE k = 'version'", v);
    return store_exec(&s->main, s, sql) && catalog_refresh(s);
}

static bool
put_object(struct session *s, const struct object_row *r)
{
    char *sql = sqlite3_mprintf("INSERT INTO objects VALUES(%d, %Q, %Q, %d, %Q, %lld, %d)", r->id,
                                r->type, r->name, r->parent, r->sql, (long long)now_ms(), r->flag);
    bool ok = sql && store_exec(&s->main, s, sql);
    sqlite3_free(sql);
    return ok && bump_version(s);
}

static bool
may_change(struct session *s, const char *table)
{
    return session_allowed(s, "alter", table) ||
           session_fail(s, 262, "CREATE TABLE permission denied in database '%s'.",
                        s->engine->database);
}

static bool
create_storage(struct session *s, const struct table *t)
{
    char sql[96];
    text_format(sql, sizeof sql, "CREATE TABLE t_%d(rid INTEGER PRIMARY KEY, row BLOB)", t->id);
    bool ok = store_exec(table_db(s, t), s, sql);
    for (int i = 0; i < t->index_count && ok; i++)
        ok = index_create(s, t, &t->indexes[i]);
    return ok;
}

static bool
check_definition(struct session *s, const struct stmt *st)
{
    int identities = 0;
    for (int i = 0; i < st->table.count; i++) {
        const struct column_def *d = &st->table.columns[i];
        identities += d->identity;
        for (int k = 0; k < i; k++)
            if (same_name(st->table.columns[k].name, d->name))
                return session_fail(s, 2705,
                                    "Column names in each table must be unique. Column name '%s' "
                                    "in table '%s' is specified more than once.",
                                    d->name, st->target.object);
    }
    return identities < 2 ||
           session_fail(s, 2744, "Multiple identity columns specified for table '%s'. Only one "
                                 "identity column per table is allowed.", st->target.object);
}

/* The type of a computed column is that of its expression. */
static bool
resolve_computed(struct session *s, struct arena *a, struct table *t)
{
    struct source source = { .name = t->name, .columns = t->columns, .count = t->count, .table = t };
    struct source *list = &source;
    struct scope scope = { .sources = &list, .count = 1 };
    struct ectx x = { .v = session_vctx(s, a), .s = s, .scope = &scope };
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

/* Temporary tables outlive the batch: their definition is parsed again into memory of their own. */
static bool
create_temp(struct session *s, const char *sql, int id)
{
    struct arena *a = xcalloc(1, sizeof *a);
    struct batch b;
    struct vctx c = session_vctx(s, a);
    struct table *t = NULL;
    if (parse_batch(&c, units_from_utf8(a, sql), true, &b))
        t = table_build(a, b.first, id);
    if (!t || !resolve_computed(s, a, t)) {
        arena_free(a);
        free(a);
        return s->error.number ? false
                               : session_fail(s, 1911, "A key column does not exist in table '%s'.", sql);
    }
    t->arena = a;
    t->created = now_ms();
    t->next = s->temps;
    s->temps = t;
    return create_storage(s, t);
}

bool
catalog_create_table(struct session *s, const struct stmt *st)
{
    struct arena a = { 0 };
    struct table probe = { .temp = st->target.object[0] == '#' };
    const char *sql = stmt_text(&a, &s->frame->batch, st);
    int id = new_object_id(s);
    bool ok = check_definition(s, st);
    if (ok && st->target.database && !same_name(st->target.database, s->engine->database))
        ok = session_fail(s, 2702, "Database '%s' does not exist.", st->target.database);
    if (ok && st->target.schema && !same_name(st->target.schema, "dbo"))
        ok = session_fail(s, 2760, "The specified schema name \"%s\" either does not exist or you "
                                   "do not have permission to use it.", st->target.schema);
    ok = ok && (probe.temp || may_change(s, NULL)) && store_write(s, &probe);
    if (ok && !probe.temp)
        ok = catalog_refresh(s);
    if (ok && catalog_find(s, &st->target)) {
        ok = session_fail(s, 2714, "There is already an object named '%s' in the database.",
                          st->target.object);
        s->error.state = 6;
    }
    if (ok && probe.temp) {
        ok = create_temp(s, sql, id);
    } else if (ok) {
        struct object_row r = { .id = id, .type = "U", .name = st->target.object, .sql = sql };
        ok = put_object(s, &r);
        struct table *t = ok ? loaded_table(&s->catalog, id) : NULL;
        if (ok && !t)
            ok = session_fail(s, 1911, "A column of a key does not exist in the target table '%s'.",
                              st->target.object);
        ok = ok && resolve_computed(s, &s->catalog.arena, t) && create_storage(s, t);
    }
    arena_free(&a);
    return ok;
}

static bool
table_for_ddl(struct session *s, const struct name *n, struct table **out)
{
    *out = catalog_find(s, n);
    if (!*out || !session_allowed(s, "alter", (*out)->name))
        return session_fail(s, 1088, "Cannot find the object \"%s\" because it does not exist or "
                                     "you do not have permissions.", n->object);
    return lock_table(s, *out, LOCK_X, OWNER_TRANSACTION) && store_write(s, *out);
}

static bool
create_index(struct session *s, const struct stmt *st, const char *sql)
{
    struct table *t;
    if (!table_for_ddl(s, &st->target, &t))
        return false;
    for (int i = 0; i < t->index_count; i++)
        if (same_name(t->indexes[i].name, st->word))
            return session_fail(s, 1913, "The operation failed because an index or statistics with "
                                         "name '%s' already exists on table '%s'.",
                                st->word, t->name);
    struct index i = { .unique = st->unique && !st->filtered, .filtered = st->filtered,
                       .clustered = st->on, .name = st->word, .count = st->constraint->count };
    if (st->on && has_clustered(t))
        return session_fail(s, 1902, "Cannot create more than one clustered index on table '%s'.",
                            t->name);
    if (!key_columns(t, st->constraint, i.columns))
        return session_fail(s, 1911, "Column name does not exist in the target table or view.");
    i.id = st->on ? 1 : next_index_id(t);
    memcpy(i.descending, st->constraint->descending, (size_t)i.count * sizeof i.descending[0]);
    if (!index_create(s, t, &i) || !index_fill(s, t, &i)) {
        if (s->error.number == 2601)
            s->error.number = 1505;
        return false;
    }
    if (t->temp) {
        i.name = arena_strdup(t->arena, i.name);
        add_index(t->arena, t, &i);
        return true;
    }
    struct object_row r = { .id = new_object_id(s), .type = "IX", .name = st->word,
                            .parent = t->id, .sql = sql, .flag = i.id };
    return put_object(s, &r);
}

static bool
name_taken(struct session *s, const char *name)
{
    if (object_id_of(s, name, NULL) == 0)
        return false;
    (void)session_fail(s, 2714, "There is already an object named '%s' in the database.", name);
    s->error.state = 6;
    return true;
}

static bool
create_trigger(struct session *s, const struct stmt *st, const char *sql)
{
    struct table *t;
    if (!table_for_ddl(s, &st->target, &t) || name_taken(s, st->word))
        return false;
    struct object_row r = { .id = new_object_id(s), .type = "TR", .name = st->word,
                            .parent = t->id, .sql = sql };
    return put_object(s, &r);
}

static bool
policy_complete(struct session *s, const struct stmt *st)
{
    for (int i = 0; i < st->predicate_count; i++) {
        const struct predicate_def *d = &st->predicates[i];
        if (!catalog_function(s, d->function.object))
            return session_fail(s, 208, "Invalid object name '%s'.", d->function.object);
        if (!catalog_find(s, &d->table))
            return session_fail(s, 208, "Invalid object name '%s'.", d->table.object);
    }
    return true;
}

bool
catalog_create_other(struct session *s, const struct stmt *st)
{
    struct arena a = { 0 };
    const char *sql = stmt_text(&a, &s->frame->batch, st);
    bool ok;
    if (st->kind == ST_CREATE_INDEX) {
        ok = create_index(s, st, sql);
    } else if (st->kind == ST_CREATE_TRIGGER) {
        ok = create_trigger(s, st, sql);
    } else {
        bool policy = st->kind == ST_CREATE_POLICY;
        struct object_row r = { .id = new_object_id(s), .type = policy ? "SP" : "IF",
                                .name = st->target.object, .sql = sql };
        ok = may_change(s, NULL) && store_write(s, NULL) && !name_taken(s, st->target.object) &&
             (!policy || policy_complete(s, st)) && put_object(s, &r);
    }
    arena_free(&a);
    return ok;
}

static bool
exec_sql(struct session *s, char *sql)
{
    bool ok = sql && store_exec(&s->main, s, sql);
    sqlite3_free(sql);
    return ok;
}

/* Existing rows must satisfy what ALTER TABLE ADD asks of them. */
static bool
alter_add(struct session *s, struct table *t, const struct stmt *st)
{
    struct arena a = { 0 };
    int before = t->index_count, id = t->id;
    bool filled = store_count(s, t) > 0;
    for (int i = 0; i < st->table.count; i++)
        if (filled && st->table.columns[i].not_null && !st->table.columns[i].compute)
            return session_fail(s, 4901,
                                "ALTER TABLE only allows columns to be added that can contain nulls "
                                "when the table is not empty. Column '%s' cannot be added.",
                                st->table.columns[i].name);
    struct object_row r = { .id = new_object_id(s), .type = "AT", .name = t->name, .parent = id,
                            .sql = stmt_text(&a, &s->frame->batch, st) };
    bool ok = put_object(s, &r);
    arena_free(&a);
    struct table *now = ok ? loaded_table(&s->catalog, id) : NULL;
    if (!now)
        return ok ? session_fail(s, 4902, "Cannot find the object.") : false;
    if (!resolve_computed(s, &s->catalog.arena, now))
        return false;
    for (int i = before; i < now->index_count && ok; i++)
        ok = index_create(s, now, &now->indexes[i]) && index_fill(s, now, &now->indexes[i]);
    return ok;
}

static bool
alter_triggers(struct session *s, const struct table *t, const struct stmt *st)
{
    char *sql = st->word ? sqlite3_mprintf("UPDATE objects SET flag = %d WHERE type = 'TR' AND "
                                           "parent = %d AND name = %Q COLLATE NOCASE",
                                           !st->on, t->id, st->word)
                         : sqlite3_mprintf("UPDATE objects SET flag = %d WHERE type = 'TR' AND "
                                           "parent = %d", !st->on, t->id);
    return exec_sql(s, sql) && bump_version(s);
}

bool
catalog_alter(struct session *s, const struct stmt *st)
{
    struct table *t;
    if (!table_for_ddl(s, &st->target, &t))
        return false;
    if (t->temp)
        return session_fail(s, 102, "Incorrect syntax near '%s'.", t->name);
    if (st->alter == ALTER_ADD)
        return alter_add(s, t, st);
    if (st->alter == ALTER_TRIGGERS)
        return alter_triggers(s, t, st);
    if (st->alter == ALTER_TRACKING)
        return exec_sql(s, sqlite3_mprintf("UPDATE objects SET flag = %d WHERE id = %d", st->on,
                                           t->id)) &&
               bump_version(s);
    if (st->alter == ALTER_DROP_CONSTRAINT) {
        for (int i = 0; i < s->catalog.key_count; i++) {
            const struct foreign_key *k = &s->catalog.keys[i];
            if (k->parent == t->id && same_name(k->name, st->word))
                return exec_sql(s, sqlite3_mprintf("DELETE FROM objects WHERE type = 'AT' AND id = "
                                                   "(SELECT MAX(id) FROM objects WHERE id < %d)",
                                                   k->object)) &&
                       bump_version(s);
        }
        return st->if_exists || session_fail(s, 3728, "'%s' is not a constraint.", st->word);
    }
    return session_fail(s, 4924, "ALTER TABLE DROP COLUMN failed: not supported here for column '%s'.",
                        st->word);
}

/* ---- DROP ---- */

static bool
drop_table(struct session *s, struct table *t)
{
    if (!t->temp && !session_allowed(s, "alter", t->name))
        return session_fail(s, 3701, "Cannot drop the table '%s', because it does not exist or you "
                                     "do not have permission.", t->name);
    for (int i = 0; i < s->catalog.key_count; i++)
        if (s->catalog.keys[i].referenced == t->id && s->catalog.keys[i].parent != t->id)
            return session_fail(s, 3726, "Could not drop object '%s' because it is referenced by a "
                                         "FOREIGN KEY constraint.", t->name);
    if (!lock_table(s, t, LOCK_X, OWNER_TRANSACTION) || !store_write(s, t))
        return false;
    struct db *db = table_db(s, t);
    (void)sqlite3_finalize(db->insert);
    db->insert = NULL;
    char sql[64];
    text_format(sql, sizeof sql, "DROP TABLE t_%d", t->id);
    bool ok = store_exec(db, s, sql);
    for (int i = 0; i < t->index_count && ok; i++) {
        if (!t->indexes[i].unique)
            continue;
        text_format(sql, sizeof sql, "DROP TABLE i_%d_%d", t->id, t->indexes[i].id);
        ok = store_exec(db, s, sql);
    }
    if (t->temp) {
        t->dropped = ok;
        return ok;
    }
    return ok && exec_sql(s, sqlite3_mprintf("DELETE FROM objects WHERE id = %d OR parent = %d",
                                             t->id, t->id)) &&
           bump_version(s);
}

static bool
drop_index(struct session *s, const struct stmt *st, const char *name)
{
    struct table *t;
    if (!st->target.object || !table_for_ddl(s, &st->target, &t))
        return s->error.number ? false : session_fail(s, 159, "Must specify the table name and index "
                                                              "name for the DROP INDEX statement.");
    for (int i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        if (x->constraint || !same_name(x->name, name) || t->temp)
            continue;
        char sql[64];
        text_format(sql, sizeof sql, "DROP TABLE i_%d_%d", t->id, x->id);
        return (!x->unique || store_exec(&s->main, s, sql)) &&
               exec_sql(s, sqlite3_mprintf("DELETE FROM objects WHERE type = 'IX' AND parent = %d "
                                           "AND flag = %d", t->id, x->id)) &&
               bump_version(s);
    }
    return st->if_exists ||
           session_fail(s, 3701, "Cannot drop the index '%s.%s', because it does not exist or you "
                                 "do not have permission.", t->name, name);
}

static bool
drop_other(struct session *s, const struct stmt *st, const char *name)
{
    const char *type = same_name(st->word, "TRIGGER") ? "TR"
                       : same_name(st->word, "FUNCTION") ? "IF"
                                                         : "SP";
    int id = object_id_of(s, name, type);
    if (!id || !session_allowed(s, "alter", NULL))
        return (st->if_exists && !id) ||
               session_fail(s, 3701, "Cannot drop the %s '%s', because it does not exist or you do "
                                     "not have permission.", st->word, name);
    return store_write(s, NULL) &&
           exec_sql(s, sqlite3_mprintf("DELETE FROM objects WHERE id = %d", id)) && bump_version(s);
}

bool
catalog_drop(struct session *s, const struct stmt *st)
{
    for (int i = 0; i < st->drop_count; i++) {
        const struct name *n = &st->drops[i];
        bool ok;
        if (same_name(st->word, "INDEX")) {
            ok = drop_index(s, st, n->object);
        } else if (!same_name(st->word, "TABLE")) {
            ok = drop_other(s, st, n->object);
        } else {
            struct table *t = catalog_find(s, n);
            if (!t && st->if_exists)
                continue;
            ok = t ? drop_table(s, t)
                   : session_fail(s, 3701, "Cannot drop the table '%s', because it does not exist or "
                                           "you do not have permission.", n->object);
        }
        if (!ok)
            return false;
    }
    return true;
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
