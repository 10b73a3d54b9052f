/* Engine, logins, sessions: the functions of engine.h. */
#include "tsql/session.h"

#include "tsql/dialect.h"

#include <sys/random.h>

int64_t
now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct vctx
session_vctx(struct session *s, struct arena *a)
{
    struct vctx c = {
        .arena = a, .error = &s->error, .options = s->settings.options, .line = s->line};
    c.utf8 = dialect_utf8(s);
    memcpy(c.dateformat, s->settings.dateformat, sizeof c.dateformat);
    return c;
}

bool
session_fail(struct session *s, int number, const char *format, ...)
{
    s->error = (struct sql_error){
        .number = number, .severity = severity_of(number), .state = 1, .line = s->line};
    va_list ap;
    va_start(ap, format);
    text_vformat(s->error.text, sizeof s->error.text, format, ap);
    va_end(ap);
    return false;
}

bool
session_interrupted(struct session *s)
{
    if (atomic_load(&s->cancel)) {
        s->cancelled = true;
        (void)session_fail(s, 3617, "The request was cancelled.");
        return true;
    }
    if (atomic_load(&s->dead)) {
        (void)session_fail(s, 596, "The session is in the kill state.");
        return true;
    }
    return false;
}

/* ---- rights ---- */

static bool
right_given(const struct right *list, const char *name, const char *table)
{
    for (const struct right *r = list; r; r = r->next) {
        bool all = same_name(r->name, "all");
        if (!all && !same_name(r->name, name))
            continue;
        if (!r->table || (table && same_name(r->table, table)))
            return true;
    }
    return false;
}

bool
session_allowed(const struct session *s, const char *right, const char *table)
{
    if (s->all_rights)
        return true;
    if (table && strncmp(table, "msdb.", 5) == 0)
        return same_name(right, "select") && right_given(s->rights, "msdb", NULL);
    return right_given(s->rights, right, table);
}

static void
rights_free(struct right *r)
{
    for (struct right *next; r; r = next) {
        next = r->next;
        free(r->name);
        free(r->table);
        free(r);
    }
}

struct right *
rights_parse(const char *text)
{
    struct right *list = NULL;
    while (*text) {
        size_t n = strcspn(text, ",");
        char item[300];
        text_format(item, sizeof item, "%.*s", (int)(n < 299 ? n : 299), text);
        char *start = item + strspn(item, " "), *table = strchr(start, ':');
        if (table)
            *table++ = 0;
        if (*start) {
            struct right *r = xcalloc(1, sizeof *r);
            r->name = xstrdup(start);
            r->table = table ? xstrdup(table) : NULL;
            r->next = list;
            list = r;
        }
        text += n + (text[n] == ',');
    }
    return list;
}

void
login_free(struct login *l)
{
    rights_free(l->rights);
    free(l->user);
    free(l->password);
    free(l->owner);
    free(l);
}

bool
engine_add_login(struct engine *e, const char *user, const char *password, const char *rights)
{
    struct login *l = xcalloc(1, sizeof *l);
    l->user = xstrdup(user);
    l->password = xstrdup(password);
    l->rights = rights_parse(rights);
    (void)pthread_mutex_lock(&e->mutex);
    bool taken = false;
    for (const struct login *o = e->logins; o; o = o->next)
        taken = taken || same_name(o->user, user);
    if (!taken) {
        l->next = e->logins;
        e->logins = l;
    }
    (void)pthread_mutex_unlock(&e->mutex);
    if (taken)
        login_free(l);
    return !taken;
}

/* ---- engine ---- */

static const char msdb_tables[] =
    "CREATE TABLE [msdb.dbo.backupset] (backup_set_id int NOT NULL PRIMARY KEY, backup_set_uuid "
    "uniqueidentifier NULL, media_set_id int NULL, name nvarchar(128) NULL, server_name nvarchar(128) "
    "NULL, database_name nvarchar(128) NULL, machine_name nvarchar(128) NULL, database_guid "
    "uniqueidentifier NULL, backup_start_date datetime NULL, backup_finish_date datetime NULL, type "
    "char(1) NULL, backup_size numeric(20,0) NULL, recovery_fork_guid uniqueidentifier NULL, "
    "is_copy_only bit NULL);"
    "CREATE TABLE [msdb.dbo.restorehistory] (restore_history_id int NOT NULL PRIMARY KEY, restore_date "
    "datetime NULL, destination_database_name nvarchar(128) NULL, user_name nvarchar(128) NULL, "
    "backup_set_id int NOT NULL, restore_type char(1) NULL, replace bit NULL, recovery bit NULL, "
    "restart bit NULL, stop_at datetime NULL, device_count tinyint NULL, stop_at_mark_name "
    "nvarchar(128) NULL, stop_before bit NULL);";

