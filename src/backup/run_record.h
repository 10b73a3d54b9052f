/** Name and run.json of a run: who started what, where and when. */
#ifndef BACKUP_RUN_RECORD_H
#define BACKUP_RUN_RECORD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "port/run_archive.h"
#include "port/run_dir.h"

#include <stdbool.h>
#include <stddef.h>

enum { RUN_ENVIRONMENT_MAX = 40 };

/** "<UTC yyyymmddThhmmssZ>-<environment>-<4 hex>"; the environment in [a-z0-9_.-], at most
 * RUN_ENVIRONMENT_MAX characters. ERR_INTERNAL: no random number. */
MUST_CHECK bool run_record_id(const char *environment, char ret[RUN_ID_BYTES], struct err *err);

/** True for a name that run_record_id could have made: nothing else is a run. */
bool run_record_is_id(const char *name);

/** Characters of the time that a name begins with; names sort by it. */
enum { RUN_ID_STAMP = 16 };

enum { RUN_RECORD_MAX_BYTES = 1024 * 1024, RUN_RECORD_ARENA_BYTES = 256 * 1024 };

/**
 * What path/run.json says: fills id, path, command, environment, started_utc, user, host and
 * program; the rest of `ret` is zero. Strings live in `arena`. ERR_STORAGE: not a run.
 */
MUST_CHECK bool run_record_load(const char *path, struct arena *arena, struct past_run *ret,
                                struct err *err);

struct run_record {
    const char *id;
    const struct run_info *info;
    const char *program;
    const struct fact *versions;
    size_t version_count;
};

/** Append the text of run.json, with time, user, host and process of now. ERR_INTERNAL. */
MUST_CHECK bool run_record_append(struct text *text, const struct run_record *record,
                                  struct err *err);

#endif
