/** UTF-16LE as TDS carries it, to and from UTF-8. Broken input becomes U+FFFD, never an error. */
#ifndef SANDBOX_TDS_TEXT_H
#define SANDBOX_TDS_TEXT_H

#include "tds/arena.h"
#include "tds/bytes.h"

#include <stddef.h>
#include <stdint.h>

/** NUL-terminated UTF-8 in `ret`; what does not fit is left out at a character's border. Returns
 * its length. */
size_t tds_utf8_from_utf16le(const unsigned char *utf16le, size_t units, char *ret,
                             size_t ret_size);

/** The same, malloc'd; NULL when memory is short. */
char *tds_utf8_new(const unsigned char *utf16le, size_t units);

/** Put UTF-8 as UTF-16LE, at most `max_units` units; returns the units put. */
size_t tds_put_utf16(struct tds_buffer *buffer, const char *utf8, size_t max_units);
/** Length in a u8 of units, then the text. */
void tds_put_b_varchar(struct tds_buffer *buffer, const char *utf8);
/** Length in a u16 of units, then the text. */
void tds_put_us_varchar(struct tds_buffer *buffer, const char *utf8);

/** Bytes of code page 1252 as UTF-16LE; NULL when the arena is full. */
unsigned char *tds_utf16le_from_cp1252(struct tds_arena *arena, const unsigned char *bytes,
                                       size_t length);

#endif
