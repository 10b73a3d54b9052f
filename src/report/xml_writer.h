/**
 * Text for XML 1.0: markup is escaped, and what must not stand in a document (control characters,
 * lone surrogates, what is not UTF-8) is written as a visible escape (visible.h). Private to
 * report/.
 */
#ifndef REPORT_XML_WRITER_H
#define REPORT_XML_WRITER_H

#include "base/text.h"

#include <stdint.h>

/** One line of content, or the value of an attribute; a line break in it is an escape too. */
void xml_append(struct text *ret, const char *value);

/** Lines of our own making, each of them escaped. */
void xml_append_lines(struct text *ret, const char *value);

/** ` name="value"`, with a blank before; nothing when `value` is NULL. */
void xml_attribute(struct text *ret, const char *name, const char *value);
void xml_attribute_count(struct text *ret, const char *name, uint64_t value);
/** Milliseconds as seconds with three decimals. */
void xml_attribute_seconds(struct text *ret, const char *name, int64_t ms);

#endif
