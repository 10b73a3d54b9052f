/** Lines as wide as the terminal that they go to. */
#ifndef CLI_WRAP_H
#define CLI_WRAP_H

#include "base/text.h"

#include <stddef.h>

/** Columns of the terminal; 80 where that is not known. */
size_t wrap_width(int fd);

/**
 * Append one line, broken at blanks; what goes on stands a little to the right. A word that is
 * wider than the terminal is not broken. Blanks inside stay as they are: they align columns.
 *
 * @param ret    appended to, without a newline at the end
 * @param line   escaped already, no newline in it
 * @param size   bytes of `line`
 * @param width  columns
 */
void wrap_append(struct text *ret, const char *line, size_t size, size_t width);

#endif
