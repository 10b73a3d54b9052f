/**
 * The backup of a run on disk, format v1 (src/backup/README.md): the port that writes it, and the
 * reader that a later process uses to settle, undo or export.
 */
#ifndef BACKUP_BACKUP_SET_H
#define BACKUP_BACKUP_SET_H

#include "backup/backup_key.h"
#include "base/digest.h"
#include "base/err.h"
#include "port/backup.h"
#include "port/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A backup to be written into `directory`, which the first table makes. Both strings are copied;
 * with `key` (borrowed, NULL = none) the rows are encrypted. After a failure of any call every
 * later one fails: such a backup is unusable and cannot be sealed. Sealing also wants every table
 * that holds rows to have been read back.
 */
MUST_CHECK bool backup_set_new(const char *directory, const char *program,
                               const struct backup_key *key, struct backup **ret, struct err *err);
void backup_set_free(struct backup *backup); /* NULL is allowed; what is on disk stays */

struct backup_reader; /* opaque */

/**
 * Open a backup that some process wrote. ERR_STORAGE: missing, not format v1, damaged, or not
 * sealed.
 *
 * @param directory  the run's "backup" directory
 * @param key        for rows that are encrypted (borrowed); NULL = none. Schema and counts need
 * none
 * @param ret        free with backup_reader_free
 * @param err        filled on failure
 */
MUST_CHECK bool backup_reader_open(const char *directory, const struct backup_key *key,
                                   struct backup_reader **ret, struct err *err);

/** As backup_reader_open without a seal: the manifest must have this digest instead. */
MUST_CHECK bool backup_reader_open_unsealed(const char *directory, const struct backup_key *key,
                                            const struct digest *manifest,
                                            struct backup_reader **ret, struct err *err);
void backup_reader_free(struct backup_reader *reader); /* NULL is allowed */

/** Schema of a table in the backup, NULL when the table is not in it. Lives as long as the reader.
 */
const struct schema *backup_reader_schema(const struct backup_reader *reader, enum table table);

/** Rows of a table in the backup; 0 when the table is not in it. */
int64_t backup_reader_rows(const struct backup_reader *reader, enum table table);

/** Id of the key that the rows are encrypted with; "" when they are not. Lives as long as the
 * reader. */
const char *backup_reader_key_id(const struct backup_reader *reader);

/** SHA-256 of the manifest: names exactly this backup. Lives as long as the reader. */
const struct digest *backup_reader_manifest(const struct backup_reader *reader);

/**
 * Every row of a table, in the order in which it was written. Before the first row is handed over
 * the whole file was compared with the manifest's SHA-256; each row's digest and version are
 * computed again. ERR_STORAGE names file and line of the first fault.
 *
 * @param reader  an open backup
 * @param table   must be in it
 * @param sink    receives the rows; may be NULL to verify only
 * @param err     filled on failure
 */
MUST_CHECK bool backup_reader_rows_of(struct backup_reader *reader, enum table table,
                                      const struct row_sink *sink, struct err *err);

struct backup_cursor; /* opaque: one table, row by row */

/** As backup_reader_rows_of, for whoever reads something else beside it. The reader must outlive
 * the cursor. */
MUST_CHECK bool backup_cursor_open(struct backup_reader *reader, enum table table,
                                   struct backup_cursor **ret, struct err *err);

/** The next row, borrowed until the next call; or `ret_end`. ERR_STORAGE. */
MUST_CHECK bool backup_cursor_next(struct backup_cursor *cursor, struct row *ret, bool *ret_end,
                                   struct err *err);
void backup_cursor_free(struct backup_cursor *cursor); /* NULL is allowed */

#endif
