/** What became of the runs of a runs directory, and which of them may go. Pure. */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include "port/run_history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What became of a run, by its journal. */
enum history_state {
    HISTORY_RUNNING,     /* a process works on it */
    HISTORY_OPEN,        /* cut off after a change: resume finishes it */
    HISTORY_UNKNOWN,     /* a COMMIT was sent and no answer is on record */
    HISTORY_PARTIAL,     /* stopped by itself after a change */
    HISTORY_DONE,        /* changed, and verified */
    HISTORY_REFUSED,     /* a guard or the operator said no; nothing was changed */
    HISTORY_ROLLED_BACK, /* nothing was changed: the server rolled back */
    HISTORY_UNCHANGED,   /* ended, or was cut off, before any change */
    HISTORY_DAMAGED,     /* its record cannot be believed */
};

enum history_state history_state_of(const struct run_entry *entry);

/** "running", "open", "unknown", "partial", "done", "refused", "rolled back", "nothing changed",
 * "damaged". */
const char *history_state_name(enum history_state state);

/** The same for programs: "rolled_back", "nothing_changed". */
const char *history_state_key(enum history_state state);

/** Something changed on a target, or may have, and it is not known to be finished. */
bool history_is_unfinished(enum history_state state);

/** Is it an undo? */
bool history_is_undo(const struct run_entry *entry);

/** Rows that the run removed or put back; -1 = not on record. */
int64_t history_rows(const struct run_entry *entry);

/** The run that has put all rows of this one back, NULL when none has. */
const struct run_entry *history_undone_by(const struct run_list *list,
                                          const struct run_entry *entry);

/** Rows of which this run's backup is the only copy, as far as the history tells. */
int64_t history_only_copies(const struct run_list *list, const struct run_entry *entry);

/** Is the run of this environment? NULL: any. */
bool history_is_of(const struct run_entry *entry, const char *environment);

/** When it was last at work, ms since 1970; -1 = not known. */
int64_t history_last_ms(const struct run_entry *entry);

/** Which runs may go. */
struct history_policy {
    const char *environment; /* NULL: all */
    int64_t now_utc_ms, older_than_ms;
};

/** Why the run stays, or NULL: it may go. */
const char *history_keep_reason(const struct run_list *list, const struct run_entry *entry,
                                const struct history_policy *policy);

/** What a prune has done with a run, or would. */
struct history_prune_line {
    const struct run_entry *entry;
    const char *keep;    /* why it stays; NULL = it goes */
    int64_t only_copies; /* rows whose only copy goes with it */
    bool removed;
    const char *fault; /* why it could not be removed, NULL = nothing stood in the way */
};

struct history_prune {
    const struct run_list *list;
    const struct history_prune_line *lines; /* one for each run of the environment */
    size_t count;
    size_t going; /* of them */
    int64_t only_copies;
    uint64_t bytes;
    bool dry_run;   /* nothing was to be removed */
    bool confirmed; /* --yes, or typed */
};

/** A run in full, with what a verification found. */
struct history_shown {
    const struct run_details *details;
    bool verified;                  /* --verify */
    const struct run_check *checks; /* in the order in which they were made */
    size_t check_count, failed_count, note_count;
};

#endif
