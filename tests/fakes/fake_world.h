/**
 * A whole world in memory: an AxDB database, a Dataverse environment, run directories and the
 * archive of them, an operator. Every port call counts; call number `fail_at` (from 1) fails,
 * whichever port it is; 0 never; from call number `crash_at` on every call fails.
 *
 * The world itself watches the promises of the program: `violations` counts rows that were
 * destroyed without an equal row in the sealed backup of the run, rows that were put back other
 * than a sealed backup has them, rows that a putting back changed or took away, and each COMMIT
 * that was sent without a durable record of it.
 */
#ifndef FAKES_FAKE_WORLD_H
#define FAKES_FAKE_WORLD_H

#include "core/run.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FAKE_MAX_ROWS = 64,
    FAKE_MAX_JOURNAL = 512,
    FAKE_MAX_ANSWERS = 4,
    FAKE_MAX_RUNS = 8,
    FAKE_MAX_AGAIN = 6,
    FAKE_MAX_OPEN = 4,
    FAKE_NAME_BYTES = 160
};

struct fake_row {
    int recid;
    int content; /* another value is another row content */
    int version; /* rowversion or etag */
    int group;   /* 0 or 1: which channel an event has, which map a project row belongs to */
    int status;  /* STATUS; of project rows only, as `own` */
    int project; /* number in PROJECTNAME; 0 = the recid */
    bool own;    /* a project row that names the target's own organization */
};

struct fake_table {
    struct fake_row rows[FAKE_MAX_ROWS]; /* in key order */
    size_t count;
};

/** When something else happens to the world: before the named call, once. */
enum fake_moment {
    FAKE_NEVER,
    FAKE_BEFORE_BACKUP,    /* when the backup starts */
    FAKE_BEFORE_LOCK,      /* when the locks are taken */
    FAKE_BEFORE_DELETE,    /* under the locks, as a trigger would */
    FAKE_BEFORE_INSERT,    /* the same, when rows are about to be put back */
    FAKE_AFTER_COMMIT,     /* behind a COMMIT, whatever it answered */
    FAKE_BEFORE_PURGE,     /* each time that rows are sent to be deleted */
    FAKE_BEFORE_LOOK,      /* when one row of Dataverse is read */
    FAKE_BEFORE_RETURN,    /* when rows are about to be created again */
    FAKE_BEFORE_LAST_LOOK, /* the second observation */
};

enum fake_change { FAKE_CHANGES, FAKE_ADDS, FAKE_REMOVES, FAKE_STAMPS };

/** A runtime row as it is handed out, for as long as this lasts. */
struct fake_document {
    char text[64];
    struct field field;
};

struct fake_run;

/** A further backup of a run. */
struct fake_again {
    struct fake_run *run;
    struct backup port;
    struct fake_table rows;
    bool sealed;
};

/** A past run that was opened in the archive: as it was then. */
struct fake_archived {
    struct fake_run *run;
    struct archived_run port;
    struct past_run past;
};

/** A run as its directory would tell of it. */
struct fake_run {
    struct fake_world *world;
    char id[RUN_ID_BYTES];
    char command[24];
    struct {
        char step[24];
        char state[24]; /* its fact "state" or "outcome" */
        bool durable;
    } journal[FAKE_MAX_JOURNAL];
    int journal_count;
    bool planned, sealed, reopened, finished;
    char plan_id[DIGEST_HEX_BYTES];
    char target[7][FAKE_NAME_BYTES]; /* strings of the plan's header */
    char scope[FAKE_NAME_BYTES * 4];
    int64_t planned_utc_ms, expires_utc_ms;
    bool backed_up[TABLES];
    struct fake_table backup[TABLES];
    struct schema schemas[TABLES];
    struct fake_again again[FAKE_MAX_AGAIN];
    int again_count;
    int purged[FAKE_MAX_ROWS]; /* recids that "purge-outcome" calls done or gone, in order */
    bool purged_gone[FAKE_MAX_ROWS];
    int purged_count;
    struct fake_table cursor; /* of begin_rows */
    size_t cursor_at;
    struct fake_document document; /* the row of the cursor */

