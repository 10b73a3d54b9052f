/** `dwclean explain`: where its text comes from, and the list of what it knows. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "base/err.h"
#include "base/text.h"
#include "cli/output.h"

#include <stdbool.h>

/**
 * The text to explain: TEXT itself; where that is missing or "-", all of `fd`. Nothing is read from
 * a terminal unless "-" asks for it.
 *
 * @param operand  TEXT, or NULL
 * @param fd       standard input
 * @param ret      the text, any bytes; at most SYMPTOM_TEXT_MAX_BYTES
 * @param ret_list there is none, and a person sits there: list what is known
 * @param err      ERR_USAGE: too long, or empty; ERR_CONFIG: cannot be read; ERR_INTERRUPTED
 */
MUST_CHECK bool explain_take_text(const char *operand, int fd, struct text *ret, bool *ret_list,
                                  struct err *err);

/** Every symptom: id, title, its texts or its sign. ERR_STORAGE: could not be written. */
MUST_CHECK bool explain_list(const struct output *output, struct err *err);

#endif
