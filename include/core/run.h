/**
 * The life of a run: evidence, plan, guard, change, fresh evidence, outcome.
 */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "base/arena.h"
#include "core/outcome.h"
#include "port/axdb_store.h"
#include "port/observer.h"
#include "port/operator.h"
#include "port/run_dir.h"
#include "port/runtime_store.h"

#include <stdbool.h>
#include <stdint.h>

enum env_class { CLASS_PRODUCTION, CLASS_SANDBOX, CLASS_DEV };

/** "production", "sandbox", "dev". */
const char *env_class_name(enum env_class env_class);

/** What the operator asked for. Strings borrowed, NULL when not given. */
struct run_request {
    bool axdb, dataverse;              /* the halves; at least one */
    const char *environment;           /* --env, or NULL */
    enum env_class env_class;          /* production unless said otherwise */
    const char *server, *database;     /* as asked for; with axdb */
    const char *dataverse_url;         /* with dataverse */
    const char *expect_dataverse_host; /* pins; NULL = none */
    const char *expect_org_id;
    const char *expect_org_name;
    const char *expect_fno_url;
    const char *expect_server_name;
    const char *reason;
    const char *plan_id;          /* --plan-id: 64 hex digits */
    const char *allow_production; /* --allow-production=NAME */
    bool yes;
    bool dry_run;
    bool maps_are_stopped;
    bool rows_name_this_environment;
    bool channels_all;
    bool allow_triggers;
    int64_t max_lock_ms;        /* --max-lock-time */
    const struct fact *options; /* for run.json: argv without secrets, where each value came from */
    size_t option_count;
};

/** The world. Ports of halves that are not asked for may be NULL; runs, op may be NULL for verify.
 */
struct run_ports {
    struct axdb_server *axdb;
    struct runtime_server *runtime;
    struct run_store *runs;
    struct observer *observer;
    struct operator_port *op;
    /** Put the reports into the run directory; called once, just before it is finished. May be
     * NULL. */
    bool (*write_reports)(void *ctx, const struct outcome *outcome, struct run_dir *dir,
                          struct err *err);
    void *write_reports_ctx;
};

/**
 * Is it clean? Reads only; nothing is written anywhere. `ret` is filled whatever happens: an error
 * is in ret->err and in the status.
 *
 * @param request  what to look at; borrowed
 * @param ports    axdb, runtime (of the halves asked for) and observer
 * @param arena    everything in `ret` lives here
 * @param ret      filled in every case
 */
void run_verify(const struct run_request *request, const struct run_ports *ports,
                struct arena *arena, struct outcome *ret);

/**
 * Plan, show, confirm, back up, remove, verify. Parameters as run_verify; all ports are needed,
 * except that a dry run needs neither runs nor op and changes nothing durable anywhere.
 */
void run_clean(const struct run_request *request, const struct run_ports *ports,
               struct arena *arena, struct outcome *ret);

#endif
