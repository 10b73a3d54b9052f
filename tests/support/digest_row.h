/** Digest and version of one row, for tests that make rows. */
#ifndef SUPPORT_DIGEST_ROW_H
#define SUPPORT_DIGEST_ROW_H

#include "port/row_digest.h"

#include <stdlib.h>

static inline void
digest_row(const struct schema *schema, struct row *row)
{
    struct row_digester *digester = row_digester_new(schema);

    if (!digester)
        abort();
    row_digest(digester, row);
    row_digester_free(digester);
}

#endif
