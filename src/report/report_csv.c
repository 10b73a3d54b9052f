/* Facts: one line each, with the same columns for all. */
#include "core/symptom.h"
#include "csv_writer.h"
#include "parts.h"
#include "report/report.h"
#include "report/words.h"

#include <assert.h>
#include <stdio.h>

static const char *const columns[] = {"environment", "run_id",  "command",   "utc",     "kind",
                                      "name",        "phase",   "required",  "verdict", "value",
                                      "before",      "planned", "backed_up", "deleted", "after",
                                      "text",        "hint"};

/** One line. What is not said of a fact is an empty cell. */
struct fact_line {
    const char *kind, *name;
    const char *phase;    /* "before", "after" */
    const char *required; /* "yes", "no" */
    const char *verdict;
    const char *text, *hint;
    const int64_t *count; /* rows, an exit status */
    const struct table_outcome *table;
    int64_t utc_ms;
    const int64_t *took_ms; /* a duration instead of a count */
};

struct facts {
    struct csv_writer csv;
    const struct outcome *outcome;
};

static void
write_line(struct facts *facts, const struct fact_line *line)
{
    struct csv_writer *csv = &facts->csv;
    const struct table_outcome *table = line->table;
    csv_cell(csv, facts->outcome->environment);
    csv_cell(csv, facts->outcome->run_id);
    csv_cell(csv, facts->outcome->command);
    csv_time(csv, line->utc_ms);
    csv_cell(csv, line->kind);
    csv_cell(csv, line->name);
    csv_cell(csv, line->phase);
    csv_cell(csv, line->required);
    csv_cell(csv, line->verdict);
    if (line->took_ms)
        csv_seconds(csv, *line->took_ms);
    else
        csv_count(csv, line->count ? *line->count : -1);
    csv_count(csv, table ? table->before_rows : -1);
    csv_count(csv, table ? table->planned_rows : -1);
    csv_count(csv, table ? table->backed_up_rows : -1);
    csv_count(csv, table ? table->deleted_rows : -1);
    csv_count(csv, table ? table->after_rows : -1);
    csv_cell(csv, line->text);
    csv_cell(csv, line->hint);
    csv_end(csv);
}

static const char *
yes_no(bool value)
{
    return value ? "yes" : "no";
}

/** A fact of the run that is a text; none when it is not known. */
static void
write_run_text(struct facts *facts, const char *name, const char *text)
{
    const struct fact_line line = {.kind = "run", .name = name, .text = text};
    if (text && *text)
        write_line(facts, &line);
}

static void
write_run(struct facts *facts)
{
    const struct outcome *outcome = facts->outcome;
    const int64_t status = outcome->exit_status, took_ms = parts_took_ms(outcome);
    write_line(facts, &(struct fact_line){.kind = "run",
                                          .name = "outcome",
                                          .verdict = outcome_word_name(outcome->word),
                                          .count = &status,
                                          .utc_ms = outcome->ended_utc_ms,
                                          .text = outcome->verdict});
    write_line(facts, &(struct fact_line){.kind = "run",
                                          .name = "seconds",
                                          .utc_ms = outcome->started_utc_ms,
                                          .took_ms = &took_ms});
    write_line(facts, &(struct fact_line){
                          .kind = "run", .name = "changed", .verdict = yes_no(outcome->changed)});
    write_run_text(facts, "class", outcome->environment_class);
    write_run_text(facts, "scope", outcome->scope);
    write_run_text(facts, "reason", outcome->reason);
    write_run_text(facts, "undoes", outcome->undoes);
    write_run_text(facts, "settled", outcome->settled);
    write_run_text(facts, "plan_id", outcome->plan_id);
    write_run_text(facts, "run_path", outcome->run_path);
    write_run_text(facts, "program", "dwclean " DWCLEAN_VERSION);
}

static void
write_target_text(struct facts *facts, const char *name, const char *text)
{
    if (text)
        write_line(facts, &(struct fact_line){.kind = "target",
                                              .name = name,
                                              .utc_ms = facts->outcome->before.taken_utc_ms,
                                              .text = text});
}

