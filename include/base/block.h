/** A block of 64 bytes: a bit for each byte, the first byte's the lowest. What is true of a byte is
 * then found without a branch for each, wherever it stands. SSE2 is part of every x86-64. */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include "base/eight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK_BYTES = 64 };

/* In place, so that the masks that a caller does not look at are not made. */
#define BLOCK_INLINE static inline __attribute__((always_inline))

struct block {
    uint64_t quotes, backslashes;
    uint64_t controls; /* below blank */
    uint64_t zeros;    /* they are controls too */
    uint64_t deletes;  /* 0x7F */
    uint64_t highs;    /* above ASCII */
};

/** Gather top bits: the first byte's becomes the lowest. */
static inline uint64_t
block_gather(uint64_t tops)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    tops = __builtin_bswap64(tops);
#endif
    return (tops >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/** The n-th eighth of a block. */
static inline void
block_add_eighth(struct block *block, uint64_t eight, unsigned n)
{
    const uint64_t ascii = ~eight & EIGHT_TOPS;
    const unsigned at = 8 * n;

    block->quotes |= block_gather(eight_equal(eight, '"') & ascii) << at;
    block->backslashes |= block_gather(eight_equal(eight, '\\') & ascii) << at;
    block->controls |= block_gather(eight_below(eight, 0x20) & ascii) << at;
    block->zeros |= block_gather(eight_below(eight, 1) & ascii) << at;
    block->deletes |= block_gather(eight_equal(eight, 0x7F) & ascii) << at;
    block->highs |= block_gather(eight & EIGHT_TOPS) << at;
}

/** What block_load does, on any processor. */
static inline struct block
block_load_eights(const unsigned char *at)
{
    struct block block = {0};

    for (unsigned n = 0; n < 8; n++)
        block_add_eighth(&block, eight_load(at + (size_t)8 * n), n);
    return block;
}

#ifdef __SSE2__

/** A bit for each byte of four quarters whose top bit is set. */
static inline uint64_t
block_bits(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(a) |
           (uint64_t)(unsigned)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(unsigned)_mm_movemask_epi8(c) << 32 |
           (uint64_t)(unsigned)_mm_movemask_epi8(d) << 48;
}

static inline uint64_t
block_equal(const __m128i quarters[4], char byte)
{
    const __m128i bytes = _mm_set1_epi8(byte);

    return block_bits(_mm_cmpeq_epi8(quarters[0], bytes), _mm_cmpeq_epi8(quarters[1], bytes),
                      _mm_cmpeq_epi8(quarters[2], bytes), _mm_cmpeq_epi8(quarters[3], bytes));
}

/** Bytes up to this one. */
static inline uint64_t
block_up_to(const __m128i quarters[4], char byte)
{
    const __m128i bytes = _mm_set1_epi8(byte);

    return block_bits(_mm_cmpeq_epi8(_mm_min_epu8(quarters[0], bytes), quarters[0]),
                      _mm_cmpeq_epi8(_mm_min_epu8(quarters[1], bytes), quarters[1]),
                      _mm_cmpeq_epi8(_mm_min_epu8(quarters[2], bytes), quarters[2]),
                      _mm_cmpeq_epi8(_mm_min_epu8(quarters[3], bytes), quarters[3]));
}

BLOCK_INLINE struct block
block_load(const unsigned char *at)
{
    const __m128i quarters[4] = {
        _mm_loadu_si128((const void *)at), _mm_loadu_si128((const void *)(at + 16)),
        _mm_loadu_si128((const void *)(at + 32)), _mm_loadu_si128((const void *)(at + 48))};

    return (struct block){
        .quotes = block_equal(quarters, '"'),
        .backslashes = block_equal(quarters, '\\'),
        .controls = block_up_to(quarters, 0x1F),
        .zeros = block_equal(quarters, 0),
        .deletes = block_equal(quarters, 0x7F),
        .highs = block_bits(quarters[0], quarters[1], quarters[2], quarters[3]),
    };
}

#else

static inline struct block
block_load(const unsigned char *at)
{
    return block_load_eights(at);
}

#endif

/** How many bytes lie in front of the first that has a bit; all of them, when none has. */
static inline size_t
block_before(uint64_t bits)
{
    return bits ? (size_t)__builtin_ctzll(bits) : BLOCK_BYTES;
}

/** The bits of so many bytes at the front. */
static inline uint64_t
block_front(size_t bytes)
{
    return bytes < BLOCK_BYTES ? (UINT64_C(1) << bytes) - 1 : UINT64_MAX;
}

/** The bytes that a backslash escapes, where no backslash in front of the block escapes its first:
 * of a run of backslashes each second one, and what follows a run of odd length. A sum carries
 * through a run, and tells by the parity of its end where it began. */
static inline uint64_t
block_escaped(uint64_t backslashes)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    const uint64_t follow = backslashes << 1;
    const uint64_t odd_starts = backslashes & ~even & ~follow;
    const uint64_t sums = odd_starts + backslashes;

    return (even ^ sums << 1) & follow;
}

/** A block inside a JSON string, which does not begin behind a backslash that escapes. */
struct block_string {
    size_t plain;     /* bytes at the front that stand as they are, and whole escapes of '"' and
                         '\\'; what stops there is the end, a control, another escape, or an escape
                         that reaches beyond the block */
    uint64_t escapes; /* among those: the backslashes that escape */
    bool high;        /* among those: bytes above ASCII */
};

/** `narrow`: bytes above ASCII, and 0x7F, stop it too. */
BLOCK_INLINE struct block_string
block_string_load(const unsigned char *at, bool narrow)
{
    const struct block block = block_load(at);
    const uint64_t escaped = block_escaped(block.backslashes);
    const uint64_t escapes = block.backslashes & ~escaped;
    const uint64_t others = escaped & ~(block.quotes | block.backslashes);
    const uint64_t stops = (block.quotes & ~escaped) | block.controls | others >> 1 |
                           (escapes & UINT64_C(1) << (BLOCK_BYTES - 1)) |
                           (narrow ? block.deletes | block.highs : 0);
    const size_t plain = block_before(stops);
    const uint64_t front = block_front(plain);

    return (struct block_string){
        .plain = plain, .escapes = escapes & front, .high = (block.highs & front) != 0};
}

/** Copy so many bytes of a block, or less. Reads and writes 16 at a time: up to 15 more. */
static inline void
block_copy(unsigned char *to, const unsigned char *from, size_t size)
{
    memcpy(to, from, 16);
    for (size_t done = 16; done < size; done += 16)
        memcpy(to + done, from + done, 16);
}

#endif
