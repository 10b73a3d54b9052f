/** Bytes that somebody else owns. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const unsigned char *data; /* may be NULL when size is 0 */
    size_t size;               /* bytes */
};

static inline struct slice
slice_of(const void *data, size_t size)
{
    return (struct slice){.data = (const unsigned char *)data, .size = size};
}

static inline struct slice
slice_of_string(const char *string)
{
    return slice_of(string, strlen(string));
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
