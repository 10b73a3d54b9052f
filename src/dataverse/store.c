#include "base/arena.h"
#include "client_certificate.h"
#include "columns.h"
#include "compare.h"
#include "curl_library.h"
#include "dataverse/dataverse.h"
#include "definition.h"
#include "diagnose.h"
#include "documents.h"
#include "observe.h"
#include "odata.h"
#include "purge.h"
#include "recreate.h"
#include "session.h"
#include "sql_login.h"
#include "unconditional.h"

#include <stdio.h>
#include <stdlib.h>

struct dataverse_store {
    struct runtime_store base; /* first: the port's pointer is ours */
    struct session session;
    struct definition definition;
    bool defined;
    struct err no_more;     /* unconditional deletes met somebody who is not the service */
    struct columns columns; /* empty until asked for */
    struct recreate *recreate;
};

struct dataverse_server {
    struct runtime_server base;
    struct dataverse_options options;
    struct token kept; /* of a sign-in that a person had to do */
};

/** Others sign in anew for each connection: that is a check of its own, and costs nobody anything.
 */
static struct token *
kept_token(struct dataverse_server *server)
{
    return server->options.device_code ? &server->kept : NULL;
}

static bool
store_observe(struct runtime_store *base, struct arena *arena, const struct runtime_row_sink *sink,
              struct runtime_evidence *ret, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    if (!observe_environment(&store->session, arena, sink, &store->definition, ret, err))
        return false;
    store->defined = true;
    return true;
}

/** Know the table's names, from an earlier question or by asking. */
static bool
define(struct dataverse_store *store, struct err *err)
{
    if (!store->defined)
        store->defined = store->session.options->odata
                             ? odata_define(&store->session, &store->definition, err)
                             : definition_fetch(&store->session, &store->definition, err);
    return store->defined;
}

static bool
store_read_rows(struct runtime_store *base, const struct row_sink *sink, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    return define(store, err) && documents_read(&store->session, &store->definition, sink, err);
}

static bool
store_read_row(struct runtime_store *base, const char *key, const struct row_sink *sink,
               bool *ret_found, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    return define(store, err) &&
           documents_read_one(&store->session, &store->definition, key, sink, ret_found, err);
}

static bool
store_remove(struct runtime_store *base, const struct runtime_ref *rows, size_t count,
             const struct removal_sink *sink, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    return define(store, err) &&
           purge_delete_rows(&store->session, &store->definition, rows, count, sink, err);
}

static bool
store_remove_as_it_is(struct runtime_store *base, const struct runtime_ref *row, unsigned tries,
                      struct removal *ret, bool *ret_again, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;
    const struct unconditional what = {
        .definition = &store->definition, .row = row, .tries = tries, .no_more = &store->no_more};

    return define(store, err) && unconditional_delete(&store->session, &what, ret, ret_again, err);
}

/** Know the columns, from an earlier question or by asking. */
static bool
know_columns(struct dataverse_store *store, struct err *err)
{
    return define(store, err) &&
           (store->columns.count > 0 ||
            columns_fetch(&store->session, &store->definition, &store->columns, err));
}

static bool
store_same_row(struct runtime_store *base, struct slice a, struct slice b, bool created)
{
    struct dataverse_store *store = (struct dataverse_store *)base;
    struct err unused;

    /* Without the metadata the columns that every table has are known, and the others count. */
    if (created)
        (void)!know_columns(store, &unused);
    return compare_rows(a, b, created, &store->columns);
}

static bool
store_lost_columns(struct runtime_store *base, struct arena *arena, struct runtime_columns *ret,
                   struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;
    const char **names;
    size_t count = 0;

    if (!know_columns(store, err))
        return false;
    names = arena_alloc(arena, (store->columns.count + 1) * sizeof *names);
    if (!names)
        return arena_exhausted(err);
    for (size_t i = 0; i < store->columns.count; i++) {
        const struct table_column *column = &store->columns.items[i];

        if (!column->shown || columns_survives(&store->columns, column))
            continue;
        names[count] = arena_string(arena, column->name);
        if (!names[count++])
            return arena_exhausted(err);
    }
    *ret = (struct runtime_columns){.names = names, .count = count};
    return true;
}

static bool
store_return_begin(struct runtime_store *base, size_t total, const struct return_sink *sink,
                   struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;
    const struct recreate_task task = {
        .definition = &store->definition, .columns = &store->columns, .sink = sink, .total = total};

    recreate_free(store->recreate);
    store->recreate = NULL;
    return know_columns(store, err) && recreate_new(&store->session, &task, &store->recreate, err);
}

static bool
store_return_row(struct runtime_store *base, const char *key, struct slice document,
                 struct err *err)
{
    const struct dataverse_store *store = (const struct dataverse_store *)base;