struct engine *
engine_open(const struct engine_options *o, char *why, size_t why_size)
{
    struct engine *e = xcalloc(1, sizeof *e);
    pthread_condattr_t monotonic;
    e->directory = xstrdup(o->directory);
    e->server_name = xstrdup(o->server_name);
    e->database = xstrdup(o->database);
    e->faults = o->faults;
    e->log = o->log;
    e->next_session = 50;
    e->utf8 = o->utf8;
    e->started = now_ms();
    atomic_store(&e->snapshot, o->read_committed_snapshot);
    atomic_store(&e->next_object, 245575913);
    atomic_store(&e->next_rowversion, 2000);
    atomic_store(&e->next_transaction, 900);
    (void)pthread_mutex_init(&e->mutex, NULL);
    (void)pthread_mutex_init(&e->locks.mutex, NULL);
    (void)pthread_mutex_init(&e->plans.mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&e->locks.changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (getrandom(e->guid, 16, 0) != 16 || getrandom(e->fork, 16, 0) != 16 ||
        !engine_run_script(e, msdb_tables, why, why_size)) {
        engine_close(e);
        return NULL;
    }
    return e;
}

void
engine_close(struct engine *e)
{
    if (!e)
        return;
    for (struct login *l = e->logins, *next; l; l = next) {
        next = l->next;
        login_free(l);
    }
    for (struct identity_value *i = e->identities, *next; i; i = next) {
        next = i->next;
        free(i);
    }
    plans_free(&e->plans);
    (void)pthread_cond_destroy(&e->locks.changed);
    (void)pthread_mutex_destroy(&e->locks.mutex);
    (void)pthread_mutex_destroy(&e->mutex);
    free(e->directory);
    free(e->server_name);
    free(e->database);
    free(e);
}

/* ---- opening and closing sessions ---- */

static struct session *
session_new(struct engine *e)
{
    struct session *s = xcalloc(1, sizeof *s);
    char why[256];
    s->engine = e;
    s->catalog.version = -1;
    s->done_kind = SQL_DONE_STATEMENT;
    s->login_time = s->request_time = now_ms();
    (void)pthread_mutex_init(&s->run, NULL);
    if (!store_open(s, why, sizeof why)) {
        (void)session_fail(s, 9002, "%s", why);
        s->catalog.version = -2;
    }
    return s;
}

static void
session_enter(struct session *s)
{
    struct engine *e = s->engine;
    (void)pthread_mutex_lock(&e->mutex);
    s->id = ++e->next_session;
    s->next = e->sessions;
    e->sessions = s;
    (void)pthread_mutex_unlock(&e->mutex);
}

static void
drop_temps(struct session *s)
{
    for (struct table *t = s->temps, *next; t; t = next) {
        struct arena *a = t->arena;
        next = t->next;
        arena_free(a);
        free(a);
    }
    s->temps = NULL;
}

void
session_close(struct session *s)
{
    struct engine *e = s->engine;
    (void)pthread_mutex_lock(&e->mutex);
    for (struct session **at = &e->sessions; *at; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&e->mutex);
    if (s->bulk && s->bulk_open) /* a load that nobody ended holds it */
        (void)pthread_mutex_unlock(&s->run);
    bulk_free(s);
    store_rollback(s);
    lock_release(s, OWNER_SESSION);
    store_close(s);
    drop_temps(s);
    catalog_free(s);
    buf_free(&s->pending_text);
    (void)pthread_mutex_destroy(&s->run);
    free(s->user);
    free(s->database);
    free(s->application);
    free(s->workstation);
    free(s);
}

static bool
refuse(const struct sql_sink *sink, int number, int severity, int state, const char *text)
{
    sink->message(sink->ctx, number, severity, state, text, "", 1);
    return false;
}

static bool
check_database(struct engine *e, const struct login_request *r, const struct sql_sink *sink)
{
    char text[512];
    if (!r->database || !r->database[0] || same_name(r->database, e->database))
        return true;
    text_format(text, sizeof text,
                "Cannot open database \"%.200s\" requested by the login. The login "
                "failed.",
                r->database);
    (void)refuse(sink, 4060, 11, 1, text);
    text_format(text, sizeof text, "Login failed for user '%.200s'.", r->user);
    return refuse(sink, 18456, 14, 1, text);
}

static const struct login *
find_login(struct engine *e, const struct login_request *r)
{
    const struct login *found = NULL;
    (void)pthread_mutex_lock(&e->mutex);
    for (const struct login *l = e->logins; l; l = l->next)
        if (same_name(l->user, r->user) && strcmp(l->password, r->password) == 0 &&
            login_is_open(l))
            found = l;
    (void)pthread_mutex_unlock(&e->mutex);
    return found;
}

/* The firewall is asked before name and password are. */
static bool
kept_out(struct engine *e, const struct login_request *r)
{
    bool out = false;
    (void)pthread_mutex_lock(&e->mutex);
    for (const struct login *l = e->logins; l; l = l->next)
        out = out || (same_name(l->user, r->user) && login_is_behind_firewall(l));
    (void)pthread_mutex_unlock(&e->mutex);
    return out;
}

/* SINGLE_USER and RESTRICTED_USER keep others out. */
static bool
access_allowed(struct engine *e, const struct login *l)
{
    int access = atomic_load(&e->user_access);
    bool others = false;
    (void)pthread_mutex_lock(&e->mutex);
    for (const struct session *o = e->sessions; o; o = o->next)
        others = others || !o->internal;
    (void)pthread_mutex_unlock(&e->mutex);
    return access == 0 || (access == 1 && !others) ||
           (access == 2 && right_given(l->rights, "all", NULL));
}

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

struct session *
engine_login(struct engine *e, const struct login_request *r, const struct sql_sink *sink)
{
    const struct login *l = find_login(e, r);
    char text[512];
    if (kept_out(e, r)) {
        text_format(text, sizeof text,
                    "Cannot open server '%.120s' requested by the login. Client with IP address "
                    "'127.0.0.1' is not allowed to access the server.",
                    e->server_name);
        (void)refuse(sink, 40615, 14, 1, text);
        return NULL;
    }
    if (!l) {
        text_format(text, sizeof text, "Login failed for user '%.200s'.", r->user);
        (void)refuse(sink, 18456, 14, 1, text);
        return NULL;
    }
    if (!check_database(e, r, sink))
        return NULL;
    if (!access_allowed(e, l)) {
        text_format(text, sizeof text,
                    "Database '%s' is already open and can only have one user at a "
                    "time.",
                    e->database);
        (void)refuse(sink, 924, 14, 1, text);
        return NULL;
    }
    struct session *s = session_new(e);
    s->rights = l->rights;
    s->user = xstrdup(r->user);
    s->database = xstrdup(e->database);
    s->application = xstrdup(or_empty(r->application));
    s->workstation = xstrdup(or_empty(r->workstation));
    s->odbc = r->odbc;
    s->encrypted = r->encrypted;
    s->replica = r->read_only_intent && atomic_load(&e->replica);
    settings_reset(s);
    session_enter(s);
    if (s->catalog.version == -2) {
        (void)refuse(sink, 9002, 17, 1, s->error.text);
        session_close(s);
        return NULL;
    }
    return s;
}

struct session *
session_open_internal(struct engine *e)
{
    struct session *s = session_new(e);
    s->all_rights = s->internal = s->odbc = true;
    s->user = xstrdup("sa");
    s->database = xstrdup(e->database);
    s->application = xstrdup("sandbox");
    s->workstation = xstrdup("localhost");
    settings_reset(s);
    s->settings.lock_timeout = 5000;
    s->settings.options |= OPT_NOCOUNT;
    session_enter(s);
    return s;
}

int
session_id(const struct session *s)
{
    return s->id;
}

const char *
session_database(const struct session *s)
{
    return s->database;
}

bool
session_dead(const struct session *s)
{
    return atomic_load(&s->dead);
}

/* ---- requests ---- */

static void
request_begin(struct session *s, const struct sql_sink *sink)
{
    (void)pthread_mutex_lock(&s->run);
    s->sink = sink;
    s->cancelled = false;
    s->done_kind = SQL_DONE_STATEMENT;
    s->request_time = now_ms();
    s->line = 1;
    s->error = (struct sql_error){0};
    atomic_store(&s->running, true);
}

static void
request_end(struct session *s)
{
    if (s->doomed && !s->cancelled && !atomic_load(&s->dead)) {
        tran_rollback(s);
        (void)session_fail(s, 3998,
                           "Uncommittable transaction is detected at the end of the batch. The "
                           "transaction is rolled back.");
        sink_error(s, &s->error);
        s->last_error = 3998;
        sink_done(s, SQL_DONE_ERROR, 0, 0);
    }
    if (s->cancelled && !atomic_load(&s->dead))
        s->sink->done(s->sink->ctx, s->done_kind, SQL_DONE_ATTENTION, 0, 0);
    atomic_store(&s->running, false);
    atomic_store(&s->cancel, false);
    if (atomic_load(&s->dead))
        store_rollback(s);
    s->sink = NULL;
    s->done_kind = SQL_DONE_STATEMENT;
    (void)pthread_mutex_unlock(&s->run);
}

static void
run_batch(struct session *s, struct units text)
{
    struct frame f = {0};
    frame_push(s, &f);
    struct plan *plan = plan_take(s, text, &f.batch);
    if (plan) {
        (void)exec_list(s, f.batch.first);
    } else {
        if (dialect_utf8(s)) {
            dialect_rename(&s->error);
            if (s->trancount)
                tran_rollback(s);
        }
        sink_error(s, &s->error);
        s->last_error = s->error.number;
        sink_done(s, SQL_DONE_ERROR, 0, 0);
    }
    frame_pop(s, &f);
    plan_give_back(s, plan);
}

void
session_batch(struct session *s, const unsigned char *utf16le, size_t bytes,
              const struct sql_sink *sink)
{
    struct arena a = {0};
    request_begin(s, sink);
    run_batch(s, units_from_le(&a, utf16le, bytes));
    request_end(s);
    arena_free(&a);
}

static void
call_results(struct session *s, const struct call *c, const struct sql_parameter *p, size_t first)
{
    if (s->cancelled || atomic_load(&s->dead))
        return;
    if (s->sink->return_status)
        s->sink->return_status(s->sink->ctx, c->status);
    for (int i = (int)first; i < c->count; i++) {
        if (!c->args[i].output || !s->sink->output)
            continue;
        struct sql_column column = p[(size_t)i - first].column;
        column.type = c->args[i].value.t;
        s->sink->output(s->sink->ctx, (size_t)i - first, &column, &c->args[i].value.v);
    }
}

static void
fill_args(struct call *c, const struct sql_parameter *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct call_arg *a = &c->args[c->count++];
        const uint16_t *name = p[i].column.name;
        a->name = name && p[i].column.name_units
                      ? utf8_from_units(c->arena, name, p[i].column.name_units)
                      : NULL;
        a->value = (struct val){p[i].column.type, p[i].value};
        a->output = p[i].output;
    }
}

