/**
 * The plan: exactly which rows go, before any goes. It holds keys and digests, never contents.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "base/arena.h"
#include "core/evidence.h"
#include "core/runtime_refs.h"
#include "port/plan_file.h"
#include "port/saved_plan.h"

#include <stdbool.h>
#include <stddef.h>

enum { PLAN_LIFE_HOURS = 24 };

struct plan {
    bool asked[TABLES];
    struct table_state states[TABLES]; /* what each table held, of the scope */
    int64_t kept_rows[TABLES];         /* what else it held */
    struct runtime_refs runtime;       /* every Dataverse row, in key order */
    char id[DIGEST_HEX_BYTES];         /* plan-id, see plan_make */
    int64_t expires_utc_ms;
};

/**
 * Read every row of the tables in the scope and say what would go.
 *
 * The plan-id is a SHA-256 over target identity (server as dialled, database with its creation time
 * and recovery fork, organization id and name), scope, the tables' columns, and every row's key,
 * digest and version in key order: the same state gives the same id at any time, on any machine.
 *
 * @param source       read from, with the scope
 * @param file         written to, or NULL (a dry run)
 * @param ret          plan_done frees it; also after failure
 * @param err          as the stores; ERR_STORAGE for the file
 */
MUST_CHECK bool plan_make(const struct row_source *source, struct plan_file *file, struct plan *ret,
                          struct err *err);

/** The head of a plan for the target that was looked at, made now. Strings borrowed. */
struct plan_header plan_header_of(const struct evidence *evidence, const char *scope);

/** What a plan-id covers besides rows: target and scope. NULL when out of memory. The caller adds
 * what the plan is about and ends it with digest_finish, digest_free. */
struct digest_stream *plan_id_begin(const struct plan_header *header);

/** Add a table's columns to a plan-id. */
void plan_id_add_schema(struct digest_stream *stream, const struct schema *schema);

/** What a saved plan amounts to. */
struct plan_summary {
    bool asked[TABLES];
    struct table_state states[TABLES];
};

/**
 * Read a saved plan whole: its plan-id, made again of what it holds, has to be the one that it
 * claims. ERR_STORAGE.
 */
MUST_CHECK bool plan_check_saved(struct saved_plan *saved, struct plan_summary *ret,
                                 struct err *err);

/** When it ends to be valid: no later than PLAN_LIFE_HOURS after it was made. */
int64_t plan_header_expiry(const struct plan_header *header);

void plan_done(struct plan *plan);

/** False with ERR_STALE when the plan is older than PLAN_LIFE_HOURS: an answer may take its time.
 */
MUST_CHECK bool plan_is_fresh(const struct plan *plan, struct err *err);

/** Rows planned, all tables. */
int64_t plan_rows(const struct plan *plan);

#endif
