/* Rows in numbers: by table, with a chart; by host, URL and channel; of a map. */
#include "html.h"
#include "html_parts.h"
#include "parts.h"
#include "report/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- the chart */

struct bar {
    const char *label;
    size_t offset; /* in struct table_outcome */
};

struct chart {
    const char *caption;
    struct bar bars[2];
    size_t count;
};

#define ROWS_AT(member) offsetof(struct table_outcome, member)

static struct chart
chart_of(const struct outcome *outcome)
{
    const bool undo = parts_is_undo(outcome);
    if (outcome->dry_run && outcome->plan_id && outcome->err.code == ERR_NONE)
        return (struct chart){undo ? "Rows now, and rows that would be put back"
                                   : "Rows now, and rows that would go",
                              {{"now", ROWS_AT(before_rows)},
                               {undo ? "would be put back" : "would go", ROWS_AT(planned_rows)}},
                              2};
    if (!outcome->changed)
        return (struct chart){"Rows that were found", {{"found", ROWS_AT(before_rows)}}, 1};
    /* what the second part of a run found first is what the first part left */
    if (outcome->resumed || parts_is_command(outcome, "resume"))
        return (struct chart){"Rows that were planned, and rows after the change",
                              {{"planned", ROWS_AT(planned_rows)}, {"after", ROWS_AT(after_rows)}},
                              2};
    return (struct chart){"Rows before and after the change",
                          {{"before", ROWS_AT(before_rows)}, {"after", ROWS_AT(after_rows)}},
                          2};
}

static int64_t
rows_at(const struct table_outcome *table, const struct bar *bar)
{
    return parts_number_at(table, &(struct parts_column){"", bar->offset});
}

static int64_t
most_rows(const struct outcome *outcome, const struct chart *chart)
{
    int64_t most = 0;
    for (unsigned i = 0; i < TABLES; i++) {
        for (size_t j = 0; outcome->tables[i].asked && j < chart->count; j++) {
            const int64_t rows = rows_at(&outcome->tables[i], &chart->bars[j]);
            most = rows > most ? rows : most;
        }
    }
    return most;
}

/** The numbers stand beside the bars as text: the picture itself says nothing more. */
static void
write_bar(struct text *out, const char *css, const struct bar *bar, int64_t rows, int64_t most)
{
    text_printf(out,
                "<span class=\"dim\">%s</span><svg aria-hidden=\"true\" "
                "width=\"100%%\" height=\"14\">"
                "<rect class=\"rail\" width=\"100%%\" height=\"100%%\" />",
                bar->label);
    if (rows > 0 && most > 0) {
        const double part = (double)rows / (double)most * 1000;
        const int tenths = part < 5 ? 5 : (int)part; /* what is there is seen */
        text_printf(out, "<rect class=\"%s\" width=\"%d.%d%%\" height=\"100%%\" />", css,
                    tenths / 10, tenths % 10);
    }
    text_append(out, "</svg>");
    if (rows < 0)
        text_append(out, "<span class=\"n\">not known</span>\n");
    else
        text_printf(out, "<span class=\"n\">%" PRId64 "</span>\n", rows);
}

static void
write_chart(struct text *out, const struct outcome *outcome)
{
    static const char *const css[] = {"first", "second"};
    const struct chart chart = chart_of(outcome);
    const int64_t most = most_rows(outcome, &chart);
    text_printf(out, "<figure>\n<figcaption>%s</figcaption>\n<div class=\"bars\">\n",
                chart.caption);
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        if (!table->asked)
            continue;
        text_printf(out, "<span class=\"name\">%s</span>\n", table_name((enum table)i));
        for (size_t j = 0; j < chart.count; j++)
            write_bar(out, css[j], &chart.bars[j], rows_at(table, &chart.bars[j]), most);
    }
    text_append(out, "</div>\n</figure>\n");
}

/* ---- the tables */

/** "WOULD DELETE" -> "Would delete". */
static void
soften(const char *title, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s", title);
    for (char *p = ret; *p; p++) {
        if (p != ret)
            *p = (char)tolower((unsigned char)*p);
    }
}

enum { TITLE_BYTES = 24 };

