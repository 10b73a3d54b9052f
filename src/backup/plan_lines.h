/** The lines of plan.ndjson (README.md), and reading all of them. Private to backup/. */
#ifndef BACKUP_PLAN_LINES_H
#define BACKUP_PLAN_LINES_H

#include "backup/plan_ndjson.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"
#include "lines.h"
#include "port/plan_file.h"
#include "port/table.h"

#include <stdbool.h>
#include <stdint.h>

/** True when the line is the last one: the only one with a plan_id. */
bool plan_line_end(struct slice line, struct plan_end *ret, struct digest *ret_digest);

/** Any line but the last one: parsed and handed over. `rows` counts the rows. ERR_STORAGE. */
MUST_CHECK bool plan_line_take(const struct lines *lines, struct slice line,
                               const struct plan_sink *sink, int64_t *rows, struct err *err);

/** As plan_ndjson_read, of an open file; `ret_sha256` is the whole file's. */
MUST_CHECK bool plan_read_file(int fd, const char *path, const struct plan_sink *sink,
                               struct plan_end *ret, struct digest *ret_sha256, struct err *err);

#endif
