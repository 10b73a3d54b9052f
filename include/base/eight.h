/** Eight bytes at a time, in one number: which of them are the ones that are looked for. */
#ifndef BASE_EIGHT_H
#define BASE_EIGHT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Each byte 1; each byte 0x80. */
#define EIGHT_ONES UINT64_C(0x0101010101010101)
#define EIGHT_TOPS UINT64_C(0x8080808080808080)

static inline uint64_t
eight_load(const unsigned char *at)
{
    uint64_t eight;

    memcpy(&eight, at, sizeof eight);
    return eight;
}

/** A top bit where a byte is below `limit` (at most 0x80); bytes above ASCII count without their
 * top bit. */
static inline uint64_t
eight_below(uint64_t eight, unsigned char limit)
{
    return ~((eight | EIGHT_TOPS) - EIGHT_ONES * limit) & EIGHT_TOPS;
}

/** A top bit where a byte is `byte`, which is ASCII; bytes above ASCII count without their top bit.
 */
static inline uint64_t
eight_equal(uint64_t eight, char byte)
{
    return eight_below(eight ^ (EIGHT_ONES * (unsigned char)byte), 1);
}

/** A top bit for each byte that a JSON string cannot hold as it is: '"', '\\' and below blank. */
static inline uint64_t
eight_json_specials(uint64_t eight)
{
    return (eight_below(eight, 0x20) | eight_equal(eight, '"') | eight_equal(eight, '\\')) & ~eight;
}

/** How many bytes lie in front of the first with a top bit; `tops` is not 0. */
static inline size_t
eight_first(uint64_t tops)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(tops) / 8;
#else
    return (size_t)__builtin_clzll(tops) / 8;
#endif
}

#endif
