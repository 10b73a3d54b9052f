/**
 * Looking, and judging what was seen. Verification is this and nothing else: `clean` looks with the
 * same code before and after.
 */
#ifndef CORE_EVIDENCE_H
#define CORE_EVIDENCE_H

#include "base/arena.h"
#include "core/outcome.h"
#include "core/run.h"
#include "core/scope.h"

#include <stdbool.h>

/** The connections of a run; NULL where a half is not asked for or could not be reached. */
struct connections {
    struct axdb_store *axdb;
    struct runtime_store *runtime;
};

/** What is to be looked at; all borrowed. */
struct look {
    const struct run_request *request; /* halves, pins, scope */
    const struct run_ports *ports;     /* where to connect */
    struct arena *arena;               /* holds everything that was seen */
    const struct runtime_row_sink
        *rows;         /* gets every row of Dataverse in key order; NULL = nobody */
    unsigned diagnose; /* DIAGNOSE_...: what Dataverse is asked too, once its half was reached */
    bool apart; /* both halves at the same time, if ports->aside can: no connection to Dataverse is
                   left then */
};

/**
 * Connect the halves that are asked for and look. Failures are part of the evidence (axdb_err,
 * runtime_err) and make its checks unknown; `ret` is filled in every case. A diagnosis that fails
 * changes nothing but its own checks.
 *
 * @param look     at what
 * @param ret_conn connections that were made; the caller closes them with connections_close
 * @param ret      what was seen, and the observations
 * @param err      ERR_INTERNAL; ERR_INTERRUPTED by a stop signal
 * @return         false only then
 */
MUST_CHECK bool evidence_collect(const struct look *look, struct connections *ret_conn,
                                 struct evidence *ret, struct err *err);

/** Where rows are read from, and who is told how far that is. All borrowed. */
struct row_source {
    const struct evidence *evidence; /* schemas, identity */
    const struct connections *connections;
    const struct scope *scope;
    struct observer *observer;
};

/**
 * Stream the rows of `schema`'s table that are in the scope, from whichever side has them.
 * `ret_kept` counts the others. Errors as the stores'.
 */
MUST_CHECK bool row_source_read(const struct row_source *source, const struct schema *schema,
                                const struct row_sink *sink, int64_t *ret_kept, struct err *err);

/** Before row_source_read of these tables, in enum order: they are asked for at once. */
void row_source_foresee(const struct row_source *source, const bool tables[TABLES]);

/** The columns of a table, as the evidence has them. */
const struct schema *row_source_schema(const struct row_source *source, enum table table);

/** The same names in the same order, and known alike. */
bool named_list_equal(const struct named_list *a, const struct named_list *b);

/**
 * Is this the target that the other evidence is of? Compares database, its creation time and
 * recovery fork, and the organization's id; a half that either did not reach is not compared.
 *
 * @return false with ERR_STALE, saying both values
 */
MUST_CHECK bool evidence_same_target(const struct evidence *before, const struct evidence *now,
                                     struct err *err);

void connections_close(struct connections *connections);

/**
 * Status of a verification: 0 when every required check is ok; 2 when one
 * differs; else the status of the first unknown's cause. `ret_why` is then the observation that
 * decided, or NULL.
 */
int evidence_status(const struct evidence *evidence, const struct observation **ret_why);

/** How many observations have this verdict among the required, or among the advisory ones. */
size_t evidence_count(const struct evidence *evidence, bool required, enum verdict verdict);

/** Event rows of channels that --channel does not name, as counted by channel; -1 when not known.
 */
int64_t evidence_kept_events(const struct run_request *request, const struct evidence *evidence);

/** Event rows of channels that --channel names, from the same answer; -1 when not known. */
int64_t evidence_named_events(const struct run_request *request, const struct evidence *evidence);

/** A channel that --channel does not name, but which differs from a named one only in case (ASCII)
 * or trailing blanks: SQL Server would take them for the same. NULL = none. */
const char *evidence_nearly_named(const struct run_request *request,
                                  const struct evidence *evidence);

/** Bytes that a backup of the rows as seen may need: generous, only to refuse a full disk early. */
uint64_t evidence_backup_bytes(const struct evidence *evidence);

/** Whom a GRANT in the database names, bracketed as T-SQL wants it: the user, or the login where
 * only that is known. Into `ret` of `size` bytes. */
void evidence_grantee(const struct axdb_identity *identity, char *ret, size_t size);

/** Has a row of Dataverse no version, or does the service not compare versions? Then rows cannot be
 * deleted in the version that was backed up and in no other. */
bool evidence_without_versions(const struct runtime_evidence *runtime);

/** STATUS of a project row: 0 is enabled, 4 is queueing (Microsoft, "Troubleshoot live
 * synchronization issues"). */
bool evidence_is_running(int64_t status);

/** Rows of a table as seen; -1 when not known or not asked. */
int64_t evidence_rows(const struct evidence *evidence, enum table table);

#endif
