#include "identifier.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { GUID_SIZE = 36 };

static bool
is_guid(const char *text)
{
    if (strlen(text) != GUID_SIZE)
        return false;
    for (size_t i = 0; i < GUID_SIZE; i++) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

        if (hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

bool
guid_normalize(char *text)
{
    if (!is_guid(text))
        return false;
    for (char *at = text; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return true;
}

bool
guid_names_something(const char *text)
{
    return is_guid(text) && strspn(text, "0-") < GUID_SIZE;
}

bool
etag_is_valid(const char *text)
{
    const char *at = strncmp(text, "W/", 2) == 0 ? text + 2 : text;

    if (*at++ != '"')
        return false;
    while (*at > ' ' && *at <= '~' && *at != '"')
        at++;
    return at[0] == '"' && at[1] == '\0';
}
