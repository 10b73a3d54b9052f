/** The options of a new connection: sql/session.sql. */
#ifndef MSSQL_SESSION_H
#define MSSQL_SESSION_H

#include "base/err.h"
#include "connection.h"

/**
 * Send them, and see whether the answer is encrypted. Options that an engine does not know are left
 * out where that does no harm; prove.sql judges afterwards.
 */
MUST_CHECK bool session_set(struct connection *connection, struct err *err);

#endif