static void
write_targets(struct facts *facts)
{
    struct parts_target targets[2];
    const size_t count = parts_targets(facts->outcome, targets);
    for (size_t i = 0; i < count; i++) {
        const struct parts_target *target = &targets[i];
        write_line(facts,
                   &(struct fact_line){.kind = "target",
                                       .name = target->half,
                                       .verdict = target->reached ? "reached" : "not reached",
                                       .utc_ms = facts->outcome->before.taken_utc_ms,
                                       .text = target->reached ? NULL : target->why->primary});
        write_target_text(facts, target->is_axdb ? "axdb.server" : "dataverse.host",
                          target->server);
        write_target_text(facts, "axdb.database", target->database);
        write_target_text(facts, "dataverse.organization", target->organization);
        write_target_text(facts, "dataverse.organization_id", target->organization_id);
    }
}

static void
write_tables(struct facts *facts)
{
    const struct outcome *outcome = facts->outcome;
    for (unsigned i = 0; parts_has_tables(outcome) && i < TABLES; i++) {
        const struct table_outcome *table = &outcome->tables[i];
        if (table->asked)
            write_line(facts, &(struct fact_line){.kind = "table",
                                                  .name = table_name((enum table)i),
                                                  .table = table});
    }
}

static void
write_checks(struct facts *facts, const char *phase, const struct evidence *seen)
{
    const bool needs = parts_is_command(facts->outcome, "check");
    for (size_t i = 0; i < seen->observation_count; i++) {
        const struct observation *check = &seen->observations[i];
        write_line(facts, &(struct fact_line){.kind = "check",
                                              .name = check->check,
                                              .phase = phase,
                                              .required = yes_no(check->required),
                                              .verdict = needs ? presence_name(check->verdict)
                                                               : verdict_name(check->verdict),
                                              .utc_ms = seen->taken_utc_ms,
                                              .text = check->text,
                                              .hint = check->hint});
    }
}

static void
write_groups(struct facts *facts, const char *phase, const struct evidence *seen)
{
    for (size_t i = 0; i < seen->host_count; i++) {
        const struct host_count *host = &seen->hosts[i];
        write_line(facts, &(struct fact_line){.kind = "host",
                                              .name = *host->host ? host->host : "(blank)",
                                              .phase = phase,
                                              .verdict = host->own ? "own" : "other",
                                              .count = &host->rows,
                                              .utc_ms = seen->taken_utc_ms});
    }
    for (size_t i = 0; i < seen->family_count; i++) {
        const struct channel_family *family = &seen->families[i];
        write_line(facts, &(struct fact_line){.kind = "channel",
                                              .name = *family->family ? family->family : "(blank)",
                                              .phase = phase,
                                              .verdict = family->foreign ? "foreign" : NULL,
                                              .count = &family->rows,
                                              .utc_ms = seen->taken_utc_ms});
    }
}

static void
write_map_rows(struct facts *facts)
{
    const struct outcome *outcome = facts->outcome;
    for (size_t i = 0; i < outcome->map_row_count; i++) {
        const struct map_row *row = &outcome->map_rows[i];
        write_line(facts, &(struct fact_line){.kind = "map_row",
                                              .name = row->project,
                                              .verdict = row->chosen ? "goes" : "stays",
                                              .text = row->host});
    }
}

static void
write_rows(struct facts *facts)
{
    struct parts_row row;
    for (size_t i = 0; parts_row_at(facts->outcome, i, &row); i++)
        write_line(facts, &(struct fact_line){.kind = "row",
                                              .name = row.key,
                                              .verdict = row.state,
                                              .text = row.why ? row.why->primary : NULL});
}

