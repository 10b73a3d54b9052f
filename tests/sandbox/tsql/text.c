#include "tsql/text.h"

#include <endian.h>
#include <locale.h>
#include <pthread.h>
#include <wctype.h>

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
};

#define BLOCK_SIZE ((size_t)64 * 1024)

static void
out_of_memory(void)
{
    (void)fputs("sandbox: out of memory\n", stderr);
    abort();
}

void *
xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *
xrealloc(void *old, size_t bytes)
{
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory();
    return p;
}

char *
xstrdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = xcalloc(1, n);
    memcpy(p, text, n);
    return p;
}

static struct arena_block *
block_new(size_t size)
{
    struct arena_block *b = xrealloc(NULL, sizeof *b + size); /* arena_alloc zeroes what it gives */
    b->next = NULL;
    b->used = 0;
    b->size = size;
    return b;
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
    size_t need = (bytes + 15) & ~(size_t)15;
    if (need < bytes)
        out_of_memory();
    struct arena_block *b = a->head;
    if (!b || b->size - b->used < need) {
        struct arena_block *fresh = block_new(need > BLOCK_SIZE ? need : BLOCK_SIZE);
        if (b && need > BLOCK_SIZE) { /* keep filling the current block */
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            a->head = fresh;
        }
        b = fresh;
    }
    void *p = b->data + b->used;
    b->used += need;
    memset(p, 0, need);
    return p;
}

void *
arena_copy(struct arena *a, const void *data, size_t bytes)
{
    void *p = arena_alloc(a, bytes + 1);
    if (bytes)
        memcpy(p, data, bytes);
    return p;
}

char *
arena_strdup(struct arena *a, const char *text)
{
    return arena_copy(a, text, strlen(text));
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
    char small[2048];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(small, sizeof small, format, ap);
    va_end(ap);
    if (n < 0)
        return arena_strdup(a, "");
    if ((size_t)n < sizeof small)
        return arena_copy(a, small, (size_t)n);
    char *p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, format);
    (void)vsnprintf(p, (size_t)n + 1, format, ap);
    va_end(ap);
    return p;
}

void
arena_reset(struct arena *a)
{
    struct arena_block *keep = NULL;
    for (struct arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        if (!keep && b->size == BLOCK_SIZE) {
            keep = b;
            keep->used = 0;
        } else {
            free(b);
        }
    }
    if (keep)
        keep->next = NULL;
    a->head = keep;
}

void
arena_free(struct arena *a)
{
    for (struct arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->head = NULL;
}

unsigned char *
buf_room(struct buf *b, size_t bytes)
{
    if (!b->data || b->capacity - b->length < bytes) {
        size_t capacity = b->capacity ? b->capacity : 256;
        while (capacity - b->length < bytes)
            capacity *= 2;
        b->data = xrealloc(b->data, capacity);
        b->capacity = capacity;
    }
    return b->data + b->length;
}

void
buf_put(struct buf *b, const void *data, size_t bytes)
{
    if (bytes)
        memcpy(buf_room(b, bytes), data, bytes);
    b->length += bytes;
}

void
buf_u8(struct buf *b, unsigned value)
{
    *buf_room(b, 1) = (unsigned char)value;
    b->length++;
}

void
buf_be(struct buf *b, uint64_t value, unsigned bytes)
{
    const uint64_t turned = htobe64(value << (8 * (8 - bytes)));
    memcpy(buf_room(b, 8), &turned, 8);
    b->length += bytes;
}

void
buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void
text_vformat(char *to, size_t size, const char *format, va_list arguments)
{
    if (vsnprintf(to, size, format, arguments) < 0)
        to[0] = 0;
}

void
text_format(char *to, size_t size, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    text_vformat(to, size, format, ap);
    va_end(ap);
}

static unsigned char
ascii_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool
same_name(const char *a, const char *b)
{
    while (*a && (*a == *b || ascii_lower(*a) == ascii_lower(*b))) {
        a++;
        b++;
    }
    return ascii_lower(*a) == ascii_lower(*b);
}

/* One code point from UTF-8; malformed bytes become U+FFFD, one at a time. */
static size_t
utf8_decode(const unsigned char *p, size_t left, uint32_t *code)
{
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    *code = p[0];
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || n > left) {
        *code = 0xFFFD;
        return 1;
    }
    uint32_t c = (uint32_t)(p[0] - marks[n]);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            *code = 0xFFFD;
            return 1;
        }
        c = c << 6 | (p[i] & 0x3F);
    }
    *code = c > 0x10FFFF ? 0xFFFD : c;
    return n;
}

