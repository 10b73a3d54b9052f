/* Catalog views on the state of the server: databases, sessions, locks. */
#include "tsql/sysviews.h"

void
fill_databases(struct rows *r)
{
    static const char *const names[] = {"master", NULL, NULL, "msdb", NULL};
    static const char *const access[] = {"MULTI_USER", "SINGLE_USER", "RESTRICTED_USER"};
    static const char *const durability[] = {"DISABLED", "ALLOWED", "FORCED"};
    const struct engine *e = r->x->s->engine;
    int user_access = atomic_load(&r->x->s->engine->user_access);
    for (int id = 1; id <= 5; id++) {
        const char *name = id == 5 ? e->database : names[id - 1];
        if (!name)
            continue;
        row_new(r);
        row_zeros(r);
        row_text(r, "name", name);
        row_int(r, "database_id", id);
        row_date(r, "create_date", e->started);
        row_int(r, "compatibility_level", 130);
        row_text(r, "collation_name", "SQL_Latin1_General_CP1_CI_AS");
        row_int(r, "user_access", id == 5 ? user_access : 0);
        row_text(r, "user_access_desc", access[id == 5 ? user_access : 0]);
        row_int(r, "is_read_only", id == 5 && atomic_load(&r->x->s->engine->read_only));
        row_text(r, "state_desc", "ONLINE");
        row_text(r, "snapshot_isolation_state_desc", "OFF");
        row_int(r, "is_read_committed_snapshot_on",
                id == 5 && atomic_load(&r->x->s->engine->snapshot));
        row_int(r, "recovery_model", 1);
        row_text(r, "recovery_model_desc", "FULL");
        row_bytes(r, "service_broker_guid", e->guid, 16);
        int delayed = id == 5 ? atomic_load(&r->x->s->engine->delayed_durability) : 0;
        row_int(r, "delayed_durability", delayed);
        row_text(r, "delayed_durability_desc", durability[delayed]);
    }
}

void
fill_recovery(struct rows *r)
{
    const struct engine *e = r->x->s->engine;
    row_new(r);
    row_int(r, "database_id", 5);
    row_bytes(r, "database_guid", e->guid, 16);
    row_bytes(r, "family_guid", e->guid, 16);
    row_bytes(r, "recovery_fork_guid", e->fork, 16);
}

static bool
may_see_sessions(const struct session *s)
{
    return session_allowed(s, "view_server_state", NULL) ||
           session_allowed(s, "view_database_state", NULL);
}

/* Every session that the caller may see, under the engine's mutex. */
static void
each_session(struct rows *r, void (*fill)(struct rows *, struct session *))
{
    struct session *me = r->x->s;
    bool all = may_see_sessions(me);
    (void)pthread_mutex_lock(&me->engine->mutex);
    for (struct session *s = me->engine->sessions; s; s = s->next)
        if (!s->internal && (all || s == me))
            fill(r, s);
    (void)pthread_mutex_unlock(&me->engine->mutex);
}

static void
session_row(struct rows *r, struct session *s)
{
    row_new(r);
    row_int(r, "session_id", s->id);
    row_date(r, "login_time", s->login_time);
    row_text(r, "host_name", s->workstation);
    row_text(r, "program_name", s->application);
    row_text(r, "client_interface_name", s->odbc ? "ODBC" : "DB-Library");
    row_text(r, "login_name", s->user);
    row_text(r, "original_login_name", s->user);
    row_text(r, "status", atomic_load(&s->running) ? "running" : "sleeping");
    row_int(r, "is_user_process", 1);
    row_int(r, "database_id", 5);
    row_int(r, "open_transaction_count", s->trancount);
    row_int(r, "transaction_isolation_level", s->settings.isolation);
    row_int(r, "lock_timeout", s->settings.lock_timeout);
    row_int(r, "deadlock_priority", s->settings.deadlock_priority);
    row_int(r, "text_size", s->settings.textsize);
    row_int(r, "row_count", s->rowcount);
    row_int(r, "prev_error", s->last_error);
    row_date(r, "last_request_start_time", s->request_time);
    row_int(r, "quoted_identifier", (s->settings.options & OPT_QUOTED_IDENTIFIER) != 0);
    row_int(r, "arithabort", (s->settings.options & OPT_ARITHABORT) != 0);
    row_int(r, "ansi_nulls", (s->settings.options & OPT_ANSI_NULLS) != 0);
    row_int(r, "ansi_warnings", (s->settings.options & OPT_ANSI_WARNINGS) != 0);
}

