/* The history as lines of cells. */
#include "csv_writer.h"
#include "report/history.h"

#include <stdbool.h>

static void
write_names(struct csv_writer *csv, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        csv_cell(csv, names[i]);
    csv_end(csv);
}

bool
history_runs_csv(const struct run_list *list, const char *environment, struct text *ret,
                 struct err *err)
{
    static const char *const names[] = {
        "run",      "state",       "run_command", "environment", "started_utc",
        "last_utc", "last_step",   "outcome",     "undoes",      "undone_by",
        "user",     "host",        "server",      "database",    "organization_name",
        "rows",     "only_copies", "bytes",       "plan_id",     "path",
        "damage"};
    struct csv_writer csv = {.out = ret};

    write_names(&csv, names, sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < list->count; i++) {
        const struct run_entry *entry = &list->runs[i];
        const struct past_run *past = &entry->past;
        const struct run_entry *undo = history_undone_by(list, entry);

        if (!history_is_of(entry, environment))
            continue;
        csv_cell(&csv, entry->id);
        csv_cell(&csv, history_state_key(history_state_of(entry)));
        csv_cell(&csv, past->command);
        csv_cell(&csv, past->environment);
        csv_cell(&csv, past->started_utc);
        csv_cell(&csv, past->progress.last_utc);
        csv_cell(&csv, past->progress.last_step);
        csv_cell(&csv, past->progress.outcome);
        csv_cell(&csv, past->progress.undoes);
        csv_cell(&csv, undo ? undo->id : NULL);
        csv_cell(&csv, past->user);
        csv_cell(&csv, past->host);
        csv_cell(&csv, past->plan.server);
        csv_cell(&csv, past->plan.database);
        csv_cell(&csv, past->plan.organization_name);
        csv_count(&csv, history_rows(entry));
        csv_count(&csv, history_only_copies(list, entry));
        csv_count(&csv, (int64_t)entry->bytes);
        csv_cell(&csv, past->plan_id);
        csv_cell(&csv, entry->path);
        csv_cell(&csv, entry->damage);
        csv_end(&csv);
    }
    return text_ok(ret, err);
}

bool
history_prune_csv(const struct history_prune *prune, struct text *ret, struct err *err)
{
    static const char *const names[] = {"run",         "state", "goes",    "stays_because",
                                        "only_copies", "bytes", "removed", "fault"};
    struct csv_writer csv = {.out = ret};

    write_names(&csv, names, sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < prune->count; i++) {
        const struct history_prune_line *line = &prune->lines[i];

        csv_cell(&csv, line->entry->id);
        csv_cell(&csv, history_state_key(history_state_of(line->entry)));
        csv_cell(&csv, line->keep ? "no" : "yes");
        csv_cell(&csv, line->keep);
        csv_count(&csv, line->only_copies);
        csv_count(&csv, (int64_t)line->entry->bytes);
        csv_cell(&csv, line->removed ? "yes" : "no");
        csv_cell(&csv, line->fault);
        csv_end(&csv);
    }
    return text_ok(ret, err);
}
