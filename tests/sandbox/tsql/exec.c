/* Statements: control of flow, errors, the frame around each statement that reads or writes. */
#include "tsql/dialect.h"
#include "tsql/session.h"

/* ---- variables and frames ---- */

struct variable *
variable_new(struct arena *a, struct variable **list, const char *name, struct sql_typeinfo t)
{
    struct variable *v = arena_alloc(a, sizeof *v);
    t.nullable = true;
    v->name = arena_strdup(a, name);
    v->value = val_null(t);
    v->next = *list;
    *list = v;
    return v;
}

void
variables_free(struct variable *v)
{
    for (; v; v = v->next)
        free(v->own);
}

struct variable *
variable_find(struct ectx *x, const char *name)
{
    for (const struct scope *s = x->scope; s; s = s->outer)
        for (struct variable *v = s->parameters; v; v = v->next)
            if (same_name(v->name, name))
                return v;
    for (struct variable *v = x->s->frame ? x->s->frame->variables : NULL; v; v = v->next)
        if (same_name(v->name, name))
            return v;
    return NULL;
}

bool
variable_set(struct ectx *x, struct variable *v, const struct val *value)
{
    struct val now = {0};
    if (!convert(&x->v, value, v->value.t, 0, &now))
        return false;
    if (!now.v.is_null && now.v.bytes) {
        if (now.v.length > v->capacity || !v->own) {
            unsigned char *fresh = xcalloc(1, now.v.length + 1);
            memcpy(fresh, now.v.bytes, now.v.length);
            free(v->own);
            v->own = fresh;
            v->capacity = now.v.length;
        } else if (now.v.length) {
            memmove(v->own, now.v.bytes, now.v.length);
        }
        now.v.bytes = v->own;
    }
    v->value = now;
    return true;
}

void
frame_push(struct session *s, struct frame *f)
{
    f->outer = s->frame;
    f->level = s->frame ? s->frame->level + 1 : 0;
    s->frame = f;
}

void
frame_pop(struct session *s, struct frame *f)
{
    s->frame = f->outer;
    variables_free(f->variables);
    arena_free(&f->arena);
}

/* ---- errors ---- */

static bool
will_be_caught(const struct session *s)
{
    if (dialect_unmapped(&s->error))
        return false;
    for (const struct frame *f = s->frame; f; f = f->outer)
        if (f->try_depth && !(s->error.compile && f == s->frame))
            return true;
    return false;
}

/* Errors after which the server ends the batch even without XACT_ABORT. */
static bool
ends_batch(const struct sql_error *e)
{
    return e->batch || e->thrown || e->number == 245 || e->number == 241 || e->number == 1205;
}

static bool
dooms(const struct session *s)
{
    const struct sql_error *e = &s->error;
    if (e->raised)
        return false;
    return (s->settings.options & OPT_XACT_ABORT) || dialect_utf8(s) || e->number == 245 ||
           e->number == 241 || e->number == 1205;
}

static enum flow
after_cancel(struct session *s)
{
    if (s->trancount && (s->settings.options & OPT_XACT_ABORT))
        tran_rollback(s);
    return FLOW_END;
}

static enum flow
report_error(struct session *s, uint16_t command)
{
    bool fatal = dooms(s);
    sink_error(s, &s->error);
    if (s->trancount && fatal)
        tran_rollback(s);
    sink_done(s, SQL_DONE_ERROR, command, 0);
    if (fatal || ends_batch(&s->error))
        return FLOW_END;
    if (s->error.compile)
        return s->frame->outer ? FLOW_RETURN : FLOW_END;
    return FLOW_NEXT;
}

enum flow
handle_error(struct session *s, uint16_t command)
{
    if (dialect_utf8(s))
        dialect_rename(&s->error);
    s->last_error = s->error.number;
    if (s->cancelled || atomic_load(&s->dead))
        return after_cancel(s);
    if (s->error.number == 1205 && s->trancount)
        store_rollback(s); /* others wait for these locks */
    if (!will_be_caught(s))
        return report_error(s, command);
    s->doomed = s->doomed || (s->trancount && dooms(s));
    return FLOW_ERROR;
}

