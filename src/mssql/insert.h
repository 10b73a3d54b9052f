/** INSERT statements, for our own batches and for scripts. */
#ifndef MSSQL_INSERT_H
#define MSSQL_INSERT_H

#include "base/err.h"
#include "base/text.h"
#include "literal.h"
#include "port/table.h"

#include <stdbool.h>

/** Append "INSERT INTO dbo.[T] ([A], [B]) VALUES (" with every insertable column. */
MUST_CHECK bool insert_append_head(const struct schema *schema, struct text *out, struct err *err);

/** Append the row's literals in the same order, and ");". */
MUST_CHECK bool insert_append_values(const struct schema *schema, const struct row *row,
                                     const struct literal_style *style, struct text *out,
                                     struct err *err);

/** Append "SET IDENTITY_INSERT dbo.[T] ON;". */
MUST_CHECK bool insert_append_identity(enum table table, bool on, struct text *out,
                                       struct err *err);

/** True when rows of this schema go in under IDENTITY_INSERT. */
bool insert_has_identity(const struct schema *schema);

#endif
