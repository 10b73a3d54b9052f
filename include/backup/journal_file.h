/**
 * journal.ndjson (src/backup/README.md): the journal port on disk, and the reader that proves the
 * chain.
 */
#ifndef BACKUP_JOURNAL_FILE_H
#define BACKUP_JOURNAL_FILE_H

#include "base/digest.h"
#include "base/err.h"
#include "port/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JOURNAL_LINE_MAX_BYTES = 1024 * 1024, JOURNAL_FACTS_MAX = 4096 };

/** Start a journal; the file must not exist. ERR_STORAGE. */
MUST_CHECK bool journal_file_create(const char *path, struct journal **ret, struct err *err);

/** What lies behind the last whole record. */
struct journal_tail {
    int64_t records;         /* whole, chained records */
    struct digest last;      /* SHA-256 of the last whole line; of nothing: all zeros */
    uint64_t end_bytes;      /* where the last whole line ends */
    uint64_t torn_bytes;     /* behind it, of what a crash cut off; 0 = none */
    uint64_t reserved_bytes; /* NUL bytes that were reserved and never used */
};

/**
 * Go on writing a journal that an earlier process left: the chain is verified first, a torn last
 * line and reserved space are cut off. ERR_STORAGE, also when the chain is broken.
 *
 * @param path      the file
 * @param ret       the journal, positioned behind its last whole record
 * @param ret_tail  what was found; torn_bytes > 0 should be said
 * @param err       filled on failure
 */
MUST_CHECK bool journal_file_reopen(const char *path, struct journal **ret,
                                    struct journal_tail *ret_tail, struct err *err);

/** No more records: gives back reserved space and syncs. ERR_STORAGE. */
MUST_CHECK bool journal_file_end(struct journal *journal, struct err *err);

/** Frees; what is on disk stays. NULL is allowed. */
void journal_file_close(struct journal *journal);

/** One record as read: strings borrowed until the call that brought it returns. */
struct journal_record {
    int64_t seq;
    const char *utc;
    const char *step;
    const struct fact *facts;
    size_t count;
    uint64_t end_bytes;            /* where its line ends */
    const struct digest *previous; /* SHA-256 of the line before */
    const struct digest *digest;   /* SHA-256 of its own line */
};

struct journal_sink {
    void *ctx;
    bool (*take)(void *ctx, const struct journal_record *record, struct err *err);
};

/**
 * Read a journal and verify its chain, also while another process writes it. A torn end is
 * tolerated and reported in `ret`: the front of a record, or a hole of NUL bytes that a loss of
 * power left, with nothing behind it that had been synced. A record that is changed, missing or out
 * of order is ERR_STORAGE with its line. The last record has no successor that vouches for it:
 * SHA256SUMS does, once the run is finished.
 *
 * @param path  the file
 * @param sink  receives every whole record in order; may be NULL
 * @param ret   counts and what the tail is like
 * @param err   filled on failure
 */
MUST_CHECK bool journal_read(const char *path, const struct journal_sink *sink,
                             struct journal_tail *ret, struct err *err);

#endif
