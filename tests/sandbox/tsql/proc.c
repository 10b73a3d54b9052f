/* EXEC of procedures: the few that are known. */
#include "tsql/session.h"

/* ---- arguments ---- */

static const struct call_arg *
argument(const struct call *c, const char *name, int position)
{
    for (int i = 0; i < c->count; i++)
        if (c->args[i].name && same_name(c->args[i].name, name))
            return &c->args[i];
    if (position < c->count && !c->args[position].name)
        return &c->args[position];
    return NULL;
}

static const char *
text_argument(struct session *s, const struct call *c, const char *name, int position)
{
    const struct call_arg *a = argument(c, name, position);
    struct vctx v = session_vctx(s, c->arena);
    struct val text = {0};
    if (!a || a->value.v.is_null ||
        !convert(&v, &a->value, type_chars(SQL_NVARCHAR, 4000), 0, &text))
        return NULL;
    return val_utf8_text(c->arena, &text);
}

/* ---- sp_getapplock ---- */

static bool
bad_parameter(struct session *s, struct call *c)
{
    c->status = -999;
    (void)session_fail(s, 1202, "A bad parameter was passed to %s.", c->name);
    s->error = (struct sql_error){0};
    return true;
}

static bool
applock_mode(const char *word, enum lock_mode *out)
{
    static const struct {
        const char *word;
        enum lock_mode mode;
    } modes[] = {{"Shared", LOCK_S},
                 {"Update", LOCK_U},
                 {"Exclusive", LOCK_X},
                 {"IntentShared", LOCK_IS},
                 {"IntentExclusive", LOCK_IX}};
    for (size_t i = 0; word && i < sizeof modes / sizeof modes[0]; i++) {
        if (same_name(modes[i].word, word)) {
            *out = modes[i].mode;
            return true;
        }
    }
    return false;
}

/* Resource and owner. False: -999. */
static bool
applock_target(struct session *s, const struct call *c, bool get, char *resource, size_t size,
               enum lock_owner *owner)
{
    const char *name = text_argument(s, c, "@Resource", 0);
    const char *word = text_argument(s, c, "@LockOwner", get ? 2 : 1);
    if (!name || strlen(name) > 140)
        return false;
    text_format(resource, size, "A%s", name);
    *owner = OWNER_TRANSACTION;
    if (word && same_name(word, "Session"))
        *owner = OWNER_SESSION;
    else if (word && !same_name(word, "Transaction"))
        return false;
    return *owner == OWNER_SESSION || s->trancount > 0;
}

static bool
sp_getapplock(struct session *s, struct call *c)
{
    char resource[160];
    enum lock_owner owner;
    enum lock_mode mode;
    struct vctx v = session_vctx(s, c->arena);
    const struct call_arg *timeout = argument(c, "@LockTimeout", 3);
    struct val ms = val_int(s->settings.lock_timeout);
    if (!session_allowed(s, "applock", NULL))
        return session_fail(s, 229,
                            "The EXECUTE permission was denied on the object 'sp_getapplock', "
                            "database 'mssqlsystemresource', schema 'sys'.");
    if (!applock_target(s, c, true, resource, sizeof resource, &owner) ||
        !applock_mode(text_argument(s, c, "@LockMode", 1), &mode))
        return bad_parameter(s, c);
    if (timeout && !timeout->value.v.is_null &&
        !convert(&v, &timeout->value, type_of(SQL_INT), 0, &ms))
        return false;
    switch (lock_take(s, resource, mode, owner, (int)ms.v.integer)) {
    case LOCKED:
        c->status = 0;
        return true;
    case LOCKED_AFTER_WAIT:
        c->status = 1;
        return true;
    case LOCK_TIMED_OUT:
        c->status = -1;
        return true;
    case LOCK_DEADLOCK:
        c->status = -3;
        return true;
    case LOCK_CANCELLED:
        break;
    }
    c->status = -2;
    return !session_interrupted(s);
}

static bool
sp_releaseapplock(struct session *s, struct call *c)
{
    char resource[160];
    enum lock_owner owner;
    if (!applock_target(s, c, false, resource, sizeof resource, &owner) ||
        !lock_release_one(s, resource, owner)) {
        c->status = -999;
        return session_fail(s, 1223,
                            "Cannot release the application lock (Database Principal: "
                            "'public', Resource: '%s') because it is not currently held.",
                            resource + 1);
    }
    c->status = 0;
    return true;
}

/* ---- sp_executesql ---- */

static struct units
units_argument(struct session *s, const struct call *c, const struct call_arg *a)
{
    struct vctx v = session_vctx(s, c->arena);
    struct val text = {0};
    if (!a || a->value.v.is_null ||
        !convert(&v, &a->value, type_chars(SQL_NVARCHAR, SQL_MAX_LENGTH), 0, &text))
        return (struct units){arena_alloc(c->arena, 2), 0};
    return val_text(c->arena, &text);
}

static const struct call_arg *
parameter_value(const struct call *c, const char *name, int position)
{
    for (int i = 2; i < c->count; i++)
        if (c->args[i].name && c->args[i].name[0] && same_name(c->args[i].name, name))
            return &c->args[i];
    int i = position + 2;
    return i < c->count && !(c->args[i].name && c->args[i].name[0]) ? &c->args[i] : NULL;
}

