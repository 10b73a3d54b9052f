#include "html.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

enum { CELL_MAX_BYTES = 300 };

/* ---- escaping */

static void
append_reference(struct text *out, char c)
{
    switch (c) {
    case '<':
        text_append(out, "&lt;");
        break;
    case '>':
        text_append(out, "&gt;");
        break;
    case '&':
        text_append(out, "&amp;");
        break;
    case '"':
        text_append(out, "&quot;");
        break;
    default:
        text_append(out, "&#39;");
        break;
    }
}

/** Bytes of a noncharacter at `at`, which XML does not allow: U+FFFE, U+FFFF, U+FDD0 to U+FDEF. */
static size_t
noncharacter(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    if (bytes[0] != 0xEF)
        return 0;
    if (bytes[1] == 0xBF && (bytes[2] == 0xBE || bytes[2] == 0xBF))
        return 3;
    return bytes[1] == 0xB7 && bytes[2] >= 0x90 && bytes[2] <= 0xAF ? 3 : 0;
}

/** Length of the escape at a backslash, as text_append_shown writes it. */
static size_t
escape_size(const char *at)
{
    if (at[1] == 'x')
        return 4;
    const char *end = strchr(at, '}');
    return end ? (size_t)(end - at) + 1 : strlen(at);
}

static void
append_escape(struct text *out, const char *bytes, size_t size, bool marked)
{
    text_append(out, marked ? "<b class=\"esc\">" : "");
    text_append_bytes(out, bytes, size);
    text_append(out, marked ? "</b>" : "");
}

/** One escape, reference or noncharacter at `at`; returns how many bytes it took. */
static size_t
append_special(struct text *out, const char *at, bool marked)
{
    if (*at == '\\' && at[1] == '\\') {
        text_append(out, marked ? "\\" : "\\\\");
        return 2;
    }
    if (*at == '\\') {
        append_escape(out, at, escape_size(at), marked);
        return escape_size(at);
    }
    if (noncharacter(at)) {
        const unsigned char *bytes = (const unsigned char *)at;
        TEXT_SCOPED escape = {0};
        text_printf(&escape, "\\u{%04x}", 0xF000U | (bytes[1] & 0x3FU) << 6 | (bytes[2] & 0x3FU));
        append_escape(out, text_string(&escape), escape.used, marked);
        return noncharacter(at);
    }
    if (strchr("<>&\"'", *at))
        append_reference(out, *at);
    else
        text_append_bytes(out, at, 1);
    return 1;
}

static void
append(struct text *out, const char *value, size_t size, bool marked)
{
    TEXT_SCOPED shown = {0};
    text_append_shown(&shown, value, size);
    out->broken = out->broken || shown.broken;
    for (const char *at = text_string(&shown); *at;) {
        const size_t plain = strcspn(at, "<>&\"'\\\xEF");
        text_append_bytes(out, at, plain);
        at += plain;
        if (*at)
            at += append_special(out, at, marked);
    }
}

void
html_value(struct text *out, const char *value)
{
    append(out, value ? value : "", value ? strlen(value) : 0, true);
}

void
html_plain(struct text *out, const char *value)
{
    append(out, value ? value : "", value ? strlen(value) : 0, false);
}

/* ---- sections, lists */

void
html_section_open(struct text *out, const char *own_title)
{
    text_printf(out, "<section>\n<h3>%s</h3>\n", own_title);
}

void
html_section_close(struct text *out)
{
    text_append(out, "</section>\n");
}

void
html_paragraph(struct text *out, const char *own_class, const char *value)
{
    if (!value || !*value)
        return;
    text_printf(out, "<p class=\"%s\">", own_class);
    html_value(out, value);
    text_append(out, "</p>\n");
}

void
html_list_open(struct text *out)
{
    text_append(out, "<dl>\n");
}

void
html_list_close(struct text *out)
{
    text_append(out, "</dl>\n");
}

