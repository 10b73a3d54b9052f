/**
 * What core/ asks of a Dataverse environment. Implemented by dataverse/ and by tests/fakes/.
 */
#ifndef PORT_RUNTIME_STORE_H
#define PORT_RUNTIME_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "port/axdb_grant.h"
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
    const char *url_name; /* of its URL; NULL counts as "" */
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
    enum right may_create; /* at any level: what an undo creates belongs to the application user */
};

/** A runtime configuration as a list shows it: the columns that may be shown.
 */
struct runtime_row {
    const char *key, *etag;
    const char *name, *internal_entity, *external_entity; /* "" when absent */
    const char *created_on, *modified_on;                 /* as the service writes them */
    bool active;                                          /* statecode 0 */
};

/** Where the rows of a list go; each is borrowed until the call returns. A false ends the list. */
struct runtime_row_sink {
    void *ctx;
    bool (*take)(void *ctx, const struct runtime_row *row, struct err *err);
};

enum { RUNTIME_ROWS_KEPT = 200 };

struct runtime_evidence {
    struct runtime_identity identity;
    size_t row_count; /* every row, all pages */
    size_t rows_without_etag;
    const char *first_created, *last_created; /* of all rows; "" when there is none */
    const struct runtime_row *rows;           /* the first RUNTIME_ROWS_KEPT in key order */
    size_t kept_count;
};

/** A row by key and version, as little as 100 000 of them need. The etag lies in the owner's pool.
 */
struct runtime_ref {
    char key[40]; /* the GUID, lower case */
    const char *etag;
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
    const struct runtime_ref *row;
    enum removal_state state;
    int http_status;     /* 0 when there was none */
    char request_id[80]; /* the service's, for a support case; "" when there was none */
    struct err why;      /* for CHANGED, FAILED, UNKNOWN */
};

/** How fast a purge or an undo goes, and what it waits for. */
struct runtime_pace {
    int64_t done, total;         /* rows with an outcome, of all */
    int64_t rows_per_second_x10; /* over the last seconds that were not paused */
    int64_t ms_per_row_x10;      /* the service's time */
    int concurrency, batch_rows;
    int64_t paused_until_utc_ms; /* 0 = not paused */
    const char *paused_why;      /* "the service limits requests (429 0x80072321)", or NULL */
    int64_t throttled;           /* answers with 429 so far */
};

/** What a purge tells while it goes on; a false stops it (rows in flight end first). */
struct removal_sink {
    void *ctx;
    /** Rows that are about to be sent. When it returns true, that is on record. */
    bool (*intent)(void *ctx, const struct runtime_ref *const *rows, size_t count, struct err *err);
    bool (*outcome)(void *ctx, const struct removal *removal, struct err *err);
    /** At most once a second; may be NULL. */
    void (*progress)(void *ctx, const struct runtime_pace *pace);
};

/** How a row came back, or did not. */
enum return_state {
    RETURN_DONE,    /* created */
    RETURN_THERE,   /* a row with this key is there: left as it is */
    RETURN_FAILED,  /* refused; `why` says the reason */
    RETURN_UNKNOWN, /* sent, and no answer settled it */
};

struct returned {
    const char *key;
    enum return_state state;
    int http_status;
    char request_id[80];
    struct err why;
};

struct return_sink {
    void *ctx;
    bool (*intent)(void *ctx, const char *const *keys, size_t count, struct err *err);
    bool (*outcome)(void *ctx, const struct returned *returned, struct err *err);
    void (*progress)(void *ctx, const struct runtime_pace *pace); /* may be NULL */
};

/** Columns whose old value an undo cannot give back. Strings in the arena. */
struct runtime_columns {
    const char *const *names;
    size_t count;
};

/** What a diagnosis is to ask; each costs the service one request, DIAGNOSE_PLUGINS up to three. */
enum {
    DIAGNOSE_NAMES = 1,     /* organizations that the rows name */
    DIAGNOSE_TRACES = 2,    /* the plug-in trace log */
    DIAGNOSE_PLUGINS = 4,   /* the steps of dual-write's plug-ins */
    DIAGNOSE_COMPANIES = 8, /* the companies */
    DIAGNOSE_ORGANIZATION = DIAGNOSE_NAMES | DIAGNOSE_TRACES,
    DIAGNOSE_ALL = DIAGNOSE_ORGANIZATION | DIAGNOSE_PLUGINS | DIAGNOSE_COMPANIES,
};

enum {
    DIAGNOSIS_ROWS = 50,        /* so many runtime rows are read for names */
    DIAGNOSIS_NAMES = 16,       /* distinct ones that are kept */
    DIAGNOSIS_NAME_BYTES = 128, /* a longer text is no name */
    DIAGNOSIS_TRACES = 20,      /* the newest */
    DIAGNOSIS_TRACE_BYTES = 4096,
    DIAGNOSIS_STEPS = 1000,
    DIAGNOSIS_STEP_NAMES = 8,
    DIAGNOSIS_COMPANIES = 1000,
};

/** Was a question asked, and is there an answer? `why` says why not. */
struct diagnosis_part {
    bool asked, known;
    struct err why;
};

/** A text under a key like "Organization" in a row, also inside JSON that is a text of its own. */
struct organization_name {
    const char *name;
    size_t rows; /* of those that were read */
    bool sure;   /* the key says that it is a name: OrganizationName, OrganizationId, ...Url; not
                    OrganizationType */
};

