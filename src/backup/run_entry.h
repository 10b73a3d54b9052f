/** One run of the history, as far as it can be read. Private to backup/. */
#ifndef BACKUP_RUN_ENTRY_H
#define BACKUP_RUN_ENTRY_H

#include "port/run_history.h"

#include <stdbool.h>
#include <stdint.h>

/** A file of a run: `folder` is "" or the name of a backup. Borrowed until the call returns. */
struct run_file_sink {
    void *ctx;
    bool (*take)(void *ctx, const char *folder, const char *name, uint64_t bytes, struct err *err);
};

/** Every regular file of the run in `path`, and of the folders of its backups. ERR_STORAGE. */
MUST_CHECK bool run_entry_files(const char *path, const struct run_file_sink *sink,
                                struct err *err);

/**
 * The run in `path`, whatever state it is in: what is wrong with it is in ret->damage. Strings live
 * in `arena`. False only when there is no memory.
 *
 * @param path     absolute
 * @param by_name  the directory must have the name of its run
 * @param arena    holds the strings
 * @param ret      the entry
 * @param err      filled on failure
 */
MUST_CHECK bool run_entry_load(const char *path, bool by_name, struct arena *arena,
                               struct run_entry *ret, struct err *err);

#endif