static void
run_call(struct session *s, struct call *c, const struct sql_parameter *p, size_t first)
{
    struct frame f = {0};
    struct arena *outer = s->statement_arena;
    s->done_kind = SQL_DONE_IN_PROC;
    s->statement_arena = c->arena;
    frame_push(s, &f);
    bool ready = catalog_refresh(s);
    enum flow flow = ready ? call_procedure(s, c) : handle_error(s, 0);
    frame_pop(s, &f);
    s->statement_arena = outer;
    if (!c->failed)
        call_results(s, c, p, first);
    s->done_kind = SQL_DONE_PROC;
    if (!s->cancelled)
        sink_done(s, flow == FLOW_NEXT && !c->failed ? 0 : SQL_DONE_ERROR, 0, 0);
}

void /* NOLINTNEXTLINE(readability-function-size): as the interface has it */
session_execute(struct session *s, const unsigned char *sql_utf16le, size_t sql_bytes,
                const unsigned char *declarations_utf16le, size_t declarations_bytes,
                const struct sql_parameter *parameters, size_t count, const struct sql_sink *sink)
{
    struct arena a = {0};
    struct call c = {.name = "sp_executesql", .arena = &a};
    c.args = arena_alloc(&a, (count + 3) * sizeof *c.args);
    c.args[0].value = val_units(&a, units_from_le(&a, sql_utf16le, sql_bytes));
    c.args[1].value = val_units(&a, units_from_le(&a, declarations_utf16le, declarations_bytes));
    c.count = 2;
    fill_args(&c, parameters, count);
    request_begin(s, sink);
    run_call(s, &c, parameters, 2);
    request_end(s);
    arena_free(&a);
}

