/**
 * The life of a run: evidence, plan, guard, change, fresh evidence, outcome.
 */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "base/arena.h"
#include "core/outcome.h"
#include "port/aside.h"
#include "port/axdb_store.h"
#include "port/observer.h"
#include "port/operator.h"
#include "port/run_archive.h"
#include "port/run_dir.h"
#include "port/run_history.h"
#include "port/runtime_store.h"
#include "port/saved_plan.h"

#include <stdbool.h>
#include <stdint.h>

enum env_class { CLASS_PRODUCTION, CLASS_SANDBOX, CLASS_DEV };

/** "production", "sandbox", "dev". */
const char *env_class_name(enum env_class env_class);

/** What a verification expects: rows that are gone, or rows of a link that works. */
enum expectation { EXPECT_PRE_RELINK, EXPECT_POST_RELINK };

/** An environment that the configuration marks as production. Strings as configured, NULL = not
 * set. */
struct production_target {
    const char *environment;
    const char *source;  /* file:line of its section */
    const char *server;  /* as request->server is written */
    const char *dialled; /* host,port as a connection is dialled; NULL = the port has to be asked */
    const char *database;
    const char *dataverse_url;
};

/** What the operator asked for. Strings borrowed, NULL when not given. */
struct run_request {
    bool axdb, dataverse;          /* the halves; at least one */
    enum expectation expect;       /* verify: --expect */
    const char *environment;       /* --env, or NULL */
    enum env_class env_class;      /* production unless said otherwise */
    const char *server, *database; /* as asked for; with axdb; with jit NULL if not given */
    const char *dataverse_url;     /* with dataverse, and with jit */
    const char *jit, *jit_ip;      /* role and address of --jit; NULL = own credentials */
    const struct production_target *production; /* every environment of class production */
    size_t production_count;
    const char *expect_dataverse_host; /* pins; NULL = none */
    const char *expect_org_id;
    const char *expect_org_name;
    const char *expect_fno_url;
    const char *expect_server_name;
    const char *expect_database;
    const char *expect_restored_after; /* ISO date, or date and time, in the server's local time */
    const char
        *restored_at; /* --restored-at: when the copy was made, UTC; as moment_parse reads it */
    const char *reason;
    const char *user, *sudo_user, *host; /* who asks: for the report */
    const char *plan_id;                 /* --plan-id: 64 hex digits */
    const char *allow_production;        /* --allow-production=NAME */
    bool yes;
    bool dry_run;
    bool maps_are_stopped;
    bool rows_name_this_environment;
    bool channels_all;           /* --channels all */
    const char *const *channels; /* --channel NAME: event rows of these channels only */
    size_t channel_count;
    const char *text; /* explain: what was pasted; may hold any bytes */
    size_t text_size;
    const char *map;             /* repair-map: INTERNALENTITYNAME:EXTERNALENTITYNAME */
    const char *const *projects; /* repair-map: --project PROJECTNAME; none = all of the map */
    size_t project_count;
    bool wrong_url_only; /* repair-map: leave rows that name the target's own organization */
    bool allow_no_etag;  /* delete Dataverse rows that cannot be deleted by version */
    bool allow_triggers;
    bool merge;                 /* undo: add only keys that are missing */
    bool detailed_exitcode;     /* plan: 2 when there is something to do */
    const char *run;            /* RUN of undo and resume */
    const char *run_id;         /* set by core: the run that connections belong to */
    bool resumes;               /* set by core: the plan is that of `run`, not a new one */
    bool removes;               /* set by core: a new run that removes rows */
    bool applies;               /* set by core: the plan is a saved one */
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
    struct run_history *history; /* commands that write: runs that were not finished; NULL = not
                                    looked for */
    struct observer *observer;
    struct aside *aside; /* verify: looks at one half while we look at the other; NULL = nobody */
    struct operator_port *op;
    struct plan_file *plan_out; /* plan: where the plan is saved; NULL = nowhere */
    const char *plan_out_path;  /* its name */
    struct saved_plan *saved;   /* apply */
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
 * What run_clean would do, or run_repair_map where request->map is given: a dry run, whose plan is
 * saved to ports->plan_out unless that is NULL. With request->detailed_exitcode the status is 2
 * when the plan has rows.
 */
void run_make_plan(const struct run_request *request, const struct run_ports *ports,
                   struct arena *arena, struct outcome *ret);

/**
 * Execute ports->saved and no other plan: the scope is the plan's, the target of the request has to
 * be the plan's, and everything is planned again and compared before anything durable happens.
 * ERR_STALE with ret->difference when rows, versions or columns are not the same.
 */
void run_apply(const struct run_request *request, const struct run_ports *ports,
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
 * What does request->text mean? With a target, also: does the target show it? The text is looked up
 * in core/symptom.h; the target is looked at as run_verify does. Neither half may be asked for:
 * then nothing is connected. Without a match: OUTCOME_FAILED, exit status 1.
 */
void run_explain(const struct run_request *request, const struct run_ports *ports,
                 struct arena *arena, struct outcome *ret);

/**
 * Is everything there that a run will need? Reads only. ret->before.observations is the list: ok,
 * differs (missing), unknown, each with what to do as its hint.
 */
void run_check(const struct run_request *request, const struct run_ports *ports,
               struct arena *arena, struct outcome *ret);

/**
 * Do the halves answer, and are they what was pinned? As run_check, but only what a connection
 * shows is in ret->before.observations. A pin that does not hold: OUTCOME_REFUSED, 4.
 */
void run_test_target(const struct run_request *request, const struct run_ports *ports,
                     struct arena *arena, struct outcome *ret);

#endif