struct units
units_from_utf8_n(struct arena *a, const char *text, size_t bytes)
{
    struct units u = {arena_alloc(a, bytes * 2 + 2), 0};
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < bytes;) {
        uint32_t c = 0;
        i += utf8_decode(p + i, bytes - i, &c);
        if (c > 0xFFFF) {
            c -= 0x10000;
            u.at[u.count++] = (uint16_t)(0xD800 + (c >> 10));
            u.at[u.count++] = (uint16_t)(0xDC00 + (c & 0x3FF));
        } else {
            u.at[u.count++] = (uint16_t)c;
        }
    }
    return u;
}

struct units
units_from_utf8(struct arena *a, const char *text)
{
    return units_from_utf8_n(a, text, strlen(text));
}

static char *
put_code(char *p, uint32_t c)
{
    if (c < 0x80) {
        *p++ = (char)c;
    } else if (c < 0x800) {
        *p++ = (char)(0xC0 | c >> 6);
        *p++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *p++ = (char)(0xE0 | c >> 12);
        *p++ = (char)(0x80 | (c >> 6 & 0x3F));
        *p++ = (char)(0x80 | (c & 0x3F));
    } else {
        *p++ = (char)(0xF0 | c >> 18);
        *p++ = (char)(0x80 | (c >> 12 & 0x3F));
        *p++ = (char)(0x80 | (c >> 6 & 0x3F));
        *p++ = (char)(0x80 | (c & 0x3F));
    }
    return p;
}

static bool
is_ascii(const uint16_t *at, size_t count)
{
    uint16_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= at[i];
    return all < 0x80;
}

char *
utf8_from_units(struct arena *a, const uint16_t *at, size_t count)
{
    bool narrow = is_ascii(at, count);
    char *text = arena_alloc(a, count * (narrow ? 1 : 3) + 1), *p = text;
    if (narrow) {
        for (size_t i = 0; i < count; i++)
            text[i] = (char)at[i];
        return text;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t c = at[i];
        if (c >= 0xD800 && c < 0xDC00 && i + 1 < count && at[i + 1] >= 0xDC00 &&
            at[i + 1] < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (at[i + 1] - 0xDC00U);
            i++;
        }
        p = put_code(p, c);
    }
    *p = 0;
    return text;
}

struct units
units_from_le(struct arena *a, const unsigned char *bytes, size_t length)
{
    struct units u = {arena_alloc(a, length + 2), length / 2};
    if (u.count)
        memcpy(u.at, bytes, u.count * 2);
    for (size_t i = 0; i < u.count && BYTE_ORDER == BIG_ENDIAN; i++)
        u.at[i] = le16toh(u.at[i]);
    return u;
}

static const uint16_t cp1252_high[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
};

/* 0x80 to 0xBF; then come the letters in their order. */
static const uint16_t cp1251_high[64] = {
    0x0402, 0x0403, 0x201A, 0x0453, 0x201E, 0x2026, 0x2020, 0x2021, 0x20AC, 0x2030, 0x0409,
    0x2039, 0x040A, 0x040C, 0x040B, 0x040F, 0x0452, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x0098, 0x2122, 0x0459, 0x203A, 0x045A, 0x045C, 0x045B, 0x045F, 0x00A0,
    0x040E, 0x045E, 0x0408, 0x00A4, 0x0490, 0x00A6, 0x00A7, 0x0401, 0x00A9, 0x0404, 0x00AB,
    0x00AC, 0x00AD, 0x00AE, 0x0407, 0x00B0, 0x00B1, 0x0406, 0x0456, 0x0491, 0x00B5, 0x00B6,
    0x00B7, 0x0451, 0x2116, 0x0454, 0x00BB, 0x0458, 0x0405, 0x0455, 0x0457,
};

uint16_t
unit_from_codepage(unsigned char byte, uint16_t codepage)
{
    if (byte < 0x80 || codepage == CODEPAGE_UTF8)
        return byte;
    if (codepage == CODEPAGE_CYRILLIC)
        return byte < 0xC0 ? cp1251_high[byte - 0x80] : (uint16_t)(0x410 + byte - 0xC0);
    return byte < 0xA0 ? cp1252_high[byte - 0x80] : byte;
}

