#include "literal.h"

#include "batch.h"
#include "value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_TEXT = 64, /* no canonical number or date is as long */
    DENORMAL_BITS = 1074,
    SMALL_DENORMAL_BITS = 149, /* of real */
};

/* ---- numbers ---- */

static bool
is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static size_t
digits_at(const char *text)
{
    size_t count = 0;

    while (is_digit(text[count]))
        count++;
    return count;
}

static bool
append_integer(const char *text, struct text *out)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t count = digits_at(digits);

    if (count == 0 || count > 19 || digits[count] != '\0')
        return false;
    text_append(out, text);
    return true;
}

static bool
append_bit(const char *text, struct text *out)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return false;
    text_append(out, text);
    return true;
}

/** Digits, and exactly `scale` of them behind a point: what has more would be rounded. */
static bool
is_fixed_point(const char *text, size_t precision, size_t scale)
{
    size_t whole;

    if (text[0] == '-')
        text++;
    whole = digits_at(text);
    if (whole == 0 || (whole > precision - scale && !(whole == 1 && text[0] == '0')))
        return false;
    text += whole;
    if (scale == 0)
        return *text == '\0';
    return text[0] == '.' && digits_at(text + 1) == scale && text[1 + scale] == '\0';
}

/** Quoted, and without the zero before 38 digits: it would be one digit too many. */
static bool
append_decimal(const struct column *column, const char *text, struct text *out)
{
    if (column->precision == 0 || column->scale > column->precision ||
        !is_fixed_point(text, column->precision, column->scale))
        return false;
    if (column->scale == column->precision)
        text_printf(out, "'%s%s'", text[0] == '-' ? "-" : "", strchr(text, '.'));
    else
        text_printf(out, "'%s'", text);
    return true;
}

static bool
append_money(const char *text, struct text *out)
{
    if (!is_fixed_point(text, 19, 4))
        return false;
    text_append(out, text);
    return true;
}

static bool
is_floating_point(const char *text)
{
    if (text[0] == '-')
        text++;
    if (!is_digit(text[0]))
        return false;
    text += digits_at(text);
    if (text[0] == '.' && is_digit(text[1]))
        text += 1 + digits_at(text + 1);
    if (text[0] == 'e' && (text[1] == '+' || text[1] == '-') && is_digit(text[2]))
        text += 2 + digits_at(text + 2);
    return *text == '\0';
}

/**
 * Minus zero and what is below the smallest normal number: SQL Server reads the literal 0 for
 * these, and stores what an expression gives. Every factor and step is exact.
 */
static void
append_tiny(bool small, double number, struct text *out)
{
    const double whole = ldexp(fabs(number), small ? SMALL_DENORMAL_BITS : DENORMAL_BITS);

    if (whole == 0)
        text_append(out, small ? "(CONVERT(real,0e0)*CONVERT(real,-1e0))" : "(0e0*-1e0)");
    else if (small) /* 2^-74, 2^-75 */
        text_printf(out,
                    "(CONVERT(real,%s%.0fe0)*CONVERT(real,5.2939559203393771e-23)"
                    "*CONVERT(real,2.6469779601696886e-23))",
                    number < 0 ? "-" : "", whole);
    else /* 2^-537, twice */
        text_printf(out, "(%s%.0fe0*2.2227587494850775e-162*2.2227587494850775e-162)",
                    number < 0 ? "-" : "", whole);
}

static bool
is_real(const struct column *column)
{
    return text_equal_nocase(column->type_name, "real");
}

static bool
is_tiny(double number, bool small)
{
    return number == 0 ? signbit(number) != 0 : fabs(number) < (small ? 0x1p-126 : 0x1p-1022);
}

/** As the column holds it; infinite when the text is not a number or the type does not have it. */
static double
number_of(const struct column *column, const char *text)
{
    if (!is_floating_point(text))
        return INFINITY;
    return is_real(column) ? (double)strtof(text, NULL) : strtod(text, NULL);
}

static bool
append_float(const struct column *column, const char *text, struct text *out)
{
    const double number = number_of(column, text);
    char exact[NUMBER_TEXT];

    if (!isfinite(number))
        return false;
    if (is_tiny(number, is_real(column))) {
        append_tiny(is_real(column), number, out);
        return true;
    }
    /* 17 digits for real too: the greatest real has 9 that name a number beyond it. Without an
     * exponent it would be a decimal. */
    (void)snprintf(exact, sizeof exact, "%.17g", number);
    text_printf(out, "%s%s", exact, strchr(exact, 'e') != NULL ? "" : "e0");
    return true;
}

/* ---- dates, guid ---- */

/** A character for each of the pattern's: 0 a digit, X a hexadecimal one, else itself. */
static bool
follows(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; text++, pattern++) {
        bool good = *text == *pattern;

        if (*pattern == '0')
            good = is_digit(*text);
        else if (*pattern == 'X')
            good = is_digit(*text) || (*text >= 'A' && *text <= 'F');
        if (!good)
            return false;
    }
    return true;
}

