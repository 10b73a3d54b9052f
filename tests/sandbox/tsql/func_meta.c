/* Built-in functions on the server, the database and the session; @@ variables. */
#include "tsql/func.h"

static bool
put_utf8(struct ectx *x, const char *text, struct val *out)
{
    struct sql_typeinfo t = out->t;
    struct val v = val_utf8(x->v.arena, text);
    return convert(&x->v, &v, t, 0, out);
}

static char *
name_arg(struct ectx *x, const struct val *v)
{
    struct val t = {0};
    if (!convert(&x->v, v, type_chars(SQL_NVARCHAR, 4000), 0, &t))
        return NULL;
    return val_utf8_text(x->v.arena, &t);
}

bool
f_db_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    if (e->count) {
        struct val id = {0};
        if (!convert(&x->v, &args[0], type_of(SQL_INT), 0, &id))
            return false;
        if (id.v.integer == 1)
            return put_utf8(x, "master", out);
        if (id.v.integer == 4)
            return put_utf8(x, "msdb", out);
        if (id.v.integer != 5)
            return true;
        return put_utf8(x, x->s->engine->database, out);
    }
    return put_utf8(x, x->s->database, out);
}

bool
f_db_id(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    const char *name = e->count ? name_arg(x, &args[0]) : x->s->database;
    int id = !name                                     ? 0
             : same_name(name, x->s->engine->database) ? 5
             : same_name(name, "master")               ? 1
             : same_name(name, "msdb")                 ? 4
                                                       : 0;
    if (id)
        out->v = (struct sql_value){.integer = id};
    return name != NULL;
}

/* The last part of `AxDB.dbo.[T]`; NULL when it is another database or schema. */
static const char *
object_part(struct ectx *x, const char *text)
{
    struct sql_error ignored = {0};
    struct vctx c = x->v;
    struct tokens t;
    c.error = &ignored;
    const char *parts[4] = {0};
    size_t count = 0;
    if (!lex(&c, units_from_utf8(x->v.arena, text), true, &t))
        return NULL;
    for (size_t i = 0; i < t.count && t.at[i].kind != TK_END; i++) {
        bool name = t.at[i].kind == TK_NAME || t.at[i].kind == TK_QUOTED;
        if (name && count < 4)
            parts[count++] = t.at[i].text;
        else if (t.at[i].kind != TK_OPERATOR || strcmp(t.at[i].text, ".") != 0)
            return NULL;
    }
    if (!count)
        return NULL;
    const char *object = parts[count - 1];
    bool temp = object[0] == '#';
    if (count > 1 && !temp && !same_name(parts[count - 2], "dbo"))
        return NULL;
    if (count > 2 && !temp && !same_name(parts[count - 3], x->s->engine->database))
        return NULL;
    return object;
}

bool
f_object_id(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    const char *text = name_arg(x, &args[0]), *type = e->count > 1 ? name_arg(x, &args[1]) : NULL;
    if (!text)
        return false;
    const char *name = object_part(x, text);
    int id = name ? object_id_of(x->s, name, type) : 0;
    if (id)
        out->v = (struct sql_value){.integer = id};
    return true;
}

bool
f_object_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val id = {0};
    (void)e;
    if (!convert(&x->v, &args[0], type_of(SQL_INT), 0, &id))
        return false;
    const char *name = object_name_of(x->s, (int)id.v.integer);
    return !name || put_utf8(x, name, out);
}

static const struct {
    int id;
    const char *name;
} schemas[] = {{1, "dbo"}, {2, "guest"}, {3, "INFORMATION_SCHEMA"}, {4, "sys"}};

bool
f_schema_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val id = val_int(1);
    if (e->count && !convert(&x->v, &args[0], type_of(SQL_INT), 0, &id))
        return false;
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
        if (schemas[i].id == id.v.integer)
            return put_utf8(x, schemas[i].name, out);
    return true;
}

bool
f_schema_id(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    const char *name = e->count ? name_arg(x, &args[0]) : "dbo";
    for (size_t i = 0; name && i < sizeof schemas / sizeof schemas[0]; i++)
        if (same_name(schemas[i].name, name))
            out->v = (struct sql_value){.integer = schemas[i].id};
    return name != NULL;
}

