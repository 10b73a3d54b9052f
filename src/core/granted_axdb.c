#include "core/granted_axdb.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESERVE_MS = 60 * 1000 };

struct granted_axdb {
    struct axdb_server port; /* first: the port hands out its address */
    struct granted_axdb_options options;
    struct axdb_grant grant;
    struct axdb_server *inner; /* NULL before the grant, and when it was of no use */
    bool asked, worked;
    struct err why; /* asked, and no inner */
};

/* ---- is it the one that was meant? ---- */

/** Host and port without what means nothing: "tcp:HOST,1433" is HOST. */
static void
plain_name(const char *name, char ret[AXDB_GRANT_SERVER_BYTES])
{
    static const char port[] = ",1433";
    char lead[5] = "";
    size_t size;

    (void)snprintf(lead, sizeof lead, "%s", name);
    (void)snprintf(ret, AXDB_GRANT_SERVER_BYTES, "%s",
                   text_equal_nocase(lead, "tcp:") ? name + 4 : name);
    size = strlen(ret);
    if (size > strlen(port) && strcmp(ret + size - strlen(port), port) == 0)
        ret[size - strlen(port)] = '\0';
}

static bool
is_server(const char *asked, const char *granted)
{
    char a[AXDB_GRANT_SERVER_BYTES];
    char b[AXDB_GRANT_SERVER_BYTES];

    plain_name(asked, a);
    plain_name(granted, b);
    return text_equal_nocase(a, b);
}

/** A server of Azure SQL calls itself by the first label of its host. */
static bool
is_pinned_server(const char *pinned, const char *granted)
{
    char host[AXDB_GRANT_SERVER_BYTES];

    plain_name(granted, host);
    host[strcspn(host, ",\\")] = '\0';
    if (text_equal_nocase(pinned, host))
        return true;
    host[strcspn(host, ".")] = '\0';
    return text_equal_nocase(pinned, host);
}

static bool
elsewhere(const char *what, const char *granted, const char *wanted, struct err *err)
{
    (void)err_set(err, ERR_REFUSED, "the SQL login is for %s %s, asked for was %s", what, granted,
                  wanted);
    return err_hint(err, "Does the Dataverse URL belong to the environment that was meant? Nothing "
                         "was connected to. Correct -S, -d or the pin if it does.");
}

static bool
check_target(const struct granted_axdb_options *options, const struct axdb_grant *grant,
             struct err *err)
{
    if (options->server && !is_server(options->server, grant->server))
        return elsewhere("server", grant->server, options->server, err);
    if (options->pinned_server && !is_pinned_server(options->pinned_server, grant->server))
        return elsewhere("server", grant->server, options->pinned_server, err);
    if (options->database && !text_equal_nocase(options->database, grant->database))
        return elsewhere("database", grant->database, options->database, err);
    if (options->pinned_database && !text_equal_nocase(options->pinned_database, grant->database))
        return elsewhere("database", grant->database, options->pinned_database, err);
    return true;
}

/* ---- asking ---- */

static bool
ask(struct granted_axdb *self, struct err *err)
{
    const struct granted_axdb_options *options = &self->options;
    struct runtime_server *grantor = options->grantor;

    if (!grantor->grant_axdb)
        return err_set(err, ERR_INTERNAL, "nobody gives SQL logins here");
    if (!grantor->grant_axdb(grantor, &options->request, &self->grant, err))
        return false;
    if (check_target(options, &self->grant, err) &&
        options->maker.make(options->maker.ctx, &self->grant, &self->inner, err))
        return true;
    secret_wipe(&self->grant.password);
    return false;
}

static bool
check_expiry(const struct granted_axdb *self, struct err *err)
{
    const int64_t now_ms = self->options.now_utc_ms ? self->options.now_utc_ms() : clock_utc_ms();
    char until[CLOCK_STAMP_BYTES];
    char now[CLOCK_STAMP_BYTES];

    if (self->grant.expires_utc_ms == 0 || now_ms + RESERVE_MS < self->grant.expires_utc_ms)
        return true;
    clock_stamp(self->grant.expires_utc_ms, until);
    clock_stamp(now_ms, now);
    (void)err_set(err, ERR_SIGNIN, "the SQL login of this run %s at %s",
                  now_ms < self->grant.expires_utc_ms ? "ends" : "has ended", until);
    (void)err_detail(err, "this machine's clock says %s", now);
    return err_hint(err, "It is not asked for twice in a run. Run the command again, or resume the "
                         "run if it changed something: that asks for a new login.");
}

static bool
connect_granted(struct axdb_server *server, const char *run_id, struct axdb_store **ret,
                struct err *err)
{
    struct granted_axdb *self = (struct granted_axdb *)(void *)server;

    if (!self->asked) {
        self->asked = true;
        if (!ask(self, &self->why))
            self->inner = NULL;
    }
    if (!self->inner) {
        *err = self->why;
        return false;
    }
    if (!check_expiry(self, err))
        return false;
    if (self->inner->connect(self->inner, run_id, ret, err)) {
        self->worked = true;
        return true;
    }
    if (err->code == ERR_SIGNIN && self->worked)
        (void)err_hint(err, "The SQL login worked before in this run: another request with the "
                            "same user has ended it, or it is over. Run the command again, or "
                            "resume the run if it changed something: that asks for a new login.");
    return false;
}

bool
granted_axdb_new(const struct granted_axdb_options *options, struct axdb_server **ret,
                 struct err *err)
{
    struct granted_axdb *self = calloc(1, sizeof *self);

    if (!self)
        return err_set(err, ERR_INTERNAL, "out of memory");
    self->port.connect = connect_granted;
    self->options = *options;
    *ret = &self->port;
    return true;
}

void
granted_axdb_free(struct axdb_server *server)
{
    struct granted_axdb *self = (struct granted_axdb *)(void *)server;

    if (!self)
        return;
    if (self->inner)
        self->options.maker.release(self->options.maker.ctx, self->inner);
    secret_wipe(&self->grant.password);
    free(self);
}
