/**
 * What became of the rows, in the log: tests compare it with what a client says, and with its
 * backups.
 */
#ifndef SANDBOX_DATAVERSE_TRACE_H
#define SANDBOX_DATAVERSE_TRACE_H

#include "dataverse/call.h"

/**
 * Log {"kind":"row","what","id","etag","sha256"}; `what` is "deleted" (by the client), "gone",
 * "changed" or "inserted" (by somebody else). The SHA-256 is over the row as a list shows it, with
 * all its columns and without @odata.etag: as it was when it went, or as it is now.
 */
void dv_trace_row(const struct dv_call *, const struct dv_table *, const struct dv_row *,
                  const char *what);

/** The same of the row that has this key now. */
void dv_trace_stored(const struct dv_call *, const struct dv_table *, const char *id,
                     const char *what);

#endif
