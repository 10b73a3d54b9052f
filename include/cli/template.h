/** A text with places that are filled in: @NAME@, in capitals. */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "base/err.h"
#include "base/text.h"

#include <stddef.h>

/** What stands at one place. Where a part ends its last line, so must not the template: the line
 * end behind @NAME@ goes when the part has one. */
struct template_part {
    const char *name;
    void (*append)(const void *ctx, struct text *ret);
};

/** Append the template, filled in. ERR_INTERNAL: it has a place that `parts` does not name, or a
 * part has no place. */
MUST_CHECK bool template_fill(const char *template, const struct template_part *parts, size_t count,
                              const void *ctx, struct text *ret, struct err *err);

#endif
