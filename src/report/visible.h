/** What a form must not write raw. Private to report/. */
#ifndef REPORT_VISIBLE_H
#define REPORT_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

enum { VISIBLE_BYTES = 16 };

/**
 * Look at the next code point of a text that is not at its end. `ret_escape` gets what stands for
 * it where it could break a line, move a cursor, reorder or hide text, or is not UTF-8: \u001b,
 * \u{e0001}, \xff, a lone surrogate as \ud800. Else it gets "" and the bytes may be written as they
 * are. A backslash is written as it is: a statement can then be copied.
 *
 * @return the bytes of it, at least 1
 */
size_t visible_next(const char *at, char ret_escape[VISIBLE_BYTES]);

#endif