/** Follows the pattern, then a point and `scale` digits, then `end`. */
static bool
is_moment(const char *text, const char *pattern, size_t scale, const char *end)
{
    if (!follows(text, pattern))
        return false;
    text += strlen(pattern);
    if (scale > 0) {
        if (text[0] != '.' || digits_at(text + 1) != scale)
            return false;
        text += 1 + scale;
    }
    if (*end != '\0' && (text[0] == '+' || text[0] == '-'))
        text++;
    return follows(text, end) && text[strlen(end)] == '\0';
}

static bool
append_quoted(bool good, const char *text, struct text *out)
{
    if (good)
        text_printf(out, "'%s'", text);
    return good;
}

/* The T makes the order of year, month and day the same under every SET DATEFORMAT. */
#define DAY_AND_CLOCK "0000-00-00T00:00:00"

static bool
append_datetime(const struct column *column, const char *text, struct text *out)
{
    if (text_equal_nocase(column->type_name, "smalldatetime"))
        return append_quoted(is_moment(text, DAY_AND_CLOCK, 0, "") &&
                                 strcmp(text + strlen(text) - 3, ":00") == 0,
                             text, out);
    return append_quoted(is_moment(text, DAY_AND_CLOCK, 3, ""), text, out);
}

/* ---- text and bytes ---- */

/** Printable ASCII without `$(`, in units of `step` bytes: the same in every code page. */
static bool
is_plain_ascii(struct slice bytes, size_t step)
{
    if (bytes.size % step != 0)
        return false;
    for (size_t i = 0; i < bytes.size; i += step) {
        const unsigned char byte = bytes.data[i];

        if (byte < 0x20 || byte > 0x7E || (step == 2 && bytes.data[i + 1] != 0))
            return false;
        if (byte == '$' && i + step < bytes.size && bytes.data[i + step] == '(')
            return false;
    }
    return true;
}

static void
append_ascii(struct slice bytes, size_t step, const char *quote, struct text *out)
{
    text_append(out, quote);
    for (size_t i = 0; i < bytes.size; i += step) {
        text_append_bytes(out, &bytes.data[i], 1);
        if (bytes.data[i] == '\'')
            text_append(out, "'");
    }
    text_append(out, "'");
}

static bool
append_unicode(struct slice bytes, const struct literal_style *style, struct text *out,
               struct err *err)
{
    if (!style->portable)
        return batch_unicode_literal(out, bytes, err);
    if (is_plain_ascii(bytes, 2)) {
        append_ascii(bytes, 2, "N'", out);
        return true;
    }
    if (bytes.size > 8000)
        text_append(out, "CONVERT(nvarchar(max),");
    else
        text_printf(out, "CONVERT(nvarchar(%zu),", bytes.size / 2);
    batch_binary_literal(out, bytes);
    text_append(out, ")");
    return true;
}

/**
 * N'...' in the engine's own encoding: there is no hexadecimal form. A backslash and a line break
 * behind it, which would vanish, go into two literals.
 */
static bool
append_utf8(const struct column *column, struct slice bytes, struct text *out, struct err *err)
{
    const char *text = (const char *)bytes.data;

    if (!text_is_utf8(bytes.data, bytes.size))
        return err_set(err, ERR_SCHEMA, "column %s holds text that this engine cannot be given",
                       column->name);
    if (bytes.size > 1 && memchr(text, '\\', bytes.size) != NULL)
        text_append(out, "CONVERT(nvarchar(max),N'')+");
    text_append(out, "N'");
    for (size_t i = 0; i < bytes.size; i++) {
        if (i > 0 && text[i - 1] == '\\' && (text[i] == '\n' || text[i] == '\r'))
            text_append(out, "'+N'");
        text_append_bytes(out, &text[i], 1);
        if (text[i] == '\'')
            text_append(out, "'");
    }
    text_append(out, "'");
    return true;
}

static bool
is_national(const struct column *column)
{
    return text_equal_nocase(column->type_name, "nvarchar") ||
           text_equal_nocase(column->type_name, "nchar");
}

/**
 * Code-page text goes as its bytes, which the column takes over by its own code page. As
 * CONVERT(varchar(n), 0x...) they would be text of the database's code page, and be translated.
 */
static bool
append_character(const struct column *column, struct slice bytes, const struct literal_style *style,
                 struct text *out, struct err *err)
{
    if (is_national(column))
        return style->utf8 ? append_utf8(column, bytes, out, err)
                           : append_unicode(bytes, style, out, err);
    if (is_plain_ascii(bytes, 1))
        append_ascii(bytes, 1, "'", out);
    else
        batch_binary_literal(out, bytes);
    return true;
}