static bool
make_parameters(struct session *s, const struct call *c, struct variable **list)
{
    struct declaration *d = NULL;
    int count = 0;
    struct vctx v = session_vctx(s, c->arena);
    struct ectx x = {.v = v, .s = s};
    const struct call_arg *text = c->count > 1 ? &c->args[1] : NULL;
    s->error = (struct sql_error){0};
    if (!parse_declarations(&v, units_argument(s, c, text), &d, &count))
        return false;
    for (int i = 0; i < count; i++) {
        const struct call_arg *a = parameter_value(c, d[i].name, i);
        struct variable *p = variable_new(c->arena, list, d[i].name, d[i].type);
        if (!a && !d[i].value)
            return session_fail(s, 8178,
                                "The parameterized query expects the parameter '%s', which was "
                                "not supplied.",
                                d[i].name);
        struct val value = {0};
        if (a ? !variable_set(&x, p, &a->value)
              : !eval_alone(s, c->arena, d[i].value, &value) || !variable_set(&x, p, &value))
            return false;
    }
    return true;
}

static void
take_outputs(struct call *c, struct variable *list)
{
    int count = 0, i = 0;
    for (const struct variable *v = list; v; v = v->next)
        count++;
    for (const struct variable *v = list; v; v = v->next, i++) { /* newest first */
        struct call_arg *a =
            (struct call_arg *)(uintptr_t)parameter_value(c, v->name, count - 1 - i);
        if (a && a->output) {
            a->value = val_copy(c->arena, &v->value);
            a->changed = true;
        }
    }
}

static enum flow
sp_executesql(struct session *s, struct call *c)
{
    struct variable *list = NULL;
    if (c->count < 1) {
        (void)session_fail(s, 214,
                           "Procedure expects parameter '@statement' of type 'ntext/nchar/"
                           "nvarchar'.");
        c->failed = true;
        return handle_error(s, 0);
    }
    enum flow f;
    if (make_parameters(s, c, &list)) {
        f = exec_text(s, units_argument(s, c, &c->args[0]), list);
        c->status = s->return_value ? s->return_value : s->last_error;
        take_outputs(c, list);
    } else {
        c->failed = true;
        f = handle_error(s, 0);
    }
    variables_free(list);
    return f;
}

/* ---- the others ---- */

static bool
sp_nothing(struct session *s, struct call *c)
{
    (void)s;
    c->status = 0;
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct session *, struct call *);
} procedures[] = {
    {"sp_getapplock", sp_getapplock},
    {"sp_releaseapplock", sp_releaseapplock},
    {"sp_reset_connection", sp_nothing},
    {"sp_flush_log", sp_nothing}, /* a commit is on disk when it answers */
};

enum flow
call_procedure(struct session *s, struct call *c)
{
    const char *name = strrchr(c->name, '.');
    name = name ? name + 1 : c->name;
    s->error = (struct sql_error){0};
    if (same_name(name, "sp_executesql"))
        return sp_executesql(s, c);
    for (size_t i = 0; i < sizeof procedures / sizeof procedures[0]; i++) {
        if (!same_name(procedures[i].name, name))
            continue;
        if (procedures[i].run(s, c))
            return FLOW_NEXT;
        text_format(s->error.procedure, sizeof s->error.procedure, "%s", procedures[i].name);
        c->failed = true;
        return handle_error(s, 0);
    }
    (void)session_fail(s, 2812, "Could not find stored procedure '%s'.", c->name);
    s->error.state = 62;
    c->failed = true;
    return handle_error(s, 0);
}

/* ---- EXEC in a batch ---- */

static bool
collect(struct session *s, const struct stmt *st, struct call *c)
{
    struct ectx x = {.v = session_vctx(s, c->arena), .s = s};
    c->args = arena_alloc(c->arena, (size_t)(st->exec_count + 1) * sizeof *c->args);
    if (st->result && !variable_find(&x, st->result)) {
        (void)session_fail(s, 137, "Must declare the scalar variable \"%s\".", st->result);
        s->error.compile = true;
        return false;
    }
    for (int i = 0; i < st->exec_count; i++) {
        struct call_arg *a = &c->args[c->count++];
        struct val v = {0};
        a->name = st->exec_args[i].name;
        a->output = st->exec_args[i].output != NULL;
        if (!eval_alone(s, c->arena, st->exec_args[i].value, &v))
            return false;
        a->value = val_copy(c->arena, &v);
    }
    return true;
}

static bool
give_back(struct session *s, const struct stmt *st, const struct call *c)
{
    struct ectx x = {.v = session_vctx(s, c->arena), .s = s};
    struct val status = val_int(c->status);
    struct variable *result = st->result ? variable_find(&x, st->result) : NULL;
    if (result && !variable_set(&x, result, &status))
        return false;
    for (int i = 0; i < st->exec_count; i++) {
        struct variable *v =
            st->exec_args[i].output ? variable_find(&x, st->exec_args[i].output) : NULL;
        if (v && c->args[i].changed && !variable_set(&x, v, &c->args[i].value))
            return false;
    }
    return true;
}

static const char *
full_name(struct arena *a, const struct name *n)
{
    if (!n->schema)
        return n->object;
    return arena_printf(a, "%s.%s", n->schema, n->object);
}

enum flow
exec_procedure(struct session *s, const struct stmt *st)
{
    struct arena a = {0}, *outer = s->statement_arena;
    struct call c = {.name = full_name(&a, &st->target), .arena = &a};
    enum flow f;
    s->statement_arena = &a;
    s->error = (struct sql_error){0};
    bool ok = catalog_refresh(s) && collect(s, st, &c);
    if (!store_statement_end(s, ok))
        ok = false;
    f = ok ? call_procedure(s, &c) : handle_error(s, 0);
    if (ok && f == FLOW_NEXT && !c.failed) {
        if (!give_back(s, st, &c))
            f = handle_error(s, 0);
        else if (s->sink->return_status)
            s->sink->return_status(s->sink->ctx, c.status);
        if (s->sink->done)
            s->sink->done(s->sink->ctx, SQL_DONE_PROC, 0, 0, 0);
    }
    s->statement_arena = outer;
    arena_free(&a);
    return f;
}