/* 0 = until the session ends. */
static bool
pause_for(struct session *s, int64_t ms)
{
    int64_t until = now_ms() + ms;
    while (!session_interrupted(s) && (ms == 0 || now_ms() < until)) {
        struct timespec t = {0, 5000000L};
        (void)nanosleep(&t, NULL);
    }
    return !session_interrupted(s);
}

static bool
fault_error(struct session *s, const struct fault_action *a)
{
    (void)session_fail(s, (int)a->arg, "%s", a->text[0] ? a->text : "An error was injected.");
    s->error.severity = a->arg == 1205 ? 13 : 16;
    return false;
}

static bool
fault_sql(struct session *s, const struct fault_action *a)
{
    char why[512] = "";
    return engine_run_script(s->engine, a->text, why, sizeof why) ||
           session_fail(s, 50000, "The injected statement failed: %s", why);
}

bool
fault_point(struct session *s, const char *point, const char *subject)
{
    if (s->internal || !faults_any(s->engine->faults))
        return true;
    struct fault_action a = fault_at(s->engine->faults, point, subject);
    switch (a.what) {
    case FAULT_CUT:
        atomic_store(&s->dead, true);
        return session_fail(s, 596,
                            "Cannot continue the execution because the session is in the kill "
                            "state.");
    case FAULT_FREEZE:
        return pause_for(s, a.arg);
    case FAULT_DELAY:
        return a.arg <= 0 || pause_for(s, a.arg);
    case FAULT_ERROR:
        return fault_error(s, &a);
    case FAULT_SQL:
        return fault_sql(s, &a);
    case FAULT_NONE:
    case FAULT_OTHER:
        break;
    }
    return true;
}

/* ---- transactions ---- */

bool
tran_begin(struct session *s)
{
    if (s->trancount++ == 0) {
        s->transaction = (uint64_t)atomic_fetch_add(&s->engine->next_transaction, 1) + 1;
        s->tran_name[0] = 0;
        if (s->sink->transaction)
            s->sink->transaction(s->sink->ctx, 8, s->transaction);
    }
    return true;
}

static void
tran_ended(struct session *s, int what)
{
    uint64_t id = s->transaction;
    s->trancount = 0;
    s->doomed = false;
    s->transaction = 0;
    if (id && s->sink && s->sink->transaction)
        s->sink->transaction(s->sink->ctx, what, id);
}

void
tran_rollback(struct session *s)
{
    store_rollback(s);
    tran_ended(s, 10);
}

bool
tran_commit(struct session *s)
{
    if (s->trancount == 0)
        return session_fail(s, 3902,
                            "The COMMIT TRANSACTION request has no corresponding BEGIN "
                            "TRANSACTION.");
    if (s->doomed)
        return session_fail(
            s, 3930,
            "The current transaction cannot be committed and cannot support operations "
            "that write to the log file. Roll back the transaction.");
    if (s->trancount > 1) {
        s->trancount--;
        return true;
    }
    if (!fault_point(s, "tsql.commit.before", NULL))
        return false;
    bool ok = store_commit(s);
    tran_ended(s, ok ? 9 : 10);
    return ok && fault_point(s, "tsql.commit.after", NULL);
}

static bool
exec_rollback(struct session *s, const struct stmt *st)
{
    if (s->trancount == 0)
        return session_fail(s, 3903,
                            "The ROLLBACK TRANSACTION request has no corresponding BEGIN "
                            "TRANSACTION.");
    if (st->word && st->word[0] != '@' && !same_name(st->word, s->tran_name))
        return session_fail(s, 6401,
                            "Cannot roll back %s. No transaction or savepoint of that name was "
                            "found.",
                            st->word);
    tran_rollback(s);
    return true;
}

static bool
exec_begin(struct session *s, const struct stmt *st)
{
    bool outer = s->trancount == 0;
    if (!tran_begin(s))
        return false;
    if (outer && st->word)
        text_format(s->tran_name, sizeof s->tran_name, "%s", st->word);
    return true;
}

static bool
exec_commit(struct session *s, const struct stmt *st)
{
    (void)st;
    return tran_commit(s);
}

/* ---- values ---- */

