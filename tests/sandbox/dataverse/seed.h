/** Seeds: settings and rows of an organization as one JSON file. */
#ifndef SANDBOX_DATAVERSE_SEED_H
#define SANDBOX_DATAVERSE_SEED_H

#include "dataverse/settings.h"
#include "dataverse/store.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Empty the store and fill both from `text`. `rows` replaces the count of generated rows unless it
 * is -1. False with the reason in `why`; both may be half filled then.
 */
bool dv_seed(const char *text, int64_t rows, struct dv_store *, struct dv_settings *, char *why,
             size_t why_size);

#endif
