/** $filter: and, or, not, brackets, eq ne gt ge lt le, contains, startswith, endswith,
 * Microsoft.Dynamics.CRM.In. */
#ifndef SANDBOX_DATAVERSE_FILTER_H
#define SANDBOX_DATAVERSE_FILTER_H

#include "dataverse/schema.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct filter;

/** NULL with the reason in `why`: syntax, or a property that the table does not have. */
struct filter *filter_parse(const struct dv_table *, const char *text, char *why, size_t why_size);
void filter_free(struct filter *);

/** `row` as clients see it. Texts are compared without case, as Dataverse does. */
bool filter_matches(const struct filter *, const cJSON *row);

/** The texts of a filter that is nothing but In over `key`; NULL else. */
const cJSON *filter_keys(const struct filter *, const char *key);

#endif
