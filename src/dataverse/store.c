#include "base/arena.h"
#include "dataverse/dataverse.h"
#include "definition.h"
#include "documents.h"
#include "observe.h"
#include "purge.h"
#include "session.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

struct dataverse_store {
    struct runtime_store base; /* first: the port's pointer is ours */
    struct session session;
    struct definition definition;
    bool defined;
};

struct dataverse_server {
    struct runtime_server base;
    struct dataverse_options options;
};

static bool
store_observe(struct runtime_store *base, struct arena *arena, struct runtime_evidence *ret,
              struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    if (!observe_environment(&store->session, arena, &store->definition, ret, err))
        return false;
    store->defined = true;
    return true;
}

/** Know the table's names, from an earlier question or by asking. */
static bool
define(struct dataverse_store *store, struct err *err)
{
    if (!store->defined)
        store->defined = definition_fetch(&store->session, &store->definition, err);
    return store->defined;
}

static bool
store_read_rows(struct runtime_store *base, const struct row_sink *sink, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    return define(store, err) && documents_read(&store->session, store->definition.entity_set,
                                                store->definition.key_column, sink, err);
}

static bool
store_remove(struct runtime_store *base, const struct row_id *rows, size_t count,
             const struct removal_sink *sink, struct err *err)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    return define(store, err) &&
           purge_delete_rows(&store->session, &store->definition, rows, count, sink, err);
}

static void
store_close(struct runtime_store *base)
{
    struct dataverse_store *store = (struct dataverse_store *)base;

    session_close(&store->session);
    free(store);
}

static const struct runtime_store_ops store_ops = {
    .observe = store_observe,
    .read_rows = store_read_rows,
    .remove = store_remove,
    .close = store_close,
};

static bool
server_connect(struct runtime_server *base, struct runtime_store **ret, struct err *err)
{
    const struct dataverse_server *server = (const struct dataverse_server *)base;
    struct dataverse_store *store = calloc(1, sizeof *store);

    if (!store)
        return err_set(err, ERR_INTERNAL, "out of memory");
    store->base.ops = &store_ops;
    if (!session_open(&store->session, &server->options, err)) {
        free(store);
        return false;
    }
    *ret = &store->base;
    return true;
}

bool
dataverse_server_new(const struct dataverse_options *options, struct runtime_server **ret,
                     struct err *err)
{
    const struct url_allow allow = {.hosts = options->allow_hosts,
                                    .count = options->allow_host_count};
    struct url_target target;
    struct dataverse_server *server;

    if (!options->url || !options->url[0])
        return err_set(err, ERR_USAGE, "no Dataverse URL was given");
    if (!url_target_parse(options->url, &allow, &target, err))
        return false;
    server = calloc(1, sizeof *server);
    if (!server || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(server);
        return err_set(err, ERR_INTERNAL, "libcurl could not be started");
    }
    server->base.connect = server_connect;
    server->options = *options;
    *ret = &server->base;
    return true;
}

void
dataverse_server_free(struct runtime_server *base)
{
    if (!base)
        return;
    free((struct dataverse_server *)base);
    curl_global_cleanup();
}

const char *
dataverse_library_version(void)
{
    static char text[128];
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    (void)snprintf(text, sizeof text, "libcurl %s (%s)", info->version,
                   info->ssl_version ? info->ssl_version : "no TLS");
    return text;
}
