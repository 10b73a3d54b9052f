#include "visible.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/** Control characters, what reorders or hides, and what XML 1.0 has no place for. */
static bool
is_hidden(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || (code & 0xFFFE) == 0xFFFE ||
           code >= 0xE0000;
}

/** A surrogate written as if it were a character: three bytes, no UTF-8. */
static bool
is_surrogate(const unsigned char *at)
{
    return at[0] == 0xED && at[1] >= 0xA0 && at[1] <= 0xBF && (at[2] & 0xC0) == 0x80;
}

/** Bytes that the first byte announces. */
static size_t
announced(unsigned char first)
{
    return first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
}

size_t
visible_next(const char *at, char ret_escape[VISIBLE_BYTES])
{
    const unsigned char *bytes = (const unsigned char *)at;
    const size_t size = announced(*bytes);
    uint32_t code = size == 1 ? *bytes : *bytes & (0x7FU >> size);
    ret_escape[0] = '\0';
    if (strnlen(at, size) < size || !text_is_utf8(at, size)) {
        const bool surrogate = strnlen(at, 3) == 3 && is_surrogate(bytes);
        if (surrogate)
            (void)snprintf(ret_escape, VISIBLE_BYTES, "\\u%04x",
                           0xD000U | (bytes[1] & 0x3FU) << 6 | (bytes[2] & 0x3FU));
        else
            (void)snprintf(ret_escape, VISIBLE_BYTES, "\\x%02x", *bytes);
        return surrogate ? 3 : 1;
    }
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (bytes[i] & 0x3FU);
    if (is_hidden(code))
        (void)snprintf(ret_escape, VISIBLE_BYTES, code < 0x10000 ? "\\u%04x" : "\\u{%04x}",
                       (unsigned)code);
    return size;
}
