#include "batch.h"

#include <inttypes.h>
#include <string.h>

enum { NAME_UNITS = 128, NVARCHAR_UNITS = 4000 };

/** The line after `line`, or its end. */
static const char *
next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end == NULL ? line + strlen(line) : end + 1;
}

static bool
is_comment(const char *line)
{
    line += strspn(line, " \t");
    return line[0] == '-' && line[1] == '-';
}

static const char *
value_of(const struct batch_variable *variables, size_t count, const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(variables[i].name) == size && memcmp(variables[i].name, name, size) == 0)
            return variables[i].value;
    }
    return NULL;
}

/** Append the bytes up to `end`, variables replaced. */
static bool
expand_line(const char *at, const char *end, const struct batch_variable *variables, size_t count,
            struct text *out, struct err *err)
{
    while (at < end) {
        const char *close, *value, *plain = at;

        while (at < end && (at[0] != '$' || at[1] != '('))
            at++;
        text_append_bytes(out, plain, (size_t)(at - plain));
        if (at == end)
            break;
        close = memchr(at, ')', (size_t)(end - at));
        if (close == NULL)
            return err_set(err, ERR_INTERNAL, "a variable of a batch has no end");
        value = value_of(variables, count, at + 2, (size_t)(close - at - 2));
        if (value == NULL)
            return err_set(err, ERR_INTERNAL, "a batch has an unknown variable %.*s",
                           (int)(close - at + 1), at);
        text_append(out, value);
        at = close + 1;
    }
    return true;
}

bool
batch_expand(const char *sql, const struct batch_variable *variables, size_t count,
             struct text *out, struct err *err)
{
    while (*sql != '\0') {
        const char *end = next_line(sql);

        if (!is_comment(sql) && !expand_line(sql, end, variables, count, out, err))
            return false;
        sql = end;
    }
    return text_ok(out, err);
}

bool
batch_check(const struct text *batch, struct err *err)
{
    if (!text_ok(batch, err))
        return false;
    if (batch->used == 0)
        return err_set(err, ERR_INTERNAL, "a batch is empty");
    if (!text_is_utf8(text_string(batch), batch->used))
        return err_set(err, ERR_INTERNAL, "a batch is not well-formed UTF-8");
    return true;
}

/** UTF-16 units of well-formed UTF-8. */
static size_t
units_of(const char *name, size_t size)
{
    size_t units = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)name[i];

        if ((byte & 0xC0) != 0x80)
            units += byte >= 0xF0 ? 2 : 1;
    }
    return units;
}

bool
batch_identifier(struct text *out, const char *name, struct err *err)
{
    size_t size = strlen(name);

    if (size == 0 || !text_is_utf8(name, size) || units_of(name, size) > NAME_UNITS)
        return err_set(err, ERR_SCHEMA, "a name in the catalog cannot be quoted");
    text_append(out, "[");
    for (size_t i = 0; i < size; i++) {
        text_append_bytes(out, &name[i], 1);
        if (name[i] == ']')
            text_append(out, "]");
    }
    text_append(out, "]");
    return true;
}

/** True when N'...' brings exactly these characters back. */
static bool
is_plain(const char *utf8, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (utf8[i] == '\0')
            return false;
        if (utf8[i] == '\\' && i + 1 < size && (utf8[i + 1] == '\n' || utf8[i + 1] == '\r'))
            return false;
    }
    return true;
}

static void
append_quoted(struct text *out, const char *utf8, size_t size)
{
    text_append(out, "N'");
    for (size_t i = 0; i < size; i++) {
        text_append_bytes(out, &utf8[i], 1);
        if (utf8[i] == '\'')
            text_append(out, "'");
    }
    text_append(out, "'");
}

bool
batch_unicode_literal(struct text *out, struct slice utf16le, struct err *err)
{
    TEXT_SCOPED utf8 = {0};
    size_t units = utf16le.size / 2;

    if (utf16le.size % 2 != 0)
        return err_set(err, ERR_INTERNAL, "half a UTF-16 character in a literal");
    if (text_append_utf16le(&utf8, utf16le) && is_plain(text_string(&utf8), utf8.used)) {
        append_quoted(out, text_string(&utf8), utf8.used);
    } else {
        if (units > NVARCHAR_UNITS)
            text_append(out, "CONVERT(nvarchar(max),");
        else
            text_printf(out, "CONVERT(nvarchar(%zu),", units == 0 ? 1 : units);
        batch_binary_literal(out, utf16le);
        text_append(out, ")");
    }
    return text_ok(&utf8, err);
}

void
batch_binary_literal(struct text *out, struct slice bytes)
{
    text_append(out, "0x");
    text_append_hex(out, bytes.data, bytes.size);
}

void
batch_number(struct text *out, int64_t number)
{
    text_printf(out, "%" PRId64, number);
}
