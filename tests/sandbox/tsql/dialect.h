/**
 * An engine of another make that speaks T-SQL and stores text as UTF-8 (engine_options.utf8): what
 * it lacks, how it answers, how its text becomes bytes. After the public descriptions of Babelfish
 * for PostgreSQL 1.x. Scripts of the sandbox itself are not concerned.
 */
#ifndef SANDBOX_TSQL_DIALECT_H
#define SANDBOX_TSQL_DIALECT_H

#include "tsql/session.h"

/** Does the session speak it? */
bool dialect_utf8(const struct session *);

/** A function, @@ variable, catalog view, SET option or statement that it does not know. */
bool dialect_lacks(const char *name);

/** Give the error of the session the number that this engine has for it. */
void dialect_rename(struct sql_error *);

/** An error without a number of its own: no CATCH sees it, the batch and the transaction end. */
bool dialect_unmapped(const struct sql_error *);

/** The bytes of a nchar or nvarchar value, and the text of such bytes (an error if they are none).
 */
unsigned char *dialect_bytes(struct arena *, const struct val *, size_t *ret_length);
bool dialect_text(struct vctx *, const struct val *bytes, struct sql_typeinfo to, struct val *out);

#endif
