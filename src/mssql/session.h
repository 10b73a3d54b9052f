/** The options of a new connection: sql/session.sql. */
#ifndef MSSQL_SESSION_H
#define MSSQL_SESSION_H

#include "base/err.h"
#include "base/text.h"
#include "connection.h"

/**
 * Send them, and see whether the answer is encrypted. Options that an engine does not know are left
 * out where that does no harm; prove.sql judges afterwards.
 */
MUST_CHECK bool session_set(struct connection *connection, struct err *err);

/** Append the batch of sql/session.sql with this time limit. */
MUST_CHECK bool session_batch(const char *lock_timeout_ms, struct text *out, struct err *err);

#endif
