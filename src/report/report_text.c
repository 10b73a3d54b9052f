#include "base/clock.h"
#include "parts.h"
#include "report/layout.h"
#include "report/report.h"
#include "report/words.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CHECK_WIDTH = 10,
    REQUIRED_WIDTH = 9,
    VERDICT_WIDTH = 8,
    STATEMENT_COLUMN = 6,
    FATE_WIDTH = 13,
    LONGEST_WORD = 36 /* a table's name with a colon */
};

/* ---- verdict */

enum layout_colour
parts_colour_of(enum outcome_word word)
{
    switch (word) {
    case OUTCOME_CLEAN:
    case OUTCOME_DONE:
    case OUTCOME_PLANNED:
    case OUTCOME_READY:
    case OUTCOME_EXPLAINED:
        return COLOUR_GOOD;
    case OUTCOME_RESIDUE:
    case OUTCOME_MISSING:
    case OUTCOME_PARTIAL:
    case OUTCOME_INTERRUPTED:
        return COLOUR_WARNING;
    case OUTCOME_REFUSED:
    case OUTCOME_STALE:
    case OUTCOME_UNKNOWN:
    case OUTCOME_NO_ACCESS:
    case OUTCOME_FAILED:
        break;
    }
    return COLOUR_BAD;
}

static void
write_verdict(const struct layout *layout, const struct outcome *outcome)
{
    char word[32];
    (void)snprintf(word, sizeof(word), "%s", outcome_word_name(outcome->word));
    for (char *p = word; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    layout_word(layout, word, 0, parts_colour_of(outcome->word));
    text_append(layout->out, "  ");
    layout_flow(layout, (unsigned)strlen(word) + 2, outcome->verdict ? outcome->verdict : "");
}

static void
write_error(const struct layout *layout, const struct outcome *outcome)
{
    const struct err *err = &outcome->err;
    if (err->code == ERR_NONE)
        return;
    if (!outcome->verdict || strcmp(outcome->verdict, err->primary) != 0)
        layout_pair(layout, "error", err->primary);
    layout_pair(layout, "detail", err->detail);
    layout_pair(layout, "hint", err->hint);
}

/** A pair whose value one of the shared sentences writes; nothing where it writes nothing. */
static void
write_sentence(const struct layout *layout, const char *label, const struct outcome *outcome,
               void (*sentence)(const struct outcome *outcome, struct text *ret))
{
    TEXT_SCOPED line = {0};
    sentence(outcome, &line);
    layout_pair(layout, label, text_string(&line));
}

static void
write_undo(const struct layout *layout, const struct outcome *outcome)
{
    if (parts_is_undo(outcome))
        layout_pair(layout, "warning", parts_old_link_text(outcome));
    write_sentence(layout, "not put back", outcome, parts_not_put_back_text);
}

/** What the run is about, where that is not simply every row. */
static void
write_about(const struct layout *layout, const struct outcome *outcome)
{
    if (outcome->settled)
        layout_pair(layout, "COMMIT", parts_settled_text(outcome->settled));
    layout_pair(layout, "scope", outcome->scope);
    layout_pair(layout, "undoes run", outcome->undoes);
    write_undo(layout, outcome);
    write_sentence(layout, "new values", outcome, parts_lost_text);
}

/* ---- target */

/** "a, b, c" of what is known. */
static void
join(struct text *out, const char *prefix, const char *value)
{
    if (!value || !*value)
        return;
    text_append(out, out->used ? ", " : "");
    text_append(out, prefix);
    text_append(out, value);
}

static void
write_restore(const struct layout *layout, const struct axdb_identity *identity)
{
    TEXT_SCOPED line = {0};
    if (!identity->restore_known) {
        layout_pair(layout, "restored", "not known");
        return;
    }
    join(&line, "", identity->restored_at);
    join(&line, "from ", identity->restored_from_server);
    join(&line, "database ", identity->restored_from_database);
    join(&line, "backup of ", identity->backup_finished_at);
    layout_pair(layout, "restored", text_string(&line));
}

static void
write_axdb_target(const struct layout *layout, const struct axdb_identity *identity)
{
    TEXT_SCOPED server = {0};
    TEXT_SCOPED database = {0};
    TEXT_SCOPED login = {0};
    join(&server, "", identity->dialled);
    join(&server, "calls itself ", identity->server_name);
    join(&server, "version ", identity->product);
    layout_pair(layout, "server", text_string(&server));
    join(&database, "", identity->database);
    join(&database, "", identity->state);
    join(&database, "", identity->user_access);
    if (identity->read_only)
        join(&database, "", "read-only");
    if (identity->replica)
        join(&database, "", "a replica that may lag");
    join(&database, "created ", identity->created);
    layout_pair(layout, "database", text_string(&database));
    join(&login, "", identity->login);
    join(&login, "encryption ", identity->encryption);
    layout_pair(layout, "login", text_string(&login));
    write_restore(layout, identity);
}

static void
write_runtime_target(const struct layout *layout, const struct runtime_identity *identity)
{
    TEXT_SCOPED organization = {0};
    TEXT_SCOPED host = {0};
    join(&organization, "", identity->unique_name);
    join(&organization, "id ", identity->organization_id);
    join(&organization, "", identity->friendly_name);
    layout_pair(layout, "organization", text_string(&organization));
    join(&host, "", identity->host);
    if (identity->host && identity->dialled_host &&
        !text_equal_nocase(identity->host, identity->dialled_host))
        join(&host, "asked for as ", identity->dialled_host);
    layout_pair(layout, "host", text_string(&host));
    if (identity->link_known)
        layout_pair(layout, "linked F&O",
                    identity->linked ? identity->fno_url : "none: not linked");
}

/** Why a half was not reached; what stands at the top already is not said again. */
static void
write_half(const struct layout *layout, const char *label, const struct err *err,
           const struct err *said)
{
    layout_pair(layout, label, err->code == ERR_NONE ? "not reached" : err->primary);
    if (strcmp(err->primary, said->primary) == 0)
        return;
    layout_pair(layout, "", err->detail);
    layout_pair(layout, "", err->hint);
}

static void
write_target(const struct layout *layout, const struct outcome *outcome)
{
    const struct evidence *seen = &outcome->before;
    TEXT_SCOPED environment = {0};
    if (!seen->axdb_asked && !seen->runtime_asked)
        return;
    layout_heading(layout, "Target");
    join(&environment, "", outcome->environment);
    join(&environment, "class ", outcome->environment_class);
    layout_pair(layout, "environment", text_string(&environment));
    if (seen->axdb)
        write_axdb_target(layout, &seen->axdb->identity);
    else if (seen->axdb_asked)
        write_half(layout, "AxDB", &seen->axdb_err, &outcome->err);
    else
        layout_pair(layout, "AxDB", "not asked for");
    if (seen->runtime)
        write_runtime_target(layout, &seen->runtime->identity);
    else if (seen->runtime_asked)
        write_half(layout, "Dataverse", &seen->runtime_err, &outcome->err);
    else
        layout_pair(layout, "Dataverse", "not asked for");
}

/* ---- the rows of a map */

static void
append_status(struct text *ret, int64_t status)
{
    static const char *const words[] = {" enabled", " disabled", "", "", " queueing"};
    if (status < 0)
        text_append(ret, ", STATUS not a number");
    else
        text_printf(ret, ", STATUS %" PRId64 "%s", status, status < 5 ? words[status] : "");
}

/** Goes or stays; of a dry run, would. */
static const char *
fate_text(bool chosen, bool would)
{
    static const char *const texts[2][2] = {{"stays", "goes"}, {"WOULD STAY", "WOULD GO"}};
    return texts[would][chosen];
}

/** Two lines a row: a name is long, and stands alone so that it can be copied for --project. */
static void
write_map_row(const struct layout *layout, const struct map_row *row, bool would)
{
    TEXT_SCOPED line = {0};
    text_printf(layout->out, "  %-*s", FATE_WIDTH, fate_text(row->chosen, would));
    layout_flow(layout, 2 + FATE_WIDTH, row->project);
    join(&line, "", *row->host ? row->host : "(no host)");
    text_append(&line, row->own ? " (own)" : "");
    append_status(&line, row->status);
    text_printf(layout->out, "%*s", 2 + FATE_WIDTH, "");
    layout_flow(layout, 2 + FATE_WIDTH, text_string(&line));
}

static void
write_map(const struct layout *layout, const struct outcome *outcome)
{
    bool any_own = false;
    if (outcome->map_row_count == 0)
        return;
    layout_heading(layout, "Project rows of the map");
    for (size_t i = 0; i < outcome->map_row_count && i < PARTS_ROWS_SHOWN; i++) {
        write_map_row(layout, &outcome->map_rows[i], outcome->dry_run);
        any_own = any_own || outcome->map_rows[i].own;
    }
    parts_write_more(layout, outcome->map_row_count);
    if (any_own)
        text_append(layout->out, "  (own): it names the target's own organization\n");
}

/* ---- checks */

/** How the checks of an outcome are shown. */
struct check_layout {
    const struct layout *layout;
    unsigned name_width; /* of the longest name, with the blank behind it */
    unsigned column;     /* where the evidence stands */
    bool needs;          /* of `check`: what is there and what is missing */
};

/** The evidence stands on a line of its own where a table's name would be broken beside the check.
 */
static unsigned
evidence_column(const struct layout *layout, unsigned name_width)
{
    const unsigned beside = 2 + name_width + REQUIRED_WIDTH + VERDICT_WIDTH;
    return beside + LONGEST_WORD > layout->width ? STATEMENT_COLUMN : beside;
}

/** What to do: below the evidence, or, where it will be copied, with most of the line for it. */
static void
write_hint(const struct check_layout *checks, unsigned column, const char *hint)
{
    const struct layout *layout = checks->layout;
    const char *lead = checks->needs ? "do: " : "hint: ";
    const unsigned from = checks->needs ? STATEMENT_COLUMN : column;
    text_printf(layout->out, "%*s%s", (int)from, "", lead);
    if (checks->needs)
        layout_statement(layout, from + (unsigned)strlen(lead), hint);
    else
        layout_flow(layout, from + (unsigned)strlen(lead), hint);
}

static void
write_check(const struct check_layout *checks, const struct observation *seen)
{
    static const enum layout_colour colours[] = {COLOUR_GOOD, COLOUR_BAD, COLOUR_WARNING};
    const struct layout *layout = checks->layout;
    const unsigned column = checks->column;
    const bool beside = column != STATEMENT_COLUMN;
    TEXT_SCOPED line = {0};
    text_append(layout->out, "  ");
    layout_word(layout, seen->check, checks->name_width, COLOUR_NONE);
    layout_word(layout, seen->required ? "required" : "advisory", REQUIRED_WIDTH, COLOUR_NONE);
    layout_word(layout, checks->needs ? presence_name(seen->verdict) : verdict_name(seen->verdict),
                beside ? VERDICT_WIDTH : 0, seen->required ? colours[seen->verdict] : COLOUR_NONE);
    if (!beside)
        text_printf(layout->out, "\n%*s", (int)column, "");
    text_append(&line, seen->text ? seen->text : "");
    if (seen->code && seen->verdict == VERDICT_DIFFERS) {
        /* not its result: dwclean did not run that check */
        text_append(&line, "; corresponds to Microsoft health check code ");
        text_append(&line, seen->code);
    }
    layout_flow(layout, column, text_string(&line));
    if (seen->hint && *seen->hint)
        write_hint(checks, column, seen->hint);
}

static void
write_checks(const struct layout *layout, const struct outcome *outcome)
{
    const struct evidence *seen = outcome->after_taken ? &outcome->after : &outcome->before;
    struct check_layout checks = {
        .layout = layout, .name_width = CHECK_WIDTH, .needs = parts_is_command(outcome, "check")};
    if (seen->observation_count == 0)
        return;
    for (size_t i = 0; i < seen->observation_count; i++) {
        const size_t size = strlen(seen->observations[i].check) + 1;
        if (size > checks.name_width)
            checks.name_width = (unsigned)size;
    }
    checks.column = evidence_column(layout, checks.name_width);
    layout_heading(layout, checks.needs             ? "What a run needs"
                           : !outcome->after_taken  ? "Checks"
                           : parts_is_undo(outcome) ? "Checks, made again: what verify says now"
                                                    : "Checks, made again after the change");
    for (size_t i = 0; i < seen->observation_count; i++)
        write_check(&checks, &seen->observations[i]);
}

/* ---- what did not work out */

static void
write_removals(const struct layout *layout, const struct outcome *outcome)
{
    if (outcome->removal_count == 0)
        return;
    layout_heading(layout, "Rows of Dataverse that did not leave");
    for (size_t i = 0; i < outcome->removal_count && i < PARTS_ROWS_SHOWN; i++) {
        const struct removal *removal = &outcome->removals[i];
        TEXT_SCOPED line = {0};
        join(&line, "", removal->row ? removal->row->key : "");
        join(&line, "", removal_state_name(removal->state));
        if (removal->http_status)
            text_printf(&line, ", HTTP %d", removal->http_status);
        join(&line, "", removal->why.primary);
        join(&line, "request ", removal->request_id);
        text_append(layout->out, "  ");
        layout_flow(layout, 4, text_string(&line));
    }
    parts_write_more(layout, (size_t)outcome_rows_unsettled(&outcome->tables[TABLE_RUNTIME]));
}

static void
write_returns(const struct layout *layout, const struct outcome *outcome)
{
    if (outcome->return_count == 0)
        return;
    layout_heading(layout, "Rows of Dataverse that did not come back");
    for (size_t i = 0; i < outcome->return_count && i < PARTS_ROWS_SHOWN; i++) {
        const struct returned *returned = &outcome->returns[i];
        TEXT_SCOPED line = {0};
        join(&line, "", returned->key);
        join(&line, "", return_state_name(returned->state));
        if (returned->http_status)
            text_printf(&line, ", HTTP %d", returned->http_status);
        join(&line, "", returned->why.primary);
        join(&line, "request ", returned->request_id);
        text_append(layout->out, "  ");
        layout_flow(layout, 4, text_string(&line));
    }
    parts_write_more(layout, (size_t)outcome_rows_unsettled(&outcome->tables[TABLE_RUNTIME]));
}

static void
write_written_after(const struct layout *layout, const struct outcome *outcome)
{
    if (outcome->written_after_count == 0)
        return;
    layout_heading(layout, "Rows of Dataverse that were written after the plan");
    for (size_t i = 0; i < outcome->written_after_count && i < PARTS_ROWS_SHOWN; i++) {
        const struct runtime_row *row = &outcome->written_after[i];
        TEXT_SCOPED line = {0};
        join(&line, "", row->key);
        join(&line, "", row->name);
        join(&line, "modified ", row->modified_on);
        text_append(layout->out, "  ");
        layout_flow(layout, 4, text_string(&line));
    }
    parts_write_more(layout, (size_t)outcome->tables[TABLE_RUNTIME].new_rows);
}

/* ---- the run */

static void
write_run(const struct layout *layout, const struct outcome *outcome)
{
    char started[CLOCK_STAMP_BYTES], line[160];
    layout_heading(layout, "Run");
    if (outcome->started_utc_ms > 0) {
        const int64_t took_ms = outcome->ended_utc_ms - outcome->started_utc_ms;
        clock_stamp(outcome->started_utc_ms, started);
        (void)snprintf(line, sizeof(line), "%s, took %" PRId64 ".%03d s", started,
                       took_ms > 0 ? took_ms / 1000 : 0, took_ms > 0 ? (int)(took_ms % 1000) : 0);
        layout_pair(layout, "started", line);
    }
    if (outcome->locked_ms >= 0) {
        (void)snprintf(line, sizeof(line), "the AxDB tables for %" PRId64 " ms",
                       outcome->locked_ms);
        layout_pair(layout, "locked", line);
    }
    write_sentence(layout, "Dataverse", outcome, parts_pace_text);
    layout_pair(layout, "purge", parts_without_versions(outcome));
    layout_pair(layout, "reason", outcome->reason);
    parts_write_plan(layout, outcome);
    layout_pair(layout, "run", outcome->run_path);
    layout_pair(layout, "", outcome->resumed ? "resumed: this is its second part" : NULL);
    write_sentence(layout, "", outcome, parts_only_copy_text);
    (void)snprintf(line, sizeof(line), "%d", outcome->exit_status);
    layout_pair(layout, "exit status", line);
}

static void
write_next(const struct layout *layout, const struct outcome *outcome)
{
    if (outcome->next_count == 0)
        return;
    layout_heading(layout, "Next");
    for (size_t i = 0; i < outcome->next_count; i++) {
        text_append(layout->out, "  ");
        layout_flow(layout, 2, outcome->next[i]);
    }
}

/** Tables and what is in them; not for `check`, which is about other things. */
static bool
write_rows(const struct layout *layout, const struct outcome *outcome, struct err *err)
{
    const struct evidence *seen = &outcome->before;
    if ((!seen->axdb_asked && !seen->runtime_asked) || parts_is_command(outcome, "check") ||
        parts_is_command(outcome, "env"))
        return true;
    if (!parts_write_tables(layout, outcome, err))
        return false;
    write_map(layout, outcome);
    return parts_write_groups(layout, outcome, err);
}

bool
report_text(const struct outcome *outcome, unsigned width, bool colour, struct text *ret,
            struct err *err)
{
    assert(outcome && ret && err);
    const unsigned wanted = width ? width : LAYOUT_WIDTH;
    const struct layout layout = {
        .out = ret,
        .width = wanted < LAYOUT_MIN_WIDTH ? LAYOUT_MIN_WIDTH : wanted,
        .colour = colour,
    };

    write_verdict(&layout, outcome);
    write_error(&layout, outcome);
    parts_write_explained(&layout, outcome);
    write_sentence(&layout, "dry run", outcome, parts_dry_run_text);
    write_about(&layout, outcome);
    write_target(&layout, outcome);
    if (!write_rows(&layout, outcome, err))
        return false;
    parts_write_difference(&layout, outcome);
    write_checks(&layout, outcome);
    write_removals(&layout, outcome);
    write_returns(&layout, outcome);
    write_written_after(&layout, outcome);
    parts_write_situations(&layout, outcome);
    write_run(&layout, outcome);
    write_next(&layout, outcome);
    return text_ok(ret, err);
}
