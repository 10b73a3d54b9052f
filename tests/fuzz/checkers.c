#include "checkers.h"

#include "base/text.h"

#include <string.h>

enum { DEPTH_MAX = 200, NAME_MAX_BYTES = 40 };

/** What is left to read. */
struct cursor {
    const char *at, *end;
};

static bool
left(const struct cursor *c)
{
    return c->at < c->end;
}

static bool
take(struct cursor *c, const char *what)
{
    const size_t size = strlen(what);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, what, size) != 0)
        return false;
    c->at += size;
    return true;
}

static size_t
take_all(struct cursor *c, const char *set)
{
    const char *start = c->at;
    while (left(c) && *c->at && strchr(set, *c->at))
        c->at++;
    return (size_t)(c->at - start);
}

/* ---- JSON */

static const char digits[] = "0123456789";
static const char blanks[] = " \t\r\n";

static bool
json_escape(struct cursor *c)
{
    if (!left(c) || !strchr("\"\\/bfnrtu", *c->at))
        return false;
    if (*c->at++ != 'u')
        return true;
    for (int i = 0; i < 4; i++, c->at++)
        if (!left(c) || !*c->at || !strchr("0123456789abcdefABCDEF", *c->at))
            return false;
    return true;
}

/** And the blanks behind it. */
static bool
json_string(struct cursor *c)
{
    if (!take(c, "\""))
        return false;
    while (left(c) && *c->at != '"') {
        const unsigned char byte = (unsigned char)*c->at++;
        if (byte < 0x20 || (byte == '\\' && !json_escape(c)))
            return false;
    }
    const bool ended = take(c, "\"");
    (void)take_all(c, blanks);
    return ended;
}

static bool
json_number(struct cursor *c)
{
    (void)take(c, "-");
    if (!take(c, "0") && take_all(c, digits) == 0)
        return false;
    if (take(c, ".") && take_all(c, digits) == 0)
        return false;
    if (take(c, "e") || take(c, "E")) {
        (void)(take(c, "+") || take(c, "-"));
        return take_all(c, digits) > 0;
    }
    return true;
}

