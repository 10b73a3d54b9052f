#include "script_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MAX_NAME = 200 /* of a name in a comment: bytes */ };

/** True when the byte at `i` may stand in a comment as it is. */
static bool
is_harmless(const char *name, size_t i)
{
    const unsigned char byte = (unsigned char)name[i];
    const char next = name[i + 1];

    if (byte < 0x20 || byte > 0x7E || byte == '\\')
        return false;
    return !(byte == '*' && next == '/') && !(byte == '/' && next == '*') &&
           !(byte == '$' && next == '(');
}

static void
append_harmless(struct text *out, const char *name, bool quoted)
{
    for (size_t i = 0; name[i] != '\0' && i < MAX_NAME; i++) {
        if (!is_harmless(name, i))
            text_printf(out, "\\x%02X", (unsigned)(unsigned char)name[i]);
        else if (quoted && name[i] == '\'')
            text_append(out, "''");
        else
            text_append_bytes(out, &name[i], 1);
    }
    if (strlen(name) > MAX_NAME)
        text_append(out, "...");
}

void
script_append_name(struct text *out, const char *name)
{
    append_harmless(out, name, false);
}

void
script_append_quoted_name(struct text *out, const char *name)
{
    append_harmless(out, name, true);
}

/** The first character of well-formed UTF-8 that is not empty; its bytes into `size`. */
static uint32_t
first_character(const char *utf8, size_t *size)
{
    const unsigned char first = (unsigned char)utf8[0];
    uint32_t code = first;

    *size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (*size > 1)
        code &= 0x7FU >> *size;
    for (size_t i = 1; i < *size; i++)
        code = code << 6 | ((unsigned char)utf8[i] & 0x3FU);
    return code;
}

static void
append_unit(struct text *out, uint32_t unit)
{
    text_printf(out, "%02x%02x", unit & 0xFF, unit >> 8);
}

void
script_append_utf16_hex(struct text *out, const char *utf8)
{
    text_append(out, "0x");
    for (size_t size; *utf8 != '\0'; utf8 += size) {
        uint32_t code = first_character(utf8, &size);

        if (code > 0xFFFF) {
            code -= 0x10000;
            append_unit(out, 0xD800 | code >> 10);
            code = 0xDC00 | (code & 0x3FF);
        }
        append_unit(out, code);
    }
}

void
script_append_name_value(struct text *out, const char *name)
{
    bool plain = true;

    for (size_t i = 0; name[i] != '\0'; i++)
        plain = plain && is_harmless(name, i);
    if (plain) {
        text_append(out, "N'");
        for (size_t i = 0; name[i] != '\0'; i++)
            text_append_bytes(out, name[i] == '\'' ? "''" : &name[i], name[i] == '\'' ? 2 : 1);
        text_append(out, "'");
        return;
    }
    text_append(out, "CONVERT(nvarchar(128),");
    script_append_utf16_hex(out, name);
    text_append(out, ")");
}