static bool
append_bytes(const struct column *column, struct slice bytes, const struct literal_style *style,
             struct text *out, struct err *err)
{
    const bool character = value_kind_of(column->type_name) == VALUE_CHARACTER;
    const bool units = character && is_national(column) && !style->utf8; /* of two bytes */
    const bool counted = column->max_length >= 0 && (units || !character || !is_national(column));

    if ((counted && bytes.size > (size_t)column->max_length) || (units && bytes.size % 2 != 0))
        return err_set(err, ERR_SCHEMA, "column %s (%s) cannot hold a value of %zu bytes",
                       column->name, column->type_name, bytes.size);
    if (character)
        return append_character(column, bytes, style, out, err);
    batch_binary_literal(out, bytes);
    return true;
}

/** False when the canonical text is not one of the column's type. */
static bool
append_by_kind(enum value_kind kind, const struct column *column, const char *text,
               struct text *out)
{
    switch (kind) {
    case VALUE_INTEGER:
        return append_integer(text, out);
    case VALUE_BIT:
        return append_bit(text, out);
    case VALUE_DECIMAL:
        return append_decimal(column, text, out);
    case VALUE_MONEY:
        return append_money(text, out);
    case VALUE_FLOAT:
        return append_float(column, text, out);
    case VALUE_DATE:
        return append_quoted(is_moment(text, "0000-00-00", 0, ""), text, out);
    case VALUE_TIME:
        return append_quoted(is_moment(text, "00:00:00", column->scale, ""), text, out);
    case VALUE_DATETIME2:
        return append_quoted(is_moment(text, DAY_AND_CLOCK, column->scale, ""), text, out);
    case VALUE_DATETIMEOFFSET:
        return append_quoted(is_moment(text, DAY_AND_CLOCK, column->scale, "00:00"), text, out);
    case VALUE_DATETIME:
        return append_datetime(column, text, out);
    case VALUE_GUID:
        return append_quoted(is_moment(text, "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX", 0, ""), text,
                             out);
    case VALUE_CHARACTER:
    case VALUE_BINARY:
    case VALUE_ROWVERSION:
    case VALUE_UNSUPPORTED:
    default:
        return false;
    }
}

bool
literal_append(const struct column *column, const struct field *field,
               const struct literal_style *style, struct text *out, struct err *err)
{
    const enum value_kind kind = value_kind_of(column->type_name);
    char text[NUMBER_TEXT] = "";

    if (kind == VALUE_UNSUPPORTED || kind == VALUE_ROWVERSION)
        return err_set(err, ERR_SCHEMA, "column %s has type %s, which cannot be written back",
                       column->name, column->type_name);
    if (field->is_null) {
        text_append(out, "NULL");
        return true;
    }
    if (value_is_bytes(kind))
        return append_bytes(column, field->bytes, style, out, err);
    if (field->bytes.size > 0 && field->bytes.size < sizeof text) {
        memcpy(text, field->bytes.data, field->bytes.size);
        if (strlen(text) == field->bytes.size && append_by_kind(kind, column, text, out))
            return true;
    }
    return err_set(err, ERR_SCHEMA, "column %s (%s) cannot hold a value that is to be put back",
                   column->name, column->type_name);
}

/* ---- what a server may change without a word ---- */

static bool
prove_bytes(const struct column *column, struct slice bytes, struct text *out, struct err *err)
{
    text_append(out, " AND CONVERT(varbinary(max), ");
    if (!batch_identifier(out, column->name, err))
        return false;
    text_append(out, ") = ");
    batch_binary_literal(out, bytes);
    text_append(out, " AND DATALENGTH(");
    if (!batch_identifier(out, column->name, err))
        return false;
    text_printf(out, ") = %zu", bytes.size);
    return true;
}

static bool
prove_float(const struct column *column, double number, struct text *out, struct err *err)
{
    unsigned char bytes[sizeof number];
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(bits >> (56 - 8 * i));
    text_append(out, " AND CONVERT(varbinary(8), CONVERT(float, ");
    if (!batch_identifier(out, column->name, err))
        return false;
    text_append(out, ")) = ");
    batch_binary_literal(out, slice_of(bytes, sizeof bytes));
    return true;
}

bool
literal_append_proof(const struct column *column, const struct field *field, struct text *out,
                     bool *ret_any, struct err *err)
{
    const enum value_kind kind = value_kind_of(column->type_name);
    char text[NUMBER_TEXT] = "";
    double number;

    *ret_any = false;
    if (field->is_null)
        return true;
    if (kind == VALUE_CHARACTER && !is_national(column) && !is_plain_ascii(field->bytes, 1)) {
        *ret_any = true;
        return prove_bytes(column, field->bytes, out, err);
    }
    if (kind != VALUE_FLOAT || field->bytes.size == 0 || field->bytes.size >= sizeof text)
        return true;
    memcpy(text, field->bytes.data, field->bytes.size);
    number = number_of(column, text);
    *ret_any = true;
    return prove_float(column, number, out, err);
}
