/**
 * Texts that go to the server: a file of sql/ with its $(variables) filled in. Values enter only as
 * literals, names only as bracketed identifiers, both written here.
 */
#ifndef MSSQL_BATCH_H
#define MSSQL_BATCH_H

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch_variable {
    const char *name;  /* as in $(name) */
    const char *value; /* SQL text, already quoted by one of the writers below */
};

/**
 * Append `sql` without its comment lines, each $(name) replaced. A variable that is not in the list
 * is ERR_INTERNAL: nothing is ever sent half expanded. Comment lines go first, because a value with
 * a line break would leave them.
 */
MUST_CHECK bool batch_expand(const char *sql, const struct batch_variable *variables, size_t count,
                             struct text *out, struct err *err);

/** What may be given to dbcmd: UTF-8 without byte 0 (FreeTDS cuts a batch at a bad byte and sends
 * the rest). */
MUST_CHECK bool batch_check(const struct text *batch, struct err *err);

/** Append [name], closing brackets doubled. ERR_SCHEMA for what cannot be a name of SQL Server. */
MUST_CHECK bool batch_identifier(struct text *out, const char *name, struct err *err);

/**
 * Append a nvarchar value, given as UTF-16LE: N'...' with doubled quotes, or
 * CONVERT(nvarchar(n),0x...) where the text form would not come back the same (U+0000, an unpaired
 * surrogate, a backslash before a line break). ERR_INTERNAL for an odd number of bytes.
 */
MUST_CHECK bool batch_unicode_literal(struct text *out, struct slice utf16le, struct err *err);

/** Append 0x and hexadecimal digits. */
void batch_binary_literal(struct text *out, struct slice bytes);

/** Append a decimal number. */
void batch_number(struct text *out, int64_t number);

#endif
