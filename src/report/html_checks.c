/* What the checks say, and rows of Dataverse by name. */
#include "html.h"
#include "html_parts.h"
#include "parts.h"
#include "report/words.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- checks */

static void
write_result(struct text *out, const struct observation *seen, bool needs)
{
    static const char *const signs[] = {"&#10003;", "&#10007;", "?"};
    static const char *const css[] = {"good", "bad", "warn"};
    text_printf(out, "<b class=\"%s\"><span aria-hidden=\"true\">%s</span> %s</b>",
                css[seen->verdict], signs[seen->verdict],
                needs ? presence_name(seen->verdict) : verdict_name(seen->verdict));
}

static void
write_evidence(struct text *out, const struct observation *seen, bool needs)
{
    html_value(out, seen->text);
    if (seen->code && seen->verdict == VERDICT_DIFFERS) {
        /* not its result: dwclean did not run that check */
        text_append(out, "; corresponds to Microsoft health check code ");
        html_value(out, seen->code);
    }
    if (!seen->hint || !*seen->hint)
        return;
    text_append(out, needs ? "<p class=\"dim\">Do: <code>" : "<p class=\"dim\">Hint: ");
    html_value(out, seen->hint);
    text_append(out, needs ? "</code></p>" : "</p>");
}

static void
write_check(struct text *out, const struct html_table *table, const struct observation *seen,
            bool needs)
{
    html_row_open(out);
    text_append(out, "<th scope=\"row\" role=\"rowheader\" class=\"s\">");
    html_value(out, seen->check);
    text_append(out, "</th><td role=\"cell\" class=\"s\">");
    text_append(out, seen->required ? "required</td>" : "advisory</td>");
    text_append(out, "<td role=\"cell\" class=\"s\">");
    write_result(out, seen, needs);
    text_append(out, "</td>");
    html_cell_open(out, table, 3);
    write_evidence(out, seen, needs);
    html_cell_close(out, 3);
    html_row_close(out);
}

static void
write_observations(struct text *out, const struct evidence *evidence, const char *caption,
                   bool needs)
{
    static const struct html_column columns[] = {
        {"Check", false}, {"Weight", false}, {"Result", false}, {"Evidence", false}};
    const struct html_table table = {caption, columns, 4, true};
    if (evidence->observation_count == 0)
        return;
    html_table_open(out, &table);
    for (int required = 1; required >= 0; required--) {
        for (size_t i = 0; i < evidence->observation_count; i++) {
            if (evidence->observations[i].required == (required == 1))
                write_check(out, &table, &evidence->observations[i], needs);
        }
    }
    html_table_close(out);
}

static size_t
count_required(const struct evidence *evidence, enum verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < evidence->observation_count; i++) {
        const struct observation *seen = &evidence->observations[i];
        count += seen->required && seen->verdict == verdict ? 1 : 0;
    }
    return count;
}

static void
count_results(const struct evidence *evidence, bool needs, struct text *ret)
{
    const size_t differ = count_required(evidence, VERDICT_DIFFERS);
    const size_t unknown = count_required(evidence, VERDICT_UNKNOWN);
    const size_t ok = count_required(evidence, VERDICT_OK);
    const char *word = needs ? "missing" : differ == 1 ? "differs" : "differ";
    text_printf(ret,
                "Of %zu required checks: %zu %s, %zu unknown, %zu ok. Advisory checks are shown, "
                "and never decide the verdict.",
                differ + unknown + ok, differ, word, unknown, ok);
}

void
html_write_checks(struct text *out, const struct outcome *outcome)
{
    const bool needs = parts_is_command(outcome, "check");
    const struct evidence *seen = outcome->after_taken ? &outcome->after : &outcome->before;
    TEXT_SCOPED counts = {0};
    if (outcome->before.observation_count == 0 && seen->observation_count == 0)
        return;
    html_section_open(out, needs ? "What a run needs" : "Checks");
    count_results(seen, needs, &counts);
    html_paragraph(out, "dim", text_string(&counts));
    if (!outcome->after_taken) {
        write_observations(out, seen, needs ? "Needs" : "Checks and their evidence", needs);
    } else {
        write_observations(out, &outcome->after,
                           parts_is_undo(outcome)
                               ? "Made again on new connections: what verify says now"
                               : "Made again on new connections after the change",
                           false);
        write_observations(out, &outcome->before,
                           outcome->resumed ? "When this part began" : "Before the change", false);
    }
    html_section_close(out);
}

/* ---- rows by name */

static void
write_state(struct text *out, const struct html_table *table, const char *state, int http_status)
{
    html_cell_open(out, table, 1);
    html_value(out, state);
    if (http_status)
        text_printf(out, ", HTTP %d", http_status);
    html_cell_close(out, 1);
}

static const struct html_column fault_columns[] = {
    {"Row", false}, {"State", false}, {"Why", false}, {"Request", false}};