    return recreate_row(store->recreate, key, document, err);
}

static bool
store_return_end(struct runtime_store *base, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;
    const bool done = recreate_end(store->recreate, err);

    recreate_free(store->recreate);
    store->recreate = NULL;
    return done;
}

/** Another OData server has nothing of this. */
static void
nothing_to_ask(unsigned parts, struct runtime_diagnosis *ret)
{
    struct diagnosis_part none = {.asked = true};

    (void)err_set(&none.why, ERR_SERVER, "this is not Dataverse");
    *ret = (struct runtime_diagnosis){0};
    if (parts & DIAGNOSE_NAMES)
        ret->names_part = none;
    if (parts & DIAGNOSE_TRACES)
        ret->traces_part = none;
    if (parts & DIAGNOSE_PLUGINS)
        ret->plugins_part = none;
    if (parts & DIAGNOSE_COMPANIES)
        ret->companies_part = none;
}

static bool
store_diagnose(struct runtime_store *base, struct arena *arena, unsigned parts,
               struct runtime_diagnosis *ret, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    if (!store->session.options->odata)
        return define(store, err) &&
               diagnose_environment(&store->session, &store->definition, arena, parts, ret, err);
    nothing_to_ask(parts, ret);
    return true;
}

static void
store_close(struct runtime_store *base)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    recreate_free(store->recreate);
    columns_done(&store->columns);
    session_close(&store->session);
    free(store);
}

static const struct runtime_store_ops store_ops = {
    .observe = store_observe,
    .read_rows = store_read_rows,
    .remove = store_remove,
    .remove_as_it_is = store_remove_as_it_is,
    .read_row = store_read_row,
    .same_row = store_same_row,
    .lost_columns = store_lost_columns,
    .return_begin = store_return_begin,
    .return_row = store_return_row,
    .return_end = store_return_end,
    .diagnose = store_diagnose,
    .close = store_close,
};

static bool
server_connect(struct runtime_server *base, struct runtime_store **ret, struct err *err)
{
    struct dataverse_server *server = (struct dataverse_server *)base;
    struct dataverse_store *store = calloc(1, sizeof *store);

    if (!store)
        return err_set(err, ERR_INTERNAL, "out of memory");
    store->base.ops = &store_ops;
    if (!session_open(&store->session, &server->options, kept_token(server), err)) {
        free(store);
        return false;
    }
    *ret = &store->base;
    return true;
}

/** With a sign-in of its own: the answer holds a password, and nothing of it is kept. */
static bool
server_grant(struct runtime_server *base, const struct axdb_grant_request *request,
             struct axdb_grant *ret, struct err *err)
{
    struct dataverse_server *server = (struct dataverse_server *)base;
    struct session session;
    bool done;

    if (!session_open(&session, &server->options, kept_token(server), err))
        return false;
    done = sql_login_ask(&session, request, ret, err);
    session_close(&session);
    return done;
}

bool
dataverse_server_new(const struct dataverse_options *options, struct runtime_server **ret,
                     struct err *err)
{
    const struct url_allow allow = {.hosts = options->allow_hosts,
                                    .count = options->allow_host_count};
    char path[SESSION_PATH_BYTES];
    struct url_target target;
    struct dataverse_server *server;

    if (!options->url || !options->url[0])
        return err_set(err, ERR_USAGE, "no Dataverse URL was given");
    if (!library_load(&curl_library, err) || !token_options_check(options, err))
        return false;
    if (options->odata ? !url_local_parse(options->url, &target, path, sizeof path, err)
                       : !url_target_parse(options->url, &allow, &target, err))
        return false;
    server = calloc(1, sizeof *server);
    if (!server || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(server);
        return err_set(err, ERR_INTERNAL, "libcurl could not be started");
    }
    server->base.connect = server_connect;
    server->base.grant_axdb = server_grant;
    server->options = *options;
    *ret = &server->base;
    return true;
}

void
dataverse_server_free(struct runtime_server *base)
{
    if (!base)
        return;
    token_done(&((struct dataverse_server *)base)->kept);
    free((struct dataverse_server *)base);
    curl_global_cleanup();
}

bool
dataverse_certificate_wants_password(const char *path, bool *ret, struct err *err)
{
    return certificate_wants_password(path, ret, err);
}

const char *
dataverse_library_version(void)
{
    static char text[128];
    const curl_version_info_data *info;
    struct err err;

    if (!library_load(&curl_library, &err))
        return NULL;
    info = curl_version_info(CURLVERSION_NOW);

    (void)snprintf(text, sizeof text, "%s (%s)", info->version,
                   info->ssl_version ? info->ssl_version : "no TLS");
    return text;
}
