#include "dataverse/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MAX = 65535, HEADER_BYTES = 10, BLOCK_HEADER_BYTES = 5, TRAILER_BYTES = 8 };

static uint32_t
crc32_of(const unsigned char *bytes, size_t count)
{
    uint32_t crc = 0xFFFFFFFFU;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
    }
    return ~crc;
}

static unsigned char *
put_little(unsigned char *at, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *at++ = (unsigned char)(value >> (8 * i) & 0xFF);
    return at;
}

unsigned char *
gzip_stored(const void *bytes, size_t count, size_t *ret_count)
{
    static const unsigned char header[HEADER_BYTES] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255};
    const unsigned char *from = bytes;
    const size_t blocks = count / BLOCK_MAX + 1;
    unsigned char *result =
        malloc(HEADER_BYTES + blocks * BLOCK_HEADER_BYTES + count + TRAILER_BYTES);
    if (!result)
        return NULL;
    unsigned char *at = result;
    memcpy(at, header, sizeof(header));
    at += sizeof(header);
    for (size_t left = count, i = 0; i < blocks; i++) {
        uint32_t size = left > BLOCK_MAX ? BLOCK_MAX : (uint32_t)left;
        *at++ = i + 1 == blocks;
        at = put_little(at, size, 2);
        at = put_little(at, ~size & 0xFFFF, 2);
        memcpy(at, from, size);
        at += size;
        from += size;
        left -= size;
    }
    at = put_little(at, crc32_of(bytes, count), 4);
    at = put_little(at, (uint32_t)count, 4);
    *ret_count = (size_t)(at - result);
    return result;
}

/* ---- a bomb ---- */

enum { MATCH_BYTES = 258, TABLE = 256 };

/** Bits, the first one lowest in its byte. */
struct bits {
    unsigned char *at;
    unsigned used;
};

static void
put_bit(struct bits *bits, unsigned bit)
{
    if (bits->used == 0)
        *bits->at = 0;
    *bits->at = (unsigned char)(*bits->at | bit << bits->used);
    bits->used = (bits->used + 1) % 8;
    bits->at += bits->used == 0;
}

/** A Huffman code: the highest bit first. */
static void
put_code(struct bits *bits, unsigned code, unsigned count)
{
    while (count-- > 0)
        put_bit(bits, code >> count & 1);
}

/** Byte by byte of a fixed block (RFC 1951, 3.2.6); all of ours are below 144. */
static void
put_literal(struct bits *bits, unsigned char byte)
{
    put_code(bits, 0x30U + byte, 8);
}

static uint32_t
crc32_with_blanks(const char *text, size_t blanks)
{
    uint32_t table[TABLE];
    uint32_t crc = 0xFFFFFFFFU;
    for (uint32_t i = 0; i < TABLE; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320U : 0);
    }
    for (; *text; text++)
        crc = crc >> 8 ^ table[(crc ^ (unsigned char)*text) & 0xFF];
    while (blanks-- > 0)
        crc = crc >> 8 ^ table[(crc ^ ' ') & 0xFF];
    return ~crc;
}

unsigned char *
gzip_bomb(const char *text, size_t blanks, size_t *ret_count)
{
    static const unsigned char header[HEADER_BYTES] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255};
    const size_t matches = blanks > 0 ? (blanks - 1) / MATCH_BYTES : 0;
    const size_t literals = blanks - matches * MATCH_BYTES;
    const size_t length = strlen(text);
    unsigned char *result =
        malloc(HEADER_BYTES + TRAILER_BYTES + length + literals + matches * 2 + 16);
    if (!result)
        return NULL;
    memcpy(result, header, sizeof(header));
    struct bits bits = {.at = result + sizeof(header)};
    put_bit(&bits, 1); /* the last block */
    put_bit(&bits, 1); /* of fixed codes: 01, low bit first */
    put_bit(&bits, 0);
    for (size_t i = 0; i < length; i++)
        put_literal(&bits, (unsigned char)text[i]);
    for (size_t i = 0; i < literals; i++)
        put_literal(&bits, ' ');
    for (size_t i = 0; i < matches; i++) {
        put_code(&bits, 0xC5, 8); /* 258 bytes */
        put_code(&bits, 0, 5);    /* of what lies one byte back */
    }
    put_code(&bits, 0, 7); /* the end */
    unsigned char *at = bits.at + (bits.used > 0);
    at = put_little(at, crc32_with_blanks(text, blanks), 4);
    at = put_little(at, (uint32_t)(length + blanks), 4);
    *ret_count = (size_t)(at - result);
    return result;
}
