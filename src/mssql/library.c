#include "library.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_MAX = 9999, PRIORITIES_BYTES = 512, NOT_SET = -59 /* GNUTLS_E_INTERNAL_ERROR */ };

struct library_version
library_version_parse(const char *text)
{
    struct library_version none = {0, 0};
    const char *v = strstr(text, "freetds v");
    char *end;
    long major, minor;

    if (v == NULL || !isdigit((unsigned char)v[9]))
        return none;
    major = strtol(v + 9, &end, 10);
    if (*end != '.' || !isdigit((unsigned char)end[1]))
        return none;
    minor = strtol(end + 1, &end, 10);
    if (major > PART_MAX || minor > PART_MAX)
        return none;
    return (struct library_version){(int)major, (int)minor};
}

static bool
is_at_least(struct library_version version, int major, int minor)
{
    return version.major > major || (version.major == major && version.minor >= minor);
}

bool
library_can_name_certificate(struct library_version version)
{
    return is_at_least(version, 1, 4);
}

bool
library_can_strict(struct library_version version)
{
    return is_at_least(version, 1, 4);
}

int
gnutls_priority_set_direct(struct gnutls_session_int *session, const char *priorities,
                           const char **ret_fault)
{
    int (*next)(struct gnutls_session_int *, const char *, const char **) = NULL;
    void *found = dlsym(RTLD_NEXT, "gnutls_priority_set_direct");
    char narrowed[PRIORITIES_BYTES];
    const int size =
        snprintf(narrowed, sizeof narrowed, "%s:-VERS-TLS1.0:-VERS-TLS1.1", priorities);

    memcpy(&next, &found, sizeof found); /* ISO C has no cast for it */
    if (next == NULL || size < 0 || (size_t)size >= sizeof narrowed)
        return NOT_SET;
    return next(session, narrowed, ret_fault);
}
