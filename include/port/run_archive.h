/**
 * Runs of the past, read only: what a run was for, how far it came, and its sealed backup. Used to
 * settle, resume, undo and export. Implemented by backup/ and by tests/fakes/.
 */
#ifndef PORT_RUN_ARCHIVE_H
#define PORT_RUN_ARCHIVE_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "port/plan_file.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How far a run came, by its journal. */
struct run_progress {
    int64_t records;       /* whole, chained records */
    uint64_t torn_bytes;   /* of a record that a crash cut off; 0 = none */
    const char *last_step; /* "" when there is none */
    const char *last_utc;  /* of that record */
    bool backup_sealed;    /* the step is on record; whether the seal holds is known when rows are
                              read */
    bool commit_sent;      /* since the last "rolled-back" */
    bool committed;        /* "committed", or "settled" as committed */
    bool mixed;            /* "settled" as mixed: some rows are gone and some are not */
    bool rolled_back;      /* the last attempt ended in "rolled-back", or was settled so */
    bool purge_begun;
    bool return_begun; /* an undo has begun to create rows of Dataverse */
    /* By "committed": rows deleted, or put back; -1 = not on record */
    int64_t axdb_rows[AXDB_TABLES];
    int64_t runtime_rows;   /* rows of Dataverse that were sent and left, or came back */
    const char *undoes;     /* run whose rows are put back, "" for any other command */
    uint64_t backups_again; /* bit n: backup-n is sealed ("backup-again") */
    bool verified;
    bool ended;          /* "close": nothing is left to do */
    const char *outcome; /* fact of the last "close" or "stopped" record, or "" */
};

/** A run, as its directory tells. Strings live in the arena given to `open`. */
struct past_run {
    const char *id, *path;
    const char *command;     /* "clean", "repair-map", "undo" */
    const char *environment; /* name that the directory carries */
    const char *started_utc; /* ISO */
    const char *user, *host; /* who, where */
    const char *program;     /* "dwclean/0.1.0" that made it, "" when not recorded */
    bool has_plan;           /* plan.ndjson is whole */
    struct plan_header plan; /* of the plan; strings "" without one */
    char plan_id[DIGEST_HEX_BYTES];
    struct run_progress progress;
};

struct archived_run;

/** Where keys of rows that have left go. A false ends the stream. */
struct purged_sink {
    void *ctx;
    bool (*take)(void *ctx, const char *key, bool gone, struct err *err);
};

struct archived_run_ops {
    const struct past_run *(*past)(const struct archived_run *run);

    /** Schema of a table in the sealed backup; NULL when the table, or a sealed backup, is not
     * there. Lives as long as the archived run. */
    const struct schema *(*schema)(const struct archived_run *run, enum table table);

    /** Rows of a table in the sealed backup; 0 when it is not in it. A row that was backed up again
     * counts once, in its newest version, here and below. */
    int64_t (*rows)(const struct archived_run *run, enum table table);

    /** SHA-256 of the sealed manifest: names exactly this backup. False without a sealed backup. */
    bool (*manifest)(const struct archived_run *run, struct digest *ret);

    /**
     * Every row of a table of the sealed backup, in key order; file, digests and counts are proven
     * as by backup_reader_rows_of. May be called again. ERR_STORAGE.
     */
    bool (*read_rows)(struct archived_run *run, enum table table, const struct row_sink *sink,
                      struct err *err);

    /**
     * The same, row by row, for whoever reads something else beside it: begin, next until
     * `ret_end`, end (also after a failure). A row is borrowed until the next call. One at a time;
     * read_rows may be called meanwhile.
     */
    bool (*begin_rows)(struct archived_run *run, enum table table, struct err *err);
    bool (*next_row)(struct archived_run *run, struct row *ret, bool *ret_end, struct err *err);
    void (*end_rows)(struct archived_run *run);

    /**
     * Every runtime configuration that has left, by the journal: "done" or "gone" is on record. In
     * the order of the journal; nothing is kept in memory. ERR_STORAGE.
     */
    bool (*purged)(struct archived_run *run, const struct purged_sink *sink, struct err *err);

    void (*close)(struct archived_run *run);
};

struct archived_run {
    const struct archived_run_ops *ops;
};

struct run_archive {
    /**
     * Open a run by its name, by a front part of it that only one run has, by its path, or "last"
     * for the one that began last. ERR_USAGE: none or several match; ERR_STORAGE: not a run, or
     * its journal or backup is damaged (a broken chain, a wrong sum). A run without a sealed backup
     * opens: schema and rows then say so.
     */
    bool (*open)(struct run_archive *archive, const char *name, struct arena *arena,
                 struct archived_run **ret, struct err *err);
};

#endif
