/**
 * What core/ asks of the AxDB database, and nothing more: there is no general query function. Each
 * operation is answered by one or a few files in sql/. Implemented by mssql/ and by tests/fakes/.
 */
#ifndef PORT_AXDB_STORE_H
#define PORT_AXDB_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A number that may not be known. Then `why` says what stood in the way (code and text). */
struct counted {
    bool known;
    int64_t rows;
    struct err why;
};

/** Who answered. Strings in the arena of the observation, UTF-8, "" when the server did not say. */
struct axdb_identity {
    const char *dialled;      /* host,port as asked for: "sql01.contoso.com,1433" */
    const char *server_name;  /* @@SERVERNAME: evidence only */
    const char *machine_name; /* SERVERPROPERTY('MachineName'): evidence only */
    const char *product;      /* SERVERPROPERTY('ProductVersion') and edition */
    const char *database; /* DB_NAME(); equals the one asked for, else the connection was refused */
    const char *login;    /* ORIGINAL_LOGIN() */
    const char *user;     /* USER_NAME(): whom a GRANT in the database names; NULL = not known */
    const char *client;   /* FreeTDS version */
    const char *encryption; /* "TLS" with what is known, or "none" */
    int spid;
    const char *state;       /* sys.databases.state_desc, e.g. ONLINE */
    const char *user_access; /* MULTI_USER, ... */
    bool read_only;          /* sys.databases.is_read_only */
    bool replica;            /* Updateability READ_ONLY while read_only is false */
    bool read_committed_snapshot;
    /** sys.databases.delayed_durability_desc: DISABLED, ALLOWED, FORCED; "" when unknown. FORCED:
     * COMMIT answers before the log is on disk, and `commit` flushes it afterwards. */
    const char *delayed_durability;
    const char *created;       /* sys.databases.create_date, ISO */
    const char *recovery_fork; /* sys.database_recovery_status, "" if not readable */
    /* newest row of msdb.dbo.restorehistory; known = the view could be read */
    bool restore_known;
    const char *restored_at, *restored_from_server, *restored_from_database, *backup_finished_at;
};

/** Names of things that would run or interfere with a delete. `known` only with VIEW DEFINITION. */
struct named_list {
    bool known;
    const char *const *names;
    size_t count;
    const char *const *disabled; /* switched off: they do nothing, but may be switched on */
    size_t disabled_count;
};

struct axdb_table_evidence {
    bool exists; /* a base table dbo.<name> that the login can see */
    const char
        *fault;           /* NULL, or why it cannot be used: "is a view", "is temporal", "is
                             memory-optimised",    "column FOO has type xml", "column RECID is missing" */
    bool fault_is_final;  /* with `fault`: undo could not be exact or key columns missing, so clean
                             refuses */
    struct schema schema; /* valid when exists */
    enum right may_select, may_insert, may_delete, may_alter, may_view_definition;
    struct counted fresh;      /* COUNT(*) WITH (READCOMMITTEDLOCK) under the lock timeout */
    struct counted partitions; /* sum of sys.partitions.rows, index_id 0 and 1 */
    struct named_list triggers, foreign_keys, policies;
    struct named_list outgoing; /* its own foreign keys and CHECK constraints: they can make undo
                                   impossible */
};

/** Project rows grouped. */
struct axdb_url_count {
    const char *url; /* EXTERNALENVIRONMENTURL as stored, decoded; "" for NULL or empty */
    int64_t status;  /* STATUS */
    int64_t rows;
};

/** Event rows grouped. */
struct axdb_channel_count {
    const char *channel; /* as stored, decoded, trailing blanks kept */
    int64_t direction, handler_class, enabled;
    int64_t rows;
};

/** One connected look at AxDB. Everything lives in the arena that was passed. */
struct axdb_evidence {
    struct axdb_identity identity;
    struct axdb_table_evidence tables[AXDB_TABLES];
    /* known only when the table exists and was readable; `why` of the project or events count
     * otherwise */
    bool urls_known;
    const struct axdb_url_count *urls;
    size_t url_count;
    bool channels_known;
    const struct axdb_channel_count *channels;
    size_t channel_count;
    struct counted projects_without_fields,
        fields_without_project; /* orphans, by PROJECTNAME and PARTITION */
    bool sessions_known;        /* the login may see other sessions */
    int64_t other_sessions;     /* user sessions on this database, own one excluded */
    int64_t aos_sessions; /* of these: program or host that looks like an application server */
    enum right may_applock;
};

/** What is known after COMMIT was sent. */
enum commit_state {
    COMMIT_DONE,    /* the server said so */
    COMMIT_NOT,     /* the server refused it on a live connection: nothing was changed */
    COMMIT_UNKNOWN, /* no answer: the outcome is not known */
};

/** What the caller will ask for next, so that questions may travel together. */
struct axdb_foresight {
    bool catalog;                             /* read_catalog follows begin_locked */
    const struct schema *tables[AXDB_TABLES]; /* read_rows of these, in this order, borrowed */
    size_t table_count;
};