bool
f_type_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val id = {0};
    (void)e;
    if (!convert(&x->v, &args[0], type_of(SQL_INT), 0, &id))
        return false;
    const char *name = system_type_name((int)id.v.integer);
    return !name || put_utf8(x, name, out);
}

bool
f_col_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    struct val id = {0}, column = {0};
    (void)e;
    if (!convert(&x->v, &args[0], type_of(SQL_INT), 0, &id) ||
        !convert(&x->v, &args[1], type_of(SQL_INT), 0, &column))
        return false;
    const struct table *t = catalog_by_id(x->s, (int)id.v.integer);
    if (!t || column.v.integer < 1 || column.v.integer > t->count)
        return true;
    return put_utf8(x, t->columns[column.v.integer - 1].name, out);
}

bool
f_login_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    (void)args;
    return put_utf8(x, x->s->user, out);
}

bool
f_user_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    (void)args;
    return put_utf8(x, x->s->all_rights ? "dbo" : x->s->user, out);
}

bool
f_host_name(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)args;
    return put_utf8(x, same_name(e->name, "APP_NAME") ? x->s->application : x->s->workstation, out);
}

bool
f_serverproperty(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    const char *name = name_arg(x, &args[0]);
    const struct {
        const char *name, *text;
        int number;
    } all[] = {
        {"MachineName", x->s->engine->server_name, 0},
        {"ServerName", x->s->engine->server_name, 0},
        {"ComputerNamePhysicalNetBIOS", x->s->engine->server_name, 0},
        {"ProductVersion", "13.0.5000.0", 0},
        {"ProductMajorVersion", "13", 0},
        {"ProductLevel", "SP2", 0},
        {"Edition", "dwclean sandbox (not Microsoft SQL Server)", 0},
        {"Collation", "SQL_Latin1_General_CP1_CI_AS", 0},
        {"EngineEdition", NULL, 3},
        {"IsIntegratedSecurityOnly", NULL, 0},
        {"IsClustered", NULL, 0},
        {"IsHadrEnabled", NULL, 0},
        {"IsSingleUser", NULL, 0},
    };
    (void)e;
    for (size_t i = 0; name && i < sizeof all / sizeof all[0]; i++) {
        if (!same_name(all[i].name, name))
            continue;
        struct val number = val_int(all[i].number);
        struct sql_typeinfo t = out->t;
        return all[i].text ? put_utf8(x, all[i].text, out) : convert(&x->v, &number, t, 0, out);
    }
    return name != NULL; /* InstanceName of a default instance and unknown names: NULL */
}