static bool
exec_declare(struct session *s, const struct stmt *st)
{
    struct ectx x = {.v = session_vctx(s, s->statement_arena), .s = s};
    for (int i = 0; i < st->declaration_count; i++) {
        const struct declaration *d = &st->declarations[i];
        struct variable *v = variable_find(&x, d->name);
        struct val value = {0};
        if (!v)
            v = variable_new(&s->frame->arena, &s->frame->variables, d->name, d->type);
        if (d->value &&
            (!eval_alone(s, s->statement_arena, d->value, &value) || !variable_set(&x, v, &value)))
            return false;
    }
    return true;
}

static bool
exec_set_variable(struct session *s, const struct stmt *st)
{
    struct ectx x = {.v = session_vctx(s, s->statement_arena), .s = s};
    struct variable *v = variable_find(&x, st->word);
    struct val value = {0}, sum = {0};
    if (!v) {
        (void)session_fail(s, 137, "Must declare the scalar variable \"%s\".", st->word);
        s->error.compile = true;
        return false;
    }
    if (!eval_alone(s, s->statement_arena, st->value, &value))
        return false;
    if (!st->op)
        return variable_set(&x, v, &value);
    return arithmetic(&x, st->op, &v->value, &value, &sum) && variable_set(&x, v, &sum);
}

static bool
exec_print(struct session *s, const struct stmt *st)
{
    struct val v = {0}, text = {0};
    struct vctx c = session_vctx(s, s->statement_arena);
    if (!eval_alone(s, s->statement_arena, st->condition, &v) ||
        !convert(&c, &v, type_chars(SQL_NVARCHAR, 4000), 0, &text))
        return false;
    session_info(s, 0, 1, text.v.is_null ? " " : val_utf8_text(s->statement_arena, &text));
    return true;
}

static bool
exec_waitfor(struct session *s, const struct stmt *st)
{
    struct val v = {0}, t = {0};
    struct vctx c = session_vctx(s, s->statement_arena);
    if (dialect_utf8(s))
        return session_fail(s, 102, "'WAITFOR' is not currently supported");
    if (!eval_alone(s, s->statement_arena, st->condition, &v) ||
        !convert(&c, &v, type_of(SQL_TIME), 0, &t))
        return session_fail(s, 148, "Incorrect time syntax in time string used with WAITFOR.");
    int64_t until = now_ms() + (t.v.is_null ? 0 : t.v.integer / 10000);
    while (now_ms() < until) {
        struct timespec nap = {0, 5000000};
        if (session_interrupted(s))
            return false;
        (void)nanosleep(&nap, NULL);
    }
    return true;
}

static bool
exec_use(struct session *s, const struct stmt *st)
{
    if (!same_name(st->word, s->engine->database))
        return session_fail(s, 911,
                            "Database '%s' does not exist. Make sure that the name is entered "
                            "correctly.",
                            st->word);
    session_info(
        s, 5701, 2,
        arena_printf(s->statement_arena, "Changed database context to '%s'.", s->engine->database));
    return true;
}

static bool
exec_kill(struct session *s, const struct stmt *st)
{
    struct val v = {0}, n = {0};
    struct vctx c = session_vctx(s, s->statement_arena);
    if (!eval_alone(s, s->statement_arena, st->condition, &v) ||
        !convert(&c, &v, type_of(SQL_INT), 0, &n))
        return false;
    if (n.v.integer == s->id)
        return session_fail(s, 6104, "Cannot use KILL to kill your own process.");
    struct session *found = NULL;
    (void)pthread_mutex_lock(&s->engine->mutex);
    for (struct session *o = s->engine->sessions; o; o = o->next)
        if (o->id == n.v.integer && !o->internal)
            found = o;
    if (found)
        session_kill(found);
    (void)pthread_mutex_unlock(&s->engine->mutex);
    lock_wake_all(s->engine);
    return found != NULL || session_fail(s, 6106, "Process ID %lld is not an active process ID.",
                                         (long long)n.v.integer);
}

