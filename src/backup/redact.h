/** The texts of a run as somebody else may see them. Private to backup/. */
#ifndef BACKUP_REDACT_H
#define BACKUP_REDACT_H

#include "port/run_archive.h"
#include "scrub.h"

/** Of the journal at `path`, watch all free text, or append each record with the digest of its
 * original line. ERR_STORAGE. */
MUST_CHECK bool redact_watch_journal(const char *path, struct scrub *scrub, struct err *err);
MUST_CHECK bool redact_append_journal(const char *path, const struct scrub *scrub, struct text *ret,
                                      struct err *err);

/** The same of a JSON report; one that is not there has no text. */
MUST_CHECK bool redact_watch_report(const char *path, struct scrub *scrub, struct err *err);
MUST_CHECK bool redact_append_report(const char *path, const struct scrub *scrub, struct text *ret,
                                     struct err *err);

/** Every value of the sealed backup that is not in the allow-list. ERR_STORAGE. */
MUST_CHECK bool redact_protect_rows(struct archived_run *run, struct scrub *scrub, struct err *err);

#endif