void
html_pair(struct text *out, const char *own_term, const char *value)
{
    if (!value || !*value)
        return;
    text_printf(out, "<dt>%s</dt><dd>", own_term);
    html_value(out, value);
    text_append(out, "</dd>\n");
}

void
html_pair_code(struct text *out, const char *own_term, const char *value)
{
    if (!value || !*value)
        return;
    text_printf(out, "<dt>%s</dt><dd><code>", own_term);
    html_value(out, value);
    text_append(out, "</code></dd>\n");
}

/* ---- tables */

/* The roles: a table whose parts are blocks is none any more for a screen reader that is not told.
 */
void
html_table_open(struct text *out, const struct html_table *table)
{
    text_printf(out,
                "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">"
                "<table role=\"table\">\n<caption>%s</caption>\n"
                "<thead role=\"rowgroup\"><tr role=\"row\">",
                table->caption, table->caption);
    for (size_t i = 0; i < table->count; i++)
        text_printf(out, "<th scope=\"col\" role=\"columnheader\"%s>%s</th>",
                    table->columns[i].number ? " class=\"n\"" : "", table->columns[i].title);
    text_append(out, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

void
html_table_close(struct text *out)
{
    text_append(out, "</tbody></table></div>\n");
}

void
html_row_open(struct text *out)
{
    text_append(out, "<tr role=\"row\">");
}

void
html_row_close(struct text *out)
{
    text_append(out, "</tr>\n");
}

void
html_cell_open(struct text *out, const struct html_table *table, size_t column)
{
    if (column == 0) {
        text_append(out, "<th scope=\"row\" role=\"rowheader\">");
        return;
    }
    text_append(out, "<td role=\"cell\"");
    text_append(out, table->columns[column].number ? " class=\"n\"" : "");
    if (!table->plain)
        text_printf(out, " data-title=\"%s\"", table->columns[column].title);
    text_append(out, ">");
}

void
html_cell_close(struct text *out, size_t column)
{
    text_append(out, column ? "</td>" : "</th>");
}

/** Bytes of the value that are shown, never a part of a character. */
static size_t
shown_size(const char *value)
{
    size_t size = strnlen(value, CELL_MAX_BYTES + 1);
    if (size <= CELL_MAX_BYTES)
        return size;
    for (size = CELL_MAX_BYTES; size > 0 && ((unsigned char)value[size] & 0xC0) == 0x80;)
        size--;
    return size;
}

void
html_cell(struct text *out, const struct html_table *table, size_t column, const char *value)
{
    html_cell_open(out, table, column);
    if (value) {
        const size_t size = shown_size(value);
        append(out, value, size, true);
        if (value[size])
            text_printf(out, "<span class=\"dim\">... (cut: %zu bytes)</span>", strlen(value));
    }
    html_cell_close(out, column);
}

void
html_number(struct text *out, const struct html_table *table, size_t column, int64_t value)
{
    html_cell_open(out, table, column);
    if (value < 0)
        text_append(out, "&#8211;");
    else
        text_printf(out, "%" PRId64, value);
    html_cell_close(out, column);
}

void
html_signed(struct text *out, const struct html_table *table, size_t column, int64_t value)
{
    html_cell_open(out, table, column);
    text_printf(out, "%" PRId64, value);
    html_cell_close(out, column);
}

void
html_more(struct text *out, int64_t all, size_t shown)
{
    if (all > (int64_t)shown)
        text_printf(out, "<p class=\"more\">and %" PRId64 " more: see the JSON report</p>\n",
                    all - (int64_t)shown);
}

void
html_time(struct text *out, int64_t utc_ms)
{
    char stamp[CLOCK_STAMP_BYTES];
    if (utc_ms == 0)
        return;
    clock_stamp(utc_ms, stamp);
    text_printf(out, "<time datetime=\"%s\">%.10s %.12s</time>", stamp, stamp, stamp + 11);
}
