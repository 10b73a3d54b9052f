/** What is told of batches, at level debug: names and numbers, never a text or a value. */
#ifndef MSSQL_STATEMENT_LOG_H
#define MSSQL_STATEMENT_LOG_H

#include "statement.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * One line: the batch by the name of its file, how it went, rows, time, and the numbers of what the
 * server and the library said. Inside a transaction it is kept: who reads the log may be slow, and
 * locks are held.
 */
void statement_log(struct connection *connection, const struct statement *statement, bool good,
                   int64_t elapsed_ms);

/** Tell what was kept. */
void statement_log_release(struct connection *connection);

#endif
