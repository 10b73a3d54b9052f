#include "tds/text.h"

#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

static uint32_t
unit_at(const unsigned char *utf16le, size_t index)
{
    return (uint32_t)utf16le[2 * index] | ((uint32_t)utf16le[2 * index + 1] << 8);
}

static uint32_t
next_utf16(const unsigned char *utf16le, size_t units, size_t *index)
{
    uint32_t unit = unit_at(utf16le, (*index)++);
    if (unit < 0xD800 || unit > 0xDFFF)
        return unit;
    if (unit > 0xDBFF || *index >= units)
        return REPLACEMENT;
    uint32_t low = unit_at(utf16le, *index);
    if (low < 0xDC00 || low > 0xDFFF)
        return REPLACEMENT;
    (*index)++;
    return 0x10000u + ((unit - 0xD800u) << 10) + (low - 0xDC00u);
}

static size_t
encode_utf8(uint32_t code, char ret[4])
{
    if (code < 0x80) {
        ret[0] = (char)code;
        return 1;
    }
    size_t extra = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    ret[0] = (char)(lead[extra] | (code >> (6 * extra)));
    for (size_t i = 1; i <= extra; i++)
        ret[i] = (char)(0x80u | ((code >> (6 * (extra - i))) & 0x3Fu));
    return extra + 1;
}

/* How many units from here on are ASCII, at most so many. */
static size_t
ascii_units(const unsigned char *utf16le, size_t units, size_t most)
{
    size_t n = 0;
    while (n < units && n < most && utf16le[2 * n] < 0x80 && utf16le[2 * n + 1] == 0)
        n++;
    return n;
}

size_t
tds_utf8_from_utf16le(const unsigned char *utf16le, size_t units, char *ret, size_t ret_size)
{
    size_t length = 0;
    for (size_t index = 0; index < units;) {
        char encoded[4];
        size_t plain = ascii_units(utf16le + 2 * index, units - index, ret_size - 1 - length);
        for (size_t i = 0; i < plain; i++)
            ret[length++] = (char)utf16le[2 * index++];
        if (plain)
            continue;
        size_t count = encode_utf8(next_utf16(utf16le, units, &index), encoded);
        if (length + count >= ret_size)
            break;
        memcpy(ret + length, encoded, count);
        length += count;
    }
    ret[length] = '\0';
    return length;
}

char *
tds_utf8_new(const unsigned char *utf16le, size_t units)
{
    size_t size = units * 3 + 1;
    char *text = malloc(size);
    if (text != NULL)
        (void)tds_utf8_from_utf16le(utf16le, units, text, size);
    return text;
}

/* The number of continuation bytes that a lead byte announces, or 4 for a byte that leads nothing.
 */
static size_t
continuation_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 0;
    if (lead >= 0xC2 && lead < 0xE0)
        return 1;
    if (lead >= 0xE0 && lead < 0xF0)
        return 2;
    return lead >= 0xF0 && lead < 0xF5 ? 3 : 4;
}

static uint32_t
next_utf8(const char **utf8)
{
    unsigned char lead = (unsigned char)*(*utf8)++;
    size_t extra = continuation_bytes(lead);
    if (extra == 0)
        return lead;
    if (extra == 4)
        return REPLACEMENT;
    uint32_t code = lead & (0x3Fu >> extra);
    for (size_t i = 0; i < extra; i++) {
        unsigned char next = (unsigned char)**utf8;
        if ((next & 0xC0) != 0x80)
            return REPLACEMENT;
        code = (code << 6) | (next & 0x3Fu);
        (*utf8)++;
    }
    bool overlong = (extra == 2 && code < 0x800) || (extra == 3 && code < 0x10000);
    return overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? REPLACEMENT : code;
}

size_t
tds_put_utf16(struct tds_buffer *buffer, const char *utf8, size_t max_units)
{
    size_t units = 0;
    while (*utf8 != '\0') {
        uint32_t code = next_utf8(&utf8);
        size_t needed = code < 0x10000 ? 1 : 2;
        if (units + needed > max_units)
            break;
        if (needed == 1) {
            tds_put_u16(buffer, code);
        } else {
            tds_put_u16(buffer, 0xD800 + ((code - 0x10000) >> 10));
            tds_put_u16(buffer, 0xDC00 + ((code - 0x10000) & 0x3FF));
        }
        units += needed;
    }
    return units;
}

void
tds_put_b_varchar(struct tds_buffer *buffer, const char *utf8)
{
    size_t at = buffer->length;
    tds_put_u8(buffer, 0);
    size_t units = tds_put_utf16(buffer, utf8, UINT8_MAX);
    if (!buffer->failed)
        buffer->bytes[at] = (unsigned char)units;
}

void
tds_put_us_varchar(struct tds_buffer *buffer, const char *utf8)
{
    /* SQL Server's own limit of a message text; it keeps every token below 64 KiB. */
    const size_t max_units = 2047;
    size_t at = buffer->length;
    tds_put_u16(buffer, 0);
    size_t units = tds_put_utf16(buffer, utf8, max_units);
    if (!buffer->failed)
        tds_patch_u16(buffer, at, units);
}

unsigned char *
tds_utf16le_from_cp1252(struct tds_arena *arena, const unsigned char *bytes, size_t length)
{
    static const uint16_t upper[32] = {
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
    };
    unsigned char *text = tds_arena_get(arena, length + 1, 2);
    for (size_t i = 0; text != NULL && i < length; i++) {
        unsigned unit = bytes[i] >= 0x80 && bytes[i] < 0xA0 ? upper[bytes[i] - 0x80] : bytes[i];
        text[2 * i] = (unsigned char)(unit & 0xFF);
        text[2 * i + 1] = (unsigned char)(unit >> 8);
    }
    return text;
}
