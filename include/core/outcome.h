/**
 * What came of a command: the one thing that every report renders. Filled by core/run; strings live
 * in the arena of the run. Nothing in it is secret: row contents appear only by allow-list
 * (names, hosts, STATUS, flags, channel, counts).
 */
#ifndef CORE_OUTCOME_H
#define CORE_OUTCOME_H

#include "base/err.h"
#include "port/axdb_store.h"
#include "port/backup.h"
#include "port/runtime_store.h"

#include <stdbool.h>
#include <stdint.h>

enum verdict { VERDICT_OK, VERDICT_DIFFERS, VERDICT_UNKNOWN };

/** One check, made once. "A-" looks at AxDB, "D-" at Dataverse,
 * "C-" is what a run needs. */
struct observation {
    const char *check; /* "A-ROWS" */
    bool required; /* counts for the status; else advisory: shown, counted, never in the status */
    enum verdict verdict;
    const char *text;    /* the evidence, one sentence */
    const char *hint;    /* what to do, or NULL */
    const char *code;    /* Microsoft health check code that this corresponds to, or NULL */
    enum err_code cause; /* for VERDICT_UNKNOWN: why; else ERR_NONE */
};

/** Rows by the host that they name; `host` is "" for blank URLs. */
struct host_count {
    const char *host;
    int64_t rows;
    bool own; /* the target's own organization */
};

/** Event rows by channel family. */
struct channel_family {
    const char *family; /* channel text without trailing digits or GUID */
    int64_t rows;
    bool foreign; /* a known other feature's: Synapse or Fabric link */
};

struct origin;

/** Everything found in one fresh look at the target. */
struct evidence {
    bool axdb_asked, runtime_asked; /* the halves that were asked for */
    struct axdb_evidence *axdb;     /* NULL when not asked or not reached; then axdb_err says why */
    struct runtime_evidence *runtime;
    struct err axdb_err, runtime_err;
    const struct runtime_diagnosis *diagnosis; /* NULL when not asked */
    const struct origin *origin;               /* the same: what follows (core/origin.h) */
    int64_t taken_utc_ms;
    const struct host_count *hosts; /* of project rows, most rows first */
    size_t host_count;
    const struct channel_family *families;
    size_t family_count;
    const char *own_host;        /* the target's own organization's host; NULL when not known */
    const char *own_host_source; /* "Dataverse" or "pin" */
    const struct observation *observations;
    size_t observation_count;
};

/** What happened to the rows of one table. -1 = not known or not asked. */
struct table_outcome {
    enum table table;
    bool asked;
    int64_t before_rows; /* at the first evidence */
    int64_t planned_rows;
    int64_t backed_up_rows; /* in the sealed backup */
    int64_t deleted_rows;
    int64_t after_rows; /* at the fresh verification */
    /* TABLE_RUNTIME only */
    int64_t gone_rows;                               /* were already gone */
    int64_t changed_rows, failed_rows, unknown_rows; /* still there, or not known */
    int64_t new_rows;   /* written after the plan: listed, not deleted */
    int64_t back_rows;  /* planned rows that are there again after the change */
    int64_t again_rows; /* backed up once more, because only the service's stamps had changed */
    /* AxDB tables only */
    int64_t kept_rows; /* stay by choice: other channels, other maps; -1 = not known */
    /* undo; `failed_rows` and `unknown_rows` then are rows that did not come back */
    int64_t restored_rows;    /* put back; -1 = none were to be */
    int64_t present_rows;     /* were there already, equal to the backup's */
    int64_t differing_rows;   /* there with other contents, left as they are */
    struct table_state state; /* of what was planned and backed up */
};

/** A project row of the map that repair-map was asked for. Strings in the arena of the run. */
struct map_row {
    const char *project; /* PROJECTNAME */
    const char *host;    /* of EXTERNALENVIRONMENTURL; "" = it names none */
    int64_t status;      /* STATUS; -1 = not a number */
    bool own;            /* the target's own organization */
    bool chosen;         /* goes */
};

/** A situation that Microsoft's pages describe (core/situation.h). Strings in the arena. */
struct situation {
    const char *id;    /* "P1" ... "P9" */
    const char *title; /* a few words */
    bool likely;       /* the evidence points to it, and does not prove it */
    const char *evidence;
    const char *const *remains; /* what the operator does in the browser, in order */
    size_t remain_count;
    const char *source;
};

/** What a target says about a symptom that a text shows. */
enum confirmation {
    CONFIRMATION_NONE,         /* no target was looked at */
    CONFIRMATION_CONFIRMED,    /* the target shows it */
    CONFIRMATION_CONSISTENT,   /* checks that belong to it differ; other causes could do that too */
    CONFIRMATION_CONTRADICTED, /* the target shows that it is not so, here and now */
    CONFIRMATION_UNDECIDED,    /* nothing here decides it */
};

/** "confirmed", ... as in JSON; "none" without a target. */
const char *confirmation_name(enum confirmation confirmation);

struct symptom_match;

