#include "cli/inert.h"

#include <stdlib.h>
#include <string.h>

static bool
is_true(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
    return value && text_equal_nocase(value, "true");
}

bool
inert_is_wanted(void)
{
    return is_true("TF_BUILD") || is_true("GITHUB_ACTIONS");
}

/** The escape of an ASCII sign in a form, by its name: new forms of text need nothing here. */
static void
append_escaped(struct text *ret, const char *form, char sign)
{
    if (strstr(form, "json"))
        text_printf(ret, "\\u%04x", (unsigned)sign);
    else if (strcmp(form, "junit") == 0 || strcmp(form, "html") == 0)
        text_printf(ret, "&#%u;", (unsigned)sign);
    else
        text_printf(ret, "\\x%02x", (unsigned)sign);
}

void
inert_append(struct text *ret, enum report_form form, const char *bytes, size_t size)
{
    const char *name = report_form_name(form);
    const char *const end = bytes + size;
    const char *from = bytes; /* not appended yet */
    bool begun = false;       /* the line has a sign that no blank could be */
    for (const char *p = bytes; p < end; p++) {
        const bool pair = p + 1 < end && p[1] == p[0];
        if (pair && (*p == '#' || (*p == ':' && !begun))) {
            text_append_bytes(ret, from, (size_t)(p - from));
            append_escaped(ret, name, *p);
            from = p + 1;
        }
        if (*p == '\n' || *p == '\r')
            begun = false;
        else if (*p > ' ' && *p <= '~')
            begun = true;
    }
    text_append_bytes(ret, from, (size_t)(end - from));
}
