/* Conditions that need not wait for a join: a row of a source that fails one of its own conditions
 * of WHERE is in no row of the result, so it is not joined at all. Only conditions that cannot fail
 * with an error. */
#include "tsql/session.h"

/* A whole number of the row, of the text, or that stands for the whole statement; ret_source: -1 =
 * of no source. */
static bool
is_plain_number(const struct expr *e, int *ret_source)
{
    if (!type_is_int(e->type.type))
        return false;
    if (e->kind == EX_COLUMN && e->depth == 0) {
        *ret_source = e->source;
        return true;
    }
    *ret_source = -1;
    return e->kind == EX_LITERAL || (e->kind == EX_CALL && e->steady);
}

/* The one source that the condition is about; -1 = it is about more, about none, or may fail. */
static int
own_source(const struct expr *e)
{
    int found = -1;
    if (e->kind != EX_COMPARE && e->kind != EX_IN)
        return -1;
    for (int i = 0; i < e->count; i++) {
        int source = -1;
        if (!is_plain_number(e->args[i], &source) || (found >= 0 && source >= 0 && source != found))
            return -1;
        found = source >= 0 ? source : found;
    }
    return found;
}

static void
give(struct arena *a, struct source *src, struct expr *condition)
{
    struct expr **all = arena_alloc(a, (size_t)(src->early_count + 1) * sizeof(void *));
    for (int i = 0; i < src->early_count; i++)
        all[i] = src->early[i];
    all[src->early_count++] = condition;
    src->early = all;
}

/* Is the source on the side of a LEFT JOIN whose rows may be NULL? There WHERE sees what the join
 * makes of them. */
static bool
may_be_null(const struct from *f, int source, bool optional)
{
    if (f->kind != FROM_JOIN)
        return f->source == source && optional;
    return may_be_null(f->left, source, optional) ||
           may_be_null(f->right, source, optional || f->join == JOIN_LEFT);
}

static void
place(struct arena *a, const struct select *s, struct bound_select *b, struct expr *e)
{
    if (e->kind == EX_AND) {
        place(a, s, b, e->args[0]);
        place(a, s, b, e->args[1]);
        return;
    }
    int source = own_source(e);
    if (source >= 0 && !may_be_null(s->from, source, false))
        give(a, b->sources[source], e);
}

/* Can the condition neither fail nor be about anything but whole numbers? */
static bool
is_plain(const struct expr *e)
{
    int source;
    if (e->kind == EX_AND)
        return is_plain(e->args[0]) && is_plain(e->args[1]);
    return e->kind == EX_COMPARE && is_plain_number(e->args[0], &source) &&
           is_plain_number(e->args[1], &source);
}

/* An equality of ON between a column of the source and one of another source. */
static void
find_probe(struct source *src, int index, const struct expr *e)
{
    if (e->kind == EX_AND) {
        find_probe(src, index, e->args[0]);
        find_probe(src, index, e->args[1]);
        return;
    }
    for (int i = 0; i < 2 && e->op == '=' && !src->probe; i++) {
        const struct expr *own = e->args[i], *other = e->args[1 - i];
        if (own->kind == EX_COLUMN && other->kind == EX_COLUMN && own->source == index &&
            other->source != index) {
            src->probe = own;
            src->probe_of = other;
        }
    }
}

static void
place_probes(const struct from *f, struct bound_select *b)
{
    if (f->kind != FROM_JOIN)
        return;
    place_probes(f->left, b);
    place_probes(f->right, b);
    if (f->on && f->right->kind == FROM_TABLE && is_plain(f->on))
        find_probe(b->sources[f->right->source], f->right->source, f->on);
}

void
early_place(struct arena *a, const struct select *s, struct bound_select *b)
{
    if (!s->from || b->source_count < 2)
        return;
    if (s->where)
        place(a, s, b, s->where);
    place_probes(s->from, b);
}

bool
early_probe(struct source *const *sources, const struct source *src, const struct val *row)
{
    if (!src->probe)
        return true;
    const struct val *other = sources[src->probe_of->source]->row, *own = &row[src->probe->column];
    if (!other)
        return false;
    other += src->probe_of->column;
    return !own->v.is_null && !other->v.is_null && own->v.integer == other->v.integer;
}

bool
early_passes(struct ectx *x, const struct source *src, bool *ret_pass)
{
    *ret_pass = true;
    for (int i = 0; i < src->early_count && *ret_pass; i++)
        if (!eval_true(x, src->early[i], ret_pass))
            return false;
    return true;
}
