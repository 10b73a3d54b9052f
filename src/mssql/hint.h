/** What to do about a server's error, by its number: hints, never decisions. */
#ifndef MSSQL_HINT_H
#define MSSQL_HINT_H

#include "base/err.h"

#include <stdbool.h>

/** Set the hint that belongs to the number, if there is one. `text` is the server's message. */
void hint_for(int number, const char *text, struct err *err);

/** Azure's passing states: connect again. */
bool hint_is_transient(int number);

#endif
