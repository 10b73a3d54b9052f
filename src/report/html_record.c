/* What happened when, and what can be compared later. */
#include "base/clock.h"
#include "html.h"
#include "html_parts.h"
#include "parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- timeline */

/** The steps of the journal in words. */
static const struct {
    const char *step;
    const char *words;
} step_words[] = {
    {"open", "run directory and journal made"},
    {"identity", "target put on record"},
    {"plan", "plan made: every row by key and SHA-256"},
    {"confirmed", "plan confirmed by the operator"},
    {"locked", "application lock taken in the database"},
    {"backup-sealed", "every planned row backed up, read back and sealed"},
    {"begin", "transaction in AxDB begins"},
    {"commit-sent", "COMMIT sent"},
    {"committed", "COMMIT answered: the change of AxDB is done"},
    {"rolled-back", "rolled back: AxDB is as before"},
    {"commit-unknown", "no answer to COMMIT"},
    {"settled", "found out how the COMMIT came out"},
    {"resumed", "the run goes on"},
    {"purge-outcome", "rows of Dataverse deleted, each with its answer on record"},
    {"return-outcome", "rows of Dataverse put back, each with its answer on record"},
    {"backup-again", "rows that the service had stamped backed up once more"},
    {"verified", "fresh look judged"},
    {"close", "run closed"},
    {"stopped", "run stopped: not everything is done"},
};

static const char *
words_of(const char *step)
{
    for (size_t i = 0; i < sizeof(step_words) / sizeof(step_words[0]); i++) {
        if (strcmp(step_words[i].step, step) == 0)
            return step_words[i].words;
    }
    return "";
}

struct moment {
    int64_t utc_ms;
    int64_t last_utc_ms; /* 0 = one moment */
    int64_t times;
    const char *words;
    const char *step; /* NULL: not of the journal */
};

struct timeline {
    struct text *out;
    struct html_table table;
    int64_t started_utc_ms;
};

static void
write_offset(const struct timeline *timeline, int64_t utc_ms)
{
    const int64_t since_ms = utc_ms - timeline->started_utc_ms;
    html_cell_open(timeline->out, &timeline->table, 1);
    if (since_ms >= 0)
        text_printf(timeline->out, "+%" PRId64 ".%03d s", since_ms / 1000, (int)(since_ms % 1000));
    html_cell_close(timeline->out, 1);
}

static void
write_moment(const struct timeline *timeline, const struct moment *moment)
{
    struct text *out = timeline->out;
    if (moment->utc_ms == 0)
        return;
    html_row_open(out);
    html_cell_open(out, &timeline->table, 0);
    html_time(out, moment->utc_ms);
    html_cell_close(out, 0);
    write_offset(timeline, moment->utc_ms);
    html_cell_open(out, &timeline->table, 2);
    html_value(out, moment->words);
    if (moment->times > 1) {
        text_printf(out, " (%" PRId64 " records, until ", moment->times);
        html_time(out, moment->last_utc_ms);
        text_append(out, ")");
    }
    html_cell_close(out, 2);
    html_cell_open(out, &timeline->table, 3);
    text_append(out, moment->step ? "<code>" : "");
    html_value(out, moment->step);
    text_append(out, moment->step ? "</code>" : "");
    html_cell_close(out, 3);
    html_row_close(out);
}

static void
write_steps(const struct timeline *timeline, const struct outcome *outcome)
{
    /* the looks are not in the journal: each stands before the first step that came after it */
    struct moment looks[] = {
        {.utc_ms = outcome->before.taken_utc_ms, .words = "first look at the target"},
        {.utc_ms = outcome->after_taken ? outcome->after.taken_utc_ms : 0,
         .words = "fresh look on new connections"},
    };
    size_t next = 0;
    for (size_t i = 0; i < outcome->step_count; i++) {
        const struct run_step *step = &outcome->steps[i];
        while (next < 2 && looks[next].utc_ms <= step->first_utc_ms)
            write_moment(timeline, &looks[next++]);
        write_moment(timeline, &(struct moment){.utc_ms = step->first_utc_ms,
                                                .last_utc_ms = step->last_utc_ms,
                                                .times = step->times,
                                                .words = words_of(step->step),
                                                .step = step->step});
    }
    while (next < 2)
        write_moment(timeline, &looks[next++]);
}

void
html_write_timeline(struct text *out, const struct outcome *outcome)
{
    static const struct html_column columns[] = {
        {"Time (UTC)", false}, {"Since start", true}, {"What", false}, {"Journal", false}};
    const struct timeline timeline = {.out = out,
                                      .table = {outcome->resumed
                                                    ? "What happened when, in this part of the run"
                                                    : "What happened when",
                                                columns, 4, false},
                                      .started_utc_ms = outcome->started_utc_ms};
    if (outcome->started_utc_ms <= 0)
        return;
    html_section_open(out, "Timeline");
    html_table_open(out, &timeline.table);
    write_moment(&timeline,
                 &(struct moment){.utc_ms = outcome->started_utc_ms, .words = "command started"});
    write_steps(&timeline, outcome);
    write_moment(&timeline,
                 &(struct moment){.utc_ms = outcome->ended_utc_ms, .words = "report written"});
    html_table_close(out);
    html_more(out, (int64_t)outcome->step_count + outcome->steps_unlisted, outcome->step_count);
    html_section_close(out);
}

