/* One run in full, for a person. */
#include "history_parts.h"
#include "parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STEP_COLUMN = 16, CLOCK_COLUMN = 10, DAY = 10, STEP_BYTES = 64 };

static const char *
fact_of(const struct run_moment *moment, const char *name)
{
    for (size_t i = 0; i < moment->count; i++)
        if (strcmp(moment->facts[i].name, name) == 0)
            return moment->facts[i].value;
    return "";
}

/** The value that the first record of a step has. */
static const char *
said(const struct run_details *details, const char *step, const char *name)
{
    for (size_t i = 0; i < details->moment_count; i++)
        if (strcmp(details->moments[i].step, step) == 0)
            return fact_of(&details->moments[i], name);
    return "";
}

static const char *
option_of(const struct run_details *details, const char *name)
{
    for (size_t i = 0; i < details->fact_count; i++)
        if (strcmp(details->facts[i].name, name) == 0)
            return details->facts[i].value;
    return "";
}

/* ---- head ---- */

static void
write_verdict(const struct layout *layout, const struct run_details *details)
{
    const enum history_state state = history_state_of(&details->entry);
    const int64_t rows = history_rows(&details->entry);
    char line[160] = "";

    if (rows > 0)
        (void)snprintf(line, sizeof(line), ": %" PRId64 " %s %s", rows, parts_rows(rows),
                       history_is_undo(&details->entry) ? "put back" : "removed");
    layout_word(layout, history_state_name(state), 0, history_colour(state));
    text_append(layout->out, line);
    text_append(layout->out, "\n");
    if (!details->entry.damage)
        return;
    text_append(layout->out, "  ");
    layout_flow(layout, 2, details->entry.damage);
}

static void
write_who(const struct layout *layout, const struct run_details *details)
{
    const struct past_run *past = &details->entry.past;
    TEXT_SCOPED who = {0};

    text_append(&who, *past->user ? past->user : "?");
    if (*details->uid)
        text_printf(&who, " (uid %s)", details->uid);
    if (*details->sudo_user)
        text_printf(&who, ", sudo from %s", details->sudo_user);
    text_printf(&who, " on %s", *past->host ? past->host : "?");
    if (*details->pid)
        text_printf(&who, ", process %s", details->pid);
    layout_pair(layout, "by", text_string(&who));
}

static void
write_program(const struct layout *layout, const struct run_details *details)
{
    TEXT_SCOPED line = {0};

    text_append(&line, details->entry.past.program);
    for (size_t i = 0; i < details->version_count; i++) {
        text_append(&line, i ? ", " : "; ");
        text_append(&line, details->versions[i].name);
        text_append(&line, " ");
        text_append(&line, details->versions[i].value);
    }
    layout_pair(layout, "program", text_string(&line));
}

static void
write_head(const struct layout *layout, const struct run_details *details)
{
    const struct past_run *past = &details->entry.past;
    TEXT_SCOPED target = {0};
    char size[HISTORY_SIZE_BYTES];
    char class[64];

    write_verdict(layout, details);
    layout_heading(layout, "Run");
    layout_pair(layout, "run", details->entry.id);
    layout_pair(layout, "command", past->command);
    history_target(&details->entry, &target);
    layout_pair(layout, "target", text_string(&target));
    (void)snprintf(class, sizeof(class), "%s", said(details, "open", "class"));
    layout_pair(layout, "class", class);
    layout_pair(layout, "login", said(details, "identity", "login"));
    layout_pair(layout, "scope", said(details, "open", "scope"));
    layout_pair(layout, "reason", said(details, "open", "reason"));
    layout_pair(layout, "undoes", past->progress.undoes);
    layout_pair(layout, "started", past->started_utc);
    layout_pair(layout, "last record", past->progress.last_utc);
    write_who(layout, details);
    layout_pair(layout, "command line", option_of(details, "argv"));
    write_program(layout, details);
    layout_pair(layout, "plan-id", past->plan_id);
    layout_pair(layout, "size", history_size(details->entry.bytes, size));
    layout_pair(layout, "directory", details->entry.path);
}

/* ---- time line ---- */

static void
append_facts(const struct run_moment *moment, struct text *ret)
{
    if (moment->records > 1)
        text_printf(ret, "%" PRId64 " records", moment->records);
    if (moment->rows)
        text_printf(ret, "%s%" PRId64 " %s", ret->used ? ", " : "", moment->rows,
                    parts_rows(moment->rows));
    if (moment->records > 1) {
        char stamp[HISTORY_STAMP_BYTES];
        text_printf(ret, ", until %s", history_stamp(moment->last_utc, stamp) + 11);
    }
    for (size_t i = 0; i < moment->count; i++) {
        if (!*moment->facts[i].value)
            continue;
        text_append(ret, ret->used ? ", " : "");
        text_append(ret, moment->facts[i].name);
        text_append(ret, " ");
        text_append(ret, moment->facts[i].value);
    }
}

