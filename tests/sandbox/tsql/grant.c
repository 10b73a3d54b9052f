/* Logins that are granted for a while, one at a time for each owner. */
#include "tsql/session.h"

enum { LOOPBACK = 0x7F000001 };

bool
login_is_open(const struct login *l)
{
    const int64_t now = now_ms();
    return !l->owner || (now >= l->usable_at && now < l->ends_at);
}

/* Every client is on this machine. */
bool
login_is_behind_firewall(const struct login *l)
{
    return l->owner && (l->first_address > LOOPBACK || l->last_address < LOOPBACK);
}

void
session_kill(struct session *s)
{
    atomic_store(&s->dead, true);
    if (pthread_mutex_trylock(&s->run) != 0)
        return; /* at work: it notices by itself */
    if (s->trancount) {
        store_rollback(s);
        s->trancount = 0;
    }
    lock_release(s, OWNER_SESSION);
    (void)pthread_mutex_unlock(&s->run);
}

/* Its sessions keep a pointer to its rights: it stays in the list. */
static void
end_login(struct engine *e, struct login *l)
{
    l->ends_at = 0;
    for (struct session *s = e->sessions; s; s = s->next)
        if (!s->internal && same_name(s->user, l->user))
            session_kill(s);
}

bool
engine_grant_login(struct engine *e, const struct engine_grant *g)
{
    struct login *l = xcalloc(1, sizeof *l);
    bool taken = false;
    l->user = xstrdup(g->user);
    l->password = xstrdup(g->password);
    l->rights = rights_parse(g->rights);
    l->owner = xstrdup(g->owner);
    l->first_address = g->first_address;
    l->last_address = g->last_address;
    l->usable_at = g->usable_at_ms;
    l->ends_at = g->ends_at_ms;
    (void)pthread_mutex_lock(&e->mutex);
    for (const struct login *o = e->logins; o; o = o->next)
        taken = taken || same_name(o->user, g->user);
    for (struct login *o = e->logins; o && !taken; o = o->next)
        if (o->owner && strcmp(o->owner, g->owner) == 0)
            end_login(e, o);
    if (!taken) {
        l->next = e->logins;
        e->logins = l;
    }
    (void)pthread_mutex_unlock(&e->mutex);
    lock_wake_all(e);
    if (taken)
        login_free(l);
    return !taken;
}