void
session_call(struct session *s, const char *procedure, const struct sql_parameter *parameters,
             size_t count, const struct sql_sink *sink)
{
    struct arena a = {0};
    struct call c = {.name = procedure, .arena = &a};
    c.args = arena_alloc(&a, (count + 1) * sizeof *c.args);
    fill_args(&c, parameters, count);
    request_begin(s, sink);
    run_call(s, &c, parameters, 0);
    request_end(s);
    arena_free(&a);
}

void
session_transaction(struct session *s, int request, const struct sql_sink *sink)
{
    uint16_t command = request == 5 ? 0xD4 : request == 7 ? 0xD5 : 0xD2;
    request_begin(s, sink);
    bool ok = true;
    if (request == 5)
        ok = tran_begin(s);
    else if (request == 7)
        ok = tran_commit(s);
    else if (request == 8 && s->trancount)
        tran_rollback(s);
    else
        ok = session_fail(s, 3903,
                          "The ROLLBACK TRANSACTION request has no corresponding BEGIN "
                          "TRANSACTION.");
    if (!ok && !atomic_load(&s->dead)) {
        s->last_error = s->error.number;
        sink_error(s, &s->error);
    }
    sink_done(s, ok ? 0 : SQL_DONE_ERROR, command, 0);
    request_end(s);
}