static void
write_time_line(const struct layout *layout, const struct run_details *details)
{
    layout_heading(layout, "Time line (UTC)");
    for (size_t i = 0; i < details->moment_count; i++) {
        const struct run_moment *moment = &details->moments[i];
        char stamp[HISTORY_STAMP_BYTES];
        TEXT_SCOPED step = {0};
        TEXT_SCOPED facts = {0};

        if (i == 0 || strncmp(details->moments[i - 1].last_utc, moment->utc, DAY) != 0)
            text_printf(layout->out, "  %.10s\n", history_stamp(moment->utc, stamp));

        text_append_shown(&step, moment->step, strnlen(moment->step, STEP_BYTES));
        (void)history_stamp(moment->utc, stamp);
        text_printf(layout->out, "  %-*s", CLOCK_COLUMN,
                    strlen(stamp) > DAY ? stamp + DAY + 1 : "?");
        append_facts(moment, &facts);
        if (!facts.used) {
            text_printf(layout->out, "%s\n", text_string(&step));
            continue;
        }
        text_printf(layout->out, "%-*s ", STEP_COLUMN - 1, text_string(&step));
        layout_flow(layout, 2 + CLOCK_COLUMN + STEP_COLUMN, text_string(&facts));
    }
}

/* ---- rows, files ---- */

static bool
add_table(struct layout_grid *grid, const struct run_details *details, enum table table,
          struct err *err)
{
    const struct run_progress *progress = &details->entry.past.progress;
    const int64_t changed = table == TABLE_RUNTIME ? progress->runtime_rows
                            : progress->committed  ? progress->axdb_rows[table]
                                                   : 0;
    char numbers[4][PARTS_NUMBER_BYTES];
    const char *const cells[] = {
        table_key(table), parts_number(details->planned[table], numbers[0]),
        parts_number(details->entry.backup[table], numbers[1]), parts_number(changed, numbers[2]),
        parts_number(details->after[table], numbers[3])};

    if (details->planned[table] < 0 && details->entry.backup[table] == 0 && changed <= 0)
        return true;
    return layout_grid_row(grid, cells, err);
}

static bool
write_rows(const struct layout *layout, const struct run_details *details, struct err *err)
{
    const struct layout_column columns[] = {
        {"TABLE", KIND_WORD},
        {"PLANNED", KIND_NUMBER},
        {"BACKED UP", KIND_NUMBER},
        {history_is_undo(&details->entry) ? "PUT BACK" : "DELETED", KIND_NUMBER},
        {"AFTER", KIND_NUMBER}};
    struct layout_grid *grid = NULL;
    bool ok = true;
    bool any = false;

    for (unsigned i = 0; i < TABLES; i++)
        any = any || details->planned[i] >= 0 || details->entry.backup[i] > 0;
    if (!any)
        return true;
    grid = layout_grid_new(layout, columns, sizeof(columns) / sizeof(columns[0]));
    if (!grid)
        return err_set(err, ERR_INTERNAL, "out of memory");
    layout_heading(layout, "Rows");
    for (unsigned i = 0; ok && i < TABLES; i++)
        ok = add_table(grid, details, (enum table)i, err);
    ok = ok && layout_grid_print(grid, err);
    layout_grid_free(grid);
    return ok;
}

static void
write_files(const struct layout *layout, const struct run_details *details)
{
    layout_heading(layout, "Files (SHA-256 by SHA256SUMS)");
    for (size_t i = 0; i < details->file_count; i++) {
        const struct run_file *file = &details->files[i];
        char size[HISTORY_SIZE_BYTES];
        TEXT_SCOPED line = {0};

        text_printf(&line, "%s, %s", file->name, history_size(file->bytes, size));
        text_append(layout->out, "  ");
        layout_flow(layout, 2, text_string(&line));
        if (*file->sha256)
            text_printf(layout->out, "    %s\n", file->sha256);
    }
}

/* ---- verification ---- */

static void
write_checks(const struct layout *layout, const struct history_shown *shown)
{
    static const struct {
        const char *word;
        enum layout_colour colour;
    } words[] = {[RUN_CHECK_OK] = {"OK", COLOUR_GOOD},
                 [RUN_CHECK_NOTE] = {"note", COLOUR_WARNING},
                 [RUN_CHECK_FAILED] = {"FAILED", COLOUR_BAD}};
    char line[160];

    if (!shown->verified)
        return;
    layout_heading(layout, "Verification");
    for (size_t i = 0; i < shown->check_count; i++) {
        const struct run_check *check = &shown->checks[i];
        TEXT_SCOPED text = {0};

        text_printf(&text, "%s: %s", check->item, check->text);
        text_append(layout->out, "  ");
        layout_word(layout, words[check->verdict].word, 8, words[check->verdict].colour);
        layout_flow(layout, 10, text_string(&text));
    }
    (void)snprintf(line, sizeof(line), "%zu read again, %zu failed%s", shown->check_count,
                   shown->failed_count,
                   shown->failed_count ? ": restore the run directory from a copy" : "");
    text_append(layout->out, "\n");
    layout_flow(layout, 0, line);
}

