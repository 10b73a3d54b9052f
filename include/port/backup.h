/**
 * The backup of a run: every row that the run may remove, in a form from which it can be put back
 * exactly. Format v1: one zstd-compressed NDJSON file a table, and a manifest with schema, counts
 * and digests. A backup that is not sealed is no backup. Implemented by backup/ and by
 * tests/fakes/.
 */
#ifndef PORT_BACKUP_H
#define PORT_BACKUP_H

#include "base/err.h"
#include "port/table.h"

#include <stdbool.h>
#include <stdint.h>

/** What a table held when it was read: count, and a digest over key, digest and version of every
 * row in order. Equal states are equal rows. Computed by core/rowset. */
struct table_state {
    int64_t rows;
    struct digest digest;
};

struct backup;

struct backup_ops {
    /** Start the file of a table. Tables come one after the other, each once. */
    bool (*begin_table)(struct backup *backup, const struct schema *schema, struct err *err);
    bool (*add)(struct backup *backup, const struct row *row, struct err *err);
    bool (*end_table)(struct backup *backup, struct err *err);

    /**
     * Flush and fsync every file, write the manifest, fsync it and the directory. Nothing may be
     * added afterwards.
     */
    bool (*close)(struct backup *backup, struct err *err);

    /**
     * Read a table back from the disk: every row with its fields; each row's digest has been
     * computed again from what was read and equals the one on record, the file's digest equals the
     * manifest's. Only after close. ERR_STORAGE names file and line of the first fault.
     */
    bool (*read_back)(struct backup *backup, enum table table, const struct row_sink *sink,
                      struct err *err);

    /** Record that core has compared what was read back: writes the seal, fsync. */
    bool (*seal)(struct backup *backup, struct err *err);
};

struct backup {
    const struct backup_ops *ops;
};

#endif
