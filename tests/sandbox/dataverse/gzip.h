/** gzip without compression (stored blocks), enough to make a client's decoder work; and too much
 * of it. */
#ifndef SANDBOX_DATAVERSE_GZIP_H
#define SANDBOX_DATAVERSE_GZIP_H

#include <stddef.h>

/** malloc'd, or NULL. */
unsigned char *gzip_stored(const void *bytes, size_t count, size_t *ret_count);

/**
 * `text` and `blanks` spaces behind it, about 158 times smaller than that: what a client must not
 * unpack without a limit. malloc'd, or NULL.
 */
unsigned char *gzip_bomb(const char *text, size_t blanks, size_t *ret_count);

#endif