static bool json_value(struct cursor *c, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static bool
json_list(struct cursor *c, const char *close, bool named, int depth)
{
    (void)take_all(c, blanks);
    if (take(c, close))
        return true;
    do {
        (void)take_all(c, blanks);
        if (named && (!json_string(c) || !take(c, ":")))
            return false;
        if (!json_value(c, depth + 1))
            return false;
        (void)take_all(c, blanks);
    } while (take(c, ","));
    return take(c, close);
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static bool
json_value(struct cursor *c, int depth)
{
    (void)take_all(c, blanks);
    if (!left(c) || depth > DEPTH_MAX)
        return false;
    if (take(c, "{"))
        return json_list(c, "}", true, depth);
    if (take(c, "["))
        return json_list(c, "]", false, depth);
    if (*c->at == '"')
        return json_string(c);
    return take(c, "true") || take(c, "false") || take(c, "null") || json_number(c);
}

bool
check_json(const char *text, size_t size)
{
    struct cursor c = {text, text + size};
    return text_is_utf8(text, size) && json_value(&c, 0) && take(&c, "\n") && !left(&c);
}

bool
check_ndjson(const char *text, size_t size)
{
    for (const char *at = text; at < text + size;) {
        const char *end = memchr(at, '\n', (size_t)(text + size - at));
        if (!end || !check_json(at, (size_t)(end - at) + 1))
            return false;
        for (; at < end; at++)
            if ((unsigned char)*at > 0x7E)
                return false;
        at = end + 1;
    }
    return true;
}

/* ---- CSV */

/** Wide forms of = + - @ too. */
static bool
begins_formula(const char *at, const char *end)
{
    static const char *const starts[] = {
        "=", "+", "-", "@", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if ((size_t)(end - at) >= strlen(starts[i]) &&
            memcmp(at, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/** From where a cell begins, for a reader who takes ',' or ';' for the end of one. */
static bool
cell_is_safe(const char *at, const char *end)
{
    while (at < end && (*at == '"' || *at == ' '))
        at++;
    return !begins_formula(at, end);
}

/** The text of a cell, up to what ends it. */
static bool
csv_characters(struct cursor *c, bool quoted)
{
    bool begins = true; /* also behind what other locales take for the end of a cell */
    while (left(c)) {
        if (quoted && take(c, "\"\""))
            continue;
        if (quoted ? *c->at == '"' : strchr(",\r", *c->at) != NULL)
            return true;
        if ((unsigned char)*c->at < 0x20 || (!quoted && *c->at == '"') ||
            (begins && !cell_is_safe(c->at, c->end)))
            return false;
        begins = *c->at++ == ';';
    }
    return false;
}

static bool
csv_cell(struct cursor *c)
{
    const bool quoted = take(c, "\"");
    return csv_characters(c, quoted) && (!quoted || take(c, "\""));
}

bool
check_csv(const char *text, size_t size)
{
    struct cursor c = {text, text + size};
    size_t expected = 0;
    if (!text_is_utf8(text, size))
        return false;
    while (left(&c)) {
        size_t cells = 0;
        do {
            cells++;
            if (!csv_cell(&c))
                return false;
        } while (take(&c, ","));
        if (!take(&c, "\r\n") || (expected && cells != expected))
            return false;
        expected = cells;
    }
    return expected > 0;
}

/* ---- XML */

static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.";

static bool
xml_name(struct cursor *c, char ret[NAME_MAX_BYTES])
{
    const char *start = c->at;
    const size_t size = take_all(c, name_letters);
    if (size == 0 || size >= NAME_MAX_BYTES || strchr("-.0123456789", *start))
        return false;
    memcpy(ret, start, size);
    ret[size] = '\0';
    return true;
}

static bool
xml_entity(struct cursor *c)
{
    if (take(c, "#x"))
        return take_all(c, "0123456789abcdefABCDEF") > 0 && take(c, ";");
    if (take(c, "#"))
        return take_all(c, digits) > 0 && take(c, ";");
    return take(c, "lt;") || take(c, "gt;") || take(c, "amp;") || take(c, "quot;") ||
           take(c, "apos;");
}

/** Up to `stop`, which is not taken. */
static bool
xml_characters(struct cursor *c, char stop)
{
    while (left(c) && *c->at != stop) {
        const unsigned char byte = (unsigned char)*c->at++;
        if ((byte < 0x20 && !strchr("\t\n\r", byte)) || byte == 0 || byte == 0x7F || byte == '<')
            return false;
        if (byte == '&' && !xml_entity(c))
            return false;
    }
    return stop == '<' || left(c);
}

static bool
xml_attributes(struct cursor *c)
{
    char name[NAME_MAX_BYTES];
    while (take_all(c, blanks) > 0 && left(c) && strchr(name_letters, *c->at))
        if (!xml_name(c, name) || !take(c, "=\"") || !xml_characters(c, '"') || !take(c, "\""))
            return false;
    return true;
}

static bool
xml_end_tag(struct cursor *c, char names[][NAME_MAX_BYTES], int *depth)
{
    char name[NAME_MAX_BYTES];
    return *depth > 0 && xml_name(c, name) && take(c, ">") && strcmp(name, names[--*depth]) == 0;
}

static bool
xml_start_tag(struct cursor *c, char names[][NAME_MAX_BYTES], int *depth)
{
    if (*depth == DEPTH_MAX || !xml_name(c, names[*depth]) || !xml_attributes(c))
        return false;
    if (take(c, "/>"))
        return true;
    ++*depth;
    return take(c, ">");
}

/** U+FFFE, U+FFFF: not in a document. */
static bool
has_noncharacter(const char *text, size_t size)
{
    return memmem(text, size, "\xEF\xBF\xBE", 3) || memmem(text, size, "\xEF\xBF\xBF", 3);
}

bool
check_xml(const char *text, size_t size)
{
    static char names[DEPTH_MAX][NAME_MAX_BYTES];
    struct cursor c = {text, text + size};
    int depth = 0, roots = 0;
    if (!text_is_utf8(text, size) || has_noncharacter(text, size))
        return false;
    (void)take(&c, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    (void)take_all(&c, blanks);
    (void)take(&c, "<!DOCTYPE html>");
    while (left(&c)) {
        const char *start = c.at;
        if (!xml_characters(&c, '<'))
            return false;
        if (depth == 0 && (size_t)(c.at - start) > strspn(start, blanks))
            return false;
        if (!take(&c, "<"))
            continue;
        roots += depth == 0;
        if (take(&c, "/") ? !xml_end_tag(&c, names, &depth) : !xml_start_tag(&c, names, &depth))
            return false;
    }
    return depth == 0 && roots == 1;
}

/* ---- text */

bool
check_text(const char *text, size_t size)
{
    if (!text_is_utf8(text, size))
        return false;
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\n') || byte == 0x7F)
            return false;
        if (byte == 0xC2 && i + 1 < size && (unsigned char)text[i + 1] < 0xA0) /* C1 */
            return false;
    }
    return true;
}
