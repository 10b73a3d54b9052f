#include "base/clock.h"
#include "fleet_parts.h"
#include "parts.h"
#include "report/layout.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_BYTES = 32,
    COLUMNS = 7,
    CLASS_COLUMN = 1,
    WIDE_WITHOUT_NAME = 60, /* columns of the table besides the names */
};

static enum layout_colour
colour_of(int status)
{
    return status == 0 ? COLOUR_GOOD : status == 2 || status == 3 ? COLOUR_WARNING : COLOUR_BAD;
}

static const char *
capitals(enum outcome_word word, char ret[WORD_BYTES])
{
    (void)snprintf(ret, WORD_BYTES, "%s", outcome_word_name(word));
    for (char *p = ret; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return ret;
}

/* ---- table */

/** The class makes room for the rest where lines are short; it stands in the paragraphs too. */
static bool
has_room(const struct layout *layout, const struct fleet *fleet)
{
    size_t longest = 0;
    for (size_t i = 0; i < fleet->count; i++) {
        const size_t size = strlen(fleet->members[i].name);
        longest = size > longest ? size : longest;
    }
    return longest + WIDE_WITHOUT_NAME <= layout->width;
}

static bool
write_row(struct layout_grid *grid, const struct fleet_member *member, bool roomy, struct err *err)
{
    char word[WORD_BYTES], axdb[PARTS_NUMBER_BYTES], runtime[PARTS_NUMBER_BYTES];
    char seconds[PARTS_NUMBER_BYTES], status[PARTS_NUMBER_BYTES];
    const char *cells[COLUMNS];
    size_t count = 0;
    (void)snprintf(seconds, sizeof(seconds), "%" PRId64 ".%d", member->duration_ms / 1000,
                   (int)(member->duration_ms % 1000 / 100));
    (void)snprintf(status, sizeof(status), "%d", member->exit_status);
    cells[count++] = member->name;
    if (roomy)
        cells[count++] = member->class_name ? member->class_name : "";
    cells[count++] = capitals(member->word, word);
    cells[count++] = parts_number(member->axdb_rows, axdb);
    cells[count++] = parts_number(member->runtime_rows, runtime);
    cells[count++] = seconds;
    cells[count++] = status;
    return layout_grid_row(grid, cells, err);
}

static bool
write_table(const struct layout *layout, const struct fleet *fleet, struct err *err)
{
    static const struct layout_column roomy_columns[COLUMNS] = {
        {"ENVIRONMENT", KIND_TEXT}, {"CLASS", KIND_WORD},       {"RESULT", KIND_WORD},
        {"AXDB", KIND_NUMBER},      {"DATAVERSE", KIND_NUMBER}, {"SECONDS", KIND_NUMBER},
        {"STATUS", KIND_NUMBER}};
    static const struct layout_column short_columns[COLUMNS - 1] = {
        {"ENVIRONMENT", KIND_TEXT}, {"RESULT", KIND_WORD}, {"AXDB", KIND_NUMBER},
        {"DATAV.", KIND_NUMBER},    {"SEC.", KIND_NUMBER}, {"STATUS", KIND_NUMBER}};
    const bool roomy = has_room(layout, fleet);
    struct layout_grid *grid = layout_grid_new(layout, roomy ? roomy_columns : short_columns,
                                               roomy ? COLUMNS : COLUMNS - 1);
    if (!grid)
        return err_set(err, ERR_INTERNAL, "out of memory");
    layout_heading(layout, "Environments");
    bool ok = true;
    for (size_t i = 0; ok && i < fleet->count; i++)
        ok = write_row(grid, &fleet->members[i], roomy, err);
    ok = ok && layout_grid_print(grid, err);
    layout_grid_free(grid);
    return ok;
}

/* ---- paragraphs */

/** As a shell takes it. */
static void
append_word(struct text *ret, const char *word)
{
    const bool plain = !word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789_-.")];
    text_append(ret, plain ? "" : "'");
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            text_append(ret, "'\\''");
        else
            text_append_bytes(ret, p, 1);
    }
    text_append(ret, plain ? "" : "'");
}

static void
write_alone(const struct layout *layout, const struct fleet *fleet,
            const struct fleet_member *member)
{
    static const char lead[] = "  alone         ";
    TEXT_SCOPED line = {0};
    text_printf(&line, "dwclean %s %s--env ", fleet->command, fleet->options ? fleet->options : "");
    append_word(&line, member->name);
    text_append(layout->out, lead);
    layout_statement(layout, sizeof(lead) - 1, text_string(&line));
}

