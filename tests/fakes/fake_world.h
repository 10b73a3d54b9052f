/**
 * A whole world in memory: an AxDB database, a Dataverse environment, a run directory, an operator.
 * Every port call counts; call number `fail_at` (from 1) fails, whichever port it is; 0 never. The
 * world itself watches the promise of the program: `violations` counts rows that were destroyed
 * without an equal row in a sealed backup.
 */
#ifndef FAKES_FAKE_WORLD_H
#define FAKES_FAKE_WORLD_H

#include "core/run.h"

#include <stdbool.h>
#include <stdint.h>

enum { FAKE_MAX_ROWS = 64, FAKE_MAX_JOURNAL = 512, FAKE_MAX_ANSWERS = 4 };

struct fake_row {
    int recid;
    int content; /* another value is another row content */
    int version; /* rowversion or etag */
};

struct fake_table {
    struct fake_row rows[FAKE_MAX_ROWS];
    size_t count;
};

/** When something else happens to the world: before the named call, once. */
enum fake_moment {
    FAKE_NEVER,
    FAKE_BEFORE_BACKUP, /* when the backup starts */
    FAKE_BEFORE_LOCK,   /* when the locks are taken */
    FAKE_BEFORE_PURGE,
    FAKE_BEFORE_LAST_LOOK, /* the second observation */
};

struct fake_world {
    struct fake_table tables[TABLES];
    struct fake_table backup[TABLES];
    bool sealed;
    bool backup_lies; /* what is read back is not what was written */

    const char *url;           /* EXTERNALENVIRONMENTURL of every project row */
    const char *own_host;      /* what Dataverse says of itself */
    const char *channel;       /* of the event rows */
    const char *other_channel; /* of the last event row; NULL = the same */
    const char *state;         /* sys.databases.state_desc */
    enum right may_delete;
    bool table_missing;      /* the events table */
    const char *trigger;     /* on the project table; NULL = none */
    const char *policy;      /* on the events table; NULL = none */
    bool count_unknown;      /* the events table cannot be counted: lock timeout */
    bool hidden_rows;        /* COUNT says 0 where partitions hold rows */
    bool blind;              /* no VIEW DEFINITION: triggers, keys, policies not known */
    bool column_appears;     /* between the first look and the locks */
    bool other_target_after; /* the last look reaches another organization */
    bool no_versions;        /* Dataverse does not check row versions of the table */
    enum right may_read_all; /* of the application user */
    bool finish_fails;       /* the run directory cannot be finished */
    bool link_unknown;

    enum commit_state commit; /* what the next COMMIT answers */
    bool commit_lands;        /* with COMMIT_UNKNOWN: it did happen */
    int lock_failures;        /* so many begin_locked fail with 1222 first */
    bool exclusion_taken;     /* somebody else holds the application lock */
    int short_delete;         /* delete_all leaves so many rows */

    enum fake_moment change_at; /* then one row of `change_table` is changed (or added) */
    enum table change_table;
    bool change_adds;
    bool axdb_gone_after;       /* the second connection fails */
    enum removal_state removal; /* what the last runtime row's removal comes to; DONE by default */

    const char *answers[FAKE_MAX_ANSWERS]; /* the operator's, in turn; NULL = end of input */
    int answer_count;
    bool terminal;

    /* last word on what a look finds; NULL = as above */
    void (*patch_axdb)(struct axdb_evidence *evidence);
    void (*patch_runtime)(struct runtime_evidence *evidence);

    /* what happened */
    int calls, fail_at;
    int violations;
    int axdb_connects, observations;
    int answered;
    int files_created; /* run directories */
    char journal[FAKE_MAX_JOURNAL][24];
    int journal_count;
    char shown[4096]; /* what the operator was shown */
    bool reports_written, finished;
    int reported_status; /* by the last report that was written */

    /* ports */
    struct run_ports ports;
    struct axdb_server axdb_server;
    struct runtime_server runtime_server;
    struct run_store run_store;
    struct observer observer;
    struct operator_port op;
    struct axdb_store axdb;
    struct runtime_store runtime;
    struct run_dir dir;
    struct journal journal_port;
    struct plan_file plan;
    struct backup backup_port;
    struct fake_table transaction[AXDB_TABLES]; /* the state to return to */
    bool in_transaction;
};

/** Scenario A in small: 2 project, 2 field, 3 event, 2 runtime rows that name another environment.
 */
void fake_world_init(struct fake_world *world);

/** A request for both halves of this world, confirmed in advance except for the plan-id. */
struct run_request fake_request(void);

/** Rows of all tables now. */
size_t fake_world_rows(const struct fake_world *world);

/** True when the journal has this step. */
bool fake_world_journalled(const struct fake_world *world, const char *step);

#endif
