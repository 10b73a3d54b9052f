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
#include "port/run_archive.h"
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
    const char *server, *database;     /* as asked for; with axdb; with jit NULL if not given */
    const char *dataverse_url;         /* with dataverse, and with jit */
    const char *jit, *jit_ip;          /* role and address of --jit; NULL = own credentials */
    const char *expect_dataverse_host; /* pins; NULL = none */
    const char *expect_org_id;
    const char *expect_org_name;
    const char *expect_fno_url;
    const char *expect_server_name;
    const char *expect_database;
    const char *expect_restored_after; /* ISO date, or date and time, in the server's local time */
    const char *reason;
    const char *plan_id;          /* --plan-id: 64 hex digits */
    const char *allow_production; /* --allow-production=NAME */
    bool yes;
    bool dry_run;
    bool maps_are_stopped;
    bool rows_name_this_environment;
    bool channels_all;           /* --channels all */
    const char *const *channels; /* --channel NAME: event rows of these channels only */
    size_t channel_count;
    const char *map;             /* repair-map: INTERNALENTITYNAME:EXTERNALENTITYNAME */
    const char *const *projects; /* repair-map: --project PROJECTNAME; none = all of the map */
    size_t project_count;
    bool wrong_url_only; /* repair-map: leave rows that name the target's own organization */
    bool allow_no_etag;  /* delete Dataverse rows that cannot be deleted by version */
    bool allow_triggers;
    bool merge;                 /* undo: add only keys that are missing */
    const char *run;            /* RUN of undo and resume */
    const char *run_id;         /* set by core: the run that connections belong to */
    bool resumes;               /* set by core: the plan is that of `run`, not a new one */
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
    struct run_archive *archive; /* undo, resume */
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

/**
 * The same for the project and field rows of one map (request->map): AxDB only, events stay.
 * Refused when no row matches, or when a row of another map would go.
 */
void run_repair_map(const struct run_request *request, const struct run_ports *ports,
                    struct arena *arena, struct outcome *ret);

/**
 * Put the AxDB rows that request->run removed back: planned, confirmed, journalled, in one
 * transaction that ends with a comparison of every row with the backup.
 */
void run_undo(const struct run_request *request, const struct run_ports *ports, struct arena *arena,
              struct outcome *ret);

/** Finish request->run: settle a COMMIT without an answer, purge what is left, verify. */
void run_resume(const struct run_request *request, const struct run_ports *ports,
                struct arena *arena, struct outcome *ret);

/**
 * Is everything there that a run will need? Reads only. ret->before.observations is the list: ok,
 * differs (missing), unknown, each with what to do as its hint.
 */
void run_check(const struct run_request *request, const struct run_ports *ports,
               struct arena *arena, struct outcome *ret);

#endif
