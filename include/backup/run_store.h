/** Run directories on disk: journal, plan file, backup format v1, target lock. */
#ifndef BACKUP_RUN_STORE_H
#define BACKUP_RUN_STORE_H

#include "backup/backup_key.h"
#include "base/err.h"
#include "port/run_dir.h"

#include <stdbool.h>
#include <stddef.h>

struct run_store_options {
    const char *runs_dir;         /* absolute; made when missing (0700) */
    bool allow_volatile;          /* --volatile-runs-dir: tmpfs and ramfs are accepted */
    const struct backup_key *key; /* that backups are encrypted with, borrowed; NULL = none */
    const char *program;          /* "dwclean 0.1.0", for run.json and the manifest */
    const struct fact *versions;  /* of libraries, for run.json */
    size_t version_count;
};

MUST_CHECK bool run_store_new(const struct run_store_options *options, struct run_store **ret,
                              struct err *err);
void run_store_free(struct run_store *store); /* NULL is allowed */

#endif
