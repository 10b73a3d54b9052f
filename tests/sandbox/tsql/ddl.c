/* CREATE, ALTER, DROP: statements are stored, then the catalog is built again. */
#include "tsql/catalog.h"

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
           session_fail(s, 2744,
                        "Multiple identity columns specified for table '%s'. Only one "
                        "identity column per table is allowed.",
                        st->target.object);
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
    if (!t || !table_resolve_computed(s, a, t)) {
        arena_free(a);
        free(a);
        return s->error.number
                   ? false
                   : session_fail(s, 1911, "A key column does not exist in table '%s'.", sql);
    }
    t->arena = a;
    t->created = now_ms();
    t->next = s->temps;
    s->temps = t;
    return create_storage(s, t);
}

static bool
name_is_free(struct session *s, const struct name *n)
{
    if (n->database && !same_name(n->database, s->engine->database))
        return session_fail(s, 2702, "Database '%s' does not exist.", n->database);
    if (n->schema && !same_name(n->schema, "dbo"))
        return session_fail(s, 2760,
                            "The specified schema name \"%s\" either does not exist or you "
                            "do not have permission to use it.",
                            n->schema);
    if (!catalog_find(s, n))
        return true;
    (void)session_fail(s, 2714, "There is already an object named '%s' in the database.",
                       n->object);
    s->error.state = 6;
    return false;
}

static bool
create_stored(struct session *s, const struct stmt *st, const char *sql, int id)
{
    struct object_row r = {.id = id, .type = "U", .name = st->target.object, .sql = sql};
    if (!put_object(s, &r))
        return false;
    struct table *t = catalog_loaded(&s->catalog, id);
    if (!t)
        return session_fail(s, 1911, "A column of a key does not exist in the target table '%s'.",
                            st->target.object);
    return table_resolve_computed(s, &s->catalog.arena, t) && create_storage(s, t);
}

bool
catalog_create_table(struct session *s, const struct stmt *st)
{
    struct arena a = {0};
    struct table probe = {.temp = st->target.object[0] == '#'};
    const char *sql = stmt_text(&a, &s->frame->batch, st);
    int id = new_object_id(s);
    bool ok = check_definition(s, st) && (probe.temp || may_change(s, NULL)) &&
              store_write(s, &probe) && (probe.temp || catalog_refresh(s)) &&
              name_is_free(s, &st->target);
    if (ok)
        ok = probe.temp ? create_temp(s, sql, id) : create_stored(s, st, sql, id);
    arena_free(&a);
    return ok;
}

static bool
table_for_ddl(struct session *s, const struct name *n, struct table **out)
{
    *out = catalog_find(s, n);
    if (!*out || !session_allowed(s, "alter", (*out)->name))
        return session_fail(s, 1088,
                            "Cannot find the object \"%s\" because it does not exist or "
                            "you do not have permissions.",
                            n->object);
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
            return session_fail(s, 1913,
                                "The operation failed because an index or statistics with "
                                "name '%s' already exists on table '%s'.",
                                st->word, t->name);
    struct index i = {.unique = st->unique && !st->filtered,
                      .filtered = st->filtered,
                      .clustered = st->on,
                      .name = st->word,
                      .count = st->constraint->count};
    if (st->on && table_has_clustered(t))
        return session_fail(s, 1902, "Cannot create more than one clustered index on table '%s'.",
                            t->name);
    if (!table_key_columns(t, st->constraint, i.columns))
        return session_fail(s, 1911, "Column name does not exist in the target table or view.");
    i.id = st->on ? 1 : table_next_index(t);
    memcpy(i.descending, st->constraint->descending, (size_t)i.count * sizeof i.descending[0]);
    if (!index_create(s, t, &i) || !index_fill(s, t, &i)) {
        if (s->error.number == 2601)
            s->error.number = 1505;
        return false;
    }
    if (t->temp) {
        i.name = arena_strdup(t->arena, i.name);
        table_add_index(t->arena, t, &i);
        return true;
    }
    struct object_row r = {.id = new_object_id(s),
                           .type = "IX",
                           .name = st->word,
                           .parent = t->id,
                           .sql = sql,
                           .flag = i.id};
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
    struct object_row r = {
        .id = new_object_id(s), .type = "TR", .name = st->word, .parent = t->id, .sql = sql};
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
    struct arena a = {0};
    const char *sql = stmt_text(&a, &s->frame->batch, st);
    bool ok;
    if (st->kind == ST_CREATE_INDEX) {
        ok = create_index(s, st, sql);
    } else if (st->kind == ST_CREATE_TRIGGER) {
        ok = create_trigger(s, st, sql);
    } else {
        bool policy = st->kind == ST_CREATE_POLICY;
        struct object_row r = {.id = new_object_id(s),
                               .type = policy ? "SP" : "IF",
                               .name = st->target.object,
                               .sql = sql};
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
    struct arena a = {0};
    int before = t->index_count, id = t->id;
    bool filled = store_count(s, t) > 0;
    for (int i = 0; i < st->table.count; i++)
        if (filled && st->table.columns[i].not_null && !st->table.columns[i].compute)
            return session_fail(
                s, 4901,
                "ALTER TABLE only allows columns to be added that can contain nulls "
                "when the table is not empty. Column '%s' cannot be added.",
                st->table.columns[i].name);
    struct object_row r = {.id = new_object_id(s),
                           .type = "AT",
                           .name = t->name,
                           .parent = id,
                           .sql = stmt_text(&a, &s->frame->batch, st)};
    bool ok = put_object(s, &r);
    arena_free(&a);
    struct table *now = ok ? catalog_loaded(&s->catalog, id) : NULL;
    if (!now)
        return ok ? session_fail(s, 4902, "Cannot find the object.") : false;
    if (!table_resolve_computed(s, &s->catalog.arena, now))
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
                                           "parent = %d",
                                           !st->on, t->id);
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
    return session_fail(
        s, 4924, "ALTER TABLE DROP COLUMN failed: not supported here for column '%s'.", st->word);
}

