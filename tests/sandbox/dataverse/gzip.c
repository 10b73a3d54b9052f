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