/** A symptom found in a text (core/symptom.h), and what the target says. */
struct explained {
    const struct symptom_match *match;
    enum confirmation confirmation;
    const char *evidence; /* why; NULL without a target */
};

enum { DIFFERENCE_KEYS = 10 };

/** Rows that a plan and its target do not have in common: how many, and the first keys. */
struct key_list {
    int64_t rows;
    const char *keys[DIFFERENCE_KEYS];
    size_t count;
};

/** What became of a table since it was planned. */
struct table_difference {
    struct key_list gone, fresh, changed;
    const char *const *columns; /* one sentence a difference of the columns */
    size_t column_count;
};

/** Why a saved plan is stale. */
struct plan_difference {
    struct table_difference tables[TABLES];
};

/** Outcome words, with the exit statuses that they stand for. */
enum outcome_word {
    OUTCOME_CLEAN,       /* 0: verified, nothing there */
    OUTCOME_READY,       /* 0: check: everything that a run needs is there */
    OUTCOME_MISSING,     /* 2: check: something is not */
    OUTCOME_EXPLAINED,   /* 0: explain: what a text means */
    OUTCOME_DONE,        /* 0: removed and freshly verified */
    OUTCOME_PLANNED,     /* 0: a dry run; nothing was changed */
    OUTCOME_RESIDUE,     /* 2 */
    OUTCOME_PARTIAL,     /* 3 */
    OUTCOME_REFUSED,     /* 4 */
    OUTCOME_STALE,       /* 5 */
    OUTCOME_UNKNOWN,     /* 6 */
    OUTCOME_NO_ACCESS,   /* 10, 12 */
    OUTCOME_FAILED,      /* 1, 11, 13, 14; 64 and 78 for wrong use: nothing known to be changed */
    OUTCOME_INTERRUPTED, /* 129, 130, 143 */
};

/** "clean", "done", "planned", "residue", ... as in JSON. */
const char *outcome_word_name(enum outcome_word word);

/** Rows of Dataverse that a purge or an undo has not brought to its end. */
int64_t outcome_rows_unsettled(const struct table_outcome *runtime);

/** A step that is on record in the journal (port/journal.h names them). */
struct run_step {
    const char *step; /* "identity", "committed", ...; constant */
    int64_t first_utc_ms, last_utc_ms;
    int64_t times; /* steps of rows share one entry; else 1 */
};

struct outcome {
    const char *command; /* "verify", "clean" */
    enum outcome_word word;
    int exit_status;
    struct err err;      /* code ERR_NONE when nothing failed */
    const char *verdict; /* one sentence: what was found or done */
    int64_t started_utc_ms, ended_utc_ms;
    const char *environment;       /* name of the environment, or NULL */
    const char *environment_class; /* "production", "sandbox", "dev" */
    const char *run_id, *run_path; /* NULL when there is no run directory */
    const char *plan_id;           /* 64 hex digits, or NULL */
    int64_t plan_expires_utc_ms;   /* 0 = there is no plan */
    const char *plan_path;         /* the file that the plan was saved to or read from, or NULL */
    const char *plan_sha256;       /* of the file that was read, 64 hex digits, or NULL */
    const struct plan_difference *difference; /* a saved plan is stale; NULL = it is not */
    const char *reason;                       /* --reason, or NULL */
    const char *user, *sudo_user, *host;      /* who ran it, and where; NULL = not known */
    const struct run_step *steps;             /* of the journal, in order; none without a run */
    size_t step_count;
    int64_t steps_unlisted;      /* there was no more room for these */
    const char *scope;           /* what rows the run is about, in words; NULL = every row */
    const char *const *channels; /* event rows of these alone, as stored; none = of all */
    size_t channel_count;
    const char *undoes;  /* run whose rows are put back, or NULL */
    const char *settled; /* a COMMIT without an answer came out as: "committed", "rolled-back",
                            "mixed", "unknown"; NULL = there was none */
    bool resumed;        /* this is the second part of a run */
    const struct map_row *map_rows; /* repair-map: the map's project rows */
    size_t map_row_count;
    bool dry_run;
    bool changed;      /* something durable changed on a target, or may have */
    int64_t locked_ms; /* how long the AxDB locks were held; -1 = never taken */
    struct evidence before;
    struct evidence after; /* of a change; taken on new connections */
    bool after_taken;
    struct table_outcome tables[TABLES];
    /* Rows of TABLE_RUNTIME that did not leave, or (undo) did not come back, or were not in the
     * plan: the first of them, in the arena; tables[] has how many there are. */
    const struct removal *removals;
    size_t removal_count;
    const struct returned *returns;
    size_t return_count;
    const struct runtime_row *written_after;
    size_t written_after_count;
    const struct runtime_columns *lost; /* undo: columns that do not get their old value back */
    const struct runtime_pace *pace;    /* of the purge or the undo, at its end; NULL = not known */
    const struct explained *explained;  /* explain: what the text shows */
    size_t explained_count;
    const struct situation *situations; /* recognised in `before` */
    size_t situation_count;
    const char *const *next; /* what to do next: sentences or commands, in order */
    size_t next_count;
};

#endif
