/* What stands above the reports of several environments. */
#include "fleet_parts.h"
#include "html.h"

#include <inttypes.h>
#include <stdio.h>

enum { SECONDS_BYTES = 32 };

static void
write_member(struct text *out, const struct html_table *table, const struct fleet_member *member)
{
    char seconds[SECONDS_BYTES];
    (void)snprintf(seconds, sizeof(seconds), "%" PRId64 ".%d", member->duration_ms / 1000,
                   (int)(member->duration_ms % 1000 / 100));
    html_row_open(out);
    html_cell(out, table, 0, member->name);
    html_cell(out, table, 1, member->class_name ? member->class_name : "");
    html_cell(out, table, 2, outcome_word_name(member->word));
    html_number(out, table, 3, member->axdb_rows);
    html_number(out, table, 4, member->runtime_rows);
    html_cell(out, table, 5, seconds);
    html_number(out, table, 6, member->exit_status);
    html_cell(out, table, 7, text_string(&member->verdict));
    html_row_close(out);
}

void
fleet_html_summary(const struct fleet *fleet, struct text *ret)
{
    static const struct html_column columns[] = {
        {"Environment", false}, {"Class", false},  {"Result", false}, {"AxDB rows", true},
        {"Dataverse", true},    {"Seconds", true}, {"Status", true},  {"Found", false}};
    static const struct html_table table = {.caption = "Environments, in the order asked for",
                                            .columns = columns,
                                            .count = sizeof(columns) / sizeof(columns[0])};
    TEXT_SCOPED verdict = {0};
    fleet_verdict(fleet, &verdict);
    html_paragraph(ret, "verdict", text_string(&verdict));
    html_table_open(ret, &table);
    for (size_t i = 0; i < fleet->count; i++)
        write_member(ret, &table, &fleet->members[i]);
    html_table_close(ret);
}
