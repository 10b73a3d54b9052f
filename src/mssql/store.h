/** The AxDB store over one connection, and what its operations share. */
#ifndef MSSQL_STORE_H
#define MSSQL_STORE_H

#include "base/err.h"
#include "connection.h"
#include "mssql/mssql.h"
#include "port/axdb_store.h"
#include "statement.h"

#include <stdbool.h>
#include <stdint.h>

struct mssql_store {
    struct axdb_store port; /* first: the port hands out its address */
    struct connection *connection;
    bool in_transaction;      /* locks may be held */
    int64_t begun_ms;         /* monotonic, when BEGIN was sent */
    int64_t lock_deadline_ms; /* everything until COMMIT has to be over by then */
    int64_t locked_ms;        /* of the last transaction, once it is over */
    bool catalog_asked;       /* outside a transaction: catalog_lacks is known */
    uint32_t catalog_lacks;   /* questions of catalog.sql that the server could not answer */
    struct axdb_foresight foreseen;
    bool catalog_open;           /* the batch that is open goes on with catalog.sql */
    size_t foreseen_read;        /* of its tables: asked for already, in the batch that is open */
    bool flush_log;              /* observed: COMMIT answers before the log is on disk */
    struct insertion *insertion; /* between begin_insert and end_insert, else NULL */
    bool identity_left_on; /* IDENTITY_INSERT of identity_table, by a group that did not end well */
    enum table identity_table;
};

/** A store over a connection, which it owns from then on. NULL when out of memory. */
struct axdb_store *mssql_store_new(struct connection *connection);
struct mssql_store *mssql_store_of(struct axdb_store *store);

/**
 * Run a batch, made of the file `name` in sql/, on the store's connection: under the query timeout,
 * or inside a transaction under what is left of the lock budget (ERR_LOCK when it is used up).
 */
MUST_CHECK bool mssql_store_run(struct mssql_store *store, const char *name,
                                const struct text *batch, const struct taker *taker,
                                struct err *err);

/**
 * The same, left open after so many result sets; without a batch, the next ones of the one that is
 * open. `sets` 0 is all that there are.
 */
MUST_CHECK bool mssql_store_run_part(struct mssql_store *store, const char *name,
                                     const struct text *batch, size_t sets,
                                     const struct taker *taker, struct err *err);

/** begin_locked has sent the questions about the catalog already: their answers wait. */
bool mssql_catalog_is_open(const struct mssql_store *store);

/** The same for a file of sql/ without variables. */
MUST_CHECK bool mssql_store_run_sql(struct mssql_store *store, const char *name, const char *sql,
                                    const struct taker *taker, struct err *err);

/** Add to the detail of a lock error who holds the locks, where the login may see it. */
void mssql_name_blockers(struct mssql_store *store, struct err *err);

/** Forget rows that were to be inserted and were not sent. */
void mssql_insertion_drop(struct mssql_store *store);

/**
 * Before a transaction on an engine with gaps, whose errors end transactions: find out which
 * questions about the catalog it cannot answer, unless that is known.
 */
MUST_CHECK bool mssql_know_catalog(struct mssql_store *store, struct err *err);

/* The operations: observe.c, catalog_rows.c, rows.c, exclusion.c, transaction.c, delete_keys.c,
 * insert.c. */
bool mssql_observe(struct axdb_store *store, struct arena *arena, struct axdb_evidence *ret,
                   struct err *err);
bool mssql_read_rows(struct axdb_store *store, const struct schema *schema,
                     const struct row_sink *sink, struct err *err);
bool mssql_acquire_exclusion(struct axdb_store *store, bool *ret_granted, struct err *err);
bool mssql_release_exclusion(struct axdb_store *store, struct err *err);
bool mssql_begin_locked(struct axdb_store *store, int64_t max_lock_ms, struct err *err);
bool mssql_read_catalog(struct axdb_store *store, struct arena *arena,
                        struct axdb_table_evidence ret[AXDB_TABLES], struct err *err);
bool mssql_delete_all(struct axdb_store *store, const bool tables[AXDB_TABLES],
                      struct axdb_deleted ret[AXDB_TABLES], struct err *err);
bool mssql_delete_keys(struct axdb_store *store, enum table table, const struct axdb_key *keys,
                       size_t count, int64_t *ret_deleted, struct err *err);
bool mssql_begin_insert(struct axdb_store *store, const struct schema *schema, struct err *err);
bool mssql_insert(struct axdb_store *store, const struct row *row, struct err *err);
bool mssql_end_insert(struct axdb_store *store, int64_t *ret_inserted, struct err *err);
bool mssql_commit(struct axdb_store *store, enum commit_state *ret_state, struct err *err);
void mssql_rollback(struct axdb_store *store);
int64_t mssql_locked_ms(const struct axdb_store *store);

/* The batches of some of them, appended to `batch`: the operations send exactly this. */
MUST_CHECK bool mssql_observe_batch(struct text *batch, struct err *err);
MUST_CHECK bool mssql_rows_batch(const struct schema *schema, struct text *batch, struct err *err);
MUST_CHECK bool mssql_begin_batch(bool then_catalog, uint32_t lacking, struct text *batch,
                                  struct err *err);
MUST_CHECK bool mssql_delete_all_batch(const bool tables[AXDB_TABLES], struct text *batch,
                                       struct err *err);
MUST_CHECK bool mssql_delete_keys_batch(enum table table, const struct axdb_key *keys, size_t count,
                                        struct text *batch, struct err *err);

enum { MSSQL_GROUP_KEYS = 500 };

/** How many of the keys go into one statement: those with the first one's PARTITION. */
size_t mssql_key_group(const struct axdb_key *keys, size_t count);

#endif
