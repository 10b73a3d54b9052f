/** Renderers of a struct outcome. Text goes where the caller says: nothing is printed here. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/err.h"
#include "base/text.h"
#include "core/outcome.h"

#include <stdbool.h>

/**
 * For a person: verdict first, then target, tables, hosts, checks, next steps. At most `width`
 * columns where that is possible (80 when 0). `colour` = ANSI colours. Everything from a server is
 * escaped.
 */
MUST_CHECK bool report_text(const struct outcome *outcome, unsigned width, bool colour,
                            struct text *ret, struct err *err);

/** For a program: one JSON object after include/report/outcome.schema.json, version 1. 64-bit
 * numbers are strings. Ends with a newline. */
MUST_CHECK bool report_json(const struct outcome *outcome, struct text *ret, struct err *err);

/**
 * For a change ticket: one HTML file that loads nothing from anywhere and runs no script; for the
 * screen, light and dark, and for paper. Also well-formed XML. Everything from a server is escaped;
 * long lists are cut as in the text. A document is a head, any number of items (and of the
 * caller's own elements between them), and a tail; report_html is all three for one outcome.
 * Ids are made of the item's `index` in the document, from 0.
 */
void report_html_head(const char *title, struct text *ret);
MUST_CHECK bool report_html_item(const struct outcome *outcome, size_t index, struct text *ret,
                                 struct err *err);
void report_html_tail(struct text *ret);
MUST_CHECK bool report_html(const struct outcome *outcome, struct text *ret, struct err *err);

/** The forms of a report, as --format names them. */
enum report_form {
    REPORT_TEXT,
    REPORT_JSON,
    REPORT_NDJSON,
    REPORT_CSV,
    REPORT_JUNIT,
    REPORT_HTML,
    REPORT_FORMS
};

/** "text", "json", ... */
const char *report_form_name(enum report_form form);

/** The form of that name; false = there is none. */
bool report_form_find(const char *name, enum report_form *ret);

/** What a form may want to know about the place where it is read. */
struct report_place {
    unsigned width;   /* columns; 0 = 80 */
    bool colour;      /* ANSI colours; text alone */
    const char *host; /* name of this machine; NULL = not known; junit alone */
    size_t index;     /* of the item in a document of several; html alone */
};

/*
 * Forms whose document can hold the reports of several environments: head, an item each, tail.
 * Items are independent of each other: one may be made in another process.
 */

/** Events, a JSON object a line after include/report/events.schema.json, version 1. The last line
 * of an item is the event "finished": without it the item is cut off. Head and tail are empty. */
MUST_CHECK bool report_ndjson_head(struct text *ret, struct err *err);
MUST_CHECK bool report_ndjson_item(const struct outcome *outcome, struct text *ret,
                                   struct err *err);
MUST_CHECK bool report_ndjson_tail(struct text *ret, struct err *err);

/** A line of column names, then a line a fact (src/report/README.md). The tail is empty. */
MUST_CHECK bool report_csv_head(struct text *ret, struct err *err);
MUST_CHECK bool report_csv_item(const struct outcome *outcome, struct text *ret, struct err *err);
MUST_CHECK bool report_csv_tail(struct text *ret, struct err *err);

/** JUnit XML: a test suite an item, a test case a check. */
MUST_CHECK bool report_junit_head(struct text *ret, struct err *err);
MUST_CHECK bool report_junit_item(const struct outcome *outcome, const struct report_place *place,
                                  struct text *ret, struct err *err);
MUST_CHECK bool report_junit_tail(struct text *ret, struct err *err);

/** An outcome in any form, whole. */
MUST_CHECK bool report_render(const struct outcome *outcome, enum report_form form,
                              const struct report_place *place, struct text *ret, struct err *err);

/**
 * Load what a report in this form is drawn with (base/library.h): asked before any work, so that
 * its end is not the first to find it missing.
 */
MUST_CHECK bool report_ready(enum report_form form, struct err *err);

/** Version text of the libsmartcols that is loaded, or would be; NULL = it cannot be loaded. */
const char *report_columns_version(void);

/** Version text of the cJSON that is loaded. */
const char *report_library_version(void);

#endif