static bool
exec_alter_database(struct session *s, const struct stmt *st)
{
    struct engine *e = s->engine;
    if (st->target.object && !same_name(st->target.object, e->database))
        return session_fail(s, 5011,
                            "User does not have permission to alter database '%s', the "
                            "database does not exist, or the database is not in a state that "
                            "allows access checks.",
                            st->target.object);
    if (!session_allowed(s, "alter", NULL))
        return session_fail(s, 5011, "User does not have permission to alter database '%s'.",
                            e->database);
    if (same_name(st->word, "READ_ONLY") || same_name(st->word, "READ_WRITE"))
        atomic_store(&e->read_only, same_name(st->word, "READ_ONLY"));
    else if (same_name(st->word, "READ_COMMITTED_SNAPSHOT"))
        atomic_store(&e->snapshot, st->on);
    else if (same_name(st->word, "HADR"))
        atomic_store(&e->replica, st->on);
    else if (same_name(st->word, "DISABLED") || same_name(st->word, "ALLOWED") ||
             same_name(st->word, "FORCED"))
        atomic_store(&e->delayed_durability, same_name(st->word, "FORCED")    ? 2
                                             : same_name(st->word, "ALLOWED") ? 1
                                                                              : 0);
    else if (!same_name(st->word, "ONLINE") && !same_name(st->word, "CHANGE_TRACKING"))
        atomic_store(&e->user_access, same_name(st->word, "SINGLE_USER")       ? 1
                                      : same_name(st->word, "RESTRICTED_USER") ? 2
                                                                               : 0);
    return true;
}

/* ---- the frame around a statement ---- */

static bool
starts_transaction(const struct session *s, const struct stmt *st)
{
    if (!(s->settings.options & OPT_IMPLICIT_TRANSACTIONS) || s->trancount)
        return false;
    return st->kind == ST_INSERT || st->kind == ST_UPDATE || st->kind == ST_DELETE ||
           (st->kind == ST_SELECT && st->query->first->from) || st->kind >= ST_CREATE_TABLE;
}

/* Reads and writes of one statement: all or nothing. */
bool
atomically(struct session *s, const struct stmt *st, statement_fn fn)
{
    struct arena arena = {0}, *outer = s->statement_arena;
    s->statement_arena = &arena;
    s->statement++;
    s->error = (struct sql_error){0};
    bool ok = catalog_refresh(s);
    if (ok && starts_transaction(s, st))
        ok = tran_begin(s);
    ok = ok && fn(s, st);
    struct sql_error error = s->error;
    if (!store_statement_end(s, ok)) {
        ok = false;
        error = error.number ? error : s->error;
    }
    s->error = ok ? (struct sql_error){0} : error;
    arena_free(&arena);
    s->statement_arena = outer;
    return ok;
}

static const struct {
    enum stmt_kind kind;
    statement_fn fn;
    uint16_t command;
    bool done, counts, metadata; /* sends a done; with its count; runs under FMTONLY */
} simple[] = {
    {ST_PRINT, exec_print, 0, false, false, true},
    {ST_DECLARE, exec_declare, 0, false, false, true},
    {ST_SET_VARIABLE, exec_set_variable, 0, false, false, true},
    {ST_SET_OPTION, exec_set_option, 0, false, false, true},
    {ST_SELECT, exec_select, 0xC1, false, true, true},
    {ST_INSERT, exec_insert, 0xC3, true, true, false},
    {ST_UPDATE, exec_update, 0xC5, true, true, false},
    {ST_DELETE, exec_delete, 0xC4, true, true, false},
    {ST_TRUNCATE, exec_truncate, 0, true, false, false},
    {ST_BEGIN_TRAN, exec_begin, 0xD4, true, false, false},
    {ST_COMMIT, exec_commit, 0xD5, true, false, false},
    {ST_ROLLBACK, exec_rollback, 0xD2, true, false, false},
    {ST_WAITFOR, exec_waitfor, 0, true, false, false},
    {ST_USE, exec_use, 0, true, false, true},
    {ST_KILL, exec_kill, 0, true, false, false},
    {ST_CREATE_TABLE, catalog_create_table, 0, true, false, false},
    {ST_CREATE_INDEX, catalog_create_other, 0, true, false, false},
    {ST_CREATE_TRIGGER, catalog_create_other, 0, true, false, false},
    {ST_CREATE_FUNCTION, catalog_create_other, 0, true, false, false},
    {ST_CREATE_POLICY, catalog_create_other, 0, true, false, false},
    {ST_ALTER_TABLE, catalog_alter, 0, true, false, false},
    {ST_ALTER_DATABASE, exec_alter_database, 0, true, false, false},
    {ST_DROP, catalog_drop, 0, true, false, false},
    {ST_BULK, exec_bulk, 0, true, false, false},
};

