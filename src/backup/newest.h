/**
 * Rows of a table out of several backups of one run, in key order: where a key is in more than one,
 * the newest backup's row counts.
 */
#ifndef BACKUP_NEWEST_H
#define BACKUP_NEWEST_H

#include "again.h"
#include "backup/backup_set.h"

#include <stdbool.h>
#include <stddef.h>

enum { NEWEST_MAX = AGAIN_LAST }; /* the first backup, and those that followed */

/** The backups of a run: the first at 0, then in the order in which they were made. */
struct backups {
    struct backup_reader *list[NEWEST_MAX];
    size_t count; /* 0 = there is no sealed one */
};

void backups_done(struct backups *backups);

struct newest {
    const char *path; /* for messages; borrowed */
    enum table table;
    struct newest_part {
        struct backup_cursor *cursor; /* NULL: it has come to its end */
        struct row row;
        bool taken; /* the row has been given out: read the next one first */
    } parts[NEWEST_MAX];
    size_t count;
    bool begun;
    char key[ROW_KEY_BYTES]; /* given out last */
};

/** `backups` must outlive `ret`, which newest_done ends, also after failure. ERR_STORAGE. */
MUST_CHECK bool newest_begin(struct newest *ret, const struct backups *backups, enum table table,
                             const char *path, struct err *err);

/** The next row, borrowed until the next call. ERR_STORAGE: damaged, out of order, or a key that
 * the first backup has not. */
MUST_CHECK bool newest_next(struct newest *newest, struct row *ret, bool *ret_end, struct err *err);
void newest_done(struct newest *newest);

#endif
