/** Which forms a command has. None falls back to another one. */
#ifndef CLI_FORMS_H
#define CLI_FORMS_H

#include "base/err.h"
#include "config/config.h"
#include "report/report.h"

#include <stdbool.h>

enum {
    FORMS_DOCUMENT = 1 << REPORT_TEXT | 1 << REPORT_JSON, /* no report of a run, and no list */
    FORMS_LIST = FORMS_DOCUMENT | 1 << REPORT_NDJSON | 1 << REPORT_CSV,
    FORMS_RUN = (1 << REPORT_FORMS) - 1,
};

/** ERR_USAGE when `form` is none of `forms`; the hint names those that there are. */
MUST_CHECK bool forms_have(unsigned forms, enum report_form form, const char *what,
                           struct err *err);

/** The same for the command of the configuration. */
MUST_CHECK bool forms_check(const struct config *config, enum report_form form, struct err *err);

#endif