bool
f_databasepropertyex(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    static const char *const access[] = {"MULTI_USER", "SINGLE_USER", "RESTRICTED_USER"};
    const char *db = name_arg(x, &args[0]), *name = db ? name_arg(x, &args[1]) : NULL;
    (void)e;
    if (!name)
        return false;
    if (!same_name(db, x->s->engine->database))
        return true;
    const struct {
        const char *name, *text;
    } all[] = {
        {"Status", "ONLINE"},
        {"Updateability",
         x->s->replica || atomic_load(&x->s->engine->read_only) ? "READ_ONLY" : "READ_WRITE"},
        {"UserAccess", access[atomic_load(&x->s->engine->user_access)]},
        {"Recovery", "FULL"},
        {"Collation", "SQL_Latin1_General_CP1_CI_AS"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (same_name(all[i].name, name))
            return put_utf8(x, all[i].text, out);
    return true;
}

/* 1, 0, or NULL for what does not exist. */
static int
object_permission(struct ectx *x, const char *object, const char *permission)
{
    static const struct {
        const char *permission, *right;
    } rights[] = {{"SELECT", "select"}, {"INSERT", "insert"},
                  {"UPDATE", "update"}, {"DELETE", "delete"},
                  {"ALTER", "alter"},   {"VIEW DEFINITION", "view_definition"},
                  {"CONTROL", "all"}};
    if (same_name(permission, "EXECUTE") &&
        (same_name(object, "sys.sp_getapplock") || same_name(object, "sp_getapplock") ||
         same_name(object, "sys.sp_releaseapplock") || same_name(object, "sp_releaseapplock")))
        return session_allowed(x->s, "applock", NULL);
    const char *name = object_part(x, object);
    int id = name ? object_id_of(x->s, name, "U") : 0;
    if (!id)
        return -1;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        if (same_name(rights[i].permission, permission))
            return session_allowed(x->s, rights[i].right, name);
    return -1;
}

static int
wide_permission(struct ectx *x, const char *class, const char *permission)
{
    bool server = class == NULL || same_name(class, "SERVER");
    if (same_name(permission, "VIEW SERVER STATE"))
        return server ? session_allowed(x->s, "view_server_state", NULL) : -1;
    if (same_name(permission, "VIEW DATABASE STATE"))
        return server ? -1
                      : session_allowed(x->s, "view_database_state", NULL) ||
                            session_allowed(x->s, "view_server_state", NULL);
    if (server)
        return same_name(permission, "CONTROL SERVER") ? session_allowed(x->s, "all", NULL) : -1;
    static const struct {
        const char *permission, *right;
    } rights[] = {
        {"SELECT", "select"}, {"INSERT", "insert"}, {"UPDATE", "update"},
        {"DELETE", "delete"}, {"ALTER", "alter"},   {"CREATE TABLE", "alter"},
        {"CONTROL", "all"},   {"UNMASK", "all"},    {"VIEW DEFINITION", "view_definition"}};
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        if (same_name(permission, rights[i].permission))
            return session_allowed(x->s, rights[i].right, NULL);
    return same_name(permission, "CONNECT") ? 1 : -1;
}

/** Is this the database? The securable is an identifier: [name] too; a raw name with a dot is two
 * parts. */
static bool
names_this_database(struct ectx *x, const char *text)
{
    char bare[260];
    size_t size = strlen(text);
    if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
        (void)snprintf(bare, sizeof bare, "%.*s", (int)(size - 2), text + 1);
        return same_name(bare, x->s->engine->database);
    }
    return !strpbrk(text, ".['\"") && same_name(text, x->s->engine->database);
}

static int
permission_of(struct ectx *x, const char *securable, const char *class, const char *permission)
{
    if (class && same_name(class, "OBJECT"))
        return securable ? object_permission(x, securable, permission) : -1;
    if (class && same_name(class, "DATABASE") && securable && !names_this_database(x, securable))
        return -1;
    return wide_permission(x, class, permission);
}

bool
f_has_perms(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    const char *text[3] = {0};
    (void)e;
    for (int i = 0; i < 3; i++)
        if (!args[i].v.is_null && !(text[i] = name_arg(x, &args[i])))
            return false;
    if (!text[2])
        return true;
    int answer = permission_of(x, text[0], text[1], text[2]);
    if (answer >= 0)
        out->v = (struct sql_value){.integer = answer};
    return true;
}

bool
f_error(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    const struct frame *f = x->s->frame;
    (void)args;
    while (f && !f->in_catch)
        f = f->outer;
    if (!f)
        return true;
    const struct sql_error *c = &f->caught;
    if (same_name(e->name, "ERROR_MESSAGE"))
        return put_utf8(x, c->text, out);
    if (same_name(e->name, "ERROR_PROCEDURE"))
        return !c->procedure[0] || put_utf8(x, c->procedure, out);
    int v = same_name(e->name, "ERROR_NUMBER")     ? c->number
            : same_name(e->name, "ERROR_SEVERITY") ? c->severity
            : same_name(e->name, "ERROR_STATE")    ? c->state
                                                   : c->line;
    out->v = (struct sql_value){.integer = v};
    return true;
}

bool
f_xact_state(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    (void)args;
    out->v = (struct sql_value){.integer = x->s->doomed ? -1 : x->s->trancount > 0};
    return true;
}

bool
f_scope_identity(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    (void)args;
    struct sql_typeinfo t = out->t;
    struct val v = val_bigint(x->s->identity_scope);
    return !x->s->identity_set || convert(&x->v, &v, t, 0, out);
}

bool
f_rowcount_big(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    (void)e;
    (void)args;
    out->v = (struct sql_value){.integer = x->s->rowcount};
    return true;
}

bool
f_applock_mode(struct ectx *x, struct expr *e, struct val *args, struct val *out)
{
    static const char *const modes[] = {"IntentShared", "IntentExclusive", "Shared", "Update",
                                        "Exclusive"};
    struct lock_row *rows;
    const char *name = name_arg(x, &args[1]);
    (void)e;
    if (!name)
        return false;
    size_t n = lock_snapshot(x->s->engine, x->v.arena, &rows);
    for (size_t i = 0; i < n; i++)
        if (rows[i].session == x->s->id && !rows[i].waiting && rows[i].resource[0] == 'A' &&
            strcmp(rows[i].resource + 1, name) == 0)
            return put_utf8(x, modes[rows[i].mode], out);
    return put_utf8(x, "NoLock", out);
}

/* ---- @@ variables ---- */

static const char version_text[] =
    "dwclean sandbox (not Microsoft SQL Server) - 13.0.5000.0 (X64)\n\tA T-SQL subset over SQLite for "
    "tests; it proves nothing about SQL Server's locking, plans or speed";

static const char version_text_utf8[] =
    "dwclean sandbox with UTF-8 text (not Microsoft SQL Server) - 12.0.2000.8\n\tA T-SQL subset over "
    "SQLite for tests, with the gaps and the errors of an engine of another make";

static const char *const version_texts[] = {version_text, version_text_utf8};

static bool
global_number(const struct session *s, const char *n, int64_t *out, bool *big)
{
    *big = false;
    const struct {
        const char *name;
        int64_t value;
    } all[] = {
        {"@@OPTIONS", s->settings.options},
        {"@@TEXTSIZE", s->settings.textsize},
        {"@@LOCK_TIMEOUT", s->settings.lock_timeout},
        {"@@TRANCOUNT", s->trancount},
        {"@@ROWCOUNT", s->rowcount > INT32_MAX ? INT32_MAX : s->rowcount},
        {"@@ERROR", s->last_error},
        {"@@SPID", s->id},
        {"@@MAX_PRECISION", 38},
        {"@@NESTLEVEL", s->nest},
        {"@@PROCID", 0},
        {"@@DATEFIRST", s->settings.datefirst},
        {"@@FETCH_STATUS", 0},
        {"@@LANGID", 0},
        {"@@MAX_CONNECTIONS", 32767},
        {"@@MICROSOFTVERSION", 0x0D001388},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (same_name(all[i].name, n)) {
            *out = all[i].value;
            return true;
        }
    }
    return false;
}

bool
global_value(struct ectx *x, const char *name, struct val *out)
{
    const struct session *s = x->s;
    int64_t number;
    bool big;
    if (global_number(s, name, &number, &big)) {
        *out = val_int(number);
        if (same_name(name, "@@SPID"))
            out->t = type_of(SQL_SMALLINT);
        return true;
    }
    if (same_name(name, "@@VERSION")) {
        *out = val_utf8(x->v.arena, version_texts[x->v.utf8]);
    } else if (same_name(name, "@@SERVERNAME")) {
        *out = val_utf8(x->v.arena, s->engine->server_name);
    } else if (same_name(name, "@@SERVICENAME")) {
        *out = val_utf8(x->v.arena, "MSSQLSERVER");
    } else if (same_name(name, "@@LANGUAGE")) {
        *out = val_utf8(x->v.arena, s->settings.language);
    } else if (same_name(name, "@@IDENTITY")) {
        struct val v = val_bigint(s->identity_scope);
        if (!s->identity_set)
            *out = val_null(type_decimal(38, 0));
        else if (!convert(&x->v, &v, type_decimal(38, 0), 0, out))
            return false;
        return true;
    } else if (same_name(name, "@@DBTS")) {
        struct val v = val_bigint(atomic_load(&s->engine->next_rowversion));
        return convert(&x->v, &v, type_chars(SQL_VARBINARY, 8), 0, out);
    } else {
        return fail(&x->v, 137, "Must declare the scalar variable \"%s\".", name);
    }
    if (out->t.max_bytes < 8000)
        out->t = type_chars(SQL_NVARCHAR, 128);
    if (same_name(name, "@@VERSION"))
        out->t = type_chars(SQL_NVARCHAR, 300);
    return true;
}
