/* Trees of texts that were run before, as SQL Server keeps plans: a text that comes again need not
 * be read again. Only what the parser made is kept: names are bound, rights asked and locks taken
 * each time a statement runs. The first time a text comes only its number is remembered, so that
 * texts that come once take no room. */
#include "tsql/session.h"

enum {
    PLANS_MAX = 96,
    PLAN_UNITS_MAX = 64 * 1024 /* longer ones are read each time */
};

struct plan {
    struct plan *next;
    struct arena arena; /* of the tree and its text */
    struct batch batch;
    uint64_t hash;
    bool quoted, keep;
};

static uint64_t
hash_text(struct units text, bool quoted)
{
    const unsigned char *p = (const unsigned char *)text.at;
    size_t left = text.count * 2;
    uint64_t hash = UINT64_C(0x9E3779B97F4A7C15) ^ (left << 1 | quoted), word;
    for (; left; left -= left < 8 ? left : 8, p += 8) {
        word = 0;
        memcpy(&word, p, left < 8 ? left : 8);
        hash = (hash ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool
same_text(const struct plan *p, struct units text, bool quoted)
{
    const struct units *own = &p->batch.source;
    return p->quoted == quoted && own->count == text.count &&
           (!text.count || memcmp(own->at, text.at, text.count * 2) == 0);
}

/* The plan of the text, taken out of those that wait; NULL = there is none. `ret_again`: the text
 * came before. */
static struct plan *
find_plan(struct plans *plans, struct units text, bool quoted, uint64_t hash, bool *ret_again)
{
    struct plan *found = NULL;
    (void)pthread_mutex_lock(&plans->mutex);
    for (struct plan **at = &plans->waiting; *at && !found; at = &(*at)->next) {
        if ((*at)->hash != hash || !same_text(*at, text, quoted))
            continue;
        found = *at;
        *at = found->next;
        plans->count--;
        break;
    }
    uint64_t *seen = &plans->seen[hash % PLANS_SEEN];
    *ret_again = *seen == hash;
    *seen = hash;
    (void)pthread_mutex_unlock(&plans->mutex);
    return found;
}

/* What makes objects is read each time: who keeps their definitions need not ask where a tree is
 * from. */
static bool
may_be_kept(const struct stmt *s)
{
    for (; s; s = s->next)
        if (s->kind >= ST_CREATE_TABLE || !may_be_kept(s->body) || !may_be_kept(s->otherwise))
            return false;
    return true;
}

static void
plan_free(struct plan *p)
{
    arena_free(&p->arena);
    free(p);
}

struct plan *
plan_take(struct session *s, struct units text, struct batch *ret)
{
    bool quoted = (s->settings.options & OPT_QUOTED_IDENTIFIER) != 0, again = false;
    uint64_t hash = hash_text(text, quoted);
    struct plan *p = find_plan(&s->engine->plans, text, quoted, hash, &again);
    if (!p) {
        p = xcalloc(1, sizeof *p);
        struct vctx c = session_vctx(s, &p->arena);
        struct units own = {arena_copy(&p->arena, text.at, text.count * 2), text.count};
        if (!parse_batch(&c, own, quoted, &p->batch)) {
            plan_free(p);
            return NULL;
        }
        p->hash = hash;
        p->quoted = quoted;
        p->keep = again && text.count <= PLAN_UNITS_MAX && may_be_kept(p->batch.first);
    }
    *ret = p->batch;
    return p;
}

void
plan_give_back(struct session *s, struct plan *p)
{
    struct plans *plans = &s->engine->plans;
    struct plan **at, *last = NULL;
    if (!p)
        return;
    if (!p->keep) {
        plan_free(p);
        return;
    }
    (void)pthread_mutex_lock(&plans->mutex);
    p->next = plans->waiting;
    plans->waiting = p;
    if (++plans->count > PLANS_MAX) { /* the last was not asked for for longest */
        for (at = &plans->waiting; (*at)->next;)
            at = &(*at)->next;
        last = *at;
        *at = NULL;
        plans->count--;
    }
    (void)pthread_mutex_unlock(&plans->mutex);
    if (last)
        plan_free(last);
}

void
plans_free(struct plans *plans)
{
    for (struct plan *p = plans->waiting, *next; p; p = next) {
        next = p->next;
        plan_free(p);
    }
    plans->waiting = NULL;
    (void)pthread_mutex_destroy(&plans->mutex);
}