static void
write_numbers(struct text *out, const struct outcome *outcome)
{
    struct html_column columns[LAYOUT_GRID_COLUMNS] = {{"Table", false}};
    char titles[LAYOUT_GRID_COLUMNS][TITLE_BYTES];
    size_t count = 0;
    const struct parts_column *numbers = parts_columns(outcome, &count);
    const struct html_table table = {"Rows by table", columns, count + 1, false};
    for (size_t i = 0; i < count; i++) {
        soften(numbers[i].title, titles[i], TITLE_BYTES);
        columns[i + 1] = (struct html_column){titles[i], true};
    }
    html_table_open(out, &table);
    for (unsigned i = 0; i < TABLES; i++) {
        if (!outcome->tables[i].asked)
            continue;
        html_row_open(out);
        html_cell(out, &table, 0, table_name((enum table)i));
        for (size_t j = 0; j < count; j++)
            html_number(out, &table, j + 1, parts_number_at(&outcome->tables[i], &numbers[j]));
        html_row_close(out);
    }
    html_table_close(out);
}

static void
write_notes(struct text *out, const struct outcome *outcome)
{
    struct parts_note notes[PARTS_NOTES];
    const size_t count = parts_notes(outcome, notes);
    text_append(out, count ? "<ul>\n" : "");
    for (size_t i = 0; i < count; i++)
        text_printf(out, "<li>%" PRId64 " %s of %s: %s</li>\n", notes[i].rows,
                    parts_rows(notes[i].rows), notes[i].table, notes[i].what);
    text_append(out, count ? "</ul>\n" : "");
}

/* ---- by host, URL and channel */

enum { CAPTION_BYTES = 120 };

static void
make_caption(const struct outcome *outcome, const char *title, char ret[CAPTION_BYTES])
{
    (void)snprintf(ret, CAPTION_BYTES, "%s%s", title, parts_look_text(outcome));
}

static void
write_hosts(struct text *out, const struct outcome *outcome)
{
    static const struct html_column columns[] = {{"Host", false}, {"Rows", true}, {"Whose", false}};
    const struct evidence *seen = &outcome->before;
    char caption[CAPTION_BYTES];
    const struct html_table table = {caption, columns, 3, false};
    if (seen->host_count == 0)
        return;
    make_caption(outcome,
                 parts_would_delete(outcome, TABLE_PROJECT) ? "Project rows that would go, by host"
                                                            : "Hosts that the project rows name",
                 caption);
    html_table_open(out, &table);
    for (size_t i = 0; i < seen->host_count && i < PARTS_ROWS_SHOWN; i++) {
        const struct host_count *host = &seen->hosts[i];
        html_row_open(out);
        html_cell(out, &table, 0, *host->host ? host->host : "(no host)");
        html_number(out, &table, 1, host->rows);
        html_cell(out, &table, 2,
                  host->own        ? "the target's own organization"
                  : !*host->host   ? "names no environment"
                  : seen->own_host ? "another environment"
                                   : "not known: the own host is not known");
        html_row_close(out);
    }
    html_table_close(out);
    html_more(out, (int64_t)seen->host_count, PARTS_ROWS_SHOWN);
}

static void
write_urls(struct text *out, const struct outcome *outcome)
{
    static const struct html_column columns[] = {{"URL", false}, {"STATUS", true}, {"Rows", true}};
    const struct axdb_evidence *axdb = outcome->before.axdb;
    char caption[CAPTION_BYTES];
    const struct html_table table = {caption, columns, 3, false};
    if (!axdb || !axdb->urls_known || axdb->url_count == 0)
        return;
    make_caption(outcome, "Project rows by URL, without what may be secret in it", caption);
    html_table_open(out, &table);
    for (size_t i = 0; i < axdb->url_count && i < PARTS_ROWS_SHOWN; i++) {
        TEXT_SCOPED url = {0};
        words_append_url(&url, axdb->urls[i].url);
        html_row_open(out);
        html_cell_open(out, &table, 0);
        html_value(out, url.used ? text_string(&url) : "(none)");
        html_cell_close(out, 0);
        html_signed(out, &table, 1, axdb->urls[i].status);
        html_number(out, &table, 2, axdb->urls[i].rows);
        html_row_close(out);
    }
    html_table_close(out);
    html_more(out, (int64_t)axdb->url_count, PARTS_ROWS_SHOWN);
}

