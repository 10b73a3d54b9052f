/** Memory, buffers and text for the engine: everything of a batch lives in arenas. */
#ifndef SANDBOX_TSQL_TEXT_H
#define SANDBOX_TSQL_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- arena: allocations that end together; running out of memory ends the process ---- */

struct arena_block;
struct arena {
    struct arena_block *head;
};

/** Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *, size_t bytes);
void *arena_copy(struct arena *, const void *data, size_t bytes);
char *arena_strdup(struct arena *, const char *text);
char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Forget everything but keep one small block for the next round. */
void arena_reset(struct arena *);
void arena_free(struct arena *);

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *, size_t bytes);
char *xstrdup(const char *);

/* ---- byte buffer ---- */

struct buf {
    unsigned char *data;
    size_t length, capacity;
};

/** Room for so many bytes behind what there is; the caller adds to `length` what it used. */
unsigned char *buf_room(struct buf *, size_t bytes);
void buf_put(struct buf *, const void *data, size_t bytes);
void buf_u8(struct buf *, unsigned value);
void buf_be(struct buf *, uint64_t value, unsigned bytes);
void buf_free(struct buf *);

/* ---- text ---- */

/** UTF-16 code units in host order, borrowed from an arena. */
struct units {
    uint16_t *at;
    size_t count;
};

/** Bounded formatting; what does not fit is cut. */
void text_format(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void text_vformat(char *to, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/** Case-insensitive for ASCII, as names are compared. */
bool same_name(const char *a, const char *b);

/** UTF-8 to UTF-16; unpaired surrogates written in three bytes come back as they were. */
struct units units_from_utf8(struct arena *, const char *text);
struct units units_from_utf8_n(struct arena *, const char *text, size_t bytes);
/** UTF-16 to NUL-terminated UTF-8; an unpaired surrogate becomes three bytes. */
char *utf8_from_units(struct arena *, const uint16_t *at, size_t count);
struct units units_from_le(struct arena *, const unsigned char *bytes, size_t length);

enum { CODEPAGE_DATABASE = 0 /* 1252 */, CODEPAGE_CYRILLIC = 1251, CODEPAGE_UTF8 = 65001 };

/** The code page of a collation; false for a name that is none of those known here. */
bool codepage_of_collation(const char *name, uint16_t *ret);
/** Text of a code page. */
struct units units_from_codepage(struct arena *, const unsigned char *bytes, size_t length,
                                 uint16_t codepage);
/** Text in a code page; `?` for what it does not have (U+FFFD in UTF-8). */
unsigned char *codepage_from_units(struct arena *, struct units, uint16_t codepage,
                                   size_t *ret_length);
/** A character of a code page with one byte for each; of UTF-8 the byte itself. */
uint16_t unit_from_codepage(unsigned char byte, uint16_t codepage);
unsigned char byte_from_unit(uint16_t unit, uint16_t codepage);

/** Simple case mapping of one code unit. */
uint16_t unit_upper(uint16_t unit);
uint16_t unit_lower(uint16_t unit);

#endif