static void
write_removals(struct text *out, const struct outcome *outcome)
{
    const struct html_table table = {"Rows of Dataverse that did not leave", fault_columns, 4,
                                     false};
    if (outcome->removal_count == 0)
        return;
    html_table_open(out, &table);
    for (size_t i = 0; i < outcome->removal_count && i < PARTS_ROWS_SHOWN; i++) {
        const struct removal *removal = &outcome->removals[i];
        html_row_open(out);
        html_cell(out, &table, 0, removal->row ? removal->row->key : "");
        write_state(out, &table, removal_state_name(removal->state), removal->http_status);
        html_cell(out, &table, 2, removal->why.primary);
        html_cell(out, &table, 3, removal->request_id);
        html_row_close(out);
    }
    html_table_close(out);
    html_more(out, outcome_rows_unsettled(&outcome->tables[TABLE_RUNTIME]), PARTS_ROWS_SHOWN);
}

static void
write_returns(struct text *out, const struct outcome *outcome)
{
    const struct html_table table = {"Rows of Dataverse that did not come back", fault_columns, 4,
                                     false};
    if (outcome->return_count == 0)
        return;
    html_table_open(out, &table);
    for (size_t i = 0; i < outcome->return_count && i < PARTS_ROWS_SHOWN; i++) {
        const struct returned *returned = &outcome->returns[i];
        html_row_open(out);
        html_cell(out, &table, 0, returned->key);
        write_state(out, &table, return_state_name(returned->state), returned->http_status);
        html_cell(out, &table, 2, returned->why.primary);
        html_cell(out, &table, 3, returned->request_id);
        html_row_close(out);
    }
    html_table_close(out);
    html_more(out, outcome_rows_unsettled(&outcome->tables[TABLE_RUNTIME]), PARTS_ROWS_SHOWN);
}

static void
write_runtime_rows(struct text *out, const char *caption, const struct runtime_row *rows,
                   size_t listed, int64_t all)
{
    static const struct html_column columns[] = {
        {"Map", false}, {"Entities", false}, {"Modified", false}, {"Row", false}};
    const struct html_table table = {caption, columns, 4, false};
    const size_t shown = listed < PARTS_ROWS_SHOWN ? listed : PARTS_ROWS_SHOWN;
    if (listed == 0)
        return;
    html_table_open(out, &table);
    for (size_t i = 0; i < shown; i++) {
        const struct runtime_row *row = &rows[i];
        TEXT_SCOPED entities = {0};
        text_printf(&entities, "%s%s%s", row->internal_entity,
                    *row->internal_entity && *row->external_entity ? ", " : "",
                    row->external_entity);
        html_row_open(out);
        html_cell(out, &table, 0, *row->name ? row->name : "(no name)");
        html_cell(out, &table, 1, text_string(&entities));
        html_cell(out, &table, 2, row->modified_on);
        html_cell(out, &table, 3, row->key);
        html_row_close(out);
    }
    html_table_close(out);
    html_more(out, all, shown);
}

/* ---- a stale plan */

static void
write_keys(struct text *out, const char *what, const struct key_list *list)
{
    if (list->rows == 0)
        return;
    text_printf(out, "<li>%" PRId64 " %s %s: <code>", list->rows, parts_rows(list->rows), what);
    for (size_t i = 0; i < list->count; i++) {
        text_append(out, i ? ", " : "");
        html_value(out, list->keys[i]);
    }
    text_append(out, "</code>");
    if (list->rows > (int64_t)list->count)
        text_printf(out, " and %" PRId64 " more", list->rows - (int64_t)list->count);
    text_append(out, "</li>\n");
}

static void
write_difference(struct text *out, const struct plan_difference *difference)
{
    html_section_open(out, "What changed since the plan was made");
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_difference *table = &difference->tables[i];
        if (table->gone.rows == 0 && table->fresh.rows == 0 && table->changed.rows == 0 &&
            table->column_count == 0)
            continue;
        text_printf(out, "<h4>%s</h4>\n<ul>\n", table_name((enum table)i));
        write_keys(out, "gone", &table->gone);
        write_keys(out, "new", &table->fresh);
        write_keys(out, "changed", &table->changed);
        for (size_t j = 0; j < table->column_count; j++) {
            text_append(out, "<li>");
            html_value(out, table->columns[j]);
            text_append(out, "</li>\n");
        }
        text_append(out, "</ul>\n");
    }
    html_section_close(out);
}

void
html_write_lists(struct text *out, const struct outcome *outcome)
{
    const struct evidence *seen = outcome->after_taken ? &outcome->after : &outcome->before;
    const bool found = seen->runtime && seen->runtime->kept_count > 0;
    if (outcome->difference)
        write_difference(out, outcome->difference);
    if (outcome->removal_count == 0 && outcome->return_count == 0 &&
        outcome->written_after_count == 0 && !found)
        return;
    html_section_open(out, "Rows of Dataverse by name");
    write_removals(out, outcome);
    write_returns(out, outcome);
    write_runtime_rows(out, "Written after the plan", outcome->written_after,
                       outcome->written_after_count, outcome->tables[TABLE_RUNTIME].new_rows);
    if (found)
        write_runtime_rows(out,
                           outcome->after_taken ? "There after the change"
                           : outcome->changed   ? "There before the change"
                                                : "Found there",
                           seen->runtime->rows, seen->runtime->kept_count,
                           (int64_t)seen->runtime->row_count);
    html_section_close(out);
}
