/** Name and run.json of a run: who started what, where and when. */
#ifndef BACKUP_RUN_RECORD_H
#define BACKUP_RUN_RECORD_H

#include "base/err.h"
#include "base/text.h"
#include "port/run_dir.h"

#include <stdbool.h>
#include <stddef.h>

enum { RUN_ENVIRONMENT_MAX = 40, RUN_ID_BYTES = 80 };

/** "<UTC yyyymmddThhmmssZ>-<environment>-<4 hex>"; the environment in [a-z0-9_.-], at most
 * RUN_ENVIRONMENT_MAX characters. ERR_INTERNAL: no random number. */
MUST_CHECK bool run_record_id(const char *environment, char ret[RUN_ID_BYTES], struct err *err);

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