unsigned char
byte_from_unit(uint16_t unit, uint16_t codepage)
{
    if (unit < 0x80)
        return (unsigned char)unit;
    for (unsigned byte = 0x80; byte <= 0xFF; byte++)
        if (unit_from_codepage((unsigned char)byte, codepage) == unit)
            return (unsigned char)byte;
    return '?';
}

struct units
units_from_codepage(struct arena *a, const unsigned char *bytes, size_t length, uint16_t codepage)
{
    if (codepage == CODEPAGE_UTF8)
        return units_from_utf8_n(a, (const char *)bytes, length);
    struct units u = {arena_alloc(a, length * 2 + 2), length};
    for (size_t i = 0; i < length; i++)
        u.at[i] = unit_from_codepage(bytes[i], codepage);
    return u;
}

static unsigned char *
utf8_without_halves(struct arena *a, struct units u, size_t *ret_length)
{
    struct units whole = {arena_copy(a, u.at, u.count * 2), u.count};
    for (size_t i = 0; i < whole.count; i++) {
        bool high = whole.at[i] >= 0xD800 && whole.at[i] < 0xDC00;
        if (high && i + 1 < whole.count && whole.at[i + 1] >= 0xDC00 && whole.at[i + 1] < 0xE000)
            i++;
        else if (whole.at[i] >= 0xD800 && whole.at[i] < 0xE000)
            whole.at[i] = 0xFFFD;
    }
    struct buf out = {0};
    for (size_t i = 0, start = 0; i <= whole.count; i++) { /* U+0000 is text too */
        if (i < whole.count && whole.at[i] != 0)
            continue;
        const char *text = utf8_from_units(a, whole.at + start, i - start);
        buf_put(&out, text, strlen(text));
        if (i < whole.count)
            buf_u8(&out, 0);
        start = i + 1;
    }
    *ret_length = out.length;
    unsigned char *bytes = arena_copy(a, out.data, out.length);
    buf_free(&out);
    return bytes;
}

unsigned char *
codepage_from_units(struct arena *a, struct units u, uint16_t codepage, size_t *ret_length)
{
    if (codepage == CODEPAGE_UTF8)
        return utf8_without_halves(a, u, ret_length);
    unsigned char *bytes = arena_alloc(a, u.count + 1);
    for (size_t i = 0; i < u.count; i++)
        bytes[i] = byte_from_unit(u.at[i], codepage);
    *ret_length = u.count;
    return bytes;
}

static bool
starts_with(const char *name, const char *front)
{
    while (*front && ascii_lower(*name) == ascii_lower(*front)) {
        name++;
        front++;
    }
    return !*front;
}

bool
codepage_of_collation(const char *name, uint16_t *ret)
{
    size_t n = strlen(name);
    if (starts_with(name, "SQL_Latin1_General_CP1_") || starts_with(name, "Latin1_General_"))
        *ret = CODEPAGE_DATABASE;
    else if (starts_with(name, "Cyrillic_General_"))
        *ret = CODEPAGE_CYRILLIC;
    else
        return false;
    if (n > 5 && same_name(name + n - 5, "_UTF8"))
        *ret = CODEPAGE_UTF8;
    return true;
}

static locale_t case_locale;
static pthread_once_t case_once = PTHREAD_ONCE_INIT;

static void
case_init(void)
{
    case_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static uint16_t
map_case(uint16_t unit, bool upper)
{
    if (unit < 0x80) {
        if (upper)
            return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 32) : unit;
        return unit >= 'A' && unit <= 'Z' ? (uint16_t)(unit + 32) : unit;
    }
    (void)pthread_once(&case_once, case_init);
    if (!case_locale || (unit >= 0xD800 && unit < 0xE000))
        return unit;
    wint_t c = upper ? towupper_l(unit, case_locale) : towlower_l(unit, case_locale);
    return c > 0xFFFF ? unit : (uint16_t)c;
}

uint16_t
unit_upper(uint16_t unit)
{
    return map_case(unit, true);
}

uint16_t
unit_lower(uint16_t unit)
{
    return map_case(unit, false);
}
