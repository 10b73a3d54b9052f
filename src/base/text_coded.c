#include "base/text.h"
#include "text_room.h"

#include <stdint.h>
#include <stdlib.h>

void
text_append_hex(struct text *text, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = bytes;

    if (size > SIZE_MAX / 2 || !text_room(text, size * 2)) {
        text->broken = true;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        text->data[text->used++] = digits[at[i] >> 4];
        text->data[text->used++] = digits[at[i] & 15];
    }
    text->data[text->used] = '\0';
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
text_append_base64(struct text *text, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    if (size > SIZE_MAX / 2 || !text_room(text, (size + 2) / 3 * 4)) {
        text->broken = true;
        return;
    }
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t group = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                               (left > 2 ? at[i + 2] : 0);
        char *out = text->data + text->used;

        out[0] = base64_digits[group >> 18];
        out[1] = base64_digits[group >> 12 & 63];
        out[2] = '=';
        out[3] = '=';
        if (left > 1)
            out[2] = base64_digits[group >> 6 & 63];
        if (left > 2)
            out[3] = base64_digits[group & 63];
        text->used += 4;
    }
    if (text->data)
        text->data[text->used] = '\0';
}

static int
base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/** Decode one group of four; the number of bytes, or 0 when it is not one. */
static size_t
base64_group(const char *at, bool last, unsigned char out[3])
{
    size_t bytes = 3;
    uint32_t group = 0;

    if (last && at[3] == '=')
        bytes = at[2] == '=' ? 1 : 2;
    for (size_t i = 0; i < 4; i++) {
        const int value = i <= bytes ? base64_value(at[i]) : 0;

        if (value < 0)
            return 0;
        group = group << 6 | (uint32_t)value;
    }
    /* bits that belong to no byte must be zero: one text for each value */
    if ((bytes == 1 && (group & 0xFFFF)) || (bytes == 2 && (group & 0xFF)))
        return 0;
    out[0] = (unsigned char)(group >> 16);
    out[1] = (unsigned char)(group >> 8);
    out[2] = (unsigned char)group;
    return bytes;
}

bool
text_decode_base64(const char *string, size_t size, unsigned char **ret_bytes, size_t *ret_size)
{
    unsigned char *bytes;
    size_t used = 0;

    if (size % 4)
        return false;
    bytes = malloc(size / 4 * 3 + 1);
    if (!bytes)
        return false;
    for (size_t i = 0; i < size; i += 4) {
        const size_t got = base64_group(string + i, i + 4 == size, bytes + used);

        if (got == 0) {
            free(bytes);
            return false;
        }
        used += got;
    }
    *ret_bytes = bytes;
    *ret_size = used;
    return true;
}

/** The digit's value, 0 to 15; -1 for what is no digit. Looked up: nobody can guess which branch
 * the next digit of a digest would take. */
static int
hex_value(char digit)
{
    static const signed char values_and_one[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    };

    return values_and_one[(unsigned char)digit] - 1;
}

bool
text_decode_hex(const char *string, size_t size, unsigned char *out)
{
    if (size % 2)
        return false;
    for (size_t i = 0; i < size; i += 2) {
        const int high = hex_value(string[i]);
        const int low = hex_value(string[i + 1]);

        if ((high | low) < 0)
            return false;
        out[i / 2] = (unsigned char)(high << 4 | low);
    }
    return true;
}
