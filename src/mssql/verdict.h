/**
 * What the server and the library said while a call was under way. db-lib's handlers only record it
 * here; return codes are no verdict.
 */
#ifndef MSSQL_VERDICT_H
#define MSSQL_VERDICT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { VERDICT_MESSAGES = 4, LIBRARY_ERRORS = 4 };

/** A message above severity 10. */
struct server_message {
    int number, severity, state, line;
    char procedure[132];
    char text[512];
};

/** An error of db-lib itself (20018, a copy of each server error, is left out). */
struct library_error {
    int number, os_error;
    char text[256];
};

struct verdict {
    struct server_message messages[VERDICT_MESSAGES];
    size_t message_count; /* how many were recorded; later ones are only counted in `more` */
    size_t more;
    struct library_error errors[LIBRARY_ERRORS];
    size_t error_count;
    bool timed_out;   /* the statement's deadline passed */
    bool interrupted; /* a stop signal ended it */
};

void verdict_reset(struct verdict *verdict);
void verdict_add_message(struct verdict *verdict, const struct server_message *message);
void verdict_add_error(struct verdict *verdict, const struct library_error *error);

/** Nothing was said that is worse than information. */
bool verdict_is_clean(const struct verdict *verdict);

/** The message that counts: the highest severity, the first of equals. NULL when there is none. */
const struct server_message *verdict_worst(const struct verdict *verdict);

/** The message or library error with that number, or NULL. */
const struct server_message *verdict_message(const struct verdict *verdict, int number);
const struct library_error *verdict_error(const struct verdict *verdict, int number);

/** Code of a server error by its number; `ret_transient` for 1205 and 1222. */
enum err_code verdict_code(int number, bool *ret_transient);

/**
 * Take values of rows out of the text of a message that answers an INSERT: what is known to hold
 * names only stays, what follows a known mark is cut off, any other text is left out. Number and
 * state say what it was. Texts: Microsoft, "Database engine events and errors".
 */
void verdict_hide_values(struct server_message *message);

/** Fill `err` from a server message: code, text, detail with number and state, hint. Returns false.
 */
bool verdict_to_err(const struct server_message *message, struct err *err);

#endif
