/* The lock table of the process: modes, waiting, deadlocks. One mutex; waits are rare and short. */
#include "tsql/session.h"

#include <errno.h>

struct lock {
    struct lock *next;
    struct session *session;
    char resource[160];
    enum lock_mode mode;
    enum lock_owner owner;
    bool waiting;
    uint64_t sequence;
};

static bool
compatible(enum lock_mode a, enum lock_mode b)
{
    static const bool table[5][5] = {
        /*        IS     IX     S      U      X */
        /* IS */ {true, true, true, true, false},
        /* IX */ {true, true, false, false, false},
        /* S  */ {true, false, true, true, false},
        /* U  */ {true, false, true, false, false},
        /* X  */ {false, false, false, false, false},
    };
    return table[a][b];
}

/* The weakest mode that gives both. */
static enum lock_mode
join_modes(enum lock_mode a, enum lock_mode b)
{
    if (a == b)
        return a;
    enum lock_mode low = a < b ? a : b, high = a < b ? b : a;
    if (low == LOCK_IX && high != LOCK_X)
        return LOCK_X; /* S and IX: coarser than the server's SIX */
    return high;
}

static bool
is_same(const struct lock *l, const char *resource)
{
    return strcmp(l->resource, resource) == 0;
}

/* Does `other` stand in the way of `mine`? A waiter does only if it came first and I hold nothing.
 */
static bool
blocks(const struct lock *other, const struct lock *mine, bool holding)
{
    if (other == mine || other->session == mine->session || !is_same(other, mine->resource))
        return false;
    if (other->waiting && (holding || other->sequence > mine->sequence))
        return false;
    return !compatible(other->mode, mine->mode);
}

static const struct lock *
find_blocker(const struct lock_list *l, const struct lock *mine, bool holding)
{
    for (const struct lock *o = l->first; o; o = o->next)
        if (blocks(o, mine, holding))
            return o;
    return NULL;
}

static bool
holds(const struct lock_list *l, const struct session *s, const char *resource)
{
    for (const struct lock *o = l->first; o; o = o->next)
        if (!o->waiting && o->session == s && is_same(o, resource))
            return true;
    return false;
}

static const struct lock *
waiting_lock(const struct lock_list *l, const struct session *s)
{
    for (const struct lock *o = l->first; o; o = o->next)
        if (o->waiting && o->session == s)
            return o;
    return NULL;
}

/* Depth-first through who waits for whom; `path` holds the sessions on the way. */
static bool
find_cycle(const struct lock_list *l, struct session *from, const struct session *goal,
           struct session **path, int depth)
{
    const struct lock *w = waiting_lock(l, from);
    if (!w || depth >= 64)
        return false;
    bool holding = holds(l, from, w->resource);
    path[depth] = from;
    path[depth + 1] = NULL;
    for (const struct lock *o = l->first; o; o = o->next) {
        if (!blocks(o, w, holding))
            continue;
        if (o->session == goal)
            return true;
        bool seen = false;
        for (int i = 0; i <= depth; i++)
            seen = seen || path[i] == o->session;
        if (!seen && find_cycle(l, o->session, goal, path, depth + 1))
            return true;
    }
    return false;
}

/* Mark the victim of a cycle through `me`: lowest priority, then the one that closed the cycle. */
static void
break_deadlock(struct lock_list *l, struct session *me)
{
    struct session *path[66] = {0};
    if (!find_cycle(l, me, me, path, 0))
        return;
    struct session *victim = me;
    for (int i = 0; path[i]; i++)
        if (path[i]->settings.deadlock_priority < victim->settings.deadlock_priority)
            victim = path[i];
    atomic_store(&victim->victim, true);
    (void)pthread_cond_broadcast(&l->changed);
}

static void
unlink_lock(struct lock_list *l, struct lock *gone)
{
    for (struct lock **at = &l->first; *at; at = &(*at)->next) {
        if (*at == gone) {
            *at = gone->next;
            free(gone);
            return;
        }
    }
}

static struct timespec
deadline_in(int ms)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static enum lock_result
wait_for(struct lock_list *l, struct lock *mine, bool holding, int timeout_ms)
{
    struct session *s = mine->session;
    struct timespec deadline = deadline_in(timeout_ms < 0 ? 0 : timeout_ms);
    const struct lock *blocker;
    while ((blocker = find_blocker(l, mine, holding))) {
        s->blocked_by = blocker->session->id;
        if (timeout_ms == 0)
            return LOCK_TIMED_OUT;
        break_deadlock(l, s);
        if (atomic_exchange(&s->victim, false))
            return LOCK_DEADLOCK;
        if (atomic_load(&s->cancel) || atomic_load(&s->dead))
            return LOCK_CANCELLED;
        int rc = timeout_ms < 0 ? pthread_cond_wait(&l->changed, &l->mutex)
                                : pthread_cond_timedwait(&l->changed, &l->mutex, &deadline);
        if (rc == ETIMEDOUT && find_blocker(l, mine, holding))
            return LOCK_TIMED_OUT;
    }
    return LOCKED_AFTER_WAIT;
}

static struct lock *
own_lock(struct lock_list *l, const struct session *s, const char *resource, enum lock_owner owner)
{
    for (struct lock *o = l->first; o; o = o->next)
        if (!o->waiting && o->session == s && o->owner == owner && is_same(o, resource))
            return o;
    return NULL;
}

