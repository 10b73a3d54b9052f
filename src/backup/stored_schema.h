/**
 * A schema as plan and backup hold it: one JSON object, with what each column's values are stored
 * as, so that a later version needs no table of types to read an old backup.
 */
#ifndef BACKUP_STORED_SCHEMA_H
#define BACKUP_STORED_SCHEMA_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "port/table.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { STORED_COLUMNS_MAX = 4096 };

/** What a JSON string in a column of a row stands for. Bytes that do not fit are base64. */
enum stored_as {
    STORED_ASCII,   /* the bytes themselves, 0x01-0x7F: numbers, dates, guid, char, varchar */
    STORED_UTF16LE, /* UTF-16LE of the text: nchar, nvarchar */
    STORED_UTF8,    /* the bytes themselves, UTF-8: a Dataverse document */
    STORED_BYTES,   /* never a string: binary types */
};

/** How values of this column are stored. */
enum stored_as stored_as_of(const struct schema *schema, const struct column *column);

struct stored_schema {
    struct schema schema;
    const enum stored_as *stored; /* one a column */
};

/** Append the object {"table":...,"unique_key":...,"columns":[...]}. */
void stored_schema_append(struct text *text, const struct schema *schema);

/** Rebuild it from the parsed object; everything lives in `arena`. False: not a schema. */
MUST_CHECK bool stored_schema_parse(const cJSON *json, struct arena *arena,
                                    struct stored_schema *ret);

#endif