void
fill_sessions(struct rows *r)
{
    each_session(r, session_row);
}

static void
connection_row(struct rows *r, struct session *s)
{
    row_new(r);
    row_int(r, "session_id", s->id);
    row_date(r, "connect_time", s->login_time);
    row_text(r, "net_transport", "TCP");
    row_text(r, "protocol_type", "TSQL");
    row_text(r, "encrypt_option", s->encrypted ? "TRUE" : "FALSE");
    row_text(r, "auth_scheme", "SQL");
    row_text(r, "client_net_address", "127.0.0.1");
    row_text(r, "local_net_address", "127.0.0.1");
    row_int(r, "net_packet_size", 4096);
}

void
fill_connections(struct rows *r)
{
    if (may_see_sessions(r->x->s)) /* the server wants the right even for one's own */
        each_session(r, connection_row);
}

static const char *const mode_names[] = {"IS", "IX", "S", "U", "X"};

static void
request_row(struct rows *r, struct session *s)
{
    if (!atomic_load(&s->running))
        return;
    row_new(r);
    row_int(r, "session_id", s->id);
    row_int(r, "request_id", 0);
    row_date(r, "start_time", s->request_time);
    row_text(r, "status", s->blocked_by ? "suspended" : "running");
    row_text(r, "command", "SELECT");
    row_int(r, "database_id", 5);
    row_int(r, "blocking_session_id", s->blocked_by);
    if (s->blocked_by)
        row_text(r, "wait_type", "LCK_M_X");
    row_int(r, "open_transaction_count", s->trancount);
}

void
fill_requests(struct rows *r)
{
    each_session(r, request_row);
}

static void
describe_resource(struct rows *r, const struct lock_row *l)
{
    const char *type = l->resource[0] == 'T'   ? "OBJECT"
                       : l->resource[0] == 'A' ? "APPLICATION"
                                               : "DATABASE";
    row_text(r, "resource_type", type);
    row_text(r, "resource_description", l->resource[0] == 'A' ? l->resource + 1 : "");
    if (l->resource[0] == 'T')
        row_int(r, "resource_associated_entity_id", strtol(l->resource + 1, NULL, 10));
}

void
fill_locks(struct rows *r)
{
    struct lock_row *locks;
    struct session *s = r->x->s;
    if (!may_see_sessions(s))
        return;
    size_t n = lock_snapshot(s->engine, r->x->v.arena, &locks);
    for (size_t i = 0; i < n; i++) {
        row_new(r);
        describe_resource(r, &locks[i]);
        row_int(r, "resource_database_id", 5);
        row_text(r, "request_mode", mode_names[locks[i].mode]);
        row_text(r, "request_status", locks[i].waiting ? "WAIT" : "GRANT");
        row_int(r, "request_session_id", locks[i].session);
        row_text(r, "request_owner_type", "TRANSACTION");
    }
}

void
fill_waits(struct rows *r)
{
    struct lock_row *locks;
    struct session *s = r->x->s;
    if (!may_see_sessions(s))
        return;
    size_t n = lock_snapshot(s->engine, r->x->v.arena, &locks);
    for (size_t i = 0; i < n; i++) {
        if (!locks[i].waiting)
            continue;
        row_new(r);
        row_int(r, "session_id", locks[i].session);
        row_int(r, "wait_duration_ms", 0);
        row_text(r, "wait_type",
                 arena_printf(r->x->v.arena, "LCK_M_%s", mode_names[locks[i].mode]));
        row_int(r, "blocking_session_id", locks[i].blocking);
        row_text(r, "resource_description", locks[i].resource);
    }
}
