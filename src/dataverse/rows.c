#include "rows.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <string.h>

/** Where the scanner stands. Every function moves `at` behind what it read, or returns false. */
struct scanner {
    const unsigned char *at, *end;
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

/** What follows a backslash. */
static bool
scan_escape(struct scanner *scanner)
{
    if (scanner->at == scanner->end)
        return false;
    if (*scanner->at != 'u') {
        const bool known = *scanner->at && strchr("\"\\/bfnrt", *scanner->at);

        scanner->at++;
        return known;
    }
    scanner->at++;
    for (int i = 0; i < 4; i++, scanner->at++)
        if (scanner->at == scanner->end || !isxdigit(*scanner->at))
            return false;
    return true;
}

static bool
scan_string(struct scanner *scanner)
{
    if (!take(scanner, '"'))
        return false;
    while (scanner->at < scanner->end) {
        scanner->at += text_plain_run(scanner->at, (size_t)(scanner->end - scanner->at));
        if (scanner->at == scanner->end)
            break;
        const unsigned char byte = *scanner->at++;

        if (byte == '"')
            return true;
        if (byte < 0x20 || (byte == '\\' && !scan_escape(scanner)))
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
scan_number(struct scanner *scanner)
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
scan_word(struct scanner *scanner, const char *word)
{
    const size_t size = strlen(word);

    if ((size_t)(scanner->end - scanner->at) < size || memcmp(scanner->at, word, size) != 0)
        return false;
    scanner->at += size;
    return true;
}

/** "name" : value, the scanner in front of the quote. */
static bool
scan_member(struct scanner *scanner, unsigned depth)
{
    if (!scan_string(scanner))
        return false;
    skip_blanks(scanner);
    if (!take(scanner, ':'))
        return false;
    skip_blanks(scanner);
    return scan_value(scanner, depth);
}

/** An array or object, the scanner behind its first bracket. */
static bool
scan_list(struct scanner *scanner, unsigned char end, unsigned depth)
{
    skip_blanks(scanner);
    if (take(scanner, end))
        return true;
    for (;;) {
        skip_blanks(scanner);
        if (!(end == '}' ? scan_member(scanner, depth) : scan_value(scanner, depth)))
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
    struct scanner scanner = {text.data, text.data + text.size};

    skip_blanks(&scanner);
    if (scanner.at == scanner.end || *scanner.at != first || !scan_value(&scanner, 0))
        return false;
    skip_blanks(&scanner);
    return scanner.at == scanner.end;
}

/** A member of an object, as extents. `gap` reaches from where the one before ended. */
struct member {
    struct slice name, value; /* the name with its quotes */
    const unsigned char *start, *end;
};

/** Step to the next member of an object that is known to be well-formed. */
static bool
next_member(struct scanner *scanner, struct member *ret)
{
    skip_blanks(scanner);
    if (!take(scanner, '{') && !take(scanner, ','))
        return false;
    skip_blanks(scanner);
    ret->start = scanner->at;
    if (!scan_string(scanner))
        return false;
    ret->name = slice_of(ret->start, (size_t)(scanner->at - ret->start));
    skip_blanks(scanner);
    if (!take(scanner, ':'))
        return false;
    skip_blanks(scanner);

    const unsigned char *value = scanner->at;

    if (!scan_value(scanner, 0))
        return false;
    ret->value = slice_of(value, (size_t)(scanner->at - value));
    ret->end = scanner->at;
    return true;
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
    struct scanner scanner = {object.data, object.data + object.size};
    struct slice found = {0};
    struct member member;

    *ret_twice = false;
    while (next_member(&scanner, &member))
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

static bool
is_one_of(const struct member *member, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_named(member, names[i]))
            return true;
    return false;
}

void
rows_append_without(struct slice object, const char *const *names, size_t count, struct text *ret)
{
    struct scanner scanner = {object.data, object.data + object.size};
    struct member member;
    bool first = true;

    text_append(ret, "{");
    while (next_member(&scanner, &member)) {
        if (is_one_of(&member, names, count))
            continue;
        text_append(ret, first ? "" : ",");
        text_append_bytes(ret, member.start, (size_t)(member.end - member.start));
        first = false;
    }
    text_append(ret, "}");
}

struct rows_members
rows_members_begin(struct slice object)
{
    return (struct rows_members){.rest = object};
}

bool
rows_members_next(struct rows_members *members, struct rows_member *ret)
{
    struct scanner scanner = {members->rest.data, members->rest.data + members->rest.size};
    struct member member;

    if (!next_member(&scanner, &member))
        return false;
    members->rest = slice_of(scanner.at, (size_t)(scanner.end - scanner.at));
    *ret = (struct rows_member){.name = slice_of(member.name.data + 1, member.name.size - 2),
                                .value = member.value};
    return true;
}

bool
rows_is_named(const struct rows_member *member, const char *name)
{
    return slice_equal(member->name, slice_of_string(name));
}

bool
rows_page_read(struct slice text, struct rows_page *ret, const char **ret_why)
{
    struct rows_page page = {0};
    bool value_twice;
    bool link_twice;

    if (!is_value(text, '{')) {
        *ret_why = "a page of rows is not whole, well-formed JSON";
        return false;
    }
    page.value = rows_member(text, "value", &value_twice);
    page.next_link = rows_member(text, "@odata.nextLink", &link_twice);
    if (page.value.size == 0 || page.value.data[0] != '[' || value_twice) {
        *ret_why = "a page of rows has no array \"value\"";
        return false;
    }
    if (link_twice || (page.next_link.size > 0 && page.next_link.data[0] != '"')) {
        *ret_why = "a page of rows has a broken link to the next one";
        return false;
    }
    *ret = page;
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
    struct scanner scanner = {cursor->rest.data, cursor->rest.data + cursor->rest.size};
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

bool
rows_string(struct slice text, char *ret, size_t ret_size)
{
    cJSON *json;
    bool fits;

    if (text.size < 2 || text.data[0] != '"' || rows_hold_nul(text))
        return false;
    json = cJSON_ParseWithLength((const char *)text.data, text.size);
    fits = cJSON_IsString(json) && strlen(json->valuestring) < ret_size;
    if (fits)
        memcpy(ret, json->valuestring, strlen(json->valuestring) + 1);
    cJSON_Delete(json);
    return fits;
}
