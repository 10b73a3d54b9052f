/**
 * Connection strings: of ADO.NET for AxDB ("Server=tcp:...;Database=...;User ID=..."), of the
 * Dataverse tools for the environment ("AuthType=ClientSecret;Url=...;ClientId=..."). Their keys
 * become settings, a password in one becomes a secret. Quoting as ADO.NET has it: a value in double
 * or single quotes, the quote itself doubled; "==" is an equals sign in a key.
 *
 * Sources: SqlConnection.ConnectionString and DbConnectionStringBuilder (Microsoft, .NET API);
 * "Use connection strings in XRM tooling" (Microsoft, 2024).
 */
#ifndef CONFIG_CONNECTION_STRING_H
#define CONFIG_CONNECTION_STRING_H

#include "base/err.h"
#include "base/secret.h"
#include "config/option.h"
#include "config/settings.h"

#include <stdbool.h>

enum { CONNECTION_STRING_MAX_BYTES = 32 * 1024 };

enum connection_kind { CONNECTION_AXDB, CONNECTION_DATAVERSE, CONNECTION_KINDS };

/** Of which side a string is: one with AuthType, Url or ServiceUri is of Dataverse. */
enum connection_kind connection_string_kind(const char *text);

/** One string, and where it comes from. */
struct connection_string {
    const char *text;
    enum connection_kind kind;
    struct settings_origin origin; /* source: "variable NAME" or "--connection-string-file FILE" */
    enum command command;          /* keys of options that it does not have are passed over */
};

/**
 * Put what the string says into `settings`. No message shows a value.
 *
 * @param string     the string
 * @param settings   gets the values at the origin's rank; one that is there already and is another
 *                   contradicts the string
 * @param ret_secret the password or client secret; unset when the string has none
 * @param err        of the origin's code: the form is wrong, a key is unknown or comes twice, a
 *                   value cannot be read, the way to sign in is not supported
 */
MUST_CHECK bool connection_string_read(const struct connection_string *string,
                                       struct settings *settings, struct secret *ret_secret,
                                       struct err *err);

/**
 * Server, database and URL of the strings of `rank` against those of the command line: what argv
 * names must not be another target than the string that brings the login. ERR_USAGE.
 *
 * @param settings with everything of argv and of the strings
 * @param rank     of the strings
 * @param source   as in their origin
 * @param err      names both
 */
MUST_CHECK bool connection_string_agrees(const struct settings *settings, enum config_rank rank,
                                         const char *source, struct err *err);

#endif