static bool
covered(const struct lock_list *l, const struct session *s, const char *resource,
        enum lock_mode mode, enum lock_owner owner)
{
    for (const struct lock *o = l->first; o; o = o->next)
        if (!o->waiting && o->session == s && o->owner >= owner && is_same(o, resource) &&
            join_modes(o->mode, mode) == o->mode && resource[0] != 'A')
            return true;
    return false;
}

static struct lock *
new_request(struct lock_list *l, struct session *s, const char *resource, enum lock_mode mode)
{
    struct lock *mine = xcalloc(1, sizeof *mine);
    mine->session = s;
    text_format(mine->resource, sizeof mine->resource, "%s", resource);
    mine->mode = mode;
    mine->waiting = true;
    mine->sequence = ++l->sequence;
    mine->next = l->first;
    l->first = mine;
    return mine;
}

enum lock_result
lock_take(struct session *s, const char *resource, enum lock_mode mode, enum lock_owner owner,
          int timeout_ms)
{
    struct lock_list *l = &s->engine->locks;
    enum lock_result result = LOCKED;
    (void)pthread_mutex_lock(&l->mutex);
    if (!covered(l, s, resource, mode, owner)) {
        bool holding = holds(l, s, resource);
        struct lock *mine = new_request(l, s, resource, mode);
        mine->owner = owner;
        atomic_store(&s->victim, false);
        if (find_blocker(l, mine, holding))
            result = wait_for(l, mine, holding, timeout_ms);
        s->blocked_by = 0;
        struct lock *same = own_lock(l, s, resource, owner);
        if (result > LOCKED_AFTER_WAIT) {
            unlink_lock(l, mine);
            (void)pthread_cond_broadcast(&l->changed);
        } else if (same && resource[0] != 'A') {
            same->mode = join_modes(same->mode, mode);
            unlink_lock(l, mine);
        } else {
            mine->waiting = false;
        }
    }
    (void)pthread_mutex_unlock(&l->mutex);
    return result;
}

void
lock_release(struct session *s, enum lock_owner up_to)
{
    struct lock_list *l = &s->engine->locks;
    (void)pthread_mutex_lock(&l->mutex);
    bool any = false;
    for (struct lock **at = &l->first; *at;) {
        struct lock *o = *at;
        if (o->session == s && o->owner <= up_to) {
            *at = o->next;
            free(o);
            any = true;
        } else {
            at = &o->next;
        }
    }
    if (any)
        (void)pthread_cond_broadcast(&l->changed);
    (void)pthread_mutex_unlock(&l->mutex);
}

bool
lock_release_one(struct session *s, const char *resource, enum lock_owner owner)
{
    struct lock_list *l = &s->engine->locks;
    (void)pthread_mutex_lock(&l->mutex);
    struct lock *o = own_lock(l, s, resource, owner);
    bool found = o != NULL;
    if (found) {
        unlink_lock(l, o);
        (void)pthread_cond_broadcast(&l->changed);
    }
    (void)pthread_mutex_unlock(&l->mutex);
    return found;
}

void
lock_wake_all(struct engine *e)
{
    (void)pthread_mutex_lock(&e->locks.mutex);
    (void)pthread_cond_broadcast(&e->locks.changed);
    (void)pthread_mutex_unlock(&e->locks.mutex);
}

size_t
lock_snapshot(struct engine *e, struct arena *a, struct lock_row **out)
{
    struct lock_list *l = &e->locks;
    (void)pthread_mutex_lock(&l->mutex);
    size_t count = 0, i = 0;
    for (const struct lock *o = l->first; o; o = o->next)
        count++;
    *out = arena_alloc(a, (count + 1) * sizeof **out);
    for (const struct lock *o = l->first; o; o = o->next, i++) {
        struct lock_row *r = &(*out)[i];
        r->session = o->session->id;
        r->mode = o->mode;
        r->waiting = o->waiting;
        r->blocking = o->waiting ? o->session->blocked_by : 0;
        text_format(r->resource, sizeof r->resource, "%s", o->resource);
    }
    (void)pthread_mutex_unlock(&l->mutex);
    return count;
}

bool
lock_failed(struct session *s, enum lock_result r)
{
    if (r == LOCKED || r == LOCKED_AFTER_WAIT)
        return false;
    if (r == LOCK_CANCELLED)
        return session_interrupted(s) ||
               !session_fail(s, 1222, "Lock request time out period exceeded.");
    if (r == LOCK_TIMED_OUT) {
        (void)session_fail(s, 1222, "Lock request time out period exceeded.");
    } else {
        (void)session_fail(s, 1205,
                           "Transaction (Process ID %d) was deadlocked on lock resources with "
                           "another process and has been chosen as the deadlock victim. Rerun the "
                           "transaction.",
                           s->id);
        s->error.batch = true;
    }
    s->error.state = 51;
    return true;
}

bool
lock_table(struct session *s, const struct table *t, enum lock_mode mode, enum lock_owner owner)
{
    char resource[64];
    if (t->temp || s->replica)
        return true;
    text_format(resource, sizeof resource, "T%d", t->id);
    if (owner == OWNER_TRANSACTION && s->trancount == 0)
        owner = OWNER_STATEMENT;
    int timeout = s->lock_wait_override ? 0 : s->settings.lock_timeout;
    return !lock_failed(s, lock_take(s, resource, mode, owner, timeout));
}