/** A trace of a dual-write plug-in. Its text is to be searched, not shown. */
struct plugin_trace {
    const char *type_name, *created_on; /* as the service writes them */
    const char *text; /* exception and message, at most DIAGNOSIS_TRACE_BYTES; UTF-8 or not */
};

struct runtime_company {
    const char *code, *name; /* "" when blank */
    bool enabled;            /* for dual-write */
    bool has_team;           /* a default owning team */
};

/** What the environment itself says of what is wrong. Advisory; strings in the arena. */
struct runtime_diagnosis {
    struct diagnosis_part names_part;
    const struct organization_name *names;
    size_t name_count;
    bool more_names;     /* there are more than DIAGNOSIS_NAMES */
    size_t rows_scanned; /* whole: also nested texts */
    size_t rows_read;

    struct diagnosis_part traces_part;
    const struct plugin_trace *traces; /* newest first */
    size_t trace_count;

    struct diagnosis_part plugins_part;
    size_t plugin_types, plugin_steps; /* visible; 0 proves nothing */
    bool more_steps;                   /* there are more than were looked at */
    size_t disabled_steps;
    const char *const *disabled_names; /* the first DIAGNOSIS_STEP_NAMES */
    size_t disabled_name_count;

    struct diagnosis_part companies_part;
    const struct runtime_company *companies;
    size_t company_count;
    bool more_companies;
};

struct runtime_store;

struct runtime_store_ops {
    /** Organization, link, table, and every row's shown columns. `sink`, unless NULL, gets every
     * row in key order; `ret` keeps the first ones. */
    bool (*observe)(struct runtime_store *store, struct arena *arena,
                    const struct runtime_row_sink *sink, struct runtime_evidence *ret,
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
    bool (*remove)(struct runtime_store *store, const struct runtime_ref *rows, size_t count,
                   const struct removal_sink *sink, struct err *err);

    /**
     * DELETE one row as it is, without a condition: for a table whose versions the service does not
     * compare. The caller has just compared its contents. Waits where the service asks for it.
     *
     * @param tries     how often this row has been sent, with this time
     * @param ret_again true: nothing is known to be done. Compare again, then send again
     * @param ret       its outcome, unless *ret_again; never CHANGED
     * @return          false: this sending did nothing, and no use to go on
     *
     * After an answer that is not the service's the row is UNKNOWN, and the next call sends
     * nothing. Destroys.
     */
    bool (*remove_as_it_is)(struct runtime_store *store, const struct runtime_ref *row,
                            unsigned tries, struct removal *ret, bool *ret_again, struct err *err);

    /** One row as it is now, with all its columns, as read_rows brings it. `ret_found` false: there
     * is none. */
    bool (*read_row)(struct runtime_store *store, const char *key, const struct row_sink *sink,
                     bool *ret_found, struct err *err);

    /**
     * Are two documents of read_rows the same row but for what the service stamps by itself on
     * every write (modifiedon, modifiedby, versionnumber)? With `created` also but for what a new
     * row gets (createdon, owner, state and what runtime_columns of lost_columns names).
     */
    bool (*same_row)(struct runtime_store *store, struct slice a, struct slice b, bool created);

    /** Columns whose value does not survive an undo, from the service's metadata. */
    bool (*lost_columns)(struct runtime_store *store, struct arena *arena,
                         struct runtime_columns *ret, struct err *err);

    /**
     * Create rows again with their old keys (upsert that only creates: If-None-Match: *), paced as
     * a purge: return_begin, return_row for each row of the backup, return_end. return_row waits
     * while enough rows are in flight. Every row gets exactly one outcome, unless the whole stops
     * (false).
     */
    bool (*return_begin)(struct runtime_store *store, size_t total, const struct return_sink *sink,
                         struct err *err);
    bool (*return_row)(struct runtime_store *store, const char *key, struct slice document,
                       struct err *err);
    bool (*return_end)(struct runtime_store *store, struct err *err);

    /**
     * Ask what the environment itself can say, `parts` of it (DIAGNOSE_...). Reads only; advisory:
     * each question is asked once, not again after a failure, and a part without an answer says
     * why. False only for a stop signal or without memory.
     */
    bool (*diagnose)(struct runtime_store *store, struct arena *arena, unsigned parts,
                     struct runtime_diagnosis *ret, struct err *err);

    void (*close)(struct runtime_store *store);
};

struct runtime_store {
    const struct runtime_store_ops *ops;
};

/** Something that can be signed in to, several times in one run. */
struct runtime_server {
    bool (*connect)(struct runtime_server *server, struct runtime_store **ret, struct err *err);

    /**
     * Sign in and ask for a SQL login of the AxDB database that belongs to this environment. The
     * observer is told first: an earlier SQL login of the same user ends with it. The request is
     * sent once; when its answer is lost (ERR_CONNECT) it may have been carried out, and it is not
     * sent again. ERR_PERMISSION: the user may not; ERR_SERVER: this environment cannot. The caller
     * wipes ret->password. NULL where there is no such thing.
     */
    bool (*grant_axdb)(struct runtime_server *server, const struct axdb_grant_request *request,
                       struct axdb_grant *ret, struct err *err);
};

/** The schema of runtime rows: one column "document" of type "json". */
const struct schema *runtime_schema(void);

#endif