static bool
is_skipped(const struct session *s, const struct stmt *st, size_t i)
{
    if (s->settings.fmtonly && !simple[i].metadata)
        return true;
    return (s->settings.noexec || s->settings.parseonly) && st->kind != ST_SET_OPTION;
}

static void
report_done(struct session *s, size_t i)
{
    bool count = simple[i].counts && !(s->settings.options & OPT_NOCOUNT);
    if (simple[i].done)
        sink_done(s, count ? SQL_DONE_HAS_COUNT : 0, simple[i].command,
                  simple[i].counts ? (uint64_t)s->rowcount : 0);
}

static enum flow
run_simple(struct session *s, const struct stmt *st, size_t i)
{
    bool keeps_count = st->kind == ST_DECLARE || st->kind == ST_PRINT;
    int64_t before = s->rowcount;
    if (is_skipped(s, st, i))
        return FLOW_NEXT;
    s->rowcount = 0;
    if (keeps_count || simple[i].counts || st->kind == ST_SET_VARIABLE)
        s->rowcount = before; /* what runs may read @@ROWCOUNT */
    if (!atomically(s, st, simple[i].fn))
        return handle_error(s, simple[i].command);
    s->last_error = 0;
    if (st->kind == ST_SET_VARIABLE)
        s->rowcount = 1;
    report_done(s, i);
    return FLOW_NEXT;
}

/* ---- control of flow ---- */

static bool
test_condition(struct session *s, const struct stmt *st)
{
    struct ectx x = {.v = session_vctx(s, s->statement_arena), .s = s};
    return bind_expr(&x, st->condition) && eval_true(&x, st->condition, &s->condition);
}

static enum flow
run_if(struct session *s, const struct stmt *st)
{
    if (s->settings.fmtonly) { /* both branches show what they would return */
        enum flow f = exec_statement(s, st->body);
        return f == FLOW_NEXT && st->otherwise ? exec_statement(s, st->otherwise) : f;
    }
    if (!atomically(s, st, test_condition))
        return handle_error(s, 0);
    if (s->condition)
        return exec_statement(s, st->body);
    return st->otherwise ? exec_statement(s, st->otherwise) : FLOW_NEXT;
}

static enum flow
run_while(struct session *s, const struct stmt *st)
{
    for (;;) {
        if (session_interrupted(s))
            return handle_error(s, 0);
        if (!atomically(s, st, test_condition))
            return handle_error(s, 0);
        if (!s->condition)
            return FLOW_NEXT;
        enum flow f = exec_statement(s, st->body);
        if (f == FLOW_BREAK)
            return FLOW_NEXT;
        if (f != FLOW_NEXT && f != FLOW_CONTINUE)
            return f;
        if (s->settings.fmtonly)
            return FLOW_NEXT;
    }
}

static enum flow
run_try(struct session *s, const struct stmt *st)
{
    struct frame *f = s->frame;
    f->try_depth++;
    enum flow flow = exec_list(s, st->body);
    f->try_depth--;
    if (flow != FLOW_ERROR || s->error.compile)
        return flow;
    struct sql_error before = f->caught;
    bool was = f->in_catch;
    f->caught = s->error;
    f->in_catch = true;
    s->error = (struct sql_error){0};
    flow = exec_list(s, st->otherwise);
    f->caught = before;
    f->in_catch = was;
    return flow;
}

static bool
return_value(struct session *s, const struct stmt *st)
{
    struct val v = {0}, n = {0};
    struct vctx c = session_vctx(s, s->statement_arena);
    if (!eval_alone(s, s->statement_arena, st->condition, &v) ||
        !convert(&c, &v, type_of(SQL_INT), 0, &n))
        return false;
    s->frame->return_value = (int)n.v.integer;
    return true;
}

