/** What the texts of the history share. Private to report/. */
#ifndef REPORT_HISTORY_PARTS_H
#define REPORT_HISTORY_PARTS_H

#include "report/history.h"
#include "report/layout.h"

#include <stdint.h>

enum { HISTORY_SIZE_BYTES = 24, HISTORY_STAMP_BYTES = 32 };

/** "812 B", "12.3 KiB", "4.0 MiB". */
const char *history_size(uint64_t bytes, char ret[HISTORY_SIZE_BYTES]);

/** "2026-11-21 21:44:29", or "?" where no time is known. */
const char *history_stamp(const char *utc, char ret[HISTORY_STAMP_BYTES]);

/** "AxDB on sql.example.com; organization org1", with the environment in front; "" = not known. */
void history_target(const struct run_entry *entry, struct text *ret);

enum layout_colour history_colour(enum history_state state);

#endif