void
session_reset(struct session *s, const struct sql_sink *sink)
{
    if (s->bulk)
        session_bulk_end(s, false, sink);
    (void)pthread_mutex_lock(&s->run);
    s->sink = sink;
    if (s->trancount)
        tran_rollback(s);
    lock_release(s, OWNER_SESSION);
    for (struct table *t = s->temps; t; t = t->next)
        t->dropped = true;
    (void)sqlite3_finalize(s->temp.insert);
    s->temp.insert = NULL;
    drop_temps(s);
    settings_reset(s);
    s->identity_set = false;
    s->rowcount = 0;
    s->last_error = 0;
    s->sink = NULL;
    (void)pthread_mutex_unlock(&s->run);
}

void
session_cancel(struct session *s)
{
    if (!atomic_load(&s->running))
        return;
    atomic_store(&s->cancel, true);
    lock_wake_all(s->engine);
}

/* ---- scripts ---- */

struct script {
    char *why;
    size_t size;
    bool failed;
};

static bool
script_columns(void *ctx, const struct sql_column *columns, size_t count)
{
    (void)ctx;
    (void)columns;
    (void)count;
    return true;
}

static bool
script_row(void *ctx, const struct sql_value *values, size_t count)
{
    (void)ctx;
    (void)values;
    (void)count;
    return true;
}

static void
script_done(void *ctx, enum sql_done_kind kind, unsigned flags, uint16_t command, uint64_t rows)
{
    (void)ctx;
    (void)kind;
    (void)flags;
    (void)command;
    (void)rows;
}

static void /* NOLINTNEXTLINE(readability-function-size): as the interface has it */
script_message(void *ctx, int32_t number, int severity, int state, const char *text,
               const char *procedure, int line)
{
    struct script *c = ctx;
    (void)procedure;
    (void)state;
    if (severity <= 10 || c->failed)
        return;
    c->failed = true;
    text_format(c->why, c->size, "%d, line %d: %s", number, line, text);
}

bool
engine_run_script(struct engine *e, const char *sql, char *why, size_t why_size)
{
    struct script c = {why, why_size, false};
    struct sql_sink sink = {.ctx = &c,
                            .columns = script_columns,
                            .row = script_row,
                            .done = script_done,
                            .message = script_message};
    struct arena a = {0};
    struct session *s = session_open_internal(e);
    if (s->catalog.version == -2) {
        text_format(why, why_size, "%s", s->error.text);
        c.failed = true;
    } else {
        request_begin(s, &sink);
        run_batch(s, units_from_utf8(&a, sql));
        if (s->trancount && !c.failed && !s->doomed)
            (void)tran_commit(s);
        request_end(s);
    }
    session_close(s);
    arena_free(&a);
    return !c.failed;
}
