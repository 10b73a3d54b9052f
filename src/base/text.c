#include "base/text.h"

#include "base/block.h"
#include "base/eight.h"
#include "text_room.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
text_done(struct text *text)
{
    free(text->data);
    *text = (struct text){.max = text->max};
}

void
text_reset(struct text *text)
{
    text->used = 0;
    text->broken = false;
    if (text->data)
        text->data[0] = '\0';
}

bool
text_room(struct text *text, size_t size)
{
    const size_t max = text->max ? text->max : TEXT_DEFAULT_MAX;
    size_t capacity = text->capacity ? text->capacity : 256;
    char *data;

    if (text->broken || size > max || text->used > max - size) {
        text->broken = true;
        return false;
    }
    if (text->used + size < text->capacity)
        return true;
    while (capacity <= text->used + size)
        capacity *= 2;
    data = realloc(text->data, capacity);
    if (!data) {
        text->broken = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void
text_append_bytes(struct text *text, const void *bytes, size_t size)
{
    if (!text_room(text, size))
        return;
    if (size)
        memcpy(text->data + text->used, bytes, size);
    text->used += size;
    text->data[text->used] = '\0';
}

void
text_append(struct text *text, const char *string)
{
    text_append_bytes(text, string, strlen(string));
}

void
text_printf(struct text *text, const char *fmt, ...)
{
    va_list ap;
    int size;

    va_start(ap, fmt);
    size = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (size < 0 || !text_room(text, (size_t)size)) {
        text->broken = true;
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text->data + text->used, (size_t)size + 1, fmt, ap);
    va_end(ap);
    text->used += (size_t)size;
}

const char *
text_string(const struct text *text)
{
    return text->data ? text->data : "";
}

bool
text_ok(const struct text *text, struct err *err)
{
    if (!text->broken)
        return true;
    return err_set(err, ERR_INTERNAL, "a text grew over %zu bytes or memory ran out",
                   text->max ? text->max : (size_t)TEXT_DEFAULT_MAX);
}

/* ---- UTF-8 ---- */

/** Length of the well-formed UTF-8 sequence at `at` (1-4), its code point in `ret`; 0 when there is
 * none. */
static size_t
utf8_decode(const unsigned char *at, size_t left, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size;
    uint32_t code;

    if (left == 0)
        return 0;
    if (at[0] < 0x80) {
        *ret = at[0];
        return 1;
    }
    size = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || left < size)
        return 0;
    code = at[0] & (0x7FU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3FU);
    }
    if (code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret = code;
    return size;
}

static void
utf8_append(struct text *text, uint32_t code)
{
    unsigned char out[4];
    size_t size;

    if (code < 0x80) {
        out[0] = (unsigned char)code;
        size = 1;
    } else if (code < 0x800) {
        out[0] = (unsigned char)(0xC0 | code >> 6);
        size = 2;
    } else if (code < 0x10000) {
        out[0] = (unsigned char)(0xE0 | code >> 12);
        size = 3;
    } else {
        out[0] = (unsigned char)(0xF0 | code >> 18);
        size = 4;
    }
    for (size_t i = 1; i < size; i++)
        out[i] = (unsigned char)(0x80 | (code >> (6 * (size - 1 - i)) & 0x3F));
    text_append_bytes(text, out, size);
}

/* ---- eight bytes at a time ---- */

/** A top bit for each byte that is not printable ASCII, or is '"' or '\\'. */
static inline uint64_t
not_plain(uint64_t eight)
{
    return eight_json_specials(eight) | eight_equal(eight, 0x7F) | (eight & EIGHT_TOPS);
}

/** The last bytes of a text, with characters behind them that are nothing special. */
static uint64_t
load_rest(const unsigned char *at, size_t size)
{
    unsigned char eight[8];

    memset(eight, ' ', sizeof eight);
    memcpy(eight, at, size);
    return eight_load(eight);
}

size_t
text_json_run(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t run = 0;
    uint64_t tops = 0;

    for (; size - run >= 8; run += 8) {
        tops = not_plain(eight_load(at + run));
        if (tops)
            return run + eight_first(tops);
    }
    tops = size > run ? not_plain(load_rest(at + run, size - run)) : 0;
    return tops ? run + eight_first(tops) : size;
}

/** Copy what there is of a block but the backslashes that escape; returns where that ends. Reads
 * and writes up to 15 bytes more. */
static unsigned char *
copy_unescaped(const unsigned char *at, const struct block_string *block, unsigned char *to)
{
    size_t from = 0;

    for (uint64_t left = block->escapes; left; left &= left - 1) {
        const size_t escape = (size_t)__builtin_ctzll(left);

        block_copy(to, at + from, escape - from);
        to += escape - from;
        from = escape + 1;
    }
    block_copy(to, at + from, block->plain - from);
    return to + (block->plain - from);
}

/** The blocks of text_json_plain: as long as one begins with what it takes. */
static size_t
take_blocks(const unsigned char *at, size_t size, bool wide, unsigned char **out)
{
    size_t done = 0;

    while (size - done >= BLOCK_BYTES + 16) {
        const struct block_string block = block_string_load(at + done, !wide);

        *out = copy_unescaped(at + done, &block, *out);
        done += block.plain;
        /* nothing but an escape that reaches beyond its block can go on */
        if (block.plain == 0 || (block.plain < BLOCK_BYTES && at[done] != '\\'))
            break;
    }
    return done;
}

enum { SHORT_BYTES = 32 };

/** The same eight bytes at a time, up to the last ones; `*ret_stopped`: something stopped it. */
static size_t
take_eights(const unsigned char *at, size_t size, bool wide, unsigned char **out, bool *ret_stopped)
{
    unsigned char *to = *out;
    size_t done = 0;

    *ret_stopped = false;
    while (size - done > 8 && !*ret_stopped) {
        const uint64_t eight = eight_load(at + done);
        const uint64_t tops = wide ? eight_json_specials(eight) : not_plain(eight);
        const size_t run = tops ? eight_first(tops) : 8;

        memcpy(to, &eight, sizeof eight);
        to += run;
        done += run;
        if (!tops)
            continue;
        *ret_stopped = at[done] != '\\' || (at[done + 1] != '"' && at[done + 1] != '\\');
        if (!*ret_stopped) {
            *to++ = at[done + 1];
            done += 2;
        }
    }
    *out = to;
    return done;
}

size_t
text_json_plain(const void *bytes, size_t size, bool wide, unsigned char *out, size_t *ret_written)
{
    const unsigned char *at = bytes;
    unsigned char *to = out;
    bool stopped;
    /* most strings are short: a block would be looked at for their few bytes */
    size_t done = take_eights(at, size < SHORT_BYTES ? size : SHORT_BYTES, wide, &to, &stopped);

    if (!stopped) {
        done += take_blocks(at + done, size - done, wide, &to);
        done += take_eights(at + done, size - done, wide, &to, &stopped);
    }
    for (; !stopped && done < size && at[done] >= 0x20 && (wide || at[done] < 0x7F);
         *to++ = at[done++])
        if (at[done] == '"' || at[done] == '\\')
            break;
    *ret_written = (size_t)(to - out);
    return done;
}

/** Bytes of ASCII at the front that are not 0. */
static size_t
ascii_run(const unsigned char *at, size_t size)
{
    size_t run = 0;

    for (; size - run >= BLOCK_BYTES; run += BLOCK_BYTES) {
        const struct block block = block_load(at + run);

        if (block.highs | block.zeros)
            return run + block_before(block.highs | block.zeros);
    }
    for (; size - run >= 8; run += 8) {
        const uint64_t eight = eight_load(at + run);

        if ((eight & EIGHT_TOPS) || eight_below(eight, 1))
            break;
    }
    while (run < size && at[run] != 0 && at[run] < 0x80)
        run++;
    return run;
}

/** Well-formed characters above ASCII at the front; SIZE_MAX when one of them is none. */
static size_t
wide_run(const unsigned char *at, size_t size)
{
    size_t run = 0;
    uint32_t code;

    while (run < size && at[run] >= 0x80) {
        const size_t step = utf8_decode(at + run, size - run, &code);

        if (step == 0)
            return SIZE_MAX;
        run += step;
    }
    return run;
}

bool
text_is_utf8(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t done = ascii_run(at, size);

    while (done < size) {
        const size_t wide = wide_run(at + done, size - done);

        if (wide == 0 || wide == SIZE_MAX)
            return false;
        done += wide;
        done += ascii_run(at + done, size - done);
    }
    return true;
}

/** Code points that could move the cursor, reorder the line or hide in it. */
static bool
shown_escaped(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || code >= 0xE0000;
}

static void
json_escape(struct text *text, uint32_t code)
{
    switch (code) {
    case '"':
        text_append_bytes(text, "\\\"", 2);
        break;
    case '\\':
        text_append_bytes(text, "\\\\", 2);
        break;
    case '\n':
        text_append_bytes(text, "\\n", 2);
        break;
    default:
        if (code > 0xFFFF)
            text_printf(text, "\\u%04x", (unsigned)(0xD7C0 + (code >> 10)));
        text_printf(text, "\\u%04x", (unsigned)(code > 0xFFFF ? 0xDC00 + (code & 0x3FF) : code));
    }
}

/** Bytes that are written in one go, as long as there is room for twice as many. */
enum { PIECE_BYTES = 4096, ESCAPE_SLACK = 16 };

/** Room for `size` more bytes without failing when there is none: `max` counts what is written. */
static bool
has_room(struct text *text, size_t size)
{
    const size_t max = text->max ? text->max : TEXT_DEFAULT_MAX;

    return !text->broken && size <= max && text->used <= max - size && text_room(text, size);
}

/** Copy so many bytes of a block, '"' and '\\' with a backslash in front; returns where that ends.
 * Reads and writes up to 15 bytes more. */
static char *
copy_escaped(const unsigned char *at, size_t size, uint64_t specials, char *to)
{
    size_t from = 0;

    for (uint64_t left = specials & block_front(size); left; left &= left - 1) {
        const size_t special = (size_t)__builtin_ctzll(left);

        block_copy((unsigned char *)to, at + from, special - from);
        to += special - from;
        *to++ = '\\';
        from = special;
    }
    block_copy((unsigned char *)to, at + from, size - from);
    return to + (size - from);
}

/** The blocks of escape_plain: as long as one begins with what it takes. */
static size_t
escape_blocks(const unsigned char *at, size_t size, bool wide, char **out)
{
    size_t done = 0;

    while (size - done >= BLOCK_BYTES + 16) {
        const struct block block = block_load(at + done);
        const size_t plain =
            block_before(block.controls | block.deletes | (wide ? 0 : block.highs));

        if (plain == 0)
            break;
        *out = copy_escaped(at + done, plain, block.quotes | block.backslashes, *out);
        done += plain;
    }
    return done;
}

/** A top bit for each byte that a JSON string of ours does not hold as it is; `wide`: bytes above
 * ASCII are held. */
static inline uint64_t
not_held(uint64_t eight, bool wide)
{
    return wide ? eight_json_specials(eight) | (eight_equal(eight, 0x7F) & ~eight)
                : not_plain(eight);
}

/** Write printable ASCII, '"' and '\\' with a backslash in front, and bytes above ASCII if `wide`;
 * how many bytes of `at` that was. `out` holds twice as many and ESCAPE_SLACK more. */
static size_t
escape_plain(const unsigned char *at, size_t size, bool wide, char **out)
{
    char *to = *out;
    size_t done = escape_blocks(at, size, wide, &to);

    while (size - done >= 8) {
        const uint64_t eight = eight_load(at + done);
        const uint64_t tops = not_held(eight, wide);
        const size_t run = tops ? eight_first(tops) : 8;

        memcpy(to, &eight, sizeof eight);
        to += run;
        done += run;
        if (!tops)
            continue;
        if (at[done] != '"' && at[done] != '\\')
            break;
        *to++ = '\\';
        *to++ = (char)at[done++];
    }
    for (; done < size && at[done] >= 0x20 && at[done] != 0x7F && (wide || at[done] < 0x80);
         done++) {
        if (at[done] == '"' || at[done] == '\\')
            *to++ = '\\';
        *to++ = (char)at[done];
    }
    *out = to;
    return done;
}

/** Of what lies there, if that is UTF-8: as many bytes as fit into a piece, in whole characters. */
static size_t
piece_of(const unsigned char *at, size_t size)
{
    size_t piece = PIECE_BYTES;

    if (size <= PIECE_BYTES)
        return size;
    while (piece > PIECE_BYTES - 4 && (at[piece] & 0xC0) == 0x80)
        piece--;
    return piece;
}

/** What of a piece needs no look at single characters; how many bytes of `at` that was. */
static size_t
append_json_piece(struct text *text, const unsigned char *at, size_t size, bool wide)
{
    const size_t piece = piece_of(at, size);
    size_t done;
    char *out;

    if (!has_room(text, 2 * piece + ESCAPE_SLACK))
        return 0;
    out = text->data + text->used;
    done = escape_plain(at, piece, wide, &out);
    *out = '\0';
    text->used = (size_t)(out - text->data);
    return done;
}

/** One character, escaped where it must be; how many bytes of `at` it was. */
static size_t
append_json_one(struct text *text, const unsigned char *at, size_t size, bool shown)
{
    uint32_t code = 0xFFFD;
    const size_t step = utf8_decode(at, size, &code);

    if (step == 0)
        utf8_append(text, 0xFFFD);
    else if (code < 0x20 || code == '"' || code == '\\' || code == 0x7F ||
             (shown && shown_escaped(code)))
        json_escape(text, code);
    else
        text_append_bytes(text, at, step);
    return step ? step : 1;
}

/** Most strings are short, and nothing but ASCII: then nothing is looked at twice. */
static bool
append_json_short(struct text *text, const unsigned char *at, size_t size)
{
    char *out;

    if (size > PIECE_BYTES || !has_room(text, 2 * size + 2 + ESCAPE_SLACK))
        return false;
    out = text->data + text->used;
    *out++ = '"';
    if (escape_plain(at, size, false, &out) < size) {
        text->data[text->used] = '\0';
        return false;
    }
    *out++ = '"';
    *out = '\0';
    text->used = (size_t)(out - text->data);
    return true;
}

/** `shown`: what could play tricks where it is looked at is escaped too. */
static void
append_json(struct text *text, const char *string, size_t size, bool shown)
{
    const unsigned char *at = (const unsigned char *)string;
    bool wide = false;
    bool looked = shown;

    if (append_json_short(text, at, size))
        return;
    text_append_bytes(text, "\"", 1);
    while (size) {
        size_t step = append_json_piece(text, at, size, wide);

        if (step == 0 && !looked) {
            looked = true;
            wide = text_is_utf8(at, size);
            step = append_json_piece(text, at, size, wide);
        }
        if (step == 0)
            step = append_json_one(text, at, size, shown);
        at += step;
        size -= step;
    }
    text_append_bytes(text, "\"", 1);
}

void
text_append_json(struct text *text, const char *string, size_t size)
{
    append_json(text, string, size, false);
}

void
text_append_json_shown(struct text *text, const char *string, size_t size)
{
    append_json(text, string, size, true);
}

void
text_append_shown(struct text *text, const char *string, size_t size)
{
    const unsigned char *at = (const unsigned char *)string;

    while (size) {
        uint32_t code = 0;
        size_t step = utf8_decode(at, size, &code);

        if (step == 0)
            text_printf(text, "\\x%02x", at[0]);
        else if (code == '\\')
            text_append(text, "\\\\");
        else if (!shown_escaped(code))
            text_append_bytes(text, at, step);
        else if (code < 0x80)
            text_printf(text, "\\x%02x", (unsigned)code);
        else
            text_printf(text, "\\u{%04x}", (unsigned)code);
        step = step ? step : 1;
        at += step;
        size -= step;
    }
}

/** Append what is ASCII up to the first unit that is not; returns how many bytes of UTF-16 it was.
 */
static size_t
append_ascii_units(struct text *text, struct slice bytes)
{
    size_t units = 0;

    while (2 * units + 1 < bytes.size && bytes.data[2 * units] < 0x80 &&
           bytes.data[2 * units + 1] == 0)
        units++;
    if (units == 0 || !text_room(text, units))
        return 0;
    for (size_t i = 0; i < units; i++)
        text->data[text->used++] = (char)bytes.data[2 * i];
    text->data[text->used] = '\0';
    return 2 * units;
}

bool
text_append_utf16le(struct text *text, struct slice bytes)
{
    bool well_formed = bytes.size % 2 == 0;

    for (size_t i = append_ascii_units(text, bytes); i + 1 < bytes.size; i += 2) {
        uint32_t code = (uint32_t)bytes.data[i] | (uint32_t)bytes.data[i + 1] << 8;

        if (code >= 0xD800 && code <= 0xDBFF && i + 3 < bytes.size) {
            const uint32_t low = (uint32_t)bytes.data[i + 2] | (uint32_t)bytes.data[i + 3] << 8;

            if (low >= 0xDC00 && low <= 0xDFFF) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        if (code >= 0xD800 && code <= 0xDFFF) {
            well_formed = false;
            code = 0xFFFD;
        }
        utf8_append(text, code);
    }
    if (bytes.size % 2)
        utf8_append(text, 0xFFFD);
    return well_formed;
}

/* ---- comparison ---- */

static int
ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : (unsigned char)c;
}

int
text_compare_nocase(const char *a, const char *b)
{
    while (*a && ascii_upper(*a) == ascii_upper(*b)) {
        a++;
        b++;
    }
    return ascii_upper(*a) - ascii_upper(*b);
}

bool
text_equal_nocase(const char *a, const char *b)
{
    return text_compare_nocase(a, b) == 0;
}
