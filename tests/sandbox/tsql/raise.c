/* THROW and RAISERROR. */
#include "tsql/session.h"

static bool
make_throw(struct session *s, const struct stmt *st)
{
    struct arena *a = s->statement_arena;
    struct vctx c = session_vctx(s, a);
    struct val v[3] = {0};
    struct val number = {0}, text = {0}, state = {0};
    for (int i = 0; i < 3; i++)
        if (!eval_alone(s, a, st->args[i], &v[i]))
            return false;
    if (!convert(&c, &v[0], type_of(SQL_INT), 0, &number) ||
        !convert(&c, &v[1], type_chars(SQL_NVARCHAR, 2048), 0, &text) ||
        !convert(&c, &v[2], type_of(SQL_INT), 0, &state))
        return false;
    if (number.v.is_null || number.v.integer < 50000)
        return session_fail(s, 35100,
                            "Error number %lld in the THROW statement is outside the valid "
                            "range. Specify an error number in the valid range of 50000 to "
                            "2147483647.",
                            (long long)number.v.integer);
    (void)session_fail(s, (int)number.v.integer, "%s",
                       text.v.is_null ? "" : val_utf8_text(a, &text));
    s->error.state = (int)state.v.integer;
    s->error.thrown = true;
    return false;
}

enum flow
run_throw(struct session *s, const struct stmt *st)
{
    if (st->arg_count) {
        (void)atomically(s, st, make_throw);
        return handle_error(s, 0);
    }
    const struct frame *f = s->frame;
    while (f && !f->in_catch)
        f = f->outer;
    if (!f) {
        (void)session_fail(s, 10704,
                           "To rethrow an error, a THROW statement must be used inside a CATCH "
                           "block. Insert the THROW statement inside a CATCH block, or add "
                           "error parameters to the THROW statement.");
        return handle_error(s, 0);
    }
    s->error = f->caught;
    s->error.thrown = true;
    s->error.compile = false;
    return handle_error(s, 0);
}

/* ---- RAISERROR ---- */

static const char *
raise_argument(struct session *s, const struct stmt *st, int i)
{
    struct arena *a = s->statement_arena;
    struct vctx c = session_vctx(s, a);
    struct val v = {0}, text = {0};
    if (i >= st->arg_count || !eval_alone(s, a, st->args[i], &v) ||
        !convert(&c, &v, type_chars(SQL_NVARCHAR, 4000), 0, &text) || text.v.is_null)
        return "(null)";
    return val_utf8_text(a, &text);
}

static const char *
raise_text(struct session *s, const struct stmt *st, const char *format)
{
    char out[2048];
    size_t n = 0;
    int arg = 3;
    for (const char *p = format; *p && n + 1 < sizeof out; p++) {
        if (*p != '%') {
            out[n++] = *p;
            continue;
        }
        p++;
        while (*p && strchr("0123456789+-# .*I64lh", *p))
            p++;
        if (*p == '%' || !*p) {
            out[n++] = '%';
            if (!*p)
                break;
            continue;
        }
        const char *value = raise_argument(s, st, arg++);
        size_t length = strlen(value);
        if (length > sizeof out - 1 - n)
            length = sizeof out - 1 - n;
        memcpy(out + n, value, length);
        n += length;
    }
    out[n] = 0;
    return arena_strdup(s->statement_arena, out);
}

static bool
make_raise(struct session *s, const struct stmt *st)
{
    struct arena *a = s->statement_arena;
    struct vctx c = session_vctx(s, a);
    struct val v[3] = {0};
    struct val severity = {0}, state = {0};
    for (int i = 0; i < 3; i++)
        if (!eval_alone(s, a, st->args[i], &v[i]))
            return false;
    if (!convert(&c, &v[1], type_of(SQL_INT), 0, &severity) ||
        !convert(&c, &v[2], type_of(SQL_INT), 0, &state))
        return false;
    if (!type_is_char(v[0].t.type))
        return session_fail(s, 18054,
                            "Error %lld, severity %lld, state %lld was raised, but no message "
                            "with that error number was found in sys.messages.",
                            (long long)v[0].v.integer, (long long)severity.v.integer,
                            (long long)state.v.integer);
    const char *text = raise_text(s, st, v[0].v.is_null ? "" : val_utf8_text(a, &v[0]));
    if (severity.v.integer <= 10) {
        session_info(s, 50000, (int)state.v.integer, text);
        return true;
    }
    (void)session_fail(s, 50000, "%s", text);
    s->error.severity = severity.v.integer > 18 ? 18 : (int)severity.v.integer;
    s->error.state = (int)state.v.integer;
    s->error.raised = true;
    return false;
}

enum flow
run_raise(struct session *s, const struct stmt *st)
{
    return atomically(s, st, make_raise) ? FLOW_NEXT : handle_error(s, 0);
}
