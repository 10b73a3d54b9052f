/* Rows in SQLite: a table of blobs for each table, a table of ordered keys for each unique index.
 */
#include "tsql/session.h"

struct scan {
    struct session *s;
    const struct table *t;
    sqlite3_stmt *st;
    struct buf key;
    const bool *wanted; /* NULL = all */
    int columns;
};

static bool
sqlite_error(struct session *s, struct db *db)
{
    int code = sqlite3_errcode(db->handle);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        (void)session_fail(s, 1222, "Lock request time out period exceeded.");
    else if (code == SQLITE_FULL || code == SQLITE_IOERR)
        (void)session_fail(s, 1105, "Could not allocate space for the store: %s",
                           sqlite3_errmsg(db->handle));
    else
        (void)session_fail(s, 9002, "The store failed: %s", sqlite3_errmsg(db->handle));
    return false;
}

bool
store_exec(struct db *db, struct session *s, const char *sql)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return sqlite_error(s, db);
}

static void
quiet_exec(struct db *db, const char *sql)
{
    (void)sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* The slot to put a statement into: an empty one, or the one that was not used for longest. */
static struct kept *
free_slot(struct db *db)
{
    struct kept *oldest = NULL;
    for (int i = 0; i < KEPT_STATEMENTS; i++) {
        struct kept *k = &db->kept[i];
        if (!k->busy && (!oldest || k->used < oldest->used))
            oldest = k;
    }
    return oldest;
}

static void
drop_kept(struct kept *k)
{
    (void)sqlite3_finalize(k->st);
    free(k->sql);
    *k = (struct kept){0};
}

sqlite3_stmt *
store_prepare(struct db *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    for (int i = 0; i < KEPT_STATEMENTS; i++) {
        struct kept *k = &db->kept[i];
        if (k->sql && !k->busy && strcmp(k->sql, sql) == 0) {
            k->busy = true;
            k->used = ++db->uses;
            return k->st;
        }
    }
    if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
        return NULL;
    struct kept *k = free_slot(db);
    if (k) {
        drop_kept(k);
        *k = (struct kept){.sql = xstrdup(sql), .st = st, .busy = true, .used = ++db->uses};
    }
    return st;
}

void
store_finish(struct db *db, sqlite3_stmt *st)
{
    for (int i = 0; st && i < KEPT_STATEMENTS; i++) {
        if (db->kept[i].st == st) {
            (void)sqlite3_reset(st);
            (void)sqlite3_clear_bindings(st);
            db->kept[i].busy = false;
            return;
        }
    }
    (void)sqlite3_finalize(st);
}

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS objects(id INTEGER PRIMARY KEY, type TEXT, name TEXT, "
    "parent INTEGER, sql TEXT, created INTEGER, flag INTEGER);"
    "CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v INTEGER);"
    "INSERT OR IGNORE INTO meta VALUES('version', 0);";

bool
store_open(struct session *s, char *why, size_t size)
{
    char path[4096];
    text_format(path, sizeof path, "%s/store.db", s->engine->directory);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    bool ok = sqlite3_open_v2(path, &s->main.handle, flags, NULL) == SQLITE_OK &&
              sqlite3_open_v2(":memory:", &s->temp.handle, flags, NULL) == SQLITE_OK;
    if (ok) {
        (void)sqlite3_busy_timeout(s->main.handle, 20000);
        ok = sqlite3_exec(s->main.handle,
                          "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; "
                          "PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=4000;",
                          NULL, NULL, NULL) == SQLITE_OK;
        if (ok && !s->engine->store_ready) { /* before there is a second session */
            ok = sqlite3_exec(s->main.handle, schema, NULL, NULL, NULL) == SQLITE_OK;
            s->engine->store_ready = ok;
        }
    }
    if (!ok)
        text_format(why, size, "store: %s", sqlite3_errmsg(s->main.handle));
    return ok;
}

void
store_close(struct session *s)
{
    struct db *dbs[] = {&s->main, &s->temp};
    for (int i = 0; i < 2; i++) {
        (void)sqlite3_finalize(dbs[i]->insert);
        for (int k = 0; k < KEPT_STATEMENTS; k++)
            drop_kept(&dbs[i]->kept[k]);
        (void)sqlite3_close(dbs[i]->handle);
        *dbs[i] = (struct db){0};
    }
}

struct db *
table_db(struct session *s, const struct table *t)
{
    return t->temp ? &s->temp : &s->main;
}

/* ---- transactions ---- */

static bool
begin_read(struct session *s, struct db *db)
{
    if (db->writing || db->reading)
        return true;
    db->reading = true;
    return store_exec(db, s, "BEGIN");
}

static void
end_read(struct db *db)
{
    if (db->reading)
        quiet_exec(db, "COMMIT");
    db->reading = false;
}

/* A secondary goes on showing what it saw first. */
static void
end_statement_read(const struct session *s, struct db *db)
{
    if (!(s->replica && db == &s->main))
        end_read(db);
}

/* Only one session writes at a time: its lock is one of all locks. */
static bool
become_writer(struct session *s)
{
    if (s->replica || (atomic_load(&s->engine->read_only) && !s->internal))
        return session_fail(s, 3906,
                            "Failed to update database \"%s\" because the database is "
                            "read-only.",
                            s->engine->database);
    enum lock_owner owner = s->trancount ? OWNER_TRANSACTION : OWNER_STATEMENT;
    int timeout = s->lock_wait_override ? 0 : s->settings.lock_timeout;
    return !lock_failed(s, lock_take(s, "W", LOCK_X, owner, timeout));
}

bool
store_write(struct session *s, const struct table *t)
{
    struct db *db = t && t->temp ? &s->temp : &s->main;
    if (db == &s->main && !become_writer(s))
        return false;
    if (!db->writing) {
        end_read(db);
        if (!store_exec(db, s, "BEGIN IMMEDIATE"))
            return false;
        db->writing = true;
    }
    if (!db->savepoint && !store_exec(db, s, "SAVEPOINT st"))
        return false;
    db->savepoint = true;
    return true;
}

static bool
end_statement(struct session *s, struct db *db, bool keep)
{
    bool ok = true;
    end_statement_read(s, db);
    if (db->savepoint) {
        if (!keep)
            quiet_exec(db, "ROLLBACK TO st");
        quiet_exec(db, "RELEASE st");
        db->savepoint = false;
    }
    if (db->writing && s->trancount == 0) {
        ok = store_exec(db, s, "COMMIT");
        if (!ok)
            quiet_exec(db, "ROLLBACK");
        db->writing = false;
    }
    return ok;
}

bool
store_statement_end(struct session *s, bool keep)
{
    bool temp = end_statement(s, &s->temp, keep);
    bool ok = end_statement(s, &s->main, keep) && temp;
    if (!keep)
        temps_reconcile(s);
    lock_release(s, s->trancount ? OWNER_STATEMENT : OWNER_TRANSACTION);
    return ok;
}

bool
store_commit(struct session *s)
{
    struct db *dbs[] = {&s->temp, &s->main};
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        end_statement_read(s, dbs[i]);
        if (dbs[i]->writing && !store_exec(dbs[i], s, "COMMIT")) {
            quiet_exec(dbs[i], "ROLLBACK");
            ok = false;
        }
        dbs[i]->writing = dbs[i]->savepoint = false;
    }
    lock_release(s, OWNER_TRANSACTION);
    return ok;
}

void
store_rollback(struct session *s)
{
    struct db *dbs[] = {&s->temp, &s->main};
    for (int i = 0; i < 2; i++) {
        end_statement_read(s, dbs[i]);
        if (dbs[i]->writing)
            quiet_exec(dbs[i], "ROLLBACK");
        dbs[i]->writing = dbs[i]->savepoint = false;
    }
    temps_reconcile(s);
    lock_release(s, OWNER_TRANSACTION);
}

/* ---- scans ---- */

void
index_key(const struct table *t, const struct index *i, const struct val *row, struct buf *b)
{
    (void)t;
    for (int k = 0; k < i->count; k++)
        key_encode(b, &row[i->columns[k]], i->descending[k]);
}

static char *
scan_sql(const struct table *t, int index, bool key)
{
    if (index < 0)
        return sqlite3_mprintf("SELECT rid, row FROM t_%d WHERE rid <= "
                               "(SELECT MAX(rid) FROM t_%d) ORDER BY rid",
                               t->id, t->id);
    return sqlite3_mprintf("SELECT t.rid, t.row FROM i_%d_%d i CROSS JOIN t_%d t ON t.rid = i.rid "
                           "%s ORDER BY i.k",
                           t->id, t->indexes[index].id, t->id, key ? "WHERE i.k = ?1" : "");
}

struct scan *
scan_open(struct session *s, const struct table *t, int index, const struct buf *key)
{
    struct db *db = table_db(s, t);
    if (!begin_read(s, db))
        return NULL;
    struct scan *c = xcalloc(1, sizeof *c);
    char *sql = scan_sql(t, index, key != NULL);
    c->s = s;
    c->t = t;
    c->columns = t->count;
    c->st = sql ? store_prepare(db, sql) : NULL;
    bool ok = c->st;
    sqlite3_free(sql);
    if (ok && key) {
        buf_put(&c->key, key->data, key->length);
        ok = sqlite3_bind_blob(c->st, 1, c->key.data, (int)c->key.length, SQLITE_STATIC) ==
             SQLITE_OK;
    }
    if (!ok) {
        (void)sqlite_error(s, db);
        scan_close(c);
        return NULL;
    }
    return c;
}

int
scan_next(struct scan *c, struct val *values, int64_t *rid)
{
    if (session_interrupted(c->s))
        return -1;
    int rc = sqlite3_step(c->st);
    if (rc == SQLITE_DONE)
        return 0;
    if (rc != SQLITE_ROW) {
        (void)sqlite_error(c->s, table_db(c->s, c->t));
        return -1;
    }
    *rid = sqlite3_column_int64(c->st, 0);
    const unsigned char *blob = sqlite3_column_blob(c->st, 1);
    int n = sqlite3_column_bytes(c->st, 1);
    const struct row_shape shape = {&c->t->columns[0].type, sizeof c->t->columns[0],
                                    (size_t)c->columns, c->wanted};
    row_decode_some(blob, (size_t)n, &shape, values);
    return 1;
}

void
scan_part(struct scan *c, const bool *wanted, int columns)
{
    c->wanted = wanted;
    c->columns = columns < c->t->count ? columns : c->t->count;
}

void
scan_close(struct scan *c)
{
    if (!c)
        return;
    store_finish(table_db(c->s, c->t), c->st);
    buf_free(&c->key);
    free(c);
}

int64_t
store_count(struct session *s, const struct table *t)
{
    struct db *db = table_db(s, t);
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    char *sql = t->index_count && t->indexes[0].unique
                    ? sqlite3_mprintf("SELECT COUNT(*) FROM i_%d_%d", t->id, t->indexes[0].id)
                    : sqlite3_mprintf("SELECT COUNT(*) FROM t_%d", t->id);
    if (sql && begin_read(s, db))
        st = store_prepare(db, sql);
    if (st && sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    store_finish(db, st);
    sqlite3_free(sql);
    return n;
}

/* ---- writing ---- */

static bool
run_with_blob(struct session *s, struct db *db, char *sql, const struct buf *blob, int64_t rid)
{
    sqlite3_stmt *st = sql ? store_prepare(db, sql) : NULL;
    bool ok = st;
    sqlite3_free(sql);
    if (ok && blob)
        ok = sqlite3_bind_blob64(st, 1, blob->data, blob->length, SQLITE_STATIC) == SQLITE_OK;
    ok = ok && sqlite3_bind_int64(st, blob ? 2 : 1, rid) == SQLITE_OK;
    int rc = ok ? sqlite3_step(st) : SQLITE_ERROR;
    store_finish(db, st);
    if (rc == SQLITE_CONSTRAINT)
        return false;
    return rc == SQLITE_DONE || sqlite_error(s, db);
}

static const char *
key_values(struct arena *a, const struct index *i, const struct val *row)
{
    const char *list = "";
    struct sql_error ignored;
    struct vctx c = {.arena = a, .error = &ignored};
    for (int k = 0; k < i->count; k++) {
        struct val text = {0};
        const struct val *v = &row[i->columns[k]];
        const char *shown = "<NULL>";
        if (!v->v.is_null && convert(&c, v, type_chars(SQL_NVARCHAR, 4000), 0, &text))
            shown = val_utf8_text(a, &text);
        list = arena_printf(a, "%s%s%.200s", list, k ? ", " : "", shown);
    }
    return list;
}

static bool
duplicate(struct session *s, const struct table *t, const struct index *i, const struct val *row)
{
    struct arena a = {0};
    const char *values = key_values(&a, i, row);
    if (i->constraint)
        (void)session_fail(s, 2627,
                           "Violation of %s constraint '%s'. Cannot insert duplicate key in object "
                           "'dbo.%s'. The duplicate key value is (%s).",
                           i->primary ? "PRIMARY KEY" : "UNIQUE KEY", i->name, t->name, values);
    else
        (void)session_fail(s, 2601,
                           "Cannot insert duplicate key row in object 'dbo.%s' with unique index "
                           "'%s'. The duplicate key value is (%s).",
                           t->name, i->name, values);
    arena_free(&a);
    return false;
}

static bool
index_insert(struct session *s, const struct table *t, const struct index *i, int64_t rid,
             const struct val *row)
{
    struct db *db = table_db(s, t);
    struct buf key = {0};
    index_key(t, i, row, &key);
    s->error.number = 0;
    bool ok = run_with_blob(
        s, db, sqlite3_mprintf("INSERT INTO i_%d_%d(k, rid) VALUES(?1, ?2)", t->id, i->id), &key,
        rid);
    buf_free(&key);
    return ok || s->error.number || duplicate(s, t, i, row);
}

static bool
index_all(struct session *s, const struct table *t, int64_t rid, const struct val *row)
{
    for (int i = 0; i < t->index_count; i++)
        if (t->indexes[i].unique && !index_insert(s, t, &t->indexes[i], rid, row))
            return false;
    return s->error.number == 0;
}

bool
store_unindex(struct session *s, const struct table *t, int64_t rid, const struct val *row)
{
    struct db *db = table_db(s, t);
    bool ok = true;
    for (int i = 0; i < t->index_count && ok; i++) {
        struct buf key = {0};
        if (!t->indexes[i].unique)
            continue;
        index_key(t, &t->indexes[i], row, &key);
        ok = run_with_blob(s, db,
                           sqlite3_mprintf("DELETE FROM i_%d_%d WHERE k = ?1 AND rid = ?2", t->id,
                                           t->indexes[i].id),
                           &key, rid);
        buf_free(&key);
    }
    return ok;
}

static bool
prepare_insert(struct session *s, struct db *db, const struct table *t)
{
    if (db->insert && db->insert_table == t->id)
        return true;
    (void)sqlite3_finalize(db->insert);
    db->insert = NULL;
    char *sql = sqlite3_mprintf("INSERT INTO t_%d(row) VALUES(?1)", t->id);
    bool ok = sql && sqlite3_prepare_v2(db->handle, sql, -1, &db->insert, NULL) == SQLITE_OK;
    sqlite3_free(sql);
    db->insert_table = t->id;
    return ok || sqlite_error(s, db);
}

bool
store_insert(struct session *s, const struct table *t, const struct val *row)
{
    struct db *db = table_db(s, t);
    struct buf b = {0};
    if (!prepare_insert(s, db, t))
        return false;
    row_encode(&b, row, (size_t)t->count);
    (void)sqlite3_bind_blob64(db->insert, 1, b.data, b.length, SQLITE_STATIC);
    int rc = sqlite3_step(db->insert);
    (void)sqlite3_reset(db->insert);
    (void)sqlite3_clear_bindings(db->insert);
    buf_free(&b);
    if (rc != SQLITE_DONE)
        return sqlite_error(s, db);
    s->error.number = 0;
    return index_all(s, t, sqlite3_last_insert_rowid(db->handle), row);
}

bool
store_delete(struct session *s, const struct table *t, int64_t rid, const struct val *row)
{
    return store_unindex(s, t, rid, row) &&
           run_with_blob(s, table_db(s, t),
                         sqlite3_mprintf("DELETE FROM t_%d WHERE rid = ?1", t->id), NULL, rid);
}

/* The index entries of the old row are gone already (store_unindex). */
bool
store_update(struct session *s, const struct table *t, int64_t rid, const struct val *row)
{
    struct buf b = {0};
    row_encode(&b, row, (size_t)t->count);
    bool ok =
        run_with_blob(s, table_db(s, t),
                      sqlite3_mprintf("UPDATE t_%d SET row = ?1 WHERE rid = ?2", t->id), &b, rid);
    buf_free(&b);
    s->error.number = 0;
    return ok && index_all(s, t, rid, row);
}

static bool
exec_format(struct session *s, struct db *db, char *sql)
{
    bool ok = sql && store_exec(db, s, sql);
    sqlite3_free(sql);
    return ok;
}

bool
store_clear(struct session *s, const struct table *t)
{
    struct db *db = table_db(s, t);
    bool ok = exec_format(s, db, sqlite3_mprintf("DELETE FROM t_%d", t->id));
    for (int i = 0; i < t->index_count && ok; i++)
        if (t->indexes[i].unique)
            ok =
                exec_format(s, db, sqlite3_mprintf("DELETE FROM i_%d_%d", t->id, t->indexes[i].id));
    return ok;
}

bool
index_create(struct session *s, const struct table *t, const struct index *i)
{
    if (!i->unique)
        return true;
    return exec_format(s, table_db(s, t),
                       sqlite3_mprintf("CREATE TABLE i_%d_%d(k BLOB PRIMARY KEY, rid INTEGER) "
                                       "WITHOUT ROWID",
                                       t->id, i->id));
}

/* A new unique index over rows that are there already. */
bool
index_fill(struct session *s, const struct table *t, const struct index *i)
{
    if (!i->unique)
        return true;
    struct scan *c = scan_open(s, t, -1, NULL);
    struct val *row = xcalloc((size_t)t->count, sizeof *row);
    int64_t rid = 0;
    int rc = c ? 0 : -1;
    while (c && (rc = scan_next(c, row, &rid)) == 1)
        if (!index_insert(s, t, i, rid, row)) {
            rc = -1;
            break;
        }
    scan_close(c);
    free(row);
    return rc == 0 && !s->error.number;
}

/* ---- identity ---- */

static struct identity_value *
identity_of(struct engine *e, const struct table *t)
{
    for (struct identity_value *i = e->identities; i; i = i->next)
        if (i->table == t->id)
            return i;
    struct identity_value *i = xcalloc(1, sizeof *i);
    const struct column_def *d = t->columns[t->identity - 1].def;
    i->table = t->id;
    i->last = d->seed - d->increment;
    i->next = e->identities;
    e->identities = i;
    return i;
}

int64_t
identity_next(struct session *s, const struct table *t)
{
    (void)pthread_mutex_lock(&s->engine->mutex);
    struct identity_value *i = identity_of(s->engine, t);
    i->last += t->columns[t->identity - 1].def->increment;
    int64_t v = i->last;
    (void)pthread_mutex_unlock(&s->engine->mutex);
    return v;
}

void
identity_saw(struct session *s, const struct table *t, int64_t value)
{
    (void)pthread_mutex_lock(&s->engine->mutex);
    struct identity_value *i = identity_of(s->engine, t);
    bool up = t->columns[t->identity - 1].def->increment > 0;
    if (up ? value > i->last : value < i->last)
        i->last = value;
    (void)pthread_mutex_unlock(&s->engine->mutex);
}
