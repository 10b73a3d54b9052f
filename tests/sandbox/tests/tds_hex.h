/** Bytes written as hex in tests, as the protocol's documentation prints them. */
#ifndef SANDBOX_TESTS_TDS_HEX_H
#define SANDBOX_TESTS_TDS_HEX_H

#include "test.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct hex {
    size_t length;
    unsigned char bytes[2048];
};

/** Blanks are skipped; anything else than pairs of hex digits fails the test. */
static inline struct hex
hex(const char *text)
{
    struct hex hex = {0};
    while (*text != '\0') {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        assert_true(isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]));
        assert_true(hex.length < sizeof hex.bytes);
        const char pair[3] = {text[0], text[1], '\0'};
        hex.bytes[hex.length++] = (unsigned char)strtoul(pair, NULL, 16);
        text += 2;
    }
    return hex;
}

static inline void
assert_hex(const unsigned char *bytes, size_t length, const char *expected)
{
    struct hex wanted = hex(expected);
    assert_int_equal(length, wanted.length);
    if (length > 0)
        assert_memory_equal(bytes, wanted.bytes, length);
}

/** The bytes on the heap, exactly as many: a read past their end is seen by the address sanitizer.
 */
static inline unsigned char *
exact_copy(const unsigned char *bytes, size_t length)
{
    unsigned char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

#endif
