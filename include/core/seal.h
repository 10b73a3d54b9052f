/**
 * The promise of this program: no row leaves without a sealed copy. Every planned row is written to
 * the backup, the backup is read again from the disk, and only when both are the plan's rows is it
 * sealed.
 */
#ifndef CORE_SEAL_H
#define CORE_SEAL_H

#include "core/evidence.h"
#include "core/plan.h"
#include "port/backup.h"

#include <stdbool.h>

/** What the sealed backup holds; only seal_backup makes one that is `sealed`. */
struct sealed {
    bool sealed;
    struct table_state states[TABLES];
};

/**
 * Read every planned table again into the backup and seal it.
 *
 * @param plan         what the rows must be
 * @param source       read from, without locks
 * @param backup       new, empty
 * @param ret          written on success only
 * @param err          ERR_STALE: rows are no longer the plan's; ERR_STORAGE: the disk, or what was
 * read back from it differs; else as the stores
 */
MUST_CHECK bool seal_backup(const struct plan *plan, const struct row_source *source,
                            struct backup *backup, struct sealed *ret, struct err *err);

#endif
