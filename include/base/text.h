/**
 * A growing string with a maximum, and the few transformations of text that more than one layer
 * needs. Appending never fails visibly: a text that ran out of memory or over its maximum is
 * `broken`, keeps what it had, and the caller asks once, at the end, with text_ok.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/err.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum { TEXT_DEFAULT_MAX = 64 * 1024 * 1024 };

struct text {
    char *data;  /* NUL-terminated once anything was appended; use text_string */
    size_t used; /* bytes without the NUL */
    size_t capacity;
    size_t max; /* 0 = TEXT_DEFAULT_MAX */
    bool broken;
};

/** `struct text` that frees itself at the end of its scope: TEXT_SCOPED text = {0}; */
#define TEXT_SCOPED __attribute__((cleanup(text_done))) struct text

void text_done(struct text *text);
void text_reset(struct text *text); /* empty, memory kept, no longer broken */
void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const void *bytes, size_t size);
void text_printf(struct text *text, const char *fmt, ...) ERR_FMT(2, 3);

/** The text so far, never NULL. Valid until the next append. */
const char *text_string(const struct text *text);

/** False, with `err` filled (ERR_INTERNAL), when an append was lost. */
MUST_CHECK bool text_ok(const struct text *text, struct err *err);

/** Append a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD: decide before. */
void text_append_json(struct text *text, const char *string, size_t size);

/** The same for output that people look at too: what text_append_shown escapes is escaped, in the
 * way of JSON, so that a reader of JSON gets the string as it was. */
void text_append_json_shown(struct text *text, const char *string, size_t size);

/**
 * Append for a terminal or a log: control characters (C0, DEL, C1), bidirectional overrides,
 * U+2028/2029 and bytes that are not UTF-8 appear as \xNN or \u{NNNN}; a backslash as two. Nothing
 * that a server said can then move the cursor or forge a line.
 */
void text_append_shown(struct text *text, const char *string, size_t size);

/** Append lower-case hexadecimal digits. */
void text_append_hex(struct text *text, const void *bytes, size_t size);

/** Append standard base64 (RFC 4648, padded). */
void text_append_base64(struct text *text, const void *bytes, size_t size);

/** Decode base64 into malloc'd bytes (caller frees). False when it is not strict base64. */
MUST_CHECK bool text_decode_base64(const char *string, size_t size, unsigned char **ret_bytes,
                                   size_t *ret_size);

/** Decode an even number of hexadecimal digits into `out`, which holds size / 2 bytes. */
MUST_CHECK bool text_decode_hex(const char *string, size_t size, unsigned char *out);

/**
 * Append UTF-16LE bytes as UTF-8. Returns false when they are not well-formed UTF-16 (odd length or
 * an unpaired surrogate); then U+FFFD stands for each fault.
 */
bool text_append_utf16le(struct text *text, struct slice bytes);

/** Bytes at the front that are printable ASCII but '"' and '\\'. */
size_t text_json_run(const void *bytes, size_t size);

/** Copy what stands in a JSON string as it is, and what escaped '"' and '\\' stand for, up to
 * anything else; how many of `bytes` that was. `wide`: bytes above ASCII and 0x7F are copied too.
 * `out` holds as many as `size`. */
size_t text_json_plain(const void *bytes, size_t size, bool wide, unsigned char *out,
                       size_t *ret_written);

/** True when the bytes are well-formed UTF-8 (no overlong forms, no surrogates, no byte 0). */
bool text_is_utf8(const void *bytes, size_t size);

/** Compare as ASCII without case; other bytes by value. */
bool text_equal_nocase(const char *a, const char *b);
int text_compare_nocase(const char *a, const char *b);

#endif
