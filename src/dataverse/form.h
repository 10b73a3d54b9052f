/** A body of type application/x-www-form-urlencoded that holds secrets. */
#ifndef DATAVERSE_FORM_H
#define DATAVERSE_FORM_H

#include "base/err.h"
#include "base/secret.h"

#include <stddef.h>

/** The name is written as it is, the value percent-encoded. A NULL value leaves the field out. */
struct form_field {
    const char *name, *value;
};

/** ERR_INTERNAL when out of memory. */
MUST_CHECK bool form_write(const struct form_field *fields, size_t count, struct secret *ret,
                           struct err *err);

#endif
