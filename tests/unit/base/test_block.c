#include "base/block.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20000 };

static const char alphabet[] = "\"\\\\\\a \x1f\x7f\x80\xc3\n\0~";

static unsigned
chance(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 16;
}

/** Of its own, so that a read behind the end is caught. */
static unsigned char *
random_block(unsigned *seed)
{
    unsigned char *bytes = malloc(BLOCK_BYTES);
    const unsigned dense = chance(seed) % 8;

    assert_non_null(bytes);
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        bytes[i] = chance(seed) % 8 < dense
                       ? (unsigned char)alphabet[chance(seed) % sizeof alphabet]
                       : (unsigned char)chance(seed);
    return bytes;
}

static void
assert_bits(uint64_t bits, size_t i, bool wanted)
{
    assert_int_equal(bits >> i & 1, wanted);
}

static void
assert_block(const struct block *block, const unsigned char *bytes)
{
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        assert_bits(block->quotes, i, bytes[i] == '"');
        assert_bits(block->backslashes, i, bytes[i] == '\\');
        assert_bits(block->controls, i, bytes[i] < 0x20);
        assert_bits(block->zeros, i, bytes[i] == 0);
        assert_bits(block->deletes, i, bytes[i] == 0x7F);
        assert_bits(block->highs, i, bytes[i] > 0x7F);
    }
}

static void
each_byte_has_its_bit_in_both_ways_of_looking(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        unsigned char *bytes = random_block(&seed);
        const struct block quick = block_load(bytes);
        const struct block eights = block_load_eights(bytes);

        assert_block(&quick, bytes);
        assert_block(&eights, bytes);
        free(bytes);
    }
}

static void
each_value_of_a_byte_is_told_apart(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++)
        for (size_t place = 0; place < BLOCK_BYTES; place++) {
            unsigned char bytes[BLOCK_BYTES];

            memset(bytes, place % 2 ? 0xFF : 'a', sizeof bytes);
            bytes[place] = (unsigned char)value;
            const struct block quick = block_load(bytes);
            const struct block eights = block_load_eights(bytes);
            assert_block(&quick, bytes);
            assert_block(&eights, bytes);
        }
}

/** Byte by byte: where the block stops to be plain text with escaped '"' and '\\'. */
static size_t
plain_slowly(const unsigned char *bytes, bool narrow, uint64_t *ret_escapes, bool *ret_high)
{
    size_t at = 0;

    *ret_escapes = 0;
    *ret_high = false;
    while (at < BLOCK_BYTES) {
        if (bytes[at] < 0x20 || bytes[at] == '"' || (narrow && bytes[at] >= 0x7F))
            break;
        if (bytes[at] != '\\') {
            *ret_high = *ret_high || bytes[at] > 0x7F;
            at++;
            continue;
        }
        if (at + 1 == BLOCK_BYTES || (bytes[at + 1] != '"' && bytes[at + 1] != '\\'))
            break;
        *ret_escapes |= UINT64_C(1) << at;
        at += 2;
    }
    return at;
}

static void
a_string_is_followed_up_to_its_end_or_another_escape(void **state)
{
    unsigned seed = 7;

    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        unsigned char *bytes = random_block(&seed);

        if (round % 2) /* runs of backslashes, and few others */
            for (size_t i = 0; i < BLOCK_BYTES; i++)
                bytes[i] = (unsigned char)"\\\\\\\\\\\"a\\"[chance(&seed) % 8];
        for (int narrow = 0; narrow < 2; narrow++) {
            uint64_t escapes;
            bool high;
            const size_t plain = plain_slowly(bytes, narrow, &escapes, &high);
            const struct block_string string = block_string_load(bytes, narrow);

            assert_int_equal(string.plain, plain);
            assert_true(string.escapes == escapes);
            assert_int_equal(string.high, high);
        }
        free(bytes);
    }
}

static void
so_many_bytes_are_copied_and_at_most_fifteen_more(void **state)
{
    unsigned char from[BLOCK_BYTES + 16];

    (void)state;
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (unsigned char)i;
    for (size_t size = 0; size <= BLOCK_BYTES; size++) {
        unsigned char to[BLOCK_BYTES + 17];

        memset(to, 0xEE, sizeof to);
        block_copy(to, from, size);
        assert_memory_equal(to, from, size);
        for (size_t i = size < 1 ? 16 : size + 15; i < sizeof to; i++)
            assert_int_equal(to[i], 0xEE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_has_its_bit_in_both_ways_of_looking),
        cmocka_unit_test(each_value_of_a_byte_is_told_apart),
        cmocka_unit_test(a_string_is_followed_up_to_its_end_or_another_escape),
        cmocka_unit_test(so_many_bytes_are_copied_and_at_most_fifteen_more),
    };

    return cmocka_run_group_tests_name("base/block", tests, NULL, NULL);
}