    struct run_dir dir;
    struct journal journal_port;
    struct plan_file plan_port;
    struct backup backup_port;
    struct fake_archived archived[FAKE_MAX_OPEN];
    int opened; /* times that the archive did */
};

struct fake_world {
    struct fake_table tables[TABLES];
    struct fake_run runs[FAKE_MAX_RUNS];
    int run_count;
    struct fake_run *run; /* the one that works now, or worked last; NULL = there was none */
    bool backup_lies;     /* what is read back is not what was written */
    bool again_lies;      /* the same of a further backup */
    bool run_goes_on;     /* another process adds to the first run, until a target is locked */
    bool archive_broken;  /* a past run's backup cannot be read: a wrong sum */

    const char *url;           /* EXTERNALENVIRONMENTURL of project rows that do not name `own` */
    const char *own_host;      /* what Dataverse says of itself */
    const char *channel;       /* of event rows of group 0 */
    const char *other_channel; /* of event rows of group 1; NULL = the same */
    const char *state;         /* sys.databases.state_desc */
    const char *created;       /* creation time of the database: another one is another database */
    enum right may_delete, may_insert, may_applock;
    bool no_unique_key;        /* no unique index on PARTITION, RECID */
    bool new_column;           /* all AxDB tables have one more column now */
    bool table_missing;        /* the events table */
    const char *trigger;       /* on the project table; NULL = none */
    const char *policy;        /* on the events table; NULL = none */
    bool count_unknown;        /* the events table cannot be counted: lock timeout */
    bool hidden_rows;          /* COUNT says 0 where partitions hold rows */
    bool blind;                /* no VIEW DEFINITION: triggers, keys, policies not known */
    bool column_appears;       /* between the first look and the locks */
    bool other_target_after;   /* the last look reaches another organization */
    unsigned lost_answers;     /* of deletes without a version, for each row: nothing was done */
    bool lost_is_done;         /* and yet it was done */
    bool no_versions;          /* Dataverse does not check row versions of the table */
    enum right may_read_all;   /* of the application user */
    int stopped_at_connect;    /* a stop signal ends connecting: 1 = to AxDB, 2 = to Dataverse */
    bool run_goes_on_reopened; /* another process writes to a run while it is reopened */
    bool loses_nothing;        /* every column of Dataverse gets its old value back */
    bool tells_nothing;        /* of why a row does not come back */
    bool forgets_row;          /* a sending says nothing of its last row */
    bool pauses;               /* the service asks for a pause without end */
    bool returns_paced;        /* creating rows tells its pace */
    bool backup_grows;         /* a past run's backup has one more row when rows go back */
    bool finish_fails;         /* the run directory cannot be finished */
    bool target_locked;        /* another run on this machine holds the target */
    bool link_unknown;

    enum commit_state commit; /* what the next COMMIT answers */
    bool commit_lands;        /* with COMMIT_UNKNOWN: it did happen */
    bool commit_deadlocks;    /* a COMMIT that is not done answers 1205 */
    int lock_failures;        /* so many begin_locked fail with 1222 first */
    bool exclusion_taken;     /* somebody else holds the application lock */
    bool exclusion_denied;    /* the login may not ask for it, whatever the evidence says */
    int exclusion_busy;       /* so many times it is held, then it is free */
    int short_delete;         /* so many rows are not deleted, and the counts say so */
    int miscount;             /* delete_keys and end_insert say so many rows too few */
    bool insert_alters;       /* the server stores another content than it was sent */
    bool backup_changes;      /* under the locks a past run's backup is another than before */
    int disk_ms;              /* so long takes each row that is read from a backup */

