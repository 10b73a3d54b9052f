/**
 * Reading bytes that a stranger sent, and writing bytes that grow. A reader never reads past its
 * end: it fails once, stays failed and answers zeros from then on. A buffer has a maximum and fails
 * the same way. So code that reads or writes many fields asks once, at the end.
 */
#ifndef SANDBOX_TDS_BYTES_H
#define SANDBOX_TDS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tds_reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

struct tds_reader tds_reader_of(const void *bytes, size_t length);
/** The next `count` bytes, or NULL when there are fewer. */
const unsigned char *tds_take(struct tds_reader *reader, size_t count);
uint8_t tds_u8(struct tds_reader *reader);
uint16_t tds_u16(struct tds_reader *reader);
uint16_t tds_u16_big(struct tds_reader *reader);
uint32_t tds_u32(struct tds_reader *reader);
uint64_t tds_u64(struct tds_reader *reader);
/** Unsigned, little-endian, of 1 to 8 bytes. */
uint64_t tds_unsigned(struct tds_reader *reader, size_t width);

struct tds_buffer {
    unsigned char *bytes;
    size_t length, capacity, max;
    bool failed;
};

void tds_buffer_init(struct tds_buffer *buffer, size_t max);
void tds_buffer_free(struct tds_buffer *buffer);
void tds_put(struct tds_buffer *buffer, const void *bytes, size_t count);
void tds_put_u8(struct tds_buffer *buffer, unsigned value);
void tds_put_u16(struct tds_buffer *buffer, unsigned value);
void tds_put_u16_big(struct tds_buffer *buffer, unsigned value);
void tds_put_u32(struct tds_buffer *buffer, uint32_t value);
void tds_put_u32_big(struct tds_buffer *buffer, uint32_t value);
void tds_put_u64(struct tds_buffer *buffer, uint64_t value);
void tds_put_unsigned(struct tds_buffer *buffer, uint64_t value, size_t width);
/** Write a u16 over two bytes that were put before. */
void tds_patch_u16(struct tds_buffer *buffer, size_t at, size_t value);
/** Forget the first `count` bytes. */
void tds_buffer_drop(struct tds_buffer *buffer, size_t count);

#endif