/** What a DELETE did to a table: the server's own counts. */
struct axdb_deleted {
    int64_t rows; /* that it deleted */
    int64_t left; /* that are there when every table has been deleted from */
};

struct axdb_store;

struct axdb_store_ops {
    /**
     * One batch: identity, state, schema, rights, fresh counts, groups. What cannot be known is
     * marked so; false only when the connection or the whole batch failed.
     */
    bool (*observe)(struct axdb_store *store, struct arena *arena, struct axdb_evidence *ret,
                    struct err *err);

    /**
     * Say what comes next; it changes nothing about what the operations do or answer, only how
     * often they wait for the server. Another order than the one foreseen is slower, never wrong.
     */
    void (*foresee)(struct axdb_store *store, const struct axdb_foresight *foresight);

    /**
     * Stream every row of a table ORDER BY PARTITION, RECID, every column, digests filled. Without
     * locks outside a transaction; inside the transaction of `begin`, under its locks. Not
     * receiving as many rows as the server counted is a failure.
     */
    bool (*read_rows)(struct axdb_store *store, const struct schema *schema,
                      const struct row_sink *sink, struct err *err);

    /** sp_getapplock 'dwclean', exclusive, owned by the session. `ret_granted` false = somebody
     * holds it: not an error. ERR_PERMISSION: the login may not use it, and the store is as good as
     * before. Only the call tells: `may_applock` of the evidence is what the server says of the
     * right. */
    bool (*acquire_exclusion)(struct axdb_store *store, bool *ret_granted, struct err *err);
    bool (*release_exclusion)(struct axdb_store *store, struct err *err);

    /**
     * BEGIN TRANSACTION, then TABLOCKX, HOLDLOCK on the three tables in enum order, within the lock
     * timeout. From here until commit or rollback everything counts against `max_lock_ms`; when it
     * is over, operations fail with ERR_LOCK. On failure the transaction has been rolled back.
     */
    bool (*begin_locked)(struct axdb_store *store, int64_t max_lock_ms, struct err *err);

    /**
     * Under the locks of begin_locked: the catalog of the three tables again, as `observe` reads
     * it, and nothing else. Of each table: exists, fault, schema, triggers, foreign_keys, policies;
     * the rest of `ret` is zero. So that a column or a trigger that was added after the plan cannot
     * pass.
     */
    bool (*read_catalog)(struct axdb_store *store, struct arena *arena,
                         struct axdb_table_evidence ret[AXDB_TABLES], struct err *err);

    /** DELETE every row of the tables that are true, in enum order, then count what is left in each
     * of them: `ret` of the others is zero. Destroys. */
    bool (*delete_all)(struct axdb_store *store, const bool tables[AXDB_TABLES],
                       struct axdb_deleted ret[AXDB_TABLES], struct err *err);

    /**
     * DELETE the rows with these keys, `count` of them in ascending order, inside the transaction
     * of begin_locked. `ret_deleted` is the server's own count. Only for a table with a unique
     * index on its key. Destroys.
     */
    bool (*delete_keys)(struct axdb_store *store, enum table table, const struct axdb_key *keys,
                        size_t count, int64_t *ret_deleted, struct err *err);

    /**
     * Put rows back, inside the transaction of begin_locked: begin_insert, insert for each row,
     * end_insert; one table at a time. `schema` is the one that the rows were read with; only
     * insertable columns are written, identity columns under IDENTITY_INSERT. Rows are sent in
     * groups, so a failure may come with a later row or with end_insert, and means: roll back.
     * `ret_inserted` is the server's own count.
     */
    bool (*begin_insert)(struct axdb_store *store, const struct schema *schema, struct err *err);
    bool (*insert)(struct axdb_store *store, const struct row *row, struct err *err);
    bool (*end_insert)(struct axdb_store *store, int64_t *ret_inserted, struct err *err);

    /**
     * Commit; false (with `err`) unless COMMIT_DONE, `ret_state` is set in every case. COMMIT_NOT
     * is only said when it is proven: the COMMIT was not sent, or the same connection has answered
     * afterwards that the transaction is rolled back. Where `observe` has found the durability
     * FORCED, the log is flushed before this returns; when that fails, the observer is told.
     */
    bool (*commit)(struct axdb_store *store, enum commit_state *ret_state, struct err *err);

    /** Roll back, or close the connection when that cannot be proven; safe without a transaction.
     */
    void (*rollback)(struct axdb_store *store);

    /** How long the locks have been held so far, or were held, in ms. */
    int64_t (*locked_ms)(const struct axdb_store *store);

    void (*close)(struct axdb_store *store); /* frees the store */
};

struct axdb_store {
    const struct axdb_store_ops *ops;
};

/** Something that can be connected to, several times in one run. */
struct axdb_server {
    /**
     * A new, proven connection: version, encryption, SET options, database name. Caller closes it.
     * `run_id` is shown to the server beside the program's name, so that others can see who holds
     * locks; NULL for a command without a run.
     */
    bool (*connect)(struct axdb_server *server, const char *run_id, struct axdb_store **ret,
                    struct err *err);
};

#endif