    void (*happens)(enum fake_moment moment); /* told of each moment; NULL = nobody */
    enum fake_moment change_at; /* then row `change_row` of `change_table` is changed */
    enum table change_table;
    enum fake_change change;
    size_t change_row;
    int change_skip;            /* not at the first such moment, but so many later */
    int change_recid;           /* of a row that is added; 0 = 1000 */
    int change_group;           /* of a row that is added */
    int change_project;         /* the same */
    bool axdb_gone_after;       /* the second connection fails */
    enum err_code gone_code;    /* with this */
    enum removal_state removal; /* what the last runtime row's removal comes to; DONE by default */
    int stamps; /* so many times the last runtime row gets a new version before rows are sent */
    bool runtime_gone_after;        /* the second connection to Dataverse fails */
    enum return_state return_state; /* what the last row that is created comes to */
    bool return_lands;              /* with RETURN_UNKNOWN: it was created */

    const char *answers[FAKE_MAX_ANSWERS]; /* the operator's, in turn; NULL = end of input */
    int answer_count;
    bool terminal;

    /* last word on what a look finds; NULL = as above */
    void (*patch_axdb)(struct axdb_evidence *evidence);
    void (*patch_runtime)(struct runtime_evidence *evidence);
    void (*patch_catalog)(struct axdb_table_evidence tables[AXDB_TABLES]); /* under the locks */
    void (*patch_row)(const struct schema *schema, struct row *row, struct field *fields);
    bool reading_dataverse; /* these rows come from there, not from a backup */
    int listed_besides;     /* so many further runtime rows are listed to whom asks for each */
    bool lists_anew;        /* that list is begun a second time */
    bool tells_twice;       /* each outcome of a row of Dataverse is told a second time */
    const struct runtime_diagnosis *diagnosis; /* what a diagnosis finds; NULL = nothing is known */
    enum err_code diagnosis_fails;             /* with this, when not ERR_NONE */

    /* what happened */
    int calls, fail_at, crash_at;
    int violations;
    int axdb_connects, runtime_connects, observations;
    int diagnoses;
    unsigned diagnosed;     /* DIAGNOSE_... that were asked */
    int passes;             /* times that rows were sent to be deleted */
    int locked_backup_rows; /* rows read from a backup while locks were held */
    int stray_releases;     /* of an application lock that was not held */
    int answered;
    int ids;                         /* names given to runs */
    int files_created;               /* run directories */
    char shown[8192];                /* what the operator was shown */
    char progress[256];              /* what the observer was told last */
    char connected_as[RUN_ID_BYTES]; /* run id that the last AxDB connection carries */
    bool reports_written, finished;
    int reported_status; /* by the last report that was written */

    /* ports */
    struct run_ports ports;
    struct axdb_server axdb_server;
    struct runtime_server runtime_server;
    struct run_store run_store;
    struct run_archive run_archive;
    struct observer observer;
    struct operator_port op;
    struct axdb_store axdb;
    struct runtime_store runtime;

    /* the creating under way */
    struct return_sink returning;
    size_t return_total, return_count;

    /* the transaction under way */
    struct fake_table transaction[AXDB_TABLES]; /* the state to return to */
    bool in_transaction, inserted, exclusion_held;
    int64_t waited_ms; /* for the disk, under its locks */
    struct schema inserting;
    int64_t insert_count;
    int next_version;
};

/** Above 0 while the world itself allocates: a test that lets allocations fail spares these. */
extern int fake_at_work;

/** Scenario A in small: 2 project, 2 field, 3 event, 2 runtime rows that name another environment.
 * The last project, field and event row are of group 1. */
void fake_world_init(struct fake_world *world);

/** Another command in the same world: counters start again, rows and runs stay. */
void fake_world_next(struct fake_world *world);

/** The newest version of a runtime row in the sealed backups of a run; NULL when it is in none. */
const struct fake_row *fake_newest(const struct fake_run *run, int recid);

/** A request for both halves of this world, confirmed in advance except for the plan-id. */
struct run_request fake_request(void);

/** Rows of all tables now. */
size_t fake_world_rows(const struct fake_world *world);

/** True when both tables have rows with equal contents (not versions) in the same order. */
bool fake_table_equal(const struct fake_table *a, const struct fake_table *b);

/** True when the journal of the last run has this step. */
bool fake_world_journalled(const struct fake_world *world, const char *step);

#endif
