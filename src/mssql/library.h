/** Which FreeTDS is loaded, and what it can: the one that runs counts, not the one compiled with.
 */
#ifndef MSSQL_LIBRARY_H
#define MSSQL_LIBRARY_H

#include <stdbool.h>

struct library_version {
    int major, minor;
};

/** From dbversion()'s text, "freetds v1.3.17". What cannot be read is 0.0, which can nothing. */
struct library_version library_version_parse(const char *text);

/** The key `certificate hostname` of its configuration; older ones ignore it without a word. */
bool library_can_name_certificate(struct library_version version);

/** TDS 8: TLS before anything else. Older ones refuse the word (error 20214). */
bool library_can_strict(struct library_version version);

#endif
