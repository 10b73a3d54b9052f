#include "dataverse/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_VERSION = 1048576 };

enum statement { GET, PUT, DELETE_ROW, COUNT, EACH, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [GET] = "SELECT id, version, columns FROM rows WHERE set_name = ?1 AND id = ?2",
    [PUT] = "REPLACE INTO rows(set_name, id, version, columns) VALUES (?1, ?2, ?3, ?4)",
    [DELETE_ROW] = "DELETE FROM rows WHERE set_name = ?1 AND id = ?2",
    [COUNT] = "SELECT count(*) FROM rows WHERE set_name = ?1",
    [EACH] = "SELECT id, version, columns FROM rows WHERE set_name = ?1 AND id > ?2 ORDER BY id",
};

struct dv_store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int64_t version;
};

/** Ids are text of 36 bytes; "" comes before all. */
static int
collate(void *ctx, int left_bytes, const void *left, int right_bytes, const void *right)
{
    char a[DV_ID_BYTES] = "";
    char b[DV_ID_BYTES] = "";
    (void)ctx;
    memcpy(a, left, left_bytes < DV_ID_BYTES ? (size_t)left_bytes : DV_ID_BYTES - 1);
    memcpy(b, right, right_bytes < DV_ID_BYTES ? (size_t)right_bytes : DV_ID_BYTES - 1);
    return dv_store_order(a, b);
}

int
dv_store_order(const char *a, const char *b)
{
    /* Where each compared run of digits begins, and how long it is. */
    static const unsigned char runs[][2] = {{24, 12}, {19, 4}, {16, 2}, {14, 2}, {11, 2},
                                            {9, 2},   {6, 2},  {4, 2},  {2, 2},  {0, 2}};
    if (strlen(a) != DV_ID_BYTES - 1 || strlen(b) != DV_ID_BYTES - 1)
        return strcmp(a, b);
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        int order = memcmp(a + runs[i][0], b + runs[i][0], runs[i][1]);
        if (order != 0)
            return order;
    }
    return 0;
}

static bool
prepare(struct dv_store *store)
{
    const char *schema = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
                         "CREATE TABLE rows(set_name TEXT NOT NULL, id TEXT NOT NULL COLLATE guid,"
                         " version INTEGER NOT NULL, columns TEXT NOT NULL,"
                         " PRIMARY KEY(set_name, id)) WITHOUT ROWID;";
    if (sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return false;
    for (size_t i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v2(store->db, texts[i], -1, &store->statements[i], NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

struct dv_store *
dv_store_open(const char *path, char *why, size_t why_size)
{
    struct dv_store *store = calloc(1, sizeof(*store));
    if (!store) {
        (void)snprintf(why, why_size, "out of memory");
        return NULL;
    }
    store->version = FIRST_VERSION;
    (void)unlink(path);
    if (sqlite3_open(path, &store->db) != SQLITE_OK ||
        sqlite3_create_collation(store->db, "guid", SQLITE_UTF8, NULL, collate) != SQLITE_OK ||
        !prepare(store)) {
        (void)snprintf(why, why_size, "%s: %s", path, sqlite3_errmsg(store->db));
        dv_store_close(store);
        return NULL;
    }
    return store;
}

void
dv_store_close(struct dv_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(store->statements[i]);
    (void)sqlite3_close(store->db);
    free(store);
}

bool
dv_store_clear(struct dv_store *store)
{
    return sqlite3_exec(store->db, "DELETE FROM rows", NULL, NULL, NULL) == SQLITE_OK;
}

static sqlite3_stmt *
bind(struct dv_store *store, enum statement which, const char *set, const char *id)
{
    sqlite3_stmt *statement = store->statements[which];
    (void)sqlite3_bind_text(statement, 1, set, -1, SQLITE_STATIC);
    if (id)
        (void)sqlite3_bind_text(statement, 2, id, -1, SQLITE_STATIC);
    return statement;
}

static void
done(sqlite3_stmt *statement)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
}

/** Borrows the columns from the statement. */
static struct dv_row
row_of(sqlite3_stmt *statement, char **ret_columns)
{
    struct dv_row row = {.version = sqlite3_column_int64(statement, 1)};
    const unsigned char *id = sqlite3_column_text(statement, 0);
    const unsigned char *columns = sqlite3_column_text(statement, 2);
    (void)snprintf(row.id, sizeof(row.id), "%s", id ? (const char *)id : "");
    *ret_columns = strdup(columns ? (const char *)columns : "{}");
    row.columns = *ret_columns;
    return row;
}

int
dv_store_get(struct dv_store *store, const char *set, const char *id, struct dv_row *ret)
{
    sqlite3_stmt *statement = bind(store, GET, set, id);
    int result = sqlite3_step(statement);
    int found = result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : -1;
    if (found == 1) {
        char *columns = NULL;
        *ret = row_of(statement, &columns);
        if (!columns)
            found = -1;
    }
    done(statement);
    return found;
}

bool
dv_store_put(struct dv_store *store, const char *set, const char *id, const char *columns,
             int64_t *ret_version)
{
    sqlite3_stmt *statement = bind(store, PUT, set, id);
    (void)sqlite3_bind_int64(statement, 3, store->version + 1);
    (void)sqlite3_bind_text(statement, 4, columns, -1, SQLITE_STATIC);
    bool ok = sqlite3_step(statement) == SQLITE_DONE;
    done(statement);
    if (!ok)
        return false;
    store->version++;
    if (ret_version)
        *ret_version = store->version;
    return true;
}

int
dv_store_delete(struct dv_store *store, const char *set, const char *id)
{
    sqlite3_stmt *statement = bind(store, DELETE_ROW, set, id);
    bool ok = sqlite3_step(statement) == SQLITE_DONE;
    int changes = sqlite3_changes(store->db);
    done(statement);
    return ok ? changes : -1;
}

int64_t
dv_store_count(struct dv_store *store, const char *set)
{
    sqlite3_stmt *statement = bind(store, COUNT, set, NULL);
    int64_t count = -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    done(statement);
    return count;
}

bool
dv_store_each(struct dv_store *store, const char *set, const char *after,
              bool (*visit)(void *ctx, const struct dv_row *), void *ctx)
{
    sqlite3_stmt *statement = bind(store, EACH, set, after ? after : "");
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        char *columns = NULL;
        struct dv_row row = row_of(statement, &columns);
        bool more = columns && visit(ctx, &row);
        free(columns);
        if (!more)
            break;
        result = sqlite3_step(statement);
    }
    done(statement);
    return result == SQLITE_DONE || result == SQLITE_ROW;
}

bool
dv_store_begin(struct dv_store *store)
{
    return sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

bool
dv_store_end(struct dv_store *store, bool keep)
{
    return sqlite3_exec(store->db, keep ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;
}
