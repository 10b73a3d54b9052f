/**
 * The directory of one run, runs/<UTC>-<environment>-<4 hex>/: journal, plan, backup, reports. And
 * the locks that keep a second run on this machine from the same target. Implemented by backup/ and
 * fakes.
 */
#ifndef PORT_RUN_DIR_H
#define PORT_RUN_DIR_H

#include "base/err.h"
#include "port/backup.h"
#include "port/journal.h"
#include "port/plan_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RUN_ID_BYTES = 80 };

/** What run.json records at the start, besides time, host, user and versions. */
struct run_info {
    const char *id;           /* from new_id */
    const char *command;      /* "clean" */
    const char *environment;  /* name for the directory: the environment's, else the database's or
                                 organization's */
    const struct fact *facts; /* target, options, reason; no secrets */
    size_t fact_count;
};

struct run_dir;

enum { RUN_DIR_LOCKS = 4 };

struct run_dir_ops {
    const char *(*id)(const struct run_dir *dir);   /* name of the directory */
    const char *(*path)(const struct run_dir *dir); /* absolute */

    /**
     * Take the local lock of one half of the target: a database, or an organization. Called once
     * for each half, at most RUN_DIR_LOCKS times; every lock is held until finish or close, also
     * when a later one is refused. So two runs exclude each other when they share one half. A half
     * that this run holds already is no error. ERR_LOCK when another run holds it (says which).
     */
    bool (*lock_target)(struct run_dir *dir, const char *target, struct err *err);

    struct journal *(*journal)(struct run_dir *dir); /* open since create */
    struct plan_file *(*plan)(struct run_dir *dir);
    struct backup *(*backup)(struct run_dir *dir);

    /**
     * One more backup, for rows that changed since the first: "backup-2", "backup-3", ..., the next
     * number that is free. Also of a run that goes on. The one before must be sealed or given up.
     * Lives as long as the run_dir. ERR_STORAGE: no number is left.
     */
    bool (*next_backup)(struct run_dir *dir, struct backup **ret, int *ret_number, struct err *err);

    /** Write a small file into the directory, durable, 0600: "report.json", "report.txt", ... */
    bool (*write_file)(struct run_dir *dir, const char *name, const void *bytes, size_t size,
                       struct err *err);

    /** SHA256SUMS over the files there, then release the locks. The directory stays. */
    bool (*finish)(struct run_dir *dir, struct err *err);
    void (*close)(struct run_dir *dir); /* frees; releases the locks; durable state is untouched */
};

struct run_dir {
    const struct run_dir_ops *ops;
};

/** What a run of some size would find on the disk. */
struct run_place {
    char path[4096]; /* the runs directory */
    uint64_t free_bytes;
};

/** Where runs are kept. */
struct run_store {
    /** The name of a run that begins now, <UTC>-<environment>-<4 hex>. Nothing is made on disk. */
    bool (*new_id)(struct run_store *store, const char *environment, char ret[RUN_ID_BYTES],
                   struct err *err);

    /** Could `create` make a run here? As it would find out, but nothing stays on disk. `ret` is
     * filled as far as known, also on failure. */
    bool (*probe)(struct run_store *store, uint64_t expected_bytes, struct run_place *ret,
                  struct err *err);

    /**
     * Check that the place lasts and is writable, create the directory (0700) and its journal.
     * ERR_STORAGE: not writable, no space for `expected_bytes`, or a file system in memory without
     * permission for it.
     */
    bool (*create)(struct run_store *store, const struct run_info *info, uint64_t expected_bytes,
                   struct run_dir **ret, struct err *err);

    /**
     * Go on with a run that was not finished: its journal is verified and continued behind its
     * last whole record. Of the run_dir only id, path, lock_target, journal, next_backup,
     * write_file, finish and close may be used: plan and backup are as they are (port/run_archive.h
     * reads them). From here on no other process can: so read how far it came (port/run_archive.h)
     * now, not before. ERR_STORAGE: not a run, a broken chain; ERR_LOCK: another process works on
     * it; ERR_REFUSED: it has ended, and its SHA256SUMS are written.
     */
    bool (*reopen)(struct run_store *store, const char *id, struct run_dir **ret, struct err *err);
};

#endif
