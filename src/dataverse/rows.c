#include "rows.h"

#include "base/block.h"
#include "base/eight.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <string.h>

/** Where the scanner stands. Every function moves `at` behind what it read, or returns false. */
struct scanner {
    const unsigned char *at, *end;
    bool unusual; /* see struct rows_members */
    bool escapes; /* there are others than those of '"' and '\\' */
    bool wide;    /* there may be bytes above ASCII */
};

enum {
    CJSON_NUMBER_BYTES = 63, /* surely fit into the buffer of any cJSON */
    HIGH_SURROGATE = 0xD800,
    LOW_SURROGATE = 0xDC00,
    SURROGATES = 0x400, /* of each kind */
};

static bool scan_value(struct scanner *scanner, unsigned depth);

static void
skip_blanks(struct scanner *scanner)
{
    while (scanner->at < scanner->end && (*scanner->at == ' ' || *scanner->at == '\t' ||
                                          *scanner->at == '\n' || *scanner->at == '\r'))
        scanner->at++;
}

static bool
take(struct scanner *scanner, unsigned char wanted)
{
    if (scanner->at == scanner->end || *scanner->at != wanted)
        return false;
    scanner->at++;
    return true;
}

static int
hex_value(unsigned char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/** Four hexadecimal digits. */
static bool
scan_unit(struct scanner *scanner, unsigned *ret)
{
    unsigned unit = 0;

    if (scanner->end - scanner->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        const int value = hex_value(*scanner->at++);

        if (value < 0)
            return false;
        unit = unit << 4 | (unsigned)value;
    }
    *ret = unit;
    return true;
}

/** What follows "\u". Half of a surrogate pair is JSON all the same. */
static bool
scan_code(struct scanner *scanner)
{
    unsigned unit;

    if (!scan_unit(scanner, &unit))
        return false;
    if (unit - HIGH_SURROGATE < SURROGATES && scanner->end - scanner->at >= 6 &&
        scanner->at[0] == '\\' && scanner->at[1] == 'u') {
        scanner->at += 2;
        if (!scan_unit(scanner, &unit))
            return false;
        scanner->unusual |= unit - LOW_SURROGATE >= SURROGATES;
        return true;
    }
    scanner->unusual |= unit - HIGH_SURROGATE < 2 * SURROGATES;
    return true;
}

/** What follows a backslash. */
static bool
scan_escape(struct scanner *scanner)
{
    if (scanner->at == scanner->end)
        return false;
    switch (*scanner->at++) {
    case '"':
    case '\\':
        return true;
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        scanner->escapes = true;
        return true;
    case 'u':
        scanner->escapes = true;
        return scan_code(scanner);
    default:
        return false;
    }
}

/** Step over whole blocks; true: to a byte that stops scan_plain. */
static bool
scan_blocks(struct scanner *scanner)
{
    const unsigned char *at = scanner->at;
    struct block_string block = {.plain = BLOCK_BYTES};
    bool high = false;

    while (block.plain > 0 && scanner->end - at >= BLOCK_BYTES) {
        block = block_string_load(at, false);
        high |= block.high;
        at += block.plain;
        if (block.plain < BLOCK_BYTES && *at != '\\')
            break;
    }
    scanner->wide |= high;
    scanner->at = at;
    return block.plain < BLOCK_BYTES;
}

/** Step to the next byte that a string cannot hold as it is, and that is no usual escape: rows hold
 * JSON in their texts, full of escaped '"' and '\\'. False: there is none. */
static bool
scan_plain(struct scanner *scanner)
{
    const bool stopped = scan_blocks(scanner);
    const unsigned char *at = scanner->at;
    const unsigned char *const end = scanner->end;

    if (stopped)
        return true;
    while (end - at > 8) {
        const uint64_t eight = eight_load(at);
        const uint64_t specials = eight_json_specials(eight);

        scanner->wide |= (eight & EIGHT_TOPS) != 0;
        if (!specials) {
            at += 8;
            continue;
        }
        at += eight_first(specials);
        if (*at != '\\' || (at[1] != '"' && at[1] != '\\')) {
            scanner->at = at;
            return true;
        }
        at += 2;
    }
    for (; at < end && *at >= 0x20 && *at != '"' && *at != '\\'; at++)
        scanner->wide |= *at > 0x7F;
    scanner->at = at;
    return at < end;
}

static bool
scan_string(struct scanner *scanner)
{
    if (!take(scanner, '"'))
        return false;
    while (scan_plain(scanner)) {
        const unsigned char byte = *scanner->at++;

        if (byte == '"')
            return true;
        if (byte != '\\' || !scan_escape(scanner))
            return false;
    }
    return false;
}

static bool
scan_digits(struct scanner *scanner)
{
    const unsigned char *start = scanner->at;

    while (scanner->at < scanner->end && isdigit(*scanner->at))
        scanner->at++;
    return scanner->at > start;
}

static bool
scan_digits_of_number(struct scanner *scanner)
{
    (void)take(scanner, '-');
    if (!take(scanner, '0') && !scan_digits(scanner))
        return false;
    if (take(scanner, '.') && !scan_digits(scanner))
        return false;
    if (take(scanner, 'e') || take(scanner, 'E')) {
        if (!take(scanner, '+'))
            (void)take(scanner, '-');
        return scan_digits(scanner);
    }
    return true;
}

static bool
scan_number(struct scanner *scanner)
{
    const unsigned char *start = scanner->at;

    if (!scan_digits_of_number(scanner))
        return false;
    scanner->unusual |= scanner->at - start > CJSON_NUMBER_BYTES;
    return true;
}

static bool
scan_word(struct scanner *scanner, const char *word)
{
    const size_t size = strlen(word);

    if ((size_t)(scanner->end - scanner->at) < size || memcmp(scanner->at, word, size) != 0)
        return false;
    scanner->at += size;
    return true;
}

/** A member of an object, as extents; the name with its quotes. */
struct member {
    struct slice name, value;
    const unsigned char *start, *end;
};

/** "name" : and what blanks follow, the scanner in front of the quote. */
static bool
scan_name(struct scanner *scanner, struct member *ret)
{
    ret->start = scanner->at;
    if (!scan_string(scanner))
        return false;
    ret->name = slice_of(ret->start, (size_t)(scanner->at - ret->start));
    skip_blanks(scanner);
    if (!take(scanner, ':'))
        return false;
    skip_blanks(scanner);
    return true;
}

static bool
scan_member(struct scanner *scanner, unsigned depth, struct member *ret)
{
    const unsigned char *value;

    if (!scan_name(scanner, ret))
        return false;
    value = scanner->at;
    if (!scan_value(scanner, depth))
        return false;
    ret->value = slice_of(value, (size_t)(scanner->at - value));
    ret->end = scanner->at;
    return true;
}

/** An array or object, the scanner behind its first bracket. */
static bool
scan_list(struct scanner *scanner, unsigned char end, unsigned depth)
{
    struct member member;

    skip_blanks(scanner);
    if (take(scanner, end))
        return true;
    for (;;) {
        skip_blanks(scanner);
        if (!(end == '}' ? scan_member(scanner, depth, &member) : scan_value(scanner, depth)))
            return false;
        skip_blanks(scanner);
        if (take(scanner, end))
            return true;
        if (!take(scanner, ','))
            return false;
    }
}

static bool
scan_value(struct scanner *scanner, unsigned depth)
{
    if (scanner->at == scanner->end || depth == ROWS_DEPTH_MAX)
        return false;
    switch (*scanner->at) {
    case '{':
        scanner->at++;
        return scan_list(scanner, '}', depth + 1);
    case '[':
        scanner->at++;
        return scan_list(scanner, ']', depth + 1);
    case '"':
        return scan_string(scanner);
    case 't':
        return scan_word(scanner, "true");
    case 'f':
        return scan_word(scanner, "false");
    case 'n':
        return scan_word(scanner, "null");
    default:
        return scan_number(scanner);
    }
}

/** The whole text is one value that begins with `first`. */
static bool
is_value(struct slice text, unsigned char first)
{
    struct scanner scanner = {.at = text.data, .end = text.data + text.size};

    skip_blanks(&scanner);
    if (scanner.at == scanner.end || *scanner.at != first || !scan_value(&scanner, 0))
        return false;
    skip_blanks(&scanner);
    return scanner.at == scanner.end;
}

/** Step to the next member. False: there is none, or what is there is no member. */
static bool
next_member(struct scanner *scanner, bool first, unsigned depth, struct member *ret)
{
    skip_blanks(scanner);
    if (!take(scanner, first ? '{' : ','))
        return false;
    skip_blanks(scanner);
    return scan_member(scanner, depth, ret);
}

static bool
is_named(const struct member *member, const char *name)
{
    const size_t size = strlen(name);

    return member->name.size == size + 2 && memcmp(member->name.data + 1, name, size) == 0;
}

struct slice
rows_member(struct slice object, const char *name, bool *ret_twice)
{
    struct scanner scanner = {.at = object.data, .end = object.data + object.size};
    struct slice found = {0};
    struct member member;

    *ret_twice = false;
    for (bool first = true; next_member(&scanner, first, 1, &member); first = false)
        if (is_named(&member, name)) {
            *ret_twice = found.size > 0;
            found = member.value;
        }
    return found;
}

bool
rows_is_object(struct slice text)
{
    return is_value(text, '{');
}

struct rows_members
rows_members_begin(struct slice object)
{
    return (struct rows_members){.rest = object, .depth = 1};
}

bool
rows_members_next(struct rows_members *members, struct rows_member *ret)
{
    struct scanner scanner = {.at = members->rest.data,
                              .end = members->rest.data + members->rest.size,
                              .unusual = members->unusual,
                              .wide = members->wide};
    struct member member;

    if (members->ended || !next_member(&scanner, !members->started, members->depth, &member))
        return false;
    members->rest.data = scanner.at;
    members->rest.size = (size_t)(scanner.end - scanner.at);
    members->started = true;
    members->unusual = scanner.unusual;
    members->wide = scanner.wide;
    ret->name = slice_of(member.name.data + 1, member.name.size - 2);
    ret->value = member.value;
    ret->whole = slice_of(member.start, (size_t)(member.end - member.start));
    return true;
}

bool
rows_members_end(struct rows_members *members)
{
    struct scanner scanner = {.at = members->rest.data,
                              .end = members->rest.data + members->rest.size};

    if (members->ended)
        return true;
    skip_blanks(&scanner);
    if (!members->started) {
        if (!take(&scanner, '{'))
            return false;
        skip_blanks(&scanner);
    }
    if (!take(&scanner, '}'))
        return false;
    members->rest = slice_of(scanner.at, (size_t)(scanner.end - scanner.at));
    members->ended = true;
    return true;
}

/* ---- pages ---- */

static const char not_json[] = "a page of rows is not whole, well-formed JSON";

/** A page that is being read. */
struct page_reader {
    struct scanner scanner;
    const struct rows_taker *taker;
    struct rows_page page;
    bool value_twice, link_twice;
    const char *why;
    struct err *err;
};

static bool
fail(struct page_reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

/** Give one row away; it ends where its members do. */
static bool
take_row(struct page_reader *reader)
{
    struct scanner *scanner = &reader->scanner;
    struct rows_members members = {
        .rest = slice_of(scanner->at, (size_t)(scanner->end - scanner->at)), .depth = 3};
    const bool taken = reader->taker->take(reader->taker->ctx, &members, reader->err);

    if (!rows_members_end(&members))
        return fail(reader, not_json);
    scanner->at = members.rest.data;
    return taken;
}

/** The array of rows, the scanner in front of its bracket. */
static bool
take_rows(struct page_reader *reader)
{
    struct scanner *scanner = &reader->scanner;

    (void)take(scanner, '[');
    skip_blanks(scanner);
    if (take(scanner, ']'))
        return true;
    for (;;) {
        skip_blanks(scanner);
        if (scanner->at == scanner->end || *scanner->at != '{')
            return fail(reader, scanner->at < scanner->end && scan_value(scanner, 2)
                                    ? "a page of rows holds something that is not a row"
                                    : not_json);
        if (!take_row(reader))
            return false;
        skip_blanks(scanner);
        if (take(scanner, ']'))
            return true;
        if (!take(scanner, ','))
            return fail(reader, not_json);
    }
}

/** A member of the page, the scanner in front of its name. */
static bool
read_part(struct page_reader *reader)
{
    struct scanner *scanner = &reader->scanner;
    struct member member;
    const unsigned char *value;
    bool rows;

    if (!scan_name(scanner, &member))
        return fail(reader, not_json);
    value = scanner->at;
    rows = reader->taker && is_named(&member, "value") && value < scanner->end && *value == '[';
    if (rows ? !take_rows(reader) : !scan_value(scanner, 1))
        return rows ? false : fail(reader, not_json);
    member.value = slice_of(value, (size_t)(scanner->at - value));
    if (is_named(&member, "value")) {
        reader->value_twice = reader->page.value.size > 0;
        reader->page.value = member.value;
    } else if (is_named(&member, "@odata.nextLink")) {
        reader->link_twice = reader->page.next_link.size > 0;
        reader->page.next_link = member.value;
    }
    return true;
}

/** The members, the scanner behind the bracket. */
static bool
read_parts(struct page_reader *reader)
{
    struct scanner *scanner = &reader->scanner;

    skip_blanks(scanner);
    if (take(scanner, '}'))
        return true;
    do {
        skip_blanks(scanner);
        if (!read_part(reader))
            return false;
        skip_blanks(scanner);
    } while (take(scanner, ','));
    return take(scanner, '}') || fail(reader, not_json);
}

/** The whole text is one object. */
static bool
read_page(struct page_reader *reader)
{
    struct scanner *scanner = &reader->scanner;

    skip_blanks(scanner);
    if (!take(scanner, '{'))
        return fail(reader, not_json);
    if (!read_parts(reader))
        return false;
    skip_blanks(scanner);
    return scanner->at == scanner->end || fail(reader, not_json);
}

bool
rows_page_read(struct slice text, const struct rows_taker *taker, struct rows_page *ret,
               const char **ret_why, struct err *err)
{
    struct page_reader reader = {
        .scanner = {.at = text.data, .end = text.data + text.size}, .taker = taker, .err = err};
    const struct rows_page *page = &reader.page;

    if (!read_page(&reader)) {
        *ret_why = reader.why;
        return false;
    }
    if (page->value.size == 0 || page->value.data[0] != '[' || reader.value_twice) {
        *ret_why = "a page of rows has no array \"value\"";
        return false;
    }
    if (reader.link_twice || (page->next_link.size > 0 && page->next_link.data[0] != '"')) {
        *ret_why = "a page of rows has a broken link to the next one";
        return false;
    }
    *ret = *page;
    return true;
}

struct rows_cursor
rows_begin(struct slice value)
{
    return (struct rows_cursor){.rest = slice_of(value.data + 1, value.size - 1)};
}

enum rows_step
rows_next(struct rows_cursor *cursor, struct slice *ret_row)
{
    struct scanner scanner = {.at = cursor->rest.data,
                              .end = cursor->rest.data + cursor->rest.size};
    const unsigned char *start;

    skip_blanks(&scanner);
    if (take(&scanner, ']'))
        return ROWS_END;
    if (cursor->started && !take(&scanner, ','))
        return ROWS_BROKEN;
    skip_blanks(&scanner);
    start = scanner.at;
    if (start == scanner.end || *start != '{' || !scan_value(&scanner, 0))
        return ROWS_BROKEN;
    *ret_row = slice_of(start, (size_t)(scanner.at - start));
    cursor->rest = slice_of(scanner.at, (size_t)(scanner.end - scanner.at));
    cursor->started = true;
    return ROWS_ROW;
}

bool
rows_hold_nul(struct slice text)
{
    for (size_t i = 0; i + 6 <= text.size; i++)
        if (text.data[i] == '\\') {
            if (memcmp(text.data + i, "\\u0000", 6) == 0)
                return true;
            i++;
        }
    return false;
}

/** Decode a string with no other escapes than of '"' and '\\', for which there is room. */
static void
decode_plain(struct slice text, char *ret)
{
    for (size_t i = 1; i + 1 < text.size; i++) {
        i += text.data[i] == '\\';
        *ret++ = (char)text.data[i];
    }
    *ret = '\0';
}

bool
rows_string(struct slice text, char *ret, size_t ret_size)
{
    struct scanner scanner = {.at = text.data, .end = text.data + text.size};
    cJSON *json;
    bool fits;

    if (scan_string(&scanner) && scanner.at == scanner.end && !scanner.escapes &&
        text.size - 1 <= ret_size) {
        decode_plain(text, ret);
        return true;
    }
    if (text.size < 2 || text.data[0] != '"' || rows_hold_nul(text))
        return false;
    json = cJSON_ParseWithLength((const char *)text.data, text.size);
    fits = cJSON_IsString(json) && strlen(json->valuestring) < ret_size;
    if (fits)
        memcpy(ret, json->valuestring, strlen(json->valuestring) + 1);
    cJSON_Delete(json);
    return fits;
}