static enum flow
run_return(struct session *s, const struct stmt *st)
{
    if (st->condition && !s->frame->outer && !s->frame->parameters_given)
        return session_fail(s, 178,
                            "A RETURN statement with a return value cannot be used in this "
                            "context.")
                   ? FLOW_NEXT
                   : handle_error(s, 0);
    if (st->condition && !atomically(s, st, return_value))
        return handle_error(s, 0);
    return FLOW_RETURN;
}

/* ---- EXEC ---- */

enum flow
exec_text(struct session *s, struct units text, struct variable *parameters)
{
    struct frame f = {.variables = parameters};
    if (s->nest >= 32) {
        (void)session_fail(s, 217,
                           "Maximum stored procedure, function, trigger, or view nesting level "
                           "exceeded (limit 32).");
        return handle_error(s, 0);
    }
    frame_push(s, &f);
    s->nest++;
    enum flow flow;
    s->error = (struct sql_error){0};
    struct plan *plan = plan_take(s, text, &f.batch);
    if (plan) {
        flow = exec_list(s, f.batch.first);
    } else {
        s->error.compile = true;
        flow = handle_error(s, 0);
    }
    s->nest--;
    s->return_value = f.return_value;
    for (struct variable *v = f.variables; v != parameters; v = v->next)
        free(v->own);
    f.variables = NULL; /* the parameters are the caller's */
    frame_pop(s, &f);
    plan_give_back(s, plan);
    s->error.compile = false;
    return flow == FLOW_RETURN || flow == FLOW_BREAK || flow == FLOW_CONTINUE ? FLOW_NEXT : flow;
}

static bool
string_to_run(struct session *s, const struct stmt *st)
{
    struct val v = {0}, text = {0};
    struct vctx c = session_vctx(s, s->statement_arena);
    if (!eval_alone(s, s->statement_arena, st->condition, &v) ||
        !convert(&c, &v, type_chars(SQL_NVARCHAR, SQL_MAX_LENGTH), 0, &text))
        return false;
    buf_free(&s->pending_text);
    if (!text.v.is_null)
        buf_put(&s->pending_text, text.v.bytes, text.v.length);
    return true;
}

static enum flow
run_exec_string(struct session *s, const struct stmt *st)
{
    if (!atomically(s, st, string_to_run))
        return handle_error(s, 0);
    struct arena a = {0};
    struct units text = units_from_le(&a, s->pending_text.data, s->pending_text.length);
    enum flow f = exec_text(s, text, NULL);
    arena_free(&a);
    return f;
}

/* ---- dispatch ---- */

static enum flow
run_control(struct session *s, const struct stmt *st)
{
    switch ((int)st->kind) {
    case ST_BLOCK:
        return exec_list(s, st->body);
    case ST_IF:
        return run_if(s, st);
    case ST_WHILE:
        return run_while(s, st);
    case ST_BREAK:
        return FLOW_BREAK;
    case ST_CONTINUE:
        return FLOW_CONTINUE;
    case ST_RETURN:
        return run_return(s, st);
    case ST_TRY:
        return run_try(s, st);
    case ST_THROW:
        return run_throw(s, st);
    case ST_RAISERROR:
        return run_raise(s, st);
    case ST_EXEC:
        return s->settings.fmtonly ? FLOW_NEXT : exec_procedure(s, st);
    default:
        return s->settings.fmtonly ? FLOW_NEXT : run_exec_string(s, st);
    }
}

static bool
before_statement(struct session *s, const struct stmt *st)
{
    s->line = st->line;
    if (session_interrupted(s))
        return false;
    if (s->internal || st->kind == ST_BLOCK || st->kind == ST_TRY || !faults_any(s->engine->faults))
        return true;
    struct arena a = {0};
    bool ok = fault_point(s, "tsql.statement", stmt_text(&a, &s->frame->batch, st));
    arena_free(&a);
    return ok;
}

enum flow
exec_statement(struct session *s, const struct stmt *st)
{
    if (!before_statement(s, st))
        return handle_error(s, 0);
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (simple[i].kind == st->kind)
            return run_simple(s, st, i);
    return run_control(s, st);
}

enum flow
exec_list(struct session *s, const struct stmt *st)
{
    for (; st; st = st->next) {
        enum flow f = exec_statement(s, st);
        if (f != FLOW_NEXT)
            return f;
    }
    return FLOW_NEXT;
}
