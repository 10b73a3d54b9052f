/** The forms of a report on several environments. Private to report/. */
#ifndef REPORT_FLEET_PARTS_H
#define REPORT_FLEET_PARTS_H

#include "report/fleet.h"

/** For a person: a table, then a paragraph for each that is not clean, the worst first. */
MUST_CHECK bool fleet_text(const struct fleet *fleet, const struct report_place *place,
                           struct text *ret, struct err *err);

/** For a program: include/report/fleet.schema.json, version 1. */
MUST_CHECK bool fleet_json(const struct fleet *fleet, const struct report_place *place,
                           struct text *ret, struct err *err);

/** The event behind those of all environments: without it the report is cut off. */
MUST_CHECK bool fleet_ndjson_tail(const struct fleet *fleet, const struct report_place *place,
                                  struct text *ret, struct err *err);

/** Verdict and table above the reports of all of them. */
void fleet_html_summary(const struct fleet *fleet, struct text *ret);

/** What a process sends of its outcome besides the summary, in the form asked for; may be nothing.
 */
MUST_CHECK bool fleet_write_item(const struct outcome *outcome, enum report_form form,
                                 const struct report_place *place, struct text *ret,
                                 struct err *err);

/** Is the status of this word 0, so that nothing is left to be told? */
bool fleet_is_well(const struct fleet_member *member);

#endif
