#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef err_set
#undef err_wrap
#undef err_detail
#undef err_hint
#undef err_errno

static const struct {
    int exit_status;
    const char *name, *meaning;
} err_table[] = {
#define ERR(code, outcome, text, meaning) [code] = {outcome, text, meaning},
#include "base/err.def"
#undef ERR
};

/** A text that filled its place may have been cut inside a character: end it before that one. */
static void
end_whole(char *text, size_t size)
{
    const size_t used = strlen(text);
    size_t start = used;

    if (used + 1 < size)
        return;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0) {
        const unsigned char first = (unsigned char)text[--start];
        const size_t whole = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

        if (used - start < whole)
            text[start] = '\0';
    }
}

bool
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    *err = (struct err){.code = code};
    va_start(ap, fmt);
    (void)vsnprintf(err->primary, sizeof err->primary, fmt, ap);
    va_end(ap);
    end_whole(err->primary, sizeof err->primary);
    return false;
}

bool
err_wrap(struct err *err, const char *fmt, ...)
{
    char was[sizeof err->primary];
    size_t used;
    va_list ap;

    memcpy(was, err->primary, sizeof was);
    va_start(ap, fmt);
    (void)vsnprintf(err->primary, sizeof err->primary, fmt, ap);
    va_end(ap);
    used = strlen(err->primary);
    (void)snprintf(err->primary + used, sizeof err->primary - used, ": %s", was);
    end_whole(err->primary, sizeof err->primary);
    return false;
}

bool
err_detail(struct err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(err->detail, sizeof err->detail, fmt, ap);
    va_end(ap);
    end_whole(err->detail, sizeof err->detail);
    return false;
}

bool
err_hint(struct err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
    end_whole(err->hint, sizeof err->hint);
    return false;
}

bool
err_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
{
    char reason[128];
    size_t used;
    va_list ap;

    *err = (struct err){.code = code};
    (void)snprintf(err->primary, sizeof err->primary, "could not ");
    used = strlen(err->primary);
    va_start(ap, fmt);
    (void)vsnprintf(err->primary + used, sizeof err->primary - used, fmt, ap);
    va_end(ap);
    used = strlen(err->primary);
    (void)snprintf(err->primary + used, sizeof err->primary - used, ": %s",
                   strerror_r(errnum, reason, sizeof reason));
    end_whole(err->primary, sizeof err->primary);
    return false;
}

int
err_exit_status(enum err_code code)
{
    return err_table[code].exit_status;
}

const char *
err_name(enum err_code code)
{
    return err_table[code].name;
}

const char *
err_meaning(enum err_code code)
{
    return err_table[code].meaning;
}
