#include "tds/bytes.h"

#include <stdlib.h>
#include <string.h>

struct tds_reader
tds_reader_of(const void *bytes, size_t length)
{
    return (struct tds_reader){.at = bytes, .left = length};
}

const unsigned char *
tds_take(struct tds_reader *reader, size_t count)
{
    if (reader->failed || count > reader->left) {
        reader->failed = true;
        return NULL;
    }
    const unsigned char *taken = reader->at;
    if (count > 0) {
        reader->at += count;
        reader->left -= count;
    }
    return taken;
}

uint64_t
tds_unsigned(struct tds_reader *reader, size_t width)
{
    const unsigned char *bytes = tds_take(reader, width);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < width; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint8_t
tds_u8(struct tds_reader *reader)
{
    return (uint8_t)tds_unsigned(reader, 1);
}

uint16_t
tds_u16(struct tds_reader *reader)
{
    return (uint16_t)tds_unsigned(reader, 2);
}

uint16_t
tds_u16_big(struct tds_reader *reader)
{
    uint16_t value = tds_u16(reader);
    return (uint16_t)((value >> 8) | (value << 8));
}

uint32_t
tds_u32(struct tds_reader *reader)
{
    return (uint32_t)tds_unsigned(reader, 4);
}

uint64_t
tds_u64(struct tds_reader *reader)
{
    return tds_unsigned(reader, 8);
}

void
tds_buffer_init(struct tds_buffer *buffer, size_t max)
{
    *buffer = (struct tds_buffer){.max = max};
}

void
tds_buffer_free(struct tds_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct tds_buffer){.max = buffer->max};
}

static bool
make_room(struct tds_buffer *buffer, size_t count)
{
    if (buffer->failed || count > buffer->max - buffer->length) {
        buffer->failed = true;
        return false;
    }
    size_t needed = buffer->length + count;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
    while (capacity < needed)
        capacity = capacity > buffer->max / 2 ? buffer->max : capacity * 2;
    unsigned char *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

void
tds_put(struct tds_buffer *buffer, const void *bytes, size_t count)
{
    if (count == 0 || !make_room(buffer, count))
        return;
    memcpy(buffer->bytes + buffer->length, bytes, count);
    buffer->length += count;
}

void
tds_put_unsigned(struct tds_buffer *buffer, uint64_t value, size_t width)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    tds_put(buffer, bytes, width);
}

void
tds_put_u8(struct tds_buffer *buffer, unsigned value)
{
    tds_put_unsigned(buffer, value, 1);
}

void
tds_put_u16(struct tds_buffer *buffer, unsigned value)
{
    tds_put_unsigned(buffer, value, 2);
}

void
tds_put_u16_big(struct tds_buffer *buffer, unsigned value)
{
    tds_put_u8(buffer, (value >> 8) & 0xFF);
    tds_put_u8(buffer, value & 0xFF);
}

void
tds_put_u32(struct tds_buffer *buffer, uint32_t value)
{
    tds_put_unsigned(buffer, value, 4);
}

void
tds_put_u32_big(struct tds_buffer *buffer, uint32_t value)
{
    tds_put_u16_big(buffer, value >> 16);
    tds_put_u16_big(buffer, value & 0xFFFF);
}

void
tds_put_u64(struct tds_buffer *buffer, uint64_t value)
{
    tds_put_unsigned(buffer, value, 8);
}

void
tds_patch_u16(struct tds_buffer *buffer, size_t at, size_t value)
{
    if (buffer->failed || value > UINT16_MAX || buffer->length < 2 || at > buffer->length - 2) {
        buffer->failed = true;
        return;
    }
    buffer->bytes[at] = (unsigned char)(value & 0xFF);
    buffer->bytes[at + 1] = (unsigned char)(value >> 8);
}

void
tds_buffer_drop(struct tds_buffer *buffer, size_t count)
{
    if (count == 0 || count > buffer->length)
        return;
    memmove(buffer->bytes, buffer->bytes + count, buffer->length - count);
    buffer->length -= count;
}
