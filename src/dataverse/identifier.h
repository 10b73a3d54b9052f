/** What may name a row, an organization or a user, and what may name a version. */
#ifndef DATAVERSE_IDENTIFIER_H
#define DATAVERSE_IDENTIFIER_H

#include <stdbool.h>

/** A GUID as text, made lower case in place; false, and left as it is, when it is none. */
bool guid_normalize(char *text);

/** A GUID in any case that is not all zeroes. */
bool guid_names_something(const char *text);

/**
 * One entity tag, weak or strong. "*" and lists are none: they would fit a row that changed.
 */
bool etag_is_valid(const char *text);

#endif