/* ---- record */

static bool
is_zero(const struct digest *digest)
{
    static const struct digest zero;
    return digest_equal(digest, &zero);
}

static bool
has_digest(const struct table_outcome *table)
{
    return table->asked && table->planned_rows >= 0 && table->state.rows == table->planned_rows &&
           !is_zero(&table->state.digest);
}

static void
write_digests(struct text *out, const struct outcome *outcome)
{
    static const struct html_column columns[] = {
        {"Table", false}, {"Rows", true}, {"SHA-256 over key, digest and version of each", false}};
    const bool sealed = outcome->tables[0].backed_up_rows >= 0 ||
                        outcome->tables[TABLE_RUNTIME].backed_up_rows >= 0;
    const struct html_table table = {sealed && !parts_is_undo(outcome)
                                         ? "Rows that were planned and backed up"
                                         : "Rows that were planned",
                                     columns, 3, false};
    bool any = false;
    for (unsigned i = 0; i < TABLES; i++)
        any = any || has_digest(&outcome->tables[i]);
    if (!any)
        return;
    html_table_open(out, &table);
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table_outcome *rows = &outcome->tables[i];
        char hex[DIGEST_HEX_BYTES];
        if (!has_digest(rows))
            continue;
        digest_hex(&rows->state.digest, hex);
        html_row_open(out);
        html_cell(out, &table, 0, table_name((enum table)i));
        html_number(out, &table, 1, rows->state.rows);
        html_cell_open(out, &table, 2);
        text_printf(out, "<code>%s</code>", hex);
        html_cell_close(out, 2);
        html_row_close(out);
    }
    html_table_close(out);
}

static void
write_operator(struct text *out, const struct outcome *outcome)
{
    TEXT_SCOPED who = {0};
    if (outcome->user && *outcome->user)
        text_append(&who, outcome->user);
    if (outcome->sudo_user && *outcome->sudo_user)
        text_printf(&who, "%s(through sudo: %s)", who.used ? " " : "", outcome->sudo_user);
    if (outcome->host && *outcome->host)
        text_printf(&who, "%son %s", who.used ? " " : "", outcome->host);
    html_pair(out, "Run by", text_string(&who));
}

static void
write_plan(struct text *out, const struct outcome *outcome)
{
    html_pair_code(out, "Plan id", outcome->plan_id);
    html_pair_code(out, "Plan file", outcome->plan_path);
    html_pair_code(out, "SHA-256 of the plan file", outcome->plan_sha256);
    /* what is done is done: only a plan that waits can end to be valid */
    if (outcome->plan_expires_utc_ms == 0 || (!outcome->dry_run && !outcome->difference))
        return;
    text_append(out, "<dt>Plan expires</dt><dd>");
    html_time(out, outcome->plan_expires_utc_ms);
    text_append(out, " UTC</dd>\n");
}

static void
write_run(struct text *out, const struct outcome *outcome)
{
    TEXT_SCOPED copy = {0};
    TEXT_SCOPED proof = {0};
    parts_only_copy_text(outcome, &copy);
    html_pair_code(out, "Run", outcome->run_id);
    html_pair_code(out, "Run directory", outcome->run_path);
    html_pair(out, "It holds", text_string(&copy));
    html_pair(out, "Resumed", outcome->resumed ? "this is the second part of the run" : NULL);
    if (outcome->run_id)
        text_printf(&proof, "dwclean show %s --verify", outcome->run_id);
    html_pair_code(out, "To prove it again", text_string(&proof));
}

void
html_write_record(struct text *out, const struct outcome *outcome)
{
    TEXT_SCOPED pace = {0};
    parts_pace_text(outcome, &pace);
    html_section_open(out, "Record");
    html_list_open(out);
    html_pair(out, "Reason", outcome->reason);
    write_operator(out, outcome);
    write_run(out, outcome);
    write_plan(out, outcome);
    if (outcome->locked_ms >= 0)
        text_printf(out, "<dt>AxDB locked</dt><dd>its tables for %" PRId64 " ms</dd>\n",
                    outcome->locked_ms);
    html_pair(out, "Dataverse", text_string(&pace));
    html_pair(out, "Deletes", parts_without_versions(outcome));
    html_pair(out, "Program", "dwclean " DWCLEAN_VERSION);
    html_list_close(out);
    write_digests(out, outcome);
    html_section_close(out);
}
