/** The steps that commands which write share: clean, repair-map, undo, resume. Private to core/. */
#ifndef CORE_RUN_STEPS_H
#define CORE_RUN_STEPS_H

#include "core/clear.h"
#include "core/evidence.h"
#include "core/plan.h"
#include "core/run.h"
#include "core/scope.h"
#include "core/seal.h"
#include "core/settle.h"
#include "noted_journal.h"

#include <stdbool.h>
#include <stddef.h>

/** A run under way. */
struct run {
    struct run_request request; /* as asked for, with run_id once there is one */
    const struct run_ports *ports;
    struct arena *arena;
    struct outcome *outcome;
    char id[RUN_ID_BYTES]; /* "" until the run has a name */
    struct scope scope;
    unsigned diagnose; /* what run_look asks Dataverse too */
    bool apart; /* run_look may look at both halves at the same time, and leave no connection */
    struct connections conn;
    struct run_dir *dir; /* NULL in a dry run, and before the guards have passed */
    struct journal *journal;
    struct noted_journal noted;
    bool excluded; /* the application lock is ours */
    bool reports;  /* the reports in the run directory are this command's to write */
    struct plan plan;
    bool compared;                               /* the plan is made, and is the saved one */
    const struct project_name *planned_projects; /* of a saved plan of one map */
    size_t planned_project_count;
    struct sealed sealed;
    /* The second part of a run: its backup is in the archive, and some rows of Dataverse have left
     * already. */
    const struct backup_rows *sealed_before; /* NULL: run->dir has it */
    unsigned char *purged; /* one for each row of plan.runtime: it has left; NULL = none has */
    int64_t purged_done, purged_gone;
};

/** Begin: an outcome with nothing in it yet. The run must be ended with run_end. */
void run_begin(struct run *run, const char *command, const struct run_request *request,
               const struct run_ports *ports, struct arena *arena, struct outcome *outcome);

/** The scope is known: tables outside of it are not asked for. */
void run_set_scope(struct run *run, const struct scope *scope);

/** Nothing durable changed: the outcome is this error. */
void run_fail(struct outcome *outcome, const struct err *err);

/** Something durable changed: whatever stopped the run, it is not finished. */
void run_fail_after_change(struct outcome *outcome, const struct err *err);

void run_say(struct run *run, enum log_level level, const char *text);

/** run->dir has been made or reopened: use its journal. On failure run->journal works all the same.
 */
MUST_CHECK bool run_begin_journal(struct run *run, struct err *err);

/** A durable record of the journal. */
MUST_CHECK bool run_record(struct run *run, const char *step, const struct fact *facts,
                           size_t count, struct err *err);

/** Give the run its name, where that can be done before anything is connected: connections show
 * it. */
MUST_CHECK bool run_name(struct run *run, struct err *err);

/** Connect, look, note how many rows there are. The guards are the caller's. */
MUST_CHECK bool run_look(struct run *run, struct err *err);

/** One local lock for each half, so that a run of one half and a run of both exclude each other. */
MUST_CHECK bool run_lock_targets(struct run *run, struct err *err);

/** Make the run directory, take the local locks, put target and checks on record. */
MUST_CHECK bool run_open(struct run *run, struct err *err);

/** The observer learns what the run is called. */
void run_tell_id(const struct run *run);

/** Of the rows in the scope: into the plan file of the run directory, or of --out. A saved plan is
 * taken over as it was compared. */
MUST_CHECK bool run_plan(struct run *run, struct err *err);

/** Take over a plan that another way has made: counts and id into outcome and journal. */
MUST_CHECK bool run_note_plan(struct run *run, struct err *err);

/** Show what will happen (NULL: the rows of the plan go) and let the operator confirm it. */
MUST_CHECK bool run_confirm(struct run *run, const char *what, struct err *err);

/** One dwclean at a time on this database, wherever it runs. */
MUST_CHECK bool run_exclude_others(struct run *run, struct err *err);

MUST_CHECK bool run_back_up(struct run *run, struct err *err);

/** Where rows are read from. */
struct row_source run_source(const struct run *run);

/** A COMMIT without an answer: find out, put it on record, and let `err` and outcome say it. */
enum settled run_settle(struct run *run, const struct backup_rows *backup, bool restoring,
                        struct err *err);

/** What belongs behind the transaction, whatever came of it: application lock, connection. */
void run_end_axdb(struct run *run);

/** Delete the rows of the sealed backup from AxDB; settles a lost COMMIT. outcome->changed says
 * whether rows are gone, or may be. */
MUST_CHECK bool run_clear_axdb(struct run *run, struct err *err);

/** Purge Dataverse, as far as it is not purged already. */
MUST_CHECK bool run_change_runtime(struct run *run, struct err *err);

/** Keep how fast it went, for the report. */
void run_note_pace(struct run *run, const struct runtime_pace *pace);

/** A second look on new connections, and how it compares with the plan. */
MUST_CHECK bool run_look_again(struct run *run, struct err *err);

/** The last look of a clean-up: the outcome says what it found. */
MUST_CHECK bool run_prove(struct run *run, struct err *err);

/** run_change_runtime, then run_prove; after a purge that stopped, a look at what is left. */
MUST_CHECK bool run_purge_and_prove(struct run *run, struct err *err);

/** The outcome of a change that `err` has stopped, whatever was changed until then. */
void run_stop(struct run *run, const struct err *err);

/** The outcome of a run that stops at its plan. `nothing` says that there was nothing to plan, and
 * then is the verdict. */
void run_finish_plan(struct run *run, const char *nothing);

/** repair-map, up to its outcome: also of a saved plan. */
void run_map(struct run *run);

/** True when evidence has no row that a run would remove. */
bool run_nothing_is_there(const struct run *run);

/** "clean" in one sentence: of everything, or of the scope with what is kept. */
const char *run_clean_verdict(const struct run *run, const char *front);

/** The half that could not be read, or NULL; with both, the one whose status counts. */
const struct err *run_unread_half(const struct evidence *evidence, int exit_status);

/** The word that belongs to a failure before anything durable changed. */
enum outcome_word run_word_of(enum err_code code);

/** Close connections, make the report, close the run. What cannot be put on record is told. */
void run_end(struct run *run);

#endif
