/** The manual pages: a text written by hand, and what the tables of commands, options and errors
 * say. Used by the build; see src/cli/docs/. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "base/err.h"
#include "base/text.h"

enum manual_page {
    MANUAL_COMMAND, /* dwclean(1) */
    MANUAL_CONFIG,  /* dwclean-config(5) */
};

struct manual_about {
    const char *version;
    const char *date; /* YYYY-MM-DD */
};

/** Append a page in the language man(7). ERR_INTERNAL: the template does not fit. */
MUST_CHECK bool manual_write(enum manual_page page, const char *template,
                             const struct manual_about *about, struct text *ret, struct err *err);

#endif
