/**
 * A row as one line of a backup: {"key":...,"digest":...,"version":...,"fields":{NAME:value,...}}.
 * What is written is read back byte for byte, whatever the bytes.
 */
#ifndef BACKUP_ROW_LINE_H
#define BACKUP_ROW_LINE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"
#include "port/table.h"
#include "stored_schema.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROW_LINE_MAX_BYTES = 256 * 1024 * 1024 };

/**
 * Append {"A": then ,"B": and so on, one after the other, as they stand before the values.
 *
 * @param schema  the columns
 * @param names   the text
 * @param ends    where each ends in it, one a column
 * @return        false: no memory
 */
MUST_CHECK bool row_line_names(const struct schema *schema, struct text *names, size_t *ends);

/** Writes rows of one schema; buffers are reused. */
struct row_line_writer {
    struct text line; /* the last row written, with its newline */
    struct text scratch;
    struct text names; /* row_line_names */
    size_t *name_ends;
    enum stored_as *stored;
    size_t count;
};

/** Borrows nothing of `schema`. ERR_INTERNAL: no memory. */
MUST_CHECK bool row_line_writer_init(struct row_line_writer *writer, const struct schema *schema,
                                     struct err *err);
void row_line_writer_done(struct row_line_writer *writer);

/** Put the row into writer->line. False: it would be longer than ROW_LINE_MAX_BYTES (ERR_STORAGE),
 * or does not fit the schema (ERR_INTERNAL). */
MUST_CHECK bool row_line_write(struct row_line_writer *writer, const struct row *row,
                               struct err *err);

/** Reads rows of one schema; buffers are reused. */
struct row_line_reader {
    const struct stored_schema *schema;
    struct field *fields;
    struct text names; /* as in the writer */
    size_t *name_ends;
    unsigned char *bytes; /* of the last row: its fields point into it */
    size_t used, capacity;
};

/** Borrows `schema`. ERR_INTERNAL: no memory. */
MUST_CHECK bool row_line_reader_init(struct row_line_reader *reader,
                                     const struct stored_schema *schema, struct err *err);
void row_line_reader_done(struct row_line_reader *reader);

/**
 * Rebuild a row from a line without its newline, in exactly the form that the writer gives it.
 * False, with what is wrong in `ret_why` (a static string), when the line is not a row of this
 * schema.
 *
 * @param reader   owns what `ret` points to, until the next call
 * @param line     the line
 * @param ret      the row
 * @param ret_why  filled on failure
 */
MUST_CHECK bool row_line_read(struct row_line_reader *reader, struct slice line, struct row *ret,
                              const char **ret_why);

#endif
