/** What the parts of the HTML report share. Private to report/. */
#ifndef REPORT_HTML_PARTS_H
#define REPORT_HTML_PARTS_H

#include "base/text.h"
#include "core/outcome.h"

#include <stdbool.h>

/** The style sheet, without its element. */
void html_append_style(struct text *out);

/** Verdict, error, what the command is about: the top of an item. */
void html_write_verdict(struct text *out, const struct outcome *outcome, size_t index);

/** Both halves: what was looked at. */
void html_write_target(struct text *out, const struct outcome *outcome);

/** The tables in numbers and as a chart, hosts, URLs, channels, the rows of a map. */
void html_write_rows(struct text *out, const struct outcome *outcome);

/** The checks with their evidence, and rows by name of which something is to be said. */
void html_write_checks(struct text *out, const struct outcome *outcome);
void html_write_lists(struct text *out, const struct outcome *outcome);

/** What a pasted text means; the situations that were recognised, with what remains to be done. */
void html_write_explained(struct text *out, const struct outcome *outcome);
void html_write_situations(struct text *out, const struct outcome *outcome);

/** What happened when; what can be compared later; what to do next. */
void html_write_timeline(struct text *out, const struct outcome *outcome);
void html_write_record(struct text *out, const struct outcome *outcome);
void html_write_next(struct text *out, const struct outcome *outcome);

#endif