static void
write_paragraph(const struct layout *layout, const struct fleet *fleet,
                const struct fleet_member *member)
{
    char word[WORD_BYTES];
    const char *verdict = text_string(&member->verdict);
    TEXT_SCOPED name = {0};
    text_append_shown(&name, member->name, strlen(member->name));
    text_append(layout->out, "\n");
    layout_word(layout, text_string(&name), 0, COLOUR_STRONG);
    text_append(layout->out, "  ");
    layout_word(layout, capitals(member->word, word), 0, colour_of(member->exit_status));
    text_printf(layout->out, "  exit status %d", member->exit_status);
    text_append(layout->out, member->class_name ? ", class " : "\n");
    if (member->class_name)
        layout_flow(layout, 0, member->class_name);
    layout_pair(layout, "verdict", verdict);
    if (member->err.code != ERR_NONE) {
        if (strcmp(verdict, member->err.primary) != 0)
            layout_pair(layout, "error", member->err.primary);
        layout_pair(layout, "detail", member->err.detail);
        layout_pair(layout, "hint", member->err.hint);
    }
    write_alone(layout, fleet, member);
}

/** Does `a` come before `b`? Both with their places in the order asked for. */
static bool
comes_before(const struct fleet *fleet, size_t a, size_t b)
{
    const int x = fleet->members[a].exit_status, y = fleet->members[b].exit_status;
    const int counts = fleet_worse_status(x, x);
    const bool as_bad = counts == fleet_worse_status(y, y);
    return as_bad ? a < b : fleet_worse_status(x, y) == counts;
}

/** Each that is not well, the worst first, and else in the order asked for. */
static bool
write_paragraphs(const struct layout *layout, const struct fleet *fleet, struct err *err)
{
    bool *told = calloc(fleet->count, sizeof(*told));
    if (!told)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (;;) {
        size_t next = fleet->count;
        for (size_t i = 0; i < fleet->count; i++) {
            if (told[i] || fleet_is_well(&fleet->members[i]))
                continue;
            if (next == fleet->count || comes_before(fleet, i, next))
                next = i;
        }
        if (next == fleet->count)
            break;
        told[next] = true;
        write_paragraph(layout, fleet, &fleet->members[next]);
    }
    free(told);
    return true;
}

/** Who looks for the status in the table must find it. */
static void
put_status(const struct fleet *fleet, char *ret, size_t size)
{
    const int status = fleet_exit_status(fleet);
    bool there = false;
    for (size_t i = 0; i < fleet->count; i++)
        there = there || fleet->members[i].exit_status == status;
    if (fleet->signal)
        (void)snprintf(ret, size, "%d, stopped by signal %d", status, fleet->signal);
    else
        (void)snprintf(ret, size, "%d, the worst of all%s", status,
                       there ? "" : "; 64, 78 and interrupted of one count as 1");
}

static void
write_run(const struct layout *layout, const struct fleet *fleet)
{
    char line[160], started[CLOCK_STAMP_BYTES];
    clock_stamp(fleet->started_utc_ms, started);
    layout_heading(layout, "Run");
    (void)snprintf(line, sizeof(line), "%s, took %" PRId64 ".%03d s, up to %u at once", started,
                   fleet->duration_ms / 1000, (int)(fleet->duration_ms % 1000), fleet->jobs);
    layout_pair(layout, "started", line);
    layout_pair(layout, "configuration", fleet->config_file);
    put_status(fleet, line, sizeof(line));
    layout_pair(layout, "exit status", line);
}

bool
fleet_text(const struct fleet *fleet, const struct report_place *place, struct text *ret,
           struct err *err)
{
    const unsigned wanted = place->width ? place->width : LAYOUT_WIDTH;
    const struct layout layout = {
        .out = ret,
        .width = wanted < LAYOUT_MIN_WIDTH ? LAYOUT_MIN_WIDTH : wanted,
        .colour = place->colour,
    };
    char word[WORD_BYTES];
    TEXT_SCOPED verdict = {0};

    fleet_verdict(fleet, &verdict);
    layout_word(&layout, capitals(fleet_word(fleet), word), 0, colour_of(fleet_exit_status(fleet)));
    text_append(ret, "  ");
    layout_flow(&layout, (unsigned)strlen(word) + 2, text_string(&verdict));
    if (!write_table(&layout, fleet, err) || !write_paragraphs(&layout, fleet, err))
        return false;
    write_run(&layout, fleet);
    return text_ok(&verdict, err);
}