static void
write_differences(struct facts *facts)
{
    const struct plan_difference *difference = facts->outcome->difference;
    for (unsigned i = 0; difference && i < TABLES; i++) {
        const struct table_difference *table = &difference->tables[i];
        const char *const words[] = {"gone", "new", "changed"};
        const int64_t rows[] = {table->gone.rows, table->fresh.rows, table->changed.rows};
        for (unsigned k = 0; k < 3; k++) {
            if (rows[k])
                write_line(facts, &(struct fact_line){.kind = "difference",
                                                      .name = table_name((enum table)i),
                                                      .verdict = words[k],
                                                      .count = &rows[k]});
        }
        for (size_t k = 0; k < table->column_count; k++)
            write_line(facts, &(struct fact_line){.kind = "difference",
                                                  .name = table_name((enum table)i),
                                                  .verdict = "columns",
                                                  .text = table->columns[k]});
    }
}

static void
write_symptoms(struct facts *facts)
{
    const struct outcome *outcome = facts->outcome;
    for (size_t i = 0; i < outcome->explained_count; i++) {
        const struct explained *explained = &outcome->explained[i];
        const struct symptom *symptom = explained->match->symptom;
        struct fact_line line = {.kind = "symptom",
                                 .name = symptom->id,
                                 .verdict = confirmation_name(explained->confirmation),
                                 .text = symptom->cause};
        write_line(facts, &line);
        line.verdict = "step";
        for (size_t k = 0; k < SYMPTOM_STEPS && symptom->steps[k]; k++) {
            const int64_t step = (int64_t)k + 1;
            line.count = &step;
            line.text = symptom->steps[k];
            write_line(facts, &line);
        }
    }
}

static void
write_situations(struct facts *facts)
{
    const struct outcome *outcome = facts->outcome;
    for (size_t i = 0; i < outcome->situation_count; i++) {
        const struct situation *situation = &outcome->situations[i];
        struct fact_line line = {.kind = "situation",
                                 .name = situation->id,
                                 .verdict = situation->likely ? "likely" : "shown",
                                 .text = situation->title};
        write_line(facts, &line);
        line.verdict = "evidence";
        line.text = situation->evidence;
        write_line(facts, &line);
        line.verdict = "remains";
        for (size_t k = 0; k < situation->remain_count; k++) {
            const int64_t step = (int64_t)k + 1;
            line.count = &step;
            line.text = situation->remains[k];
            write_line(facts, &line);
        }
    }
}

static void
write_error(struct facts *facts)
{
    const struct err *err = &facts->outcome->err;
    const int64_t status = err_exit_status(err->code);
    struct fact_line line = {.kind = "error",
                             .name = "message",
                             .verdict = err_name(err->code),
                             .count = &status,
                             .text = err->primary,
                             .hint = err->hint};
    if (err->code == ERR_NONE)
        return;
    write_line(facts, &line);
    line.count = NULL;
    line.hint = NULL;
    line.name = "detail";
    line.text = err->detail;
    if (*err->detail)
        write_line(facts, &line);
}

static void
write_next(struct facts *facts)
{
    for (size_t i = 0; i < facts->outcome->next_count; i++) {
        const int64_t step = (int64_t)i + 1;
        write_line(facts, &(struct fact_line){
                              .kind = "next", .count = &step, .text = facts->outcome->next[i]});
    }
}

bool
report_csv_head(struct text *ret, struct err *err)
{
    assert(ret && err);
    struct csv_writer csv = {.out = ret};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        csv_cell(&csv, columns[i]);
    csv_end(&csv);
    return text_ok(ret, err);
}

bool
report_csv_item(const struct outcome *outcome, struct text *ret, struct err *err)
{
    assert(outcome && ret && err);
    struct facts facts = {.csv = {.out = ret}, .outcome = outcome};
    write_run(&facts);
    write_targets(&facts);
    write_tables(&facts);
    write_checks(&facts, "before", &outcome->before);
    write_groups(&facts, "before", &outcome->before);
    if (outcome->after_taken) {
        write_checks(&facts, "after", &outcome->after);
        write_groups(&facts, "after", &outcome->after);
    }
    write_map_rows(&facts);
    write_rows(&facts);
    write_differences(&facts);
    write_symptoms(&facts);
    write_situations(&facts);
    write_error(&facts);
    write_next(&facts);
    return text_ok(ret, err);
}

bool
report_csv_tail(struct text *ret, struct err *err)
{
    assert(ret && err);
    return text_ok(ret, err);
}
