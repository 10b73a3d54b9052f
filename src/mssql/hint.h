/** What to do about a server's error, by its number: hints, never decisions. */
#ifndef MSSQL_HINT_H
#define MSSQL_HINT_H

#include "base/err.h"

#include <stdbool.h>

/**
 * Set the hint that belongs to the number, if there is one. `text` is the server's message; `state`
 * tells refused sign-ins (18456) apart where the server shows it, which most show as 1.
 * https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
 */
void hint_for(int number, int state, const char *text, struct err *err);

/** As hint_for, when the database could not be opened for `user` (4060, 916). NULL: not known. */
void hint_for_missing_user(const char *user, struct err *err);

/** Azure's passing states: connect again. */
bool hint_is_transient(int number);

#endif