/* ---- DROP ---- */

static bool
drop_table(struct session *s, struct table *t)
{
    if (!t->temp && !session_allowed(s, "alter", t->name))
        return session_fail(s, 3701,
                            "Cannot drop the table '%s', because it does not exist or you "
                            "do not have permission.",
                            t->name);
    for (int i = 0; i < s->catalog.key_count; i++)
        if (s->catalog.keys[i].referenced == t->id && s->catalog.keys[i].parent != t->id)
            return session_fail(s, 3726,
                                "Could not drop object '%s' because it is referenced by a "
                                "FOREIGN KEY constraint.",
                                t->name);
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
    return ok &&
           exec_sql(s, sqlite3_mprintf("DELETE FROM objects WHERE id = %d OR parent = %d", t->id,
                                       t->id)) &&
           bump_version(s);
}

static bool
drop_index(struct session *s, const struct stmt *st, const char *name)
{
    struct table *t;
    if (!st->target.object || !table_for_ddl(s, &st->target, &t))
        return s->error.number ? false
                               : session_fail(s, 159,
                                              "Must specify the table name and index "
                                              "name for the DROP INDEX statement.");
    for (int i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        if (x->constraint || !same_name(x->name, name) || t->temp)
            continue;
        char sql[64];
        text_format(sql, sizeof sql, "DROP TABLE i_%d_%d", t->id, x->id);
        return (!x->unique || store_exec(&s->main, s, sql)) &&
               exec_sql(s, sqlite3_mprintf("DELETE FROM objects WHERE type = 'IX' AND parent = %d "
                                           "AND flag = %d",
                                           t->id, x->id)) &&
               bump_version(s);
    }
    return st->if_exists ||
           session_fail(s, 3701,
                        "Cannot drop the index '%s.%s', because it does not exist or you "
                        "do not have permission.",
                        t->name, name);
}

static bool
drop_other(struct session *s, const struct stmt *st, const char *name)
{
    const char *type = same_name(st->word, "TRIGGER")    ? "TR"
                       : same_name(st->word, "FUNCTION") ? "IF"
                                                         : "SP";
    int id = object_id_of(s, name, type);
    if (!id || !session_allowed(s, "alter", NULL))
        return (st->if_exists && !id) ||
               session_fail(s, 3701,
                            "Cannot drop the %s '%s', because it does not exist or you do "
                            "not have permission.",
                            st->word, name);
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
                   : session_fail(s, 3701,
                                  "Cannot drop the table '%s', because it does not exist or "
                                  "you do not have permission.",
                                  n->object);
        }
        if (!ok)
            return false;
    }
    return true;
}
