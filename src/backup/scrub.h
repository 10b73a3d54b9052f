/**
 * Free text (what a server said, in an error) may quote a row. Here such quotes are found, by
 * comparing the text with the rows themselves, and left out. Private to backup/.
 *
 * First scrub_watch for each text, then scrub_value for each protected value, then scrub_append.
 */
#ifndef BACKUP_SCRUB_H
#define BACKUP_SCRUB_H

#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct scrub; /* opaque */

struct scrub *scrub_new(void);        /* NULL when out of memory */
void scrub_free(struct scrub *scrub); /* NULL is allowed */

/** A text that scrub_append will be asked for. */
void scrub_watch(struct scrub *scrub, const char *text);

/** A value that may not be seen: whole when it is short, in pieces of 12 bytes and more when it is
 * long. Values below 6 bytes are too common to be told from other text. */
MUST_CHECK bool scrub_value(struct scrub *scrub, const void *bytes, size_t size, struct err *err);

/** Every text is left out whole: there is nothing to compare it with. */
void scrub_all(struct scrub *scrub);

/** Append the text with "[left out]" in the place of each quote. */
void scrub_append(const struct scrub *scrub, const char *text, struct text *ret);

#endif
