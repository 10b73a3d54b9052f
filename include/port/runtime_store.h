/**
 * What core/ asks of a Dataverse environment. Implemented by dataverse/ and by tests/fakes/.
 */
#ifndef PORT_RUNTIME_STORE_H
#define PORT_RUNTIME_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Who answered. Strings in the arena of the observation, UTF-8, "" when not known. */
struct runtime_identity {
    const char *dialled_host;    /* host of the URL asked for */
    const char *organization_id; /* GUID, lower case */
    const char *unique_name;
    const char *friendly_name;
    const char *environment_id;
    const char *version; /* OrganizationVersion */
    const char *host;    /* the organization's own host: of endpoint WebApplication, lower case */
    const char *user_id; /* WhoAmI */
    /* RetrieveFinanceAndOperationsIntegrationDetails; linked = it answered 200 */
    bool link_known, linked;
    const char *fno_url;     /* Url, "" when not linked */
    const char *link_detail; /* what the service said when not linked */
    /* The table, from EntityDefinitions */
    const char *entity_set, *key_column;
    bool optimistic_concurrency;
    /* Rights of the application user on the table. HELD for reading means: on every row, of the
     * whole organization; less than that is MISSING, because a list could then be short without an
     * error. */
    enum right may_read_all, may_delete;
};

/** A runtime configuration as a list shows it: the columns that may be shown.
 */
struct runtime_row {
    const char *key, *etag;
    const char *name, *internal_entity, *external_entity; /* "" when absent */
    const char *created_on, *modified_on;                 /* as the service writes them */
    bool active;                                          /* statecode 0 */
};

struct runtime_evidence {
    struct runtime_identity identity;
    const struct runtime_row *rows; /* every row, all pages */
    size_t row_count;
};

/** How one row left, or did not. */
enum removal_state {
    REMOVAL_DONE,    /* 204 */
    REMOVAL_GONE,    /* 404 with a row-gone code: somebody else removed it */
    REMOVAL_CHANGED, /* 412: changed since it was backed up; it is still there */
    REMOVAL_FAILED,  /* refused for this row; it is still there; `why` says the reason */
    REMOVAL_UNKNOWN, /* sent, and no answer settled it */
};

struct removal {
    const struct row_id *row;
    enum removal_state state;
    int http_status;     /* 0 when there was none */
    char request_id[80]; /* the service's, for a support case; "" when there was none */
    struct err why;      /* for CHANGED, FAILED, UNKNOWN */
};

/** What the purge tells while it goes on; a false stops it (rows in flight end first). */
struct removal_sink {
    void *ctx;
    /** Rows that are about to be sent. When it returns true, that is on record. */
    bool (*intent)(void *ctx, const struct row_id *const *rows, size_t count, struct err *err);
    bool (*outcome)(void *ctx, const struct removal *removal, struct err *err);
};

struct runtime_store;

struct runtime_store_ops {
    /** Organization, link, table, and every row's shown columns. */
    bool (*observe)(struct runtime_store *store, struct arena *arena, struct runtime_evidence *ret,
                    struct err *err);

    /**
     * Stream every row with all its columns, all pages, in key order. A row has one field: its JSON
     * object as text, members in the order the service sent them, "@odata.etag" left out; the
     * digest is over that text; the version is the etag. A list that is not whole is a failure
     * (ERR_SERVER).
     */
    bool (*read_rows)(struct runtime_store *store, const struct row_sink *sink, struct err *err);

    /**
     * DELETE each row with If-Match: its etag. Rows are borrowed. Every row gets exactly one
     * outcome unless the whole purge stops (false): then a row without one was not sent, or the
     * service said that it did nothing. A row that was sent and never answered is UNKNOWN.
     * Destroys.
     */
    bool (*remove)(struct runtime_store *store, const struct row_id *rows, size_t count,
                   const struct removal_sink *sink, struct err *err);

    void (*close)(struct runtime_store *store);
};

struct runtime_store {
    const struct runtime_store_ops *ops;
};

/** Something that can be signed in to, several times in one run. */
struct runtime_server {
    bool (*connect)(struct runtime_server *server, struct runtime_store **ret, struct err *err);
};

/** The schema of runtime rows: one column "document" of type "json". */
const struct schema *runtime_schema(void);

#endif
