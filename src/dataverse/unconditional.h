/** Deleting a row as it is, where the service compares no versions. */
#ifndef DATAVERSE_UNCONDITIONAL_H
#define DATAVERSE_UNCONDITIONAL_H

#include "base/err.h"
#include "definition.h"
#include "port/runtime_store.h"
#include "session.h"

#include <stdbool.h>

/** What is sent. */
struct unconditional {
    const struct definition *definition;
    const struct runtime_ref *row;
    unsigned tries;      /* with this one */
    struct err *no_more; /* why no row is sent any more; ERR_NONE = nothing stands against it */
};

/** As runtime_store_ops.remove_as_it_is says. */
MUST_CHECK bool unconditional_delete(struct session *session, const struct unconditional *what,
                                     struct removal *ret, bool *ret_again, struct err *err);

#endif
