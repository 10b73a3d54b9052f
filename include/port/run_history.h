/**
 * All runs of a runs directory: the list, one of them in full, the proof of its files, and taking
 * old ones away. Nothing here changes a target. Implemented by backup/.
 */
#ifndef PORT_RUN_HISTORY_H
#define PORT_RUN_HISTORY_H

#include "base/arena.h"
#include "base/err.h"
#include "port/journal.h"
#include "port/run_archive.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One run of the list. Strings live in the arena given to the call. */
struct run_entry {
    const char *id, *path;
    const char *damage;   /* why it cannot be believed; NULL = it can */
    bool unborn;          /* stopped in its first moment: no record but run.json, or nothing */
    bool running;         /* a process holds its lock */
    struct past_run past; /* of a damaged or unborn run: what can be told; strings are never NULL */
    int64_t backup[TABLES]; /* rows in the sealed backup; 0 = none */
    uint64_t backup_bytes;  /* files of the backups */
    uint64_t bytes;         /* all files */
};

/** The runs of a directory, the last one first. */
struct run_list {
    const char *runs_dir;
    bool exists; /* the directory is there */
    const struct run_entry *runs;
    size_t count;
    const char *const *leftovers; /* names that an interrupted prune left */
    size_t leftover_count;
};

/** A file of a run. */
struct run_file {
    const char *name; /* "backup/project.ndjson.zst" */
    uint64_t bytes;
    const char *sha256; /* as SHA256SUMS has it; "" = it is not in there */
};

/** Records of one step in a row. */
struct run_moment {
    const char *step;
    const char *utc, *last_utc;
    int64_t records;
    const struct fact *facts; /* of a single record; rows of Dataverse are not listed */
    size_t count;
    int64_t rows; /* of Dataverse that the records name */
};

/** One run in full. */
struct run_details {
    struct run_entry entry;
    const char *uid, *sudo_user, *pid; /* "" = not known */
    const struct fact *facts; /* run.json: argv without secrets, each option with its source */
    size_t fact_count;
    const struct fact *versions;
    size_t version_count;
    int64_t planned[TABLES]; /* -1 = not in the plan */
    int64_t after[TABLES];   /* by report.json; -1 = not known */
    const struct run_moment *moments;
    size_t moment_count;
    const struct run_file *files;
    size_t file_count;
};

enum run_check_verdict {
    RUN_CHECK_OK,
    RUN_CHECK_NOTE,   /* cannot be proven, as it should be in a run of this state */
    RUN_CHECK_FAILED, /* changed, missing, or added */
};

/** One thing that was read again. Borrowed until the call returns. */
struct run_check {
    const char *item; /* "journal.ndjson", "backup/events.ndjson.zst" */
    enum run_check_verdict verdict;
    const char *text; /* one sentence */
};

struct run_check_sink {
    void *ctx;
    bool (*take)(void *ctx, const struct run_check *check, struct err *err);
};

/** Last question before a run is taken away: it is locked, and this is what it is now. */
struct run_remove_guard {
    void *ctx;
    bool (*may_go)(void *ctx, const struct run_entry *entry, struct err *err);
};

/** Where a bundle goes, in pieces. */
struct run_bundle_out {
    void *ctx;
    bool (*write)(void *ctx, const char *bytes, size_t size, struct err *err);
};

struct run_history {
    /** Every run. A damaged one is in the list. ERR_STORAGE: the directory cannot be read. */
    bool (*list)(struct run_history *history, struct arena *arena, struct run_list *ret,
                 struct err *err);

    /** One run, named as run_archive.open takes it. A damaged run is filled as far as it can be
     * read; entry.damage says why. ERR_USAGE: none or several match; ERR_STORAGE. */
    bool (*details)(struct run_history *history, const char *name, struct arena *arena,
                    struct run_details *ret, struct err *err);

    /** Read every file of the run again: chain, sums, seals, the digest of every row. True when it
     * was done, whatever was found. ERR_USAGE, ERR_STORAGE. */
    bool (*verify)(struct run_history *history, const char *name, const struct run_check_sink *sink,
                   struct err *err);

    /**
     * Take a run of the list away, with the run locked: out of the list in one step, then file by
     * file. `record` (a line of JSON without newline) goes durably into prune.ndjson before.
     * ERR_LOCK: a process works on the run, or on another prune; ERR_STORAGE: a directory of
     * somebody else, or it cannot be removed.
     */
    bool (*remove)(struct run_history *history, const char *id,
                   const struct run_remove_guard *guard, const char *record, struct err *err);

    /**
     * A tar file of the run for somebody else: record, journal, plan, report and manifests, without
     * any row contents but what the allow-list has. The same run gives the same bytes. ERR_USAGE,
     * ERR_STORAGE.
     */
    bool (*bundle)(struct run_history *history, const char *name, const char *program,
                   const struct run_bundle_out *out, struct err *err);

    /** Finish what an interrupted prune left. ERR_LOCK, ERR_STORAGE. */
    bool (*remove_leftover)(struct run_history *history, const char *name, struct err *err);
};

#endif
