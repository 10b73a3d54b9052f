/** gzip without compression (stored blocks): enough to make a client's decoder work. */
#ifndef SANDBOX_DATAVERSE_GZIP_H
#define SANDBOX_DATAVERSE_GZIP_H

#include <stddef.h>

/** malloc'd, or NULL. */
unsigned char *gzip_stored(const void *bytes, size_t count, size_t *ret_count);

#endif