/* ---- what is next ---- */

static void
append_quoted(struct text *ret, const char *value, size_t size)
{
    text_append(ret, "'");
    for (size_t i = 0; i < size; i++) {
        if (value[i] == '\'')
            text_append(ret, "'\\''");
        else
            text_append_bytes(ret, value + i, 1);
    }
    text_append(ret, "'");
}

/** Options that name the target, as run.json has them: "VALUE (SOURCE)". */
static void
append_target(const struct run_details *details, struct text *ret)
{
    static const struct {
        const char *name;
        bool flag;
    } options[] = {{"env", false},           {"server", false},   {"database", false},
                   {"dataverse-url", false}, {"axdb-only", true}, {"dataverse-only", true},
                   {"class", false}};
    const bool named = *option_of(details, "env") != '\0';

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const char *value = option_of(details, options[i].name);
        const char *source = NULL;

        /* with an environment the rest stands in its section */
        if (!*value || (named && i > 0 && !options[i].flag))
            continue;
        for (const char *at = strstr(value, " ("); at; at = strstr(at + 1, " ("))
            source = at;
        text_printf(ret, " --%s", options[i].name);
        if (options[i].flag)
            continue;
        text_append(ret, " ");
        append_quoted(ret, value, source ? (size_t)(source - value) : strlen(value));
    }
}

static void
write_command(const struct layout *layout, const struct run_details *details, const char *verb,
              const char *run, const char *more)
{
    const char *slash = strrchr(details->entry.path, '/');
    TEXT_SCOPED command = {0};

    text_printf(&command, "dwclean %s %s", verb, run);
    text_append(&command, more);
    text_append(&command, " --runs-dir ");
    append_quoted(&command, details->entry.path, slash ? (size_t)(slash - details->entry.path) : 0);
    if (strcmp(verb, "export") != 0)
        append_target(details, &command);
    text_append(layout->out, "  ");
    layout_statement(layout, 4, text_string(&command));
}

static void
write_sentence(const struct layout *layout, const char *sentence)
{
    text_append(layout->out, "  ");
    layout_flow(layout, 2, sentence);
}

static void
write_finishing(const struct layout *layout, const struct run_details *details)
{
    const struct past_run *past = &details->entry.past;

    write_sentence(layout, "Find out what is left and finish it, with the same sign-in options:");
    if (history_is_undo(&details->entry))
        write_command(layout, details, "undo", past->progress.undoes, " --merge");
    else
        write_command(layout, details, "resume", past->id, "");
}

static void
write_next(const struct layout *layout, const struct history_shown *shown)
{
    const struct run_details *details = shown->details;
    const struct past_run *past = &details->entry.past;
    const enum history_state state = history_state_of(&details->entry);

    layout_heading(layout, "Next");
    if (shown->failed_count || state == HISTORY_DAMAGED) {
        write_sentence(layout, "Restore the run directory from a copy. What of it still holds: "
                               "dwclean show RUN --verify.");
    } else if (history_is_unfinished(state)) {
        write_finishing(layout, details);
    } else if (state == HISTORY_DONE && !history_is_undo(&details->entry)) {
        write_sentence(layout, "Put the rows back, with the same sign-in options; or make a script "
                               "of the AxDB rows:");
        write_command(layout, details, "undo", past->id, "");
        write_command(layout, details, "export", past->id, " --sql");
    } else if (state == HISTORY_RUNNING) {
        write_sentence(layout, "A process works on it: wait until it has ended.");
    } else if (state == HISTORY_DONE) {
        write_sentence(layout, "It has come to its end.");
    } else {
        write_sentence(layout,
                       "Nothing was changed on the target; the directory holds no copy that "
                       "is needed. dwclean prune removes old ones.");
    }
}

bool
history_run_text(const struct history_shown *shown, const struct history_style *style,
                 struct text *ret, struct err *err)
{
    const unsigned width = style->width ? style->width : LAYOUT_WIDTH;
    const struct layout layout = {.out = ret,
                                  .width = width < LAYOUT_MIN_WIDTH ? LAYOUT_MIN_WIDTH : width,
                                  .colour = style->colour};

    write_head(&layout, shown->details);
    write_time_line(&layout, shown->details);
    if (!write_rows(&layout, shown->details, err))
        return false;
    write_files(&layout, shown->details);
    write_checks(&layout, shown);
    write_next(&layout, shown);
    return text_ok(ret, err);
}
