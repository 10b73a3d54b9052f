/** Strict readers of what the reports write: none of them shares code with the writers. */
#ifndef FUZZ_CHECKERS_H
#define FUZZ_CHECKERS_H

#include <stdbool.h>
#include <stddef.h>

/** One JSON value (RFC 8259), nothing behind it but a line break; UTF-8. */
bool check_json(const char *text, size_t size);

/** One JSON value of ASCII a line, each line ended. */
bool check_ndjson(const char *text, size_t size);

/** Records of RFC 4180, all of as many cells as the first, each on one line; no cell that a
 * spreadsheet takes for a formula, and no control character. */
bool check_csv(const char *text, size_t size);

/** A well-formed XML 1.0 document without processing instructions, CDATA and entities but the five
 * (and a document type only as HTML has it): tags nest, names and attributes are well-formed, every
 * character is allowed. */
bool check_xml(const char *text, size_t size);

/** Lines for a terminal: UTF-8, no control character but the line break. */
bool check_text(const char *text, size_t size);

#endif