static void
write_families(struct text *out, const struct outcome *outcome)
{
    static const struct html_column columns[] = {
        {"Channel family", false}, {"Rows", true}, {"Whose", false}};
    const struct evidence *seen = &outcome->before;
    char caption[CAPTION_BYTES];
    const struct html_table table = {caption, columns, 3, false};
    if (seen->family_count == 0)
        return;
    make_caption(outcome, "Event rows by channel family", caption);
    html_table_open(out, &table);
    for (size_t i = 0; i < seen->family_count && i < PARTS_ROWS_SHOWN; i++) {
        const struct channel_family *family = &seen->families[i];
        html_row_open(out);
        html_cell(out, &table, 0, *family->family ? family->family : "(blank)");
        html_number(out, &table, 1, family->rows);
        html_cell(out, &table, 2, family->foreign ? "of another feature" : "");
        html_row_close(out);
    }
    html_table_close(out);
    html_more(out, (int64_t)seen->family_count, PARTS_ROWS_SHOWN);
}

static void
write_channel_row(struct text *out, const struct html_table *table,
                  const struct axdb_channel_count *group, const char *fate)
{
    html_row_open(out);
    html_cell(out, table, 0, *group->channel ? group->channel : "(blank)");
    html_number(out, table, 1, group->rows);
    html_signed(out, table, 2, group->direction);
    html_signed(out, table, 3, group->handler_class);
    html_signed(out, table, 4, group->enabled);
    if (fate)
        html_cell(out, table, 5, fate);
    html_row_close(out);
}

static void
write_channels(struct text *out, const struct outcome *outcome)
{
    static const struct html_column columns[] = {{"Channel", false},  {"Rows", true},
                                                 {"Direction", true}, {"Handler class", true},
                                                 {"Enabled", true},   {"Plan", false}};
    const struct axdb_evidence *axdb = outcome->before.axdb;
    const bool would = parts_would_delete(outcome, TABLE_EVENTS);
    const struct axdb_channel_count *groups[PARTS_ROWS_SHOWN];
    char caption[CAPTION_BYTES];
    const struct html_table table = {caption, columns, would ? 6 : 5, false};
    if (!axdb || !axdb->channels_known || axdb->channel_count == 0)
        return;
    make_caption(outcome, "Event rows by channel", caption);
    html_table_open(out, &table);
    const size_t count = parts_largest_groups(axdb, groups);
    for (size_t i = 0; i < count; i++)
        write_channel_row(out, &table, groups[i],
                          !would                                  ? NULL
                          : parts_group_stays(outcome, groups[i]) ? "would stay"
                                                                  : "would go");
    html_table_close(out);
    html_more(out, (int64_t)axdb->channel_count, count);
}

/* ---- a map */

static const char *
fate_of(const struct map_row *row, bool would)
{
    static const char *const fates[2][2] = {{"stays", "goes"}, {"would stay", "would go"}};
    return fates[would][row->chosen];
}

static void
write_map_row(struct text *out, const struct html_table *table, const struct map_row *row,
              bool would)
{
    TEXT_SCOPED host = {0};
    text_printf(&host, "%s%s", *row->host ? row->host : "(no host)", row->own ? " (own)" : "");
    html_row_open(out);
    html_cell(out, table, 0, row->project);
    html_cell(out, table, 1, text_string(&host));
    if (row->status < 0)
        html_cell(out, table, 2, "not a number");
    else
        html_number(out, table, 2, row->status);
    html_cell(out, table, 3, fate_of(row, would));
    html_row_close(out);
}

static void
write_map(struct text *out, const struct outcome *outcome)
{
    static const struct html_column columns[] = {
        {"Project", false}, {"Host", false}, {"STATUS", true}, {"Plan", false}};
    const struct html_table table = {"Project rows of the map", columns, 4, false};
    if (outcome->map_row_count == 0)
        return;
    html_table_open(out, &table);
    for (size_t i = 0; i < outcome->map_row_count && i < PARTS_ROWS_SHOWN; i++)
        write_map_row(out, &table, &outcome->map_rows[i], outcome->dry_run);
    html_table_close(out);
    html_more(out, (int64_t)outcome->map_row_count, PARTS_ROWS_SHOWN);
}

void
html_write_rows(struct text *out, const struct outcome *outcome)
{
    html_section_open(out, "Rows");
    write_chart(out, outcome);
    write_numbers(out, outcome);
    write_notes(out, outcome);
    write_map(out, outcome);
    html_section_close(out);
    if (outcome->before.host_count == 0 && outcome->before.family_count == 0 &&
        (!outcome->before.axdb ||
         (outcome->before.axdb->url_count == 0 && outcome->before.axdb->channel_count == 0)))
        return;
    html_section_open(out, "Whose rows these are");
    write_hosts(out, outcome);
    write_urls(out, outcome);
    write_families(out, outcome);
    write_channels(out, outcome);
    html_section_close(out);
}
