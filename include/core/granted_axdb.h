/**
 * An AxDB whose credentials are asked of Dataverse just in time: at the first connection, once a
 * run, since every request ends the user's earlier login, also in the middle of a transaction. All
 * connections use the same credentials, which live in memory only.
 */
#ifndef CORE_GRANTED_AXDB_H
#define CORE_GRANTED_AXDB_H

#include "base/err.h"
#include "port/axdb_grant.h"
#include "port/axdb_store.h"
#include "port/runtime_store.h"

#include <stdbool.h>
#include <stdint.h>

/** Makes the AxDB that a grant leads to. The grant outlives it. */
struct granted_axdb_maker {
    void *ctx;
    bool (*make)(void *ctx, const struct axdb_grant *grant, struct axdb_server **ret,
                 struct err *err);
    void (*release)(void *ctx, struct axdb_server *server);
};

/** Everything is borrowed for the lifetime of the server. */
struct granted_axdb_options {
    struct runtime_server *grantor;
    struct axdb_grant_request request;
    const char *server, *database; /* as asked for (host, or host,port), NULL = whatever it is */
    const char *pinned_server;   /* expect_server_name: the host's whole name or its first label */
    const char *pinned_database; /* expect_database */
    struct granted_axdb_maker maker;
    int64_t (*now_utc_ms)(void); /* NULL = the clock */
};

/** Nothing is asked yet. A connection fails with ERR_REFUSED when the grant leads elsewhere than
 * asked for, with ERR_SIGNIN when it is over or nearly so, and else as grant_axdb and `make` do. */
MUST_CHECK bool granted_axdb_new(const struct granted_axdb_options *options,
                                 struct axdb_server **ret, struct err *err);

/** Wipes the password. NULL is allowed. */
void granted_axdb_free(struct axdb_server *server);

#endif
